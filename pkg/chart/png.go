package chart

import (
	"bytes"
	"fmt"
	"image/png"
	"math"

	"git.sr.ht/~sbinet/gg"
	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
)

// density is how many pixels a unit of the picture has, so that a picture is
// sharp on paper.
const density = 2

// png writes the picture in pixels. It has no text that can be read aloud: who
// embeds it says what it shows.
func (p *picture) png(theme Theme) ([]byte, error) {
	w := pngWriter{Context: gg.NewContext(int(p.width*density), int(p.height*density)), theme: theme, faces: map[class]font.Face{}}
	w.SetLineCapRound()
	w.SetColor(theme.palette()[paper])
	w.Clear()
	for _, m := range p.marks {
		if err := w.mark(m); err != nil {
			return nil, err
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, w.Image()); err != nil {
		return nil, fmt.Errorf("write a picture as PNG: %w", err)
	}
	return out.Bytes(), nil
}

type pngWriter struct {
	*gg.Context
	theme Theme
	faces map[class]font.Face
}

func (w *pngWriter) mark(m mark) error {
	switch m.shape {
	case letter:
		return w.text(m)
	case circle:
		w.DrawCircle(m.at[0].x*density, m.at[0].y*density, m.r*density)
	case line, area:
		for _, s := range m.at {
			w.LineTo(s.x*density, s.y*density)
		}
		if m.shape == area {
			w.ClosePath()
		}
	}
	s := m.class.style()
	if s.fill != none && m.shape != line {
		w.SetColor(w.theme.palette()[s.fill])
		w.FillPreserve()
	}
	if s.stroke != none {
		dash := make([]float64, len(s.dash))
		for i, d := range s.dash {
			dash[i] = d * density
		}
		w.SetDash(dash...)
		if w.SetLineCapRound(); len(dash) > 0 {
			w.SetLineCapButt()
		}
		w.SetLineWidth(s.width * density)
		w.SetColor(w.theme.palette()[s.stroke])
		w.StrokePreserve()
	}
	w.ClearPath()
	return nil
}

func (w *pngWriter) text(m mark) error {
	s := m.class.style()
	face, made := w.faces[m.class]
	if !made {
		var err error
		face, err = opentype.NewFace(fontOf(m.class), &opentype.FaceOptions{Size: s.size * density, DPI: 72, Hinting: font.HintingNone})
		if err != nil {
			return fmt.Errorf("a face of the program: %w", err)
		}
		w.faces[m.class] = face
	}
	w.SetFontFace(face)
	shown := visual(m.text, fontOf(m.class))
	width, _ := w.MeasureString(shown)
	x := m.at[0].x * density
	switch m.end {
	case atMiddle:
		x -= width / 2
	case atEnd:
		x -= width
	case atStart:
	}
	y := m.at[0].y * density
	if s.halo {
		w.SetColor(w.theme.palette()[paper])
		for turn := range 8 {
			sin, cos := math.Sincos(float64(turn) * math.Pi / 4)
			w.DrawString(shown, x+cos*density*halo/2, y+sin*density*halo/2)
		}
	}
	w.SetColor(w.theme.palette()[s.fill])
	w.DrawString(shown, x, y)
	return nil
}

package chart

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image/color"
	"strconv"
	"strings"
)

// svg writes the picture as one element that can stand in a page or alone. It
// has no style sheet, no script and no link, so that every content security
// policy lets it through.
func (p *picture) svg(theme Theme) []byte {
	w := svgWriter{theme: theme}
	w.printf(`<svg xmlns="http://www.w3.org/2000/svg" role="img" class="chart" viewBox="0 0 %s %s" width="%s" height="%s" font-family="%s">`,
		number(p.width), number(p.height), number(p.width), number(p.height), family)
	w.element("title", p.title)
	if p.about != "" {
		w.element("desc", p.about)
	}
	for _, m := range p.marks {
		w.mark(m)
	}
	w.WriteString("</svg>\n")
	return w.Bytes()
}

type svgWriter struct {
	bytes.Buffer
	theme Theme
}

func (w *svgWriter) printf(format string, args ...any) {
	_, _ = fmt.Fprintf(w, format, args...) // a buffer takes all
}

// element writes a text in an element of its own.
func (w *svgWriter) element(name, s string) {
	w.printf("<%s>", name)
	w.escaped(s)
	w.printf("</%s>", name)
}

func (w *svgWriter) escaped(s string) { _ = xml.EscapeText(w, []byte(s)) }

func (w *svgWriter) mark(m mark) {
	w.WriteByte('\n')
	name := map[shape]string{line: "polyline", area: "polygon", circle: "circle", letter: "text"}[m.shape]
	w.printf("<%s", name)
	switch m.shape {
	case line, area:
		points := make([]string, len(m.at))
		for i, s := range m.at {
			points[i] = number(s.x) + "," + number(s.y)
		}
		w.printf(` points="%s"`, strings.Join(points, " "))
	case circle:
		w.printf(` cx="%s" cy="%s" r="%s"`, number(m.at[0].x), number(m.at[0].y), number(m.r))
	case letter:
		w.printf(` x="%s" y="%s"`, number(m.at[0].x), number(m.at[0].y))
		if m.end != atStart {
			w.printf(` text-anchor="%s"`, map[anchor]string{atMiddle: "middle", atEnd: "end"}[m.end])
		}
	}
	w.look(m)
	switch {
	case m.shape == letter:
		w.WriteByte('>')
		w.escaped(m.text)
		w.WriteString("</text>")
	case m.title != "":
		w.WriteByte('>')
		w.element("title", m.title)
		w.printf("</%s>", name)
	default:
		w.WriteString("/>")
	}
}

// look writes what the class says. In the theme Page that is the class alone:
// the sheet of the page has the rest, and pages stay light.
func (w *svgWriter) look(m mark) {
	if w.theme == Page {
		w.printf(` class="c-%s"`, m.class)
		return
	}
	s := m.class.style()
	w.paint("fill", s.fill)
	if s.stroke != none {
		w.paint("stroke", s.stroke)
	}
	if s.stroke != none {
		w.printf(` stroke-width="%s"`, number(s.width))
		if m.shape == line && s.dash == nil {
			w.WriteString(` stroke-linejoin="round" stroke-linecap="round"`)
		}
	}
	if len(s.dash) > 0 {
		dash := make([]string, len(s.dash))
		for i, d := range s.dash {
			dash[i] = number(d)
		}
		w.printf(` stroke-dasharray="%s"`, strings.Join(dash, " "))
	}
	if m.shape == letter {
		w.printf(` font-size="%s" pointer-events="none"`, number(s.size))
		if s.bold {
			w.WriteString(` font-weight="700"`)
		}
		if s.halo {
			w.printf(` stroke-width="%s" stroke-linejoin="round" paint-order="stroke"`, number(halo))
			w.paint("stroke", paper)
		}
	}
}

func (w *svgWriter) paint(attribute string, i ink) {
	if i == none {
		w.printf(` %s="none"`, attribute)
		return
	}
	w.printf(` %s="%s"`, attribute, hex(w.theme.palette()[i]))
}

func hex(c color.RGBA) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

// halo is how wide the ground around a text is, half of it below the text.
const halo = 3.0

// number writes a place to a tenth.
func number(f float64) string {
	s := strings.TrimSuffix(strconv.FormatFloat(f, 'f', 1, 64), ".0")
	if s == "-0" {
		return "0"
	}
	return s
}

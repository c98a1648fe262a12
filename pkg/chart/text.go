package chart

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"codeberg.org/go-fonts/liberation/liberationsansbold"
	"codeberg.org/go-fonts/liberation/liberationsansregular"
	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/unicode/bidi"
)

// family names faces that are as wide as those that texts are measured with.
const family = "Liberation Sans, Arial, Helvetica, sans-serif"

// faces are the two of the family. They are part of the program.
var faces = sync.OnceValue(func() (f struct{ regular, bold *opentype.Font }) {
	f.regular, f.bold = mustParse(liberationsansregular.TTF), mustParse(liberationsansbold.TTF)
	return f
})

func mustParse(ttf []byte) *opentype.Font {
	f, err := opentype.Parse(ttf)
	if err != nil {
		panic(fmt.Sprintf("chart: a font of the program: %v", err))
	}
	return f
}

func fontOf(c class) *opentype.Font {
	if c.style().bold {
		return faces().bold
	}
	return faces().regular
}

// longestText is how many characters of a text are kept at all. A title that is
// longer is no title.
const longestText = 500

// plain makes a text harmless: one line, without control characters and marks
// of direction, cut where it is longer than any title. A text that is written
// from right to left is set apart from its surroundings.
func plain(s string) string {
	var b strings.Builder
	n, rtl, space := 0, false, false
	for _, r := range s { // an invalid byte comes as U+FFFD
		switch {
		case unicode.IsSpace(r):
			space = b.Len() > 0
			continue
		case unicode.Is(unicode.Bidi_Control, r):
			continue
		case unicode.In(r, unicode.Cc, unicode.Cs) || r&0xfffe == 0xfffe:
			r = utf8.RuneError
		}
		if n++; n > longestText {
			b.WriteRune('…')
			break
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(r)
		p, _ := bidi.LookupRune(r)
		rtl = rtl || p.Class() == bidi.R || p.Class() == bidi.AL
	}
	if !rtl {
		return b.String()
	}
	return string(isolate) + b.String() + string(pop)
}

const (
	isolate = '\u2068' // first strong isolate
	pop     = '\u2069' // pop directional isolate
)

// bare is a text without what sets it apart.
func bare(s string) string {
	return strings.TrimSuffix(strings.TrimPrefix(s, string(isolate)), string(pop))
}

// measure is how wide a text stands, in units of the picture.
func measure(s string, c class) float64 {
	var buffer sfnt.Buffer
	f, size := fontOf(c), c.style().size
	em := fixed.I(1000)
	var sum fixed.Int26_6
	for _, r := range bare(s) {
		glyph, err := f.GlyphIndex(&buffer, r)
		if err != nil || glyph == 0 {
			sum += fixed.I(1000) // a picture, or a script that another face draws: as wide as they come
			continue
		}
		if advance, err := f.GlyphAdvance(&buffer, glyph, em, font.HintingNone); err == nil {
			sum += advance
		}
	}
	return float64(sum) / 64 / 1000 * size
}

// fit cuts a text to a width and says so with an ellipsis.
func fit(s string, c class, room float64) string {
	if measure(s, c) <= room {
		return s
	}
	rest := []rune(bare(s))
	for len(rest) > 0 {
		rest = rest[:len(rest)-1]
		for len(rest) > 0 && (unicode.In(rest[len(rest)-1], unicode.Mn, unicode.Me, unicode.Z) || rest[len(rest)-1] == '\u200d') {
			rest = rest[:len(rest)-1]
		}
		if cut := plain(string(rest) + "…"); measure(cut, c) <= room {
			return cut
		}
	}
	return ""
}

// wrap breaks a text into two lines between words, each as wide as the room at
// most.
func wrap(s string, c class, room float64) []string {
	if measure(s, c) <= room || !strings.Contains(s, " ") {
		return []string{fit(s, c, room)}
	}
	words := strings.Fields(bare(s))
	n := 1
	for n < len(words)-1 && measure(strings.Join(words[:n+1], " "), c) <= room {
		n++
	}
	return []string{fit(plain(strings.Join(words[:n], " ")), c, room), fit(plain(strings.Join(words[n:], " ")), c, room)}
}

// visual is a text in the order in which it is drawn from left to right. What
// the faces cannot draw is a box: it says that there is something.
func visual(s string, f *opentype.Font) string {
	var buffer sfnt.Buffer
	s = strings.Map(func(r rune) rune {
		if glyph, err := f.GlyphIndex(&buffer, r); err != nil || glyph == 0 {
			return '□'
		}
		return r
	}, bare(s))
	var p bidi.Paragraph
	if _, err := p.SetString(s); err != nil {
		return s
	}
	order, err := p.Order()
	if err != nil {
		return s
	}
	runs := make([]string, order.NumRuns())
	for i := range runs {
		run := order.Run(i)
		if runs[i] = run.String(); run.Direction() == bidi.RightToLeft {
			runs[i] = bidi.ReverseString(runs[i])
		}
	}
	if order.Direction() == bidi.RightToLeft {
		slices.Reverse(runs)
	}
	return strings.Join(runs, "")
}

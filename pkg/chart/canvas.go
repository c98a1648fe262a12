package chart

import "math"

// A picture is laid out once, as marks, and then written: as SVG or as PNG.
type picture struct {
	title, about  string // for who cannot see it; plain texts
	width, height float64
	marks         []mark
	small         bool // a picture in a line of text, without a ground of its own
}

// A mark is one thing that is drawn. Which of its fields count depends on its
// shape; its class says how it looks.
type mark struct {
	shape shape
	class class
	at    []spot  // the corners; of a circle its centre, of a text where it stands
	r     float64 // radius of a circle
	text  string
	end   anchor
	title string // what is told of it where somebody points at it
}

type spot struct{ x, y float64 }

type shape int

const (
	line   shape = iota // open, through all corners
	area                // closed, filled
	circle              // around one spot
	letter              // a text
)

// anchor is which end of a text stands at its spot.
type anchor int

const (
	atStart anchor = iota
	atMiddle
	atEnd
)

func (p *picture) add(m mark) { p.marks = append(p.marks, m) }

func (p *picture) line(c class, at ...spot) { p.add(mark{shape: line, class: c, at: at}) }

func (p *picture) rect(c class, x, y, w, h float64) {
	p.add(mark{shape: area, class: c, at: box{x, y, w, h}.corners()})
}

// say writes a text. It is cut where it is wider than room, if room is not 0.
func (p *picture) say(c class, end anchor, x, y float64, text string, room float64) {
	text = plain(text)
	if room > 0 {
		text = fit(text, c, room)
	}
	if text != "" {
		p.add(mark{shape: letter, class: c, at: []spot{{x, y}}, text: text, end: end})
	}
}

// box is an upright rectangle, from its upper left corner.
type box struct{ x, y, w, h float64 }

func (b box) corners() []spot {
	return []spot{{b.x, b.y}, {b.x + b.w, b.y}, {b.x + b.w, b.y + b.h}, {b.x, b.y + b.h}}
}

func (b box) right() float64  { return b.x + b.w }
func (b box) bottom() float64 { return b.y + b.h }

// holds reports whether a spot lies in the box.
func (b box) holds(s spot) bool {
	return s.x >= b.x && s.x <= b.right() && s.y >= b.y && s.y <= b.bottom()
}

// meets reports whether two boxes share room.
func (b box) meets(o box) bool {
	return b.x < o.right() && o.x < b.right() && b.y < o.bottom() && o.y < b.bottom()
}

// textBox is the room that a text takes.
func textBox(c class, end anchor, x, y float64, text string) box {
	w, size := measure(text, c), c.style().size
	switch end {
	case atMiddle:
		x -= w / 2
	case atEnd:
		x -= w
	case atStart:
	}
	return box{x, y - 0.8*size, w, size}
}

// crosses reports whether a straight line passes through the box.
func (b box) crosses(from, to spot) bool {
	steps := int(math.Hypot(to.x-from.x, to.y-from.y)/3) + 1
	for i := range steps + 1 {
		share := float64(i) / float64(steps)
		if b.holds(spot{from.x + share*(to.x-from.x), from.y + share*(to.y-from.y)}) {
			return true
		}
	}
	return false
}

// A scale turns values into places.
type scale struct{ low, high, from, to float64 }

func (s scale) at(v float64) float64 {
	if s.high <= s.low {
		return (s.from + s.to) / 2
	}
	return s.from + (v-s.low)/(s.high-s.low)*(s.to-s.from)
}

// ends are those of a scale that has all values, however wrong they are.
func ends(low, high float64, values ...*float64) (from, to float64) {
	l, h := finite(&low), finite(&high)
	if l == nil || h == nil {
		l, h = new(0.0), new(1.0)
	}
	for _, v := range values {
		if v = finite(v); v != nil {
			*l, *h = min(*l, *v), max(*h, *v)
		}
	}
	if *h <= *l {
		*h = *l + 1
	}
	return *l, *h
}

// most bounds every value that is drawn, so that sums and differences of them
// stay numbers.
const most = 1e9

// finite is a value that can be drawn, or nil.
func finite(v *float64) *float64 {
	if v == nil || math.IsNaN(*v) || math.IsInf(*v, 0) {
		return nil
	}
	return new(min(max(*v, -most), most))
}

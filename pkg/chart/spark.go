package chart

import "time"

// Spark is a trajectory small enough for a row of a list: a line, broken where a
// score is missing, with its last score marked.
type Spark struct {
	Title  string     // what it shows, with the figures: it is all that is read aloud
	Values []*float64 // nil: no score
	// Times are those of the values, in order. Without them the values stand
	// equally far apart.
	Times     []time.Time
	Low, High float64 // the scale's ends
	// Width and Height are in units of a CSS pixel; 0: 120 and 28.
	Width, Height float64
}

// SVG draws the line as one element.
func (s Spark) SVG(theme Theme) []byte { return s.picture().svg(theme) }

// PNG draws the same in pixels.
func (s Spark) PNG(theme Theme) ([]byte, error) { return s.picture().png(theme) }

func (s Spark) picture() *picture {
	p := &picture{title: plain(s.Title), width: 120, height: 28, small: true}
	if s.Width > 0 {
		p.width = min(max(s.Width, 40), widest)
	}
	if s.Height > 0 {
		p.height = min(max(s.Height, 16), widest)
	}
	xs, ys := scale{from: 5, to: p.width - 5}, scale{from: p.height - 5, to: 5}
	at := make([]float64, len(s.Values))
	for i := range s.Values {
		at[i] = float64(i)
		if len(s.Times) == len(s.Values) {
			at[i] = seconds(s.Times[i])
		}
	}
	ys.low, ys.high = ends(s.Low, s.High, s.Values...)
	if len(at) > 0 {
		xs.low, xs.high = at[0], at[len(at)-1]
	}
	p.line(edge, spot{xs.from, ys.from}, spot{xs.to, ys.from})
	var run []spot
	var last *spot
	end := func() {
		if len(run) > 1 {
			p.line(way, run...)
		} else if len(run) == 1 {
			p.add(mark{shape: circle, class: full, at: run, r: 2})
		}
		run = nil
	}
	for i, v := range s.Values {
		if v = finite(v); v == nil {
			end()
			continue
		}
		run = append(run, spot{xs.at(at[i]), ys.at(*v)})
		last = &run[len(run)-1]
	}
	end()
	if last != nil {
		p.add(mark{shape: circle, class: full, at: []spot{*last}, r: 3.5})
	}
	return p
}

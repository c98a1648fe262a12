package chart

import "strconv"

// Survival is a curve of Kaplan and Meier with its interval, and the numbers at
// risk below it.
type Survival struct {
	Title, Summary, Note string
	Axis                 string   // what the curve counts, such as "without relapse"
	Steps                []Step   // in order of days
	Risk                 []Risk   // the numbers at risk
	MedianDays           *float64 // nil: not reached
	Words                Words
	Width, Height        float64 // 0: 720 and 360
}

// A Step is where the curve stands from a day on.
type Step struct {
	Day      float64
	Share    float64  // 0 to 1
	From, To *float64 // its interval; nil: none
	Censored bool     // somebody was last seen on this day
}

// Risk is how many were still followed on a day.
type Risk struct {
	Day float64
	N   string // or that it is withheld
}

// SVG draws the curve as one element.
func (s Survival) SVG(theme Theme) []byte { return s.picture().svg(theme) }

// PNG draws the same in pixels.
func (s Survival) PNG(theme Theme) ([]byte, error) { return s.picture().png(theme) }

func (s Survival) picture() *picture {
	f := newFrame(s.Title, s.Summary, s.Note, s.Width, s.Height)
	ticks := []tick{{0, "0 %"}, {0.25, "25 %"}, {0.5, "50 %"}, {0.75, "75 %"}, {1, "100 %"}}
	below := axisRoom + textRow
	if len(s.Risk) > 0 {
		below += 2*textRow + 6
	}
	f.axis(s.Axis, ticks, 0, 1, below)
	last := 1.0
	for _, step := range s.Steps {
		last = max(last, clampDay(step.Day))
	}
	for _, r := range s.Risk {
		if len(s.Steps) == 0 || clampDay(r.Day) <= last*1.1 {
			last = max(last, clampDay(r.Day))
		}
	}
	xs := scale{0, last, f.plot.x + 10, f.plot.right() - 14}
	s.days(f, xs, last)
	s.risk(f, xs, last)
	if len(s.Steps) == 0 {
		f.nothing(s.Words)
		return &f.picture
	}
	s.curve(f, xs)
	if m := finite(s.MedianDays); m != nil && *m >= 0 && *m <= last {
		x, y := xs.at(*m), f.ys.at(0.5)
		f.line(otherBar, spot{f.plot.x, y}, spot{x, y}, spot{x, f.plot.bottom()})
		f.say(strongText, atStart, x+5, y-5, s.Words.say("median %s days", plainNumber(*m)), f.plot.right()-x-6)
	}
	return &f.picture
}

func clampDay(d float64) float64 {
	if v := finite(&d); v != nil {
		return max(*v, 0)
	}
	return 0
}

// days names the axis of time.
func (s Survival) days(f *frame, xs scale, last float64) {
	y := f.plot.bottom()
	for _, t := range niceTicks(0, last, max(int(f.plot.w/80), 2), func(d float64) string { return strconv.FormatFloat(d, 'f', -1, 64) }) {
		x := xs.at(t.at)
		f.line(axis, spot{x, y}, spot{x, y + 4})
		f.say(labelText, atMiddle, x, y+17, t.name, 0)
	}
	f.say(labelText, atEnd, f.plot.right(), y+17+textRow, s.Words.say("days"), 0)
}

// risk writes the numbers at risk below their days.
func (s Survival) risk(f *frame, xs scale, last float64) {
	if len(s.Risk) == 0 {
		return
	}
	y := f.plot.bottom() + 17 + textRow
	f.say(labelText, atStart, margin, y, s.Words.say("at risk, by day"), 0)
	free := 0.0
	for _, r := range s.Risk {
		if d := clampDay(r.Day); d <= last {
			x := xs.at(d)
			says := fit(plain(r.N), valueText, 80)
			room := textBox(valueText, atMiddle, x, y+2*textRow, says)
			if room.x < free || room.right() > f.width-2 {
				continue
			}
			free = room.right() + 6
			f.say(labelText, atMiddle, x, y+textRow, plainNumber(d), 0)
			f.say(valueText, atMiddle, x, y+2*textRow, says, 0)
		}
	}
}

// curve draws the steps, their interval and the ticks of who was last seen.
func (s Survival) curve(f *frame, xs scale) {
	at := spot{xs.at(0), f.ys.at(1)}
	curve := []spot{at}
	var low, high []spot
	for i, step := range s.Steps {
		x, y := xs.at(clampDay(step.Day)), f.ys.at(share(step.Share))
		curve = append(curve, spot{x, curve[len(curve)-1].y}, spot{x, y})
		if from, to := finite(step.From), finite(step.To); from != nil && to != nil {
			until := x
			if i+1 < len(s.Steps) {
				until = xs.at(clampDay(s.Steps[i+1].Day))
			}
			low = append(low, spot{x, f.ys.at(share(*from))}, spot{until, f.ys.at(share(*from))})
			high = append(high, spot{x, f.ys.at(share(*to))}, spot{until, f.ys.at(share(*to))})
		}
	}
	if len(low) > 0 {
		f.line(intervalEdge, low...)
		f.line(intervalEdge, high...)
	}
	f.line(stairs, curve...)
	for _, step := range s.Steps {
		if step.Censored {
			x, y := xs.at(clampDay(step.Day)), f.ys.at(share(step.Share))
			f.line(within, spot{x, y - 5}, spot{x, y + 5})
		}
	}
}

func share(v float64) float64 {
	if f := finite(&v); f != nil {
		return min(max(*f, 0), 1)
	}
	return 0
}

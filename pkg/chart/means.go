package chart

import "slices"

// Means are the means of a group at several times, each with its interval and
// the number of people that it is of.
type Means struct {
	Title, Summary, Note string
	Axis                 string  // what the values are, such as "PHQ-9, points"
	Low, High            float64 // the least that the axis shows
	Points               []Mean
	Apart                bool // the points are groups, not times: no line joins them
	Words                Words
	Number               func(float64) string // nil: with at most one decimal
	Width, Height        float64              // 0: 720 and 360
}

// A Mean is that of a group at one time. What is withheld, or was computed of
// nobody, is nil and leaves a gap.
type Mean struct {
	Label    string   // of the time, such as "day 7"
	Mean     *float64 // nil: not shown
	From, To *float64 // its interval; nil: none
	N        string   // how many people, or that it is withheld
}

// SVG draws the means as one element.
func (m Means) SVG(theme Theme) []byte { return m.picture().svg(theme) }

// PNG draws the same in pixels.
func (m Means) PNG(theme Theme) ([]byte, error) { return m.picture().png(theme) }

func (m Means) picture() *picture {
	f := newFrame(m.Title, m.Summary, m.Note, m.Width, m.Height)
	if m.Number == nil {
		m.Number = plainNumber
	}
	var values []*float64
	for _, p := range m.Points {
		values = append(values, p.Mean, p.From, p.To)
	}
	low, high := ends(m.Low, m.High, values...)
	f.scores(m.Axis, low, high, 2*textRow+8, m.Number)
	apart := f.plot.w / float64(max(len(m.Points), 1))
	var run []spot
	var runs [][]spot
	for i, p := range m.Points {
		x := f.plot.x + (float64(i)+0.5)*apart
		f.say(strongText, atMiddle, x, f.plot.bottom()+17, p.Label, apart-4)
		f.say(labelText, atMiddle, x, f.plot.bottom()+17+textRow, m.Words.say("n = %s", plain(p.N)), apart-4)
		mean := finite(p.Mean)
		if mean == nil {
			runs, run = append(runs, run), nil
			f.line(gapLine, spot{x, f.plot.y}, spot{x, f.plot.bottom()})
			continue
		}
		run = append(run, spot{x, f.ys.at(*mean)})
	}
	runs = append(runs, run)
	for _, r := range runs {
		if len(r) > 1 && !m.Apart {
			f.line(way, r...)
		}
	}
	for i, p := range m.Points {
		x := f.plot.x + (float64(i)+0.5)*apart
		f.interval(x, finite(p.From), finite(p.To))
		if mean := finite(p.Mean); mean != nil {
			title := plain(p.Label) + ": " + m.Number(*mean) + "; " + m.Words.say("n = %s", plain(p.N))
			f.add(mark{shape: circle, class: full, at: []spot{{x, f.ys.at(*mean)}}, r: 5, title: title})
			if says := m.Number(*mean); apart > measure(says, valueText)*2+24 {
				f.say(valueText, atStart, x+10, f.ys.at(*mean)-7, says, 0)
			}
		}
	}
	if !slices.ContainsFunc(m.Points, func(p Mean) bool { return finite(p.Mean) != nil }) {
		f.nothing(m.Words)
	}
	return &f.picture
}

// frame is a picture with a plot in it and an axis of values at the left.
type frame struct {
	picture
	plot box
	ys   scale
}

func newFrame(title, about, note string, width, height float64) *frame {
	f := &frame{}
	f.title, f.about = plain(title), plain(about)
	f.width, f.height = sized(width, height, 720, 360)
	f.rect(ground, 0, 0, f.width, f.height)
	room := f.width - 2*margin
	if note = plain(note); note != "" {
		note = fit(note, labelText, room/2)
		f.say(labelText, atEnd, f.width-margin, 22, note, 0)
		room -= measure(note, labelText) + margin
	}
	f.say(titleText, atStart, margin, 22, f.title, room)
	return f
}

// scores lays the plot out above what stands below it, and draws its axis.
func (f *frame) scores(name string, low, high, below float64, number func(float64) string) {
	f.axis(name, niceTicks(low, high, max(int((f.height-below)/55), 2), number), low, high, below)
}

func (f *frame) axis(name string, ticks []tick, low, high, below float64) {
	left, top := margin+8, titleRoom+6
	for _, t := range ticks {
		left = max(left, measure(t.name, labelText)+margin+10)
	}
	if name = plain(name); name != "" {
		f.say(labelText, atStart, margin, titleRoom+10, name, f.width-2*margin)
		top += textRow
	}
	f.plot = box{left, top, f.width - left - margin, max(f.height-top-below-margin, 60)}
	f.height = f.plot.bottom() + below + margin
	f.marks[0].at = box{0, 0, f.width, f.height}.corners() // the ground
	f.ys = scale{low, high, f.plot.bottom() - 4, f.plot.y + 6}
	f.rect(bandClass+"0", f.plot.x, f.plot.y, f.plot.w, f.plot.h)
	for _, t := range ticks {
		y := f.ys.at(t.at)
		f.line(edge, spot{f.plot.x, y}, spot{f.plot.right(), y})
		f.say(labelText, atEnd, f.plot.x-7, y+4, t.name, 0)
	}
	f.line(axis, spot{f.plot.x, f.plot.y}, spot{f.plot.x, f.plot.bottom()}, spot{f.plot.right(), f.plot.bottom()})
}

// interval draws a bar with ends.
func (f *frame) interval(x float64, from, to *float64) {
	if from == nil || to == nil {
		return
	}
	low, high := f.ys.at(*from), f.ys.at(*to)
	f.line(within, spot{x, low}, spot{x, high})
	f.line(within, spot{x - 6, low}, spot{x + 6, low})
	f.line(within, spot{x - 6, high}, spot{x + 6, high})
}

// nothing says that there is nothing to draw.
func (f *frame) nothing(w Words) {
	f.say(labelText, atMiddle, f.plot.x+f.plot.w/2, f.plot.y+f.plot.h/2, w.say("nothing to show"), f.plot.w)
}

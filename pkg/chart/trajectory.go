package chart

import (
	"math"
	"slices"
	"time"
)

// SVG draws the trajectory as one element.
func (t Trajectory) SVG(theme Theme) []byte { return t.picture().svg(theme) }

// PNG draws the same in pixels, two for a unit of its size. It fails only where
// memory does.
func (t Trajectory) PNG(theme Theme) ([]byte, error) { return t.picture().png(theme) }

// The measures of a picture, in its units.
const (
	margin     = 12.0
	titleRoom  = 34.0
	laneRoom   = 24.0 // of flags and missing scores, above the scores
	axisRoom   = 24.0 // of the names of ticks
	textRow    = 15.0
	labelGap   = 15.0
	leastWide  = 320.0
	leastHigh  = 240.0
	widest     = 4000.0
	manyPoints = 24 // more than these have labels at the ends only
)

// sized is a size that can be drawn.
func sized(width, height, usualWidth, usualHeight float64) (w, h float64) {
	one := func(v, usual, least float64) float64 {
		if !(v > 0) { // NaN is not, either
			return usual
		}
		return min(max(math.Round(v), least), widest)
	}
	return one(width, usualWidth, leastWide), one(height, usualHeight, leastHigh)
}

// placed is a point with its place.
type placed struct {
	Point
	total *float64
	spot
}

// drawing is a trajectory that is being laid out.
type drawing struct {
	Trajectory
	picture
	plot     box
	xs, ys   scale
	from, to time.Time
	points   []placed
	visits   []visit
	taken    []box // where no label may stand
	r        float64
}

// visit is a session with the places of its time and of its mark.
type visit struct {
	Session
	time, mark float64
}

func (t Trajectory) picture() *picture {
	d := &drawing{Trajectory: t}
	d.Words = t.Words
	d.width, d.height = sized(t.Width, t.Height, 880, 440)
	d.title, d.about = plain(t.Title), plain(t.Summary)
	if d.Zone == nil {
		d.Zone = time.UTC
	}
	if d.Number == nil {
		d.Number = plainNumber
	}
	d.span()
	d.scaleOfScores()
	entries := d.entries()
	d.room(entries)
	d.place()

	d.rect(ground, 0, 0, d.width, d.height)
	d.heading()
	d.bands()
	d.sessionLines()
	d.timeAxis()
	d.names()
	d.ways()
	d.ties()
	d.marksOfPoints()
	d.values()
	d.lane()
	d.sessions()
	d.legend(entries, margin, d.height-d.legendRoom(entries), d.width-2*margin)
	return &d.picture
}

// span finds the ends of time, and what lies between them.
func (d *drawing) span() {
	given := func(t time.Time) bool {
		return (d.From.IsZero() || !t.Before(d.From)) && (d.To.IsZero() || !t.After(d.To))
	}
	var times []time.Time
	for _, p := range d.Trajectory.Points {
		if given(p.At) {
			d.points = append(d.points, placed{Point: p, total: finite(p.Total)})
			times = append(times, p.At)
		}
	}
	slices.SortStableFunc(d.points, func(a, b placed) int { return a.At.Compare(b.At) })
	for _, s := range d.Trajectory.Sessions {
		if given(s.At) {
			d.visits = append(d.visits, visit{Session: s})
			times = append(times, s.At)
		}
	}
	slices.SortStableFunc(d.visits, func(a, b visit) int { return a.At.Compare(b.At) })
	if len(times) == 0 && d.From.IsZero() && d.To.IsZero() {
		return
	}
	if len(times) > 0 {
		d.from, d.to = slices.MinFunc(times, time.Time.Compare), slices.MaxFunc(times, time.Time.Compare)
	}
	if !d.From.IsZero() {
		d.from = d.From
	}
	if !d.To.IsZero() {
		d.to = d.To
	}
	if d.from.IsZero() {
		d.from = d.to
	}
	if d.from.IsZero() {
		d.from = d.to
	}
	if d.to.Before(d.from) {
		d.to = d.from
	}
	if d.to.Sub(d.from) < 4*24*time.Hour { // a day or two stand in the middle of a week
		pad := (7*24*time.Hour - d.to.Sub(d.from)) / 2
		d.from, d.to = d.from.Add(-pad), d.to.Add(pad)
	}
	d.from, d.to = d.from.In(d.Zone), d.to.In(d.Zone)
}

// scaleOfScores has the ends of the scale, and every score, however wrong.
func (d *drawing) scaleOfScores() {
	totals := make([]*float64, len(d.points))
	for i, p := range d.points {
		totals[i] = p.total
	}
	d.ys.low, d.ys.high = ends(d.Low, d.High, totals...)
}

// room divides the picture.
func (d *drawing) room(entries []entry) {
	left := margin + 8
	for _, t := range d.scoreTicks(200) {
		left = max(left, measure(t.name, labelText)+margin+8)
	}
	right := margin
	for _, n := range d.namesOfLines() {
		right = max(right, measure(n.text, n.class)+18+margin)
	}
	right = min(right, max(d.width*0.3, 190)) // names are worth more than room
	top, bottom := titleRoom, axisRoom+d.legendRoom(entries)
	if d.laned() {
		top += laneRoom
	}
	if len(d.visits) > 0 {
		bottom += 32 + 2*textRow
	}
	d.plot = box{left, top, d.width - left - right, max(d.height-top-bottom, 60)}
	d.height = d.plot.bottom() + bottom // what had no room makes the picture higher
	d.xs = scale{seconds(d.from), seconds(d.to), d.plot.x + 12, d.plot.right() - 12}
	d.ys.from, d.ys.to = d.plot.bottom()-8, d.plot.y+8
}

func (d *drawing) legendRoom(entries []entry) float64 {
	if len(entries) == 0 {
		return margin
	}
	return new(picture).legend(entries, margin, 0, d.width-2*margin) + margin
}

// place gives each point and each session its place. Points of one day are kept
// apart, and a session stands between its before and its after.
func (d *drawing) place() {
	n := len(d.points)
	switch {
	case n <= 40:
		d.r = 5
	case n <= 120:
		d.r = 3.5
	default:
		d.r = 2.5
	}
	want, gaps := make([]float64, n), make([]float64, n)
	for i, p := range d.points {
		want[i] = d.xs.at(seconds(p.At))
		if i > 0 && d.sameDay(p.At, d.points[i-1].At) {
			gaps[i] = 2 * d.r
		}
	}
	for i, x := range spread(want, gaps, d.xs.from, d.xs.to) {
		d.points[i].x, d.points[i].y = x, d.plot.y-laneRoom/2
		if total := d.points[i].total; total != nil {
			d.points[i].y = d.ys.at(*total)
		}
	}
	at := make([]float64, len(d.visits))
	for i := range d.visits {
		d.visits[i].time = d.between(d.visits[i].Session)
		at[i] = d.visits[i].time
	}
	for i, x := range spread(at, equalGaps(len(at), d.visitGap()), d.plot.x+9, d.plot.right()-9) {
		d.visits[i].mark = x
	}
}

// visitGap is how far the marks of sessions stand apart.
func (d *drawing) visitGap() float64 {
	return min(21, (d.plot.w-18)/max(float64(len(d.visits)-1), 1))
}

func (d *drawing) sameDay(a, b time.Time) bool {
	return a.In(d.Zone).Format(time.DateOnly) == b.In(d.Zone).Format(time.DateOnly)
}

// between is the place of a session's time, not left of its before and not
// right of its after on the same day: points of a day may have been moved.
func (d *drawing) between(s Session) float64 {
	x := d.xs.at(seconds(s.At))
	for _, p := range d.points {
		if p.Session != s.ID || s.ID == "" || !d.sameDay(p.At, s.At) {
			continue
		}
		switch p.Timing {
		case Before:
			x = max(x, p.x)
		case After:
			x = min(x, p.x)
		case Baseline, FollowUp:
		}
	}
	return x
}

// laned reports whether there is something above the scores.
func (d *drawing) laned() bool {
	return slices.ContainsFunc(d.points, func(p placed) bool { return p.total == nil || p.Flagged || p.Missing != "" })
}

package demo

import (
	"math"
	"time"

	"github.com/protrack/protrack/pkg/care"
)

// start is where a client begins, in points.
type start struct{ phq9, gad7, pcl5 int }

func (a *author) start(t treatment) start {
	draw := func(mean, spread float64, lo, hi int) int {
		return min(max(int(math.Round(mean+spread*a.NormFloat64())), lo), hi)
	}
	s := start{phq9: draw(17.5, 3.4, 12, 25), gad7: draw(13.5, 3.4, 5, 20), pcl5: draw(50, 9, 34, 72)}
	switch {
	case t.plot == Typical:
		s.phq9, s.gad7 = 19, 15
	case t.plot == Worsened:
		s.phq9 = draw(14, 2, 11, 17)
	case t.indication == "anxiety":
		s.phq9, s.gad7 = draw(13.5, 2, 12, 18), draw(16, 2, 12, 20)
	}
	return s
}

// assess fills in the forms of one course.
func (a *author) assess(t treatment, doses []care.Session) {
	from := a.start(t)
	occasions := a.occasions(t, doses, a.saw(t.plot, from.phq9))
	for _, o := range occasions {
		if !o.at.Before(a.week) {
			continue
		}
		essential := o.timing == care.AtBaseline || o.settled
		if !essential && a.Float64() < 0.03 && t.plot != Typical {
			continue // forgot, or had no time
		}
		a.fill(phq9, o, a.phq9Total(t, from.phq9, o), "")
		if essential || a.Float64() < 0.95 {
			a.fill(gad7, o, a.total(o, from.gad7, 0.9, 0.8, 21), "")
		}
		if t.indication == "ptsd" {
			a.fillPCL5(o, from.pcl5)
		}
	}
}

// phq9Total is the total of the level, with some chance within the plot.
func (a *author) phq9Total(t treatment, baseline int, o occasion) int {
	if o.timing == care.AtBaseline {
		return baseline
	}
	noise := 1.0
	if t.plot == Typical {
		noise = 0
	}
	lo, hi := a.bounds(t.plot, baseline, o)
	return min(max(a.total(o, baseline, 1, noise, 27), lo), hi)
}

// total turns a level into points. Not every instrument follows the PHQ-9 all
// the way: share is how much of the change it shows.
func (a *author) total(o occasion, baseline int, share, noise float64, most int) int {
	level := 1 - share*(1-o.level)
	if o.timing == care.AtBaseline {
		level, noise = 1, 0
	}
	points := math.Round(level*float64(baseline) + noise*a.NormFloat64())
	return min(max(int(points), 0), most)
}

// fillPCL5 asks about a month at the baseline and in the follow-up and about a
// week during the course, at every second dose, as is done in practice.
func (a *author) fillPCL5(o occasion, baseline int) {
	total := a.total(o, baseline, 0.7, 2.5, 80)
	switch {
	case o.timing == care.AtBaseline, o.timing == care.AtFollowUp:
		a.fill(pcl5, o, total, "P1M")
	case o.timing == care.BeforeIt && o.dose%2 == 1, o.settled:
		a.fill(pcl5, o, total, "P7D")
	}
}

// fill adds one form of a sitting; a form takes a minute or three.
func (a *author) fill(f form, o occasion, total int, window string) {
	at := o.at
	if n := len(a.story.Assessments); n > 0 && !a.story.Assessments[n-1].CompletedAt.Before(at) {
		at = a.story.Assessments[n-1].CompletedAt
	}
	a.story.Assessments = append(a.story.Assessments, care.Assessment{
		ID: a.id(), ClientID: a.story.Client.ID, Instrument: f.instrument,
		Timing: o.timing, SessionID: o.session, RecallWindow: window,
		CompletedAt: at.Add(time.Duration(a.between(50, 180)) * time.Second),
		Answers:     a.answer(f, total, o.level),
	})
}

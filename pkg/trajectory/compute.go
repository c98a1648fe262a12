package trajectory

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Compute gives the trajectory of a series under the rules and options. It
// changes nothing that it is given.
func Compute(s Series, r Rules, o Options) Trajectory {
	c := newCourse(s, r, o)
	t := Trajectory{
		Instrument: s.Instrument,
		Direction:  c.direction,
		Sessions:   c.sessionChanges(),
		Rules:      c.judge.rules,
		MaxOverlap: o.MaxOverlap,
	}
	if d := c.firstDose(); d != nil {
		t.FirstDoseAt = new(d.StartedAt)
	}
	c.base, t.BaselineNote = c.baseline()
	t.Points = c.points()
	c.marks(&t)
	t.Relapse = c.relapse(t.Points)
	t.Status = c.status(t.Points)
	t.Trend = c.trend(t.Points)
	return t
}

// StatusOf gives the Status of Compute alone, at a fraction of its cost: for
// figures over many clients.
func StatusOf(s Series, r Rules, o Options) Status {
	c := newCourse(s, r, o)
	c.base, _ = c.baseline()
	return c.status(c.points())
}

// course is a series put in order, with what is looked up often.
type course struct {
	direction   Direction
	options     Options
	judge       judge
	assessments []Assessment // in order of time
	sessions    []Session    // in order of time
	place       map[uuid.UUID]int
	base        int // place of the baseline among the assessments, -1 without
}

func newCourse(s Series, r Rules, o Options) *course {
	c := &course{
		direction:   cmp.Or(s.Direction, LowerIsBetter),
		options:     o.withDefaults(),
		assessments: slices.Clone(s.Assessments),
		sessions:    slices.Clone(s.Sessions),
		place:       make(map[uuid.UUID]int, len(s.Sessions)),
		base:        -1,
	}
	c.judge = r.judge(c.direction)
	slices.SortStableFunc(c.assessments, func(a, b Assessment) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Timing.rank(), b.Timing.rank()), bytes.Compare(a.ID[:], b.ID[:]))
	})
	slices.SortStableFunc(c.sessions, func(a, b Session) int {
		return cmp.Or(a.StartedAt.Compare(b.StartedAt), cmp.Compare(a.Number, b.Number), bytes.Compare(a.ID[:], b.ID[:]))
	})
	for i, s := range c.sessions {
		c.place[s.ID] = i
	}
	for i := range c.assessments {
		// A total that is not a number is no score, and JSON could not carry it.
		if t := c.assessments[i].Total; t != nil && (math.IsNaN(*t) || math.IsInf(*t, 0)) {
			c.assessments[i].Total = nil
		}
	}
	return c
}

// session gives the place of the assessment's session in the series.
func (c *course) session(a Assessment) (int, bool) {
	if a.SessionID == nil {
		return 0, false
	}
	i, ok := c.place[*a.SessionID]
	return i, ok
}

func (c *course) firstDose() *Session {
	for i := range c.sessions {
		if c.sessions[i].Kind == KindDosing {
			return &c.sessions[i]
		}
	}
	return nil
}

// baseline gives the place of the baseline, or -1 and the reason in words. It
// never falls back from one rule to another.
func (c *course) baseline() (int, string) {
	switch c.options.Baseline {
	case BaselineFirst:
		first := slices.IndexFunc(c.assessments, func(a Assessment) bool { return a.Total != nil })
		if first < 0 {
			return -1, "No assessment has a score."
		}
		return first, ""
	case BaselineLastBeforeFirstDose:
		dose := c.firstDose()
		if dose == nil {
			return -1, "No dosing session is recorded, so no score is the last before the first dose."
		}
		last := -1
		for i, a := range c.assessments {
			if a.Total != nil && beforeDose(a, *dose) {
				last = i
			}
		}
		if last < 0 {
			return -1, "No assessment before the first dosing session has a score."
		}
		return last, ""
	}
	return -1, "The baseline rule chosen is not known."
}

// beforeDose trusts the link over the clock: a "before" of the session counts
// when it was typed in a little late, and an "after" of it never counts.
func beforeDose(a Assessment, dose Session) bool {
	late := a.At.Sub(dose.StartedAt)
	if a.SessionID != nil && *a.SessionID == dose.ID {
		switch a.Timing {
		case TimingBefore:
			return late <= LateBefore
		case TimingAfter:
			return false
		}
	}
	return late <= 0
}

// interval is the time that an assessment asked about; false where unknown.
func (c *course) interval(a Assessment) (Interval, bool) {
	if span, ok := a.Window.Span(); ok {
		return Interval{Start: a.At.Add(-span), End: a.At}, true
	}
	if !a.Window.SinceSession() {
		return Interval{}, false
	}
	from, ok := c.lastSession(a)
	return Interval{Start: from, End: a.At}, ok && from.Before(a.At)
}

// lastSession is the start of the session, of any kind, that "since the last
// session" means: for an "after" its own, for a "before" the one ahead of its
// own even if completed late, otherwise the last that had started.
func (c *course) lastSession(a Assessment) (time.Time, bool) {
	end := len(c.sessions)
	if own, ok := c.session(a); ok {
		switch a.Timing {
		case TimingAfter:
			return c.sessions[own].StartedAt, true
		case TimingBefore:
			end = own
		}
	}
	for i := end - 1; i >= 0; i-- {
		if c.sessions[i].StartedAt.Before(a.At) {
			return c.sessions[i].StartedAt, true
		}
	}
	return time.Time{}, false
}

// points compares every assessment with the baseline.
func (c *course) points() []Point {
	dose := c.firstDose()
	out := make([]Point, 0, len(c.assessments))
	for i, a := range c.assessments {
		p := Point{
			AssessmentID: a.ID, SessionID: a.SessionID, Timing: a.Timing, At: a.At,
			Window: a.Window, Total: a.Total, Severity: a.Severity,
		}
		if k, ok := c.session(a); ok {
			p.SessionNumber, p.SessionKind = new(c.sessions[k].Number), c.sessions[k].Kind
		}
		if dose != nil {
			p.DaysFromFirstDose = new(Days(dose.StartedAt, a.At))
		}
		if a.Total != nil {
			c.compare(&p, i)
		}
		out = append(out, p)
	}
	return out
}

// compare fills in what a scored point at place i says.
func (c *course) compare(p *Point, i int) {
	total := *p.Total
	p.Remission, p.Case = c.judge.remission(total), c.judge.isCase(total)
	if c.base < 0 || i < c.base {
		return
	}
	base := *c.assessments[c.base].Total
	p.Change, p.PercentChange = change(base, total)
	if i == c.base {
		return
	}
	recall := c.recall(c.assessments[c.base], c.assessments[i], "the baseline assessment")
	p.RecallOverlap, p.RecallNote, p.WindowDiffers = recall.overlap, recall.note, recall.differs
	if c.options.excludes(recall.overlap) {
		p.Excluded, p.Remission, p.Case = true, nil, nil
		return
	}
	p.Reliable, p.Response = c.judge.reliable(base, total), c.judge.response(base, total)
}

// change gives total - base in points and in percent of the base. Nine
// decimals, so that prorated totals do not show the noise of their division.
func change(base, total float64) (points, percent *float64) {
	points = new(round(total-base, 9))
	if base > 0 {
		percent = new(round(100*(total-base)/base, 9))
	}
	return points, percent
}

// counts reports whether the point at place i takes part in verdicts.
func (c *course) counts(p Point, i int) bool {
	return p.Total != nil && !p.Excluded && i >= c.base
}

// marks sets the baseline, the latest and the best score.
func (c *course) marks(t *Trajectory) {
	if c.base >= 0 {
		t.Baseline = mark(t.Points[c.base])
		t.Baseline.Rule = c.options.Baseline
		t.Baseline.Words = "the first score"
		if c.options.Baseline == BaselineLastBeforeFirstDose {
			t.Baseline.Words = "the last score before the first dose"
		}
	}
	for i, p := range t.Points {
		if !c.counts(p, i) {
			continue
		}
		t.Latest = mark(p)
		if c.base >= 0 && (t.Best == nil || c.judge.gain(t.Best.Total, *p.Total) > 0) {
			t.Best = mark(p)
		}
	}
}

func mark(p Point) *Mark {
	return &Mark{AssessmentID: p.AssessmentID, At: p.At, Total: *p.Total, Severity: p.Severity}
}

// Days is the time between two times in days, to four decimals; negative where
// the second is the earlier.
func Days(from, to time.Time) float64 { return round(to.Sub(from).Hours()/24, 4) }

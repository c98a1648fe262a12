package trajectory

import "time"

// status judges the latest point that counts against the baseline.
func (c *course) status(points []Point) Status {
	var s Status
	var later []int // places of those that count, after the baseline
	for i, p := range points {
		switch {
		case p.Total == nil:
			s.NMissing++
		case p.Excluded:
			s.NScored++
			s.NExcluded++
		default:
			s.NScored++
			if c.base >= 0 && i > c.base {
				later = append(later, i)
			}
		}
	}
	if c.base < 0 {
		s.Summary = SummaryNoBaseline
		return s
	}
	base := points[c.base]
	s.BaselineCase = base.Case
	if len(later) == 0 {
		s.Summary = SummaryBaselineOnly
		return s
	}
	latest := points[later[len(later)-1]]
	c.verdicts(&s, *base.Total, latest)
	s.firsts(base, points, later)
	c.durability(&s, points, later)
	s.Summary = s.summary(base, latest)
	return s
}

// verdicts fills in what the latest score says.
func (c *course) verdicts(s *Status, base float64, latest Point) {
	total := *latest.Total
	s.Change, s.PercentChange = latest.Change, latest.PercentChange
	s.Reliable, s.Response, s.Remission = latest.Reliable, latest.Response, latest.Remission
	s.RecallOverlap, s.RecallNote, s.WindowDiffers = latest.RecallOverlap, latest.RecallNote, latest.WindowDiffers
	s.Recovery = c.judge.recovered(base, total)
	s.ReliableRecovery = reliably(s.Recovery, s.Reliable)
	if mid := c.judge.rules.MinimalImportantDifference; mid != nil {
		s.MIDReached = new(atLeast(c.judge.gain(base, total), *mid))
	}
}

// firsts dates the first reliable improvement, response and remission.
func (s *Status) firsts(base Point, points []Point, later []int) {
	for _, i := range later {
		p := points[i]
		if s.FirstReliableAt == nil && is(p.Reliable, Improved) {
			s.FirstReliableAt = new(p.At)
		}
		if s.FirstResponseAt == nil && is(p.Response, ResponseFull) {
			s.FirstResponseAt = new(p.At)
		}
		if s.FirstRemissionAt == nil && remitted(base, p) {
			s.FirstRemissionAt = new(p.At)
		}
	}
}

// remitted reports a remission that was reached: who is in remission at the
// baseline has nothing to reach, and a later rise is deterioration, not relapse.
func remitted(base, p Point) bool { return is(p.Remission, true) && is(base.Remission, false) }

// relapse names the definition and whether it is judged: by the rules, and of
// this client.
func (c *course) relapse(points []Point) Relapse {
	def := c.options.Relapse
	r := Relapse{Definition: def, Words: relapseWords(def, c.judge.rules), Judged: c.judge.judgesRelapse(def)}
	if r.Judged && c.base >= 0 && noCase(points[c.base]) {
		r.Words, r.Judged = noCaseWords(*c.judge.rules.Caseness), false
	}
	return r
}

// noCase reports that the rules have a caseness and the baseline is none. Who
// was not ill has nothing to lose, and a rise is deterioration or noise.
func noCase(base Point) bool { return is(base.Case, false) }

// judgesRelapse reports whether the rules have what the definition needs.
func (j judge) judgesRelapse(def RelapseDefinition) bool {
	switch def {
	case RelapseLossOfResponse:
		return j.rules.ResponsePercent != nil
	case RelapseCasenessAfterRemission:
		return j.rules.Caseness != nil && j.rules.RemissionBelow != nil && !j.higherIsBetter
	case RelapseReliableWorsening:
		return j.rules.ReliableChange != nil
	}
	return false
}

// gained reports whether a point has the gain whose loss would be a relapse.
func (c *course) gained(base, p Point) bool {
	switch c.options.Relapse {
	case RelapseLossOfResponse:
		return is(p.Response, ResponseFull)
	case RelapseCasenessAfterRemission:
		return remitted(base, p)
	case RelapseReliableWorsening:
		return is(p.Reliable, Improved)
	}
	return false
}

// lost says whether the point at place i, after a gain, is the loss of it; best
// is the place of the best total up to then. nil where the two asked about the
// same days by more than is allowed: a pair set aside says nothing.
func (c *course) lost(points []Point, i, best int) *bool {
	p := points[i]
	switch c.options.Relapse {
	case RelapseLossOfResponse:
		return new(!is(p.Response, ResponseFull))
	case RelapseCasenessAfterRemission:
		return new(is(p.Case, true))
	case RelapseReliableWorsening:
		if i != best && c.options.excludes(c.recall(c.assessments[best], c.assessments[i], "").overlap) {
			return nil
		}
		return new(is(c.judge.reliable(*points[best].Total, *p.Total), Deteriorated))
	}
	return nil
}

// durability finds the first relapse and how long the gain was held.
func (c *course) durability(s *Status, points []Point, later []int) {
	if !c.relapse(points).Judged {
		return
	}
	base, best := points[c.base], c.base
	var from *time.Time
	for _, i := range later {
		p := points[i]
		if c.judge.gain(*points[best].Total, *p.Total) > 0 {
			best = i
		}
		switch {
		case from == nil:
			if c.gained(base, p) {
				from = new(p.At)
			}
		case s.RelapsedAt == nil && is(c.lost(points, i, best), true):
			s.Relapsed, s.RelapsedAt = true, new(p.At)
		}
	}
	if from == nil {
		return
	}
	last := later[len(later)-1]
	if !s.Relapsed {
		s.DaysHeld, s.HeldCensored = new(Days(*from, points[last].At)), true
		return
	}
	s.DaysHeld = new(Days(*from, *s.RelapsedAt))
	// Regained is the gain itself where it is a state, and for worsening from
	// the best, which is no state, that the worsening is over.
	s.Regained = c.gained(base, points[last]) && is(c.lost(points, last, best), false)
}

// summary is the first word that holds; Summary says why in this order.
func (s *Status) summary(base, latest Point) Summary {
	wasCase := !noCase(base) // or the rules cannot say
	switch {
	case s.Relapsed && !s.Regained: // never of who was no case
		return SummaryRelapsed
	case is(s.Reliable, Deteriorated):
		return SummaryDeteriorated
	case wasCase && remitted(base, latest):
		return SummaryRemission
	case wasCase && is(s.Response, ResponseFull):
		return SummaryResponse
	case is(s.Reliable, Improved):
		return SummaryImproved
	case is(s.Reliable, Unchanged):
		return SummaryUnchanged
	}
	return SummaryNotJudged
}

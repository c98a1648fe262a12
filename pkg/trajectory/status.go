package trajectory

import "time"

// status judges the latest point that counts against the baseline.
func (c *course) status(points []Point) Status {
	var s Status
	var later []Point // those that count, after the baseline
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
				later = append(later, p)
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
	c.verdicts(&s, *base.Total, later[len(later)-1])
	s.firsts(base, later)
	c.durability(&s, base, later)
	s.Summary = s.summary()
	return s
}

// verdicts fills in what the latest score says.
func (c *course) verdicts(s *Status, base float64, latest Point) {
	total := *latest.Total
	s.Change, s.PercentChange = latest.Change, latest.PercentChange
	s.Reliable, s.Response, s.Remission = latest.Reliable, latest.Response, latest.Remission
	s.Recovery = c.judge.recovered(base, total)
	if s.Recovery != nil && s.Reliable != nil {
		s.ReliableRecovery = new(*s.Recovery && *s.Reliable == Improved)
	}
	if mid := c.judge.rules.MinimalImportantDifference; mid != nil {
		s.MIDReached = new(atLeast(c.judge.gain(base, total), *mid))
	}
}

// firsts dates the first reliable improvement, response and remission.
func (s *Status) firsts(base Point, later []Point) {
	for _, p := range later {
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

// judgesRelapse reports whether the rules have what the definition needs.
func (j judge) judgesRelapse(def RelapseDefinition) bool {
	switch def {
	case RelapseLossOfResponse:
		return j.rules.ResponsePercent != nil
	case RelapseCasenessAfterRemission:
		return j.rules.Caseness != nil && j.remission(0) != nil
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

// lost reports whether a point, after a gain, is the loss of it; best is the
// best total up to then.
func (c *course) lost(p Point, best float64) bool {
	switch c.options.Relapse {
	case RelapseLossOfResponse:
		return !is(p.Response, ResponseFull)
	case RelapseCasenessAfterRemission:
		return is(p.Case, true)
	case RelapseReliableWorsening:
		return is(c.judge.reliable(best, *p.Total), Deteriorated)
	}
	return false
}

// durability finds the first relapse and how long the gain was held.
func (c *course) durability(s *Status, base Point, later []Point) {
	if !c.judge.judgesRelapse(c.options.Relapse) {
		return
	}
	var from *time.Time
	best := *base.Total
	for _, p := range later {
		if c.judge.gain(best, *p.Total) > 0 {
			best = *p.Total
		}
		switch {
		case from == nil:
			if c.gained(base, p) {
				from = new(p.At)
			}
		case s.RelapsedAt == nil && c.lost(p, best):
			s.Relapsed, s.RelapsedAt = true, new(p.At)
		}
	}
	if from == nil {
		return
	}
	latest := later[len(later)-1]
	if !s.Relapsed {
		s.DaysHeld, s.HeldCensored = new(days(*from, latest.At)), true
		return
	}
	s.DaysHeld = new(days(*from, *s.RelapsedAt))
	// Regained is the gain itself where it is a state, and for worsening from
	// the best, which is no state, that the worsening is over.
	s.Regained = c.gained(base, latest) && !c.lost(latest, best)
}

// summary is the first word that holds; Summary says why in this order.
func (s *Status) summary() Summary {
	switch {
	case s.Relapsed && !s.Regained:
		return SummaryRelapsed
	case is(s.Reliable, Deteriorated):
		return SummaryDeteriorated
	case is(s.Remission, true):
		return SummaryRemission
	case is(s.Response, ResponseFull):
		return SummaryResponse
	case is(s.Reliable, Improved):
		return SummaryImproved
	case is(s.Reliable, Unchanged):
		return SummaryUnchanged
	}
	return SummaryNotJudged
}

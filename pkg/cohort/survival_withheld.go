package cohort

// Withheld gives the curve as it may be shown. Days are merged until the events
// and the censored among those who leave in them are each nobody or enough:
// otherwise the fall of the curve would tell how many of these few had the
// event. What is left over at the end joins the days before it. Where even all
// days together hold few events, or few censored, there is no curve.
//
// The median is read off the merged curve, so it is the end of an interval.
// Numbers at risk are given at days at which an interval begins.
func (s Survival) Withheld(threshold int) Survival {
	may := showableReasons(s.reasons, threshold)
	s.Enrolled = shownIf(s.Enrolled, may[countEverybody])
	s.LeftOut = withheldReasons(s.LeftOut, may)
	whole := s.Curve
	s.showWindows(showableWindows(s.windows, threshold))
	if s.N = shownIf(s.N, may[countCounted]); s.N == nil {
		whole, s.Windows, s.showsAsked = nil, nil, nil
	}
	s.Curve = merged(whole, threshold)
	if len(s.Curve) == 0 && (s.N == nil || *s.N > 0) {
		s.Events = nil
	}
	s.median()
	risk := make([]AtRisk, len(s.AtRisk))
	for i, r := range s.AtRisk {
		risk[i].Days = r.Days
		if s.Events != nil && begins(s.Curve, r.Days) {
			risk[i].N = r.N
		}
	}
	s.AtRisk = risk
	return s
}

// merged joins the steps of a curve; nil where they cannot be shown.
func merged(curve []Step, threshold int) []Step {
	var out []Step
	for _, next := range curve {
		if k := len(out) - 1; k >= 0 && !out[k].showable(threshold) {
			out[k] = out[k].and(next)
		} else {
			out = append(out, next)
		}
	}
	for len(out) > 1 && !out[len(out)-1].showable(threshold) {
		k := len(out) - 2
		out[k] = out[k].and(out[k+1])
		out = out[:k+1]
	}
	if len(out) == 1 && !out[0].showable(threshold) {
		return nil
	}
	return out
}

// showable reports whether nobody's leaving can be told from the step.
func (p Step) showable(threshold int) bool {
	return !small(*p.Events, threshold) && !small(*p.Censored, threshold)
}

// and joins a step and the one after it.
func (p Step) and(next Step) Step {
	next.From, next.AtRisk = p.From, p.AtRisk
	next.Events, next.Censored = new(*p.Events+*next.Events), new(*p.Censored+*next.Censored)
	return next
}

// begins reports whether a day stands between two intervals, so that the number
// at risk on it is that of the interval to come.
func begins(curve []Step, day int) bool {
	for _, s := range curve {
		if s.Days >= day {
			return s.From >= day
		}
	}
	return true // everybody has left
}

package cohort

import "slices"

// The names of the numbers of a session, beside those of flows.
const (
	countTaken        = "taken"
	countWithBefore   = "with_before"
	countWithAfter    = "with_after"
	countFromBaseline = "from_baseline"
	countHeld         = "held"
	countHeldAll      = "held_of"
	countOverlap      = "overlap_of"
)

// attendedCounts are the numbers of people at the N-th session, those on which
// the statistics rest first.
func attendedCounts(number int) []counted[attended] {
	return []counted[attended]{
		{countPaired, func(a attended) bool { return a.paired }},
		{countHeld, func(a attended) bool { return a.held }},
		{countFromBaseline, func(a attended) bool { return a.fromBaseline }},
		{countTaken, func(a attended) bool { return a.sessions >= number }},
		{countHeldAll, func(a attended) bool { return a.heldAll }},
		{countOverlap, func(a attended) bool { return a.overlap }},
		{countWithBefore, func(a attended) bool { return a.before }},
		{countWithAfter, func(a attended) bool { return a.after }},
	}
}

// fill sets the numbers of the i-th row, and takes away the statistics whose
// number of people may not be shown; without may all are shown.
func (s *Sessions) fill(i int, may shown) {
	row, numbers := &s.Sessions[i], attendedCounts(i+1)
	if may == nil {
		may = everything(numbers)
	}
	n := map[string]Count{}
	for _, number := range numbers {
		n[number.name] = may.count(number.name, s.fates[i].people(number.in))
	}
	row.Taken, row.Paired, row.WithBefore, row.WithAfter = n[countTaken], n[countPaired], n[countWithBefore], n[countWithAfter]
	row.Across = row.Across.shownIf(may[countPaired])
	row.Held = row.Held.shownIf(may[countHeld])
	row.FromBaseline = row.FromBaseline.shownIf(may[countFromBaseline])
	if row.HeldOf = n[countHeldAll]; row.HeldOf == nil {
		row.HeldShare = nil
	}
	if row.OverlapOf = n[countOverlap]; row.OverlapOf == nil {
		row.RecallOverlap = nil
	}
}

// Withheld gives the figure as it may be shown: no number that is small, and none
// from which a small one follows together with the others of the session and
// with how many had the sessions before it.
func (s Sessions) Withheld(threshold int) Sessions {
	s.Sessions = slices.Clone(s.Sessions)
	everybody := counted[attended]{countEnrolled, func(attended) bool { return true }}
	known, treated := []counted[attended]{}, true
	for i := range s.Sessions {
		numbers := slices.Concat(known, attendedCounts(i+1))
		if i == 0 {
			numbers = append(numbers, everybody)
		}
		may := showable(s.fates[i], numbers, threshold)
		s.fill(i, may)
		row := &s.Sessions[i]
		row.Windows = withheldWindows(row.Windows, row.Paired, threshold)
		if may[countTaken] {
			known = append(known, counted[attended]{
				name: measureAt("", AfterSession, i+1),
				in:   func(a attended) bool { return a.sessions > i },
			})
		}
		if i == 0 {
			treated = may[countTaken]
			if s.Enrolled = shownIf(s.Enrolled, may[countEnrolled]); s.Enrolled != nil {
				known = append(known, everybody)
			}
		}
	}
	if s.Treated = shownIf(s.Treated, treated); len(s.Sessions) == 0 {
		s.Enrolled = withhold(s.Enrolled, threshold)
	}
	return s
}

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

// attendedCounts are the numbers of people at the session of a number, those on
// which the statistics rest first.
func attendedCounts(number int) []counted[attended] {
	return []counted[attended]{
		{countPaired, func(a attended) bool { return a.paired }},
		{countHeld, func(a attended) bool { return a.held }},
		{countFromBaseline, func(a attended) bool { return a.fromBaseline }},
		{countTaken, func(a attended) bool { return a.had.has(number) }},
		{countHeldAll, func(a attended) bool { return a.heldAll }},
		{countOverlap, func(a attended) bool { return a.overlap }},
		{countWithBefore, func(a attended) bool { return a.before }},
		{countWithAfter, func(a attended) bool { return a.after }},
	}
}

// fill sets the numbers of the i-th row, and takes away the statistics whose
// number of people may not be shown; without may all are shown.
func (s *Sessions) fill(i int, may shown) {
	row, numbers := &s.Sessions[i], attendedCounts(s.rows[i].number)
	if may == nil {
		may = everything(numbers)
	}
	s.shows[i] = may
	n := map[string]Count{}
	for _, number := range numbers {
		n[number.name] = may.count(number.name, s.rows[i].fates.people(number.in))
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
// with how many had the sessions of the numbers below.
func (s Sessions) Withheld(threshold int) Sessions {
	if len(s.Sessions) == 0 {
		s.Enrolled = withhold(s.Enrolled, threshold)
		return s
	}
	s.Sessions, s.shows, s.showsAsked = slices.Clone(s.Sessions), slices.Clone(s.shows), slices.Clone(s.showsAsked)
	var known []counted[attended]
	for i := range s.Sessions {
		row := s.rows[i]
		numbers := slices.Concat(known, attendedCounts(row.number))
		if i == 0 {
			numbers = append(numbers, everyone...)
		}
		may := showable(row.fates, numbers, threshold)
		s.fill(i, may)
		var asked shown // nothing, where the pairs are withheld
		if may[countPaired] {
			asked = showableWindows(row.effect.windows, threshold)
		}
		s.Sessions[i].Windows, s.showsAsked[i] = windowList(row.effect.windows, asked), asked
		if i == 0 {
			s.Treated, s.Enrolled = shownIf(s.Treated, may[countTreated]), shownIf(s.Enrolled, may[countEnrolled])
			known = slices.DeleteFunc(slices.Clone(everyone), func(n counted[attended]) bool { return !may[n.name] })
		}
		if may[countTaken] {
			known = append(known, counted[attended]{
				name: measureAt("", AfterSession, row.number),
				in:   func(a attended) bool { return a.had.has(row.number) },
			})
		}
	}
	return s
}

// everyone are the numbers of people that belong to no session.
var everyone = []counted[attended]{
	{countTreated, func(a attended) bool { return a.treated }},
	{countEnrolled, func(attended) bool { return true }},
}

package cohort

import "slices"

// The names of the numbers of a measure.
const (
	countClosed    = "closed"
	countFollowed  = "followed"
	countRemission = "remission"
	countResponse  = "response"
	countIndex     = "index"
	countNotClosed = "not_closed"
)

// has reports whether the window of the i-th definition has closed.
func (f followed) has(i int) bool { return f.closed&(1<<i) != 0 }

// followedCounts are the numbers of people in the i-th measure, those that
// matter most first.
func followedCounts(i int) []counted[followed] {
	out := []counted[followed]{
		{countClosed, func(f followed) bool { return f.has(i) }},
		{countRemission, func(f followed) bool { return f.remission }},
	}
	if definitions[i].response {
		out = append(out, counted[followed]{countResponse, func(f followed) bool { return f.hasResponse }})
	}
	return append(out,
		counted[followed]{countFollowed, func(f followed) bool { return f.scored }},
		counted[followed]{countNotClosed, func(f followed) bool { return f.index && !f.has(i) }},
	)
}

// measuresHead are the numbers of people that all measures share.
func measuresHead() []counted[followed] {
	return []counted[followed]{
		{countIndex, func(f followed) bool { return f.index }},
		{countEnrolled, func(followed) bool { return true }},
	}
}

// fillHead sets the numbers that all measures share; without may all of them.
func (m *Measures) fillHead(may shown) {
	if may == nil {
		may = everything(measuresHead())
	}
	at := map[string]*Count{countIndex: &m.Index, countEnrolled: &m.Enrolled}
	for _, number := range measuresHead() {
		*at[number.name] = may.count(number.name, m.fates[0].people(number.in))
	}
}

// fill sets the numbers of the i-th measure; without may all of them.
func (m *Measures) fill(i int, may shown) {
	out := &m.Measures[i]
	if may == nil {
		may = everything(followedCounts(i))
	}
	n := map[string]Count{}
	for _, number := range followedCounts(i) {
		n[number.name] = may.count(number.name, m.fates[i].people(number.in))
	}
	of := func(name string) Rate {
		const words = "of those with an index PHQ-9 above 9 whose window has closed"
		if n[name] == nil || n[countClosed] == nil {
			return Rate{Of: n[countClosed], Words: words}
		}
		return rateOf(*n[name], *n[countClosed], words)
	}
	out.NotClosed, out.FollowUp, out.Remission = n[countNotClosed], of(countFollowed), of(countRemission)
	if definitions[i].response {
		out.Response = new(of(countResponse))
	}
}

// Withheld gives the measures as they may be shown: no number that is small, and
// none from which a small one follows together with the others of the measure,
// or with whose windows have closed in the measures before it.
func (m Measures) Withheld(threshold int) Measures {
	m.Measures = slices.Clone(m.Measures)
	first := slices.Concat(followedCounts(0), measuresHead())
	head := showable(m.fates[0], first, threshold)
	m.fillHead(head)
	var known []counted[followed]
	for _, number := range measuresHead() {
		if head[number.name] {
			known = append(known, number)
		}
	}
	for i := range m.Measures {
		may := showable(m.fates[i], slices.Concat(known, followedCounts(i)), threshold)
		// Both would tell the index events, which are withheld for another's sake.
		may[countNotClosed] = may[countNotClosed] && head[countIndex]
		m.fill(i, may)
		if may[countClosed] {
			known = append(known, counted[followed]{definitions[i].id, func(f followed) bool { return f.has(i) }})
		}
	}
	return m
}

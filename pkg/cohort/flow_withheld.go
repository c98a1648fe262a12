package cohort

import "slices"

// The names of the numbers of a flow at a time-point, beside those of pairs.
const (
	countBaseline   = "baseline"
	countExpected   = "expected"
	countObserved   = "observed"
	countEvaluable  = "evaluable"
	countLost       = "lost"
	countNotReached = "not_reached"
	countNextCourse = "next_course"
	countNotScored  = "not_scored"
)

// headCounts are the numbers of people before any time-point, those that matter
// most first.
func headCounts(t tally[fate]) []counted[fate] {
	out := []counted[fate]{
		{countTreated, func(f fate) bool { return f.treated }},
		{countBaseline, func(f fate) bool { return f.treated && f.baseline == "" }},
		{countEnrolled, func(fate) bool { return true }},
	}
	for _, l := range withoutBaseline(t) {
		out = append(out, counted[fate]{l.Reason, func(f fate) bool { return f.treated && string(f.baseline) == l.Reason }})
	}
	return out
}

// withoutBaseline lists why treated people have no baseline score.
func withoutBaseline(t tally[fate]) []LeftOut {
	why := tally[string]{}
	for f, n := range t {
		if f.treated {
			why[string(f.baseline)] += n
		}
	}
	return reasons(why)
}

// pointCounts are the numbers of people at a time-point.
func pointCounts() []counted[fate] {
	return []counted[fate]{
		{countEvaluable, fate.evaluable},
		{countExpected, fate.expected},
		{countLost, fate.lost},
		{countObserved, fate.observed},
		{countNotScored, func(f fate) bool { return f.expected() && f.at == NotScored }},
		{countNotReached, func(f fate) bool { return f.treated && f.at == NotReached }},
		{countNextCourse, func(f fate) bool { return f.treated && f.at == NextCourse }},
	}
}

// fillHead sets the numbers before any time-point; without may all of them.
func (f *Flow) fillHead(may shown) {
	if may == nil {
		may = everything(headCounts(f.head))
	}
	f.shows = may
	at := map[string]*Count{countTreated: &f.Treated, countBaseline: &f.Baseline, countEnrolled: &f.Enrolled}
	f.NoBaseline = withoutBaseline(f.head)
	for i, l := range f.NoBaseline {
		at[l.Reason] = &f.NoBaseline[i].N
	}
	for _, number := range headCounts(f.head) {
		*at[number.name] = may.count(number.name, f.head.people(number.in))
	}
}

// fill sets the numbers at the i-th time-point; without may all of them.
func (f *Flow) fill(i int, may shown) {
	if may == nil {
		may = everything(pointCounts())
	}
	f.showsAt[i] = may
	p, n := &f.Points[i], map[string]Count{}
	for _, number := range pointCounts() {
		n[number.name] = may.count(number.name, f.fates[i].people(number.in))
	}
	p.NotReached, p.NextCourse, p.Expected, p.Observed = n[countNotReached], n[countNextCourse], n[countExpected], n[countObserved]
	p.NotScored, p.Evaluable = n[countNotScored], n[countEvaluable]
	words := p.Lost.Words
	p.Lost = Rate{N: n[countLost], Of: n[countExpected], Words: words}
	if p.Lost.N != nil && p.Lost.Of != nil {
		p.Lost = rateOf(*p.Lost.N, *p.Lost.Of, words)
	}
	p.Words = p.lossWords()
}

// Withheld gives the flow as it may be shown: no number that is small, and none
// from which a small one follows together with those of the head and of the
// time-points that are reached before.
func (f Flow) Withheld(threshold int) Flow {
	f.Points, f.showsAt = slices.Clone(f.Points), slices.Clone(f.showsAt)
	head := showable(f.head, headCounts(f.head), threshold)
	f.fillHead(head)
	for _, chain := range f.chains {
		var known []counted[fate]
		for _, number := range headCounts(f.head) {
			if head[number.name] {
				known = append(known, number)
			}
		}
		for place, i := range chain {
			may := showable(f.fates[i], slices.Concat(known, pointCounts()), threshold)
			f.fill(i, may)
			if may[countExpected] {
				known = append(known, counted[fate]{
					name: f.Points[i].At.String(),
					in:   func(f fate) bool { return f.treated && f.reached&(1<<place) != 0 },
				})
			}
		}
	}
	return f
}

package cohort

import (
	"maps"
	"slices"
)

// LeftOut is how many people are not in a figure for one reason. Nobody is
// left out for two: the first reason found is the one.
type LeftOut struct {
	Reason string
	N      Count
}

// reasons lists the people of a tally by why they were left out; the empty
// reason is of those who were not.
func reasons(t tally[string]) []LeftOut {
	out := make([]LeftOut, 0, len(t))
	for _, reason := range slices.Sorted(maps.Keys(t)) {
		if reason != "" {
			out = append(out, LeftOut{Reason: reason, N: new(t[reason])})
		}
	}
	return out
}

// The names of the numbers of people in a figure, beside the reasons.
const (
	countCounted   = "counted"
	countEverybody = "everybody"
)

// showableReasons decides about the number counted first, then about all of
// them, then about the reasons.
func showableReasons(t tally[string], threshold int) shown {
	numbers := []counted[string]{
		{countCounted, func(reason string) bool { return reason == "" }},
		{countEverybody, func(string) bool { return true }},
	}
	for _, l := range reasons(t) {
		numbers = append(numbers, counted[string]{"reason:" + l.Reason, func(reason string) bool { return reason == l.Reason }})
	}
	return showable(t, numbers, threshold)
}

// withheldReasons gives the reasons with the numbers that may be shown.
func withheldReasons(all []LeftOut, may shown) []LeftOut {
	out := slices.Clone(all)
	for i, l := range out {
		out[i].N = shownIf(l.N, may["reason:"+l.Reason])
	}
	return out
}

// reasonBases are those of everybody and of who was left out, as far as shown.
func reasonBases(instrument string, ws witnesses[string], everybody Count, left []LeftOut) []Basis {
	may, numbers := shown{countEverybody: everybody != nil}, []counted[string]{{countEverybody, func(string) bool { return true }}}
	for _, l := range left {
		may[l.Reason] = l.N != nil
		numbers = append(numbers, counted[string]{l.Reason, func(reason string) bool { return reason == l.Reason }})
	}
	return ws.heads(instrument, may, numbers...)
}

// shownIf is the number, or nil where it may not be shown.
func shownIf(n Count, may bool) Count {
	if !may {
		return nil
	}
	return n
}

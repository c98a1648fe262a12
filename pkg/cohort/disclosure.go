package cohort

import (
	"cmp"
	"maps"
	"math"
	"slices"
)

// tally counts people by what a figure looks at in them: those who are alike in
// all of it are one number.
type tally[K comparable] map[K]int

// people counts those of whom something is true.
func (t tally[K]) people(in func(K) bool) int {
	n := 0
	for k, people := range t {
		if in(k) {
			n += people
		}
	}
	return n
}

// add counts the people of another tally too.
func (t tally[K]) add(other tally[K]) {
	for k, n := range other {
		t[k] += n
	}
}

// counted is a number that a figure shows: of the people of a tally of whom
// something is true.
type counted[K comparable] struct {
	name string
	in   func(K) bool
}

// shown says which numbers of a figure may be shown, by name.
type shown map[string]bool

// strike takes out what may not be shown of others. A number that these do not
// have is 0 of them, and stays.
func (s shown) strike(others shown) {
	for name, may := range others {
		s[name] = s[name] && may
	}
}

// with adds what may be shown of other numbers. Of a number that is in both, the
// other says.
func (s shown) with(other shown) shown {
	maps.Copy(s, other)
	return s
}

// showable decides which of the numbers may be shown together. It goes through
// them in order, so the ones that matter most stand first, and shows each
// unless it, together with those shown before, tells the size of a small group:
// by itself, as a difference, or by any other sum and difference of them.
//
// A group is any that the tally tells apart. It is taken as known which kinds of
// people there are none of, so a 0 protects nothing, and is shown.
func showable[K comparable](t tally[K], numbers []counted[K], threshold int) shown {
	kinds := make([]K, 0, len(t))
	for k, n := range t {
		if n > 0 {
			kinds = append(kinds, k)
		}
	}
	// Elimination takes its pivots from the left. A kind of many people is in no
	// small group, so having these as pivots leaves little to try.
	slices.SortFunc(kinds, func(a, b K) int { return cmp.Compare(t[b], t[a]) })
	d := disclosure{threshold: threshold}
	for _, k := range kinds {
		d.people = append(d.people, t[k])
	}
	out := make(shown, len(numbers))
	for _, number := range numbers {
		row := make([]float64, len(kinds))
		n := 0
		for i, k := range kinds {
			if number.in(k) {
				row[i] = 1
				n += t[k]
			}
		}
		out[number.name] = n == 0 || !small(n, threshold) && d.admit(row)
	}
	return out
}

// showableParts is showable for a whole and its parts, the greatest first: where
// a small part would follow from the others, the next smallest goes with it. Of
// two that are as great, the one goes that is listed first.
func showableParts[K comparable](t tally[K], whole counted[K], parts []counted[K], threshold int) shown {
	numbers := append([]counted[K]{whole}, slices.Clone(parts)...)
	slices.Reverse(numbers[1:])
	slices.SortStableFunc(numbers[1:], func(a, b counted[K]) int { return cmp.Compare(t.people(b.in), t.people(a.in)) })
	return showable(t, numbers, threshold)
}

// disclosure is what somebody can know from the sums that are shown: all their
// linear combinations. rows holds them in reduced echelon form; a column is a
// kind of people.
type disclosure struct {
	threshold int
	people    []int
	rows      [][]float64
	pivots    []int // the column of each row's leading 1
}

const rounding = 1e-9

// admit adds a sum unless a small group could then be told.
func (d *disclosure) admit(sum []float64) bool {
	with := disclosure{threshold: d.threshold, people: d.people, pivots: slices.Clone(d.pivots)}
	for _, r := range d.rows {
		with.rows = append(with.rows, slices.Clone(r))
	}
	if with.reduce(sum) && with.tells() {
		return false
	}
	d.rows, d.pivots = with.rows, with.pivots
	return true
}

// reduce brings a row in; false where it says nothing new. The leading 1 of the
// row need not stand behind those of the others: each is alone in its column,
// which is all that is used.
func (d *disclosure) reduce(row []float64) bool {
	row = slices.Clone(row)
	for i, r := range d.rows {
		subtract(row, r, row[d.pivots[i]])
	}
	pivot := slices.IndexFunc(row, func(x float64) bool { return math.Abs(x) > rounding })
	if pivot < 0 {
		return false
	}
	lead := row[pivot]
	for i := range row {
		row[i] /= lead
	}
	for _, r := range d.rows {
		subtract(r, row, r[pivot])
	}
	d.rows, d.pivots = append(d.rows, row), append(d.pivots, pivot)
	return true
}

// subtract takes so many times b from a.
func subtract(a, b []float64, times float64) {
	if times == 0 {
		return
	}
	for i := range a {
		a[i] -= times * b[i]
	}
}

// tells reports whether a combination of the rows is a small group: 1 in the
// columns of some kinds of people, who are few together, and 0 in the others.
func (d *disclosure) tells() bool {
	return d.try(0, 0, make([]float64, len(d.people)))
}

// try takes row i into the combination or leaves it out. A pivot is alone in its
// column, so the combination's value there is the row's factor, 0 or 1; and it
// is 0 where that kind of people alone are not few.
func (d *disclosure) try(i, few int, combination []float64) bool {
	if i == len(d.rows) {
		return d.small(combination)
	}
	if d.try(i+1, few, combination) {
		return true
	}
	few += d.people[d.pivots[i]]
	if !small(few, d.threshold) {
		return false
	}
	with := slices.Clone(combination)
	subtract(with, d.rows[i], -1)
	return d.try(i+1, few, with)
}

// small reports whether the combination is that of a small group.
func (d *disclosure) small(combination []float64) bool {
	n := 0
	for i, x := range combination {
		switch {
		case math.Abs(x) <= rounding:
		case math.Abs(x-1) <= rounding:
			n += d.people[i]
		default:
			return false
		}
	}
	return small(n, d.threshold)
}

// count is a number as it may be shown.
func (s shown) count(name string, n int) Count {
	if s[name] {
		return new(n)
	}
	return nil
}

// within is a number of people of a group as it may be shown. Where the size of
// the group is withheld a 0 is too: it would say something of each of these few.
func (s shown) within(group, name string, n int) Count {
	if n == 0 && !s[group] {
		return nil
	}
	return s.count(name, n)
}

// rate is a rate with those of its two numbers that may be shown.
func (s shown) rate(name string, n int, group string, of int, words string) Rate {
	if s[name] && s[group] {
		return rateOf(n, of, words)
	}
	return Rate{N: s.within(group, name, n), Of: s.count(group, of), Words: words}
}

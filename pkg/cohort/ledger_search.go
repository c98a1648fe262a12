package cohort

import "slices"

// An audit looks for a combination of answers that is about few people. Answers
// are rows and kinds of data are columns: 1 where the kind is in the answer. A
// combination of answers is then a combination of rows, and it is about the
// people of those columns in which it is not 0.
//
// It computes modulo a prime, which is exact. A combination of the true rows
// that is 0 in a column is so modulo the prime too, so none that is about few
// people is missed.

// finding is what an audit says of the next answer.
type finding int

const (
	tellsOfEnough finding = iota
	tellsNothingNew
	tellsOfFew
	tooManyToSay
)

// mostSteps bounds the audits of one request. The search for a combination of
// few people grows with the number of answers and the threshold beyond all
// bounds; an answer that takes longer is refused.
const mostSteps = 3_000_000

// cellsOfStep is how many cells of rows are added up in the time of a step of
// the search.
const cellsOfStep = 50

// mostCells bounds what is added up to know what follows from the answers given
// before, which whoever asks again has to wait for too: so many answers, times
// themselves, times the kinds of data that they tell apart.
const mostCells = 100_000_000

// space is what can be known from answers: all their combinations. The rows are
// in reduced echelon form.
type space struct {
	kinds  kinds
	rows   []row
	pivots []int  // the column of each row's leading 1, alone in its column
	own    *space // of the answers of this request alone; nil in itself
}

// given is the space of so many answers, those given before. Kinds that only the
// answers of this request tell apart are one column while it is made.
func (ks kinds) given(answers int) *space {
	known, column := kinds{}, make([]int, len(ks))
	of, first := map[membership]int{}, []int{}
	for i, k := range ks {
		at, met := of[k.before]
		if !met {
			at = len(known)
			of[k.before], known, first = at, append(known, k), append(first, i)
		}
		column[i] = at
	}
	narrow := &space{kinds: known}
	for i := range answers {
		narrow.add(narrow.reduced(known.row(func(k *kind) bool { return k.before.has(i) })))
	}
	s := &space{kinds: ks, own: &space{kinds: ks}}
	for i, r := range narrow.rows {
		wide := make(row, len(ks))
		for k, at := range column {
			wide[k] = r[at]
		}
		s.rows, s.pivots = append(s.rows, wide), append(s.pivots, first[narrow.pivots[i]])
	}
	return s
}

// reduced is a row less what is known of it.
func (s *space) reduced(r row) row {
	r = slices.Clone(r)
	for i, other := range s.rows {
		r.take(other, r[s.pivots[i]])
	}
	return r
}

// add brings in a row that is reduced.
func (s *space) add(r row) {
	pivot := slices.IndexFunc(r, func(x uint64) bool { return x != 0 })
	if pivot < 0 {
		return
	}
	r = slices.Clone(r)
	r.scale(inverse(r[pivot]))
	for _, other := range s.rows {
		other.take(r, other[pivot])
	}
	s.rows, s.pivots = append(s.rows, r), append(s.pivots, pivot)
}

// admit adds the next answer, unless it tells of few. What could be worked out
// without it is not its fault.
func (s *space) admit(answer row, limit Limit) finding {
	limit.Effort.take((len(s.rows) + 2*len(s.own.rows)) * len(answer) / cellsOfStep)
	s.own.add(s.own.reduced(answer))
	next := s.reduced(answer)
	if next.zero() {
		return tellsNothingNew
	}
	if limit.Effort.steps <= 0 {
		return tooManyToSay
	}
	found := s.weigh(answer, next, limit)
	if found == tellsOfEnough {
		limit.Effort.take(len(s.rows) * len(answer) / cellsOfStep)
		s.add(next)
	}
	return found
}

// weigh looks for what can be told with the answer, of which next is new.
func (s *space) weigh(answer, next row, limit Limit) finding {
	if s.kinds.people(answer, limit.Threshold) < limit.Threshold {
		return tellsOfFew
	}
	few := slices.IndexFunc(s.kinds, func(k *kind) bool { return len(k.people) < limit.Threshold })
	if few < 0 {
		few = len(s.kinds)
	}
	if !next[:few].zero() {
		return tellsOfEnough // of a kind of many people, and no other answer takes that away
	}
	a := audit{kinds: s.kinds[few:], Limit: limit, own: s.own, few: few, rows: []row{next[few:]}}
	for i, r := range s.rows {
		if s.pivots[i] >= few { // in all columns before its pivot it is 0
			a.rows, a.pivots = append(a.rows, r[few:]), append(a.pivots, s.pivots[i]-few)
		}
	}
	var found bool
	if limit.Groups {
		found = a.group(0, make(row, len(a.kinds)), nil)
	} else {
		found = a.search(0, []int{0}, nil)
	}
	switch {
	case found:
		return tellsOfFew
	case limit.Effort.steps <= 0:
		return tooManyToSay
	}
	return tellsOfEnough
}

// audit is a search among the kinds of few people.
type audit struct {
	kinds  kinds
	few    int    // how many kinds of many people there are before these
	own    *space // of this request alone
	rows   []row  // the next answer first, 0 at all pivots
	pivots []int  // of the rows after the first
	Limit
}

// group looks for a group of few people: a combination that is 1 in their kinds
// and 0 in the others. sum is that of the rows taken before, of whom known are
// the people at their pivots; each row from the i-th on is taken or not. What a
// combination is at a pivot is the factor of that row, so it is 1.
func (a *audit) group(i int, sum row, known []uint64) bool {
	if a.closes(sum) {
		return true
	}
	for ; i < len(a.pivots); i++ {
		k := a.kinds[a.pivots[i]]
		if !a.Effort.take(1) {
			return false
		}
		if len(known)+k.beside(known) >= a.Threshold {
			continue
		}
		a.Effort.take(len(sum))
		with := slices.Clone(sum)
		with.take(a.rows[i+1], prime-1)
		if a.group(i+1, with, k.join(known)) {
			return true
		}
	}
	return false
}

// closes reports whether a sum and the next answer, as often as it takes, are a
// group of few people that the answers of the request alone do not tell of.
func (a *audit) closes(sum row) bool {
	next := a.rows[0]
	lead := slices.IndexFunc(next, func(x uint64) bool { return x != 0 })
	for at := range uint64(2) { // what the group is there
		times := (at + prime - sum[lead]) % prime * inverse(next[lead]) % prime
		if times == 0 {
			continue
		}
		group, is := make(row, a.few+len(sum)), true
		for i, x := range sum {
			x = (x + times*next[i]) % prime
			if is = x <= 1; !is {
				a.Effort.take(i)
				break
			}
			group[a.few+i] = x
		}
		if is && a.kinds.people(group[a.few:], a.Threshold) < a.Threshold && !a.own.reduced(group).zero() {
			return true
		}
	}
	return false
}

// search looks for a combination of the next answer, of the rows taken before
// and of any from the i-th on. A row's pivot is in no other row, so whoever
// takes a row tells of the people there; known are the people of the rows taken.
func (a *audit) search(i int, taken []int, known []uint64) bool {
	if a.vanishes(taken, known, whole(len(taken)), 0) {
		return true
	}
	for ; i < len(a.pivots) && a.Effort.take(1); i++ {
		k := a.kinds[a.pivots[i]]
		if len(known)+k.beside(known) < a.Threshold && a.search(i+1, append(slices.Clone(taken), i+1), k.join(known)) {
			return true
		}
	}
	return false
}

// vanishes reports whether some combination of the rows taken is 0 in all
// columns from the given one on, but for those of few people, the known ones
// among them. The factors that are still possible are all combinations of those
// in open; the first factor, of the next answer, must not be 0.
func (a *audit) vanishes(taken []int, known []uint64, open []row, column int) bool {
	for ; column < len(a.kinds); column++ {
		if !a.Effort.take(len(taken) * len(open)) {
			return false
		}
		values := a.values(taken, open, column)
		if values == nil {
			continue
		}
		more := a.kinds[column].beside(known)
		if more == 0 {
			continue // of people who are told of anyhow
		}
		if len(known)+more < a.Threshold && a.vanishes(taken, a.kinds[column].join(known), open, column+1) {
			return true
		}
		if open = forced(open, values); open == nil {
			return false
		}
	}
	return true
}

// values gives what each combination is in a column; nil where all are 0.
func (a *audit) values(taken []int, open []row, column int) row {
	var out row
	for j, factors := range open {
		sum := uint64(0)
		for n, i := range taken {
			if x := a.rows[i][column]; x != 0 && factors[n] != 0 {
				sum = (sum + factors[n]*x) % prime
			}
		}
		if sum != 0 {
			if out == nil {
				out = make(row, len(open))
			}
			out[j] = sum
		}
	}
	return out
}

// forced keeps those combinations of factors whose value is 0; nil where none is
// left with the first factor.
func forced(open []row, values row) []row {
	// Taking out one that has no part in the first factor keeps the first.
	out := -1
	for j := range open {
		if values[j] != 0 && (out < 0 || open[out][0] != 0) {
			out = j
		}
	}
	var left []row
	first := false
	for j, factors := range open {
		if j == out {
			continue
		}
		factors = slices.Clone(factors)
		factors.take(open[out], values[j]*inverse(values[out])%prime)
		first = first || factors[0] != 0
		left = append(left, factors)
	}
	if !first {
		return nil
	}
	return left
}

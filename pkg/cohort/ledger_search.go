package cohort

import (
	"cmp"
	"math/bits"
	"slices"
)

// An audit looks for a combination of answers that is about few people. Answers
// are rows and kinds of data are columns: 1 where the kind is in the answer. A
// combination of answers is then a combination of rows, and it is about the
// people of those columns in which it is not 0.
//
// It computes modulo a prime, which is exact. A combination of the true rows
// that is 0 in a column is so modulo the prime too, so none that is about few
// people is missed.

// kind is the data that are in the same answers.
type kind struct {
	membership
	next   bool     // in the answer that is asked for
	people []uint64 // whose data they are, each once
}

// compare puts those of many people first.
func (k *kind) compare(other *kind) int {
	return cmp.Or(cmp.Compare(len(other.people), len(k.people)),
		slices.Compare(k.membership[:], other.membership[:]), cmp.Compare(bit(k.next), bit(other.next)))
}

func bit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// beside counts the people who are not known yet.
func (k *kind) beside(known []uint64) int {
	n := 0
	for _, person := range k.people {
		if !slices.Contains(known, person) {
			n++
		}
	}
	return n
}

// join adds the people to those known.
func (k *kind) join(known []uint64) []uint64 {
	out := slices.Clone(known)
	for _, person := range k.people {
		if !slices.Contains(known, person) {
			out = append(out, person)
		}
	}
	return out
}

type kinds []*kind

// finding is what an audit says of the next answer.
type finding int

const (
	tellsOfEnough finding = iota
	tellsNothingNew
	tellsOfFew
	tooManyToSay
)

// mostSteps bounds an audit to a second or two. The search for a combination of
// few people grows with the number of answers and the threshold beyond all
// bounds; an answer that takes longer is refused.
const mostSteps = 2_000_000

// audit decides about the next answer, given so many before. What could be
// worked out without it is not its fault.
func (ks kinds) audit(given, threshold int) finding {
	few := slices.IndexFunc(ks, func(k *kind) bool { return len(k.people) < threshold })
	if few < 0 {
		few = len(ks)
	}
	rest, pivots := ks.reduced(given)
	next := ks.row(func(k *kind) uint64 { return bit(k.next) })
	for i, r := range rest {
		next.take(r, next[pivots[i]])
	}
	if next.zero() {
		return tellsNothingNew
	}
	a := audit{kinds: ks[few:], threshold: threshold, steps: mostSteps}
	if !next[:few].zero() {
		return tellsOfEnough // of a kind of many people, and no other answer takes that away
	}
	a.rows = []row{next[few:]}
	for i, r := range rest {
		if pivots[i] >= few { // in all columns before its pivot it is 0
			a.rows, a.pivots = append(a.rows, r[few:]), append(a.pivots, pivots[i]-few)
		}
	}
	found := a.search(0, []int{0}, nil)
	switch {
	case a.steps <= 0:
		return tooManyToSay
	case found:
		return tellsOfFew
	}
	return tellsOfEnough
}

// reduced gives the answers before in reduced echelon form, with the column of
// each row's leading 1. Rows that follow from others are gone.
func (ks kinds) reduced(given int) (rows []row, pivots []int) {
	for i := range given {
		r := ks.row(func(k *kind) uint64 { return bit(k.has(i)) })
		for j, other := range rows {
			r.take(other, r[pivots[j]])
		}
		pivot := slices.IndexFunc(r, func(x uint64) bool { return x != 0 })
		if pivot < 0 {
			continue
		}
		r.scale(inverse(r[pivot]))
		rows, pivots = append(rows, r), append(pivots, pivot)
	}
	return echelon(rows, pivots)
}

// audit is a search among the kinds of few people.
type audit struct {
	kinds     kinds
	threshold int
	rows      []row // the next answer first, 0 at all pivots
	pivots    []int // of the rows after the first
	steps     int   // left
}

// search looks for a combination of the next answer, of the rows taken before
// and of any from the i-th on. A row's pivot is in no other row, so whoever
// takes a row tells of the people there; known are the people of the rows taken.
func (a *audit) search(i int, taken []int, known []uint64) bool {
	if a.vanishes(taken, known, whole(len(taken)), 0) {
		return true
	}
	for ; i < len(a.pivots) && a.steps > 0; i++ {
		a.steps--
		k := a.kinds[a.pivots[i]]
		if len(known)+k.beside(known) < a.threshold && a.search(i+1, append(slices.Clone(taken), i+1), k.join(known)) {
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
		if a.steps--; a.steps <= 0 {
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
		if len(known)+more < a.threshold && a.vanishes(taken, a.kinds[column].join(known), open, column+1) {
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

// prime is the largest below 2^32: products fit in 64 bits.
const prime = 4294967291

// row is a combination of answers, modulo prime.
type row []uint64

func (ks kinds) row(of func(*kind) uint64) row {
	out := make(row, len(ks))
	for i, k := range ks {
		out[i] = of(k)
	}
	return out
}

// whole gives n rows, each of which is 1 in its own place.
func whole(n int) []row {
	out := make([]row, n)
	for i := range out {
		out[i] = make(row, n)
		out[i][i] = 1
	}
	return out
}

func (r row) zero() bool { return !slices.ContainsFunc(r, func(x uint64) bool { return x != 0 }) }

// take subtracts so many times another row.
func (r row) take(other row, times uint64) {
	if times == 0 {
		return
	}
	for i, x := range other {
		if x != 0 {
			r[i] = (r[i] + (prime-times)*x) % prime
		}
	}
}

func (r row) scale(times uint64) {
	for i := range r {
		r[i] = r[i] * times % prime
	}
}

// echelon makes each pivot the only one in its column.
func echelon(rows []row, pivots []int) ([]row, []int) {
	for i := range rows {
		for j := range rows {
			if i != j {
				rows[j].take(rows[i], rows[j][pivots[i]])
			}
		}
	}
	return rows, pivots
}

// inverse is the number whose product with x is 1: x to the power of prime-2
// (Fermat).
func inverse(x uint64) uint64 {
	out := uint64(1)
	for i := bits.Len64(prime-2) - 1; i >= 0; i-- {
		if out = out * out % prime; (prime-2)>>i&1 == 1 {
			out = out * x % prime
		}
	}
	return out
}

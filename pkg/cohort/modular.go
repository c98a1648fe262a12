package cohort

import (
	"math/bits"
	"slices"
)

// Answers are computed with modulo a prime, which is exact where fractions would
// grow without bound (see audit).

// prime is the largest below 2^32: products fit in 64 bits.
const prime = 4294967291

// row is a combination of answers, modulo prime.
type row []uint64

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

package cohort

import (
	"math"

	"gonum.org/v1/gonum/stat"
)

// HedgesOf names the effect size that Difference.HedgesG corrects.
const HedgesOf = "d_av"

// Difference is the mean of paired differences, to minus from, with its test
// against no change and its size in standard deviations. The sign is that of
// the points, whichever way the instrument gets better.
//
// Papers seldom say which standard deviation they divide by, and the answers
// differ by a fifth and more; so all three are given by name (Lakens 2013,
// Front Psychol 4:863). Values are nil where they are undefined: below two
// pairs, and where what would be divided by is 0.
type Difference struct {
	Estimate
	T, DF *float64 // paired t test
	P     *float64 // two-sided

	DPre *float64 // mean / SD at from
	DAv  *float64 // mean / sqrt((SD at from² + SD at to²) / 2)
	DZ   *float64 // mean / SD of the differences

	// HedgesG is DAv without its bias in small samples: times
	// J = Γ(df/2) / (sqrt(df/2) Γ((df-1)/2)) with df = n - 1, the exact factor of
	// Hedges 1981, J Educ Stat 6:107, of which 1 - 3/(4 df - 1) is an
	// approximation. HedgesOf says that it is of d_av.
	HedgesG *float64
}

// PairedDifference computes the test from a published summary: so many pairs,
// the mean of their differences and its standard deviation. The effect sizes
// that need the two time-points' own standard deviations are nil.
func PairedDifference(n int, mean, sd float64) Difference {
	d := Difference{Estimate: estimate(n, mean, sd)}
	if n < 2 {
		return d
	}
	d.DF = new(float64(n - 1))
	if d.DZ = over(mean, sd); d.DZ != nil {
		t := mean / stat.StdErr(sd, float64(n))
		d.T, d.P = new(t), new(2*student(n).CDF(-math.Abs(t)))
	}
	return d
}

// between adds the effect sizes that look at both time-points.
func (d Difference) between(from, to Summary) Difference {
	if from.SD == nil || to.SD == nil || d.DF == nil {
		return d
	}
	d.DPre = over(*d.Mean, *from.SD)
	d.DAv = over(*d.Mean, math.Sqrt((*from.SD**from.SD+*to.SD**to.SD)/2))
	if j := hedges(*d.DF); d.DAv != nil && j != nil {
		d.HedgesG = new(*d.DAv * *j)
	}
	return d
}

// over divides by a standard deviation; nil where that is 0, to a billionth of
// a point: prorated totals are ratios, and equal ones may differ by rounding.
func over(mean, sd float64) *float64 {
	if sd < 1e-9 {
		return nil
	}
	return new(mean / sd)
}

// hedges is the exact correction; nil below two degrees of freedom, for which
// the expectation that it corrects does not exist.
func hedges(df float64) *float64 {
	if df < 2 {
		return nil
	}
	upper, _ := math.Lgamma(df / 2)
	lower, _ := math.Lgamma((df - 1) / 2)
	return new(math.Exp(upper-lower) / math.Sqrt(df/2))
}

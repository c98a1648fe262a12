package cohort

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Summary describes scores, in points of their instrument. What cannot be said
// of so few is nil: nothing of nobody, no SD of one.
type Summary struct {
	N              Count
	Mean, SD       *float64 // SD with n - 1
	Median, Q1, Q3 *float64 // by R's type 7, its default
}

// summarize describes values that are in ascending order.
func summarize(ascending []float64) Summary {
	s := Summary{N: new(len(ascending))}
	if len(ascending) == 0 {
		return s
	}
	mean, sd := stat.MeanStdDev(ascending, nil)
	s.Mean = new(mean)
	if len(ascending) > 1 {
		s.SD = new(sd)
	}
	s.Q1, s.Median, s.Q3 = new(quantile(ascending, 0.25)), new(quantile(ascending, 0.5)), new(quantile(ascending, 0.75))
	return s
}

// Estimate is a mean of differences, with what says how sure it is. What cannot
// be said of so few is nil.
type Estimate struct {
	N        Count     // of people
	Mean, SD *float64  // points; SD with n - 1, nil below 2
	CI95     *Interval // of the mean, by Student's t; nil below 2
}

// estimate is that of so many differences with this mean and SD.
func estimate(n int, mean, sd float64) Estimate {
	e := Estimate{N: new(n)}
	if n == 0 {
		return e
	}
	if e.Mean = new(mean); n == 1 {
		return e
	}
	half := student(n).Quantile(0.975) * stat.StdErr(sd, float64(n))
	e.SD, e.CI95 = new(sd), &Interval{mean - half, mean + half}
	return e
}

// estimateOf is that of these differences.
func estimateOf(differences []float64) Estimate {
	s := summarize(ascending(differences))
	return estimate(*s.N, value(s.Mean), value(s.SD))
}

// shownIf is all of the estimate or nothing of it: n follows from the SD and the
// width of the interval.
func (e Estimate) shownIf(may bool) Estimate {
	if !may {
		return Estimate{}
	}
	return e
}

// student is the t distribution of the mean of n.
func student(n int) distuv.StudentsT { return distuv.StudentsT{Sigma: 1, Nu: float64(n - 1)} }

// quantile is R's quantile(type = 7), which gonum does not have: the value at
// place (n-1)p of the values in ascending order, on the line between two.
func quantile(ascending []float64, p float64) float64 {
	place := float64(len(ascending)-1) * p
	below := int(math.Floor(place))
	if below+1 >= len(ascending) {
		return ascending[len(ascending)-1]
	}
	low, high := ascending[below], ascending[below+1]
	return low + (place-float64(below))*(high-low)
}

// ascending gives the values in order, so that a figure is the same to the last
// bit in whatever order the people came.
func ascending(values []float64) []float64 {
	out := slices.Clone(values)
	slices.Sort(out)
	return out
}

// z95 leaves 2.5 % of a normal distribution above it.
var z95 = distuv.UnitNormal.Quantile(0.975)

// wilson is the 95 % score interval of a share without continuity correction
// (Wilson 1927, JASA 22:209); nil of nobody.
func wilson(n, of int) *Interval {
	if of == 0 {
		return nil
	}
	share, size, z2 := float64(n)/float64(of), float64(of), z95*z95
	middle := share + z2/(2*size)
	half := z95 * math.Sqrt(share*(1-share)/size+z2/(4*size*size))
	scale := 1 + z2/size
	// Rounding must not put the interval beside a share of 0 or 1.
	return &Interval{min(share, max(0, (middle-half)/scale)), max(share, min(1, (middle+half)/scale))}
}

// rateOf is n of so many.
func rateOf(n, of int, words string) Rate {
	r := Rate{N: new(n), Of: new(of), CI95: wilson(n, of), Words: words}
	if of > 0 {
		r.Rate = new(float64(n) / float64(of))
	}
	return r
}

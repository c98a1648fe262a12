package trajectory

import (
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Trend is the straight line through the scores from the baseline on, by
// ordinary least squares.
//
// It is a description, not a test. One client's scores are correlated in time,
// which least squares does not know: the interval is then too narrow. Courses
// are seldom straight either: a fast fall and a plateau give a slope that is
// true of neither.
type Trend struct {
	SlopePerWeek float64     // points a week; its sign is that of the totals, whatever the direction
	CI95         *[2]float64 // t distribution with n-2 degrees of freedom; nil for n < 3
	N            int         // scores used
}

const hoursPerWeek = 7 * 24

// trend fits the line; nil for fewer than two scores, or all at one time.
func (c *course) trend(points []Point) *Trend {
	if c.base < 0 {
		return nil
	}
	var weeks, totals []float64
	start := points[c.base].At
	for i, p := range points {
		if c.counts(p, i) {
			weeks = append(weeks, p.At.Sub(start).Hours()/hoursPerWeek)
			totals = append(totals, *p.Total)
		}
	}
	n := len(weeks)
	if n < 2 || weeks[0] == weeks[n-1] { // in order of time, so equal ends mean one instant
		return nil
	}
	intercept, slope := stat.LinearRegression(weeks, totals, nil, false)
	t := &Trend{SlopePerWeek: round(slope, 9), N: n}
	if n < 3 {
		return t
	}
	mean := stat.Mean(weeks, nil)
	var residual, spread float64
	for i, x := range weeks {
		e := totals[i] - intercept - slope*x
		residual += e * e
		spread += (x - mean) * (x - mean)
	}
	df := float64(n - 2)
	half := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.Quantile(0.975) * math.Sqrt(residual/df/spread)
	t.CI95 = &[2]float64{round(slope-half, 9), round(slope+half, 9)}
	return t
}

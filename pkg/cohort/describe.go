package cohort

import (
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Mean is what a paper says of one list of differences.
type Mean struct {
	N        Count     // of people
	Mean, SD *float64  // points; SD with n - 1, nil below 2
	CI95     *Interval // of the mean, by Student's t; nil below 2
}

// meanOf describes differences.
func meanOf(x []float64) Mean {
	m := Mean{N: new(len(x))}
	x = ascending(x)
	switch len(x) {
	case 0:
		return m
	case 1:
		m.Mean = new(x[0])
		return m
	}
	mean, sd := stat.MeanStdDev(x, nil)
	n := float64(len(x))
	half := distuv.StudentsT{Sigma: 1, Nu: n - 1}.Quantile(0.975) * stat.StdErr(sd, n)
	m.Mean, m.SD, m.CI95 = &mean, &sd, &Interval{mean - half, mean + half}
	return m
}

// shownIf is all of the mean or nothing of it: n follows from the SD and the
// width of the interval.
func (m Mean) shownIf(may bool) Mean {
	if !may {
		return Mean{}
	}
	return m
}

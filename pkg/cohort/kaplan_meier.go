package cohort

import (
	"maps"
	"math"
	"slices"
)

// ConfidenceType is the scale on which the confidence band of a survival curve
// is symmetric. The names are R's conf.type.
type ConfidenceType string

// The types, each from Greenwood's variance.
const (
	ConfidencePlain ConfidenceType = "plain" // S itself, cut off at 0 and 1
	ConfidenceLog   ConfidenceType = "log"   // log S, cut off at 1: R's default
	// ConfidenceLogLog is log(-log S). The default here: it stays within 0 and 1
	// by itself and covers better where few people are left.
	ConfidenceLogLog ConfidenceType = "log-log"
)

func (c ConfidenceType) known() bool {
	return c == ConfidencePlain || c == ConfidenceLog || c == ConfidenceLogLog
}

// Step is the curve at one day on which somebody left it, or at the end of some
// days that were merged so that nobody is seen alone.
type Step struct {
	From, Days int // the first and the last day; the same where nothing was merged
	AtRisk     Count
	Events     Count
	Censored   Count
	Survival   float64   // after the last day
	CI95       *Interval // nil where the curve is 0, and for log-log where it is 1
}

// leaving is how many leave the curve on one day.
type leaving struct{ events, censored int }

func (l leaving) with(event bool) leaving {
	if event {
		l.events++
	} else {
		l.censored++
	}
	return l
}

// kaplanMeier gives the product-limit curve (Kaplan and Meier 1958, JASA
// 53:457): a row a day on which somebody left. Who is censored on the day of an
// event was still at risk of it.
func kaplanMeier(leave map[int]leaving, confidence ConfidenceType) []Step {
	n := 0
	for _, l := range leave {
		n += l.events + l.censored
	}
	curve := make([]Step, 0, len(leave))
	survival, variance := 1.0, 0.0 // Greenwood's: of log S
	for _, day := range slices.Sorted(maps.Keys(leave)) {
		l := leave[day]
		survival *= float64(n-l.events) / float64(n)
		if n > l.events {
			variance += float64(l.events) / (float64(n) * float64(n-l.events))
		}
		curve = append(curve, Step{
			From: day, Days: day, AtRisk: new(n), Events: &l.events, Censored: &l.censored,
			Survival: survival, CI95: confidence.band(survival, math.Sqrt(variance)),
		})
		n -= l.events + l.censored
	}
	return curve
}

// band is the 95 % interval of S where se is the standard error of log S.
func (c ConfidenceType) band(s, se float64) *Interval {
	switch {
	case s <= 0:
		return nil
	case s >= 1 && c == ConfidenceLogLog:
		return nil
	case s >= 1:
		return &Interval{1, 1}
	case c == ConfidencePlain:
		half := z95 * s * se
		return &Interval{max(0, s-half), min(1, s+half)}
	case c == ConfidenceLog:
		return &Interval{s * math.Exp(-z95*se), min(1, s*math.Exp(z95*se))}
	}
	half := z95 * se / math.Abs(math.Log(s))
	return &Interval{math.Pow(s, math.Exp(half)), math.Pow(s, math.Exp(-half))}
}

// atRisk counts those who have not left before a day.
func atRisk(curve []Step, day int) int {
	for _, s := range curve {
		if s.Days >= day {
			return *s.AtRisk
		}
	}
	return 0
}

// median reads the median and its limits off the curve and its band.
func (s *Survival) median() {
	s.MedianDays = crossing(s.Curve, func(p Step) *float64 { return &p.Survival })
	s.MedianFrom = crossing(s.Curve, func(p Step) *float64 { return p.bound(0) })
	s.MedianTo = crossing(s.Curve, func(p Step) *float64 { return p.bound(1) })
}

func (p Step) bound(i int) *float64 {
	if p.CI95 == nil {
		return nil
	}
	return &p.CI95[i]
}

// crossing is the day at which a curve falls to a half; where it is a half
// exactly, halfway between that day and the next fall. nil where it is not
// reached. The tolerance is R's.
func crossing(curve []Step, of func(Step) *float64) *float64 {
	const half, tolerance = 0.5, 1.5e-8
	var day, at *float64
	for _, p := range curve {
		y := of(p)
		switch {
		case y == nil || *y >= half+tolerance:
		case at == nil:
			day, at = new(float64(p.Days)), y
			if math.Abs(*y-half) >= tolerance {
				return day
			}
		case *y < *at:
			return new((*day + float64(p.Days)) / 2)
		}
	}
	return day
}

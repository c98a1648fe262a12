package cohort

import (
	"math"

	"github.com/protrack/protrack/pkg/trajectory"
)

// Norm is how a population scores on an instrument, in points.
type Norm struct{ Mean, SD float64 }

// JacobsonTruax judges change as clinically significant: more than measurement
// error, and out of the range of those who are ill (Jacobson and Truax 1991,
// J Consult Clin Psychol 59:12). The numbers are of published samples, and
// belong beside every result.
type JacobsonTruax struct {
	Dysfunctional Norm
	Functional    Norm
	Reliability   float64 // of the instrument, 0 to 1; alpha and retest differ by points
	Direction     trajectory.Direction
}

// Cutoff is where the range of the functional begins.
type Cutoff string

// The cut-offs.
const (
	CutoffA Cutoff = "a" // two SD beyond the dysfunctional mean, towards health
	CutoffB Cutoff = "b" // within two SD of the functional mean
	CutoffC Cutoff = "c" // where a person is as likely of either population
)

// healthward is 1 where more points are better, -1 where fewer are.
func (j JacobsonTruax) healthward() float64 {
	if j.Direction == trajectory.HigherIsBetter {
		return 1
	}
	return -1
}

// At is the cut-off in points; NaN of one that is not known, with which no
// comparison holds.
func (j JacobsonTruax) At(c Cutoff) float64 {
	ill, well := j.Dysfunctional, j.Functional
	switch c {
	case CutoffA:
		return ill.Mean + j.healthward()*2*ill.SD
	case CutoffB:
		return well.Mean - j.healthward()*2*well.SD
	case CutoffC:
		return (ill.SD*well.Mean + well.SD*ill.Mean) / (ill.SD + well.SD)
	}
	return math.NaN()
}

// MeasurementError is the standard error of one score: SD x sqrt(1 - reliability).
func (j JacobsonTruax) MeasurementError() float64 {
	return j.Dysfunctional.SD * math.Sqrt(1-j.Reliability)
}

// DifferenceSD is the SD of the difference of two scores of somebody who has not
// changed: sqrt(2) x SD x sqrt(1 - reliability).
func (j JacobsonTruax) DifferenceSD() float64 {
	return math.Sqrt2 * j.MeasurementError()
}

// ReliableChange is the change in points that measurement error exceeds in 5 %
// of those who have not changed. The factor is that of the paper, 1.96.
func (j JacobsonTruax) ReliableChange() float64 { return 1.96 * j.DifferenceSD() }

// Significance is what a change amounts to.
type Significance string

// The categories, as the R package clinicalsignificance gives them.
const (
	JTRecovered    Significance = "recovered" // reliably better, and out of the range of the ill
	JTImproved     Significance = "improved"  // reliably better
	JTUnchanged    Significance = "unchanged"
	JTDeteriorated Significance = "deteriorated" // reliably worse
	JTHarmed       Significance = "harmed"       // reliably worse, and out of the range of the functional
)

// Judge says what the change from one total to another amounts to. Whoever
// began in the functional range cannot recover. A total on the cut-off is in
// neither range; a change must exceed the reliable change.
func (j JacobsonTruax) Judge(c Cutoff, from, to float64) Significance {
	gain := j.healthward() * (to - from)
	past := func(total float64) float64 { return j.healthward() * (total - j.At(c)) }
	switch least := j.ReliableChange(); {
	case gain > least && past(from) < 0 && past(to) > 0:
		return JTRecovered
	case gain > least:
		return JTImproved
	case -gain > least && past(from) > 0 && past(to) < 0:
		return JTHarmed
	case -gain > least:
		return JTDeteriorated
	}
	return JTUnchanged
}

// SignificanceQuery asks how many changes were clinically significant.
type SignificanceQuery struct {
	Comparison
	Method JacobsonTruax
	Cutoff Cutoff
}

// SignificanceFigure counts the pairs by what their change amounts to. Each pair
// is in one category.
type SignificanceFigure struct {
	Flow       Pairing
	Categories map[Significance]Rate // of all pairs
	Cutoff     float64               // points
	Least      float64               // the reliable change, points
	Method     JacobsonTruax         // as applied

	query  SignificanceQuery
	places tally[place]
	pairs  tally[Significance]
	who    witnesses[place]
	judged witnesses[Significance]
	shows  shown // the numbers that are shown
}

// Compute reads the people once. It fails with the error of the cases, and is
// Invalid where the time-points are one.
func (q SignificanceQuery) Compute(cases Cases) (SignificanceFigure, error) {
	if err := q.check(); err != nil {
		return SignificanceFigure{}, err
	}
	s := SignificanceFigure{
		Cutoff: q.Method.At(q.Cutoff), Least: q.Method.ReliableChange(), Method: q.Method,
		query: q, places: tally[place]{}, pairs: tally[Significance]{},
	}
	for c, err := range cases {
		if err != nil {
			return SignificanceFigure{}, err
		}
		p := q.find(c)
		s.places[p.place]++
		s.who.add(p.place, c, p.first, p.then)
		if p.paired() {
			is := q.Method.Judge(q.Cutoff, *p.first.Total, *p.then.Total)
			s.pairs[is]++
			s.judged.add(is, c, p.first, p.then)
		}
	}
	return s.showing(everything(flowCounts(s.places, nil, nil)).with(everything(significances()))), nil
}

// significances are the numbers of the figure, those that matter most first.
func significances() []counted[Significance] {
	out := []counted[Significance]{{countPaired, func(Significance) bool { return true }}}
	for _, s := range []Significance{JTRecovered, JTImproved, JTUnchanged, JTDeteriorated, JTHarmed} {
		out = append(out, counted[Significance]{string(s), func(is Significance) bool { return is == s }})
	}
	return out
}

// Bases lists what the numbers that are shown were computed from.
func (s SignificanceFigure) Bases() []Basis {
	what := s.query.Instrument
	return append(s.who.heads(what, s.shows, flowCounts(s.places, nil, nil)...), s.judged.heads(what, s.shows, significances()...)...)
}

// Withheld is the figure as it may be shown.
func (s SignificanceFigure) Withheld(threshold int) SignificanceFigure {
	return s.showing(showable(s.pairs, significances(), threshold).with(showable(s.places, flowCounts(s.places, nil, nil), threshold)))
}

func (s SignificanceFigure) showing(may shown) SignificanceFigure {
	s.shows = may
	s.Flow, s.Categories = pairing(s.places, may), map[Significance]Rate{}
	of := s.pairs.people(func(Significance) bool { return true })
	for _, number := range significances()[1:] {
		s.Categories[Significance(number.name)] = may.rate(number.name, s.pairs.people(number.in), countPaired, of, group{}.words())
	}
	return s
}

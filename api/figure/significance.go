package figure

import (
	"context"
	"math"
	"strconv"

	"github.com/protrack/protrack/api/question"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/research"
)

// Significance is how many changes were clinically significant by the
// method of Jacobson and Truax. Each pair is in one category, and all rates are
// of all pairs.
type Significance struct {
	Frame
	Instrument   string             `json:"instrument" example:"phq-9"`
	Points       Points             `json:"time_points"`
	Flow         PairFlow           `json:"flow"`
	Paired       *int               `json:"n" extensions:"x-nullable"`
	Recovered    Rate               `json:"recovered"` // reliably better, and past the cut-off
	Improved     Rate               `json:"improved"`  // reliably better
	Unchanged    Rate               `json:"unchanged"`
	Deteriorated Rate               `json:"deteriorated"` // reliably worse
	Harmed       Rate               `json:"harmed"`       // reliably worse, and past the cut-off
	Method       SignificanceMethod `json:"method"`
} //	@name	SignificanceFigure

// SignificanceMethod is by what a change was judged, in points.
type SignificanceMethod struct {
	DysfunctionalMean float64 `json:"dysfunctional_mean" example:"16.5"`
	DysfunctionalSD   float64 `json:"dysfunctional_sd" example:"5.1"`
	FunctionalMean    float64 `json:"functional_mean" example:"3.3"`
	FunctionalSD      float64 `json:"functional_sd" example:"3.8"`
	Reliability       float64 `json:"reliability" example:"0.84"`
	Cutoff            string  `json:"cutoff" enums:"a,b,c"`
	CutoffAt          float64 `json:"cutoff_at"`       // where the range of the functional begins
	SEM               float64 `json:"sem"`             // standard error of measurement
	SDiff             float64 `json:"s_diff"`          // SD of the difference of two scores of somebody who has not changed
	ReliableChange    float64 `json:"reliable_change"` // 1.96 of these; a change must be more
} //	@name	SignificanceMethod

func significanceMethod(q cohort.SignificanceQuery) SignificanceMethod {
	j := q.Method
	return SignificanceMethod{
		DysfunctionalMean: j.Dysfunctional.Mean, DysfunctionalSD: j.Dysfunctional.SD, FunctionalMean: j.Functional.Mean, FunctionalSD: j.Functional.SD,
		Reliability: j.Reliability, Cutoff: string(q.Cutoff), SEM: j.MeasurementError(), SDiff: j.DifferenceSD(),
	}
}

func (p parameters) significance() cohort.SignificanceQuery {
	out := cohort.SignificanceQuery{
		Comparison: p.comparison(p.instrument()), Cutoff: question.Choice(p.Reader, "cutoff", cohort.CutoffC, cohort.CutoffA, cohort.CutoffB, cohort.CutoffC),
	}
	norm := func(population string) cohort.Norm {
		return cohort.Norm{
			Mean: p.real(population+"_mean", -mostPoints, mostPoints), SD: p.real(population+"_sd", leastSD, mostPoints),
		}
	}
	out.Method = cohort.JacobsonTruax{Dysfunctional: norm("dysfunctional"), Functional: norm("functional"), Reliability: p.real("reliability", 0, 1)}
	return out
}

// No instrument has more points, and none tells people apart by fewer.
const (
	mostPoints = 1_000_000
	leastSD    = 1e-6
)

// real gives a number that must be told.
func (p parameters) real(name string, least, most float64) float64 {
	v := p.Text(name, "")
	if v == "" {
		p.Fault(name, "required", "Tell the number.")
		return 0
	}
	x, err := strconv.ParseFloat(v, 64)
	if err != nil || math.IsNaN(x) || x < least || x > most {
		p.Fault(name, "out_of_range", "The parameter is a number from "+strconv.FormatFloat(least, 'f', -1, 64)+" to "+strconv.FormatFloat(most, 'f', -1, 64)+".")
		return 0
	}
	return x
}

// AskSignificance tells how many changes were clinically significant.
func AskSignificance(ctx context.Context, r *research.Service, who auth.Principal, q *question.Reader) (Significance, error) {
	p := parameters{q}
	asked := p.significance()
	f, err := p.figure()
	if err != nil {
		return Significance{}, err
	}
	found, frame, err := r.Significance(ctx, who, f, asked)
	rate := func(s cohort.Significance) Rate { return rateOf(found.Categories[s]) }
	out := Significance{
		Frame: frameOf(frame), Instrument: asked.Instrument, Points: pointsOf(asked.Comparison), Flow: pairFlowOf(found.Flow), Paired: found.Flow.Paired,
		Recovered: rate(cohort.JTRecovered), Improved: rate(cohort.JTImproved), Unchanged: rate(cohort.JTUnchanged),
		Deteriorated: rate(cohort.JTDeteriorated), Harmed: rate(cohort.JTHarmed), Method: significanceMethod(asked),
	}
	out.Method.CutoffAt, out.Method.ReliableChange = found.Cutoff, found.Least
	return out, err
}

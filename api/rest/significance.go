package rest

import (
	"context"
	"math"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/research"
)

// SignificanceFigure is how many changes were clinically significant by the
// method of Jacobson and Truax. Each pair is in one category, and all rates are
// of all pairs.
type SignificanceFigure struct {
	FigureFrame
	Instrument   string             `json:"instrument" example:"phq-9"`
	Points       FigurePoints       `json:"time_points"`
	Flow         PairFlow           `json:"flow"`
	Paired       *int               `json:"n" extensions:"x-nullable"`
	Recovered    FigureRate         `json:"recovered"` // reliably better, and past the cut-off
	Improved     FigureRate         `json:"improved"`  // reliably better
	Unchanged    FigureRate         `json:"unchanged"`
	Deteriorated FigureRate         `json:"deteriorated"` // reliably worse
	Harmed       FigureRate         `json:"harmed"`       // reliably worse, and past the cut-off
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

// cohortSignificance tells how many changes were clinically significant.
//
//	@Summary		Clinically significant change
//	@Description	By Jacobson and Truax (1991), with the norms of two published samples: recovered, improved, unchanged, deteriorated and harmed, each of all pairs. Cut-off a is two SD beyond the dysfunctional mean, b within two SD of the functional one, c where a person is as likely of either.
//	@Tags			research
//	@Produce		json,text/csv
//	@Param			instrument			query		string	true	"Instrument"	example(phq-9)
//	@Param			dysfunctional_mean	query		number	true	"Mean of those who are ill, in points"	example(16.5)
//	@Param			dysfunctional_sd	query		number	true	"Their standard deviation"	example(5.1)
//	@Param			functional_mean		query		number	true	"Mean of those who are well"	example(3.3)
//	@Param			functional_sd		query		number	true	"Their standard deviation"	example(3.8)
//	@Param			reliability			query		number	true	"Reliability of the instrument"	minimum(0)	maximum(1)	example(0.84)
//	@Param			cutoff				query		string	false	"Where the range of the functional begins"	Enums(a, b, c)	default(c)
//	@Param			from				query		string	false	"Time-point"	default(baseline)
//	@Param			to					query		string	false	"Time-point"	default(last)
//	@Param			recall_window		query		string	false	"Only assessments with this recall window"	example(P14D)
//	@Param			cohort				query		string	false	"A saved cohort"			format(uuid)
//	@Param			as_of				query		string	false	"What was known at this time"	format(date-time)
//	@Param			population			query		string	false	"Whom it is about; absent: the clinic's clients for who may read the caseload"	Enums(clinic, research)
//	@Param			cells				query		string	false	"Whether numbers of few people are withheld"	Enums(withheld, all)	default(withheld)
//	@Param			format				query		string	false	"Form of the answer"	Enums(json, csv)	default(json)
//	@Success		200					{object}	SignificanceFigure
//	@Failure		401,403,409,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/cohort/significance [get]
func (h *Handlers) cohortSignificance(c echo.Context, who auth.Principal) error {
	q := query(c)
	asked := significanceQuery(q)
	return sendFigure(c, q, "significance", func(ctx context.Context, f research.FigureQuery) (SignificanceFigure, error) {
		found, frame, err := h.Research.Significance(ctx, who, f, asked)
		rate := func(s cohort.Significance) FigureRate { return rateOf(found.Categories[s]) }
		out := SignificanceFigure{
			FigureFrame: frameOf(frame), Instrument: asked.Instrument, Points: pointsOf(asked.Comparison), Flow: pairFlowOf(found.Flow), Paired: found.Flow.Paired,
			Recovered: rate(cohort.JTRecovered), Improved: rate(cohort.JTImproved), Unchanged: rate(cohort.JTUnchanged),
			Deteriorated: rate(cohort.JTDeteriorated), Harmed: rate(cohort.JTHarmed), Method: significanceMethod(asked),
		}
		out.Method.CutoffAt, out.Method.ReliableChange = found.Cutoff, found.Least
		return out, err
	})
}

func significanceQuery(q *params) cohort.SignificanceQuery {
	out := cohort.SignificanceQuery{
		Comparison: q.comparison(q.instrument()), Cutoff: choice(q, "cutoff", cohort.CutoffC, cohort.CutoffA, cohort.CutoffB, cohort.CutoffC),
	}
	norm := func(population string) cohort.Norm {
		return cohort.Norm{
			Mean: q.real(population+"_mean", -mostPoints, mostPoints), SD: q.real(population+"_sd", leastSD, mostPoints),
		}
	}
	out.Method = cohort.JacobsonTruax{Dysfunctional: norm("dysfunctional"), Functional: norm("functional"), Reliability: q.real("reliability", 0, 1)}
	return out
}

// No instrument has more points, and none tells people apart by fewer.
const (
	mostPoints = 1_000_000
	leastSD    = 1e-6
)

// real gives a number that must be told.
func (p *params) real(name string, least, most float64) float64 {
	v := p.text(name, "")
	if v == "" {
		p.fault(name, "required", "Tell the number.")
		return 0
	}
	x, err := strconv.ParseFloat(v, 64)
	if err != nil || math.IsNaN(x) || x < least || x > most {
		p.fault(name, "out_of_range", "The parameter is a number from "+strconv.FormatFloat(least, 'f', -1, 64)+" to "+strconv.FormatFloat(most, 'f', -1, 64)+".")
		return 0
	}
	return x
}

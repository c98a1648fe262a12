package rest

import (
	"context"

	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/research"
)

// FlowFigure is who was there, who was expected and who was lost.
type FlowFigure struct {
	FigureFrame
	Instrument string         `json:"instrument" example:"phq-9"`
	Enrolled   *int           `json:"enrolled" extensions:"x-nullable"`
	Treated    *int           `json:"treated" extensions:"x-nullable"`  // at least one dose
	Baseline   *int           `json:"baseline" extensions:"x-nullable"` // of the treated: with a baseline score
	NoBaseline []FigureReason `json:"no_baseline"`                      // why the other treated people have none
	Points     []FlowAtPoint  `json:"time_points"`
	Withheld   bool           `json:"withheld"`
} //	@name	FlowFigure

// FlowAtPoint is the flow at one time-point, of the people who were treated.
type FlowAtPoint struct {
	At         string     `json:"at" example:"after_session:1"`
	NotReached *int       `json:"not_reached" extensions:"x-nullable"` // the session has not taken place, or the window is still open
	NextCourse *int       `json:"next_course" extensions:"x-nullable"` // another course began before the window closed
	Expected   *int       `json:"expected" extensions:"x-nullable"`    // all others
	Observed   *int       `json:"observed" extensions:"x-nullable"`    // of these: something was filled in
	NotScored  *int       `json:"not_scored" extensions:"x-nullable"`  // of these: without a total
	Evaluable  *int       `json:"evaluable" extensions:"x-nullable"`   // scored, and at baseline too
	Lost       FigureRate `json:"lost"`
	Words      string     `json:"words"`
	Withheld   bool       `json:"withheld"`
} //	@name	FlowAtPoint

func flowAtPoint(p cohort.FlowPoint) FlowAtPoint {
	return FlowAtPoint{
		At: p.At.String(), NotReached: p.NotReached, NextCourse: p.NextCourse, Expected: p.Expected, Observed: p.Observed, NotScored: p.NotScored, Evaluable: p.Evaluable,
		Lost: rateOf(p.Lost), Words: p.Words, Withheld: hidden(p.NotReached, p.NextCourse, p.Expected, p.Observed, p.NotScored, p.Evaluable, p.Lost.N),
	}
}

// cohortFlow tells who was there, who was expected and who was lost.
//
//	@Summary		Flow of people through treatment
//	@Description	Enrolled, treated, with a baseline, and at each time-point expected, observed, evaluable and lost, with reasons.
//	@Tags			research
//	@Produce		json,text/csv
//	@Param			instrument		query		string	true	"Instrument"	example(phq-9)
//	@Param			at				query		string	false	"Time-points with commas between them; absent: after each session that anybody had, and 1, 3, 6 and 12 months"	example(after_session:1,days:30:7)
//	@Param			recall_window	query		string	false	"Only assessments with this recall window"	example(P14D)
//	@Param			cohort			query		string	false	"A saved cohort"			format(uuid)
//	@Param			as_of			query		string	false	"What was known at this time"	format(date-time)
//	@Param			population		query		string	false	"Whom it is about; absent: the clinic's clients for who may read the caseload"	Enums(clinic, research)
//	@Param			cells			query		string	false	"Whether numbers of few people are withheld"	Enums(withheld, all)	default(withheld)
//	@Param			format			query		string	false	"Form of the answer"	Enums(json, csv)	default(json)
//	@Success		200				{object}	FlowFigure
//	@Failure		401,403,409,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/cohort/flow [get]
func (h *Handlers) cohortFlow(c echo.Context, who auth.Principal) error {
	q := query(c)
	asked := cohort.FlowQuery{Instrument: q.instrument(), Points: q.points("at"), Window: q.window()}
	return sendFigure(c, q, "flow", func(ctx context.Context, f research.FigureQuery) (FlowFigure, error) {
		found, frame, err := h.Research.Flow(ctx, who, f, asked)
		out := FlowFigure{
			FigureFrame: frameOf(frame), Instrument: asked.Instrument, Enrolled: found.Enrolled, Treated: found.Treated,
			Baseline: found.Baseline, NoBaseline: reasonsOf(found.NoBaseline), Points: convert(found.Points, flowAtPoint),
		}
		out.Withheld = hidden(out.Enrolled, out.Treated, out.Baseline) || reasonsHidden(out.NoBaseline)
		return out, err
	})
}

package rest

import (
	"context"

	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/research"
)

// MeanDifference is the mean of a list of differences, later minus earlier.
type MeanDifference struct {
	N        *int             `json:"n" extensions:"x-nullable"`
	Mean     *float64         `json:"mean" extensions:"x-nullable"`
	SD       *float64         `json:"sd" extensions:"x-nullable"`
	CI95     *cohort.Interval `json:"ci95" extensions:"x-nullable" swaggertype:"array,number"`
	Withheld bool             `json:"withheld"`
} //	@name	MeanDifference

func meanOf(m cohort.Estimate) MeanDifference {
	return MeanDifference{N: m.N, Mean: m.Mean, SD: m.SD, CI95: m.CI95, Withheld: hidden(m.N)}
}

// SessionEffect is what the session of a number did to those who had it. Each
// difference is of the people who have both of its scores.
type SessionEffect struct {
	Number        int             `json:"number" example:"1"`
	Taken         *int            `json:"taken" extensions:"x-nullable"` // people who had it
	WithBefore    *int            `json:"with_before" extensions:"x-nullable"`
	WithAfter     *int            `json:"with_after" extensions:"x-nullable"`
	Paired        *int            `json:"paired" extensions:"x-nullable"`
	Across        MeanDifference  `json:"across"`                                // after minus before
	Held          MeanDifference  `json:"held"`                                  // before the next session minus after this one
	FromBaseline  MeanDifference  `json:"from_baseline"`                         // after minus baseline
	HeldShare     *float64        `json:"held_share" extensions:"x-nullable"`    // how much of the change from baseline is there before the next session
	HeldOf        *int            `json:"held_share_of" extensions:"x-nullable"` // people with all three scores
	Windows       []RecallWindows `json:"recall_windows"`
	RecallOverlap *float64        `json:"recall_overlap" extensions:"x-nullable"` // mean share of the time asked about afterwards that was asked about before
	OverlapOf     *int            `json:"recall_overlap_of" extensions:"x-nullable"`
	Withheld      bool            `json:"withheld"`
} //	@name	SessionEffect

func sessionEffect(s cohort.SessionEffect) SessionEffect {
	return SessionEffect{
		Number: s.Number, Taken: s.Taken, WithBefore: s.WithBefore, WithAfter: s.WithAfter, Paired: s.Paired,
		Across: meanOf(s.Across), Held: meanOf(s.Held), FromBaseline: meanOf(s.FromBaseline), HeldShare: s.HeldShare, HeldOf: s.HeldOf,
		Windows:       windowsOf(s.Windows),
		RecallOverlap: s.RecallOverlap, OverlapOf: s.OverlapOf, Withheld: hidden(s.Taken, s.WithBefore, s.WithAfter, s.Paired, s.HeldOf, s.OverlapOf),
	}
}

// SessionsFigure is the effect by session number.
type SessionsFigure struct {
	FigureFrame
	Instrument string          `json:"instrument" example:"phq-9"`
	Enrolled   *int            `json:"enrolled" extensions:"x-nullable"`
	Treated    *int            `json:"treated" extensions:"x-nullable"`
	Sessions   []SessionEffect `json:"sessions"`
	Withheld   bool            `json:"withheld"`
} //	@name	SessionsFigure

// cohortSessions tells what happened across each dosing session.
//
//	@Summary		Effect of each dosing session
//	@Description	By session number: the difference across the session, what was held until the next, and the difference from baseline, each with its own n.
//	@Tags			research
//	@Produce		json,text/csv
//	@Param			instrument		query		string	true	"Instrument"	example(phq-9)
//	@Param			recall_window	query		string	false	"Only assessments with this recall window"	example(P14D)
//	@Param			cohort			query		string	false	"A saved cohort"			format(uuid)
//	@Param			as_of			query		string	false	"What was known at this time"	format(date-time)
//	@Param			population		query		string	false	"Whom it is about; absent: the clinic's clients for who may read the caseload"	Enums(clinic, research)
//	@Param			cells			query		string	false	"Whether numbers of few people are withheld"	Enums(withheld, all)	default(withheld)
//	@Param			format			query		string	false	"Form of the answer"	Enums(json, csv)	default(json)
//	@Success		200				{object}	SessionsFigure
//	@Failure		401,403,409,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/cohort/sessions [get]
func (h *Handlers) cohortSessions(c echo.Context, who auth.Principal) error {
	q := query(c)
	asked := cohort.SessionsQuery{Instrument: q.instrument(), Window: q.window()}
	return sendFigure(c, q, "sessions", func(ctx context.Context, f research.FigureQuery) (SessionsFigure, error) {
		found, frame, err := h.Research.Sessions(ctx, who, f, asked)
		return SessionsFigure{
			FigureFrame: frameOf(frame), Instrument: asked.Instrument, Enrolled: found.Enrolled, Treated: found.Treated,
			Sessions: convert(found.Sessions, sessionEffect), Withheld: hidden(found.Enrolled, found.Treated),
		}, err
	})
}

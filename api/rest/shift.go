package rest

import (
	"context"

	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/research"
)

// PairTable counts pairs by what they were at from (rows) and at to (columns).
type PairTable struct {
	Counts   [][]*int `json:"counts" swaggertype:"array,array,integer"` // null: withheld
	Rows     []*int   `json:"rows" swaggertype:"array,integer"`         // sums
	Columns  []*int   `json:"columns" swaggertype:"array,integer"`
	N        *int     `json:"n" extensions:"x-nullable"`
	Withheld bool     `json:"withheld"`
} //	@name	PairTable

func tableOf(t cohort.Crosstab) PairTable {
	out := PairTable{Rows: t.Rows, Columns: t.Columns, N: t.N, Withheld: hidden(t.N) || hidden(t.Rows...) || hidden(t.Columns...)}
	for _, row := range t.Counts {
		out.Counts = append(out.Counts, row)
		out.Withheld = out.Withheld || hidden(row...)
	}
	return out
}

// ShiftFigure is from which band of severity to which people moved.
type ShiftFigure struct {
	FigureFrame
	Instrument string       `json:"instrument" example:"phq-9"`
	Points     FigurePoints `json:"time_points"`
	Flow       PairFlow     `json:"flow"`
	Bands      []string     `json:"bands"` // of rows and columns, the mildest first
	PairTable
} //	@name	ShiftFigure

// cohortShift tells from which band of severity to which people moved.
//
//	@Summary		Shift between bands of severity
//	@Description	Rows are bands at from, columns at to. An instrument without bands has two, on either side of its cut-point.
//	@Tags			research
//	@Produce		json,text/csv
//	@Param			instrument		query		string	true	"Instrument"	example(phq-9)
//	@Param			from			query		string	false	"Time-point"	default(baseline)
//	@Param			to				query		string	false	"Time-point"	default(last)
//	@Param			recall_window	query		string	false	"Only assessments with this recall window"	example(P14D)
//	@Param			cohort			query		string	false	"A saved cohort"			format(uuid)
//	@Param			as_of			query		string	false	"What was known at this time"	format(date-time)
//	@Param			population		query		string	false	"Whom it is about; absent: the clinic's clients for who may read the caseload"	Enums(clinic, research)
//	@Param			cells			query		string	false	"Whether numbers of few people are withheld"	Enums(withheld, all)	default(withheld)
//	@Param			format			query		string	false	"Form of the answer"	Enums(json, csv)	default(json)
//	@Success		200				{object}	ShiftFigure
//	@Failure		401,403,409,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/cohort/shift [get]
func (h *Handlers) cohortShift(c echo.Context, who auth.Principal) error {
	q := query(c)
	asked := q.comparison(q.instrument())
	return sendFigure(c, q, "shift", func(ctx context.Context, f research.FigureQuery) (ShiftFigure, error) {
		found, frame, err := h.Research.Shift(ctx, who, f, asked)
		return ShiftFigure{
			FigureFrame: frameOf(frame), Instrument: asked.Instrument, Points: pointsOf(asked),
			Flow: pairFlowOf(found.Flow), Bands: found.Bands, PairTable: tableOf(found.Crosstab),
		}, err
	})
}

// Item9Figure is how the answers 0 to 3 about suicidal thoughts moved. An answer
// of 0 says that nothing was reported, never that there is no risk.
type Item9Figure struct {
	FigureFrame
	Points FigurePoints `json:"time_points"`
	Flow   PairFlow     `json:"flow"`
	PairTable
	Improved *int `json:"improved" extensions:"x-nullable"` // a lower answer at to
	Worsened *int `json:"worsened" extensions:"x-nullable"`
	NewOnset *int `json:"new_onset" extensions:"x-nullable"` // 0 at from, 1 or more at to
	Gone     *int `json:"gone" extensions:"x-nullable"`      // 1 or more at from, 0 at to
} //	@name	Item9Figure

// cohortItem9 tells how the answers about suicidal thoughts moved.
//
//	@Summary		Shift of the answers to PHQ-9 item 9
//	@Description	Rows are answers 0 to 3 at from, columns at to. An answer of 0 says that nothing was reported, never that there is no risk.
//	@Tags			research
//	@Produce		json,text/csv
//	@Param			from			query		string	false	"Time-point"	default(baseline)
//	@Param			to				query		string	false	"Time-point"	default(last)
//	@Param			recall_window	query		string	false	"Only assessments with this recall window"	example(P14D)
//	@Param			cohort			query		string	false	"A saved cohort"			format(uuid)
//	@Param			as_of			query		string	false	"What was known at this time"	format(date-time)
//	@Param			population		query		string	false	"Whom it is about; absent: the clinic's clients for who may read the caseload"	Enums(clinic, research)
//	@Param			cells			query		string	false	"Whether numbers of few people are withheld"	Enums(withheld, all)	default(withheld)
//	@Param			format			query		string	false	"Form of the answer"	Enums(json, csv)	default(json)
//	@Success		200				{object}	Item9Figure
//	@Failure		401,403,409,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/cohort/item9 [get]
func (h *Handlers) cohortItem9(c echo.Context, who auth.Principal) error {
	q := query(c)
	asked := q.comparison("")
	return sendFigure(c, q, "item9", func(ctx context.Context, f research.FigureQuery) (Item9Figure, error) {
		found, frame, err := h.Research.Item9(ctx, who, f, cohort.Item9Query{From: asked.From, To: asked.To, Window: asked.Window})
		return Item9Figure{
			FigureFrame: frameOf(frame), Points: pointsOf(asked), Flow: pairFlowOf(found.Flow), PairTable: tableOf(found.Crosstab),
			Improved: found.Improved, Worsened: found.Worsened, NewOnset: found.NewOnset, Gone: found.Gone,
		}, err
	})
}

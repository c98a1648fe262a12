package rest

import (
	"context"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/research"
)

// MeasuresFigure are the quality measures of depression care, of the PHQ-9.
type MeasuresFigure struct {
	FigureFrame
	Enrolled *int             `json:"enrolled" extensions:"x-nullable"`
	Index    *int             `json:"index" extensions:"x-nullable"` // people with an index event
	Measures []QualityMeasure `json:"measures"`
	Words    string           `json:"words"` // what holds for all of them
	Withheld bool             `json:"withheld"`
} //	@name	MeasuresFigure

// QualityMeasure is one measure. Its rates are of those with an index event
// whose window has closed.
type QualityMeasure struct {
	ID        string      `json:"id" example:"hedis-drr-e"`
	Title     string      `json:"title"`
	NotClosed *int        `json:"not_closed" extensions:"x-nullable"` // people whose window is still open
	FollowUp  FigureRate  `json:"follow_up"`                          // with a score in the window
	Remission FigureRate  `json:"remission"`
	Response  *FigureRate `json:"response" extensions:"x-nullable"` // null: no part of the measure
	Words     string      `json:"words"`
	Source    string      `json:"source"`
	Withheld  bool        `json:"withheld"`
} //	@name	QualityMeasure

func qualityMeasure(m cohort.Measure) QualityMeasure {
	out := QualityMeasure{
		ID: m.ID, Title: m.Title, NotClosed: m.NotClosed, FollowUp: rateOf(m.FollowUp), Remission: rateOf(m.Remission),
		Words: m.Words, Source: m.Source, Withheld: hidden(m.NotClosed),
	}
	if m.Response != nil {
		out.Response = new(rateOf(*m.Response))
	}
	return out
}

// cohortMeasures tells the quality measures of depression care.
//
//	@Summary		Quality measures of depression care
//	@Description	HEDIS DRR-E and CMS159 (MNCM), of the PHQ-9. The period is that of the index event. The measures' exclusions are not recorded here and not applied.
//	@Tags			research
//	@Produce		json,text/csv
//	@Param			index_from		query		string	false	"Index events then or later"	format(date-time)
//	@Param			index_to		query		string	false	"Index events before then"		format(date-time)
//	@Param			within_days		query		string	false	"Days on either side of 6 and 12 months"	Enums(60, 30)	default(60)
//	@Param			cohort			query		string	false	"A saved cohort"			format(uuid)
//	@Param			as_of			query		string	false	"What was known at this time"	format(date-time)
//	@Param			population		query		string	false	"Whom it is about; absent: the clinic's clients for who may read the caseload"	Enums(clinic, research)
//	@Param			cells			query		string	false	"Whether numbers of few people are withheld"	Enums(withheld, all)	default(withheld)
//	@Param			format			query		string	false	"Form of the answer"	Enums(json, csv)	default(json)
//	@Success		200				{object}	MeasuresFigure
//	@Failure		401,403,409,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/cohort/measures [get]
func (h *Handlers) cohortMeasures(c echo.Context, who auth.Principal) error {
	q := query(c)
	asked := measuresQuery(q)
	return sendFigure(c, q, "measures", func(ctx context.Context, f research.FigureQuery) (MeasuresFigure, error) {
		found, frame, err := h.Research.Measures(ctx, who, f, asked)
		return MeasuresFigure{
			FigureFrame: frameOf(frame), Enrolled: found.Enrolled, Index: found.Index, Measures: convert(found.Measures, qualityMeasure),
			Words: found.Words, Withheld: hidden(found.Enrolled, found.Index),
		}, err
	})
}

func measuresQuery(q *params) cohort.MeasuresQuery {
	out := cohort.MeasuresQuery{WithinDays: 60}
	if choice(q, "within_days", "60", "60", "30") == "30" {
		out.WithinDays = 30
	}
	for name, into := range map[string]*time.Time{"index_from": &out.From, "index_to": &out.To} {
		if t := q.time(name); t != nil {
			*into = *t
		}
	}
	if !out.From.IsZero() && !out.To.IsZero() && !out.From.Before(out.To) {
		q.fault("index_to", "before_start", "The period ends before it starts.")
	}
	return out
}

package rest

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/research"
	"github.com/protrack/protrack/pkg/trajectory"
)

// FigureFrame is what is told of every figure besides its numbers.
type FigureFrame struct {
	Population   string         `json:"population" enums:"clinic,research"` // all clients whom the caller may see, or those who agree to research now
	CohortID     *uuid.UUID     `json:"cohort_id" swaggertype:"string" format:"uuid" extensions:"x-nullable"`
	AsOf         time.Time      `json:"as_of" format:"date-time"`                   // up to when the record was read
	AsOfReason   string         `json:"as_of_reason" enums:"asked,too_few_changes"` // asked: as it is now, or as of the time that was chosen
	AsOfWords    string         `json:"as_of_words"`                                // why it is not as it is now; empty: it is
	SmallestCell *int           `json:"smallest_cell" extensions:"x-nullable"`      // people; numbers that tell of fewer are null. null: nothing is withheld
	LeftOut      []FigureReason `json:"left_out"`                                   // people whom the figure is not about
} //	@name	FigureFrame

// FigureReason is how many people are not counted, for one reason.
type FigureReason struct {
	Reason string `json:"reason" example:"no_research_consent"`
	N      *int   `json:"n" extensions:"x-nullable"` // null: withheld
} //	@name	FigureReason

func frameOf(f research.Frame) FigureFrame {
	out := FigureFrame{Population: string(f.Population), AsOf: f.Until, SmallestCell: f.SmallestCell, LeftOut: reasonsOf(f.LeftOut)}
	if out.AsOfReason = "asked"; f.Held {
		out.AsOfReason, out.AsOfWords = "too_few_changes", "Since then too few people have changed to tell of it."
	}
	if f.Cohort != nil {
		out.CohortID = &f.Cohort.ID
	}
	return out
}

func reasonsOf(all []cohort.LeftOut) []FigureReason {
	return convert(all, func(l cohort.LeftOut) FigureReason { return FigureReason(l) })
}

// absencesOf lists absences by name.
func absencesOf(counts map[cohort.Absence]cohort.Count) []FigureReason {
	return convert(slices.Sorted(maps.Keys(counts)), func(a cohort.Absence) FigureReason {
		return FigureReason{Reason: string(a), N: counts[a]}
	})
}

// FigureRate is a number of people as a share of others.
type FigureRate struct {
	N        *int             `json:"n" extensions:"x-nullable"`
	Of       *int             `json:"of" extensions:"x-nullable"`
	Rate     *float64         `json:"rate" extensions:"x-nullable" example:"0.46"`
	CI95     *cohort.Interval `json:"ci95" extensions:"x-nullable" swaggertype:"array,number"` // Wilson's score interval
	Words    string           `json:"words" example:"of all pairs"`                            // what "of" is
	Withheld bool             `json:"withheld"`
} //	@name	FigureRate

func rateOf(r cohort.Rate) FigureRate {
	return FigureRate{N: r.N, Of: r.Of, Rate: r.Rate, CI95: r.CI95, Words: r.Words, Withheld: hidden(r.N, r.Of)}
}

// hidden reports whether any of the counts is withheld.
func hidden(counts ...cohort.Count) bool { return slices.Contains(counts, nil) }

// reasonsHidden is hidden for reasons.
func reasonsHidden(lists ...[]FigureReason) bool {
	return slices.ContainsFunc(slices.Concat(lists...), func(r FigureReason) bool { return r.N == nil })
}

// common are the parameters that every figure has.
var common = []string{"cohort", "as_of", "population", "cells", "rules", "format"}

// figureQuery reads what every figure may be asked. What else was read is noted
// in the audit trail as it was asked.
func figureQuery(q *params) research.FigureQuery {
	out := research.FigureQuery{
		Cohort: q.id("cohort"), AsOf: q.time("as_of"), Population: choice(q, "population", "", research.OfClinic, research.OfResearch),
		AllCells: choice(q, "cells", "withheld", "withheld", "all") == "all", Asked: map[string]string{},
	}
	for name, values := range q.values {
		if q.read[name] && !slices.Contains(common, name) {
			out.Asked[name] = strings.Join(values, " ")
		}
	}
	return out
}

// point reads a time-point.
func (p *params) point(name, fallback string) cohort.TimePoint {
	point, err := cohort.ParseTimePoint(p.text(name, fallback))
	if err != nil {
		p.fault(name, "not_a_time_point", "A time-point is baseline, before_session:N, after_session:N, days:N:W or last.")
	}
	return point
}

// points reads a list of time-points with commas between them.
func (p *params) points(name string) []cohort.TimePoint {
	var out []cohort.TimePoint
	if v := p.text(name, ""); v != "" {
		for one := range strings.SplitSeq(v, ",") {
			point, err := cohort.ParseTimePoint(one)
			if err != nil {
				p.fault(name, "not_a_time_point", "Each time-point is baseline, before_session:N, after_session:N, days:N:W or last.")
				break
			}
			out = append(out, point)
		}
	}
	return out
}

// window reads a recall window.
func (p *params) window() string {
	v := p.text("recall_window", "")
	if v == "" {
		return ""
	}
	if _, err := trajectory.ParseWindow(v); err != nil {
		p.fault("recall_window", "not_a_window", "A recall window is a duration such as P14D, or since_last_session.")
	}
	return v
}

// instrument reads the instrument of a figure.
func (p *params) instrument() string {
	v := p.text("instrument", "")
	if v == "" {
		p.fault("instrument", "required", "Name the instrument.")
	}
	return v
}

// comparison reads what figures of two time-points share.
func (p *params) comparison(instrument string) cohort.Comparison {
	out := cohort.Comparison{
		Instrument: instrument, From: p.point("from", string(cohort.AtBaseline)), To: p.point("to", string(cohort.AtLast)), Window: p.window(),
	}
	if out.From == out.To && len(p.faults) == 0 {
		p.fault("to", "same_as_from", "The two time-points are the same: there is nothing to compare.")
	}
	return out
}

// sendFigure asks for a figure and sends it. The caller has read the parameters
// of its own.
func sendFigure[F any](c echo.Context, q *params, name string, ask func(context.Context, research.FigureQuery) (F, error)) error {
	asked := figureQuery(q)
	format := choice(q, "format", "json", "json", "csv")
	if err := q.err(); err != nil {
		return err
	}
	figure, err := ask(c.Request().Context(), asked)
	if err != nil {
		return err
	}
	if format == "csv" {
		return sendFigureCSV(c, name, figure)
	}
	return ok(c, figure)
}

package figure

import (
	"strings"

	"github.com/protrack/protrack/api/question"
	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/research"
	"github.com/protrack/protrack/pkg/trajectory"
)

// parameters read what figures are asked.
type parameters struct{ *question.Reader }

// common are the parameters that every figure has.
var common = []string{"cohort", "as_of", "population", "cells", "rules", "format"}

// figure reads what every figure may be asked, after its own parameters. What
// else was read is noted in the audit trail as it was asked.
func (p parameters) figure() (research.FigureQuery, error) {
	out := research.FigureQuery{
		Cohort: p.ID("cohort"), AsOf: p.Time("as_of"), Population: question.Choice(p.Reader, "population", "", research.OfClinic, research.OfResearch),
		AllCells: question.Choice(p.Reader, "cells", "withheld", "withheld", "all") == "all",
	}
	out.Asked = p.Asked(common...)
	return out, p.Err()
}

// point reads a time-point.
func (p parameters) point(name, fallback string) cohort.TimePoint {
	point, err := cohort.ParseTimePoint(p.Text(name, fallback))
	if err != nil {
		p.Fault(name, "not_a_time_point", "A time-point is baseline, before_session:N, after_session:N, days:N:W or last.")
	}
	return point
}

// points reads a list of time-points with commas between them.
func (p parameters) points(name string) []cohort.TimePoint {
	var out []cohort.TimePoint
	if v := p.Text(name, ""); v != "" {
		for one := range strings.SplitSeq(v, ",") {
			point, err := cohort.ParseTimePoint(one)
			if err != nil {
				p.Fault(name, "not_a_time_point", "Each time-point is baseline, before_session:N, after_session:N, days:N:W or last.")
				break
			}
			out = append(out, point)
		}
	}
	return out
}

// window reads a recall window.
func (p parameters) window() string {
	v := p.Text("recall_window", "")
	if v == "" {
		return ""
	}
	if _, err := trajectory.ParseWindow(v); err != nil {
		p.Fault("recall_window", "not_a_window", "A recall window is a duration such as P14D, or since_last_session.")
	}
	return v
}

// instrument reads the instrument of a figure.
func (p parameters) instrument() string {
	v := p.Text("instrument", "")
	if v == "" {
		p.Fault("instrument", "required", "Name the instrument.")
	}
	return v
}

// comparison reads what figures of two time-points share.
func (p parameters) comparison(instrument string) cohort.Comparison {
	out := cohort.Comparison{
		Instrument: instrument, From: p.point("from", string(cohort.AtBaseline)), To: p.point("to", string(cohort.AtLast)), Window: p.window(),
	}
	if out.From == out.To && p.Sound() {
		p.Fault("to", "same_as_from", "The two time-points are the same: there is nothing to compare.")
	}
	return out
}

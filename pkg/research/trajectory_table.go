package research

import (
	"context"
	"iter"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/export"
	"github.com/protrack/protrack/pkg/trajectory"
)

// line is a client's trajectory on one instrument, or a field of it.
type (
	line      = *trajectory.Trajectory
	lineField = field[line]
)

// trajectoryTable has one row a client and instrument.
func (x *Export) trajectoryTable(ctx context.Context, r Reader, set []questionnaire) export.Table {
	fields := append(x.marks(set), verdicts()...)
	fields = append(fields, durations()...)
	return export.Table{
		Name: "trajectories", Title: "Trajectories, one a client and instrument", Columns: columnsOf(fields),
		Rows: rowsOf(x.patients(ctx, r, HistoryQuery{}), fields, x.lines(set)),
	}
}

// lines are the trajectories of a patient, by instrument. Forms come in order of
// instrument; what is only planned is no first dose.
func (x *Export) lines(set []questionnaire) func(*patient) iter.Seq2[line, error] {
	by := make(map[string]questionnaire, len(set))
	for _, q := range set {
		by[q.ID] = q
	}
	return func(p *patient) iter.Seq2[line, error] {
		return func(yield func(line, error) bool) {
			var begun []care.Session
			for _, v := range p.visits {
				if !v.planned {
					begun = append(begun, v.Session)
				}
			}
			for forms := p.Forms; len(forms) > 0; {
				n := 1
				for n < len(forms) && forms[n].Instrument == forms[0].Instrument {
					n++
				}
				id := forms[0].Instrument
				series, rules := care.SeriesOf(by[id].Definition, pointsOf(forms[:n]), begun, x.Terms.Rules[id])
				tr := trajectory.Compute(series, rules, trajectory.Options{})
				if !yield(&tr, nil) {
					return
				}
				forms = forms[n:]
			}
		}
	}
}

func pointsOf(forms []Form) []care.Point {
	out := make([]care.Point, len(forms))
	for i := range forms {
		f := &forms[i]
		out[i] = care.Point{
			ID: f.ID, Instrument: f.Instrument, SessionID: f.SessionID, Timing: f.Timing, CompletedAt: f.CompletedAt,
			RecallWindow: f.RecallWindow, InstrumentVersion: f.InstrumentVersion, Total: f.Total, Severity: f.Severity, Prorated: f.Prorated,
		}
	}
	return out
}

// marks are the columns of where a client began, stands and was best.
func (x *Export) marks(set []questionnaire) []lineField {
	out := []lineField{
		clientField[line](x.disguise),
		{instrumentColumn(set), func(_ *patient, t line) export.Cell { return export.TextCell(t.Instrument) }},
	}
	for _, m := range []struct {
		name, label, source string
		of                  func(line) *trajectory.Mark
	}{
		{"baseline", "Baseline", "The first score", func(t line) *trajectory.Mark { return t.Baseline }},
		{"latest", "Latest score", "The last score", func(t line) *trajectory.Mark { return t.Latest }},
		{"best", "Best score", "The best score from the baseline on, the earliest of equals", func(t line) *trajectory.Mark { return t.Best }},
	} {
		total := totalColumn(m.name, m.label, set...)
		total.Source = m.source
		out = append(out,
			lineField{total, func(_ *patient, t line) export.Cell {
				if mark := m.of(t); mark != nil {
					return export.RealCell(mark.Total)
				}
				return export.Cell{Missing: export.NotObserved}
			}},
			lineField{reached(numeric(m.name+"_days", "Days from the first dose to the "+m.label, "days", daysSource)),
				func(p *patient, t line) export.Cell {
					if mark := m.of(t); mark != nil {
						return p.days(mark.At)
					}
					return export.Cell{Missing: export.NotObserved}
				}})
	}
	return out
}

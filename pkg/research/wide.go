package research

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/export"
)

// widest bounds the columns of the shape wide: dosing sessions with a higher
// number have none.
const widest = 99

// stage is a column of the shape wide: an instrument at a time-point.
type stage struct {
	column     string
	instrument string
	point      cohort.TimePoint
}

// treated is a patient as the figures see them, with the scores found.
type treated struct {
	scores []export.Cell // by stage
	why    string        // of those that are missing
}

// wideTable has one row a client, with a column for each instrument at each
// time-point. What belongs to a later course of treatment has none.
func (x *Export) wideTable(ctx context.Context, r Reader, set []questionnaire) export.Table {
	stages, columns := stagesOf(set, x.Terms.Sessions)
	fields := []field[*treated]{clientField[*treated](x.disguise), ofPatient(x.sex()), ofPatient(x.age())}
	for i, c := range columns {
		fields = append(fields, field[*treated]{c, func(_ *patient, t *treated) export.Cell { return t.scores[i] }})
	}
	fields = append(fields, field[*treated]{missingColumn("Totals that are missing, each with the reason"), func(_ *patient, t *treated) export.Cell {
		return export.Cell{Text: t.why}
	}})
	return export.Table{
		Name: "assessments_wide", Title: "Assessments, one client a row", Columns: columnsOf(fields),
		Rows: rowsOf(x.patients(ctx, r, HistoryQuery{}), fields, x.treated(stages)),
	}
}

func ofPatient(f person) field[*treated] {
	return field[*treated]{f.Column, func(p *patient, _ *treated) export.Cell { return f.cell(p, p) }}
}

// treated finds the scores of a patient at the stages.
func (x *Export) treated(stages []stage) func(*patient) iter.Seq2[*treated, error] {
	t := &treated{scores: make([]export.Cell, len(stages))}
	var reasons []byte
	return func(p *patient) iter.Seq2[*treated, error] {
		return func(yield func(*treated, error) bool) {
			c := caseOf(p.History, x.Until())
			reasons = reasons[:0]
			for i, s := range stages {
				score, absent := c.Find(s.point, s.instrument, "")
				if absent == "" {
					t.scores[i] = export.RealPtr(score.Total)
					continue
				}
				t.scores[i] = export.Cell{Missing: absences[absent]}
				reasons = appendReason(reasons, s.column, absences[absent])
			}
			t.why = string(reasons)
			yield(t, nil)
		}
	}
}

// absences are the reasons of a missing score as files know them.
var absences = map[cohort.Absence]export.Missing{
	cohort.NotTreated: export.NotReached, cohort.NotReached: export.NotReached, cohort.NextCourse: export.NotReached,
	cohort.NotAssessed: export.NotObserved, cohort.NotScored: export.Unknown,
}

// stagesOf are the columns of questionnaires up to a number of dosing sessions.
func stagesOf(set []questionnaire, sessions int) (stages []stage, columns []export.Column) {
	taken := map[string]bool{}
	for _, q := range set {
		stem := stemOf(q.ID, taken)
		add := func(suffix, label string, point cohort.TimePoint) {
			c := totalColumn(stem+suffix, q.Title+", "+label, q)
			c.Source += ". Time-point " + point.String()
			c.Reasons = []export.Missing{export.Unknown, export.NotReached, export.NotObserved}
			stages, columns = append(stages, stage{c.Name, q.ID, point}), append(columns, c)
		}
		add("_baseline", "baseline", cohort.TimePoint{Kind: cohort.AtBaseline})
		for n := 1; n <= sessions; n++ {
			add(fmt.Sprintf("_b%02d", n), fmt.Sprintf("before dosing session %d", n), cohort.TimePoint{Kind: cohort.BeforeSession, Session: n})
			add(fmt.Sprintf("_a%02d", n), fmt.Sprintf("after dosing session %d", n), cohort.TimePoint{Kind: cohort.AfterSession, Session: n})
		}
		for _, p := range cohort.FollowUps() {
			add(fmt.Sprintf("_d%03.0f", p.Days), fmt.Sprintf("%.0f days after the first dose", p.Days), p)
		}
		add("_last", "last score", cohort.TimePoint{Kind: cohort.AtLast})
	}
	return stages, columns
}

// maxStem leaves room for what a stem's columns end with, and for a number.
const maxStem = 20

// stemOf is what the columns of an instrument begin with: phq9 for phq-9. Two
// instruments never have the same.
func stemOf(id string, taken map[string]bool) string {
	plain := strings.ReplaceAll(id, "-", "")
	plain = plain[:min(len(plain), maxStem)]
	stem := plain
	for n := 2; taken[stem]; n++ {
		stem = fmt.Sprintf("%s_%d", plain, n)
	}
	taken[stem] = true
	return stem
}

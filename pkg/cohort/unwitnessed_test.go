package cohort_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/trajectory"
)

// basing is a figure that tells what it was computed from.
type basing interface{ Bases() []cohort.Basis }

// unwitnessedFigures are all figures that read scores.
func unwitnessedFigures(t *testing.T, cases cohort.Cases) map[string]basing {
	t.Helper()
	between := cohort.Comparison{Instrument: "phq-9", From: cohort.TimePoint{Kind: cohort.AtBaseline}, To: cohort.TimePoint{Kind: cohort.AtLast}}
	change := cohort.ChangeQuery{Comparison: between, Direction: trajectory.LowerIsBetter, Rules: nhsRules()}
	return map[string]basing{
		"change":   must[cohort.Change](t)(change.Compute(cases)),
		"survival": must[cohort.Survival](t)(responseOf("").Compute(cases)),
		"flow":     must[cohort.Flow](t)(cohort.FlowQuery{Instrument: "phq-9"}.Compute(cases)),
		"sessions": must[cohort.Sessions](t)(cohort.SessionsQuery{Instrument: "phq-9"}.Compute(cases)),
		"expected": must[cohort.Expected](t)(cohort.ExpectedQuery{Instrument: "phq-9"}.Compute(cases)),
		"measures": must[cohort.Measures](t)(cohort.MeasuresQuery{}.Compute(cases)),
	}
}

func data(f basing) (n int) {
	for _, b := range f.Bases() {
		n += len(b.Data)
	}
	return n
}

func TestFiguresKeepNothingOfWhoIsUnwitnessed(t *testing.T) {
	people := busyClinic()[:60]
	seen := unwitnessedFigures(t, casesOf(people...))
	for _, p := range people {
		p.Unwitnessed = true
	}
	for name, f := range unwitnessedFigures(t, casesOf(people...)) {
		if data(seen[name]) == 0 {
			t.Errorf("%s: no data of those who are witnessed", name)
		}
		if n := data(f); n > 0 {
			t.Errorf("%s: %d data were kept", name, n)
		}
		if diff := cmp.Diff(string(asJSON(t, seen[name])), string(asJSON(t, f))); diff != "" {
			t.Errorf("%s: the numbers differ (-witnessed +unwitnessed):\n%s", name, diff)
		}
	}
}

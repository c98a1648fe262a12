package research_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/instrument"
	"github.com/protrack/protrack/pkg/research"
)

func TestAFilterHoldsWhoFitsAllThatItAsks(t *testing.T) {
	treated := research.CaseOf(person(), on(365))
	untreated := research.CaseOf(person(), on(-1))
	unknown := cohort.Case{}
	for name, c := range map[string]struct {
		filter                      research.Filter
		treated, untreated, unknown bool
	}{
		"nothing asked":                 {research.Filter{}, true, true, true},
		"the indication, in capitals":   {research.Filter{Indication: []string{"PTSD", "Depression "}}, true, true, false},
		"another indication":            {research.Filter{Indication: []string{"ptsd"}}, false, false, false},
		"sex":                           {research.Filter{Sex: []string{"female"}}, true, true, false},
		"a sex that was not recorded":   {research.Filter{Sex: []string{"unknown"}}, false, false, true},
		"an age on both bounds":         {research.Filter{AgeMin: new(46), AgeMax: new(46)}, true, false, false},
		"too old":                       {research.Filter{AgeMin: new(47)}, false, false, false},
		"enrolled on the day":           {research.Filter{EnrolledFrom: new(time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC))}, true, true, false},
		"enrolled before that day":      {research.Filter{EnrolledTo: new(time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC))}, false, false, false},
		"first dose in the period":      {research.Filter{FirstDoseFrom: new(on(0)), FirstDoseTo: new(on(1))}, true, false, false},
		"first dose, the end excluded":  {research.Filter{FirstDoseTo: new(on(0))}, false, false, false},
		"substance and route":           {research.Filter{Substance: []string{"ketamine"}, Route: []string{"intramuscular"}}, true, false, false},
		"another route":                 {research.Filter{Route: []string{"oral"}}, false, false, false},
		"a dose on the bound":           {research.Filter{DoseMGMin: new(70.0), DoseMGMax: new(70.0)}, true, false, false},
		"a higher dose":                 {research.Filter{DoseMGMin: new(70.5)}, false, false, false},
		"three planned":                 {research.Filter{PlannedSessionsMin: new(3)}, true, true, false},
		"four planned":                  {research.Filter{PlannedSessionsMin: new(4)}, false, false, false},
		"no session yet":                {research.Filter{SessionsMax: new(0)}, false, true, true},
		"three sessions":                {research.Filter{SessionsMin: new(3), SessionsMax: new(3)}, true, false, false},
		"a baseline score":              {research.Filter{Baseline: &research.BaselineFilter{Instrument: "phq-9", Min: new(18.0), Max: new(18.0)}}, true, true, false},
		"a baseline band":               {research.Filter{Baseline: &research.BaselineFilter{Instrument: "phq-9", Severity: []string{"moderate"}}}, true, true, false},
		"another instrument's baseline": {research.Filter{Baseline: &research.BaselineFilter{Instrument: "gad-7"}}, false, false, false},
		"sex, but another route":        {research.Filter{Sex: []string{"female"}, Route: []string{"oral"}}, false, false, false},
	} {
		got := [3]bool{c.filter.Match(treated), c.filter.Match(untreated), c.filter.Match(unknown)}
		if diff := cmp.Diff([3]bool{c.treated, c.untreated, c.unknown}, got); diff != "" {
			t.Errorf("%s (- is what was expected):\n%s", name, diff)
		}
	}
}

func TestEveryFaultOfAFilterIsToldWithItsPlace(t *testing.T) {
	s := research.Service{Instruments: instrument.Embedded()}
	bad := research.Filter{
		Indication: []string{" "}, Sex: []string{"woman"}, Route: []string{"oral", "nasal"}, AgeMin: new(40), AgeMax: new(30),
		EnrolledFrom: new(on(1)), EnrolledTo: new(on(1)), DoseMGMin: new(-1.0), PlannedSessionsMin: new(0), SessionsMax: new(-1),
		Baseline: &research.BaselineFilter{Instrument: "phq-9", Min: new(28.0), Severity: []string{"dreadful"}}, Substance: make([]string, 51),
	}
	var got []string
	for _, d := range s.CheckFilter(bad) {
		got = append(got, d.Pointer+" "+d.Code)
	}
	want := []string{
		"/indication/0 out_of_range", "/substance too_many", "/sex/0 oneof", "/route/1 oneof", "/age_max below_min", "/dose_mg_min out_of_range",
		"/planned_sessions_min out_of_range", "/sessions_max out_of_range", "/enrolled_to before_start",
		"/baseline/min out_of_range", "/baseline/severity/0 oneof",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the faults (- is what was expected):\n%s", diff)
	}
	for name, f := range map[string]research.Filter{
		"unknown instrument": {Baseline: &research.BaselineFilter{Instrument: "mood"}},
		"no bands":           {Baseline: &research.BaselineFilter{Instrument: "who-5", Severity: []string{"mild"}}},
	} {
		if len(s.CheckFilter(f)) != 1 {
			t.Errorf("%s: %v", name, s.CheckFilter(f))
		}
	}
	if faults := s.CheckFilter(research.Filter{Sex: []string{"female", "other"}, AgeMin: new(18), Baseline: &research.BaselineFilter{Instrument: "phq-9", Min: new(27.0)}}); len(faults) > 0 {
		t.Errorf("a good filter has faults: %v", faults)
	}
}

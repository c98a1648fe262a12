package cohort_test

import (
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/trajectory"
)

func TestOnlyTheFirstResponseAfterTheDoseCounts(t *testing.T) {
	cases := []struct {
		name  string
		p     *person
		days  int
		event int
	}{
		{"the second look shows it", someone("a").baseline(20).dosed(0).later(7, 15).later(14, 10).later(21, 3), 14, 1},
		{"it is lost later, and was there", someone("a").baseline(20).dosed(0).later(7, 10).later(14, 20), 7, 1},
		{"it never comes, and the last score ends it", someone("a").baseline(20).dosed(0).later(7, 15).later(30, 11), 30, 0},
		{"a fall before the dose is none of it", someone("a").baseline(20).before(1, -1, 9).dosed(0).later(7, 15), 7, 0},
		{"a score without a total is no look", someone("a").baseline(20).dosed(0).later(7, 15).filled(trajectory.TimingFollowUp, 0, 9, nil), 7, 0},
		{"the day of the dose is day 0", someone("a").baseline(20).dosed(0).after(1, 0.4, 9), 0, 1},
		{"a baseline typed in after the dose is one", someone("a").dosed(0).after(1, 0.1, 9).before(1, 0.5, 20), 0, 1},
		{"an after with the dose's own date is none", someone("a").before(1, 0, 20).dosed(0).after(1, 0, 9), 0, 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := must[cohort.Survival](t)(responseOf("").Compute(casesOf(c.p)))
			if len(s.Curve) != 1 {
				t.Fatalf("counted %d, left out %v", *s.N, s.LeftOut)
			}
			sameFigure(t, "day and event", [2]int{c.days, c.event}, [2]int{s.Curve[0].Days, *s.Curve[0].Events})
		})
	}
}

func TestALossBeginsWithTheGain(t *testing.T) {
	lost := func(days int) []int { return []int{days, 1} }
	kept := func(days int) []int { return []int{days, 0} }
	scores := func(totals ...float64) *person {
		p := someone("a").baseline(20).dosed(0)
		for i, total := range totals {
			p.later(float64(7*(i+1)), total)
		}
		return p
	}
	cases := []struct {
		name    string
		relapse trajectory.RelapseDefinition
		p       *person
		want    []int // day and event; empty: left out
	}{
		{"a response that goes", "", scores(18, 10, 9, 11, 3), lost(14)},
		{"a response that stays", trajectory.RelapseLossOfResponse, scores(18, 10, 9), kept(7)},
		{"a response at the last score", "", scores(18, 10), nil},
		{"no response", "", scores(18, 12), nil},
		{"a remission that ends in a case", trajectory.RelapseCasenessAfterRemission, scores(4, 9, 10), lost(14)},
		{"a remission that ends in none", trajectory.RelapseCasenessAfterRemission, scores(4, 9, 9), kept(14)},
		{"six points worse than the best", trajectory.RelapseReliableWorsening, scores(14, 12, 17, 18), lost(21)},
		{"five points worse than the best", trajectory.RelapseReliableWorsening, scores(14, 12, 17), kept(14)},
		{"no case at baseline", "", someone("a").baseline(8).dosed(0).later(7, 3).later(14, 8), nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			q := responseOf("")
			q.Event, q.Relapse = cohort.EventLossOfResponse, c.relapse
			s := must[cohort.Survival](t)(q.Compute(casesOf(c.p)))
			var got []int
			for _, step := range s.Curve {
				got = []int{step.Days, *step.Events}
			}
			sameFigure(t, "day and event", c.want, got)
		})
	}
}

func TestWhoIsNotInTheCurveIsToldWithTheReason(t *testing.T) {
	people := []*person{
		someone("never treated").baseline(20).later(7, 5),
		someone("no baseline").dosed(0).later(7, 5),
		someone("baseline without a total").filled(trajectory.TimingBaseline, 0, -1, nil).dosed(0).later(7, 5),
		someone("no case").baseline(9).dosed(0).later(7, 1),
		someone("no case, not seen again").baseline(9).dosed(0),
		someone("not seen again").baseline(20).dosed(0),
		someone("counted").baseline(20).dosed(0).later(7, 5),
		someone("nothing to halve").baseline(0).dosed(0).later(7, 0),
	}
	s := must[cohort.Survival](t)(responseOf("").Compute(casesOf(people...)))
	sameFigure(t, "cases only", []cohort.LeftOut{
		{Reason: "no_baseline", N: new(2)}, {Reason: "no_case_at_baseline", N: new(3)},
		{Reason: "no_later_score", N: new(1)}, {Reason: "not_treated", N: new(1)},
	}, s.LeftOut)
	q := responseOf("")
	q.AnyBaseline = true
	s = must[cohort.Survival](t)(q.Compute(casesOf(people...)))
	sameFigure(t, "any baseline", []cohort.LeftOut{
		{Reason: "no_baseline", N: new(2)}, {Reason: "no_later_score", N: new(2)},
		{Reason: "not_judged", N: new(1)}, {Reason: "not_treated", N: new(1)},
	}, s.LeftOut)
	sameFigure(t, "n of all", []int{2, 8}, []int{*s.N, *s.Enrolled})
}

func TestAWithheldCurveTellsOfNoFewWhoWereLeftOut(t *testing.T) {
	chains := func(s cohort.Survival) []nested {
		all := []nested{{s.Enrolled, s.N}, {s.N, s.Events}}
		out := new(0)
		for _, l := range s.LeftOut {
			all = append(all, nested{s.Enrolled, l.N})
			out = together(out, l.N)
		}
		for _, w := range s.Windows {
			all = append(all, nested{s.N, w.N})
		}
		return append(all, nested{s.Enrolled, out})
	}
	told := false
	rapid.Check(t, func(t *rapid.T) {
		s := must[cohort.Survival](t)(responseOf("").Compute(casesOf(drawn(t, 9)...)))
		told = told || tellsFew(chains(s)...)
		if got := s.Withheld(5); tellsFew(chains(got)...) {
			t.Fatalf("%s", asJSON(t, got))
		}
	})
	if !told {
		t.Error("no figure drawn had anything to withhold: the test shows nothing")
	}
}

func TestTheBasesOfACurveAreTheBaselinesAndTheEnds(t *testing.T) {
	p := someone("a").baseline(20).dosed(0).later(7, 15).later(14, 9).later(21, 8)
	p.Scores["phq-9"][2].Window = "P7D"
	s := must[cohort.Survival](t)(responseOf("").Compute(casesOf(p, someone("untreated"))))
	scores := p.Scores["phq-9"]
	untreated := []cohort.Datum{{Person: someone("untreated").Person}}
	end := []cohort.Datum{{Person: p.Person, ID: scores[2].ID, Version: 1}}
	from := []cohort.Datum{{Person: p.Person, ID: scores[0].ID, Version: 1}}
	var bases []cohort.Basis
	for _, b := range s.Bases() {
		if len(b.Data) > 0 { // nobody was censored
			bases = append(bases, b)
		}
	}
	both, one := []cohort.Datum{{Person: p.Person}, untreated[0]}, []cohort.Datum{{Person: p.Person}}
	head := func(number string, data []cohort.Datum) cohort.Basis {
		return cohort.Basis{Measure: "phq-9 people", Number: number, Groups: true, Data: data}
	}
	sums := []cohort.Basis{
		{Measure: "phq-9 response curve", Number: "counted", Data: end}, {Measure: "phq-9 response curve from", Number: "counted", Data: from},
	}
	counted := append([]cohort.Basis{head("counted", one)}, sums...)
	sameFigure(t, "bases", slices.Concat(
		[]cohort.Basis{head("everybody", both), head("not_treated", untreated), {Measure: "people", Number: "everybody", Groups: true, Data: both}},
		[]cohort.Basis{head("windows P14D/P7D", one)}, counted, counted, counted, // all, the events, the one at the step
	), bases)
	sameFigure(t, "windows", []cohort.Windows{{From: "P14D", To: "P7D", N: new(1)}}, s.Windows)
	q := responseOf("")
	q.Window = "P14D"
	s = must[cohort.Survival](t)(q.Compute(casesOf(p)))
	sameFigure(t, "of one window", 21, s.Curve[0].Days)
}

func TestACurveThatCannotBeDrawnIsRefused(t *testing.T) {
	no := responseOf("")
	no.Rules.ResponsePercent = nil
	cases := map[string]cohort.SurvivalQuery{
		"no threshold of response": no,
		"an unknown event":         {Rules: nhsRules(), Event: "cure"},
		"an unknown band":          responseOf("wide"),
		"an unknown loss":          {Rules: nhsRules(), Event: cohort.EventLossOfResponse, Relapse: "sadness"},
		"no caseness":              {Event: cohort.EventLossOfResponse, Relapse: trajectory.RelapseCasenessAfterRemission},
		"no remission upwards": {
			Rules: nhsRules(), Direction: trajectory.HigherIsBetter, Event: cohort.EventLossOfResponse, Relapse: trajectory.RelapseCasenessAfterRemission,
		},
		"no reliable change": {Event: cohort.EventLossOfResponse, Relapse: trajectory.RelapseReliableWorsening},
	}
	for name, q := range cases {
		if _, err := q.Compute(casesOf()); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAFigureEndsWithTheErrorOfItsCases(t *testing.T) {
	for name, compute := range map[string]func() error{
		"survival": func() error { _, err := responseOf("").Compute(broken); return err },
		"flow":     func() error { _, err := cohort.FlowQuery{}.Compute(broken); return err },
		"sessions": func() error { _, err := cohort.SessionsQuery{}.Compute(broken); return err },
		"expected": func() error { _, err := cohort.ExpectedQuery{}.Compute(broken); return err },
		"measures": func() error { _, err := cohort.MeasuresQuery{}.Compute(broken); return err },
	} {
		if err := compute(); !errors.Is(err, errBroken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAWithheldCurveJoinsDaysUntilNobodyIsAlone(t *testing.T) {
	// Days 1 to 6: events 3, 3, 0, 6, 0, 0 and censored 0, 0, 5, 0, 5, 2.
	var times []float64
	var events []int
	for day, n := range [][2]int{{3, 0}, {3, 0}, {0, 5}, {6, 0}, {0, 5}, {0, 2}} {
		for i := range n[0] + n[1] {
			times = append(times, float64(day+1))
			events = append(events, map[bool]int{true: 1}[i < n[0]])
		}
	}
	whole := must[cohort.Survival](t)(responseOf("").Compute(casesOf(livesOf(times, events)...)))
	got := whole.Withheld(5)
	var rows [][5]int
	for _, s := range got.Curve {
		rows = append(rows, [5]int{s.From, s.Days, *s.AtRisk, *s.Events, *s.Censored})
	}
	sameFigure(t, "from, to, at risk, events, censored", [][5]int{
		{1, 2, 24, 6, 0}, {3, 3, 18, 0, 5}, {4, 4, 13, 6, 0}, {5, 6, 7, 0, 7},
	}, rows)
	sameFigure(t, "survival at the end of days 1 to 2", whole.Curve[1].Survival, got.Curve[0].Survival)
	risk := map[int]bool{}
	for _, r := range got.AtRisk {
		risk[r.Days] = r.N != nil
	}
	sameFigure(t, "days with a number at risk", map[int]bool{0: true, 7: true, 14: true, 28: true, 56: true, 90: true, 180: true, 365: true}, risk)

	few := must[cohort.Survival](t)(responseOf("").Compute(casesOf(livesOf(times[:4], events[:4])...))).Withheld(5)
	if few.N != nil || few.Events != nil || len(few.Curve) > 0 || few.MedianDays != nil || few.AtRisk[0].N != nil {
		t.Errorf("shown of four people: %+v", few)
	}
	// 40 people, 2 of them with the event: how many is what must not be known.
	times, events = nil, nil
	for i := range 40 {
		times, events = append(times, float64(i)), append(events, map[bool]int{true: 1}[i < 2])
	}
	rare := must[cohort.Survival](t)(responseOf("").Compute(casesOf(livesOf(times, events)...))).Withheld(5)
	if rare.N == nil || rare.Events != nil || len(rare.Curve) > 0 {
		t.Errorf("shown of two events in 40: %+v", rare)
	}
}

func TestAWithheldCurveShowsNoFew(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 60).Draw(t, "people")
		var times []float64
		var events []int
		for range n {
			times = append(times, float64(rapid.IntRange(0, 12).Draw(t, "day")))
			events = append(events, rapid.IntRange(0, 1).Draw(t, "event"))
		}
		whole := must[cohort.Survival](t)(responseOf("").Compute(casesOf(livesOf(times, events)...)))
		last := 1.0
		for _, s := range whole.Curve {
			if s.Survival > last || s.Survival < 0 {
				t.Fatalf("survival rises to %v after %v", s.Survival, last)
			}
			if last = s.Survival; s.CI95 != nil && (s.CI95[0] < 0 || s.CI95[1] > 1 || s.CI95[0] > s.Survival+1e-12 || s.CI95[1] < s.Survival-1e-12) {
				t.Fatalf("%v in %v", s.Survival, *s.CI95)
			}
		}
		got := whole.Withheld(5)
		left, happened := 0, 0
		for i, s := range got.Curve {
			if few(*s.Events) || few(*s.Censored) || few(*s.AtRisk) {
				t.Fatalf("row %d: %d events, %d censored of %d", i, *s.Events, *s.Censored, *s.AtRisk)
			}
			left, happened = left+*s.Events+*s.Censored, happened+*s.Events
		}
		if len(got.Curve) > 0 && (left != n || happened != *whole.Events) {
			t.Fatalf("%d people and %d events in the rows of %d and %d", left, happened, n, *whole.Events)
		}
		at := map[int]bool{}
		for _, s := range got.Curve {
			at[*s.AtRisk] = true
		}
		for _, r := range got.AtRisk {
			if r.N != nil && *r.N > 0 && !at[*r.N] {
				t.Fatalf("at risk on day %d: %d, which is no row's", r.Days, *r.N)
			}
		}
	})
}

func few(n int) bool { return 0 < n && n < 5 }

func TestTheOrderOfThePeopleMattersToNoOtherFigure(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		people := drawn(t, 5)
		again := rapid.Permutation(people).Draw(t, "in another order")
		same := func(what string, compute func(cohort.Cases) (any, error)) {
			one, err := compute(casesOf(people...))
			two, err2 := compute(casesOf(again...))
			if err != nil || err2 != nil {
				t.Fatal(err, err2)
			}
			// To the last bit: a snapshot is compared so.
			if a, b := string(asJSON(t, one)), string(asJSON(t, two)); a != b {
				t.Fatalf("%s:\n%s\n%s", what, a, b)
			}
		}
		same("survival", func(c cohort.Cases) (any, error) { return responseOf("").Compute(c) })
		same("flow", func(c cohort.Cases) (any, error) { return cohort.FlowQuery{Instrument: "phq-9"}.Compute(c) })
		same("sessions", func(c cohort.Cases) (any, error) { return cohort.SessionsQuery{Instrument: "phq-9"}.Compute(c) })
		same("expected", func(c cohort.Cases) (any, error) { return cohort.ExpectedQuery{Instrument: "phq-9"}.Compute(c) })
		same("measures", func(c cohort.Cases) (any, error) { return cohort.MeasuresQuery{}.Compute(c) })
	})
}

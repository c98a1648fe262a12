package cohort_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/trajectory"
)

func point(t checking, s string) cohort.TimePoint {
	p, err := cohort.ParseTimePoint(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestTheFlowSaysWhoWasExpectedAndWhoWasLost(t *testing.T) {
	known := func(days float64, p *person) *person { p.Until = daysAfter(days); return p }
	people := []*person{
		known(100, someone("all there").baseline(20).dosed(0).after(1, 1, 15).later(31, 9)),
		known(100, someone("lost").baseline(20).dosed(0).after(1, 1, 15)),
		known(100, someone("left blank").baseline(20).dosed(0).filled(trajectory.TimingFollowUp, 0, 30, nil)),
		known(100, someone("no baseline").dosed(0).later(29, 9)),
		known(30, someone("answered while the window is open").baseline(20).dosed(0).later(29, 9)),
		known(10, someone("too soon").baseline(20).dosed(0)),
		known(100, someone("never treated").baseline(20).later(30, 9)),
		known(100, ended(35, someone("in the next course").baseline(20).dosed(0).later(29, 9))),
	}
	f := must[cohort.Flow](t)(cohort.FlowQuery{
		Instrument: "phq-9", Points: []cohort.TimePoint{point(t, "days:30:7")},
	}.Compute(casesOf(people...)))
	// Wilson's interval of 1 in 4.
	sameFigure(t, "flow", cohort.Flow{
		Enrolled: new(8), Treated: new(7), Baseline: new(6),
		NoBaseline: []cohort.LeftOut{{Reason: "not_assessed", N: new(1)}},
		Points: []cohort.FlowPoint{{
			At: point(t, "days:30:7"), NotReached: new(2), NextCourse: new(1), Expected: new(4), Observed: new(3), NotScored: new(1), Evaluable: new(1),
			Lost:  cohort.Rate{N: new(1), Of: new(4), Rate: new(0.25), CI95: &cohort.Interval{0.045587, 0.699358}, Words: "of those expected"},
			Words: "Of 4 people expected at days:30:7, 1 (25.0 %) were lost.",
		}},
	}, f)
}

func TestTheFlowLooksAtTheSessionsThatAnybodyCouldHaveHad(t *testing.T) {
	at := func(people ...*person) []string {
		f := must[cohort.Flow](t)(cohort.FlowQuery{Instrument: "phq-9"}.Compute(casesOf(people...)))
		var out []string
		for _, p := range f.Points {
			out = append(out, p.At.String())
		}
		return out
	}
	months := []string{"days:30:7", "days:90:14", "days:180:30", "days:365:60"}
	planned := someone("planned").dosed(0)
	planned.Planned = new(3)
	eager := someone("eager")
	for n := range 8 {
		eager.dosed(float64(n))
	}
	for name, c := range map[string]struct{ got, want []string }{
		"nobody":       {at(), nil},
		"planned":      {at(planned), []string{"after_session:1", "after_session:2", "after_session:3"}},
		"more than so": {at(eager), []string{"after_session:1", "after_session:2", "after_session:3", "after_session:4", "after_session:5", "after_session:6"}},
	} {
		sameFigure(t, name, append(c.want, months...), c.got)
	}
	all := cohort.FlowQuery{Instrument: "phq-9", Points: []cohort.TimePoint{point(t, "last"), point(t, "before_session:1"), point(t, "baseline")}}
	f := must[cohort.Flow](t)(all.Compute(casesOf(someone("a").baseline(20).before(1, -0.1, 18).dosed(0))))
	for _, p := range f.Points {
		sameFigure(t, p.At.String(), []int{1, 1}, []int{*p.Expected, *p.Evaluable})
	}
	twice := cohort.FlowQuery{Points: []cohort.TimePoint{point(t, "last"), point(t, "baseline"), point(t, "last")}}
	if _, err := twice.Compute(casesOf()); !fault.Is(err, fault.Invalid) {
		t.Errorf("a point asked for twice: %v", err)
	}
}

// nested are numbers of people of which each includes the next.
type nested []cohort.Count

// tellsFew reports whether a small number is shown, or is the difference of two
// groups of which one includes the other.
func tellsFew(chains ...nested) bool {
	for _, chain := range chains {
		for i, n := range chain {
			if n == nil {
				continue
			}
			if few(*n) {
				return true
			}
			for _, inner := range chain[i+1:] {
				if inner != nil && few(*n-*inner) {
					return true
				}
			}
		}
	}
	return false
}

// together is nil where a part is not shown.
func together(parts ...cohort.Count) cohort.Count {
	out := 0
	for _, n := range parts {
		if n == nil {
			return nil
		}
		out += *n
	}
	return &out
}

func flowChains(f cohort.Flow) []nested {
	steps := []nested{{f.Enrolled, f.Treated, f.Baseline}}
	for _, l := range f.NoBaseline {
		steps = append(steps, nested{l.N})
	}
	reached := map[cohort.PointKind]nested{}
	for _, p := range f.Points {
		reached[p.At.Kind] = append(reached[p.At.Kind], p.Expected)
		steps = append(steps,
			nested{f.Enrolled, f.Treated, p.Expected, p.Observed, p.Evaluable},
			nested{f.Treated, p.Expected, p.Lost.N},
			nested{f.Treated, p.NotReached}, nested{f.Treated, p.NextCourse}, nested{f.Treated, together(p.NotReached, p.NextCourse)}, nested{f.Baseline, p.Evaluable},
			nested{p.Observed, p.NotScored}, nested{p.Observed, together(p.NotScored, p.Evaluable)},
			nested{f.Treated, together(p.NotReached, p.Lost.N)}, nested{f.Treated, together(p.NotReached, p.Observed)},
			nested{p.Expected, together(p.Lost.N, p.NotScored)}, nested{p.Expected, together(p.Lost.N, p.NotScored, p.Evaluable)},
			nested{f.Treated, together(p.NotReached, p.Lost.N, p.NotScored, p.Evaluable)})
	}
	for _, chain := range reached {
		steps = append(steps, append(nested{f.Treated}, chain...))
	}
	return steps
}

func TestAWithheldFlowTellsOfNoFew(t *testing.T) {
	told := false
	rapid.Check(t, func(t *rapid.T) {
		f := must[cohort.Flow](t)(cohort.FlowQuery{Instrument: "phq-9"}.Compute(casesOf(drawn(t, 9)...)))
		told = told || tellsFew(flowChains(f)...)
		before := asJSON(t, f)
		if got := f.Withheld(5); tellsFew(flowChains(got)...) {
			t.Fatalf("%s", asJSON(t, got))
		}
		if string(asJSON(t, f)) != string(before) {
			t.Fatal("withholding changed the figure itself")
		}
	})
	if !told {
		t.Error("no figure drawn had anything to withhold: the test shows nothing")
	}
}

func TestAFlowOfManyIsShownWhole(t *testing.T) {
	var people []*person
	for i := range 40 {
		p := someone(string(rune('a' + i))).baseline(20).dosed(0)
		if i < 20 {
			p.after(1, 1, 10)
		}
		people = append(people, p)
	}
	f := must[cohort.Flow](t)(cohort.FlowQuery{Instrument: "phq-9"}.Compute(casesOf(people...)))
	sameFigure(t, "nothing small, nothing withheld", f, f.Withheld(5))
}

func TestTheNumbersOfAFlowAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := must[cohort.Flow](t)(cohort.FlowQuery{Instrument: "phq-9"}.Compute(casesOf(drawn(t, 5)...)))
		for _, p := range f.Points {
			if *p.NotReached+*p.NextCourse+*p.Expected != *f.Treated || *p.Observed+*p.Lost.N != *p.Expected || *p.Evaluable+*p.NotScored > *p.Observed {
				t.Fatalf("%s", asJSON(t, p))
			}
		}
		sizes := map[string]int{}
		for _, b := range f.Bases() {
			if len(b.Data) > 0 {
				sizes[fmt.Sprint(b.Measure, ": ", b.Number, " ", len(b.Data))]++
			}
		}
		want := map[string]int{}
		set := func(measure string, n int) {
			if n > 0 {
				want[fmt.Sprint(measure, " ", n)]++
			}
		}
		set("people: enrolled", *f.Enrolled)
		set("phq-9 people: baseline", *f.Baseline)
		for _, p := range f.Points {
			set("phq-9 people: expected", *p.Expected)
			set("phq-9 people: lost", *p.Lost.N)
			set("phq-9 people: evaluable", *p.Evaluable)
		}
		for measure, n := range want {
			if sizes[measure] != n {
				t.Fatalf("%s: %d bases, want %d", measure, sizes[measure], n)
			}
		}
	})
}

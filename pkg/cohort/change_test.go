package cohort_test

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/trajectory"
)

// ten are people with one of each kind of change, and two who were lost.
func ten() []cohort.Case {
	return []cohort.Case{
		moved("remitted", "phq-9", 20, 3),
		moved("recovered", "phq-9", 20, 9),
		moved("a little better", "phq-9", 12, 8), // partial, recovered, not reliably
		moved("the same", "phq-9", 20, 20),
		moved("worse", "phq-9", 12, 20),
		moved("no case, response", "phq-9", 6, 2),
		moved("began at 0", "phq-9", 0, 0),
		scoring(treated("lost case"), "phq-9", trajectory.TimingBefore, 15),
		scoring(treated("lost, no case"), "phq-9", trajectory.TimingBefore, 6),
		scoring(treated("came late"), "phq-9", trajectory.TimingAfter, 6),
	}
}

// row is an outcome as a table in a paper has it.
type row struct {
	N, Of, LeftOut int
	Worst, Best    float64
	Words          string
}

func rows(c cohort.Change) map[cohort.Outcome]row {
	out := map[cohort.Outcome]row{}
	for name, o := range c.Outcomes {
		out[name] = row{*o.N, *o.Of, *o.LeftOut, *o.WorstCase, *o.BestCase, o.Words}
	}
	return out
}

func TestOutcomesAreOfTheGroupThatTheirWordsName(t *testing.T) {
	const cases, all, above0 = "of the pairs that were cases at from", "of all pairs", "of the pairs that did not begin at 0"
	differ(t, "outcomes", map[cohort.Outcome]row{
		cohort.Response:            {3, 6, 1, 3. / 8, 5. / 8, above0},
		cohort.PartialResponse:     {1, 6, 1, 1. / 8, 3. / 8, above0},
		cohort.ReliableImprovement: {2, 7, 0, 2. / 9, 4. / 9, all},
		// The lost have deteriorated in the worst case.
		cohort.ReliableDeterioration: {1, 7, 0, 3. / 9, 1. / 9, all},
		cohort.Remission:             {1, 5, 2, 1. / 6, 2. / 6, cases},
		cohort.Recovery:              {3, 5, 2, 3. / 6, 4. / 6, cases},
		cohort.ReliableRecovery:      {2, 5, 2, 2. / 6, 3. / 6, cases},
	}, rows(compute(t, onPHQ9().Compute, ten()...)))
}

func TestCasesOnlyCountsResponseOfCases(t *testing.T) {
	q := onPHQ9()
	q.CasesOnly = true
	got := rows(compute(t, q.Compute, ten()...))
	differ(t, "response", row{2, 5, 2, 2. / 6, 3. / 6, "of the pairs that were cases at from and did not begin at 0"}, got[cohort.Response])
	differ(t, "deterioration", row{1, 5, 2, 2. / 6, 1. / 6, "of the pairs that were cases at from"}, got[cohort.ReliableDeterioration])
}

func TestAnOutcomeWithoutAThresholdIsAbsentAndNotZero(t *testing.T) {
	for name, c := range map[string]struct {
		rules     trajectory.Rules
		casesOnly bool
		want      []cohort.Outcome
	}{
		"no rules":                {rules: trajectory.Rules{}},
		"response alone":          {rules: trajectory.Rules{ResponsePercent: new(30.0)}, want: []cohort.Outcome{cohort.Response}},
		"no caseness to ask for":  {rules: trajectory.Rules{ResponsePercent: new(30.0)}, casesOnly: true},
		"remission without cases": {rules: trajectory.Rules{RemissionBelow: new(5.0)}},
		"reliable change alone": {
			rules: trajectory.Rules{ReliableChange: new(15.0)},
			want:  []cohort.Outcome{cohort.ReliableDeterioration, cohort.ReliableImprovement},
		},
	} {
		q := onPHQ9()
		q.Rules, q.CasesOnly = c.rules, c.casesOnly
		var got []cohort.Outcome
		for o := range compute(t, q.Compute, ten()...).Outcomes {
			got = append(got, o)
		}
		slices.Sort(got)
		differ(t, name, c.want, got)
	}
}

// On the WHO-5 more is better: the sign of the difference stays to minus from,
// and the outcomes turn.
func TestOutcomesFollowTheDirectionAndTheSignDoesNot(t *testing.T) {
	q := onPHQ9()
	q.Instrument, q.Direction = "who-5", trajectory.HigherIsBetter
	q.Rules = trajectory.Rules{ReliableChange: new(10.0), Caseness: new(50.0), RemissionBelow: new(5.0), ResponsePercent: new(50.0)}
	got := compute(t, q.Compute, moved("better", "who-5", 20, 80), moved("worse", "who-5", 60, 40))
	differ(t, "mean difference", new(20.0), got.Difference.Mean)
	differ(t, "improved", new(1), got.Outcomes[cohort.ReliableImprovement].N)
	differ(t, "deteriorated", new(1), got.Outcomes[cohort.ReliableDeterioration].N)
	differ(t, "recovered", row{1, 1, 1, 1, 1, "of the pairs that were cases at from"}, rows(got)[cohort.Recovery])
	if _, ok := got.Outcomes[cohort.Remission]; ok {
		t.Error("a remission below 5 was said of an instrument on which more is better")
	}
}

func TestRecallWindowsAreNeverPooledWithoutAWord(t *testing.T) {
	daily := func(s *cohort.Score) { s.Window = "P1D" }
	mixed := scoring(scoring(treated("mixed"), "phq-9", trajectory.TimingBefore, 12), "phq-9", trajectory.TimingAfter, 6, daily)
	all := []cohort.Case{moved("a", "phq-9", 12, 6), moved("b", "phq-9", 12, 6), mixed}
	got := compute(t, onPHQ9().Compute, all...)
	differ(t, "windows", []cohort.Windows{{From: "P14D", To: "P14D", N: new(2)}, {From: "P14D", To: "P1D", N: new(1)}},
		sorted(got.Windows))
	q := onPHQ9()
	q.Window = "P14D"
	one := compute(t, q.Compute, all...)
	differ(t, "one window", []cohort.Windows{{From: "P14D", To: "P14D", N: new(2)}}, one.Windows)
}

func sorted(w []cohort.Windows) []cohort.Windows {
	slices.SortFunc(w, func(a, b cohort.Windows) int { return cmp.Compare(a.To, b.To) })
	return w
}

func TestTheBasesNameWhatIsShownAndWhatItWasCountedFrom(t *testing.T) {
	all := ten()
	sizes := func(c cohort.Change) map[string]int {
		out := map[string]int{}
		for _, b := range c.Bases() {
			out[b.Measure+": "+b.Number] = len(b.Data)
		}
		return out
	}
	figure := compute(t, onPHQ9().Compute, all...)
	got := sizes(figure)
	for measure, people := range map[string]int{
		"people: enrolled": 10, "phq-9 people: enrolled": 10, "phq-9 people: paired": 7, "phq-9 score: paired": 7,
		"phq-9 people: with_from": 9, "phq-9 people: with_to": 8, "phq-9 people: response": *figure.Outcomes[cohort.Response].N,
	} {
		if got[measure] != people {
			t.Errorf("%s: %d people, want %d", measure, got[measure], people)
		}
	}
	// Of ten people nothing but their number can be shown where a group is ten.
	differ(t, "withheld", map[string]int{"people: enrolled": 10, "phq-9 people: enrolled": 10, "people: treated": 10, "phq-9 people: treated": 10}, sizes(figure.Withheld(10)))
	var scores []cohort.Datum
	for _, b := range compute(t, onPHQ9().Compute, all[0]).Bases() {
		if b.Measure == "phq-9 score" {
			scores = append(scores, b.Data...)
		}
	}
	var want []cohort.Datum
	for _, s := range all[0].Scores["phq-9"][:2] {
		want = append(want, cohort.Datum{Person: all[0].Person, ID: s.ID, Version: 1})
	}
	differ(t, "scores", want, scores)
}

// crowd draws people with any scores, some of them lost, in two bands of dose.
func crowd(t *rapid.T) []cohort.Case {
	var out []cohort.Case
	for i := range rapid.IntRange(0, 40).Draw(t, "people") {
		c := treated(fmt.Sprint(i))
		c.Doses[0].MG = rapid.SampledFrom([]float64{40, 70}).Draw(t, "mg")
		for _, timing := range []trajectory.Timing{trajectory.TimingBefore, trajectory.TimingAfter} {
			if total := rapid.IntRange(-3, 27).Draw(t, "total"); total >= 0 {
				c = scoring(c, "phq-9", timing, float64(total), func(s *cohort.Score) { s.Severity = band(float64(total), 5, 10, 15, 20) })
			}
		}
		out = append(out, c)
	}
	return out
}

func TestTheOrderOfThePeopleDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		all := crowd(rt)
		shuffled := rapid.Permutation(all).Draw(rt, "order")
		dose, _ := cohort.KeyOf("dose")
		for _, threshold := range []int{0, 5} {
			figure := func(cases []cohort.Case) (cohort.GroupedChange, cohort.Shift) {
				grouped, err := onPHQ9().ComputeBy(people(cases...), dose)
				if err != nil {
					rt.Fatal(err)
				}
				q := cohort.ShiftQuery{Comparison: onPHQ9().Comparison, Bands: phq9Bands}
				return grouped.Withheld(threshold), compute(t, q.Compute, cases...).Withheld(threshold)
			}
			grouped, shift := figure(all)
			groupedToo, shiftToo := figure(shuffled)
			differ(t, "groups", grouped, groupedToo)
			differ(t, "shift", shift, shiftToo)
		}
	})
}

func TestTheCountsOfAFigureAddUp(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		all := crowd(rt)
		c := compute(t, onPHQ9().Compute, all...)
		flow := c.Flow
		fromAbsent, toAbsent := 0, 0
		for _, n := range flow.FromAbsent {
			fromAbsent += *n
		}
		for _, n := range flow.ToAbsent {
			toAbsent += *n
		}
		if *flow.Enrolled != len(all) || *flow.WithFrom+fromAbsent != len(all) || *flow.WithTo+toAbsent != len(all) {
			rt.Fatalf("of %d people: %d and %d absent, %d and %d absent", len(all), *flow.WithFrom, fromAbsent, *flow.WithTo, toAbsent)
		}
		if *c.From.N != *flow.Paired || *c.To.N != *flow.Paired || *c.Difference.N != *flow.Paired {
			rt.Fatalf("%d pairs, and %d, %d and %d in the statistics", *flow.Paired, *c.From.N, *c.To.N, *c.Difference.N)
		}
		for name, o := range c.Outcomes {
			if *o.Of+*o.LeftOut != *flow.Paired {
				rt.Fatalf("%s: %d and %d left out of %d", name, *o.Of, *o.LeftOut, *flow.Paired)
			}
			if *o.Of == 0 {
				continue
			}
			if r := *o.Rate.Rate; o.CI95[0] > r || r > o.CI95[1] || o.CI95[0] < 0 || o.CI95[1] > 1 {
				rt.Fatalf("%s: %v is not within %v", name, r, *o.CI95)
			}
			low, high := math.Min(*o.WorstCase, *o.BestCase), math.Max(*o.WorstCase, *o.BestCase)
			if r := *o.Rate.Rate; low > r+1e-12 || r > high+1e-12 {
				rt.Fatalf("%s: %v is not between the bounds %v and %v", name, r, low, high)
			}
		}
	})
}

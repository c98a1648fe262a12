package cohort_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/protrack/protrack/pkg/cohort"
)

// fewWindows reports whether the numbers of pairs by window tell of few: one of
// them, or those that are not shown together.
func fewWindows(of cohort.Count, all []cohort.Windows) bool {
	rest := 0
	if of != nil {
		rest = *of
	}
	for _, w := range all {
		switch {
		case w.N == nil:
			continue
		case of == nil || few(*w.N):
			return true
		}
		rest -= *w.N
	}
	return few(rest)
}

// asked are people who respond, of whom the first so many were asked about a
// week afterwards.
func asked(people, aboutAWeek int) []*person {
	var out []*person
	for i := range people {
		p := someone(fmt.Sprint(i)).baseline(20).before(1, -0.1, 20).dosed(0).after(1, 1, 5)
		if i < aboutAWeek {
			p = p.asking("P7D")
		}
		out = append(out, p)
	}
	return out
}

func TestWhatWasAskedAboutOtherTimesIsTold(t *testing.T) {
	t.Parallel()
	people := asked(30, 10)
	want := []cohort.Windows{{From: "P14D", To: "P14D", N: new(20)}, {From: "P14D", To: "P7D", N: new(10)}}
	curve := must[cohort.Survival](t)(responseOf("").Compute(casesOf(people...)))
	bands := expected(t, cohort.ExpectedQuery{}, people...)
	for _, threshold := range []int{0, 5} {
		sameFigure(t, "of a curve", want, curve.Withheld(threshold).Windows)
		sameFigure(t, "of what is expected", want, bands.Withheld(threshold).Cells[0].Windows)
	}
	named := func(bases []cohort.Basis) map[string]int {
		out := map[string]int{}
		for _, b := range bases {
			if b.Measure == "phq-9 people" && b.Groups {
				out[b.Number] = len(b.Data)
			}
		}
		return out
	}
	sessions := sessionsOf(t, people...).Withheld(5)
	for what, bases := range map[string][]cohort.Basis{
		"curve": curve.Withheld(5).Bases(), "expected": bands.Withheld(5).Bases(), "sessions": sessions.Bases(),
	} {
		got := named(bases)
		sameFigure(t, "what the "+what+" is weighed by", []int{20, 10}, []int{got["windows P14D/P14D"], got["windows P14D/P7D"]})
	}
}

// One small number follows from the whole, so the other goes with it.
func TestWhatFewWereAskedIsWithheldWithWhatItFollowsFrom(t *testing.T) {
	t.Parallel()
	people := asked(30, 3)
	curve := must[cohort.Survival](t)(responseOf("").Compute(casesOf(people...))).Withheld(5)
	bands := expected(t, cohort.ExpectedQuery{}, people...).Withheld(5)
	want := []cohort.Windows{{From: "P14D", To: "P14D"}, {From: "P14D", To: "P7D"}}
	sameFigure(t, "of a curve", want, curve.Windows)
	sameFigure(t, "of what is expected", want, bands.Cells[0].Windows)
	if *curve.N != 30 || *bands.Cells[0].N != 30 {
		t.Error("how many were asked at all is withheld too")
	}
	for _, b := range slices.Concat(curve.Bases(), bands.Bases()) {
		if len(b.Data) == 3 || len(b.Data) == 27 {
			t.Errorf("%s %s is weighed, of %d people, and not shown", b.Measure, b.Number, len(b.Data))
		}
	}
	none := must[cohort.Survival](t)(responseOf("").Compute(casesOf(asked(4, 2)...))).Withheld(5)
	if none.N != nil || len(none.Windows) > 0 || expected(t, cohort.ExpectedQuery{}, asked(4, 2)...).Withheld(5).Cells[0].Windows != nil {
		t.Errorf("of four people it is told what they were asked: %v", none.Windows)
	}
}

func TestNoFewFollowFromTheirWindows(t *testing.T) {
	t.Parallel()
	told := false
	rapid.Check(t, func(t *rapid.T) {
		var people []*person
		sizes := rapid.SliceOfN(rapid.SampledFrom([]int{0, 1, 3, 5, 8, 30}), 3, 3).Draw(t, "people by window")
		for i, window := range []string{"P14D", "P7D", "P1D"} {
			for n := range sizes[i] {
				people = append(people, someone(fmt.Sprint(window, n)).baseline(20).dosed(0).after(1, 1, 5).asking(window))
			}
		}
		curve := must[cohort.Survival](t)(responseOf("").Compute(casesOf(people...)))
		bands := expected(t, cohort.ExpectedQuery{}, people...)
		told = told || fewWindows(curve.N, curve.Windows)
		shown := curve.Withheld(5)
		if fewWindows(shown.N, shown.Windows) {
			t.Fatalf("the curve: %s", asJSON(t, shown.Windows))
		}
		for _, c := range bands.Withheld(5).Cells {
			if fewWindows(c.N, c.Windows) {
				t.Fatalf("what is expected: %s", asJSON(t, c.Windows))
			}
		}
	})
	if !told {
		t.Error("no figure drawn had anything to withhold: the test shows nothing")
	}
}

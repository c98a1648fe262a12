package cohort_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/protrack/protrack/pkg/cohort"
)

func TestNoSmallGroupFollowsFromWhatAChangeShows(t *testing.T) {
	shownNumbers, withheldNumbers, told := 0, 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		counts := drawCounts(rt, "people", len(kinds))
		whole := compute(t, onPHQ9().Compute, ofKinds("all", counts)...)
		seen := read(whole.Withheld(fewest))
		for what, n := range seen {
			if want := sizeOf(what, counts); n != want {
				rt.Fatalf("%s is shown as %d, is %d", what, n, want)
			}
		}
		shownNumbers += len(seen)
		withheldNumbers += len(read(whole)) - len(seen)
		a, there := attackOn(seen, counts)
		if found := a.finds(); found != nil {
			rt.Fatalf("of %v people of kinds %v, from %v: told of %v", counts, there, seen, found)
		}
		if naked, _ := attackOn(read(whole), counts); naked.finds() != nil {
			told++
		}
	})
	if shownNumbers == 0 || withheldNumbers == 0 || told == 0 {
		t.Errorf("%d numbers were shown and %d withheld, %d whole figures told: the test proves nothing",
			shownNumbers, withheldNumbers, told)
	}
}

// The total can be asked for by itself, so what is withheld of a group must not
// follow from the total and the other groups.
func TestNoSmallGroupFollowsFromGroupsAndTheirTotal(t *testing.T) {
	bySex, _ := cohort.KeyOf("sex")
	shownGroups, hiddenGroups := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		var cases []cohort.Case
		groups := map[string][]int{}
		total := make([]int, len(kinds))
		for _, name := range []string{"female", "male", "other"} {
			groups[name] = drawCounts(rt, name, len(kinds))
			for k, n := range groups[name] {
				total[k] += n
			}
			cases = append(cases, ofKinds(name, groups[name])...)
		}
		grouped, err := onPHQ9().ComputeBy(people(cases...), bySex)
		if err != nil {
			rt.Fatal(err)
		}
		grouped = grouped.Withheld(fewest)
		seen, rest := read(grouped.Total), make([]int, len(kinds))
		follows := map[string]bool{} // of the groups that are withheld, taken together
		for what := range seen {
			follows[what] = true
		}
		for _, g := range grouped.Groups {
			numbers := read(g.Change)
			if len(numbers) == 0 {
				hiddenGroups++
				for k, n := range groups[g.Key] {
					rest[k] += n
				}
				continue
			}
			shownGroups++
			if a, _ := attackOn(numbers, groups[g.Key]); a.finds() != nil {
				rt.Fatalf("group %s tells of %v", g.Key, a.finds())
			}
			for what := range numbers {
				if _, ok := seen[what]; !ok {
					rt.Fatalf("%s is shown of a group, and not of all", what)
				}
			}
			for what := range seen {
				// Bounds of nobody tell nothing of the size that they are of.
				bounds := strings.HasPrefix(what, "all ") && sizeOf(what, groups[g.Key]) == 0
				_, told := numbers[what]
				if strings.Contains(what, ":") && sizeOf(what, groups[g.Key]) == 0 {
					told = !mentions(g.Flow, what) // a reason that is left out is nobody's
				}
				if !told && !bounds {
					delete(follows, what)
				}
			}
		}
		// What is shown of one group is shown of all, or else the total tells it.
		for _, g := range grouped.Groups {
			for what := range read(g.Change) {
				if !follows[what] {
					rt.Fatalf("%s is shown of group %s, and withheld of another", what, g.Key)
				}
			}
		}
		if a, _ := attackOn(follows, rest); a.finds() != nil {
			rt.Fatalf("of %v, who are withheld, follow %v: told of %v", rest, follows, a.finds())
		}
	})
	if shownGroups == 0 || hiddenGroups == 0 {
		t.Errorf("%d groups shown, %d withheld: the test proves nothing", shownGroups, hiddenGroups)
	}
}

func TestAFigureOfFewPairsShowsNothingOfThem(t *testing.T) {
	counts := []int{2, 2, 0, 0, 0, 0, 0, 20, 0, 20, 0}
	got := compute(t, onPHQ9().Compute, ofKinds("all", counts)...).Withheld(fewest)
	differ(t, "from", cohort.Summary{}, got.From)
	differ(t, "difference", cohort.Difference{}, got.Difference)
	for name, o := range got.Outcomes {
		differ(t, string(name), cohort.OutcomeRate{Rate: cohort.Rate{Words: o.Words}}, o)
	}
	if got.Flow.Paired != nil || got.Flow.Enrolled == nil {
		t.Error("the four pairs are to be withheld, the 44 people are not")
	}
}

// A few who began at 0 must not take the response of all others with them.
func TestAFewWhoBeganAt0CountAsWithoutAResponse(t *testing.T) {
	counts := []int{20, 20, 0, 20, 0, 0, 2, 0, 0, 0, 0}
	got := compute(t, onPHQ9().Compute, ofKinds("all", counts)...).Withheld(fewest).Outcomes[cohort.Response]
	differ(t, "n and of", []cohort.Count{new(40), new(62)}, []cohort.Count{got.N, got.Of})
	differ(t, "words", "of all pairs, those who began at 0 counted as without it", got.Words)
}

package cohort_test

import (
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/trajectory"
)

const fewest = 5

// An attacker knows the sizes that are shown of sets of people, and that people
// are of some kinds; how many are of each he wants to know.
type attacker struct {
	people []int    // of each kind: what he does not know
	known  [][]bool // sets whose size is shown
	rows   [][]*big.Rat
	places []int // of the leading 1 of each row
}

// learns takes in a set whose size is shown.
func (a *attacker) learns(set []bool) {
	a.known = append(a.known, set)
	row := make([]*big.Rat, len(set))
	for i, in := range set {
		row[i] = new(big.Rat)
		if in {
			row[i].SetInt64(1)
		}
	}
	if a.reduce(row) {
		return
	}
	for i, x := range row {
		if x.Sign() != 0 {
			lead := new(big.Rat).Set(x)
			for j := range row {
				row[j].Quo(row[j], lead)
			}
			a.rows, a.places = append(a.rows, row), append(a.places, i)
			return
		}
	}
}

// reduce reports whether the rows give the row, which it uses up.
func (a *attacker) reduce(row []*big.Rat) bool {
	for n, r := range a.rows {
		times := new(big.Rat).Set(row[a.places[n]])
		if times.Sign() == 0 {
			continue
		}
		for j := range row {
			row[j].Sub(row[j], new(big.Rat).Mul(times, r[j]))
		}
	}
	for _, x := range row {
		if x.Sign() != 0 {
			return false
		}
	}
	return true
}

// finds gives a small group of people whose size he can compute, as the kinds
// that are in it; nil where there is none. He tries every group there is.
func (a *attacker) finds() []int {
	for set := 1; set < 1<<len(a.people); set++ {
		n, row, kinds := 0, make([]*big.Rat, len(a.people)), []int(nil)
		for i := range a.people {
			row[i] = new(big.Rat)
			if set&(1<<i) != 0 {
				n += a.people[i]
				row[i].SetInt64(1)
				kinds = append(kinds, i)
			}
		}
		if 0 < n && n < fewest && a.reduce(row) {
			return kinds
		}
	}
	return nil
}

// kinds of people on the PHQ-9; a total below 0 is none.
var kinds = []struct {
	from, to float64
	words    string
}{
	{20, 3, "remitted"},
	{20, 9, "recovered"},
	{12, 8, "recovered, not reliably"},
	{20, 20, "the same"},
	{12, 20, "worse"},
	{6, 2, "no case, response"},
	{0, 0, "began at 0"},
	{20, -1, "lost case"},
	{6, -1, "lost, no case"},
	{-1, 6, "late"},
	{-1, -1, "untreated"},
}

// ofKinds is so many people of each kind.
func ofKinds(prefix string, counts []int) []cohort.Case {
	var out []cohort.Case
	for k, n := range counts {
		for i := range n {
			c := treated(fmt.Sprint(prefix, " ", k, " ", i))
			c.Sex = prefix
			if kinds[k].words == "untreated" {
				c.Doses = nil
			}
			if kinds[k].from >= 0 {
				c = scoring(c, "phq-9", trajectory.TimingBefore, kinds[k].from)
			}
			if kinds[k].to >= 0 {
				c = scoring(c, "phq-9", trajectory.TimingAfter, kinds[k].to)
			}
			out = append(out, c)
		}
	}
	return out
}

// is says what kind k is, in the naive way.
func is(what string, k int) bool {
	from, to := kinds[k].from, kinds[k].to
	paired := from >= 0 && to >= 0
	switch what {
	case "enrolled":
		return true
	case "treated":
		return kinds[k].words != "untreated"
	case "from: not_treated", "to: not_treated":
		return kinds[k].words == "untreated"
	case "from: not_assessed":
		return from < 0 && kinds[k].words != "untreated"
	case "to: not_assessed":
		return to < 0 && kinds[k].words != "untreated"
	case "from":
		return from >= 0
	case "to":
		return to >= 0
	case "paired":
		return paired
	case "all cases":
		return from >= 10
	case "all above 0":
		return from > 0
	case "cases":
		return paired && from >= 10
	case "above 0":
		return paired && from > 0
	case string(cohort.Response):
		return paired && from > 0 && 2*to <= from
	case string(cohort.PartialResponse):
		return paired && from > 0 && 2*to > from && 4*to <= 3*from
	case string(cohort.ReliableImprovement):
		return paired && from-to >= 6
	case string(cohort.ReliableDeterioration):
		return paired && to-from >= 6
	case string(cohort.Remission):
		return paired && from >= 10 && to < 5
	case string(cohort.Recovery):
		return paired && from >= 10 && to < 10
	case string(cohort.ReliableRecovery):
		return paired && from >= 10 && to < 10 && from-to >= 6
	}
	panic(what)
}

// read gives the names of the sets whose sizes a change shows.
func read(c cohort.Change) map[string]int {
	out := map[string]int{}
	tell := func(name string, n cohort.Count) {
		if n != nil {
			out[name] = *n
		}
	}
	tell("enrolled", c.Flow.Enrolled)
	tell("treated", c.Flow.Treated)
	tell("from", c.Flow.WithFrom)
	tell("to", c.Flow.WithTo)
	for why, n := range c.Flow.FromAbsent {
		tell("from: "+string(why), n)
	}
	for why, n := range c.Flow.ToAbsent {
		tell("to: "+string(why), n)
	}
	for _, n := range []cohort.Count{c.Flow.Paired, c.From.N, c.To.N, c.Difference.N} {
		tell("paired", n)
	}
	for name, o := range c.Outcomes {
		tell(string(name), o.N)
		group, all := "paired", "from"
		switch {
		case strings.Contains(o.Words, "cases"):
			group, all = "cases", "all cases"
		case strings.Contains(o.Words, "begin at 0"):
			group, all = "above 0", "all above 0"
		}
		tell(group, o.Of)
		if o.WorstCase != nil {
			low, high := *o.WorstCase, *o.BestCase
			if name == cohort.ReliableDeterioration {
				low, high = high, low
			}
			if *o.N > 0 {
				out[all] = int(math.Round(float64(*o.N) / low))
			} else if *o.Of > 0 {
				out[all] = int(math.Round(float64(*o.Of) / (1 - high)))
			}
		}
	}
	return out
}

// mentions reports whether a flow has an entry for a reason.
func mentions(flow cohort.Pairing, what string) bool {
	at, why, _ := strings.Cut(what, ": ")
	reasons := map[string]map[cohort.Absence]cohort.Count{"from": flow.FromAbsent, "to": flow.ToAbsent}[at]
	_, ok := reasons[cohort.Absence(why)]
	return ok
}

func sizeOf(what string, counts []int) int {
	n := 0
	for k, people := range counts {
		if is(what, k) {
			n += people
		}
	}
	return n
}

func drawCounts(t *rapid.T, name string, of int) []int {
	sizes := []int{0, 1, 2, 3, 4, 5, 8, 13, 30}
	if rapid.IntRange(0, 3).Draw(t, name+" are few") == 0 {
		sizes = []int{0, 0, 0, 0, 1, 2}
	}
	return rapid.SliceOfN(rapid.SampledFrom(sizes), of, of).Draw(t, name)
}

// kindsThere are the places of kinds of which there are people: he knows of
// which there are none.
func kindsThere(counts []int) (there []int, people []int) {
	for k, n := range counts {
		if n > 0 {
			there, people = append(there, k), append(people, n)
		}
	}
	return there, people
}

func attackOn[V any](seen map[string]V, counts []int) (attacker, []int) {
	there, people := kindsThere(counts)
	a := attacker{people: people}
	for what := range seen {
		set := make([]bool, len(there))
		for i, k := range there {
			set[i] = is(what, k)
		}
		a.learns(set)
	}
	return a, there
}

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

// TestNoCellFollowsFromAShiftTable tries every set of cells against cells, sums
// and total.
func TestNoCellFollowsFromAShiftTable(t *testing.T) {
	bands := []string{"mild", "moderate", "severe"}
	shownCells, withheldCells := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		counts := drawCounts(rt, "cell", 9)
		var cases []cohort.Case
		for cell, n := range counts {
			for i := range n {
				c := scoring(treated(fmt.Sprint(cell, " ", i)), "phq-9", trajectory.TimingBefore, 12, func(s *cohort.Score) { s.Severity = bands[cell/3] })
				cases = append(cases, scoring(c, "phq-9", trajectory.TimingAfter, 6, func(s *cohort.Score) { s.Severity = bands[cell%3] }))
			}
		}
		q := cohort.ShiftQuery{Comparison: onPHQ9().Comparison, Bands: bands}
		table := compute(t, q.Compute, cases...).Withheld(fewest).Crosstab
		there, people := kindsThere(counts)
		a := attacker{people: people}
		tell := func(n cohort.Count, in func(from, to int) bool) {
			if n == nil {
				return
			}
			set, size := make([]bool, len(there)), 0
			for i, cell := range there {
				if set[i] = in(cell/3, cell%3); set[i] {
					size += people[i]
				}
			}
			if *n != size {
				rt.Fatalf("a number is shown as %d, is %d", *n, size)
			}
			a.learns(set)
		}
		tell(table.N, func(int, int) bool { return true })
		for i := range bands {
			tell(table.Rows[i], func(from, _ int) bool { return from == i })
			tell(table.Columns[i], func(_, to int) bool { return to == i })
			for j := range bands {
				tell(table.Counts[i][j], func(from, to int) bool { return from == i && to == j })
				if table.Counts[i][j] == nil {
					withheldCells++
					continue
				}
				shownCells++
				if table.Rows[i] == nil || table.Columns[j] == nil {
					if *table.Counts[i][j] == 0 {
						rt.Fatal("a 0 says where the few people of a withheld sum are not")
					}
				}
			}
		}
		if found := a.finds(); found != nil {
			rt.Fatalf("%v: told of cells %v of %v", counts, found, there)
		}
	})
	if shownCells == 0 || withheldCells == 0 {
		t.Errorf("%d cells shown, %d withheld: the test proves nothing", shownCells, withheldCells)
	}
}

// Withholding row by row and column by column is not enough: each of these rows
// and columns hides two cells or more, and yet the sum of the first two rows
// less the first two columns is the cell between the two blocks.
func TestACellBetweenTwoBlocksIsNotToldByTheSumsOfBlocks(t *testing.T) {
	bands := []string{"a", "b", "c", "d"}
	counts := [4][4]int{{3, 3, 3, 20}, {3, 3, 20, 20}, {20, 20, 3, 3}, {20, 20, 3, 3}}
	var cases []cohort.Case
	for i, row := range counts {
		for j, n := range row {
			for k := range n {
				c := scoring(treated(fmt.Sprint(i, j, k)), "phq-9", trajectory.TimingBefore, 12, func(s *cohort.Score) { s.Severity = bands[i] })
				cases = append(cases, scoring(c, "phq-9", trajectory.TimingAfter, 6, func(s *cohort.Score) { s.Severity = bands[j] }))
			}
		}
	}
	q := cohort.ShiftQuery{Comparison: onPHQ9().Comparison, Bands: bands}
	table := compute(t, q.Compute, cases...).Withheld(fewest).Crosstab
	hiddenLarge := 0
	for i, row := range counts {
		for j, n := range row {
			if n == 20 && table.Counts[i][j] == nil {
				hiddenLarge++
			}
		}
	}
	if hiddenLarge == 0 && table.Rows[0] != nil && table.Rows[1] != nil && table.Columns[0] != nil && table.Columns[1] != nil {
		t.Error("rows a and b less columns a and b give the cell of row a and column c")
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

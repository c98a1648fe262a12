package cohort_test

import (
	"fmt"
	"math"
	"math/big"
	"strings"

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

package cohort

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// UnknownGroup holds the people of whom nothing is known to group them by. They
// are never dropped.
const UnknownGroup = "unknown"

// OtherGroups holds the people of groups that are not named: the name of a group
// of few may be what somebody typed of one person. A group that is itself called
// so is one of them.
const OtherGroups = "other"

// Key names the group of a person; empty means unknown. It is given the score
// at from, which is the zero Score where there is none.
type Key func(c Case, from Score) string

// doseBand is the width in mg of the groups by first dose.
const doseBand = 50

// KeyOf gives the key of a grouping: sex, indication, substance, route and dose
// (those of the first dose; dose in bands of 50 mg: "50-<100 mg"), planned
// (dosing sessions), doses (that were given) or baseline_severity (the band at
// from). What people type is spelt alike: Depression and depression are one.
// False where there is no such grouping.
func KeyOf(by string) (Key, bool) {
	key, ok := map[string]Key{
		"sex":        func(c Case, _ Score) string { return c.Sex },
		"indication": func(c Case, _ Score) string { return spelt(c.Indication) },
		"substance":  ofFirstDose(func(d Dose) string { return spelt(d.Substance) }),
		"route":      ofFirstDose(func(d Dose) string { return d.Route }),
		"dose":       ofFirstDose(doseGroup),
		"planned": func(c Case, _ Score) string {
			if c.Planned == nil {
				return ""
			}
			return strconv.Itoa(*c.Planned)
		},
		"doses":             func(c Case, _ Score) string { return strconv.Itoa(len(c.Doses)) },
		"baseline_severity": func(_ Case, from Score) string { return from.Severity },
	}[by]
	return key, ok
}

// spelt is a text without what does not make it another one.
func spelt(text string) string { return strings.ToLower(strings.Join(strings.Fields(text), " ")) }

func ofFirstDose(group func(Dose) string) Key {
	return func(c Case, _ Score) string {
		if len(c.Doses) == 0 {
			return ""
		}
		return group(c.Doses[0])
	}
}

// doseGroup is the band of a dose; empty where no medicine was recorded.
func doseGroup(d Dose) string {
	if d.Substance == "" || d.MG <= 0 {
		return ""
	}
	low := int(math.Floor(d.MG/doseBand)) * doseBand
	return fmt.Sprintf("%d-<%d mg", low, low+doseBand)
}

// Group is the change in one group.
type Group struct {
	Key string
	Change
}

// GroupedChange is a change in all, and in each group of them.
type GroupedChange struct {
	Total  Change
	Groups []Group // numbers and bands in order of size, other names of the alphabet
}

// ComputeBy reads the people once, for the total and for each group.
func (q ChangeQuery) ComputeBy(cases Cases, key Key) (GroupedChange, error) {
	if err := q.check(); err != nil {
		return GroupedChange{}, err
	}
	total, by := q.gathering(), map[string]*gathering{}
	for c, err := range cases {
		if err != nil {
			return GroupedChange{}, err
		}
		p := q.pair(c)
		name := cmp.Or(key(c, p.first), UnknownGroup)
		if by[name] == nil {
			by[name] = q.gathering()
		}
		total.add(c, p)
		by[name].add(c, p)
	}
	joinSmall(by, q.Fewest)
	out := GroupedChange{Total: total.change()}
	for _, name := range slices.SortedFunc(maps.Keys(by), byName) {
		out.Groups = append(out.Groups, Group{Key: name, Change: by[name].change()})
	}
	return out, nil
}

// joinSmall joins the groups of fewer people than may have a name. Where these
// are few together, the next smallest goes with them.
func joinSmall(by map[string]*gathering, fewest int) {
	size := func(name string) int { return by[name].places.people(func(place) bool { return true }) }
	names := slices.SortedFunc(maps.Keys(by), func(a, b string) int { return cmp.Or(cmp.Compare(size(a), size(b)), cmp.Compare(a, b)) })
	var rest *gathering
	people := 0
	for _, name := range names {
		n := size(name)
		if n >= fewest && (rest == nil || people >= fewest) {
			continue
		}
		if people += n; rest == nil {
			rest = by[name]
		} else {
			rest.absorb(by[name])
		}
		delete(by, name)
	}
	if rest == nil {
		return
	}
	if same := by[OtherGroups]; same != nil {
		rest.absorb(same)
	}
	by[OtherGroups] = rest
}

// byName puts names that begin with a number in order of it, and before others.
func byName(a, b string) int { return cmp.Or(cmp.Compare(leading(a), leading(b)), cmp.Compare(a, b)) }

func leading(name string) float64 {
	end := 0
	for end < len(name) && '0' <= name[end] && name[end] <= '9' {
		end++
	}
	n, err := strconv.Atoi(name[:end])
	if err != nil {
		return math.Inf(1)
	}
	return float64(n)
}

// Bases lists what the total and each group were computed from.
func (g GroupedChange) Bases() []Basis {
	out := g.Total.Bases()
	for _, group := range g.Groups {
		out = append(out, group.Bases()...)
	}
	return out
}

// Withheld is the figure as it may be shown beside its total, which somebody can
// ask for by itself. A group with few pairs is withheld whole, and the next
// smallest with it, so that it does not follow from the total. A number is shown
// in the groups only where it may be shown in the total, in every group that is
// shown, and in those that are withheld taken together: otherwise the total
// would tell the one that is missing. Each number is looked at for itself here:
// what several numbers of several groups tell together is looked at within a
// group and within the total alone.
func (g GroupedChange) Withheld(threshold int) GroupedChange {
	visible := g.visible(threshold)
	may := g.Total.may(threshold)
	out := GroupedChange{Total: g.Total.showing(may), Groups: slices.Clone(g.Groups)}
	beside, rest := maps.Clone(may), g.Total.query.gathering()
	for i, group := range g.Groups {
		if visible[i] {
			beside.strike(group.may(threshold))
		} else {
			rest.join(group.Change)
		}
	}
	together := rest.change()
	beside.strike(together.may(threshold))
	together.silence(beside)
	for i, group := range g.Groups {
		if visible[i] {
			group.silence(beside)
		}
	}
	for i, group := range g.Groups {
		if visible[i] {
			out.Groups[i].Change = group.showing(beside)
		} else {
			out.Groups[i].Change = group.hidden()
		}
	}
	return out
}

// visible says of each group whether it may be shown at all, by its pairs.
func (g GroupedChange) visible(threshold int) []bool {
	pairs, parts := tally[int]{}, make([]counted[int], len(g.Groups))
	for i, group := range g.Groups {
		pairs[i] = group.pairs.people(anybody)
		parts[i] = counted[int]{strconv.Itoa(i), func(of int) bool { return of == i }}
	}
	may := showableParts(pairs, counted[int]{countPaired, func(int) bool { return true }}, parts, threshold)
	out := make([]bool, len(parts))
	for i, part := range parts {
		out[i] = may[part.name]
	}
	return out
}

// join counts the people of a group too, without their scores.
func (g *gathering) join(c Change) {
	g.places.add(c.places)
	g.pairs.add(c.pairs)
	g.windows.add(c.windows)
}

// absorb takes in the people of another group.
func (g *gathering) absorb(other *gathering) {
	g.from, g.to, g.diff = append(g.from, other.from...), append(g.to, other.to...), append(g.diff, other.diff...)
	g.places.add(other.places)
	g.pairs.add(other.pairs)
	g.windows.add(other.windows)
	g.who, g.judged, g.asked = append(g.who, other.who...), append(g.judged, other.judged...), append(g.asked, other.asked...)
}

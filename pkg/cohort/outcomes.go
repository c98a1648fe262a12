package cohort

import "github.com/protrack/protrack/pkg/trajectory"

// Outcome names what may become of a person between two time-points.
type Outcome string

// The outcomes. What each is stands in trajectory.Rules.
const (
	Response              Outcome = "response"
	PartialResponse       Outcome = "partial_response" // and no response
	Remission             Outcome = "remission"
	Recovery              Outcome = "recovery"
	ReliableImprovement   Outcome = "reliable_improvement"
	ReliableDeterioration Outcome = "reliable_deterioration"
	ReliableRecovery      Outcome = "reliable_recovery" // recovery and reliable improvement
)

// OutcomeRate is how often an outcome was seen, and how often it would be if
// everybody who was lost were known.
type OutcomeRate struct {
	Rate
	// LeftOut are the pairs of which the outcome cannot be said, which are not in
	// Of: those who were no cases, or began at 0 where a percentage is taken.
	LeftOut Count
	// WorstCase and BestCase are shares of everybody of the stated group who has
	// a score at from. Whoever lacks the one at to has no good outcome in the
	// worst case and has it in the best. Of deterioration it is the other way
	// round: in the worst case all who were lost have deteriorated.
	WorstCase, BestCase *float64
}

// verdict is what the outcomes look at in a pair.
type verdict struct {
	began     beginning
	response  trajectory.Response // empty: not judged
	reliable  trajectory.Reliable // empty: not judged
	remission bool
	recovery  bool
}

// judged reads the rules' verdicts of a pair.
func judged(began beginning, v trajectory.Verdicts) verdict {
	return verdict{
		began:     began,
		response:  value(v.Response),
		reliable:  value(v.Reliable),
		remission: value(v.Remission),
		recovery:  value(v.Recovery),
	}
}

// value is what a pointer points to; the zero value for nil.
func value[T any](p *T) T {
	if p == nil {
		var none T
		return none
	}
	return *p
}

// group is the denominator of an outcome among the pairs.
type group struct {
	cases   bool // those only who were cases at from
	nonZero bool // those only who did not begin at 0
}

func (g group) has(b beginning) bool { return (!g.cases || b.aCase) && (!g.nonZero || !b.zero) }

func (g group) words() string {
	switch g {
	case group{cases: true, nonZero: true}:
		return "of the pairs that were cases at from and did not begin at 0"
	case group{cases: true}:
		return "of the pairs that were cases at from"
	case group{nonZero: true}:
		return "of the pairs that did not begin at 0"
	}
	return "of all pairs"
}

// name is that of the group's count among the pairs.
func (g group) name() string {
	if g == (group{}) {
		return countPaired
	}
	return g.words()
}

// allName is that of its count among all with a score at from.
func (g group) allName() string {
	if g == (group{}) {
		return countWithFrom
	}
	return "with from, " + g.words()
}

// outcome is how an Outcome is counted.
type outcome struct {
	name  Outcome
	group group
	bad   bool
	ruled func(trajectory.Rules) bool
	has   func(verdict) bool
}

// outcomes lists them all, those that matter most first.
var outcomes = []outcome{
	{
		name: Response, group: group{nonZero: true},
		ruled: func(r trajectory.Rules) bool { return r.ResponsePercent != nil },
		has:   func(v verdict) bool { return v.response == trajectory.ResponseFull },
	},
	{
		name:  ReliableImprovement,
		ruled: func(r trajectory.Rules) bool { return r.ReliableChange != nil },
		has:   func(v verdict) bool { return v.reliable == trajectory.Improved },
	},
	{
		name: ReliableDeterioration, bad: true,
		ruled: func(r trajectory.Rules) bool { return r.ReliableChange != nil },
		has:   func(v verdict) bool { return v.reliable == trajectory.Deteriorated },
	},
	{
		name: Recovery, group: group{cases: true},
		ruled: func(r trajectory.Rules) bool { return r.Caseness != nil },
		has:   func(v verdict) bool { return v.recovery },
	},
	{
		name: Remission, group: group{cases: true},
		ruled: func(r trajectory.Rules) bool { return r.Caseness != nil && r.RemissionBelow != nil },
		has:   func(v verdict) bool { return v.remission },
	},
	{
		name: ReliableRecovery, group: group{cases: true},
		ruled: func(r trajectory.Rules) bool { return r.Caseness != nil && r.ReliableChange != nil },
		has:   func(v verdict) bool { return v.recovery && v.reliable == trajectory.Improved },
	},
	{
		name: PartialResponse, group: group{nonZero: true},
		ruled: func(r trajectory.Rules) bool { return r.ResponsePercent != nil && r.PartialPercent != nil },
		has:   func(v verdict) bool { return v.response == trajectory.ResponsePartial },
	},
}

// outcomes are those that the query's rules define, each with its group.
func (q ChangeQuery) outcomes() []outcome {
	var out []outcome
	for _, o := range outcomes {
		o.group.cases = o.group.cases || q.CasesOnly
		if !o.ruled(q.Rules) || o.group.cases && q.Rules.Caseness == nil {
			continue
		}
		if o.name == Remission && q.Direction == trajectory.HigherIsBetter {
			continue // no rule of remission is defined for these
		}
		out = append(out, o)
	}
	return out
}

// groups are the denominators of the outcomes, the widest first.
func groups(of []outcome) []group {
	var out []group
	for _, g := range []group{{}, {cases: true}, {nonZero: true}, {cases: true, nonZero: true}} {
		for _, o := range of {
			if o.group == g {
				out = append(out, g)
				break
			}
		}
	}
	return out
}

// outcomeCounts are the numbers of the outcomes: the denominators, then who of
// these has each.
func (q ChangeQuery) outcomeCounts() []counted[verdict] {
	of := q.outcomes()
	out := []counted[verdict]{{countPaired, func(verdict) bool { return true }}}
	for _, g := range groups(of) {
		if g != (group{}) {
			out = append(out, counted[verdict]{g.name(), func(v verdict) bool { return g.has(v.began) }})
		}
	}
	for _, o := range of {
		out = append(out, counted[verdict]{string(o.name), o.counts})
	}
	return out
}

func (o outcome) counts(v verdict) bool { return o.group.has(v.began) && o.has(v) }

// pairCounts are the sizes of groups among the pairs, as the flow knows them.
func pairCounts(of []group) []counted[place] {
	var out []counted[place]
	for _, g := range of {
		out = append(out, counted[place]{g.name(), func(p place) bool { return p.paired() && g.has(p.began) }})
	}
	return out
}

// lostCounts are the denominators of worst and best case.
func lostCounts(of []group) []counted[place] {
	var out []counted[place]
	for _, g := range of {
		if g != (group{}) {
			out = append(out, counted[place]{g.allName(), func(p place) bool { return p.from == "" && g.has(p.began) }})
		}
	}
	return out
}

// of is the outcome's denominator. Where only a few pairs began at 0 the group
// without them would tell how many they are: the outcome is then of the group
// with them, as of people who do not have it, and its words say so.
func (o outcome) of(may shown) (g group, words string) {
	g = o.group
	if g.nonZero && !may[g.name()] {
		g.nonZero = false
		return g, g.words() + ", those who began at 0 counted as without it"
	}
	return g, g.words()
}

// rate counts an outcome, with the numbers that may be shown.
func (o outcome) rate(places tally[place], pairs tally[verdict], may shown) OutcomeRate {
	n := pairs.people(o.counts)
	g, words := o.of(may)
	of := pairs.people(func(v verdict) bool { return g.has(v.began) })
	r := OutcomeRate{Rate: may.rate(string(o.name), n, g.name(), of, words)}
	if r.Of != nil && may[countPaired] {
		r.LeftOut = new(pairs.people(anybody) - of)
	}
	all := places.people(func(p place) bool { return p.from == "" && g.has(p.began) })
	if r.Rate.Rate == nil || !may[g.allName()] {
		return r
	}
	low, high := float64(n)/float64(all), float64(n+all-of)/float64(all)
	if o.bad {
		low, high = high, low
	}
	r.WorstCase, r.BestCase = new(low), new(high)
	return r
}

func anybody(verdict) bool { return true }

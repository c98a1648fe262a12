package cohort

import (
	"slices"

	"github.com/protrack/protrack/pkg/trajectory"
)

// ChangeQuery asks how scores on an instrument changed between two time-points.
type ChangeQuery struct {
	Comparison
	Direction trajectory.Direction
	Rules     trajectory.Rules
	// CasesOnly counts response and reliable change of those only who were cases
	// at from. Recovery and remission are of cases always.
	CasesOnly bool
	// Fewest is how many people a group has at least whose name is told; those of
	// smaller ones are together in OtherGroups. 0: every name is.
	Fewest int
}

// Change is how scores changed in those who have both.
type Change struct {
	Flow       Pairing
	From, To   Summary // of the pairs
	Difference Difference
	// Outcomes lacks those for which the rules have no threshold.
	Outcomes map[Outcome]OutcomeRate
	Windows  []Windows
	Rules    trajectory.Rules // as applied

	query   ChangeQuery
	places  tally[place]
	pairs   tally[verdict]
	windows tally[Windows] // without its N
	who     witnesses[place]
	judged  witnesses[verdict]
	asked   witnesses[Windows]
	shows   shown // the numbers that are shown
}

// Compute reads the people once, and keeps three numbers of each pair. It fails
// with the error of the cases, and is Invalid where the time-points are one.
func (q ChangeQuery) Compute(cases Cases) (Change, error) {
	if err := q.check(); err != nil {
		return Change{}, err
	}
	g := q.gathering()
	for c, err := range cases {
		if err != nil {
			return Change{}, err
		}
		g.add(c, q.pair(c))
	}
	return g.change(), nil
}

// pair finds a person's scores and what the first means by the rules.
func (q ChangeQuery) pair(c Case) pair {
	p := q.find(c)
	if p.from == "" {
		p.began = beginning{
			aCase: value(q.Rules.IsCase(q.Direction, *p.first.Total)),
			zero:  *p.first.Total <= 0,
		}
	}
	return p
}

// gathering is a Change while its people come in.
type gathering struct {
	query          ChangeQuery
	from, to, diff []float64
	places         tally[place]
	pairs          tally[verdict]
	windows        tally[Windows] // without its N
	who            witnesses[place]
	judged         witnesses[verdict]
	asked          witnesses[Windows]
}

func (q ChangeQuery) gathering() *gathering {
	return &gathering{query: q, places: tally[place]{}, pairs: tally[verdict]{}, windows: tally[Windows]{}}
}

func (g *gathering) add(c Case, p pair) {
	g.places[p.place]++
	g.who.add(p.place, c, p.first, p.then)
	if !p.paired() {
		return
	}
	first, then := *p.first.Total, *p.then.Total
	g.from, g.to, g.diff = append(g.from, first), append(g.to, then), append(g.diff, then-first)
	v, w := judged(p.began, g.query.Rules.Judge(g.query.Direction, first, then)), windowsOf(p.first, p.then)
	g.pairs[v]++
	g.windows[w]++
	g.judged.add(v, c, p.first, p.then)
	g.asked.add(w, c, p.first, p.then)
}

// change computes the figure, with nothing withheld.
func (g *gathering) change() Change {
	q := g.query
	c := Change{
		Rules: q.Rules,
		query: q, places: g.places, pairs: g.pairs, windows: g.windows, who: g.who, judged: g.judged, asked: g.asked,
	}
	c.From, c.To = summarize(ascending(g.from)), summarize(ascending(g.to))
	diff := summarize(ascending(g.diff))
	c.Difference = PairedDifference(*diff.N, value(diff.Mean), value(diff.SD)).between(c.From, c.To)
	return c.showing(c.all())
}

// all shows everything.
func (c Change) all() shown {
	return everything(flowCounts(c.places, nil, lostCounts(groups(c.query.outcomes())))).
		with(everything(c.query.outcomeCounts())).with(everything(windowCounts(c.windows)))
}

// Bases lists what the numbers that are shown were computed from.
func (c Change) Bases() []Basis {
	what := c.query.Instrument
	out := c.who.heads(what, c.shows, flowCounts(c.places, nil, lostCounts(groups(c.query.outcomes())))...)
	out = append(out, c.judged.heads(what, c.shows, c.query.outcomeCounts()...)...)
	out = append(out, c.asked.heads(what, c.shows, windowCounts(c.windows)...)...)
	// The statistics are sums of scores, wherever the scores were found.
	out = append(out, c.judged.bases(what+" score", witness[verdict].first, c.shows, allPairs)...)
	return append(out, c.judged.bases(what+" score", witness[verdict].then, c.shows, allPairs)...)
}

// allPairs counts every pair.
var allPairs = counted[verdict]{countPaired, func(verdict) bool { return true }}

// Withheld is the figure as it may be shown where groups of fewer people than
// the threshold must not be told, neither by a number nor by the difference of
// numbers. The number of pairs is the last to go; where it is too small itself,
// so is everything that is computed from them.
func (c Change) Withheld(threshold int) Change { return c.showing(c.may(threshold)) }

// may decides what can be shown. The pairs are decided on first, and the flow
// with them as one group that is shown: what could be told by a combination of
// both could then be told by one of them.
func (c Change) may(threshold int) shown {
	may := showable(c.pairs, c.query.outcomeCounts(), threshold)
	known := slices.DeleteFunc(groups(c.query.outcomes()), func(g group) bool { return !may[g.name()] })
	may.with(showable(c.places, flowCounts(c.places, pairCounts(known), lostCounts(known)), threshold))
	may.with(showableWindows(c.windows, threshold))
	c.silence(may)
	return may
}

// silence takes out each outcome that nobody has of a group whose size is
// withheld: it would say something of each of these few.
func (c Change) silence(may shown) {
	for _, o := range c.query.outcomes() {
		if g, _ := o.of(may); !may[g.name()] && c.pairs.people(o.counts) == 0 {
			may[string(o.name)] = false
		}
	}
}

// showing gives the figure with the numbers that may be shown.
func (c Change) showing(may shown) Change {
	c.shows = may
	c.Flow = pairing(c.places, may)
	c.Outcomes = map[Outcome]OutcomeRate{}
	for _, o := range c.query.outcomes() {
		c.Outcomes[o.name] = o.rate(c.places, c.pairs, may)
	}
	c.Windows = windowList(c.windows, may)
	if !may[countPaired] {
		c.From, c.To, c.Difference, c.Windows = Summary{}, Summary{}, Difference{}, nil
	}
	return c
}

// hidden is the figure without any of its numbers.
func (c Change) hidden() Change {
	c = c.showing(nil)
	c.Flow = Pairing{}
	return c
}

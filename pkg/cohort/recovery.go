package cohort

import (
	"strings"

	"github.com/protrack/protrack/pkg/trajectory"
)

// RecoveryMeasure is one of the instruments that recovery looks at.
type RecoveryMeasure struct {
	Instrument string
	Direction  trajectory.Direction
	Rules      trajectory.Rules // with caseness and reliable change
}

// RecoveryQuery asks for recovery over several instruments together, as NHS
// Talking Therapies counts it over PHQ-9 and GAD-7 (Gyani 2013,
// doi 10.1016/j.brat.2013.06.004): a case is whoever is one on any instrument, and has recovered who is
// below caseness on all. Their way to combine reliable change is that of the
// NHS's code for children's services: deteriorated on any is deteriorated,
// improved is improved on one at least and deteriorated on none.
type RecoveryQuery struct {
	From, To TimePoint
	Window   string // as in Comparison
	Measures []RecoveryMeasure
}

// RecoveryFigure is recovery over several instruments. The flow counts as with a
// score who has one on every instrument; its reason is that of the first that
// is missing.
type RecoveryFigure struct {
	Flow             Pairing
	Cases            Count // of the pairs, at from
	Recovery         Rate  // of the cases
	ReliableRecovery Rate  // recovery and reliable improvement; of the cases
	// The following are of all pairs, and each pair is in one of them.
	ReliableImprovement, ReliableDeterioration, NoChange Rate

	query  RecoveryQuery
	places tally[place]
	pairs  tally[course]
	who    []witnesses[place] // by measure
	judged witnesses[course]  // with the data of the first measure
	shows  shown              // the numbers that are shown
}

// course is what recovery looks at in a pair.
type course struct{ was, is, improved, deteriorated bool }

func (c course) recovered() bool { return c.was && !c.is }
func (c course) better() bool    { return c.improved && !c.deteriorated }

// recoveryCounts are the numbers of the figure, those that matter most first.
var recoveryCounts = []counted[course]{
	{countPaired, func(course) bool { return true }},
	{"cases", func(c course) bool { return c.was }},
	{string(Recovery), course.recovered},
	{string(ReliableImprovement), course.better},
	{string(ReliableDeterioration), func(c course) bool { return c.deteriorated }},
	{"no_change", func(c course) bool { return !c.improved && !c.deteriorated }},
	{string(ReliableRecovery), func(c course) bool { return c.recovered() && c.better() }},
}

// Compute reads the people once. It fails with the error of the cases, and is
// Invalid where the time-points are one.
func (q RecoveryQuery) Compute(cases Cases) (RecoveryFigure, error) {
	if err := (Comparison{From: q.From, To: q.To}).check(); err != nil {
		return RecoveryFigure{}, err
	}
	r := RecoveryFigure{query: q, places: tally[place]{}, pairs: tally[course]{}, who: make([]witnesses[place], len(q.Measures))}
	for c, err := range cases {
		if err != nil {
			return RecoveryFigure{}, err
		}
		r.add(c)
	}
	return r.showing(everything(flowCounts(r.places, nil, nil)).with(everything(recoveryCounts))), nil
}

func (r *RecoveryFigure) add(c Case) {
	all := place{treated: len(c.Doses) > 0}
	found := make([]pair, len(r.query.Measures))
	for i, m := range r.query.Measures {
		found[i] = r.query.comparison(m).find(c)
		if all.from == "" {
			all.from = found[i].from
		}
		if all.to == "" {
			all.to = found[i].to
		}
	}
	r.places[all]++
	var over course
	for i, m := range r.query.Measures {
		r.who[i].add(all, c, found[i].first, found[i].then)
		if all.paired() {
			over.judge(m, *found[i].first.Total, *found[i].then.Total)
		}
	}
	if all.paired() {
		r.pairs[over]++
		r.judged.add(over, c, found[0].first, found[0].then)
	}
}

// judge adds what one instrument says.
func (c *course) judge(m RecoveryMeasure, first, then float64) {
	c.was = c.was || value(m.Rules.IsCase(m.Direction, first))
	c.is = c.is || value(m.Rules.IsCase(m.Direction, then))
	change := value(m.Rules.Judge(m.Direction, first, then).Reliable)
	c.improved = c.improved || change == trajectory.Improved
	c.deteriorated = c.deteriorated || change == trajectory.Deteriorated
}

func (q RecoveryQuery) comparison(m RecoveryMeasure) Comparison {
	return Comparison{Instrument: m.Instrument, From: q.From, To: q.To, Window: q.Window}
}

// Bases lists what the numbers that are shown were computed from: they say of
// each instrument who has scores on it.
func (r RecoveryFigure) Bases() []Basis {
	var out []Basis
	for i, m := range r.query.Measures {
		out = append(out, r.who[i].heads(m.Instrument, r.shows, flowCounts(r.places, nil, nil)...)...)
		out = append(out, r.judged.heads(m.Instrument, r.shows, recoveryCounts...)...)
	}
	return out
}

// Withheld is the figure as it may be shown.
func (r RecoveryFigure) Withheld(threshold int) RecoveryFigure {
	return r.showing(showable(r.pairs, recoveryCounts, threshold).with(showable(r.places, flowCounts(r.places, nil, nil), threshold)))
}

func (r RecoveryFigure) showing(may shown) RecoveryFigure {
	r.shows = may
	r.Flow = pairing(r.places, may)
	n := map[string]int{}
	for _, number := range recoveryCounts {
		n[number.name] = r.pairs.people(number.in)
	}
	r.Cases = may.count("cases", n["cases"])
	rate := func(name, of, words string) Rate {
		return may.rate(name, n[name], of, n[of], words)
	}
	ofCases := "of the pairs that were cases at from on " + r.query.names(" or ")
	ofPairs := "of all pairs with " + r.query.names(" and ") + " at both"
	r.Recovery = rate(string(Recovery), "cases", ofCases)
	r.ReliableRecovery = rate(string(ReliableRecovery), "cases", ofCases)
	r.ReliableImprovement = rate(string(ReliableImprovement), countPaired, ofPairs)
	r.ReliableDeterioration = rate(string(ReliableDeterioration), countPaired, ofPairs)
	r.NoChange = rate("no_change", countPaired, ofPairs)
	return r
}

// names lists the instruments in a sentence.
func (q RecoveryQuery) names(joined string) string {
	var names []string
	for _, m := range q.Measures {
		names = append(names, m.Instrument)
	}
	return strings.Join(names, joined)
}

package cohort

import (
	"maps"
	"slices"

	"github.com/protrack/protrack/pkg/fault"
)

// Comparison names the two scores of each person that a figure compares.
type Comparison struct {
	Instrument string
	From, To   TimePoint
	Window     string // recall window that both were asked with, such as P14D; empty: any
}

var errSamePoint = fault.New(fault.Invalid, "The two time-points are the same: there is nothing to compare.")

func (q Comparison) check() error {
	if q.From == q.To {
		return errSamePoint
	}
	return nil
}

// Pairing says how many people a comparison of two time-points rests on, and why
// the others are not in it.
type Pairing struct {
	Enrolled Count // all who were asked about
	Treated  Count // at least one dose
	WithFrom Count
	WithTo   Count
	Paired   Count // with both
	// FromAbsent and ToAbsent say why the others have no score there. A reason
	// that is nobody's is left out, one that is withheld is nil; whoever lacks
	// both is in both.
	FromAbsent, ToAbsent map[Absence]Count
}

// place is what the flow looks at in a person.
type place struct {
	treated  bool
	from, to Absence // empty: there is a score
	began    beginning
}

// beginning is what the first score of a person means for outcomes.
type beginning struct {
	aCase bool // by the rules' caseness
	zero  bool // no percentage can be taken of it
}

func (p place) paired() bool { return p.from == "" && p.to == "" }

// pair is both scores of a person, where they are.
type pair struct {
	place
	first, then Score
}

// find gives both scores. The second must be later than the first: the last
// score of somebody with only one is no follow-up.
func (q Comparison) find(c Case) pair {
	p := pair{place: place{treated: len(c.Doses) > 0}}
	p.first, p.from = c.Find(q.From, q.Instrument, q.Window)
	p.then, p.to = c.Find(q.To, q.Instrument, q.Window)
	if p.paired() && (p.first.ID == p.then.ID || p.then.At.Before(p.first.At)) {
		p.to = NotLater
	}
	return p
}

// The names of the counts of a flow.
const (
	countEnrolled = "enrolled"
	countTreated  = "treated"
	countWithFrom = "with_from"
	countWithTo   = "with_to"
	countPaired   = "paired"
)

func fromName(a Absence) string { return "from:" + string(a) }
func toName(a Absence) string   { return "to:" + string(a) }

// flowCounts are the numbers of a flow, those that matter most first. Known are
// numbers of pairs that the figure shows in another place, wanted are the
// figure's own of those with a score at from.
func flowCounts(t tally[place], known, wanted []counted[place]) []counted[place] {
	out := append([]counted[place]{{countPaired, place.paired}}, known...)
	out = append(out,
		counted[place]{countEnrolled, func(place) bool { return true }},
		counted[place]{countWithFrom, func(p place) bool { return p.from == "" }},
	)
	out = append(out, wanted...)
	out = append(out,
		counted[place]{countWithTo, func(p place) bool { return p.to == "" }},
		counted[place]{countTreated, func(p place) bool { return p.treated }},
	)
	for _, a := range absences(t, func(p place) Absence { return p.from }) {
		out = append(out, counted[place]{fromName(a), func(p place) bool { return p.from == a }})
	}
	for _, a := range absences(t, func(p place) Absence { return p.to }) {
		out = append(out, counted[place]{toName(a), func(p place) bool { return p.to == a }})
	}
	return out
}

// absences lists the reasons that there are, in order.
func absences(t tally[place], of func(place) Absence) []Absence {
	seen := map[Absence]bool{}
	for p := range t {
		if why := of(p); why != "" {
			seen[why] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// pairing gives the flow with the numbers that may be shown.
func pairing(t tally[place], may shown) Pairing {
	p := Pairing{FromAbsent: map[Absence]Count{}, ToAbsent: map[Absence]Count{}}
	at := map[string]*Count{
		countEnrolled: &p.Enrolled, countTreated: &p.Treated,
		countWithFrom: &p.WithFrom, countWithTo: &p.WithTo, countPaired: &p.Paired,
	}
	for _, number := range flowCounts(t, nil, nil) {
		if count, ok := at[number.name]; ok {
			*count = may.count(number.name, t.people(number.in))
		}
	}
	for _, a := range []Absence{NotTreated, NotReached, NextCourse, NotAssessed, NotScored, NotLater, NotAnswered, NotBanded} {
		may.reason(p.FromAbsent, a, fromName(a), t.people(func(p place) bool { return p.from == a }))
		may.reason(p.ToAbsent, a, toName(a), t.people(func(p place) bool { return p.to == a }))
	}
	return p
}

// reason enters how many people lack a score for a reason. One that is nobody's
// is left out, but not where it is withheld of others: that would tell the 0.
func (s shown) reason(to map[Absence]Count, why Absence, name string, n int) {
	may, asked := s[name]
	if n > 0 || asked && !may {
		to[why] = s.count(name, n)
	}
}

// everything shows all of the numbers.
func everything[K comparable](numbers []counted[K]) shown {
	out := make(shown, len(numbers))
	for _, n := range numbers {
		out[n.name] = true
	}
	return out
}

package cohort

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/protrack/protrack/pkg/fault"
)

// FlowQuery asks how many people were there at each time-point.
type FlowQuery struct {
	Instrument string
	Window     string      // recall window, such as P14D; empty: any
	Points     []TimePoint // empty: those of DefaultPoints that anybody could have come to
	// LeftOut are people who are not among the cases, by reason, such as
	// no_research_consent: the caller knows them.
	LeftOut []LeftOut
}

// mostSessions is how many sessions the default time-points look at: courses in
// the literature have four to eight doses, mostly six.
const mostSessions = 6

// DefaultPoints are after each of the first six dosing sessions, and 1, 3, 6 and
// 12 months after the first dose, with windows that grow with the distance.
func DefaultPoints() []TimePoint {
	var points []TimePoint
	for n := range mostSessions {
		points = append(points, TimePoint{Kind: AfterSession, Session: n + 1})
	}
	for _, d := range [][2]float64{{30, 7}, {90, 14}, {180, 30}, {365, 60}} {
		points = append(points, TimePoint{Kind: AtDays, Days: d[0], Within: d[1]})
	}
	return points
}

// Flow says who was there, who was expected and who was lost.
type Flow struct {
	Enrolled Count
	Treated  Count // at least one dose
	Baseline Count // of the treated: with a baseline score
	// NoBaseline says why the other treated people have none.
	NoBaseline []LeftOut
	Points     []FlowPoint
	LeftOut    []LeftOut // who is not among the enrolled

	instrument string
	head       tally[fate]
	fates      []tally[fate]     // by time-point
	chains     [][]int           // places of the points that are reached one after the other
	who        witnesses[fate]   // with the baselines
	there      []witnesses[fate] // by time-point, with the scores there
	shows      shown             // the numbers of the head that are shown
	showsAt    []shown           // those of each time-point
}

// FlowPoint is the flow at one time-point. Enrolled people who were never
// treated have no such time and are in none of its numbers.
type FlowPoint struct {
	At TimePoint
	// NotReached are treated people whose time has not come: the session has not
	// taken place, or the window of days is still open. Who has answered within
	// an open window waits here too: counting those who have and not those who
	// will not would make the loss look small.
	NotReached Count
	Expected   Count // all other treated people
	Observed   Count // of the expected: something was filled in, scored or not
	NotScored  Count // of the observed: without a total
	Evaluable  Count // of the observed: scored, and at baseline too
	Lost       Rate  // of the expected: nothing was filled in
	Words      string
}

// fate is what the flow looks at in a person at one time-point.
type fate struct {
	treated  bool
	baseline Absence
	reach    int     // how many points of the chain the person's time has come to
	at       Absence // NotReached where it has not come to this one
}

func (f fate) expected() bool  { return f.treated && f.at != NotReached }
func (f fate) observed() bool  { return f.expected() && f.at != NotAssessed }
func (f fate) evaluable() bool { return f.expected() && f.at == "" && f.baseline == "" }
func (f fate) lost() bool      { return f.expected() && f.at == NotAssessed }

// Compute counts. A time-point that is asked for twice is a fault.Invalid.
func (q FlowQuery) Compute(cases Cases) (Flow, error) {
	points := q.Points
	if len(points) == 0 {
		points = DefaultPoints()
	}
	if len(slices.Compact(slices.SortedFunc(slices.Values(points), byReach))) < len(points) {
		return Flow{}, fault.New(fault.Invalid, "A time-point is asked for twice.")
	}
	f := Flow{LeftOut: q.LeftOut, instrument: q.Instrument, head: tally[fate]{}, fates: make([]tally[fate], len(points)), there: make([]witnesses[fate], len(points)), showsAt: make([]shown, len(points)), chains: chains(points)}
	for i := range f.fates {
		f.fates[i] = tally[fate]{}
	}
	sessions := 0
	for c, err := range cases {
		if err != nil {
			return Flow{}, err
		}
		sessions = max(sessions, len(c.Doses))
		if c.Planned != nil {
			sessions = max(sessions, *c.Planned)
		}
		q.count(c, points, &f)
	}
	for i, p := range points {
		f.Points = append(f.Points, FlowPoint{At: p, Lost: Rate{Words: "of those expected"}})
		f.fill(i, nil)
	}
	f.fillHead(nil)
	if len(q.Points) == 0 {
		f.drop(sessions)
	}
	return f, nil
}

// count puts one person into the tallies.
func (q FlowQuery) count(c Case, points []TimePoint, f *Flow) {
	base, absent := c.Find(TimePoint{Kind: AtBaseline}, q.Instrument, q.Window)
	person := fate{treated: len(c.Doses) > 0, baseline: absent}
	f.head[person]++
	f.who.add(person, c, base, Score{})
	for _, chain := range f.chains {
		person.reach = 0
		for _, i := range chain {
			if person.treated && c.reached(points[i]) {
				person.reach++
			}
		}
		for _, i := range chain {
			one := person
			var s Score
			if s, one.at = c.Find(points[i], q.Instrument, q.Window); one.treated && !c.reached(points[i]) {
				s, one.at = Score{}, NotReached
			}
			f.fates[i][one]++
			f.there[i].add(one, c, base, s)
		}
	}
}

// reached reports whether the time of a time-point has come, for a person who
// was treated: the session has taken place, or the window has closed.
func (c Case) reached(p TimePoint) bool {
	switch p.Kind {
	case AtDays:
		return !c.Until.Before(c.FirstDose().Add(time.Duration((p.Days + p.Within) * float64(day))))
	case BeforeSession, AfterSession:
		return slices.ContainsFunc(c.Doses, func(d Dose) bool { return d.Number == p.Session })
	case AtBaseline, AtLast:
	}
	return true
}

// byReach puts the time-points of a kind in the order in which they are reached.
func byReach(a, b TimePoint) int {
	return cmp.Or(cmp.Compare(a.chain(), b.chain()), cmp.Compare(a.Session, b.Session),
		cmp.Compare(a.Days+a.Within, b.Days+b.Within), cmp.Compare(a.Days, b.Days), cmp.Compare(a.Kind, b.Kind))
}

// chain names the kinds of which whoever reached a later one reached the earlier.
func (p TimePoint) chain() string {
	switch p.Kind {
	case BeforeSession, AfterSession:
		return "session"
	case AtDays:
		return "days"
	case AtBaseline, AtLast:
	}
	return "any"
}

// chains gives the places of the points in the order of byReach, by kind.
func chains(points []TimePoint) [][]int {
	var out [][]int
	for i := range points {
		k := slices.IndexFunc(out, func(c []int) bool { return points[c[0]].chain() == points[i].chain() })
		if k < 0 {
			out = append(out, []int{i})
			continue
		}
		out[k] = append(out[k], i)
	}
	for _, c := range out {
		slices.SortFunc(c, func(i, j int) int { return byReach(points[i], points[j]) })
	}
	return out
}

// drop takes away the default points after sessions that nobody was planned for
// and nobody had.
func (f *Flow) drop(sessions int) {
	keep := min(mostSessions, sessions)
	f.Points = slices.Delete(f.Points, keep, mostSessions)
	f.fates = slices.Delete(f.fates, keep, mostSessions)
	f.there, f.showsAt = slices.Delete(f.there, keep, mostSessions), slices.Delete(f.showsAt, keep, mostSessions)
	at := make([]TimePoint, len(f.Points))
	for i, p := range f.Points {
		at[i] = p.At
	}
	f.chains = chains(at)
}

// Bases lists what the numbers that are shown were computed from.
func (f Flow) Bases() []Basis {
	var out []Basis
	for _, number := range headCounts(f.head) {
		switch number.name {
		case countEnrolled, countTreated:
			out = append(out, f.who.bases(MeasurePeople, witness[fate].person, f.shows, number)...)
		case countBaseline:
			out = append(out, f.who.bases(measureScored(f.instrument, string(AtBaseline)), witness[fate].first, f.shows, number)...)
		default:
			out = append(out, f.who.bases(f.instrument+" absent at baseline "+number.name, witness[fate].person, f.shows, number)...)
		}
	}
	for i, p := range f.Points {
		for _, at := range p.At.places() {
			for _, number := range pointCounts() {
				measure := f.instrument + " " + number.name + " at " + at
				if number.name == countEvaluable {
					measure = measureScored(f.instrument, at)
				}
				out = append(out, f.there[i].bases(measure, witness[fate].then, f.showsAt[i], number)...)
			}
		}
	}
	return out
}

// lossWords says how many were lost.
func (p FlowPoint) lossWords() string {
	r := p.Lost
	switch {
	case r.Of == nil || r.N == nil:
		return fmt.Sprintf("How many were lost at %s is withheld: the numbers are small.", p.At)
	case *r.Of == 0:
		return fmt.Sprintf("Nobody was expected at %s yet.", p.At)
	}
	return fmt.Sprintf("Of %d people expected at %s, %d (%.1f %%) were lost.", *r.Of, p.At, *r.N, 100**r.Rate)
}

package cohort

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/protrack/protrack/pkg/fault"
)

// FlowQuery asks how many people were there at each time-point.
type FlowQuery struct {
	Instrument string
	Window     string      // recall window, such as P14D; empty: any
	Points     []TimePoint // empty: those of DefaultPoints that anybody could have come to
}

// usualSessions is how many sessions the default time-points look at: courses in
// the literature have four to eight doses, mostly six.
const usualSessions = 6

// DefaultPoints are after each of the first six dosing sessions, and 1, 3, 6 and
// 12 months after the first dose, with windows that grow with the distance. Of a
// clinic that numbers its sessions in another way others are asked for.
func DefaultPoints() []TimePoint {
	var points []TimePoint
	for n := range usualSessions {
		points = append(points, TimePoint{Kind: AfterSession, Session: n + 1})
	}
	return append(points, FollowUps()...)
}

// FollowUps are 1, 3, 6 and 12 months after the first dose.
func FollowUps() []TimePoint {
	return []TimePoint{
		{Kind: AtDays, Days: 30, Within: 7}, {Kind: AtDays, Days: 90, Within: 14},
		{Kind: AtDays, Days: 180, Within: 30}, {Kind: AtDays, Days: 365, Within: 60},
	}
}

// Listed reports whether a time-point is one that every clinic has: any but days
// after the first dose other than those of DefaultPoints. Windows of one's own
// choice can be laid so that one person is between them.
func (p TimePoint) Listed() bool {
	return p.Kind != AtDays || slices.Contains(DefaultPoints(), p)
}

// Flow says who was there, who was expected and who was lost.
type Flow struct {
	Enrolled Count
	Treated  Count // at least one dose
	Baseline Count // of the treated: with a baseline score
	// NoBaseline says why the other treated people have none.
	NoBaseline []LeftOut
	Points     []FlowPoint

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
	// NextCourse are treated people who began another course before the window of
	// days closed: what they would say then is not of this treatment.
	NextCourse Count
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
	reached  uint64  // a bit for each point of the chain that the person's time has come to
	at       Absence // NotReached or NextCourse where it has not come to this one
}

func (f fate) expected() bool  { return f.treated && f.at != NotReached && f.at != NextCourse }
func (f fate) observed() bool  { return f.expected() && f.at != NotAssessed }
func (f fate) evaluable() bool { return f.expected() && f.at == "" && f.baseline == "" }
func (f fate) lost() bool      { return f.expected() && f.at == NotAssessed }

// mostPoints is how many time-points fit into the bits of a fate, and more than
// anybody reads.
const mostPoints = 64

// Compute counts. A time-point that is asked for twice is a fault.Invalid, and
// so are more than 64 of them.
func (q FlowQuery) Compute(cases Cases) (Flow, error) {
	points := q.Points
	if len(points) == 0 {
		points = DefaultPoints()
	}
	if len(slices.Compact(slices.SortedFunc(slices.Values(points), byReach))) < len(points) {
		return Flow{}, errTwice
	}
	if len(points) > mostPoints {
		return Flow{}, errTooMany
	}
	f := Flow{
		instrument: q.Instrument, head: tally[fate]{}, fates: make([]tally[fate], len(points)), there: make([]witnesses[fate], len(points)),
		showsAt: make([]shown, len(points)), chains: chains(points),
	}
	for i := range f.fates {
		f.fates[i] = tally[fate]{}
	}
	planned, taken := 0, [usualSessions + 1]bool{}
	for c, err := range cases {
		if err != nil {
			return Flow{}, err
		}
		for _, d := range c.Doses {
			if 0 < d.Number && d.Number < len(taken) {
				taken[d.Number] = true
			}
		}
		if c.Planned != nil {
			planned = max(planned, *c.Planned)
		}
		q.count(c, points, &f)
	}
	for i, p := range points {
		f.Points = append(f.Points, FlowPoint{At: p, Lost: Rate{Words: "of those expected"}})
		f.fill(i, nil)
	}
	f.fillHead(nil)
	if len(q.Points) == 0 {
		f.drop(func(session int) bool { return session > planned && !taken[session] })
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
		person.reached = 0
		for place, i := range chain {
			if person.treated {
				if reached, _ := c.reached(points[i]); reached {
					person.reached |= 1 << place
				}
			}
		}
		for _, i := range chain {
			one := person
			var s Score
			s, one.at = c.Find(points[i], q.Instrument, q.Window)
			if one.treated {
				if reached, why := c.reached(points[i]); !reached {
					s, one.at = Score{}, why
				}
			}
			f.fates[i][one]++
			f.there[i].add(one, c, base, s)
		}
	}
}

// reached reports whether the time of a time-point has come, for a person who
// was treated: the session has taken place, or the window has closed; and why
// not.
func (c Case) reached(p TimePoint) (bool, Absence) {
	switch p.Kind {
	case AtDays:
		return c.followed(p.Days + p.Within)
	case BeforeSession, AfterSession:
		if !slices.ContainsFunc(c.Doses, func(d Dose) bool { return d.Number == p.Session }) {
			return false, NotReached
		}
	case AtBaseline, AtLast:
	}
	return true, ""
}

var (
	errTwice   = fault.New(fault.Invalid, "A time-point is asked for twice.", inQuery("at", "duplicate", "Name each time-point once."))
	errTooMany = fault.New(fault.Invalid, "Too many time-points are asked for.", inQuery("at", "too_many", "Name at most 64 time-points."))
)

// byReach puts the time-points of a kind in the order in which they are reached.
func byReach(a, b TimePoint) int {
	return cmp.Or(cmp.Compare(a.chain(), b.chain()), cmp.Compare(a.Session, b.Session),
		cmp.Compare(a.Days+a.Within, b.Days+b.Within), cmp.Compare(a.Days, b.Days), cmp.Compare(a.Kind, b.Kind))
}

// chain names the kinds of which who reached one is mostly among who reached
// another.
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

// inQuery says which parameter of a figure a fault is about.
func inQuery(name, code, message string) fault.Detail {
	return fault.Detail{Pointer: "/" + name, In: "query", Code: code, Message: message}
}

// drop takes away the default points after sessions that nobody could have had.
func (f *Flow) drop(needless func(session int) bool) {
	for i, p := range slices.Backward(f.Points) {
		if p.At.Kind == AfterSession && needless(p.At.Session) {
			f.Points, f.fates = slices.Delete(f.Points, i, i+1), slices.Delete(f.fates, i, i+1)
			f.there, f.showsAt = slices.Delete(f.there, i, i+1), slices.Delete(f.showsAt, i, i+1)
		}
	}
	at := make([]TimePoint, len(f.Points))
	for i, p := range f.Points {
		at[i] = p.At
	}
	f.chains = chains(at)
}

// Bases lists what the numbers that are shown were computed from.
func (f Flow) Bases() []Basis {
	out := f.who.heads(f.instrument, f.shows, headCounts(f.head)...)
	for i := range f.Points {
		out = append(out, f.there[i].heads(f.instrument, f.showsAt[i], pointCounts()...)...)
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

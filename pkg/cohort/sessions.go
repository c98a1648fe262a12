package cohort

import (
	"time"

	"github.com/protrack/protrack/pkg/trajectory"
)

// SessionsQuery asks what happened across each dosing session and between it
// and the next.
type SessionsQuery struct {
	Instrument string
	Direction  trajectory.Direction
	Window     string // recall window, such as P14D; empty: any
}

// Sessions is the effect by session number. Treated is who had the first.
type Sessions struct {
	Enrolled, Treated Count
	Sessions          []SessionEffect

	fates      []tally[attended] // by session
	instrument string
	who        witnesses[bool]       // true: treated
	there      []witnesses[attended] // by session, with the scores before and after it
	beside     []witnesses[attended] // the same people with the baseline and the score before the next
	shows      []shown               // the numbers of each session that are shown
}

// SessionEffect is what the N-th dosing session did to those who had it.
//
// All differences are later minus earlier. Each has its own n, because each is
// of the people who have both of its scores: they need not be the same people.
type SessionEffect struct {
	Number                        int
	Taken                         Count // people who had it
	WithBefore, WithAfter, Paired Count // with the last score before it, the first after it, both

	Across Mean // after - before
	Held   Mean // before the next session - after this one
	// FromBaseline is after - baseline.
	FromBaseline Mean
	// HeldShare is how much of the change from baseline that was there after the
	// session is there before the next one: the ratio of the two mean changes
	// from baseline of the HeldOf people who have all three scores. 1: all of it.
	// nil where these people were not better after the session, on average.
	HeldShare *float64
	HeldOf    Count

	// Windows are the recall windows of the pairs, before and after.
	Windows []Windows
	// RecallOverlap is the mean share (0 to 1) of the time asked about after the
	// session that the questions before it had covered, over the OverlapOf pairs
	// of which both windows are spans of days. The higher it is, the less of an
	// effect of the session can show in Across.
	RecallOverlap *float64
	OverlapOf     Count
}

// attended is what the figure looks at in a person at one session.
type attended struct {
	sessions                    int // that were taken, up to this one
	before, after, paired       bool
	fromBaseline, held, heldAll bool
	overlap                     bool
}

// effect gathers the differences of one session.
type effect struct {
	across, held, fromBaseline []float64
	then, next                 []float64 // changes from baseline, after and before the next
	overlaps                   []float64
	windows                    tally[[2]string]
}

// around are a person's scores around one session.
type around struct {
	base, before, after, next Score
	has                       attended
}

// Compute gives the effects of the sessions, as many as anybody had.
func (q SessionsQuery) Compute(cases Cases) (Sessions, error) {
	s := Sessions{instrument: q.Instrument}
	var effects []*effect
	people := tally[attended]{} // by how many sessions they had; those of no session are in no row
	for c, err := range cases {
		if err != nil {
			return Sessions{}, err
		}
		people[attended{sessions: len(c.Doses)}]++
		s.who.add(len(c.Doses) > 0, c, Score{}, Score{})
		for len(effects) < len(c.Doses) {
			effects = append(effects, &effect{windows: tally[[2]string]{}})
			s.fates, s.there = append(s.fates, tally[attended]{}), append(s.there, nil)
			s.beside, s.shows = append(s.beside, nil), append(s.shows, nil)
		}
		for i, e := range effects[:len(c.Doses)] {
			q.count(c, i+1, &s, e)
		}
	}
	for i, e := range effects {
		s.fates[i].add(stopped(people, i))
		s.Sessions = append(s.Sessions, q.row(i+1, e))
	}
	s.Enrolled = new(people.people(func(attended) bool { return true }))
	s.Treated = new(people.people(func(a attended) bool { return a.sessions > 0 }))
	for i := range s.Sessions {
		s.fill(i, nil)
	}
	return s, nil
}

// stopped are the people who had so many sessions at most.
func stopped(people tally[attended], sessions int) tally[attended] {
	out := tally[attended]{}
	for a, n := range people {
		if a.sessions <= sessions {
			out[a] += n
		}
	}
	return out
}

// count puts a person's N-th session in.
func (q SessionsQuery) count(c Case, number int, s *Sessions, e *effect) {
	a := q.around(c, number)
	if a.has.paired {
		e.across = append(e.across, *a.after.Total-*a.before.Total)
		e.windows[[2]string{a.before.Window, a.after.Window}]++
		var overlap float64
		if overlap, a.has.overlap = recallOverlap(a.before, a.after, c.Doses[number-1].At); a.has.overlap {
			e.overlaps = append(e.overlaps, overlap)
		}
	}
	if a.has.fromBaseline {
		e.fromBaseline = append(e.fromBaseline, *a.after.Total-*a.base.Total)
	}
	if a.has.held {
		e.held = append(e.held, *a.next.Total-*a.after.Total)
	}
	if a.has.heldAll {
		e.then = append(e.then, *a.after.Total-*a.base.Total)
		e.next = append(e.next, *a.next.Total-*a.base.Total)
	}
	s.fates[number-1][a.has]++
	s.there[number-1].add(a.has, c, a.before, a.after)
	s.beside[number-1].add(a.has, c, a.base, a.next)
}

func measureAt(instrument string, kind PointKind, session int) string {
	return instrument + " at " + TimePoint{Kind: kind, Session: session}.String()
}

// around finds the scores. Two that were completed in another order than their
// places say are there, and are not compared.
func (q SessionsQuery) around(c Case, number int) around {
	find := func(kind PointKind, n int) (Score, bool) {
		s, absent := c.Find(TimePoint{Kind: kind, Session: n}, q.Instrument, q.Window)
		return s, absent == ""
	}
	var a around
	var based, again bool
	a.has.sessions = number
	a.base, based = find(AtBaseline, 0)
	a.before, a.has.before = find(BeforeSession, number)
	a.after, a.has.after = find(AfterSession, number)
	a.next, again = find(BeforeSession, number+1)
	a.has.paired = a.has.before && a.has.after && !a.before.At.After(a.after.At)
	a.has.fromBaseline = based && a.has.after && !a.base.At.After(a.after.At)
	a.has.held = a.has.after && again && a.after.At.Before(a.next.At)
	a.has.heldAll = a.has.fromBaseline && a.has.held
	return a
}

// recallOverlap is the share of the time asked about after a session that was
// asked about before it; false where a window is not known. Since the last
// session means since this one for the score after it; for the score before it,
// the session is one of any kind, which a Case does not know.
func recallOverlap(before, after Score, session time.Time) (float64, bool) {
	earlier, ok := asked(before)
	if !ok {
		return 0, false
	}
	later, ok := asked(after)
	if !ok && after.Window == trajectory.SinceLastSession && session.Before(after.At) {
		later, ok = trajectory.Interval{Start: session, End: after.At}, true
	}
	return trajectory.Overlap(earlier, later), ok
}

// asked is the time that a score with a fixed window is about.
func asked(s Score) (trajectory.Interval, bool) {
	w, err := trajectory.ParseWindow(s.Window)
	if err != nil { // no window is known
		return trajectory.Interval{}, false
	}
	span, fixed := w.Span()
	return trajectory.Interval{Start: s.At.Add(-span), End: s.At}, fixed
}

// row computes the statistics of a session.
func (q SessionsQuery) row(number int, e *effect) SessionEffect {
	row := SessionEffect{
		Number: number, Across: meanOf(e.across), Held: meanOf(e.held), FromBaseline: meanOf(e.fromBaseline),
		HeldOf: new(len(e.then)), Windows: windowPairs(e.windows),
		RecallOverlap: meanOf(e.overlaps).Mean, OverlapOf: new(len(e.overlaps)),
	}
	then, next := meanOf(e.then).Mean, meanOf(e.next).Mean
	if then != nil && (*then < 0) == (q.Direction != trajectory.HigherIsBetter) && *then != 0 {
		row.HeldShare = new(*next / *then)
	}
	return row
}

// Bases lists what the numbers that are shown were computed from. Differences
// are all that is shown of scores, so those of different kinds are different
// measures.
func (s Sessions) Bases() []Basis {
	people := shown{countEnrolled: s.Enrolled != nil, countTreated: s.Treated != nil}
	out := s.who.bases(MeasurePeople, witness[bool].person, people,
		counted[bool]{countEnrolled, func(bool) bool { return true }}, counted[bool]{countTreated, func(treated bool) bool { return treated }})
	for i, may := range s.shows {
		for _, number := range attendedCounts(i + 1) {
			measure := measureAt(s.instrument+" "+number.name, AfterSession, i+1)
			switch number.name {
			case countTaken:
				out = append(out, s.there[i].bases(measure, witness[attended].person, may, number)...)
				continue
			case countPaired, countWithBefore:
				out = append(out, s.there[i].bases(measure+", before", witness[attended].first, may, number)...)
			case countFromBaseline, countHeldAll:
				out = append(out, s.beside[i].bases(measure+", baseline", witness[attended].first, may, number)...)
			}
			if number.name == countHeld || number.name == countHeldAll {
				out = append(out, s.beside[i].bases(measure+", next", witness[attended].then, may, number)...)
			}
			if number.name != countWithBefore {
				out = append(out, s.there[i].bases(measure, witness[attended].then, may, number)...)
			}
		}
	}
	return out
}

package cohort

import (
	"maps"
	"slices"
	"strings"
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

	instrument string
	who        witnesses[bool]  // true: treated
	rows       []*sessionPeople // by session
	shows      []shown          // the numbers of each session that are shown
	showsAsked []shown          // and those of its pairs by window
}

// sessionPeople is what the figure knows of everybody at one session.
type sessionPeople struct {
	number int
	fates  tally[attended]     // all people, who had it or not
	there  witnesses[attended] // who had it, with the scores before and after it
	beside witnesses[attended] // the same people with the baseline and the score before the next
	asked  witnesses[Windows]  // those with a pair, by what both were asked about
	effect effect
}

// SessionEffect is what the dosing session of a number did to those who had it:
// the number that the clinic gave it, or its place in the course.
//
// All differences are later minus earlier. Each has its own n, because each is
// of the people who have both of its scores: they need not be the same people.
type SessionEffect struct {
	Number                        int
	Taken                         Count // people who had it
	WithBefore, WithAfter, Paired Count // with the last score before it, the first after it, both

	Across Estimate // after - before
	Held   Estimate // before the next session - after this one
	// FromBaseline is after - baseline.
	FromBaseline Estimate
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
	treated                     bool
	had                         sessionNumbers // up to this session
	before, after, paired       bool
	fromBaseline, held, heldAll bool
	overlap                     bool
}

// sessionNumbers is a set of the numbers of dosing sessions: each a rune, in
// order of size. A clinic's own numbers may begin anywhere and leave gaps.
type sessionNumbers string

func numbersOf(sessions []Dose) sessionNumbers {
	numbers := make([]rune, len(sessions))
	for i, d := range sessions {
		numbers[i] = asRune(d.Number)
	}
	slices.Sort(numbers)
	return sessionNumbers(numbers)
}

func (s sessionNumbers) has(number int) bool { return strings.ContainsRune(string(s), asRune(number)) }

// asRune is a number of a session, of which the interface takes 10,000 at most.
func asRune(number int) rune { return rune(number) } //nolint:gosec // it fits

// upTo are those that are not above a number.
func (s sessionNumbers) upTo(number int) sessionNumbers {
	for i, n := range s {
		if int(n) > number {
			return s[:i]
		}
	}
	return s
}

// effect gathers the differences of one session.
type effect struct {
	across, held, fromBaseline []float64
	then, next                 []float64 // changes from baseline, after and before the next
	overlaps                   []float64
	windows                    tally[Windows]
}

// around are a person's scores around one session.
type around struct {
	base, before, after, next Score
	has                       attended
}

// Compute gives the effects of the sessions that anybody had, in order of their
// numbers.
func (q SessionsQuery) Compute(cases Cases) (Sessions, error) {
	s := Sessions{instrument: q.Instrument}
	people, rows := tally[sessionNumbers]{}, map[int]*sessionPeople{}
	for c, err := range cases {
		if err != nil {
			return Sessions{}, err
		}
		sessions := c.sessions()
		had := numbersOf(sessions)
		people[had]++
		s.who.add(had != "", c, Score{}, Score{})
		for i, d := range sessions {
			row := rows[d.Number]
			if row == nil {
				row = &sessionPeople{number: d.Number, fates: tally[attended]{}, effect: effect{windows: tally[Windows]{}}}
				rows[d.Number] = row
			}
			q.count(c, sessions[i:], had, row)
		}
	}
	for _, number := range slices.Sorted(maps.Keys(rows)) {
		row := rows[number]
		for had, n := range people {
			if !had.has(number) {
				row.fates[attended{treated: had != "", had: had.upTo(number)}] += n
			}
		}
		s.rows, s.shows = append(s.rows, row), append(s.shows, nil)
		s.showsAsked = append(s.showsAsked, nil)
		s.Sessions = append(s.Sessions, q.row(number, row.effect))
	}
	s.Enrolled = new(people.people(func(sessionNumbers) bool { return true }))
	s.Treated = new(people.people(func(had sessionNumbers) bool { return had != "" }))
	for i := range s.Sessions {
		s.fill(i, nil)
	}
	return s, nil
}

// count puts the first of a person's sessions from there on in.
func (q SessionsQuery) count(c Case, sessions []Dose, had sessionNumbers, row *sessionPeople) {
	a, e := q.around(c, sessions), &row.effect
	a.has.treated, a.has.had = true, had.upTo(row.number)
	if a.has.paired {
		e.across = append(e.across, *a.after.Total-*a.before.Total)
		windows := windowsOf(a.before, a.after)
		e.windows[windows]++
		row.asked.add(windows, c, a.before, a.after)
		var overlap float64
		if overlap, a.has.overlap = recallOverlap(a.before, a.after, sessions[0].At); a.has.overlap {
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
	row.fates[a.has]++
	row.there.add(a.has, c, a.before, a.after)
	row.beside.add(a.has, c, a.base, a.next)
}

func measureAt(instrument string, kind PointKind, session int) string {
	return instrument + " at " + TimePoint{Kind: kind, Session: session}.String()
}

// around finds the scores around the first of some sessions, of which the second
// is the next. Two that were completed in another order than their
// places say are there, and are not compared.
func (q SessionsQuery) around(c Case, sessions []Dose) around {
	find := func(kind PointKind, n int) (Score, bool) {
		s, absent := c.Find(TimePoint{Kind: kind, Session: n}, q.Instrument, q.Window)
		return s, absent == ""
	}
	var a around
	var based, again bool
	number := sessions[0].Number
	a.base, based = find(AtBaseline, 0)
	a.before, a.has.before = find(BeforeSession, number)
	a.after, a.has.after = find(AfterSession, number)
	if len(sessions) > 1 {
		a.next, again = find(BeforeSession, sessions[1].Number)
	}
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
func (q SessionsQuery) row(number int, e effect) SessionEffect {
	row := SessionEffect{
		Number: number, Across: estimateOf(e.across), Held: estimateOf(e.held), FromBaseline: estimateOf(e.fromBaseline),
		HeldOf: new(len(e.then)), Windows: windowList(e.windows, everything(windowCounts(e.windows))),
		RecallOverlap: estimateOf(e.overlaps).Mean, OverlapOf: new(len(e.overlaps)),
	}
	then, next := estimateOf(e.then).Mean, estimateOf(e.next).Mean
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
	out := s.who.heads(s.instrument, people,
		counted[bool]{countEnrolled, func(bool) bool { return true }}, counted[bool]{countTreated, func(treated bool) bool { return treated }})
	for i, may := range s.shows {
		row := s.rows[i]
		numbers := attendedCounts(row.number)
		out = append(out, row.there.heads(s.instrument, may, numbers...)...)
		out = append(out, row.asked.heads(s.instrument, s.showsAsked[i], windowCounts(row.effect.windows)...)...)
		for _, number := range numbers {
			measure := measureAt(s.instrument+" "+number.name, AfterSession, row.number)
			switch number.name {
			case countTaken, countWithBefore, countWithAfter:
				continue // no score goes into these
			case countPaired:
				out = append(out, row.there.bases(measure+", before", witness[attended].first, may, number)...)
			case countFromBaseline, countHeldAll:
				out = append(out, row.beside.bases(measure+", baseline", witness[attended].first, may, number)...)
			}
			if number.name == countHeld || number.name == countHeldAll {
				out = append(out, row.beside.bases(measure+", next", witness[attended].then, may, number)...)
			}
			out = append(out, row.there.bases(measure, witness[attended].then, may, number)...)
		}
	}
	return out
}

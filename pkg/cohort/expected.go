package cohort

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/trajectory"
)

// LeastForBands is the fewest people from whom percentiles are read. With 20 the
// 10th and the 90th percentile each have two people beyond them; with fewer they
// are one person's score, which is neither stable nor anonymous. A project
// decision.
const LeastForBands = 20

// ExpectedQuery asks what change the clinic's own clients have had by the same
// session, from a like baseline.
type ExpectedQuery struct {
	Instrument string
	Direction  trajectory.Direction
	Window     string // recall window, such as P14D; empty: any
	// Least is the fewest people of a cell; below LeastForBands it is that.
	Least int
}

// Percentiles of change, by R's type 7. Change is later minus earlier, whatever
// the direction.
type Percentiles struct {
	P10, P25, P50, P75, P90 float64 // points
}

// Expected is the change from baseline after each dosing session, by baseline
// severity.
type Expected struct {
	Instrument string
	Direction  trajectory.Direction
	Window     string
	Least      int
	Enrolled   Count
	N          Count     // people with a baseline who were treated
	LeftOut    []LeftOut // the others
	// Thirds are the two totals at baseline up to which a person is in the lowest
	// and the middle third; empty where the instrument has bands of severity.
	Thirds []float64
	Cells  []ExpectedCell // by session, then severity

	people  []progress // of those who were counted
	reasons tally[string]
	who     witnesses[string] // by reason, with the baselines
	there   witnesses[stage]  // with the baseline and the score after the session
}

// ExpectedCell is one severity after one session.
type ExpectedCell struct {
	Severity string // band of the instrument, or a third of the baselines
	Session  int
	N        Count
	// Percentiles is nil where N is below the least number, as Words says.
	Percentiles *Percentiles
	Words       string
	// Windows are the recall windows of the baseline and of the score after the
	// session; of more than one, the changes answer different questions.
	Windows []Windows

	compared compared
	shows    shown // the numbers of Windows that are shown
}

// compared are the scores of a cell.
type compared struct {
	changes []float64
	windows tally[Windows]
	asked   witnesses[Windows]
}

func (x *compared) add(who Case, base Score, c change) {
	w := windowsOf(base, c.after)
	x.changes = append(x.changes, c.points)
	x.windows[w]++
	x.asked.add(w, who, base, c.after)
}

// show lists the windows with the numbers that may be shown.
func (c *ExpectedCell) show(may shown) { c.Windows, c.shows = windowList(c.compared.windows, may), may }

// The thirds of the baselines, for instruments without bands.
const (
	ThirdLowest  = "lowest_third"
	ThirdMiddle  = "middle_third"
	ThirdHighest = "highest_third"
)

// progress is what one person adds to the cells.
type progress struct {
	person   uuid.UUID
	hidden   bool // Case.Unwitnessed
	baseline Score
	changes  []change // in order of time
}

type change struct {
	session int
	points  float64
	after   Score
}

// stage names an ExpectedCell.
type stage struct {
	session  int
	severity string
}

// Compute gives the bands.
func (q ExpectedQuery) Compute(cases Cases) (Expected, error) {
	e := Expected{
		Instrument: q.Instrument, Direction: q.Direction, Window: q.Window,
		Least: max(q.Least, LeastForBands), reasons: tally[string]{},
	}
	enrolled := 0
	for c, err := range cases {
		if err != nil {
			return Expected{}, err
		}
		enrolled++
		p, reason := q.progress(c)
		e.who.add(reason, c, p.baseline, Score{})
		if e.reasons[reason]++; reason == "" {
			e.people = append(e.people, p)
		}
	}
	e.Enrolled, e.N, e.LeftOut = &enrolled, new(len(e.people)), reasons(e.reasons)
	e.Thirds = thirds(e.people)
	cells := map[stage]*compared{}
	for _, p := range e.people {
		severity := e.severity(p.baseline)
		for _, c := range p.changes {
			at := stage{c.session, severity}
			if cells[at] == nil {
				cells[at] = &compared{windows: tally[Windows]{}}
			}
			who := Case{Person: p.person, Unwitnessed: p.hidden}
			cells[at].add(who, p.baseline, c)
			e.there.add(at, who, p.baseline, c.after)
		}
	}
	for _, at := range slices.SortedFunc(maps.Keys(cells), e.inOrder(e.people)) {
		e.Cells = append(e.Cells, e.cell(at, *cells[at]))
	}
	return e, nil
}

// progress gives a person's changes from baseline, or why there are none.
func (q ExpectedQuery) progress(c Case) (progress, string) {
	if len(c.Doses) == 0 {
		return progress{}, string(NotTreated)
	}
	base, absent := c.Find(TimePoint{Kind: AtBaseline}, q.Instrument, q.Window)
	if absent != "" {
		return progress{}, reasonNoBaseline
	}
	p := progress{person: c.Person, hidden: c.Unwitnessed, baseline: base}
	for _, d := range c.sessions() {
		after, absent := c.Find(TimePoint{Kind: AfterSession, Session: d.Number}, q.Instrument, q.Window)
		if absent != "" || after.At.Before(base.At) {
			continue
		}
		p.changes = append(p.changes, change{d.Number, *after.Total - *base.Total, after})
	}
	return p, ""
}

// thirds cuts the baselines in three where none of them has a band.
func thirds(people []progress) []float64 {
	totals := make([]float64, 0, len(people))
	for _, p := range people {
		if p.baseline.Severity != "" {
			return nil
		}
		totals = append(totals, *p.baseline.Total)
	}
	if len(totals) == 0 {
		return nil
	}
	totals = ascending(totals)
	return []float64{quantile(totals, 1.0/3), quantile(totals, 2.0/3)}
}

// severity is the band of a baseline, or the third that it is in.
func (e Expected) severity(base Score) string {
	switch {
	case len(e.Thirds) == 0:
		return base.Severity
	case *base.Total <= e.Thirds[0]:
		return ThirdLowest
	case *base.Total <= e.Thirds[1]:
		return ThirdMiddle
	}
	return ThirdHighest
}

// inOrder puts cells in order of session and of severity: by the least baseline
// that has it, so that the bands stand as the instrument has them.
func (e Expected) inOrder(people []progress) func(a, b stage) int {
	least := map[string]float64{}
	for _, p := range people {
		severity := e.severity(p.baseline)
		if low, ok := least[severity]; !ok || *p.baseline.Total < low {
			least[severity] = *p.baseline.Total
		}
	}
	return func(a, b stage) int {
		return cmp.Or(cmp.Compare(a.session, b.session), cmp.Compare(least[a.severity], least[b.severity]), cmp.Compare(a.severity, b.severity))
	}
}

// cell reads the percentiles of some changes, if they are enough.
func (e Expected) cell(at stage, of compared) ExpectedCell {
	changes := of.changes
	out := ExpectedCell{Severity: at.severity, Session: at.session, N: new(len(changes)), compared: of}
	out.show(everything(windowCounts(of.windows)))
	if len(changes) < e.Least {
		out.Words = fmt.Sprintf("Refused: %d people are too few to expect anything from; at least %d are needed.", len(changes), e.Least)
		return out
	}
	x := ascending(changes)
	out.Percentiles = &Percentiles{
		P10: quantile(x, 0.10), P25: quantile(x, 0.25), P50: quantile(x, 0.50), P75: quantile(x, 0.75), P90: quantile(x, 0.90),
	}
	out.Words = fmt.Sprintf("From %d people of this clinic with this severity at baseline, after session %d.", len(changes), at.session)
	return out
}

// Bases lists what the numbers that are shown were computed from. The limits of
// thirds are read off all baselines.
func (e Expected) Bases() []Basis {
	what := e.Instrument + " expected"
	out := reasonBases(e.Instrument, e.who, e.Enrolled, e.LeftOut)
	everybody, may := counted[string]{countCounted, func(reason string) bool { return reason == "" }}, shown{countCounted: e.N != nil}
	out = append(out, e.who.heads(e.Instrument, may, everybody)...)
	out = append(out, e.who.bases(what+" baseline", witness[string].first, may, everybody)...)
	for _, c := range e.Cells {
		at := stage{c.Session, c.Severity}
		number, may := counted[stage]{countCounted, func(s stage) bool { return s == at }}, shown{countCounted: c.N != nil}
		out = append(out, e.there.heads(e.Instrument, may, number)...)
		out = append(out, c.compared.asked.heads(e.Instrument, c.shows, windowCounts(c.compared.windows)...)...)
		measure := measureAt(what+" "+c.Severity, AfterSession, c.Session)
		out = append(out, e.there.bases(measure+", baseline", witness[stage].first, may, number)...)
		out = append(out, e.there.bases(measure, witness[stage].then, may, number)...)
	}
	return out
}

// Withheld gives the bands as they may be shown. How many were assessed after a
// session is taken as known, as flows tell it, so that a small cell takes another
// with it. A cell is shown with its percentiles or not at all: where they lie
// between two scores depends on the number.
func (e Expected) Withheld(threshold int) Expected {
	may := showableReasons(e.reasons, threshold)
	e.Enrolled, e.N = shownIf(e.Enrolled, may[countEverybody]), shownIf(e.N, may[countCounted])
	e.LeftOut = withheldReasons(e.LeftOut, may)
	if e.N == nil || *e.N < e.Least {
		e.Thirds = nil
	}
	e.Cells = slices.Clone(e.Cells)
	sessions := map[int]tally[string]{}
	for _, c := range e.Cells {
		if sessions[c.Session] == nil {
			sessions[c.Session] = tally[string]{}
		}
		sessions[c.Session][c.Severity] = *c.N
	}
	shownOf := map[int]shown{}
	for session, severities := range sessions {
		shownOf[session] = e.showableCells(severities, threshold)
	}
	for i := range e.Cells {
		c := &e.Cells[i]
		if shownOf[c.Session][c.Severity] {
			c.show(showableWindows(c.compared.windows, threshold))
			continue
		}
		c.N, c.Percentiles, c.Windows, c.shows = nil, nil, nil, nil
		c.Words = "Withheld: the number of people is small, or would tell a small one."
	}
	return e
}

// The names of the people who were counted and of those of them who have a score
// after a session. No severity has spaces in it.
const (
	allCounted  = "all counted"
	allAssessed = "all assessed"
)

// showableCells decides about the severities of one session, the greatest first:
// once beside all who were counted, and once beside all who were assessed.
func (e Expected) showableCells(severities tally[string], threshold int) shown {
	people := tally[string]{allCounted: e.reasons[""]}
	for severity, n := range severities {
		people[severity] = n
		people[allCounted] -= n // the rest: no score after this session
	}
	beside := func(name string, in func(string) bool) shown {
		var parts []counted[string]
		for _, severity := range slices.Backward(slices.Sorted(maps.Keys(severities))) {
			parts = append(parts, counted[string]{severity, func(s string) bool { return s == severity }})
		}
		return showableParts(people, counted[string]{name, in}, parts, threshold)
	}
	may := beside(allAssessed, func(s string) bool { return s != allCounted })
	if e.N != nil {
		may.strike(beside(allCounted, func(string) bool { return true }))
	}
	return may
}

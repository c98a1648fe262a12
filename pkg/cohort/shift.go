package cohort

import (
	"cmp"
	"fmt"
	"slices"
)

// Crosstab counts pairs by what they were at from (rows) and at to (columns).
// Where a number is withheld, so are as many others as it takes that neither it
// nor any other small group follows from the sums.
type Crosstab struct {
	Counts        [][]Count
	Rows, Columns []Count // sums
	N             Count
}

// cell is a pair's place in a Crosstab.
type cell struct{ from, to int }

func rowName(i int) string        { return fmt.Sprintf("row %d", i) }
func columnName(i int) string     { return fmt.Sprintf("column %d", i) }
func cellName(i, j int) string    { return fmt.Sprintf("cell %d %d", i, j) }
func anyCell(cell) bool           { return true }
func inRow(i int) func(cell) bool { return func(c cell) bool { return c.from == i } }
func inColumn(i int) func(cell) bool {
	return func(c cell) bool { return c.to == i }
}

// tableCounts are the numbers of a table of so many rows and columns: the whole,
// what the figure adds, the sums, and the cells, each kind from the largest
// down, so that what is withheld is small.
func tableCounts(t tally[cell], size int, extra ...counted[cell]) []counted[cell] {
	out := append([]counted[cell]{{countPaired, anyCell}}, extra...)
	var sums, cells []counted[cell]
	for i := range size {
		sums = append(sums, counted[cell]{rowName(i), inRow(i)}, counted[cell]{columnName(i), inColumn(i)})
		for j := range size {
			cells = append(cells, counted[cell]{cellName(i, j), func(c cell) bool { return c == cell{i, j} }})
		}
	}
	for _, part := range [][]counted[cell]{sums, cells} {
		slices.SortStableFunc(part, func(a, b counted[cell]) int { return cmp.Compare(t.people(b.in), t.people(a.in)) })
		out = append(out, part...)
	}
	return out
}

// crosstab gives the table with the numbers that may be shown. Where a sum is
// withheld so is each 0 in it: it would say where these few people are not.
func crosstab(t tally[cell], size int, may shown) Crosstab {
	table := Crosstab{N: may.count(countPaired, t.people(anyCell))}
	for i := range size {
		table.Rows = append(table.Rows, may.within(countPaired, rowName(i), t.people(inRow(i))))
		table.Columns = append(table.Columns, may.within(countPaired, columnName(i), t.people(inColumn(i))))
	}
	for i := range size {
		row := make([]Count, size)
		for j := range size {
			if n := t[cell{i, j}]; n > 0 || table.Rows[i] != nil && table.Columns[j] != nil {
				row[j] = may.count(cellName(i, j), n)
			}
		}
		table.Counts = append(table.Counts, row)
	}
	return table
}

// ShiftQuery asks from which band of severity to which people moved.
type ShiftQuery struct {
	Comparison
	Bands []string // in order, the mildest first
	// BandOf gives the band of a score; nil: the one that the instrument's
	// definition gave it. See CutBands for an instrument without bands.
	BandOf func(Score) string
}

// The bands of an instrument that has a cut-point and no bands, as PCL-5.
const (
	BelowCutpoint     = "below_cutpoint"
	AtOrAboveCutpoint = "at_or_above_cutpoint"
)

// CutBands gives the two bands of a cut-point, in points, for a ShiftQuery.
func CutBands(cutpoint float64) ([]string, func(Score) string) {
	return []string{BelowCutpoint, AtOrAboveCutpoint}, func(s Score) string {
		if s.Total == nil {
			return ""
		}
		if *s.Total >= cutpoint-1e-9 { // a prorated total on the cut-point is on it
			return AtOrAboveCutpoint
		}
		return BelowCutpoint
	}
}

// Shift is the table of bands. Whoever has a score in a band that is not among
// Bands is told in the flow as NotBanded, and not counted.
type Shift struct {
	Flow  Pairing
	Bands []string
	Crosstab

	table transitions
}

// Compute reads the people once. It fails with the error of the cases, and is
// Invalid where the time-points are one.
func (q ShiftQuery) Compute(cases Cases) (Shift, error) {
	bandOf := q.BandOf
	if bandOf == nil {
		bandOf = func(s Score) string { return s.Severity }
	}
	t, err := q.transitions(cases, len(q.Bands), NotBanded, func(s Score) int { return slices.Index(q.Bands, bandOf(s)) })
	if err != nil {
		return Shift{}, err
	}
	s := Shift{Bands: q.Bands, table: t}
	return s.showing(t.all()), nil
}

// Bases lists what the numbers that are shown were computed from.
func (s Shift) Bases() []Basis { return s.table.bases() }

// Withheld is the figure as it may be shown.
func (s Shift) Withheld(threshold int) Shift { return s.showing(s.table.may(threshold)) }

func (s Shift) showing(may shown) Shift {
	s.table.shows = may
	s.Flow, s.Crosstab = pairing(s.table.places, may), crosstab(s.table.cells, s.table.size, may)
	return s
}

// transitions is what a table is made of.
type transitions struct {
	query  Comparison
	size   int
	places tally[place]
	cells  tally[cell]
	who    witnesses[place]
	moved  witnesses[cell]
	shows  shown // the numbers that are shown
}

// transitions counts the pairs by the level that each score has, from 0. A score
// that has none (below 0) counts as absent, for the reason given.
func (q Comparison) transitions(cases Cases, size int, absence Absence, level func(Score) int) (transitions, error) {
	if err := q.check(); err != nil {
		return transitions{}, err
	}
	t := transitions{query: q, size: size, places: tally[place]{}, cells: tally[cell]{}}
	for c, err := range cases {
		if err != nil {
			return transitions{}, err
		}
		p := q.find(c)
		at := cell{-1, -1}
		if p.from == "" {
			if at.from = level(p.first); at.from < 0 {
				p.from = absence
			}
		}
		if p.to == "" {
			if at.to = level(p.then); at.to < 0 {
				p.to = absence
			}
		}
		t.places[p.place]++
		t.who.add(p.place, c, p.first, p.then)
		if p.paired() {
			t.moved.add(at, c, p.first, p.then)
			t.cells[at]++
		}
	}
	return t, nil
}

// bases are those of the numbers that are shown.
func (t transitions) bases(extra ...counted[cell]) []Basis {
	what := t.query.Instrument
	return append(t.who.heads(what, t.shows, flowCounts(t.places, nil, nil)...),
		t.moved.heads(what, t.shows, tableCounts(t.cells, t.size, extra...)...)...)
}

func (t transitions) all(extra ...counted[cell]) shown {
	return everything(flowCounts(t.places, nil, nil)).with(everything(tableCounts(t.cells, t.size, extra...)))
}

// may decides on the table first, and on the flow with the pairs as one group
// that is shown.
func (t transitions) may(threshold int, extra ...counted[cell]) shown {
	return showable(t.cells, tableCounts(t.cells, t.size, extra...), threshold).
		with(showable(t.places, flowCounts(t.places, nil, nil), threshold))
}

// answers is how many answers item 9 of the PHQ-9 has, 0 to 3.
const answers = 4

// Item9Query asks how the answers about suicidal thoughts moved. An answer of 0
// says that nothing was reported, never that there is no risk.
type Item9Query struct {
	From, To TimePoint
	Window   string // as in Comparison
}

// Item9 is the table of answers 0 to 3 on item 9 of the PHQ-9. Whoever passed
// the item is told in the flow as NotAnswered, and not counted.
type Item9 struct {
	Flow Pairing
	Crosstab
	Improved, Worsened Count // a lower, a higher answer at to
	NewOnset           Count // 0 at from, 1 or more at to
	Gone               Count // 1 or more at from, 0 at to

	table transitions
}

// moves are the sums that Item9 adds to the table.
var moves = []counted[cell]{
	{"improved", func(c cell) bool { return c.to < c.from }},
	{"worsened", func(c cell) bool { return c.to > c.from }},
	{"new_onset", func(c cell) bool { return c.from == 0 && c.to > 0 }},
	{"gone", func(c cell) bool { return c.from > 0 && c.to == 0 }},
}

// Compute reads the people once. It fails with the error of the cases, and is
// Invalid where the time-points are one.
func (q Item9Query) Compute(cases Cases) (Item9, error) {
	comparison := Comparison{Instrument: PHQ9, From: q.From, To: q.To, Window: q.Window}
	t, err := comparison.transitions(cases, answers, NotAnswered, func(s Score) int {
		if s.Item9 == nil || *s.Item9 >= answers {
			return -1
		}
		return *s.Item9
	})
	if err != nil {
		return Item9{}, err
	}
	return Item9{table: t}.showing(t.all(moves...)), nil
}

// Bases lists what the numbers that are shown were computed from.
func (i Item9) Bases() []Basis { return i.table.bases(moves...) }

// Withheld is the figure as it may be shown.
func (i Item9) Withheld(threshold int) Item9 { return i.showing(i.table.may(threshold, moves...)) }

func (i Item9) showing(may shown) Item9 {
	i.table.shows = may
	i.Flow, i.Crosstab = pairing(i.table.places, may), crosstab(i.table.cells, i.table.size, may)
	for n, move := range []struct{ count, of *Count }{
		{&i.Improved, &i.N}, {&i.Worsened, &i.N}, {&i.NewOnset, &i.Rows[0]}, {&i.Gone, &i.Rows[0]}, // of the rest, as easily told
	} {
		*move.count = nil
		if people := i.table.cells.people(moves[n].in); people > 0 || *move.of != nil {
			*move.count = may.count(moves[n].name, people)
		}
	}
	return i
}

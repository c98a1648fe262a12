package cohort_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/trajectory"
)

// TestNoCellFollowsFromAShiftTable tries every set of cells against cells, sums
// and total.
func TestNoCellFollowsFromAShiftTable(t *testing.T) {
	bands := []string{"mild", "moderate", "severe"}
	shownCells, withheldCells := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		counts := drawCounts(rt, "cell", 9)
		var cases []cohort.Case
		for cell, n := range counts {
			for i := range n {
				c := scoring(treated(fmt.Sprint(cell, " ", i)), "phq-9", trajectory.TimingBefore, 12, func(s *cohort.Score) { s.Severity = bands[cell/3] })
				cases = append(cases, scoring(c, "phq-9", trajectory.TimingAfter, 6, func(s *cohort.Score) { s.Severity = bands[cell%3] }))
			}
		}
		q := cohort.ShiftQuery{Comparison: onPHQ9().Comparison, Bands: bands}
		table := compute(t, q.Compute, cases...).Withheld(fewest).Crosstab
		there, people := kindsThere(counts)
		a := attacker{people: people}
		tell := func(n cohort.Count, in func(from, to int) bool) {
			if n == nil {
				return
			}
			set, size := make([]bool, len(there)), 0
			for i, cell := range there {
				if set[i] = in(cell/3, cell%3); set[i] {
					size += people[i]
				}
			}
			if *n != size {
				rt.Fatalf("a number is shown as %d, is %d", *n, size)
			}
			a.learns(set)
		}
		tell(table.N, func(int, int) bool { return true })
		for i := range bands {
			tell(table.Rows[i], func(from, _ int) bool { return from == i })
			tell(table.Columns[i], func(_, to int) bool { return to == i })
			for j := range bands {
				tell(table.Counts[i][j], func(from, to int) bool { return from == i && to == j })
				if table.Counts[i][j] == nil {
					withheldCells++
					continue
				}
				shownCells++
				if table.Rows[i] == nil || table.Columns[j] == nil {
					if *table.Counts[i][j] == 0 {
						rt.Fatal("a 0 says where the few people of a withheld sum are not")
					}
				}
			}
		}
		if found := a.finds(); found != nil {
			rt.Fatalf("%v: told of cells %v of %v", counts, found, there)
		}
	})
	if shownCells == 0 || withheldCells == 0 {
		t.Errorf("%d cells shown, %d withheld: the test proves nothing", shownCells, withheldCells)
	}
}

// Withholding row by row and column by column is not enough: each of these rows
// and columns hides two cells or more, and yet the sum of the first two rows
// less the first two columns is the cell between the two blocks.
func TestACellBetweenTwoBlocksIsNotToldByTheSumsOfBlocks(t *testing.T) {
	bands := []string{"a", "b", "c", "d"}
	counts := [4][4]int{{3, 3, 3, 20}, {3, 3, 20, 20}, {20, 20, 3, 3}, {20, 20, 3, 3}}
	var cases []cohort.Case
	for i, row := range counts {
		for j, n := range row {
			for k := range n {
				c := scoring(treated(fmt.Sprint(i, j, k)), "phq-9", trajectory.TimingBefore, 12, func(s *cohort.Score) { s.Severity = bands[i] })
				cases = append(cases, scoring(c, "phq-9", trajectory.TimingAfter, 6, func(s *cohort.Score) { s.Severity = bands[j] }))
			}
		}
	}
	q := cohort.ShiftQuery{Comparison: onPHQ9().Comparison, Bands: bands}
	table := compute(t, q.Compute, cases...).Withheld(fewest).Crosstab
	hiddenLarge := 0
	for i, row := range counts {
		for j, n := range row {
			if n == 20 && table.Counts[i][j] == nil {
				hiddenLarge++
			}
		}
	}
	if hiddenLarge == 0 && table.Rows[0] != nil && table.Rows[1] != nil && table.Columns[0] != nil && table.Columns[1] != nil {
		t.Error("rows a and b less columns a and b give the cell of row a and column c")
	}
}

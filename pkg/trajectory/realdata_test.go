package trajectory_test

import (
	"encoding/csv"
	"strconv"
	"testing"

	"github.com/protrack/protrack/pkg/trajectory"
)

// tally counts people by verdict.
type tally struct {
	People, Improved, Unchanged, Deteriorated   int
	Response, Partial, NoResponse, NotDefined   int
	Remission, BaselineCase, Recovery, Reliably int
}

// TestTwoWavesOf403People holds Compute against counts made in integers, in
// another way, from the same file: PHQ-9 and GAD-7 of 403 people (Forbes et
// al., by way of the R package BGGM).
func TestTwoWavesOf403People(t *testing.T) {
	rows, err := csv.NewReader(shared(t, "phq9_gad7_two_waves_n403.csv")).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	gad7 := nhs()
	gad7.ReliableChange, gad7.Caseness = new(4.0), new(8.0)
	for _, c := range []struct {
		name                      string
		from, to                  int // columns
		rules                     trajectory.Rules
		reliable, caseness, remit int
	}{
		{"PHQ-9", 2, 11, nhs(), 6, 10, 5},
		{"GAD-7", 11, 18, gad7, 4, 8, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			waves := map[string][2]int{}
			for _, row := range rows[1:] {
				sum := 0
				for _, cell := range row[c.from:c.to] {
					n, err := strconv.Atoi(cell)
					if err != nil {
						t.Fatal(err)
					}
					sum += n
				}
				w := waves[row[0]]
				w[int(row[1][0]-'1')] = sum
				waves[row[0]] = w
			}
			var want, got tally
			for _, w := range waves {
				want.count(w[0], w[1], c.reliable, c.caseness, c.remit)
				got.add(trajectory.Compute(weekly(float64(w[0]), float64(w[1])), c.rules, trajectory.Options{}).Status)
			}
			if want.People != 403 || want.Improved == 0 || want.Deteriorated == 0 || want.Recovery == 0 || want.NotDefined == 0 {
				t.Fatalf("the file is not what it was: %+v", want)
			}
			diff(t, "counts", want, got)
			t.Logf("%+v", got)
		})
	}
}

// count is the naive way.
func (y *tally) count(first, then, reliable, caseness, remission int) {
	y.People++
	fell := first - then
	if fell >= reliable {
		y.Improved++
	} else if fell <= -reliable {
		y.Deteriorated++
	} else {
		y.Unchanged++
	}
	if first == 0 {
		y.NotDefined++
	} else if 2*then <= first {
		y.Response++
	} else if 4*then <= 3*first {
		y.Partial++
	} else {
		y.NoResponse++
	}
	if then < remission {
		y.Remission++
	}
	if first >= caseness {
		y.BaselineCase++
		if then < caseness {
			y.Recovery++
			if fell >= reliable {
				y.Reliably++
			}
		}
	}
}

// add takes the verdicts.
func (y *tally) add(s trajectory.Status) {
	y.People++
	switch *s.Reliable {
	case trajectory.Improved:
		y.Improved++
	case trajectory.Deteriorated:
		y.Deteriorated++
	case trajectory.Unchanged:
		y.Unchanged++
	}
	switch {
	case s.Response == nil:
		y.NotDefined++
	case *s.Response == trajectory.ResponseFull:
		y.Response++
	case *s.Response == trajectory.ResponsePartial:
		y.Partial++
	case *s.Response == trajectory.ResponseNone:
		y.NoResponse++
	}
	for counter, verdict := range map[*int]*bool{
		&y.Remission: s.Remission, &y.BaselineCase: s.BaselineCase, &y.Recovery: s.Recovery, &y.Reliably: s.ReliableRecovery,
	} {
		if verdict != nil && *verdict {
			*counter++
		}
	}
}

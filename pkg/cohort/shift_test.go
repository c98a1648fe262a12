package cohort_test

import (
	"fmt"
	"testing"

	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/trajectory"
)

func ints(counts ...int) []cohort.Count {
	out := []cohort.Count{}
	for _, n := range counts {
		out = append(out, new(n))
	}
	return out
}

func TestAShiftTableHasFromInRowsAndToInColumns(t *testing.T) {
	bands, bandOf := cohort.CutBands(33)
	q := cohort.ShiftQuery{
		Comparison: cohort.Comparison{Instrument: "pcl-5", From: firstBefore, To: firstAfter}, Bands: bands, BandOf: bandOf,
	}
	got := compute(t, q.Compute, moved("a", "pcl-5", 50, 32.9), moved("b", "pcl-5", 33, 10), moved("c", "pcl-5", 40, 33),
		moved("d", "pcl-5", 20, 30), scoring(treated("lost"), "pcl-5", trajectory.TimingBefore, 50))
	differ(t, "table", cohort.Crosstab{
		Counts: [][]cohort.Count{ints(1, 0), ints(2, 1)}, Rows: ints(1, 3), Columns: ints(3, 1), N: new(4),
	}, got.Crosstab)
	differ(t, "enrolled", new(5), got.Flow.Enrolled)
}

func TestAScoreInNoKnownBandIsToldAndNotCounted(t *testing.T) {
	q := cohort.ShiftQuery{Comparison: onPHQ9().Comparison, Bands: phq9Bands}
	got := compute(t, q.Compute, moved("without a band", "phq-9", 12, 6))
	differ(t, "n", new(0), got.N)
	differ(t, "reasons", map[cohort.Absence]cohort.Count{cohort.NotBanded: new(1)}, got.Flow.FromAbsent)
}

// answered is somebody with these answers on item 9; below 0 is none.
func answered(name string, from, to int) cohort.Case {
	set := func(answer int) func(*cohort.Score) {
		return func(s *cohort.Score) {
			if answer >= 0 {
				s.Item9 = &answer
			}
		}
	}
	c := scoring(treated(name), "phq-9", trajectory.TimingBefore, 12, set(from))
	return scoring(c, "phq-9", trajectory.TimingAfter, 6, set(to))
}

func TestItem9CountsWhoMovedAndTellsWhoDidNotAnswer(t *testing.T) {
	q := cohort.Item9Query{From: firstBefore, To: firstAfter}
	got := compute(t, q.Compute, answered("a", 0, 0), answered("b", 0, 2), answered("c", 3, 0), answered("d", 2, 1),
		answered("e", 1, 1), answered("passed at from", -1, 1), answered("passed at to", 1, -1), answered("both", -1, -1))
	differ(t, "item 9", cohort.Item9{
		Flow: cohort.Pairing{
			Enrolled: new(8), Treated: new(8), WithFrom: new(6), WithTo: new(6), Paired: new(5),
			FromAbsent: map[cohort.Absence]cohort.Count{cohort.NotAnswered: new(2)},
			ToAbsent:   map[cohort.Absence]cohort.Count{cohort.NotAnswered: new(2)},
		},
		Crosstab: cohort.Crosstab{
			Counts: [][]cohort.Count{ints(1, 0, 1, 0), ints(0, 1, 0, 0), ints(0, 1, 0, 0), ints(1, 0, 0, 0)},
			Rows:   ints(2, 1, 1, 1), Columns: ints(2, 2, 1, 0), N: new(5),
		},
		Improved: new(2), Worsened: new(1), NewOnset: new(1), Gone: new(1),
	}, got)
	alone := 0
	for _, b := range got.Bases() {
		if b.Measure == "item 9 table" && len(b.Data) == 1 {
			alone++
		}
	}
	differ(t, "numbers of one person that bases are given of", 12, alone)
}

func bothMoved(name string, phqFrom, phqTo, gadFrom, gadTo float64) cohort.Case {
	c := moved(name, "phq-9", phqFrom, phqTo)
	c = scoring(c, "gad-7", trajectory.TimingBefore, gadFrom)
	return scoring(c, "gad-7", trajectory.TimingAfter, gadTo)
}

func TestRecoveryAsksForBothScalesBelowCaseness(t *testing.T) {
	got := compute(t, bothScales().Compute,
		bothMoved("recovered and reliably so", 15, 5, 12, 4),
		bothMoved("depression alone", 15, 5, 12, 9),   // improved, not recovered
		bothMoved("anxious alone", 5, 5, 9, 6),        // recovered, not reliably
		bothMoved("better and worse", 15, 5, 3, 7),    // recovered, and deteriorated on one
		bothMoved("no case", 5, 5, 5, 5),              // in no denominator of recovery
		bothMoved("at the thresholds", 16, 10, 11, 7), // 10 is still a case
		moved("one scale alone", "phq-9", 20, 3),
	)
	type rate struct{ N, Of int }
	of := func(r cohort.Rate) rate { return rate{*r.N, *r.Of} }
	differ(t, "rates", []rate{{3, 5}, {1, 5}, {3, 6}, {1, 6}, {2, 6}}, []rate{
		of(got.Recovery), of(got.ReliableRecovery), of(got.ReliableImprovement), of(got.ReliableDeterioration), of(got.NoChange),
	})
	differ(t, "pairs and cases", []cohort.Count{new(6), new(5)}, []cohort.Count{got.Flow.Paired, got.Cases})
	differ(t, "words", "of the pairs that were cases at from on phq-9 or gad-7", got.Recovery.Words)
	measures := map[string]int{}
	for _, b := range got.Bases() {
		measures[b.Measure] = len(b.Data) // the last one is the number itself
	}
	differ(t, "recovered, of both instruments", []int{3, 6, 6}, []int{
		measures["combined recovery"], measures["with others phq-9 scored at after_session:1"], measures["with others gad-7 scored at after_session:1"],
	})
}

func TestTheNameOfAGroupOfFewIsNotTold(t *testing.T) {
	of := func(indications ...string) cohort.Cases {
		var all []cohort.Case
		for i, indication := range indications {
			c := moved(fmt.Sprint(i), "phq-9", 12, float64(i%9))
			c.Indication = indication
			all = append(all, c)
		}
		return people(all...)
	}
	key, _ := cohort.KeyOf("indication")
	groups := func(fewest int, indications ...string) []string {
		q := onPHQ9()
		q.Fewest = fewest
		grouped := must[cohort.GroupedChange](t)(q.ComputeBy(of(indications...), key))
		var out []string
		n, sum := 0, 0.0
		for _, g := range grouped.Groups {
			out = append(out, fmt.Sprint(g.Key, " ", *g.Flow.Enrolled))
			n, sum = n+*g.Difference.N, sum+*g.Difference.Mean*float64(*g.Difference.N)
		}
		differ(t, "the groups add up to the total", []float64{float64(*grouped.Total.Difference.N), *grouped.Total.Difference.Mean * float64(n)}, []float64{float64(n), sum})
		return out
	}
	clinic := []string{"Depression", "depression ", "DEPRESSION", "ptsd", "PTSD", "ptsd", "ptsd", "her brother, of Elm Street", ""}
	differ(t, "all names", []string{"depression 3", "her brother, of elm street 1", "ptsd 4", "unknown 1"}, groups(0, clinic...))
	differ(t, "those of two and more", []string{"depression 3", "other 2", "ptsd 4"}, groups(2, clinic...))
	differ(t, "the others are few together", []string{"other 5", "ptsd 4"}, groups(3, clinic...))
	differ(t, "a group of that name", []string{"depression 3", "other 4", "ptsd 4"}, groups(3, append(clinic, "other", "Other")...))
	differ(t, "nobody is few", []string{"ptsd 3"}, groups(3, "ptsd", "ptsd", "PTSD"))
}

func TestGroupsDropNobody(t *testing.T) {
	other := func(name, sex string, mg float64) cohort.Case {
		c := moved(name, "phq-9", 12, 6)
		c.Sex, c.Doses[0].MG = sex, mg
		return c
	}
	untreated := treated("untreated")
	untreated.Doses = nil
	all := []cohort.Case{
		other("a", "female", 49.9), other("b", "female", 50), other("c", "", 100), other("d", "male", 240), untreated,
	}
	for by, want := range map[string][]string{
		"sex":   {"female 2", "male 1", "unknown 2"},
		"dose":  {"0-<50 mg 1", "50-<100 mg 1", "100-<150 mg 1", "200-<250 mg 1", "unknown 1"},
		"doses": {"0 1", "1 4"},
		"route": {"im 4", "unknown 1"}, "substance": {"ketamine 4", "unknown 1"},
		"planned": {"unknown 5"}, "indication": {"unknown 5"}, "baseline_severity": {"unknown 5"},
	} {
		key, ok := cohort.KeyOf(by)
		if !ok {
			t.Fatalf("there is no grouping by %s", by)
		}
		grouped, err := onPHQ9().ComputeBy(people(all...), key)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, g := range grouped.Groups {
			got = append(got, fmt.Sprint(g.Key, " ", *g.Flow.Enrolled))
		}
		differ(t, by, want, got)
		people := 0
		for _, b := range grouped.Bases() {
			if b.Measure == cohort.MeasurePeople {
				people++
			}
		}
		differ(t, "bases of enrolled and treated, of all and by "+by, 2*(1+len(want)), people)
	}
	if _, ok := cohort.KeyOf("name"); ok {
		t.Error("there is a grouping by name")
	}
}

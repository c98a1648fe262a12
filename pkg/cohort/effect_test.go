package cohort_test

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"pgregory.net/rapid"

	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/trajectory"
)

// near reports whether a number is another one to half a unit of the decimals
// that were printed.
func near(got *float64, want, unit float64) bool {
	return got != nil && math.Abs(*got-want) <= unit/2+1e-9
}

// TestPublishedPairedTTestsComeOut recomputes what papers print from the mean
// and SD that they print. These are rounded, so t and the interval may be off
// by .01.
func TestPublishedPairedTTestsComeOut(t *testing.T) {
	type summary struct {
		N        int
		Diff, SD float64
		T        float64
		CI       [2]float64
		Source   string
	}
	published := []summary{{N: 335, Diff: 1.149, SD: 6.317, T: 3.33, CI: [2]float64{0.47, 1.83}, Source: "PMC7985636 PSS"}}
	var file struct {
		Paired []summary `json:"paired_t_oracles"`
	}
	text, err := os.ReadFile(sharedData(t, "vectors.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if published = append(published, file.Paired...); len(published) != 3 {
		t.Fatalf("%d summaries: the file is not what it was", len(published))
	}
	for _, s := range published {
		d := cohort.PairedDifference(s.N, s.Diff, s.SD)
		if !near(d.T, s.T, 0.02) || !near(&d.CI95[0], s.CI[0], 0.02) || !near(&d.CI95[1], s.CI[1], 0.02) {
			t.Errorf("%s: got t %.4f, interval %.4f; want %v, %v", s.Source, *d.T, *d.CI95, s.T, s.CI)
		}
	}
}

// The three effect sizes are of one difference, and differ. The numbers are R's:
// x <- c(20, 18, 15, 12); y <- c(10, 15, 9, 12), as in waves.R.
func TestTheThreeEffectSizesDivideByThreeDeviations(t *testing.T) {
	d := compute(t, onPHQ9().Compute, moved("a", "phq-9", 20, 10), moved("b", "phq-9", 18, 15),
		moved("c", "phq-9", 15, 9), moved("d", "phq-9", 12, 12)).Difference
	for name, size := range map[string]struct {
		got  *float64
		want float64
	}{
		"d_pre":    {d.DPre, -1.357143},
		"d_av":     {d.DAv, -1.531064},
		"d_z":      {d.DZ, -1.111891},
		"hedges_g": {d.HedgesG, -1.107880},
		"t":        {d.T, -2.223782},
		"p":        {d.P, 0.112646},
	} {
		if !near(size.got, size.want, 1e-6) {
			t.Errorf("%s: got %v, want %v", name, *size.got, size.want)
		}
	}
}

func TestWhatIsUndefinedOfFewPairsIsNil(t *testing.T) {
	one := compute(t, onPHQ9().Compute, moved("a", "phq-9", 20, 10))
	differ(t, "one pair", cohort.Difference{Estimate: cohort.Estimate{N: new(1), Mean: new(-10.0)}}, one.Difference)
	differ(t, "one score", cohort.Summary{
		N: new(1), Mean: new(20.0), Median: new(20.0), Q1: new(20.0), Q3: new(20.0),
	}, one.From)
	differ(t, "nobody", cohort.Difference{Estimate: cohort.Estimate{N: new(0)}}, compute(t, onPHQ9().Compute).Difference)
	alike := compute(t, onPHQ9().Compute, moved("a", "phq-9", 20, 10), moved("b", "phq-9", 20, 10)).Difference
	differ(t, "two who changed alike", cohort.Difference{
		Estimate: cohort.Estimate{N: new(2), Mean: new(-10.0), SD: new(0.0), CI95: &cohort.Interval{-10, -10}}, DF: new(1.0),
	}, alike)
}

// Prorated totals are ratios: ten divided by three, three times, is no exact
// difference, and its rounding must not become an effect of millions.
func TestTheRoundingOfProratedTotalsIsNoDeviation(t *testing.T) {
	third := 10.0 / 3
	d := compute(t, onPHQ9().Compute, moved("a", "phq-9", third+0.1, third), moved("b", "phq-9", 7.1, 7),
		moved("c", "phq-9", 20.1, 20)).Difference
	if d.T != nil || d.DZ != nil || d.P != nil {
		t.Errorf("got t %v, d_z %v: all three changed by the same 0.1", d.T, d.DZ)
	}
}

func TestJacobsonAndTruaxsExamplesComeOut(t *testing.T) {
	var file struct {
		Examples []struct {
			M0  *float64 `json:"M0_dysfunctional"`
			SD0 float64
			M1  float64 `json:"M1_functional"`
			SD1 float64
			Is  string `json:"higher_is"`
			A   float64
			B   float64
			C   float64
			SD  float64
			R   float64
			RC  float64

			Sdiff float64
		} `json:"jacobson_truax_examples"`
	}
	text, err := os.ReadFile(sharedData(t, "vectors.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	cutoffs, changes := 0, 0
	for _, e := range file.Examples {
		if e.M0 == nil {
			changes++
			j := cohort.JacobsonTruax{Dysfunctional: cohort.Norm{SD: e.SD}, Reliability: e.R}
			unit := 0.01 // as printed
			if e.Sdiff != 0 {
				unit = 0.001 // of inputs with four decimals
				if got := j.DifferenceSD(); !near(&got, e.Sdiff, unit) {
					t.Errorf("SD %v, r %v: SD of the difference %v, want %v", e.SD, e.R, got, e.Sdiff)
				}
			}
			if got := j.ReliableChange(); !near(&got, e.RC, unit) {
				t.Errorf("SD %v, r %v: reliable change %v, want %v", e.SD, e.R, got, e.RC)
			}
			continue
		}
		cutoffs++
		j := cohort.JacobsonTruax{Dysfunctional: cohort.Norm{Mean: *e.M0, SD: e.SD0}, Functional: cohort.Norm{Mean: e.M1, SD: e.SD1}}
		if e.Is == "better" {
			j.Direction = trajectory.HigherIsBetter
		}
		differ(t, "cut-offs where more is "+e.Is, [3]float64{e.A, e.B, e.C},
			[3]float64{j.At(cohort.CutoffA), j.At(cohort.CutoffB), j.At(cohort.CutoffC)})
	}
	if cutoffs != 2 || changes != 4 {
		t.Errorf("%d examples of cut-offs, %d of change: the file is not what it was", cutoffs, changes)
	}
}

// hamilton is the method of the R package's example: Claus 2020, HAMD, cut-off c
// at 19.887 and a reliable change of 4.1405.
func hamilton() cohort.JacobsonTruax {
	return cohort.JacobsonTruax{
		Dysfunctional: cohort.Norm{Mean: 24.85, SD: 3.3401}, Functional: cohort.Norm{Mean: 8, SD: 8}, Reliability: 0.8,
		Direction: trajectory.LowerIsBetter,
	}
}

func TestAChangeIsSignificantThatIsReliableAndCrosses(t *testing.T) {
	j := hamilton()
	if got := j.At(cohort.CutoffC); !near(&got, 19.887, 0.001) {
		t.Errorf("cut-off c: got %v", got)
	}
	mirrored := j
	mirrored.Direction = trajectory.HigherIsBetter
	mirrored.Dysfunctional.Mean, mirrored.Functional.Mean = -j.Dysfunctional.Mean, -j.Functional.Mean
	for _, c := range []struct {
		from, to float64
		want     cohort.Significance
	}{
		{25, 10, cohort.JTRecovered},
		{30, 24, cohort.JTImproved},     // still in the range of the ill
		{15, 5, cohort.JTImproved},      // never was in it
		{22, 19, cohort.JTUnchanged},    // crosses, by less than the error
		{25, 29, cohort.JTUnchanged},    // 4 is less than 4.1405
		{25, 30, cohort.JTDeteriorated}, // was ill before
		{15, 25, cohort.JTHarmed},
	} {
		if got := j.Judge(cohort.CutoffC, c.from, c.to); got != c.want {
			t.Errorf("%v to %v: got %s, want %s", c.from, c.to, got, c.want)
		}
		if got := mirrored.Judge(cohort.CutoffC, -c.from, -c.to); got != c.want {
			t.Errorf("mirrored %v to %v: got %s, want %s", -c.from, -c.to, got, c.want)
		}
	}
}

func TestSignificanceCountsEachPairOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var cases []cohort.Case
		for i := range rapid.IntRange(0, 30).Draw(rt, "people") {
			cases = append(cases, moved(string(rune('a'+i)), "ham-d",
				float64(rapid.IntRange(0, 52).Draw(rt, "from")), float64(rapid.IntRange(0, 52).Draw(rt, "to"))))
		}
		q := cohort.SignificanceQuery{
			Comparison: cohort.Comparison{Instrument: "ham-d", From: firstBefore, To: firstAfter}, Method: hamilton(), Cutoff: cohort.CutoffC,
		}
		got := compute(t, q.Compute, cases...)
		n := 0
		for _, r := range got.Categories {
			n += *r.N
		}
		if n != len(cases) || *got.Flow.Paired != len(cases) {
			rt.Fatalf("%d of %d pairs are in a category", n, len(cases))
		}
		hidden := 0
		for category, r := range got.Withheld(5).Categories {
			if r.N == nil {
				hidden += *got.Categories[category].N
			} else if 0 < *r.N && *r.N < 5 {
				rt.Fatalf("%s shows %d", category, *r.N)
			}
		}
		if 0 < hidden && hidden < 5 && len(cases) >= 5 {
			rt.Fatalf("the %d who are withheld follow from the others", hidden)
		}
	})
}

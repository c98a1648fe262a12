package trajectory_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/trajectory"
)

// shared opens a file of the project's shared data, which is not part of the
// repository, and skips the test where it is missing.
func shared(t *testing.T, name string) *os.File {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "..", "shared", "data", name))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("the shared data is not beside the repository: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func near(a, b, within float64) bool { return math.Abs(a-b) <= within }

func TestJacobsonTruaxExamples(t *testing.T) {
	var vectors struct {
		Examples []struct {
			M0       *float64 `json:"M0_dysfunctional"`
			M1       float64  `json:"M1_functional"`
			SD0, SD1 float64
			HigherIs string `json:"higher_is"`
			A, B, C  float64
			SD, R    float64
			Sdiff    *float64
			RC       float64
			Source   string
		} `json:"jacobson_truax_examples"`
	}
	if err := json.NewDecoder(shared(t, "vectors.json")).Decode(&vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors.Examples) < 6 {
		t.Fatalf("%d examples, want at least 6", len(vectors.Examples))
	}
	for _, e := range vectors.Examples {
		if e.M0 != nil {
			direction := trajectory.LowerIsBetter
			if e.HigherIs == "better" {
				direction = trajectory.HigherIsBetter
			}
			got, err := trajectory.NewCutoffs(direction, trajectory.Norm{Mean: *e.M0, SD: e.SD0}, trajectory.Norm{Mean: e.M1, SD: e.SD1})
			if want := (trajectory.Cutoffs{A: e.A, B: e.B, C: e.C}); err != nil || got != want {
				t.Errorf("%s: %+v, %v; want %+v", e.Source, got, err, want)
			}
			continue
		}
		got, err := trajectory.NewReliableIndex(e.SD, e.R)
		if err != nil || !near(got.RC95, e.RC, .006) || (e.Sdiff != nil && !near(got.SDiff, *e.Sdiff, 5e-5)) {
			t.Errorf("SD %v, r %v: %+v, %v; want RC %v", e.SD, e.R, got, err, e.RC)
		}
	}
}

// The same numbers in the repository, so that the rule is tested where the
// shared data is not. HAMD of Claus 2020: SD 3.3401, r .8.
// The source prints 4.1405 from an SD with more decimals: hence within .00015.
func TestReliableIndexOfClaus2020(t *testing.T) {
	got, err := trajectory.NewReliableIndex(3.3401, .8)
	if err != nil || !near(got.SDiff, 2.1125, 5e-5) || !near(got.RC95, 4.1405, 1.5e-4) || !near(got.SEM, 1.49374, 5e-5) {
		t.Errorf("%+v, %v", got, err)
	}
	if rci := got.RCI(24, 10); !near(rci, -6.627, 5e-4) {
		t.Errorf("RCI of 24 to 10 = %v", rci)
	}
}

func TestJacobsonTruaxRefusesWhatHasNoMeaning(t *testing.T) {
	for _, in := range [][2]float64{{0, .8}, {-1, .8}, {math.NaN(), .8}, {math.Inf(1), .8}, {3, -.1}, {3, 1.1}, {3, math.NaN()}} {
		if _, err := trajectory.NewReliableIndex(in[0], in[1]); !fault.Is(err, fault.Invalid) {
			t.Errorf("SD %v, r %v: %v", in[0], in[1], err)
		}
	}
	ill, well := trajectory.Norm{Mean: 60, SD: 7.5}, trajectory.Norm{Mean: 40, SD: 7.5}
	for name, err := range map[string]error{
		"the wrong direction": second(trajectory.NewCutoffs(trajectory.HigherIsBetter, ill, well)),
		"populations swapped": second(trajectory.NewCutoffs(trajectory.LowerIsBetter, well, ill)),
		"one population":      second(trajectory.NewCutoffs(trajectory.LowerIsBetter, ill, ill)),
		"no SD":               second(trajectory.NewCutoffs(trajectory.LowerIsBetter, ill, trajectory.Norm{Mean: 40})),
	} {
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A reliability of 1 has a reliable change of 0, which is no threshold.
	tr := trajectory.Compute(weekly(20, 20), trajectory.Rules{SD: new(5.0), Reliability: new(1.0)}, trajectory.Options{})
	if tr.Rules.ReliableChange != nil || last(tr).Reliable != nil {
		t.Error("a threshold of 0 was applied")
	}
}

func second[T any](_ T, err error) error { return err }

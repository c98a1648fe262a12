package instrument_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/instrument"
)

type vector struct {
	Instrument string
	Items      []*int
	Expected   struct {
		Total       *float64
		Band        string
		Error       bool
		Prorated    bool
		NMissing    *int `json:"n_missing"`
		Syndrome    string
		Difficulty  string
		Provisional *bool
		B, C, D, E  *float64
	}
	Source, Note string
}

// TestPublishedVectors runs the vectors gathered from published unit tests;
// each names its source in the file.
func TestPublishedVectors(t *testing.T) {
	var file struct{ Vectors []vector }
	if err := json.Unmarshal(shared(t, "vectors.json"), &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Vectors) != 21 {
		t.Fatalf("the file has %d vectors, want 21", len(file.Vectors))
	}
	for i, v := range file.Vectors {
		t.Run(fmt.Sprintf("vector %d, %s", i, v.Instrument), func(t *testing.T) { v.check(t) })
	}
}

func (v vector) check(t *testing.T) {
	id := strings.ToLower(v.Instrument)
	prefix := strings.ReplaceAll(id, "-", "")
	in := instrument.Input{Answers: instrument.Answers{}, Policy: instrument.Complete}
	for i, value := range v.Items {
		in.Answers[fmt.Sprintf("%s_%d", prefix, i+1)] = value
	}
	if v.Expected.Difficulty == "Somewhat difficult" {
		with(in.Answers, prefix+"_difficulty", 1)
	}
	if v.Expected.Prorated {
		if s := mustScore(t, id, in); s.Total != nil {
			t.Errorf("the complete policy gives %v, want no total", *s.Total)
		}
		in.Policy = instrument.Prorated
	}
	s, err := get(t, id).Score(in)
	if v.Expected.Error {
		if !fault.Is(err, fault.Invalid) {
			t.Fatalf("error %v, want Invalid (%s)", err, v.Source)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if number(s.Total) != number(v.Expected.Total) || s.Prorated != v.Expected.Prorated {
		t.Errorf("total %s prorated %v, want %s (%s)", number(s.Total), s.Prorated, number(v.Expected.Total), v.Source)
	}
	if v.Expected.Band != "" && text(s.Severity) != v.Expected.Band {
		t.Errorf("severity %s, want %s", text(s.Severity), v.Expected.Band)
	}
	if v.Expected.NMissing != nil && *s.ItemsMissing != *v.Expected.NMissing {
		t.Errorf("%d missing, want %d", *s.ItemsMissing, *v.Expected.NMissing)
	}
	if v.Expected.Syndrome != "" && s.Screens["depressive_syndrome"] != v.Expected.Syndrome {
		t.Errorf("syndrome %v, want %s", s.Screens["depressive_syndrome"], v.Expected.Syndrome)
	}
	if v.Expected.Provisional != nil && s.Screens["provisional_ptsd"] != *v.Expected.Provisional {
		t.Errorf("provisional %v, want %v", s.Screens["provisional_ptsd"], *v.Expected.Provisional)
	}
	for sub, want := range map[string]*float64{"pcl5_b": v.Expected.B, "pcl5_c": v.Expected.C, "pcl5_d": v.Expected.D, "pcl5_e": v.Expected.E} {
		if want != nil && number(s.Subscales[sub]) != number(want) {
			t.Errorf("%s is %s, want %s", sub, number(s.Subscales[sub]), number(want))
		}
	}
}

// TestJacobsonTruaxExamples checks the formula, and the vectors' own cut-offs,
// on the worked examples.
func TestJacobsonTruaxExamples(t *testing.T) {
	var file struct {
		Examples []struct {
			M0       *float64 `json:"M0_dysfunctional"`
			SD0      float64  `json:"SD0"`
			M1       float64  `json:"M1_functional"`
			SD1      float64  `json:"SD1"`
			HigherIs string   `json:"higher_is"`
			A        float64  `json:"a"`
			B        float64  `json:"b"`
			C        float64  `json:"c"`
			SD       float64  `json:"sd"`
			R        float64  `json:"r"`
			Sdiff    *float64 `json:"Sdiff"`
			RC       float64  `json:"RC"`
			Source   string   `json:"source"`
		} `json:"jacobson_truax_examples"`
	}
	if err := json.Unmarshal(shared(t, "vectors.json"), &file); err != nil {
		t.Fatal(err)
	}
	changes, cutoffs := 0, 0
	for _, e := range file.Examples {
		if e.M0 != nil { // the program uses no cut-offs: the formulas stand here for whoever adds them
			cutoffs++
			healthy := -1.0
			if e.HigherIs == "better" {
				healthy = 1
			}
			got := [3]float64{*e.M0 + healthy*2*e.SD0, e.M1 - healthy*2*e.SD1, (e.SD0*e.M1 + e.SD1**e.M0) / (e.SD0 + e.SD1)}
			if want := [3]float64{e.A, e.B, e.C}; got != want {
				t.Errorf("%s: cut-offs %v, want %v", e.Source, got, want)
			}
			continue
		}
		changes++
		got := instrument.JacobsonTruax{SD: e.SD, Reliability: e.R}.ReliableChange()
		if math.Abs(got-e.RC) > 0.005 || e.Sdiff != nil && math.Abs(got/1.96-*e.Sdiff) > 5e-5 {
			t.Errorf("SD %v, r %v: %.4f, want %v", e.SD, e.R, got, e.RC)
		}
	}
	if changes != 4 || cutoffs != 2 {
		t.Errorf("%d examples of change and %d of cut-offs, want 4 and 2", changes, cutoffs)
	}
}

// The same in the repository, so that the rule is tested where the shared data
// is not. HAMD of Claus 2020; its source prints 4.1405 from an SD with more
// decimals.
func TestReliableChangeOfClaus2020(t *testing.T) {
	got := instrument.JacobsonTruax{SD: 3.3401, Reliability: .8}.ReliableChange()
	if math.Abs(got-4.1405) > 1.5e-4 || math.Abs(got/1.96-2.1125) > 5e-5 {
		t.Errorf("%.4f", got)
	}
	if rci := (10 - 24) / (got / 1.96); math.Abs(rci+6.627) > 5e-4 {
		t.Errorf("index of 24 to 10 = %v", rci)
	}
}

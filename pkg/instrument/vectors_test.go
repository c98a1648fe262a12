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

// TestJacobsonTruaxExamples checks the formula on the worked examples.
func TestJacobsonTruaxExamples(t *testing.T) {
	var file struct {
		Examples []struct{ SD, R, RC float64 } `json:"jacobson_truax_examples"`
	}
	if err := json.Unmarshal(shared(t, "vectors.json"), &file); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range file.Examples {
		if e.RC == 0 {
			continue // examples of cut-offs a, b and c
		}
		n++
		got := instrument.JacobsonTruax{SD: e.SD, Reliability: e.R}.ReliableChange()
		if math.Abs(got-e.RC) > 0.005 {
			t.Errorf("SD %v, r %v: %.4f, want %v", e.SD, e.R, got, e.RC)
		}
	}
	if n != 4 {
		t.Errorf("%d examples, want 4", n)
	}
}

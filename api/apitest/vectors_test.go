package apitest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/protrack/protrack/api/apitest"
)

// vector is a filled form and what others' tests say of it.
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
	Source string
}

// TestPublishedVectorsScoreOverHTTP sends the vectors gathered from published
// unit tests; each names its source in the file.
func TestPublishedVectorsScoreOverHTTP(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "data", "vectors.json"))
	if err != nil {
		t.Skip("the published vectors are not beside the repository: ", err)
	}
	var file struct{ Vectors []vector }
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Vectors) != 21 {
		t.Fatalf("the file has %d vectors, want 21", len(file.Vectors))
	}
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		for i, v := range file.Vectors {
			t.Run(fmt.Sprintf("vector %d, %s", i, v.Instrument), func(t *testing.T) { v.check(t, s.In(t)) })
		}
	})
}

func (v vector) check(t *testing.T, s *apitest.Server) {
	id := strings.ToLower(v.Instrument)
	prefix := strings.ReplaceAll(id, "-", "")
	answers := object{}
	for i, value := range v.Items {
		answers[fmt.Sprintf("%s_%d", prefix, i+1)] = value
	}
	if v.Expected.Difficulty == "Somewhat difficult" {
		answers[prefix+"_difficulty"] = 1
	}
	path := "/v1/instruments/" + id + "/score"
	r := s.Do("POST", path, object{"answers": answers})
	if v.Expected.Error {
		r.Want(http.StatusUnprocessableEntity)
		return
	}
	if v.Expected.Prorated {
		if total := r.Want(http.StatusOK).JSON()["total"]; total != nil {
			t.Errorf("the complete policy gives %v, want no total", total)
		}
		r = s.Do("POST", path, object{"answers": answers, "missing_policy": "prorate"})
	}
	score := r.Want(http.StatusOK).JSON()
	want := object{"prorated": v.Expected.Prorated, "total": nil}
	if v.Expected.Total != nil {
		want["total"] = *v.Expected.Total
	}
	if v.Expected.Band != "" {
		want["severity"] = v.Expected.Band
	}
	if v.Expected.NMissing != nil {
		want["items_missing"] = float64(*v.Expected.NMissing)
	}
	within(t, "", want, score)
	if v.Expected.Syndrome != "" {
		within(t, "screens.", object{"depressive_syndrome": v.Expected.Syndrome}, score["screens"])
	}
	if v.Expected.Provisional != nil {
		within(t, "screens.", object{"provisional_ptsd": *v.Expected.Provisional}, score["screens"])
	}
	for name, sum := range map[string]*float64{"pcl5_b": v.Expected.B, "pcl5_c": v.Expected.C, "pcl5_d": v.Expected.D, "pcl5_e": v.Expected.E} {
		if sum != nil {
			within(t, "subscales.", object{name: *sum}, score["subscales"])
		}
	}
}

package apitest_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"maps"
	"math"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/protrack/protrack/api/apitest"
)

// rCalls reads what R gave for the two waves, as pkg/cohort has it recorded.
func rCalls(t *testing.T) map[string]float64 {
	t.Helper()
	text, err := os.ReadFile("../../pkg/cohort/testdata/waves.json")
	if err != nil {
		t.Fatal(err)
	}
	var records []struct {
		Name  string
		Value float64
	}
	if err := json.Unmarshal(text, &records); err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for _, r := range records {
		out[r.Name] = r.Value
	}
	return out
}

// statistics reads a figure's CSV: the numbers by their statistic, those of a
// group by "by GROUP" in place of their place in the list.
func statistics(t *testing.T, text []byte) map[string]float64 {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for _, row := range rows[1:] {
		group, name, value := row[1], row[2], row[3]
		if group != "" {
			name = "by " + group + "." + strings.SplitN(name, ".", 3)[2]
		}
		if x, err := strconv.ParseFloat(value, 64); err == nil {
			out[name] = x
		}
	}
	return out
}

// calledByR are the numbers of a figure by the names that R's script gives them.
func calledByR(prefix string, figure map[string]float64, levels []string) map[string]float64 {
	out := map[string]float64{}
	for name, x := range figure {
		path := strings.Split(strings.TrimPrefix(name, "outcomes."), ".")
		switch last := len(path) - 1; {
		case path[0] == "counts":
			from, _ := strconv.Atoi(path[1])
			to, _ := strconv.Atoi(path[2])
			path = []string{levels[from-1], levels[to-1]}
		case last > 0 && path[last-1] == "ci95":
			path = append(path[:last-1], map[string]string{"1": "low", "2": "high"}[path[last]])
		}
		if len(path) > 1 && strings.HasPrefix(path[0], "by ") && path[1] == "difference" {
			path = slices.Delete(path, 1, 2)
		}
		out[prefix+" "+strings.Join(path, " ")] = x
	}
	return out
}

// TestTwoWavesOf403PeopleGiveWhatRGivesOverHTTP loads the file as before and
// after a dosing session, and holds every figure that R was asked for against
// R's answer, to four decimals.
func TestTwoWavesOf403PeopleGiveWhatRGivesOverHTTP(t *testing.T) {
	rows := realData(t, "phq9_gad7_two_waves_n403.csv")
	want := rCalls(t)
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(day.AddDate(1, 0, 0))
		batch, totals := waves(t, rows)
		people := slices.Sorted(maps.Keys(totals))
		admit(t, s, people)
		each(t, s, len(people), func(i int) (string, string, any) {
			return "POST", "/v1/clients/" + chosen(people[i]).String() + "/sessions", map[string]any{
				"id": chosen("session/" + people[i]), "kind": "dosing", "started_at": day,
			}
		}, created(t))
		store(t, s, batch)

		const points = "from=before_session:1&to=after_session:1&cells=all&format=csv"
		bands := []string{"minimal", "mild", "moderate", "moderately_severe", "severe"}
		got := map[string]float64{}
		ask := func(prefix, path string, levels []string) {
			r := s.Do("GET", "/v1/cohort/"+path, nil).Want(http.StatusOK)
			maps.Copy(got, calledByR(prefix, statistics(t, r.Body), levels))
		}
		ask("phq-9", "change?instrument=phq-9&by=baseline_severity&"+points, nil)
		ask("gad-7", "change?instrument=gad-7&by=baseline_severity&"+points, nil)
		ask("phq-9 shift", "shift?instrument=phq-9&"+points, bands)
		ask("gad-7 shift", "shift?instrument=gad-7&"+points, []string{"minimal", "mild", "moderate", "severe"})
		ask("item9", "item9?"+points, []string{"0", "1", "2", "3"})
		ask("both", "recovery?rules=nhs-tt&"+points, nil)
		for _, name := range slices.Sorted(maps.Keys(want)) {
			if x, found := got[name]; !found {
				t.Errorf("%s: no figure has it", name)
			} else if math.Abs(x-want[name]) > 0.00005 {
				t.Errorf("%s: got %.6f, R gives %.6f", name, x, want[name])
			}
		}
		if len(want) < 300 {
			t.Errorf("R was asked for %d numbers only", len(want))
		}
	})
}

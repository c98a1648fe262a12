package apitest_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/protrack/protrack/api/apitest"
)

// The figures are those of clinical reference part C.
func TestThePCL5Of221VeteransIsStoredAndScoredAsPublished(t *testing.T) {
	rows := realData(t, "pcl5_veterans_n221.csv")
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		var people []string
		var batch []map[string]any
		sums := map[string]int{}
		for _, row := range rows {
			person := "veteran-" + row[0]
			answers, total := items(t, "pcl5_", row[1:])
			people, sums[person] = append(people, person), total
			batch = append(batch, map[string]any{
				"id": chosen("pcl-5/" + person), "client_id": chosen(person), "instrument": "pcl-5",
				"timing": "baseline", "completed_at": day, "answers": answers,
			})
		}
		admit(t, s, people)
		if statuses := store(t, s, batch); len(statuses) != 221 || slices.ContainsFunc(statuses, func(n int) bool { return n != http.StatusCreated }) {
			t.Fatalf("statuses %v", statuses)
		}
		totals := map[string][]float64{}
		counts := map[string]int{}
		for _, person := range people {
			var a struct{ Score scored }
			s.Do("GET", "/v1/assessments/"+chosen("pcl-5/"+person).String(), nil).Want(http.StatusOK).Decode(&a)
			if *a.Score.Total != float64(sums[person]) || a.Score.Severity != nil {
				t.Errorf("%s: %+v", person, a.Score)
			}
			countVeteran(a.Score, totals, counts)
		}
		got := map[string]string{"range": fmt.Sprintf("%v-%v", slices.Min(totals["total"]), slices.Max(totals["total"]))}
		for name, x := range totals {
			got[name] = moments(x)
		}
		if d := cmp.Diff(map[string]string{
			"range": "4-80", "total": "221 30.5294 (14.4022)", "pcl5_b": "221 6.6425 (4.5899)", "pcl5_c": "221 3.3982 (2.0192)",
			"pcl5_d": "221 11.2715 (5.9267)", "pcl5_e": "221 9.2172 (4.9532)",
		}, got); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
		if d := cmp.Diff(map[string]int{
			"provisional": 77, ">=31": 90, ">=32": 84, ">=33": 78, ">=34": 74, "both": 63, "rule only": 14, "cut only": 15, "neither": 129,
		}, counts); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
	})
}

// countVeteran counts one score. The rule and the cut-point are two answers: neither
// is merged into the other.
func countVeteran(s scored, totals map[string][]float64, counts map[string]int) {
	totals["total"] = append(totals["total"], *s.Total)
	for id, v := range s.Subscales {
		totals[id] = append(totals[id], *v)
	}
	for cut := 31.0; cut <= 34; cut++ {
		if *s.Total >= cut {
			counts[fmt.Sprintf(">=%v", cut)]++
		}
	}
	rule := *s.Screens.Provisional
	if rule {
		counts["provisional"]++
	}
	switch cut := *s.Total >= 33; {
	case rule && cut:
		counts["both"]++
	case rule:
		counts["rule only"]++
	case cut:
		counts["cut only"]++
	default:
		counts["neither"]++
	}
}

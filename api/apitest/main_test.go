package apitest_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/protrack/protrack/api/apitest"
)

func TestTheMainJob(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		client := s.Do("POST", "/v1/clients", map[string]any{"reference": "P-1"}).Want(http.StatusCreated).JSON()["id"].(string)
		session := s.Do("POST", "/v1/clients/"+client+"/sessions", map[string]any{
			"kind": "dosing", "started_at": "2026-03-10T15:00:00Z",
			"medicine": map[string]any{"substance": "ketamine", "route": "intramuscular", "dose_mg": 70},
		}).Want(http.StatusCreated).JSON()["id"].(string)
		for timing, total := range map[string]int{"before": 20, "after": 8} {
			at := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
			if timing == "after" {
				at = at.AddDate(0, 0, 1)
			}
			s.Do("POST", "/v1/clients/"+client+"/assessments", map[string]any{
				"instrument": "phq-9", "timing": timing, "session_id": session, "completed_at": at, "total": total,
			}).Want(http.StatusCreated)
		}
		tr := s.Do("GET", "/v1/clients/"+client+"/trajectory?instrument=phq-9", nil).Want(http.StatusOK).JSON()
		status := tr["status"].(map[string]any)
		if status["response"] != "response" || status["reliable"] != "improved" || status["change"] != -12.0 {
			t.Errorf("20 before and 8 after: %v", status)
		}
		cases := s.Do("GET", "/v1/caseload", nil).Want(http.StatusOK).JSON()["items"].([]any)
		if len(cases) != 1 || cases[0].(map[string]any)["change"] != -12.0 {
			t.Errorf("caseload: %v", cases)
		}
	})
}

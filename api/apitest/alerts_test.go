package apitest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
)

// TestAnAlertIsClosedByWhoLookedAfterIt goes the whole way over the API: an answer,
// its alert, who looks after it, what was done, and the history of all that.
func TestAnAlertIsClosedByWhoLookedAfterIt(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		client := s.Do("POST", "/v1/clients", object{"reference": "P-1"}).Want(http.StatusCreated).JSON()["id"].(string)
		form := with(baseline(), "answers", phq9(1, 1, 1, 1, 1, 1, 1, 1, 2), "completed_at", today.Format("2006-01-02T15:04:05Z07:00"))
		assessment := s.Do("POST", "/v1/clients/"+client+"/assessments", form).Want(http.StatusCreated).JSON()["id"].(string)
		found := listed(s.Do("GET", "/v1/alerts?status=open&client_id="+client, nil).Want(http.StatusOK))
		if len(found) != 1 || found[0]["rule"] != "item9_endorsed" || found[0]["level"] != "high" || found[0]["assessment_id"] != assessment || found[0]["next_at"] == nil {
			t.Fatalf("%v", found)
		}
		cases := listed(s.Do("GET", "/v1/caseload", nil).Want(http.StatusOK))
		if len(cases) != 1 || cases[0]["open_alerts"] != 1.0 {
			t.Errorf("%v", cases)
		}
		at := "/v1/alerts/" + found[0]["id"].(string)
		clinician := s.Clinic.Key[auth.Clinician]
		s.As(clinician, "POST", at+"/closure", nil).Want(http.StatusConflict)
		s.As(clinician, "POST", at+"/acknowledgement", nil).Want(http.StatusOK)
		s.As(clinician, "POST", at+"/acknowledgement", nil).Want(http.StatusOK)
		s.Do("POST", at+"/acknowledgement", nil).Want(http.StatusConflict) // another was faster
		problemOf(t, s.As(clinician, "POST", at+"/disposition", object{"disposition": "none"}).Want(http.StatusUnprocessableEntity))
		s.As(clinician, "POST", at+"/disposition", object{"disposition": "safety_plan", "note": "by phone"}).Want(http.StatusOK)
		s.As(clinician, "POST", at+"/closure", nil).Want(http.StatusOK)
		var deeds []string
		history, _ := s.Do("GET", at, nil).Want(http.StatusOK).JSON()["history"].([]any)
		for _, step := range history {
			deeds = append(deeds, step.(object)["deed"].(string))
		}
		same(t, "what became of it", []string{"raised", "acknowledged", "actioned", "closed"}, deeds)
		if log := s.Log.String(); strings.Contains(log, "by phone") {
			t.Error("the log tells the note")
		}
		s.Do("GET", "/v1/alerts?status=forgotten", nil).Want(http.StatusUnprocessableEntity)
	})
}

// TestAChainOfEscalationIsChosenWhole: it is read back as it was put, and
// everything that is wrong with one is told at once.
func TestAChainOfEscalationIsChosenWhole(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		chain := []any{
			object{"after_minutes": 2.0, "roles": []any{"clinician"}, "duty": object{
				"days": []any{"monday", "sunday"}, "from": "08:00", "to": "18:00", "time_zone": "America/Denver",
			}},
			object{"after_minutes": 10.0, "roles": []any{"owner"}},
		}
		s.Do("PUT", "/v1/settings/alerts", object{"chain": chain, "off": []string{"not_on_track"}}).Want(http.StatusOK)
		got := s.Do("GET", "/v1/settings/alerts", nil).Want(http.StatusOK).JSON()
		same(t, "the chain", any(chain), got["chain"])
		for _, rule := range got["rules"].([]any) {
			rule := rule.(object)
			if on := rule["code"] != "not_on_track"; rule["on"] != on || rule["source"] == "" {
				t.Errorf("%v", rule)
			}
		}
		s.Do("PUT", "/v1/settings/alerts", object{"chain": []object{{"after_minutes": 5, "roles": []string{"app"}}}, "off": []string{"item9_endorsed"}}).
			Want(http.StatusUnprocessableEntity)
	})
}

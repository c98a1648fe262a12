package apitest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
)

// figuresOnly makes a key that may see figures and nobody's record.
func figuresOnly(s *apitest.Server, role auth.Role) string {
	body := object{"name": "figures " + newID(), "role": role, "scopes": []string{"cohorts:read"}}
	return s.Do("POST", "/v1/keys", body).Want(http.StatusCreated).JSON()["secret"].(string)
}

// volunteers are clients who agreed to research, one of them with a dose by
// mouth and the highest total of all.
func volunteers(n int) []treated {
	var out []treated
	for i := range n {
		out = append(out, treated{sex: "female", route: "intramuscular", before: 12 + i%8, after: 4 + i%5, consent: "granted"})
	}
	out[0].route, out[0].before = "oral", 27
	return out
}

// baselineSum is the sum of totals at from, which answers tell by n and mean.
func baselineSum(figure object) float64 {
	from := figure["from"].(object)
	n, mean := from["n"], from["mean"]
	if n == nil || mean == nil {
		return 0
	}
	return n.(float64) * mean.(float64)
}

// savedCohort saves everybody who got it into the muscle: all but one.
func savedCohort(s *apitest.Server) string {
	body := object{"name": "into the muscle", "filter": object{"route": []any{"intramuscular"}}}
	return "&cohort=" + s.Do("POST", "/v1/cohorts", body).Want(http.StatusCreated).JSON()["id"].(string)
}

func TestWhoSeesFiguresOnlyCannotSubtractACohortFromTheWhole(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		treat(s, volunteers(12)...)
		but := savedCohort(s)
		ask := func(key, more string) *apitest.Response { return s.As(key, "GET", changeOfPairs+more, nil) }

		researcher := s.Clinic.Key[auth.Researcher]
		all := baselineSum(ask(researcher, "&cells=all").Want(http.StatusOK).JSON())
		rest := baselineSum(ask(researcher, "&cells=all"+but).Want(http.StatusOK).JSON())
		if secret := all - rest; secret < 26.999 || secret > 27.001 {
			t.Fatalf("where nothing is held back the difference is %g, and the total is 27: the attack shows nothing", secret)
		}

		one, other := figuresOnly(s, auth.Clinician), figuresOnly(s, auth.Researcher)
		first := ask(one, "").Want(http.StatusOK)
		for what, r := range map[string]*apitest.Response{
			"the same key": ask(one, but), "another key of the clinic": ask(other, but), "as a table": ask(other, but+"&format=csv"),
		} {
			r.Want(http.StatusConflict)
			if detail := problemOf(t, r).Detail; !strings.Contains(detail, "too few people") {
				t.Errorf("%s: %q", what, detail)
			}
		}
		same(t, "the same question again", first.JSON()["from"], ask(other, "").Want(http.StatusOK).JSON()["from"])
		ask(one, "&format=csv").Want(http.StatusOK)
		ask(one, "&cells=all").Want(http.StatusForbidden)
		ask(one, "&as_of=2026-05-01T00:00:00Z").Want(http.StatusForbidden)
		ask(one, "&population=clinic").Want(http.StatusForbidden)
		if outcomes := outcomesOf(s, "cohort.figures"); outcomes["refused"] != 3 || outcomes["done"] < 4 {
			t.Errorf("the audit trail tells of %v", outcomes)
		}
	})
}

func TestWhoSeesFiguresOnlyIsToldTheFigureOfBeforeWhileTooFewHaveCome(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		treat(s, volunteers(8)...)
		key := figuresOnly(s, auth.Clinician)
		ask := func() object { return s.As(key, "GET", changeOfPairs, nil).Want(http.StatusOK).JSON() }
		first := ask()
		for _, step := range []struct {
			what string
			come int
			held bool
		}{
			{"one more client", 1, true}, {"four more clients", 3, true}, {"ten more clients", 6, false},
		} {
			s.Clock.Set(s.Clock.Now().Add(time.Hour))
			treat(s, volunteers(step.come)...)
			got := ask()
			if held := got["as_of_reason"] == "too_few_changes"; held != step.held {
				t.Errorf("%s: as of %v, %v", step.what, got["as_of"], got["as_of_reason"])
			}
			if step.held {
				if words := got["as_of_words"]; words != "Since then too few people have changed to tell of it." {
					t.Errorf("%s: %v", step.what, words)
				}
				same(t, step.what, with(first, "as_of_reason", nil, "as_of_words", nil), with(got, "as_of_reason", nil, "as_of_words", nil))
			}
		}
		if outcomes := outcomesOf(s, "cohort.figures"); outcomes["refused"] != 0 || outcomes["done"] != 4 {
			t.Errorf("the audit trail tells of %v", outcomes)
		}
	})
}

func TestWhoSeesFiguresOnlyAsksFromAList(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		treat(s, volunteers(12)...)
		narrow, researcher := figuresOnly(s, auth.Clinician), s.Clinic.Key[auth.Researcher]
		for _, question := range []string{
			"change?instrument=phq-9&to=days:31:7", "flow?instrument=phq-9&at=days:20:10", "flow?instrument=phq-9&at=days:100:90",
			"shift?instrument=phq-9&to=days:30:6", "recovery?to=days:90:15", "item9?to=days:1:0",
			"measures?index_from=2026-03-03T00:00:00Z", "measures?index_to=2026-03-03T00:00:00Z", "measures?within_days=30",
			"survival?instrument=phq-9&event=loss_of_response&relapse=reliable_worsening_from_best",
			"flow?instrument=phq-9&as_of=2026-05-01T00:00:00Z",
		} {
			r := s.As(narrow, "GET", "/v1/cohort/"+question, nil).Want(http.StatusForbidden)
			if detail := problemOf(t, r).Detail; !strings.Contains(detail, "exports:") {
				t.Errorf("%s: %q does not say what is missing", question, detail)
			}
			if !strings.Contains(question, "as_of") {
				s.As(researcher, "GET", "/v1/cohort/"+question, nil).Want(http.StatusOK)
			}
		}
		s.As(narrow, "GET", "/v1/cohort/flow?instrument=phq-9&at=days:30:7,after_session:1", nil).Want(http.StatusOK)
		s.As(researcher, "GET", "/v1/cohort/flow?instrument=phq-9&as_of=2026-05-01T00:00:00Z", nil).Want(http.StatusForbidden)
	})
}

// writesCohorts makes a key that sees figures and may save cohorts, and no more.
func writesCohorts(s *apitest.Server) string {
	body := object{"name": "cohorts", "role": auth.Researcher, "scopes": []string{"cohorts:read", "cohorts:write"}}
	return s.Do("POST", "/v1/keys", body).Want(http.StatusCreated).JSON()["secret"].(string)
}

func TestNobodyAndAFewAreRefusedAlike(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		treat(s, volunteers(12)...)
		key := writesCohorts(s)
		refused := s.As(key, "POST", "/v1/cohorts", object{"name": "mine", "filter": object{"age_min": 40, "age_max": 40}}).Want(http.StatusForbidden)
		if detail := problemOf(t, refused).Detail; !strings.Contains(detail, "exports:deidentified") {
			t.Error(detail)
		}
		var told []string
		for name, route := range map[string]string{"nobody": "intranasal", "one": "oral"} {
			body := object{"name": name, "filter": object{"route": []any{route}}}
			id := s.Do("POST", "/v1/cohorts", body).Want(http.StatusCreated).JSON()["id"].(string)
			told = append(told, problemOf(t, s.As(key, "GET", changeOfPairs+"&cohort="+id, nil).Want(http.StatusConflict)).Detail)
		}
		same(t, "nobody and one", told[0], told[1])
	})
}

func TestAllCellsOfDatesAreForWhoMaySeeDates(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		treat(s, volunteers(12)...)
		body := object{"name": "dated", "filter": object{"first_dose_to": "2026-05-01T00:00:00Z"}}
		id := s.Do("POST", "/v1/cohorts", body).Want(http.StatusCreated).JSON()["id"].(string)
		researcher := s.Clinic.Key[auth.Researcher]
		for _, question := range []string{
			changeOfPairs + "&cohort=" + id, "/v1/cohort/measures?index_from=2026-03-03T00:00:00Z",
		} {
			s.As(researcher, "GET", question, nil).Want(http.StatusOK)
			s.As(researcher, "GET", question+"&cells=all", nil).Want(http.StatusForbidden)
			s.Do("GET", question+"&cells=all", nil).Want(http.StatusOK)
		}
	})
}

func TestNumbersOfPeopleAreWeighedAcrossFigures(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		treat(s, volunteers(12)...) // one of them by mouth
		key := figuresOnly(s, auth.Clinician)
		s.As(key, "GET", changeOfPairs, nil).Want(http.StatusOK)
		but := savedCohort(s)
		for _, figure := range []string{"flow?instrument=phq-9", "survival?instrument=phq-9", "sessions?instrument=phq-9", "shift?instrument=phq-9", "item9?", "measures?"} {
			s.As(key, "GET", "/v1/cohort/"+figure+but, nil).Want(http.StatusConflict)
		}
	})
}

// outcomesOf counts the entries of an action in the audit trail.
func outcomesOf(s *apitest.Server, action string) map[string]int {
	out := map[string]int{}
	for _, e := range listed(s.Do("GET", "/v1/audit?limit=200", nil).Want(http.StatusOK)) {
		if e["action"] == action {
			out[e["outcome"].(string)]++
		}
	}
	return out
}

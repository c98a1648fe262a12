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

func TestWhoSeesFiguresOnlyLearnsNothingFromOneMoreForm(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		treat(s, volunteers(8)...)
		key := figuresOnly(s, auth.Clinician)
		ask := func() *apitest.Response { return s.As(key, "GET", changeOfPairs, nil) }
		ask().Want(http.StatusOK)
		for _, step := range []struct {
			what   string
			come   int
			status int
		}{
			{"one more client", 1, http.StatusConflict}, {"four more clients", 3, http.StatusConflict}, {"ten more clients", 6, http.StatusOK},
		} {
			s.Clock.Set(s.Clock.Now().Add(time.Hour))
			treat(s, volunteers(step.come)...)
			if r := ask(); r.Status != step.status {
				t.Errorf("%s: %d, want %d: %s", step.what, r.Status, step.status, r.Body)
			}
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

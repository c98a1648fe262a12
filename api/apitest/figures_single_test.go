package apitest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
)

const bySignificance = "/v1/cohort/significance?instrument=phq-9&dysfunctional_mean=16.5&dysfunctional_sd=5.1&functional_mean=3.3&functional_sd=3.8&reliability=0.84"

func TestSignificanceTellsCountsAndByWhatTheyWereJudged(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		treat(s, treated{sex: "female", route: "oral", before: 20, after: 5}, treated{sex: "male", route: "oral", before: 20, after: 12},
			treated{sex: "male", route: "oral", before: 20, after: 18}, treated{sex: "male", route: "oral", before: 12, after: 20})
		got := s.Do("GET", bySignificance+"&cells=all", nil).Want(http.StatusOK).JSON()
		for category, n := range map[string]float64{"recovered": 1, "improved": 1, "unchanged": 1, "deteriorated": 1, "harmed": 0} {
			within(t, category+" ", object{"n": n, "of": 4.0}, got[category])
		}
		// c: (5.1 x 3.3 + 3.8 x 16.5) / 8.9; SEM: 5.1 x sqrt(0.16).
		method := got["method"].(object)
		for name, want := range map[string]float64{"cutoff_at": 8.93595506, "sem": 2.04, "s_diff": 2.88499567, "reliable_change": 5.65459151} {
			if x := method[name].(float64); x < want-1e-6 || x > want+1e-6 {
				t.Errorf("%s is %v, want %v", name, x, want)
			}
		}
		within(t, "n ", object{"n": 4.0}, got)
		within(t, "a ", object{"cutoff": "a"}, s.Do("GET", bySignificance+"&cutoff=a", nil).Want(http.StatusOK).JSON()["method"])
		for bad, pointer := range map[string]string{
			"/v1/cohort/significance?instrument=phq-9":                                 "/dysfunctional_mean",
			strings.Replace(bySignificance, "reliability=0.84", "reliability=2", 1):    "/reliability",
			strings.Replace(bySignificance, "functional_sd=3.8", "functional_sd=0", 1): "/functional_sd",
			bySignificance + "&cutoff=d":                                               "/cutoff",
		} {
			same(t, bad, pointer, problemOf(t, s.Do("GET", bad, nil).Want(http.StatusUnprocessableEntity)).Errors[0].Pointer)
		}
	})
}

func TestHowOneClientDoesIsToldToWhoMayReadIt(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		var people []treated
		for i := range 20 {
			people = append(people, treated{sex: "female", route: "oral", before: 20, after: 10 - i%2})
		}
		clients := treat(s, people...)
		ask := "/v1/cohort/expected?instrument=phq-9&client_id="
		told := s.Do("GET", ask+clients[0], nil).Want(http.StatusOK).JSON()["off_track"].([]any)
		same(t, "one client", 1, len(told))
		within(t, "who does well ", object{"client_id": clients[0], "status": "on_track", "change": -10.0}, told[0])
		s.As(s.Clinic.Key[auth.Researcher], "GET", ask+clients[0], nil).Want(http.StatusForbidden)
		for _, bad := range []string{ask + newID(), ask + clients[0] + "&off_track=true"} {
			same(t, bad, "/client_id", problemOf(t, s.Do("GET", bad, nil).Want(http.StatusUnprocessableEntity)).Errors[0].Pointer)
		}
		same(t, "disclosures of who was asked about, and of another", [2]int{1, 0},
			[2]int{disclosures(s, clients[0], "off_track.read"), disclosures(s, clients[1], "off_track.read")})
	})
}

func disclosures(s *apitest.Server, client, action string) (n int) {
	for _, d := range listed(s.Do("GET", "/v1/clients/"+client+"/disclosures?limit=200", nil).Want(http.StatusOK)) {
		if d["action"] == action {
			n++
		}
	}
	return n
}

func TestAFigureOfSoFewThatItIsTheirRecordIsADisclosure(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		clients := treat(s, mixed()...)
		ask := changeOfPairs + "&cells=all"
		s.Do("GET", ask, nil).Want(http.StatusOK)
		same(t, "of many", 0, disclosures(s, clients[0], "cohort.export"))
		few := s.Do("POST", "/v1/cohorts", object{"name": "By mouth", "filter": object{"route": []any{"oral"}}}).Want(http.StatusCreated).JSON()["id"].(string)
		s.Do("GET", changeOfPairs+"&cohort="+few, nil).Want(http.StatusOK)
		same(t, "of few, withheld", 0, disclosures(s, clients[len(clients)-1], "cohort.export"))
		s.Do("GET", ask+"&cohort="+few, nil).Want(http.StatusOK)
		same(t, "of few, with all cells", [2]int{1, 0}, [2]int{disclosures(s, clients[len(clients)-1], "cohort.export"), disclosures(s, clients[0], "cohort.export")})
	})
}

func TestTheNameOfAGroupIsNoFormula(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		client := treat(s, treated{sex: "female", route: "oral", before: 20, after: 10})[0]
		course := listed(s.Do("GET", "/v1/clients/"+client+"/courses", nil).Want(http.StatusOK))[0]
		s.Do("PATCH", "/v1/courses/"+course["id"].(string), object{"indication": "=cmd|'/c calc'!a1"}, "If-Match", `"1"`, "Content-Type", "application/merge-patch+json").Want(http.StatusOK)
		r := s.Do("GET", changeOfPairs+"&cells=all&by=indication&format=csv", nil).Want(http.StatusOK)
		if text := string(r.Body); !strings.Contains(text, "'=cmd") || strings.Contains(text, ",=cmd") {
			t.Errorf("a spreadsheet computes: %s", text)
		}
	})
}

package apitest_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
)

// treated is a client with one dose and a PHQ-9 total before and after it.
type treated struct {
	sex, route    string
	before, after int
	consent       string // granted, withdrawn or empty: nothing was said
	window        string // what the second form asks about; empty: as the instrument does
}

// treat gives a clinic these clients, and returns their ids.
func treat(s *apitest.Server, people ...treated) []string {
	post := func(path string, body object) string {
		return s.Do("POST", path, body).Want(http.StatusCreated).JSON()["id"].(string)
	}
	var out []string
	for _, p := range people {
		client := post("/v1/clients", object{"reference": "canary-" + newID(), "display_name": "canary-name", "birth_year": 1980, "sex": p.sex})
		course := post("/v1/clients/"+client+"/courses", object{"indication": "depression", "started_on": "2026-03-01", "planned_sessions": 1})
		session := post("/v1/clients/"+client+"/sessions", object{
			"kind": "dosing", "started_at": "2026-03-10T15:00:00Z", "course_id": course,
			"medicine": object{"substance": "ketamine", "route": p.route, "dose_mg": 70},
		})
		form := func(timing string, at time.Time, total int, window string) {
			post("/v1/clients/"+client+"/assessments", object{
				"instrument": "phq-9", "timing": timing, "session_id": session, "completed_at": at, "total": total, "recall_window": window,
			})
		}
		dose := time.Date(2026, 3, 10, 15, 0, 0, 0, time.UTC)
		form("before", dose.Add(-time.Hour), p.before, "")
		form("after", dose.AddDate(0, 0, 7), p.after, p.window)
		if p.consent != "" {
			consent(s, client, p.consent)
		}
		out = append(out, client)
	}
	return out
}

func consent(s *apitest.Server, client, status string) {
	s.Do("POST", "/v1/clients/"+client+"/consents", object{
		"scope": "research", "status": status, "at": s.Clock.Now(), "text_version": newID(),
	}).Want(http.StatusCreated)
}

// mixed are 6 clients who agreed to research, 1 who has withdrawn, and 5 who
// were never asked. The last of all alone got it by mouth.
func mixed() []treated {
	var out []treated
	for i := range 12 {
		p := treated{sex: "female", route: "intramuscular", before: 12 + i, after: 6 + i/2}
		switch {
		case i < 6:
			p.consent = "granted"
		case i == 6:
			p.consent = "withdrawn"
		}
		out = append(out, p)
	}
	out[11].route = "oral"
	return out
}

const changeOfPairs = "/v1/cohort/change?instrument=phq-9&from=before_session:1&to=after_session:1"

// leftOut are the people whom a figure is not about, by reason.
func leftOut(figure object) object {
	out := object{}
	for _, r := range figure["left_out"].([]any) {
		out[r.(object)["reason"].(string)] = r.(object)["n"]
	}
	return out
}

func TestWhoTreatsSeesFiguresOfAllAndOthersOfWhoAgreesToResearch(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		clients := treat(s, mixed()...)
		ask := func(role auth.Role, more string) object {
			return s.As(s.Clinic.Key[role], "GET", changeOfPairs+more, nil).Want(http.StatusOK).JSON()
		}
		flow := func(figure object) any { return figure["flow"].(object)["enrolled"] }
		everybody := object{"no_research_consent": 0.0, "withdrawn": 0.0, "erased": 0.0, "not_in_cohort": 0.0}

		all := ask(auth.Clinician, "")
		within(t, "the clinician's ", object{"population": "clinic", "smallest_cell": 5.0, "cohort_id": nil}, all)
		same(t, "the clinician's flow", any(12.0), flow(all))
		same(t, "whom the clinician's figure leaves out", everybody, leftOut(all))

		agreed := ask(auth.Researcher, "")
		within(t, "the researcher's ", object{"population": "research"}, agreed)
		same(t, "the researcher's flow", any(6.0), flow(agreed))
		same(t, "whom the researcher's figure leaves out: one person is too few to be told",
			with(everybody, "no_research_consent", 5.0, "withdrawn", nil), leftOut(agreed))
		same(t, "all cells", with(everybody, "no_research_consent", 5.0, "withdrawn", 1.0), leftOut(ask(auth.Researcher, "&cells=all")))
		same(t, "the clinician's figure of who agrees", agreed["difference"], ask(auth.Clinician, "&population=research")["difference"])
		s.As(s.Clinic.Key[auth.Researcher], "GET", changeOfPairs+"&population=clinic", nil).Want(http.StatusForbidden)

		s.Clock.Set(today.Add(time.Hour))
		consent(s, clients[0], "withdrawn")
		same(t, "after a withdrawal", any(5.0), flow(ask(auth.Researcher, "")))
		consent(s, clients[1], "withdrawn")
		same(t, "after another one too few are left", any(nil), flow(ask(auth.Researcher, "")))
		same(t, "and the clinician's flow is what it was", any(12.0), flow(ask(auth.Clinician, "")))

		s.Do("POST", "/v1/clients/"+clients[11]+"/erasure", object{"reason": "client_request"}).Want(http.StatusOK)
		same(t, "after an erasure", any(11.0), flow(ask(auth.Clinician, "")))
		same(t, "who was erased", any(1.0), leftOut(ask(auth.Clinician, "&cells=all"))["erased"])
	})
}

func TestNumbersOfFewPeopleAreWithheldUnlessWhoAsksMaySeeThePeople(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		treat(s, mixed()[:4]...)
		key := func(role string) string {
			body := object{"name": "figures only", "role": role, "scopes": []string{"cohorts:read"}}
			return s.Do("POST", "/v1/keys", body).Want(http.StatusCreated).JSON()["secret"].(string)
		}
		for _, role := range []string{"researcher", "clinician"} {
			figure := s.As(key(role), "GET", changeOfPairs, nil).Want(http.StatusOK).JSON()
			within(t, role+" ", object{"population": "research", "smallest_cell": 5.0}, figure)
			within(t, role+"'s difference ", object{"n": nil, "mean": nil, "t": nil, "withheld": true}, figure["difference"])
			within(t, role+"'s flow ", object{"paired": nil, "withheld": true}, figure["flow"])
			for _, more := range []string{"&cells=all", "&population=clinic"} {
				s.As(key(role), "GET", changeOfPairs+more, nil).Want(http.StatusForbidden)
			}
		}
		for _, role := range []auth.Role{auth.Researcher, auth.Clinician} {
			figure := s.As(s.Clinic.Key[role], "GET", changeOfPairs+"&cells=all", nil).Want(http.StatusOK).JSON()
			within(t, string(role)+" ", object{"smallest_cell": nil}, figure)
			within(t, string(role)+"'s difference ", object{"n": 4.0, "mean": -7.0, "withheld": false}, figure["difference"])
		}
		s.Do("PUT", "/v1/settings/clinic", object{"care_teams": false, "smallest_cell": 4}).Want(http.StatusOK)
		within(t, "with a smaller cell ", object{"n": 4.0, "withheld": false}, s.Do("GET", changeOfPairs, nil).JSON()["difference"])
	})
}

// figures are all of them, with what each needs.
var figures = []string{
	"change?instrument=phq-9&by=route", "recovery?", "shift?instrument=phq-9", "item9?", "flow?instrument=phq-9", "survival?instrument=phq-9",
	"sessions?instrument=phq-9", "expected?instrument=phq-9", "measures?",
	strings.TrimPrefix(bySignificance, "/v1/cohort/"),
}

func TestNoFigureTellsAResearcherWhoIsInIt(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		people := mixed()
		for i := range 20 {
			people = append(people, treated{sex: "female", route: "oral", before: 20, after: 10 - i%2, consent: "granted"})
		}
		people = append(people, treated{sex: "male", route: "oral", before: 20, after: 27, consent: "granted"})
		clients := treat(s, people...)
		researcher := s.Clinic.Key[auth.Researcher]
		tells := func(r *apitest.Response) bool {
			found := bytes.Contains(r.Body, []byte("canary"))
			for _, id := range clients {
				found = found || bytes.Contains(r.Body, []byte(id))
			}
			return found
		}
		for _, figure := range figures {
			for _, more := range []string{"&cells=all", "&cells=all&format=csv", "", "&format=csv"} {
				r := s.As(researcher, "GET", "/v1/cohort/"+figure+more, nil).Want(http.StatusOK)
				if tells(r) {
					t.Errorf("%s%s names a client: %s", figure, more, r.Body)
				}
				if isCSV := strings.HasPrefix(r.Header.Get("Content-Type"), "text/csv"); isCSV != strings.Contains(more, "csv") {
					t.Errorf("%s%s is %s", figure, more, r.Header.Get("Content-Type"))
				}
			}
		}
		const offTrack = "/v1/cohort/expected?instrument=phq-9&off_track=true"
		s.As(researcher, "GET", offTrack, nil).Want(http.StatusForbidden)
		// Whoever treats the client may know, and it is told to the client.
		r := s.As(s.Clinic.Key[auth.Clinician], "GET", offTrack, nil).Want(http.StatusOK)
		if !tells(r) {
			t.Fatalf("the clinician is not told who is off track: %s", r.Body)
		}
		worst := clients[len(clients)-1]
		listedOff := r.JSON()["off_track"].([]any)
		same(t, "who is off track", 1, len(listedOff))
		within(t, "off track ", object{"client_id": worst, "status": "off_track", "change": 7.0, "session": 1.0, "band": "worst_10"}, listedOff[0])
		disclosed := func(client string) (n int) {
			for _, d := range listed(s.Do("GET", "/v1/clients/"+client+"/disclosures?limit=200", nil).Want(http.StatusOK)) {
				if d["action"] == "off_track.list" {
					n++
				}
			}
			return n
		}
		same(t, "disclosures of who is off track, and of who is not", [2]int{1, 0}, [2]int{disclosed(worst), disclosed(clients[0])})
	})
}

func TestAFigureAsOfATimeIsTheOneThatWasGivenThen(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		treat(s, mixed()...)
		s.Clock.Set(today.Add(time.Hour))
		before := map[string]object{}
		for _, figure := range figures {
			before[figure] = s.Do("GET", "/v1/cohort/"+figure, nil).Want(http.StatusOK).JSON()
		}
		s.Clock.Set(today.Add(24 * time.Hour))
		treat(s, treated{sex: "male", route: "oral", before: 20, after: 20})
		for _, figure := range figures {
			now := s.Do("GET", "/v1/cohort/"+figure, nil).Want(http.StatusOK).JSON()
			if fmt.Sprint(with(now, "as_of", drop)) == fmt.Sprint(with(before[figure], "as_of", drop)) {
				t.Errorf("%s: another client changes nothing", figure)
			}
			then := s.Do("GET", "/v1/cohort/"+figure+"&as_of=2026-06-01T13:00:00Z", nil).Want(http.StatusOK).JSON()
			same(t, figure, before[figure], then)
		}
		s.Do("GET", changeOfPairs+"&as_of=2026-06-02T12:00:01Z", nil).Want(http.StatusUnprocessableEntity)
	})
}

func TestAFigureOfASavedCohortIsOfThoseWhomItHolds(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		treat(s, mixed()...)
		cohort := s.Do("POST", "/v1/cohorts", object{"name": "By mouth no", "filter": object{
			"route": []any{"intramuscular"}, "baseline": object{"instrument": "phq-9", "min": 14},
		}}).Want(http.StatusCreated).JSON()["id"].(string)
		figure := s.Do("GET", changeOfPairs+"&cells=all&cohort="+cohort, nil).Want(http.StatusOK).JSON()
		within(t, "", object{"cohort_id": cohort}, figure)
		within(t, "the flow ", object{"enrolled": 9.0, "paired": 9.0}, figure["flow"])
		same(t, "not in the cohort", any(3.0), leftOut(figure)["not_in_cohort"])
		// The baseline of the cohort's filter is read for a figure of another instrument too.
		other := s.Do("GET", "/v1/cohort/flow?instrument=gad-7&cells=all&cohort="+cohort, nil).Want(http.StatusOK).JSON()
		within(t, "of another instrument ", object{"enrolled": 9.0}, other)

		elsewhere := s.As(s.Other.Key[auth.Admin], "POST", "/v1/cohorts", object{"name": "x", "filter": object{}}).Want(http.StatusCreated).JSON()["id"].(string)
		for _, id := range []string{newID(), elsewhere} {
			r := s.Do("GET", changeOfPairs+"&cohort="+id, nil).Want(http.StatusUnprocessableEntity)
			same(t, "the place of the fault", "/cohort", problemOf(t, r).Errors[0].Pointer)
		}
	})
}

func TestEveryFigureLeavesAnEntryThatNamesNobody(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		treat(s, mixed()...)
		s.As(s.Clinic.Key[auth.Researcher], "GET", changeOfPairs+"&rules=nhs-tt&recall_window=P14D", nil).Want(http.StatusOK)
		s.As(s.Clinic.Key[auth.Researcher], "GET", "/v1/cohort/measures?format=csv", nil).Want(http.StatusOK)
		entries := listed(s.Do("GET", "/v1/audit?action=cohort.figures", nil).Want(http.StatusOK))
		same(t, "entries", 2, len(entries))
		within(t, "the entry ", object{"client_id": nil, "outcome": "done"}, entries[1])
		within(t, "the entry's details ", object{"count": 6.0, "note": object{
			"figure": "change", "population": "research", "all_cells": "false", "instrument": "phq-9", "from": "before_session:1", "to": "after_session:1",
			"recall_window": "P14D", "rules": "nhs-tt",
		}}, entries[1]["details"])
	})
}

func TestEveryFaultOfAQuestionIsToldWithItsParameter(t *testing.T) {
	s := apitest.SQLite(t)
	for ask, want := range map[string][]string{
		"change":                             {"/instrument"},
		"change?instrument=mood":             {"/instrument"},
		"change?instrument=phq-9&rules=mine": {"/rules"},
		"change?instrument=phq-9&by=moon":    {"/by"},
		"change?instrument=phq-9&from=day:3&to=session&as_of=now&cells=few&population=all&cohort=x&format=pdf&recall_window=P&colour=red": {
			"/format", "/from", "/to", "/recall_window", "/cohort", "/as_of", "/population", "/cells", "/colour",
		},
		"change?instrument=phq-9&from=last&to=last":                              {"/to"},
		"shift?instrument=phq-15&from=last&to=last":                              {"/to"},
		"shift?instrument=dast-10&rules=x":                                       {"/rules"},
		"item9?instrument=phq-9":                                                 {"/instrument"},
		"flow?instrument=phq-9&at=baseline,someday":                              {"/at"},
		"flow?instrument=phq-9&at=last,last":                                     {"/at"},
		"survival?instrument=phq-9&event=death":                                  {"/event"},
		"expected?instrument=phq-9&least=5":                                      {"/least"},
		"measures?within_days=45":                                                {"/within_days"},
		"measures?index_from=2026-02-01T00:00:00Z&index_to=2026-01-01T00:00:00Z": {"/index_to"},
		"recovery?rules=ny-cocm":                                                 {"/rules"},
	} {
		r := s.Do("GET", "/v1/cohort/"+ask, nil).Want(http.StatusUnprocessableEntity)
		var got []string
		for _, e := range problemOf(t, r).Errors {
			got = append(got, e.Pointer)
			if e.In != "query" {
				t.Errorf("%s: the fault at %s is in %q", ask, e.Pointer, e.In)
			}
		}
		same(t, ask, want, got)
	}
}

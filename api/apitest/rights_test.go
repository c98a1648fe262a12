package apitest_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
)

func TestAConsentIsRecordedAndToldWithWhatStands(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		n := settle(s, s.Clinic)
		path := "/v1/clients/" + n.client + "/consents"
		none := object{"care": nil, "research": nil, "contact": nil, "data_sharing": nil}
		same(t, "before anything was said", object{"items": []any{}, "current": none}, s.Do("GET", path, nil).Want(http.StatusOK).JSON())

		sent := with(granted(), "id", newID(), "text_version", "research-2026")
		first := s.Do("POST", path, sent)
		first.Want(http.StatusCreated)
		if at := first.Header.Get("Location"); at != path {
			t.Errorf("it is said to be at %q", at)
		}
		want := with(sent, "client_id", n.client, "recorded_at", "2026-06-01T12:00:00Z", "recorded_by", s.Clinic.Who.Actor.String())
		same(t, "the consent", want, first.JSON())
		same(t, "a repeat", want, s.Do("POST", path, sent).Want(http.StatusOK).JSON())
		problemOf(t, s.Do("POST", path, with(sent, "status", "withdrawn")).Want(http.StatusConflict))

		s.Clock.Set(today.Add(time.Hour))
		s.As(s.Clinic.Key[auth.App], "POST", path, object{"scope": "research", "status": "withdrawn", "at": today}).Want(http.StatusCreated)
		list := s.Do("GET", path, nil).Want(http.StatusOK)
		same(t, "what stands", any(with(none, "research", object{"status": "withdrawn", "at": "2026-06-01T12:00:00Z", "text_version": ""})), list.JSON()["current"])
		if items := listed(list); len(items) != 2 || items[0]["id"] != sent["id"] {
			t.Errorf("the list holds %v", items)
		}
	})
}

func TestACorrectionIsAskedForListedAndDecided(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		n := settle(s, s.Clinic)
		path := "/v1/clients/" + n.client + "/corrections"
		sent := object{"id": newID(), "target": "session", "target_id": n.session, "request": "It was on the 11th."}
		made := s.As(s.Clinic.Key[auth.App], "POST", path, sent).Want(http.StatusCreated).JSON()
		within(t, "/", with(sent, "status", "open", "note", "", "decided_at", nil, "decided_by", nil), made)
		same(t, "a repeat", made, s.As(s.Clinic.Key[auth.App], "POST", path, sent).Want(http.StatusOK).JSON())
		problemOf(t, s.Do("POST", path, with(sent, "request", "It was on the 12th.")).Want(http.StatusConflict))

		decision := "/v1/corrections/" + made["id"].(string) + "/decision"
		key := s.Clinic.Key[auth.Clinician]
		decided := s.As(key, "POST", decision, object{"status": "accepted", "note": "So it was."}).Want(http.StatusOK).JSON()
		within(t, "/", with(sent, "status", "accepted", "note", "So it was.", "decided_at", "2026-06-01T12:00:00Z"), decided)
		same(t, "the same again", decided, s.As(key, "POST", decision, object{"status": "accepted", "note": "So it was."}).Want(http.StatusOK).JSON())
		problemOf(t, s.As(key, "POST", decision, object{"status": "refused", "note": "So it was."}).Want(http.StatusConflict))
		if items := listed(s.Do("GET", path, nil).Want(http.StatusOK)); len(items) != 2 || items[1]["status"] != "accepted" && items[0]["status"] != "accepted" {
			t.Errorf("the list holds %v", items)
		}
	})
}

// TestACareTeamIsAllThatAClinicianSees walks through a shift: nobody is seen,
// then the assigned client, then one of others for a reason and a while.
func TestACareTeamIsAllThatAClinicianSees(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		mine, others := settle(s, s.Clinic), settleAs(s, s.Clinic, "P-2")
		made := s.Do("POST", "/v1/keys", object{"name": "Dr. Ada", "role": "clinician"}).Want(http.StatusCreated).JSON()
		key, member := made["secret"].(string), made["id"].(string)
		seen := func(want ...string) {
			t.Helper()
			for _, list := range []string{"/v1/clients", "/v1/caseload"} {
				got := []string{}
				for _, item := range listed(s.As(key, "GET", list, nil).Want(http.StatusOK)) {
					reference, _ := item["reference"].(string)
					if client, nested := item["client"].(object); nested {
						reference, _ = client["reference"].(string)
					}
					got = append(got, reference)
				}
				same(t, list, append([]string{}, want...), got)
			}
		}
		seen("P-1", "P-2")
		same(t, "settings", object{"care_teams": false, "smallest_cell": 5.0}, s.Do("GET", "/v1/settings/clinic", nil).Want(http.StatusOK).JSON())
		same(t, "settings", object{"care_teams": true, "smallest_cell": 5.0}, s.Do("PUT", "/v1/settings/clinic", object{"care_teams": true}).Want(http.StatusOK).JSON())
		seen()
		problemOf(t, s.As(key, "GET", "/v1/clients/"+mine.client, nil).Want(http.StatusNotFound))
		team := "/v1/clients/" + mine.client + "/team"
		within(t, "/", object{"member_id": member, "kind": "assigned", "until": nil, "reason": ""}, s.Do("PUT", team+"/"+member, object{}).Want(http.StatusOK).JSON())
		seen("P-1")
		if items := listed(s.As(key, "GET", team, nil).Want(http.StatusOK)); len(items) != 2 { // with the tablet of settle
			t.Errorf("the team is %v", items)
		}

		batch := func(id string) object {
			return with(baseline(), "client_id", id, "completed_at", "2026-04-01T09:00:00Z")
		}
		var answer struct{ Results []struct{ Status int } }
		s.As(key, "POST", "/v1/assessments/batch", object{"items": []object{batch(mine.client), batch(others.client)}}).Want(http.StatusOK).Decode(&answer)
		same(t, "the batch", []struct{ Status int }{{201}, {404}}, answer.Results)

		access := "/v1/clients/" + others.client + "/access"
		problemOf(t, s.As(key, "POST", "/v1/clients/"+newID()+"/access", object{"reason": "cover"}).Want(http.StatusNotFound))
		problemOf(t, s.As(key, "POST", "/v1/clients/"+mine.client+"/access", object{"reason": "cover"}).Want(http.StatusConflict))
		given := s.As(key, "POST", access, object{"reason": "cover"}).Want(http.StatusCreated).JSON()
		within(t, "/", object{"kind": "break_glass", "reason": "cover", "since": "2026-06-01T12:00:00Z", "until": "2026-06-01T16:00:00Z"}, given)
		seen("P-1", "P-2")
		s.Clock.Set(today.Add(4 * time.Hour))
		seen("P-1")
		s.Do("DELETE", team+"/"+member, nil).Want(http.StatusNoContent)
		s.Do("DELETE", team+"/"+member, nil).Want(http.StatusNoContent)
		seen()
		if items := listed(s.Do("GET", "/v1/clients/"+others.client+"/team?past=true", nil).Want(http.StatusOK)); len(items) != 2 {
			t.Errorf("the team, past and present, is %v", items)
		}
	})
}

func TestDueFormsAreToldUntilTheyAreFilledIn(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		n := settle(s, s.Clinic) // a dose on the 10th of March
		s.Clock.Set(time.Date(2026, 3, 12, 12, 0, 0, 0, time.UTC))
		path := "/v1/clients/" + n.client + "/due-forms"
		want := object{
			"instrument": "phq-9", "timing": "after", "session_id": n.session,
			"due_from": "2026-03-10T15:00:00Z", "due_until": "2026-03-24T15:00:00Z",
		}
		same(t, "what is due", []object{want}, listed(s.Do("GET", path, nil).Want(http.StatusOK)))
		s.Do("POST", "/v1/clients/"+n.client+"/assessments",
			with(baseline(), "timing", "after", "session_id", n.session, "completed_at", "2026-03-11T09:00:00Z")).Want(http.StatusCreated)
		same(t, "what is left", object{"items": []any{}}, s.Do("GET", path, nil).Want(http.StatusOK).JSON())
	})
}

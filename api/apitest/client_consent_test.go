package apitest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
)

// said records what a client said about care, as of a time.
func said(s *apitest.Server, client, status string, at time.Time) {
	s.Do("POST", "/v1/clients/"+client+"/consents", object{"scope": "care", "status": status, "at": at}).Want(http.StatusCreated)
}

func TestAClientsTokenEndsWithTheConsentToCareAndComesBackWithIt(t *testing.T) {
	for name, withdraw := range map[string]func(s *apitest.Server, n ids){
		"said now":              func(s *apitest.Server, n ids) { said(s, n.client, "withdrawn", today) },
		"said an hour ago":      func(s *apitest.Server, n ids) { said(s, n.client, "withdrawn", today.Add(-time.Hour)) },
		"by a clock ahead":      func(s *apitest.Server, n ids) { said(s, n.client, "withdrawn", today.Add(4*time.Minute)) },
		"on a merged duplicate": func(s *apitest.Server, n ids) { said(s, n.merged, "withdrawn", today) },
		"on a duplicate before it was merged": func(s *apitest.Server, n ids) {
			said(s, n.duplicate, "withdrawn", today)
			s.Do("POST", "/v1/clients/"+n.client+"/merge", object{"duplicate_id": n.duplicate, "reason": "registered twice"}).Want(http.StatusCreated)
		},
	} {
		t.Run(name, func(t *testing.T) {
			apitest.Each(t, func(t *testing.T, s *apitest.Server) {
				s.Clock.Set(today)
				n := withMore(s, s.Clinic, settle(s, s.Clinic))
				neighbour := settleAs(s, s.Clinic, "P-2")
				app := s.Clinic.Key[auth.App]
				asks := func(token, client string) int {
					return s.As(token, "GET", "/v1/clients/"+client+"/trajectories", nil).Status
				}
				said(s, n.client, "granted", today.Add(-2*time.Hour))
				token := mint(s, app, n.client, object{})["token"].(string)
				others := mint(s, app, neighbour.client, object{})["token"].(string)
				if got := asks(token, n.client); got != http.StatusOK {
					t.Fatalf("with consent: %d", got)
				}
				withdraw(s, n)
				if got := asks(token, n.client); got != http.StatusUnauthorized {
					t.Errorf("after the withdrawal: %d", got)
				}
				if got := asks(others, neighbour.client); got != http.StatusOK {
					t.Errorf("a neighbour's token: %d", got)
				}
				doc := problemOf(t, s.As(app, "POST", "/v1/clients/"+n.client+"/tokens", object{}).Want(http.StatusConflict))
				if len(doc.Errors) != 1 || doc.Errors[0].Code != "consent_withdrawn" {
					t.Errorf("a new one: %+v", doc.Errors)
				}
				s.Clock.Set(today.Add(time.Second))
				said(s, n.client, "granted", today.Add(time.Second))
				again := mint(s, app, n.client, object{})["token"].(string)
				if got := asks(again, n.client); got != http.StatusOK {
					t.Errorf("granted anew: %d", got)
				}
			})
		})
	}
}

// What is said last of one time stands for tokens as it does for research.
func TestOfTwoThatWereSaidAtOneTimeTokensFollowTheOneThatWasRecordedLast(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		n := settle(s, s.Clinic)
		path := "/v1/clients/" + n.client
		for i, status := range []string{"withdrawn", "granted", "withdrawn"} {
			s.Clock.Set(today.Add(time.Duration(i) * time.Minute))
			said(s, n.client, status, today.Add(-time.Hour))
			current := s.Do("GET", path+"/consents", nil).Want(http.StatusOK).JSON()["current"].(object)["care"].(object)["status"]
			same(t, "what stands", any(status), current)
			want := map[string]int{"withdrawn": http.StatusConflict, "granted": http.StatusCreated}[status]
			if got := s.As(s.Clinic.Key[auth.App], "POST", path+"/tokens", object{}).Status; got != want {
				t.Errorf("a token where %s was recorded last: %d", status, got)
			}
		}
	})
}

// Staff corrected the form, and why, is not for the phone that sent it.
func TestARepeatedFormShowsAClientWhatWasSentAndStaffWhatStands(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		n := settle(s, s.Clinic)
		token := mint(s, s.Clinic.Key[auth.App], n.client, object{})["token"].(string)
		path, id := "/v1/clients/"+n.client+"/assessments", newID()
		form := with(baseline(), "timing", "follow_up", "id", id)
		want := s.As(token, "POST", path, form).Want(http.StatusCreated).JSON()
		const reason = "canary: said otherwise in the room"
		for _, change := range []struct {
			says, method, path, version string
			body                        object
		}{
			{"amended", "PUT", "/v1/assessments/" + id, `"1"`, object{"reason": reason, "answers": phq9(3, 3, 3, 3, 3, 3, 3, 3, 3)}},
			{"retracted", "POST", "/v1/assessments/" + id + "/retraction", `"2"`, object{"reason": reason}},
		} {
			s.Clock.Set(s.Clock.Now().Add(time.Minute))
			changed := s.Do(change.method, change.path, change.body, "If-Match", change.version).Want(http.StatusOK)
			again := s.As(token, "POST", path, form).Want(http.StatusOK).JSON()
			delete(again, "superseded_at")
			delete(want, "superseded_at")
			same(t, change.says+": what the client is shown", want, again)
			batch := s.As(token, "POST", "/v1/assessments/batch", object{"items": []object{with(form, "client_id", n.client)}}).Want(http.StatusOK)
			if text := string(batch.Body); strings.Contains(text, "canary") || strings.Contains(text, "retracted") {
				t.Errorf("%s: in a batch: %s", change.says, text)
			}
			// The control: staff who repeat it see what stands.
			staff := s.As(s.Clinic.Key[auth.Clinician], "POST", path, form).Want(http.StatusOK)
			same(t, change.says+": what a clinician is shown", changed.JSON(), staff.JSON())
			within(t, "", object{"reason": reason}, staff.JSON())
		}
	})
}

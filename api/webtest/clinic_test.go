package webtest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
)

// A clinic is a small one with a thing of each kind, whose every stored text is
// a given one.
type clinic struct {
	s *apitest.Server

	client, newcomer, course, session, assessment string // ids; of the newcomer nothing is known
	account, snapshot, webhook, alert             string
}

// where fills the ids of the clinic into a route.
func (c clinic) where(route string) string {
	return strings.NewReplacer(":client_id", c.client, ":course_id", c.course, ":session_id", c.session, ":assessment_id", c.assessment,
		":account_id", c.account, ":snapshot_id", c.snapshot, ":webhook_id", c.webhook, ":alert_id", c.alert, ":instrument", "pcl-5").Replace(route)
}

// furnish founds a clinic whose stored texts are as text gives them, which is
// told the most characters that there may be.
func furnish(t *testing.T, text func(longest int) string) clinic {
	t.Helper()
	s := apitest.SQLite(t).Unlimited()
	post := func(path string, body object) string {
		t.Helper()
		return s.Do("POST", path, body).Want(http.StatusCreated).JSON()["id"].(string)
	}
	now := time.Now().UTC()
	at := func(days int) string { return now.AddDate(0, 0, days).Format(time.RFC3339) }
	answers := func(first int) object {
		out := object{"phq9_9": 1}
		for i := range 8 {
			out[fmt.Sprint("phq9_", i+1)] = max(first-i%2, 0)
		}
		return out
	}
	c := clinic{s: s}
	c.webhook = post("/v1/webhooks", object{"url": s.Receiver, "name": text(100), "types": []string{"client.recorded"}})
	// Its reference stands before all others.
	c.newcomer = post("/v1/clients", object{"reference": "!"})
	c.client = post("/v1/clients", object{"reference": text(100), "display_name": text(200), "birth_year": 1985, "time_zone": "America/Denver"})
	of := "/v1/clients/" + c.client
	c.course = post(of+"/courses", object{"indication": text(200), "started_on": at(-60)[:10], "goals": text(5000)})
	form := func(days, first int, rest object) string {
		body := object{"instrument": "phq-9", "timing": "baseline", "completed_at": at(days), "answers": answers(first)}
		for k, v := range rest {
			body[k] = v
		}
		return post(of+"/assessments", body)
	}
	form(-55, 3, nil)
	for _, days := range []int{-40, -20, 0} {
		c.session = post(of+"/sessions", object{
			"kind": "dosing", "started_at": at(days), "course_id": c.course,
			"medicine": object{"substance": text(100), "route": "intramuscular", "dose_mg": 70},
		})
		if days < 0 {
			form(days-1, 3, object{"timing": "before", "session_id": c.session})
			c.assessment = form(days+1, 1, object{"timing": "after", "session_id": c.session})
		}
	}
	// One alert that came half of its way, for all others are open.
	listed := s.Do("GET", "/v1/alerts?limit=1", nil).Want(http.StatusOK).JSON()["items"].([]any)
	c.alert = listed[0].(object)["id"].(string)
	s.Do("POST", "/v1/alerts/"+c.alert+"/acknowledgement", nil).Want(http.StatusOK)
	stored := s.Do("GET", "/v1/assessments/"+c.assessment, nil).Want(http.StatusOK)
	s.Do("PUT", "/v1/assessments/"+c.assessment, object{
		"instrument": "phq-9", "timing": "after", "session_id": stored.JSON()["session_id"], "completed_at": stored.JSON()["completed_at"],
		"answers": answers(2), "reason": text(1000),
	}, "If-Match", stored.Header.Get("ETag")).Want(http.StatusOK)
	post(of+"/consents", object{"scope": "care", "status": "granted", "at": at(-50), "text_version": text(100)})
	post(of+"/corrections", object{"target": "client", "request": text(1000)})
	post("/v1/keys", object{"name": text(100), "role": "app"})
	c.account = post("/v1/accounts", object{"email": uuid.NewString() + "@clinic.example", "name": text(200), "role": "clinician"})
	s.Do("PUT", of+"/team/"+c.account, object{}).Want(http.StatusOK)
	post("/v1/cohorts", object{"name": text(100), "filter": object{}})
	c.snapshot = post("/v1/snapshots", object{"name": "june"})
	s.Do("PUT", "/v1/settings/clinic", object{"care_teams": true}).Want(http.StatusOK)
	for _, role := range auth.Roles() {
		if role != auth.App && role != auth.Client {
			who := somebody(string(role), role)
			who.Name = auth.Personal(text(200))
			apitest.Hire(t, s, who)
		}
	}
	apitest.HireAt(t, s, s.Other, somebody("elsewhere", auth.Owner))
	if _, err := s.DB.Relay(t.Context(), s.Clinic.Who.Clinic, now, 1000, uuid.New); err != nil {
		t.Fatal(err)
	}
	return c
}

// plain is what texts are when nobody means harm.
func plain(int) string { return "Ada" }

package apitest_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/webhook"
)

// received is a message that came, and was verified.
type received struct {
	Type string
	Data map[string]string
	Test bool
}

// inbox takes messages and verifies them with the secret that it is given.
type inbox struct {
	URL string

	mu     sync.Mutex
	secret string
	came   []received
	wrong  int
	status int
}

func newInbox(t *testing.T) *inbox {
	in := &inbox{status: http.StatusOK}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in.mu.Lock()
		defer in.mu.Unlock()
		body, _ := io.ReadAll(r.Body)
		verifier, err := standardwebhooks.NewWebhook(in.secret)
		if err == nil {
			err = verifier.VerifyIgnoringTimestamp(body, r.Header)
		}
		var m received
		if err != nil || json.Unmarshal(body, &m) != nil {
			in.wrong++
		}
		in.came = append(in.came, m)
		w.WriteHeader(in.status)
	}))
	t.Cleanup(server.Close)
	in.URL = server.URL
	return in
}

// deliver sends all there is to send.
func deliver(t *testing.T, s *apitest.Server) {
	t.Helper()
	worker := &webhook.Worker{
		Outbox: s.DB, Sender: webhook.NewSender(apitest.Loopback), Now: s.Clock.Now, NewID: uuid.New, Log: slog.New(slog.DiscardHandler),
	}
	if err := worker.Pass(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestAWebhookIsMadeTestedFilledReplayedAndRemoved(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		in := newInbox(t)
		id := newID()
		asked := object{"id": id, "url": in.URL + "/token-of-the-ward", "types": []string{"client.recorded", "assessment.recorded"}, "name": "board"}
		made := s.Do("POST", "/v1/webhooks", asked).Want(http.StatusCreated)
		in.secret = made.JSON()["secret"].(string)
		if again := s.Do("POST", "/v1/webhooks", asked).Want(http.StatusOK).JSON(); again["secret"] != nil || again["id"] != id {
			t.Errorf("asked again: %v", again)
		}
		s.Do("POST", "/v1/webhooks", with(asked, "name", "another")).Want(http.StatusConflict)
		path := "/v1/webhooks/" + id
		for _, r := range []*apitest.Response{s.Do("GET", path, nil), s.Do("GET", "/v1/webhooks", nil)} {
			if r.Want(http.StatusOK); strings.Contains(string(r.Body), "whsec_") {
				t.Errorf("the secret is told again: %s", r.Body)
			}
		}
		for _, kind := range []string{"", "assessment.recorded", "webhook.disabled"} {
			tested := s.Do("POST", path+"/test", object{"type": kind}).Want(http.StatusOK).JSON()
			within(t, "a test: ", object{"delivered": true, "status": 200.0, "error": nil}, tested)
		}
		s.Do("POST", path+"/test", object{"type": "x"}).Want(http.StatusUnprocessableEntity)
		if in.came[1].Type != "assessment.recorded" || !in.came[1].Test || in.came[1].Data["instrument"] == "" || in.came[1].Data["client_id"] == "" {
			t.Errorf("the test was %+v", in.came[1])
		}

		client := s.Do("POST", "/v1/clients", object{"reference": "P-1", "display_name": "Ada"}).Want(http.StatusCreated).JSON()["id"].(string)
		s.Do("POST", "/v1/clients/"+client+"/sessions", dosing()).Want(http.StatusCreated)
		form := s.Do("POST", "/v1/clients/"+client+"/assessments", baseline()).Want(http.StatusCreated).JSON()["id"].(string)
		deliver(t, s)
		want := []received{
			{"client.recorded", map[string]string{"client_id": client}, false},
			{"assessment.recorded", map[string]string{"client_id": client, "assessment_id": form, "instrument": "phq-9"}, false},
		}
		same(t, "what came", want, in.came[3:])
		items := listed(s.Do("GET", path+"/deliveries?state=delivered", nil).Want(http.StatusOK))
		if len(items) != 2 || items[0]["type"] != "assessment.recorded" || items[0]["attempts"] != 1.0 || items[0]["due_at"] != nil {
			t.Errorf("the deliveries are %v", items)
		}
		s.Do("POST", path+"/deliveries/"+items[0]["id"].(string)+"/retry", nil).Want(http.StatusConflict)
		var first struct {
			NextCursor string `json:"next_cursor"`
		}
		s.Do("GET", path+"/deliveries?limit=1", nil).Want(http.StatusOK).Decode(&first)
		if rest := listed(s.Do("GET", path+"/deliveries?limit=1&cursor="+first.NextCursor, nil).Want(http.StatusOK)); len(rest) != 1 || rest[0]["id"] != items[1]["id"] {
			t.Errorf("the second page is %v", rest)
		}
		in.secret = s.Do("POST", path+"/rotation", nil).Want(http.StatusOK).JSON()["secret"].(string)
		within(t, "a replay: ", object{"from": 1.0, "to": 3.0}, s.Do("POST", path+"/replay", object{"at": "2020-01-01T00:00:00Z"}).Want(http.StatusOK).JSON())
		for _, body := range []object{{}, {"from": 1, "at": "2020-01-01T00:00:00Z"}, {"from": 0}} {
			s.Do("POST", path+"/replay", body).Want(http.StatusUnprocessableEntity)
		}
		deliver(t, s)
		same(t, "what came again", want, in.came[5:])
		if in.wrong > 0 {
			t.Errorf("%d messages do not verify", in.wrong)
		}
		in.status = http.StatusGone
		s.Do("POST", "/v1/clients", object{"reference": "P-2"}).Want(http.StatusCreated)
		deliver(t, s)
		gone := s.Do("GET", path, nil).Want(http.StatusOK)
		within(t, "gone: ", object{"disabled": true, "disabled_reason": "gone"}, gone.JSON())
		s.Do("PATCH", path, object{"disabled": false}, "If-Match", `"1"`).Want(http.StatusPreconditionFailed)
		back := s.Do("PATCH", path, object{"disabled": false, "name": nil}, "If-Match", gone.Header.Get("ETag")).Want(http.StatusOK)
		within(t, "back: ", object{"disabled": false, "disabled_reason": nil, "name": "", "failing_since": nil}, back.JSON())

		s.Do("POST", "/v1/clients/"+client+"/erasure", object{"reason": "client_request"}).Want(http.StatusOK)
		if left := count(t, behind(t, s), "SELECT count(*) FROM deliveries WHERE client_id = '"+client+"'"); left != 0 {
			t.Errorf("%d deliveries of an erased client are left", left)
		}
		s.Do("DELETE", path, nil).Want(http.StatusNoContent)
		s.Do("GET", path, nil).Want(http.StatusNotFound)
		trail := string(s.Do("GET", "/v1/audit?limit=200", nil).Want(http.StatusOK).Body)
		for _, action := range []string{"create", "test", "replay", "rotate", "update", "remove", "disable"} {
			if !strings.Contains(trail, `"webhook.`+action+`"`) {
				t.Errorf("webhook.%s left no entry", action)
			}
		}
		for what, text := range map[string]string{"the audit trail": trail, "the log": s.Log.String()} {
			if strings.Contains(text, "whsec_") || strings.Contains(text, "token-of-the-ward") {
				t.Errorf("%s tells a secret", what)
			}
		}
	})
}

func TestAWebhookThatMayNotBeIsRefusedWithEveryFault(t *testing.T) {
	s := apitest.SQLite(t)
	for _, c := range []struct {
		body   object
		faults []string
	}{
		{object{}, []string{"/url required"}},
		{object{"url": "ftp://x.example", "types": []string{"alert"}, "name": strings.Repeat("x", 101)}, []string{"/name max", "/types unknown_type", "/url not_https"}},
		{object{"url": "https://10.0.0.1/"}, []string{"/url address_refused"}},
		{object{"url": "https://169.254.169.254/"}, []string{"/url address_refused"}},
	} {
		var problem struct {
			Errors []struct{ Pointer, Code string }
		}
		s.Do("POST", "/v1/webhooks", c.body).Want(http.StatusUnprocessableEntity).Decode(&problem)
		var got []string
		for _, e := range problem.Errors {
			got = append(got, e.Pointer+" "+e.Code)
		}
		slices.Sort(got)
		if d := cmp.Diff(c.faults, got); d != "" {
			t.Errorf("%v:\n%s", c.body, d)
		}
	}
	for range 20 {
		s.Do("POST", "/v1/webhooks", object{"url": "https://hooks.example.org"}).Want(http.StatusCreated)
	}
	s.Do("POST", "/v1/webhooks", object{"url": "https://hooks.example.org"}).Want(http.StatusConflict)
	s.As(s.Clinic.Key[auth.Clinician], "GET", "/v1/webhooks", nil).Want(http.StatusForbidden)
}

package apitest_test

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
)

// TestTheLogKnowsNoClientAndNoKey plants canaries in every place that a caller
// can write to, asks for every route with them, right and wrong, and reads the
// log. It begins with a control that shows that the log is read at all.
func TestTheLogKnowsNoClientAndNoKey(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		post := func(path string, body object) string {
			return s.Do("POST", path, body).Want(http.StatusCreated).JSON()["id"].(string)
		}
		client := post("/v1/clients", object{"reference": "canary-reference", "display_name": "canary-name"})
		n := ids{client: client, key: newID()}
		n.course = post("/v1/clients/"+client+"/courses", object{"indication": "canary-indication", "started_on": "2026-03-02", "goals": "canary-goal"})
		n.session = post("/v1/clients/"+client+"/sessions", with(dosing(), "medicine", object{"substance": "canary-substance", "route": "oral", "dose_mg": 31415.926}))
		n.assessment = post("/v1/clients/"+client+"/assessments", baseline())
		s.Do("PUT", "/v1/assessments/"+n.assessment, object{"reason": "canary-reason"}, "If-Match", `"1"`).Want(http.StatusOK)
		n.correction = post("/v1/clients/"+client+"/corrections", object{"target": "other", "request": "canary-request"})
		n.cohort = post("/v1/cohorts", object{"name": "canary-cohort", "filter": object{"indication": []string{"canary-indication"}}})
		n.snapshot = post("/v1/snapshots", object{"name": "canary-snapshot", "project": "canary-project", "profile": "identified", "cohort": n.cohort})
		secret := s.Do("POST", "/v1/keys", object{"name": "canary-key", "role": "app"}).Want(http.StatusCreated).JSON()["secret"].(string)

		bodies := []any{
			nil, `{"reason":"canary-body"}`, `{"canary-member":1}`, `canary-text`, `{"reference":"canary-reference"}`,
			`{"target":"client","request":"canary-request"}`, `{"status":"refused","note":"canary-note"}`, `{"reason":"other","note":"canary-note"}`,
			`{"answers":{"canary-item":4711},"instrument":"canary-instrument","timing":"canary-timing","completed_at":"canary-time"}`,
			`{"name":"canary-cohort","filter":{"indication":["canary-indication"],"canary":1}}`, `{"name":"canary-snapshot","project":"canary-project"}`,
			`{"items":[{"client_id":"` + client + `","instrument":"phq-9","timing":"baseline","completed_at":"2026-03-01T09:00:00Z","total":4711}]}`,
		}
		for _, route := range apiRoutes(t, s) {
			method, path := address(route, n)
			for _, key := range []string{s.Clinic.Key[auth.Admin], s.Clinic.Key[auth.Researcher], s.Other.Key[auth.Admin], secret, "canary-wrong-key", ""} {
				for _, body := range bodies {
					s.As(key, method, path, body, "If-Match", `"1"`, "User-Agent", "canary-agent", "X-Forwarded-For", "canary-forwarded", "Referer", "canary-referer")
				}
				s.As(key, method, path, nil, "If-Match", "canary-etag", "Content-Type", "canary-type", "Content-Encoding", "canary-encoding", "X-Request-Id", "canary id")
			}
			ask := "?"
			if strings.Contains(path, "?") {
				ask = "&"
			}
			s.Do(method, path+ask+"canary=canary-query&cursor=canary-cursor", nil)
			s.Do(method, path+ask+"project=canary-project&profile=identified", nil)
			s.Do(method, path+ask+"cohort="+n.cohort, nil)
		}
		s.Do("GET", "/v1/clients/canary-path", nil)
		s.Do("GET", "/canary-outside/"+client, nil)
		s.Do("POST", "/v1/clients/"+client+"/canary-below", nil)
		s.Do("CANARY", "/v1/clients", nil)
		s.Do("OPTIONS", "/canary-options/"+client, nil)
		if err := s.DB.Close(); err != nil { // every statement fails now, and is logged
			t.Fatal(err)
		}
		for _, route := range apiRoutes(t, s) {
			method, path := address(route, n)
			s.Do(method, path, `{"reference":"canary-reference"}`, "If-Match", `"1"`)
		}

		log := s.Log.String()
		for _, word := range []string{`"msg":"request"`, `"msg":"refused"`, `"msg":"failed"`, "/v1/clients/:client_id", s.Clinic.Who.Actor.String()} {
			if !strings.Contains(log, word) {
				t.Errorf("the log lacks %s, so it proves nothing", word)
			}
		}
		forbidden := []string{client, n.course, n.session, n.assessment, n.cohort, n.snapshot, secret, secret[:12], "31415.926"}
		for _, key := range s.Clinic.Key {
			forbidden = append(forbidden, key, key[:12])
		}
		for line := range strings.SplitSeq(log, "\n") {
			for _, word := range forbidden {
				if strings.Contains(line, word) && !strings.Contains(line, `"request_id":"`+word) {
					t.Fatalf("the log holds %q: %.400s", word, line)
				}
			}
			if found := regexp.MustCompile(`(?i)canary`).FindString(line); found != "" {
				t.Fatalf("the log holds a canary: %.400s", line)
			}
			if line != "" && !json.Valid([]byte(line)) {
				t.Fatalf("a line of the log is no JSON: %.400s", line)
			}
		}
	})
}

// TestEveryRequestLeavesOneLineInTheLog reads what the line says.
func TestEveryRequestLeavesOneLineInTheLog(t *testing.T) {
	s := apitest.SQLite(t)
	n := settle(s, s.Clinic)
	for _, c := range []struct {
		ask, key string
		status   float64
		route    string
	}{
		{"GET /v1/clients/" + n.client, s.Clinic.Key[auth.Clinician], 200, "/v1/clients/:client_id"},
		{"GET /v1/clients/" + n.client, s.Other.Key[auth.Admin], 404, "/v1/clients/:client_id"},
		{"GET /v1/clients", s.Clinic.Key[auth.Researcher], 403, "/v1/clients"},
		{"GET /v1/clients", "", 401, "/v1/clients"},
		{"GET /nothing", "", 404, "unknown"},
		{"DELETE /v1/clients", "", 405, "unknown"},
	} {
		begin := len(s.Log.String())
		method, path, _ := strings.Cut(c.ask, " ")
		r := s.As(c.key, method, path, nil, "X-Request-Id", "device-7.request_12")
		if r.Header.Get("X-Request-Id") != "device-7.request_12" {
			t.Errorf("%s: the request id is %q", c.ask, r.Header.Get("X-Request-Id"))
		}
		var line object
		lines := slices.DeleteFunc(strings.Split(s.Log.String()[begin:], "\n"), func(l string) bool { return !strings.Contains(l, `"msg":"request"`) })
		if len(lines) != 1 {
			t.Errorf("%s leaves %d lines", c.ask, len(lines))
			continue
		}
		if err := json.Unmarshal([]byte(lines[0]), &line); err != nil {
			t.Fatal(err)
		}
		within(t, c.ask+": ", object{"status": c.status, "route": c.route, "method": method, "request_id": "device-7.request_12"}, line)
		if _, known := line["who"]; known != (c.status != 401 && c.route != "unknown") {
			t.Errorf("%s: the log knows who: %v", c.ask, known)
		}
	}
}

func TestALongAnswerIsPackedForWhoCanReadIt(t *testing.T) {
	s := apitest.SQLite(t)
	plain := s.Do("GET", "/v1/instruments/pcl-5", nil).Want(http.StatusOK)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/v1/instruments/pcl-5", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.Clinic.Key[auth.App])
	req.Header.Set("Accept-Encoding", "gzip")
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.Header.Get("Content-Encoding") != "gzip" || !slices.Contains(res.Header.Values("Vary"), "Accept-Encoding") {
		t.Fatalf("headers %v", res.Header)
	}
	r, err := gzip.NewReader(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	unpacked, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "the answer", string(plain.Body), string(unpacked))
	if short := s.Do("GET", "/healthz", nil, "Accept-Encoding", "gzip"); short.Header.Get("Content-Encoding") != "" {
		t.Error("a short answer is packed")
	}
}

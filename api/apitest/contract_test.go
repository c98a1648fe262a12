package apitest_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
)

// routes lists what the server answers, as "GET /v1/clients/{client_id}".
func routes(t *testing.T, s *apitest.Server) []string {
	t.Helper()
	e, isEcho := s.Handler.(*echo.Echo)
	if !isEcho {
		t.Fatal("the handler is not Echo")
	}
	var out []string
	for _, r := range e.Routes() {
		if !strings.HasPrefix(r.Path, "/swagger") {
			out = append(out, r.Method+" "+regexp.MustCompile(`:(\w+)`).ReplaceAllString(r.Path, "{$1}"))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// aPage reports whether a route is one that people open: pages are no part of
// the API, nor of its document, and have an inventory of their own.
func aPage(route string) bool {
	_, path, _ := strings.Cut(route, " ")
	for _, api := range []string{"/v1/", "/healthz", "/readyz", "/metrics", "/openapi.json", "/swagger/"} {
		if strings.HasPrefix(path, api) {
			return false
		}
	}
	return true
}

func TestWhatIsRoutedIsDocumentedAndNothingElse(t *testing.T) {
	doc, err := apitest.Document()
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		t.Errorf("the OpenAPI document is not valid: %v", err)
	}
	var documented []string
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			documented = append(documented, method+" "+path)
		}
	}
	slices.Sort(documented)
	same(t, "routes", documented, slices.DeleteFunc(routes(t, apitest.SQLite(t)), aPage))
}

func TestEveryOperationIsDescribedWhole(t *testing.T) {
	doc, err := apitest.Document()
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			if op.Summary == "" || len(op.Tags) == 0 {
				t.Errorf("%s %s has no summary or no tag", method, path)
			}
			if ids[op.Summary] {
				t.Errorf("two operations are called %q", op.Summary)
			}
			ids[op.Summary] = true
			keyed := op.Security != nil && len(*op.Security) > 0
			if keyed != strings.HasPrefix(path, "/v1/") {
				t.Errorf("%s %s: needs a key: %v", method, path, keyed)
			}
			for code, r := range op.Responses.Map() {
				if _, isProblem := r.Value.Content["application/problem+json"]; code >= "400" && !isProblem {
					t.Errorf("%s %s answers %s with no problem document", method, path, code)
				}
			}
		}
	}
}

func TestNoRouteOfTheAPIAnswersWithoutAKey(t *testing.T) {
	s := apitest.SQLite(t).Unlimited()
	n := 0
	for _, route := range routes(t, s) {
		method, path, _ := strings.Cut(route, " ")
		if !strings.HasPrefix(path, "/v1/") {
			continue
		}
		n++
		path = regexp.MustCompile(`\{\w+_id\}`).ReplaceAllString(path, newID())
		for _, header := range []string{"", "Bearer", "Bearer x", "Token " + s.Clinic.Key[auth.Admin], s.Clinic.Key[auth.Admin]} {
			r := s.Do(method, strings.Replace(path, "{instrument}", "phq-9", 1), object{}, "Authorization", header)
			if r.Status != http.StatusUnauthorized {
				t.Errorf("%s with Authorization %q: %d %s", route, header, r.Status, r.Body)
			}
			problemOf(t, r)
		}
	}
	if n < 30 {
		t.Errorf("only %d routes", n)
	}
}

func TestAKeyThatWasRevokedOrHasExpiredIsRefusedAtOnce(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		made := s.Do("POST", "/v1/keys", object{"name": "tablet", "role": "app", "expires_at": "2026-06-01T13:00:00Z"}).Want(http.StatusCreated).JSON()
		secret := made["secret"].(string)
		s.As(secret, "GET", "/v1/clients", nil).Want(http.StatusOK)
		s.Clock.Set(today.Add(60 * 60e9))
		problemOf(t, s.As(secret, "GET", "/v1/clients", nil).Want(http.StatusUnauthorized))

		made = s.Do("POST", "/v1/keys", object{"name": "tablet", "role": "app"}).Want(http.StatusCreated).JSON()
		secret = made["secret"].(string)
		s.As(secret, "GET", "/v1/clients", nil).Want(http.StatusOK)
		s.Do("DELETE", "/v1/keys/"+made["id"].(string), nil).Want(http.StatusNoContent)
		s.Do("DELETE", "/v1/keys/"+made["id"].(string), nil).Want(http.StatusNoContent)
		problemOf(t, s.As(secret, "GET", "/v1/clients", nil).Want(http.StatusUnauthorized))

		for _, k := range listed(s.Do("GET", "/v1/keys?limit=200", nil).Want(http.StatusOK)) {
			if k["id"] == made["id"] {
				same(t, "the listed key", with(made, "secret", drop, "revoked_at", "2026-06-01T13:00:00Z", "last_used_at", "2026-06-01T13:00:00Z"), k)
			}
			if _, told := k["secret"]; told {
				t.Error("a list tells a secret")
			}
		}
	})
}

func TestTheDocumentationIsServedAndHeldToItsPolicy(t *testing.T) {
	s := apitest.SQLite(t)
	for path, kind := range map[string]string{
		"index.html": "text/html", "swagger-ui.css": "text/css", "swagger-ui-bundle.js": "javascript",
		"swagger-ui-standalone-preset.js": "javascript", "swagger-initializer.js": "javascript", "": "text/html",
	} {
		r := get(t, s.URL+"/swagger/"+path)
		if r.StatusCode != http.StatusOK || !strings.Contains(r.Header.Get("Content-Type"), kind) {
			t.Errorf("/swagger/%s: %d %s", path, r.StatusCode, r.Header.Get("Content-Type"))
		}
		policy := r.Header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "script-src 'self' 'unsafe") {
			t.Errorf("/swagger/%s has the policy %q", path, policy)
		}
	}
	if r := get(t, s.URL+"/swagger/nothing.js"); r.StatusCode != http.StatusNotFound {
		t.Errorf("a file that is not there: %d", r.StatusCode)
	}
	if r := s.Do("GET", "/openapi.json", nil, "Authorization", ""); r.Status != http.StatusOK || !json.Valid(r.Body) {
		t.Errorf("/openapi.json: %d", r.Status)
	}
	r := s.Do("GET", "/v1/instruments", nil)
	for name, want := range map[string]string{
		"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
		"Referrer-Policy": "no-referrer", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s is %q instead of %q", name, got, want)
		}
	}
}

func get(t *testing.T, url string) *http.Response {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Body.Close() })
	return r
}

func TestMetricsNameRoutesAndNeverWhatACallerMadeUp(t *testing.T) {
	s := apitest.SQLite(t)
	n := settle(s, s.Clinic)
	s.Do("GET", "/v1/clients/"+n.client, nil).Want(http.StatusOK)
	s.Do("GET", "/v1/clients/canary-path", nil).Want(http.StatusNotFound)
	s.Do("GET", "/canary-outside/"+n.client, nil).Want(http.StatusNotFound)
	s.Do("CANARY", "/v1/clients", nil).Want(http.StatusMethodNotAllowed)
	s.Do("OPTIONS", "/canary-options", nil)
	body := string(s.Do("GET", "/metrics", nil, "Authorization", "").Want(http.StatusOK).Body)
	if !strings.Contains(body, `route="/v1/clients/:client_id"`) || !strings.Contains(body, "protrack_build_info") {
		t.Error("the metrics do not name the routes")
	}
	if found := regexp.MustCompile(`(?i)[0-9a-f]{8}-[0-9a-f]{4}-|canary`).FindString(body); found != "" {
		t.Errorf("the metrics hold %q", found)
	}
}

func TestALostDatabaseIsToldApartFromADeadProcess(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		n := settle(s, s.Clinic)
		s.Do("GET", "/readyz", nil, "Authorization", "").Want(http.StatusOK)
		if err := s.DB.Close(); err != nil {
			t.Fatal(err)
		}
		s.Do("GET", "/healthz", nil, "Authorization", "").Want(http.StatusOK)
		for _, ask := range []string{
			"GET /readyz", "GET /v1/clients/" + n.client, "GET /v1/clients/" + n.client + "/trajectories",
			"POST /v1/clients", "POST /v1/clients/" + n.client + "/assessments",
		} {
			method, path, _ := strings.Cut(ask, " ")
			var body any
			if method == "POST" {
				body = object{"reference": "P-9"}
			}
			r := s.Do(method, path, body).Want(http.StatusServiceUnavailable)
			problemOf(t, r)
			saysNothing(t, r, "")
			if r.Header.Get("Retry-After") == "" {
				t.Errorf("%s: 503 without Retry-After", ask)
			}
		}
	})
}

func TestOtherSitesMayCallOnlyWhereTheClinicNamesThem(t *testing.T) {
	s := apitest.SQLite(t)
	preflight := func(origin string) http.Header {
		r := httptest.NewRequest(http.MethodOptions, "/v1/clients", nil)
		r.Header.Set("Origin", origin)
		r.Header.Set("Access-Control-Request-Method", "POST")
		r.Header.Set("Access-Control-Request-Headers", "authorization,if-match")
		w := httptest.NewRecorder()
		s.Handler.ServeHTTP(w, r)
		return w.Header()
	}
	if h := preflight("https://app.example"); h.Get("Access-Control-Allow-Origin") != "https://app.example" || !strings.Contains(h.Get("Access-Control-Allow-Headers"), "If-Match") {
		t.Errorf("the named site: %v", h)
	}
	for _, origin := range []string{"https://evil.example", "https://app.example.evil.example", "null", "http://app.example"} {
		if h := preflight(origin); h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %v", origin, h)
		}
	}
	r := s.Do("GET", "/v1/clients", nil, "Origin", "https://app.example").Want(http.StatusOK)
	if r.Header.Get("Access-Control-Allow-Origin") != "https://app.example" || !strings.Contains(r.Header.Get("Access-Control-Expose-Headers"), "ETag") {
		t.Errorf("an answer to the named site: %v", r.Header)
	}
	if r.Header.Get("Access-Control-Allow-Credentials") != "" {
		t.Error("cookies are none of this API's")
	}
	closed := apitest.SQLiteWith(t, apitest.Options{NoCORS: true})
	r = closed.Do("GET", "/v1/clients", nil, "Origin", "https://app.example").Want(http.StatusOK)
	if r.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("without a named site: %v", r.Header)
	}
}

package apitest_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
)

// forms is what each form sends when it is filled in well.
var forms = map[string]url.Values{
	"/login":                asTyped(ada),
	"/login/provider":       {},
	"/logout":               {},
	"/setup":                {"clinic": {"elsewhere"}, "name": {"Eva"}, "email": {"eva@clinic.example"}, "password": {"seven plain words together"}},
	"/account/password":     {"current": {string(ada.Password)}, "next": {"five other words together"}},
	"/account/totp":         {},
	"/account/totp/confirm": {"code": {"123456"}},
	"/account/totp/remove":  {"password": {string(ada.Password)}},
	"/language":             {"language": {"es"}},

	"/clients/new":                        {"id": {formID}, "reference": {"P-77"}},
	"/clients/:client_id/edit":            {"revision": {"1"}, "reference": {"P-78"}},
	"/clients/:client_id/courses/new":     {"id": {formID}, "indication": {"depression"}, "started_on": {"2026-01-01"}},
	"/courses/:course_id/edit":            {"revision": {"1"}, "indication": {"anxiety"}, "started_on": {"2026-01-01"}},
	"/clients/:client_id/sessions/new":    {"id": {formID}, "kind": {"dosing"}, "started_at": {"2026-03-01T10:00"}},
	"/sessions/:session_id/edit":          {"revision": {"1"}, "kind": {"integration"}, "started_at": {"2026-03-01T10:00"}},
	"/clients/:client_id/assessments/new": {"id": {formID}, "instrument": {"phq-2"}, "when": {"baseline"}, "completed_at": {"2026-03-01T10:00"}, "in_order": {"11"}},
	"/assessments/:assessment_id/amend":   {"revision": {"1"}, "when": {"baseline"}, "completed_at": {"2026-03-01T10:00"}, "only": {"total"}, "total": {"7"}, "reason": {"misread"}},
	"/assessments/:assessment_id/retract": {"revision": {"2"}, "reason": {"another's"}},
	"/clients/:client_id/consents/new":    {"id": {formID}, "scope": {"care"}, "status": {"granted"}, "at": {"2026-03-01T10:00"}},
	"/clients/:client_id/break-glass":     {"reason": {"cover"}},

	"/alerts/:alert_id/acknowledge": {},
	"/alerts/:alert_id/dispose":     {"disposition": {"safety_plan"}, "note": {"by phone"}},
	"/alerts/:alert_id/close":       {},

	"/cohorts/new": {"id": {formID}, "name": {"Adults"}, "filter.age_min": {"18"}},

	"/exports/file":                           {"table": {"clients"}, "format": {"csv"}, "profile": {"deidentified"}},
	"/exports/codebook":                       {"table": {"clients"}, "book": {"csv"}, "profile": {"deidentified"}},
	"/exports/snapshots/new":                  {"id": {formID}, "name": {"june"}, "table": {"clients"}, "format": {"csv"}, "profile": {"deidentified"}},
	"/exports/snapshots/:snapshot_id/package": {},
	"/settings/clinic":                        {"care_teams": {"false"}, "smallest_cell": {"7"}, "shown": {"false 5"}},
	"/settings/instruments/:instrument":       {"change_rules": {""}, "shown": {"0001-01-01T00:00:00Z"}},
	"/settings/people/new":                    {"email": {"new@clinic.example"}, "name": {"New"}, "role": {"clinician"}},
	"/settings/people/:account_id":            {"name": {"Bo"}, "role": {"clinician"}, "disabled": {"true"}, "shown": {"clinician Bo"}},
	"/settings/people/:account_id/password":   {"id": {formID}},
	"/settings/keys/new":                      {"id": {formID}, "name": {"tablet"}, "role": {"app"}},
	"/settings/keys/:key_id/rotate":           {"overlap": {"24h"}},
	"/settings/keys/:key_id/revoke":           {},
	"/settings/webhooks/new":                  {"id": {formID}, "url": {"https://hooks.example.org"}},
	"/settings/webhooks/:webhook_id/test":     {},
	"/settings/webhooks/:webhook_id/turn":     {"disabled": {"true"}, "revision": {"1"}},
	"/settings/webhooks/:webhook_id/rotate":   {},
	"/settings/webhooks/:webhook_id/remove":   {},

	"/settings/webhooks/:webhook_id/deliveries/:delivery_id/retry": {},

	"/account/totp/codes": {"password": {"not the password"}},
}

// formID is the id that a page has chosen for what its form makes.
const formID = "0198a5c0-0000-7000-8000-00000000f001"

// things puts the ids of a client, and of what the client has, into routes.
func things(s *apitest.Server) *strings.Replacer {
	create := func(path string, body object) string {
		return s.Do("POST", path, body).Want(http.StatusCreated).JSON()["id"].(string)
	}
	hook := create("/v1/webhooks", object{"url": s.Receiver})
	client := create("/v1/clients", object{"reference": "P-76"})
	at := "/v1/clients/" + client
	create(at+"/assessments", object{"instrument": "gad-7", "timing": "baseline", "completed_at": "2026-03-01T09:00:00Z", "total": 21})
	raised := listed(s.Do("GET", "/v1/alerts?client_id="+client, nil).Want(http.StatusOK))[0]["id"].(string)
	return strings.NewReplacer(":client_id", client, ":course_id", create(at+"/courses", object{"indication": "depression", "started_on": "2026-01-01"}),
		":session_id", create(at+"/sessions", object{"kind": "integration", "started_at": "2026-03-01T10:00:00Z"}), ":assessment_id", create(at+"/assessments", baseline()),
		":account_id", create("/v1/accounts", object{"email": "bo@clinic.example", "name": "Bo", "role": "clinician"}),
		":webhook_id", hook, ":delivery_id", aDelivery(s, hook), ":key_id", create("/v1/keys", object{"name": "app", "role": "app"}), ":instrument", "phq-9", ":alert_id", raised,
		":snapshot_id", create("/v1/snapshots", object{"name": "may", "table": "clients"}))
}

// aDelivery is on its way to a webhook.
func aDelivery(s *apitest.Server, hook string) string {
	if _, err := s.DB.Relay(context.Background(), s.Clinic.Who.Clinic, s.Clock.Now(), 500, uuid.New); err != nil {
		panic(err)
	}
	return listed(s.Do("GET", "/v1/webhooks/"+hook+"/deliveries?limit=1", nil).Want(http.StatusOK))[0]["id"].(string)
}

// formRoutes are the routes of pages that change something.
func formRoutes(t *testing.T, s *apitest.Server) []string {
	t.Helper()
	e, ok := s.Handler.(*echo.Echo)
	if !ok {
		t.Fatalf("the handler is a %T", s.Handler)
	}
	var out []string
	for _, r := range e.Routes() {
		reads := r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == echo.RouteNotFound
		if !reads && !strings.HasPrefix(r.Path, "/v1/") {
			out = append(out, r.Path)
		}
	}
	slices.Sort(out)
	return out
}

// everything is every row that a page can change, sessions and counts included.
func everything(t *testing.T, s *apitest.Server) map[string][]string {
	t.Helper()
	db := behind(t, s)
	out := dump(t, db)
	for _, table := range []string{"web_sessions", "sign_in_failures", "audit_entries"} {
		rows, err := db.Query("SELECT * FROM " + table)
		if err != nil {
			t.Fatal(err)
		}
		out[table] = read(t, rows)
	}
	return out
}

func TestAFormOfAnotherSiteOrWithoutItsTokenChangesNothing(t *testing.T) {
	t.Parallel()
	apitest.EachWith(t, atProvider(t), func(t *testing.T, s *apitest.Server) {
		hire(t, s, ada)
		stranger := browse(s, strange)
		stranger.get(t, "/login")
		routes := formRoutes(t, s)
		if len(routes) != len(forms) {
			t.Errorf("routes %q, and forms of %d", routes, len(forms))
		}
		b := signedIn(t, s, ada)
		ids := things(s)
		before := everything(t, s)
		for _, route := range routes {
			form := withField(forms[route], "key", s.Other.Key[auth.Admin])
			for _, site := range []string{"cross-site", "same-site", "none", "", "same-origin"} {
				for name, token := range map[string]string{"none": "", "wrong": "x" + b.token[1:], "another's": stranger.token, "right": b.token} {
					if site == "same-origin" && name == "right" {
						continue
					}
					r := apitest.ReadAll(t, b.send("POST", ids.Replace(route), withField(form, "form_token", token), "Sec-Fetch-Site", site))
					if r.Status != http.StatusForbidden || r.Header.Get("Set-Cookie") != "" {
						t.Errorf("%s from %q, token %s: %d %v", route, site, name, r.Status, r.Header)
					}
				}
			}
			// A token in the URL is none, nor is a browser without its cookie.
			for what, r := range map[string]*http.Response{
				"in the URL": b.send("POST", ids.Replace(route)+"?form_token="+b.token, form),
				"no cookie":  browse(s, atHome).send("POST", ids.Replace(route), b.signed(form)),
			} {
				if apitest.ReadAll(t, r); r.StatusCode != http.StatusForbidden {
					t.Errorf("%s, token %s: %d", route, what, r.StatusCode)
				}
			}
		}
		same(t, "the database", before, everything(t, s))

		// The control: with the page's own token each form is taken.
		for i, route := range routes {
			who := inRole(ada, auth.Clinician)
			if strings.HasPrefix(route, "/settings/") || strings.HasPrefix(route, "/exports/") {
				who.Role = auth.Owner
			}
			who.Email = auth.Personal(strings.NewReplacer("/", "-", ":", "").Replace(strings.Trim(route, "/")) + "@clinic.example")
			hire(t, s, who)
			b := browse(s, fmt.Sprintf("203.0.113.%d", i+1)) // one address may not sign in as often
			goesTo(t, b.signIn(t, who), "/")
			b.get(t, "/account").Want(http.StatusOK)
			before := everything(t, s)
			if r := b.post(t, ids.Replace(route), withField(forms[route], "key", s.Other.Key[auth.Admin])); r.Status == http.StatusForbidden {
				t.Errorf("%s: %d %s", route, r.Status, r.Body)
			}
			if fmt.Sprint(before) == fmt.Sprint(everything(t, s)) {
				t.Errorf("%s changes nothing", route)
			}
		}
	})
}

// withField is a form with one field set.
func withField(form url.Values, field, value string) url.Values {
	out := url.Values{field: {value}}
	for f, v := range form {
		out[f] = v
	}
	out.Set(field, value)
	return out
}

func TestTheSessionsCookieIsForThisServerAloneAndIsStoredAsAHash(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		hire(t, s, ada)
		b := browse(s, atHome)
		b.get(t, "/login")
		r := b.send("POST", "/login", b.signed(asTyped(ada)))
		cookies := r.Header.Values("Set-Cookie")
		same(t, "Cache-Control", []string{"no-store"}, r.Header.Values("Cache-Control"))
		if len(cookies) != 1 {
			t.Fatalf("cookies %q", cookies)
		}
		c, err := http.ParseSetCookie(cookies[0])
		if err != nil {
			t.Fatal(err)
		}
		token := c.Value
		c.Value, c.Raw = "", ""
		same(t, "the cookie", &http.Cookie{Name: cookieName, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}, c)
		if raw, err := base64.RawURLEncoding.DecodeString(token); err != nil || len(raw) < 32 {
			t.Errorf("a token of %d bytes, %v", len(raw), err)
		}
		sum := sha256.Sum256([]byte(token))
		stored := fmt.Sprint(everything(t, s))
		hash := base64.RawURLEncoding.EncodeToString(sum[:])
		holds := func(text string) bool { // a column of bytes is printed as their numbers
			return strings.Contains(stored, text) || strings.Contains(stored, strings.Trim(fmt.Sprintf("%d", []byte(text)), "[]"))
		}
		if holds(token) || !holds(hash) {
			t.Errorf("the token is stored: %v; its hash: %v", holds(token), holds(hash))
		}
		for _, bad := range []string{hash, token + "x", "", "x"} {
			thief := &browser{s: s, address: strange, cookie: bad}
			goesTo(t, thief.get(t, "/"), "/login")
		}
	})
}

func TestEveryPageIsKeptByNobodyAndRunsNoScriptButOurs(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		hire(t, s, ada)
		b := signedIn(t, s, ada)
		for _, path := range []string{"/", "/account", "/login", "/setup", "/login/callback?state=x&code=y"} {
			r := b.get(t, path)
			same(t, path+" Cache-Control", []string{"no-store"}, r.Header.Values("Cache-Control"))
			policy := r.Header.Values("Content-Security-Policy")
			if len(policy) != 1 || strings.Contains(policy[0], "unsafe") || !strings.Contains(policy[0], "default-src 'none'") || !strings.Contains(policy[0], "frame-ancestors 'none'") {
				t.Errorf("%s: the policy is %q", path, policy)
			}
			if n := len(r.Header.Values("Set-Cookie")); n > 1 {
				t.Errorf("%s sets %d cookies", path, n)
			}
			body := strings.Replace(string(r.Body), `<script src="/assets/protrack.js" defer></script>`, "", 1) // the one of the pages
			if strings.Contains(body, "<script") || strings.Contains(body, "style=") || strings.Contains(body, "javascript:") {
				t.Errorf("%s: %s", path, body)
			}
		}
		for _, path := range []string{"/clients/new", "/account", "/login", "/setup"} {
			r := apitest.ReadAll(t, b.send("HEAD", path, nil))
			if r.Status != http.StatusOK {
				t.Errorf("HEAD %s: %d", path, r.Status)
			}
		}
		css := b.get(t, "/assets/protrack.css").Want(http.StatusOK)
		same(t, "the sheet", []string{"public, max-age=300"}, css.Header.Values("Cache-Control"))
		if css.Header.Get("Set-Cookie") != "" {
			t.Error("the sheet sets a cookie")
		}
	})
}

// A page tells what went wrong, once and whole, also where the database is away.
func TestWithoutADatabaseAPageSaysSo(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		hire(t, s, ada)
		b := signedIn(t, s, ada)
		if err := s.DB.Close(); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"/", "/account", "/login"} {
			r := b.get(t, path)
			if r.Status < 500 || !strings.HasPrefix(r.Header.Get("Content-Type"), "text/html") || strings.Count(string(r.Body), "<!doctype html>") != 1 {
				t.Errorf("%s: %d %s", path, r.Status, r.Body)
			}
			id := r.Header.Get("X-Request-Id")
			if !strings.Contains(string(r.Body), id) || !strings.Contains(s.Log.String(), `"msg":"failed","request_id":"`+id) {
				t.Errorf("%s: request %s is not told, or not logged", path, id)
			}
			if r.Header.Get("Set-Cookie") != "" {
				t.Errorf("%s sets a cookie", path)
			}
		}
	})
}

func TestOverPlainHTTPTheSignInPageSaysThatNobodyCanSignIn(t *testing.T) {
	s := apitest.SQLite(t)
	for host, warned := range map[string]bool{
		"localhost": false, "localhost:8080": false, "127.0.0.1:8080": false, "[::1]:8080": false, "app.localhost": false,
		"192.168.1.5:8080": true, "clinic.example": true, "localhost.clinic.example": true, "127.0.0.1.clinic.example": true,
	} {
		for _, path := range []string{"/login", "/setup"} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Host = host
			res, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			page := apitest.ReadAll(t, res).Want(http.StatusOK)
			if got := strings.Contains(string(page.Body), "over plain HTTP"); got != warned {
				t.Errorf("%s at %s: warned %v", path, host, got)
			}
		}
	}
	b := browse(s, strange)
	r := apitest.ReadAll(t, b.send("POST", "/login", asTyped(ada), "Sec-Fetch-Site", "", "Origin", "http://localhost")).Want(http.StatusForbidden)
	if !strings.Contains(string(r.Body), "HTTPS") {
		t.Errorf("without a cookie: %s", r.Body)
	}
}

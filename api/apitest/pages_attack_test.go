package apitest_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
)

func TestAnActionThatIsNoTextIsNoPartOfTheTrail(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		who := inRole(ada, auth.Owner)
		hire(t, s, who)
		b := signedIn(t, s, who)
		for _, action := range []string{"%ff%fe", "%00", "client.read%00"} {
			b.get(t, "/settings/audit?action="+action).Want(http.StatusUnprocessableEntity)
		}
		b.get(t, "/settings/audit?action=client.read").Want(http.StatusOK)
	})
}

func TestWhoOpensPagesWithoutEndIsHeldBackAndNobodyElse(t *testing.T) {
	t.Parallel()
	s := apitest.SQLite(t)
	s.Clock.Set(today)
	hire(t, s, ada)
	other := inRole(ada, auth.Clinician)
	other.Email = "grace@clinic.example"
	hire(t, s, other)
	greedy, calm := signedIn(t, s, ada), signedIn(t, s, other)
	passed := 0
	for range 700 {
		r := greedy.get(t, "/account/nothing")
		if r.Status == http.StatusTooManyRequests {
			t.Fatal("a path without a page is counted")
		}
		if r = greedy.get(t, "/clients/x/edit"); r.Status == http.StatusTooManyRequests {
			break
		}
		passed++
	}
	if passed != 599 { // and /account, when signing in
		t.Errorf("%d pages came through at once", passed)
	}
	r := greedy.get(t, "/clients").Want(http.StatusTooManyRequests)
	if r.Header.Get("Retry-After") == "" || !strings.Contains(string(r.Body), "<!doctype html>") {
		t.Errorf("%v %s", r.Header, r.Body)
	}
	calm.get(t, "/clients").Want(http.StatusOK)
	s.Clock.Set(today.Add(60e9))
	greedy.get(t, "/clients").Want(http.StatusOK)
}

func TestSendingTheFormOfAPasswordAgainReplacesItOnce(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		owner := inRole(ada, auth.Owner)
		hire(t, s, owner)
		b := signedIn(t, s, owner)
		bo := s.Do("POST", "/v1/accounts", object{"email": "bo@clinic.example", "name": "Bo", "role": "clinician"}).Want(http.StatusCreated).JSON()["id"].(string)
		page := "/settings/people/" + bo
		form := url.Values{"id": {formOn(t, b.get(t, page).Want(http.StatusOK).Body).Get("id")}}
		first := b.post(t, page+"/password", form).Want(http.StatusOK)
		password := regexp.MustCompile(`<code>([^<]+)</code>`).FindSubmatch(first.Body)
		if password == nil {
			t.Fatalf("no password: %s", first.Body)
		}
		again := b.post(t, page+"/password", form).Want(http.StatusConflict)
		if strings.Contains(string(again.Body), string(password[1])) || strings.Contains(string(again.Body), "<code>") {
			t.Error("a secret is shown again")
		}
		person := browse(s, strange)
		person.get(t, "/login")
		goesTo(t, person.post(t, "/login", url.Values{"clinic": {"here"}, "email": {"bo@clinic.example"}, "password": {string(password[1])}}), "/")
		form.Set("id", formOn(t, b.get(t, page).Body).Get("id"))
		b.post(t, page+"/password", form).Want(http.StatusOK) // a form that is opened anew is another
	})
}

func TestAFormOfOneClientTakesNothingOfAnother(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		b, client := clerk(t, s)
		n, others := settleAs(s, s.Clinic, "P-2"), settleAs(s, s.Other, "X-1")
		rows := dump(t, behind(t, s))
		for what, session := range map[string]string{"another client's": n.session, "another clinic's": others.session, "unknown": formID} {
			form := b.fill(t, client+"/assessments/new?instrument=phq-2", "in_order", "11", "when", "after:"+session)
			if r := b.post(t, client+"/assessments/new", form); r.Status < 400 || r.Status >= 500 {
				t.Errorf("a form at %s session: %d %s", what, r.Status, r.Body)
			}
			b.get(t, client+"/assessments/new?instrument=phq-2&timing=after&session_id="+session).Want(http.StatusOK)
		}
		for what, course := range map[string]string{"another client's": n.course, "another clinic's": others.course, "unknown": formID} {
			form := b.fill(t, client+"/sessions/new", "course_id", course, "medicine.substance", "", "medicine.route", "")
			if r := b.post(t, client+"/sessions/new", form); r.Status < 400 || r.Status >= 500 {
				t.Errorf("a session in %s course: %d %s", what, r.Status, r.Body)
			}
		}
		taken := b.fill(t, client+"/assessments/new?instrument=phq-2", "in_order", "11", "when", "baseline", "id", n.assessment)
		b.post(t, client+"/assessments/new", taken).Want(http.StatusConflict)
		// What another clinic calls its own is nobody's business, and stays as it was.
		taken.Set("id", others.assessment)
		b.post(t, client+"/assessments/new", taken)
		theirs := s.As(s.Other.Key[auth.Admin], "GET", "/v1/assessments/"+others.assessment, nil).Want(http.StatusOK).JSON()
		same(t, "whose it is", any(others.client), theirs["client_id"])
		same(t, "its instrument", any("phq-9"), theirs["instrument"])
		after := dump(t, behind(t, s))
		for _, table := range []string{"session_versions", "course_versions", "client_versions"} {
			same(t, table, rows[table], after[table])
		}
	})
}

func TestAnotherClinicsPeopleKeysAndSnapshotsHaveNoPages(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		owner := inRole(ada, auth.Owner)
		hire(t, s, owner)
		b := signedIn(t, s, owner)
		n := settleAs(s, s.Other, "X-1")
		cohort := s.As(s.Other.Key[auth.Admin], "POST", "/v1/cohorts", object{"name": "theirs alone", "filter": object{}}).Want(http.StatusCreated).JSON()["id"].(string)
		rows := dump(t, behind(t, s))
		for _, path := range []string{"/settings/people/" + n.account, "/exports/snapshots/" + n.snapshot, "/settings/webhooks/" + n.webhook} {
			b.get(t, path).Want(http.StatusNotFound)
		}
		for path, form := range map[string]url.Values{
			"/settings/people/" + n.account:                                            {"name": {"Eve"}, "role": {"owner"}, "disabled": {"true"}, "shown": {"clinician Ada"}},
			"/settings/people/" + n.account + "/password":                              {"id": {formID}},
			"/settings/keys/" + n.key + "/rotate":                                      {"overlap": {"0s"}},
			"/settings/keys/" + n.key + "/revoke":                                      {},
			"/settings/webhooks/" + n.webhook + "/turn":                                {"disabled": {"true"}, "revision": {"1"}},
			"/settings/webhooks/" + n.webhook + "/test":                                {},
			"/settings/webhooks/" + n.webhook + "/rotate":                              {},
			"/settings/webhooks/" + n.webhook + "/remove":                              {},
			"/settings/webhooks/" + n.webhook + "/deliveries/" + n.delivery + "/retry": {},
			"/exports/snapshots/" + n.snapshot + "/package":                            {},
			"/exports/file":                             {"table": {"clients"}, "format": {"csv"}, "profile": {"deidentified"}, "cohort": {cohort}},
			"/clients/" + n.client + "/break-glass":     {"reason": {"emergency"}},
			"/assessments/" + n.assessment + "/retract": {"reason": {"x"}, "revision": {"1"}},
			"/sessions/" + n.session + "/edit":          {"kind": {"dosing"}, "started_at": {"2026-03-01T10:00"}, "revision": {"1"}},
			"/courses/" + n.course + "/edit":            {"indication": {"x"}, "started_on": {"2026-03-01"}, "revision": {"1"}},
		} {
			if r := b.post(t, path, form); r.Status < 400 || r.Status >= 500 {
				t.Errorf("%s: %d", path, r.Status)
			}
		}
		for _, path := range []string{"/cohort", "/cohort/change?instrument=phq-9&from=baseline&to=last&cohort=" + cohort, "/settings/people", "/settings/keys", "/exports", "/settings/audit?client_id=" + n.client} {
			if r := b.get(t, path); strings.Contains(string(r.Body), "theirs alone") || strings.Contains(string(r.Body), "X-1") {
				t.Errorf("%s tells of another clinic", path)
			}
		}
		same(t, "the record", rows, dump(t, behind(t, s)))
	})
}

func TestOutsideOfACareTeamNoPageTellsOfTheClient(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		n := settleAs(s, s.Clinic, "SECRET-REFERENCE")
		s.Do("PATCH", "/v1/clients/"+n.client, object{"display_name": "SECRET-NAME"}, "If-Match", "*")
		s.Do("PUT", "/v1/settings/clinic", object{"care_teams": true}).Want(http.StatusOK)
		hire(t, s, ada)
		b := signedIn(t, s, ada)
		ids := strings.NewReplacer(":client_id", n.client, ":course_id", n.course, ":session_id", n.session, ":assessment_id", n.assessment,
			":account_id", n.account, ":key_id", n.key, ":webhook_id", n.webhook, ":delivery_id", n.delivery, ":snapshot_id", n.snapshot, ":instrument", "phq-9")
		about := regexp.MustCompile(`:(client|course|session|assessment)_id`)
		for _, route := range pageRoutes(t, s) {
			r := b.get(t, ids.Replace(route))
			if about.MatchString(route) && r.Status != http.StatusNotFound && !strings.HasSuffix(route, "/break-glass") {
				t.Errorf("%s: %d", route, r.Status)
			}
			if strings.Contains(string(r.Body), "SECRET") {
				t.Errorf("%s tells of the client", route)
			}
		}
		for _, path := range []string{"/clients?search=SECRET", "/clients?search=SECRET&status=no_baseline", "/today?day=2026-03-10", "/today?day=2026-03-09", "/cohort/expected?instrument=phq-9&track=true"} {
			if r := b.get(t, path); strings.Contains(strings.ReplaceAll(string(r.Body), "search=SECRET", ""), "SECRET-") {
				t.Errorf("%s tells of the client", path)
			}
		}
		rows := dump(t, behind(t, s))
		for _, route := range formRoutes(t, s) {
			if about.MatchString(route) && !strings.HasSuffix(route, "/break-glass") {
				b.post(t, ids.Replace(route), forms[route]).Want(http.StatusNotFound)
			}
		}
		same(t, "the record", rows, dump(t, behind(t, s)))
	})
}

func TestAFormThatIsSentTenTimesAtOnceIsStoredOnce(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		b, client := clerk(t, s)
		for _, f := range []struct {
			path, table string
			form        url.Values
		}{
			{"/clients/new", "client_versions", b.fill(t, "/clients/new", "reference", "P-9")},
			{client + "/courses/new", "course_versions", b.fill(t, client+"/courses/new", "indication", "depression")},
			{client + "/sessions/new", "session_versions", b.fill(t, client+"/sessions/new", "medicine.substance", "", "medicine.route", "")},
			{client + "/assessments/new", "assessment_versions", b.fill(t, client+"/assessments/new?instrument=phq-2", "in_order", "11", "when", "baseline")},
			{"/cohorts/new", "cohorts", b.fill(t, "/cohorts/new", "name", "all")},
		} {
			before := count(t, behind(t, s), "SELECT count(*) FROM "+f.table)
			form := b.signed(f.form)
			statuses := make([]int, 10)
			var all sync.WaitGroup
			for i := range statuses {
				all.Go(func() {
					r := b.send(http.MethodPost, f.path, form)
					statuses[i] = r.StatusCode
					_ = r.Body.Close()
				})
			}
			all.Wait()
			if n := count(t, behind(t, s), "SELECT count(*) FROM "+f.table) - before; n != 1 {
				t.Errorf("%s: stored %d times", f.path, n)
			}
			if slices.ContainsFunc(statuses, func(status int) bool { return status != http.StatusSeeOther }) {
				t.Errorf("%s: %s", f.path, fmt.Sprint(statuses))
			}
		}
	})
}

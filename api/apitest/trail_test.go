package apitest_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/store/storetest"
)

// untold are the routes that show no client and change nothing: they leave no
// entry, and need none to be answered. An admin needs no access to be given.
var untold = []string{
	"GET /v1/instruments", "GET /v1/instruments/{instrument}", "POST /v1/instruments/{instrument}/score",
	"GET /v1/settings/instruments", "GET /v1/settings/clinic", "GET /v1/settings/alerts", "GET /v1/keys", "GET /v1/webhooks", "GET /v1/webhooks/{webhook_id}", "GET /v1/webhooks/{webhook_id}/deliveries", "GET /v1/settings/messages",
	"GET /v1/accounts", "GET /v1/accounts/{account_id}",
	"POST /v1/clients/{client_id}/access", "GET /v1/exports/codebook",
}

// database is the server's database as the tests of the store know it.
func database(s *apitest.Server) *storetest.Database {
	return &storetest.Database{Dialect: s.Dialect, URL: s.Database}
}

// telling is a request for a route that has something to tell.
func telling(s *apitest.Server, route string, n ids) (method, path string, body any, etag string) {
	method, path = address(route, n)
	body = fresh(may[route].body, n)
	if strings.HasSuffix(path, "/batch") { // of the table's own item there is nothing to tell
		body = object{"items": []object{with(baseline(), "client_id", n.client, "id", newID())}}
	}
	return method, path, body, s.Do("GET", path, nil).Header.Get("ETag")
}

// anew is a client of whom nothing was changed since: a new one for a route
// that changes something, and the same for all that only read.
func anew(s *apitest.Server, route, reference string, standing *ids) ids {
	reads := strings.HasPrefix(route, "GET ")
	if reads && *standing != (ids{}) {
		return *standing
	}
	of := withMore(s, s.Clinic, settleAs(s, s.Clinic, reference))
	if reads {
		*standing = of
	}
	return of
}

// TestWithoutTheAuditTrailNoRequestSucceeds asks for every route while the
// database refuses every entry of the trail.
func TestWithoutTheAuditTrailNoRequestSucceeds(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		// When this key was last used is known now, and the clock stands.
		s.As(s.Clinic.Key[auth.Researcher], "GET", "/v1/instruments", nil).Want(http.StatusOK)
		behind := database(s)
		raw := behind.Raw(t)
		told, standing := 0, ids{}
		for _, route := range apiRoutes(t, s) {
			of := anew(s, route, "canary "+newID(), &standing)
			method, path, body, etag := telling(s, route, of)
			before, entries := dump(t, raw), behind.Rows(t, raw, "audit_entries", "1 = 1")
			mend := behind.Refuse(t, raw, "INSERT", "audit_entries")
			r := s.Breaking().Do(method, path, body, "If-Match", etag)
			researcher := s.Breaking().As(s.Clinic.Key[auth.Researcher], method, path, body, "If-Match", etag)
			mend()
			if slices.Contains(untold, route) {
				if r.Status != may[route].status {
					t.Errorf("%s has nothing to tell: %d %s", route, r.Status, r.Body)
				}
				continue
			}
			told++
			if r.Status < http.StatusInternalServerError {
				t.Errorf("%s: %d %s", route, r.Status, r.Body)
			}
			refused := !slices.Contains(may[route].roles, auth.Researcher)
			if refused != (researcher.Status == http.StatusForbidden) || researcher.Status < http.StatusBadRequest {
				t.Errorf("%s, to a researcher who cannot be told of: %d", route, researcher.Status)
			}
			problemOf(t, r)
			saysNothing(t, r, "")
			for _, private := range []string{"Ada", "canary", "depression", "ketamine", "phq9_"} {
				if strings.Contains(string(r.Body), private) {
					t.Errorf("%s says %q: %s", route, private, r.Body)
				}
			}
			same(t, route+": the database", before, dump(t, raw))
			same(t, route+": the trail", entries, behind.Rows(t, raw, "audit_entries", "1 = 1"))
			// The control: with the trail it is answered.
			if r := s.Do(method, path, body, "If-Match", etag); r.Status != may[route].status {
				t.Errorf("%s, mended: %d %s", route, r.Status, r.Body)
			}
		}
		if told < 25 {
			t.Errorf("only %d routes have something to tell", told)
		}
	})
}

// TestEveryRequestLeavesEntriesOfItsOwn asks for every route and reads who did
// it, from where and in which request.
func TestEveryRequestLeavesEntriesOfItsOwn(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		behind := database(s)
		raw := behind.Raw(t)
		var standing ids
		for _, route := range apiRoutes(t, s) {
			of := anew(s, route, newID(), &standing)
			method, path, body, etag := telling(s, route, of)
			since := len(behind.Trail(t, raw, s.Clinic.Who.Clinic))
			r := s.Do(method, path, body, "If-Match", etag).Want(may[route].status)
			left := behind.Trail(t, raw, s.Clinic.Who.Clinic)[since:]
			if none := slices.Contains(untold, route); none != (len(left) == 0) {
				t.Errorf("%s leaves %d entries", route, len(left))
			}
			for _, e := range left {
				got := []string{e.Actor.String(), e.ActorKind, e.Role, e.Request, string(e.Outcome)}
				want := []string{s.Clinic.Who.Actor.String(), string(auth.ByKey), string(auth.Admin), r.Header.Get("X-Request-Id"), string(audit.Done)}
				if diff := cmp.Diff(want, got); diff != "" || e.Address == "" {
					t.Errorf("%s from %q (-want +got):\n%s", route, e.Address, diff)
				}
				ofNoClient := !strings.Contains(route, "_id}") || slices.ContainsFunc([]string{"/keys/", "/accounts/", "/cohorts/", "/snapshots/", "/webhooks/"},
					func(things string) bool { return strings.Contains(route, things) })
				its := []string{of.client}
				if strings.Contains(route, "/merge") || strings.HasSuffix(route, "/erasure") { // each record of a person has an entry
					its = append(its, of.merged, of.duplicate)
				}
				if !ofNoClient && !slices.Contains(its, e.Client.String()) {
					t.Errorf("%s tells of client %v", route, e.Client)
				}
			}
		}
	})
}

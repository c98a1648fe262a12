package apitest_test

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
)

// mostStatements is what a single request may cost, the look-up of the key and
// its clinic and the audit entry included. Those that move stored facts may
// cost what is said of them: they read what stands, and note that, lock, read
// again, end a version, store the next, and recompute the progress.
const mostStatements = 14

var costlier = map[string]int{
	// These move what research reads of one instrument of a client, which takes two, and
	// the alerts, which take up to five.
	"POST /v1/clients/{client_id}/assessments":        22,
	"PUT /v1/assessments/{assessment_id}":             24,
	"POST /v1/assessments/{assessment_id}/retraction": 20,
	// These move all that research reads of a client, which takes six.
	"PATCH /v1/clients/{client_id}":                       18,
	"POST /v1/clients/{client_id}/sessions":               20,
	"PATCH /v1/sessions/{session_id}":                     27,
	"POST /v1/clients/{client_id}/merge":                  20,
	"DELETE /v1/clients/{client_id}/merge/{duplicate_id}": 19,
	// One for each table that a record has rows in.
	"POST /v1/clients/{client_id}/erasure": 28,
	"GET /v1/clients/{client_id}/record":   18,
	// The people, the entry, the people anew, and what they have; and what is kept
	// of a snapshot besides.
	"GET /v1/exports/{table}": 15, "GET /v1/snapshots/{snapshot_id}/package": 16, "POST /v1/snapshots": 25,
	// The caseload is computed anew: the choice, and seven a round of 200 clients.
	"PUT /v1/settings/instruments/{instrument}": 15,
}

// mostTransactions is how often a request may tell PostgreSQL its clinic: for
// the key's look-up, for what it reads first, and for what it changes.
const mostTransactions = 4

// moreTransactions may be more: a snapshot is looked for by its id, and stored
// when its export has been read.
var moreTransactions = map[string]int{"POST /v1/snapshots": 5}

// apart takes the statements that name the clinic out of the others.
func apart(sql []string) (names int, others []string) {
	others = slices.DeleteFunc(sql, func(s string) bool { return strings.Contains(s, "set_config('protrack.clinic'") })
	return len(sql) - len(others), others
}

// crowd gives a clinic 50 clients, and the one in n 300 assessments, 40
// sessions and 10 courses.
func crowd(s *apitest.Server, clinic apitest.Clinic, n ids) {
	key := clinic.Key[auth.Admin]
	for i := range 50 {
		s.As(key, "POST", "/v1/clients", object{"reference": fmt.Sprint("crowd ", i)}).Want(http.StatusCreated)
	}
	for i := range 10 {
		s.As(key, "POST", "/v1/clients/"+n.client+"/courses", object{"indication": "x", "started_on": fmt.Sprintf("2025-01-%02d", i+1)}).Want(http.StatusCreated)
	}
	for i := range 40 {
		s.As(key, "POST", "/v1/clients/"+n.client+"/sessions", with(dosing(), "started_at", today.AddDate(0, 0, -i))).Want(http.StatusCreated)
	}
	var items []object
	for i := range 300 {
		items = append(items, object{
			"client_id": n.client, "instrument": []string{"phq-9", "gad-7", "pcl-5"}[i%3], "timing": "follow_up",
			"completed_at": today.Add(-time.Duration(i) * time.Hour), "total": i % 21,
		})
	}
	s.As(key, "POST", "/v1/assessments/batch", object{"items": items}).Want(http.StatusOK)
	for i := range 30 {
		at := today.AddDate(0, 0, -i)
		s.As(key, "POST", "/v1/clients/"+n.client+"/consents", object{"scope": "research", "status": "granted", "at": at}).Want(http.StatusCreated)
		s.As(key, "POST", "/v1/clients/"+n.client+"/corrections", object{"target": "other", "request": "x"}).Want(http.StatusCreated)
		who := s.As(key, "POST", "/v1/keys", object{"name": "k", "role": "clinician"}).Want(http.StatusCreated).JSON()["id"].(string)
		s.As(key, "PUT", "/v1/clients/"+n.client+"/team/"+who, object{}).Want(http.StatusOK)
	}
	for range 5 {
		a := "/v1/assessments/" + n.assessment
		s.As(key, "PUT", a, object{"reason": "again"}, "If-Match", s.As(key, "GET", a, nil).Header.Get("ETag")).Want(http.StatusOK)
	}
}

// TestNoRequestCostsMoreWhereThereIsMore counts the statements of every route
// in a clinic with one client and one assessment, and in one with many.
func TestNoRequestCostsMoreWhereThereIsMore(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		few, many := settle(s, s.Clinic), settle(s, s.Other)
		crowd(s, s.Other, many)
		agree(s, few.client, "granted", "2026-03-01T09:00:00Z") // as somebody of the crowd does: of nobody there is nothing to export
		few, many = withMore(s, s.Clinic, few), withMore(s, s.Other, many)
		all := apiRoutes(t, s)
		slices.SortStableFunc(all, func(a, b string) int { // what ends something comes last: nothing changes it afterwards
			last := func(route string) int {
				return strings.Count(route, "retraction") + strings.Count(route, "DELETE") + 2*strings.Count(route, "erasure")
			}
			return cmp.Compare(last(a), last(b))
		})
		for _, route := range all {
			var cost [2][]string
			var names [2]int
			for i, world := range []struct {
				clinic apitest.Clinic
				n      ids
			}{{s.Clinic, few}, {s.Other, many}} {
				method, path := address(route, world.n)
				if isList := method == "GET" && strings.HasSuffix(path, "s") && !strings.Contains(path, "instruments") && !strings.Contains(path, "trajectories") && !strings.Contains(path, "due-forms") && !strings.Contains(path, "/cohort/") && !strings.Contains(path, "/exports/") && !strings.Contains(path, "/events") && !strings.Contains(path, "/settings/"); isList {
					path += "?limit=200"
				}
				key := world.clinic.Key[auth.Admin]
				etag := s.As(key, "GET", path, nil).Header.Get("ETag")
				s.Count.Take()
				r := s.As(key, method, path, fresh(may[route].body, world.n), "If-Match", etag)
				names[i], cost[i] = apart(s.Count.Take())
				if r.Status != may[route].status {
					t.Errorf("%s: %d %s", route, r.Status, r.Body)
				}
			}
			most := max(mostStatements, costlier[route])
			if s.Dialect == "postgres" && !strings.HasPrefix(route, "GET ") {
				most++ // whom a lock was waited for is asked once more
			}
			if len(cost[0]) != len(cost[1]) || len(cost[1]) > most {
				t.Errorf("%s costs %d statements, and %d where there is more:\n%s", route, len(cost[0]), len(cost[1]), strings.Join(cost[1], "\n"))
			}
			if known := s.Dialect == "postgres"; names[0] != names[1] || names[1] > max(mostTransactions, moreTransactions[route]) || known != (names[1] > 0) {
				t.Errorf("%s names its clinic %d times, and %d where there is more", route, names[0], names[1])
			}
			t.Logf("%2d statements: %s", len(cost[1]), route)
		}
	})
}

// TestABatchOfAThousandCostsAsManyStatementsAsOneOfTen counts them for forms
// of ten clients, all new, all known, and all of sessions.
func TestABatchOfAThousandCostsAsManyStatementsAsOneOfTen(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		clientIDs, _ := storm(s, 10, 0)
		sessions := map[string]string{}
		for _, id := range clientIDs {
			sessions[id] = s.Do("POST", "/v1/clients/"+id+"/sessions", dosing()).Want(http.StatusCreated).JSON()["id"].(string)
		}
		cost := map[int][2]int{}
		for _, n := range []int{10, 1000} {
			var items []object
			for i := range n {
				client := clientIDs[i%10]
				items = append(items, object{
					"client_id": client, "id": newID(), "instrument": []string{"phq-9", "gad-7"}[i%2], "timing": "after",
					"session_id": sessions[client], "completed_at": today.Add(-time.Duration(i) * time.Minute), "total": i % 21,
				})
			}
			s.Count.Take()
			s.Do("POST", "/v1/assessments/batch", object{"items": items}).Want(http.StatusOK)
			stored := s.Count.Take()
			s.Do("POST", "/v1/assessments/batch", object{"items": items}).Want(http.StatusOK)
			cost[n] = [2]int{len(stored), len(s.Count.Take())}
		}
		if cost[10] != cost[1000] {
			t.Errorf("ten forms cost %v statements new and known, a thousand %v", cost[10], cost[1000])
		}
		t.Logf("statements of a batch, new and known: %v", cost[1000])
	})
}

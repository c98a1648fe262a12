package apitest_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
)

// newest reads the last entry of the clinic's trail.
func newest(t *testing.T, s *apitest.Server) func() audit.Entry {
	t.Helper()
	behind := database(s)
	raw := behind.Raw(t)
	return func() audit.Entry {
		t.Helper()
		all := behind.Trail(t, raw, s.Clinic.Who.Clinic)
		if len(all) == 0 {
			t.Fatal("the trail is empty")
		}
		return all[len(all)-1]
	}
}

// A caller may call a request what it likes, and the trail is never erased.
func TestANameAsARequestsIDIsNowhereInTheDatabaseAndAUUIDIsKept(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		n, last := settle(s, s.Clinic), newest(t, s)
		const name = "Jane.Doe_MRN12345"
		id := uuid.NewString()
		for _, c := range []struct{ says, sent, kept string }{
			{"a name", name, "sha256:"},
			{"a UUID", id, id},
			{"a UUID in capitals", strings.ToUpper(id), "sha256:"},
		} {
			for _, ask := range []struct {
				key, path string
				status    int
			}{
				{s.Clinic.Key[auth.Admin], "/v1/clients/" + n.client, http.StatusOK},
				{s.Clinic.Key[auth.Researcher], "/v1/clients/" + n.client, http.StatusForbidden},
			} {
				r := s.As(ask.key, "GET", ask.path, nil, "X-Request-Id", c.sent).Want(ask.status)
				if got := r.Header.Get("X-Request-Id"); got != c.sent {
					t.Errorf("%s: the caller is told %q", c.says, got)
				}
				if got := last().Request; !strings.HasPrefix(got, c.kept) {
					t.Errorf("%s is kept as %q", c.says, got)
				}
			}
		}
		behind := database(s)
		raw := behind.Raw(t)
		kept := 0
		for _, table := range behind.Tables(t, raw) {
			for _, row := range behind.Rows(t, raw, table, "1 = 1") {
				if strings.Contains(row, "Jane") || strings.Contains(row, "MRN12345") {
					t.Errorf("it is in %s", row)
				}
				if strings.Contains(row, id) { // the control: where an id is kept, this finds it
					kept++
				}
			}
		}
		if kept != 2 {
			t.Errorf("the UUID is found in %d rows", kept)
		}
	})
}

func TestARefusalsEntryTellsTheRouteAndTheClientOfThePath(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		own, neighbour := settle(s, s.Clinic), settleAs(s, s.Clinic, "P-2")
		last, refused := newest(t, s), 0
		for _, route := range apiRoutes(t, s) {
			method, path := address(route, own)
			before := last().ID
			r := s.As(s.Clinic.Key[auth.Researcher], method, path, fresh(may[route].body, own), "If-Match", `"1"`)
			e := last()
			if r.Status != http.StatusForbidden {
				continue
			}
			refused++
			want := uuid.Nil
			if strings.Contains(route, "{client_id}") {
				want = uuid.MustParse(own.client)
			}
			pattern := ":"
			if !strings.Contains(route, "{") {
				pattern = ""
			}
			told := e.Details.Note["route"]
			if e.ID == before || e.Action != "permission.refused" || e.Outcome != audit.Refused || e.Client != want {
				t.Errorf("%s leaves %s of client %v", route, e.Action, e.Client)
			}
			verb, pathOf, _ := strings.Cut(told, " ")
			if verb != method || !strings.Contains(pathOf, pattern) || len(strings.Split(pathOf, "/")) != len(strings.Split(path, "/")) || strings.Contains(told, own.client) {
				t.Errorf("%s is told as %q", route, told)
			}
		}
		if refused < 25 {
			t.Errorf("only %d routes refused a researcher", refused)
		}
		// The client's disclosures are of what was shown: a refusal is none of them.
		shown := listed(s.Do("GET", "/v1/clients/"+own.client+"/disclosures", nil).Want(http.StatusOK))
		if slices.ContainsFunc(shown, func(d object) bool { return d["action"] == "permission.refused" }) {
			t.Errorf("a refusal is a disclosure: %v", shown)
		}
		// The control: another client's path tells of another client.
		s.As(s.Clinic.Key[auth.Researcher], "GET", "/v1/clients/"+neighbour.client, nil).Want(http.StatusForbidden)
		same(t, "the client of another path", uuid.MustParse(neighbour.client), last().Client)
	})
}

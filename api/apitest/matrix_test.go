package apitest_test

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
)

var update = flag.Bool("update", false, "write docs/permissions.md anew")

// permissionsPage is generated from the declarations in roles_test.go.
const permissionsPage = "../../docs/permissions.md"

// everybody is each role that a credential can have.
var everybody = append(auth.Roles(), auth.Client)

// A cell is what one route answers to one role: to what is its own, and to
// another clinic's ids where the route takes any.
type cell struct{ own, other int }

func expected(route string, role auth.Role) cell {
	want := may[route]
	if !slices.Contains(want.roles, role) {
		return cell{http.StatusForbidden, http.StatusForbidden}
	}
	if !strings.Contains(route, "_id}") {
		return cell{want.status, want.status}
	}
	return cell{want.status, http.StatusNotFound}
}

func TestThePageOfPermissionsIsWhatIsDeclared(t *testing.T) {
	s := apitest.SQLite(t)
	page := permissionsOf(apiRoutes(t, s))
	if *update {
		if err := os.WriteFile(permissionsPage, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	written, err := os.ReadFile(permissionsPage)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(written), page); diff != "" {
		t.Errorf("docs/permissions.md is not what roles_test.go declares (- is the page); go test ./api/apitest -run Permissions -update writes it:\n%s", diff)
	}
}

func permissionsOf(routes []string) string {
	var b strings.Builder
	b.WriteString("# Permissions\n\nGenerated from the declarations in api/apitest/roles_test.go; a test asks every route as every role, " +
		"in each of the situations below, on both databases, and fails where an answer is another or a route is missing.\n\n" +
		"| route |")
	for _, role := range everybody {
		fmt.Fprintf(&b, " %s |", role)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(everybody)) + "\n")
	for _, route := range routes {
		fmt.Fprintf(&b, "| `%s` |", route)
		for _, role := range everybody {
			switch c := expected(route, role); c.own {
			case http.StatusForbidden:
				b.WriteString(" – |")
			case c.other:
				fmt.Fprintf(&b, " %d |", c.own)
			default:
				fmt.Fprintf(&b, " %d, %d |", c.own, c.other)
			}
		}
		b.WriteString("\n")
	}
	b.WriteString("\nA number is the status for what is the clinic's own (a client's: their own); the second one that for another clinic's " +
		"ids, which is the answer for ids that nobody has. – is 403, for own and other ids alike. " +
		"409 where access is asked for: where the clinic has no care teams, every role that may ask sees every client already.\n\n" +
		"| credential | every route, every role |\n|---|---|\n" +
		"| none | 401 |\n| expired | 401 |\n| revoked | 401 |\n| of a scope without the permission | 403 |\n\n" +
		"Keys have scopes; a client's token has none to narrow, and neither has a researcher's key for the instruments.\n\n" +
		"The roles' permissions stand in one table, `grants` in pkg/auth/role.go. Whoever makes a credential must hold everything that it will.\n")
	return b.String()
}

// credentials are those of one role in one clinic, in each state.
type credentials struct {
	good, expired, revoked string
	narrow, narrower       string // of another scope than a route's; empty: there is none
}

// without is the one that has not the scope of a route.
func (c credentials) without(route string) string {
	if strings.Contains(route, "/v1/instruments") {
		return c.narrower
	}
	return c.narrow
}

// TestTheMatrix asks for every route as every role in every situation.
func TestTheMatrix(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Unlimited().Clock.Set(today)
		m := matrix{s: s, other: withMore(s, s.Other, settle(s, s.Other)), keys: map[auth.Role]credentials{}}
		for _, role := range auth.Roles() {
			m.keys[role] = keysOf(t, s, role)
		}
		s.Clock.Set(today.Add(2 * time.Hour))
		all := apiRoutes(t, s)
		for _, role := range everybody {
			n, c := m.settled(t, role)
			for _, route := range all {
				if _, declared := may[route]; !declared {
					t.Errorf("nobody declared who may use %s", route)
					continue
				}
				m.row(t, route, role, n, c)
			}
		}
		t.Logf("%d cells", m.cells)
	})
}

// matrix is the server that is asked, and how often it was.
type matrix struct {
	s     *apitest.Server
	other ids // of another clinic
	keys  map[auth.Role]credentials
	cells int
}

// settled is a client with one thing of each kind, and a role's credentials.
func (m *matrix) settled(t *testing.T, role auth.Role) (ids, credentials) {
	n := withMore(m.s, m.s.Clinic, settleAs(m.s, m.s.Clinic, newID()))
	if role == auth.Client {
		return n, tokensOf(t, m.s, n)
	}
	return n, m.keys[role]
}

// row asks for one route as one role in every situation.
func (m *matrix) row(t *testing.T, route string, role auth.Role, n ids, c credentials) {
	want := expected(route, role)
	ask := func(situation, credential string, who ids, status int) {
		m.cells++
		method, path := address(route, who)
		etag := `"1"`
		if status < 300 && method != http.MethodGet {
			etag = m.s.Do(http.MethodGet, path, nil).Header.Get("ETag")
		}
		r := m.s.As(credential, method, path, fresh(may[route].body, who), "If-Match", etag)
		if r.Status != status {
			t.Errorf("%s as %s, %s: %d instead of %d: %s", route, role, situation, r.Status, status, r.Body)
		}
	}
	ask("no credential", "", n, http.StatusUnauthorized)
	ask("an expired one", c.expired, n, http.StatusUnauthorized)
	ask("a revoked one", c.revoked, n, http.StatusUnauthorized)
	if narrow := c.without(route); narrow != "" {
		ask("another scope", narrow, n, http.StatusForbidden)
	}
	ask("another clinic's ids", c.good, m.other, want.other)
	if want.own < 300 && !strings.HasPrefix(route, "GET ") {
		n, c = m.settled(t, role) // what it changes, no other row is to find changed
	}
	ask("its own", c.good, n, want.own)
}

// keysOf makes keys of a role; the expired one expires within the hour.
func keysOf(t *testing.T, s *apitest.Server, role auth.Role) credentials {
	t.Helper()
	operator, err := s.Keys.Operator(t.Context(), s.Clinic.Slug)
	if err != nil {
		t.Fatal(err)
	}
	key := func(in auth.NewKey) (auth.Key, string) {
		in.Name, in.Role = string(role), role
		k, secret, err := s.Keys.CreateKey(t.Context(), operator, in)
		if err != nil {
			t.Fatal(err)
		}
		return k, string(secret)
	}
	c := credentials{good: s.Clinic.Key[role]}
	_, c.expired = key(auth.NewKey{ExpiresAt: new(today.Add(time.Hour))})
	_, c.narrow = key(auth.NewKey{Scopes: []auth.Permission{auth.ReadInstruments}})
	if role != auth.Researcher { // who may do nothing else
		_, c.narrower = key(auth.NewKey{Scopes: []auth.Permission{auth.ReadTrajectories}})
	}
	k, secret := key(auth.NewKey{})
	if err := s.Keys.RevokeKey(t.Context(), operator, k.ID); err != nil {
		t.Fatal(err)
	}
	c.revoked = secret
	return c
}

// tokensOf mints tokens for a client; the expired one expired an hour ago.
func tokensOf(t *testing.T, s *apitest.Server, n ids) credentials {
	t.Helper()
	mint := func() object {
		return s.As(s.Clinic.Key[auth.App], "POST", "/v1/clients/"+n.client+"/tokens", object{"expires_in_seconds": 3600}).
			Want(http.StatusCreated).JSON()
	}
	now := s.Clock.Now()
	s.Clock.Set(now.Add(-2 * time.Hour))
	expired := mint()
	s.Clock.Set(now)
	good, revoked := mint(), mint()
	s.As(s.Clinic.Key[auth.App], "DELETE", "/v1/tokens/"+revoked["id"].(string), nil).Want(http.StatusNoContent)
	return credentials{good: good["token"].(string), expired: expired["token"].(string), revoked: revoked["token"].(string)}
}

//go:build unix

package auth_test

import (
	"database/sql"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/auth/authtest"
	"github.com/protrack/protrack/pkg/store/storetest"
)

// people is a clinic with its service, its owner and what a test asks of them.
type people struct {
	*storetest.Clinic
	Svc    *auth.Service
	Hashes *authtest.Passwords
	Slug   string
	Owner  auth.Account
	As     auth.Principal // the owner
	raw    *sql.DB
}

const (
	ownerEmail    auth.Personal = "Olga.Owner@Clinic.example"
	ownerPassword auth.Password = "nine purple gates at dusk"
	house                       = "192.0.2.7" // where the owner usually is
	hour                        = time.Hour
)

func from(address string) auth.Origin { return auth.Origin{Address: address, Request: "test"} }

func newPeople(t *testing.T, d *storetest.Database) people {
	t.Helper()
	c := d.Clinic(t)
	p := people{Clinic: c, Hashes: &authtest.Passwords{}, raw: d.Raw(t)}
	p.Svc = &auth.Service{Store: d.DB.DB, Now: c.Clock.Now, NewID: storetest.NewID, Log: slog.New(slog.DiscardHandler), Passwords: p.Hashes}
	p.Slug = strings.TrimPrefix(p.one(t, "SELECT slug FROM clinics WHERE id = '"+c.Who.Clinic.String()+"'"), "slug=")
	_, key, err := p.Svc.CreateKey(t.Context(), c.Who, auth.NewKey{Name: "set up", Role: auth.Admin})
	if err != nil {
		t.Fatal(err)
	}
	p.Owner, err = p.Svc.SetUp(t.Context(), p.Slug, key, auth.NewAccount{Email: ownerEmail, Name: "Olga", Password: ownerPassword}, from(house))
	if err == nil {
		p.As, err = p.Svc.PrincipalOf(t.Context(), c.Who.Clinic, p.Owner.ID, p.Owner.Epoch, from(house))
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// one reads one text behind the store's back.
func (p people) one(t testing.TB, query string) string {
	t.Helper()
	var out string
	if err := p.raw.QueryRowContext(t.Context(), query).Scan(&out); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return out
}

// trail lists what the clinic's audit trail holds of an action, as "outcome
// kind actor details", oldest first.
func (p people) trail(t testing.TB, action string) []string {
	t.Helper()
	rows, err := p.raw.QueryContext(t.Context(), "SELECT outcome || ' ' || actor_kind || ' ' || actor || ' ' || address || ' ' || details FROM audit_entries WHERE clinic_id = '"+
		p.Who.Clinic.String()+"' AND action = '"+action+"' ORDER BY at, id")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var out []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		out = append(out, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// account makes an account with a password of its own.
func (p people) account(t testing.TB, role auth.Role) (auth.Account, auth.Password) {
	t.Helper()
	a, password, err := p.Svc.CreateAccount(t.Context(), p.As, auth.NewAccount{Email: auth.Personal(uuid.NewString() + "@x.example"), Name: "N", Role: role})
	if err != nil {
		t.Fatal(err)
	}
	return a, password
}

// principal is who an account is now.
func (p people) principal(t testing.TB, a auth.Account) auth.Principal {
	t.Helper()
	a, err := p.Svc.Account(t.Context(), p.As, a.ID)
	if err != nil {
		t.Fatal(err)
	}
	who, err := p.Svc.PrincipalOf(t.Context(), a.Clinic, a.ID, a.Epoch, from(house))
	if err != nil {
		t.Fatal(err)
	}
	return who
}

// eachPeople runs a test on a clinic with an owner, in each database.
func eachPeople(t *testing.T, test func(t *testing.T, p people)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, d *storetest.Database) { test(t, newPeople(t, d)) })
}

// signIn is SignIn of the owner's clinic, with how many hashes it cost.
func (p people) signIn(t testing.TB, email auth.Personal, password auth.Password, code auth.Secret, address string) (auth.Principal, int64, error) {
	t.Helper()
	before := p.Hashes.Count.Load()
	who, _, err := p.Svc.SignIn(t.Context(), p.Slug, email, password, code, from(address))
	return who, p.Hashes.Count.Load() - before, err
}

// later moves the clinic's clock on.
func (p people) later(d time.Duration) { p.Clock.Set(p.Clock.Now().Add(d)) }

func last(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	return lines[len(lines)-1]
}

// granted is which roles a role may hand out, written out once more.
var granted = map[auth.Role][]auth.Role{
	auth.Owner:      {auth.Owner, auth.Admin, auth.Clinician, auth.Researcher},
	auth.Admin:      {auth.Admin, auth.Clinician, auth.Researcher},
	auth.Clinician:  {},
	auth.Researcher: {},
}

func mayGive(giver, given auth.Role) bool { return slices.Contains(granted[giver], given) }

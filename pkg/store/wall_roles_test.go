//go:build unix

package store_test

import (
	"context"
	"database/sql"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/store"
	"github.com/protrack/protrack/pkg/store/storetest"
)

// cluster is a PostgreSQL server of one test, with roles of its own.
type cluster struct {
	url string // of its database, as a superuser
	raw *sql.DB
}

// newCluster starts a server and runs statements on its database.
func newCluster(t *testing.T, statements ...string) cluster {
	t.Helper()
	database := storetest.PostgresServer(t, false).Database(t)
	c := cluster{database, (&storetest.Database{Dialect: "postgres", URL: database}).Raw(t)}
	for _, statement := range statements {
		c.exec(t, statement)
	}
	return c
}

func (c cluster) exec(t *testing.T, statement string) {
	t.Helper()
	if _, err := c.raw.ExecContext(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// as is the URL of the database for another user.
func (c cluster) as(t *testing.T, user string) string {
	t.Helper()
	u, err := url.Parse(c.url)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.User(user)
	return u.String()
}

// open opens the database as a user; the owner's URL may be empty.
func (c cluster) open(t *testing.T, user, owner string) *storetest.Database {
	t.Helper()
	cfg := store.Config{URL: c.as(t, user), Log: slog.New(slog.DiscardHandler)}
	if owner != "" {
		cfg.OwnerURL = c.as(t, owner)
	}
	db, err := store.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return &storetest.Database{DB: &storetest.DB{DB: db}, Dialect: "postgres", URL: c.url, Statements: &storetest.Statements{}}
}

func migrate(t *testing.T, d *storetest.Database) {
	t.Helper()
	if _, err := d.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// whoIs asks a new connection of the program who it is, and who it was at first.
func whoIs(t *testing.T, d *storetest.Database) (current, session string) {
	t.Helper()
	pool, _ := d.Pools()
	if err := pool.QueryRowContext(t.Context(), "SELECT current_user, session_user").Scan(&current, &session); err != nil {
		t.Fatal(err)
	}
	return current, session
}

// bound fails the test unless the program works, and sees no other clinic than
// the one it named, before and after it lays down its role.
func bound(t *testing.T, d *storetest.Database) {
	t.Helper()
	here, there := newVictim(t, d), newVictim(t, d)
	both := []string{here.Who.Clinic.String(), there.Who.Clinic.String()}
	slices.Sort(both)
	if got, err := found(t, d.Raw(t), "SELECT clinic_id FROM clients"); err != nil || !slices.Equal(got, both) {
		t.Errorf("above the wall: %v, %v", got, err)
	}
	inside(t, d, here.Who.Clinic, nil, func(tx *sql.Tx) {
		for _, role := range []string{"", "RESET ROLE"} {
			if _, err := tx.ExecContext(t.Context(), role); err != nil {
				t.Error(err)
			}
			if got, err := found(t, tx, "SELECT clinic_id FROM clients"); err != nil || !slices.Equal(got, both[slices.Index(both, here.Who.Clinic.String()):][:1]) {
				t.Errorf("%q: %v, %v", role, got, err)
			}
			if result, err := tx.ExecContext(t.Context(), "UPDATE progress SET points = 7"); err != nil {
				t.Error(err)
			} else if n, _ := result.RowsAffected(); n != 1 {
				t.Errorf("%q: %d rows of progress were changed", role, n)
			}
		}
	})
	pool, _ := d.Pools()
	if got, err := found(t, pool, "SELECT clinic_id FROM clients"); codeOf(err) != notSet && codeOf(err) != setToNone {
		t.Errorf("without a clinic: %v, %v", got, err)
	}
	clients, err := d.Clients(t.Context(), here.Who, care.Page{Limit: 9})
	var ids []uuid.UUID
	for _, c := range clients {
		ids = append(ids, c.ID)
	}
	if diff := cmp.Diff([]uuid.UUID{here.client.ID, here.spare.ID}, ids); err != nil || diff != "" { // neither erased nor merged
		t.Errorf("clients, %v (-want +got):\n%s", err, diff)
	}
}

func TestAnOwnerWhoMayMakeNoRoleIsBoundAllTheSame(t *testing.T) {
	c := newCluster(t, "CREATE ROLE tenant LOGIN", "ALTER SCHEMA public OWNER TO tenant")
	d := c.open(t, "tenant", "")
	migrate(t, d)
	if current, session := whoIs(t, d); current != "tenant" || session != "tenant" {
		t.Errorf("it works as %s, of %s", current, session)
	}
	bound(t, d)
}

func TestAnOwnerWhoMayMakeRolesWorksAsTheOneWhoOwnsNothing(t *testing.T) {
	c := newCluster(t, "CREATE ROLE landlord LOGIN CREATEROLE", "ALTER SCHEMA public OWNER TO landlord")
	d := c.open(t, "landlord", "")
	migrate(t, d)
	if current, session := whoIs(t, d); current != "protrack_app" || session != "landlord" {
		t.Errorf("it works as %s, of %s", current, session)
	}
	bound(t, d)
}

func TestTheProgramMayHaveALoginOfItsOwn(t *testing.T) {
	for what, prepare := range map[string][]string{
		"the role is there before":        {"CREATE ROLE owner LOGIN", "CREATE ROLE protrack_app NOLOGIN", "CREATE ROLE program LOGIN", "GRANT protrack_app TO program"},
		"the owner makes it in migrating": {"CREATE ROLE owner LOGIN CREATEROLE", "CREATE ROLE program LOGIN"},
	} {
		t.Run(what, func(t *testing.T) {
			c := newCluster(t, append(prepare, "ALTER SCHEMA public OWNER TO owner")...)
			first := c.open(t, "owner", "")
			migrate(t, first)
			c.exec(t, "GRANT protrack_app TO program")
			d := c.open(t, "program", "owner")
			migrate(t, d)
			if err := d.CheckSchema(t.Context()); err != nil {
				t.Error(err)
			}
			if current, session := whoIs(t, d); current != "protrack_app" || session != "program" {
				t.Errorf("it works as %s, of %s", current, session)
			}
			bound(t, d)
			// Laying the role down gains the login nothing: it owns nothing either.
			for _, statement := range []string{"DELETE FROM audit_entries", "UPDATE audit_entries SET action = 'x'", "ALTER TABLE clients DISABLE ROW LEVEL SECURITY", "TRUNCATE progress"} {
				inside(t, d, uuid.New(), nil, func(tx *sql.Tx) {
					if _, err := tx.ExecContext(t.Context(), "RESET ROLE"); err != nil {
						t.Error(err)
					}
					if _, err := tx.ExecContext(t.Context(), statement); codeOf(err) != notAllowed {
						t.Errorf("%s: %v", statement, err)
					}
				})
			}
		})
	}
}

func TestTheProgramTakesItsRoleInTheSameRunThatMadeIt(t *testing.T) {
	c := newCluster(t)
	d := c.open(t, "postgres", "")
	if current, _ := whoIs(t, d); current != "postgres" { // there is no role to take yet
		t.Errorf("before the migration it works as %s", current)
	}
	migrate(t, d)
	if current, session := whoIs(t, d); current != "protrack_app" || session != "postgres" {
		t.Errorf("it works as %s, of %s", current, session)
	}
}

func TestWhomTheWallDoesNotBindIsRefusedAtStart(t *testing.T) {
	c := newCluster(t, "CREATE ROLE mighty LOGIN BYPASSRLS")
	migrate(t, c.open(t, "postgres", ""))
	c.exec(t, "GRANT ALL ON ALL TABLES IN SCHEMA public TO mighty")
	d := c.open(t, "mighty", "postgres")
	for what, start := range map[string]func(context.Context) error{
		"check": d.CheckSchema,
		"migrate": func(ctx context.Context) error {
			_, err := d.Migrate(ctx)
			return err
		},
	} {
		err := start(t.Context())
		if err == nil || !strings.Contains(err.Error(), "row-level security") || !strings.Contains(err.Error(), "clients") {
			t.Errorf("%s: %v", what, err)
		}
	}
	// That it could have seen everything is no fancy.
	v := newVictim(t, c.open(t, "postgres", ""))
	inside(t, d, uuid.New(), nil, func(tx *sql.Tx) {
		if got, err := found(t, tx, "SELECT clinic_id FROM clients"); err != nil || !slices.Contains(got, v.Who.Clinic.String()) {
			t.Errorf("BYPASSRLS sees %v, %v", got, err)
		}
	})
	// The control: once it may become the program's role, it starts and is bound.
	c.exec(t, "GRANT protrack_app TO mighty")
	granted := c.open(t, "mighty", "postgres")
	if err := granted.CheckSchema(t.Context()); err != nil {
		t.Error(err)
	}
	if current, _ := whoIs(t, granted); current != "protrack_app" {
		t.Errorf("it works as %s", current)
	}
	if _, err := granted.Client(t.Context(), auth.As(uuid.New(), uuid.New(), auth.ByKey, auth.Admin), v.client.ID); err == nil {
		t.Error("another clinic's client was found")
	}
}

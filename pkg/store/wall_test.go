//go:build unix

package store_test

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/protrack/protrack/pkg/store/storetest"
)

// What PostgreSQL calls its refusals.
const (
	notAllowed = "42501" // no privilege, or against a policy
	notSet     = "42704" // protrack.clinic was never set on the connection
	setToNone  = "22P02" // protrack.clinic is the empty string: a transaction before had set it
)

func codeOf(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

func TestEveryTableIsBehindTheWall(t *testing.T) {
	d := storetest.PostgreSQL(t)
	raw := d.Raw(t)
	for table := range columns(t, d, raw) {
		var enabled, forced bool
		var policies int
		err := raw.QueryRowContext(t.Context(), `SELECT relrowsecurity, relforcerowsecurity, (SELECT count(*) FROM pg_policy WHERE polrelid = c.oid)
			FROM pg_class c WHERE oid = $1::regclass`, table).Scan(&enabled, &forced, &policies)
		if err != nil || !enabled || !forced || policies == 0 {
			t.Errorf("%s: enabled %t, forced %t, %d policies, %v", table, enabled, forced, policies, err)
		}
	}
	// A view would look with its owner's eyes, and a function may act in its owner's name.
	for what, query := range map[string]string{
		"views":     "SELECT relname FROM pg_class WHERE relkind IN ('v', 'm') AND relnamespace = 'public'::regnamespace",
		"functions": "SELECT proname FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace",
	} {
		if names, err := found(t, raw, query); err != nil || len(names) > 0 {
			t.Errorf("%s: %v, %v", what, names, err)
		}
	}
}

func TestTheProgramIsARoleThatOwnsNothing(t *testing.T) {
	d := storetest.PostgreSQL(t)
	raw := d.Raw(t)
	w := newWalled(t, d, raw)
	pool, _ := d.Pools()
	var name string
	var super, bypass, creates, roles, schema bool
	var owned int
	err := pool.QueryRowContext(t.Context(), `SELECT current_user, rolsuper, rolbypassrls, rolcreatedb, rolcreaterole,
		has_schema_privilege('public', 'CREATE'), (SELECT count(*) FROM pg_class WHERE relowner = r.oid) FROM pg_roles r WHERE rolname = current_user`).
		Scan(&name, &super, &bypass, &creates, &roles, &schema, &owned)
	if err != nil || name != "protrack_app" || super || bypass || creates || roles || schema || owned > 0 {
		t.Errorf("%s: superuser %t, BYPASSRLS %t, CREATEDB %t, CREATEROLE %t, CREATE %t, owns %d, %v", name, super, bypass, creates, roles, schema, owned, err)
	}
	statements := []string{
		"UPDATE audit_entries SET action = 'x'", "UPDATE audit_entries SET at = now()", "UPDATE audit_entries SET details = '{}'", "DELETE FROM audit_entries",
		"UPDATE audit_subjects SET client_id = entry_id", "DELETE FROM audit_subjects", "DELETE FROM audit_heads",
		"UPDATE audit_checkpoints SET note = 'x'", "DELETE FROM audit_checkpoints",
		"CREATE TABLE x (id int)", "CREATE VIEW x AS SELECT * FROM clients", "CREATE FUNCTION x() RETURNS int LANGUAGE sql AS 'SELECT 1'",
		"ALTER TABLE clients ADD COLUMN x int", "ALTER TABLE clients DISABLE ROW LEVEL SECURITY", "ALTER TABLE clients NO FORCE ROW LEVEL SECURITY",
		"ALTER TABLE audit_entries DISABLE TRIGGER ALL", "DROP TABLE progress", "DROP POLICY own_clinic ON clients",
		"CREATE POLICY all_of_it ON clients USING (true)", "CREATE ROLE x", "SET session_replication_role = replica",
		"SELECT * FROM goose_db_version", "COPY clients TO PROGRAM 'cat'",
	}
	for table := range columns(t, d, raw) {
		statements = append(statements, "TRUNCATE "+table+" CASCADE")
	}
	for _, statement := range statements {
		inside(t, d, w.Who.Clinic, nil, func(tx *sql.Tx) {
			if _, err := tx.ExecContext(t.Context(), statement); codeOf(err) != notAllowed {
				t.Errorf("%s: %v", statement, err)
			}
		})
	}
	// The control: what the sealer does is allowed.
	inside(t, d, w.Who.Clinic, nil, func(tx *sql.Tx) {
		if _, err := tx.ExecContext(t.Context(), "UPDATE audit_entries SET seq = 1, hash = 'x' WHERE id = (SELECT min(id::text)::uuid FROM audit_entries)"); err != nil {
			t.Error(err)
		}
	})
}

func TestAQueryWithoutAConditionFindsTheNamedClinicOnly(t *testing.T) {
	d := storetest.PostgreSQL(t)
	raw := d.Raw(t)
	here, there := newWalled(t, d, raw), newWalled(t, d, raw)
	for _, table := range clinicTables(t, d, raw, here, there) {
		query := "SELECT clinic_id FROM " + table
		for _, w := range []walled{here, there} {
			inside(t, d, w.Who.Clinic, nil, func(tx *sql.Tx) {
				got, err := found(t, tx, query)
				if diff := cmp.Diff([]string{w.Who.Clinic.String()}, got); err != nil || diff != "" {
					t.Errorf("%s: %v\n%s", table, err, diff)
				}
			})
		}
		// The control: who is above the wall finds both.
		if got, err := found(t, raw, query); err != nil || !slices.Contains(got, here.Who.Clinic.String()) || !slices.Contains(got, there.Who.Clinic.String()) {
			t.Errorf("%s, above the wall: %v, %v", table, got, err)
		}
	}
	// A clinic that nobody has sees nothing at all.
	for _, table := range clinicTables(t, d, raw, here, there) {
		inside(t, d, uuid.New(), nil, func(tx *sql.Tx) {
			if got, err := found(t, tx, "SELECT clinic_id FROM "+table); err != nil || len(got) > 0 {
				t.Errorf("%s: %v, %v", table, got, err)
			}
		})
	}
}

// Where a change is refused for another reason than the wall, it is named here.
var neverUpdated = []string{ // no privilege to change the clinic of
	"audit_checkpoints", "audit_entries", "audit_subjects", "assessments", "consents", "courses", "erasures", "recovery_codes", "sessions",
	"events", // nor to remove what is on its way
	// a version does not change
	"assessment_versions", "client_versions", "course_versions", "session_versions",
	// nor does what research was built on
	"projects", "cohorts", "snapshots", "snapshot_members",
}

func TestAChangeWithoutAConditionTouchesTheNamedClinicOnly(t *testing.T) {
	d := storetest.PostgreSQL(t)
	raw := d.Raw(t)
	here, there := newWalled(t, d, raw), newWalled(t, d, raw)
	for _, table := range clinicTables(t, d, raw, here, there) {
		own := int64(rowsOf(t, raw, table, here))
		touched := 0
		for _, statement := range []string{"UPDATE " + table + " SET clinic_id = clinic_id", "DELETE FROM " + table} {
			inside(t, d, here.Who.Clinic, nil, func(tx *sql.Tx) {
				result, err := tx.ExecContext(t.Context(), statement)
				if err != nil {
					return // no privilege, a trigger, or something points to it
				}
				touched++
				if n, _ := result.RowsAffected(); n != own {
					t.Errorf("%s touched %d rows, where the clinic has %d", statement, n, own)
				}
			})
		}
		if never := slices.Contains(neverUpdated, table); touched == 0 && !never {
			t.Errorf("%s: nothing was touched, so that nothing is shown", table)
		}
		for what, from := range map[string]walled{"another's": there, "its own": here} {
			copied := copiedRow(t, raw, table, from)
			inside(t, d, here.Who.Clinic, nil, func(tx *sql.Tx) {
				_, err := tx.ExecContext(t.Context(), "INSERT INTO "+table+" SELECT * FROM json_populate_record(NULL::"+table+", $1)", copied)
				// The control: its own row passes, and is refused by a constraint alone.
				if code := codeOf(err); what == "its own" && !strings.HasPrefix(code, "23") || what != "its own" && code != notAllowed {
					t.Errorf("insert %s row into %s: %v", what, table, err)
				}
			})
		}
		inside(t, d, here.Who.Clinic, nil, func(tx *sql.Tx) {
			if _, err := tx.ExecContext(t.Context(), "UPDATE "+table+" SET clinic_id = $1", there.Who.Clinic); err == nil {
				t.Errorf("%s: a row was given to another clinic", table)
			}
		})
	}
}

// copiedRow is one row of a clinic as JSON, read above the wall.
func copiedRow(t *testing.T, raw *sql.DB, table string, w walled) string {
	t.Helper()
	var row string
	err := raw.QueryRowContext(t.Context(), "SELECT row_to_json(x) FROM "+table+" x WHERE clinic_id = $1 LIMIT 1", w.Who.Clinic).Scan(&row)
	if err != nil {
		t.Fatal(err)
	}
	return row
}

func TestWithoutAClinicThereIsAnErrorAndNotAnEmptyList(t *testing.T) {
	d := storetest.PostgreSQL(t)
	raw := d.Raw(t)
	here, there := newWalled(t, d, raw), newWalled(t, d, raw)
	tables := clinicTables(t, d, raw, here, there)
	pool, _ := d.Pools()
	pool.SetMaxIdleConns(0) // the connections so far have served transactions
	conn, err := pool.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	refused := func(when, want string) {
		t.Helper()
		for _, table := range tables {
			for _, statement := range []string{
				"SELECT clinic_id FROM " + table, fmt.Sprintf("SELECT clinic_id FROM %s WHERE clinic_id = '%s'", table, here.Who.Clinic),
			} {
				if got, err := found(t, conn, statement); codeOf(err) != want {
					t.Errorf("%s, %s: %v, %v", when, statement, got, err)
				}
			}
		}
	}
	refused("on a new connection", notSet)
	tx, err := conn.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), "SELECT set_config('protrack.clinic', $1, true)", here.Who.Clinic.String()); err != nil {
		t.Fatal(err)
	}
	if got, err := found(t, tx, "SELECT clinic_id FROM clients"); err != nil || len(got) != 1 { // the control
		t.Errorf("in a transaction that named the clinic: %v, %v", got, err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if left, err := found(t, conn, "SELECT current_setting('protrack.clinic')"); err != nil || !slices.Equal(left, []string{""}) {
		t.Fatalf("after the commit the clinic is %q, %v", left, err)
	}
	refused("on a connection that served another", setToNone)
}

func TestACredentialShowsItsOwnRowAndNoOther(t *testing.T) {
	d := storetest.PostgreSQL(t)
	raw := d.Raw(t)
	here, there := newWalled(t, d, raw), newWalled(t, d, raw)
	for i, w := range []walled{here, there} {
		if _, err := raw.ExecContext(t.Context(), "INSERT INTO web_sessions VALUES ($1, 'x', now() + interval '1 hour')", w.tokenHash); err != nil {
			t.Fatal(i, err)
		}
	}
	seen := func(credential []byte) map[string]int {
		out := map[string]int{}
		inside(t, d, uuid.Nil, credential, func(tx *sql.Tx) {
			for table := range columns(t, d, raw) {
				var n int
				if err := tx.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
					t.Errorf("%s: %v", table, err)
				}
				if n > 0 && table != "clinics" { // the register, which everybody sees
					out[table] = n
				}
			}
		})
		return out
	}
	for what, x := range map[string]struct {
		credential []byte
		want       map[string]int
	}{
		"a key":              {here.keyHash, map[string]int{"api_keys": 1}},
		"a token":            {here.tokenHash, map[string]int{"client_tokens": 1, "web_sessions": 1}},
		"one that is not":    {[]byte(uuid.NewString()), map[string]int{}},
		"none":               {nil, map[string]int{}},
		"the half of a key":  {here.keyHash[:16], map[string]int{}},
		"another clinic's":   {there.tokenHash, map[string]int{"client_tokens": 1, "web_sessions": 1}},
		"nothing but a zero": {make([]byte, 32), map[string]int{}},
	} {
		if diff := cmp.Diff(x.want, seen(x.credential)); diff != "" {
			t.Errorf("%s shows (-want +got):\n%s", what, diff)
		}
	}
	// It shows, and no more: who has the hash cannot change the row.
	inside(t, d, uuid.Nil, here.keyHash, func(tx *sql.Tx) {
		if result, err := tx.ExecContext(t.Context(), "UPDATE api_keys SET revoked_at = now()"); err != nil {
			t.Error(err)
		} else if n, _ := result.RowsAffected(); n != 0 {
			t.Errorf("%d keys were revoked", n)
		}
	})
}

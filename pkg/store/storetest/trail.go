//go:build unix

package storetest

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
)

// Trail gives a clinic's entries of the audit trail in the order in which they
// were made, which is that of their ids, read behind the store's back. The
// times are left out.
func (d *Database) Trail(t testing.TB, raw *sql.DB, clinic uuid.UUID) []audit.Entry {
	t.Helper()
	subjects := d.subjects(t, raw, clinic)
	rows, err := raw.QueryContext(context.Background(), fmt.Sprintf(`SELECT id, actor, actor_kind, role, address, request, action, outcome,
		target, coalesce(target_id, '%[1]s'), coalesce(client_id, '%[1]s'), details FROM audit_entries WHERE clinic_id = '%[2]s' ORDER BY id`, uuid.Nil, clinic))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var out []audit.Entry
	for rows.Next() {
		var e audit.Entry
		var details string
		err := rows.Scan(&e.ID, &e.Actor, &e.ActorKind, &e.Role, &e.Address, &e.Request, &e.Action, &e.Outcome,
			&e.Target, &e.TargetID, &e.Client, &details)
		if err == nil {
			err = json.Unmarshal([]byte(details), &e.Details)
		}
		if err != nil {
			t.Fatal(err)
		}
		e.Clients = subjects[e.ID]
		out = append(out, e)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// subjects gives the clients of the entries that concern several.
func (d *Database) subjects(t testing.TB, raw *sql.DB, clinic uuid.UUID) map[uuid.UUID][]uuid.UUID {
	t.Helper()
	rows, err := raw.QueryContext(context.Background(),
		fmt.Sprintf("SELECT entry_id, client_id FROM audit_subjects WHERE clinic_id = '%s' ORDER BY client_id", clinic))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	out := map[uuid.UUID][]uuid.UUID{}
	for rows.Next() {
		var entry, client uuid.UUID
		if err := rows.Scan(&entry, &client); err != nil {
			t.Fatal(err)
		}
		out[entry] = append(out[entry], client)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// Refuse makes the database refuse a verb (INSERT, UPDATE or DELETE) on a table,
// for every clinic, until it is mended.
func (d *Database) Refuse(t testing.TB, raw *sql.DB, verb, table string) (mend func()) {
	t.Helper()
	exec := func(statement string) {
		t.Helper()
		if _, err := raw.ExecContext(context.Background(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if d.Dialect == "postgres" {
		exec(fmt.Sprintf(`CREATE OR REPLACE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'on purpose'; END $$;
			CREATE TRIGGER fault BEFORE %s ON %s FOR EACH ROW EXECUTE FUNCTION fault()`, verb, table))
		return func() { exec("DROP TRIGGER fault ON " + table) }
	}
	exec(fmt.Sprintf("CREATE TRIGGER fault BEFORE %s ON %s BEGIN SELECT RAISE(ABORT, 'on purpose'); END", verb, table))
	return func() { exec("DROP TRIGGER fault") }
}

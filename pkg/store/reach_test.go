//go:build unix

package store_test

import (
	"database/sql"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/store"
	"github.com/protrack/protrack/pkg/store/storetest"
)

// hasColumn asks the database itself.
func hasColumn(t *testing.T, raw *sql.DB, table, column string) bool {
	t.Helper()
	rows, err := raw.QueryContext(t.Context(), "SELECT * FROM "+table+" WHERE 1 = 0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	names, err := rows.Columns()
	if err != nil || rows.Err() != nil {
		t.Fatal(err, rows.Err())
	}
	return slices.Contains(names, column)
}

func TestOfEveryTableItIsSaidWhoseItsRowsAre(t *testing.T) {
	storetest.Each(t, func(t *testing.T, d *storetest.Database) {
		raw := d.Raw(t)
		of := 0
		for _, table := range d.Tables(t, raw) {
			ofClients, ofNone := store.Reaches(table)
			if !hasColumn(t, raw, table, "clinic_id") {
				if ofClients || ofNone {
					t.Errorf("%s has no clinic, and is listed", table)
				}
				continue
			}
			of++
			if ofClients == ofNone {
				t.Errorf("%s is of clients: %t, of none: %t", table, ofClients, ofNone)
			}
			audited := table == "audit_entries" || table == "audit_subjects" // who reads those may read of all
			if named := hasColumn(t, raw, table, "client_id"); named && !ofClients && !audited {
				t.Errorf("%s names a client, and is listed as of none", table)
			}
		}
		if of < 20 {
			t.Errorf("only %d tables are a clinic's", of)
		}
	})
}

func TestATableOfWhichNothingIsSaidIsReadByNobodyOfNarrowReach(t *testing.T) {
	storetest.Each(t, func(t *testing.T, d *storetest.Database) {
		c := d.Clinic(t)
		raw := d.Raw(t)
		kind := map[string]string{"sqlite": "TEXT", "postgres": "uuid"}[d.Dialect]
		statements := []string{
			"CREATE TABLE new_notes (clinic_id " + kind + " NOT NULL, client_id " + kind + " NOT NULL)",
			"INSERT INTO new_notes (clinic_id, client_id) VALUES ('" + c.Who.Clinic.String() + "', '" + uuid.NewString() + "')",
		}
		if d.Dialect == "postgres" { // or the database refuses it to everybody
			statements = append(statements, "GRANT SELECT ON new_notes TO PUBLIC")
		}
		for _, statement := range statements {
			if _, err := raw.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		for reach, refused := range map[auth.Reach]bool{
			auth.AllClients: false, auth.AssignedClients: true, auth.OneClient: true, auth.NoClients: true, auth.Reach(99): true,
		} {
			who := c.Who
			who.Reach, who.Client = reach, uuid.New()
			if err := d.DB.Select(t.Context(), who, "new_notes"); fault.Is(err, fault.Forbidden) != refused || !refused && err != nil {
				t.Errorf("reach %d, a table of which nothing is said: %v", reach, err)
			}
			// The controls: a table of which it is said, and one of none.
			unknown := reach == auth.NoClients || reach == auth.Reach(99)
			if err := d.DB.Select(t.Context(), who, "courses"); fault.Is(err, fault.Forbidden) != unknown || !unknown && err != nil {
				t.Errorf("reach %d, courses: %v", reach, err)
			}
			if err := d.DB.Select(t.Context(), who, "instrument_settings"); err != nil {
				t.Errorf("reach %d, settings: %v", reach, err)
			}
		}
	})
}

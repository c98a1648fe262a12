//go:build unix

package storetest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// refused runs a statement that is undone, and gives the database's words if
// it refused; rows is how many it would have changed.
func (c *Clinic) refused(t testing.TB, statement string) (words string, rows int64) {
	t.Helper()
	tx, err := c.Raw(t).BeginTx(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	result, err := tx.ExecContext(context.Background(), statement)
	if err != nil {
		return err.Error(), 0
	}
	rows, err = result.RowsAffected()
	if err != nil {
		t.Fatal(err)
	}
	return "", rows
}

// On PostgreSQL the statements are those of a superuser who owns the tables.
var keeping = []promise{
	{"no entry changes, not even for the owner of the tables, but for its place", func(t *testing.T, c *Clinic) {
		several := Entry(c.Who).WithClients([]uuid.UUID{NewID(), NewID()})
		c.commit(t, several)
		c.seal(t, 100)
		if err := c.PutCheckpoint(t.Context(), c.Who.Clinic, 1, When, "note"); err != nil {
			t.Fatal(err)
		}
		_, before := c.chain(t)
		waiting := c.note(t, 1, When)[0]
		where := fmt.Sprintf(" WHERE clinic_id = '%s' AND ", c.Who.Clinic)
		sealed := where + fmt.Sprintf("id = '%s'", several.ID)
		unsealed := where + fmt.Sprintf("id = '%s'", waiting.ID)
		var statements []string
		for _, column := range []string{
			"clinic_id = '" + NewID().String() + "'", "id = '" + NewID().String() + "'", "actor = '" + NewID().String() + "'",
			"at", "actor_kind = 'system'", "role = 'x'", "address = 'x'", "request = 'x'", "action = 'x.y'",
			"outcome = 'refused'", "target = 'x'", "target_id = '" + NewID().String() + "'", "client_id = '" + NewID().String() + "'", "details = '{ }'",
		} {
			if column == "at" {
				column = "at = at" + map[string]string{"sqlite": " + 1", "postgres": " + interval '1 second'"}[c.Dialect]
			}
			statements = append(statements, "UPDATE audit_entries SET "+column+sealed, "UPDATE audit_entries SET "+column+unsealed)
		}
		statements = append(statements,
			"UPDATE audit_entries SET seq = NULL, hash = NULL"+sealed, "UPDATE audit_entries SET seq = seq + 1000"+sealed, "UPDATE audit_entries SET hash = NULL"+sealed,
			"DELETE FROM audit_entries"+sealed, "DELETE FROM audit_entries"+unsealed,
			"UPDATE audit_subjects SET client_id = '"+NewID().String()+"'"+where+"1 = 1", "DELETE FROM audit_subjects"+where+"1 = 1",
			"UPDATE audit_checkpoints SET note = 'x'"+where+"1 = 1", "DELETE FROM audit_checkpoints"+where+"1 = 1")
		if c.Dialect == "postgres" {
			statements = append(statements, "TRUNCATE audit_entries", "TRUNCATE audit_subjects", "TRUNCATE audit_checkpoints")
		}
		for _, s := range statements {
			if words, rows := c.refused(t, s); !strings.Contains(words, "does not change") {
				t.Errorf("%s: %d rows, %q", s, rows, words)
			}
		}
		// The control: what a sealer does is accepted by the same means.
		if words, rows := c.refused(t, "UPDATE audit_entries SET seq = 1000, hash = NULL"+unsealed); words != "" || rows != 1 {
			t.Errorf("an entry cannot be given a place: %d rows, %q", rows, words)
		}
		_, after := c.chain(t)
		same(t, before, after, nil)
	}},
}

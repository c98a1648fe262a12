//go:build unix

package store_test

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/store/storetest"
)

// walled is a clinic with a row in every table.
type walled struct {
	victim
	keyHash, tokenHash []byte
}

// rest fills, behind the store's back, the tables that a victim leaves empty.
const rest = `
INSERT INTO sign_in_failures (clinic_id, account_key, address, failures, last_at) VALUES ('{clinic}', 'a', '192.0.2.1', 1, now());
INSERT INTO audit_subjects (clinic_id, client_id, entry_id) VALUES ('{clinic}', '{client}', '{entry}');
INSERT INTO audit_heads (clinic_id, seq, hash, at) VALUES ('{clinic}', 0, 'x', now());
INSERT INTO audit_checkpoints (clinic_id, seq, at, note) VALUES ('{clinic}', 0, now(), 'n')`

func newWalled(t *testing.T, d *storetest.Database, raw *sql.DB) walled {
	t.Helper()
	w := walled{victim: newVictim(t, d)}
	w.keyHash, w.tokenHash = []byte(w.key.ID.String()), []byte(w.token.ID.String())
	fill := strings.NewReplacer("{clinic}", w.Who.Clinic.String(), "{client}", w.client.ID.String(), "{entry}", uuid.NewString())
	if _, err := raw.ExecContext(t.Context(), fill.Replace(rest)); err != nil {
		t.Fatal(err)
	}
	return w
}

// clinicTables are the tables of a clinic's data, each with a row of both.
func clinicTables(t *testing.T, d *storetest.Database, raw *sql.DB, here, there walled) []string {
	t.Helper()
	var out []string
	for table, all := range columns(t, d, raw) {
		if !slices.ContainsFunc(all, func(c column) bool { return c.name == "clinic_id" }) {
			continue
		}
		out = append(out, table)
		for _, w := range []walled{here, there} {
			if rowsOf(t, raw, table, w) == 0 {
				t.Errorf("%s has no row of a clinic, so that nothing is shown: add one to rest", table)
			}
		}
	}
	slices.Sort(out)
	if len(out) < 29 {
		t.Errorf("only %d tables", len(out))
	}
	return out
}

func rowsOf(t *testing.T, raw *sql.DB, table string, w walled) int {
	t.Helper()
	var n int
	if err := raw.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table+" WHERE clinic_id = $1", w.Who.Clinic).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// inside runs SQL as the program that has named a clinic, and undoes it.
func inside(t *testing.T, d *storetest.Database, clinic uuid.UUID, credential []byte, fn func(tx *sql.Tx)) {
	t.Helper()
	if err := d.Inside(t.Context(), clinic, credential, fn); err != nil {
		t.Fatal(err)
	}
}

type asker interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// found gives the distinct values of a column of everything a query finds.
func found(t *testing.T, db asker, query string) ([]string, error) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	out := []string{}
	for rows.Next() {
		var value string
		if err := rows.Scan(&value); err != nil {
			t.Fatal(err)
		}
		out = append(out, value)
	}
	slices.Sort(out)
	return slices.Compact(out), rows.Err()
}

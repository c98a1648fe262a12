//go:build unix

package store_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/protrack/protrack/pkg/store/storetest"
)

// writing begins a transaction that has written something, and has not ended.
func writing(t *testing.T, d *storetest.Database) *sql.Tx {
	t.Helper()
	d.Clinic(t)
	tx, err := d.Raw(t).BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), "UPDATE clinics SET smallest_cell = smallest_cell"); err != nil {
		t.Fatal(err)
	}
	return tx
}

// TestSettlingWaitsForTheWritersOfThisDatabase and of no other of the cluster.
func TestSettlingWaitsForTheWritersOfThisDatabase(t *testing.T) {
	here, elsewhere := storetest.PostgreSQL(t), storetest.PostgreSQL(t)
	who := here.Clinic(t).Who
	other := writing(t, elsewhere)
	begun := time.Now()
	if err := here.DB.Settle(t.Context(), who); err != nil {
		t.Fatalf("while another database is written: %v", err)
	}
	if waited := time.Since(begun); waited > 5*time.Second {
		t.Errorf("waited %s for another database", waited)
	}
	own := writing(t, here)
	done := make(chan error, 1)
	go func() { done <- here.DB.Settle(t.Context(), who) }()
	select {
	case err := <-done:
		t.Fatalf("did not wait for a writer: %v", err)
	case <-time.After(200 * time.Millisecond):
	}
	if err := own.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := other.Rollback(); err != nil {
		t.Error(err)
	}
}

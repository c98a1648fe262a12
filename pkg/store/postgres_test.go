//go:build unix

package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/store/storetest"
)

func TestEveryConnectionToPostgreSQLHasTheSettings(t *testing.T) {
	url := storetest.Postgres(t)
	hostile := storetest.Open(t, url).Raw(t)
	var name string
	if err := hostile.QueryRowContext(t.Context(), "SELECT current_database()").Scan(&name); err != nil {
		t.Fatal(err)
	}
	for _, setting := range []string{"synchronous_commit = off", "timezone = 'Asia/Kolkata'"} {
		if _, err := hostile.ExecContext(t.Context(), "ALTER DATABASE "+name+" SET "+setting); err != nil {
			t.Fatal(err)
		}
	}
	d := storetest.Open(t, url)
	pool, _ := d.Pools()
	ask := func(conn interface {
		Scan(dest ...any) error
	}) string {
		var value string
		if err := conn.Scan(&value); err != nil {
			t.Fatal(err)
		}
		return value
	}
	for i := range 8 {
		conn, err := pool.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		for name, want := range map[string]string{"synchronous_commit": "on", "timezone": "UTC", "application_name": "protrack"} {
			if got := ask(conn.QueryRowContext(t.Context(), "SELECT current_setting($1)", name)); got != want {
				t.Errorf("connection %d has %s %s", i, name, got)
			}
		}
	}
	// The control: any other connection has the database's default.
	if got := ask(storetest.Open(t, url).Raw(t).QueryRowContext(t.Context(), "SHOW synchronous_commit")); got != "off" {
		t.Errorf("the default is %s, so that nothing was shown", got)
	}
}

// points counts what a transaction sees of a client after a moment in which
// another one stores an assessment.
func pointsSeen(t *testing.T, c *storetest.Clinic, client uuid.UUID, lock bool) int {
	t.Helper()
	stored, done := make(chan struct{}), make(chan error, 1)
	go func() {
		done <- c.DB.Write(t.Context(), c.Who, func(tx care.Tx) error {
			if err := tx.LockClients(t.Context(), c.Who, []uuid.UUID{client}); err != nil {
				return err
			}
			_, err := tx.InsertAssessments(t.Context(), c.Who, []care.Assessment{c.NewAssessment(client, storetest.When, 1)})
			close(stored)
			time.Sleep(100 * time.Millisecond)
			return err
		})
	}()
	<-stored
	seen := 0
	c.Write(t, func(ctx context.Context, tx care.Tx) error {
		if lock {
			if err := tx.LockClients(ctx, c.Who, []uuid.UUID{client}); err != nil {
				return err
			}
		}
		points, err := tx.Points(ctx, c.Who, []uuid.UUID{client}, nil, nil)
		seen = len(points)
		return err
	})
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return seen
}

func TestWhoLocksAClientSeesWhatTheOneBeforeStored(t *testing.T) {
	d := storetest.PostgreSQL(t)
	c := d.Clinic(t)
	for i, lock := range []bool{true, false} { // without the lock it is missed: the control
		client := c.NewClient(fmt.Sprint("P-", i))
		c.Insert(t, client)
		want := 0
		if lock {
			want = 1
		}
		if got := pointsSeen(t, c, client.ID, lock); got != want {
			t.Errorf("locked %t: %d assessments are seen", lock, got)
		}
	}
}

func TestTransactionsThatWaitForEachOtherAreRunAgain(t *testing.T) {
	d := storetest.PostgreSQL(t)
	c := d.Clinic(t)
	one, two := c.NewClient("P-1"), c.NewClient("P-2")
	c.Insert(t, one, two)
	met := make(chan struct{}, 2)
	runs, errs := make([]int, 2), make(chan error, 2)
	cross := func(i int, first, second uuid.UUID) {
		errs <- c.DB.Write(t.Context(), c.Who, func(tx care.Tx) error {
			runs[i]++
			if err := tx.LockClients(t.Context(), c.Who, []uuid.UUID{first}); err != nil {
				return err
			}
			if runs[i] == 1 { // each waits until both hold one
				met <- struct{}{}
				for len(met) < 2 {
					time.Sleep(time.Millisecond)
				}
			}
			return tx.LockClients(t.Context(), c.Who, []uuid.UUID{second})
		})
	}
	go cross(0, one.ID, two.ID)
	go cross(1, two.ID, one.ID)
	for range 2 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if runs[0]+runs[1] != 3 {
		t.Errorf("%v runs: there was no deadlock, or it was not run again", runs)
	}
}

// TestAConnectionThatIsLostAmidRowsIsADatabaseThatIsAway: what is read row by
// row tells it as everything else does.
func TestAConnectionThatIsLostAmidRowsIsADatabaseThatIsAway(t *testing.T) {
	d := storetest.PostgreSQL(t)
	who, raw := d.Clinic(t).Who, d.Raw(t)
	var pid, rows int
	read := func(each func(n int) error) error {
		// The first number is the process's own, so that it can be ended.
		return d.DB.Scan(t.Context(), who.Clinic, each, "SELECT pg_backend_pid() UNION ALL SELECT generate_series(1, 1000000)")
	}
	err := read(func(n int) error {
		if rows++; rows > 1 {
			return nil
		}
		pid = n
		_, err := raw.ExecContext(t.Context(), "SELECT pg_terminate_backend($1)", pid)
		return err
	})
	if !fault.Is(err, fault.Unavailable) || rows > 1_000_000 {
		t.Errorf("after %d rows: %v", rows, err)
	}
	// The controls: another fault stays what it is, and without one all is read.
	broken := errors.New("the reader's own")
	if err := read(func(int) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("a fault of the reader: %v", err)
	}
	rows = 0
	if err := read(func(int) error { rows++; return nil }); err != nil || rows != 1_000_001 {
		t.Errorf("%d rows, %v", rows, err)
	}
}

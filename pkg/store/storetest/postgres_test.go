//go:build unix

package storetest_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/protrack/protrack/pkg/store/storetest"
)

// connect opens a connection that is closed when the test ends.
func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

func exec1(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func query1[T any](t *testing.T, conn *pgx.Conn, sql string) T {
	t.Helper()
	var v T
	if err := conn.QueryRow(t.Context(), sql).Scan(&v); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

func TestDatabasesOfParallelTestsAreTheirOwn(t *testing.T) {
	for i := range 2 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			conn := connect(t, storetest.Postgres(t))
			// A table of the same name would be refused in a shared database.
			exec1(t, conn, "CREATE TABLE mine (n int)")
			exec1(t, conn, fmt.Sprintf("INSERT INTO mine VALUES (%d)", i))
			if got := query1[int](t, conn, "SELECT sum(n)::int FROM mine"); got != i {
				t.Errorf("sum = %d, want %d", got, i)
			}
		})
	}
}

func TestADatabaseGoesWithItsTest(t *testing.T) {
	storetest.Postgres(t) // skips here, not below, where there is no server
	var gone string
	t.Run("a test", func(t *testing.T) {
		gone = storetest.Postgres(t)
		// Left open on purpose: it must not keep the database alive.
		if _, err := pgx.Connect(t.Context(), gone); err != nil {
			t.Fatal(err)
		}
	})
	if _, err := pgx.Connect(t.Context(), gone); err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("connect after the test: %v, want that it does not exist", err)
	}
}

func TestATemplateIsMigratedOnceAndCopied(t *testing.T) {
	storetest.Postgres(t) // skips here, not below, where there is no server
	key := rand.Text()    // new with each -count, for the process remembers templates
	var migrations atomic.Int32
	migrate := func(url string) error {
		migrations.Add(1)
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			return err
		}
		_, err = conn.Exec(t.Context(), "CREATE TABLE clients (n int); INSERT INTO clients VALUES (0)")
		return errors.Join(err, conn.Close(t.Context()))
	}
	t.Run("copies", func(t *testing.T) {
		for i := range 4 {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				begun := time.Now()
				conn := connect(t, storetest.PostgresTemplate(t, key, migrate))
				t.Logf("ready in %v", time.Since(begun))
				exec1(t, conn, "INSERT INTO clients VALUES (1)")
				if got := query1[int](t, conn, "SELECT count(*)::int FROM clients"); got != 2 {
					t.Errorf("%d rows, want the template's and this test's own", got)
				}
			})
		}
	})
	if got := migrations.Load(); got != 1 {
		t.Errorf("migrated %d times, want once", got)
	}
}

func TestOnlyADurableServerSyncs(t *testing.T) {
	for _, c := range []struct {
		durable bool
		fsync   string
	}{{true, "on"}, {false, "off"}} {
		conn := connect(t, storetest.PostgresServer(t, c.durable).URL)
		if got := query1[string](t, conn, "SHOW fsync"); got != c.fsync {
			t.Errorf("durable %t: fsync = %s, want %s", c.durable, got, c.fsync)
		}
		if got := query1[string](t, conn, "SHOW synchronous_commit"); got != "on" {
			t.Errorf("durable %t: synchronous_commit = %s, want on", c.durable, got)
		}
	}
}

func TestCommittedRowsOutliveAKill(t *testing.T) {
	server := storetest.PostgresServer(t, true)
	url := server.Database(t)
	conn := connect(t, url)
	exec1(t, conn, "CREATE TABLE kept (n int)")
	for round := range 3 {
		exec1(t, conn, "INSERT INTO kept VALUES (1)")
		exec1(t, conn, "BEGIN; INSERT INTO kept VALUES (1000)") // never committed
		if err := server.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := conn.Ping(t.Context()); err == nil {
			t.Fatal("a connection outlived the server")
		}
		if _, err := pgx.Connect(t.Context(), url); err == nil {
			t.Fatal("the server takes connections after it was killed")
		}
		if err := server.Restart(); err != nil {
			t.Fatal(err)
		}
		conn = connect(t, url)
		if got := query1[int](t, conn, "SELECT sum(n)::int FROM kept"); got != round+1 {
			t.Errorf("round %d: %d rows, want %d", round, got, round+1)
		}
	}
}

// holder, when set, has the test process be the one of the test below that is
// killed.
const holder = "PROTRACK_STORETEST_HOLDER"

func TestAServerDoesNotOutliveItsProcess(t *testing.T) {
	if os.Getenv(holder) != "" {
		// On one line, where the other process waits for it; then hold still.
		fmt.Println("\nserver " + storetest.PostgresServer(t, false).URL)
		<-t.Context().Done()
		return
	}
	storetest.PostgresServer(t, false) // skips where there is none

	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.timeout=1m")
	cmd.Env = append(os.Environ(), holder+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill() }()
	var server string
	for lines := bufio.NewScanner(out); server == "" && lines.Scan(); {
		server, _ = strings.CutPrefix(lines.Text(), "server ")
		if server == lines.Text() {
			server = ""
		}
	}
	at, err := url.Parse(server)
	if err != nil || server == "" {
		t.Fatalf("the other process started no server: %q, %v", server, err)
	}
	connect(t, server) // it is there, and in use

	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed, as meant
	dir := at.Query().Get("host")
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		_, err := os.Stat(dir)
		if errors.Is(err, os.ErrNotExist) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the server's directory is still there: %v", err)
		}
	}
	if _, err := pgx.Connect(t.Context(), server); err == nil {
		t.Error("the server still takes connections")
	}
}

package main_test

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/store"
	"github.com/protrack/protrack/pkg/store/storetest"
)

// recorded is an audit trail that a server has written: the database, and
// what is kept beside it.
type recorded struct {
	postgres *storetest.Server // nil for SQLite
	database string
	backup   string // a copy from half way
	half     int64  // the backup's last entry
	key      string // file of the signing key
	kept     string // file of checkpoints
	clinic   uuid.UUID
	entries  int64
	acts     *done
}

// Thousands of acts by 16 writers each leave the entry that they should and no
// other, and the chain verifies. Then every way to change it is tried on a copy,
// as somebody would who owns the database and the disk, and the command finds it.
func TestMixedActsByManyWritersVerifyAndEveryTamperingIsFound(t *testing.T) {
	for _, dialect := range []string{"sqlite", "postgres"} {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			r := record(t, dialect)
			t.Run("each act has its entry and no other", r.everyActHasItsEntry)
			t.Run("the command finds nothing wrong", r.isClean)
			t.Run("tampering", r.everyTamperingIsFound)
			t.Run("file", r.everyTamperingOfAFileIsFound)
			if dialect == "sqlite" {
				t.Run("spelling", r.everyRespellingIsFound)
			}
		})
	}
}

func record(t *testing.T, dialect string) *recorded {
	t.Helper()
	dir := t.TempDir()
	r := &recorded{
		database: "sqlite://" + filepath.Join(dir, "protrack.db"), key: filepath.Join(dir, "audit.key"), kept: filepath.Join(dir, "kept.ndjson"),
		acts: &done{actions: map[string]map[string]int{}},
	}
	if dialect == "postgres" {
		r.postgres = storetest.PostgresServer(t, false)
		r.database = r.postgres.Database(t)
	}
	acts := 600
	if long() {
		acts = 10_000
	}
	keys := keyring{admin: adminKey}
	r.served(t, func(base string) {
		keys.app, keys.researcher = r.newKey(t, "app"), r.newKey(t, "researcher")
		perform(t, base, keys, 1, acts/2, r.acts)
	})
	r.half = r.count(t, "SELECT count(*) FROM audit_entries")
	r.backup = r.copied(t, r.database)
	r.served(t, func(base string) { perform(t, base, keys, 2, acts-acts/2, r.acts) })
	r.entries = r.count(t, "SELECT count(*) FROM audit_entries")
	db := behind(t, r.database)
	defer func() { _ = db.Close() }()
	if err := db.QueryRowContext(t.Context(), "SELECT id FROM clinics").Scan(&r.clinic); err != nil {
		t.Fatal(err)
	}
	return r
}

// served runs a server while fn does its work, and ends it in good order.
func (r *recorded) served(t *testing.T, fn func(base string)) {
	t.Helper()
	s := serve(t, r.database, append(r.env(r.database), withKey...), "--key-rate", "100000", "--audit-checkpoints", r.kept)
	fn(s.url())
	status, answer, err := ask(http.DefaultClient, "", "GET", s.url()+"/readyz", nil)
	if err != nil || status != http.StatusOK {
		t.Errorf("after the acts it is ready: %d %s %v", status, answer, err)
	}
	s.terminate()
	if code := s.code(time.Minute); code != 0 {
		t.Fatalf("exit code %d: %s", code, s.err.tail())
	}
}

func (r *recorded) env(database string) []string {
	return []string{"PROTRACK_DATABASE=" + database, "PROTRACK_AUDIT_KEY_FILE=" + r.key}
}

func (r *recorded) newKey(t *testing.T, role string) string {
	t.Helper()
	return strings.TrimSpace(command(t, r.env(r.database), "keys", "create", "--name", role, "--role", role).want(t).out)
}

// verify runs the command.
func (r *recorded) verify(t *testing.T, database string, args ...string) result {
	t.Helper()
	return command(t, r.env(database), append([]string{"audit", "verify"}, args...)...)
}

func (r *recorded) count(t *testing.T, query string) (n int64) {
	t.Helper()
	db := behind(t, r.database)
	defer func() { _ = db.Close() }() // PostgreSQL copies nothing that somebody is connected to
	if err := db.QueryRowContext(context.Background(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// copied copies a database to which nobody is connected.
func (r *recorded) copied(t *testing.T, from string) string {
	t.Helper()
	if r.postgres != nil {
		return r.postgres.Copy(t, from)
	}
	to := "sqlite://" + filepath.Join(t.TempDir(), "copy.db")
	for _, end := range []string{"", "-wal"} {
		text, err := os.ReadFile(strings.TrimPrefix(from, "sqlite://") + end)
		if os.IsNotExist(err) && end != "" {
			continue
		}
		if err == nil {
			err = os.WriteFile(strings.TrimPrefix(to, "sqlite://")+end, text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return to
}

func (r *recorded) everyActHasItsEntry(t *testing.T) {
	db := behind(t, r.database)
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(t.Context(), "SELECT request, action FROM audit_entries ORDER BY seq")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	wrong, got, want := 0, map[string]map[string]int{}, map[string]int{}
	for request, actions := range r.acts.actions {
		got[request] = map[string]int{}
		for action, n := range actions {
			want[action] += n
		}
	}
	for rows.Next() {
		var request, action string
		if err := rows.Scan(&request, &action); err != nil {
			t.Fatal(err)
		}
		if request == "" {
			continue // the command line's
		}
		if got[request] == nil {
			t.Fatalf("an entry %q of a request that nobody sent", action)
		}
		got[request][action]++
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for request, actions := range r.acts.actions {
		if diff := cmp.Diff(actions, got[request]); diff != "" {
			if wrong++; wrong < 10 {
				t.Errorf("request %s left other entries:\n%s", request, diff)
			}
		}
	}
	if wrong > 0 || len(want) < 12 {
		t.Errorf("%d requests left other entries; these should be there: %v", wrong, want)
	}
}

// isClean is the control of every test that finds something.
func (r *recorded) isClean(t *testing.T) {
	says := fmt.Sprintf("The audit trail is as it was written; signed checkpoints say so up to entry %d.\n", r.entries)
	for _, args := range [][]string{nil, {"--checkpoints", r.kept}} {
		got := r.verify(t, r.copied(t, r.database), args...)
		if got.code != 0 || !strings.HasSuffix(got.out, says) || !strings.Contains(got.out, fmt.Sprintf("entries      %d\n", r.entries)) ||
			!strings.Contains(got.out, "unsealed     0\n") {
			t.Errorf("%v: exit code %d: %s%s", args, got.code, got.out, got.err)
		}
	}
}

// opened opens a database through the program's own store.
func opened(t *testing.T, database string) *store.DB {
	t.Helper()
	db, err := store.Open(context.Background(), store.Config{URL: database, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// sealedOf reads a whole chain.
func sealedOf(t *testing.T, database string, clinic uuid.UUID) (chain []audit.Sealed, checkpoints []string) {
	t.Helper()
	db := opened(t, database)
	defer func() { _ = db.Close() }()
	err := db.Chain(context.Background(), clinic, func(c store.Chain) error {
		checkpoints = c.Checkpoints
		for s, err := range c.Entries {
			if err != nil {
				return err
			}
			chain = append(chain, s)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return chain, checkpoints
}

// mustExec runs statements as whoever owns the database.
func mustExec(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := db.ExecContext(context.Background(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

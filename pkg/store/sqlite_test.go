//go:build unix

package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/store"
	"github.com/protrack/protrack/pkg/store/storetest"
)

// pragmasOf asks a connection for its settings.
func pragmasOf(t *testing.T, conn *sql.Conn) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, name := range []string{
		"busy_timeout", "journal_mode", "synchronous", "foreign_keys", "trusted_schema", "secure_delete", "recursive_triggers", "query_only",
	} {
		var value string
		if err := conn.QueryRowContext(t.Context(), "PRAGMA "+name).Scan(&value); err != nil {
			t.Fatal(err)
		}
		out[name] = value
	}
	return out
}

func TestEveryConnectionToSQLiteHasTheSettings(t *testing.T) {
	d := storetest.SQLite(t)
	read, write := d.Pools()
	if read == write {
		t.Fatal("readers and the writer share a pool")
	}
	if n := write.Stats().MaxOpenConnections; n != 1 {
		t.Errorf("%d connections may write", n)
	}
	want := map[string]string{
		"busy_timeout": "10000", "journal_mode": "wal", "synchronous": "2", "foreign_keys": "1",
		"trusted_schema": "0", "secure_delete": "1", "recursive_triggers": "1", "query_only": "0",
	}
	take := func(pool *sql.DB) *sql.Conn {
		conn, err := pool.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	if diff := cmp.Diff(want, pragmasOf(t, take(write))); diff != "" {
		t.Errorf("the writer:\n%s", diff)
	}
	want["query_only"] = "1"
	read.SetMaxOpenConns(8)
	for i := range 8 { // all at once, so that each is another connection
		conn := take(read)
		if diff := cmp.Diff(want, pragmasOf(t, conn)); diff != "" {
			t.Errorf("reader %d:\n%s", i, diff)
		}
		if _, err := conn.ExecContext(t.Context(), "DELETE FROM clinics"); err == nil {
			t.Errorf("reader %d writes", i)
		}
	}
	// The control: a connection that nobody prepared has other settings.
	raw, err := sql.Open("sqlite3", "file:"+strings.TrimPrefix(d.URL, "sqlite://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = raw.Close() }()
	if got := pragmasOf(t, take(raw)); got["secure_delete"] == "1" && got["query_only"] == "1" {
		t.Errorf("any connection has the settings: %v", got)
	}
}

func TestSQLiteIsNewEnoughAndItsFileIsPrivate(t *testing.T) {
	d := storetest.SQLite(t)
	newVictim(t, d)
	var version string
	if err := d.Raw(t).QueryRowContext(t.Context(), "SELECT sqlite_version()").Scan(&version); err != nil {
		t.Fatal(err)
	}
	var v [3]int
	if _, err := fmt.Sscanf(version, "%d.%d.%d", &v[0], &v[1], &v[2]); err != nil {
		t.Fatal(err)
	}
	if v[0] < 3 || v[0] == 3 && (v[1] < 51 || v[1] == 51 && v[2] < 3) {
		t.Errorf("SQLite %s can corrupt its log", version)
	}
	path := strings.TrimPrefix(d.URL, "sqlite://")
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", info.Name(), info.Mode())
		}
	}
}

func TestOptionsInTheURLAreRefused(t *testing.T) {
	for _, url := range []string{
		"", "protrack.db", "file:protrack.db", "mysql://x", "sqlite://", "sqlite://" + t.TempDir() + "/x.db?mode=ro",
		"sqlite://" + t.TempDir() + "/x.db#y", "postgres://%zz",
	} {
		d, err := store.Open(t.Context(), store.Config{URL: url, Log: slog.New(slog.DiscardHandler)})
		if err == nil {
			_ = d.Close()
			t.Errorf("%q was opened", url)
		}
	}
}

// counting is a file system that counts how often SQLite asks for a file to be
// on the disk.
type counting struct {
	vfs.VFS
	syncs atomic.Int64
}

func (c *counting) Open(name string, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	file, flags, err := vfsutil.WrapOpen(c.VFS, name, flags)
	return countingFile{file, c}, flags, err
}

func (c *counting) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	file, flags, err := vfsutil.WrapOpenFilename(c.VFS, name, flags)
	return countingFile{file, c}, flags, err
}

type countingFile struct {
	vfs.File
	by *counting
}

func (f countingFile) Sync(flags vfs.SyncFlag) error {
	f.by.syncs.Add(1)
	return f.File.Sync(flags)
}

// SharedMemory is what makes a write-ahead log possible.
func (f countingFile) SharedMemory() vfs.SharedMemory { return vfsutil.WrapSharedMemory(f.File) }

func (f countingFile) LockState() vfs.LockLevel { return vfsutil.WrapLockState(f.File) }

func TestEveryCommitIsOnTheDiskBeforeItIsAcknowledged(t *testing.T) {
	count := &counting{VFS: vfs.Find("")}
	vfs.Register("counting", count)
	t.Cleanup(func() { vfs.Unregister("counting") })
	url := storetest.SQLiteURL(t)
	db, err := store.Open(t.Context(), store.Config{URL: url, Log: slog.New(slog.DiscardHandler), VFS: "counting"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := (&storetest.Database{DB: &storetest.DB{DB: db}, Dialect: "sqlite", URL: url, Statements: &storetest.Statements{}}).Clinic(t)
	commits := storetest.Size(100, 1000)
	before := count.syncs.Load()
	for i := range commits {
		acknowledged := count.syncs.Load()
		c.Insert(t, c.NewClient(fmt.Sprint("P-", i)))
		if count.syncs.Load() == acknowledged {
			t.Fatalf("commit %d was acknowledged without a sync", i)
		}
	}
	if got := count.syncs.Load() - before; got < int64(commits) {
		t.Errorf("%d commits and %d syncs", commits, got)
	}

	// The control: the same on a connection that does not wait for the disk.
	raw, err := sql.Open("sqlite3", "file:"+strings.TrimPrefix(url, "sqlite://")+"?vfs=counting&_pragma=busy_timeout(10000)&_pragma=synchronous(off)")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = raw.Close() }()
	before = count.syncs.Load()
	for i := range commits {
		if _, err := raw.ExecContext(t.Context(), "INSERT INTO clinics (id, slug, created_at) VALUES (?, ?, 0)", fmt.Sprint(i), fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	if got := count.syncs.Load() - before; got > int64(commits)/10 {
		t.Errorf("%d syncs without synchronous: they are not counted right", got)
	}
}

func TestASlowExportDoesNotKeepWritersWaiting(t *testing.T) {
	d := storetest.SQLite(t)
	c := d.Clinic(t)
	for i := range 20 {
		c.Insert(t, c.NewClient(fmt.Sprint("P-", i)))
	}
	read, write := d.Pools()
	export, err := read.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = export.Rollback() }()
	rows, err := export.QueryContext(t.Context(), "SELECT reference FROM client_versions")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	rows.Next() // and the receiver stops reading
	insert := func(reference string, patience time.Duration) error {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		return c.DB.Write(ctx, c.Who, func(tx care.Tx) error {
			_, err := tx.InsertClient(ctx, c.Who, c.NewClient(reference))
			return err
		})
	}
	if err := insert("while it is open", 5*time.Second); err != nil {
		t.Errorf("a write beside an open export: %v", err)
	}
	seen := 1
	for rows.Next() {
		seen++
	}
	if err := rows.Err(); err != nil || seen != 20 {
		t.Errorf("the export has %d rows instead of the 20 of its start (%v)", seen, err)
	}
	// The control: who holds the writer does keep others waiting.
	holder, err := write.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = holder.Rollback() }()
	if err := insert("while it is held", 200*time.Millisecond); err == nil {
		t.Error("two wrote at once")
	}
}

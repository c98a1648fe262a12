package main_test

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
)

// tampering is one way to change what was recorded.
type tampering struct {
	do   func(f *forger)
	kind string
	seq  int64 // the entry that is named
	// kept: what is in the database agrees with itself, and the checkpoints that
	// are kept elsewhere show the change.
	kept bool
}

// forger has a copy of a database, owns it, and has done away with the triggers.
type forger struct {
	*recorded
	t        *testing.T
	database string
	db       *sql.DB
	n        int64 // the last entry
	one      int64 // an amendment, behind the middle
	several  int64 // a list of clients
}

func (r *recorded) forger(t *testing.T) *forger {
	t.Helper()
	f := &forger{recorded: r, t: t, database: r.copied(t, r.database), n: r.entries}
	f.db = behind(t, f.database)
	f.db.SetMaxOpenConns(1)
	// A few are before it and behind it, and it is not the last that is signed.
	f.one = f.number("SELECT min(seq) FROM audit_entries WHERE action = 'assessment.amend' AND seq > %d", f.half+5)
	f.several = f.number("SELECT min(e.seq) FROM audit_entries e JOIN audit_subjects s ON s.entry_id = e.id WHERE e.seq > %d", f.half+5)
	if r.postgres == nil {
		for _, name := range []string{
			"audit_entries_kept", "audit_entries_once", "audit_entries_stay", "audit_subjects_kept", "audit_subjects_stay",
			"audit_checkpoints_kept", "audit_checkpoints_stay",
		} {
			f.exec("DROP TRIGGER %s", name)
		}
		return f
	}
	for _, table := range []string{"audit_entries", "audit_subjects", "audit_checkpoints"} {
		f.exec("DROP TRIGGER %[1]s_kept ON %[1]s", table)
	}
	return f
}

func (f *forger) exec(format string, args ...any) {
	f.t.Helper()
	mustExec(f.t, f.db, fmt.Sprintf(format, args...))
}

func (f *forger) number(format string, args ...any) (n int64) {
	f.t.Helper()
	query := fmt.Sprintf(format, args...)
	if err := f.db.QueryRowContext(context.Background(), query).Scan(&n); err != nil {
		f.t.Fatalf("%s: %v", query, err)
	}
	return n
}

// setBack makes an earlier entry the last, as far as the database knows.
func (f *forger) setBack(seq int64) {
	f.exec("UPDATE audit_heads SET seq = %d, hash = (SELECT hash FROM audit_entries WHERE seq = %[1]d)", seq)
	f.exec("DELETE FROM audit_checkpoints WHERE seq > %d", seq)
}

// relink changes the address in an entry and computes all hashes from there on
// anew, as the program would have. It gives the new head.
func (f *forger) relink() audit.Head {
	chain, _ := sealedOf(f.t, f.database, f.clinic)
	before := chain[f.one-2]
	var entries []audit.Entry
	for _, s := range chain[f.one-1:] {
		entries = append(entries, s.Entry)
	}
	entries[0].Address = "203.0.113.9"
	forged, head := audit.Head{Clinic: f.clinic, Seq: before.Seq, Hash: before.Hash}.Link(entries, time.Now())
	f.exec("UPDATE audit_entries SET address = '203.0.113.9' WHERE seq = %d", f.one)
	tx, err := f.db.BeginTx(context.Background(), nil)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, s := range forged {
		if _, err := tx.ExecContext(context.Background(), fmt.Sprintf("UPDATE audit_entries SET hash = %s WHERE clinic_id = '%s' AND seq = %d", f.bytes(s.Hash), f.clinic, s.Seq)); err != nil {
			f.t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		f.t.Fatal(err)
	}
	f.exec("UPDATE audit_heads SET hash = %s", f.bytes(head.Hash))
	return head
}

func (f *forger) bytes(hash [32]byte) string {
	if f.postgres == nil {
		return fmt.Sprintf("X'%x'", hash)
	}
	return fmt.Sprintf(`'\x%x'::bytea`, hash)
}

// seals has the program seal what waits.
func (f *forger) seals() {
	db := opened(f.t, f.database)
	defer func() { _ = db.Close() }()
	if err := (&audit.Sealer{Ledger: db}).Pass(context.Background()); err != nil {
		f.t.Fatal(err)
	}
}

// restore goes back to the backup.
func (f *forger) restore() {
	_ = f.db.Close()
	f.database = f.copied(f.t, f.backup)
}

// goOn writes entries until there are as many as were before, and more.
func (f *forger) goOn() {
	db := opened(f.t, f.database)
	defer func() { _ = db.Close() }()
	who := auth.System(f.clinic)
	err := db.Write(context.Background(), who, func(tx care.Tx) error {
		for range f.n - f.half + 5 {
			e := who.Did("client.read", "client", uuid.New())
			e.ID, e.At = uuid.New(), time.Now().UTC().Truncate(time.Microsecond)
			tx.Note(e)
		}
		return nil
	})
	if err != nil {
		f.t.Fatal(err)
	}
	f.seals()
}

// signAs signs the present end with another key, in the place of every checkpoint.
func (f *forger) signAs(head audit.Head) {
	private, _, err := audit.NewKey("protrack")
	if err != nil {
		f.t.Fatal(err)
	}
	signer, err := private.Signer()
	if err != nil {
		f.t.Fatal(err)
	}
	text, err := audit.Sign(signer, head, time.Now())
	if err != nil {
		f.t.Fatal(err)
	}
	f.exec("DELETE FROM audit_checkpoints WHERE seq < %d", head.Seq)
	f.exec("UPDATE audit_checkpoints SET note = '%s'", text)
}

// alterations give an entry another value in each column.
func (f *forger) alterations() map[string]tampering {
	id := uuid.NewString()
	later := "at + 1"
	if f.postgres != nil {
		later = "at + interval '1 microsecond'"
	}
	out := map[string]tampering{}
	for column, value := range map[string]string{
		"id": "'" + id + "'", "at": later, "actor": "'" + id + "'", "actor_kind": "'system'", "role": "'owner'", "address": "'203.0.113.9'",
		"request": "'another'", "action": "'client.read'", "outcome": "'refused'", "target": "'course'", "target_id": "'" + id + "'",
		"client_id": "'" + id + "'", "client_id to none": "NULL", "details": "'{}'", "details to what is not read": "replace(details, 'changes', 'changed')",
		"details by a blank": "details || ' '", "hash": "(SELECT hash FROM audit_entries WHERE seq = 1)", "hash to none": "NULL",
	} {
		name, _, _ := strings.Cut(column, " ")
		out["altered: "+column] = tampering{func(f *forger) {
			f.exec("UPDATE audit_entries SET %s = %s WHERE seq = %d", name, value, f.one)
		}, "ALTERED", f.one, false}
	}
	return out
}

// tamperings are all that are tried.
func (f *forger) tamperings() map[string]tampering {
	all := f.alterations()
	maps.Copy(all, f.moves())
	maps.Copy(all, f.rewrites())
	return all
}

// moves take entries out, put them in, and have them change their places.
func (f *forger) moves() map[string]tampering {
	one, n := f.one, f.n
	remove := func(from, to int64) func(*forger) {
		return func(f *forger) { f.exec("DELETE FROM audit_entries WHERE seq BETWEEN %d AND %d", from, to) }
	}
	swap := func(columns ...string) func(*forger) {
		return func(f *forger) {
			f.exec("CREATE TABLE moved AS SELECT id, seq, hash FROM audit_entries WHERE seq IN (%d, %d)", one, one+2)
			f.exec("UPDATE audit_entries SET seq = -seq WHERE seq IN (%d, %d)", one, one+2)
			for _, c := range columns {
				f.exec("UPDATE audit_entries SET %s = (SELECT %[1]s FROM moved WHERE moved.id <> audit_entries.id) WHERE id IN (SELECT id FROM moved)", c)
			}
			f.exec("DROP TABLE moved")
		}
	}
	return map[string]tampering{
		"removed: one":       {remove(one, one), "REMOVED", one, false},
		"removed: three":     {remove(one, one+2), "REMOVED", one, false},
		"removed: the first": {remove(1, 1), "REMOVED", 1, false},
		"reordered: two entries with their hashes":    {swap("seq"), "REORDERED", one, false},
		"reordered: two entries without their hashes": {swap("seq", "hash"), "REORDERED", one, false},
		"truncated: the last three":                   {remove(n-2, n), "TRUNCATED", n - 2, false},
		"truncated: the last three and the head": {func(f *forger) {
			remove(n-2, n)(f)
			f.setBack(n - 3)
		}, "TRUNCATED", n - 2, true},
		"truncated: all": {func(f *forger) {
			remove(1, n)(f)
			f.exec("DELETE FROM audit_heads")
			f.exec("DELETE FROM audit_checkpoints")
		}, "TRUNCATED", 1, true},
		"re-inserted at the end": {func(f *forger) {
			f.exec("UPDATE audit_entries SET seq = %d WHERE seq = %d", n+1, one)
			f.exec("UPDATE audit_heads SET seq = %d", n+1)
		}, "REMOVED", one, false},
		"re-inserted where no number is": {func(f *forger) { f.exec("UPDATE audit_entries SET seq = -5 WHERE seq = %d", one) }, "INSERTED", -5, false},
		"re-inserted, and sealed again": {func(f *forger) {
			f.exec("UPDATE audit_entries SET seq = NULL, hash = NULL WHERE seq = %d", one)
			f.seals()
		}, "REMOVED", one, false},
		"clients: one of them is gone": {func(f *forger) {
			f.exec(`DELETE FROM audit_subjects WHERE (entry_id, client_id) IN (SELECT entry_id, client_id FROM audit_subjects
				WHERE entry_id = (SELECT id FROM audit_entries WHERE seq = %d) ORDER BY client_id LIMIT 1)`, f.several)
		}, "CLIENTS", f.several, false},
		"clients: another comes in": {func(f *forger) {
			f.exec("INSERT INTO audit_subjects (clinic_id, client_id, entry_id) SELECT clinic_id, '%s', id FROM audit_entries WHERE seq = %d", uuid.NewString(), one)
		}, "CLIENTS", one, false},
	}
}

// rewrites leave a chain that agrees with itself.
func (f *forger) rewrites() map[string]tampering {
	signed := f.number("SELECT min(seq) FROM audit_checkpoints WHERE seq >= %d", f.one)
	return map[string]tampering{
		"relinked": {func(f *forger) { f.relink() }, "CHECKPOINT", signed, false},
		"relinked, without the checkpoints": {func(f *forger) {
			f.relink()
			f.exec("DELETE FROM audit_checkpoints")
		}, "CHECKPOINT", signed, true},
		"relinked, and signed with another key": {func(f *forger) { f.signAs(f.relink()) }, "CHECKPOINT", f.n, false},
		"an old backup":                         {(*forger).restore, "TRUNCATED", f.half + 1, true},
		"an old backup that has grown since":    {func(f *forger) { f.restore(); f.goOn() }, "CHECKPOINT", f.n, true},
	}
}

func (r *recorded) everyTamperingIsFound(t *testing.T) {
	all := r.forger(t).tamperings()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		t.Run(name, func(t *testing.T) {
			c, f := all[name], r.forger(t)
			c.do(f)
			_ = f.db.Close()
			var args []string
			if c.kept {
				// The control: nothing else shows it.
				if got := r.verify(t, f.database); got.code != 0 {
					t.Errorf("without the checkpoints that were kept: exit code %d: %s%s", got.code, got.out, got.err)
				}
				args = []string{"--checkpoints", r.kept}
			}
			found(t, r.verify(t, f.database, args...), c.kind, c.seq)
		})
	}
}

// found fails the test unless the command says what was done to which entry.
func found(t *testing.T, got result, kind string, seq int64) {
	t.Helper()
	line := fmt.Sprintf("\n%-12s entry %d: ", kind, seq)
	if got.code != 1 || !strings.Contains(got.out, line) || !strings.Contains(got.err, "the audit trail is not as it was written") ||
		strings.Contains(got.out, "agrees with itself") || strings.Contains(got.out, "The audit trail is as") {
		t.Errorf("exit code %d, and not %q: %s%s", got.code, strings.TrimSpace(line), got.out, got.err)
	}
}

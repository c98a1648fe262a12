package main_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
)

// respellings write an id in another way that reads as the same one.
var respellings = map[string]string{
	"in capitals": "upper(%s)", "without hyphens": "replace(%s, '-', '')", "in braces": "'{' || %s || '}'", "as a URN": "'urn:uuid:' || %s",
}

// respelt are the entries in which one id is written otherwise. PostgreSQL has
// one way to write an id.
func (f *forger) respelt() map[string]tampering {
	out := map[string]tampering{}
	for spelling, as := range respellings {
		for _, column := range []string{"id", "actor", "client_id", "target_id"} {
			out[column+" "+spelling] = tampering{func(f *forger) {
				f.exec("UPDATE audit_entries SET %s = %s WHERE seq = %d", column, fmt.Sprintf(as, column), f.one)
			}, "ALTERED", f.one, false}
		}
		out["client_id of a list "+spelling] = tampering{func(f *forger) { f.respellSubjects("client_id", as) }, "ALTERED", f.several, false}
		out["entry_id of a list "+spelling] = tampering{func(f *forger) { f.respellSubjects("entry_id", as) }, "CLIENTS", f.several, false}
	}
	for _, column := range []string{"client_id", "target_id"} {
		empty := f.number("SELECT min(seq) FROM audit_entries WHERE %s IS NULL AND seq > %d", column, f.half)
		out["zeros for no "+column] = tampering{func(f *forger) {
			f.exec("UPDATE audit_entries SET %s = '00000000-0000-0000-0000-000000000000' WHERE seq = %d", column, empty)
		}, "ALTERED", empty, false}
	}
	return out
}

func (f *forger) respellSubjects(column, as string) {
	f.exec("UPDATE audit_subjects SET %s = %s WHERE entry_id = (SELECT id FROM audit_entries WHERE seq = %d)", column, fmt.Sprintf(as, column), f.several)
}

func (r *recorded) everyRespellingIsFound(t *testing.T) {
	all := r.forger(t).respelt()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		t.Run(name, func(t *testing.T) {
			c, f := all[name], r.forger(t)
			f.exec("PRAGMA foreign_keys = off")
			// The control: the ids as they were, written once more.
			for _, column := range []string{"id", "actor", "client_id", "target_id"} {
				f.exec("UPDATE audit_entries SET %s = lower(%[1]s) WHERE seq = %d", column, f.one)
			}
			f.respellSubjects("client_id", "lower(%s)")
			if got := r.verify(t, f.database); got.code != 0 {
				t.Fatalf("the ids as they were: exit code %d: %s%s", got.code, got.out, got.err)
			}
			c.do(f)
			_ = f.db.Close()
			found(t, r.verify(t, f.database), c.kind, c.seq)
		})
	}
}

package main_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/protrack/protrack/pkg/store/storetest"
)

func TestAnExportOfTheTrailIsAnEntryOfTheTrail(t *testing.T) {
	databases(t, func(t *testing.T, database string, _ *storetest.Server) {
		env := []string{"PROTRACK_DATABASE=" + database}
		s := serve(t, database, withKey)
		exports := func() (n int) {
			db := behind(t, database)
			defer func() { _ = db.Close() }()
			err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM audit_entries WHERE action = 'audit.export' AND outcome = 'done' AND actor_kind = 'operator'").Scan(&n)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		// The control: a verification shows no entry to anybody.
		command(t, env, "audit", "verify").want(t)
		if n := exports(); n != 0 {
			t.Errorf("%d entries before any export", n)
		}
		command(t, env, "audit", "export", "--out", filepath.Join(t.TempDir(), "trail.ndjson")).want(t)
		command(t, env, "audit", "export", "--out", "-").want(t)
		if n := exports(); n != 2 {
			t.Errorf("two exports leave %d entries", n)
		}
		// Where the entry cannot be left, nothing is exported.
		stop(t, s)
		db := behind(t, database)
		trigger := "CREATE TRIGGER refused BEFORE INSERT ON audit_entries BEGIN SELECT RAISE(ABORT, 'refused'); END"
		if _, isFile := strings.CutPrefix(database, "sqlite://"); !isFile {
			mustExec(t, db, "CREATE FUNCTION refused() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$")
			trigger = "CREATE TRIGGER refused BEFORE INSERT ON audit_entries FOR EACH ROW EXECUTE FUNCTION refused()"
		}
		mustExec(t, db, trigger)
		if got := command(t, env, "audit", "export", "--out", "-"); got.code == 0 || strings.Contains(got.out, `"entry"`) {
			t.Errorf("without the entry: exit code %d: %s", got.code, got.out)
		}
	})
}

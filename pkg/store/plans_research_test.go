package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/export"
	"github.com/protrack/protrack/pkg/research"
	"github.com/protrack/protrack/pkg/store"
	"github.com/protrack/protrack/pkg/store/storetest"
)

// useResearch reads a clinic for research in every way, and keeps one of
// everything.
func useResearch(ctx context.Context, t *testing.T, db *store.DB, who auth.Principal, client uuid.UUID) {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Microsecond)
	cohort := research.Cohort{ID: uuid.New(), Name: "all", CreatedAt: now, CreatedBy: who.Actor}
	snapshot := research.Snapshot{
		ID: uuid.New(), Name: "all", AsOf: now, Manifest: []byte("{}"), Signature: []byte("s"), Seal: "s", CreatedAt: now, CreatedBy: who.Actor,
		Frozen: research.Frozen{Request: research.Request{Table: research.Clients, Format: export.CSV, Profile: research.Limited}},
	}
	must(t, db.Settle(ctx, who))
	must(t, db.Conduct(ctx, who, func(tx research.Tx) error {
		e := who.Did("test.act", "", uuid.Nil)
		e.ID, e.At = uuid.New(), now
		tx.Note(e)
		for range 2 {
			_, err := tx.InsertProject(ctx, who, research.Project{Name: "p", Secret: []byte("s"), CreatedAt: now, CreatedBy: who.Actor})
			must(t, err)
			_, err = tx.InsertCohort(ctx, who, cohort)
			must(t, err)
			_, err = tx.InsertSnapshot(ctx, who, snapshot, []uuid.UUID{client})
			must(t, err)
		}
		for was := range 2 {
			_, err := tx.PutRelease(ctx, who, research.Release{Measure: "m", Answers: was + 1, Ledger: []byte("l"), At: now}, was)
			must(t, err)
		}
		return nil
	}))
	must(t, db.Study(ctx, who, func(r research.Reader) error {
		findStudied(ctx, t, r, who, cohort.ID, snapshot.ID)
		for _, asOf := range []*time.Time{nil, &now} {
			readHistories(ctx, t, r, who, asOf)
			_, err := r.InstrumentsAt(ctx, who, nil, asOf)
			must(t, err)
			_, err = r.Changes(ctx, who, now, asOf)
			must(t, err)
		}
		return nil
	}))
}

// TestAnIncrementIsReadByWhenThingsWereRecorded shows that no version is looked
// at which is older than the increment.
func TestAnIncrementIsReadByWhenThingsWereRecorded(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "plans.db")
		statements := statementsOfTheServices(t, "sqlite://"+path, nil)
		db := openDriver(t, "sqlite3", "file:"+path)
		readByIndex(t, db, statements, regexp.MustCompile(`INDEX (\w+)_recorded \(clinic_id=\? AND recorded_at>`), func(s string) []string { return sqliteSteps(t, db, s) })
	})
	t.Run("postgres", func(t *testing.T) {
		url := storetest.Postgres(t)
		statements := statementsOfTheServices(t, url, nil)
		db := openDriver(t, "pgx", url)
		// PostgreSQL weighs the rows that there are: each table gets more of its own.
		_, err := db.Exec("SET session_replication_role = replica")
		must(t, err)
		for _, table := range versioned {
			_, err := db.Exec(fmt.Sprintf(`INSERT INTO %[1]s SELECT (jsonb_populate_record(v, jsonb_build_object(
				'version', n, 'superseded_at', now(), 'recorded_at', now() - n * interval '1 hour'))).*
				FROM %[1]s v, generate_series(100, 5000) n WHERE v.ctid = (SELECT min(ctid) FROM %[1]s)`, table))
			must(t, err)
			_, err = db.Exec("ANALYZE " + table)
			must(t, err)
		}
		readByIndex(t, db, statements, regexp.MustCompile(`(\w+)_recorded\b[\s\S]*Index Cond: \(\(clinic_id = \$1\) AND \(recorded_at >`), func(s string) []string { return postgresSteps(t, db, s) })
	})
}

// versioned are the tables that an increment is found in.
var versioned = []string{"client_versions", "course_versions", "session_versions", "assessment_versions"}

// readByIndex fails the test where a statement that finds an increment is not
// planned as it should be; the first group of want is the table.
func readByIndex(t *testing.T, db *sql.DB, statements []string, want *regexp.Regexp, steps func(string) []string) {
	t.Helper()
	read := func() map[string]int {
		seen := map[string]int{}
		for _, s := range statements {
			if !strings.Contains(s, "DISTINCT") || !strings.Contains(s, "recorded_at >=") {
				continue
			}
			plan := strings.Join(steps(s), "\n")
			t.Logf("%s\n%s", s, plan)
			if m := want.FindStringSubmatch(plan); m != nil && strings.Contains(s, m[1]) {
				seen[m[1]]++
			}
		}
		return seen
	}
	all := map[string]int{}
	for _, table := range versioned {
		all[table] = 2 // up to now, and up to a time
	}
	if d := cmp.Diff(all, read()); d != "" {
		t.Errorf("statements that read what was recorded since (-want +got):\n%s", d)
	}
	_, err := db.Exec("DROP INDEX assessment_versions_recorded") // the control: it is the index that does it
	must(t, err)
	delete(all, "assessment_versions")
	if d := cmp.Diff(all, read()); d != "" {
		t.Errorf("without an index (-want +got):\n%s", d)
	}
}

// findStudied looks for everything that research keeps.
func findStudied(ctx context.Context, t *testing.T, r research.Reader, who auth.Principal, cohort, snapshot uuid.UUID) {
	t.Helper()
	_, err := r.Project(ctx, who, "p")
	must(t, err)
	_, err = r.Cohort(ctx, who, cohort)
	must(t, err)
	_, err = r.Snapshot(ctx, who, snapshot)
	must(t, err)
	_, err = r.SnapshotNamed(ctx, who, "all")
	must(t, err)
	_, err = r.SnapshotMembers(ctx, who, snapshot)
	must(t, err)
	_, err = r.Releases(ctx, who, []string{"m", "n"})
	must(t, err)
	_, err = r.InstrumentsInUse(ctx, who, nil)
	must(t, err)
	for _, page := range []care.Page{{Limit: 10}, {Limit: 10, After: care.Position{Text: "a", ID: snapshot}}} {
		_, err = r.Cohorts(ctx, who, page)
		must(t, err)
		_, err = r.Snapshots(ctx, who, page)
		must(t, err)
	}
}

// readHistories reads everybody by every kind of query.
func readHistories(ctx context.Context, t *testing.T, r research.Reader, who auth.Principal, asOf *time.Time) {
	t.Helper()
	people, err := r.People(ctx, who, asOf)
	must(t, err)
	for _, q := range []research.HistoryQuery{
		{Answers: true}, {Instruments: []string{"phq-9"}, Item9: true}, {SkipForms: true},
		{Names: true}, {Instruments: []string{"phq-9", "gad-7"}, Retracted: true, Answers: true},
	} {
		q.AsOf = asOf
		for _, err := range r.Histories(ctx, who, people, q) {
			must(t, err)
		}
	}
}

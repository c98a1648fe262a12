package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/export"
	"github.com/protrack/protrack/pkg/research"
	"github.com/protrack/protrack/pkg/store"
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

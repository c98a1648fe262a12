//go:build unix

package store_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/export"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/research"
	"github.com/protrack/protrack/pkg/store/storetest"
)

// studied is what research has left in a clinic.
type studied struct {
	project  research.Project
	cohort   research.Cohort
	snapshot research.Snapshot
	release  research.Release
}

// study stores one of everything that research keeps.
func (v victim) study(t *testing.T) studied {
	t.Helper()
	s := studied{
		project: research.Project{Name: "trial", Secret: []byte(storetest.NewID().String()), CreatedAt: storetest.When, CreatedBy: v.Who.Actor},
		cohort:  v.NewCohort("everybody"),
		release: research.Release{Measure: "people", Answers: 1, Ledger: []byte("ledger"), At: storetest.When},
		snapshot: research.Snapshot{
			ID: storetest.NewID(), Name: "paper", AsOf: storetest.When, CreatedAt: storetest.When, CreatedBy: v.Who.Actor,
			Manifest: []byte("manifest"), Signature: []byte("signature"), Seal: "seal",
			Frozen: research.Frozen{Request: research.Request{Table: research.Assessments, Format: export.CSV, Profile: research.Deidentified}},
		},
	}
	err := v.Conduct(t.Context(), v.Who, func(tx research.Tx) error {
		exported := storetest.Entry(v.Who)
		exported.Action = "clients.export"
		tx.Note(exported.WithClients([]uuid.UUID{v.client.ID}))
		_, project := tx.InsertProject(t.Context(), v.Who, s.project)
		_, cohort := tx.InsertCohort(t.Context(), v.Who, s.cohort)
		_, release := tx.PutRelease(t.Context(), v.Who, s.release, 0)
		answer := tx.PutAnswer(t.Context(), v.Who, research.Answered{Question: []byte(s.release.Measure), AsOf: s.release.At})
		_, snapshot := tx.InsertSnapshot(t.Context(), v.Who, s.snapshot, []uuid.UUID{v.client.ID})
		return errors.Join(project, cohort, release, answer, snapshot)
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// attemptsOnResearch are those on what research reads and keeps.
var attemptsOnResearch = map[string]attempt{
	"People": {empty, func(ctx context.Context, db everything, who auth.Principal, _ victim) (any, error) {
		return db.People(ctx, who, nil)
	}},
	"Known": {empty, func(ctx context.Context, db everything, who auth.Principal, _ victim) (any, error) {
		return db.Known(ctx, who, nil)
	}},
	"Histories": {empty, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		var all []research.History
		people := []research.Person{{ID: v.client.ID, Records: []uuid.UUID{v.client.ID, v.merge.Duplicate}}}
		for h, err := range db.Histories(ctx, who, people, research.HistoryQuery{Answers: true, Names: true, Retracted: true}) {
			if err != nil {
				return all, err
			}
			all = append(all, h)
		}
		return all, nil
	}},
	"InstrumentsInUse": {empty, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.InstrumentsInUse(ctx, who, map[uuid.UUID]bool{v.client.ID: true})
	}},
	"InstrumentsAt": {empty, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.InstrumentsAt(ctx, who, map[uuid.UUID]bool{v.client.ID: true}, new(storetest.When.Add(time.Hour)))
	}},
	"ExportedAt": {empty, func(ctx context.Context, db everything, who auth.Principal, _ victim) (any, error) {
		if found, err := db.ExportedAt(ctx, who, storetest.When, []string{"clients.export"}); err != nil || !found {
			return nil, err
		}
		return []string{"clients.export"}, nil
	}},
	"HandedOut": {empty, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		found, err := db.HandedOut(ctx, who, []uuid.UUID{v.client.ID, v.merge.Duplicate})
		return slices.Collect(maps.Keys(found)), err
	}},
	"Changes": {empty, func(ctx context.Context, db everything, who auth.Principal, _ victim) (any, error) {
		all, err := db.Changes(ctx, who, storetest.When.Add(-time.Hour), nil)
		return slices.Concat(slices.Collect(maps.Keys(all.Forms)), slices.Collect(maps.Keys(all.Others)), all.Merged), err
	}},
	"Project": {notFound, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.Project(ctx, who, v.project.Name)
	}},
	"Cohort": {notFound, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.Cohort(ctx, who, v.cohort.ID)
	}},
	"Cohorts": {empty, func(ctx context.Context, db everything, who auth.Principal, _ victim) (any, error) {
		return db.Cohorts(ctx, who, page)
	}},
	"Releases": {empty, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.Releases(ctx, who, []string{v.release.Measure})
	}},
	"LastAnswer": {notFound, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.LastAnswer(ctx, who, []byte(v.release.Measure))
	}},
	"Snapshot": {notFound, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.Snapshot(ctx, who, v.snapshot.ID)
	}},
	"SnapshotNamed": {empty, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		if found, err := db.SnapshotNamed(ctx, who, v.snapshot.Name); err != nil || !found {
			return nil, err
		}
		return []string{v.snapshot.Name}, nil
	}},
	"Snapshots": {empty, func(ctx context.Context, db everything, who auth.Principal, _ victim) (any, error) {
		return db.Snapshots(ctx, who, page)
	}},
	"SnapshotMembers": {empty, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.SnapshotMembers(ctx, who, v.snapshot.ID)
	}},
	"InsertProject": {ownNow, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.InsertProject(ctx, who, v.project)
	}},
	"InsertCohort": {ownNow, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.InsertCohort(ctx, who, v.cohort)
	}},
	"PutRelease": {empty, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		v.release.Answers++
		return db.PutRelease(ctx, who, v.release, 1) // in the place of theirs
	}},
	"PutAnswer": {ownNow, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return nil, db.PutAnswer(ctx, who, research.Answered{Question: []byte(v.release.Measure), AsOf: v.release.At})
	}},
	"InsertSnapshot": {refused, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		v.snapshot.ID, v.snapshot.Name = storetest.NewID(), "another"
		return db.InsertSnapshot(ctx, who, v.snapshot, []uuid.UUID{v.client.ID})
	}},
}

func TestNobodyOfNoClinicStudiesOrWaits(t *testing.T) {
	storetest.Each(t, func(t *testing.T, d *storetest.Database) {
		nobody := auth.As(uuid.Nil, storetest.NewID(), auth.ByKey, auth.Admin)
		called := func() error { t.Error("it was called"); return nil }
		for what, err := range map[string]error{
			"Study":   d.DB.Study(t.Context(), nobody, func(research.Reader) error { return called() }),
			"Conduct": d.DB.Conduct(t.Context(), nobody, func(research.Tx) error { return called() }),
			"Settle":  d.DB.Settle(t.Context(), nobody),
		} {
			if !fault.Is(err, fault.Unauthenticated) {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}

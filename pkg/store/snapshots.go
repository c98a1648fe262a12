package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/research"
)

type snapshotRow struct {
	ClinicID  uuid.UUID
	ID        uuid.UUID
	Name      string
	Request   strictDocument[research.Frozen]
	AsOf      instant
	Manifest  string
	Signature string
	Seal      string
	CreatedAt instant
	CreatedBy uuid.UUID
}

func snapshotFromRow(r snapshotRow) research.Snapshot {
	return research.Snapshot{
		ID: r.ID, Name: r.Name, Frozen: r.Request.V, AsOf: r.AsOf.Time,
		Manifest: []byte(r.Manifest), Signature: []byte(r.Signature), Seal: r.Seal, CreatedAt: r.CreatedAt.Time, CreatedBy: r.CreatedBy,
	}
}

func rowFromSnapshot(clinic uuid.UUID, s research.Snapshot) snapshotRow {
	return snapshotRow{
		ClinicID: clinic, ID: s.ID, Name: s.Name, Request: strictDocument[research.Frozen]{document[research.Frozen]{s.Frozen}},
		AsOf: at(s.AsOf), Manifest: string(s.Manifest), Signature: string(s.Signature), Seal: s.Seal, CreatedAt: at(s.CreatedAt), CreatedBy: s.CreatedBy,
	}
}

type memberRow struct {
	ClinicID   uuid.UUID
	SnapshotID uuid.UUID
	ClientID   uuid.UUID
}

// Snapshot finds a snapshot.
func (d *DB) Snapshot(ctx context.Context, who auth.Principal, id uuid.UUID) (research.Snapshot, error) {
	row, err := one[snapshotRow](d.of(ctx, who, "snapshots").Where("id = ?", id), "snapshot")
	if err != nil {
		return research.Snapshot{}, err
	}
	return snapshotFromRow(row), nil
}

// SnapshotNamed looks for a snapshot of a name.
func (d *DB) SnapshotNamed(ctx context.Context, who auth.Principal, name string) (bool, error) {
	var n int64
	if err := d.of(ctx, who, "snapshots").Where("name = ?", name).Limit(1).Count(&n).Error; err != nil {
		return false, fmt.Errorf("read snapshots: %w", err)
	}
	return n > 0, nil
}

// Snapshots lists a page of snapshots by id.
func (d *DB) Snapshots(ctx context.Context, who auth.Principal, page care.Page) ([]research.Snapshot, error) {
	rows, err := all[snapshotRow](d.of(ctx, who, "snapshots").Where("id > ?", page.After.ID).Order("id").Limit(page.Limit), "snapshots")
	return convert(rows, snapshotFromRow), err
}

// SnapshotMembers reads whose data a snapshot held.
func (d *DB) SnapshotMembers(ctx context.Context, who auth.Principal, id uuid.UUID) ([]uuid.UUID, error) {
	rows, err := all[memberRow](d.of(ctx, who, "snapshot_members").Where("snapshot_id = ?", id).Order("client_id"), "snapshot members")
	return convert(rows, func(r memberRow) uuid.UUID { return r.ClientID }), err
}

// InsertSnapshot stores a snapshot with its members unless there is one of this
// id or name.
func (d *DB) InsertSnapshot(ctx context.Context, who auth.Principal, s research.Snapshot, members []uuid.UUID) (bool, error) {
	row := rowFromSnapshot(who.Clinic, s)
	stored, err := d.insertNamed(ctx, who, "snapshots", &row)
	if err != nil || !stored || len(members) == 0 {
		return stored, err
	}
	rows := make([]memberRow, len(members))
	for i, id := range members {
		rows[i] = memberRow{ClinicID: who.Clinic, SnapshotID: s.ID, ClientID: id}
	}
	if err := d.inserting(ctx, who, "snapshot_members").CreateInBatches(&rows, chunk).Error; err != nil {
		return false, fmt.Errorf("insert snapshot members: %w", err)
	}
	return true, nil
}

// settleTime is how long a transaction may take before a snapshot gives up
// waiting for it; settleLook is how often it looks.
const (
	settleTime = 10 * time.Second
	settleLook = 5 * time.Millisecond
)

// Settle waits until every transaction that changes something now has ended.
func (d *DB) Settle(ctx context.Context, who auth.Principal) error {
	if who.Clinic == uuid.Nil {
		return errNoClinic
	}
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	err := d.dialect.settle(d.write.WithContext(ctx))
	if errors.Is(err, context.DeadlineExceeded) {
		return fault.New(fault.Unavailable, "Something is being written that takes long. Nothing was lost: try again.").Because(err)
	}
	return err
}

// settleSQLite takes the one writer, and so waits for whoever has it.
func settleSQLite(db *gorm.DB) error {
	return db.Transaction(func(*gorm.DB) error { return nil })
}

// writersPostgres are the transactions of this database that have begun to write.
// Those of other databases of the cluster keep nobody waiting; pg_locks tells of
// those of every role, as pg_stat_activity does not.
const writersPostgres = `WITH held AS MATERIALIZED (SELECT locktype, database, virtualtransaction, mode, granted FROM pg_locks)
SELECT DISTINCT h.virtualtransaction FROM held h
WHERE h.locktype = 'transactionid' AND h.mode = 'ExclusiveLock' AND h.granted
  AND EXISTS (SELECT 1 FROM held r WHERE r.virtualtransaction = h.virtualtransaction
    AND r.database = (SELECT oid FROM pg_database WHERE datname = current_database()))`

// settlePostgres waits until none is left of the transactions that had begun to
// write when it was called. A transaction is seen by all before its locks go.
func settlePostgres(db *gorm.DB) error {
	ctx := db.Statement.Context
	var first []string
	for look := 0; ; look++ {
		var now []string
		if err := db.Raw(writersPostgres).Scan(&now).Error; err != nil {
			return fmt.Errorf("settle: %w", err)
		}
		if look == 0 {
			first = now
		}
		if first = slices.DeleteFunc(first, func(tx string) bool { return !slices.Contains(now, tx) }); len(first) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(settleLook):
		}
	}
}

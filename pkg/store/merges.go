package store

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
)

type mergeRow struct {
	ClinicID  uuid.UUID
	ID        uuid.UUID
	Survivor  uuid.UUID
	Duplicate uuid.UUID
	Reason    string
	MergedAt  instant
	MergedBy  uuid.UUID
	UndoneAt  *instant
	UndoneBy  *uuid.UUID
}

func mergeFromRow(r mergeRow) care.Merge {
	return care.Merge{
		ID: r.ID, Survivor: r.Survivor, Duplicate: r.Duplicate, Reason: care.Private(r.Reason),
		MergedAt: r.MergedAt.Time, MergedBy: r.MergedBy, UndoneAt: timePtr(r.UndoneAt), UndoneBy: r.UndoneBy,
	}
}

func rowFromMerge(clinic uuid.UUID, m care.Merge) mergeRow {
	return mergeRow{
		ClinicID: clinic, ID: m.ID, Survivor: m.Survivor, Duplicate: m.Duplicate, Reason: string(m.Reason),
		MergedAt: at(m.MergedAt), MergedBy: m.MergedBy, UndoneAt: atPtr(m.UndoneAt), UndoneBy: m.UndoneBy,
	}
}

// Merge finds a merge by its id.
func (d *DB) Merge(ctx context.Context, who auth.Principal, id uuid.UUID) (care.Merge, error) {
	row, err := one[mergeRow](d.of(ctx, who, "merges").Where("id = ?", id), "merge")
	return mergeFromRow(row), err
}

// Merges lists a page of the merges of a client, by time.
func (d *DB) Merges(ctx context.Context, who auth.Principal, client uuid.UUID, page care.Page) ([]care.Merge, error) {
	query := d.of(ctx, who, "merges").Where("(survivor = ? OR duplicate = ?)", client, client)
	if after := page.After; after.ID != uuid.Nil {
		query = query.Where("(merged_at, id) > (?, ?)", at(after.Time), after.ID)
	}
	rows, err := all[mergeRow](query.Order("merged_at, id").Limit(page.Limit), "merges")
	return convert(rows, mergeFromRow), err
}

// InsertMerge stores a merge, and points the duplicate to the survivor.
func (d *DB) InsertMerge(ctx context.Context, who auth.Principal, m care.Merge) error {
	if err := d.point(ctx, who, m.Duplicate, &m.Survivor); err != nil {
		return err
	}
	row := rowFromMerge(who.Clinic, m)
	if err := d.inserting(ctx, who, "merges").Create(&row).Error; err != nil {
		return fmt.Errorf("insert merge: %w", err)
	}
	return nil
}

// EndMerge stores when a merge was undone, and lets the duplicate stand for
// itself again.
func (d *DB) EndMerge(ctx context.Context, who auth.Principal, m care.Merge) error {
	ended := d.writing(ctx, who, "merges").Where("id = ? AND undone_at IS NULL", m.ID).
		Updates(map[string]any{"undone_at": atPtr(m.UndoneAt), "undone_by": m.UndoneBy})
	if ended.Error != nil {
		return fmt.Errorf("end merge: %w", ended.Error)
	}
	if ended.RowsAffected == 0 {
		return fault.New(fault.NotFound, "There is no such merge.")
	}
	return d.point(ctx, who, m.Duplicate, nil)
}

// point says which record stands for a client; nil: its own.
func (d *DB) point(ctx context.Context, who auth.Principal, client uuid.UUID, into *uuid.UUID) error {
	pointed := d.writing(ctx, who, "clients").Where("id = ?", client).Updates(map[string]any{"merged_into": into})
	if pointed.Error != nil {
		return fmt.Errorf("merge client: %w", pointed.Error)
	}
	if pointed.RowsAffected == 0 {
		return fault.New(fault.NotFound, "There is no such client.")
	}
	clear(d.people) // who is whom has changed
	return nil
}

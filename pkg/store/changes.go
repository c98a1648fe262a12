package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/research"
)

// InstrumentsAt lists the instruments that any of these clients had answered by
// a time.
func (d *DB) InstrumentsAt(ctx context.Context, who auth.Principal, clients map[uuid.UUID]bool, t *time.Time) ([]string, error) {
	return answered(asOf(d.of(ctx, who, "assessment_versions"), t), clients)
}

// Changes reads of which records something was recorded since. A version that
// was superseded since has a successor that was recorded since.
func (d *DB) Changes(ctx context.Context, who auth.Principal, since time.Time, t *time.Time) (research.Changes, error) {
	out := research.Changes{Forms: map[uuid.UUID]bool{}, Others: map[uuid.UUID]bool{}}
	for _, of := range []struct {
		table, column string
		into          map[uuid.UUID]bool
	}{
		{"assessment_versions", "client_id", out.Forms},
		{"session_versions", "client_id", out.Others},
		{"course_versions", "client_id", out.Others},
		{"client_versions", "id", out.Others},
	} {
		var ids []uuid.UUID
		query := d.of(ctx, who, of.table).Where("recorded_at >= ?", at(since))
		if t != nil {
			query = query.Where("recorded_at <= ?", at(*t))
		}
		if err := query.Distinct(of.column).Pluck(of.column, &ids).Error; err != nil {
			return out, fmt.Errorf("read changes: %w", err)
		}
		for _, id := range ids {
			of.into[id] = true
		}
	}
	return out, d.regrouped(ctx, who, since, t, &out)
}

// regrouped adds the records that were merged since, or set apart again.
func (d *DB) regrouped(ctx context.Context, who auth.Principal, since time.Time, t *time.Time, out *research.Changes) error {
	query := d.of(ctx, who, "merges").Where("(merged_at >= ? OR undone_at >= ?)", at(since), at(since))
	merges, err := all[mergeRow](query, "merges")
	if err != nil {
		return err
	}
	known := func(i *instant) bool { return i != nil && (t == nil || !i.After(*t)) }
	for _, m := range merges {
		if !known(&m.MergedAt) || m.MergedAt.Before(since) && !known(m.UndoneAt) {
			continue
		}
		out.Others[m.Survivor], out.Others[m.Duplicate] = true, true
		if !known(m.UndoneAt) {
			out.Merged = append(out.Merged, m.Duplicate)
		}
	}
	return nil
}

package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
)

func trailEntryFromRow(r sealedRow) (care.TrailEntry, error) {
	e, err := entryFromRow(r.EntryColumns)
	return care.TrailEntry{Entry: e, Seq: r.Seq, Hash: r.Hash}, err
}

// Entries lists a page of the audit trail, the newest first. Of clients, those
// that name one and those that concern several are asked for apart: each has
// its index.
func (d *DB) Entries(ctx context.Context, who auth.Principal, filter care.EntryFilter, page care.Page) ([]care.TrailEntry, error) {
	narrow := []func(*gorm.DB) *gorm.DB{func(q *gorm.DB) *gorm.DB { return q }}
	if len(filter.Clients) > 0 {
		narrow = []func(*gorm.DB) *gorm.DB{
			func(q *gorm.DB) *gorm.DB { return q.Where("client_id IN ?", filter.Clients) },
			func(q *gorm.DB) *gorm.DB {
				return q.Where("id IN (SELECT s.entry_id FROM audit_subjects s WHERE s.clinic_id = ? AND s.client_id IN ?)", who.Clinic, filter.Clients)
			},
		}
	}
	var rows []sealedRow
	for _, of := range narrow {
		query := of(filtered(d.of(ctx, who, "audit_entries"), filter))
		if after := page.After; after.ID != uuid.Nil {
			query = query.Where("(at, id) < (?, ?)", at(after.Time), after.ID)
		}
		found, err := all[sealedRow](query.Order("at DESC, id DESC").Limit(page.Limit), "audit entries")
		if err != nil {
			return nil, err
		}
		rows = append(rows, found...)
	}
	slices.SortFunc(rows, func(a, b sealedRow) int {
		return -cmp.Or(a.At.Compare(b.At.Time), compareIDs(a.ID, b.ID))
	})
	if page.Limit >= 0 {
		rows = rows[:min(len(rows), page.Limit)]
	}
	out := make([]care.TrailEntry, len(rows))
	for i, r := range rows {
		var err error
		if out[i], err = trailEntryFromRow(r); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// filtered puts the conditions that do not say how entries are found.
func filtered(query *gorm.DB, filter care.EntryFilter) *gorm.DB {
	if filter.Actor != nil {
		query = query.Where("actor = ?", *filter.Actor)
	}
	if filter.Action != "" {
		query = query.Where("action = ?", filter.Action)
	}
	if filter.Outcome != "" {
		query = query.Where("outcome = ?", string(filter.Outcome))
	}
	if filter.From != nil {
		query = query.Where("at >= ?", at(*filter.From))
	}
	if filter.To != nil {
		query = query.Where("at < ?", at(*filter.To))
	}
	if len(filter.Verbs) > 0 {
		ends := make([]string, len(filter.Verbs))
		values := make([]any, len(filter.Verbs))
		for i, verb := range filter.Verbs {
			ends[i], values[i] = "action LIKE ?", "%."+verb
		}
		query = query.Where("("+strings.Join(ends, " OR ")+")", values...)
	}
	return query
}

// ExportedAt looks for one of these acts at a time.
func (d *DB) ExportedAt(ctx context.Context, who auth.Principal, t time.Time, actions []string) (bool, error) {
	var n int64
	query := d.of(ctx, who, "audit_entries").Where("at = ? AND action IN ? AND outcome = ?", at(t), actions, string(audit.Done))
	if err := query.Limit(1).Count(&n).Error; err != nil {
		return false, fmt.Errorf("read audit entries: %w", err)
	}
	return n > 0, nil
}

// HandedOut finds clients in the entries of exports. The trail outlives them.
func (d *DB) HandedOut(ctx context.Context, who auth.Principal, clients []uuid.UUID) (map[uuid.UUID]bool, error) {
	out := map[uuid.UUID]bool{}
	for some := range slices.Chunk(clients, chunk) {
		var found []uuid.UUID
		query := d.of(ctx, who, "audit_subjects").Where("client_id IN ?", some).
			Where("entry_id IN (SELECT e.id FROM audit_entries e WHERE e.clinic_id = ? AND e.action LIKE '%.export')", who.Clinic)
		if err := query.Distinct("client_id").Pluck("client_id", &found).Error; err != nil {
			return nil, fmt.Errorf("read exports: %w", err)
		}
		for _, id := range found {
			out[id] = true
		}
	}
	return out, nil
}

package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
)

// current is the condition for the version that stands now.
const current = "superseded_at IS NULL"

// asOf keeps the versions that stood at a time; nil is now.
func asOf(query *gorm.DB, t *time.Time) *gorm.DB {
	if t == nil {
		return query.Where(current)
	}
	return query.Where("recorded_at <= ? AND (superseded_at IS NULL OR superseded_at > ?)", at(*t), at(*t))
}

// identity is what other rows point to. Clients have no ClientID of their own.
type identity struct {
	ClinicID uuid.UUID
	ClientID *uuid.UUID
	ID       uuid.UUID
}

// insertFirst stores an identity and its first version; false, and nothing
// stored, where the id is in use.
func (d *DB) insertFirst(ctx context.Context, who auth.Principal, noun string, id identity, version any) (bool, error) {
	insert := d.trying(ctx, who, noun+"s").Clauses(clause.OnConflict{DoNothing: true})
	if id.ClientID == nil {
		insert = insert.Omit("client_id")
	}
	insert = insert.Create(&id)
	if insert.Error != nil {
		return false, fmt.Errorf("insert %s: %w", noun, insert.Error)
	}
	if insert.RowsAffected == 0 {
		return false, nil
	}
	return true, d.insertVersion(ctx, who, noun, version)
}

func (d *DB) insertVersion(ctx context.Context, who auth.Principal, noun string, version any) error {
	err := d.inserting(ctx, who, noun+"_versions").Create(version).Error
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return fault.New(fault.Conflict, "Another "+noun+" has this.").Because(err)
	}
	if err != nil {
		return fmt.Errorf("insert %s version: %w", noun, err)
	}
	return nil
}

// revise ends the current version, which must be the one before r, and
// stores the next.
func (d *DB) revise(ctx context.Context, who auth.Principal, noun string, id uuid.UUID, r care.Revision, version any) error {
	ended := d.writing(ctx, who, noun+"_versions").
		Where("id = ? AND version = ?", id, r.Version-1).Where(current).
		Updates(map[string]any{"superseded_at": at(r.RecordedAt)})
	if ended.Error != nil {
		return fmt.Errorf("supersede %s: %w", noun, ended.Error)
	}
	if ended.RowsAffected != 1 {
		return fault.New(fault.Stale, "This was changed since it was read.")
	}
	return d.insertVersion(ctx, who, noun, version)
}

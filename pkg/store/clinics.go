package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm/clause"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
)

type clinicRow struct {
	ID        uuid.UUID
	Slug      string
	CreatedAt instant
}

func (clinicRow) TableName() string { return "clinics" }

type keyRow struct {
	ClinicID  uuid.UUID
	ID        uuid.UUID
	Name      string
	Role      string
	Hint      string
	Hash      []byte
	CreatedAt instant
	ExpiresAt *instant
	RevokedAt *instant
}

func (keyRow) TableName() string { return "api_keys" }

func keyFromRow(r keyRow) auth.Key {
	return auth.Key{
		ID: r.ID, Clinic: r.ClinicID, Name: r.Name, Role: auth.Role(r.Role), Hint: r.Hint,
		CreatedAt: r.CreatedAt.Time, ExpiresAt: timePtr(r.ExpiresAt), RevokedAt: timePtr(r.RevokedAt),
	}
}

func rowFromKey(k auth.Key, hash []byte) keyRow {
	return keyRow{
		ClinicID: k.Clinic, ID: k.ID, Name: k.Name, Role: string(k.Role), Hint: k.Hint, Hash: hash,
		CreatedAt: at(k.CreatedAt), ExpiresAt: atPtr(k.ExpiresAt), RevokedAt: atPtr(k.RevokedAt),
	}
}

// KeyByHash finds a key of any clinic: it is how the clinic is found out.
func (d *DB) KeyByHash(ctx context.Context, hash []byte) (auth.Key, error) {
	if len(hash) == 0 {
		return auth.Key{}, fault.New(fault.NotFound, "There is no such key.")
	}
	row, err := one[keyRow](d.read.WithContext(ctx).Where("hash = ?", hash), "key")
	return keyFromRow(row), err
}

// ClinicBySlug finds a clinic.
func (d *DB) ClinicBySlug(ctx context.Context, slug string) (auth.Clinic, error) {
	row, err := one[clinicRow](d.read.WithContext(ctx).Where("slug = ?", slug), "clinic")
	return auth.Clinic{ID: row.ID, Slug: row.Slug, CreatedAt: row.CreatedAt.Time}, err
}

// FoundClinic stores a clinic and its first key unless the slug is taken.
func (d *DB) FoundClinic(ctx context.Context, c auth.Clinic, k auth.Key, hash []byte) (bool, error) {
	founded := false
	err := d.transaction(ctx, func(tx *DB) error {
		row := clinicRow{ID: c.ID, Slug: c.Slug, CreatedAt: at(c.CreatedAt)}
		insert := tx.write.WithContext(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&row)
		if founded = insert.Error == nil && insert.RowsAffected == 1; !founded {
			return insert.Error
		}
		key := rowFromKey(k, hash)
		return tx.write.WithContext(ctx).Create(&key).Error
	})
	if err != nil {
		return false, fmt.Errorf("found clinic: %w", err)
	}
	return founded, nil
}

// Keys lists a page of the clinic's keys by id.
func (d *DB) Keys(ctx context.Context, who auth.Principal, after uuid.UUID, limit int) ([]auth.Key, error) {
	rows, err := all[keyRow](d.of(ctx, who, "api_keys").Where("id > ?", after).Order("id").Limit(limit), "keys")
	return convert(rows, keyFromRow), err
}

// Key finds a key of the clinic.
func (d *DB) Key(ctx context.Context, who auth.Principal, id uuid.UUID) (auth.Key, error) {
	row, err := one[keyRow](d.of(ctx, who, "api_keys").Where("id = ?", id), "key")
	return keyFromRow(row), err
}

// CreateKey stores a key of the principal's clinic.
func (d *DB) CreateKey(ctx context.Context, who auth.Principal, k auth.Key, hash []byte) error {
	k.Clinic = who.Clinic
	row := rowFromKey(k, hash)
	if err := d.inserting(ctx, who, "api_keys").Create(&row).Error; err != nil {
		return fmt.Errorf("insert key: %w", err)
	}
	return nil
}

// RevokeKey marks a key revoked and keeps the first time.
func (d *DB) RevokeKey(ctx context.Context, who auth.Principal, id uuid.UUID, when time.Time) error {
	if _, err := d.Key(ctx, who, id); err != nil {
		return err
	}
	err := d.writing(ctx, who, "api_keys").Where("id = ? AND revoked_at IS NULL", id).
		Updates(map[string]any{"revoked_at": at(when)}).Error
	if err != nil {
		return fmt.Errorf("revoke key: %w", err)
	}
	return nil
}

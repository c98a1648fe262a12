package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
)

type clinicRow struct {
	ID           uuid.UUID
	Slug         string
	CreatedAt    instant
	CareTeams    bool
	SmallestCell int
}

func clinicFromRow(r clinicRow) auth.Clinic {
	return auth.Clinic{ID: r.ID, Slug: r.Slug, CreatedAt: r.CreatedAt.Time, CareTeams: r.CareTeams}
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

	Scopes     *string
	LastUsedAt *instant
	ReplacedBy *uuid.UUID
}

func (keyRow) TableName() string { return "api_keys" }

func keyFromRow(r keyRow) auth.Key {
	k := auth.Key{
		ID: r.ID, Clinic: r.ClinicID, Name: r.Name, Role: auth.Role(r.Role), Hint: r.Hint,
		CreatedAt: r.CreatedAt.Time, ExpiresAt: timePtr(r.ExpiresAt), RevokedAt: timePtr(r.RevokedAt),
		LastUsedAt: timePtr(r.LastUsedAt), ReplacedBy: r.ReplacedBy,
	}
	if r.Scopes != nil {
		k.Scopes = new(auth.ParseScopes(*r.Scopes))
	}
	return k
}

func rowFromKey(k auth.Key, hash []byte) keyRow {
	r := keyRow{
		ClinicID: k.Clinic, ID: k.ID, Name: k.Name, Role: string(k.Role), Hint: k.Hint, Hash: hash,
		CreatedAt: at(k.CreatedAt), ExpiresAt: atPtr(k.ExpiresAt), RevokedAt: atPtr(k.RevokedAt),
		LastUsedAt: atPtr(k.LastUsedAt), ReplacedBy: k.ReplacedBy,
	}
	if k.Scopes != nil {
		r.Scopes = new(k.Scopes.String())
	}
	return r
}

// KeyByHash finds a key of any clinic: it is how the clinic is found out.
func (d *DB) KeyByHash(ctx context.Context, hash []byte) (k auth.Key, c auth.Clinic, err error) {
	if len(hash) == 0 {
		return k, c, fault.New(fault.NotFound, "There is no such key.")
	}
	err = d.shown(ctx, hash, func(tx *DB) error {
		row, err := one[keyRow](tx.read.WithContext(ctx).Where("hash = ?", hash), "key")
		if err != nil {
			return err
		}
		k = keyFromRow(row)
		c, err = tx.clinic(ctx, row.ClinicID)
		return err
	})
	return k, c, err
}

func (d *DB) clinic(ctx context.Context, id uuid.UUID) (auth.Clinic, error) {
	row, err := one[clinicRow](d.read.WithContext(ctx).Where("id = ?", id), "clinic")
	return clinicFromRow(row), err
}

// KeyUsed notes when a key was last used.
func (d *DB) KeyUsed(ctx context.Context, who auth.Principal, id uuid.UUID, when time.Time) error {
	return d.enter(ctx, who.Clinic, nil, func(tx *DB) error {
		return tx.writing(ctx, who, "api_keys").Where("id = ?", id).Updates(map[string]any{"last_used_at": at(when)}).Error
	})
}

// ClinicBySlug finds a clinic.
func (d *DB) ClinicBySlug(ctx context.Context, slug string) (auth.Clinic, error) {
	row, err := one[clinicRow](d.read.WithContext(ctx).Where("slug = ?", slug), "clinic")
	return clinicFromRow(row), err
}

// FoundClinic stores a clinic and its first key unless the slug is taken.
func (d *DB) FoundClinic(ctx context.Context, c auth.Clinic, k auth.Key, hash []byte, entry audit.Entry) (bool, error) {
	founded := false
	err := d.transaction(ctx, c.ID, func(tx *DB) error {
		row := clinicRow{ID: c.ID, Slug: c.Slug, CreatedAt: at(c.CreatedAt), SmallestCell: care.DefaultSmallestCell}
		insert := tx.write.WithContext(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&row)
		if founded = insert.Error == nil && insert.RowsAffected == 1; !founded {
			return insert.Error
		}
		tx.Note(entry)
		key := rowFromKey(k, hash)
		return tx.write.WithContext(ctx).Create(&key).Error
	})
	if err != nil {
		return false, fmt.Errorf("found clinic: %w", err)
	}
	return founded, nil
}

// own is of for the clinic's own row, which has its id for a key.
func (d *DB) own(ctx context.Context, who auth.Principal) *gorm.DB {
	db := d.read.WithContext(ctx).Table("clinics").Where("id = ?", who.Clinic)
	if who.Clinic == uuid.Nil {
		_ = db.AddError(errNoClinic)
	}
	return db
}

func clinicSettingsFromRow(r clinicRow) care.ClinicSettings {
	return care.ClinicSettings{CareTeams: r.CareTeams, SmallestCell: r.SmallestCell}
}

// ClinicSettings reads what the clinic has chosen.
func (d *DB) ClinicSettings(ctx context.Context, who auth.Principal) (care.ClinicSettings, error) {
	row, err := one[clinicRow](d.own(ctx, who), "clinic")
	return clinicSettingsFromRow(row), err
}

// PutClinicSettings replaces what the clinic has chosen.
func (d *DB) PutClinicSettings(ctx context.Context, who auth.Principal, set care.ClinicSettings) (care.ClinicSettings, error) {
	before, err := one[clinicRow](d.dialect.lock(d.own(ctx, who)), "clinic")
	if err != nil {
		return care.ClinicSettings{}, err
	}
	d.change()
	if err := d.own(ctx, who).Updates(map[string]any{"care_teams": set.CareTeams, "smallest_cell": set.SmallestCell}).Error; err != nil {
		return care.ClinicSettings{}, fmt.Errorf("store clinic settings: %w", err)
	}
	return clinicSettingsFromRow(before), nil
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

// EndKey stores when a key ends or was revoked, and what replaces it.
func (d *DB) EndKey(ctx context.Context, who auth.Principal, k auth.Key) error {
	ended := d.writing(ctx, who, "api_keys").Where("id = ?", k.ID).Updates(map[string]any{
		"expires_at": atPtr(k.ExpiresAt), "revoked_at": atPtr(k.RevokedAt), "replaced_by": k.ReplacedBy,
	})
	if ended.Error != nil {
		return fmt.Errorf("end key: %w", ended.Error)
	}
	if ended.RowsAffected == 0 {
		return fault.New(fault.NotFound, "There is no such key.")
	}
	return nil
}

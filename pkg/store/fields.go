package store

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/seal"
)

// FieldUse is how many of a clinic's stored versions of clients have their name
// and reference sealed with one key.
type FieldUse struct {
	Clinic auth.Clinic
	Key    uint32 // 0: they are plain
	Rows   int
	sample string // one of the references as it is stored
}

// FieldUses counts the stored names of all clinics by the key that sealed them.
func (d *DB) FieldUses(ctx context.Context) ([]FieldUse, error) {
	clinics, err := all[clinicRow](d.read.WithContext(ctx).Order("slug"), "clinics")
	if err != nil {
		return nil, err
	}
	var out []FieldUse
	for _, clinic := range clinics {
		uses, err := d.fieldUses(ctx, clinicFromRow(clinic))
		if err != nil {
			return nil, err
		}
		out = append(out, uses...)
	}
	return out, nil
}

// headRow counts the references that begin alike.
type headRow struct {
	Head   string
	Count  int
	Sample string
}

func (d *DB) fieldUses(ctx context.Context, clinic auth.Clinic) (out []FieldUse, err error) {
	who := auth.As(clinic.ID, clinic.ID, auth.ByOperator, auth.Owner)
	err = d.enter(ctx, clinic.ID, nil, func(tx *DB) error {
		heads, err := all[headRow](tx.of(ctx, who, "client_versions").
			Select("CASE WHEN substr(reference, 1, ?) = ? THEN substr(reference, 1, ?) ELSE '' END AS head, count(*) AS count, min(reference) AS sample",
				len(seal.Prefix), seal.Prefix, seal.HeadLen).Group("head").Order("head"), "field keys")
		out = nil
		for _, h := range heads {
			key, _ := seal.KeyOf(h.Head) // 0 where plain
			// A key's references begin in a few ways, which come one after another.
			if last := len(out) - 1; key != 0 && last >= 0 && out[last].Key == key {
				out[last].Rows += h.Count
				continue
			}
			out = append(out, FieldUse{Clinic: clinic, Key: key, Rows: h.Count, sample: h.Sample})
		}
		return err
	})
	return out, err
}

// CheckFields refuses a database with names that the field keys do not open.
func (d *DB) CheckFields(ctx context.Context) error {
	uses, err := d.FieldUses(ctx)
	if err != nil {
		return err
	}
	for _, u := range uses {
		if _, err := d.keys.Open(u.sample, referenceOf(u.Clinic.ID)); err == nil {
			continue
		}
		if d.keys == nil {
			return fault.New(fault.Unavailable, "The database holds encrypted names, and there are no field keys to read them with.")
		}
		return fault.New(fault.Unavailable, fmt.Sprintf("The database holds names that were encrypted with the field key %d: the field keys given cannot read them.", u.Key))
	}
	return nil
}

// EncryptFields seals all of a clinic's names and references, also those of
// earlier versions, with the primary field key. It says how many versions it
// changed, in the entry too. All of them are, or none.
func (d *DB) EncryptFields(ctx context.Context, who auth.Principal, entry audit.Entry) (int, error) {
	if d.keys == nil {
		return 0, fault.New(fault.Invalid, "There are no field keys to encrypt with.")
	}
	return d.reseal(ctx, who, entry, d.keys)
}

// DecryptFields is EncryptFields back to plain text.
func (d *DB) DecryptFields(ctx context.Context, who auth.Principal, entry audit.Entry) (int, error) {
	return d.reseal(ctx, who, entry, nil)
}

// reseal stores what the field keys open in the form that others give it.
func (d *DB) reseal(ctx context.Context, who auth.Principal, entry audit.Entry, to *seal.Keys) (changed int, err error) {
	owner, done, err := d.asOwner()
	if err != nil {
		return 0, err
	}
	defer done()
	err = owner.transaction(ctx, who.Clinic, func(tx *DB) error {
		if err := tx.holdClinic(ctx, who); err != nil {
			return err
		}
		// Stored versions do not change; here it is not what they say that does.
		restore, err := tx.dialect.lift(tx.write.WithContext(ctx), "client_versions", "client_versions_kept")
		if err != nil {
			return fmt.Errorf("lift the guard of stored versions: %w", err)
		}
		if changed, err = tx.resealClients(ctx, who, to); err != nil {
			return err
		}
		entry.Details.Count = &changed
		tx.Note(entry)
		return restore()
	})
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		err = fault.New(fault.Conflict, "Two clients of this clinic have the same reference: give one of them another first.").Because(err)
	}
	if err != nil {
		return 0, err
	}
	return changed, nil
}

// resealClients goes through all versions of all clients.
func (d *DB) resealClients(ctx context.Context, who auth.Principal, to *seal.Keys) (changed int, err error) {
	last := Revision{}
	for {
		rows, err := all[clientRow](d.of(ctx, who, "client_versions").Where("(id, version) > (?, ?)", last.ID, last.Version).
			Order("id, version").Limit(chunk), "clients")
		if err != nil || len(rows) == 0 {
			return changed, err
		}
		for _, r := range rows {
			again, err := d.resealed(r, to)
			if err != nil {
				return 0, err
			}
			if again == nil {
				continue
			}
			changed++
			err = d.writing(ctx, who, "client_versions").Where("id = ? AND version = ?", r.ID, r.Version).Updates(again).Error
			if err != nil {
				return 0, fmt.Errorf("seal a client's name anew: %w", err)
			}
		}
		last = rows[len(rows)-1].Revision
	}
}

// resealed gives the columns of a version as others store them; nil where they
// are stored so already.
func (d *DB) resealed(r clientRow, to *seal.Keys) (map[string]any, error) {
	c, err := d.client(r, nil)
	if err != nil {
		return nil, err
	}
	other := DB{keys: to}
	again, err := other.rowFromClient(r.ClinicID, c)
	if err != nil || again.Reference == r.Reference && again.DisplayName == r.DisplayName {
		return nil, err
	}
	return map[string]any{"reference": again.Reference, "display_name": again.DisplayName}, nil
}

// CompactFields makes sure that what names were before they were encrypted, or
// under an old key, is nowhere in the database's files. It waits for others who
// use them. Backups, and the log that PostgreSQL archives, are out of its reach.
func (d *DB) CompactFields(ctx context.Context) error {
	owner, done, err := d.asOwner()
	if err != nil {
		return err
	}
	defer done()
	if err := d.dialect.compact(owner.write.WithContext(ctx), "client_versions"); err != nil {
		return fmt.Errorf("compact the database: %w", err)
	}
	return nil
}

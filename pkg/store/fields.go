package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"gorm.io/gorm"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/seal"
)

// FieldUse is how much of a clinic's record is sealed with one key.
type FieldUse struct {
	Clinic   auth.Clinic
	Key      uint32 // 0: it is plain
	Versions int    // of clients, with their name and reference
	Projects int    // with their secret
	Webhooks int    // with their secret
	Messages int    // addresses of mail, and links that wait
	samples  []sample
}

// sample is one text of those that a key sealed.
type sample struct {
	stored string
	at     seal.Place
}

// FieldUses counts the stored names and secrets of all clinics by the key that
// sealed them.
func (d *DB) FieldUses(ctx context.Context) ([]FieldUse, error) {
	clinics, err := all[clinicRow](d.read.WithContext(ctx).Order("slug"), "clinics")
	if err != nil {
		return nil, err
	}
	var out []FieldUse
	for _, row := range clinics {
		clinic := clinicFromRow(row)
		who := auth.As(clinic.ID, clinic.ID, auth.ByOperator, auth.Owner)
		byKey := map[uint32]FieldUse{}
		err := d.enter(ctx, clinic.ID, nil, func(tx *DB) error {
			clear(byKey)
			return errors.Join(tx.versionUses(ctx, who, byKey), tx.projectUses(ctx, who, byKey), tx.webhookUses(ctx, who, byKey), tx.messageUses(ctx, who, byKey))
		})
		if err != nil {
			return nil, err
		}
		for _, key := range slices.Sorted(maps.Keys(byKey)) {
			use := byKey[key]
			use.Clinic, use.Key = clinic, key
			out = append(out, use)
		}
	}
	return out, nil
}

// headRow counts the references that begin alike.
type headRow struct {
	Head   string
	Count  int
	Sample string
}

// versionUses counts versions of clients.
func (d *DB) versionUses(ctx context.Context, who auth.Principal, byKey map[uint32]FieldUse) error {
	heads, err := all[headRow](d.of(ctx, who, "client_versions").
		Select("CASE WHEN substr(reference, 1, ?) = ? THEN substr(reference, 1, ?) ELSE '' END AS head, count(*) AS count, min(reference) AS sample",
			len(seal.Prefix), seal.Prefix, seal.HeadLen).Group("head"), "field keys")
	for _, h := range heads {
		key, _ := seal.KeyOf(h.Head) // 0 where plain
		use := byKey[key]
		use.Versions += h.Count // a key's references begin in a few ways
		use.samples = append(use.samples, sample{h.Sample, referenceOf(who.Clinic)})
		byKey[key] = use
	}
	return err
}

// projectUses counts projects, of which a clinic has a few.
func (d *DB) projectUses(ctx context.Context, who auth.Principal, byKey map[uint32]FieldUse) error {
	rows, err := all[projectRow](d.of(ctx, who, "projects"), "projects")
	for _, r := range rows {
		key, _ := seal.KeyOf(string(r.Secret))
		use := byKey[key]
		use.Projects++
		use.samples = append(use.samples, sample{string(r.Secret), secretOf(r.ClinicID, r.Name)})
		byKey[key] = use
	}
	return err
}

// CheckFields refuses a database with names or secrets that the field keys do
// not open.
func (d *DB) CheckFields(ctx context.Context) error {
	uses, err := d.FieldUses(ctx)
	if err != nil {
		return err
	}
	for _, u := range uses {
		for _, s := range u.samples {
			if _, err := d.keys.Open(s.stored, s.at); err == nil {
				continue
			}
			if d.keys == nil {
				return fault.New(fault.Unavailable, "The database holds encrypted names or secrets, and there are no field keys to read them with.")
			}
			return fault.New(fault.Unavailable, fmt.Sprintf("The database holds names or secrets that were encrypted with the field key %d: the field keys given cannot read them.", u.Key))
		}
	}
	return nil
}

// EncryptFields seals all of a clinic's names and references, also those of
// earlier versions, and the secrets of its projects, with the primary field key.
// It says how many versions and projects it changed, in the entry too. All of
// them are, or none.
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
		if changed, err = tx.resealAll(ctx, who, to); err != nil {
			return err
		}
		entry.Details.Count = &changed
		tx.Note(entry)
		return nil
	})
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		err = fault.New(fault.Conflict, "Two clients of this clinic have the same reference: give one of them another first.").Because(err)
	}
	if err != nil {
		return 0, err
	}
	return changed, nil
}

// resealAll goes through all that is sealed. Stored versions and projects do not
// change: here it is not what they say that does, so their guards are lifted.
func (d *DB) resealAll(ctx context.Context, who auth.Principal, to *seal.Keys) (changed int, err error) {
	for _, t := range []struct {
		table, guard string
		reseal       func(context.Context, auth.Principal, *seal.Keys) (int, error)
	}{
		{"client_versions", "client_versions_kept", d.resealClients},
		{"projects", "projects_kept", d.resealProjects},
		{"webhooks", "", d.resealWebhooks}, // they change as it is
		{"messages", "", d.resealMessages},
	} {
		restore := func() error { return nil }
		if t.guard != "" {
			if restore, err = d.dialect.lift(d.write.WithContext(ctx), t.table, t.guard); err != nil {
				return 0, fmt.Errorf("lift the guard of %s: %w", t.table, err)
			}
		}
		n, err := t.reseal(ctx, who, to)
		if err == nil {
			err = restore()
		}
		if err != nil {
			return 0, err
		}
		changed += n
	}
	return changed, nil
}

// resealProjects goes through all projects.
func (d *DB) resealProjects(ctx context.Context, who auth.Principal, to *seal.Keys) (changed int, err error) {
	rows, err := all[projectRow](d.of(ctx, who, "projects").Order("name"), "projects")
	if err != nil {
		return 0, err
	}
	other := DB{keys: to}
	for _, r := range rows {
		p, err := d.project(r, nil)
		if err != nil {
			return 0, err
		}
		again, err := other.rowFromProject(r.ClinicID, p)
		if err != nil {
			return 0, err
		}
		if bytes.Equal(again.Secret, r.Secret) {
			continue
		}
		changed++
		if err := d.writing(ctx, who, "projects").Where("name = ?", r.Name).Update("secret", again.Secret).Error; err != nil {
			return 0, fmt.Errorf("seal a project's secret anew: %w", err)
		}
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

// CompactFields makes sure that what names and secrets were before they were
// encrypted, or under an old key, is nowhere in the database's files. It waits for others who
// use them. Backups, and the log that PostgreSQL archives, are out of its reach.
func (d *DB) CompactFields(ctx context.Context) error {
	owner, done, err := d.asOwner()
	if err != nil {
		return err
	}
	defer done()
	if err := d.dialect.compact(owner.write.WithContext(ctx), "client_versions", "projects", "webhooks", "contacts", "messages"); err != nil {
		return fmt.Errorf("compact the database: %w", err)
	}
	return nil
}

package store

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
)

type entryRow struct{ EntryColumns }

// EntryColumns are those of an entry as it was written. It is exported because
// GORM passes over embedded structs that are not.
type EntryColumns struct {
	ClinicID  uuid.UUID
	ID        uuid.UUID
	At        instant
	Actor     uuid.UUID
	ActorKind string
	Role      string
	Address   string
	Request   string
	Action    string
	Outcome   string
	Target    string
	TargetID  *uuid.UUID
	ClientID  *uuid.UUID
	Details   string
}

type subjectRow struct {
	ClinicID uuid.UUID
	ClientID uuid.UUID
	EntryID  uuid.UUID
}

func rowFromEntry(clinic uuid.UUID, e audit.Entry) entryRow {
	return entryRow{EntryColumns{
		ClinicID: clinic, ID: e.ID, At: at(e.At), Actor: e.Actor, ActorKind: e.ActorKind, Role: e.Role,
		Address: e.Address, Request: e.Request, Action: e.Action, Outcome: string(e.Outcome),
		Target: e.Target, TargetID: idPtr(e.TargetID), ClientID: idPtr(e.Client), Details: e.Details.Canonical(),
	}}
}

func idPtr(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}

// storeTrail stores what the transaction noted.
func (d *DB) storeTrail(ctx context.Context, clinic uuid.UUID) error {
	if len(d.trail.entries) == 0 {
		return nil
	}
	rows := make([]entryRow, len(d.trail.entries))
	var subjects []subjectRow
	for i, e := range d.trail.entries {
		if err := e.Check(); err != nil {
			return fmt.Errorf("store audit entries: %w", err)
		}
		rows[i] = rowFromEntry(clinic, e)
		for _, client := range e.Clients {
			subjects = append(subjects, subjectRow{ClinicID: clinic, ClientID: client, EntryID: e.ID})
		}
	}
	if err := d.write.WithContext(ctx).Table("audit_entries").CreateInBatches(&rows, chunk).Error; err != nil {
		return fmt.Errorf("store audit entries: %w", err)
	}
	if len(subjects) == 0 {
		return nil
	}
	if err := d.write.WithContext(ctx).Table("audit_subjects").CreateInBatches(&subjects, chunk).Error; err != nil {
		return fmt.Errorf("store audit subjects: %w", err)
	}
	return nil
}

// Clinics lists the ids of all clinics.
func (d *DB) Clinics(ctx context.Context) ([]uuid.UUID, error) {
	rows, err := all[clinicRow](d.read.WithContext(ctx).Order("id"), "clinics")
	return convert(rows, func(r clinicRow) uuid.UUID { return r.ID }), err
}

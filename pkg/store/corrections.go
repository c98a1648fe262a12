package store

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
)

type correctionRow struct {
	ClinicID    uuid.UUID
	ClientID    uuid.UUID
	ID          uuid.UUID
	Target      string
	TargetID    *uuid.UUID
	Request     string
	Status      string
	Note        string
	RequestedAt instant
	RequestedBy uuid.UUID
	DecidedAt   *instant
	DecidedBy   *uuid.UUID
}

func correctionFromRow(r correctionRow) care.Correction {
	return care.Correction{
		ID: r.ID, ClientID: r.ClientID, Target: care.CorrectionTarget(r.Target), TargetID: r.TargetID,
		Request: care.Private(r.Request), Status: care.CorrectionStatus(r.Status), Note: care.Private(r.Note),
		RequestedAt: r.RequestedAt.Time, RequestedBy: r.RequestedBy, DecidedAt: timePtr(r.DecidedAt), DecidedBy: r.DecidedBy,
	}
}

func rowFromCorrection(clinic uuid.UUID, c care.Correction) correctionRow {
	return correctionRow{
		ClinicID: clinic, ClientID: c.ClientID, ID: c.ID, Target: string(c.Target), TargetID: c.TargetID,
		Request: string(c.Request), Status: string(c.Status), Note: string(c.Note),
		RequestedAt: at(c.RequestedAt), RequestedBy: c.RequestedBy, DecidedAt: atPtr(c.DecidedAt), DecidedBy: c.DecidedBy,
	}
}

// Correction reads a request for correction.
func (d *DB) Correction(ctx context.Context, who auth.Principal, id uuid.UUID) (care.Correction, error) {
	row, err := one[correctionRow](d.of(ctx, who, "corrections").Where("id = ?", id), "correction")
	return correctionFromRow(row), err
}

// Corrections lists a page of a client's requests by time.
func (d *DB) Corrections(ctx context.Context, who auth.Principal, client uuid.UUID, page care.Page) ([]care.Correction, error) {
	query, _ := d.ofPeople(ctx, who, "corrections", client)
	if after := page.After; after.ID != uuid.Nil {
		query = query.Where("(requested_at, id) > (?, ?)", at(after.Time), after.ID)
	}
	rows, err := all[correctionRow](query.Order("requested_at, id").Limit(page.Limit), "corrections")
	return convert(rows, correctionFromRow), err
}

// InsertCorrection stores a request unless its id is in use.
func (d *DB) InsertCorrection(ctx context.Context, who auth.Principal, c care.Correction) (bool, error) {
	row := rowFromCorrection(who.Clinic, c)
	return d.insertOnce(ctx, who, "corrections", &row)
}

// DecideCorrection stores the decision on an open request.
func (d *DB) DecideCorrection(ctx context.Context, who auth.Principal, c care.Correction) (bool, error) {
	decided := d.writing(ctx, who, "corrections").
		Where("id = ? AND status = ?", c.ID, string(care.CorrectionOpen)).
		Updates(map[string]any{
			"status": string(c.Status), "note": string(c.Note), "decided_at": atPtr(c.DecidedAt), "decided_by": c.DecidedBy,
		})
	if decided.Error != nil {
		return false, fmt.Errorf("decide correction: %w", decided.Error)
	}
	return decided.RowsAffected == 1, nil
}

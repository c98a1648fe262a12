package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm/clause"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
)

type consentRow struct {
	ClinicID    uuid.UUID
	ClientID    uuid.UUID
	ID          uuid.UUID
	Scope       string
	Status      string
	At          instant
	TextVersion string
	RecordedAt  instant
	RecordedBy  uuid.UUID
}

func consentFromRow(r consentRow) care.Consent {
	return care.Consent{
		ID: r.ID, ClientID: r.ClientID, Scope: care.ConsentScope(r.Scope), Status: care.ConsentStatus(r.Status),
		At: r.At.Time, TextVersion: r.TextVersion, RecordedAt: r.RecordedAt.Time, RecordedBy: r.RecordedBy,
	}
}

func rowFromConsent(clinic uuid.UUID, c care.Consent) consentRow {
	return consentRow{
		ClinicID: clinic, ClientID: c.ClientID, ID: c.ID, Scope: string(c.Scope), Status: string(c.Status),
		At: at(c.At), TextVersion: c.TextVersion, RecordedAt: at(c.RecordedAt), RecordedBy: c.RecordedBy,
	}
}

// Consent reads a consent.
func (d *DB) Consent(ctx context.Context, who auth.Principal, id uuid.UUID) (care.Consent, error) {
	row, err := one[consentRow](d.of(ctx, who, "consents").Where("id = ?", id), "consent")
	return consentFromRow(row), err
}

// ConsentList lists a page of what a client said by time.
func (d *DB) ConsentList(ctx context.Context, who auth.Principal, client uuid.UUID, page care.Page) ([]care.Consent, error) {
	query, _ := d.ofPeople(ctx, who, "consents", client)
	if after := page.After; after.ID != uuid.Nil {
		query = query.Where("(at, id) > (?, ?)", at(after.Time), after.ID)
	}
	rows, err := all[consentRow](query.Order("at, id").Limit(page.Limit), "consents")
	return convert(rows, consentFromRow), err
}

// Consents reads what clients have said up to a time. What a fast clock dated
// ahead was said when it was recorded.
func (d *DB) Consents(ctx context.Context, who auth.Principal, clients []uuid.UUID, t time.Time) (map[uuid.UUID]care.Consents, error) {
	out := make(map[uuid.UUID]care.Consents, len(clients))
	if len(clients) == 0 {
		return out, nil
	}
	query, same := d.ofPeople(ctx, who, "consents", clients...)
	rows, err := all[consentRow](query.Where("(at <= ? OR recorded_at <= ?)", at(t), at(t)).Order("client_id, scope, at, recorded_at"), "consents")
	if err != nil {
		return nil, err
	}
	said := map[uuid.UUID]care.Consents{} // by person
	for _, r := range rows {
		person := same.person(r.ClientID)
		said[person] = append(said[person], consentFromRow(r))
	}
	for _, client := range clients {
		if consents := said[same.person(client)]; len(consents) > 0 {
			out[client] = consents
		}
	}
	return out, nil
}

// InsertConsent stores a consent unless its id is in use.
func (d *DB) InsertConsent(ctx context.Context, who auth.Principal, c care.Consent) (bool, error) {
	row := rowFromConsent(who.Clinic, c)
	return d.insertOnce(ctx, who, "consents", &row)
}

// insertOnce stores a row unless its id is in use.
func (d *DB) insertOnce(ctx context.Context, who auth.Principal, table string, row any) (bool, error) {
	return d.insertUnless(ctx, who, table, row, clause.Column{Name: "clinic_id"}, clause.Column{Name: "id"})
}

// insertNamed stores a row unless its name is in use, or its id if it has one.
func (d *DB) insertNamed(ctx context.Context, who auth.Principal, table string, row any) (bool, error) {
	return d.insertUnless(ctx, who, table, row)
}

// insertUnless stores a row unless there is one of the same columns; with none
// named, one that is the same in anything that must be unique.
func (d *DB) insertUnless(ctx context.Context, who auth.Principal, table string, row any, columns ...clause.Column) (bool, error) {
	insert := d.trying(ctx, who, table).Clauses(clause.OnConflict{Columns: columns, DoNothing: true}).Create(row)
	if insert.Error != nil {
		return false, fmt.Errorf("insert into %s: %w", table, insert.Error)
	}
	if insert.RowsAffected == 0 {
		return false, nil
	}
	d.change()
	return true, nil
}

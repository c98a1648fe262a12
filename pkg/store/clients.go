package store

import (
	"context"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/instrument"
)

type clientRow struct {
	Revision
	Reference   string
	DisplayName string
	BirthYear   *int
	Sex         string
	TimeZone    string
}

func clientFromRow(r clientRow, s care.Standing) care.Client {
	return care.Client{
		MergedInto: s.MergedInto,
		ID:         r.ID, Reference: care.Private(r.Reference), DisplayName: care.Private(r.DisplayName),
		BirthYear: r.BirthYear, Sex: instrument.Sex(r.Sex), TimeZone: r.TimeZone, Revision: r.toCare(),
	}
}

func rowFromClient(clinic uuid.UUID, c care.Client) *clientRow {
	return &clientRow{
		Revision:  revisionRow(clinic, c.ID, c.Revision),
		Reference: string(c.Reference), DisplayName: string(c.DisplayName),
		BirthYear: c.BirthYear, Sex: string(c.Sex), TimeZone: c.TimeZone,
	}
}

// Client reads the current version of a client.
func (d *DB) Client(ctx context.Context, who auth.Principal, id uuid.UUID) (care.Client, error) {
	same, err := d.peopleOf(ctx, who, id)
	if err != nil {
		return care.Client{}, err
	}
	standing, err := same.standing(id)
	if err != nil {
		return care.Client{}, err
	}
	row, err := one[clientRow](d.of(ctx, who, "client_versions").Where("id = ?", id).Where(current), "client")
	return clientFromRow(row, standing), err
}

// ClientHistory reads the current version of a client and its first.
func (d *DB) ClientHistory(ctx context.Context, who auth.Principal, id uuid.UUID) (now, original care.Client, err error) {
	same, err := d.peopleOf(ctx, who, id)
	if err != nil {
		return now, original, err
	}
	standing, err := same.standing(id)
	if err != nil {
		return now, original, err
	}
	n, o, err := history[clientRow](d.of(ctx, who, "client_versions").Where("id = ?", id), "client")
	return clientFromRow(n, standing), clientFromRow(o, standing), err
}

// alone is clientFromRow for a record that stands for its person.
func alone(r clientRow) care.Client { return clientFromRow(r, care.Standing{}) }

// Clients lists a page of clients by reference, without those that another
// record stands for.
func (d *DB) Clients(ctx context.Context, who auth.Principal, page care.Page) ([]care.Client, error) {
	query := d.of(ctx, who, "client_versions").Where(current).Where("id "+notMerged, who.Clinic)
	if page.After.Text != "" {
		query = query.Where("reference > ?", page.After.Text)
	}
	rows, err := all[clientRow](query.Order("reference").Limit(page.Limit), "clients")
	return convert(rows, alone), err
}

// ClientIDs lists a page of the ids of clients whose records stand.
func (d *DB) ClientIDs(ctx context.Context, who auth.Principal, after uuid.UUID, limit int) ([]uuid.UUID, error) {
	rows, err := all[identity](d.of(ctx, who, "clients").Select("id").
		Where("id > ? AND merged_into IS NULL AND erased_at IS NULL", after).Order("id").Limit(limit), "clients")
	return convert(rows, func(r identity) uuid.UUID { return r.ID }), err
}

// LockClients locks clients in the order of their ids.
func (d *DB) LockClients(ctx context.Context, who auth.Principal, ids []uuid.UUID) error {
	same, err := d.lockClients(ctx, who, ids)
	for _, id := range ids {
		if err == nil {
			_, err = same.standing(id)
		}
	}
	return err
}

// LockedClients locks and reads clients; unknown ones are absent, and of those
// that were erased nothing but that is told.
func (d *DB) LockedClients(ctx context.Context, who auth.Principal, ids []uuid.UUID) (map[uuid.UUID]care.Client, error) {
	out := make(map[uuid.UUID]care.Client, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	same, err := d.lockClients(ctx, who, ids)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if s := same[id]; s.ErasedAt != nil {
			out[id] = care.Client{ID: id, ErasedAt: s.ErasedAt}
		}
	}
	rows, err := all[clientRow](d.of(ctx, who, "client_versions").Where("id IN ?", ids).Where(current), "clients")
	for _, r := range rows {
		out[r.ID] = clientFromRow(r, same[r.ID])
	}
	return out, err
}

// InsertClient stores a client's first version.
func (d *DB) InsertClient(ctx context.Context, who auth.Principal, c care.Client) (bool, error) {
	return d.insertFirst(ctx, who, "client", identity{ClinicID: who.Clinic, ID: c.ID}, rowFromClient(who.Clinic, c))
}

// ReviseClient stores a client's next version.
func (d *DB) ReviseClient(ctx context.Context, who auth.Principal, c care.Client) error {
	return d.revise(ctx, who, "client", c.ID, c.Revision, rowFromClient(who.Clinic, c))
}

package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"

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

// client opens what a query found.
func (d *DB) client(r clientRow, err error) (care.Client, error) {
	if err != nil {
		return care.Client{}, err
	}
	reference, err := d.keys.Open(r.Reference, referenceOf(r.ClinicID))
	if err != nil {
		return care.Client{}, fmt.Errorf("read a client's reference: %w", err)
	}
	name, err := d.keys.Open(r.DisplayName, nameOf(r.ClinicID, r.ID))
	if err != nil {
		return care.Client{}, fmt.Errorf("read a client's name: %w", err)
	}
	return care.Client{
		ID: r.ID, Reference: care.Private(reference), DisplayName: care.Private(name),
		BirthYear: r.BirthYear, Sex: instrument.Sex(r.Sex), TimeZone: r.TimeZone, Revision: r.toCare(),
	}, nil
}

// clients is client for each row.
func (d *DB) clients(rows []clientRow, err error) ([]care.Client, error) {
	if err != nil {
		return nil, err
	}
	out := make([]care.Client, len(rows))
	for i, r := range rows {
		if out[i], err = d.client(r, nil); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (d *DB) rowFromClient(clinic uuid.UUID, c care.Client) (*clientRow, error) {
	reference, err := d.keys.Seal(string(c.Reference), referenceOf(clinic))
	if err != nil {
		return nil, fmt.Errorf("store a client's reference: %w", err)
	}
	name, err := d.keys.Seal(string(c.DisplayName), nameOf(clinic, c.ID))
	if err != nil {
		return nil, fmt.Errorf("store a client's name: %w", err)
	}
	return &clientRow{
		Revision:  revisionRow(clinic, c.ID, c.Revision),
		Reference: reference, DisplayName: name,
		BirthYear: c.BirthYear, Sex: string(c.Sex), TimeZone: c.TimeZone,
	}, nil
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
	c, err := d.client(one[clientRow](d.of(ctx, who, "client_versions").Where("id = ?", id).Where(current), "client"))
	c.MergedInto = standing.MergedInto
	return c, err
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
	if now, err = d.client(n, err); err != nil {
		return now, original, err
	}
	original, err = d.client(o, nil)
	now.MergedInto, original.MergedInto = standing.MergedInto, standing.MergedInto
	return now, original, err
}

// Clients lists a page of clients by reference, without those that another
// record stands for.
func (d *DB) Clients(ctx context.Context, who auth.Principal, page care.Page) ([]care.Client, error) {
	query := d.of(ctx, who, "client_versions").Where(current).Where("id "+notMerged, who.Clinic)
	if d.keys != nil {
		ids, err := d.byReference(query.Select("clinic_id", "id", "reference"), page, false)
		if err != nil || len(ids) == 0 {
			return nil, err
		}
		clients, err := d.clients(all[clientRow](d.of(ctx, who, "client_versions").Where("id IN ?", ids).Where(current), "clients"))
		slices.SortFunc(clients, func(a, b care.Client) int { return cmp.Compare(a.Reference, b.Reference) })
		return clients, err
	}
	if page.After.Text != "" {
		query = query.Where("reference > ?", page.After.Text)
	}
	return d.clients(all[clientRow](query.Order("reference").Limit(page.Limit), "clients"))
}

// ClientsOf finds clients by id; unknown and erased ones are absent.
func (d *DB) ClientsOf(ctx context.Context, who auth.Principal, ids []uuid.UUID) (map[uuid.UUID]care.Client, error) {
	out := make(map[uuid.UUID]care.Client, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	same, err := d.peopleOf(ctx, who, ids...)
	if err != nil {
		return nil, err
	}
	clients, err := d.clients(all[clientRow](d.of(ctx, who, "client_versions").Where("id IN ?", ids).Where(current), "clients"))
	for _, c := range clients {
		c.MergedInto = same[c.ID].MergedInto
		out[c.ID] = c
	}
	return out, err
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
	clients, err := d.clients(all[clientRow](d.of(ctx, who, "client_versions").Where("id IN ?", ids).Where(current), "clients"))
	for _, c := range clients {
		c.MergedInto = same[c.ID].MergedInto
		out[c.ID] = c
	}
	return out, err
}

// InsertClient stores a client's first version.
func (d *DB) InsertClient(ctx context.Context, who auth.Principal, c care.Client) (bool, error) {
	d.touch(c.ID)
	row, err := d.rowFromClient(who.Clinic, c)
	if err != nil {
		return false, err
	}
	stored, err := d.insertFirst(ctx, who, "client", identity{ClinicID: who.Clinic, ID: c.ID}, row)
	if err != nil || !stored {
		return false, err
	}
	return true, d.aloneWithReference(ctx, who, c)
}

// ReviseClient stores a client's next version.
func (d *DB) ReviseClient(ctx context.Context, who auth.Principal, c care.Client) error {
	d.touch(c.ID)
	row, err := d.rowFromClient(who.Clinic, c)
	if err != nil {
		return err
	}
	if err := d.revise(ctx, who, "client", c.ID, c.Revision, row); err != nil {
		return err
	}
	return d.aloneWithReference(ctx, who, c)
}

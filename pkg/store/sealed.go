package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/seal"
)

// referenceOf is the place of a clinic's references: equal ones look equal, so
// that the unique index finds them.
func referenceOf(clinic uuid.UUID) seal.Place {
	return seal.Place{Clinic: clinic, Column: "client_versions.reference"}
}

// nameOf is the place of one client's name: namesakes do not look alike.
func nameOf(clinic, client uuid.UUID) seal.Place {
	return seal.Place{Clinic: clinic, Column: "client_versions.display_name", Row: client}
}

// referenceRow is a client with its reference as it is stored.
type referenceRow struct {
	ClinicID  uuid.UUID
	ID        uuid.UUID
	Reference string
}

// byReference gives the ids of one page of the clients that a query finds.
// What is sealed has no order in the database: all of their references are
// read and sorted here.
func (d *DB) byReference(query *gorm.DB, page care.Page, descending bool) ([]uuid.UUID, error) {
	rows, err := all[referenceRow](query, "clients")
	if err != nil {
		return nil, err
	}
	order := func(a, b string) int { return cmp.Compare(a, b) }
	if descending {
		order = func(a, b string) int { return cmp.Compare(b, a) }
	}
	fromStart := page.After.ID == uuid.Nil && page.After.Text == ""
	rest := rows[:0]
	for _, r := range rows {
		if r.Reference, err = d.keys.Open(r.Reference, referenceOf(r.ClinicID)); err != nil {
			return nil, fmt.Errorf("read a client's reference: %w", err)
		}
		if fromStart || order(r.Reference, page.After.Text) > 0 {
			rest = append(rest, r)
		}
	}
	slices.SortFunc(rest, func(a, b referenceRow) int { return order(a.Reference, b.Reference) })
	rest = rest[:min(len(rest), page.Limit)]
	return convert(rest, func(r referenceRow) uuid.UUID { return r.ID }), nil
}

// aloneWithReference refuses a client whose reference another has in a form
// that the unique index does not know for the same: plain, or sealed with
// another key of the keyset.
func (d *DB) aloneWithReference(ctx context.Context, who auth.Principal, c care.Client) error {
	if d.keys == nil {
		return nil
	}
	forms, err := d.keys.OtherForms(string(c.Reference), referenceOf(who.Clinic))
	if err != nil {
		return fmt.Errorf("look for a client's reference: %w", err)
	}
	who.Reach = auth.AllClients // also among those that the principal does not see
	for _, form := range forms {
		// One by one: that is how PostgreSQL takes the unique index for it,
		// even before it has counted the table.
		others, err := all[identity](d.of(ctx, who, "client_versions").Select("id").Where("reference = ?", form).Where(current), "clients")
		if err != nil {
			return err
		}
		if slices.ContainsFunc(others, func(o identity) bool { return o.ID != c.ID }) {
			return fault.New(fault.Conflict, "Another client has this.")
		}
	}
	return nil
}

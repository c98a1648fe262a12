package research

import (
	"context"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/export"
)

// Columns is the table that a request would give, without its rows: what its
// codebook is made of. It asks for the permissions that the export asks for, and
// leaves no entry, for it tells nothing of a client; but how many columns the shape
// wide has is told by the people in it, and so is noted with them. Errors are
// those of Prepare.
func (s *Service) Columns(ctx context.Context, who auth.Principal, r Request) (export.Table, error) {
	r = r.filled()
	if err := s.require(ctx, who, r.permissions()...); err != nil {
		return export.Table{}, err
	}
	// No increment begins here, so nothing that is under way is waited for.
	x := &Export{Request: r, GeneratedAt: stamp(s.Now())}
	open, people := func() error { return s.begin(ctx, who, x) }, s.found
	if r.Shape == Wide {
		open, people = func() error { _, err := s.prepare(ctx, who, x, s.described); return err }, s.stillAgreed
	}
	if err := open(); err != nil {
		return export.Table{}, err
	}
	var table export.Table
	err := s.Store.Study(ctx, x.who, func(tx Reader) error {
		all, err := people(ctx, x, tx)
		if err != nil {
			return err
		}
		table, err = s.columns(ctx, x, tx, all)
		return err
	})
	table.Rows = func(func([]export.Cell, error) bool) {}
	return table, err
}

// columns is the table of an export that was begun, by what is known without
// the rows.
func (s *Service) columns(ctx context.Context, x *Export, r Reader, agreed []Person) (table export.Table, err error) {
	if err := x.fillInstruments(ctx, r, agreed); err != nil {
		return table, err
	}
	if x.Terms, err = s.terms(ctx, x, r, agreed); err != nil {
		return table, err
	}
	if x.Request.Shape == Wide {
		if err := x.pass(ctx, r, x.People, x.mostDoses(&x.Terms.Sessions)); err != nil {
			return table, err
		}
	}
	return s.table(ctx, x, r)
}

// Light reports whether the columns of a request are known without reading what
// its people have: whether a codebook is had at once.
func (r Request) Light() bool {
	return r.Shape != Wide && r.Cohort == nil && r.ChangedSince == nil && r.AsOf == nil
}

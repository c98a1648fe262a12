package research

import (
	"context"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/export"
)

// Columns is the table that a request would give, without its rows: what its
// codebook is made of. It asks for the permission that the export asks for, and
// leaves no entry, for it tells nothing of a client. Errors are those of Prepare.
func (s *Service) Columns(ctx context.Context, who auth.Principal, r Request) (export.Table, error) {
	r = r.filled()
	if err := s.require(ctx, who, r.Profile.permission()); err != nil {
		return export.Table{}, err
	}
	if err := s.check(r); err != nil {
		return export.Table{}, err
	}
	now := stamp(s.Now())
	x := &Export{Request: r, GeneratedAt: now, at: now, who: reaching(who), disguise: disguise{profile: r.Profile, dates: r.Dates}}
	var table export.Table
	err := s.Store.Study(ctx, x.who, func(tx Reader) error {
		// Which columns there are may depend on who is in it.
		all, err := s.agreed(ctx, x, tx)
		if err != nil {
			return err
		}
		if len(r.Instruments) == 0 {
			if x.Request.Instruments, err = x.instruments(ctx, tx, all); err != nil {
				return err
			}
		}
		table, err = s.table(ctx, x, tx)
		return err
	})
	table.Rows = func(func([]export.Cell, error) bool) {}
	return table, err
}

package care

import (
	"context"
	"strconv"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
)

// ClinicSettings are what a clinic has chosen for all of its work.
type ClinicSettings struct {
	CareTeams bool // a clinician sees the clients of their care teams only
	// SmallestCell is how many people a figure of a group needs at least to be
	// shown to who may not see single people.
	SmallestCell int
}

// DefaultSmallestCell is the least number of people in a figure unless a clinic
// chooses another. A project decision; PCORnet suppresses below 11.
const DefaultSmallestCell = 5

// maxSmallestCell is more than any guideline asks for.
const maxSmallestCell = 1000

// fields are what the audit trail may tell of a change.
func (c ClinicSettings) fields() []audit.Field {
	return []audit.Field{
		{Name: "care_teams", Value: strconv.FormatBool(c.CareTeams)},
		{Name: "smallest_cell", Value: strconv.Itoa(c.SmallestCell)},
	}
}

// ClinicSettings returns what the clinic has chosen.
func (s *Service) ClinicSettings(ctx context.Context, who auth.Principal) (ClinicSettings, error) {
	if err := s.require(ctx, who, auth.ReadSettings); err != nil {
		return ClinicSettings{}, err
	}
	return read(ctx, s, who, func(r Reader) (ClinicSettings, error) { return r.ClinicSettings(ctx, who) })
}

// ChooseClinicSettings stores what the clinic chooses. It holds from the next
// request on: with care teams, a clinician who is in none sees no client. A
// SmallestCell of 0 is the default.
func (s *Service) ChooseClinicSettings(ctx context.Context, who auth.Principal, set ClinicSettings) (ClinicSettings, error) {
	if err := s.require(ctx, who, auth.WriteSettings); err != nil {
		return ClinicSettings{}, err
	}
	if set.SmallestCell == 0 {
		set.SmallestCell = DefaultSmallestCell
	}
	if set.SmallestCell < 1 || set.SmallestCell > maxSmallestCell {
		return ClinicSettings{}, fault.InvalidIf([]fault.Detail{{Pointer: "/smallest_cell", Code: "out_of_range", Message: "A cell of a figure has 1 to 1000 people at least."}})
	}
	err := s.Store.Write(ctx, who, func(tx Tx) error {
		before, err := tx.PutClinicSettings(ctx, who, set)
		if err != nil {
			return err
		}
		e := s.entry(who.Did("clinic.choose", "clinic", who.Clinic))
		e.Details.Changes = audit.Diff(before.fields(), set.fields())
		tx.Note(e)
		return nil
	})
	if err != nil {
		return ClinicSettings{}, err
	}
	return set, nil
}

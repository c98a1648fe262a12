package store

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"gorm.io/gorm/clause"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
)

type membershipRow struct {
	ClinicID uuid.UUID
	ClientID uuid.UUID
	Member   uuid.UUID
	Kind     string
	Since    instant
	Until    *instant
	Reason   string
	Note     string
	AddedBy  uuid.UUID
}

func rowFromMembership(clinic uuid.UUID, m care.Membership) membershipRow {
	return membershipRow{
		ClinicID: clinic, ClientID: m.ClientID, Member: m.Member, Kind: string(m.Kind), Since: at(m.Since), Until: atPtr(m.Until),
		Reason: m.Reason, Note: string(m.Note), AddedBy: m.AddedBy,
	}
}

// PutMembership adds a member to a client's care team, or replaces what is known.
func (d *DB) PutMembership(ctx context.Context, who auth.Principal, m care.Membership) error {
	row := rowFromMembership(who.Clinic, m)
	err := d.inserting(ctx, who, "care_team").Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "clinic_id"}, {Name: "client_id"}, {Name: "member"}, {Name: "kind"}},
		DoUpdates: clause.AssignmentColumns([]string{"since", "until", "reason", "note", "added_by"}),
	}).Create(&row).Error
	if err != nil {
		return fmt.Errorf("put care team member: %w", err)
	}
	return nil
}

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

func membershipFromRow(r membershipRow) care.Membership {
	return care.Membership{
		ClientID: r.ClientID, Member: r.Member, Kind: care.MembershipKind(r.Kind), Since: r.Since.Time, Until: timePtr(r.Until),
		Reason: r.Reason, Note: care.Private(r.Note), AddedBy: r.AddedBy,
	}
}

// Team reads a client's care team.
func (d *DB) Team(ctx context.Context, who auth.Principal, client uuid.UUID) ([]care.Membership, error) {
	query, _ := d.ofPeople(ctx, who, "care_team", client)
	rows, err := all[membershipRow](query.Order("since, member, kind"), "care team")
	return convert(rows, membershipFromRow), err
}

// HasMember looks for a key or an account of the clinic.
func (d *DB) HasMember(ctx context.Context, who auth.Principal, id uuid.UUID) (bool, error) {
	for _, table := range []string{"accounts", "api_keys"} {
		found, err := all[identity](d.of(ctx, who, table).Select("id").Where("id = ?", id), "care team member")
		if err != nil || len(found) > 0 {
			return len(found) > 0, err
		}
	}
	return false, nil
}

// PutMembership stores a membership, or replaces what is known of it.
func (d *DB) PutMembership(ctx context.Context, who auth.Principal, m care.Membership) error {
	row := rowFromMembership(who.Clinic, m)
	err := d.inserting(ctx, who, "care_team").Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "clinic_id"}, {Name: "client_id"}, {Name: "member"}, {Name: "kind"}, {Name: "since"}},
		DoUpdates: clause.AssignmentColumns([]string{"until", "reason", "note", "added_by"}),
	}).Create(&row).Error
	if err != nil {
		return fmt.Errorf("put care team member: %w", err)
	}
	return nil
}

// JoinTeamsOf makes a key a member of the care teams that another is in now.
func (d *DB) JoinTeamsOf(ctx context.Context, who auth.Principal, old, next uuid.UUID, now time.Time) error {
	standing, err := all[membershipRow](d.of(ctx, who, "care_team").
		Where("member = ? AND (until IS NULL OR until > ?)", old, at(now)).Order("client_id, kind"), "care team")
	if err != nil || len(standing) == 0 {
		return err
	}
	for i := range standing {
		standing[i].Member, standing[i].Since, standing[i].AddedBy = next, at(now), who.Actor
	}
	if err := d.inserting(ctx, who, "care_team").CreateInBatches(&standing, chunk).Error; err != nil {
		return fmt.Errorf("join care teams: %w", err)
	}
	return nil
}

package store

import (
	"context"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
)

type recordedTokenRow struct {
	ID        uuid.UUID
	ClientID  uuid.UUID
	MintedBy  uuid.UUID
	CreatedAt instant
	ExpiresAt instant
	RevokedAt *instant
}

func recordedTokenFromRow(r recordedTokenRow) care.RecordedToken {
	return care.RecordedToken{
		ID: r.ID, ClientID: r.ClientID, MintedBy: r.MintedBy,
		CreatedAt: r.CreatedAt.Time, ExpiresAt: r.ExpiresAt.Time, RevokedAt: timePtr(r.RevokedAt),
	}
}

// RecordOf reads every table of a client's data.
func (d *DB) RecordOf(ctx context.Context, who auth.Principal, client uuid.UUID) (care.Record, error) {
	same, err := d.peopleOf(ctx, who, client)
	if err != nil {
		return care.Record{}, err
	}
	if _, err := same.standing(client); err != nil {
		return care.Record{}, err
	}
	ids := same.ids()
	whole := func(table, order string) *gorm.DB {
		return d.of(ctx, who, table).Where("client_id IN ?", ids).Order(order)
	}
	versions := "recorded_at, id, version"
	var out care.Record
	out.Clients, err = d.clients(all[clientRow](d.of(ctx, who, "client_versions").Where("id IN ?", ids).Order(versions), "the record"))
	for i, c := range out.Clients {
		out.Clients[i].MergedInto = same[c.ID].MergedInto
	}
	out.Courses, err = collect(err, whole("course_versions", versions), courseFromRow)
	out.Sessions, err = collect(err, whole("session_versions", versions), sessionFromRow)
	out.Assessments, err = collect(err, whole("assessment_versions", versions), assessmentFromRow)
	out.Consents, err = collect(err, whole("consents", "at, recorded_at, id"), consentFromRow)
	out.Corrections, err = collect(err, whole("corrections", "requested_at, id"), correctionFromRow)
	out.Alerts, err = collect(err, whole("alerts", "raised_at, id"), alertFromRow)
	out.AlertSteps, err = collect(err, whole("alert_steps", "alert_id, n"), alertStepFromRow)
	out.Team, err = collect(err, whole("care_team", "since, member, kind"), membershipFromRow)
	out.Tokens, err = collect(err, whole("client_tokens", "created_at, id"), recordedTokenFromRow)
	out.Merges, err = collect(err, d.of(ctx, who, "merges").Where("(survivor IN ? OR duplicate IN ?)", ids, ids).Order("merged_at, id"), mergeFromRow)
	return out, err
}

// collect reads and converts every row that a query finds, unless a query
// before it failed.
func collect[R, D any](before error, query *gorm.DB, to func(R) D) ([]D, error) {
	if before != nil {
		return nil, before
	}
	rows, err := all[R](query, "the record")
	return convert(rows, to), err
}

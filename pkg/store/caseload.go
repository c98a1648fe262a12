package store

import (
	"context"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
)

// caseloadKeys are the columns that the caseload can be ordered by.
var caseloadKeys = map[care.CaseloadSort]string{
	care.ByChange:        "p.total_change",
	care.ByPercentChange: "p.percent_change",
	care.ByLatestTotal:   "p.latest_total",
	care.ByLastAt:        "p.last_at",
}

// Caseload lists clients with their progress on one instrument: first which
// clients, in order, then the clients and their progress.
func (d *DB) Caseload(ctx context.Context, who auth.Principal, q care.CaseloadQuery, page care.Page) ([]care.Case, error) {
	ids, err := d.caseloadOrder(ctx, who, q, page)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	clients, err := d.clients(all[clientRow](d.of(ctx, who, "client_versions").Where("id IN ?", ids).Where(current), "caseload"))
	if err != nil {
		return nil, err
	}
	progress, err := all[progressRow](d.of(ctx, who, "progress").
		Where("client_id IN ? AND instrument = ?", ids, q.Instrument), "caseload")
	if err != nil {
		return nil, err
	}
	cases := make(map[uuid.UUID]*care.Case, len(ids))
	for _, c := range clients {
		cases[c.ID] = &care.Case{Client: c}
	}
	for _, r := range progress {
		if c := cases[r.ClientID]; c != nil {
			p := progressFromRow(r)
			c.Progress = &p
		}
	}
	out := make([]care.Case, 0, len(ids))
	for _, id := range ids {
		if c := cases[id]; c != nil {
			out = append(out, *c)
		}
	}
	return out, nil
}

// caseloadOrder gives the ids of one page of the caseload.
func (d *DB) caseloadOrder(ctx context.Context, who auth.Principal, q care.CaseloadQuery, page care.Page) ([]uuid.UUID, error) {
	query := d.within(ctx, who, "client_versions", "c").Select("c.id AS id").
		Joins("LEFT JOIN progress p ON p.clinic_id = c.clinic_id AND p.client_id = c.id AND p.instrument = ?", q.Instrument).
		Where("c.superseded_at IS NULL").Where("c.id "+notMerged, who.Clinic)
	if q.Search != "" {
		found, err := d.called(ctx, who, q.Search)
		if err != nil {
			return nil, err
		}
		query = d.dialect.among(query, "c.id", found)
	}
	switch q.Status {
	case "":
	case care.NotMeasured:
		query = query.Where("p.client_id IS NULL")
	default:
		query = query.Where("p.status = ?", q.Status)
	}
	key, byProgress := caseloadKeys[q.Sort]
	switch {
	case byProgress:
		query = caseloadByProgress(query, key, q, page.After)
	case d.keys != nil:
		return d.byReference(query.Select("c.clinic_id AS clinic_id, c.id AS id, c.reference AS reference"), page, q.Descending)
	default:
		query = caseloadByReference(query, q, page.After)
	}
	rows, err := all[identity](query.Limit(page.Limit), "caseload")
	return convert(rows, func(r identity) uuid.UUID { return r.ID }), err
}

// directed gives the SQL of an order and of what comes behind in it.
func directed(descending bool) (more, direction string) {
	if descending {
		return " < ?", " DESC"
	}
	return " > ?", ""
}

func caseloadByReference(query *gorm.DB, q care.CaseloadQuery, after care.Position) *gorm.DB {
	more, direction := directed(q.Descending)
	if after.ID != uuid.Nil {
		query = query.Where("c.reference"+more, after.Text)
	}
	return query.Order("c.reference" + direction)
}

// caseloadByProgress puts clients without the value last, in either direction.
func caseloadByProgress(query *gorm.DB, key string, q care.CaseloadQuery, after care.Position) *gorm.DB {
	more, direction := directed(q.Descending)
	query = query.Order(key + " IS NULL, " + key + direction + ", c.id")
	if after.ID == uuid.Nil {
		return query
	}
	switch value := caseloadPosition(q.Sort, after); value {
	case nil:
		return query.Where(key+" IS NULL AND c.id > ?", after.ID)
	default:
		return query.Where("("+key+more+" OR ("+key+" = ? AND c.id > ?) OR "+key+" IS NULL)", value, value, after.ID)
	}
}

func caseloadPosition(sort care.CaseloadSort, after care.Position) any {
	switch {
	case sort == care.ByLastAt && !after.Time.IsZero():
		return at(after.Time)
	case sort != care.ByLastAt && after.Number != nil:
		return *after.Number
	}
	return nil
}

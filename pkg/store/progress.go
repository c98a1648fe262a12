package store

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
)

type progressRow struct {
	ClinicID       uuid.UUID
	ClientID       uuid.UUID
	Instrument     string
	Points         int
	Scored         int
	BaselineID     *uuid.UUID
	BaselineAt     *instant
	BaselineTotal  *float64
	LatestID       *uuid.UUID
	LatestAt       *instant
	LatestTotal    *float64
	LatestSeverity *string
	BestID         *uuid.UUID
	BestAt         *instant
	BestTotal      *float64
	TotalChange    *float64
	PercentChange  *float64
	Reliable       *string
	Response       *string
	Remission      *bool
	Recovery       *bool
	Relapsed       bool
	Regained       bool
	RecallOverlap  *float64
	WindowDiffers  bool
	Status         string
	RuleSet        string
	LastAt         instant
	LastFlags      document[[]flagDocument]
}

func progressFromRow(r progressRow) care.Progress {
	return care.Progress{
		ClientID: r.ClientID, Instrument: r.Instrument, Points: r.Points, Scored: r.Scored,
		BaselineID: r.BaselineID, BaselineAt: timePtr(r.BaselineAt), BaselineTotal: r.BaselineTotal,
		LatestID: r.LatestID, LatestAt: timePtr(r.LatestAt), LatestTotal: r.LatestTotal, LatestSeverity: r.LatestSeverity,
		BestID: r.BestID, BestAt: timePtr(r.BestAt), BestTotal: r.BestTotal,
		Change: r.TotalChange, PercentChange: r.PercentChange, Reliable: r.Reliable, Response: r.Response,
		Remission: r.Remission, Recovery: r.Recovery, Relapsed: r.Relapsed, Regained: r.Regained,
		RecallOverlap: r.RecallOverlap, WindowDiffers: r.WindowDiffers, Status: r.Status, RuleSet: r.RuleSet,
		LastAt: r.LastAt.Time, LastFlags: flagsFromDocument(r.LastFlags.V),
	}
}

func rowFromProgress(clinic uuid.UUID, p care.Progress) progressRow {
	return progressRow{
		ClinicID: clinic, ClientID: p.ClientID, Instrument: p.Instrument, Points: p.Points, Scored: p.Scored,
		BaselineID: p.BaselineID, BaselineAt: atPtr(p.BaselineAt), BaselineTotal: p.BaselineTotal,
		LatestID: p.LatestID, LatestAt: atPtr(p.LatestAt), LatestTotal: p.LatestTotal, LatestSeverity: p.LatestSeverity,
		BestID: p.BestID, BestAt: atPtr(p.BestAt), BestTotal: p.BestTotal,
		TotalChange: p.Change, PercentChange: p.PercentChange, Reliable: p.Reliable, Response: p.Response,
		Remission: p.Remission, Recovery: p.Recovery, Relapsed: p.Relapsed, Regained: p.Regained,
		RecallOverlap: p.RecallOverlap, WindowDiffers: p.WindowDiffers, Status: p.Status, RuleSet: p.RuleSet,
		LastAt: at(p.LastAt), LastFlags: document[[]flagDocument]{documentFromFlags(p.LastFlags)},
	}
}

// PutProgress replaces the progress of people.
func (d *DB) PutProgress(ctx context.Context, who auth.Principal, clients []uuid.UUID, instruments []string, progress []care.Progress) error {
	same, err := d.peopleOf(ctx, who, clients...)
	if err != nil {
		return err
	}
	remove := d.writing(ctx, who, "progress").Where("client_id IN ?", same.ids())
	if len(instruments) > 0 {
		remove = remove.Where("instrument IN ?", instruments)
	}
	if err := remove.Delete(&progressRow{}).Error; err != nil {
		return fmt.Errorf("remove progress: %w", err)
	}
	if len(instruments) == 0 {
		for id := range same {
			d.touch(id) // outlines are rebuilt with it
		}
	}
	if len(progress) == 0 {
		return nil
	}
	rows := make([]progressRow, len(progress))
	for i, p := range progress {
		rows[i] = rowFromProgress(who.Clinic, p)
	}
	if err := d.inserting(ctx, who, "progress").CreateInBatches(&rows, chunk).Error; err != nil {
		return fmt.Errorf("insert progress: %w", err)
	}
	return nil
}

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

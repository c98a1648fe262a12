package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

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
	Recent         document[recentDocument]
}

// recentDocument is the last totals, the times in microseconds since 1970.
type recentDocument struct {
	At    []int64   `json:"at"`
	Total []float64 `json:"total"`
}

func documentFromRecent(scored []care.Scored) recentDocument {
	d := recentDocument{At: make([]int64, len(scored)), Total: make([]float64, len(scored))}
	for i, s := range scored {
		d.At[i], d.Total[i] = s.At.UnixMicro(), s.Total
	}
	return d
}

func recentFromDocument(d recentDocument) []care.Scored {
	if len(d.At) == 0 {
		return nil
	}
	out := make([]care.Scored, min(len(d.At), len(d.Total)))
	for i := range out {
		out[i] = care.Scored{At: time.UnixMicro(d.At[i]).UTC(), Total: d.Total[i]}
	}
	return out
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
		Recent: recentFromDocument(r.Recent.V),
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
		Recent: document[recentDocument]{documentFromRecent(p.Recent)},
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

// ProgressOf reads the progress of people, whose rows are those of the records
// that stand for them.
func (d *DB) ProgressOf(ctx context.Context, who auth.Principal, clients []uuid.UUID) ([]care.Progress, error) {
	query, _ := d.ofPeople(ctx, who, "progress", clients...)
	rows, err := all[progressRow](query.Order("client_id, instrument"), "progress")
	return convert(rows, progressFromRow), err
}

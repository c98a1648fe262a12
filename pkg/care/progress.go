package care

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/instrument"
	"github.com/protrack/protrack/pkg/trajectory"
)

// Point is what a trajectory needs of one assessment that stands.
type Point struct {
	ID           uuid.UUID
	ClientID     uuid.UUID
	Instrument   string
	SessionID    *uuid.UUID
	Timing       Timing
	CompletedAt  time.Time
	RecallWindow string

	InstrumentVersion string
	Total             *float64
	Severity          *string
	Prorated          bool
	Flags             []instrument.Flag
}

// Progress is the read model: where one client stands on one instrument,
// measured from the first scored assessment by the clinic's rule set. It is
// written in the transaction that changes what it is computed from.
type Progress struct {
	ClientID   uuid.UUID
	Instrument string
	Points     int // assessments that stand, scored or not
	Scored     int

	BaselineID, LatestID, BestID          *uuid.UUID // nil while nothing is scored
	BaselineAt, LatestAt, BestAt          *time.Time
	BaselineTotal, LatestTotal, BestTotal *float64
	LatestSeverity                        *string

	Change        *float64 // latest minus baseline, in points
	PercentChange *float64
	Reliable      *string
	Response      *string
	Remission     *bool
	Recovery      *bool
	Relapsed      bool
	Regained      bool     // relapsed, and the latest score has it back
	RecallOverlap *float64 // share of the latest one's recall window that the baseline's covers
	WindowDiffers bool     // latest and baseline were asked with different recall windows
	Status        string   // the trajectory's summary
	RuleSet       string   // name of the change rule set; empty: none applies

	LastAt    time.Time         // completion of the last assessment, scored or not
	LastFlags []instrument.Flag // what the last assessment flagged

	Recent []Scored // the last totals, at most RecentTotals, in the order of the trajectory
}

// Scored is a total, in points, and when its form was completed.
type Scored struct {
	At    time.Time
	Total float64
}

// RecentTotals is how many totals a caseload keeps of each client: a line in a
// list shows no more. The migration that added them has the same number.
const RecentTotals = 24

// moveProgress recomputes the progress of clients, on some instruments or on
// all. The clients must be locked.
func (s *Service) moveProgress(ctx context.Context, who auth.Principal, tx Tx, clients []uuid.UUID, instruments []string) error {
	set, err := tx.Settings(ctx, who)
	if err != nil {
		return err
	}
	_, err = s.moveProgressBy(ctx, who, tx, set, clients, instruments)
	return err
}

// moved is what progress was computed from: what several people answered on some
// instruments, and their sessions. It carries the clients who stand for them.
type moved struct {
	points   []Point
	sessions []Session
}

// moveProgressBy is moveProgress for a caller that has read the settings.
func (s *Service) moveProgressBy(ctx context.Context, who auth.Principal, tx Tx, set Settings, clients []uuid.UUID, instruments []string) (moved, error) {
	points, err := tx.Points(ctx, who, clients, instruments, nil)
	if err != nil {
		return moved{}, err
	}
	sessions, err := tx.SessionsOf(ctx, who, clients)
	if err != nil {
		return moved{}, err
	}
	return moved{points, sessions}, tx.PutProgress(ctx, who, clients, instruments, s.progress(points, sessions, set))
}

// progress computes the read model of the clients that the points are of.
// The points come by client and instrument.
func (s *Service) progress(points []Point, sessions []Session, set Settings) []Progress {
	ofClient := map[uuid.UUID][]Session{}
	for _, ses := range sessions {
		ofClient[ses.ClientID] = append(ofClient[ses.ClientID], ses)
	}
	var rows []Progress
	for len(points) > 0 {
		n := 1
		for n < len(points) && points[n].ClientID == points[0].ClientID && points[n].Instrument == points[0].Instrument {
			n++
		}
		rows = append(rows, s.progressOf(points[:n], ofClient[points[0].ClientID], set))
		points = points[n:]
	}
	return rows
}

// progressOf computes one row; points are one client's on one instrument.
func (s *Service) progressOf(points []Point, sessions []Session, set Settings) Progress {
	first := points[0]
	series, rules := s.series(first.Instrument, points, sessions, set[first.Instrument].ChangeRules)
	tr := trajectory.Compute(series, rules, trajectory.Options{})
	last := points[len(points)-1]
	p := Progress{
		ClientID: first.ClientID, Instrument: first.Instrument,
		Points: len(points), Scored: tr.Status.NScored,
		Reliable: text(tr.Status.Reliable), Response: text(tr.Status.Response),
		Remission: tr.Status.Remission, Recovery: tr.Status.Recovery,
		Relapsed: tr.Status.Relapsed, Regained: tr.Status.Regained,
		RecallOverlap: tr.Status.RecallOverlap, WindowDiffers: tr.Status.WindowDiffers, Status: string(tr.Status.Summary), RuleSet: rules.Set,
		LastAt: last.CompletedAt, LastFlags: last.Flags,
	}
	p.BaselineID, p.BaselineAt, p.BaselineTotal = mark(tr.Baseline)
	p.LatestID, p.LatestAt, p.LatestTotal = mark(tr.Latest)
	p.BestID, p.BestAt, p.BestTotal = mark(tr.Best)
	p.Change, p.PercentChange = tr.Status.Change, tr.Status.PercentChange
	if tr.Latest != nil {
		p.LatestSeverity = tr.Latest.Severity
	}
	p.Recent = recent(tr.Points)
	return p
}

// recent are the last totals of a trajectory.
func recent(points []trajectory.Point) []Scored {
	var out []Scored
	for _, p := range points {
		if p.Total != nil {
			out = append(out, Scored{p.At, *p.Total})
		}
	}
	return out[max(0, len(out)-RecentTotals):]
}

func mark(m *trajectory.Mark) (*uuid.UUID, *time.Time, *float64) {
	if m == nil {
		return nil, nil, nil
	}
	return &m.AssessmentID, &m.At, &m.Total
}

func text[T ~string](v *T) *string {
	if v == nil {
		return nil
	}
	s := string(*v)
	return &s
}

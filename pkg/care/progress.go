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
}

// Case is one client in the caseload.
type Case struct {
	Client   Client
	Progress *Progress // nil: never assessed with the instrument
}

// NotMeasured is the caseload status of a client without progress.
const NotMeasured = "not_measured"

// CaseloadSort is what the caseload is ordered by.
type CaseloadSort string

// The orders. Clients without the value come last.
const (
	ByReference     CaseloadSort = "reference"
	ByChange        CaseloadSort = "change"
	ByPercentChange CaseloadSort = "percent_change"
	ByLatestTotal   CaseloadSort = "latest"
	ByLastAt        CaseloadSort = "last_at"
)

// CaseloadQuery asks for the caseload.
type CaseloadQuery struct {
	Instrument string
	Status     string // empty: any; else a trajectory summary or NotMeasured
	Sort       CaseloadSort
	Descending bool
}

// Caseload lists the clinic's clients with their progress on an instrument.
func (s *Service) Caseload(ctx context.Context, who auth.Principal, query CaseloadQuery, page Page) ([]Case, error) {
	if err := s.require(ctx, who, auth.ReadCaseload); err != nil {
		return nil, err
	}
	if _, err := s.Instruments.Get(query.Instrument); err != nil {
		return nil, errUnknownInstrumentParameter
	}
	return read(ctx, s, who, func(r Reader) ([]Case, error) {
		cases, err := r.Caseload(ctx, who, query, page)
		r.Note(s.saw(who, "caseload.read", idsOf(cases, func(c Case) uuid.UUID { return c.Client.ID })))
		return cases, err
	})
}

// moveProgress recomputes the progress of clients, on some instruments or on
// all. The clients must be locked.
func (s *Service) moveProgress(ctx context.Context, who auth.Principal, tx Tx, clients []uuid.UUID, instruments []string) error {
	set, err := tx.Settings(ctx, who)
	if err != nil {
		return err
	}
	return s.moveProgressBy(ctx, who, tx, set, clients, instruments)
}

// moveProgressBy is moveProgress for a caller that has read the settings.
func (s *Service) moveProgressBy(ctx context.Context, who auth.Principal, tx Tx, set Settings, clients []uuid.UUID, instruments []string) error {
	points, err := tx.Points(ctx, who, clients, instruments, nil)
	if err != nil {
		return err
	}
	sessions, err := tx.SessionsOf(ctx, who, clients)
	if err != nil {
		return err
	}
	return tx.PutProgress(ctx, who, clients, instruments, s.progress(points, sessions, set))
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
	return p
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

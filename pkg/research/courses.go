package research

import (
	"context"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/trajectory"
)

// Flow tells how many people were there at each time-point, and why others were
// not.
func (s *Service) Flow(ctx context.Context, who auth.Principal, q FigureQuery, c cohort.FlowQuery) (cohort.Flow, Frame, error) {
	q.Name, q.Instruments = "flow", []string{c.Instrument}
	q.Choice = Choice{What: c, Points: c.Points}
	return figure(ctx, s, who, q, func(_ Frame, cases cohort.Cases) (cohort.Flow, error) { return c.Compute(cases) })
}

// Survival tells how long it took until a response, or until one was lost.
func (s *Service) Survival(ctx context.Context, who auth.Principal, q FigureQuery, c cohort.SurvivalQuery) (cohort.Survival, Frame, error) {
	q.Name, q.Instruments, q.Judged = "survival", []string{c.Instrument}, true
	q.Choice = Choice{What: c}
	if c.Relapse != "" && c.Relapse != trajectory.RelapseLossOfResponse {
		q.Choice.Other = "relapse"
	}
	return figure(ctx, s, who, q, func(f Frame, cases cohort.Cases) (cohort.Survival, error) {
		c.Direction, c.Rules = s.direction(c.Instrument), f.Rules[c.Instrument]
		return c.Compute(cases)
	})
}

// Sessions tells what happened across each dosing session, and what was held
// until the next.
func (s *Service) Sessions(ctx context.Context, who auth.Principal, q FigureQuery, c cohort.SessionsQuery) (cohort.Sessions, Frame, error) {
	q.Name, q.Instruments = "sessions", []string{c.Instrument}
	q.Choice = Choice{What: c}
	return figure(ctx, s, who, q, func(_ Frame, cases cohort.Cases) (cohort.Sessions, error) {
		c.Direction = s.direction(c.Instrument)
		return c.Compute(cases)
	})
}

// Measures tells the quality measures of depression care.
func (s *Service) Measures(ctx context.Context, who auth.Principal, q FigureQuery, c cohort.MeasuresQuery) (cohort.Measures, Frame, error) {
	q.Name, q.Instruments = "measures", []string{"phq-9"}
	q.Choice = Choice{What: c, Dated: !c.From.IsZero() || !c.To.IsZero() || c.WithinDays != 0 && c.WithinDays != 60}
	return figure(ctx, s, who, q, func(_ Frame, cases cohort.Cases) (cohort.Measures, error) { return c.Compute(cases) })
}

// Tracked is a client whose change is worse than that of others like them.
type Tracked struct {
	Client uuid.UUID
	cohort.Track
}

// Expected tells which change the clinic's own clients have had by the same
// session, from a like baseline. With tracked it also lists who does worse than
// most of these; that shows single clients' records, and so is for who may read
// the caseload, and leaves an entry that names them.
func (s *Service) Expected(ctx context.Context, who auth.Principal, q FigureQuery, c cohort.ExpectedQuery, tracked bool) (cohort.Expected, []Tracked, Frame, error) {
	q.Name, q.Instruments = "expected", []string{c.Instrument}
	q.Choice = Choice{What: c}
	if c.Least != 0 {
		q.Choice.Other = "least"
	}
	if tracked {
		if err := s.require(ctx, who, auth.ReadCaseload); err != nil {
			return cohort.Expected{}, nil, Frame{}, err
		}
	}
	var off []Tracked
	expected, frame, err := figure(ctx, s, who, q, func(_ Frame, cases cohort.Cases) (cohort.Expected, error) {
		c.Direction = s.direction(c.Instrument)
		bands, err := c.Compute(cases)
		if err == nil && tracked {
			off, err = offTrack(bands, cases)
		}
		return bands, err
	})
	if err != nil || !tracked {
		return expected, nil, frame, err
	}
	err = s.Store.Conduct(ctx, who, func(tx Tx) error {
		ids := make([]uuid.UUID, len(off))
		for i, t := range off {
			ids[i] = t.Client
		}
		tx.Note(s.entry(who.Did("off_track.list", "client", uuid.Nil).WithClients(ids)))
		return nil
	})
	if err != nil {
		return cohort.Expected{}, nil, Frame{}, err
	}
	return expected, off, frame, nil
}

// offTrack reads the people again, now that it is known what to expect.
func offTrack(bands cohort.Expected, cases cohort.Cases) ([]Tracked, error) {
	out := []Tracked{}
	for c, err := range cases {
		if err != nil {
			return nil, err
		}
		if t := cohort.OffTrack(bands, c); t.Status == cohort.TrackOff || t.Status == cohort.TrackWatch {
			out = append(out, Tracked{Client: c.Person, Track: t})
		}
	}
	return out, nil
}

package research

import (
	"context"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/trajectory"
)

// Flow tells how many people were there at each time-point, and why others were
// not.
func (s *Service) Flow(ctx context.Context, who auth.Principal, q FigureQuery, c cohort.FlowQuery) (cohort.Flow, Frame, error) {
	q.Name, q.Instruments = "flow", []string{c.Instrument}
	q.Choice = Choice{What: c, Points: c.Points}
	return figure(ctx, s, who, q, func(_ *Frame, cases cohort.Cases) (cohort.Flow, error) { return c.Compute(cases) })
}

// Survival tells how long it took until a response, or until one was lost.
func (s *Service) Survival(ctx context.Context, who auth.Principal, q FigureQuery, c cohort.SurvivalQuery) (cohort.Survival, Frame, error) {
	q.Name, q.Instruments, q.Judged = "survival", []string{c.Instrument}, true
	q.Choice = Choice{What: c}
	if c.Relapse != "" && c.Relapse != trajectory.RelapseLossOfResponse {
		q.Choice.Other = "relapse"
	}
	return figure(ctx, s, who, q, func(f *Frame, cases cohort.Cases) (cohort.Survival, error) {
		c.Direction, c.Rules = s.direction(c.Instrument), f.Rules[c.Instrument]
		return c.Compute(cases)
	})
}

// Sessions tells what happened across each dosing session, and what was held
// until the next.
func (s *Service) Sessions(ctx context.Context, who auth.Principal, q FigureQuery, c cohort.SessionsQuery) (cohort.Sessions, Frame, error) {
	q.Name, q.Instruments = "sessions", []string{c.Instrument}
	q.Choice = Choice{What: c}
	return figure(ctx, s, who, q, func(_ *Frame, cases cohort.Cases) (cohort.Sessions, error) {
		c.Direction = s.direction(c.Instrument)
		return c.Compute(cases)
	})
}

// Measures tells the quality measures of depression care.
func (s *Service) Measures(ctx context.Context, who auth.Principal, q FigureQuery, c cohort.MeasuresQuery) (cohort.Measures, Frame, error) {
	q.Name, q.Instruments = "measures", []string{cohort.PHQ9}
	q.Choice = Choice{What: c, Dated: !c.From.IsZero() || !c.To.IsZero() || c.WithinDays != 0 && c.WithinDays != 60}
	return figure(ctx, s, who, q, func(_ *Frame, cases cohort.Cases) (cohort.Measures, error) { return c.Compute(cases) })
}

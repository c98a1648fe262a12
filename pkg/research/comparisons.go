package research

import (
	"context"
	"slices"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/instrument"
	"github.com/protrack/protrack/pkg/trajectory"
)

// Change tells how scores changed between two time-points, in all and, where by
// names a grouping (see cohort.KeyOf), in each group.
func (s *Service) Change(ctx context.Context, who auth.Principal, q FigureQuery, c cohort.ChangeQuery, by string) (cohort.GroupedChange, Frame, error) {
	q.Name, q.Instruments, q.Judged = "change", []string{c.Instrument}, true
	q.Choice = Choice{What: []any{c, by}, Points: []cohort.TimePoint{c.From, c.To}}
	key, found := cohort.KeyOf(by)
	if !found && by != "" {
		return cohort.GroupedChange{}, Frame{}, errNoGrouping
	}
	return figure(ctx, s, who, q, func(f *Frame, cases cohort.Cases) (cohort.GroupedChange, error) {
		c.Direction, c.Rules = s.direction(c.Instrument), f.Rules[c.Instrument]
		if !who.May(auth.ReadCaseload) { // the name of a group of few is what was typed of them
			c.Fewest = max(f.smallest, fewest)
		}
		if by != "" {
			return c.ComputeBy(cases, key)
		}
		total, err := c.Compute(cases)
		return cohort.GroupedChange{Total: total}, err
	})
}

var errNoGrouping = fault.New(fault.Invalid, "There is no such grouping.",
	fault.Detail{Pointer: "/by", In: "query", Code: "oneof", Message: "Group by sex, indication, substance, route, dose, planned, doses or baseline_severity."})

// direction says which way an instrument gets better.
func (s *Service) direction(id string) trajectory.Direction {
	def, err := s.Instruments.Get(id)
	if err != nil {
		return trajectory.LowerIsBetter
	}
	return trajectory.Direction(def.Direction)
}

// The instruments of recovery as NHS Talking Therapies counts it, and their
// rule set.
var recoveryInstruments = []string{cohort.PHQ9, "gad-7"}

// Recovery tells who recovered over PHQ-9 and GAD-7 together. Without a rule
// set of the query's each instrument is judged by the clinic's choice.
func (s *Service) Recovery(ctx context.Context, who auth.Principal, q FigureQuery, c cohort.RecoveryQuery) (cohort.RecoveryFigure, Frame, error) {
	q.Name, q.Instruments, q.Judged = "recovery", recoveryInstruments, true
	q.Choice = Choice{What: c, Points: []cohort.TimePoint{c.From, c.To}}
	return figure(ctx, s, who, q, func(f *Frame, cases cohort.Cases) (cohort.RecoveryFigure, error) {
		for _, id := range recoveryInstruments {
			rules := f.Rules[id]
			if rules.Caseness == nil || rules.ReliableChange == nil {
				return cohort.RecoveryFigure{}, errNoRecovery
			}
			c.Measures = append(c.Measures, cohort.RecoveryMeasure{Instrument: id, Direction: s.direction(id), Rules: rules})
		}
		return c.Compute(cases)
	})
}

var errNoRecovery = fault.New(fault.Invalid, "The rules do not say who has recovered.",
	fault.Detail{Pointer: "/rules", In: "query", Code: "no_threshold", Message: "Choose rules with caseness and reliable change for both instruments, such as nhs-tt."})

// Significance tells how many changes were clinically significant by Jacobson
// and Truax, with norms that the caller takes from the literature.
func (s *Service) Significance(ctx context.Context, who auth.Principal, q FigureQuery, c cohort.SignificanceQuery) (cohort.SignificanceFigure, Frame, error) {
	q.Name, q.Instruments = "significance", []string{c.Instrument}
	// The norms are whatever somebody chooses, and change who is counted as what.
	q.Choice = Choice{What: c, Points: []cohort.TimePoint{c.From, c.To}, Other: "norms"}
	return figure(ctx, s, who, q, func(_ *Frame, cases cohort.Cases) (cohort.SignificanceFigure, error) {
		c.Method.Direction = s.direction(c.Instrument)
		return c.Compute(cases)
	})
}

// Shift tells from which band of severity to which people moved. Of an
// instrument without bands there are two, on either side of the cut-point that
// the clinic reads it at.
func (s *Service) Shift(ctx context.Context, who auth.Principal, q FigureQuery, c cohort.Comparison) (cohort.Shift, Frame, error) {
	q.Name, q.Instruments = "shift", []string{c.Instrument}
	q.Choice = Choice{What: c, Points: []cohort.TimePoint{c.From, c.To}}
	return figure(ctx, s, who, q, func(f *Frame, cases cohort.Cases) (cohort.Shift, error) {
		shift := cohort.ShiftQuery{Comparison: c}
		def, err := s.Instruments.Get(c.Instrument)
		if err != nil {
			return cohort.Shift{}, err
		}
		for _, band := range def.Bands {
			shift.Bands = append(shift.Bands, band.ID)
		}
		if len(shift.Bands) == 0 {
			cut, found := cutpoint(def, f.settings)
			if !found {
				return cohort.Shift{}, errNoBands
			}
			shift.Bands, shift.BandOf = cohort.CutBands(cut)
		}
		if def.Direction == instrument.HigherIsBetter {
			slices.Reverse(shift.Bands) // the mildest first
		}
		return shift.Compute(cases)
	})
}

var errNoBands = fault.New(fault.Invalid, "The instrument has neither bands of severity nor a cut-point.",
	fault.Detail{Pointer: "/instrument", In: "query", Code: "no_bands", Message: "Ask for its change."})

// cutpoint is the total from which the clinic reads an instrument as positive.
func cutpoint(def *instrument.Definition, settings care.Settings) (float64, bool) {
	for _, screen := range def.Screens {
		if screen.Kind != instrument.Cutpoint || screen.AtLeast == nil {
			continue
		}
		if chosen, ok := settings[def.ID].Cutpoints[screen.ID]; ok && def.AllowsCutpoint(screen.ID, chosen) {
			return chosen, true
		}
		return *screen.AtLeast, true
	}
	return 0, false
}

// Item9 tells how the answers about suicidal thoughts moved.
func (s *Service) Item9(ctx context.Context, who auth.Principal, q FigureQuery, c cohort.Item9Query) (cohort.Item9, Frame, error) {
	q.Name, q.Instruments, q.Item9 = "item9", []string{cohort.PHQ9}, true
	q.Choice = Choice{What: c, Points: []cohort.TimePoint{c.From, c.To}}
	return figure(ctx, s, who, q, func(_ *Frame, cases cohort.Cases) (cohort.Item9, error) { return c.Compute(cases) })
}

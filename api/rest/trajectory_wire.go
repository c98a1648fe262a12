package rest

import (
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/api/figure"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/trajectory"
)

// Trajectory is the course of one client's symptoms on one instrument.
type Trajectory struct {
	ClientID      uuid.UUID         `json:"client_id" swaggertype:"string" format:"uuid"`
	Instrument    string            `json:"instrument" example:"phq-9"`
	Title         string            `json:"title"`
	Direction     string            `json:"direction" enums:"lower_is_better,higher_is_better"`
	AsOf          *time.Time        `json:"as_of,omitempty" format:"date-time"` // what was known then; absent: now
	RecallWindows []string          `json:"recall_windows"`                     // those that are compared here
	FirstDoseAt   *time.Time        `json:"first_dose_at" format:"date-time" extensions:"x-nullable"`
	Baseline      *TrajectoryMark   `json:"baseline" extensions:"x-nullable"` // null where the rule finds none
	BaselineNote  string            `json:"baseline_note,omitempty"`          // why there is no baseline
	Latest        *TrajectoryMark   `json:"latest" extensions:"x-nullable"`   // where the status is judged
	Best          *TrajectoryMark   `json:"best" extensions:"x-nullable"`
	Points        []TrajectoryPoint `json:"points"` // every assessment that stands, in order of time
	Sessions      []SessionChange   `json:"sessions"`
	Status        TrajectoryStatus  `json:"status"`
	Trend         *Trend            `json:"trend" extensions:"x-nullable"` // null for fewer than two scores
	Rules         ChangeRules       `json:"rules"`
	MaxOverlap    *float64          `json:"max_overlap,omitempty"` // points that overlap by more take no part in the verdicts
} //	@name	Trajectory

// TrajectoryMark is a score that a trajectory refers to.
type TrajectoryMark struct {
	AssessmentID uuid.UUID `json:"assessment_id" swaggertype:"string" format:"uuid"`
	At           time.Time `json:"at" format:"date-time"`
	Total        float64   `json:"total" example:"18"`
	Severity     *string   `json:"severity" extensions:"x-nullable"`
	Rule         string    `json:"rule,omitempty" example:"first"` // how a baseline was chosen
	Words        string    `json:"words,omitempty"`                // the same in words
} //	@name	TrajectoryMark

// TrajectoryPoint is one assessment, compared with the baseline.
type TrajectoryPoint struct {
	AssessmentID      uuid.UUID  `json:"assessment_id" swaggertype:"string" format:"uuid"`
	SessionID         *uuid.UUID `json:"session_id" swaggertype:"string" format:"uuid" extensions:"x-nullable"`
	SessionNumber     *int       `json:"session_number" extensions:"x-nullable"`
	SessionKind       string     `json:"session_kind,omitempty"`
	Timing            string     `json:"timing" enums:"baseline,before,after,follow_up"`
	At                time.Time  `json:"at" format:"date-time"`
	DaysFromFirstDose *float64   `json:"days_from_first_dose" extensions:"x-nullable"`
	InstrumentVersion string     `json:"instrument_version" example:"1.0.0"`
	RecallWindow      string     `json:"recall_window" example:"P14D"`
	Total             *float64   `json:"total" extensions:"x-nullable"`
	Severity          *string    `json:"severity" extensions:"x-nullable"`
	Prorated          bool       `json:"prorated"`
	Flags             []Flag     `json:"flags"`
	Change            *float64   `json:"change" extensions:"x-nullable"`         // total minus baseline, in points
	PercentChange     *float64   `json:"percent_change" extensions:"x-nullable"` // of the baseline; null where that is 0
	Reliable          *string    `json:"reliable" enums:"improved,unchanged,deteriorated" extensions:"x-nullable"`
	Response          *string    `json:"response" enums:"response,partial,none" extensions:"x-nullable"`
	Remission         *bool      `json:"remission" extensions:"x-nullable"`
	RecallOverlap     *float64   `json:"recall_overlap" extensions:"x-nullable" example:"0.93"` // share of its recall window that the baseline's covers
	RecallNote        string     `json:"recall_note,omitempty"`                                 // the same in words
	WindowDiffers     bool       `json:"window_differs"`                                        // asked with another recall window than the baseline
	Excluded          bool       `json:"excluded"`                                              // overlaps by more than was allowed
} //	@name	TrajectoryPoint

// SessionChange is what a session changed, and what was held before it.
type SessionChange struct {
	SessionID                 uuid.UUID  `json:"session_id" swaggertype:"string" format:"uuid"`
	CourseID                  *uuid.UUID `json:"course_id" swaggertype:"string" format:"uuid" extensions:"x-nullable"`
	Number                    int        `json:"number"`
	Kind                      string     `json:"kind" enums:"preparation,dosing,integration,follow_up"`
	At                        time.Time  `json:"at" format:"date-time"`
	Before                    *float64   `json:"before" extensions:"x-nullable"` // total of the last assessment before it
	After                     *float64   `json:"after" extensions:"x-nullable"`  // total of the first assessment after it
	BeforeID                  *uuid.UUID `json:"before_assessment_id" swaggertype:"string" format:"uuid" extensions:"x-nullable"`
	AfterID                   *uuid.UUID `json:"after_assessment_id" swaggertype:"string" format:"uuid" extensions:"x-nullable"`
	Change                    *float64   `json:"change" extensions:"x-nullable"` // after minus before
	RecallOverlap             *float64   `json:"recall_overlap" extensions:"x-nullable"`
	RecallNote                string     `json:"recall_note,omitempty"`
	Excluded                  bool       `json:"excluded"`
	SincePreviousAfter        *float64   `json:"since_previous_after" extensions:"x-nullable"` // before minus the previous session's after
	SincePreviousAfterOverlap *float64   `json:"since_previous_after_overlap" extensions:"x-nullable"`
	SincePreviousAfterNote    string     `json:"since_previous_after_note,omitempty"`
	SincePreviousExcluded     bool       `json:"since_previous_after_excluded"`
} //	@name	SessionChange

// TrajectoryStatus judges the latest score against the baseline. A null is a
// question that the rules do not answer here.
type TrajectoryStatus struct {
	Summary           string     `json:"summary" enums:"relapsed,deteriorated,remission,response,improved,unchanged,not_judged,baseline_only,no_baseline" example:"response"` // how it stands now, in one word
	Change            *float64   `json:"change" extensions:"x-nullable"`
	PercentChange     *float64   `json:"percent_change" extensions:"x-nullable"`
	RecallOverlap     *float64   `json:"recall_overlap" extensions:"x-nullable"` // share of the latest one's recall window that the baseline's covers
	RecallNote        string     `json:"recall_note,omitempty"`
	WindowDiffers     bool       `json:"window_differs"` // latest and baseline were asked with different recall windows
	Reliable          *string    `json:"reliable" enums:"improved,unchanged,deteriorated" extensions:"x-nullable"`
	Response          *string    `json:"response" enums:"response,partial,none" extensions:"x-nullable"`
	Remission         *bool      `json:"remission" extensions:"x-nullable"`
	BaselineCase      *bool      `json:"baseline_case" extensions:"x-nullable"`
	Recovery          *bool      `json:"recovery" extensions:"x-nullable"` // null where the baseline was no case
	ReliableRecovery  *bool      `json:"reliable_recovery" extensions:"x-nullable"`
	ImportantChange   *bool      `json:"important_change" extensions:"x-nullable"` // better by the minimal important difference
	Relapsed          bool       `json:"relapsed"`                                 // ever, by rules.relapse; how it stands now is in summary
	Regained          bool       `json:"regained"`                                 // relapsed, and the latest score has it back
	FirstReliableAt   *time.Time `json:"first_reliable_at" format:"date-time" extensions:"x-nullable"`
	FirstResponseAt   *time.Time `json:"first_response_at" format:"date-time" extensions:"x-nullable"`
	FirstRemissionAt  *time.Time `json:"first_remission_at" format:"date-time" extensions:"x-nullable"`
	RelapsedAt        *time.Time `json:"relapsed_at" format:"date-time" extensions:"x-nullable"`
	DaysHeld          *float64   `json:"days_held" extensions:"x-nullable"` // until the relapse, or so far
	HeldCensored      bool       `json:"held_censored"`                     // held until the last score: longer is not known
	AssessmentsScored int        `json:"n_scored"`
	AssessmentsNot    int        `json:"n_missing"`  // without a total
	AssessmentsOut    int        `json:"n_excluded"` // for their recall overlap
} //	@name	TrajectoryStatus

// Trend is a straight line by least squares: a description, not a test.
type Trend struct {
	SlopePerWeek float64     `json:"slope_per_week" example:"-1.8"`
	CI95         *[2]float64 `json:"ci95" extensions:"x-nullable" swaggertype:"array,number"` // null for fewer than three scores
	N            int         `json:"n"`
} //	@name	Trend

// ChangeRules is the rule set that the verdicts follow.
type ChangeRules struct {
	figure.RuleSet
	Relapse RelapseRules `json:"relapse"`
} //	@name	ChangeRules

// RelapseRules is the definition of a relapse that was used.
type RelapseRules struct {
	Definition string `json:"definition" enums:"loss_of_response,caseness_after_remission,reliable_worsening_from_best"`
	Words      string `json:"words"`
	Judged     bool   `json:"judged"` // false: the rules lack the thresholds, or the client was no case at the baseline; "not relapsed" then says nothing
} //	@name	RelapseRules

func trajectoryFromCare(t care.Trajectory) Trajectory {
	out := Trajectory{
		ClientID: t.ClientID, Instrument: t.Instrument, Title: t.Title, Direction: string(t.Direction), AsOf: t.AsOf,
		RecallWindows: t.RecallWindows, FirstDoseAt: t.FirstDoseAt, Baseline: markFrom(t.Baseline), BaselineNote: t.BaselineNote,
		Latest: markFrom(t.Latest), Best: markFrom(t.Best), Status: statusFrom(t.Status),
		Points: make([]TrajectoryPoint, len(t.Points)), Sessions: make([]SessionChange, len(t.Sessions)),
		Rules: rulesFrom(t.Rules, t.Relapse), MaxOverlap: t.MaxOverlap,
	}
	if out.RecallWindows == nil {
		out.RecallWindows = []string{}
	}
	for i, p := range t.Points {
		out.Points[i] = pointFrom(p, t.Details[p.AssessmentID])
	}
	for i, s := range t.Sessions {
		out.Sessions[i] = sessionChangeFrom(s)
	}
	if t.Trend != nil {
		out.Trend = &Trend{SlopePerWeek: t.Trend.SlopePerWeek, CI95: t.Trend.CI95, N: t.Trend.N}
	}
	return out
}

func markFrom(m *trajectory.Mark) *TrajectoryMark {
	if m == nil {
		return nil
	}
	return &TrajectoryMark{
		AssessmentID: m.AssessmentID, At: m.At, Total: m.Total, Severity: m.Severity, Rule: string(m.Rule), Words: m.Words,
	}
}

func pointFrom(p trajectory.Point, d care.PointDetail) TrajectoryPoint {
	return TrajectoryPoint{
		AssessmentID: p.AssessmentID, SessionID: p.SessionID, SessionNumber: p.SessionNumber, SessionKind: p.SessionKind,
		Timing: string(p.Timing), At: p.At, DaysFromFirstDose: p.DaysFromFirstDose, InstrumentVersion: d.InstrumentVersion, RecallWindow: d.RecallWindow,
		Total: p.Total, Severity: p.Severity, Prorated: d.Prorated, Flags: flagsFromInstrument(d.Flags),
		Change: p.Change, PercentChange: p.PercentChange, Reliable: convertPtr[string](p.Reliable),
		Response: convertPtr[string](p.Response), Remission: p.Remission,
		RecallOverlap: p.RecallOverlap, RecallNote: p.RecallNote, WindowDiffers: p.WindowDiffers, Excluded: p.Excluded,
	}
}

func sessionChangeFrom(s trajectory.SessionChange) SessionChange {
	return SessionChange{
		SessionID: s.SessionID, CourseID: s.CourseID, Number: s.Number, Kind: s.Kind, At: s.At,
		Before: s.Before, After: s.After, BeforeID: s.BeforeID, AfterID: s.AfterID, Change: s.Change,
		RecallOverlap: s.RecallOverlap, RecallNote: s.RecallNote, Excluded: s.Excluded,
		SincePreviousAfter: s.SincePreviousAfter, SincePreviousAfterOverlap: s.SincePreviousOverlap,
		SincePreviousAfterNote: s.SincePreviousNote, SincePreviousExcluded: s.SincePreviousExcluded,
	}
}

func statusFrom(s trajectory.Status) TrajectoryStatus {
	return TrajectoryStatus{
		Summary: string(s.Summary), Change: s.Change, PercentChange: s.PercentChange,
		RecallOverlap: s.RecallOverlap, RecallNote: s.RecallNote, WindowDiffers: s.WindowDiffers,
		Reliable: convertPtr[string](s.Reliable), Response: convertPtr[string](s.Response), Remission: s.Remission,
		BaselineCase: s.BaselineCase, Recovery: s.Recovery, ReliableRecovery: s.ReliableRecovery, ImportantChange: s.MIDReached,
		Relapsed: s.Relapsed, Regained: s.Regained, FirstReliableAt: s.FirstReliableAt, FirstResponseAt: s.FirstResponseAt,
		FirstRemissionAt: s.FirstRemissionAt, RelapsedAt: s.RelapsedAt, DaysHeld: s.DaysHeld, HeldCensored: s.HeldCensored,
		AssessmentsScored: s.NScored, AssessmentsNot: s.NMissing, AssessmentsOut: s.NExcluded,
	}
}

func rulesFrom(r trajectory.Rules, relapse trajectory.Relapse) ChangeRules {
	return ChangeRules{RuleSet: figure.RulesOf(r), Relapse: RelapseRules{Definition: string(relapse.Definition), Words: relapse.Words, Judged: relapse.Judged}}
}

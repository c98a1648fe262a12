package figure

import (
	"context"

	"github.com/protrack/protrack/api/question"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/research"
	"github.com/protrack/protrack/pkg/trajectory"
)

// Flow is who was there, who was expected and who was lost.
type Flow struct {
	Frame
	Instrument string        `json:"instrument" example:"phq-9"`
	Enrolled   *int          `json:"enrolled" extensions:"x-nullable"`
	Treated    *int          `json:"treated" extensions:"x-nullable"`  // at least one dose
	Baseline   *int          `json:"baseline" extensions:"x-nullable"` // of the treated: with a baseline score
	NoBaseline []Reason      `json:"no_baseline"`                      // why the other treated people have none
	Points     []FlowAtPoint `json:"time_points"`
	Withheld   bool          `json:"withheld"`
} //	@name	FlowFigure

// FlowAtPoint is the flow at one time-point, of the people who were treated.
type FlowAtPoint struct {
	At         string `json:"at" example:"after_session:1"`
	NotReached *int   `json:"not_reached" extensions:"x-nullable"` // the session has not taken place, or the window is still open
	NextCourse *int   `json:"next_course" extensions:"x-nullable"` // another course began before the window closed
	Expected   *int   `json:"expected" extensions:"x-nullable"`    // all others
	Observed   *int   `json:"observed" extensions:"x-nullable"`    // of these: something was filled in
	NotScored  *int   `json:"not_scored" extensions:"x-nullable"`  // of these: without a total
	Evaluable  *int   `json:"evaluable" extensions:"x-nullable"`   // scored, and at baseline too
	Lost       Rate   `json:"lost"`
	Words      string `json:"words"`
	Withheld   bool   `json:"withheld"`
} //	@name	FlowAtPoint

func flowAtPoint(p cohort.FlowPoint) FlowAtPoint {
	return FlowAtPoint{
		At: p.At.String(), NotReached: p.NotReached, NextCourse: p.NextCourse, Expected: p.Expected, Observed: p.Observed, NotScored: p.NotScored, Evaluable: p.Evaluable,
		Lost: rateOf(p.Lost), Words: p.Words, Withheld: hidden(p.NotReached, p.NextCourse, p.Expected, p.Observed, p.NotScored, p.Evaluable, p.Lost.N),
	}
}

// MeanDifference is the mean of a list of differences, later minus earlier.
type MeanDifference struct {
	N        *int             `json:"n" extensions:"x-nullable"`
	Mean     *float64         `json:"mean" extensions:"x-nullable"`
	SD       *float64         `json:"sd" extensions:"x-nullable"`
	CI95     *cohort.Interval `json:"ci95" extensions:"x-nullable" swaggertype:"array,number"`
	Withheld bool             `json:"withheld"`
} //	@name	MeanDifference

func meanOf(m cohort.Estimate) MeanDifference {
	return MeanDifference{N: m.N, Mean: m.Mean, SD: m.SD, CI95: m.CI95, Withheld: hidden(m.N)}
}

// SessionEffect is what the session of a number did to those who had it. Each
// difference is of the people who have both of its scores.
type SessionEffect struct {
	Number        int             `json:"number" example:"1"`
	Taken         *int            `json:"taken" extensions:"x-nullable"` // people who had it
	WithBefore    *int            `json:"with_before" extensions:"x-nullable"`
	WithAfter     *int            `json:"with_after" extensions:"x-nullable"`
	Paired        *int            `json:"paired" extensions:"x-nullable"`
	Across        MeanDifference  `json:"across"`                                // after minus before
	Held          MeanDifference  `json:"held"`                                  // before the next session minus after this one
	FromBaseline  MeanDifference  `json:"from_baseline"`                         // after minus baseline
	HeldShare     *float64        `json:"held_share" extensions:"x-nullable"`    // how much of the change from baseline is there before the next session
	HeldOf        *int            `json:"held_share_of" extensions:"x-nullable"` // people with all three scores
	Windows       []RecallWindows `json:"recall_windows"`
	RecallOverlap *float64        `json:"recall_overlap" extensions:"x-nullable"` // mean share of the time asked about afterwards that was asked about before
	OverlapOf     *int            `json:"recall_overlap_of" extensions:"x-nullable"`
	Withheld      bool            `json:"withheld"`
} //	@name	SessionEffect

func sessionEffect(s cohort.SessionEffect) SessionEffect {
	return SessionEffect{
		Number: s.Number, Taken: s.Taken, WithBefore: s.WithBefore, WithAfter: s.WithAfter, Paired: s.Paired,
		Across: meanOf(s.Across), Held: meanOf(s.Held), FromBaseline: meanOf(s.FromBaseline), HeldShare: s.HeldShare, HeldOf: s.HeldOf,
		Windows:       windowsOf(s.Windows),
		RecallOverlap: s.RecallOverlap, OverlapOf: s.OverlapOf, Withheld: hidden(s.Taken, s.WithBefore, s.WithAfter, s.Paired, s.HeldOf, s.OverlapOf),
	}
}

// Sessions is the effect by session number.
type Sessions struct {
	Frame
	Instrument string          `json:"instrument" example:"phq-9"`
	Enrolled   *int            `json:"enrolled" extensions:"x-nullable"`
	Treated    *int            `json:"treated" extensions:"x-nullable"`
	Sessions   []SessionEffect `json:"sessions"`
	Withheld   bool            `json:"withheld"`
} //	@name	SessionsFigure

// Survival is the curve of those who have not had the event yet. The time
// is that of the score that shows the event: it happened between two scores.
type Survival struct {
	Frame
	Instrument string          `json:"instrument" example:"phq-9"`
	Event      string          `json:"event" enums:"response,loss_of_response"`
	Words      string          `json:"words"`                                // what the event is
	Confidence string          `json:"confidence" enums:"plain,log,log-log"` // scale of the interval, from Greenwood's variance
	CasesOnly  bool            `json:"cases_only"`                           // whoever was no case at baseline is left out
	Enrolled   *int            `json:"enrolled" extensions:"x-nullable"`
	N          *int            `json:"n" extensions:"x-nullable"` // people counted
	Events     *int            `json:"events" extensions:"x-nullable"`
	Excluded   []Reason        `json:"excluded"` // why the others of the enrolled are not counted
	Curve      []SurvivalStep  `json:"curve"`
	MedianDays *float64        `json:"median_days" extensions:"x-nullable"` // null: not reached
	MedianFrom *float64        `json:"median_from" extensions:"x-nullable"` // limits of its 95 % interval
	MedianTo   *float64        `json:"median_to" extensions:"x-nullable"`
	AtRisk     []SurvivalRisk  `json:"at_risk"`        // at standard days
	Windows    []RecallWindows `json:"recall_windows"` // of the baseline, and of the score at which each person left the curve
	Rules      RuleSet         `json:"rules"`
	Withheld   bool            `json:"withheld"`
} //	@name	SurvivalFigure

// SurvivalStep is the curve after a day, or after days that were merged so that
// nobody is seen alone.
type SurvivalStep struct {
	FromDays int              `json:"from_days"`
	Days     int              `json:"days"`
	AtRisk   *int             `json:"at_risk" extensions:"x-nullable"`
	Events   *int             `json:"events" extensions:"x-nullable"`
	Censored *int             `json:"censored" extensions:"x-nullable"`
	Survival float64          `json:"survival"`
	CI95     *cohort.Interval `json:"ci95" extensions:"x-nullable" swaggertype:"array,number"`
} //	@name	SurvivalStep

// SurvivalRisk is how many had neither had the event nor been censored before a
// day.
type SurvivalRisk struct {
	Days int  `json:"days"`
	N    *int `json:"n" extensions:"x-nullable"`
} //	@name	SurvivalRisk

func survivalFigure(s cohort.Survival) Survival {
	out := Survival{
		Event: string(s.Event), Words: s.Words, Confidence: string(s.Confidence), CasesOnly: s.CasesOnly, Enrolled: s.Enrolled,
		N: s.N, Events: s.Events, Excluded: reasonsOf(s.LeftOut), MedianDays: s.MedianDays, MedianFrom: s.MedianFrom, MedianTo: s.MedianTo,
		Curve: convert(s.Curve, func(x cohort.Step) SurvivalStep {
			return SurvivalStep{FromDays: x.From, Days: x.Days, AtRisk: x.AtRisk, Events: x.Events, Censored: x.Censored, Survival: x.Survival, CI95: x.CI95}
		}),
		AtRisk:  convert(s.AtRisk, func(r cohort.AtRisk) SurvivalRisk { return SurvivalRisk(r) }),
		Windows: windowsOf(s.Windows),
	}
	out.Withheld = hidden(s.Enrolled, s.N, s.Events) || reasonsHidden(out.Excluded) || windowsHidden(out.Windows)
	return out
}

// AskFlow tells who was there, who was expected and who was lost.
func AskFlow(ctx context.Context, r *research.Service, who auth.Principal, q *question.Reader) (Flow, error) {
	p := parameters{q}
	asked := cohort.FlowQuery{Instrument: p.instrument(), Points: p.points("at"), Window: p.window()}
	f, err := p.figure()
	if err != nil {
		return Flow{}, err
	}
	found, frame, err := r.Flow(ctx, who, f, asked)
	out := Flow{
		Frame: frameOf(frame), Instrument: asked.Instrument, Enrolled: found.Enrolled, Treated: found.Treated,
		Baseline: found.Baseline, NoBaseline: reasonsOf(found.NoBaseline), Points: convert(found.Points, flowAtPoint),
	}
	out.Withheld = hidden(out.Enrolled, out.Treated, out.Baseline) || reasonsHidden(out.NoBaseline)
	return out, err
}

// AskSessions tells what happened across each dosing session.
func AskSessions(ctx context.Context, r *research.Service, who auth.Principal, q *question.Reader) (Sessions, error) {
	p := parameters{q}
	asked := cohort.SessionsQuery{Instrument: p.instrument(), Window: p.window()}
	f, err := p.figure()
	if err != nil {
		return Sessions{}, err
	}
	found, frame, err := r.Sessions(ctx, who, f, asked)
	return Sessions{
		Frame: frameOf(frame), Instrument: asked.Instrument, Enrolled: found.Enrolled, Treated: found.Treated,
		Sessions: convert(found.Sessions, sessionEffect), Withheld: hidden(found.Enrolled, found.Treated),
	}, err
}

// AskSurvival tells how long it took until a response, or until one was lost.
func AskSurvival(ctx context.Context, r *research.Service, who auth.Principal, q *question.Reader) (Survival, error) {
	p := parameters{q}
	asked := cohort.SurvivalQuery{
		Instrument: p.instrument(), Window: p.window(), AnyBaseline: p.Flag("any_baseline"),
		Event: question.Choice(q, "event", cohort.EventResponse, cohort.EventResponse, cohort.EventLossOfResponse),
		Relapse: question.Choice(q, "relapse", trajectory.RelapseLossOfResponse, trajectory.RelapseLossOfResponse,
			trajectory.RelapseCasenessAfterRemission, trajectory.RelapseReliableWorsening),
		Confidence: question.Choice(q, "confidence", cohort.ConfidenceLogLog, cohort.ConfidencePlain, cohort.ConfidenceLog, cohort.ConfidenceLogLog),
	}
	rules := p.Text("rules", "")
	f, err := p.figure()
	if err != nil {
		return Survival{}, err
	}
	f.Rules = rules
	found, frame, err := r.Survival(ctx, who, f, asked)
	out := survivalFigure(found)
	out.Frame, out.Instrument, out.Rules = frameOf(frame), asked.Instrument, RulesOf(frame.Rules[asked.Instrument])
	return out, err
}

package cohort

import (
	"fmt"
	"math"
	"time"

	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/trajectory"
)

// Event is what a survival curve waits for.
type Event string

// The events.
const (
	// EventResponse is the first score after the first dose that is a response
	// against the baseline; the time runs from the first dose.
	EventResponse Event = "response"
	// EventLossOfResponse is the loss of a gain, by a trajectory's definition of
	// relapse; the time runs from the score that first had the gain.
	EventLossOfResponse Event = "loss_of_response"
)

// SurvivalQuery asks for a Kaplan-Meier curve.
type SurvivalQuery struct {
	Instrument string
	Direction  trajectory.Direction
	Rules      trajectory.Rules
	Window     string // recall window, such as P14D; empty: any
	Event      Event
	// Relapse is what counts as a loss; empty: loss of response.
	Relapse trajectory.RelapseDefinition
	// AnyBaseline counts in the response those, too, who were no case at the
	// baseline. A loss is judged of cases alone (see package trajectory).
	AnyBaseline bool
	Confidence  ConfidenceType // empty: log-log
}

// Survival is the curve of those who have not had the event yet.
//
// A score is a look, not a watch: the event happened between the look before
// and the look that shows it (it is interval-censored). The time counted is that
// of the look, so the curve is late by up to the distance of two looks, and is
// comparable between clinics only where they look equally often. Times are whole
// days of 24 hours, rounded down. Whoever has not had the event is censored at
// the last score.
type Survival struct {
	Event      Event
	Words      string // what the event is
	Confidence ConfidenceType
	CasesOnly  bool // whoever was no case at the baseline was left out

	Enrolled Count
	N        Count // people counted
	Events   Count
	LeftOut  []LeftOut
	// Windows are the recall windows of the baseline and of the score at which
	// each person left the curve.
	Windows []Windows

	Curve []Step
	// MedianDays is when half have had the event, as R's print(survfit) gives it:
	// the day at which the curve falls to a half, or halfway to the next event
	// where it stays at a half until then. nil where it is not reached. The
	// limits are those of the band.
	MedianDays, MedianFrom, MedianTo *float64
	AtRisk                           []AtRisk // at standard days

	reasons    tally[string]
	what       string // the instrument and the event
	instrument string
	who        witnesses[string]    // by reason
	lives      witnesses[departure] // with the baselines and the last scores
	windows    tally[Windows]
	asked      witnesses[Windows]
	showsAsked shown // the numbers of Windows that are shown
}

// AtRisk is how many had neither had the event nor been censored before a day.
type AtRisk struct {
	Days int
	N    Count
}

// riskDays are those under which papers on this treatment print the numbers at
// risk: weeks 1, 2, 4, 8 and 3, 6 and 12 months.
var riskDays = []int{0, 7, 14, 28, 56, 90, 180, 365}

// The reasons for being left out of a survival curve, beside NotTreated.
const (
	reasonNoBaseline = "no_baseline"
	reasonNoCase     = "no_case_at_baseline"
	reasonNoLater    = "no_later_score"
	reasonNotJudged  = "not_judged" // the rules say nothing of such a baseline: there is no half of 0
	reasonNeverGain  = "never_gained"
)

// Compute gives the curve. An unknown event, definition of relapse or type of
// confidence interval is a fault.Invalid, and so are rules without the
// thresholds that the event needs.
func (q SurvivalQuery) Compute(cases Cases) (Survival, error) {
	if q.Confidence == "" {
		q.Confidence = ConfidenceLogLog
	}
	words, err := q.words()
	if err != nil {
		return Survival{}, err
	}
	s := Survival{
		Event: q.Event, Words: words, Confidence: q.Confidence, reasons: tally[string]{}, windows: tally[Windows]{}, what: q.Instrument + " " + string(q.Event), instrument: q.Instrument,
		CasesOnly: q.Rules.Caseness != nil && (q.Event == EventLossOfResponse || !q.AnyBaseline),
	}
	leave := map[int]leaving{}
	enrolled := 0
	for c, err := range cases {
		if err != nil {
			return Survival{}, err
		}
		enrolled++
		life, reason := q.follow(c)
		s.reasons[reason]++
		s.who.add(reason, c, Score{}, Score{})
		if reason != "" {
			continue
		}
		leave[life.days] = leave[life.days].with(life.event)
		windows := windowsOf(life.baseline, life.end)
		s.windows[windows]++
		s.asked.add(windows, c, life.baseline, life.end)
		s.lives.add(departure{life.days, life.event}, c, life.baseline, life.end)
	}
	s.Enrolled, s.N, s.LeftOut = &enrolled, new(s.reasons[""]), reasons(s.reasons)
	s.showWindows(everything(windowCounts(s.windows)))
	s.Curve = kaplanMeier(leave, q.Confidence)
	s.Events = new(0)
	for _, step := range s.Curve {
		*s.Events += *step.Events
	}
	s.median()
	for _, d := range riskDays {
		s.AtRisk = append(s.AtRisk, AtRisk{Days: d, N: new(atRisk(s.Curve, d))})
	}
	return s, nil
}

// showWindows lists the windows with the numbers that may be shown.
func (s *Survival) showWindows(may shown) {
	s.Windows, s.showsAsked = windowList(s.windows, may), may
}

// departure is when and how a person left the curve.
type departure struct {
	days  int
	event bool
}

// Bases lists what the numbers that are shown were computed from.
func (s Survival) Bases() []Basis {
	out := reasonBases(s.instrument, s.who, s.Enrolled, s.LeftOut)
	number := func(n Count, in func(departure) bool) {
		may := shown{countCounted: n != nil}
		out = append(out, s.lives.heads(s.instrument, may, counted[departure]{countCounted, in})...)
		out = append(out, s.lives.bases(s.what+" curve", witness[departure].then, may, counted[departure]{countCounted, in})...)
		out = append(out, s.lives.bases(s.what+" curve from", witness[departure].first, may, counted[departure]{countCounted, in})...)
	}
	out = append(out, s.asked.heads(s.instrument, s.showsAsked, windowCounts(s.windows)...)...)
	number(s.N, func(departure) bool { return true })
	number(s.Events, func(d departure) bool { return d.event })
	for _, step := range s.Curve {
		for event, n := range map[bool]Count{true: step.Events, false: step.Censored} {
			number(n, func(d departure) bool { return d.event == event && step.From <= d.days && d.days <= step.Days })
		}
	}
	return out
}

// life is one person's part in the curve.
type life struct {
	days          int
	event         bool
	baseline, end Score
}

// follow gives the person's time to the event, or why there is none. The
// judgement is the trajectory's, on the baseline and what came after the dose.
func (q SurvivalQuery) follow(c Case) (life, string) {
	first := c.FirstDose()
	if first == nil {
		return life{}, string(NotTreated)
	}
	base, absent := c.Find(TimePoint{Kind: AtBaseline}, q.Instrument, q.Window)
	if absent != "" {
		return life{}, reasonNoBaseline
	}
	series, later := q.series(c, base, *first)
	status := trajectory.StatusOf(series, q.Rules, trajectory.Options{Relapse: q.Relapse})
	switch was := status.BaselineCase; {
	case was != nil && !*was && (q.Event == EventLossOfResponse || !q.AnyBaseline):
		return life{}, reasonNoCase
	case len(later) == 0:
		return life{}, reasonNoLater
	case q.Event == EventLossOfResponse:
		return held(status, base, later)
	}
	return responded(status, base, later, *first)
}

// responded is the time to the first response.
func responded(s trajectory.Status, base Score, later []Score, first time.Time) (life, string) {
	if s.Response == nil {
		return life{}, reasonNotJudged
	}
	end, at := later[len(later)-1], s.FirstResponseAt
	if at != nil {
		end = scoreAt(later, *at)
	}
	return life{days: wholeDays(end.At.Sub(first).Hours() / 24), event: at != nil, baseline: base, end: end}, ""
}

// held is the time from a gain to its loss.
func held(s trajectory.Status, base Score, later []Score) (life, string) {
	switch {
	case s.DaysHeld == nil:
		return life{}, reasonNeverGain
	case s.HeldCensored && *s.DaysHeld == 0: // the gain is the last score
		return life{}, reasonNoLater
	}
	end := later[len(later)-1]
	if s.Relapsed {
		end = scoreAt(later, *s.RelapsedAt)
	}
	return life{days: wholeDays(*s.DaysHeld), event: s.Relapsed, baseline: base, end: end}, ""
}

// series is the baseline and the scores after the first dose. The baseline may
// have been typed in late: here it stands where it belongs.
func (q SurvivalQuery) series(c Case, base Score, first time.Time) (trajectory.Series, []Score) {
	scores := c.Scores[q.Instrument]
	later := make([]Score, 0, len(scores))
	for _, s := range scores {
		if s.Total != nil && (q.Window == "" || s.Window == q.Window) && !c.upToFirstDose(s) {
			later = append(later, s)
		}
	}
	at := base.At
	if first.Before(at) {
		at = first
	}
	if len(later) > 0 && later[0].At.Before(at) {
		at = later[0].At
	}
	series := trajectory.Series{Instrument: q.Instrument, Direction: q.Direction}
	series.Assessments = append(make([]trajectory.Assessment, 0, len(later)+1),
		trajectory.Assessment{ID: base.ID, Timing: trajectory.TimingBaseline, At: at, Total: base.Total})
	for _, s := range later {
		series.Assessments = append(series.Assessments,
			trajectory.Assessment{ID: s.ID, Timing: trajectory.TimingFollowUp, At: s.At, Total: s.Total})
	}
	return series, later
}

// scoreAt is the first score at an instant that is known to have one.
func scoreAt(scores []Score, at time.Time) Score {
	for _, s := range scores {
		if s.At.Equal(at) {
			return s
		}
	}
	return Score{}
}

// wholeDays rounds down, forgiving the fourth decimal of a trajectory's days. A
// date without a time may stand before the dose of its day.
func wholeDays(days float64) int { return max(0, int(math.Floor(days+1e-4))) }

// words says what the event is, or that it cannot be judged.
func (q SurvivalQuery) words() (string, error) {
	if !q.Confidence.known() {
		return "", errConfidence
	}
	percent, r := q.Rules.ResponsePercent, q.Rules
	switch {
	case q.Event != EventResponse && q.Event != EventLossOfResponse:
		return "", errEvent
	case q.Event == EventResponse && percent == nil:
		return "", errNoThreshold
	case q.Event == EventResponse:
		return fmt.Sprintf("The first score after the first dose that is at least %g %% better than the baseline; "+
			"the response came between this look and the one before.", *percent), nil
	}
	const then = "; the loss came between this look and the one before."
	switch q.Relapse {
	case "", trajectory.RelapseLossOfResponse:
		if percent == nil {
			return "", errNoThreshold
		}
		return fmt.Sprintf("The first score after a response that is no longer at least %g %% better than the baseline%s", *percent, then), nil
	case trajectory.RelapseCasenessAfterRemission:
		if r.Caseness == nil || r.RemissionBelow == nil || q.Direction == trajectory.HigherIsBetter {
			return "", errNoThreshold
		}
		return "The first score that is a case again after a remission" + then, nil
	case trajectory.RelapseReliableWorsening:
		if r.ReliableChange == nil {
			return "", errNoThreshold
		}
		return "The first score that is reliably worse than the best, after a reliable improvement" + then, nil
	}
	return "", errRelapse
}

var (
	errEvent       = fault.New(fault.Invalid, "The event is response or loss_of_response.", inQuery("event", "oneof", "Ask for response or loss_of_response."))
	errRelapse     = fault.New(fault.Invalid, "The loss is loss_of_response, caseness_after_remission or reliable_worsening_from_best.", inQuery("relapse", "oneof", "Ask for one of these."))
	errNoThreshold = fault.New(fault.Invalid, "The rules have no threshold for this event.", inQuery("rules", "no_threshold", "Choose rules with the threshold that the event needs, or another event."))
	errConfidence  = fault.New(fault.Invalid, "The confidence interval is plain, log or log-log.", inQuery("confidence", "oneof", "Ask for one of these."))
)

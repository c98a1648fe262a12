package trajectory

import (
	"time"

	"github.com/google/uuid"
)

// Reliable says whether a change is more than measurement error.
type Reliable string

// The verdicts of reliable change.
const (
	Improved     Reliable = "improved"
	Unchanged    Reliable = "unchanged"
	Deteriorated Reliable = "deteriorated"
)

// Response says how much of the baseline's burden is gone.
type Response string

// The verdicts of response.
const (
	ResponseFull    Response = "response"
	ResponsePartial Response = "partial"
	ResponseNone    Response = "none"
)

// Summary is one word for a caseload: the first that holds, in the order of
// the constants.
//
// The order puts what a clinician has to act on first: a gain lost, then
// reliable worsening. After these come the good outcomes, the strongest first,
// because each mostly contains the next (remission is usually a response, a
// response usually a reliable improvement). Last come the words for "nothing
// moved" and "nothing can be said".
//
// A client who was no case at the baseline, where the rules have a caseness,
// has no illness to respond, remit or relapse from: relapsed, remission and
// response are then never said, so that a GAD-7 of 4, 2 and 3 alarms nobody.
type Summary string

// The words of a caseload.
const (
	SummaryRelapsed     Summary = "relapsed"     // a gain was lost and is not regained at the latest score
	SummaryDeteriorated Summary = "deteriorated" // reliably worse than the baseline
	SummaryRemission    Summary = "remission"    // the baseline was in none
	SummaryResponse     Summary = "response"
	SummaryImproved     Summary = "improved"      // reliably better than the baseline
	SummaryUnchanged    Summary = "unchanged"     // no reliable change
	SummaryNotJudged    Summary = "not_judged"    // scored again, but the rules have no threshold of reliable change
	SummaryBaselineOnly Summary = "baseline_only" // no later score that counts
	SummaryNoBaseline   Summary = "no_baseline"
)

// Mark is one score of the course.
type Mark struct {
	AssessmentID uuid.UUID
	At           time.Time
	Total        float64
	Severity     *string
	Rule         BaselineRule // the rule that chose it; of a baseline only
	Words        string       // the same as a phrase; of a baseline only
}

// Point is one assessment, compared with the baseline.
//
// Change, PercentChange and the verdicts are nil where the assessment has no
// total. What compares with the baseline is nil before it and without one; at
// the baseline itself the change is 0 and there is no verdict, for a score
// says nothing about itself. Remission and Case look at the total alone.
type Point struct {
	AssessmentID      uuid.UUID
	SessionID         *uuid.UUID
	SessionNumber     *int   // nil where the session is not of the series
	SessionKind       string // "" likewise; numbers count within a kind
	Timing            Timing
	At                time.Time
	Window            Window
	DaysFromFirstDose *float64 // days to four decimals, negative before; nil without a dosing session
	Total             *float64 // points
	Severity          *string

	Change        *float64 // points, total - baseline whatever the direction
	PercentChange *float64 // of the baseline; nil where that is 0
	Reliable      *Reliable
	Response      *Response // nil where the baseline is 0; said of any other, case or not
	Remission     *bool
	Case          *bool

	// RecallOverlap is the share, to four decimals, of the time asked about that
	// the baseline's questions covered too. nil for the baseline, before it, and
	// where either window is unknown.
	RecallOverlap *float64
	// RecallNote says in words what an overlap, or a window other than the
	// baseline's, does to the reading of the change; "" where neither is so.
	RecallNote string
	// WindowDiffers reports that both windows are known and not the same: the
	// two totals then answer different questions.
	WindowDiffers bool
	// Excluded reports that the overlap is over the limit of Options. The change
	// stays visible; the verdicts are nil, and the point takes no part in latest,
	// best, status and trend.
	Excluded bool
}

// SessionChange is the change across one session. It compares a session's own
// two assessments and does not depend on the baseline. Two assessments that were
// completed in another order than their places say are shown and not compared.
type SessionChange struct {
	SessionID uuid.UUID
	CourseID  *uuid.UUID
	Number    int
	Kind      string
	At        time.Time

	Before, After     *float64 // points: the last scored "before" and the first scored "after" of the session
	BeforeID, AfterID *uuid.UUID

	Change        *float64 // after - before; nil where the before was completed after the after
	RecallOverlap *float64 // share of the after's window that the before's covers
	RecallNote    string   // the same in words, or why there is no change
	Excluded      bool     // the overlap is over the limit: read no effect of the session from Change

	// SincePreviousAfter is this before - the after of the most recent earlier
	// session that has one, in whatever course: what happened between sessions.
	// nil, with a note, where that after was not completed before this before.
	SincePreviousAfter    *float64
	SincePreviousOverlap  *float64
	SincePreviousNote     string
	SincePreviousExcluded bool
}

// Status is the state at the latest score that counts, against the baseline,
// and what happened on the way there. Its verdicts are nil where no score after
// the baseline counts, or where the rules do not say.
//
// Recovery looks at this one instrument. Recovery in NHS Talking Therapies is
// another thing: PHQ-9 and GAD-7 both below caseness at the end, after either
// was a case; it cannot be read off one Status.
type Status struct {
	Summary Summary

	Change           *float64 // points, latest - baseline
	PercentChange    *float64
	Reliable         *Reliable
	Response         *Response
	Remission        *bool
	BaselineCase     *bool // nil without a baseline or a caseness rule
	Recovery         *bool // a case at baseline, none now; nil where the baseline was no case
	ReliableRecovery *bool // recovery and reliably improved
	MIDReached       *bool // better by at least the minimal important difference

	// RecallOverlap, RecallNote and WindowDiffers are those of the latest score
	// that counts, as on its Point: how far it asked about the baseline's days.
	RecallOverlap *float64
	RecallNote    string
	WindowDiffers bool

	// Relapsed reports that the event of the chosen definition has happened, at
	// RelapsedAt. It is a fact of the course and stays true; Regained says that
	// the latest score has back what was lost: a response; a remission; or a
	// reliable improvement that is not reliably worse than the best, as far as
	// their windows allow to say. Both are false where relapse is not judged.
	Relapsed, Regained bool

	FirstReliableAt  *time.Time // first reliable improvement
	FirstResponseAt  *time.Time
	FirstRemissionAt *time.Time // nil where the baseline was in remission already: nothing remitted
	RelapsedAt       *time.Time

	// DaysHeld is how long the gain lasted, in days to four decimals: from the
	// first response (loss_of_response), first remission
	// (caseness_after_remission) or first reliable improvement
	// (reliable_worsening_from_best) to the relapse. Without a relapse it runs to
	// the last score and HeldCensored is true: it lasted at least so long. nil
	// where the gain was never made. Scores are looks, not a watch: the event
	// happened between the score before and RelapsedAt.
	DaysHeld     *float64
	HeldCensored bool

	NScored   int // points with a total, excluded ones included
	NMissing  int // points without
	NExcluded int // points set aside for their recall overlap
}

// Relapse is the definition that was used.
type Relapse struct {
	Definition RelapseDefinition
	Words      string
	// Judged is false where the rules lack the thresholds, or the client was no
	// case at the baseline, as Words says: "not relapsed" then says nothing.
	Judged bool
}

// Trajectory is the course of one client on one instrument.
type Trajectory struct {
	Instrument string
	Direction  Direction

	Baseline     *Mark
	BaselineNote string // why there is no baseline; "" where there is one
	// Latest is the score at which the status is judged: the last one, from the
	// baseline on, that is not excluded. Without a baseline it is the last score.
	Latest *Mark
	// Best is the best score from the baseline on, the earliest among equals.
	Best *Mark

	Points      []Point         // every assessment, in order of time
	Sessions    []SessionChange // every session, in order of time
	FirstDoseAt *time.Time      // start of the first dosing session

	Status     Status
	Trend      *Trend
	Rules      Rules // as applied
	Relapse    Relapse
	MaxOverlap *float64
}

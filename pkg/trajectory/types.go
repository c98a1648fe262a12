package trajectory

import (
	"time"

	"github.com/google/uuid"
)

// Direction says which way an instrument's total gets better. The zero value
// is read as LowerIsBetter, as for every symptom scale.
type Direction string

// The directions. PHQ-9, GAD-7 and PCL-5 are lower-is-better, WHO-5 is not.
const (
	LowerIsBetter  Direction = "lower_is_better"
	HigherIsBetter Direction = "higher_is_better"
)

// Timing places an assessment in the course of treatment.
type Timing string

// The timings, in the order in which they stand when completed at one instant.
const (
	TimingBaseline Timing = "baseline"
	TimingBefore   Timing = "before"
	TimingAfter    Timing = "after"
	TimingFollowUp Timing = "follow_up"
)

// rank orders timings of one instant; an unknown timing stands last.
func (t Timing) rank() int {
	switch t {
	case TimingBaseline:
		return 0
	case TimingBefore:
		return 1
	case TimingAfter:
		return 2
	case TimingFollowUp:
		return 3
	}
	return 4
}

// The kinds of session.
const (
	KindPreparation = "preparation"
	KindDosing      = "dosing"
	KindIntegration = "integration"
	KindFollowUp    = "follow_up"
)

// Assessment is one administration of the instrument.
type Assessment struct {
	ID        uuid.UUID
	SessionID *uuid.UUID // nil where it belongs to no session
	Timing    Timing
	At        time.Time // when it was completed
	Total     *float64  // points; nil where the scoring rule gives none (NaN and infinities are read as nil)
	Severity  *string   // band; nil where the instrument has none
	Window    Window    // the time that the questions ask about
}

// Session is one treatment session of the client.
type Session struct {
	ID        uuid.UUID
	CourseID  *uuid.UUID // nil outside a course
	Number    int        // place among the sessions of its kind
	Kind      string     // KindPreparation, KindDosing, KindIntegration or KindFollowUp
	StartedAt time.Time
}

// Series is what is known of one client on one instrument. Compute takes all
// sessions and assessments that it is given: to look at one course alone, give
// it that course alone.
type Series struct {
	Instrument  string
	Direction   Direction
	Assessments []Assessment
	Sessions    []Session
}

// BaselineRule says which score the others are compared with.
type BaselineRule string

// The baseline rules. Taking the worst score of a period is deliberately not
// offered: it builds regression to the mean into every result.
const (
	// BaselineFirst takes the first scored assessment.
	BaselineFirst BaselineRule = "first"
	// BaselineLastBeforeFirstDose takes the last score at or before the start of
	// the first dosing session. Where there is none, there is no baseline.
	BaselineLastBeforeFirstDose BaselineRule = "last_before_first_dose"
)

// LateBefore is how long after the recorded start of the first dosing session
// an assessment marked "before" and linked to it may be completed and still be
// the baseline of last_before_first_dose. A day, so that sessions imported with
// a date only keep their baseline; a later form has felt the dose. A project
// decision.
const LateBefore = 24 * time.Hour

// RelapseDefinition names what counts as losing a gain. No standard definition
// was found for these instruments, so the choice is the reader's and travels
// with the result.
type RelapseDefinition string

// The definitions of relapse.
const (
	// RelapseLossOfResponse is the first score after a response that is no
	// longer a response: the event of Kaplan-Meier curves of response kept
	// (McInnes 2022). The default.
	RelapseLossOfResponse RelapseDefinition = "loss_of_response"
	// RelapseCasenessAfterRemission is the first score at caseness after a
	// remission, for example PHQ-9 of 10 or more after one below 5.
	RelapseCasenessAfterRemission RelapseDefinition = "caseness_after_remission"
	// RelapseReliableWorsening is the first score that is reliably worse than
	// the best so far, once the client has reliably improved. Without that
	// condition it would be deterioration, which is not the loss of a gain.
	RelapseReliableWorsening RelapseDefinition = "reliable_worsening_from_best"
)

// Options are the reader's choices. The zero value is the first score as
// baseline, loss of response as relapse, and no limit of overlap.
type Options struct {
	Baseline BaselineRule
	Relapse  RelapseDefinition
	// MaxOverlap (0 to 1) sets aside points whose recall overlap with the
	// baseline is greater, compared at the four decimals that are shown. Relapse
	// as reliable worsening leaves out such pairs of the best score and a later
	// one too. nil sets nothing aside.
	MaxOverlap *float64
}

// withDefaults fills the empty choices. Unknown ones are left as they are, so
// that they lead to no verdict instead of to another rule's verdict.
func (o Options) withDefaults() Options {
	if o.Baseline == "" {
		o.Baseline = BaselineFirst
	}
	if o.Relapse == "" {
		o.Relapse = RelapseLossOfResponse
	}
	return o
}

// excludes reports whether an overlap, as shown, is over the limit.
func (o Options) excludes(overlap *float64) bool {
	return o.MaxOverlap != nil && overlap != nil && *overlap > round(*o.MaxOverlap, 4)
}

package care

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/alert"
)

// AlertStatus is how far an alert has come. It goes one way, but for an answer
// that was amended to press more, which opens it again.
type AlertStatus string

// The statuses.
const (
	AlertOpen         AlertStatus = "open"
	AlertAcknowledged AlertStatus = "acknowledged" // somebody said that they look after it
	AlertActioned     AlertStatus = "actioned"     // and what they did
	AlertClosed       AlertStatus = "closed"
)

// AlertStatuses lists every status in their order.
func AlertStatuses() []AlertStatus {
	return []AlertStatus{AlertOpen, AlertAcknowledged, AlertActioned, AlertClosed}
}

// Alert is something that somebody has to look at: at most one for each rule and
// each assessment, or each session after which no form came.
type Alert struct {
	ID           uuid.UUID
	ClientID     uuid.UUID
	AssessmentID *uuid.UUID // what was answered; nil: a form is missing
	SessionID    *uuid.UUID // after which a form is missing; nil: one was answered
	Rule         string     // code of the rule that found it, see alert.Rules
	Level        alert.Level
	Status       AlertStatus
	RaisedAt     time.Time
	OpenedAt     time.Time  // from when on the clock runs: RaisedAt, or when it was opened again
	AnsweredAt   time.Time  // when the form was completed by its own clock, or should have been at the latest
	ReceivedAt   time.Time  // when it was stored here, or was found to be missing
	Withdrawn    bool       // the answer was amended or retracted, and says it no more
	RepeatOf     *uuid.UUID // an alert on its clock, of the same person and rule, that presses as much; nil: none
	Tier         int        // of the chain, that was told last; 0: none
	NextAt       *time.Time // when the next one is told unless somebody acknowledges; nil: never
	Steps        int        // lines of its history
}

// AlertDeed is what became of an alert.
type AlertDeed string

// The deeds.
const (
	WasRaised       AlertDeed = "raised"
	WasChanged      AlertDeed = "changed"     // the answer was amended, and presses more or less
	WasWithdrawn    AlertDeed = "withdrawn"   // the answer was amended or retracted, and says it no more
	WasPassedOver   AlertDeed = "passed_over" // a tier of the chain was off duty
	WasEscalated    AlertDeed = "escalated"   // to a tier of the chain
	WasAcknowledged AlertDeed = "acknowledged"
	WasActioned     AlertDeed = "actioned"
	WasClosed       AlertDeed = "closed"
)

// AlertDeeds lists every deed.
func AlertDeeds() []AlertDeed {
	return []AlertDeed{WasRaised, WasChanged, WasWithdrawn, WasPassedOver, WasEscalated, WasAcknowledged, WasActioned, WasClosed}
}

// AlertStep is a line of an alert's history, with how the alert stood from then
// on. It is stored once and never changes.
type AlertStep struct {
	AlertID     uuid.UUID
	ClientID    uuid.UUID
	N           int // 1, 2, ... without gaps
	At          time.Time
	By          uuid.UUID // the key or account; of what the program did by itself, uuid.Nil
	Deed        AlertDeed
	Level       alert.Level
	Status      AlertStatus
	Tier        int
	Disposition Disposition // of what was done; else empty
	Note        Private
}

// Disposition is what was done about an alert.
type Disposition string

// The dispositions. That nothing was needed is one: somebody looked.
const (
	SpokeToClient   Disposition = "spoke_to_client"
	SafetyPlan      Disposition = "safety_plan"
	Referred        Disposition = "referred"
	EmergencyCalled Disposition = "emergency_services"
	NotReached      Disposition = "not_reached"
	NothingNeeded   Disposition = "no_action_needed"
)

// Dispositions lists every disposition.
func Dispositions() []Disposition {
	return []Disposition{SpokeToClient, SafetyPlan, Referred, EmergencyCalled, NotReached, NothingNeeded}
}

// step moves an alert on, and is the line that tells of it.
func (a *Alert) step(deed AlertDeed, at time.Time, by uuid.UUID) AlertStep {
	a.Steps++
	return AlertStep{
		AlertID: a.ID, ClientID: a.ClientID, N: a.Steps, At: at, By: by, Deed: deed,
		Level: a.Level, Status: a.Status, Tier: a.Tier,
	}
}

// event tells of an alert by ids and codes. Its level says how much it presses;
// the answer is in the record.
func (s *Service) alertEvent(kind EventType, a Alert) Event {
	data := map[string]string{"alert_id": a.ID.String(), "rule": a.Rule, "level": string(a.Level), "status": string(a.Status)}
	if a.AssessmentID != nil {
		data["assessment_id"] = a.AssessmentID.String()
	}
	if a.SessionID != nil {
		data["session_id"] = a.SessionID.String()
	}
	if a.RepeatOf != nil {
		data["repeat_of"] = a.RepeatOf.String()
	}
	return s.happened(kind, a.ClientID, data)
}

// StaleAfter is how old an answer may be when it comes in for its alert to go by
// the clock: the two weeks of which the PHQ-9 asks. What is older, as from a
// record taken over from elsewhere, is raised and listed, and wakes nobody. A
// project decision.
const StaleAfter = 14 * 24 * time.Hour

// onClock reports whether an alert is escalated unless somebody acknowledges it:
// one that presses more than a little, of an answer that is no history yet.
func (a Alert) onClock() bool {
	return a.Status == AlertOpen && a.RepeatOf == nil && a.Level.Above(alert.Low) && a.ReceivedAt.Sub(a.AnsweredAt) <= StaleAfter
}

// repeats finds the alert that a new one of a person repeats among those that
// stand: on its clock, of the same rule, pressing at least as much.
func (a Alert) repeats(person uuid.UUID, standing []Alert) *uuid.UUID {
	k := slices.IndexFunc(standing, func(s Alert) bool {
		return s.ClientID == person && s.Rule == a.Rule && s.NextAt != nil && s.RepeatOf == nil && !a.Level.Above(s.Level)
	})
	if k < 0 {
		return nil
	}
	return &standing[k].ID
}

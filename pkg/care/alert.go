package care

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/alert"
	"github.com/protrack/protrack/pkg/trajectory"
)

// AlertStatus is how far an alert has come. It goes one way, but for a rise of
// the answer, which opens it again.
type AlertStatus string

// The statuses.
const (
	AlertOpen         AlertStatus = "open"
	AlertAcknowledged AlertStatus = "acknowledged" // somebody said that they look after it
	AlertActioned     AlertStatus = "actioned"     // and what they did
	AlertClosed       AlertStatus = "closed"
)

// Alert is something in an answer that somebody has to look at: at most one for
// each assessment and rule.
type Alert struct {
	ID           uuid.UUID
	ClientID     uuid.UUID
	AssessmentID uuid.UUID
	Rule         string // code of the rule that found it, see alert.Rules
	Level        alert.Level
	Status       AlertStatus
	RaisedAt     time.Time
	AnsweredAt   time.Time  // when the form was completed, by its own clock
	ReceivedAt   time.Time  // when the form was stored here
	RepeatOf     *uuid.UUID // an open alert of the same client and rule that says as much; nil: none
	History      []AlertStep
}

// AlertDeed is what became of an alert.
type AlertDeed string

// The deeds.
const (
	WasRaised       AlertDeed = "raised"
	WasChanged      AlertDeed = "changed"   // the answer was amended, and presses more or less
	WasWithdrawn    AlertDeed = "withdrawn" // the answer was amended or retracted, and says it no more
	WasAcknowledged AlertDeed = "acknowledged"
	WasActioned     AlertDeed = "actioned"
	WasClosed       AlertDeed = "closed"
)

// AlertStep is a line of an alert's history. It is stored once.
type AlertStep struct {
	At          time.Time
	By          uuid.UUID // the key or account; the clinic where the program did it
	Deed        AlertDeed
	Level       alert.Level // from then on
	Disposition Disposition // of what was done; else empty
	Note        Private
}

// Disposition is what was done about an alert.
type Disposition string

// The dispositions.
const (
	SpokeToClient   Disposition = "spoke_to_client"
	SafetyPlan      Disposition = "safety_plan"
	Referred        Disposition = "referred"
	EmergencyCalled Disposition = "emergency_services"
	NotReached      Disposition = "not_reached"
	NothingNeeded   Disposition = "no_action_needed"
)

// examined is an assessment among what the client answered before.
type examined struct {
	Assessment
	before *Point
	point  *trajectory.Point // of its trajectory; nil: it does not stand
	rises  bool              // more is better
	doses  int               // dosing sessions that had begun
}

// form is what the rules of alerts ask of an assessment.
func (e examined) form() alert.Form {
	f := alert.Form{Instrument: e.Instrument, ItemsKnown: e.Answers != nil, Items: map[string]alert.Item{}, Doses: e.doses}
	for id, value := range e.Answers {
		f.Items[id] = alert.Item{Value: value}
	}
	for _, id := range e.Declined {
		f.Items[id] = alert.Item{Declined: true}
	}
	if e.Score.Severity != nil {
		f.Severity = *e.Score.Severity
	}
	if e.point == nil {
		return f
	}
	f.Deteriorated = e.point.Reliable != nil && *e.point.Reliable == trajectory.Deteriorated
	if change := e.point.PercentChange; change != nil {
		f.Improvement = new(-*change)
		if e.rises {
			f.Improvement = change
		}
	}
	return f
}

// formBefore is what the rules ask of the form before: its answer to the item
// that is flagged. No flag means that the answer was 0.
func formBefore(p *Point) *alert.Form {
	if p == nil {
		return nil
	}
	f := &alert.Form{Instrument: p.Instrument, ItemsKnown: true, Items: map[string]alert.Item{}}
	const item9 = "phq9_9"
	f.Items[item9] = alert.Item{Value: new(0)}
	for _, flag := range p.Flags {
		if flag.Item != item9 {
			continue
		}
		f.Items[item9] = alert.Item{Value: flag.Level, Declined: flag.Reason == "declined"}
		f.ItemsKnown = flag.Reason != "unknown"
	}
	return f
}

// examine finds each assessment among the points of its person's trajectory.
func (s *Service) examine(fresh []Assessment, points []Point, sessions []Session, set Settings) []examined {
	at := map[uuid.UUID]int{}
	for i, p := range points {
		at[p.ID] = i
	}
	type line struct {
		client     uuid.UUID
		instrument string
	}
	computed := map[line][]trajectory.Point{}
	out := make([]examined, len(fresh))
	for i, a := range fresh {
		out[i].Assessment = a
		n, stands := at[a.ID]
		if !stands {
			continue
		}
		of := line{points[n].ClientID, a.Instrument}
		same := slices.DeleteFunc(slices.Clone(points), func(p Point) bool { return p.ClientID != of.client || p.Instrument != of.instrument })
		held := slices.DeleteFunc(slices.Clone(sessions), func(ses Session) bool { return ses.ClientID != of.client })
		if _, done := computed[of]; !done {
			series, rules := s.series(a.Instrument, same, held, set[a.Instrument].ChangeRules)
			computed[of] = trajectory.Compute(series, rules, trajectory.Options{}).Points
			out[i].rises = series.Direction == trajectory.HigherIsBetter
		}
		if k := slices.IndexFunc(same, func(p Point) bool { return p.ID == a.ID }); k > 0 {
			out[i].before = &same[k-1]
		}
		if k := slices.IndexFunc(computed[of], func(p trajectory.Point) bool { return p.AssessmentID == a.ID }); k >= 0 {
			out[i].point = &computed[of][k]
		}
		for _, ses := range held {
			if ses.Kind == Dosing && !ses.StartedAt.After(a.CompletedAt) {
				out[i].doses++
			}
		}
	}
	return out
}

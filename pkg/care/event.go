package care

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
)

// EventType names what happened: a noun and a verb, as in "assessment.recorded".
type EventType string

// The types of event. EventTypes lists them all.
const (
	AssessmentRecorded   EventType = "assessment.recorded"
	AssessmentAmended    EventType = "assessment.amended"
	AssessmentRetracted  EventType = "assessment.retracted"
	SessionRecorded      EventType = "session.recorded"
	SessionChanged       EventType = "session.changed"
	ClientRecorded       EventType = "client.recorded"
	ClientChanged        EventType = "client.changed"
	ClientErased         EventType = "client.erased" // all that is left of the client's events
	AlertRaised          EventType = "alert.raised"
	AlertChanged         EventType = "alert.changed" // by what became of the answer
	AlertEscalated       EventType = "alert.escalated"
	AlertWasAcknowledged EventType = "alert.acknowledged"
	AlertWasActioned     EventType = "alert.actioned"
	AlertWasClosed       EventType = "alert.closed"
	WebhookDisabled      EventType = "webhook.disabled" // of no client: the receiver does not answer
	MessageDue           EventType = "message.due"      // the clinic's own messaging is to send it
)

// EventTypes lists every type of event.
func EventTypes() []EventType {
	return []EventType{
		AssessmentRecorded, AssessmentAmended, AssessmentRetracted, SessionRecorded, SessionChanged,
		ClientRecorded, ClientChanged, ClientErased, WebhookDisabled, MessageDue,
		AlertRaised, AlertChanged, AlertEscalated, AlertWasAcknowledged, AlertWasActioned, AlertWasClosed,
	}
}

// Event tells those outside that something happened to a record. It carries ids
// and codes, never an answer, a score or a name: whoever may see those asks for
// them by the id.
type Event struct {
	Seq    int64 // its place among the clinic's events; 0 until it is stored
	ID     uuid.UUID
	Type   EventType
	At     time.Time
	Client uuid.UUID         // uuid.Nil: of no client
	Data   map[string]string // ids and codes by name, as in "assessment_id"
}

// happened is an event of one client's record.
func (s *Service) happened(kind EventType, client uuid.UUID, data map[string]string) Event {
	return Event{ID: s.NewID(), Type: kind, At: stamp(s.Now()), Client: client, Data: data}
}

// EventQuery asks for events behind a place.
type EventQuery struct {
	After *int64      // nil: what is stored already is not asked for
	Types []EventType // empty: all
	Limit int
}

// EventPage is what an EventQuery finds.
type EventPage struct {
	Events []Event // by Seq
	// Next is the place to read on from: nothing that was asked for lies between
	// the last event and it.
	Next int64
	// Unknown says that the place asked for lies behind the last event, as when
	// the database is an older copy: what came in between cannot be told.
	Unknown bool
}

// Events gives the clinic's events behind a place, those of clients whom the
// principal may see. What it tells of clients leaves an entry.
func (s *Service) Events(ctx context.Context, who auth.Principal, q EventQuery) (EventPage, error) {
	if err := s.require(ctx, who, auth.ReadEvents); err != nil {
		return EventPage{}, err
	}
	return read(ctx, s, who, func(r Reader) (EventPage, error) {
		head, err := r.EventHead(ctx, who)
		if err != nil || q.After == nil || *q.After >= head {
			return EventPage{Next: head, Unknown: q.After != nil && *q.After > head}, err
		}
		events, err := r.Events(ctx, who, *q.After, q.Types, q.Limit)
		if err != nil {
			return EventPage{}, err
		}
		page := EventPage{Events: events, Next: head}
		if len(events) == q.Limit {
			page.Next = events[len(events)-1].Seq
		}
		clients := idsOf(events, func(e Event) uuid.UUID { return e.Client })
		clients = slices.DeleteFunc(clients, func(id uuid.UUID) bool { return id == uuid.Nil })
		if len(clients) > 0 {
			r.Note(s.saw(who, "event.list", clients))
		}
		return page, nil
	})
}

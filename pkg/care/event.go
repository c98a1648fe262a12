package care

import (
	"time"

	"github.com/google/uuid"
)

// EventType names what happened: a noun and a verb, as in "assessment.recorded".
type EventType string

// The types of event.
const (
	AssessmentRecorded EventType = "assessment.recorded"
)

// Event tells those outside that something happened to a record. It carries ids
// and codes, never an answer, a score or a name: whoever may see those asks for
// them by the id.
type Event struct {
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

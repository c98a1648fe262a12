// Package audit is what was done, tried and refused in a clinic, in a chain.
package audit

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// Outcome says whether something was done.
type Outcome string

// The outcomes.
const (
	Done    Outcome = "done"
	Refused Outcome = "refused"
)

// Entry is one thing that was done, tried or refused.
type Entry struct {
	ID        uuid.UUID
	At        time.Time
	Actor     uuid.UUID
	ActorKind string
	Role      string
	Address   string
	Request   string
	Action    string
	Outcome   Outcome
	Target    string
	TargetID  uuid.UUID
	Client    uuid.UUID
	Clients   []uuid.UUID
	Details   Details
}

// Details is what else is to be known.
type Details struct {
	Changes []Change          `json:"changes,omitempty"`
	Reason  string            `json:"reason,omitempty"`
	Count   *int              `json:"count,omitempty"`
	Clients string            `json:"clients_sha256,omitempty"`
	Note    map[string]string `json:"note,omitempty"`
}

// Change is a field that changed.
type Change struct {
	Field  string  `json:"field"`
	Before *string `json:"before,omitempty"`
	After  *string `json:"after,omitempty"`
}

// Canonical is the text that is stored.
func (d Details) Canonical() string { b, _ := json.Marshal(d); return string(b) }

// WithClients makes the entry one about several clients.
func (e Entry) WithClients(ids []uuid.UUID) Entry {
	n := len(ids)
	e.Clients, e.Details.Count = ids, &n
	return e
}

// Field is one member of a thing, as text.
type Field struct {
	Name, Value string
	Private     bool // of its changes only the name is told
}

// Diff lists what differs.
func Diff(before, after []Field) []Change {
	old := map[string]string{}
	for _, f := range before {
		old[f.Name] = f.Value
	}
	var out []Change
	for _, f := range after {
		was := old[f.Name]
		if was == f.Value {
			continue
		}
		c := Change{Field: f.Name}
		if !f.Private {
			c.Before, c.After = &was, &f.Value
		}
		out = append(out, c)
	}
	return out
}

// Package webhook tells other systems what happens in a clinic: each event is
// sent, signed, to the addresses that the clinic has named, at least once and
// in order for each client.
//
// The events are there already, stored with the changes that they tell of. A
// Worker makes a delivery of each for every webhook that wants it, and sends
// those that are due; a Service manages the webhooks. What is sent are ids and
// codes, signed as Standard Webhooks says.
package webhook

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
)

// Webhook is an address that events are sent to.
type Webhook struct {
	ID        uuid.UUID
	Name      string
	URL       URL
	Types     []string // of event; empty: all
	Secret    Secret
	OldSecret Secret     // what signed before the last rotation; empty: there was none
	OldUntil  *time.Time // until when OldSecret signs as well

	DisabledAt   *time.Time // nil: events are sent
	Disabled     Reason
	FailingSince *time.Time // nil: the last attempt came through
	Cursor       int64      // place of the last event that deliveries were made of

	Version              int
	CreatedAt, UpdatedAt time.Time
	CreatedBy            uuid.UUID
}

// secrets are those that sign at a time, the current one first.
func (w Webhook) secrets(at time.Time) []Secret {
	if w.OldUntil != nil && at.Before(*w.OldUntil) && w.OldSecret != "" {
		return []Secret{w.Secret, w.OldSecret}
	}
	return []Secret{w.Secret}
}

// Reason says why a webhook is disabled.
type Reason string

// The reasons.
const (
	ByHand  Reason = "by_hand"
	WasGone Reason = "gone"    // the receiver answered 410
	Failing Reason = "failing" // nothing came through for five days
)

// URL is the address of a receiver. It may hold a token, so it prints without
// what could be one; string(u) is the deliberate way out.
type URL string

// String gives the address without its path and query.
func (u URL) String() string {
	scheme, rest, _ := strings.Cut(string(u), "://")
	host, _, _ := strings.Cut(rest, "/")
	host, _, _ = strings.Cut(host, "?")
	return scheme + "://" + host + "/***"
}

// LogValue is for logs.
func (u URL) LogValue() slog.Value { return slog.StringValue(u.String()) }

// State is how far a delivery is.
type State string

// The states.
const (
	Pending   State = "pending"
	Delivered State = "delivered"
	Dead      State = "dead" // given up after the last attempt
)

// States lists every state.
func States() []State { return []State{Pending, Delivered, Dead} }

// Delivery is one event on its way to one webhook.
type Delivery struct {
	ID, Webhook uuid.UUID
	Place       int64 // among the webhook's deliveries
	Event       Event
	State       State
	Attempts    int       // that were made
	Due         time.Time // when it is next sent
	LastAt      *time.Time
	LastStatus  int    // that the receiver answered; 0: it did not
	LastError   string // a code; empty: it came through, or was not sent yet
	DeliveredAt *time.Time
	CreatedAt   time.Time

	// Fence tells this taking of the delivery apart from later ones: who took it
	// and was overtaken changes nothing any more.
	Fence int64
}

// Event is something that happened, by ids and codes.
type Event struct {
	Seq    int64
	ID     uuid.UUID
	Type   string
	At     time.Time
	Client uuid.UUID         // uuid.Nil: of no client
	Data   map[string]string // ids and codes
}

// disabledEvent is the type of the event that tells of a webhook that was disabled.
const disabledEvent = "webhook.disabled"

// Reader reads the webhooks of the principal's clinic, and of no other.
type Reader interface {
	// Webhook gives a webhook; NotFound if there is none.
	Webhook(ctx context.Context, who auth.Principal, id uuid.UUID) (Webhook, error)
	// Webhooks lists webhooks by id, behind after.
	Webhooks(ctx context.Context, who auth.Principal, after uuid.UUID, limit int) ([]Webhook, error)
	// Deliveries lists those of a webhook in a state (empty: any), the newest
	// first, below a place (0: from the newest).
	Deliveries(ctx context.Context, who auth.Principal, webhook uuid.UUID, state State, below int64, limit int) ([]Delivery, error)
	// EventHead is the place of the clinic's last event; 0: there was none.
	EventHead(ctx context.Context, who auth.Principal) (int64, error)
	// EventAt is the place of the first event at a time or later; one behind
	// the last event where there is none.
	EventAt(ctx context.Context, who auth.Principal, at time.Time) (int64, error)
}

// Tx is a transaction: it is stored whole or not, with the entries noted.
type Tx interface {
	Reader
	Note(entries ...audit.Entry)
	// Tell adds an event, as a change of a record does.
	Tell(e Event)
	// HoldWebhook is Webhook that keeps others from it until the transaction ends.
	HoldWebhook(ctx context.Context, who auth.Principal, id uuid.UUID) (Webhook, error)
	// InsertWebhook stores a webhook; false, and nothing stored, where the id is
	// in use.
	InsertWebhook(ctx context.Context, who auth.Principal, w Webhook) (bool, error)
	// PutWebhook replaces a webhook whose version is the one before w.Version;
	// Stale if it is another.
	PutWebhook(ctx context.Context, who auth.Principal, w Webhook) error
	// RemoveWebhook removes a webhook with its deliveries; NotFound if there is none.
	RemoveWebhook(ctx context.Context, who auth.Principal, id uuid.UUID) error
	// RequeueDelivery has a delivery that did not come through sent anew at a
	// time; false, and nothing changed, where it did; NotFound if there is none.
	RequeueDelivery(ctx context.Context, who auth.Principal, webhook, delivery uuid.UUID, at time.Time) (bool, error)
}

// Store keeps webhooks. It is the clinic's own store, seen from here.
type Store interface {
	// Look runs fn on one snapshot. It leaves no entry.
	Look(ctx context.Context, who auth.Principal, fn func(Reader) error) error
	// Arrange runs fn in one transaction, and again if the database asks for
	// that. A change that fn does not note fails.
	Arrange(ctx context.Context, who auth.Principal, fn func(Tx) error) error
}

// Service manages webhooks under the clinic's rules. All fields are required.
type Service struct {
	Store  Store
	Sender *Sender
	Types  []string // of event that there are
	Now    func() time.Time
	NewID  func() uuid.UUID
	Log    *slog.Logger // refusals, with ids only
}

// require decides permissions and leaves an entry of a refusal. Where that
// cannot be stored the answer is no all the same.
func (s *Service) require(ctx context.Context, who auth.Principal) error {
	err := who.Require(auth.ManageWebhooks)
	if !fault.Is(err, fault.Forbidden) {
		return err
	}
	s.Log.WarnContext(ctx, "refused", "who", who, "needs", string(auth.ManageWebhooks))
	refusal := s.entry(who.Refused(auth.ManageWebhooks))
	if e := s.Store.Arrange(ctx, who, func(tx Tx) error { tx.Note(refusal); return nil }); e != nil {
		s.Log.ErrorContext(ctx, "a refusal was not noted in the audit trail", "who", who, "error", e.Error())
	}
	return err
}

// entry completes an entry of the audit trail.
func (s *Service) entry(e audit.Entry) audit.Entry {
	e.ID, e.At = s.NewID(), stamp(s.Now())
	return e
}

// did is the entry of something done to a webhook.
func (s *Service) did(who auth.Principal, action string, id uuid.UUID, changes ...audit.Change) audit.Entry {
	e := s.entry(who.Did(action, "webhook", id))
	e.Details.Changes = changes
	return e
}

// stamp is the time as it is stored: UTC, whole microseconds.
func stamp(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// fields are what the audit trail may tell of a webhook. The address may hold
// a token.
func (w Webhook) fields() []audit.Field {
	disabled := string(w.Disabled)
	return []audit.Field{
		{Name: "name", Value: w.Name, Private: true},
		{Name: "url", Value: string(w.URL), Private: true},
		{Name: "types", Value: strings.Join(w.Types, " ")},
		{Name: "disabled", Value: disabled},
	}
}

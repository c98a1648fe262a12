package mail

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// State is how far a message is.
type State string

// The states.
const (
	Queued    State = "queued"
	Sent      State = "sent"
	Failed    State = "failed"    // refused, or given up
	Cancelled State = "cancelled" // nobody needs it any more, or nobody may get it
)

// States lists every state.
func States() []State { return []State{Queued, Sent, Failed, Cancelled} }

// Way is who sends the clinic's messages to clients.
type Way string

// The ways.
const (
	ByMail    Way = "mail"
	ByWebhook Way = "webhook" // the clinic's own messaging, told by an event
	ByNobody  Way = "none"
)

// Ways lists every way.
func Ways() []Way { return []Way{ByMail, ByWebhook, ByNobody} }

// Message is a letter that is to be written when its time has come. To whom it
// goes is looked up then: an address is kept in one place.
type Message struct {
	ID       uuid.UUID
	Client   uuid.UUID // of whose record it is; uuid.Nil: of no client
	Account  uuid.UUID // who reads it; uuid.Nil: the client
	Kind     Kind
	About    uuid.UUID // what waits
	Link     Address   // gone once the message has ended
	Language string
	Due      time.Time

	State     State
	Attempts  int
	LastError string // a code
	CreatedAt time.Time
	EndedAt   *time.Time

	// Fence tells this taking of the message apart from later ones.
	Fence int64
}

// Taken is a message that this process sends, until the lease ends, with what
// decides on it now.
type Taken struct {
	Message
	To       Address // empty: none is known, or the account is disabled
	OptedOut bool    // the client wants no messages
	Zone     *time.Location
	Quiet    Quiet
	By       Way
	Clinic   string
}

// Codes of why a message was cancelled.
const (
	becauseOptedOut  = "opted_out"
	becauseOff       = "turned_off"
	becauseNoAddress = "no_address"
)

// Conclusion is what is stored of a message that was taken.
type Conclusion struct {
	At    time.Time
	State State
	Error string
	Due   time.Time // where it stays queued
	Spent bool      // it counts as an attempt
}

// Outbox keeps messages; pkg/store implements it. Its methods may be called at
// once from several processes.
type Outbox interface {
	// Clinics lists every clinic's id.
	Clinics(ctx context.Context) ([]uuid.UUID, error)
	// TakeMessages gives at most limit messages that are due. They are due again
	// when the lease ends.
	TakeMessages(ctx context.Context, clinic uuid.UUID, now, lease time.Time, limit int) ([]Taken, error)
	// ConcludeMessage stores what became of a message that was taken; false, and
	// nothing stored, where it was taken again or cancelled since.
	ConcludeMessage(ctx context.Context, clinic uuid.UUID, m Message, c Conclusion) (bool, error)
	// HandOver ends a message as sent, and with it tells by an event that it is
	// the clinic's own messaging that has to send it. False as for ConcludeMessage.
	HandOver(ctx context.Context, clinic uuid.UUID, m Message, at time.Time, event uuid.UUID) (bool, error)
	// OverdueMessages says since when the oldest message could have been sent
	// that nobody has in hand, nil: there is none, and how many are queued.
	OverdueMessages(ctx context.Context, clinic uuid.UUID, now time.Time) (since *time.Time, queued int, err error)
}

type verdict int

const (
	sendIt verdict = iota
	handOver
	concludeIt
)

// decide says what is to be done with a message now: what held when it was
// posted may have changed since.
func decide(t Taken, now time.Time) (verdict, Conclusion) {
	end := func(why string) (verdict, Conclusion) {
		return concludeIt, Conclusion{At: now, State: Cancelled, Error: why}
	}
	toClient := t.Account == uuid.Nil
	switch {
	case toClient && t.OptedOut:
		return end(becauseOptedOut)
	case toClient && t.By == ByNobody:
		return end(becauseOff)
	case toClient && t.Quiet.Valid() && t.Quiet.At(now, t.Zone):
		return concludeIt, Conclusion{At: now, State: Queued, Due: t.Quiet.Next(now, t.Zone)}
	case toClient && t.By == ByWebhook:
		return handOver, Conclusion{}
	case t.To == "":
		return end(becauseNoAddress)
	}
	return sendIt, Conclusion{}
}

// waits are from each attempt that failed to the next.
var waits = []time.Duration{
	10 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
}

// conclude decides what follows from an attempt. Jitter is from 0 to 1 and adds
// up to a tenth.
func conclude(m Message, r Result, now time.Time, jitter float64) Conclusion {
	c := Conclusion{At: now, State: Sent, Error: r.Error, Spent: true}
	switch {
	case r.Error == "":
	case r.Error == failedStopped:
		c.State, c.Due, c.Spent = Queued, now, false
	case r.Permanent || m.Attempts >= len(waits):
		c.State = Failed
	default:
		wait := waits[m.Attempts]
		c.State, c.Due = Queued, now.Add(wait+time.Duration(float64(wait)/10*jitter))
	}
	return c
}

// Package care is the clinic's record: clients, their courses of treatment,
// the sessions of a course, and the assessments taken before and after them.
//
// A Service holds the rules and the permissions; a Store keeps the rows. What
// is stored is never overwritten: every change makes a new version, and the
// old one is kept with the time until which it was the current one.
package care

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/instrument"
)

// Private is text about a client: a name, a reference, a goal. It prints as
// *** so that it cannot reach a log; string(p) is the deliberate way out.
type Private string

// String hides the text.
func (Private) String() string { return "***" }

// GoString hides the text from %#v.
func (Private) GoString() string { return "***" }

// MarshalText hides the text from JSON: wire types hold plain strings.
func (Private) MarshalText() ([]byte, error) { return []byte("***"), nil }

// LogValue hides the text from slog.
func (Private) LogValue() slog.Value { return slog.StringValue("***") }

// Revision is one version of a record and the time during which it was the
// current one.
type Revision struct {
	Version      int        // 1, 2, ... without gaps
	RecordedAt   time.Time  // when this version was stored
	RecordedBy   uuid.UUID  // the key that stored it
	SupersededAt *time.Time // nil for the current version
}

// Outcome says what a create did.
type Outcome int

// The outcomes.
const (
	Refused Outcome = iota // nothing was stored
	Created                // it was stored now
	Known                  // it was stored before, with the same content
)

// Position is a place in a list: the sort key of the last row seen, and its
// id. A zero Position is the beginning. Which fields count depends on the list.
type Position struct {
	Text   string
	Time   time.Time
	Number *float64
	ID     uuid.UUID
}

// Page asks for at most Limit rows behind After.
type Page struct {
	After Position
	Limit int
}

// Service is the clinic's record under its rules. All fields are required.
type Service struct {
	Store       Store
	Instruments *instrument.Library
	Now         func() time.Time
	NewID       func() uuid.UUID
	Log         *slog.Logger // refusals, with ids only
}

// require decides permissions, all of which are needed, and leaves an entry of
// a refusal in the audit trail. Where that cannot be stored the answer is no
// all the same.
func (s *Service) require(ctx context.Context, who auth.Principal, need ...auth.Permission) error {
	err := who.Require(need...)
	if err == nil {
		return nil
	}
	s.Log.WarnContext(ctx, "refused", "who", who, "needs", auth.PermissionsOf(need...).String())
	if !fault.Is(err, fault.Forbidden) {
		return err
	}
	refusal := s.entry(who.Refused(need...))
	if e := s.Store.Write(ctx, who, func(tx Tx) error { tx.Note(refusal); return nil }); e != nil {
		s.Log.ErrorContext(ctx, "a refusal was not noted in the audit trail", "who", who, "error", e.Error())
	}
	return err
}

// entry completes an entry of the audit trail.
func (s *Service) entry(e audit.Entry) audit.Entry {
	e.ID, e.At = s.NewID(), stamp(s.Now())
	return e
}

// did is the entry of something done to one client's record.
func (s *Service) did(who auth.Principal, action, target string, id, client uuid.UUID, changes ...audit.Change) audit.Entry {
	e := s.entry(who.Did(action, target, id))
	e.Client, e.Details.Changes = client, changes
	return e
}

// saw is the entry of a list that shows several clients.
func (s *Service) saw(who auth.Principal, action string, clients []uuid.UUID) audit.Entry {
	return s.entry(who.Did(action, "", uuid.Nil)).WithClients(clients)
}

// read runs fn on one snapshot and hands on what it finds.
func read[T any](ctx context.Context, s *Service, who auth.Principal, fn func(Reader) (T, error)) (out T, err error) {
	err = s.Store.Read(ctx, who, func(r Reader) (err error) {
		out, err = fn(r)
		return err
	})
	if err != nil {
		var none T
		return none, err
	}
	return out, nil
}

// stamp is the time as it is stored: UTC, whole microseconds.
func stamp(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

func stampPtr(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := stamp(*t)
	return &u
}

// next is the revision that follows prev. Its time is later than prev's even
// where the clock was set back, so that versions never overlap. It is called
// within the transaction, once the clients are locked: whoever freezes the
// record at a time waits for the transactions under way, and then nothing more
// can come in that says it was recorded before.
func (s *Service) next(who auth.Principal, prev Revision) Revision {
	at := stamp(s.Now())
	if !at.After(prev.RecordedAt) {
		at = prev.RecordedAt.Add(time.Microsecond)
	}
	return Revision{Version: prev.Version + 1, RecordedAt: at, RecordedBy: who.Actor}
}

// record is what clients, courses and sessions have in common: they can be
// told apart by content, whatever their version.
type record[T any] interface{ withRevision(Revision) T }

// settle answers a create whose id is in use already. A retry carries what
// was created, or what is stored now; anything else would overwrite.
func settle[T record[T]](current, original, asked T) (T, Outcome, error) {
	for _, known := range []T{original, current} {
		if reflect.DeepEqual(known.withRevision(Revision{}), asked.withRevision(Revision{})) {
			return current, Known, nil
		}
	}
	var none T
	return none, Refused, ErrIDTaken
}

// settled is settle on what fn reads. An id that is in use where the principal
// cannot see it is in use with other content.
func settled[T record[T]](ctx context.Context, s *Service, who auth.Principal, asked T, fn func(Reader) (current, original T, err error)) (out T, outcome Outcome, err error) {
	err = s.Store.Read(ctx, who, func(r Reader) error {
		current, original, err := fn(r)
		if fault.Is(err, fault.NotFound) {
			return ErrIDTaken
		}
		if err != nil {
			return err
		}
		out, outcome, err = settle(current, original, asked)
		return err
	})
	return out, outcome, err
}

// ErrIDTaken refuses to overwrite: the id is in use with other content.
var ErrIDTaken = fault.New(fault.Conflict, "This id is in use with other content.",
	fault.Detail{Pointer: "/id", Code: "id_taken", Message: "Send what was sent first to retry, or a new id to create."})

// checkVersion refuses a change that was made against another version than
// the current one.
func checkVersion(current Revision, expected int) error {
	if current.Version == expected {
		return nil
	}
	return fault.New(fault.Stale, fmt.Sprintf("This was changed since it was read: the current version is %d.", current.Version))
}

// faults gathers what is wrong with an input.
type faults []fault.Detail

func (f *faults) add(pointer, code, message string) {
	*f = append(*f, fault.Detail{Pointer: pointer, Code: code, Message: message})
}

func (f faults) err() error { return fault.InvalidIf(f) }

// The record begins before the oldest of its instruments and does not plan
// for longer than anybody lives. What lies outside is a slip of the keyboard
// or a clock that was never set, and may be a time that cannot be written.
var (
	earliest = time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

func plausible(t time.Time) bool { return !t.Before(earliest) && t.Before(latest) }

// Package audit says what was done in a clinic, and shows when somebody
// changed that record afterwards.
//
// An Entry commits with the act it tells of. A Sealer links committed entries
// into a chain of hashes, one chain a clinic, and signs its end from time to
// time: a Checkpoint, which can be kept elsewhere. A Verifier walks a chain,
// from a database or from an exported file, and names what was altered,
// removed, moved, put in or cut off. Whoever can write to the database can
// also link the whole chain anew; only a checkpoint shows that.
//
// Nothing here knows how entries are stored.
package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
)

// Outcome says whether the act came to pass.
type Outcome string

// The outcomes.
const (
	Done    Outcome = "done"
	Refused Outcome = "refused" // also where something was tried and nobody was known to ask
)

// The kinds of actor.
const (
	ActorKey      = "key"      // an API key
	ActorAccount  = "account"  // a person who signed in
	ActorToken    = "token"    // a client's own token
	ActorOperator = "operator" // somebody at the command line
	ActorSystem   = "system"   // the program itself
	ActorNobody   = "nobody"   // no one is known to have asked
)

var actorKinds = []string{ActorKey, ActorAccount, ActorToken, ActorOperator, ActorSystem, ActorNobody}

// Entry is one thing that was done, tried or refused in a clinic.
type Entry struct {
	ID        uuid.UUID   // version 7
	At        time.Time   // UTC, whole microseconds
	Actor     uuid.UUID   // key, account or client token; for the operator and the system the clinic itself
	ActorKind string      // one of the Actor constants
	Role      string      // what the actor acted as; empty for nobody
	Address   string      // where from; empty for the command line
	Request   string      // request id; empty for the command line
	Action    string      // noun.verb: "client.create", "sign_in.refused"
	Outcome   Outcome     // whether it came to pass
	Target    string      // kind of the thing: "client", "assessment", "key"; may be empty
	TargetID  uuid.UUID   // uuid.Nil: none
	Client    uuid.UUID   // whose record it concerned; uuid.Nil: none, or several
	Clients   []uuid.UUID // where several, all of them; stored beside the entry, see WithClients
	Details   Details     // what else is to be known
}

// Details is what an entry tells beyond who, what and when. It never holds a
// name, an answer or a key.
type Details struct {
	Changes []Change          `json:"changes,omitempty"`
	Reason  string            `json:"reason,omitempty"`         // a code, or what a person gave as reason
	Count   *int              `json:"count,omitempty"`          // how many; with Clients, how many clients
	Clients string            `json:"clients_sha256,omitempty"` // ClientsDigest of Entry.Clients, so that the chain covers them
	Note    map[string]string `json:"note,omitempty"`           // small facts: format, names of filters, scope
}

// Change is one field that has another value than before. Before is nil where
// there was none, After where there is none any more; both are nil where the
// content is private and only the field's name is told.
type Change struct {
	Field  string  `json:"field"`
	Before *string `json:"before,omitzero"`
	After  *string `json:"after,omitzero"`
}

// ErrUnreadable is in the chain of the error of a stored content that this
// package did not write. A stream of entries that yields it with an entry says
// that this entry was altered; it is not the end of the stream.
var ErrUnreadable = errors.New("the content is not what was written")

// Canonical gives the only text that says d. It is what is stored and hashed.
// Bytes that are not UTF-8 stand in it as U+FFFD; Entry.Check refuses them.
func (d Details) Canonical() string {
	var b bytes.Buffer
	// It cannot fail: the type holds nothing but text and numbers.
	_ = json.MarshalWrite(&b, d, json.Deterministic(true), allowInvalidUTF8)
	return b.String()
}

// ParseDetails reads the text that Canonical gave. Any other text is refused
// with ErrUnreadable, even if it says the same, so that nothing can hide in it.
func ParseDetails(text string) (Details, error) {
	var d Details
	if err := json.Unmarshal([]byte(text), &d, json.RejectUnknownMembers(true)); err != nil {
		return Details{}, fmt.Errorf("audit details: %w: %w", ErrUnreadable, err)
	}
	if d.Canonical() != text {
		return Details{}, fmt.Errorf("audit details: %w: not the canonical text", ErrUnreadable)
	}
	return d, nil
}

// WithClients gives a copy of e that concerns all of the clients. It counts
// them, and puts their digest into the details.
func (e Entry) WithClients(ids []uuid.UUID) Entry {
	e.Clients = sortedIDs(ids)
	e.Clients = slices.Compact(e.Clients)
	n := len(e.Clients)
	e.Details.Count = &n
	e.Details.Clients = ""
	if n > 0 {
		e.Details.Clients = ClientsDigest(e.Clients)
	}
	return e
}

// ClientsDigest is the SHA-256, in hexadecimal, of the 16 bytes of each id, the
// ids in ascending order.
func ClientsDigest(ids []uuid.UUID) string {
	h := sha256.New()
	for _, id := range sortedIDs(ids) {
		h.Write(id[:])
	}
	return hex.EncodeToString(h.Sum(nil))
}

func sortedIDs(ids []uuid.UUID) []uuid.UUID {
	sorted := slices.Clone(ids)
	slices.SortFunc(sorted, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	return sorted
}

// clientsFit reports whether the clients are those that the details speak of.
func (e Entry) clientsFit() bool {
	if len(e.Clients) == 0 {
		return e.Details.Clients == ""
	}
	return e.Details.Count != nil && *e.Details.Count == len(e.Clients) && e.Details.Clients == ClientsDigest(e.Clients)
}

var actionForm = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$`)

// Check says what keeps e from being written; call it before storing. An
// error is a defect of the caller, or text from outside that it did not clean.
func (e Entry) Check() error {
	var faults []string
	must := func(ok bool, what string) {
		if !ok {
			faults = append(faults, what)
		}
	}
	must(e.ID != uuid.Nil, "no id")
	must(!e.At.IsZero() && e.At.Equal(e.At.Truncate(time.Microsecond)), "the time is not one of whole microseconds")
	must(slices.Contains(actorKinds, e.ActorKind), "unknown kind of actor")
	must(actionForm.MatchString(e.Action), "the action is not noun.verb")
	must(e.Outcome == Done || e.Outcome == Refused, "unknown outcome")
	must(e.clientsFit(), "the clients do not fit their digest")
	for _, s := range []string{e.Role, e.Address, e.Request, e.Target} {
		must(utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl), "a text has characters that are not stored")
	}
	_, err := e.canonical()
	must(err == nil, "a text is not UTF-8")
	if len(faults) > 0 {
		return fmt.Errorf("audit entry %q: %s", e.Action, strings.Join(slices.Compact(faults), "; "))
	}
	return nil
}

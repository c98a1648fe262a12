package audit

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
)

// domain keeps a hash of a chain apart from every other use of SHA-256.
const domain = "protrack audit v1\x00"

// timeForm is RFC 3339 in UTC with exactly six decimals.
const timeForm = "2006-01-02T15:04:05.000000Z"

var allowInvalidUTF8 = jsontext.AllowInvalidUTF8(true)

// Sealed is an entry in its place in the chain.
type Sealed struct {
	Entry
	Seq  int64    // 1 for the first of a clinic, without gaps
	Hash [32]byte // Entry.Hash of the hash before; before the first come zeros
}

// Head is the end of a clinic's chain: the last entry's number and hash. The
// head of a chain without entries has number 0 and a hash of zeros.
type Head struct {
	Clinic uuid.UUID
	Seq    int64
	Hash   [32]byte
	At     time.Time // when the chain last grew
}

// Link puts entries, in this order, at the end of the chain.
func (h Head) Link(entries []Entry, at time.Time) ([]Sealed, Head) {
	sealed := make([]Sealed, len(entries))
	for i, e := range entries {
		h.Seq++
		h.Hash = e.Hash(h.Hash, h.Clinic, h.Seq)
		h.At = at
		sealed[i] = Sealed{Entry: e, Seq: h.Seq, Hash: h.Hash}
	}
	return sealed, h
}

// Hash is the SHA-256 of the domain, the clinic, the number, the hash before
// and the SHA-256 of the entry's canonical JSON, each of a fixed length. The
// JSON covers every field but Clients, which the details have a digest of. An
// entry that Check refuses because of its text has a hash that never verifies.
func (e Entry) Hash(prev [32]byte, clinic uuid.UUID, seq int64) [32]byte {
	content, _ := e.digest()
	return link(clinic, place{seq: seq, prev: prev}, content)
}

// A place is where an entry can stand.
type place struct {
	seq  int64
	prev [32]byte // the hash of the entry before
}

func link(clinic uuid.UUID, at place, content [32]byte) [32]byte {
	b := make([]byte, 0, len(domain)+len(clinic)+8+2*sha256.Size)
	b = append(b, domain...)
	b = append(b, clinic[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(at.seq)) //nolint:gosec // the bits are what is hashed, whatever the sign
	b = append(b, at.prev[:]...)
	b = append(b, content[:]...)
	return sha256.Sum256(b)
}

// digest is the hash of the canonical JSON. The error says that there is none.
func (e Entry) digest() ([32]byte, error) {
	text, err := e.canonical()
	if err != nil {
		return [32]byte{}, err
	}
	return sha256.Sum256(text), nil
}

// A record is an entry as JSON. Its fields, their names and their order are
// hashed: they never change.
type record struct {
	ID        uuid.UUID `json:"id"`
	At        string    `json:"at"`
	Actor     uuid.UUID `json:"actor"`
	ActorKind string    `json:"actor_kind"`
	Role      string    `json:"role"`
	Address   string    `json:"address"`
	Request   string    `json:"request"`
	Action    string    `json:"action"`
	Outcome   Outcome   `json:"outcome"`
	Target    string    `json:"target"`
	TargetID  uuid.UUID `json:"target_id"`
	Client    uuid.UUID `json:"client"`
	Details   Details   `json:"details"`
}

func (e Entry) record() record {
	return record{
		ID: e.ID, At: e.At.UTC().Format(timeForm),
		Actor: e.Actor, ActorKind: e.ActorKind, Role: e.Role, Address: e.Address, Request: e.Request,
		Action: e.Action, Outcome: e.Outcome, Target: e.Target, TargetID: e.TargetID, Client: e.Client,
		Details: e.Details,
	}
}

// entry is the way back. A time in another form than ours is an error.
func (r record) entry() (Entry, error) {
	at, err := time.Parse(timeForm, r.At)
	return Entry{
		ID: r.ID, At: at,
		Actor: r.Actor, ActorKind: r.ActorKind, Role: r.Role, Address: r.Address, Request: r.Request,
		Action: r.Action, Outcome: r.Outcome, Target: r.Target, TargetID: r.TargetID, Client: r.Client,
		Details: r.Details,
	}, err
}

// canonical is the only JSON that says e. Text that is not UTF-8 has none.
func (e Entry) canonical() ([]byte, error) {
	return json.Marshal(e.record(), json.Deterministic(true))
}

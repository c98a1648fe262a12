package audit_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
)

// The bytes that are hashed are written out here, so that whoever checks a
// chain with another program has an example, and a change of them fails.
func TestTheHashIsOfTheseBytes(t *testing.T) {
	const content = `{"id":"01930000-0000-7000-8000-000000000001","at":"2026-03-01T09:00:01.123456Z",` +
		`"actor":"01930000-0000-7000-8000-000000100000","actor_kind":"key","role":"clinician","address":"192.0.2.7",` +
		`"request":"request-1","action":"client.update","outcome":"done","target":"client",` +
		`"target_id":"01930000-0000-7000-8000-000000200000","client":"01930000-0000-7000-8000-000000200000",` +
		`"details":{"reason":"moved","note":{"a":"<&>` + "\u2028" + `","b":"1","format":"csv","scope":"all"}}}`
	sum := sha256.Sum256([]byte(content))
	prev := [32]byte{1, 2, 3}
	b := []byte("protrack audit v1\x00")
	b = append(b, clinic[:]...)
	b = binary.BigEndian.AppendUint64(b, 7)
	b = append(b, prev[:]...)
	b = append(b, sum[:]...)
	want := sha256.Sum256(b)
	if got := entry(1).Hash(prev, clinic, 7); got != want {
		t.Errorf("got %x, want %x", got, want)
	}
}

func TestTheHashCoversEverythingButTheWayTheTimeIsGiven(t *testing.T) {
	e := entry(2)
	prev := [32]byte{9}
	hash := e.Hash(prev, clinic, 7)
	elsewhere := e
	elsewhere.At = e.At.In(time.FixedZone("", 3600))
	if elsewhere.Hash(prev, clinic, 7) != hash {
		t.Error("the same instant in another zone has another hash")
	}
	seen := map[string]string{hex.EncodeToString(hash[:]): "the entry"}
	differs := func(name string, sum [32]byte) {
		text := hex.EncodeToString(sum[:])
		if was, ok := seen[text]; ok {
			t.Errorf("%s has the hash of %s", name, was)
		}
		seen[text] = name
	}
	differs("another hash before", e.Hash([32]byte{8}, clinic, 7))
	differs("another clinic", e.Hash(prev, other, 7))
	differs("another number", e.Hash(prev, clinic, 8))
	for name, change := range alterations() {
		changed := copied([]audit.Sealed{{Entry: e}})[0]
		change(&changed.Entry)
		differs(name, changed.Entry.Hash(prev, clinic, 7))
	}
}

// alterations change one field each, to a value that entry does not give.
func alterations() map[string]func(*audit.Entry) {
	stranger := uuid.MustParse("01940000-0000-7000-8000-000000000000")
	many := 12345
	return map[string]func(*audit.Entry){
		"id":         func(e *audit.Entry) { e.ID = stranger },
		"at":         func(e *audit.Entry) { e.At = e.At.Add(time.Microsecond) },
		"actor":      func(e *audit.Entry) { e.Actor = stranger },
		"actor kind": func(e *audit.Entry) { e.ActorKind = audit.ActorSystem },
		"role":       func(e *audit.Entry) { e.Role = "owner" },
		"address":    func(e *audit.Entry) { e.Address = "" },
		"request":    func(e *audit.Entry) { e.Request += "x" },
		"action":     func(e *audit.Entry) { e.Action = "client.read" },
		"outcome":    func(e *audit.Entry) { e.Outcome = audit.Refused },
		"target":     func(e *audit.Entry) { e.Target = "" },
		"target id":  func(e *audit.Entry) { e.TargetID = uuid.Nil },
		"client":     func(e *audit.Entry) { e.Client = stranger },
		"changes":    func(e *audit.Entry) { e.Details.Changes = []audit.Change{{Field: "other"}} },
		"reason":     func(e *audit.Entry) { e.Details.Reason = "" },
		"count":      func(e *audit.Entry) { e.Details.Count = &many },
		"digest":     func(e *audit.Entry) { e.Details.Clients = "00" },
		"note":       func(e *audit.Entry) { e.Details.Note = map[string]string{"format": "json"} },
	}
}

func TestAChainGrowsByOneFromItsHead(t *testing.T) {
	whole, end := chain(5)
	first, middle := audit.Head{Clinic: clinic}.Link(entries(5)[:2], start)
	rest, head := middle.Link(entries(5)[2:], start)
	if diff := cmp.Diff(whole, append(first, rest...)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(end, head); diff != "" {
		t.Error(diff)
	}
	want := audit.Head{Clinic: clinic, Seq: 5, Hash: whole[4].Hash, At: start}
	if diff := cmp.Diff(want, end); diff != "" {
		t.Error(diff)
	}
	if _, still := want.Link(nil, start.Add(time.Hour)); !cmp.Equal(still, want) {
		t.Errorf("nothing was added, and the head is %+v", still)
	}
}

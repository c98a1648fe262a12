package audit_test

import (
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/note"

	"github.com/protrack/protrack/pkg/audit"
)

var (
	clinic = uuid.MustParse("01920000-0000-7000-8000-00000000c11c")
	other  = uuid.MustParse("01920000-0000-7000-8000-00000000c12c")
	start  = time.Date(2026, 3, 1, 9, 0, 0, 123456000, time.UTC)
)

// id gives the nth of a row of ids.
func id(n int) uuid.UUID { return uuid.MustParse(fmt.Sprintf("01930000-0000-7000-8000-%012x", n)) }

// entry gives the nth of a row of entries, each third of which concerns
// several clients, and each second of which tells changes.
func entry(n int) audit.Entry {
	e := audit.Entry{
		ID: id(n), At: start.Add(time.Duration(n) * time.Second),
		Actor: id(1 << 20), ActorKind: audit.ActorKey, Role: "clinician",
		Address: "192.0.2.7", Request: fmt.Sprintf("request-%d", n),
		Action: "client.update", Outcome: audit.Done, Target: "client", TargetID: id(2 << 20), Client: id(2 << 20),
		Details: audit.Details{Reason: "moved", Note: map[string]string{"format": "csv", "scope": "all", "b": "1", "a": "<&>\u2028"}},
	}
	if n%2 == 0 {
		e.Details.Changes = audit.Diff([]audit.Field{{Name: "status", Value: "active"}}, []audit.Field{{Name: "status", Value: ""}, {Name: "name", Value: "x", Private: true}})
	}
	if n%3 == 0 {
		e = e.WithClients([]uuid.UUID{id(n + 7), id(n + 5), id(n + 5)})
	}
	return e
}

func entries(n int) []audit.Entry {
	list := make([]audit.Entry, n)
	for i := range list {
		list[i] = entry(i + 1)
	}
	return list
}

// chain gives n sealed entries and their head.
func chain(n int) ([]audit.Sealed, audit.Head) {
	return audit.Head{Clinic: clinic}.Link(entries(n), start)
}

// A key pair of these tests alone.
const (
	ownPrivate = "PRIVATE+KEY+clinic.example+959e4d5c+AfB7zzZdWXdt/yt+IbUiTXfIsyE9gY7leARJRj9RrXga"
	ownPublic  = "clinic.example+959e4d5c+AbinSPMKfsi+V9NW7dniJX3ZQKM2zEawJMnXbtV1qRYW"
)

// own gives that pair: the workers of a fuzz test must all have the same.
func own(t testing.TB) (note.Signer, note.Verifier, string) {
	t.Helper()
	return open(t, ownPrivate, ownPublic)
}

// key gives another pair each time.
func key(t testing.TB) (note.Signer, note.Verifier, string) {
	t.Helper()
	private, public, err := audit.NewKey("clinic.example")
	if err != nil {
		t.Fatal(err)
	}
	return open(t, private, public)
}

func open(t testing.TB, private audit.SignerKey, public string) (note.Signer, note.Verifier, string) {
	t.Helper()
	signer, err := private.Signer()
	if err != nil {
		t.Fatal(err)
	}
	verifiers, err := audit.Verifiers(public)
	if err != nil {
		t.Fatal(err)
	}
	return signer, verifiers[0], public
}

func sign(t testing.TB, signer note.Signer, at audit.Sealed) string {
	t.Helper()
	text, err := audit.Sign(signer, audit.Head{Clinic: clinic, Seq: at.Seq, Hash: at.Hash}, start)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// verify walks the chain with what stands beside it.
func verify(chain []audit.Sealed, head *audit.Head, checkpoints []string, trusted ...note.Verifier) audit.Report {
	v := audit.NewVerifier(clinic, checkpoints, trusted)
	for _, s := range chain {
		v.Add(s)
	}
	return v.Finish(head, 0, nil)
}

// found is what a test says about a fault.
type found struct {
	Seq  int64
	Kind string
}

func faults(r audit.Report) []found {
	var list []found
	for _, f := range r.Faults {
		list = append(list, found{f.Seq, f.Kind})
	}
	return list
}

func stream(chain []audit.Sealed) iter.Seq2[audit.Sealed, error] {
	return func(yield func(audit.Sealed, error) bool) {
		for _, s := range chain {
			if !yield(s, nil) {
				return
			}
		}
	}
}

// copied gives a chain that can be changed without changing the other.
func copied(chain []audit.Sealed) []audit.Sealed {
	out := slices.Clone(chain)
	for i := range out {
		out[i].Clients = slices.Clone(out[i].Clients)
		out[i].Details.Changes = slices.Clone(out[i].Details.Changes)
	}
	return out
}

package audit_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
)

func text(s string) *string { return &s }

func TestDiffTellsWhatIsDifferent(t *testing.T) {
	for name, c := range map[string]struct {
		before, after []audit.Field
		want          []audit.Change
	}{
		"nothing is different": {
			[]audit.Field{{Name: "a", Value: "1"}, {Name: "b", Value: "2", Private: true}},
			[]audit.Field{{Name: "b", Value: "2", Private: true}, {Name: "a", Value: "1"}},
			nil,
		},
		"in the order given": {
			[]audit.Field{{Name: "z", Value: "1"}, {Name: "a", Value: "1"}, {Name: "m", Value: "1"}},
			[]audit.Field{{Name: "z", Value: "2"}, {Name: "a", Value: ""}, {Name: "m", Value: "1"}},
			[]audit.Change{{Field: "z", Before: text("1"), After: text("2")}, {Field: "a", Before: text("1"), After: text("")}},
		},
		"a new thing has no before": {
			nil,
			[]audit.Field{{Name: "a", Value: "1"}, {Name: "b", Value: "2"}},
			[]audit.Change{{Field: "a", After: text("1")}, {Field: "b", After: text("2")}},
		},
		"what is empty in a new thing or one that is gone tells nothing": {
			[]audit.Field{{Name: "gone", Value: ""}, {Name: "old", Value: "", Private: true}},
			[]audit.Field{{Name: "a", Value: ""}, {Name: "b", Value: "", Private: true}, {Name: "c", Value: "1"}},
			[]audit.Change{{Field: "c", After: text("1")}},
		},
		"a thing that is gone has no after": {
			[]audit.Field{{Name: "a", Value: "1"}}, nil,
			[]audit.Change{{Field: "a", Before: text("1")}},
		},
		"what is gone comes last": {
			[]audit.Field{{Name: "gone", Value: "1"}, {Name: "a", Value: "1"}},
			[]audit.Field{{Name: "a", Value: "2"}},
			[]audit.Change{{Field: "a", Before: text("1"), After: text("2")}, {Field: "gone", Before: text("1")}},
		},
		"a private field gives its name only": {
			[]audit.Field{{Name: "name", Value: "Ann", Private: true}, {Name: "old", Value: "x", Private: true}},
			[]audit.Field{{Name: "name", Value: "Bea", Private: true}, {Name: "new", Value: "y", Private: true}},
			[]audit.Change{{Field: "name"}, {Field: "new"}, {Field: "old"}},
		},
		"private on one side is private": {
			[]audit.Field{{Name: "a", Value: "1", Private: true}, {Name: "b", Value: "1"}},
			[]audit.Field{{Name: "a", Value: "2"}, {Name: "b", Value: "2", Private: true}},
			[]audit.Change{{Field: "a"}, {Field: "b"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, audit.Diff(c.before, c.after)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDetailsHaveOneText(t *testing.T) {
	zero := 0
	for want, d := range map[string]audit.Details{
		`{}`: {},
		`{"changes":[{"field":"name"},{"field":"status","before":"","after":"x"}],"reason":"r","count":0,"clients_sha256":"ab","note":{"a":"<&>","b":"2"}}`: {
			Changes: []audit.Change{{Field: "name"}, {Field: "status", Before: text(""), After: text("x")}},
			Reason:  "r", Count: &zero, Clients: "ab", Note: map[string]string{"b": "2", "a": "<&>"},
		},
	} {
		if diff := cmp.Diff(want, d.Canonical()); diff != "" {
			t.Error(diff)
		}
		back, err := audit.ParseDetails(want)
		if err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(d, back); diff != "" {
			t.Error(diff)
		}
	}
}

func TestNothingHidesInDetails(t *testing.T) {
	for name, c := range map[string]string{
		"nothing":               ``,
		"null":                  `null`,
		"a space":               `{ }`,
		"an end of line":        "{}\n",
		"a second value":        `{}{}`,
		"an unknown member":     `{"hidden":1}`,
		"an unknown member in":  `{"changes":[{"field":"a","hidden":1}]}`,
		"a member twice":        `{"reason":"a","reason":"b"}`,
		"another order":         `{"note":{"a":"1"},"reason":"a"}`,
		"another order in note": `{"note":{"b":"1","a":"1"}}`,
		"an empty list":         `{"changes":[]}`,
		"a null":                `{"count":null}`,
		"another escape":        `{"reason":"\u0061"}`,
		"another case":          `{"Reason":"a"}`,
		"another number":        `{"count":1.0}`,
		"bytes":                 "{\"reason\":\"\xff\"}",
	} {
		if d, err := audit.ParseDetails(c); !errors.Is(err, audit.ErrUnreadable) {
			t.Errorf("%s: read as %+v, %v", name, d, err)
		}
	}
}

func FuzzDetailsAreReadOnlyAsTheyAreWritten(f *testing.F) {
	for _, n := range []int{1, 2, 3, 6} {
		f.Add(entry(n).Details.Canonical())
	}
	f.Add(`{}`)
	f.Add(`{"count":-0}`)
	f.Fuzz(func(t *testing.T, text string) {
		d, err := audit.ParseDetails(text)
		if err == nil && d.Canonical() != text {
			t.Errorf("%q was read, and is written as %q", text, d.Canonical())
		}
	})
}

func TestTheDigestOfClientsIsThatOfTheirSortedIDs(t *testing.T) {
	a, b := id(1), id(2)
	sum := sha256.Sum256(append(a[:], b[:]...))
	want := hex.EncodeToString(sum[:])
	given := []uuid.UUID{b, a}
	if got := audit.ClientsDigest(given); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if given[0] != b {
		t.Error("the list given was changed")
	}
	e := entry(1).WithClients([]uuid.UUID{b, a, b})
	if diff := cmp.Diff([]uuid.UUID{a, b}, e.Clients); diff != "" {
		t.Error(diff)
	}
	if e.Details.Clients != want || *e.Details.Count != 2 {
		t.Errorf("details: %+v", e.Details)
	}
	none := e.WithClients(nil)
	if none.Details.Clients != "" || *none.Details.Count != 0 || none.Check() != nil {
		t.Errorf("without clients: %+v, %v", none.Details, none.Check())
	}
}

func TestAnEntryIsCheckedBeforeItIsWritten(t *testing.T) {
	for n := range 7 {
		if err := entry(n + 1).Check(); err != nil {
			t.Fatalf("a right entry: %v", err)
		}
	}
	one := 1
	for name, c := range map[string]struct {
		change func(*audit.Entry)
		want   string
	}{
		"no id":                 {func(e *audit.Entry) { e.ID = uuid.Nil }, "no id"},
		"no time":               {func(e *audit.Entry) { e.At = time.Time{} }, "microseconds"},
		"a nanosecond":          {func(e *audit.Entry) { e.At = e.At.Add(1) }, "microseconds"},
		"an unknown actor":      {func(e *audit.Entry) { e.ActorKind = "robot" }, "actor"},
		"a verb alone":          {func(e *audit.Entry) { e.Action = "update" }, "noun.verb"},
		"no outcome":            {func(e *audit.Entry) { e.Outcome = "" }, "outcome"},
		"clients left out":      {func(e *audit.Entry) { e.Clients = nil }, "digest"},
		"another client":        {func(e *audit.Entry) { e.Clients = []uuid.UUID{id(1), id(2)} }, "digest"},
		"another count":         {func(e *audit.Entry) { e.Details.Count = &one }, "digest"},
		"clients not digested":  {func(e *audit.Entry) { e.Details.Clients = "" }, "digest"},
		"an end of line":        {func(e *audit.Entry) { e.Request = "a\nb" }, "not stored"},
		"a NUL":                 {func(e *audit.Entry) { e.Address = "\x00" }, "not stored"},
		"bytes":                 {func(e *audit.Entry) { e.Role = "\xff" }, "not stored"},
		"bytes in the details":  {func(e *audit.Entry) { e.Details.Reason = "\xff" }, "not UTF-8"},
		"two faults, both told": {func(e *audit.Entry) { e.ID, e.Outcome = uuid.Nil, "" }, "no id; unknown outcome"},
	} {
		e := entry(3)
		c.change(&e)
		if err := e.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

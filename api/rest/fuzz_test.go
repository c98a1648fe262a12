package rest_test

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/protrack/protrack/api/rest"
	"github.com/protrack/protrack/pkg/care"
)

// FuzzDecode: whatever the bytes, decoding ends, and what it takes without a
// fault is what the standard library reads from them, and reads the same when
// it is written again.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{}`, `null`, `[]`, `{"instrument":"phq-9","timing":"baseline","completed_at":"2026-03-01T09:00:00Z","answers":{"phq9_1":0,"phq9_9":null}}`,
		`{"total":1e400}`, `{"answers":{"a~/b":"x","":1.5}}`, `{"answers":[[[[`, `{"id":"{0189","declined":[1,null,"x"]}`, `{"a":1,"a":2}`, "{\"mode\":\"\\u0000\"}", `{"":0}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		in, details, err := rest.DecodeAssessment(body)
		for _, d := range details {
			if d.Code == "" || d.Message == "" {
				t.Errorf("a fault without words: %+v", d)
			}
		}
		if err != nil || len(details) > 0 {
			return
		}
		var plain rest.AssessmentRequest
		if err := json.NewDecoder(bytes.NewReader(body)).Decode(&plain); err != nil {
			t.Fatalf("%s is taken and is not what the standard library reads: %v", body, err)
		}
		if diff := cmp.Diff(plain, in); diff != "" {
			t.Errorf("%s is read as something else:\n%s", body, diff)
		}
		text, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		again, details, err := rest.DecodeAssessment(text)
		if err != nil || len(details) > 0 {
			t.Fatalf("%s is not read again: %v %v", text, details, err)
		}
		if diff := cmp.Diff(in, again, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s:\n%s", text, diff)
		}
	})
}

// FuzzPatch: an empty patch changes nothing, and no patch reaches what is
// stored.
func FuzzPatch(f *testing.F) {
	f.Add([]byte(`{"medicine":{"dose_mg":5}}`))
	f.Add([]byte(`{"medicine":null,"number":null}`))
	f.Add([]byte(`{"ended_at":"2026-03-10T17:00:00Z","medicine":{"dose_mg_per_kg":0.5,"x":1}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		stored := func() care.Session {
			return care.Session{
				Kind: care.Dosing, Number: new(3), CourseID: new(uuid.Max), StartedAt: time.Unix(1e9, 0).UTC(), EndedAt: new(time.Unix(2e9, 0).UTC()),
				Medicine: &care.Medicine{Substance: "ketamine", Route: care.Oral, DoseMG: 10, DoseMGPerKG: new(0.5)},
			}
		}
		current := stored()
		_, _, _ = rest.DecodeSessionPatch(body, current)
		if diff := cmp.Diff(stored(), current); diff != "" {
			t.Errorf("%s changed what is stored:\n%s", body, diff)
		}
	})
}

// FuzzCursor: a cursor that is read says the same when it is written again,
// and holds what the columns of its list can be compared with.
func FuzzCursor(f *testing.F) {
	for _, list := range rest.Lists {
		f.Add(list, rest.FormatCursor(list, care.Position{Text: "2026-03-01", Time: time.Unix(1e9, 0).UTC(), Number: new(2.0), ID: uuid.Max}))
	}
	f.Add("versions", "eyJuIjoxZTMwMH0")
	f.Fuzz(func(t *testing.T, list, text string) {
		at, err := rest.ParseCursor(list, text)
		if err != nil {
			return
		}
		if at.ID == uuid.Nil || at.Number != nil && (math.IsNaN(*at.Number) || math.IsInf(*at.Number, 0)) {
			t.Errorf("%s is taken: %+v", text, at)
		}
		again, err := rest.ParseCursor(list, rest.FormatCursor(list, at))
		if err != nil {
			t.Fatalf("%+v is not read again: %v", at, err)
		}
		if diff := cmp.Diff(at, again); diff != "" {
			t.Errorf("%s:\n%s", text, diff)
		}
		for _, other := range rest.Lists {
			if _, err := rest.ParseCursor(other, text); other != list && err == nil {
				t.Errorf("a cursor of %q is read by %q", list, other)
			}
		}
	})
}

// FuzzID: one form of an id, in one length, and no other.
func FuzzID(f *testing.F) {
	f.Add("01890000-0000-7000-8000-00000000ABCD")
	f.Add("{01890000-0000-7000-8000-000000000001}")
	f.Add("urn:uuid:01890000-0000-7000-8000-000000000001")
	f.Fuzz(func(t *testing.T, text string) {
		if id, err := rest.ParseID(text); err == nil && (len(text) != 36 || id == uuid.Nil) {
			t.Errorf("%q is an id", text)
		}
	})
}

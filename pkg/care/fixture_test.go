//go:build unix

package care_test

import (
	"database/sql"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/instrument"
	"github.com/protrack/protrack/pkg/store/storetest"
)

// clinic is a clinic with the few things that tests ask of it all the time.
type clinic struct {
	*storetest.Clinic
	raw *sql.DB
}

func newClinic(t testing.TB, d *storetest.Database) clinic {
	t.Helper()
	return clinic{d.Clinic(t), d.Raw(t)}
}

// each runs a test on a new clinic in each database.
func each(t *testing.T, test func(t *testing.T, c clinic)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, d *storetest.Database) { test(t, newClinic(t, d)) })
}

// day is noon, n days after the first of January 2026.
func day(n int) time.Time { return time.Date(2026, 1, 1+n, 12, 0, 0, 0, time.UTC) }

// gad7 is a form with every item at the same value: a total of 7 times it.
func gad7(client uuid.UUID, at time.Time, value int) care.Assessment {
	a := care.Assessment{
		ID: storetest.NewID(), ClientID: client, Instrument: "gad-7", Timing: care.AtFollowUp, CompletedAt: at, Answers: instrument.Answers{},
	}
	for i := range 7 {
		a.Answers[fmt.Sprintf("gad7_%d", i+1)] = new(value)
	}
	return a
}

func (c clinic) client(t testing.TB, reference string) care.Client {
	t.Helper()
	out, _, err := c.Care.CreateClient(t.Context(), c.Who, care.Client{Reference: care.Private(reference)})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (c clinic) course(t testing.TB, client uuid.UUID, start care.Date) care.Course {
	t.Helper()
	out, _, err := c.Care.CreateCourse(t.Context(), c.Who, care.Course{ClientID: client, Indication: "depression", StartedOn: start})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (c clinic) session(t testing.TB, s care.Session) care.Session {
	t.Helper()
	out, _, err := c.Care.CreateSession(t.Context(), c.Who, s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// record stores assessments that must all be new.
func (c clinic) record(t testing.TB, as ...care.Assessment) []care.Assessment {
	t.Helper()
	out := make([]care.Assessment, len(as))
	for i, r := range c.recorded(t, as...) {
		if r.Outcome != care.Created {
			t.Fatalf("assessment %d: outcome %d, %v", i, r.Outcome, r.Err)
		}
		out[i] = r.Assessment
	}
	return out
}

func (c clinic) recorded(t testing.TB, as ...care.Assessment) []care.Recorded {
	t.Helper()
	out, err := c.Care.RecordAssessments(t.Context(), c.Who, as)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (c clinic) amend(t testing.TB, a care.Assessment, expected int) care.Assessment {
	t.Helper()
	a.Reason = "on purpose"
	out, err := c.Care.Amend(t.Context(), c.Who, a, expected)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (c clinic) dump(t testing.TB) []string {
	t.Helper()
	return c.Dump(t, c.raw, c.Who.Clinic)
}

// trail gives the clinic's entries of the audit trail.
func (c clinic) trail(t testing.TB) []audit.Entry {
	t.Helper()
	return c.Trail(t, c.raw, c.Who.Clinic)
}

// unchanged fails the test where the record is not what it was.
func (c clinic) unchanged(t testing.TB, before []string) {
	t.Helper()
	if d := cmp.Diff(before, c.dump(t)); d != "" {
		t.Errorf("the record changed (-before +after):\n%s", d)
	}
}

// sound fails the test where the record breaks a rule that always holds.
func (c clinic) sound(t testing.TB) {
	t.Helper()
	for _, b := range c.Breaches(t, c.raw) {
		t.Error(b)
	}
}

// progress reads the client's progress on an instrument; nil where there is none.
func (c clinic) progress(t testing.TB, client uuid.UUID, instrumentID string) *care.Progress {
	t.Helper()
	cases, err := c.Care.Caseload(t.Context(), c.Who, care.CaseloadQuery{Instrument: instrumentID}, care.Page{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range cases {
		if x.Client.ID == client {
			return x.Progress
		}
	}
	t.Fatal("the client is not in the caseload")
	return nil
}

// eachTwo runs a test on two clinics of one database, for each database.
func eachTwo(t *testing.T, test func(t *testing.T, here, there clinic)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, d *storetest.Database) { test(t, newClinic(t, d), newClinic(t, d)) })
}

func sorted(in []string) []string { return slices.Sorted(slices.Values(in)) }

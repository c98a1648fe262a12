//go:build unix

package storetest

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/instrument"
)

var long = os.Getenv("PROTRACK_TEST_LONG") == "1"

// When is a time with everything that a store may lose: nanoseconds, and a
// zone that is far from UTC by a broken number of hours.
var When = time.Date(2026, 5, 4, 23, 59, 59, 123456789, time.FixedZone("Chatham", 12*3600+45*60))

// First is the revision of a record stored by the clinic at a time.
func (c *Clinic) First(at time.Time) care.Revision {
	return care.Revision{Version: 1, RecordedAt: at, RecordedBy: c.Who.Actor}
}

// Next is the revision that follows, at a time.
func Next(r care.Revision, at time.Time) care.Revision {
	return care.Revision{Version: r.Version + 1, RecordedAt: at, RecordedBy: r.RecordedBy}
}

// NewClient makes a client of a reference.
func (c *Clinic) NewClient(reference string) care.Client {
	return care.Client{ID: NewID(), Reference: care.Private(reference), Revision: c.First(When)}
}

// NewCourse makes a course.
func (c *Clinic) NewCourse(client uuid.UUID, start care.Date) care.Course {
	return care.Course{ID: NewID(), ClientID: client, Indication: "depression", StartedOn: start, Revision: c.First(When)}
}

// NewSession makes a dosing session.
func (c *Clinic) NewSession(client uuid.UUID, start time.Time) care.Session {
	return care.Session{ID: NewID(), ClientID: client, Kind: care.Dosing, StartedAt: start, Revision: c.First(When)}
}

// NewAssessment makes a GAD-7 of a total, at follow-up.
func (c *Clinic) NewAssessment(client uuid.UUID, at time.Time, total float64) care.Assessment {
	return care.Assessment{
		ID: NewID(), ClientID: client, Instrument: "gad-7", InstrumentVersion: "1.0.0", Timing: care.AtFollowUp, CompletedAt: at,
		Total: &total, MissingPolicy: instrument.Complete, RecallWindow: "P14D", Mode: care.BySelf,
		Score:    instrument.Score{Instrument: "gad-7", InstrumentVersion: "1.0.0", Rule: "gad-7-sum-1", Total: &total},
		Revision: c.First(When),
	}
}

// NewConsent makes a grant of consent to research.
func (c *Clinic) NewConsent(client uuid.UUID, at time.Time) care.Consent {
	return care.Consent{
		ID: NewID(), ClientID: client, Scope: care.ForResearch, Status: care.Granted, At: at, TextVersion: "2026",
		RecordedAt: at, RecordedBy: c.Who.Actor,
	}
}

// NewCorrection makes an open request for correction.
func (c *Clinic) NewCorrection(client uuid.UUID, at time.Time) care.Correction {
	return care.Correction{
		ID: NewID(), ClientID: client, Target: care.TargetClient, TargetID: &client, Request: "My name is spelt with an e.",
		Status: care.CorrectionOpen, RequestedAt: at, RequestedBy: c.Who.Actor,
	}
}

// NewMembership makes a regular membership of a care team.
func (c *Clinic) NewMembership(client, member uuid.UUID, since time.Time) care.Membership {
	return care.Membership{ClientID: client, Member: member, Kind: care.Assigned, Since: since, AddedBy: c.Who.Actor}
}

// NewProgress makes a row of the read model without any score.
func NewProgress(client uuid.UUID, instrumentID string) care.Progress {
	return care.Progress{ClientID: client, Instrument: instrumentID, Points: 1, Status: "insufficient_data", LastAt: When}
}

// Write runs fn in a transaction that must succeed.
func (c *Clinic) Write(t testing.TB, fn func(ctx context.Context, tx care.Tx) error) {
	t.Helper()
	ctx := context.Background()
	if err := c.DB.Write(ctx, c.Who, func(tx care.Tx) error { return fn(ctx, tx) }); err != nil {
		t.Fatal(err)
	}
}

// Insert stores first versions of new records, in one transaction.
func (c *Clinic) Insert(t testing.TB, records ...any) {
	t.Helper()
	c.Write(t, func(ctx context.Context, tx care.Tx) error {
		for _, r := range records {
			stored, err := c.insert(ctx, tx, r)
			if err != nil {
				return err
			}
			if !stored {
				return errors.New("the id was in use")
			}
		}
		return nil
	})
}

func (c *Clinic) insert(ctx context.Context, tx care.Tx, record any) (bool, error) {
	switch r := record.(type) {
	case care.Client:
		return tx.InsertClient(ctx, c.Who, r)
	case care.Course:
		return tx.InsertCourse(ctx, c.Who, r)
	case care.Session:
		return tx.InsertSession(ctx, c.Who, r)
	case care.Assessment:
		stored, err := tx.InsertAssessments(ctx, c.Who, []care.Assessment{r})
		return stored[r.ID], err
	case care.Consent:
		return tx.InsertConsent(ctx, c.Who, r)
	case care.Correction:
		return tx.InsertCorrection(ctx, c.Who, r)
	case care.Membership:
		return true, tx.PutMembership(ctx, c.Who, r)
	}
	return false, errors.New("not a record")
}

// revise stores the next version of a record.
func (c *Clinic) revise(ctx context.Context, tx care.Tx, record any) error {
	switch r := record.(type) {
	case care.Client:
		return tx.ReviseClient(ctx, c.Who, r)
	case care.Course:
		return tx.ReviseCourse(ctx, c.Who, r)
	case care.Session:
		return tx.ReviseSession(ctx, c.Who, r)
	case care.Assessment:
		return tx.ReviseAssessment(ctx, c.Who, r)
	}
	return errors.New("not a record")
}

// Revise stores the next version of a record.
func (c *Clinic) Revise(t testing.TB, record any) {
	t.Helper()
	c.Write(t, func(ctx context.Context, tx care.Tx) error { return c.revise(ctx, tx, record) })
}

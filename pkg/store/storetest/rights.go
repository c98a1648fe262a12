//go:build unix

package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
)

// microTime is a time as every store keeps it.
func microTime(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

var rights = []promise{
	{"a consent comes back as it was stored, and is stored once", func(t *testing.T, c *Clinic) {
		client := c.NewClient("P-1")
		want := c.NewConsent(client.ID, When)
		c.Insert(t, client, want)
		other := want
		other.Status = care.Withdrawn
		c.Write(t, func(ctx context.Context, tx care.Tx) error {
			inserted, err := tx.InsertConsent(ctx, c.Who, other)
			if inserted {
				t.Error("an id that is in use was stored again")
			}
			return err
		})
		want.At, want.RecordedAt = microTime(want.At), microTime(want.RecordedAt)
		got, err := c.Consent(t.Context(), c.Who, want.ID)
		same(t, want, got, err)
	}},
	{"consents come by time and id, on every page", func(t *testing.T, c *Clinic) {
		client, other := c.NewClient("P-1"), c.NewClient("P-2")
		c.Insert(t, client, other, c.NewConsent(other.ID, When))
		var want []uuid.UUID
		for i := range 6 {
			said := c.NewConsent(client.ID, When.Add(time.Duration(i/2)*time.Microsecond)) // two at a time
			c.Insert(t, said)
			want = append(want, said.ID)
		}
		paged(t, want, func(x care.Consent) uuid.UUID { return x.ID },
			func(x care.Consent) care.Position { return care.Position{Time: x.At, ID: x.ID} },
			func(p care.Page) ([]care.Consent, error) { return c.ConsentList(t.Context(), c.Who, client.ID, p) })
	}},
	{"what many clients have said up to a time costs two statements", func(t *testing.T, c *Clinic) {
		const n = 300
		var ids []uuid.UUID
		var records []any
		for range n {
			client := c.NewClient(NewID().String())
			early, ahead, late := c.NewConsent(client.ID, When), c.NewConsent(client.ID, When.Add(time.Minute)), c.NewConsent(client.ID, When.Add(time.Hour))
			ahead.RecordedAt = When // by a fast clock
			ids, records = append(ids, client.ID), append(records, client, early, ahead, late)
		}
		silent := c.NewClient("P-0")
		c.Insert(t, append(records, silent)...)
		c.Write(t, func(ctx context.Context, tx care.Tx) error {
			c.Statements.Take()
			got, err := tx.Consents(ctx, c.Who, append(ids, silent.ID), When)
			if cost := len(c.Statements.Take()); cost != 2 { // who they are, and what they said
				t.Errorf("%d statements", cost)
			}
			for _, id := range ids {
				if len(got[id]) != 2 {
					t.Fatalf("a client said %d things", len(got[id]))
				}
			}
			if _, found := got[silent.ID]; found || len(got) != n {
				t.Errorf("%d clients said something, among them one who did not: %t", len(got), found)
			}
			return err
		})
	}},
	{"a correction comes back as it was stored, and is decided once", func(t *testing.T, c *Clinic) {
		client := c.NewClient("P-1")
		want := c.NewCorrection(client.ID, When)
		c.Insert(t, client, want)
		want.RequestedAt = microTime(want.RequestedAt)
		got, err := c.Correction(t.Context(), c.Who, want.ID)
		same(t, want, got, err)
		decided := want
		decided.Status, decided.Note, decided.DecidedAt, decided.DecidedBy = care.CorrectionAccepted, "done", new(microTime(When)), &c.Who.Actor
		again := decided
		again.Status = care.CorrectionRefused
		for i, decision := range []care.Correction{decided, again} {
			c.Write(t, func(ctx context.Context, tx care.Tx) error {
				stored, err := tx.DecideCorrection(ctx, c.Who, decision)
				if stored != (i == 0) {
					t.Errorf("decision %d was stored: %t", i+1, stored)
				}
				return err
			})
		}
		got, err = c.Correction(t.Context(), c.Who, want.ID)
		same(t, decided, got, err)
	}},
	{"corrections come by time and id, on every page", func(t *testing.T, c *Clinic) {
		client, other := c.NewClient("P-1"), c.NewClient("P-2")
		c.Insert(t, client, other, c.NewCorrection(other.ID, When))
		var want []uuid.UUID
		for i := range 6 {
			asked := c.NewCorrection(client.ID, When.Add(time.Duration(i/2)*time.Microsecond))
			c.Insert(t, asked)
			want = append(want, asked.ID)
		}
		paged(t, want, func(x care.Correction) uuid.UUID { return x.ID },
			func(x care.Correction) care.Position { return care.Position{Time: x.RequestedAt, ID: x.ID} },
			func(p care.Page) ([]care.Correction, error) { return c.Corrections(t.Context(), c.Who, client.ID, p) })
	}},
	{"a care team keeps who has left, and the note of each access", func(t *testing.T, c *Clinic) {
		client := c.NewClient("P-1")
		since := microTime(When)
		member := c.NewMembership(client.ID, c.Who.Actor, since)
		first, second := member, member
		first.Kind, first.Since, first.Until, first.Reason, first.Note = care.Broken, since.Add(time.Hour), new(since.Add(2*time.Hour)), "other", "the first"
		second.Kind, second.Since, second.Until, second.Reason, second.Note = care.Broken, since.Add(3*time.Hour), new(since.Add(4*time.Hour)), "other", "the second"
		c.Insert(t, client, member, first, second)
		member.Until = new(since.Add(time.Minute))
		c.Insert(t, member) // in place of the one that began then
		got, err := c.Team(t.Context(), c.Who, client.ID)
		same(t, []care.Membership{member, first, second}, got, err)
	}},
	{"who sees assigned clients only sees them until the membership ends", func(t *testing.T, c *Clinic) {
		mine, ended, others := c.NewClient("P-1"), c.NewClient("P-2"), c.NewClient("P-3")
		gone := c.NewMembership(ended.ID, c.Who.Actor, When)
		gone.Until = new(When.Add(time.Hour))
		c.Insert(t, mine, ended, others, c.NewMembership(mine.ID, c.Who.Actor, When), gone, c.NewMembership(others.ID, NewID(), When))
		who := c.Who
		who.Reach = auth.AssignedClients
		for at, want := range map[time.Time]int{When.Add(time.Hour - time.Microsecond): 2, When.Add(time.Hour): 1} {
			who.At = at
			got, err := c.Clients(t.Context(), who, care.Page{Limit: 10})
			if err != nil || len(got) != want {
				t.Errorf("%d clients instead of %d, %v", len(got), want, err)
			}
		}
	}},
	{"a clinic's settings tell what they were", func(t *testing.T, c *Clinic) {
		was, put := care.ClinicSettings{SmallestCell: care.DefaultSmallestCell}, care.ClinicSettings{CareTeams: true, SmallestCell: 11}
		for _, want := range []care.ClinicSettings{was, put} {
			c.Write(t, func(ctx context.Context, tx care.Tx) error {
				before, err := tx.PutClinicSettings(ctx, c.Who, put)
				same(t, want, before, err)
				return nil
			})
		}
		got, err := c.ClinicSettings(t.Context(), c.Who)
		same(t, put, got, err)
	}},
}

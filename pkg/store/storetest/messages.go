//go:build unix

package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/mail"
)

// NewMessage is a reminder to a client.
func NewMessage(client uuid.UUID, due time.Time) mail.Message {
	return mail.Message{ID: NewID(), Client: client, Kind: mail.Reminder, About: NewID(), Link: "https://clinic.test/q/token", Language: "es", Due: due, CreatedAt: When}
}

// take takes all that is due.
func (c *Clinic) take(t *testing.T, now time.Time) []mail.Taken {
	t.Helper()
	taken, err := c.TakeMessages(t.Context(), c.Who.Clinic, now, now.Add(time.Minute), 10)
	if err != nil {
		t.Fatal(err)
	}
	return taken
}

func (c *Clinic) messagesOf(t *testing.T, client uuid.UUID) []mail.Message {
	t.Helper()
	var got []mail.Message
	err := c.Read(t.Context(), c.Who, func(r care.Reader) (err error) {
		got, err = r.Messages(t.Context(), c.Who, client, care.Page{Limit: 10})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

var messages = []promise{
	{"a message is taken when it is due, with what decides on it, and by one at a time", func(t *testing.T, c *Clinic) {
		client := c.NewClient("P-1")
		c.Insert(t, client)
		m := NewMessage(client.ID, When)
		set := care.MessageSettings{ClinicName: "One", By: mail.ByMail, Quiet: mail.Quiet{From: 60, To: 120}, Reminders: []time.Duration{time.Hour}, UpdatedAt: microTime(When)}
		c.Write(t, func(ctx context.Context, tx care.Tx) error {
			if err := tx.PutMessageSettings(ctx, c.Who, set); err != nil {
				return err
			}
			if err := tx.PutContact(ctx, c.Who, care.Contact{ClientID: client.ID, Email: "ana@client.test", UpdatedAt: When}); err != nil {
				return err
			}
			return tx.Post(ctx, c.Who, m, NewMessage(client.ID, When.Add(time.Hour)))
		})
		var got care.MessageSettings
		err := c.Read(t.Context(), c.Who, func(r care.Reader) (err error) {
			got, err = r.MessageSettings(t.Context(), c.Who)
			return err
		})
		same(t, set, got, err)
		if early := c.take(t, When.Add(-time.Second)); len(early) != 0 {
			t.Errorf("%d before their time", len(early))
		}
		taken := c.take(t, When)
		if len(taken) != 1 || taken[0].ID != m.ID || taken[0].Link != m.Link || taken[0].To != "ana@client.test" || taken[0].Clinic != "One" ||
			taken[0].Quiet != set.Quiet || taken[0].Zone.String() != client.Zone().String() || taken[0].OptedOut {
			t.Fatalf("took %+v", taken)
		}
		if again := c.take(t, When.Add(59*time.Second)); len(again) != 0 {
			t.Error("it was taken while another has it")
		}
		later := c.take(t, When.Add(time.Minute))
		if len(later) != 1 {
			t.Fatal("it is not taken again when the lease ends")
		}
		end := mail.Conclusion{At: When, State: mail.Sent, Spent: true}
		if stored, err := c.ConcludeMessage(t.Context(), c.Who.Clinic, taken[0].Message, end); stored || err != nil {
			t.Error("who was overtaken changed it", err)
		}
		if stored, err := c.ConcludeMessage(t.Context(), c.Who.Clinic, later[0].Message, end); !stored || err != nil {
			t.Error(stored, err)
		}
		for _, x := range c.messagesOf(t, client.ID) {
			if x.ID == m.ID && (x.State != mail.Sent || x.Attempts != 1 || x.EndedAt == nil) {
				t.Errorf("it is %+v", x)
			}
		}
	}},
	{"who opts out is sent nothing more, and what is for others goes on", func(t *testing.T, c *Clinic) {
		client, other := c.NewClient("P-1"), c.NewClient("P-2")
		c.Insert(t, client, other)
		c.Write(t, func(ctx context.Context, tx care.Tx) error {
			if err := tx.Post(ctx, c.Who, NewMessage(client.ID, When), NewMessage(other.ID, When)); err != nil {
				return err
			}
			return tx.CancelMessagesTo(ctx, c.Who, client.ID, When)
		})
		if m := c.messagesOf(t, client.ID)[0]; m.State != mail.Cancelled || m.LastError != "opted_out" {
			t.Errorf("it is %+v", m)
		}
		if taken := c.take(t, When); len(taken) != 1 || taken[0].Client != other.ID {
			t.Errorf("took %+v", taken)
		}
	}},
	{"what waits about a thing is cancelled, also while somebody has it in hand", func(t *testing.T, c *Clinic) {
		client := c.NewClient("P-1")
		c.Insert(t, client)
		m := NewMessage(client.ID, When)
		c.Write(t, func(ctx context.Context, tx care.Tx) error { return tx.Post(ctx, c.Who, m) })
		taken := c.take(t, When)[0]
		c.Write(t, func(ctx context.Context, tx care.Tx) error {
			return tx.CancelMessages(ctx, c.Who, m.About, When, "answered")
		})
		again := mail.Conclusion{At: When, State: mail.Queued, Due: When, Spent: true, Error: "busy"}
		if stored, err := c.ConcludeMessage(t.Context(), c.Who.Clinic, taken.Message, again); stored || err != nil {
			t.Error("it waits again", err)
		}
		if got := c.messagesOf(t, client.ID)[0]; got.State != mail.Cancelled || got.LastError != "answered" {
			t.Errorf("it is %+v", got)
		}
	}},
	{"a message is handed over with one event, once", func(t *testing.T, c *Clinic) {
		client := c.NewClient("P-1")
		c.Insert(t, client)
		m := NewMessage(client.ID, When)
		c.Write(t, func(ctx context.Context, tx care.Tx) error { return tx.Post(ctx, c.Who, m) })
		taken := c.take(t, When)[0]
		for _, want := range []bool{true, false} {
			if told, err := c.HandOver(t.Context(), c.Who.Clinic, taken.Message, When, NewID()); told != want || err != nil {
				t.Error(told, err)
			}
		}
		var events []care.Event
		err := c.Read(t.Context(), c.Who, func(r care.Reader) (err error) {
			events, err = r.Events(t.Context(), c.Who, 0, []care.EventType{care.MessageDue}, 10)
			return err
		})
		if err != nil || len(events) != 1 || events[0].Client != client.ID {
			t.Fatal(events, err)
		}
		same(t, map[string]string{"message_id": m.ID.String(), "invitation_id": m.About.String(), "kind": "reminder"}, events[0].Data, nil)
	}},
}

package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/mail"
	"github.com/protrack/protrack/pkg/seal"
)

var _ mail.Outbox = (*DB)(nil)

type messageRow struct {
	ClinicID  uuid.UUID
	ID        uuid.UUID
	ClientID  *uuid.UUID
	AccountID *uuid.UUID
	Kind      string
	About     uuid.UUID
	Link      string
	Language  string
	State     string
	Attempts  int
	Fence     int64
	DueAt     instant
	LastError string
	CreatedAt instant
	EndedAt   *instant
}

// linkOf is the place of a message's link.
func linkOf(clinic, message uuid.UUID) seal.Place {
	return seal.Place{Clinic: clinic, Column: "messages.link", Row: message}
}

// messageFromRow leaves the link where it is.
func messageFromRow(r messageRow) mail.Message {
	return mail.Message{
		ID: r.ID, Client: idOf(r.ClientID), Account: idOf(r.AccountID), Kind: mail.Kind(r.Kind), About: r.About, Language: r.Language,
		Due: r.DueAt.Time, State: mail.State(r.State), Attempts: r.Attempts, LastError: r.LastError,
		CreatedAt: r.CreatedAt.Time, EndedAt: timePtr(r.EndedAt), Fence: r.Fence,
	}
}

func (d *DB) rowFromMessage(clinic uuid.UUID, m mail.Message) (messageRow, error) {
	link, err := d.keys.Seal(string(m.Link), linkOf(clinic, m.ID))
	if err != nil {
		return messageRow{}, fmt.Errorf("store a message's link: %w", err)
	}
	r := messageRow{
		ClinicID: clinic, ID: m.ID, Kind: string(m.Kind), About: m.About, Link: link, Language: m.Language, State: string(mail.Queued),
		DueAt: at(m.Due), CreatedAt: at(m.CreatedAt),
	}
	if m.Client != uuid.Nil {
		r.ClientID = &m.Client
	}
	if m.Account != uuid.Nil {
		r.AccountID = &m.Account
	}
	return r, nil
}

// Messages lists a page of a client's messages.
func (d *DB) Messages(ctx context.Context, who auth.Principal, client uuid.UUID, page care.Page) ([]mail.Message, error) {
	query, _ := d.ofPeople(ctx, who, "messages", client)
	if page.After.ID != uuid.Nil {
		query = query.Where("id < ?", page.After.ID)
	}
	rows, err := all[messageRow](query.Order("id DESC").Limit(page.Limit), "messages")
	return convert(rows, messageFromRow), err
}

// Post stores messages that are to be sent.
func (d *DB) Post(ctx context.Context, who auth.Principal, messages ...mail.Message) error {
	rows := make([]messageRow, len(messages))
	for i, m := range messages {
		var err error
		if rows[i], err = d.rowFromMessage(who.Clinic, m); err != nil {
			return err
		}
	}
	if len(rows) == 0 {
		return nil
	}
	if err := d.inserting(ctx, who, "messages").CreateInBatches(&rows, chunk).Error; err != nil {
		return fmt.Errorf("insert messages: %w", err)
	}
	return nil
}

// ended is what a message becomes that is not sent any more.
func ended(state mail.State, when time.Time, why string) map[string]any {
	return map[string]any{"state": string(state), "ended_at": at(when), "last_error": why, "link": ""}
}

// CancelMessages ends what is queued about a thing.
func (d *DB) CancelMessages(ctx context.Context, who auth.Principal, about uuid.UUID, when time.Time, why string) error {
	err := d.writing(ctx, who, "messages").Where("about = ? AND state = 'queued'", about).Updates(ended(mail.Cancelled, when, why)).Error
	if err != nil {
		return fmt.Errorf("cancel messages: %w", err)
	}
	return nil
}

// CancelMessagesTo ends what is queued for a client; what is for others about
// them goes on.
func (d *DB) CancelMessagesTo(ctx context.Context, who auth.Principal, client uuid.UUID, when time.Time) error {
	d.change()
	query, _ := d.on(d.write).ofPeople(ctx, who, "messages", client)
	if err := query.Where("account_id IS NULL AND state = 'queued'").Updates(ended(mail.Cancelled, when, "opted_out")).Error; err != nil {
		return fmt.Errorf("cancel messages: %w", err)
	}
	return nil
}

// dueMessages finds messages that can be sent.
func (d *DB) dueMessages(ctx context.Context, who auth.Principal, now time.Time, limit int) ([]messageRow, error) {
	query := d.within(ctx, who, "messages", "d").Where("d.state = 'queued' AND d.due_at <= ?", at(now))
	return all[messageRow](d.dialect.take(query.Order("d.due_at, d.id").Limit(limit)), "messages")
}

// TakeMessages gives messages that are due. What another server takes at the
// same time is passed over.
func (d *DB) TakeMessages(ctx context.Context, clinic uuid.UUID, now, lease time.Time, limit int) (taken []mail.Taken, err error) {
	who := auth.System(clinic)
	if since, _, err := d.OverdueMessages(ctx, clinic, now); err != nil || since == nil {
		return nil, err // without the writer, as nearly always
	}
	err = d.enter(ctx, clinic, nil, func(tx *DB) error {
		taken = nil
		rows, err := tx.dueMessages(ctx, who, now, limit)
		if err != nil || len(rows) == 0 {
			return err
		}
		ids := convert(rows, func(r messageRow) uuid.UUID { return r.ID })
		err = tx.writing(ctx, who, "messages").Where("id IN ?", ids).
			Updates(map[string]any{"due_at": at(lease), "fence": gorm.Expr("fence + 1")}).Error
		if err != nil {
			return fmt.Errorf("take messages: %w", err)
		}
		taken, err = tx.addressed(ctx, who, rows)
		return err
	})
	return taken, err
}

// addressed reads what decides on messages that were taken.
func (d *DB) addressed(ctx context.Context, who auth.Principal, rows []messageRow) ([]mail.Taken, error) {
	set, err := d.MessageSettings(ctx, who)
	if err != nil {
		return nil, err
	}
	var clients, accounts []uuid.UUID
	for _, r := range rows {
		if r.AccountID != nil {
			accounts = append(accounts, *r.AccountID)
		} else {
			clients = append(clients, idOf(r.ClientID))
		}
	}
	people, err := d.ClientsOf(ctx, who, clients)
	if err != nil {
		return nil, err
	}
	contacts, err := d.contacts(ctx, who, clients)
	if err != nil {
		return nil, err
	}
	staff, err := all[accountRow](d.of(ctx, who, "accounts").Where("id IN ? AND disabled_at IS NULL", accounts), "accounts")
	if err != nil {
		return nil, err
	}
	emails := make(map[uuid.UUID]string, len(staff))
	for _, a := range staff {
		emails[a.ID] = a.Email
	}
	out := make([]mail.Taken, len(rows))
	for i, r := range rows {
		link, err := d.keys.Open(r.Link, linkOf(r.ClinicID, r.ID))
		if err != nil {
			return nil, fmt.Errorf("read a message's link: %w", err)
		}
		m := messageFromRow(r)
		m.Link, m.Fence = mail.Address(link), m.Fence+1
		out[i] = mail.Taken{Message: m, Quiet: set.Quiet, By: set.By, Clinic: set.ClinicName, Zone: people[m.Client].Zone()}
		if r.AccountID != nil {
			out[i].To = mail.Address(emails[m.Account])
			continue
		}
		out[i].To, out[i].OptedOut = contacts[m.Client].Email, contacts[m.Client].OptedOut
	}
	return out, nil
}

// ConcludeMessage stores what became of a message.
func (d *DB) ConcludeMessage(ctx context.Context, clinic uuid.UUID, m mail.Message, c mail.Conclusion) (bool, error) {
	set := map[string]any{"due_at": at(c.Due), "last_error": c.Error}
	if c.State != mail.Queued {
		set = ended(c.State, c.At, c.Error)
	}
	if c.Spent {
		set["attempts"] = m.Attempts + 1
	}
	return d.conclude(ctx, clinic, m, set, nil)
}

// HandOver tells the clinic's own messaging of a message, once.
func (d *DB) HandOver(ctx context.Context, clinic uuid.UUID, m mail.Message, when time.Time, event uuid.UUID) (bool, error) {
	e := care.Event{ID: event, Type: care.MessageDue, At: when, Client: m.Client, Data: map[string]string{
		"message_id": m.ID.String(), "invitation_id": m.About.String(), "kind": string(m.Kind),
	}}
	return d.conclude(ctx, clinic, m, ended(mail.Sent, when, ""), &e)
}

// conclude changes a message that nobody has taken since, and tells of it.
func (d *DB) conclude(ctx context.Context, clinic uuid.UUID, m mail.Message, set map[string]any, tell *care.Event) (bool, error) {
	who := auth.System(clinic)
	err := d.enter(ctx, clinic, nil, func(tx *DB) error {
		done := tx.writing(ctx, who, "messages").Where("id = ? AND fence = ? AND state = 'queued'", m.ID, m.Fence).Updates(set)
		if done.Error != nil || done.RowsAffected == 0 {
			return errors.Join(done.Error, errOvertaken)
		}
		if tell != nil {
			tx.Emit(*tell)
		}
		return tx.storeEvents(ctx, clinic)
	})
	if errors.Is(err, errOvertaken) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("conclude a message: %w", err)
	}
	return true, nil
}

// OverdueMessages looks at what is queued.
func (d *DB) OverdueMessages(ctx context.Context, clinic uuid.UUID, now time.Time) (since *time.Time, queued int, err error) {
	who := auth.System(clinic)
	err = d.inClinic(ctx, clinic, func(tx *DB) error {
		var n int64
		if err := tx.of(ctx, who, "messages").Where("state = 'queued'").Count(&n).Error; err != nil {
			return fmt.Errorf("count messages: %w", err)
		}
		free := *tx
		free.dialect.take = sqliteDialect.take // which locks nothing: a snapshot may not
		rows, err := free.dueMessages(ctx, who, now, 1)
		if queued = int(n); len(rows) > 0 {
			since = &rows[0].DueAt.Time
		}
		return err
	})
	return since, queued, err
}

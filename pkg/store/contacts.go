package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/mail"
	"github.com/protrack/protrack/pkg/seal"
)

type contactRow struct {
	ClinicID  uuid.UUID
	ClientID  uuid.UUID
	Email     string
	OptedOut  bool
	UpdatedAt instant
	UpdatedBy uuid.UUID
}

// emailOf is the place of a client's address.
func emailOf(clinic, client uuid.UUID) seal.Place {
	return seal.Place{Clinic: clinic, Column: "contacts.email", Row: client}
}

// contact opens what a query found.
func (d *DB) contact(r contactRow) (care.Contact, error) {
	email, err := d.keys.Open(r.Email, emailOf(r.ClinicID, r.ClientID))
	if err != nil {
		return care.Contact{}, fmt.Errorf("read a client's address: %w", err)
	}
	return care.Contact{ClientID: r.ClientID, Email: mail.Address(email), OptedOut: r.OptedOut, UpdatedAt: r.UpdatedAt.Time, UpdatedBy: r.UpdatedBy}, nil
}

func (d *DB) rowFromContact(clinic uuid.UUID, c care.Contact) (contactRow, error) {
	email, err := d.keys.Seal(string(c.Email), emailOf(clinic, c.ClientID))
	if err != nil {
		return contactRow{}, fmt.Errorf("store a client's address: %w", err)
	}
	return contactRow{ClinicID: clinic, ClientID: c.ClientID, Email: email, OptedOut: c.OptedOut, UpdatedAt: at(c.UpdatedAt), UpdatedBy: c.UpdatedBy}, nil
}

// Contact reads where a client reads mail.
func (d *DB) Contact(ctx context.Context, who auth.Principal, client uuid.UUID) (care.Contact, error) {
	found, err := d.contacts(ctx, who, []uuid.UUID{client})
	c := found[client]
	c.ClientID = client
	return c, err
}

// contacts reads those of several clients. What was said last of any record of
// the person holds, but who opted out under one of them has opted out.
func (d *DB) contacts(ctx context.Context, who auth.Principal, clients []uuid.UUID) (map[uuid.UUID]care.Contact, error) {
	out := make(map[uuid.UUID]care.Contact, len(clients))
	if len(clients) == 0 {
		return out, nil
	}
	query, same := d.ofPeople(ctx, who, "contacts", clients...)
	rows, err := all[contactRow](query.Order("updated_at, client_id"), "contacts")
	if err != nil {
		return nil, err
	}
	byPerson := map[uuid.UUID]care.Contact{}
	for _, r := range rows {
		c, err := d.contact(r)
		if err != nil {
			return nil, err
		}
		person := same.person(r.ClientID)
		c.OptedOut = c.OptedOut || byPerson[person].OptedOut
		if c.Email == "" && byPerson[person].UpdatedAt.Before(c.UpdatedAt) && byPerson[person].ClientID != person {
			c.Email = byPerson[person].Email
		}
		byPerson[person] = c
	}
	for _, client := range clients {
		if c, said := byPerson[same.person(client)]; said {
			c.ClientID = client
			out[client] = c
		}
	}
	return out, nil
}

// PutContact replaces what is known of all records of the person, so that it
// still holds for each where a merge is undone.
func (d *DB) PutContact(ctx context.Context, who auth.Principal, c care.Contact) error {
	same, err := d.peopleOf(ctx, who, c.ClientID)
	if err != nil {
		return err
	}
	if _, err := same.standing(c.ClientID); err != nil {
		return err
	}
	var rows []contactRow
	for _, id := range same.ids() {
		if same[id].ErasedAt != nil {
			continue
		}
		c.ClientID = id
		row, err := d.rowFromContact(who.Clinic, c)
		if err != nil {
			return err
		}
		rows = append(rows, row)
	}
	if err := d.writing(ctx, who, "contacts").Where("client_id IN ?", same.ids()).Delete(&contactRow{}).Error; err != nil {
		return fmt.Errorf("replace a contact: %w", err)
	}
	if err := d.inserting(ctx, who, "contacts").Create(&rows).Error; err != nil {
		return fmt.Errorf("insert contacts: %w", err)
	}
	return nil
}

type messageSettingsRow struct {
	ClinicID   uuid.UUID
	ClinicName string
	SentBy     string
	QuietFrom  int
	QuietTo    int
	Reminders  document[[]int]
	UpdatedAt  instant
}

// MessageSettings reads what the clinic has chosen for its messages.
func (d *DB) MessageSettings(ctx context.Context, who auth.Principal) (care.MessageSettings, error) {
	rows, err := all[messageSettingsRow](d.of(ctx, who, "message_settings"), "message settings")
	if err != nil || len(rows) == 0 {
		return care.DefaultMessageSettings(), err
	}
	r := rows[0]
	return care.MessageSettings{
		ClinicName: r.ClinicName, By: mail.Way(r.SentBy), Quiet: mail.Quiet{From: r.QuietFrom, To: r.QuietTo},
		Reminders: convert(r.Reminders.V, func(m int) time.Duration { return time.Duration(m) * time.Minute }), UpdatedAt: r.UpdatedAt.Time,
	}, nil
}

// PutMessageSettings replaces what the clinic has chosen for its messages.
func (d *DB) PutMessageSettings(ctx context.Context, who auth.Principal, set care.MessageSettings) error {
	if err := d.holdClinic(ctx, who); err != nil {
		return err
	}
	err := d.writing(ctx, who, "message_settings").Where("true").Delete(&messageSettingsRow{}).Error
	if err == nil {
		err = d.inserting(ctx, who, "message_settings").Create(&messageSettingsRow{
			ClinicID: who.Clinic, ClinicName: set.ClinicName, SentBy: string(set.By), QuietFrom: set.Quiet.From, QuietTo: set.Quiet.To,
			Reminders: document[[]int]{convert(set.Reminders, func(r time.Duration) int { return int(r / time.Minute) })}, UpdatedAt: at(set.UpdatedAt),
		}).Error
	}
	if err != nil {
		return fmt.Errorf("store message settings: %w", err)
	}
	return nil
}

// resealMessages goes through all addresses of clients and all links that wait.
func (d *DB) resealMessages(ctx context.Context, who auth.Principal, to *seal.Keys) (changed int, err error) {
	contacts, err := all[contactRow](d.of(ctx, who, "contacts").Where("email <> ''").Order("client_id"), "contacts")
	if err != nil {
		return 0, err
	}
	queued, err := all[messageRow](d.of(ctx, who, "messages").Where("link <> ''").Order("id"), "messages")
	if err != nil {
		return 0, err
	}
	again := func(table, key, column, stored string, id uuid.UUID, place seal.Place) error {
		text, err := d.keys.Open(stored, place)
		if err != nil {
			return fmt.Errorf("read %s of %s: %w", column, table, err)
		}
		sealed, err := to.Seal(text, place)
		if err != nil || sealed == stored {
			return err
		}
		changed++
		return d.writing(ctx, who, table).Where(key+" = ?", id).Update(column, sealed).Error
	}
	for _, r := range contacts {
		if err := again("contacts", "client_id", "email", r.Email, r.ClientID, emailOf(r.ClinicID, r.ClientID)); err != nil {
			return 0, err
		}
	}
	for _, r := range queued {
		if err := again("messages", "id", "link", r.Link, r.ID, linkOf(r.ClinicID, r.ID)); err != nil {
			return 0, err
		}
	}
	return changed, nil
}

// messageUses counts addresses and links by the key that sealed them.
func (d *DB) messageUses(ctx context.Context, who auth.Principal, byKey map[uint32]FieldUse) error {
	contacts, err := all[contactRow](d.of(ctx, who, "contacts").Where("email <> ''"), "contacts")
	if err != nil {
		return err
	}
	queued, err := all[messageRow](d.of(ctx, who, "messages").Where("link <> ''"), "messages")
	count := func(stored string, place seal.Place) {
		key, _ := seal.KeyOf(stored)
		use := byKey[key]
		use.Messages++
		if use.Messages == 1 { // one tells whether the key is there
			use.samples = append(use.samples, sample{stored, place})
		}
		byKey[key] = use
	}
	for _, r := range contacts {
		count(r.Email, emailOf(r.ClinicID, r.ClientID))
	}
	for _, r := range queued {
		count(r.Link, linkOf(r.ClinicID, r.ID))
	}
	return err
}

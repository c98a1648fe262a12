package care

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/mail"
	"github.com/protrack/protrack/pkg/seal"
)

// Contact is where a client reads mail, and whether they want any. It is no
// part of the record's versions: what it was before is kept nowhere.
type Contact struct {
	ClientID  uuid.UUID
	Email     mail.Address // empty: none is known
	OptedOut  bool         // no message is sent
	UpdatedAt time.Time    // zero: nothing was said
	UpdatedBy uuid.UUID
}

func (c Contact) fields() []audit.Field {
	return []audit.Field{
		{Name: "email", Value: string(c.Email), Private: true},
		{Name: "opted_out", Value: strconv.FormatBool(c.OptedOut)},
	}
}

// MessageSettings are what a clinic has chosen for its messages to clients.
type MessageSettings struct {
	ClinicName string // as letters are signed; may be empty
	By         mail.Way
	Quiet      mail.Quiet      // on the client's clock
	Reminders  []time.Duration // after the invitation, whole minutes
	UpdatedAt  time.Time       // zero: these are the defaults
}

// DefaultMessageSettings hold until the clinic chooses: a day and two days after
// the invitation, and none at night. Project decisions.
func DefaultMessageSettings() MessageSettings {
	return MessageSettings{By: mail.ByMail, Quiet: mail.DefaultQuiet(), Reminders: []time.Duration{24 * time.Hour, 48 * time.Hour}}
}

func (m MessageSettings) fields() []audit.Field {
	var reminders []string
	for _, r := range m.Reminders {
		reminders = append(reminders, r.String())
	}
	return []audit.Field{
		{Name: "clinic_name", Value: m.ClinicName},
		{Name: "by", Value: string(m.By)},
		{Name: "quiet_from", Value: mail.Clock(m.Quiet.From)},
		{Name: "quiet_to", Value: mail.Clock(m.Quiet.To)},
		{Name: "reminders", Value: strings.Join(reminders, " ")},
	}
}

const (
	mostReminders    = 5
	longestReminder  = 30 * 24 * time.Hour // no link lives for longer
	longestClinic    = 80                  // characters of the name that signs
	shortestReminder = time.Hour
)

func (m MessageSettings) check() faults {
	var f faults
	if !slices.Contains(mail.Ways(), m.By) {
		f.add("/by", "unknown_way", "Messages are sent by mail, webhook or none.")
	}
	if !m.Quiet.Valid() {
		f.add("/quiet_from", "out_of_range", "Quiet hours are times of day such as 21:00.")
	}
	if len([]rune(m.ClinicName)) > longestClinic || strings.ContainsFunc(m.ClinicName, unicode.IsControl) {
		f.add("/clinic_name", "out_of_range", fmt.Sprintf("The name of the clinic is one line of at most %d characters.", longestClinic))
	}
	if len(m.Reminders) > mostReminders {
		f.add("/reminders", "too_many", fmt.Sprintf("There are at most %d reminders.", mostReminders))
	}
	for i, r := range m.Reminders {
		if r < shortestReminder || r > longestReminder || r%time.Minute != 0 {
			f.add("/reminders/"+strconv.Itoa(i), "out_of_range", "A reminder comes an hour to thirty days after the invitation.")
		}
	}
	return f
}

// CheckContact lists what is wrong with a contact.
func CheckContact(c Contact) []fault.Detail {
	var f faults
	if seal.Sealed(string(c.Email)) {
		f.add("/email", "reserved", "Texts that begin with "+seal.Prefix+" are reserved.")
	} else if _, err := mail.ParseAddress(string(c.Email)); err != nil && c.Email != "" {
		f.add("/email", "malformed", "An address of mail is written as ana@example.org.")
	}
	return f
}

// Contact tells where a client reads mail.
func (s *Service) Contact(ctx context.Context, who auth.Principal, client uuid.UUID) (Contact, error) {
	if err := s.require(ctx, who, auth.ReadClients); err != nil {
		return Contact{}, err
	}
	return read(ctx, s, who, func(r Reader) (Contact, error) {
		if _, err := r.Client(ctx, who, client); err != nil {
			return Contact{}, err
		}
		r.Note(s.did(who, "contact.read", "client", client, client))
		return r.Contact(ctx, who, client)
	})
}

// PutContact replaces where a client reads mail. Who opts out gets nothing any
// more: what waits is cancelled with it.
func (s *Service) PutContact(ctx context.Context, who auth.Principal, c Contact) (Contact, error) {
	if err := s.require(ctx, who, auth.WriteClients); err != nil {
		return Contact{}, err
	}
	if err := fault.InvalidIf(CheckContact(c)); err != nil {
		return Contact{}, err
	}
	err := s.Store.Write(ctx, who, func(tx Tx) error {
		if err := tx.LockClients(ctx, who, []uuid.UUID{c.ClientID}); err != nil {
			return err
		}
		before, err := tx.Contact(ctx, who, c.ClientID)
		if err != nil {
			return err
		}
		c.UpdatedAt, c.UpdatedBy = stamp(s.Now()), who.Actor
		tx.Note(s.did(who, "contact.update", "client", c.ClientID, c.ClientID, audit.Diff(before.fields(), c.fields())...))
		if err := tx.PutContact(ctx, who, c); err != nil || !c.OptedOut {
			return err
		}
		return tx.CancelMessagesTo(ctx, who, c.ClientID, c.UpdatedAt)
	})
	if err != nil {
		return Contact{}, err
	}
	return c, nil
}

// MessageSettings returns what the clinic has chosen for its messages.
func (s *Service) MessageSettings(ctx context.Context, who auth.Principal) (MessageSettings, error) {
	if err := s.require(ctx, who, auth.ReadSettings); err != nil {
		return MessageSettings{}, err
	}
	return read(ctx, s, who, func(r Reader) (MessageSettings, error) { return r.MessageSettings(ctx, who) })
}

// ChooseMessageSettings stores what the clinic chooses. Quiet hours and the way
// hold for what waits already; reminders for the invitations to come.
func (s *Service) ChooseMessageSettings(ctx context.Context, who auth.Principal, set MessageSettings) (MessageSettings, error) {
	if err := s.require(ctx, who, auth.WriteSettings); err != nil {
		return MessageSettings{}, err
	}
	if err := set.check().err(); err != nil {
		return MessageSettings{}, err
	}
	err := s.Store.Write(ctx, who, func(tx Tx) error {
		before, err := tx.MessageSettings(ctx, who)
		if err != nil {
			return err
		}
		set.UpdatedAt = stamp(s.Now())
		e := s.entry(who.Did("messages.choose", "clinic", who.Clinic))
		e.Details.Changes = audit.Diff(before.fields(), set.fields())
		tx.Note(e)
		return tx.PutMessageSettings(ctx, who, set)
	})
	if err != nil {
		return MessageSettings{}, err
	}
	return set, nil
}

// Messages lists a client's messages, the newest first, without links.
func (s *Service) Messages(ctx context.Context, who auth.Principal, client uuid.UUID, page Page) ([]mail.Message, error) {
	if err := s.require(ctx, who, auth.ReadClients); err != nil {
		return nil, err
	}
	return read(ctx, s, who, func(r Reader) ([]mail.Message, error) {
		if _, err := r.Client(ctx, who, client); err != nil {
			return nil, err
		}
		r.Note(s.did(who, "message.list", "client", client, client))
		return r.Messages(ctx, who, client, page)
	})
}

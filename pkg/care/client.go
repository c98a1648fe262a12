package care

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/instrument"
	"github.com/protrack/protrack/pkg/seal"
)

// Client is a person in treatment.
type Client struct {
	ID          uuid.UUID
	Reference   Private // the clinic's own number or code; unique in the clinic
	DisplayName Private // may be empty
	BirthYear   *int
	Sex         instrument.Sex // may be empty: not known
	TimeZone    string         // IANA name, for example America/Denver; may be empty
	Revision

	// What has become of the record. It is not part of its content.
	MergedInto *uuid.UUID // the client whose duplicate this is; nil: none
	ErasedAt   *time.Time // told where clients are locked; any other reading answers Gone
}

// Zone is the client's time zone, in which their days begin; UTC where none is
// known.
func (c Client) Zone() *time.Location {
	if zone, err := time.LoadLocation(c.TimeZone); err == nil && c.TimeZone != "Local" {
		return zone
	}
	return time.UTC
}

// DaysSince counts the days of the calendar in the client's zone from one time
// to another: 0 is the same day.
func (c Client) DaysSince(from, to time.Time) int { return daysBetween(from, to, c.Zone()) }

func (c Client) withRevision(r Revision) Client {
	c.Revision, c.MergedInto, c.ErasedAt = r, nil, nil
	return c
}

// Standing is what has become of a client's record: whose duplicate it is, and
// whether it was erased.
type Standing struct {
	ID         uuid.UUID
	MergedInto *uuid.UUID
	ErasedAt   *time.Time
}

// Person is the id of the record that stands for the person.
func (s Standing) Person() uuid.UUID {
	if s.MergedInto != nil {
		return *s.MergedInto
	}
	return s.ID
}

// fields are what the audit trail may tell of a change: who a client is, it
// tells nobody.
func (c Client) fields() []audit.Field {
	return []audit.Field{
		{Name: "reference", Value: string(c.Reference), Private: true},
		{Name: "display_name", Value: string(c.DisplayName), Private: true},
		{Name: "birth_year", Value: number(c.BirthYear), Private: true},
		{Name: "sex", Value: string(c.Sex), Private: true},
		{Name: "time_zone", Value: c.TimeZone, Private: true},
	}
}

// earliestBirthYear is older than anybody alive.
const earliestBirthYear = 1900

// CheckClient lists what is wrong with a client that can be known without
// the record, so that a caller can report it with faults of shape.
func (s *Service) CheckClient(c Client) []fault.Detail { return c.check(s.Now()) }

func (c Client) check(now time.Time) faults {
	var f faults
	if strings.TrimSpace(string(c.Reference)) == "" {
		f.add("/reference", "required", "A reference is needed.")
	}
	f.addIfSealed("/reference", c.Reference)
	f.addIfSealed("/display_name", c.DisplayName)
	if c.BirthYear != nil && (*c.BirthYear < earliestBirthYear || *c.BirthYear > now.Year()) {
		f.add("/birth_year", "out_of_range", "The year of birth lies between 1900 and this year.")
	}
	if !slices.Contains([]instrument.Sex{"", instrument.Female, instrument.Male, instrument.Other, instrument.Unknown}, c.Sex) {
		f.add("/sex", "unknown_sex", "The sex is female, male, other or unknown, or is left out.")
	}
	if c.TimeZone != "" {
		// "Local" would mean the server's own zone.
		if _, err := time.LoadLocation(c.TimeZone); err != nil || c.TimeZone == "Local" {
			f.add("/time_zone", "unknown_time_zone", "The time zone is an IANA name such as America/Denver.")
		}
	}
	return f
}

// addIfSealed refuses a text that would be taken for an encrypted one.
func (f *faults) addIfSealed(pointer string, text Private) {
	if seal.Sealed(string(text)) {
		f.add(pointer, "reserved", "Texts that begin with "+seal.Prefix+" are reserved.")
	}
}

var errReferenceTaken = fault.New(fault.Conflict, "Another client of this clinic has this reference.",
	fault.Detail{Pointer: "/reference", Code: "reference_taken", Message: "References are unique in the clinic."})

// CreateClient stores a client. Where c.ID is in use, the same content is
// answered Known and other content refused as a Conflict.
func (s *Service) CreateClient(ctx context.Context, who auth.Principal, c Client) (Client, Outcome, error) {
	if err := s.require(ctx, who, auth.WriteClients); err != nil {
		return Client{}, Refused, err
	}
	if err := c.check(s.Now()).err(); err != nil {
		return Client{}, Refused, err
	}
	if c.ID == uuid.Nil {
		c.ID = s.NewID()
	}
	created := false
	err := s.Store.Write(ctx, who, func(tx Tx) (err error) {
		c.Revision = s.next(who, Revision{})
		if created, err = tx.InsertClient(ctx, who, c); err != nil || !created {
			return err
		}
		tx.Note(s.did(who, "client.create", "client", c.ID, c.ID, audit.Diff(nil, c.fields())...))
		tx.Emit(s.happened(ClientRecorded, c.ID, nil))
		return s.joinTeam(ctx, who, tx, c.ID)
	})
	if fault.Is(err, fault.Conflict) {
		err = errReferenceTaken
	}
	if err != nil {
		return Client{}, Refused, err
	}
	if created {
		return c, Created, nil
	}
	return settled(ctx, s, who, c, func(r Reader) (Client, Client, error) {
		r.Note(s.did(who, "client.read", "client", c.ID, c.ID))
		return r.ClientHistory(ctx, who, c.ID)
	})
}

// Client returns a client of the clinic.
func (s *Service) Client(ctx context.Context, who auth.Principal, id uuid.UUID) (Client, error) {
	if err := s.require(ctx, who, auth.ReadClients); err != nil {
		return Client{}, err
	}
	return read(ctx, s, who, func(r Reader) (Client, error) {
		r.Note(s.did(who, "client.read", "client", id, id))
		return r.Client(ctx, who, id)
	})
}

// Clients lists the clinic's clients by reference.
func (s *Service) Clients(ctx context.Context, who auth.Principal, page Page) ([]Client, error) {
	if err := s.require(ctx, who, auth.ReadClients); err != nil {
		return nil, err
	}
	return read(ctx, s, who, func(r Reader) ([]Client, error) {
		clients, err := r.Clients(ctx, who, page)
		r.Note(s.saw(who, "client.list", idsOf(clients, func(c Client) uuid.UUID { return c.ID })))
		return clients, err
	})
}

// idsOf gives the ids of things.
func idsOf[T any](things []T, id func(T) uuid.UUID) []uuid.UUID {
	out := make([]uuid.UUID, len(things))
	for i, t := range things {
		out[i] = id(t)
	}
	return out
}

func number(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}

// UpdateClient replaces the content of a client whose current version is
// expected; Stale if it is another.
func (s *Service) UpdateClient(ctx context.Context, who auth.Principal, c Client, expected int) (Client, error) {
	if err := s.require(ctx, who, auth.WriteClients); err != nil {
		return Client{}, err
	}
	if err := c.check(s.Now()).err(); err != nil {
		return Client{}, err
	}
	err := s.Store.Write(ctx, who, func(tx Tx) error {
		if err := tx.LockClients(ctx, who, []uuid.UUID{c.ID}); err != nil {
			return err
		}
		current, err := tx.Client(ctx, who, c.ID)
		if err != nil {
			return err
		}
		if err := checkVersion(current.Revision, expected); err != nil {
			return err
		}
		c.Revision, c.MergedInto = s.next(who, current.Revision), current.MergedInto
		tx.Note(s.did(who, "client.update", "client", c.ID, c.ID, audit.Diff(current.fields(), c.fields())...))
		tx.Emit(s.happened(ClientChanged, c.ID, nil))
		return tx.ReviseClient(ctx, who, c)
	})
	if fault.Is(err, fault.Conflict) {
		err = errReferenceTaken
	}
	if err != nil {
		return Client{}, err
	}
	return c, nil
}

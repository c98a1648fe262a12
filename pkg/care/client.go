package care

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/instrument"
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
}

func (c Client) withRevision(r Revision) Client { c.Revision = r; return c }

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
	c.Revision = s.next(who, Revision{})
	created := false
	err := s.Store.Write(ctx, who, func(tx Tx) (err error) {
		created, err = tx.InsertClient(ctx, who, c)
		return err
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
	current, original, err := s.Store.ClientHistory(ctx, who, c.ID)
	if err != nil {
		return Client{}, Refused, err
	}
	return settle(current, original, c)
}

// Client returns a client of the clinic.
func (s *Service) Client(ctx context.Context, who auth.Principal, id uuid.UUID) (Client, error) {
	if err := s.require(ctx, who, auth.ReadClients); err != nil {
		return Client{}, err
	}
	return s.Store.Client(ctx, who, id)
}

// Clients lists the clinic's clients by reference.
func (s *Service) Clients(ctx context.Context, who auth.Principal, page Page) ([]Client, error) {
	if err := s.require(ctx, who, auth.ReadClients); err != nil {
		return nil, err
	}
	return s.Store.Clients(ctx, who, page)
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
		c.Revision = s.next(who, current.Revision)
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

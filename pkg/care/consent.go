package care

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
)

// ConsentScope is what a client agrees to, or not.
type ConsentScope string

// The scopes.
const (
	ForCare        ConsentScope = "care"         // to be treated and have a record of it
	ForResearch    ConsentScope = "research"     // that the record serves research
	ForContact     ConsentScope = "contact"      // to be written to and called
	ForDataSharing ConsentScope = "data_sharing" // that others are given the record
)

// ConsentScopes lists every scope.
func ConsentScopes() []ConsentScope {
	return []ConsentScope{ForCare, ForResearch, ForContact, ForDataSharing}
}

// ConsentStatus is what a client said.
type ConsentStatus string

// The statuses.
const (
	Granted   ConsentStatus = "granted"
	Withdrawn ConsentStatus = "withdrawn"
)

// Consent is what a client said once about one scope. It is stored once and
// never changes: who thinks otherwise later says so in another.
type Consent struct {
	ID          uuid.UUID
	ClientID    uuid.UUID
	Scope       ConsentScope
	Status      ConsentStatus
	At          time.Time // when the client said it
	TextVersion string    // of the text that was put to the client; may be empty
	RecordedAt  time.Time
	RecordedBy  uuid.UUID
}

func (c Consent) withRevision(r Revision) Consent {
	c.RecordedAt, c.RecordedBy = r.RecordedAt, r.RecordedBy
	return c
}

// fields are what the audit trail may tell of a consent.
func (c Consent) fields() []audit.Field {
	return []audit.Field{
		{Name: "scope", Value: string(c.Scope)},
		{Name: "status", Value: string(c.Status)},
		{Name: "at", Value: c.At.Format(time.RFC3339Nano)},
		{Name: "text_version", Value: c.TextVersion, Private: true}, // a text from outside
	}
}

// counts is from when on a consent counts: what a fast clock dates ahead
// counts from when it was recorded.
func (c Consent) counts() time.Time {
	if c.RecordedAt.Before(c.At) {
		return c.RecordedAt
	}
	return c.At
}

// overrules reports whether c stands rather than other, of the same scope. Of
// two that cannot be told apart in time, the one that allows less.
func (c Consent) overrules(other Consent) bool {
	if d := c.counts().Compare(other.counts()); d != 0 {
		return d > 0
	}
	if d := c.RecordedAt.Compare(other.RecordedAt); d != 0 {
		return d > 0
	}
	return c.Status == Withdrawn
}

// Consents are what one client said, in any order.
type Consents []Consent

// Standing gives what stood for each scope at a time. A scope of which nothing
// was said by then is absent.
func (cs Consents) Standing(at time.Time) map[ConsentScope]Consent {
	out := map[ConsentScope]Consent{}
	for _, c := range cs {
		if c.counts().After(at) {
			continue
		}
		if last, found := out[c.Scope]; !found || c.overrules(last) {
			out[c.Scope] = c
		}
	}
	return out
}

// Stands says whether a scope was granted at a time, and whether anything was
// known of it by then.
func (cs Consents) Stands(scope ConsentScope, at time.Time) (granted, known bool) {
	c, known := cs.Standing(at)[scope]
	return known && c.Status == Granted, known
}

// consentSkew is how far ahead of the server's clock a consent may be dated.
// It is narrow, because consent is asked for at the time of use.
const consentSkew = 5 * time.Minute

// CheckConsent is CheckClient for a consent.
func (s *Service) CheckConsent(c Consent) []fault.Detail { return c.check(s.Now()) }

func (c Consent) check(now time.Time) faults {
	var f faults
	if !slices.Contains(ConsentScopes(), c.Scope) {
		f.add("/scope", "unknown_scope", "The scope is care, research, contact or data_sharing.")
	}
	if c.Status != Granted && c.Status != Withdrawn {
		f.add("/status", "unknown_status", "The status is granted or withdrawn.")
	}
	if c.At.Before(earliest) || c.At.After(now.Add(consentSkew)) {
		f.add("/at", "implausible_time", "The time lies in the future or before 1990.")
	}
	return f
}

// RecordConsent stores what a client said; NotFound if the clinic has no such
// client. Ids are idempotent as in CreateClient.
func (s *Service) RecordConsent(ctx context.Context, who auth.Principal, c Consent) (Consent, Outcome, error) {
	if err := s.require(ctx, who, auth.WriteConsents); err != nil {
		return Consent{}, Refused, err
	}
	if err := c.check(s.Now()).err(); err != nil {
		return Consent{}, Refused, err
	}
	if c.ID == uuid.Nil {
		c.ID = s.NewID()
	}
	c.At = stamp(c.At)
	created := false
	err := s.Store.Write(ctx, who, func(tx Tx) (err error) {
		if err := tx.LockClients(ctx, who, []uuid.UUID{c.ClientID}); err != nil {
			return err
		}
		c.RecordedAt, c.RecordedBy = stamp(s.Now()), who.Actor
		if created, err = tx.InsertConsent(ctx, who, c); created {
			tx.Note(s.did(who, "consent.create", "consent", c.ID, c.ClientID, audit.Diff(nil, c.fields())...))
		}
		return err
	})
	if err != nil {
		return Consent{}, Refused, err
	}
	if created {
		return c, Created, nil
	}
	return settled(ctx, s, who, c, func(r Reader) (Consent, Consent, error) {
		r.Note(s.did(who, "consent.read", "consent", c.ID, c.ClientID))
		stored, err := r.Consent(ctx, who, c.ID)
		return stored, stored, err
	})
}

// ConsentPage is a part of what a client said, and what stands now.
type ConsentPage struct {
	Items    []Consent
	Standing map[ConsentScope]Consent // a scope of which nothing was said is absent
}

// Consents lists what a client said by time and id, and what stands of it;
// NotFound for an unknown client.
func (s *Service) Consents(ctx context.Context, who auth.Principal, client uuid.UUID, page Page) (ConsentPage, error) {
	if err := s.require(ctx, who, auth.ReadConsents); err != nil {
		return ConsentPage{}, err
	}
	return read(ctx, s, who, func(r Reader) (ConsentPage, error) {
		said, now, err := s.said(ctx, who, r, client)
		if err != nil {
			return ConsentPage{}, err
		}
		r.Note(s.did(who, "consent.list", "client", client, client))
		items, err := r.ConsentList(ctx, who, client, page)
		return ConsentPage{Items: items, Standing: said.Standing(now)}, err
	})
}

// Consented says whether a client has granted a scope and not withdrawn it.
// Where nothing is known the answer is no. NotFound for an unknown client.
func (s *Service) Consented(ctx context.Context, who auth.Principal, client uuid.UUID, scope ConsentScope) (bool, error) {
	if err := s.require(ctx, who, auth.ReadConsents); err != nil {
		return false, err
	}
	return read(ctx, s, who, func(r Reader) (bool, error) {
		said, now, err := s.said(ctx, who, r, client)
		if err != nil {
			return false, err
		}
		r.Note(s.did(who, "consent.read", "client", client, client))
		granted, _ := said.Stands(scope, now)
		return granted, nil
	})
}

// said reads what a client has said up to now.
func (s *Service) said(ctx context.Context, who auth.Principal, r Reader, client uuid.UUID) (Consents, time.Time, error) {
	now := stamp(s.Now())
	if _, err := r.Client(ctx, who, client); err != nil {
		return nil, now, err
	}
	said, err := r.Consents(ctx, who, []uuid.UUID{client}, now)
	return said[client], now, err
}

package care

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
)

// Membership is one member's place in a client's care team, for a time. It is
// kept when it has ended: it says who could see the client when, and why.
type Membership struct {
	ClientID uuid.UUID
	Member   uuid.UUID // an account or a key
	Kind     MembershipKind
	Since    time.Time
	Until    *time.Time // nil: without an end
	Reason   string     // a BreakGlassReason; empty for who was assigned
	Note     Private
	AddedBy  uuid.UUID
}

// MembershipKind is how somebody came into a care team.
type MembershipKind string

// The kinds of membership.
const (
	Assigned MembershipKind = "assigned"
	Broken   MembershipKind = "break_glass" // for a reason that was given, and for a while
)

// Stands reports whether the membership gives access at a time.
func (m Membership) Stands(at time.Time) bool { return m.Until == nil || m.Until.After(at) }

// fields are what the audit trail may tell of a membership.
func (m Membership) fields() []audit.Field {
	until := ""
	if m.Until != nil {
		until = m.Until.Format(time.RFC3339Nano)
	}
	return []audit.Field{
		{Name: "kind", Value: string(m.Kind)},
		{Name: "until", Value: until},
		{Name: "note", Value: string(m.Note), Private: true},
	}
}

// joinTeam makes who creates a client, and sees assigned clients only, a
// member of its team.
func (s *Service) joinTeam(ctx context.Context, who auth.Principal, tx Tx, client uuid.UUID) error {
	if who.Reach != auth.AssignedClients {
		return nil
	}
	m := Membership{ClientID: client, Member: who.Actor, Kind: Assigned, Since: stamp(s.Now()), AddedBy: who.Actor}
	tx.Note(s.did(who, "care_team.assign", "member", m.Member, client, audit.Diff(nil, m.fields())...))
	return tx.PutMembership(ctx, who, m)
}

// Team lists a client's care team by beginning: who is in it now, or with past
// who ever was; NotFound for an unknown client.
func (s *Service) Team(ctx context.Context, who auth.Principal, client uuid.UUID, past bool) ([]Membership, error) {
	if err := s.require(ctx, who, auth.ReadTeams); err != nil {
		return nil, err
	}
	now := stamp(s.Now())
	return read(ctx, s, who, func(r Reader) ([]Membership, error) {
		if _, err := r.Client(ctx, who, client); err != nil {
			return nil, err
		}
		r.Note(s.did(who, "care_team.read", "client", client, client))
		team, err := r.Team(ctx, who, client)
		return slices.DeleteFunc(team, func(m Membership) bool { return !past && !m.Stands(now) }), err
	})
}

var (
	errNoSuchMember  = fault.New(fault.NotFound, "There is no such member.")
	errAlreadyPassed = fault.New(fault.Invalid, "The membership would end before it begins.",
		fault.Detail{Pointer: "/until", Code: "not_in_the_future", Message: "The end lies in the future, and in this age."})
)

// Assign puts a key or an account into a client's care team, until a time or
// without an end. Who is in it already gets the new end. NotFound for an
// unknown client or member.
func (s *Service) Assign(ctx context.Context, who auth.Principal, client, member uuid.UUID, until *time.Time) (Membership, error) {
	if err := s.require(ctx, who, auth.ManageTeams); err != nil {
		return Membership{}, err
	}
	now := stamp(s.Now())
	if until != nil && (!until.After(now) || !plausible(*until)) {
		return Membership{}, errAlreadyPassed
	}
	var out Membership
	err := s.Store.Write(ctx, who, func(tx Tx) error {
		if err := tx.LockClients(ctx, who, []uuid.UUID{client}); err != nil {
			return err
		}
		if known, err := tx.HasMember(ctx, who, member); err != nil {
			return err
		} else if !known {
			return errNoSuchMember
		}
		team, err := tx.Team(ctx, who, client)
		if err != nil {
			return err
		}
		out = Membership{ClientID: client, Member: member, Kind: Assigned, Since: now, Until: stampPtr(until), AddedBy: who.Actor}
		var before []audit.Field
		if i := slices.IndexFunc(team, func(m Membership) bool { return m.assigns(member, now) }); i >= 0 {
			before, out.Since = team[i].fields(), team[i].Since
		}
		tx.Note(s.did(who, "care_team.assign", "member", member, client, audit.Diff(before, out.fields())...))
		return tx.PutMembership(ctx, who, out)
	})
	if err != nil {
		return Membership{}, err
	}
	return out, nil
}

// assigns reports whether this is what makes somebody a regular member.
func (m Membership) assigns(member uuid.UUID, at time.Time) bool {
	return m.Member == member && m.Kind == Assigned && m.Stands(at)
}

// Dismiss ends every access that a member has by being in a client's care team,
// break-glass access too. Where it has ended before, nothing changes. NotFound
// for an unknown client, and for who never was in the team.
func (s *Service) Dismiss(ctx context.Context, who auth.Principal, client, member uuid.UUID) error {
	if err := s.require(ctx, who, auth.ManageTeams); err != nil {
		return err
	}
	now := stamp(s.Now())
	return s.Store.Write(ctx, who, func(tx Tx) error {
		if err := tx.LockClients(ctx, who, []uuid.UUID{client}); err != nil {
			return err
		}
		team, err := tx.Team(ctx, who, client)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(team, func(m Membership) bool { return m.Member == member }) {
			return errNoSuchMember
		}
		for _, m := range team {
			if m.Member != member || !m.Stands(now) {
				continue
			}
			before := m.fields()
			m.Until = &now
			tx.Note(s.did(who, "care_team.dismiss", "member", member, client, audit.Diff(before, m.fields())...))
			if err := tx.PutMembership(ctx, who, m); err != nil {
				return err
			}
		}
		return nil
	})
}

// BreakGlassFor is how long break-glass access lasts: a product choice, long
// enough for an emergency and for a shift that somebody covers, and short
// enough that who goes on treating the client is assigned instead.
const BreakGlassFor = 4 * time.Hour

// BreakGlassReason is why somebody needs to see a client of others.
type BreakGlassReason string

// The reasons.
const (
	ForEmergency      BreakGlassReason = "emergency"
	ForCover          BreakGlassReason = "cover" // standing in for a colleague
	ForSupervision    BreakGlassReason = "supervision"
	ForRecordsRequest BreakGlassReason = "records_request"
	ForOther          BreakGlassReason = "other" // needs a note
)

// CheckBreakGlass is CheckClient for a reason of break-glass access.
func (s *Service) CheckBreakGlass(reason BreakGlassReason, note Private) []fault.Detail {
	var f faults
	if !slices.Contains([]BreakGlassReason{ForEmergency, ForCover, ForSupervision, ForRecordsRequest, ForOther}, reason) {
		f.add("/reason", "unknown_reason", "The reason is emergency, cover, supervision, records_request or other.")
	}
	if reason == ForOther && strings.TrimSpace(string(note)) == "" {
		f.add("/note", "required", "Another reason needs a note that says which.")
	}
	return f
}

var errNotNeeded = fault.New(fault.Conflict, "Break-glass access is not needed: this credential sees the client already.")

// BreakGlass lets who sees the clients of their care teams only see another
// one for BreakGlassFor. The reason stands in the audit trail, the note in the
// team alone. Who has such access already gets it anew; who sees the client
// without it is answered a Conflict. NotFound for an unknown client.
func (s *Service) BreakGlass(ctx context.Context, who auth.Principal, client uuid.UUID, reason BreakGlassReason, note Private) (Membership, error) {
	if err := s.require(ctx, who, auth.BreakGlass); err != nil {
		return Membership{}, err
	}
	if err := fault.InvalidIf(s.CheckBreakGlass(reason, note)); err != nil {
		return Membership{}, err
	}
	// The client is one of others, so it has to be found beyond the reach. This
	// is the only place that looks there, and it tells no more than that there
	// is such a client.
	beyond := who
	if who.Reach == auth.AssignedClients {
		beyond.Reach = auth.AllClients
	}
	now := stamp(s.Now())
	out := Membership{
		ClientID: client, Member: who.Actor, Kind: Broken, Since: now, Until: new(now.Add(BreakGlassFor)),
		Reason: string(reason), Note: note, AddedBy: who.Actor,
	}
	err := s.Store.Write(ctx, who, func(tx Tx) error {
		if err := tx.LockClients(ctx, beyond, []uuid.UUID{client}); err != nil {
			return err
		}
		team, err := tx.Team(ctx, beyond, client)
		if err != nil {
			return err
		}
		if who.Reach != auth.AssignedClients || slices.ContainsFunc(team, func(m Membership) bool { return m.assigns(who.Actor, now) }) {
			return errNotNeeded
		}
		entry := s.did(who, "care_team.break_glass", "member", who.Actor, client, audit.Diff(nil, out.fields())...)
		entry.Details.Reason = string(reason)
		tx.Note(entry)
		return tx.PutMembership(ctx, who, out)
	})
	if err != nil {
		return Membership{}, err
	}
	return out, nil
}

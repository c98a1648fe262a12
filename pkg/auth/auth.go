// Package auth says who is asking and what they may do.
//
// A Principal is made by one place from one credential and names one clinic.
// It is passed by value as a parameter, never in a context, so that no call
// can forget it. Permission is decided by the services; if they cannot
// decide, the answer is no.
package auth

import (
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/fault"
)

// ActorKind is what kind of credential or process acts.
type ActorKind string

// The kinds of actor.
const (
	ByKey      ActorKind = "key"      // an API key
	ByAccount  ActorKind = "account"  // a person who signed in
	ByToken    ActorKind = "token"    // a client's own front end
	ByOperator ActorKind = "operator" // whoever runs the program on the clinic's machine
	BySystem   ActorKind = "system"   // the program itself
	ByNobody   ActorKind = "nobody"   // a credential that was refused
)

// Reach is which of the clinic's clients a principal may see at all. It holds
// beside the permissions: both must allow.
type Reach int

// The reaches. The first is that of a principal nobody filled in.
const (
	NoClients       Reach = iota
	AllClients            // every client of the clinic
	AssignedClients       // those in whose care team the actor is
	OneClient             // Principal.Client alone
)

// Origin is where a request comes from, for the audit trail.
type Origin struct {
	Address string    // of the peer, as far as it can be believed; empty for the command line
	Request string    // the request's id, as RequestOf gives it
	Route   string    // the pattern that was asked for; empty for the command line
	Client  uuid.UUID // the client that the path names; uuid.Nil: none
}

// RequestOf is a request's id as the audit trail keeps it. A caller may send
// one of its own, which is kept as a hash unless it is a UUID: the trail cannot
// be erased, and a name is no id.
func RequestOf(id string) string {
	if id == "" {
		return ""
	}
	if u, err := uuid.Parse(id); err == nil && u.String() == id {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return "sha256:" + hex.EncodeToString(sum[:16])
}

// Principal is who is asking: one credential of one clinic.
type Principal struct {
	Clinic uuid.UUID // never uuid.Nil: an empty clinic is an error, not "all"
	Actor  uuid.UUID // the id of the key, account or token
	Kind   ActorKind
	Role   Role
	Held   Permissions // what the role grants, narrowed by the credential's scopes; empty: nothing
	Reach  Reach
	Client uuid.UUID // the client, where Reach is OneClient
	At     time.Time // when the credential was checked
	Origin Origin
}

// As is the principal of an actor with everything that a role grants.
func As(clinic, actor uuid.UUID, kind ActorKind, role Role) Principal {
	p := Principal{Clinic: clinic, Actor: actor, Kind: kind, Role: role, Held: grants[role]}
	if p.Held != 0 && role != Client {
		p.Reach = AllClients
	}
	return p
}

// System is the program itself, at work in a clinic.
func System(clinic uuid.UUID) Principal { return As(clinic, clinic, BySystem, Admin) }

// LogValue gives the log what it may know: ids and the role.
func (p Principal) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("clinic", p.Clinic.String()),
		slog.String("actor", p.Actor.String()),
		slog.String("role", string(p.Role)),
	)
}

// May reports whether the principal holds all of the permissions.
func (p Principal) May(need ...Permission) bool {
	return p.Clinic != uuid.Nil && p.Held.Has(need...)
}

// NotAllowed begins what somebody is told whose credential lacks a permission.
const NotAllowed = "This credential does not allow that"

// Require returns nil if the principal holds all of the permissions, else a
// Forbidden fault (or Unauthenticated for a principal of no clinic).
func (p Principal) Require(need ...Permission) error {
	switch {
	case p.Clinic == uuid.Nil:
		return fault.New(fault.Unauthenticated, "A key is needed.")
	case !p.May(need...):
		return fault.New(fault.Forbidden, NotAllowed+": it needs "+PermissionsOf(need...).String()+".")
	}
	return nil
}

// Did starts the audit entry of something that the principal did to a thing,
// which may be none.
func (p Principal) Did(action, target string, id uuid.UUID) audit.Entry {
	return audit.Entry{
		Actor: p.Actor, ActorKind: string(p.Kind), Role: string(p.Role), Address: p.Origin.Address, Request: p.Origin.Request,
		Action: action, Outcome: audit.Done, Target: target, TargetID: id,
	}
}

// Refused is the audit entry of something that the principal was not allowed.
func (p Principal) Refused(need ...Permission) audit.Entry {
	e := p.Did("permission.refused", "", uuid.Nil)
	e.Outcome, e.Client = audit.Refused, p.Origin.Client
	e.Details.Reason = PermissionsOf(need...).String()
	if p.Origin.Route != "" {
		e.Details.Note = map[string]string{"route": p.Origin.Route}
	}
	return e
}

// Package auth says who is asking and what they may do.
//
// A Principal is made by one place from one credential and names one clinic.
// It is passed by value as a parameter, never in a context, so that no call
// can forget it. Permission is decided by the services; if they cannot
// decide, the answer is no.
package auth

import (
	"log/slog"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/fault"
)

// Role is what a credential was made for.
type Role string

// The roles.
const (
	Admin      Role = "admin"      // runs the clinic: everything a clinician may, keys and settings
	Clinician  Role = "clinician"  // treats: reads and writes clients' records
	Researcher Role = "researcher" // sees no one's name or record: instruments and scoring, until exports exist
	App        Role = "app"        // a front end that writes for its clients
)

// Roles lists every role.
func Roles() []Role { return []Role{Admin, Clinician, Researcher, App} }

// Permission is one thing that may be done.
type Permission string

// The permissions.
const (
	ReadInstruments  Permission = "instruments:read"
	ReadClients      Permission = "clients:read"
	WriteClients     Permission = "clients:write"
	ReadCare         Permission = "care:read"  // courses and sessions
	WriteCare        Permission = "care:write" // courses and sessions
	ReadAssessments  Permission = "assessments:read"
	WriteAssessments Permission = "assessments:write"
	AmendAssessments Permission = "assessments:amend" // amend and retract
	ReadTrajectories Permission = "trajectories:read"
	ReadCaseload     Permission = "caseload:read"
	ReadSettings     Permission = "settings:read"
	WriteSettings    Permission = "settings:write"
	ManageKeys       Permission = "keys:manage"
)

// grants is the whole of who may do what; what is not listed is refused.
var grants = map[Role][]Permission{
	Admin: {
		ReadInstruments, ReadClients, WriteClients, ReadCare, WriteCare,
		ReadAssessments, WriteAssessments, AmendAssessments,
		ReadTrajectories, ReadCaseload, ReadSettings, WriteSettings, ManageKeys,
	},
	Clinician: {
		ReadInstruments, ReadClients, WriteClients, ReadCare, WriteCare,
		ReadAssessments, WriteAssessments, AmendAssessments,
		ReadTrajectories, ReadCaseload, ReadSettings,
	},
	App: {
		ReadInstruments, ReadClients, WriteClients, ReadCare, WriteCare,
		ReadAssessments, WriteAssessments, ReadTrajectories,
	},
	Researcher: {ReadInstruments},
}

// Principal is who is asking: one credential of one clinic.
type Principal struct {
	Clinic uuid.UUID // never uuid.Nil: an empty clinic is an error, not "all"
	Actor  uuid.UUID // the id of the key that was shown
	Role   Role
}

// LogValue gives the log what it may know: ids and the role.
func (p Principal) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("clinic", p.Clinic.String()),
		slog.String("actor", p.Actor.String()),
		slog.String("role", string(p.Role)),
	)
}

// May reports whether the principal holds the permission.
func (p Principal) May(need Permission) bool {
	if p.Clinic == uuid.Nil {
		return false
	}
	for _, g := range grants[p.Role] {
		if g == need {
			return true
		}
	}
	return false
}

// Require returns nil if the principal holds the permission, else a
// Forbidden fault (or Unauthenticated for a principal of no clinic).
func (p Principal) Require(need Permission) error {
	switch {
	case p.Clinic == uuid.Nil:
		return fault.New(fault.Unauthenticated, "A key is needed.")
	case !p.May(need):
		return fault.New(fault.Forbidden, "This key's role does not allow that: it needs "+string(need)+".")
	}
	return nil
}

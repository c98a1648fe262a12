package auth

import (
	"slices"
	"strings"
)

// Role is what a credential was made for.
type Role string

// The roles.
const (
	Owner      Role = "owner"      // answers for the clinic: everything, and who its owners are
	Admin      Role = "admin"      // runs the clinic: everything a clinician may, people, keys, settings, the audit trail
	Clinician  Role = "clinician"  // treats: reads and writes clients' records
	Researcher Role = "researcher" // sees no one's name or record: figures of groups, and de-identified exports of who consented
	App        Role = "app"        // a front end that writes for its clients, and mints their tokens
	Client     Role = "client"     // one client's own phone: their forms and their trajectory
)

// Roles lists every role that a key may have.
func Roles() []Role { return []Role{Owner, Admin, Clinician, Researcher, App} }

// Permission is one thing that may be done.
type Permission string

// The permissions.
const (
	ReadInstruments    Permission = "instruments:read"
	ReadClients        Permission = "clients:read"
	WriteClients       Permission = "clients:write"
	EraseClients       Permission = "clients:erase"
	MergeClients       Permission = "clients:merge"
	ReadRecord         Permission = "record:read" // the download of everything about a client
	ReadCare           Permission = "care:read"   // courses and sessions
	WriteCare          Permission = "care:write"  // courses and sessions
	ReadAssessments    Permission = "assessments:read"
	WriteAssessments   Permission = "assessments:write"
	AmendAssessments   Permission = "assessments:amend" // amend and retract
	ReadTrajectories   Permission = "trajectories:read"
	ReadDueForms       Permission = "due_forms:read"
	ReadCaseload       Permission = "caseload:read"
	ReadConsents       Permission = "consents:read"
	WriteConsents      Permission = "consents:write"
	ReadDisclosures    Permission = "disclosures:read" // who saw a client's record
	RequestCorrections Permission = "corrections:request"
	DecideCorrections  Permission = "corrections:decide"
	BreakGlass         Permission = "care_team:break_glass" // see a client of others, for a reason
	ReadTeams          Permission = "care_team:read"
	ManageTeams        Permission = "care_team:manage"
	ReadSettings       Permission = "settings:read"
	WriteSettings      Permission = "settings:write"
	MintTokens         Permission = "tokens:mint" // tokens of clients' own front ends
	ManageKeys         Permission = "keys:manage"
	ManageAccounts     Permission = "accounts:manage"
	ManageOwners       Permission = "owners:manage"
	ReadAudit          Permission = "audit:read"
	ReadCohorts        Permission = "cohorts:read"  // figures of groups, and the saved cohorts
	WriteCohorts       Permission = "cohorts:write" // save a cohort
	ExportIdentified   Permission = "exports:identified"
	ExportLimited      Permission = "exports:limited"      // without identity, with dates
	ExportDeidentified Permission = "exports:deidentified" // without identity and true dates
	ReadSnapshots      Permission = "snapshots:read"
	TakeSnapshots      Permission = "snapshots:write"
	ReadAlerts         Permission = "alerts:read"
	HandleAlerts       Permission = "alerts:handle"   // acknowledge, tell what was done, close
	ReadEvents         Permission = "events:read"     // what happens in the clinic, by ids
	ManageWebhooks     Permission = "webhooks:manage" // where events are sent to
)

// known lists every permission; its order is that of the bits in Permissions.
var known = []Permission{
	ReadInstruments, ReadClients, WriteClients, EraseClients, MergeClients, ReadRecord, ReadCare, WriteCare,
	ReadAssessments, WriteAssessments, AmendAssessments, ReadTrajectories, ReadDueForms, ReadCaseload,
	ReadConsents, WriteConsents, ReadDisclosures, RequestCorrections, DecideCorrections,
	BreakGlass, ReadTeams, ManageTeams, ReadSettings, WriteSettings, MintTokens, ManageKeys, ManageAccounts, ManageOwners, ReadAudit,
	ReadCohorts, WriteCohorts, ExportIdentified, ExportLimited, ExportDeidentified, ReadSnapshots, TakeSnapshots,
	ReadEvents, ManageWebhooks, ReadAlerts, HandleAlerts,
}

// AllPermissions lists every permission there is.
func AllPermissions() []Permission { return slices.Clone(known) }

// Permissions is a set of permissions. The zero set allows nothing.
type Permissions uint64

// PermissionsOf is the set of the given permissions. One that does not exist
// is left out: it can be neither granted nor held.
func PermissionsOf(ps ...Permission) Permissions {
	var set Permissions
	for _, p := range ps {
		if i := slices.Index(known, p); i >= 0 {
			set |= 1 << i
		}
	}
	return set
}

// Has reports whether all of the permissions are in the set. One that does
// not exist is in none.
func (s Permissions) Has(need ...Permission) bool {
	for _, p := range need {
		if i := slices.Index(known, p); i < 0 || s&(1<<i) == 0 {
			return false
		}
	}
	return true
}

// Covers reports whether everything in other is in s too.
func (s Permissions) Covers(other Permissions) bool { return other&^s == 0 }

// List gives the permissions in the set.
func (s Permissions) List() []Permission {
	return slices.DeleteFunc(AllPermissions(), func(p Permission) bool { return !s.Has(p) })
}

// String gives the permissions with blanks between them, as OAuth writes scopes.
func (s Permissions) String() string {
	var names []string
	for _, p := range s.List() {
		names = append(names, string(p))
	}
	return strings.Join(names, " ")
}

var (
	treating = PermissionsOf(
		ReadInstruments, ReadClients, WriteClients, ReadRecord, ReadCare, WriteCare,
		ReadAssessments, WriteAssessments, AmendAssessments, ReadTrajectories, ReadDueForms, ReadCaseload,
		ReadConsents, WriteConsents, ReadDisclosures, RequestCorrections, DecideCorrections,
		BreakGlass, ReadTeams, ReadSettings, ReadCohorts, WriteCohorts, ReadEvents, ReadAlerts, HandleAlerts)
	running = treating | PermissionsOf(EraseClients, MergeClients, ManageTeams, WriteSettings, MintTokens, ManageKeys, ManageAccounts, ReadAudit,
		ExportIdentified, ExportLimited, ExportDeidentified, ReadSnapshots, TakeSnapshots, ManageWebhooks)
)

// grants is the whole of who may do what; what is not listed is refused.
var grants = map[Role]Permissions{
	Owner:     running | PermissionsOf(ManageOwners),
	Admin:     running,
	Clinician: treating,
	App: PermissionsOf(ReadInstruments, ReadClients, WriteClients, ReadCare, WriteCare,
		ReadAssessments, WriteAssessments, ReadTrajectories, ReadDueForms, ReadConsents, WriteConsents, RequestCorrections, MintTokens, ReadEvents),
	Researcher: PermissionsOf(ReadInstruments, ReadCohorts, WriteCohorts, ExportDeidentified, ReadSnapshots, TakeSnapshots),
	Client:     PermissionsOf(ReadInstruments, ReadDueForms, ReadTrajectories, WriteAssessments),
}

// Grants gives everything that a role may do.
func Grants(r Role) Permissions { return grants[r] }

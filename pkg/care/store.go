package care

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/mail"
)

// Reader reads the record of the principal's clinic, and of no other. A
// single record that the clinic does not have is a NotFound fault, whoever
// else may have it. No method's number of statements grows with what it reads.
//
// Where records were merged, a client stands for all records of that person:
// what is read of a client is read of each of them.
type Reader interface {
	// Note adds entries to the audit trail. They are stored before what was
	// read is handed on, and with what was changed; if they cannot be, nothing is.
	Note(entries ...audit.Entry)

	// Client gives the current version of a client; Gone if it was erased.
	Client(ctx context.Context, who auth.Principal, id uuid.UUID) (Client, error)
	// ClientHistory gives the current version of a client and its first; Gone if it was erased.
	ClientHistory(ctx context.Context, who auth.Principal, id uuid.UUID) (current, original Client, err error)
	// ClientsOf finds clients by id; unknown and erased ones are absent.
	ClientsOf(ctx context.Context, who auth.Principal, ids []uuid.UUID) (map[uuid.UUID]Client, error)
	// Clients lists clients by reference, behind page.After.Text, without duplicates.
	Clients(ctx context.Context, who auth.Principal, page Page) ([]Client, error)

	Course(ctx context.Context, who auth.Principal, id uuid.UUID) (Course, error)
	CourseHistory(ctx context.Context, who auth.Principal, id uuid.UUID) (current, original Course, err error)
	// Courses lists a client's courses by start and id, behind page.After.
	Courses(ctx context.Context, who auth.Principal, client uuid.UUID, page Page) ([]Course, error)
	// CoursesAt gives all of a client's courses as they were known at a time; nil is now.
	CoursesAt(ctx context.Context, who auth.Principal, client uuid.UUID, asOf *time.Time) ([]Course, error)

	Session(ctx context.Context, who auth.Principal, id uuid.UUID) (Session, error)
	SessionHistory(ctx context.Context, who auth.Principal, id uuid.UUID) (current, original Session, err error)
	// Sessions gives all of a client's sessions as they were known at a time; nil is now.
	Sessions(ctx context.Context, who auth.Principal, client uuid.UUID, asOf *time.Time) ([]Session, error)
	// SessionsOf gives all current sessions of several people. They carry the
	// client who stands for the person.
	SessionsOf(ctx context.Context, who auth.Principal, clients []uuid.UUID) ([]Session, error)
	// SessionsBetween gives the clinic's current sessions that start at from or
	// later and before to, by start and id. They carry the client who stands for
	// the person.
	SessionsBetween(ctx context.Context, who auth.Principal, from, to time.Time) ([]Session, error)
	// LastDoses says when the last dosing session of each client began that had
	// begun at a time; who had none is absent.
	LastDoses(ctx context.Context, who auth.Principal, clients []uuid.UUID, at time.Time) (map[uuid.UUID]time.Time, error)
	// SessionClients says whose the sessions are; unknown ones are absent.
	SessionClients(ctx context.Context, who auth.Principal, ids []uuid.UUID) (map[uuid.UUID]uuid.UUID, error)

	Assessment(ctx context.Context, who auth.Principal, id uuid.UUID) (Assessment, error)
	// AssessmentHistories finds assessments by id; unknown ones are absent.
	AssessmentHistories(ctx context.Context, who auth.Principal, ids []uuid.UUID) (map[uuid.UUID]History, error)
	// Assessments lists a client's assessments by completion and id, behind page.After.
	Assessments(ctx context.Context, who auth.Principal, client uuid.UUID, filter AssessmentFilter, page Page) ([]Assessment, error)
	// AssessmentVersions lists the versions behind page.After.Number; NotFound for an unknown assessment.
	AssessmentVersions(ctx context.Context, who auth.Principal, id uuid.UUID, page Page) ([]Assessment, error)
	// Points gives what trajectories need of the clients' assessments that
	// stood at a time (nil is now), by client, instrument, completion and id.
	// Empty instruments means all of them. They carry the client who stands for
	// the person.
	Points(ctx context.Context, who auth.Principal, clients []uuid.UUID, instruments []string, asOf *time.Time) ([]Point, error)
	// SessionPoints gives those of the clients' assessments that stand and were
	// taken before or after one of the sessions, in the order of Points.
	SessionPoints(ctx context.Context, who auth.Principal, clients, sessions []uuid.UUID) ([]Point, error)

	// Person gives the records of the person that a client is, first the one
	// that stands for them; NotFound for an unknown client. Erased ones are
	// among them.
	Person(ctx context.Context, who auth.Principal, client uuid.UUID) ([]Standing, error)
	// Entries lists the clinic's audit trail, the newest first, behind page.After.
	Entries(ctx context.Context, who auth.Principal, filter EntryFilter, page Page) ([]TrailEntry, error)
	// Merge finds a merge by its id; NotFound if there is none.
	Merge(ctx context.Context, who auth.Principal, id uuid.UUID) (Merge, error)
	// Merges lists the merges in which a client was one of the two, by time
	// and id, behind page.After.
	Merges(ctx context.Context, who auth.Principal, client uuid.UUID, page Page) ([]Merge, error)
	// RecordOf gives everything that is stored of a client but for the
	// disclosures; Gone if it was erased.
	RecordOf(ctx context.Context, who auth.Principal, client uuid.UUID) (Record, error)
	// Erasure tells of a client's erasure; NotFound if there was none.
	Erasure(ctx context.Context, who auth.Principal, client uuid.UUID) (Erasure, error)

	// Settings gives what the clinic has chosen for its instruments.
	Settings(ctx context.Context, who auth.Principal) (Settings, error)
	// Caseload lists clients with their progress on one instrument. It says
	// nothing of doses.
	Caseload(ctx context.Context, who auth.Principal, query CaseloadQuery, page Page) ([]Case, error)
	// ProgressOf gives the progress of the people that the clients are, by
	// client and instrument.
	ProgressOf(ctx context.Context, who auth.Principal, clients []uuid.UUID) ([]Progress, error)

	Consent(ctx context.Context, who auth.Principal, id uuid.UUID) (Consent, error)
	// ConsentList lists what a client said by time and id, behind page.After.
	ConsentList(ctx context.Context, who auth.Principal, client uuid.UUID, page Page) ([]Consent, error)
	// Consents gives what several clients have said up to a time, in one
	// statement; who said nothing is absent. Consents.Stands evaluates it.
	Consents(ctx context.Context, who auth.Principal, clients []uuid.UUID, at time.Time) (map[uuid.UUID]Consents, error)

	Correction(ctx context.Context, who auth.Principal, id uuid.UUID) (Correction, error)
	// Corrections lists a client's requests by time and id, behind page.After.
	Corrections(ctx context.Context, who auth.Principal, client uuid.UUID, page Page) ([]Correction, error)

	// Team gives a client's care team by beginning and member, the
	// memberships that have ended as well.
	Team(ctx context.Context, who auth.Principal, client uuid.UUID) ([]Membership, error)
	// HasMember says whether the clinic has a key or an account with this id.
	HasMember(ctx context.Context, who auth.Principal, id uuid.UUID) (bool, error)
	// Alert finds an alert; NotFound if there is none.
	Alert(ctx context.Context, who auth.Principal, id uuid.UUID) (Alert, error)
	// AlertSteps gives the history of an alert.
	AlertSteps(ctx context.Context, who auth.Principal, id uuid.UUID) ([]AlertStep, error)
	// Alerts lists alerts by RaisedAt and id, the newest first, behind page.After.
	Alerts(ctx context.Context, who auth.Principal, filter AlertFilter, page Page) ([]Alert, error)
	// CountOpenAlerts counts the alerts that nobody acknowledged.
	CountOpenAlerts(ctx context.Context, who auth.Principal) (int, error)
	// OpenAlertsOf counts those of several people, by client; who has none is
	// absent.
	OpenAlertsOf(ctx context.Context, who auth.Principal, clients []uuid.UUID) (map[uuid.UUID]int, error)
	// FirstDueAlert says when the next tier of an alert is to be told; nil: none is.
	FirstDueAlert(ctx context.Context, who auth.Principal) (*time.Time, error)
	// AlertSettings gives what the clinic has chosen for its alerts.
	AlertSettings(ctx context.Context, who auth.Principal) (AlertSettings, error)
	// Events gives at most limit of the clinic's events behind a place, by Seq;
	// empty types means all of them.
	Events(ctx context.Context, who auth.Principal, after int64, types []EventType, limit int) ([]Event, error)
	// EventHead is the place of the clinic's last event; 0: there was none.
	EventHead(ctx context.Context, who auth.Principal) (int64, error)
	// ClinicSettings gives what the clinic has chosen for all of its work.
	ClinicSettings(ctx context.Context, who auth.Principal) (ClinicSettings, error)

	// Contact tells where a client reads mail; one of which nothing was said has
	// no UpdatedAt.
	Contact(ctx context.Context, who auth.Principal, client uuid.UUID) (Contact, error)
	// MessageSettings gives what the clinic has chosen for its messages, or the defaults.
	MessageSettings(ctx context.Context, who auth.Principal) (MessageSettings, error)
	// Messages lists a client's messages by id, the newest first, those below
	// page.After.ID, without their links.
	Messages(ctx context.Context, who auth.Principal, client uuid.UUID, page Page) ([]mail.Message, error)
}

// Tx is a transaction: it reads what it wrote, and is stored whole or not.
type Tx interface {
	Reader
	// Emit adds events. They are stored with the transaction, behind all
	// earlier ones of the clinic; who reads on from one misses none.
	Emit(events ...Event)
	// LockClients keeps others from changing these clients' records until the
	// transaction ends; NotFound if the clinic lacks one of them, Gone if one
	// was erased. The other records of the same people are locked with them.
	LockClients(ctx context.Context, who auth.Principal, ids []uuid.UUID) error
	// LockedClients is LockClients that reads the clients; unknown ones are
	// absent, and of erased ones only that is told.
	LockedClients(ctx context.Context, who auth.Principal, ids []uuid.UUID) (map[uuid.UUID]Client, error)
	// ClientIDs lists a page of the clinic's clients by id, behind after,
	// without duplicates and without those that were erased.
	ClientIDs(ctx context.Context, who auth.Principal, after uuid.UUID, limit int) ([]uuid.UUID, error)

	// The inserts store first versions. They answer false, and store nothing,
	// where the id is in use; Conflict where another client has the reference.
	InsertClient(ctx context.Context, who auth.Principal, c Client) (bool, error)
	InsertCourse(ctx context.Context, who auth.Principal, c Course) (bool, error)
	InsertSession(ctx context.Context, who auth.Principal, s Session) (bool, error)
	// InsertAssessments says which ids were stored; the others were in use.
	InsertAssessments(ctx context.Context, who auth.Principal, as []Assessment) (map[uuid.UUID]bool, error)

	// The revisions store the version after the current one; Stale if that
	// one is not the current one any more.
	ReviseClient(ctx context.Context, who auth.Principal, c Client) error
	ReviseCourse(ctx context.Context, who auth.Principal, c Course) error
	ReviseSession(ctx context.Context, who auth.Principal, s Session) error
	ReviseAssessment(ctx context.Context, who auth.Principal, a Assessment) error

	// PutProgress replaces the progress of the clients on the instruments
	// (all instruments if empty) with the given rows, which are those of the
	// clients who stand for the people.
	PutProgress(ctx context.Context, who auth.Principal, clients []uuid.UUID, instruments []string, rows []Progress) error
	// Erase removes everything of the clients but their ids, marks these as
	// erased and says how many rows of each table went.
	Erase(ctx context.Context, who auth.Principal, clients []uuid.UUID, e Erasure) (removed map[string]int, err error)
	// InsertMerge stores a merge, from which on the survivor stands for both.
	InsertMerge(ctx context.Context, who auth.Principal, m Merge) error
	// EndMerge stores when a merge was undone, and lets both stand for
	// themselves; NotFound if it does not hold.
	EndMerge(ctx context.Context, who auth.Principal, m Merge) error
	// PutMembership stores a membership of a client's care team, in place of
	// the one of the same member and kind that began at the same time.
	PutMembership(ctx context.Context, who auth.Principal, m Membership) error
	// PutAlerts stores alerts as they are now, the new ones too, and adds lines
	// to their histories.
	PutAlerts(ctx context.Context, who auth.Principal, alerts []Alert, steps []AlertStep) error
	// StandingAlerts gives the alerts of several people that are on their clocks.
	// They carry the client who stands for the person.
	StandingAlerts(ctx context.Context, who auth.Principal, clients []uuid.UUID) ([]Alert, error)
	// AlertsAbout gives the alerts of an assessment. They are held until the
	// transaction ends.
	AlertsAbout(ctx context.Context, who auth.Principal, assessment uuid.UUID) ([]Alert, error)
	// HoldAlert gives an alert, and the open ones that repeat it, and holds them
	// until the transaction ends; NotFound if there is none.
	HoldAlert(ctx context.Context, who auth.Principal, id uuid.UUID) ([]Alert, error)
	// TakeDueAlerts gives at most limit open alerts whose next tier is to be told
	// at a time or earlier, and holds them; those that others hold are passed over.
	TakeDueAlerts(ctx context.Context, who auth.Principal, at time.Time, limit int) ([]Alert, error)
	// PutAlertSettings replaces what the clinic has chosen for its alerts, and
	// tells what it was.
	PutAlertSettings(ctx context.Context, who auth.Principal, set AlertSettings) (before AlertSettings, err error)
	// PutSetting replaces what the clinic has chosen for one instrument.
	PutSetting(ctx context.Context, who auth.Principal, set Setting) error
	// PutClinicSettings replaces what the clinic has chosen, and tells what it
	// was. It holds the clinic until the transaction ends.
	PutClinicSettings(ctx context.Context, who auth.Principal, set ClinicSettings) (before ClinicSettings, err error)

	// InsertConsent and InsertCorrection answer false, and store nothing, where
	// the id is in use.
	InsertConsent(ctx context.Context, who auth.Principal, c Consent) (bool, error)
	InsertCorrection(ctx context.Context, who auth.Principal, c Correction) (bool, error)
	// DecideCorrection stores the decision on a request that is open; false,
	// and nothing stored, where none such is.
	DecideCorrection(ctx context.Context, who auth.Principal, c Correction) (bool, error)

	// PutContact replaces where a client reads mail.
	PutContact(ctx context.Context, who auth.Principal, c Contact) error
	// PutMessageSettings replaces what the clinic has chosen for its messages.
	// It holds the clinic until the transaction ends.
	PutMessageSettings(ctx context.Context, who auth.Principal, set MessageSettings) error
	// Post has messages sent when they are due, once the transaction is stored.
	Post(ctx context.Context, who auth.Principal, messages ...mail.Message) error
	// CancelMessages ends what is still to be sent about a thing that needs no
	// messages any more; why is a code.
	CancelMessages(ctx context.Context, who auth.Principal, about uuid.UUID, at time.Time, why string) error
	// CancelMessagesTo ends what is still to be sent to a client who opted out.
	CancelMessagesTo(ctx context.Context, who auth.Principal, client uuid.UUID, at time.Time) error
}

// Store keeps the record.
type Store interface {
	// Read runs fn on one snapshot of the record.
	Read(ctx context.Context, who auth.Principal, fn func(Reader) error) error
	// Write runs fn in one transaction, and again if the database asks for
	// that; fn must not keep anything from an earlier run. A change that fn
	// does not note fails.
	Write(ctx context.Context, who auth.Principal, fn func(Tx) error) error
	// Scrub empties the database's log, which still holds what was removed. It
	// reports whether nothing of that is left in the database's files.
	Scrub(ctx context.Context) (bool, error)
}

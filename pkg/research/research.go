// Package research lets the clinic's record serve research: exports,
// snapshots, cohorts and the figures of groups.
//
// It joins three rooms. Who may have what of whom is decided here; what the
// record means is care's; files are written by export, and figures computed by
// cohort, neither of which knows a client by name.
//
// Whoever is not the clinic's own staff meets only the clients who have agreed
// to research, at the time of asking. Every export and every figure leaves an
// entry in the audit trail before its first byte, with the clients in it.
package research

import (
	"context"
	"iter"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/note"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/instrument"
)

// Reader reads one snapshot of the clinic's record for research.
type Reader interface {
	// People gives everybody whom the clinic knew at a time (nil is now), by
	// id, those erased since as well, and what they have said of research up to
	// now. Where records were merged at that time they are one person, for whom
	// everybody speaks to whom one of the records belongs today.
	People(ctx context.Context, who auth.Principal, asOf *time.Time) ([]Person, error)
	// Known is People without what they have said.
	Known(ctx context.Context, who auth.Principal, asOf *time.Time) ([]Person, error)
	// Histories gives what is known of people, in their order. The number of
	// statements grows with every few hundred people; what is held does not.
	// Nothing else may be asked of the reader until they have all been read, or
	// the loop has ended: it reads ahead.
	Histories(ctx context.Context, who auth.Principal, people []Person, q HistoryQuery) iter.Seq2[History, error]
	// InstrumentsInUse lists the instruments that any of these clients has answered.
	InstrumentsInUse(ctx context.Context, who auth.Principal, clients map[uuid.UUID]bool) ([]string, error)
	// InstrumentsAt lists those that they had answered by a time (nil is now),
	// retracted answers as well. It looks at every assessment.
	InstrumentsAt(ctx context.Context, who auth.Principal, clients map[uuid.UUID]bool, asOf *time.Time) ([]string, error)
	// Changes says of which records something was recorded at a time or later,
	// of what is known at another (nil is now).
	Changes(ctx context.Context, who auth.Principal, since time.Time, asOf *time.Time) (Changes, error)

	// ExportedAt reports whether the audit trail has one of these acts at a time.
	ExportedAt(ctx context.Context, who auth.Principal, at time.Time, actions []string) (bool, error)
	// HandedOut says of clients which of them an export named ever.
	HandedOut(ctx context.Context, who auth.Principal, clients []uuid.UUID) (map[uuid.UUID]bool, error)

	Settings(ctx context.Context, who auth.Principal) (care.Settings, error)
	ClinicSettings(ctx context.Context, who auth.Principal) (care.ClinicSettings, error)

	// Project finds a project by its name; NotFound if there is none.
	Project(ctx context.Context, who auth.Principal, name string) (Project, error)
	// Cohort finds a saved cohort; NotFound if there is none.
	Cohort(ctx context.Context, who auth.Principal, id uuid.UUID) (Cohort, error)
	// Cohorts gives a page of the saved cohorts by name.
	Cohorts(ctx context.Context, who auth.Principal, page care.Page) ([]Cohort, error)
	// Releases gives what was given away of these measures; none of a measure of
	// which nothing was.
	Releases(ctx context.Context, who auth.Principal, measures []string) ([]Release, error)
	// LastAnswer says when a question was last answered; NotFound if it never was.
	LastAnswer(ctx context.Context, who auth.Principal, question []byte) (Answered, error)
	// Snapshot finds a snapshot; NotFound if there is none.
	Snapshot(ctx context.Context, who auth.Principal, id uuid.UUID) (Snapshot, error)
	// SnapshotNamed reports whether a snapshot has this name.
	SnapshotNamed(ctx context.Context, who auth.Principal, name string) (bool, error)
	// Snapshots lists snapshots by id, behind page.After.ID.
	Snapshots(ctx context.Context, who auth.Principal, page care.Page) ([]Snapshot, error)
	// SnapshotMembers gives the people whose data a snapshot held, by id.
	SnapshotMembers(ctx context.Context, who auth.Principal, id uuid.UUID) ([]uuid.UUID, error)
}

// Tx is a transaction: what it reads and writes is stored whole or not, with
// the entries that were noted.
type Tx interface {
	Reader
	Note(entries ...audit.Entry)
	// InsertProject stores a project; false, and nothing stored, where the
	// clinic has one of this name.
	InsertProject(ctx context.Context, who auth.Principal, p Project) (bool, error)
	// InsertCohort stores a cohort; false, and nothing stored, where the clinic
	// has one of this id or name.
	InsertCohort(ctx context.Context, who auth.Principal, c Cohort) (bool, error)
	// PutRelease stores a release in the place of the one with so many answers, 0
	// for none; false, and nothing stored, where that is no longer the one.
	PutRelease(ctx context.Context, who auth.Principal, r Release, was int) (bool, error)
	// PutAnswer stores when a question was answered, in the place of the time before.
	PutAnswer(ctx context.Context, who auth.Principal, a Answered) error
	// InsertSnapshot stores a snapshot with its members; false, and nothing
	// stored, where the clinic has one of this id or name.
	InsertSnapshot(ctx context.Context, who auth.Principal, s Snapshot, members []uuid.UUID) (bool, error)
}

// Store keeps the record. It is the clinic's own store, seen from here.
type Store interface {
	// Study runs fn on one snapshot. It leaves no entry: whoever studies notes
	// what for, with Conduct, before anything is handed on.
	Study(ctx context.Context, who auth.Principal, fn func(Reader) error) error
	// Conduct runs fn in one transaction, and again if the database asks for
	// that. A change that fn does not note fails.
	Conduct(ctx context.Context, who auth.Principal, fn func(Tx) error) error
	// Settle waits until every transaction that is under way now has ended: from
	// then on nothing more comes in that was recorded before. Unavailable where
	// one takes too long.
	Settle(ctx context.Context, who auth.Principal) error
}

// Service is research under its rules. All fields are required but where they
// say otherwise.
type Service struct {
	Store       Store
	Instruments *instrument.Library
	Now         func() time.Time
	NewID       func() uuid.UUID
	NewSecret   func() []byte // 32 random bytes
	Signer      note.Signer   // vouches for snapshots
	Log         *slog.Logger  // refusals, and snapshots that became others, with ids only

	scales scales
}

// require decides permissions, all of which are needed, and leaves an entry of
// a refusal. Where that cannot be stored the answer is no all the same.
func (s *Service) require(ctx context.Context, who auth.Principal, need ...auth.Permission) error {
	err := who.Require(need...)
	if err == nil {
		return nil
	}
	s.Log.WarnContext(ctx, "refused", "who", who, "needs", auth.PermissionsOf(need...).String())
	if !fault.Is(err, fault.Forbidden) {
		return err
	}
	if e := s.Store.Conduct(ctx, who, func(tx Tx) error { tx.Note(s.entry(who.Refused(need...))); return nil }); e != nil {
		s.Log.ErrorContext(ctx, "a refusal was not noted in the audit trail", "who", who, "error", e.Error())
	}
	return err
}

// entry completes an entry of the audit trail.
func (s *Service) entry(e audit.Entry) audit.Entry {
	e.ID, e.At = s.NewID(), stamp(s.Now())
	return e
}

// stamp is the time as it is stored: UTC, whole microseconds.
func stamp(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

func stampPtr(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	return new(stamp(*t))
}

package demo

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
)

// opened is a store whose every transaction is one that is open already.
type opened struct {
	care.Store
	tx care.Tx
}

// Read runs fn in the open transaction.
func (o opened) Read(_ context.Context, _ auth.Principal, fn func(care.Reader) error) error {
	return fn(o.tx)
}

// Write runs fn in the open transaction, which is stored when it ends.
func (o opened) Write(_ context.Context, _ auth.Principal, fn func(care.Tx) error) error {
	return fn(o.tx)
}

// seeding is a transaction that does not ask the database for what it knows:
// of the clients that it made itself, and who have no form yet, nobody else can
// have written anything. It dates forms as if each had been sent when it was
// filled in.
type seeding struct {
	care.Tx
	made     map[uuid.UUID][]care.Session // by client: all there are
	courses  map[uuid.UUID]care.Course
	settings care.Settings
	recorded map[uuid.UUID]time.Time // when each form is to have been stored
}

func newSeeding(tx care.Tx) *seeding {
	return &seeding{
		Tx: tx, made: map[uuid.UUID][]care.Session{}, courses: map[uuid.UUID]care.Course{}, recorded: map[uuid.UUID]time.Time{},
	}
}

// date notes when a client's forms are to have been stored.
func (s *seeding) date(forms []care.Assessment) { dates(s.recorded, forms) }

// knows reports whether the transaction has made all of these clients, and
// nothing of them but what it remembers.
func (s *seeding) knows(clients ...uuid.UUID) bool {
	return !slices.ContainsFunc(clients, func(id uuid.UUID) bool { _, made := s.made[id]; return !made })
}

// InsertClient remembers who is new.
func (s *seeding) InsertClient(ctx context.Context, who auth.Principal, c care.Client) (bool, error) {
	created, err := s.Tx.InsertClient(ctx, who, c)
	if created {
		s.made[c.ID] = nil
	}
	return created, err
}

// InsertCourse remembers the course.
func (s *seeding) InsertCourse(ctx context.Context, who auth.Principal, c care.Course) (bool, error) {
	created, err := s.Tx.InsertCourse(ctx, who, c)
	if created {
		s.courses[c.ID] = c
	}
	return created, err
}

// InsertSession remembers the session.
func (s *seeding) InsertSession(ctx context.Context, who auth.Principal, ses care.Session) (bool, error) {
	created, err := s.Tx.InsertSession(ctx, who, ses)
	if created && s.knows(ses.ClientID) {
		s.made[ses.ClientID] = append(s.made[ses.ClientID], ses)
	}
	return created, err
}

// InsertAssessments stores each form as of its own time. From here on the
// database is asked again.
func (s *seeding) InsertAssessments(ctx context.Context, who auth.Principal, as []care.Assessment) (map[uuid.UUID]bool, error) {
	clear(s.made)
	as = slices.Clone(as)
	for i := range as {
		if at, dated := s.recorded[as[i].ID]; dated {
			as[i].RecordedAt = at
		}
	}
	return s.Tx.InsertAssessments(ctx, who, as)
}

// Note dates the entries of forms as the forms.
func (s *seeding) Note(entries ...audit.Entry) {
	for i := range entries {
		if at, dated := s.recorded[entries[i].TargetID]; dated && entries[i].Action == "assessment.create" {
			entries[i].At = at
		}
	}
	s.Tx.Note(entries...)
}

// LockClients need not lock who is not stored yet.
func (s *seeding) LockClients(ctx context.Context, who auth.Principal, ids []uuid.UUID) error {
	if s.knows(ids...) {
		return nil
	}
	return s.Tx.LockClients(ctx, who, ids)
}

// Course finds a course.
func (s *seeding) Course(ctx context.Context, who auth.Principal, id uuid.UUID) (care.Course, error) {
	if c, found := s.courses[id]; found {
		return c, nil
	}
	return s.Tx.Course(ctx, who, id)
}

// Sessions gives the sessions of a client.
func (s *seeding) Sessions(ctx context.Context, who auth.Principal, client uuid.UUID, t *time.Time) ([]care.Session, error) {
	if t == nil && s.knows(client) {
		return s.made[client], nil
	}
	return s.Tx.Sessions(ctx, who, client, t)
}

// SessionsOf gives the sessions of several clients.
func (s *seeding) SessionsOf(ctx context.Context, who auth.Principal, clients []uuid.UUID) ([]care.Session, error) {
	if !s.knows(clients...) {
		return s.Tx.SessionsOf(ctx, who, clients)
	}
	var out []care.Session
	for _, id := range clients {
		out = append(out, s.made[id]...)
	}
	return out, nil
}

// Points are none of clients without a form.
func (s *seeding) Points(ctx context.Context, who auth.Principal, clients []uuid.UUID, instruments []string, t *time.Time) ([]care.Point, error) {
	if s.knows(clients...) {
		return nil, nil
	}
	return s.Tx.Points(ctx, who, clients, instruments, t)
}

// PutProgress has nothing to replace of clients without a form.
func (s *seeding) PutProgress(ctx context.Context, who auth.Principal, clients []uuid.UUID, instruments []string, rows []care.Progress) error {
	if len(rows) == 0 && s.knows(clients...) {
		return nil
	}
	return s.Tx.PutProgress(ctx, who, clients, instruments, rows)
}

// Settings are read once.
func (s *seeding) Settings(ctx context.Context, who auth.Principal) (care.Settings, error) {
	if s.settings != nil {
		return s.settings, nil
	}
	set, err := s.Tx.Settings(ctx, who)
	s.settings = set
	return set, err
}

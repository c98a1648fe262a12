package care

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
)

// SessionKind is the part that a session plays in a course.
type SessionKind string

// The kinds.
const (
	Preparation SessionKind = "preparation"
	Dosing      SessionKind = "dosing"
	Integration SessionKind = "integration"
	FollowUp    SessionKind = "follow_up"
)

// Route is how a medicine was given.
type Route string

// The routes of ketamine that the field reports.
const (
	Intravenous   Route = "intravenous"
	Intramuscular Route = "intramuscular"
	Subcutaneous  Route = "subcutaneous"
	Intranasal    Route = "intranasal"
	Sublingual    Route = "sublingual"
	Oral          Route = "oral"
)

// Routes lists every route.
func Routes() []Route {
	return []Route{Intravenous, Intramuscular, Subcutaneous, Intranasal, Sublingual, Oral}
}

// Medicine is what was given in a session.
type Medicine struct {
	Substance   string
	Route       Route
	DoseMG      float64  // milligrams in all
	DoseMGPerKG *float64 // milligrams per kilogram of body weight, where known
}

// Session is one meeting of a client with the clinic, past or planned.
type Session struct {
	ID        uuid.UUID
	ClientID  uuid.UUID
	CourseID  *uuid.UUID
	Kind      SessionKind
	Number    *int // as the clinic counts; nil: its place in time, see Place
	StartedAt time.Time
	EndedAt   *time.Time
	Medicine  *Medicine // dosing sessions only

	// Place is Number where given, else the place in time among the sessions
	// of this kind in the course, or of the client where it has no course.
	// It is derived on reading and not stored.
	Place int
	Revision
}

func (s Session) withRevision(r Revision) Session {
	s.Revision, s.Place = r, 0
	return s
}

// CheckSession is CheckClient for a session.
func (s *Service) CheckSession(ses Session) []fault.Detail { return ses.check() }

// check lists what is wrong with the session itself.
func (s Session) check() faults {
	var f faults
	if s.Number != nil && *s.Number < 1 {
		f.add("/number", "out_of_range", "Sessions are numbered from 1.")
	}
	switch {
	case s.StartedAt.IsZero():
		f.add("/started_at", "required", "The start is needed.")
	case !plausible(s.StartedAt):
		f.add("/started_at", "implausible_time", "The start lies before 1990 or in another century.")
	}
	switch {
	case s.EndedAt == nil:
	case s.EndedAt.Before(s.StartedAt):
		f.add("/ended_at", "before_start", "A session cannot end before it starts.")
	case !plausible(*s.EndedAt):
		f.add("/ended_at", "implausible_time", "The end lies before 1990 or in another century.")
	}
	if !slices.Contains([]SessionKind{Preparation, Dosing, Integration, FollowUp}, s.Kind) {
		f.add("/kind", "unknown_kind", "The kind is preparation, dosing, integration or follow_up.")
	}
	if m := s.Medicine; m != nil {
		if !slices.Contains(Routes(), m.Route) {
			f.add("/medicine/route", "unknown_route", "The route is intravenous, intramuscular, subcutaneous, intranasal, sublingual or oral.")
		}
		if slices.Contains([]SessionKind{Preparation, Integration, FollowUp}, s.Kind) {
			f.add("/medicine", "not_a_dosing_session", "Medicine is given in a dosing session only.")
		}
		if strings.TrimSpace(m.Substance) == "" {
			f.add("/medicine/substance", "required", "The substance is needed.")
		}
		if !(m.DoseMG > 0) {
			f.add("/medicine/dose_mg", "out_of_range", "The dose is more than 0 mg.")
		}
		if m.DoseMGPerKG != nil && !(*m.DoseMGPerKG > 0) {
			f.add("/medicine/dose_mg_per_kg", "out_of_range", "The dose is more than 0 mg/kg.")
		}
	}
	return f
}

// Place numbers the sessions of one client and returns them in time order.
func Place(sessions []Session) []Session {
	out := slices.Clone(sessions)
	PlaceHere(out)
	return out
}

// PlaceHere is Place for sessions that are the caller's own: it sorts and
// numbers them where they are. It costs little where they are in order.
func PlaceHere(sessions []Session) {
	compare := func(a, b *Session) int {
		return cmp.Or(a.StartedAt.Compare(b.StartedAt), slices.Compare(a.ID[:], b.ID[:]))
	}
	for i := 1; i < len(sessions); i++ {
		if compare(&sessions[i-1], &sessions[i]) > 0 {
			slices.SortFunc(sessions, func(a, b Session) int { return compare(&a, &b) })
			break
		}
	}
	var counted [8]tallied // few clients have more courses
	counts := counted[:0]
	for i := range sessions {
		ses := &sessions[i]
		counts, ses.Place = next(counts, uuid.Nil, ses.Kind)
		if ses.CourseID != nil {
			counts, ses.Place = next(counts, *ses.CourseID, ses.Kind)
		}
		if ses.Number != nil {
			ses.Place = *ses.Number
		}
	}
}

// tallied is how many sessions of a kind were met in a course, or of the client
// where the course is Nil.
type tallied struct {
	course uuid.UUID
	kind   SessionKind
	n      int
}

// next counts a session.
func next(counts []tallied, course uuid.UUID, kind SessionKind) ([]tallied, int) {
	for i := range counts {
		if c := &counts[i]; c.course == course && c.kind == kind {
			c.n++
			return counts, c.n
		}
	}
	return append(counts, tallied{course, kind, 1}), 1
}

var errUnknownCourse = fault.New(fault.Invalid, "The course is not one of this client's.",
	fault.Detail{Pointer: "/course_id", Code: "unknown_course", Message: "This client has no such course."})

// checkCourse makes sure that a session's course is its client's.
func checkCourse(ctx context.Context, who auth.Principal, tx Tx, ses Session) error {
	if ses.CourseID == nil {
		return nil
	}
	course, err := tx.Course(ctx, who, *ses.CourseID)
	if fault.Is(err, fault.NotFound) || err == nil && course.ClientID != ses.ClientID {
		return errUnknownCourse
	}
	return err
}

// CreateSession stores a session of ses.ClientID; NotFound if the clinic has
// no such client. Ids are idempotent as in CreateClient.
func (s *Service) CreateSession(ctx context.Context, who auth.Principal, ses Session) (Session, Outcome, error) {
	if err := s.require(ctx, who, auth.WriteCare); err != nil {
		return Session{}, Refused, err
	}
	if err := ses.check().err(); err != nil {
		return Session{}, Refused, err
	}
	if ses.ID == uuid.Nil {
		ses.ID = s.NewID()
	}
	ses.StartedAt, ses.EndedAt = stamp(ses.StartedAt), stampPtr(ses.EndedAt)
	created := false
	err := s.Store.Write(ctx, who, func(tx Tx) (err error) {
		if err := tx.LockClients(ctx, who, []uuid.UUID{ses.ClientID}); err != nil {
			return err
		}
		if err := checkCourse(ctx, who, tx, ses); err != nil {
			return err
		}
		ses.Revision = s.next(who, Revision{})
		if created, err = tx.InsertSession(ctx, who, ses); err != nil || !created {
			return err
		}
		tx.Note(s.did(who, "session.create", "session", ses.ID, ses.ClientID, audit.Diff(nil, ses.fields())...))
		tx.Emit(s.held(SessionRecorded, ses))
		if err := s.moveProgress(ctx, who, tx, []uuid.UUID{ses.ClientID}, nil); err != nil {
			return err
		}
		ses, err = placed(ctx, who, tx, ses)
		return err
	})
	if err != nil {
		return Session{}, Refused, err
	}
	if created {
		return ses, Created, nil
	}
	outcome := Refused
	err = s.Store.Read(ctx, who, func(r Reader) error {
		current, original, err := r.SessionHistory(ctx, who, ses.ID)
		if fault.Is(err, fault.NotFound) {
			return ErrIDTaken
		}
		if err != nil {
			return err
		}
		r.Note(s.did(who, "session.read", "session", ses.ID, ses.ClientID))
		if ses, outcome, err = settle(current, original, ses); err != nil {
			return err
		}
		ses, err = placed(ctx, who, r, ses)
		return err
	})
	return ses, outcome, err
}

// held is an event of a session.
func (s *Service) held(kind EventType, ses Session) Event {
	return s.happened(kind, ses.ClientID, map[string]string{"session_id": ses.ID.String(), "kind": string(ses.Kind)})
}

// placed fills in the session's place among its client's sessions.
func placed(ctx context.Context, who auth.Principal, r Reader, ses Session) (Session, error) {
	all, err := r.Sessions(ctx, who, ses.ClientID, nil)
	if err != nil {
		return Session{}, err
	}
	for _, sibling := range Place(all) {
		if sibling.ID == ses.ID {
			ses.Place = sibling.Place
		}
	}
	return ses, nil
}

// Session returns a session of the clinic.
func (s *Service) Session(ctx context.Context, who auth.Principal, id uuid.UUID) (Session, error) {
	if err := s.require(ctx, who, auth.ReadCare); err != nil {
		return Session{}, err
	}
	return read(ctx, s, who, func(r Reader) (Session, error) {
		ses, err := r.Session(ctx, who, id)
		if err != nil {
			return Session{}, err
		}
		r.Note(s.did(who, "session.read", "session", id, ses.ClientID))
		return placed(ctx, who, r, ses)
	})
}

// Sessions lists a client's sessions by start; NotFound for an unknown
// client. All are read, for each has its place among the others.
func (s *Service) Sessions(ctx context.Context, who auth.Principal, client uuid.UUID, page Page) ([]Session, error) {
	if err := s.require(ctx, who, auth.ReadCare); err != nil {
		return nil, err
	}
	all, err := read(ctx, s, who, func(r Reader) ([]Session, error) {
		if _, err := r.Client(ctx, who, client); err != nil {
			return nil, err
		}
		r.Note(s.did(who, "session.list", "client", client, client))
		return r.Sessions(ctx, who, client, nil)
	})
	if err != nil {
		return nil, err
	}
	return page.of(Place(all)), nil
}

// UpdateSession replaces the content of a session whose current version is
// expected; Stale if it is another. The client stays as it is. Moving a
// session moves what is computed from it.
func (s *Service) UpdateSession(ctx context.Context, who auth.Principal, ses Session, expected int) (Session, error) {
	if err := s.require(ctx, who, auth.WriteCare); err != nil {
		return Session{}, err
	}
	if err := ses.check().err(); err != nil {
		return Session{}, err
	}
	ses.StartedAt, ses.EndedAt = stamp(ses.StartedAt), stampPtr(ses.EndedAt)
	found, err := read(ctx, s, who, func(r Reader) (Session, error) { return r.Session(ctx, who, ses.ID) })
	if err != nil {
		return Session{}, err
	}
	ses.ClientID = found.ClientID
	err = s.Store.Write(ctx, who, func(tx Tx) error {
		if err := tx.LockClients(ctx, who, []uuid.UUID{ses.ClientID}); err != nil {
			return err
		}
		current, err := tx.Session(ctx, who, ses.ID)
		if err != nil {
			return err
		}
		if err := checkVersion(current.Revision, expected); err != nil {
			return err
		}
		if err := checkCourse(ctx, who, tx, ses); err != nil {
			return err
		}
		ses.Revision = s.next(who, current.Revision)
		tx.Note(s.did(who, "session.update", "session", ses.ID, ses.ClientID, audit.Diff(current.fields(), ses.fields())...))
		if err := tx.ReviseSession(ctx, who, ses); err != nil {
			return err
		}
		tx.Emit(s.held(SessionChanged, ses))
		if err := s.moveProgress(ctx, who, tx, []uuid.UUID{ses.ClientID}, nil); err != nil {
			return err
		}
		ses, err = placed(ctx, who, tx, ses)
		return err
	})
	if err != nil {
		return Session{}, err
	}
	return ses, nil
}

// fields are what the audit trail may tell of a change.
func (s Session) fields() []audit.Field {
	course, ended, medicine := "", "", ""
	if s.CourseID != nil {
		course = s.CourseID.String()
	}
	if s.EndedAt != nil {
		ended = s.EndedAt.Format(time.RFC3339Nano)
	}
	if m := s.Medicine; m != nil {
		medicine = fmt.Sprint(m.Substance, m.Route, m.DoseMG, m.DoseMGPerKG != nil)
		if m.DoseMGPerKG != nil {
			medicine += fmt.Sprint(*m.DoseMGPerKG)
		}
	}
	return []audit.Field{
		{Name: "kind", Value: string(s.Kind)},
		{Name: "course_id", Value: course},
		{Name: "number", Value: number(s.Number)},
		{Name: "started_at", Value: s.StartedAt.Format(time.RFC3339Nano)},
		{Name: "ended_at", Value: ended},
		{Name: "medicine", Value: medicine, Private: true},
	}
}

package care

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
)

// Date is a day without a time, as YYYY-MM-DD. It sorts as text.
type Date string

// ParseDate reads a YYYY-MM-DD day of the calendar.
func ParseDate(s string) (Date, error) {
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		return "", err
	}
	return Date(s), nil
}

// start is midnight UTC of the day: good for comparing, not for display.
func (d Date) start() time.Time {
	t, _ := time.Parse(time.DateOnly, string(d))
	return t
}

// Course is one client's treatment plan.
type Course struct {
	ID              uuid.UUID
	ClientID        uuid.UUID
	Indication      string // what is treated, for example depression
	StartedOn       Date
	EndedOn         *Date // nil while it goes on
	PlannedSessions *int
	Goals           Private // the client's own words; may be empty
	Revision
}

func (c Course) withRevision(r Revision) Course { c.Revision = r; return c }

// fields are what the audit trail may tell of a change.
func (c Course) fields() []audit.Field {
	ended := ""
	if c.EndedOn != nil {
		ended = string(*c.EndedOn)
	}
	return []audit.Field{
		{Name: "indication", Value: c.Indication, Private: true},
		{Name: "started_on", Value: string(c.StartedOn)},
		{Name: "ended_on", Value: ended},
		{Name: "planned_sessions", Value: number(c.PlannedSessions)},
		{Name: "goals", Value: string(c.Goals), Private: true},
	}
}

// CheckCourse is CheckClient for a course.
func (s *Service) CheckCourse(c Course) []fault.Detail { return c.check() }

func (c Course) check() faults {
	var f faults
	if strings.TrimSpace(c.Indication) == "" {
		f.add("/indication", "required", "An indication is needed.")
	}
	if _, err := ParseDate(string(c.StartedOn)); err != nil {
		f.add("/started_on", "not_a_date", "The start is a day as YYYY-MM-DD.")
	} else if !plausible(c.StartedOn.start()) {
		f.add("/started_on", "implausible_date", "The start lies before 1990 or in another century.")
	}
	if c.EndedOn != nil {
		if _, err := ParseDate(string(*c.EndedOn)); err != nil {
			f.add("/ended_on", "not_a_date", "The end is a day as YYYY-MM-DD.")
		} else if *c.EndedOn < c.StartedOn {
			f.add("/ended_on", "before_start", "A course cannot end before it starts.")
		} else if !plausible(c.EndedOn.start()) {
			f.add("/ended_on", "implausible_date", "The end lies before 1990 or in another century.")
		}
	}
	if c.PlannedSessions != nil && *c.PlannedSessions < 1 {
		f.add("/planned_sessions", "out_of_range", "A plan has at least one session.")
	}
	return f
}

// CreateCourse stores a course of c.ClientID; NotFound if the clinic has no
// such client. Ids are idempotent as in CreateClient.
func (s *Service) CreateCourse(ctx context.Context, who auth.Principal, c Course) (Course, Outcome, error) {
	if err := s.require(ctx, who, auth.WriteCare); err != nil {
		return Course{}, Refused, err
	}
	if err := c.check().err(); err != nil {
		return Course{}, Refused, err
	}
	if c.ID == uuid.Nil {
		c.ID = s.NewID()
	}
	created := false
	err := s.Store.Write(ctx, who, func(tx Tx) (err error) {
		if err := tx.LockClients(ctx, who, []uuid.UUID{c.ClientID}); err != nil {
			return err
		}
		c.Revision = s.next(who, Revision{})
		if created, err = tx.InsertCourse(ctx, who, c); created {
			tx.Note(s.did(who, "course.create", "course", c.ID, c.ClientID, audit.Diff(nil, c.fields())...))
		}
		return err
	})
	if err != nil {
		return Course{}, Refused, err
	}
	if created {
		return c, Created, nil
	}
	return settled(ctx, s, who, c, func(r Reader) (Course, Course, error) {
		r.Note(s.did(who, "course.read", "course", c.ID, c.ClientID))
		return r.CourseHistory(ctx, who, c.ID)
	})
}

// Course returns a course of the clinic.
func (s *Service) Course(ctx context.Context, who auth.Principal, id uuid.UUID) (Course, error) {
	if err := s.require(ctx, who, auth.ReadCare); err != nil {
		return Course{}, err
	}
	return read(ctx, s, who, func(r Reader) (Course, error) {
		c, err := r.Course(ctx, who, id)
		r.Note(s.did(who, "course.read", "course", id, c.ClientID))
		return c, err
	})
}

// Courses lists a client's courses by start; NotFound for an unknown client.
func (s *Service) Courses(ctx context.Context, who auth.Principal, client uuid.UUID, page Page) ([]Course, error) {
	if err := s.require(ctx, who, auth.ReadCare); err != nil {
		return nil, err
	}
	return read(ctx, s, who, func(r Reader) ([]Course, error) {
		if _, err := r.Client(ctx, who, client); err != nil {
			return nil, err
		}
		r.Note(s.did(who, "course.list", "client", client, client))
		return r.Courses(ctx, who, client, page)
	})
}

// UpdateCourse replaces the content of a course whose current version is
// expected; Stale if it is another. The client stays as it is.
func (s *Service) UpdateCourse(ctx context.Context, who auth.Principal, c Course, expected int) (Course, error) {
	if err := s.require(ctx, who, auth.WriteCare); err != nil {
		return Course{}, err
	}
	if err := c.check().err(); err != nil {
		return Course{}, err
	}
	err := s.Store.Write(ctx, who, func(tx Tx) error {
		current, err := tx.Course(ctx, who, c.ID)
		if err != nil {
			return err
		}
		if err := checkVersion(current.Revision, expected); err != nil {
			return err
		}
		c.ClientID = current.ClientID
		c.Revision = s.next(who, current.Revision)
		tx.Note(s.did(who, "course.update", "course", c.ID, c.ClientID, audit.Diff(current.fields(), c.fields())...))
		return tx.ReviseCourse(ctx, who, c)
	})
	if err != nil {
		return Course{}, err
	}
	return c, nil
}

// courseAt finds the course that an assessment without a session belongs to.
// A baseline is taken around a course's start, before or after, so it belongs
// to the course that starts nearest in time; any other belongs to the course
// started last. Both compare days in UTC.
func courseAt(courses []Course, at time.Time, baseline bool) (uuid.UUID, bool) {
	var best uuid.UUID
	found, least := false, time.Duration(0)
	for _, c := range courses {
		distance := at.Sub(c.StartedOn.start())
		if distance < 0 {
			if !baseline {
				continue
			}
			distance = -distance
		}
		if !found || distance < least {
			best, found, least = c.ID, true, distance
		}
	}
	return best, found
}

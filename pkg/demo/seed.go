package demo

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
)

// Seeded counts what a call of Seed met: a second call with the same stories
// creates nothing and knows everything.
type Seeded struct {
	Created, Known                          int // records of any kind, corrections aside
	Clients, Courses, Sessions, Assessments int
	Consents                                int
	Corrected                               int // amended or retracted by this call
}

// Add adds what another call met.
func (s *Seeded) Add(other Seeded) {
	s.Created, s.Known, s.Corrected = s.Created+other.Created, s.Known+other.Known, s.Corrected+other.Corrected
	s.Clients, s.Courses, s.Sessions = s.Clients+other.Clients, s.Courses+other.Courses, s.Sessions+other.Sessions
	s.Assessments, s.Consents = s.Assessments+other.Assessments, s.Consents+other.Consents
}

// Seed stores the stories through the service, as a clinic would have: client
// and course at enrolment, every form some minutes after it was completed,
// corrections days later. It works on a copy of the service whose clock it
// moves, so that a replay as of a past day shows what was known on that day.
//
// All is stored in one transaction: the first record that is refused ends it
// with an error, and nothing is. The principal needs to be a clinician, an
// admin or an owner.
func Seed(ctx context.Context, svc *care.Service, who auth.Principal, stories []Story) (Seeded, error) {
	var done Seeded
	err := svc.Store.Write(ctx, who, func(tx care.Tx) error {
		s := newSeeder(svc, who, tx) // afresh, for a transaction can be run again
		err := s.stories(ctx, stories)
		done = s.done
		return err
	})
	if err != nil {
		return Seeded{}, err
	}
	return done, nil
}

type seeder struct {
	service *care.Service
	who     auth.Principal
	tx      *seeding
	clock   time.Time
	done    Seeded
}

func newSeeder(svc *care.Service, who auth.Principal, tx care.Tx) *seeder {
	s := &seeder{who: who, tx: newSeeding(tx)}
	past := *svc
	past.Now = func() time.Time { return s.clock }
	past.Store = opened{Store: svc.Store, tx: s.tx}
	s.service = &past
	return s
}

func (s *seeder) stories(ctx context.Context, stories []Story) error {
	var forms []care.Assessment
	for _, story := range stories {
		if err := s.record(ctx, story); err != nil {
			return fmt.Errorf("seed %s: %w", story.Client.ID, err)
		}
		forms = append(forms, story.Assessments...)
		s.tx.date(story.Assessments)
	}
	if err := s.forms(ctx, forms); err != nil {
		return err
	}
	for _, story := range stories {
		for _, c := range story.Corrections {
			if err := s.correct(ctx, c); err != nil {
				return fmt.Errorf("seed %s: %w", story.Client.ID, err)
			}
		}
	}
	return nil
}

// record stores the client, what they said of research, and each course with
// its sessions when it begins.
func (s *seeder) record(ctx context.Context, story Story) error {
	s.clock = story.Enrolled
	_, outcome, err := s.service.CreateClient(ctx, s.who, story.Client)
	if err != nil {
		return err
	}
	s.count(outcome, &s.done.Clients)
	for _, c := range story.Courses {
		if err := s.course(ctx, c, story.Sessions); err != nil {
			return err
		}
	}
	for _, c := range story.Consents {
		s.clock = c.At
		_, outcome, err := s.service.RecordConsent(ctx, s.who, c)
		if err != nil {
			return err
		}
		s.count(outcome, &s.done.Consents)
	}
	return nil
}

func (s *seeder) course(ctx context.Context, c care.Course, sessions []care.Session) error {
	s.clock = booked(c)
	_, outcome, err := s.service.CreateCourse(ctx, s.who, c)
	if err != nil {
		return err
	}
	s.count(outcome, &s.done.Courses)
	for _, ses := range sessions {
		if ses.CourseID == nil || *ses.CourseID != c.ID {
			continue
		}
		_, outcome, err := s.service.CreateSession(ctx, s.who, ses)
		if err != nil {
			return err
		}
		s.count(outcome, &s.done.Sessions)
	}
	return nil
}

func (s *seeder) count(outcome care.Outcome, kind *int) {
	*kind++
	if outcome == care.Known {
		s.done.Known++
		return
	}
	s.done.Created++
}

// forms stores the forms of all stories at once, each at its own time.
func (s *seeder) forms(ctx context.Context, forms []care.Assessment) error {
	if len(forms) == 0 {
		return nil
	}
	s.clock = slices.MaxFunc(forms, func(a, b care.Assessment) int { return a.CompletedAt.Compare(b.CompletedAt) }).CompletedAt
	recorded, err := s.service.RecordAssessments(ctx, s.who, forms)
	if err != nil {
		return err
	}
	for _, r := range recorded {
		if r.Err != nil {
			return fmt.Errorf("seed %s: %w", r.Assessment.ID, r.Err)
		}
		s.count(r.Outcome, &s.done.Assessments)
	}
	return nil
}

// correct amends or retracts, unless that was done by an earlier call.
func (s *seeder) correct(ctx context.Context, c Correction) error {
	current, err := s.service.Assessment(ctx, s.who, c.ID)
	if err != nil || current.Version > 1 {
		return err
	}
	s.clock = c.At
	if c.Amended == nil {
		_, err = s.service.Retract(ctx, s.who, c.ID, c.Reason, nil)
	} else {
		amended := *c.Amended
		amended.Reason = c.Reason
		_, err = s.service.Amend(ctx, s.who, amended, current.Version)
	}
	if err == nil {
		s.done.Corrected++
	}
	return err
}

// sittings splits forms into those that were filled in at one go.
func sittings(forms []care.Assessment) [][]care.Assessment {
	var out [][]care.Assessment
	for i, x := range forms {
		if i == 0 || x.CompletedAt.Sub(forms[i-1].CompletedAt) > time.Hour {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], x)
	}
	return out
}

// dates says when each form was recorded: five minutes after the last one of
// its sitting was completed.
func dates(into map[uuid.UUID]time.Time, forms []care.Assessment) {
	for _, sitting := range sittings(forms) {
		last := slices.MaxFunc(sitting, func(a, b care.Assessment) int { return a.CompletedAt.Compare(b.CompletedAt) })
		for _, x := range sitting {
			into[x.ID] = last.CompletedAt.Add(5 * time.Minute)
		}
	}
}

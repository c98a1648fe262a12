package demo

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
)

// Seeded counts what a call of Seed met: a second call with the same stories
// creates nothing and knows everything.
type Seeded struct {
	Created, Known                          int // records of any kind, corrections aside
	Clients, Courses, Sessions, Assessments int
	Corrected                               int // amended or retracted by this call
}

// Seed stores the stories through the service, as a clinic would have: client
// and course at enrolment, every form some minutes after it was completed,
// corrections days later. It works on a copy of the service whose clock it
// moves, so that a replay as of a past day shows what was known on that day.
//
// The first record that is refused ends it with an error; what was stored
// stays, and a second call goes on from there. The principal needs to be a
// clinician or an admin.
func Seed(ctx context.Context, svc *care.Service, who auth.Principal, stories []Story) (Seeded, error) {
	var clock time.Time
	past := *svc
	past.Now = func() time.Time { return clock }
	s := &seeder{service: &past, who: who, clock: &clock}
	for _, story := range stories {
		if err := s.story(ctx, story); err != nil {
			return s.done, fmt.Errorf("seed %s: %w", story.Client.ID, err)
		}
	}
	return s.done, nil
}

type seeder struct {
	service *care.Service
	who     auth.Principal
	clock   *time.Time
	done    Seeded
}

func (s *seeder) story(ctx context.Context, story Story) error {
	if err := s.record(ctx, story); err != nil {
		return err
	}
	for _, sitting := range sittings(story.Assessments) {
		if err := s.sitting(ctx, sitting); err != nil {
			return err
		}
	}
	for _, c := range story.Corrections {
		if err := s.correct(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// record stores the client, and each course with its sessions when it begins.
func (s *seeder) record(ctx context.Context, story Story) error {
	*s.clock = story.Enrolled
	_, outcome, err := s.service.CreateClient(ctx, s.who, story.Client)
	if err != nil {
		return err
	}
	s.count(outcome, &s.done.Clients)
	for _, c := range story.Courses {
		*s.clock = booked(c)
		_, outcome, err := s.service.CreateCourse(ctx, s.who, c)
		if err != nil {
			return err
		}
		s.count(outcome, &s.done.Courses)
		for _, ses := range story.Sessions {
			if ses.CourseID == nil || *ses.CourseID != c.ID {
				continue
			}
			_, outcome, err := s.service.CreateSession(ctx, s.who, ses)
			if err != nil {
				return err
			}
			s.count(outcome, &s.done.Sessions)
		}
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

// sitting stores the forms of one sitting in one transaction.
func (s *seeder) sitting(ctx context.Context, forms []care.Assessment) error {
	last := slices.MaxFunc(forms, func(a, b care.Assessment) int { return a.CompletedAt.Compare(b.CompletedAt) })
	*s.clock = last.CompletedAt.Add(5 * time.Minute)
	recorded, err := s.service.RecordAssessments(ctx, s.who, forms)
	if err != nil {
		return err
	}
	for _, r := range recorded {
		if r.Err != nil {
			return r.Err
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
	*s.clock = c.At
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

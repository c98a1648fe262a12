package research

import (
	"context"
	"time"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/trajectory"
)

// cases are people as the figures see them, as they were known at a time.
func cases(ctx context.Context, who auth.Principal, r Reader, people []Person, q HistoryQuery, until time.Time) cohort.Cases {
	return func(yield func(cohort.Case, error) bool) {
		for h, err := range r.Histories(ctx, who, people, q) {
			if err != nil {
				yield(cohort.Case{}, err)
				return
			}
			if !yield(caseOf(h, until), nil) {
				return
			}
		}
	}
}

// caseOf is a person's first course in which a dose was given by a time. What
// is only planned then is no dose.
func caseOf(h History, until time.Time) cohort.Case {
	c := cohort.Case{Person: h.Person.ID, Enrolled: enrolled(h), Until: until, Sex: string(h.Client.Sex), BirthYear: h.Client.BirthYear}
	x := indexOf(h.Sessions, until)
	if course := x.course(h.Courses); course != nil {
		c.Indication, c.Planned = course.Indication, course.PlannedSessions
	}
	for i := range h.Sessions {
		ses := &h.Sessions[i]
		if ses.Kind == care.Dosing && !ses.StartedAt.After(until) && !x.over(ses.StartedAt) {
			if c.Doses == nil {
				c.Doses = make([]cohort.Dose, 0, len(h.Sessions)-i)
			}
			c.Doses = append(c.Doses, doseOf(ses))
		}
	}
	if x.ends != nil && !x.ends.After(until) {
		c.Ended = x.ends
	}
	c.Scores, c.Later = x.scores(h)
	return c
}

// enrolled is the earliest that is known of a person: a record is often begun
// when the treatment has long begun.
func enrolled(h History) time.Time {
	earliest := h.Enrolled
	consider := func(t time.Time) {
		if !t.IsZero() && (earliest.IsZero() || t.Before(earliest)) {
			earliest = t
		}
	}
	for _, c := range h.Courses {
		if day, err := time.Parse(time.DateOnly, string(c.StartedOn)); err == nil {
			consider(day)
		}
	}
	for _, ses := range h.Sessions {
		consider(ses.StartedAt)
	}
	for i := range h.Forms {
		consider(h.Forms[i].CompletedAt)
	}
	return earliest
}

// index is the course that a case is about.
type index struct {
	dose *care.Session // the first; nil: none was given
	ends *time.Time    // when the next course began; nil: there was none
}

// indexOf finds the index course; sessions are in order of time.
func indexOf(sessions []care.Session, until time.Time) index {
	var x index
	for i := range sessions {
		ses := &sessions[i]
		switch {
		case x.dose == nil:
			if ses.Kind == care.Dosing && !ses.StartedAt.After(until) {
				x.dose = ses
			}
		case x.ends == nil && x.other(ses):
			x.ends = &ses.StartedAt
		}
	}
	return x
}

// course is the course of the first dose, or the person's first where no dose
// was given; nil: none was recorded.
func (x index) course(courses []care.Course) *care.Course {
	for i := range courses {
		if x.dose == nil || x.dose.CourseID != nil && *x.dose.CourseID == courses[i].ID {
			return &courses[i]
		}
	}
	return nil
}

// other reports whether a session belongs to another course. One that belongs
// to none goes with the course that it falls in.
func (x index) other(ses *care.Session) bool {
	return ses.CourseID != nil && (x.dose.CourseID == nil || *x.dose.CourseID != *ses.CourseID)
}

// over reports whether the case had ended by a time.
func (x index) over(t time.Time) bool { return x.ends != nil && !t.Before(*x.ends) }

// scores are the forms of the case and those of later courses, by instrument.
func (x index) scores(h History) (of, later map[string][]cohort.Score) {
	of = map[string][]cohort.Score{}
	for forms := h.Forms; len(forms) > 0; {
		n := 1
		for n < len(forms) && forms[n].Instrument == forms[0].Instrument {
			n++
		}
		scores, others := x.scoresOf(forms[:n], h.Sessions)
		if len(scores) > 0 {
			of[forms[0].Instrument] = scores
		}
		if len(others) > 0 {
			if later == nil {
				later = map[string][]cohort.Score{}
			}
			later[forms[0].Instrument] = others
		}
		forms = forms[n:]
	}
	return of, later
}

// scoresOf are the forms of one instrument. What was filled in before a session
// of a later course is that course's.
func (x index) scoresOf(forms []Form, sessions []care.Session) (of, later []cohort.Score) {
	of = make([]cohort.Score, 0, len(forms))
	for i := range forms {
		f := &forms[i]
		ses := sessionOf(f, sessions)
		score := x.score(f, ses)
		if x.over(f.CompletedAt) || ses != nil && x.over(ses.StartedAt) {
			later = append(later, score)
		} else {
			of = append(of, score)
		}
	}
	return of, later
}

// sessionOf finds the session of a form; nil: it names none that is known. A
// person has few sessions: to look through them costs less than a map.
func sessionOf(f *Form, sessions []care.Session) *care.Session {
	if f.SessionID == nil {
		return nil
	}
	for i := range sessions {
		if sessions[i].ID == *f.SessionID {
			return &sessions[i]
		}
	}
	return nil
}

func (x index) score(f *Form, ses *care.Session) cohort.Score {
	s := cohort.Score{
		ID: f.ID, Version: f.Version, At: f.CompletedAt, Timing: trajectory.Timing(f.Timing), Window: f.RecallWindow,
		Total: f.Total, Item9: f.Item9,
	}
	if f.Severity != nil {
		s.Severity = *f.Severity
	}
	if ses != nil && ses.Kind == care.Dosing {
		s.Dose = ses.Place
	}
	if x.dose != nil {
		s.Days = new(trajectory.Days(x.dose.StartedAt, f.CompletedAt))
	}
	return s
}

func doseOf(ses *care.Session) cohort.Dose {
	d := cohort.Dose{Number: ses.Place, At: ses.StartedAt}
	if m := ses.Medicine; m != nil {
		d.Substance, d.Route, d.MG, d.MGPerKG = m.Substance, string(m.Route), m.DoseMG, m.DoseMGPerKG
	}
	return d
}

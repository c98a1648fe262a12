package care

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
)

// Agenda is a page of the sessions of one day of the clinic.
type Agenda struct {
	Day      Date
	Sessions int     // on the day, on whatever page
	Visits   []Visit // of the page, in order of time
}

// Visit is a session of an agenda, with what whoever holds it looks at first.
type Visit struct {
	Client  Client
	Session Session       // with its place
	Forms   []SessionForm // by timing and instrument
	Scores  []Progress    // where the client stands, by instrument; none: never assessed
	Consent ConsentStatus // to care, now; empty: nothing was said of it

	LastDoseAt        *time.Time // when the last dosing session before this one began that has begun; nil: none has
	DaysSinceLastDose *int       // from then to this session, in days of the calendar in the client's zone
}

// SessionForm is a form that belongs to a session: one that is expected of the
// client, see DueForms, or one that was filled in. Of one that nobody expected
// the window is zero.
type SessionForm struct {
	DueForm
	AssessmentID *uuid.UUID // that stands; nil: none
	Total        *float64   // its score; nil where it has none
}

// FormState is what has become of a form of a session.
type FormState string

// The states.
const (
	FormDone   FormState = "done"
	FormLater  FormState = "later" // not due yet
	FormDue    FormState = "due"
	FormMissed FormState = "missed" // its time has passed
)

// State says what has become of the form by a time.
func (f SessionForm) State(now time.Time) FormState {
	switch {
	case f.AssessmentID != nil:
		return FormDone
	case f.open(now):
		return FormDue
	case now.Before(f.From):
		return FormLater
	}
	return FormMissed
}

// Zones are at most so far from UTC, to the east and to the west.
const (
	farthestEast = 14 * time.Hour
	farthestWest = 12 * time.Hour
)

// Position is where the visit stands in its agenda.
func (v Visit) Position() Position { return Position{Time: v.Session.StartedAt, ID: v.Session.ID} }

// Today gives the sessions of a day of the calendar, each by its client's own
// zone, behind page.After; nil is the day that it is for each client now. The Day
// of the answer is then that of the first of them, or that in UTC. Clients out of
// reach are not among them. The number of statements does not depend on how many
// there are.
func (s *Service) Today(ctx context.Context, who auth.Principal, day *Date, page Page) (Agenda, error) {
	if err := s.require(ctx, who, auth.ReadCaseload); err != nil {
		return Agenda{}, err
	}
	return read(ctx, s, who, func(r Reader) (Agenda, error) {
		out := Agenda{Day: dateOf(s.Now())}
		if day != nil {
			out.Day = *day
		}
		sessions, clients, err := s.meetings(ctx, who, r, out.Day, day == nil)
		if err != nil {
			return Agenda{}, err
		}
		out.Sessions = len(sessions)
		if day == nil && len(sessions) > 0 {
			out.Day = dateOf(s.Now().In(clients[sessions[0].ClientID].Zone()))
		}
		if out.Visits, err = s.visits(ctx, who, r, page.of(sessions), clients); err != nil {
			return Agenda{}, err
		}
		r.Note(s.saw(who, "agenda.read", seen(out.Visits)))
		return out, nil
	})
}

// of is the part of sessions, in order of start and id, that a page has.
func (p Page) of(sessions []Session) []Session {
	if p.After.ID != uuid.Nil {
		sessions = slices.DeleteFunc(sessions, func(ses Session) bool {
			return cmp.Or(ses.StartedAt.Compare(p.After.Time), slices.Compare(ses.ID[:], p.After.ID[:])) <= 0
		})
	}
	return sessions[:min(len(sessions), p.Limit)]
}

// seen are the clients of visits, once each.
func seen(visits []Visit) []uuid.UUID {
	ids := idsOf(visits, func(v Visit) uuid.UUID { return v.Client.ID })
	slices.SortFunc(ids, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
	return slices.Compact(ids)
}

// dateOf is the day of a time, in its zone.
func dateOf(t time.Time) Date { return Date(t.Format(time.DateOnly)) }

// meetings finds the sessions of a day, and whose they are: of the given day, or
// of each client's own today.
func (s *Service) meetings(ctx context.Context, who auth.Principal, r Reader, day Date, now bool) ([]Session, map[uuid.UUID]Client, error) {
	from := day.start()
	if !plausible(from) {
		return nil, nil, errNoDay
	}
	to := from.AddDate(0, 0, 1)
	if now { // somewhere it is the day before, or after
		from, to = from.AddDate(0, 0, -1), to.AddDate(0, 0, 1)
	}
	found, err := r.SessionsBetween(ctx, who, from.Add(-farthestEast), to.Add(farthestWest))
	if err != nil {
		return nil, nil, err
	}
	clients, err := r.ClientsOf(ctx, who, idsOf(found, func(ses Session) uuid.UUID { return ses.ClientID }))
	if err != nil {
		return nil, nil, err
	}
	found = slices.DeleteFunc(found, func(ses Session) bool {
		zone, want := clients[ses.ClientID].Zone(), day
		if now {
			want = dateOf(s.Now().In(zone))
		}
		return dateOf(ses.StartedAt.In(zone)) != want
	})
	return found, clients, nil
}

var errNoDay = fault.New(fault.Invalid, "There is no such day.",
	fault.Detail{Pointer: "/day", In: "query", Code: "date", Message: "A day is written as in 2026-03-10."})

// visits tells of sessions what whoever holds them looks at first.
func (s *Service) visits(ctx context.Context, who auth.Principal, r Reader, sessions []Session, clients map[uuid.UUID]Client) ([]Visit, error) {
	people := idsOf(sessions, func(ses Session) uuid.UUID { return ses.ClientID })
	progress, err := r.ProgressOf(ctx, who, people)
	if err != nil {
		return nil, err
	}
	points, err := r.SessionPoints(ctx, who, people, idsOf(sessions, func(ses Session) uuid.UUID { return ses.ID }))
	if err != nil {
		return nil, err
	}
	consents, err := r.Consents(ctx, who, people, s.Now())
	if err != nil {
		return nil, err
	}
	whole, err := r.SessionsOf(ctx, who, people)
	if err != nil {
		return nil, err
	}
	scores, courses := byClient(progress), map[uuid.UUID][]Session{}
	for _, ses := range whole {
		courses[ses.ClientID] = append(courses[ses.ClientID], ses)
	}
	taken := formsTaken(points)
	out := make([]Visit, len(sessions))
	for i, ses := range sessions {
		v := Visit{Client: clients[ses.ClientID], Session: ses, Scores: scores[ses.ClientID]}
		v.Consent = consents[ses.ClientID].Standing(s.Now())[ForCare].Status
		v.Forms = v.forms(taken)
		v.follow(courses[ses.ClientID], s.Now())
		out[i] = v
	}
	return out, nil
}

func byClient(progress []Progress) map[uuid.UUID][]Progress {
	out := map[uuid.UUID][]Progress{}
	for _, p := range progress {
		out[p.ClientID] = append(out[p.ClientID], p)
	}
	return out
}

// forms are those that are expected of the client, and those filled in besides.
func (v Visit) forms(taken map[formKey]Point) []SessionForm {
	instruments := make([]string, len(v.Scores))
	for i, p := range v.Scores {
		instruments[i] = p.Instrument
	}
	var out []SessionForm
	known := map[formKey]bool{}
	for _, due := range v.Session.expected(instruments) {
		form := SessionForm{DueForm: due}
		if p, stands := taken[due.key()]; stands {
			form.AssessmentID, form.Total = &p.ID, p.Total
		}
		known[due.key()] = true
		out = append(out, form)
	}
	for key, p := range taken {
		if key.session == v.Session.ID && !known[key] {
			due := DueForm{Instrument: p.Instrument, Timing: p.Timing, SessionID: key.session}
			out = append(out, SessionForm{DueForm: due, AssessmentID: &p.ID, Total: p.Total})
		}
	}
	slices.SortFunc(out, func(a, b SessionForm) int {
		return cmp.Or(a.Timing.place()-b.Timing.place(), cmp.Compare(a.Instrument, b.Instrument))
	})
	return out
}

// place orders timings as they come.
func (t Timing) place() int {
	return slices.Index([]Timing{AtBaseline, BeforeIt, AfterIt, AtFollowUp}, t)
}

// follow finds the session's place among those of its client, and the last dose
// before it that is more than a plan.
func (v *Visit) follow(course []Session, now time.Time) {
	for _, ses := range Place(course) {
		if ses.ID == v.Session.ID {
			v.Session.Place = ses.Place
			return
		}
		if ses.Kind == Dosing && !ses.StartedAt.After(now) {
			v.LastDoseAt = new(ses.StartedAt)
			v.DaysSinceLastDose = new(daysBetween(ses.StartedAt, v.Session.StartedAt, v.Client.Zone()))
		}
	}
}

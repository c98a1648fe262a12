package care

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
)

// The windows in which a form is due, seen from a dosing session. They are this
// product's choice: a form asks about the last week or two, so that one of a
// week before the session says where the client stood, and one of more than
// two weeks after it speaks of days that the session has nothing to do with.
const (
	DueBefore = 7 * 24 * time.Hour  // until the session starts
	DueAfter  = 14 * 24 * time.Hour // from when the session is over
)

// DueForm is a form that a client has still to fill in.
type DueForm struct {
	Instrument string
	Timing     Timing // BeforeIt or AfterIt
	SessionID  uuid.UUID
	From       time.Time // due from here on
	Until      time.Time // and no longer then
}

// DueForms lists the forms that one client has to fill in now, by when they end:
// before and after each dosing session, every instrument that the client has an
// assessment of, unless the one in question stands already. Points are the
// assessments that stand. Who has none has nothing due: what a client is asked
// first is the clinic's to choose.
func DueForms(points []Point, sessions []Session, now time.Time) []DueForm {
	var instruments []string
	for _, p := range points {
		if !slices.Contains(instruments, p.Instrument) {
			instruments = append(instruments, p.Instrument)
		}
	}
	taken := formsTaken(points)
	var due []DueForm
	for _, ses := range sessions {
		for _, form := range ses.expected(instruments) {
			if _, stands := taken[form.key()]; !stands && form.open(now) {
				due = append(due, form)
			}
		}
	}
	slices.SortFunc(due, func(a, b DueForm) int {
		return cmp.Or(a.Until.Compare(b.Until), slices.Compare(a.SessionID[:], b.SessionID[:]),
			cmp.Compare(a.Timing, b.Timing), cmp.Compare(a.Instrument, b.Instrument))
	})
	return due
}

// formKey tells the forms of a client's sessions apart.
type formKey struct {
	instrument string
	timing     Timing
	session    uuid.UUID
}

func (f DueForm) key() formKey { return formKey{f.Instrument, f.Timing, f.SessionID} }

// open reports whether the form is due at a time, unless it stands.
func (f DueForm) open(now time.Time) bool { return !now.Before(f.From) && now.Before(f.Until) }

// formsTaken finds the assessments of sessions; of two of one form, the later.
func formsTaken(points []Point) map[formKey]Point {
	taken := map[formKey]Point{}
	for _, p := range points {
		if p.SessionID != nil {
			taken[formKey{p.Instrument, p.Timing, *p.SessionID}] = p
		}
	}
	return taken
}

// expected are the forms of a session on each of the instruments.
func (s Session) expected(instruments []string) []DueForm {
	var out []DueForm
	for _, form := range s.windows() {
		for _, form.Instrument = range instruments {
			out = append(out, form)
		}
	}
	return out
}

// windows are when forms are due for a session: none for one without a dose.
func (s Session) windows() []DueForm {
	if s.Kind != Dosing {
		return nil
	}
	over := s.StartedAt
	if s.EndedAt != nil {
		over = *s.EndedAt
	}
	return []DueForm{
		{Timing: BeforeIt, SessionID: s.ID, From: s.StartedAt.Add(-DueBefore), Until: s.StartedAt},
		{Timing: AfterIt, SessionID: s.ID, From: over, Until: over.Add(DueAfter)},
	}
}

// DueForms lists what a client has to fill in now, see the function of that
// name; NotFound for an unknown client.
func (s *Service) DueForms(ctx context.Context, who auth.Principal, client uuid.UUID) ([]DueForm, error) {
	if err := s.require(ctx, who, auth.ReadDueForms); err != nil {
		return nil, err
	}
	return read(ctx, s, who, func(r Reader) ([]DueForm, error) {
		if _, err := r.Client(ctx, who, client); err != nil {
			return nil, err
		}
		r.Note(s.did(who, "due_form.list", "client", client, client))
		points, err := r.Points(ctx, who, []uuid.UUID{client}, nil, nil)
		if err != nil {
			return nil, err
		}
		sessions, err := r.Sessions(ctx, who, client, nil)
		if err != nil {
			return nil, err
		}
		return DueForms(points, sessions, s.Now()), nil
	})
}

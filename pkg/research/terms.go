package research

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
)

// Terms are what the bytes of an export depend on besides the record and the
// request. They are settled when it is read first; who sets them before repeats
// an earlier export. They are stored with a snapshot; hence the tags.
type Terms struct {
	Versions map[string]string `json:"versions"` // of each instrument's definition
	Rules    map[string]string `json:"rules"`    // change rule set of each instrument; absent: none applies
	// Shown are, by column, the values that enough people share; all others are
	// merged. What few have, or one, is kept nowhere: it would outlive their record.
	Shown    map[string][]string `json:"shown,omitempty"`
	Sessions int                 `json:"sessions,omitempty"` // of the shape wide: up to which number dosing sessions have columns
}

// settle fills in what an export that repeats no other one is made by.
func (s *Service) settle(ctx context.Context, x *Export, r Reader, agreed []Person) error {
	if x.Terms == nil {
		t, err := s.terms(ctx, x, r, agreed)
		if err != nil {
			return err
		}
		if err := s.survey(ctx, x, r, agreed, t); err != nil {
			return err
		}
		x.Terms = t
	}
	x.disguise.shown = x.Terms.Shown
	return nil
}

// terms are those that are known without the people.
func (s *Service) terms(ctx context.Context, x *Export, r Reader, agreed []Person) (*Terms, error) {
	t := &Terms{Versions: map[string]string{}, Rules: map[string]string{}}
	set, err := r.Settings(ctx, x.who)
	if err != nil {
		return nil, err
	}
	for _, id := range x.Request.Instruments {
		def, err := s.Instruments.Get(id)
		if fault.Is(err, fault.NotFound) {
			return nil, x.undefined(ctx, r, agreed, id)
		}
		if err != nil {
			return nil, err
		}
		t.Versions[id] = def.Version
		if rules, found := def.ChangeOrDefault(set[id].ChangeRules); found {
			t.Rules[id] = rules.ID
		}
	}
	return t, nil
}

// undefined is the fault of an instrument that people have answered and that
// this server knows no more. The first answers that are found tell the version.
func (x *Export) undefined(ctx context.Context, r Reader, people []Person, id string) error {
	version := ""
	for h, err := range r.Histories(ctx, x.who, people, HistoryQuery{AsOf: x.Request.AsOf, Instruments: []string{id}, Retracted: true}) {
		if err != nil {
			return err
		}
		if len(h.Forms) > 0 {
			version = h.Forms[0].InstrumentVersion
			break
		}
	}
	return fault.New(fault.Conflict, fmt.Sprintf("The export would lose answers: this server has no definition of %s. Give it one, or name the instruments that you want.",
		strings.TrimSpace(id+" "+version)))
}

// survey reads people once for what must be known of them before their rows:
// which values of a category are shown, and how many dosing sessions have columns.
func (s *Service) survey(ctx context.Context, x *Export, r Reader, agreed []Person, t *Terms) error {
	people := x.People
	var looks []func(*History)
	tally := tallyOf(x.sent.Profile)
	if t.Shown = x.disguise.shown; x.Request.categorised() && t.Shown == nil && tally != nil {
		people, looks = agreed, append(looks, tally.look)
	} else {
		tally = nil
	}
	if x.Request.Shape == Wide {
		looks = append(looks, x.mostDoses(&t.Sessions))
	}
	if err := x.pass(ctx, r, people, looks...); err != nil || tally == nil {
		return err
	}
	var err error
	t.Shown, err = s.shown(ctx, x, r, tally)
	return err
}

// pass shows each of the people, without their forms, to all who look. Where
// nobody does, nothing is read.
func (x *Export) pass(ctx context.Context, r Reader, people []Person, looks ...func(*History)) error {
	if len(looks) == 0 {
		return nil
	}
	for h, err := range r.Histories(ctx, x.who, people, HistoryQuery{AsOf: x.Request.AsOf, SkipForms: true}) {
		if err != nil {
			return err
		}
		for _, look := range looks {
			look(&h)
		}
	}
	return nil
}

// mostDoses finds the highest number of a dosing session of the people of an
// export, up to the most that have columns.
func (x *Export) mostDoses(most *int) func(*History) {
	about := make(map[uuid.UUID]bool, len(x.People))
	for _, p := range x.People {
		about[p.ID] = true
	}
	return func(h *History) {
		if !about[h.Person.ID] {
			return
		}
		for _, ses := range h.Sessions {
			if ses.Kind == care.Dosing && !ses.StartedAt.After(x.Until()) && ses.Place <= widest {
				*most = max(*most, ses.Place)
			}
		}
	}
}

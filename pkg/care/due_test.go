//go:build unix

package care_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
)

func TestAFormIsDueAroundADosingSessionUntilItStands(t *testing.T) {
	dose := care.Session{ID: uuid.UUID{1}, Kind: care.Dosing, StartedAt: day(20)}
	long := dose
	long.EndedAt = new(day(20).Add(2 * time.Hour))
	talk := care.Session{ID: uuid.UUID{2}, Kind: care.Integration, StartedAt: day(20)}
	next := care.Session{ID: uuid.UUID{3}, Kind: care.Dosing, StartedAt: day(24)}
	baseline := care.Point{Instrument: "phq-9", Timing: care.AtBaseline}
	other := care.Point{Instrument: "gad-7", Timing: care.AtFollowUp}
	before := care.Point{Instrument: "phq-9", Timing: care.BeforeIt, SessionID: &dose.ID}
	after := care.Point{Instrument: "phq-9", Timing: care.AfterIt, SessionID: &dose.ID}
	for name, c := range map[string]struct {
		points   []care.Point
		sessions []care.Session
		now      time.Time
		want     []string // instrument, timing, session
	}{
		"never assessed":                     {nil, []care.Session{dose}, day(20), nil},
		"no session":                         {[]care.Point{baseline}, nil, day(20), nil},
		"a session without a dose":           {[]care.Point{baseline}, []care.Session{talk}, day(20), nil},
		"more than a week before":            {[]care.Point{baseline}, []care.Session{dose}, day(13).Add(-1), nil},
		"a week before":                      {[]care.Point{baseline}, []care.Session{dose}, day(13), []string{"phq-9 before 1"}},
		"up to the start":                    {[]care.Point{baseline}, []care.Session{dose}, day(20).Add(-1), []string{"phq-9 before 1"}},
		"from the start":                     {[]care.Point{baseline}, []care.Session{dose}, day(20), []string{"phq-9 after 1"}},
		"while it lasts":                     {[]care.Point{baseline}, []care.Session{long}, day(20), nil},
		"from the end":                       {[]care.Point{baseline}, []care.Session{long}, day(20).Add(2 * time.Hour), []string{"phq-9 after 1"}},
		"up to two weeks":                    {[]care.Point{baseline}, []care.Session{dose}, day(34).Add(-1), []string{"phq-9 after 1"}},
		"after two weeks":                    {[]care.Point{baseline}, []care.Session{dose}, day(34), nil},
		"it stands before":                   {[]care.Point{before}, []care.Session{dose}, day(19), nil},
		"it stands after":                    {[]care.Point{before, after}, []care.Session{dose}, day(21), nil},
		"the one before is none after":       {[]care.Point{before}, []care.Session{dose}, day(21), []string{"phq-9 after 1"}},
		"of another instrument it does not":  {[]care.Point{after, other}, []care.Session{dose}, day(21), []string{"gad-7 after 1"}},
		"for another session it does not":    {[]care.Point{before, after}, []care.Session{dose, next}, day(21), []string{"phq-9 before 3"}},
		"what ends first comes first":        {[]care.Point{baseline, other}, []care.Session{dose, next}, day(21), []string{"gad-7 before 3", "phq-9 before 3", "gad-7 after 1", "phq-9 after 1"}},
		"an instrument that was taken twice": {[]care.Point{baseline, baseline}, []care.Session{dose}, day(21), []string{"phq-9 after 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			due := care.DueForms(c.points, c.sessions, c.now)
			for _, f := range due {
				got = append(got, f.Instrument+" "+string(f.Timing)+" "+string('0'+rune(f.SessionID[0])))
				if c.now.Before(f.From) || !c.now.Before(f.Until) {
					t.Errorf("due from %v until %v", f.From, f.Until)
				}
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			slices.Reverse(c.points)
			slices.Reverse(c.sessions)
			if d := cmp.Diff(due, care.DueForms(c.points, c.sessions, c.now)); d != "" {
				t.Errorf("in another order (-want +got):\n%s", d)
			}
		})
	}
}

func TestAClientSeesTheirOwnDueFormsUntilTheyAreFilledIn(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		s, sibling := newStanding(t, c), newStanding(t, c) // a dose on day 5
		c.Clock.Set(day(7))
		phone := auth.As(c.Who.Clinic, c.Who.Actor, auth.ByToken, auth.Client)
		phone.Reach, phone.Client = auth.OneClient, s.client.ID
		due := func() []care.DueForm {
			t.Helper()
			out, err := c.Care.DueForms(t.Context(), phone, s.client.ID)
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		want := []care.DueForm{{Instrument: "gad-7", Timing: care.AfterIt, SessionID: s.session.ID, From: day(5), Until: day(5).Add(care.DueAfter)}}
		if d := cmp.Diff(want, due()); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		form := gad7(s.client.ID, day(6), 1)
		form.Timing, form.SessionID = care.AfterIt, &s.session.ID
		if r, err := c.Care.RecordAssessments(t.Context(), phone, []care.Assessment{form}); err != nil || r[0].Outcome != care.Created {
			t.Fatalf("%+v, %v", r, err)
		}
		if left := due(); len(left) != 0 {
			t.Errorf("%d forms are due after all", len(left))
		}
		if _, err := c.Care.Retract(t.Context(), c.Who, form.ID, "another client's", nil); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, due()); d != "" {
			t.Errorf("after a retraction (-want +got):\n%s", d)
		}
		if _, err := c.Care.DueForms(t.Context(), phone, sibling.client.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("another client's: %v", err)
		}
	})
}

//go:build unix

package care_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/instrument"
	"github.com/protrack/protrack/pkg/store/storetest"
)

func TestACreateThatIsRepeatedStoresNothingMore(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		ctx := t.Context()
		client := care.Client{ID: storetest.NewID(), Reference: "P-1", BirthYear: new(1980), Sex: instrument.Female, TimeZone: "Europe/Vienna"}
		course := care.Course{ID: storetest.NewID(), ClientID: client.ID, Indication: "PTSD", StartedOn: "2026-01-01", EndedOn: new(care.Date("2026-05-01")), PlannedSessions: new(6)}
		session := care.Session{
			ID: storetest.NewID(), ClientID: client.ID, CourseID: &course.ID, Kind: care.Dosing, StartedAt: storetest.When, EndedAt: new(storetest.When.Add(time.Hour)),
			Medicine: &care.Medicine{Substance: "ketamine", Route: care.Oral, DoseMG: 0.1, DoseMGPerKG: new(1.0 / 3)},
		}
		creates := []struct {
			what   string
			create func(other bool) (any, care.Outcome, error)
			change func() error
		}{
			{"client", func(other bool) (any, care.Outcome, error) {
				x := client
				if other {
					x.BirthYear = nil
				}
				return result(c.Care.CreateClient(ctx, c.Who, x))
			}, func() error {
				x := client
				x.Reference = "P-2"
				_, err := c.Care.UpdateClient(ctx, c.Who, x, 1)
				return err
			}},
			{"course", func(other bool) (any, care.Outcome, error) {
				x := course
				if other {
					x.EndedOn = nil
				}
				return result(c.Care.CreateCourse(ctx, c.Who, x))
			}, func() error {
				x := course
				x.Goals = "sleep"
				_, err := c.Care.UpdateCourse(ctx, c.Who, x, 1)
				return err
			}},
			{"session", func(other bool) (any, care.Outcome, error) {
				x := session
				if other {
					x.StartedAt = x.StartedAt.Add(time.Microsecond)
				}
				return result(c.Care.CreateSession(ctx, c.Who, x))
			}, func() error {
				x := session
				x.Number = new(4)
				_, err := c.Care.UpdateSession(ctx, c.Who, x, 1)
				return err
			}},
		}
		for _, x := range creates {
			first, outcome, err := x.create(false)
			if err != nil || outcome != care.Created {
				t.Fatalf("%s: outcome %d, %v", x.what, outcome, err)
			}
			stored := c.dump(t)
			again, outcome, err := x.create(false)
			if err != nil || outcome != care.Known {
				t.Errorf("%s repeated: outcome %d, %v", x.what, outcome, err)
			}
			if d := cmp.Diff(first, again); d != "" {
				t.Errorf("%s: the answers to a repetition differ:\n%s", x.what, d)
			}
			if _, outcome, err := x.create(true); !fault.Is(err, fault.Conflict) || outcome != care.Refused {
				t.Errorf("%s with other content: outcome %d, %v", x.what, outcome, err)
			}
			c.unchanged(t, stored)
			if err := x.change(); err != nil {
				t.Fatal(err)
			}
			if err := x.change(); !fault.Is(err, fault.Stale) {
				t.Errorf("%s: the same change again: %v", x.what, err)
			}
			stored = c.dump(t)
			current, outcome, err := x.create(false)
			if err != nil || outcome != care.Known || cmp.Equal(first, current) {
				t.Errorf("%s repeated after a change: outcome %d, %v, the first version: %t", x.what, outcome, err, cmp.Equal(first, current))
			}
			if _, _, err := x.create(true); !fault.Is(err, fault.Conflict) {
				t.Errorf("%s with other content after a change: %v", x.what, err)
			}
			c.unchanged(t, stored)
		}
		c.sound(t)
	})
}

func result[T any](x T, outcome care.Outcome, err error) (any, care.Outcome, error) {
	return x, outcome, err
}

func TestAnAssessmentThatIsRepeatedIsKnownWhateverBecameOfIt(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		client := c.client(t, "P-1")
		sent := gad7(client.ID, day(1).Add(999*time.Nanosecond), 2)
		sent.Answers["gad7_7"], sent.MissingPolicy = nil, instrument.Prorated // an item passed
		first := c.record(t, sent)[0]

		same := sent // written otherwise, said the same
		same.CompletedAt = sent.CompletedAt.Truncate(time.Microsecond).In(time.FixedZone("", 3600))
		same.RecallWindow, same.Mode = "P14D", care.BySelf
		same.Answers = instrument.Answers{}
		for id, v := range sent.Answers {
			if v != nil {
				same.Answers[id] = new(*v)
			}
		}
		others := map[string]func(a *care.Assessment){
			"another answer":         func(a *care.Assessment) { a.Answers["gad7_1"] = new(0) },
			"an answer more":         func(a *care.Assessment) { a.Answers["gad7_7"] = new(0) },
			"an answer less":         func(a *care.Assessment) { delete(a.Answers, "gad7_1") },
			"the item declined":      func(a *care.Assessment) { a.Declined = []string{"gad7_7"} },
			"a total instead":        func(a *care.Assessment) { a.Answers, a.Total = nil, new(14.0) },
			"a microsecond later":    func(a *care.Assessment) { a.CompletedAt = a.CompletedAt.Add(time.Microsecond) },
			"another window":         func(a *care.Assessment) { a.RecallWindow = "P7D" },
			"another mode":           func(a *care.Assessment) { a.Mode = care.ByImport },
			"another timing":         func(a *care.Assessment) { a.Timing = care.AtBaseline },
			"another missing policy": func(a *care.Assessment) { a.MissingPolicy = instrument.Complete },
		}
		check := func(when string, current care.Assessment) {
			t.Helper()
			stored := c.dump(t)
			for what, a := range map[string]care.Assessment{"as sent": sent, "written otherwise": same} {
				got := c.recorded(t, a)[0]
				if got.Outcome != care.Known || got.Err != nil {
					t.Errorf("%s, %s: outcome %d, %v", when, what, got.Outcome, got.Err)
				}
				if d := cmp.Diff(current, got.Assessment); d != "" {
					t.Errorf("%s, %s: not what is stored:\n%s", when, what, d)
				}
			}
			for what, change := range others {
				a := same
				a.Answers = instrument.Answers{}
				for id, v := range same.Answers {
					a.Answers[id] = v
				}
				change(&a)
				if got := c.recorded(t, a)[0]; got.Outcome != care.Refused || !fault.Is(got.Err, fault.Conflict) {
					t.Errorf("%s, %s: outcome %d, %v", when, what, got.Outcome, got.Err)
				}
			}
			c.unchanged(t, stored)
		}
		read := func() care.Assessment {
			t.Helper()
			a, err := c.Care.Assessment(t.Context(), c.Who, first.ID)
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		check("at once", read())
		amended := gad7(client.ID, day(2), 0)
		amended.ID = first.ID
		c.amend(t, amended, 1)
		check("after an amendment", read())
		if got := c.recorded(t, amended)[0]; got.Outcome != care.Known {
			t.Errorf("what is stored now, sent as new: outcome %d, %v", got.Outcome, got.Err)
		}
		if _, err := c.Care.Retract(t.Context(), c.Who, first.ID, "on purpose", nil); err != nil {
			t.Fatal(err)
		}
		check("after a retraction", read())
		c.sound(t)
	})
}

func TestAmendingAndRetractingKeepToTheVersion(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		ctx, client := t.Context(), c.client(t, "P-1")
		other := c.client(t, "P-2")
		foreign := c.session(t, care.Session{ClientID: other.ID, Kind: care.Dosing, StartedAt: day(1)})
		a := c.record(t, gad7(client.ID, day(1), 2))[0]
		before := c.dump(t)
		next := gad7(client.ID, day(1), 1)
		next.ID, next.Reason = a.ID, "misread"
		for what, x := range map[string]struct {
			change   func(x *care.Assessment)
			expected int
			want     fault.Kind
		}{
			"another version":          {func(*care.Assessment) {}, 2, fault.Stale},
			"version 0":                {func(*care.Assessment) {}, 0, fault.Stale},
			"no reason":                {func(x *care.Assessment) { x.Reason = " \n" }, 1, fault.Invalid},
			"another instrument":       {func(x *care.Assessment) { x.Instrument, x.Answers, x.Total = "phq-9", nil, new(3.0) }, 1, fault.Invalid},
			"another's session":        {func(x *care.Assessment) { x.SessionID, x.Timing = &foreign.ID, care.BeforeIt }, 1, fault.Invalid},
			"an answer out of range":   {func(x *care.Assessment) { x.Answers = instrument.Answers{"gad7_1": new(4)} }, 1, fault.Invalid},
			"an unknown item":          {func(x *care.Assessment) { x.Answers = instrument.Answers{"phq9_9": new(1)} }, 1, fault.Invalid},
			"an unknown assessment":    {func(x *care.Assessment) { x.ID = uuid.New() }, 1, fault.NotFound},
			"a time two days from now": {func(x *care.Assessment) { x.CompletedAt = c.Clock.Now().Add(48 * time.Hour) }, 1, fault.Invalid},
		} {
			y := next
			x.change(&y)
			if _, err := c.Care.Amend(ctx, c.Who, y, x.expected); !fault.Is(err, x.want) {
				t.Errorf("%s: %v", what, err)
			}
		}
		for what, x := range map[string]struct {
			reason   care.Private
			expected *int
			want     fault.Kind
		}{"no reason": {"", nil, fault.Invalid}, "another version": {"x", new(2), fault.Stale}} {
			if _, err := c.Care.Retract(ctx, c.Who, a.ID, x.reason, x.expected); !fault.Is(err, x.want) {
				t.Errorf("retract, %s: %v", what, err)
			}
		}
		c.unchanged(t, before)

		next.ClientID = other.ID // of no consequence: the client stays
		if got := c.amend(t, next, 1); got.ClientID != client.ID || got.Version != 2 || *got.Score.Total != 7 {
			t.Errorf("amended: %+v", got.Revision)
		}
		got, err := c.Care.Retract(ctx, c.Who, a.ID, "another's form", new(2))
		if err != nil || !got.Retracted || got.Version != 3 || *got.Score.Total != 7 {
			t.Errorf("retracted: %+v, %v", got.Revision, err)
		}
		stored := c.dump(t)
		again, err := c.Care.Retract(ctx, c.Who, a.ID, "twice", new(1))
		if err != nil || again.Version != 3 || again.Reason != "another's form" {
			t.Errorf("retracted again: %+v, %v", again.Revision, err)
		}
		if _, err := c.Care.Amend(ctx, c.Who, next, 3); !fault.Is(err, fault.Conflict) {
			t.Errorf("amended after the retraction: %v", err)
		}
		c.unchanged(t, stored)
		if p := c.progress(t, client.ID, "gad-7"); p != nil {
			t.Errorf("a retracted assessment is in the progress: %+v", p)
		}
		c.sound(t)
	})
}

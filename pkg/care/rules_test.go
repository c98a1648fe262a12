//go:build unix

package care_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
)

func TestASessionHasItsPlaceAmongThoseOfItsKindAndCourse(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		client, other := c.client(t, "P-1"), c.client(t, "P-2")
		first, second := c.course(t, client.ID, "2026-01-01"), c.course(t, client.ID, "2026-03-01")
		c.session(t, care.Session{ClientID: other.ID, Kind: care.Dosing, StartedAt: day(0)})
		table := []struct {
			says   string
			course *uuid.UUID
			kind   care.SessionKind
			day    int
			number *int
			place  int
		}{
			// Not in the order of time: a session may be entered late.
			{"the second dosing of the first course", &first.ID, care.Dosing, 20, nil, 2},
			{"the first dosing of the first course, entered later", &first.ID, care.Dosing, 10, nil, 1},
			{"the only preparation of the first course", &first.ID, care.Preparation, 5, nil, 1},
			{"the first dosing of the second course", &second.ID, care.Dosing, 70, nil, 1},
			{"a dosing that the clinic numbers itself", &second.ID, care.Dosing, 80, new(7), 7},
			{"the dosing after it, by its place in time", &second.ID, care.Dosing, 90, nil, 3},
			{"a dosing without a course, among all the client's", nil, care.Dosing, 30, nil, 4},
			{"an integration without a course", nil, care.Integration, 1, nil, 1},
			{"at the same time as the second dosing, by id", &first.ID, care.Dosing, 20, nil, 3},
		}
		ids := make([]uuid.UUID, len(table))
		for i, x := range table {
			ids[i] = c.session(t, care.Session{ClientID: client.ID, CourseID: x.course, Kind: x.kind, StartedAt: day(x.day), Number: x.number}).ID
		}
		for i, x := range table {
			got, err := c.Care.Session(t.Context(), c.Who, ids[i])
			if err != nil || got.Place != x.place {
				t.Errorf("%s: place %d instead of %d (%v)", x.says, got.Place, x.place, err)
			}
		}
		for limit := 1; limit <= len(table)+1; limit++ {
			var seen []care.Session
			for page := (care.Page{Limit: limit}); ; {
				rows, err := c.Care.Sessions(t.Context(), c.Who, client.ID, page)
				if err != nil {
					t.Fatal(err)
				}
				if len(rows) == 0 {
					break
				}
				seen = append(seen, rows...)
				last := rows[len(rows)-1]
				page.After = care.Position{Time: last.StartedAt, ID: last.ID}
			}
			if len(seen) != len(table) {
				t.Fatalf("pages of %d give %d sessions", limit, len(seen))
			}
			for i, s := range seen {
				if i > 0 && s.StartedAt.Before(seen[i-1].StartedAt) {
					t.Errorf("pages of %d: not in the order of time", limit)
				}
				for n, id := range ids {
					if id == s.ID && s.Place != table[n].place {
						t.Errorf("pages of %d: %s: place %d", limit, table[n].says, s.Place)
					}
				}
			}
		}
		_, _, err := c.Care.CreateSession(t.Context(), c.Who, care.Session{ClientID: other.ID, CourseID: &first.ID, Kind: care.Dosing, StartedAt: day(1)})
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("a session in another client's course: %v", err)
		}
	})
}

func TestAnAssessmentBelongsToItsSessionsCourseOrToTheCourseOfItsTime(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		client := c.client(t, "P-1")
		winter, spring := c.course(t, client.ID, "2026-01-11"), c.course(t, client.ID, "2026-04-21") // days 10 and 110
		inWinter := c.session(t, care.Session{ClientID: client.ID, CourseID: &winter.ID, Kind: care.Dosing, StartedAt: day(20)})
		inNone := c.session(t, care.Session{ClientID: client.ID, Kind: care.Dosing, StartedAt: day(120)})
		table := []struct {
			says    string
			day     int
			timing  care.Timing
			session *uuid.UUID
			course  *uuid.UUID
		}{
			{"a baseline before the first start", 2, care.AtBaseline, nil, &winter.ID},
			{"a baseline shortly after the first start", 12, care.AtBaseline, nil, &winter.ID},
			{"a baseline nearer to the first start", 59, care.AtBaseline, nil, &winter.ID},
			{"a baseline nearer to the second start, and before it", 61, care.AtBaseline, nil, &spring.ID},
			{"a baseline after the second start", 115, care.AtBaseline, nil, &spring.ID},
			{"a follow-up before any course", 5, care.AtFollowUp, nil, nil},
			{"a follow-up on the day of the first start", 10, care.AtFollowUp, nil, &winter.ID},
			{"a follow-up shortly before the second start", 109, care.AtFollowUp, nil, &winter.ID},
			{"a follow-up after the second start", 111, care.AtFollowUp, nil, &spring.ID},
			{"with a session of the first course, whenever it was", 130, care.AfterIt, &inWinter.ID, &winter.ID},
			{"with a session that names no course, in the second one's time", 121, care.AfterIt, &inNone.ID, &spring.ID},
		}
		want := map[uuid.UUID][]string{winter.ID: nil, spring.ID: nil}
		says := map[uuid.UUID]string{}
		for _, x := range table {
			a := gad7(client.ID, day(x.day), 1)
			a.Timing, a.SessionID = x.timing, x.session
			says[c.record(t, a)[0].ID] = x.says
		}
		points := func(course *uuid.UUID) (out []string) {
			got, err := c.Care.Trajectories(t.Context(), c.Who, client.ID, care.TrajectoryQuery{Instrument: "gad-7", CourseID: course})
			if err != nil || len(got) != 1 {
				t.Fatalf("%d trajectories, %v", len(got), err)
			}
			for _, p := range got[0].Points {
				out = append(out, says[p.AssessmentID])
			}
			return out
		}
		byDay := map[uuid.UUID][]int{}
		for _, x := range table {
			if x.course != nil {
				byDay[*x.course] = append(byDay[*x.course], x.day)
				want[*x.course] = append(want[*x.course], x.says)
			}
		}
		for _, course := range []uuid.UUID{winter.ID, spring.ID} {
			got := points(&course)
			if d := cmp.Diff(sorted(want[course]), sorted(got)); d != "" {
				t.Errorf("course of days %v (-want +got):\n%s", byDay[course], d)
			}
		}
		if all := points(nil); len(all) != len(table) {
			t.Errorf("%d of %d assessments without a choice of course", len(all), len(table))
		}
		other := c.client(t, "P-2")
		foreign := c.course(t, other.ID, "2026-01-01")
		for what, id := range map[string]uuid.UUID{"another client's course": foreign.ID, "an unknown course": uuid.New()} {
			if _, err := c.Care.Trajectories(t.Context(), c.Who, client.ID, care.TrajectoryQuery{CourseID: &id}); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}

func TestATrajectoryCanBeReadAsItWasKnownAtAnyTime(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		client := c.client(t, "P-1")
		c.Clock.Set(day(99))
		ses := c.session(t, care.Session{ClientID: client.ID, Kind: care.Dosing, StartedAt: day(10)})
		type known struct {
			Totals      []float64
			SinceDosing []float64
		}
		read := func(asOf *time.Time) known {
			t.Helper()
			got, err := c.Care.Trajectories(t.Context(), c.Who, client.ID, care.TrajectoryQuery{Instrument: "gad-7", AsOf: asOf})
			if err != nil || len(got) != 1 {
				t.Fatalf("%d trajectories, %v", len(got), err)
			}
			var k known
			for _, p := range got[0].Points {
				k.Totals = append(k.Totals, *p.Total)
				if p.DaysFromFirstDose != nil {
					k.SinceDosing = append(k.SinceDosing, *p.DaysFromFirstDose)
				}
			}
			return k
		}
		var a, b care.Assessment
		steps := []struct {
			what string
			do   func()
			want known
		}{
			{"nothing", func() {}, known{}},
			{"one recorded", func() { a = c.record(t, gad7(client.ID, day(9), 3))[0] }, known{[]float64{21}, []float64{-1}}},
			{"a second recorded, of an earlier day", func() { b = c.record(t, gad7(client.ID, day(5), 2))[0] }, known{[]float64{14, 21}, []float64{-5, -1}}},
			{"the first amended", func() {
				next := gad7(client.ID, day(9), 1)
				next.ID = a.ID
				c.amend(t, next, 1)
			}, known{[]float64{14, 7}, []float64{-5, -1}}},
			{"the first moved in time by an amendment", func() {
				next := gad7(client.ID, day(4), 1)
				next.ID = a.ID
				c.amend(t, next, 2)
			}, known{[]float64{7, 14}, []float64{-6, -5}}},
			{"the session moved", func() {
				ses.StartedAt = day(3)
				if _, err := c.Care.UpdateSession(t.Context(), c.Who, ses, 1); err != nil {
					t.Fatal(err)
				}
			}, known{[]float64{7, 14}, []float64{1, 2}}},
			{"the second retracted", func() {
				if _, err := c.Care.Retract(t.Context(), c.Who, b.ID, "another's", nil); err != nil {
					t.Fatal(err)
				}
			}, known{[]float64{7}, []float64{1}}},
		}
		var times []time.Time
		for i, s := range steps {
			c.Clock.Set(day(100 + i))
			s.do()
			times = append(times, c.Clock.Now())
			if d := cmp.Diff(s.want, read(nil)); d != "" {
				t.Errorf("now, after %s:\n%s", s.what, d)
			}
		}
		for i, s := range steps { // and all of it again, afterwards
			if d := cmp.Diff(s.want, read(&times[i])); d != "" {
				t.Errorf("as of %s:\n%s", s.what, d)
			}
		}
		c.sound(t)
	})
}

func TestTheClinicsRulesMoveItsProgress(t *testing.T) {
	eachTwo(t, func(t *testing.T, c, other clinic) {
		status := func(c clinic, client uuid.UUID) (string, string) {
			p := c.progress(t, client, "gad-7")
			if p.Reliable == nil {
				return "none", p.RuleSet
			}
			return *p.Reliable, p.RuleSet
		}
		fall := func(c clinic) uuid.UUID { // by 5 points: reliable for one set, not for the other
			client := c.client(t, "P-1")
			for i, total := range []float64{15, 10} {
				c.record(t, care.Assessment{ClientID: client.ID, Instrument: "gad-7", Timing: care.AtFollowUp, CompletedAt: day(i), Total: &total})
			}
			c.record(t, care.Assessment{ClientID: client.ID, Instrument: "phq-9", Timing: care.AtFollowUp, CompletedAt: day(1), Total: new(10.0)})
			return client.ID
		}
		here, there := fall(c), fall(other)
		untouched := other.dump(t)
		for _, x := range []struct{ rules, reliable, set string }{
			{"bischoff-2020", "unchanged", "bischoff-2020"},
			{"nhs-tt", "improved", "nhs-tt"},
			{"ny-cocm", "none", "ny-cocm"},
			{"", "improved", "nhs-tt"},
		} {
			phq := *c.progress(t, here, "phq-9")
			if _, err := c.Care.ChooseSetting(t.Context(), c.Who, care.Setting{Instrument: "gad-7", ChangeRules: x.rules}); err != nil {
				t.Fatal(err)
			}
			if reliable, set := status(c, here); reliable != x.reliable || set != x.set {
				t.Errorf("rules %q: %s by %s", x.rules, reliable, set)
			}
			if d := cmp.Diff(phq, *c.progress(t, here, "phq-9")); d != "" {
				t.Errorf("another instrument moved:\n%s", d)
			}
			c.sound(t)
		}
		other.unchanged(t, untouched)
		if reliable, _ := status(other, there); reliable != "improved" {
			t.Errorf("the other clinic: %s", reliable)
		}
	})
}

func TestATextThatLooksEncryptedIsRefused(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		const typed = "enc:v1:AAAA"
		_, _, err := c.Care.CreateClient(t.Context(), c.Who, care.Client{Reference: typed, DisplayName: typed})
		var refusal *fault.Error
		var pointers []string
		if errors.As(err, &refusal) {
			for _, d := range refusal.Details {
				pointers = append(pointers, d.Pointer+" "+d.Code)
			}
		}
		if diff := cmp.Diff([]string{"/reference reserved", "/display_name reserved"}, pointers); diff != "" || !fault.Is(err, fault.Invalid) {
			t.Errorf("%v\n%s", err, diff)
		}
		client := c.client(t, "enc:v2 is nothing special")
		client.DisplayName = typed
		if _, err := c.Care.UpdateClient(t.Context(), c.Who, client, 1); !fault.Is(err, fault.Invalid) {
			t.Errorf("%v", err)
		}
	})
}

//go:build unix

package storetest

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/care"
)

var asOf = []promise{
	{"what was known at a time is the version that stood then, from its first microsecond", func(t *testing.T, c *Clinic) {
		client := c.NewClient("P-1")
		course, session := c.NewCourse(client.ID, "2026-01-01"), c.NewSession(client.ID, When)
		a := c.NewAssessment(client.ID, When, 10)
		c.Insert(t, client, course, session, a)
		t1, t2, t3 := stored(When), stored(When.Add(time.Hour)), stored(When.Add(2*time.Hour))
		course.Goals, course.Revision = "second", Next(course.Revision, t2)
		session.Number, session.Revision = new(2), Next(session.Revision, t2)
		a.Score.Total, a.Revision = new(20.0), Next(a.Revision, t2)
		for _, r := range []any{course, session, a} {
			c.Revise(t, r)
		}
		a.Retracted, a.Reason, a.Revision = true, "wrong client", Next(a.Revision, t3)
		c.Revise(t, a)

		const us = time.Microsecond
		for _, at := range []struct {
			when    string
			t       *time.Time
			version int // of the course and the session; 0 is none
			total   float64
		}{
			{"just before it was stored", new(t1.Add(-us)), 0, -1},
			{"exactly when it was stored", &t1, 1, 10},
			{"within the first version's first nanoseconds", new(t1.Add(999)), 1, 10},
			{"just before the amendment", new(t2.Add(-us)), 1, 10},
			{"exactly at the amendment", &t2, 2, 20},
			{"at the amendment, from another zone", new(t2.In(time.FixedZone("", -9000))), 2, 20},
			{"just before the retraction", new(t3.Add(-us)), 2, 20},
			{"exactly at the retraction", &t3, 2, -1},
			{"long after", new(t3.AddDate(50, 0, 0)), 2, -1},
			{"now", nil, 2, -1},
		} {
			courses, err := c.CoursesAt(t.Context(), c.Who, client.ID, at.t)
			if err != nil || len(courses) != min(at.version, 1) || at.version > 0 && courses[0].Version != at.version {
				t.Errorf("%s: courses %v, %v", at.when, courses, err)
			}
			sessions, err := c.Sessions(t.Context(), c.Who, client.ID, at.t)
			if err != nil || len(sessions) != min(at.version, 1) || at.version > 0 && sessions[0].Version != at.version {
				t.Errorf("%s: sessions %v, %v", at.when, sessions, err)
			}
			points, err := c.Points(t.Context(), c.Who, []uuid.UUID{client.ID}, nil, at.t)
			switch {
			case err != nil:
				t.Errorf("%s: %v", at.when, err)
			case at.total < 0 && len(points) != 0:
				t.Errorf("%s: a point of %v stands", at.when, *points[0].Total)
			case at.total >= 0 && (len(points) != 1 || *points[0].Total != at.total):
				t.Errorf("%s: %d points, want one of %v", at.when, len(points), at.total)
			}
		}
	}},
	{"points come by client, instrument, completion and id, whichever way they went in", func(t *testing.T, c *Clinic) {
		one, two := c.NewClient("P-1"), c.NewClient("P-2")
		c.Insert(t, two, one)
		var want []uuid.UUID
		var batch []care.Assessment
		for _, client := range []care.Client{one, two} { // ids grow with time
			for _, in := range []string{"PCL", "gad-7", "gad-7-x", "gad_7", "phq-9"} { // in the order of their bytes
				for i := range 3 {
					a := c.NewAssessment(client.ID, When.Add(time.Duration(i/2)*time.Hour), 1) // two at once
					a.Instrument = in
					want = append(want, a.ID)
					batch = append([]care.Assessment{a}, batch...)
				}
			}
		}
		for _, a := range batch {
			c.Insert(t, a)
		}
		ids := func(instruments ...string) (out []uuid.UUID) {
			points, err := c.Points(t.Context(), c.Who, []uuid.UUID{two.ID, one.ID}, instruments, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range points {
				out = append(out, p.ID)
			}
			return out
		}
		same(t, want, ids(), nil)
		same(t, append(append([]uuid.UUID{}, want[3:6]...), want[18:21]...), ids("gad-7"), nil)
		same(t, nil, ids("none"), nil)
	}},
	{"the sessions of several clients come by client, start and id, and say whose they are", func(t *testing.T, c *Clinic) {
		one, two := c.NewClient("P-1"), c.NewClient("P-2")
		c.Insert(t, two, one)
		var want []uuid.UUID
		owners := map[uuid.UUID]uuid.UUID{}
		for _, client := range []uuid.UUID{one.ID, two.ID} {
			tie1, tie2, early := c.NewSession(client, When), c.NewSession(client, When), c.NewSession(client, When.Add(-time.Hour))
			c.Insert(t, tie2, tie1, early)
			for _, s := range []care.Session{early, tie1, tie2} {
				want = append(want, s.ID)
				owners[s.ID] = client
			}
		}
		var got []uuid.UUID
		if err := c.DB.Write(t.Context(), c.Who, func(tx care.Tx) error {
			sessions, err := tx.SessionsOf(t.Context(), c.Who, []uuid.UUID{two.ID, one.ID, NewID()})
			for _, s := range sessions {
				got = append(got, s.ID)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		same(t, want, got, nil)
		found, err := c.SessionClients(t.Context(), c.Who, append(want, NewID()))
		same(t, owners, found, err)
		sessions, err := c.Sessions(t.Context(), c.Who, one.ID, nil)
		if err != nil || len(sessions) != 3 || sessions[0].ID != want[0] || sessions[1].ID != want[1] {
			t.Errorf("one client's sessions: %v, %v", sessions, err)
		}
	}},
}

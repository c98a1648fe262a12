//go:build unix

package storetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/research"
)

// study runs fn on one snapshot of the clinic's record.
func study[T any](t testing.TB, c *Clinic, fn func(ctx context.Context, r research.Reader) (T, error)) (out T) {
	t.Helper()
	ctx := context.Background()
	err := c.DB.DB.Study(ctx, c.Who, func(r research.Reader) (err error) {
		out, err = fn(ctx, r)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (c *Clinic) people(t testing.TB, asOf *time.Time) []research.Person {
	t.Helper()
	return study(t, c, func(ctx context.Context, r research.Reader) ([]research.Person, error) {
		return r.People(ctx, c.Who, asOf)
	})
}

// histories reads everybody's whole history as of a time.
func (c *Clinic) histories(t testing.TB, asOf *time.Time) []research.History {
	t.Helper()
	return study(t, c, func(ctx context.Context, r research.Reader) (out []research.History, err error) {
		people, err := r.People(ctx, c.Who, asOf)
		if err != nil {
			return nil, err
		}
		for h, err := range r.Histories(ctx, c.Who, people, research.HistoryQuery{AsOf: asOf, Answers: true, Names: true}) {
			if err != nil {
				return nil, err
			}
			out = append(out, h)
		}
		return out, nil
	})
}

// grouped is who stands for whom among some people.
func grouped(people []research.Person) map[uuid.UUID][]uuid.UUID {
	out := map[uuid.UUID][]uuid.UUID{}
	for _, p := range people {
		out[p.ID] = slices.Clone(p.Records)
	}
	return out
}

var studies = []promise{
	{"people are who they were at a time: merged then, apart before and after, and not there before they came", func(t *testing.T, c *Clinic) {
		one, other, late := c.NewClient("P-1"), c.NewClient("P-2"), c.NewClient("P-3")
		late.Revision = c.First(When.Add(2 * time.Hour))
		c.Insert(t, one, other, late, c.NewConsent(other.ID, When))
		merge := care.Merge{ID: NewID(), Survivor: one.ID, Duplicate: other.ID, MergedAt: When.Add(time.Hour)}
		c.Write(t, func(ctx context.Context, tx care.Tx) error { return tx.InsertMerge(ctx, c.Who, merge) })
		merge.UndoneAt = new(When.Add(3 * time.Hour))
		together := []uuid.UUID{one.ID, other.ID}
		apart := map[uuid.UUID][]uuid.UUID{one.ID: {one.ID}, other.ID: {other.ID}}
		all := map[uuid.UUID][]uuid.UUID{one.ID: {one.ID}, other.ID: {other.ID}, late.ID: {late.ID}}
		same(t, map[uuid.UUID][]uuid.UUID{one.ID: together, late.ID: {late.ID}}, grouped(c.people(t, nil)), nil)
		for _, p := range c.people(t, nil) {
			if said := len(slices.Concat(p.Said...)); (p.ID == one.ID) != (said == 1) {
				t.Errorf("of %d records, %d consents are known", len(p.Records), said)
			}
		}
		c.Write(t, func(ctx context.Context, tx care.Tx) error { return tx.EndMerge(ctx, c.Who, merge) })
		const us = time.Microsecond
		for after, want := range map[time.Duration]map[uuid.UUID][]uuid.UUID{
			time.Hour - us:   apart,
			time.Hour:        {one.ID: together},
			2*time.Hour - us: {one.ID: together},
			2 * time.Hour:    {one.ID: together, late.ID: {late.ID}},
			3 * time.Hour:    all,
		} {
			same(t, want, grouped(c.people(t, new(When.Add(after)))), nil)
		}
		same(t, all, grouped(c.people(t, nil)), nil)
	}},
	{"who was erased is still one of the people, and has no history", func(t *testing.T, c *Clinic) {
		gone, stays := c.NewClient("P-1"), c.NewClient("P-2")
		c.Insert(t, gone, stays, c.NewAssessment(gone.ID, When, 7), c.NewConsent(gone.ID, When))
		erasedAt := When.Add(time.Hour)
		c.Write(t, func(ctx context.Context, tx care.Tx) error {
			_, err := tx.Erase(ctx, c.Who, []uuid.UUID{gone.ID}, care.Erasure{ErasedAt: erasedAt, Reason: care.LegalOrder})
			return err
		})
		for _, asOf := range []*time.Time{nil, new(When), new(erasedAt)} {
			silent := []care.Consents{nil} // one person, who has said nothing
			want := []research.Person{
				{ID: gone.ID, Records: []uuid.UUID{gone.ID}, Erased: true, Gone: new(stored(erasedAt)), Said: silent},
				{ID: stays.ID, Records: []uuid.UUID{stays.ID}, Said: silent},
			}
			same(t, want, c.people(t, asOf), nil)
			if all := c.histories(t, asOf); len(all) != 1 || all[0].Person.ID != stays.ID {
				t.Errorf("%d histories", len(all))
			}
		}
	}},
	{"a history as of a time is what care reads of it", func(t *testing.T, c *Clinic) {
		client := c.NewClient("P-1")
		course, session := c.NewCourse(client.ID, "2026-01-01"), c.NewSession(client.ID, When)
		form := c.NewAssessment(client.ID, When, 10)
		c.Insert(t, client, course, session, form)
		times := []time.Time{stored(When), stored(When.Add(time.Hour)), stored(When.Add(2 * time.Hour))}
		client.DisplayName, client.Revision = "second", Next(client.Revision, times[1])
		course.Goals, course.Revision = "second", Next(course.Revision, times[1])
		session.EndedAt, session.Revision = new(stored(When.Add(time.Minute))), Next(session.Revision, times[1])
		form.Total, form.Score.Total, form.Revision = new(20.0), new(20.0), Next(form.Revision, times[1])
		for _, r := range []any{client, course, session, form} {
			c.Revise(t, r)
		}
		form.Retracted, form.Reason, form.Revision = true, "wrong client", Next(form.Revision, times[2])
		c.Revise(t, form)
		c.historiesAreWhatCareReads(t, client.ID, nil, new(times[0].Add(-time.Microsecond)), &times[0], new(times[1].Add(-time.Microsecond)), &times[1], &times[2])
	}},
	{"what changed is told from its first microsecond to the last, and nothing else", func(t *testing.T, c *Clinic) {
		client, untouched := c.NewClient("P-1"), c.NewClient("P-2")
		form := c.NewAssessment(client.ID, When, 10)
		c.Insert(t, client, untouched, c.NewAssessment(untouched.ID, When, 3), form)
		t2 := stored(When.Add(time.Hour))
		form.Score.Total, form.Revision = new(20.0), Next(form.Revision, t2)
		c.Revise(t, form)
		changes := func(since time.Time, asOf *time.Time) research.Changes {
			return study(t, c, func(ctx context.Context, r research.Reader) (research.Changes, error) {
				return r.Changes(ctx, c.Who, since, asOf)
			})
		}
		none, its := map[uuid.UUID]bool{}, map[uuid.UUID]bool{client.ID: true}
		same(t, research.Changes{Forms: its, Others: none}, changes(t2, nil), nil)
		same(t, research.Changes{Forms: none, Others: none}, changes(t2.Add(time.Microsecond), nil), nil)
		same(t, research.Changes{Forms: none, Others: none}, changes(stored(When).Add(time.Microsecond), new(t2.Add(-time.Microsecond))), nil)
		both := map[uuid.UUID]bool{client.ID: true, untouched.ID: true}
		same(t, research.Changes{Forms: both, Others: both}, changes(stored(When), nil), nil)
		instruments := func(asOf *time.Time) []string {
			return study(t, c, func(ctx context.Context, r research.Reader) ([]string, error) {
				return r.InstrumentsAt(ctx, c.Who, map[uuid.UUID]bool{client.ID: true, untouched.ID: true}, asOf)
			})
		}
		same(t, []string{"gad-7"}, instruments(new(stored(When))), nil)
		same(t, 0, len(instruments(new(stored(When).Add(-time.Microsecond)))), nil)
	}},
	{"a project keeps its first secret, whoever founds it again, and is the clinic's own", func(t *testing.T, c *Clinic) {
		found := func(of *Clinic, secret string) bool {
			p := research.Project{Name: "sleep", Secret: []byte(secret), CreatedAt: stored(When), CreatedBy: c.Who.Actor}
			inserted, err := conduct(t.Context(), of.DB, of.Who, func(tx research.Tx) (bool, error) { return tx.InsertProject(t.Context(), of.Who, p) })
			if err != nil {
				t.Fatal(err)
			}
			return inserted
		}
		other := c.Database.Clinic(t)
		same(t, []bool{true, false, true}, []bool{found(c, "first"), found(c, "second"), found(other, "theirs")}, nil)
		for of, want := range map[*Clinic]string{c: "first", other: "theirs"} {
			got := study(t, of, func(ctx context.Context, r research.Reader) (research.Project, error) {
				return r.Project(ctx, of.Who, "sleep")
			})
			same(t, research.Project{Name: "sleep", Secret: []byte(want), CreatedAt: stored(When), CreatedBy: c.Who.Actor}, got, nil)
		}
		if words, rows := c.refused(t, fmt.Sprintf("UPDATE projects SET name = 'x' WHERE clinic_id = '%s'", c.Who.Clinic)); !strings.Contains(words, "does not change") {
			t.Errorf("%d rows were changed, %q", rows, words)
		}
	}},
}

// historiesAreWhatCareReads compares a client's history at times with what
// care reads of the same time.
func (c *Clinic) historiesAreWhatCareReads(t testing.TB, client uuid.UUID, times ...*time.Time) {
	t.Helper()
	for _, at := range times {
		var got research.History
		if all := c.histories(t, at); len(all) == 1 {
			got = all[0]
		}
		courses, err := c.CoursesAt(t.Context(), c.Who, client, at)
		sameVersions(t, at, courses, got.Courses, err, func(x care.Course) (uuid.UUID, care.Revision) { return x.ID, x.Revision })
		sessions, err := c.Sessions(t.Context(), c.Who, client, at)
		sameVersions(t, at, sessions, got.Sessions, err, func(x care.Session) (uuid.UUID, care.Revision) { return x.ID, x.Revision })
		points, err := c.Points(t.Context(), c.Who, []uuid.UUID{client}, nil, at)
		if err != nil || len(points) != len(got.Forms) {
			t.Errorf("as of %v: %d forms, where care reads %d points, %v", at, len(got.Forms), len(points), err)
			continue
		}
		for i, p := range points {
			f := got.Forms[i]
			same(t, []any{p.ID, p.Instrument, *p.Total, p.CompletedAt}, []any{f.ID, f.Instrument, *f.Total, f.CompletedAt}, nil)
		}
	}
}

// sameVersions compares which version of which records was read.
func sameVersions[T any](t testing.TB, at *time.Time, want, got []T, err error, of func(T) (uuid.UUID, care.Revision)) {
	t.Helper()
	versions := func(all []T) map[uuid.UUID]int {
		out := map[uuid.UUID]int{}
		for _, x := range all {
			id, r := of(x)
			out[id] = r.Version
		}
		return out
	}
	if err != nil {
		t.Fatalf("as of %v: %v", at, err)
	}
	same(t, versions(want), versions(got), nil)
}

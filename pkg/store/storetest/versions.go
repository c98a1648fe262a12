//go:build unix

package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/instrument"
)

// changed gives the next version of a record, with other content.
func changed(record any, at time.Time) any {
	switch r := record.(type) {
	case care.Client:
		r.DisplayName, r.Revision = r.DisplayName+"x", Next(r.Revision, at)
		return r
	case care.Course:
		r.Goals, r.Revision = r.Goals+"x", Next(r.Revision, at)
		return r
	case care.Session:
		r.StartedAt, r.Revision = r.StartedAt.Add(time.Hour), Next(r.Revision, at)
		return r
	case care.Assessment:
		r.Reason, r.Revision = r.Reason+"x", Next(r.Revision, at)
		return r
	}
	return nil
}

// one of each kind of record; the client comes first.
func (c *Clinic) oneOfEach(reference string) []any {
	client := c.NewClient(reference)
	return []any{client, c.NewCourse(client.ID, "2026-01-01"), c.NewSession(client.ID, When), c.NewAssessment(client.ID, When, 7)}
}

// history reads the current version of a record and its first.
func (c *Clinic) history(ctx context.Context, r care.Reader, record any) (current, original any, err error) {
	switch x := record.(type) {
	case care.Client:
		return pair(r.ClientHistory(ctx, c.Who, x.ID))
	case care.Course:
		return pair(r.CourseHistory(ctx, c.Who, x.ID))
	case care.Session:
		return pair(r.SessionHistory(ctx, c.Who, x.ID))
	case care.Assessment:
		all, err := r.AssessmentHistories(ctx, c.Who, []uuid.UUID{x.ID, NewID()})
		return all[x.ID].Current, all[x.ID].Original, err
	}
	return nil, nil, errors.New("not a record")
}

func pair[T any](current, original T, err error) (any, any, error) { return current, original, err }

// micro is the record with its times as they are stored.
func micro(record any) any {
	switch r := record.(type) {
	case care.Client:
		r.RecordedAt, r.SupersededAt = stored(r.RecordedAt), storedPtr(r.SupersededAt)
		return r
	case care.Course:
		r.RecordedAt, r.SupersededAt = stored(r.RecordedAt), storedPtr(r.SupersededAt)
		return r
	case care.Session:
		r.RecordedAt, r.SupersededAt, r.StartedAt = stored(r.RecordedAt), storedPtr(r.SupersededAt), stored(r.StartedAt)
		return r
	case care.Assessment:
		r.RecordedAt, r.SupersededAt, r.CompletedAt = stored(r.RecordedAt), storedPtr(r.SupersededAt), stored(r.CompletedAt)
		return r
	}
	return nil
}

func storedPtr(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	return new(stored(*t))
}

// ended is the record with the end of its version.
func ended(record any, at time.Time) any {
	switch r := record.(type) {
	case care.Client:
		r.SupersededAt = &at
		return r
	case care.Course:
		r.SupersededAt = &at
		return r
	case care.Session:
		r.SupersededAt = &at
		return r
	case care.Assessment:
		r.SupersededAt = &at
		return r
	}
	return nil
}

var versions = []promise{
	{"an id in use stores nothing and says so", func(t *testing.T, c *Clinic) {
		records := c.oneOfEach("P-1")
		c.Insert(t, records...)
		for _, r := range records {
			other := changed(r, When)
			if client, ok := other.(care.Client); ok {
				client.Reference = "P-2" // a free one
				other = client
			}
			c.Write(t, func(ctx context.Context, tx care.Tx) error {
				inserted, err := c.insert(ctx, tx, other)
				if inserted {
					t.Errorf("%T was inserted a second time", r)
				}
				return err
			})
			current, original, err := c.history(t.Context(), c, r)
			same(t, micro(r), current, err)
			same(t, micro(r), original, nil)
		}
	}},
	{"an id in use by another client of the clinic stores nothing", func(t *testing.T, c *Clinic) {
		records, other := c.oneOfEach("P-1"), c.NewClient("P-2")
		c.Insert(t, append(records, other)...)
		session, assessment := records[2].(care.Session), records[3].(care.Assessment)
		session.ClientID, assessment.ClientID = other.ID, other.ID
		c.Write(t, func(ctx context.Context, tx care.Tx) error {
			for _, r := range []any{session, assessment} {
				if inserted, err := c.insert(ctx, tx, r); inserted || err != nil {
					t.Errorf("%T: inserted %t, %v", r, inserted, err)
				}
			}
			return nil
		})
	}},
	{"versions follow each other without a gap and keep what they said", func(t *testing.T, c *Clinic) {
		records := c.oneOfEach("P-1")
		c.Insert(t, records...)
		for _, first := range records {
			at, now := When, first
			for range 3 {
				at = at.Add(time.Minute)
				now = changed(now, at)
				c.Revise(t, now)
			}
			current, original, err := c.history(t.Context(), c, first)
			same(t, micro(now), current, err)
			same(t, micro(ended(first, When.Add(time.Minute))), original, nil)
		}
		a := records[3].(care.Assessment)
		all, err := c.AssessmentVersions(t.Context(), c.Who, a.ID, care.Page{Limit: 10})
		if err != nil || len(all) != 4 {
			t.Fatalf("%d versions, %v", len(all), err)
		}
		for i, v := range all {
			last := i == len(all)-1
			if v.Version != i+1 || len(v.Reason) != i || (v.SupersededAt == nil) != last {
				t.Errorf("version %d: number %d, %d amendments, superseded %v", i+1, v.Version, len(v.Reason), v.SupersededAt)
			}
			if !last && !v.SupersededAt.Equal(all[i+1].RecordedAt) {
				t.Errorf("version %d ended at %v, and the next began at %v", v.Version, v.SupersededAt, all[i+1].RecordedAt)
			}
		}
	}},
	{"a revision of another version than the current one is stale", func(t *testing.T, c *Clinic) {
		records := c.oneOfEach("P-1")
		c.Insert(t, records...)
		for _, first := range records {
			second := changed(first, When.Add(time.Minute))
			c.Revise(t, second)
			for what, r := range map[string]any{"the same again": second, "one ahead": changed(changed(second, When), When), "one of nothing": changed(c.oneOfEach("P-3")[kindOf(first)], When)} {
				err := c.DB.Write(t.Context(), c.Who, func(tx care.Tx) error { return c.revise(t.Context(), tx, r) })
				if !fault.Is(err, fault.Stale) {
					t.Errorf("%T, %s: %v", first, what, err)
				}
			}
			current, _, err := c.history(t.Context(), c, first)
			same(t, micro(second), current, err)
		}
	}},
	{"of concurrent revisions exactly one wins and the others are stale", func(t *testing.T, c *Clinic) {
		records := c.oneOfEach("P-1")
		c.Insert(t, records...)
		for _, first := range records {
			errs := make([]error, 6)
			var all sync.WaitGroup
			for i := range errs {
				all.Go(func() {
					errs[i] = c.DB.Write(t.Context(), c.Who, func(tx care.Tx) error {
						return c.revise(t.Context(), tx, changed(first, When.Add(time.Minute)))
					})
				})
			}
			all.Wait()
			won := 0
			for _, err := range errs {
				if err == nil {
					won++
				} else if !fault.Is(err, fault.Stale) {
					t.Errorf("%T: %v", first, err)
				}
			}
			if won != 1 {
				t.Errorf("%T: %d revisions won", first, won)
			}
		}
	}},
	{"a reference is one client's in the clinic, and free when that one gives it up", func(t *testing.T, c *Clinic) {
		one, two := c.NewClient("P-1"), c.NewClient("P-1")
		c.Insert(t, one)
		insert := func(x care.Client) error {
			return c.DB.Write(t.Context(), c.Who, func(tx care.Tx) error {
				_, err := tx.InsertClient(t.Context(), c.Who, x)
				return err
			})
		}
		if err := insert(two); !fault.Is(err, fault.Conflict) {
			t.Errorf("a second client of the reference: %v", err)
		}
		if _, err := c.Client(t.Context(), c.Who, two.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("the refused client: %v", err)
		}
		two.Reference = "P-2"
		c.Insert(t, two)
		two.Reference, two.Revision = "P-1", Next(two.Revision, When.Add(time.Second))
		err := c.DB.Write(t.Context(), c.Who, func(tx care.Tx) error { return tx.ReviseClient(t.Context(), c.Who, two) })
		if !fault.Is(err, fault.Conflict) {
			t.Errorf("a change to the reference of another: %v", err)
		}
		one.Reference, one.Revision = "P-9", Next(one.Revision, When.Add(time.Second))
		c.Revise(t, one)
		c.Revise(t, two)
		if err := insert(c.NewClient("p-1")); err != nil {
			t.Errorf("small letters are another reference: %v", err)
		}
	}},
	{"two clinics may use the same ids and references", func(t *testing.T, c *Clinic) {
		other := c.Database.Clinic(t)
		records := c.oneOfEach("P-1")
		c.Insert(t, records...)
		other.Insert(t, records...)
		for _, r := range records {
			other.Revise(t, changed(r, When.Add(time.Minute)))
			current, _, err := c.history(t.Context(), c, r)
			same(t, micro(r), current, err)
		}
		id := records[0].(care.Client).ID
		c.Write(t, func(ctx context.Context, tx care.Tx) error {
			return tx.PutProgress(ctx, c.Who, []uuid.UUID{id}, nil, []care.Progress{NewProgress(id, "gad-7")})
		})
		for _, x := range []struct {
			clinic   *Clinic
			name     care.Private
			measured bool
		}{{c, "", true}, {other, "x", false}} {
			cases, err := x.clinic.Caseload(t.Context(), x.clinic.Who, care.CaseloadQuery{Instrument: "gad-7", Sort: care.ByLastAt}, care.Page{Limit: 5})
			if err != nil || len(cases) != 1 || cases[0].Client.DisplayName != x.name || (cases[0].Progress != nil) != x.measured {
				t.Errorf("the caseload has %d cases, measured %t (%v)", len(cases), len(cases) > 0 && cases[0].Progress != nil, err)
			}
			rest, err := x.clinic.Caseload(t.Context(), x.clinic.Who, care.CaseloadQuery{Instrument: "gad-7", Status: care.NotMeasured}, care.Page{Limit: 5})
			if err != nil || (len(rest) == 0) != x.measured {
				t.Errorf("%d are not measured (%v)", len(rest), err)
			}
		}
	}},
	{"an insert of many assessments says which were new", func(t *testing.T, c *Clinic) {
		client := c.NewClient("P-1")
		known := c.NewAssessment(client.ID, When, 3)
		c.Insert(t, client, known)
		batch := []care.Assessment{known}
		want := map[uuid.UUID]bool{}
		for i := range Size(60, 2500) { // beyond one statement's rows at full size
			a := c.NewAssessment(client.ID, When.Add(time.Duration(i)*time.Minute), float64(i%22))
			a.Answers, a.Total = instrument.Answers{"gad7_1": new(i % 4)}, nil
			want[a.ID] = true
			batch = append(batch, a)
		}
		batch[0], batch[30] = batch[30], batch[0]
		c.Write(t, func(ctx context.Context, tx care.Tx) error {
			got, err := tx.InsertAssessments(ctx, c.Who, batch)
			same(t, want, got, err)
			none, err := tx.InsertAssessments(ctx, c.Who, batch)
			same(t, map[uuid.UUID]bool{}, none, err)
			none, err = tx.InsertAssessments(ctx, c.Who, nil)
			same(t, map[uuid.UUID]bool{}, none, err)
			return nil
		})
		for _, i := range []int{0, 1, 30, len(batch) - 1} {
			got, err := c.Assessment(t.Context(), c.Who, batch[i].ID)
			same(t, micro(batch[i]), any(got), err)
		}
	}},
	{"of concurrent inserts of one id exactly one stores it", func(t *testing.T, c *Clinic) {
		client := c.NewClient("P-1")
		c.Insert(t, client)
		for i, r := range []any{c.NewClient("P-2"), c.NewCourse(client.ID, "2026-01-01"), c.NewSession(client.ID, When), c.NewAssessment(client.ID, When, 3)} {
			inserted, errs := make([]bool, 6), make([]error, 6)
			var all sync.WaitGroup
			for n := range inserted {
				all.Go(func() {
					mine := r
					if x, ok := mine.(care.Client); ok {
						x.Reference = care.Private(fmt.Sprint("P-", i, n))
						mine = x
					}
					errs[n] = c.DB.Write(t.Context(), c.Who, func(tx care.Tx) (err error) {
						inserted[n], err = c.insert(t.Context(), tx, mine)
						return err
					})
				})
			}
			all.Wait()
			won := 0
			for n := range inserted {
				if errs[n] != nil {
					t.Errorf("%T: %v", r, errs[n])
				}
				if inserted[n] {
					won++
				}
			}
			if won != 1 {
				t.Errorf("%T: %d inserts won", r, won)
			}
		}
	}},
}

// kindOf is a record's place in oneOfEach.
func kindOf(record any) int {
	switch record.(type) {
	case care.Course:
		return 1
	case care.Session:
		return 2
	case care.Assessment:
		return 3
	}
	return 0
}

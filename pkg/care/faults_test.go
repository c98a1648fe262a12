//go:build unix

package care_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/store/storetest"
)

// A write is a change that must be stored whole or not at all. It makes its
// own preparations, and gives the call to be disturbed.
type write struct {
	says    string
	prepare func(t *testing.T, c clinic) func(ctx context.Context) error
}

func allCreated(out []care.Recorded, err error) error {
	for _, r := range out {
		if err == nil && r.Outcome == care.Refused {
			err = r.Err
		}
	}
	return err
}

var writes = []write{
	{"create a client", func(_ *testing.T, c clinic) func(context.Context) error {
		client := care.Client{ID: storetest.NewID(), Reference: care.Private(uuid.NewString())}
		return func(ctx context.Context) error {
			_, _, err := c.Care.CreateClient(ctx, c.Who, client)
			return err
		}
	}},
	{"change a client", func(t *testing.T, c clinic) func(context.Context) error {
		client := c.client(t, uuid.NewString())
		client.DisplayName = "new"
		return func(ctx context.Context) error {
			_, err := c.Care.UpdateClient(ctx, c.Who, client, 1)
			return err
		}
	}},
	{"create a course", func(t *testing.T, c clinic) func(context.Context) error {
		course := care.Course{ID: storetest.NewID(), ClientID: c.client(t, uuid.NewString()).ID, Indication: "x", StartedOn: "2026-01-01"}
		return func(ctx context.Context) error {
			_, _, err := c.Care.CreateCourse(ctx, c.Who, course)
			return err
		}
	}},
	{"change a course", func(t *testing.T, c clinic) func(context.Context) error {
		course := c.course(t, c.client(t, uuid.NewString()).ID, "2026-01-01")
		course.Goals = "new"
		return func(ctx context.Context) error {
			_, err := c.Care.UpdateCourse(ctx, c.Who, course, 1)
			return err
		}
	}},
	{"create a session", func(t *testing.T, c clinic) func(context.Context) error {
		s := newStanding(t, c)
		ses := care.Session{ID: storetest.NewID(), ClientID: s.client.ID, CourseID: &s.course.ID, Kind: care.Dosing, StartedAt: day(1)}
		return func(ctx context.Context) error {
			_, _, err := c.Care.CreateSession(ctx, c.Who, ses)
			return err
		}
	}},
	{"move a session", func(t *testing.T, c clinic) func(context.Context) error {
		s := newStanding(t, c)
		s.session.StartedAt = day(1)
		return func(ctx context.Context) error {
			_, err := c.Care.UpdateSession(ctx, c.Who, s.session, 1)
			return err
		}
	}},
	{"record a batch", func(t *testing.T, c clinic) func(context.Context) error {
		s, other := newStanding(t, c), newStanding(t, c)
		batch := []care.Assessment{gad7(s.client.ID, day(6), 1), gad7(other.client.ID, day(6), 1)}
		batch[0].SessionID, batch[0].Timing = &s.session.ID, care.AfterIt
		return func(ctx context.Context) error { return allCreated(c.Care.RecordAssessments(ctx, c.Who, batch)) }
	}},
	{"amend", func(t *testing.T, c clinic) func(context.Context) error {
		s := newStanding(t, c)
		a := gad7(s.client.ID, day(6), 3)
		a.ID, a.Reason, a.SessionID, a.Timing = s.assessment.ID, "misread", &s.session.ID, care.BeforeIt
		return func(ctx context.Context) error {
			_, err := c.Care.Amend(ctx, c.Who, a, 1)
			return err
		}
	}},
	{"retract", func(t *testing.T, c clinic) func(context.Context) error {
		s := newStanding(t, c)
		return func(ctx context.Context) error {
			_, err := c.Care.Retract(ctx, c.Who, s.assessment.ID, "x", new(1))
			return err
		}
	}},
	{"choose a setting", func(t *testing.T, c clinic) func(context.Context) error {
		newStanding(t, c)
		return func(ctx context.Context) error {
			_, err := c.Care.ChooseSetting(ctx, c.Who, care.Setting{Instrument: "gad-7", ChangeRules: "ny-cocm"})
			return err
		}
	}},
}

// cutAfter runs a call whose context ends after its n-th statement.
func (c clinic) cutAfter(n int, call func(ctx context.Context) error) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if n == 0 {
		cancel()
	}
	var seen atomic.Int64
	c.Statements.Hook(func(string) {
		if seen.Add(1) == int64(n) {
			cancel()
		}
	})
	defer c.Statements.Hook(nil)
	return call(ctx)
}

// cuts disturbs a call after each of its statements in turn, until it comes to
// its end. It reports how often the record was left as it was; torn is true,
// and the end, where it was not although the call failed.
func (c clinic) cuts(t *testing.T, call func(ctx context.Context) error) (clean int, torn bool) {
	t.Helper()
	for n := 0; ; n++ {
		if n > 100 {
			t.Fatal("it never comes to its end")
		}
		before := c.dump(t)
		err := c.cutAfter(n, call)
		after := c.dump(t)
		if err == nil {
			return clean, false
		}
		if !slices.Equal(before, after) {
			return clean, true
		}
		clean++
	}
}

func TestAWriteThatIsCutAfterAnyStatementIsStoredWholeOrNotAtAll(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		for _, w := range writes {
			t.Run(w.says, func(t *testing.T) {
				call := w.prepare(t, c)
				before := c.dump(t)
				clean, torn := c.cuts(t, call)
				if clean < 3 { // no write has fewer statements
					t.Errorf("it was cut only %d times before it was stored", clean)
				}
				if slices.Equal(before, c.dump(t)) {
					t.Error("the last try, which was not cut, stored nothing")
				}
				if torn {
					t.Errorf("it was cut after statement %d, and something of it was stored", clean)
				}
				c.sound(t)
			})
		}
	})
}

// The control: the same steps in two transactions do tear.
func TestAWriteInTwoTransactionsIsSeenToTear(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		client := c.client(t, "P-1")
		a := c.NewAssessment(client.ID, day(1), 7)
		_, torn := c.cuts(t, func(ctx context.Context) error {
			err := c.DB.Write(ctx, c.Who, func(tx care.Tx) error {
				_, err := tx.InsertAssessments(ctx, c.Who, []care.Assessment{a})
				return err
			})
			if err != nil {
				return err
			}
			return c.DB.Write(ctx, c.Who, func(tx care.Tx) error {
				return tx.PutProgress(ctx, c.Who, []uuid.UUID{client.ID}, nil, []care.Progress{storetest.NewProgress(client.ID, "gad-7")})
			})
		})
		if !torn || len(c.Breaches(t, c.raw)) == 0 {
			t.Errorf("torn %t, and no breach is seen", torn)
		}
	})
}

// Without any transaction PostgreSQL does not know the clinic and refuses;
// SQLite has no such wall, and tears.
func TestAWriteWithoutATransactionIsRefusedOrSeenToTear(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		client := c.client(t, "P-1")
		a := c.NewAssessment(client.ID, day(1), 7)
		insert := func(ctx context.Context) error {
			_, err := c.InsertAssessments(ctx, c.Who, []care.Assessment{a})
			return err
		}
		if c.Dialect == "postgres" {
			before := c.dump(t)
			if err := insert(t.Context()); err == nil {
				t.Error("it was stored")
			}
			c.unchanged(t, before)
			return
		}
		if _, torn := c.cuts(t, insert); !torn || len(c.Breaches(t, c.raw)) == 0 {
			t.Errorf("torn %t, and no breach is seen", torn)
		}
	})
}

// A refusal by the database itself, in the middle of a write.
func TestAWriteThatTheDatabaseRefusesInTheMiddleLeavesNothing(t *testing.T) {
	for _, table := range []string{"assessments", "assessment_versions", "progress"} {
		for _, verb := range []string{"INSERT", "DELETE"} {
			if verb == "DELETE" && table != "progress" {
				continue
			}
			t.Run(verb+" "+table, func(t *testing.T) {
				each(t, func(t *testing.T, c clinic) {
					s := newStanding(t, c)
					before := c.dump(t)
					mend := c.Refuse(t, c.raw, verb, table)
					batch := []care.Assessment{gad7(s.client.ID, day(6), 1), gad7(s.client.ID, day(7), 0)}
					if out, err := c.Care.RecordAssessments(t.Context(), c.Who, batch); err == nil {
						t.Errorf("it was stored: %v", out)
					}
					c.unchanged(t, before)
					mend()
					c.record(t, batch...)
					c.sound(t)
				})
			})
		}
	}
}

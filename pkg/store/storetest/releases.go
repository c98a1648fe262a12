//go:build unix

package storetest

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/research"
)

var releases = []promise{
	{"what was given away of a measure is found again, and nothing of others or of other clinics", func(t *testing.T, c *Clinic) {
		score, people := release("phq-9 score", 1), release("people", 2)
		for _, r := range []research.Release{score, people, release("gad-7 score", 1)} {
			if !c.put(t, c.Who, r, 0) {
				t.Fatalf("%s was not stored", r.Measure)
			}
		}
		want := []research.Release{people, score}
		if diff := cmp.Diff(want, c.releases(t, c.Who, "phq-9 score", "people", "never asked")); diff != "" {
			t.Errorf("releases (-want +got):\n%s", diff)
		}
		if got := c.releases(t, c.Database.Clinic(t).Who, "phq-9 score", "people"); len(got) != 0 {
			t.Errorf("another clinic finds %d", len(got))
		}
	}},
	{"a release takes the place of the one that its answer was weighed by, and of no other", func(t *testing.T, c *Clinic) {
		first, second, late := release("people", 1), release("people", 2), release("people", 3)
		late.Ledger = []byte("weighed by the first")
		stored := []bool{c.put(t, c.Who, first, 0), c.put(t, c.Who, first, 0), c.put(t, c.Who, second, 1), c.put(t, c.Who, late, 1)}
		if diff := cmp.Diff([]bool{true, false, true, false}, stored); diff != "" {
			t.Errorf("stored (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]research.Release{second}, c.releases(t, c.Who, "people")); diff != "" {
			t.Errorf("releases (-want +got):\n%s", diff)
		}
	}},
	{"of releases that meet one is stored", func(t *testing.T, c *Clinic) {
		if !c.put(t, c.Who, release("people", 1), 0) {
			t.Fatal("the first was not stored")
		}
		var wait sync.WaitGroup
		var stored atomic.Int32
		for range 8 {
			wait.Go(func() {
				if c.put(t, c.Who, release("people", 2), 1) {
					stored.Add(1)
				}
			})
		}
		wait.Wait()
		if stored.Load() != 1 {
			t.Errorf("%d were stored", stored.Load())
		}
	}},
	{"when a question was last answered is found again, and not by another clinic", func(t *testing.T, c *Clinic) {
		put := func(at time.Time) {
			err := c.DB.DB.Conduct(context.WithoutCancel(t.Context()), c.Who, func(tx research.Tx) error {
				tx.Note(Entry(c.Who))
				return tx.PutAnswer(t.Context(), c.Who, research.Answered{Question: []byte("a question"), AsOf: at})
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		last := func(who auth.Principal, question string) (a research.Answered, err error) {
			err = c.DB.DB.Study(t.Context(), who, func(r research.Reader) (err error) {
				a, err = r.LastAnswer(t.Context(), who, []byte(question))
				return err
			})
			return a, err
		}
		later := When.UTC().Truncate(time.Microsecond).Add(time.Hour)
		put(later.Add(-time.Hour))
		put(later)
		found, err := last(c.Who, "a question")
		if diff := cmp.Diff(research.Answered{Question: []byte("a question"), AsOf: later}, found); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
		if _, err := last(c.Who, "another"); !fault.Is(err, fault.NotFound) {
			t.Errorf("a question that was never asked: %v", err)
		}
		if _, err := last(c.Database.Clinic(t).Who, "a question"); !fault.Is(err, fault.NotFound) {
			t.Errorf("another clinic: %v", err)
		}
	}},
}

func release(measure string, answers int) research.Release {
	return research.Release{Measure: measure, Answers: answers, Ledger: []byte(measure), At: When.UTC().Truncate(time.Microsecond)}
}

func (c *Clinic) releases(t *testing.T, who auth.Principal, measures ...string) (out []research.Release) {
	t.Helper()
	err := c.DB.DB.Study(t.Context(), who, func(r research.Reader) (err error) {
		out, err = r.Releases(t.Context(), who, measures)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (c *Clinic) put(t *testing.T, who auth.Principal, r research.Release, was int) (stored bool) {
	t.Helper()
	err := c.DB.DB.Conduct(context.WithoutCancel(t.Context()), who, func(tx research.Tx) (err error) {
		tx.Note(Entry(who))
		stored, err = tx.PutRelease(t.Context(), who, r, was)
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return stored
}

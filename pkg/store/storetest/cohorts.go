//go:build unix

package storetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/research"
)

// Conduct runs fn in a transaction that is noted.
func (d *DB) Conduct(ctx context.Context, who auth.Principal, fn func(research.Tx) error) error {
	return d.DB.Conduct(ctx, who, func(tx research.Tx) error {
		tx.Note(Entry(who))
		return fn(tx)
	})
}

func conduct[T any](ctx context.Context, d *DB, who auth.Principal, fn func(research.Tx) (T, error)) (out T, err error) {
	err = d.Conduct(ctx, who, func(tx research.Tx) (err error) {
		out, err = fn(tx)
		return err
	})
	return out, err
}

// Cohort is that of the store, in a transaction of its own.
func (d *DB) Cohort(ctx context.Context, who auth.Principal, id uuid.UUID) (research.Cohort, error) {
	return conduct(ctx, d, who, func(tx research.Tx) (research.Cohort, error) { return tx.Cohort(ctx, who, id) })
}

// Cohorts is that of the store, in a transaction of its own.
func (d *DB) Cohorts(ctx context.Context, who auth.Principal, page care.Page) ([]research.Cohort, error) {
	return conduct(ctx, d, who, func(tx research.Tx) ([]research.Cohort, error) { return tx.Cohorts(ctx, who, page) })
}

// InsertCohort is that of the store, in a transaction of its own.
func (d *DB) InsertCohort(ctx context.Context, who auth.Principal, c research.Cohort) (bool, error) {
	return conduct(ctx, d, who, func(tx research.Tx) (bool, error) { return tx.InsertCohort(ctx, who, c) })
}

// NewCohort is a cohort whose filter asks for everything that one can.
func (c *Clinic) NewCohort(name string) research.Cohort {
	at := stored(When)
	return research.Cohort{ID: NewID(), Name: name, CreatedAt: at, CreatedBy: c.Who.Actor, Filter: research.Filter{
		Indication: []string{"depression", "it's \"quoted\""}, Sex: []string{"female"}, AgeMin: new(0), AgeMax: new(90),
		EnrolledFrom: &at, EnrolledTo: &at, FirstDoseFrom: &at, FirstDoseTo: &at,
		Substance: []string{"ketamine"}, Route: []string{"oral"}, DoseMGMin: new(0.1), DoseMGMax: new(300.0),
		PlannedSessionsMin: new(1), SessionsMin: new(0), SessionsMax: new(6),
		Baseline: &research.BaselineFilter{Instrument: "phq-9", Min: new(0.0), Max: new(27.0), Severity: []string{"mild"}},
	}}
}

// insertCohorts stores cohorts that are not there yet.
func (c *Clinic) insertCohorts(t testing.TB, cohorts ...research.Cohort) {
	t.Helper()
	for _, one := range cohorts {
		if stored, err := c.InsertCohort(t.Context(), c.Who, one); err != nil || !stored {
			t.Fatalf("cohort %q: stored %v, %v", one.Name, stored, err)
		}
	}
}

var cohorts = []promise{
	{"a cohort is found as it was stored, with every condition, and with none", func(t *testing.T, c *Clinic) {
		empty := research.Cohort{ID: NewID(), Name: "everybody", CreatedAt: stored(When), CreatedBy: c.Who.Actor}
		for _, want := range []research.Cohort{c.NewCohort("some"), empty} {
			c.insertCohorts(t, want)
			got, err := c.Cohort(t.Context(), c.Who, want.ID)
			same(t, want, got, err)
		}
		if _, err := c.Cohort(t.Context(), c.Who, NewID()); !fault.Is(err, fault.NotFound) {
			t.Errorf("a cohort that is not there: %v", err)
		}
	}},
	{"an id or a name that is in use stores nothing, and fails nothing", func(t *testing.T, c *Clinic) {
		first := c.NewCohort("first")
		c.insertCohorts(t, first)
		sameID, sameName := c.NewCohort("second"), c.NewCohort("first")
		sameID.ID = first.ID
		for what, other := range map[string]research.Cohort{"id": sameID, "name": sameName} {
			if stored, err := c.InsertCohort(t.Context(), c.Who, other); stored || err != nil {
				t.Errorf("the same %s: stored %v, %v", what, stored, err)
			}
		}
		got, err := c.Cohorts(t.Context(), c.Who, care.Page{Limit: 10})
		same(t, []research.Cohort{first}, got, err)
	}},
	{"cohorts come by the bytes of their name, on every page, and are the clinic's own", func(t *testing.T, c *Clinic) {
		other := c.Database.Clinic(t)
		other.insertCohorts(t, other.NewCohort("a"))
		var want []uuid.UUID
		byName := map[string]research.Cohort{}
		for _, name := range references[1:] {
			byName[name] = c.NewCohort(name)
			c.insertCohorts(t, byName[name])
		}
		for _, name := range slices.Sorted(slices.Values(references[1:])) {
			want = append(want, byName[name].ID)
		}
		paged(t, want, func(x research.Cohort) uuid.UUID { return x.ID },
			func(x research.Cohort) care.Position { return care.Position{Text: x.Name, ID: x.ID} },
			func(page care.Page) ([]research.Cohort, error) { return c.Cohorts(t.Context(), c.Who, page) })
		if _, err := other.Cohort(t.Context(), other.Who, want[0]); !fault.Is(err, fault.NotFound) {
			t.Errorf("another clinic's cohort: %v", err)
		}
	}},
	{"a cohort does not change, not even for the owner of the tables", func(t *testing.T, c *Clinic) {
		kept := c.NewCohort("kept")
		c.insertCohorts(t, kept)
		where := fmt.Sprintf(" WHERE id = '%s'", kept.ID)
		for _, column := range []string{"name = 'x'", "filter = '{}'"} {
			if words, rows := c.refused(t, "UPDATE cohorts SET "+column+where); words == "" {
				t.Errorf("%s: %d rows were changed", column, rows)
			}
		}
	}},
	{"a filter with a condition that is not known is an error, and never a wider cohort", func(t *testing.T, c *Clinic) {
		known := c.NewCohort("known")
		c.insertCohorts(t, known)
		newer := NewID()
		_, err := c.Raw(t).ExecContext(t.Context(), fmt.Sprintf(
			"INSERT INTO cohorts (clinic_id, id, name, filter, created_at, created_by) SELECT clinic_id, '%s', 'newer', '{\"star_sign\":[\"leo\"]}', created_at, created_by FROM cohorts WHERE id = '%s'", newer, known.ID))
		if err != nil {
			t.Fatal(err)
		}
		if found, err := c.Cohort(t.Context(), c.Who, newer); err == nil || !strings.Contains(err.Error(), "star_sign") {
			t.Errorf("the cohort is read as %+v, %v", found.Filter, err)
		}
	}},
}

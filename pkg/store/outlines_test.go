//go:build unix

package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/demo"
	"github.com/protrack/protrack/pkg/research"
	"github.com/protrack/protrack/pkg/store/storetest"
)

// questions are what research asks of people as they are now.
var questions = map[string]research.HistoryQuery{
	"everything":       {Answers: true},
	"item 9":           {Item9: true},
	"totals":           {},
	"one instrument":   {Instruments: []string{"gad-7"}, Answers: true},
	"two instruments":  {Instruments: []string{"pcl-5", "phq-9"}},
	"no such forms":    {Instruments: []string{"who-5"}},
	"no forms at all":  {SkipForms: true},
	"retracted too":    {Retracted: true, Answers: true},
	"names and totals": {Names: true},
}

// historiesOf reads everybody, and says what was asked of the database.
func historiesOf(t *testing.T, c *storetest.Clinic, q research.HistoryQuery) (out []research.History, asked string) {
	t.Helper()
	c.Statements.Take()
	err := c.DB.DB.Study(t.Context(), c.Who, func(r research.Reader) error {
		people, err := r.People(t.Context(), c.Who, q.AsOf)
		if err != nil {
			return err
		}
		for h, err := range r.Histories(t.Context(), c.Who, people, q) {
			if err != nil {
				return err
			}
			out = append(out, h)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out, strings.Join(c.Statements.Take(), "\n")
}

// outlinesTellTheRecord holds what is read of now, from outlines, against what
// is read of the same time from the versions.
func outlinesTellTheRecord(t *testing.T, c *storetest.Clinic) {
	t.Helper()
	for name, q := range questions {
		got, asked := historiesOf(t, c, q)
		if fast := !q.Names && !q.Retracted; fast == strings.Contains(asked, "client_versions") {
			t.Errorf("%s: asked %s", name, asked)
		}
		q.AsOf = new(c.Clock.Now())
		want, _ := historiesOf(t, c, q)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%s: as read from the record, and from outlines: %s", name, diff)
		}
	}
}

func TestOutlinesTellWhatTheRecordTellsAfterEveryChange(t *testing.T) {
	storetest.Each(t, func(t *testing.T, d *storetest.Database) {
		c, stories := seeded(t, d)
		outlinesTellTheRecord(t, c)
		two := slices.DeleteFunc(slices.Clone(stories), func(s demo.Story) bool { return len(s.Assessments) < 8 || len(s.Corrections) > 0 })[:2]
		for _, change := range changes(two[0], two[1]) {
			if err := change.do(t.Context(), c); err != nil {
				t.Fatalf("%s: %v", change.name, err)
			}
			t.Log(change.name)
			outlinesTellTheRecord(t, c)
		}
	})
}

// seeded is a clinic with some clients, all of whom with corrections among them.
func seeded(t *testing.T, d *storetest.Database) (*storetest.Clinic, []demo.Story) {
	t.Helper()
	c := d.Clinic(t)
	c.Clock.Set(time.Date(2026, 11, 19, 15, 4, 5, 0, time.UTC))
	all := demo.Clinic(1, c.Clock.Now())
	var stories []demo.Story
	for i, s := range all {
		if i%5 == 0 || len(s.Corrections) > 0 {
			stories = append(stories, s)
		}
	}
	if _, err := demo.Seed(t.Context(), c.Care, c.Who, stories); err != nil {
		t.Fatal(err)
	}
	return c, stories
}

type change struct {
	name string
	do   func(context.Context, *storetest.Clinic) error
}

// changes are of every kind that moves what an outline tells.
func changes(a, b demo.Story) []change {
	one, other := a.Client.ID, b.Client.ID
	form := a.Assessments[3]
	return []change{
		{"a form", func(ctx context.Context, c *storetest.Clinic) error {
			f := form
			f.ID, f.CompletedAt = uuid.New(), f.CompletedAt.Add(time.Minute)
			out, err := c.Care.RecordAssessments(ctx, c.Who, []care.Assessment{f})
			if err == nil {
				err = out[0].Err
			}
			return err
		}},
		{"an amendment", func(ctx context.Context, c *storetest.Clinic) error {
			f := form
			f.Reason, f.CompletedAt = "a slip", f.CompletedAt.Add(time.Hour)
			_, err := c.Care.Amend(ctx, c.Who, f, 1)
			return err
		}},
		{"every form of an instrument retracted", func(ctx context.Context, c *storetest.Clinic) error {
			for _, f := range b.Assessments {
				if f.Instrument != "gad-7" {
					continue
				}
				if _, err := c.Care.Retract(ctx, c.Who, f.ID, "another client's", nil); err != nil {
					return err
				}
			}
			return nil
		}},
		{"a session", func(ctx context.Context, c *storetest.Clinic) error {
			_, _, err := c.Care.CreateSession(ctx, c.Who, care.Session{
				ClientID: one, Kind: care.Dosing, Number: new(99), StartedAt: c.Clock.Now(),
				Medicine: &care.Medicine{Substance: "ketamine", Route: care.Oral, DoseMG: 0.1},
			})
			return err
		}},
		{"a session moved", func(ctx context.Context, c *storetest.Clinic) error {
			ses := a.Sessions[0]
			ses.StartedAt, ses.EndedAt = ses.StartedAt.Add(-time.Hour), nil
			_, err := c.Care.UpdateSession(ctx, c.Who, ses, 1)
			return err
		}},
		{"a course", func(ctx context.Context, c *storetest.Clinic) error {
			_, _, err := c.Care.CreateCourse(ctx, c.Who, care.Course{ClientID: one, Indication: "ptsd", StartedOn: "2026-01-02", Goals: "sleep"})
			return err
		}},
		{"a course ended", func(ctx context.Context, c *storetest.Clinic) error {
			course := a.Courses[0]
			course.EndedOn, course.PlannedSessions = new(care.Date("2026-11-18")), nil
			_, err := c.Care.UpdateCourse(ctx, c.Who, course, 1)
			return err
		}},
		{"a client's facts", func(ctx context.Context, c *storetest.Clinic) error {
			client := a.Client
			client.BirthYear, client.TimeZone = nil, ""
			_, err := c.Care.UpdateClient(ctx, c.Who, client, 1)
			return err
		}},
		{"a new client", func(ctx context.Context, c *storetest.Clinic) error {
			_, _, err := c.Care.CreateClient(ctx, c.Who, care.Client{Reference: "new"})
			return err
		}},
		{"a merge", func(ctx context.Context, c *storetest.Clinic) error {
			_, _, err := c.Care.MergeClients(ctx, c.Who, care.Merge{Survivor: one, Duplicate: other, Reason: "twice"})
			return err
		}},
		{"a form of the duplicate", func(ctx context.Context, c *storetest.Clinic) error {
			f := b.Assessments[2]
			f.ID, f.CompletedAt = uuid.New(), f.CompletedAt.Add(time.Minute)
			out, err := c.Care.RecordAssessments(ctx, c.Who, []care.Assessment{f})
			if err == nil {
				err = out[0].Err
			}
			return err
		}},
		{"the merge undone", func(ctx context.Context, c *storetest.Clinic) error {
			return c.Care.UndoMerge(ctx, c.Who, one, other)
		}},
		{"an erasure", func(ctx context.Context, c *storetest.Clinic) error {
			_, err := c.Care.EraseClient(ctx, c.Who, other, care.ClientRequest)
			return err
		}},
		{"the read model rebuilt", func(ctx context.Context, c *storetest.Clinic) error { return c.Care.RebuildProgress(ctx, c.Who) }},
	}
}

// A database that an earlier version has filled has no outlines, and one of a
// later version may have others: the record is read instead.
func TestWhatHasNoOutlineIsReadFromTheRecord(t *testing.T) {
	storetest.Each(t, func(t *testing.T, d *storetest.Database) {
		c, stories := seeded(t, d)
		raw := d.Raw(t)
		want, _ := historiesOf(t, c, research.HistoryQuery{Answers: true})
		for _, s := range []string{
			"DELETE FROM outlines WHERE part = '' AND client_id = '%s'",
			"UPDATE outlines SET data = " + map[string]string{"sqlite": "x'ff'", "postgres": "'\\xff'"}[d.Dialect] + " WHERE client_id = '%s'",
			"DELETE FROM outlines",
		} {
			if strings.Contains(s, "%s") {
				s = fmt.Sprintf(s, stories[0].Client.ID)
			}
			tx, err := raw.BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if d.Dialect == "postgres" {
				if _, err := tx.ExecContext(t.Context(), "SELECT set_config('protrack.clinic', '"+c.Who.Clinic.String()+"', true)"); err != nil {
					t.Fatal(err)
				}
			}
			result, err := tx.ExecContext(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			if n, _ := result.RowsAffected(); n == 0 {
				t.Fatalf("nothing was changed by %s", s)
			}
			if err := tx.Commit(); err != nil {
				t.Fatal(err)
			}
			got, asked := historiesOf(t, c, research.HistoryQuery{Answers: true})
			if diff := cmp.Diff(want, got); diff != "" || !strings.Contains(asked, "assessment_versions") {
				t.Errorf("after %s: %s", s, diff)
			}
		}
		if err := c.Care.RebuildProgress(t.Context(), c.Who); err != nil {
			t.Fatal(err)
		}
		outlinesTellTheRecord(t, c)
	})
}

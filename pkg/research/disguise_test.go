//go:build unix

package research_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/export"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/research"
	"github.com/protrack/protrack/pkg/store/storetest"
)

// TestNoFileTellsWhoSomebodyIs looks for everything that names a client in the
// bytes of every table, format and package.
func TestNoFileTellsWhoSomebodyIs(t *testing.T) {
	storetest.Each(t, func(t *testing.T, d *storetest.Database) {
		m := newMarked(t, d)
		secrets := m.secrets()
		for _, r := range laid {
			for _, r.Format = range export.Formats() {
				for _, r.Package = range []bool{false, true} {
					r.Labels = r.Package && slices.Contains([]export.Format{export.CSV, export.NDJSON, export.XLSX}, r.Format)
					if r.ChangedSince = nil; r.Package {
						r.ChangedSince = new(day(0)) // everything; with what was retracted
					}
					for _, r.Profile = range []research.Profile{research.Limited, research.Deidentified} {
						file := m.written(t, r)
						for _, s := range secrets {
							if strings.Contains(file, s) {
								t.Errorf("%s %s as %s (package: %v), %s, holds %q", r.Table, r.Shape, r.Format, r.Package, r.Profile, s)
							}
						}
					}
				}
			}
		}
	})
}

// TestAnIdentifiedFileHoldsTheMarks shows that the search above would find them.
func TestAnIdentifiedFileHoldsTheMarks(t *testing.T) {
	m := newMarked(t, storetest.SQLite(t))
	for _, format := range export.Formats() {
		if format == export.SPSS {
			continue // a program, which holds no data
		}
		for _, packed := range []bool{false, true} {
			file := m.written(t, research.Request{Table: research.Clients, Format: format, Package: packed, Profile: research.Identified})
			for _, mark := range []string{"MARKREF3ß", "MARKNAME0ß", "MARKGOAL5ß", "MARKWHY1ß", "Pacific/Marquesas", m.ids[2].String()} {
				if !strings.Contains(file, mark) {
					t.Errorf("%s (package: %v) lacks %s", format, packed, mark)
				}
			}
		}
	}
}

// TestNoTrueDateIsInADeidentifiedFile compares every time that is shown with
// every true one.
func TestNoTrueDateIsInADeidentifiedFile(t *testing.T) {
	storetest.Each(t, func(t *testing.T, d *storetest.Database) {
		m := newMarked(t, d)
		trueTimes := map[string]bool{"2026-01-03T00:00:00Z": true}
		for _, at := range m.times {
			trueTimes[at.Format(time.RFC3339Nano)] = true
		}
		shown := func(r research.Request) (n, found int) {
			f := m.read(t, r)
			for _, row := range f.rows {
				for i, c := range f.Columns {
					if c.Kind == export.Moment && row[i].Missing == export.Present {
						if n++; trueTimes[cellText(c, row[i])] {
							found++
						}
					}
				}
			}
			return n, found
		}
		for _, r := range laid {
			r.Profile = research.Deidentified
			if _, found := shown(r); found > 0 {
				t.Errorf("%s %s: %d true times", r.Table, r.Shape, found)
			}
			if r.Dates = research.DaysOnly; r.Table == research.Clients {
				if n, _ := shown(r); n > 0 {
					t.Errorf("%s: %d times in an export of days", r.Table, n)
				}
			}
		}
		if n, found := shown(research.Request{Table: research.Sessions, Profile: research.Limited}); n != 6 || found != 6 {
			t.Errorf("of %d limited times %d are true", n, found)
		}
	})
}

func TestIntervalsAreKeptAndPseudonymsAreTheProjects(t *testing.T) {
	each(t, func(t *testing.T, c study) {
		for i := range 8 {
			p := c.person(t, care.Client{})
			c.record(t, form(p.ID, "gad-7", day(i), 1), form(p.ID, "gad-7", day(2*i+3).Add(time.Microsecond), 1))
		}
		moved := c.read(t, research.Request{Profile: research.Deidentified})
		limited := c.read(t, research.Request{Profile: research.Limited})
		again := c.read(t, research.Request{Profile: research.Deidentified, Table: research.Clients})
		if d := cmp.Diff(limited.texts("assessment_id", "client"), moved.texts("assessment_id", "client")); d != "" {
			t.Fatalf("pseudonyms of one project (-limited +deidentified):\n%s", d)
		}
		if d := cmp.Diff(again.texts("client"), slices.Compact(moved.texts("client"))); d != "" {
			t.Errorf("pseudonyms of two tables (-clients +assessments):\n%s", d)
		}
		shifts := map[string]time.Duration{}
		at, client := moved.column("completed_at"), moved.texts("client")
		for i, row := range moved.rows {
			shift := time.Duration(row[at].Int-limited.rows[i][at].Int) * time.Microsecond
			if before, known := shifts[client[i]]; known && before != shift {
				t.Errorf("two times of a client are moved by %s and %s", before, shift)
			}
			if shifts[client[i]] = shift; shift == 0 || shift%(24*time.Hour) != 0 || shift.Abs() > 365*24*time.Hour {
				t.Errorf("moved by %s", shift)
			}
		}
		other := c.read(t, research.Request{Profile: research.Limited, Project: "another"})
		for _, id := range slices.Concat(limited.texts("client"), limited.texts("assessment_id")) {
			if slices.Contains(other.texts("client"), id) || slices.Contains(other.texts("assessment_id"), id) {
				t.Errorf("%s is in two projects", id)
			}
		}
	})
}

// TestDatesAreMovedAlikeInEveryProject: by another constant in each, enough
// projects would give the true date away.
func TestDatesAreMovedAlikeInEveryProject(t *testing.T) {
	each(t, func(t *testing.T, c study) {
		for i := range 8 {
			c.record(t, form(c.person(t, care.Client{}).ID, "gad-7", day(i), 1))
		}
		times := func(project string) []string {
			out := c.read(t, research.Request{Profile: research.Deidentified, Project: project}).texts("completed_at")
			slices.Sort(out)
			return out
		}
		if d := cmp.Diff(times("one"), times("two")); d != "" {
			t.Errorf("times in two projects (-one +two):\n%s", d)
		}
		if _, err := c.try(research.Request{Profile: research.Deidentified, Project: "_dates"}); !fault.Is(err, fault.Invalid) {
			t.Errorf("the key of dates names people: %v", err)
		}
	})
}

func TestAProjectsSecretIsNotPrinted(t *testing.T) {
	p := research.Project{Name: "one", Secret: research.Secret("MARKSECRET")}
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{fmt.Sprint(p), fmt.Sprintf("%+v %#v %s %q", p, p, p.Secret, p.Secret), slog.AnyValue(p.Secret).Resolve().String(), string(text)} {
		if strings.Contains(shown, "MARK") || strings.Contains(shown, hex.EncodeToString([]byte("MARK"))) || strings.Contains(shown, "77, 65") {
			t.Errorf("printed: %s", shown)
		}
	}
}

// TestTheOrderOfRowsIsNotThatOfComing compares it with the order of ids, which
// tell when each client came.
func TestTheOrderOfRowsIsNotThatOfComing(t *testing.T) {
	c := newStudy(t, storetest.SQLite(t))
	for i := range 12 {
		c.person(t, care.Client{BirthYear: new(1940 + i)})
	}
	order := func(r research.Request) []string {
		r.Table = research.Clients
		return c.read(t, r).texts("birth_year")
	}
	came := order(research.Request{})
	if !slices.IsSorted(came) {
		t.Errorf("identified: %v", came)
	}
	one, two := order(research.Request{Profile: research.Limited, Project: "one"}), order(research.Request{Profile: research.Limited, Project: "two"})
	if slices.Equal(one, came) || slices.Equal(two, came) || slices.Equal(one, two) {
		t.Errorf("came %v\none %v\ntwo %v", came, one, two)
	}
}

func TestAgesOver89AreOne(t *testing.T) {
	c := newStudy(t, storetest.SQLite(t))
	for _, year := range []int{1920, 1935, 1936, 1937} {
		p := c.person(t, care.Client{BirthYear: &year})
		c.session(t, care.Session{ClientID: p.ID, Kind: care.Dosing, StartedAt: day(3)})
	}
	for profile, want := range map[research.Profile]string{
		research.Deidentified: "89 90 90 90", research.Limited: "106 89 90 91",
	} {
		for _, r := range []research.Request{{Table: research.Clients}, {Shape: research.Wide}} {
			r.Profile = profile
			got := c.read(t, r).texts("age_at_first_dose")
			if slices.Sort(got); strings.Join(got, " ") != want {
				t.Errorf("%s: %v, want %s", profile, got, want)
			}
		}
	}
}

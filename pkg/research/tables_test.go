//go:build unix

package research_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/instrument"
	"github.com/protrack/protrack/pkg/research"
	"github.com/protrack/protrack/pkg/store/storetest"
)

var ctx = context.Background()

// laid lists every table in every shape.
var laid = []research.Request{
	{Table: research.Assessments, Shape: research.Assessment},
	{Table: research.Assessments, Shape: research.Long},
	{Table: research.Assessments, Shape: research.Wide},
	{Table: research.Sessions},
	{Table: research.Clients},
	{Table: research.Trajectories},
}

func TestEachProfileHasItsColumns(t *testing.T) {
	c := newStudy(t, storetest.SQLite(t))
	p := c.person(t, care.Client{})
	ses := c.session(t, care.Session{ClientID: p.ID, Kind: care.Dosing, StartedAt: day(1)})
	c.record(t, of(form(p.ID, "phq-9", day(0), 1), ses, care.BeforeIt), form(p.ID, "pcl-5", day(0), 1))
	var got strings.Builder
	for _, r := range laid {
		for _, profile := range research.Profiles() {
			for _, dates := range []research.DateMode{research.ShiftedDates, research.DaysOnly} {
				r.Profile, r.Dates = profile, dates
				if profile != research.Deidentified {
					if dates == research.DaysOnly {
						continue // it moves no times, and leaves none out
					}
					r.Dates = ""
				}
				f := c.read(t, r)
				fmt.Fprintf(&got, "%s, %s, dates %s:\n  %s\n", f.Name, profile, dates, strings.Join(f.names(), " "))
			}
		}
	}
	golden(t, "testdata/columns.txt", got.String())
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got):\n%s", name, d)
	}
}

func TestEveryInstrumentThatShipsHasLegalColumns(t *testing.T) {
	c := newStudy(t, storetest.SQLite(t))
	var all []string
	for _, def := range c.Research.Instruments.All() {
		all = append(all, def.ID)
	}
	for _, r := range laid {
		if r.Table != research.Sessions {
			r.Instruments = all
		}
		c.read(t, r) // it checks the table
	}
}

// without is a form that some of its items are missing from.
func without(a care.Assessment, items ...string) care.Assessment {
	for _, id := range items {
		delete(a.Answers, id)
	}
	return a
}

func TestAnAssessmentSaysWhyAnAnswerIsMissing(t *testing.T) {
	each(t, func(t *testing.T, c study) {
		man := c.person(t, care.Client{Sex: instrument.Male})
		somebody := c.person(t, care.Client{Sex: instrument.Unknown})
		declined := without(form(man.ID, "gad-7", day(1), 0), "gad7_2", "gad7_5")
		declined.Declined = []string{"gad7_5"}
		gated := form(man.ID, "audit-c", day(2), 0)
		gated.Answers = instrument.Answers{"auditc_1": new(0)}
		total := care.Assessment{ClientID: man.ID, Instrument: "gad-2", Timing: care.AtFollowUp, CompletedAt: day(3), Total: new(4.0)}
		c.record(t, declined, gated, total, without(form(man.ID, "phq-15", day(4), 1), "phq15_4"), without(form(somebody.ID, "phq-15", day(5), 1), "phq15_4"))

		f := c.read(t, research.Request{})
		got := f.texts("instrument", "total", "items_answered", "gad7_1", "gad7_2", "gad7_5", "auditc_2", "missing_reasons")
		want := []string{
			"audit-c 0 1 [not_included] [not_included] [not_included] [not_asked] auditc_2=not_asked auditc_3=not_asked",
			"gad-2 4 [unknown] [not_included] [not_included] [not_included] [not_included] gad2_1=unknown gad2_2=unknown",
			"gad-7 [unknown] 5 0 [skipped] [declined] [not_included] gad7_2=skipped gad7_5=declined",
			"phq-15 14 14 [not_included] [not_included] [not_included] [not_included] phq15_4=not_asked",
			"phq-15 [unknown] 14 [not_included] [not_included] [not_included] [not_included] phq15_4=skipped",
		}
		slices.Sort(got)
		slices.Sort(want)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("rows (-want +got):\n%s", d)
		}
	})
}

// treated records two courses of a client: three doses, the third only
// planned, and one of a later course. The clinic's clock stands at day 151.
func treated(t *testing.T, c study) care.Client {
	p := c.person(t, care.Client{Reference: "R-1", DisplayName: "Jo Doe", BirthYear: new(1931), Sex: instrument.Female, TimeZone: "America/Denver"})
	first := c.course(t, care.Course{ClientID: p.ID, Indication: "Depression", StartedOn: "2026-01-05", PlannedSessions: new(6), Goals: "sleep"})
	second := c.course(t, care.Course{ClientID: p.ID, Indication: "PTSD", StartedOn: "2026-05-01"})
	dose := func(course care.Course, n int) care.Session {
		return c.session(t, care.Session{
			ClientID: p.ID, CourseID: &course.ID, Kind: care.Dosing, StartedAt: day(n), EndedAt: new(day(n).Add(90 * time.Minute)),
			Medicine: &care.Medicine{Substance: "ketamine", Route: care.Sublingual, DoseMG: 200.5, DoseMGPerKG: new(2.5)},
		})
	}
	one, two, later := dose(first, 10), dose(first, 17), dose(second, 130)
	dose(second, 300)
	c.session(t, care.Session{ClientID: p.ID, CourseID: &first.ID, Kind: care.Integration, StartedAt: day(18)})
	c.record(t,
		of(form(p.ID, "phq-9", day(9), 2), one, care.BeforeIt), of(form(p.ID, "phq-9", day(11), 1), one, care.AfterIt),
		of(form(p.ID, "phq-9", day(16), 2), two, care.BeforeIt), form(p.ID, "phq-9", day(40), 0),
		of(form(p.ID, "phq-9", day(131), 3), later, care.AfterIt), without(form(p.ID, "gad-7", day(41), 1), "gad7_1"))
	return p
}

func TestSessionsAreTold(t *testing.T) {
	each(t, func(t *testing.T, c study) {
		treated(t, c)
		f := c.read(t, research.Request{Table: research.Sessions})
		want := []string{
			"dosing 1 Depression 2026-01-11T09:10:10Z 0 90 ketamine sublingual 200.5 2.5 0",
			"dosing 2 Depression 2026-01-18T09:17:17Z 7.0049 90 ketamine sublingual 200.5 2.5 0",
			"integration 1 Depression 2026-01-19T09:18:18Z 8.0056 [unknown] [unknown] [unknown] [unknown] [unknown] 0",
			"dosing 1 PTSD 2026-05-11T11:12:10Z 120.0847 90 ketamine sublingual 200.5 2.5 0",
			"dosing 2 PTSD 2026-10-28T14:05:00Z 290.2047 90 ketamine sublingual 200.5 2.5 1",
		}
		got := f.texts("kind", "number", "indication", "started_at", "days_from_first_dose", "duration_minutes", "substance", "route", "dose_mg", "dose_mg_per_kg", "planned")
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("sessions (-want +got):\n%s", d)
		}
	})
}

func TestClientsAreTold(t *testing.T) {
	each(t, func(t *testing.T, c study) {
		p := treated(t, c)
		c.person(t, care.Client{Reference: "R-2"})
		f := c.read(t, research.Request{Table: research.Clients})
		want := []string{
			p.ID.String() + " R-1 Jo Doe America/Denver female 1931 95 2026-01-05T00:00:00Z -6.3821 Depression 2 6 3 2026-01-11T09:10:10Z 2026-05-11T11:12:10Z 120.0847 121.0854 6 sleep",
			"R-2 [unknown] [unknown] [unknown] [unknown] [not_reached] [not_reached] [unknown] 0 [unknown] 0 [not_reached] [not_reached] [not_reached] [not_reached] 0 [unknown]",
		}
		got := f.texts("client", "reference", "display_name", "time_zone", "sex", "birth_year", "age_at_first_dose", "enrolled_at", "enrolled_days", "indication", "courses",
			"planned_sessions", "dosing_sessions", "first_dose_at", "last_dose_at", "last_dose_days", "days_observed", "n_assessments", "goals")
		_, reference, _ := strings.Cut(got[1], " ")
		at := f.texts("enrolled_at")[1]
		got[1] = strings.Replace(reference, at+" ", "", 1)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("clients (-want +got):\n%s", d)
		}
	})
}

func TestTheWideShapeHasTheScoresAtTheTimePoints(t *testing.T) {
	each(t, func(t *testing.T, c study) {
		treated(t, c)
		untreated := c.person(t, care.Client{})
		c.record(t, form(untreated.ID, "gad-7", day(3), 1))
		f := c.read(t, research.Request{Shape: research.Wide})
		want := []string{
			"95 18 18 9 18 [not_observed] 0 [not_observed] [not_reached] [not_reached] 0 [unknown]",
			"[not_reached] [not_observed] [not_reached] [not_reached] [not_reached] [not_reached] [not_reached] [not_reached] [not_reached] [not_reached] [not_observed] 7",
		}
		got := f.texts("age_at_first_dose", "phq9_baseline", "phq9_b01", "phq9_a01", "phq9_b02", "phq9_a02", "phq9_d030", "phq9_d090", "phq9_d180", "phq9_d365", "phq9_last", "gad7_last")
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("scores (-want +got):\n%s", d)
		}
		if why := f.texts("missing_reasons")[0]; !strings.Contains(why, "phq9_a02=not_observed phq9_d090=not_observed phq9_d180=not_reached") || strings.Contains(why, "phq9_b01") {
			t.Errorf("reasons: %s", why)
		}
		if f.column("phq9_b03") >= 0 {
			t.Error("there is a column of a session that has not taken place")
		}
	})
}

// TestTrajectoriesAreThoseOfTheRecord compares the table with what the record
// answers for one client.
func TestTrajectoriesAreThoseOfTheRecord(t *testing.T) {
	each(t, func(t *testing.T, c study) {
		p := treated(t, c)
		if _, err := c.Care.ChooseSetting(ctx, c.Who, care.Setting{Instrument: "gad-7", ChangeRules: otherRules(t, c, "gad-7")}); err != nil {
			t.Fatal(err)
		}
		c.record(t, form(p.ID, "gad-7", day(2), 3), form(p.ID, "gad-7", day(50), 1))
		all, err := c.Care.Trajectories(ctx, c.Who, p.ID, care.TrajectoryQuery{})
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, tr := range all {
			s := tr.Status
			want = append(want, fmt.Sprint(tr.Instrument, " ", tr.Baseline.Total, " ", tr.Latest.Total, " ", tr.Best.Total, " ", *s.Change, " ", said(s.Reliable), " ", said(s.Response), " ",
				s.NScored, " ", s.NMissing, " ", tr.Rules.Set, " ", tr.Trend.SlopePerWeek))
		}
		f := c.read(t, research.Request{Table: research.Trajectories})
		got := f.texts("instrument", "baseline", "latest", "best", "change", "reliable", "response", "n_scored", "n_missing", "rule_set", "slope_per_week")
		if d := cmp.Diff(want, got); d != "" || len(got) != 2 {
			t.Errorf("trajectories (-want +got):\n%s", d)
		}
		if d := cmp.Diff([]string{"-8.0056 40.0282 40.0282", "-1.0007 121.0854 30.0212"}, f.texts("baseline_days", "latest_days", "best_days")); d != "" {
			t.Errorf("days (-want +got):\n%s", d)
		}
	})
}

// said is a verdict as a row has it.
func said[T ~string](verdict *T) string {
	if verdict == nil {
		return "[unknown]"
	}
	return string(*verdict)
}

// otherRules is a change rule set of an instrument that is not its default.
func otherRules(t *testing.T, c study, id string) string {
	def, err := c.Research.Instruments.Get(id)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range def.ChangeRules {
		if r.ID != def.DefaultChangeRules {
			return r.ID
		}
	}
	t.Fatalf("%s has one rule set alone", id)
	return ""
}

func TestWhatARequestCannotAskIsNamed(t *testing.T) {
	c := newStudy(t, storetest.SQLite(t))
	id := storetest.NewID()
	for _, tc := range []struct {
		what string
		r    research.Request
		want string
	}{
		{"many faults", research.Request{
			Table: research.Clients, Shape: research.Long, Instruments: []string{"phq-99"}, Project: "No Name", From: new(day(2)), To: new(day(1)),
			Session: new(0), Timing: "soon", Dates: "never", Profile: research.Deidentified, AsOf: new(day(9999)), ChangedSince: new(day(9999)),
		}, "/shape /dates /instrument /project /as_of /changed_since /from /to /session /timing /to /session /timing"},
		{"an unknown shape", research.Request{Table: research.Assessments, Shape: "round"}, "/shape"},
		{"an instrument of sessions", research.Request{Table: research.Sessions, Instruments: []string{"gad-7"}}, "/instrument"},
		{"a part of the shape wide", research.Request{Table: research.Assessments, Shape: research.Wide, Timing: care.BeforeIt}, "/timing"},
		{"a real course among pseudonyms", research.Request{Table: research.Sessions, Course: &id, Profile: research.Limited}, "/course_id"},
		{"times that are not shown", research.Request{Table: research.Sessions, From: new(day(1)), Profile: research.Deidentified, Dates: research.DaysOnly}, "/from"},
		{"an unknown cohort", research.Request{Table: research.Sessions, Cohort: &id}, "/cohort"},
	} {
		_, err := c.try(tc.r)
		var pointers []string
		if e, is := errors.AsType[*fault.Error](err); is && e.Kind == fault.Invalid {
			for _, d := range e.Details {
				if pointers = append(pointers, d.Pointer); d.In != "query" {
					t.Errorf("%s: %s is in %q", tc.what, d.Pointer, d.In)
				}
			}
		}
		if got := strings.Join(pointers, " "); got != tc.want {
			t.Errorf("%s: %s (%v), want %s", tc.what, got, err, tc.want)
		}
	}
	if _, err := c.try(research.Request{Table: "alerts"}); !fault.Is(err, fault.NotFound) {
		t.Errorf("an unknown table: %v", err)
	}
}

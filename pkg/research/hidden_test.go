//go:build unix

package research_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/export"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/instrument"
	"github.com/protrack/protrack/pkg/research"
	"github.com/protrack/protrack/pkg/store/storetest"
)

// as is the study as a role meets it.
func (c study) as(role auth.Role) study {
	own := *c.Clinic
	own.Who = auth.As(c.Who.Clinic, storetest.NewID(), auth.ByKey, role)
	return study{&own, c.Research}
}

// pointers are what a fault of a request is about.
func pointers(t *testing.T, err error) []string {
	t.Helper()
	var found *fault.Error
	if !errors.As(err, &found) || found.Kind != fault.Invalid {
		t.Errorf("no fault of the request: %v", err)
		return nil
	}
	var out []string
	for _, d := range found.Details {
		out = append(out, d.Pointer)
	}
	return out
}

func TestTimesAreChosenByWhoMaySeeThem(t *testing.T) {
	each(t, func(t *testing.T, c study) {
		c.signing(t)
		p := c.person(t, care.Client{})
		c.record(t, form(p.ID, "gad-7", day(1), 1))
		reader := c.as(auth.Researcher)
		deidentified := func(change func(*research.Request)) research.Request {
			r := research.Request{Table: research.Assessments, Format: export.CSV, Profile: research.Deidentified}
			change(&r)
			return r
		}
		then := c.Clock.Now()
		asOf := deidentified(func(r *research.Request) { r.AsOf = &then })
		if _, err := reader.try(asOf); !fault.Is(err, fault.Forbidden) {
			t.Errorf("as_of: %v", err)
		}
		if _, _, err := c.Research.TakeSnapshot(ctx, reader.Who, uuid.Nil, "then", asOf, "test"); !fault.Is(err, fault.Forbidden) {
			t.Errorf("as_of of a snapshot: %v", err)
		}
		c.read(t, asOf)

		since := deidentified(func(r *research.Request) { r.ChangedSince = &then })
		if _, err := reader.try(since); !slices.Equal(pointers(t, err), []string{"/changed_since"}) {
			t.Errorf("changed_since at will: %v", err)
		}
		c.read(t, since)
		first := reader.read(t, deidentified(func(*research.Request) {})).GeneratedAt
		snap := reader.freeze(t, "now", deidentified(func(*research.Request) {}))
		c.record(t, form(p.ID, "gad-7", day(2), 1))
		for what, made := range map[string]time.Time{"an export": first, "a snapshot": snap.CreatedAt} {
			if n := len(reader.read(t, deidentified(func(r *research.Request) { r.ChangedSince = &made })).rows); n != 1 {
				t.Errorf("%d rows that changed since %s", n, what)
			}
			near := made.Add(time.Microsecond)
			if _, err := reader.try(deidentified(func(r *research.Request) { r.ChangedSince = &near })); !fault.Is(err, fault.Invalid) {
				t.Errorf("a moment after %s: %v", what, err)
			}
		}
		reader.pulled(t, snap)
	})
}

// TestNothingOfARareValueOutlivesTheRecord: a snapshot must not keep what one
// client alone had.
func TestNothingOfARareValueOutlivesTheRecord(t *testing.T) {
	each(t, func(t *testing.T, c study) {
		c.signing(t)
		ill(t, c, 5, "OCD", care.Oral) // goes with what is rare
		ill(t, c, 6, "PTSD", care.Oral)
		p := c.person(t, care.Client{Sex: instrument.Male})
		course := c.course(t, care.Course{ClientID: p.ID, Indication: "MARK of one", StartedOn: "2026-01-03"})
		c.session(t, care.Session{
			ClientID: p.ID, CourseID: &course.ID, Kind: care.Dosing, StartedAt: day(5),
			Medicine: &care.Medicine{Substance: "MARK of two", Route: care.Oral, DoseMG: 1},
		})
		snap := c.freeze(t, "rare", research.Request{Table: research.Sessions, Format: export.CSV, Profile: research.Deidentified})
		if kept, err := json.Marshal(snap); err != nil || strings.Contains(strings.ToLower(string(kept)), "mark of") {
			t.Errorf("%v: a snapshot keeps what one client had: %s", err, kept)
		}
		_, before := c.pulled(t, snap)
		ill(t, c, 8, "mark OF one", care.Oral) // shared by now; it was not then
		_, after := c.pulled(t, snap)
		if d := cmp.Diff(before, after); d != "" {
			t.Errorf("the snapshot (-before +after):\n%s", d)
		}
		if n := strings.Count(before["data.csv"], ",ptsd,"); n != 6 || !strings.Contains(before["data.csv"], ",other,") {
			t.Errorf("the snapshot:\n%s", before["data.csv"])
		}
	})
}

// TestACohortTellsNoMoreThanItsRows asks for cohorts by what the rows hide.
func TestACohortTellsNoMoreThanItsRows(t *testing.T) {
	each(t, func(t *testing.T, c study) {
		ill(t, c, 5, "OCD", care.Oral) // goes with what is rare
		ill(t, c, 6, "PTSD", care.Oral)
		for i, year := range []int{1920, 1931, 1936, 1940} {
			p := c.person(t, care.Client{BirthYear: &year, Sex: instrument.Male})
			course := c.course(t, care.Course{ClientID: p.ID, Indication: fmt.Sprint("rare ", i), StartedOn: "2026-01-03"})
			c.session(t, care.Session{
				ClientID: p.ID, CourseID: &course.ID, Kind: care.Dosing, StartedAt: day(5),
				Medicine: &care.Medicine{Substance: fmt.Sprint("potion ", i), Route: care.Intranasal, DoseMG: 1},
			})
		}
		for name, f := range map[string]struct {
			research.Filter
			deidentified, limited, identified int
		}{
			"over 94":        {research.Filter{AgeMin: new(95)}, 0, 2, 2},
			"90 or older":    {research.Filter{AgeMin: new(90)}, 3, 3, 3},
			"who is alone":   {research.Filter{Indication: []string{"rare 1"}}, 0, 0, 1},
			"what was given": {research.Filter{Substance: []string{"potion 1"}}, 0, 0, 1},
			"how":            {research.Filter{Route: []string{"intranasal"}}, 0, 4, 4},
			"sex":            {research.Filter{Sex: []string{"male"}}, 0, 4, 4},
			"shared":         {research.Filter{Indication: []string{"ptsd"}}, 6, 6, 6},
		} {
			saved, _, err := c.Research.SaveCohort(ctx, c.Who, research.Cohort{Name: name, Filter: f.Filter})
			if err != nil {
				t.Fatal(name, err)
			}
			for profile, want := range map[research.Profile]int{research.Deidentified: f.deidentified, research.Limited: f.limited, research.Identified: f.identified} {
				for _, shape := range []research.Request{{Table: research.Clients}, {Shape: research.Wide}, {Table: research.Sessions}} {
					shape.Profile, shape.Cohort = profile, &saved.ID
					if got := len(c.read(t, shape).rows); got != want {
						t.Errorf("%s, %s, %s%s: %d rows, want %d", name, profile, shape.Table, shape.Shape, got, want)
					}
				}
			}
		}
	})
}

// TestColumnsStayWhenTheirLastOneLeaves: which columns are gone would tell who.
func TestColumnsStayWhenTheirLastOneLeaves(t *testing.T) {
	each(t, func(t *testing.T, c study) {
		c.signing(t)
		var ids []uuid.UUID
		for n := range 3 {
			p := c.person(t, care.Client{})
			c.record(t, form(p.ID, "gad-7", day(1), 1))
			for i := range n + 1 {
				c.session(t, care.Session{ClientID: p.ID, Kind: care.Dosing, StartedAt: day(5 + i)})
			}
			ids = append(ids, p.ID)
		}
		snap := c.freeze(t, "wide", research.Request{Table: research.Assessments, Shape: research.Wide, Format: export.CSV, Profile: research.Deidentified})
		head := func() string {
			_, files := c.pulled(t, snap)
			line, _, _ := strings.Cut(files["data.csv"], "\n")
			return line
		}
		before := head()
		c.says(t, ids[2], care.Withdrawn)
		if after := head(); after != before || !strings.Contains(before, "gad7_a03") {
			t.Errorf("columns\nbefore %s\nafter  %s", before, after)
		}
	})
}

func TestAnInstrumentThatOnlyOthersAnsweredHasNoColumn(t *testing.T) {
	each(t, func(t *testing.T, c study) {
		p, other := c.person(t, care.Client{}), c.person(t, care.Client{})
		c.record(t, form(p.ID, "gad-7", day(1), 1), form(other.ID, "gad-7", day(1), 1), form(other.ID, "phq-9", day(1), 1))
		c.says(t, other.ID, care.Withdrawn)
		then := c.Clock.Now()
		for what, r := range map[string]research.Request{"now": {}, "then": {AsOf: &then}, "since": {ChangedSince: new(day(0))}} {
			f := c.read(t, r)
			if !slices.Equal(f.Request.Instruments, []string{"gad-7"}) || f.column("phq9_1") >= 0 {
				t.Errorf("%s: %v", what, f.Request.Instruments)
			}
		}
		table, err := c.Research.Columns(ctx, c.Who, research.Request{Table: research.Assessments, Profile: research.Deidentified})
		if f := (file{Table: table}); err != nil || f.column("phq9_1") >= 0 || f.column("gad7_1") < 0 {
			t.Errorf("codebook: %v, %v", f.names(), err)
		}
	})
}

func TestAManifestIsShownToWhoMayPullIt(t *testing.T) {
	each(t, func(t *testing.T, c study) {
		c.signing(t)
		c.record(t, form(c.person(t, care.Client{}).ID, "gad-7", day(1), 1))
		reader := c.as(auth.Researcher)
		for _, profile := range research.Profiles() {
			snap := c.freeze(t, string(profile), research.Request{Table: research.Assessments, Format: export.CSV, Profile: profile})
			one, err := c.Research.Snapshot(ctx, reader.Who, snap.ID)
			if err != nil {
				t.Fatal(err)
			}
			list, err := c.Research.Snapshots(ctx, reader.Who, care.Page{Limit: 10})
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range []research.Snapshot{one, list[len(list)-1]} {
				if s.ID != snap.ID || s.Name != snap.Name || s.Frozen.Request.Profile != profile {
					t.Errorf("%s: %+v", profile, s)
				}
				shown := len(s.Manifest) > 0 || len(s.Signature) > 0 || s.Frozen.Request.Format != "" || s.Frozen.Program != ""
				if shown != (profile == research.Deidentified) {
					t.Errorf("a researcher sees the manifest of a snapshot that is %s: %t", profile, shown)
				}
			}
		}
	})
}

// TestAnIncrementNamesNobodyWhoWasInNoExport erases, and merges, clients who had
// never agreed beside one whose rows went out.
func TestAnIncrementNamesNobodyWhoWasInNoExport(t *testing.T) {
	each(t, func(t *testing.T, c study) {
		known := c.person(t, care.Client{}).ID
		var silent []uuid.UUID
		for i := range 3 {
			p, _, err := c.Care.CreateClient(ctx, c.Who, care.Client{Reference: care.Private(fmt.Sprint("S-", i))})
			if err != nil {
				t.Fatal(err)
			}
			silent = append(silent, p.ID)
		}
		before := c.read(t, research.Request{Table: research.Clients, Profile: research.Deidentified})
		for _, id := range []uuid.UUID{known, silent[0]} {
			if _, err := c.Care.EraseClient(ctx, c.Who, id, care.ClientRequest); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, err := c.Care.MergeClients(ctx, c.Who, care.Merge{Survivor: silent[1], Duplicate: silent[2], Reason: "the same"}); err != nil {
			t.Fatal(err)
		}
		f := c.read(t, research.Request{Table: research.Clients, Profile: research.Deidentified, ChangedSince: &before.GeneratedAt})
		if d := cmp.Diff(before.texts("client"), f.Withdrawn); d != "" {
			t.Errorf("withdrawn (-want +got):\n%s", d)
		}
	})
}

//go:build unix

package research_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/export"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/instrument"
	"github.com/protrack/protrack/pkg/research"
	"github.com/protrack/protrack/pkg/store/storetest"
)

func TestAnExportHoldsThePartThatIsAskedFor(t *testing.T) {
	each(t, func(t *testing.T, c study) {
		p := treated(t, c)
		courses, err := c.Care.Courses(ctx, c.Who, p.ID, care.Page{Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		from, to := day(11), day(40)
		for _, tc := range []struct {
			what string
			r    research.Request
			want string
		}{
			{"everything", research.Request{}, "gad-7,phq-9,phq-9,phq-9,phq-9,phq-9"},
			{"an instrument", research.Request{Instruments: []string{"gad-7"}}, "gad-7"},
			{"a period", research.Request{From: &from, To: &to}, "phq-9,phq-9"},
			{"a timing", research.Request{Timing: care.BeforeIt}, "phq-9,phq-9"},
			{"a session of each course", research.Request{Session: new(1)}, "phq-9,phq-9,phq-9"},
			{"a course", research.Request{Course: &courses[1].ID}, "phq-9"},
			{"an earlier time", research.Request{AsOf: new(day(1))}, ""},
		} {
			for _, shape := range []research.Shape{research.Assessment, research.Long} {
				tc.r.Shape = shape
				f := c.read(t, tc.r)
				forms := slices.Compact(f.texts("assessment_id", "instrument"))
				for i := range forms {
					_, forms[i], _ = strings.Cut(forms[i], " ")
				}
				if got := strings.Join(forms, ","); got != tc.want {
					t.Errorf("%s, %s: %s, want %s", tc.what, shape, got, tc.want)
				}
			}
		}
		f := c.read(t, research.Request{Table: research.Sessions, Course: &courses[0].ID, From: new(day(12))})
		if d := cmp.Diff([]string{"dosing 2", "integration 1"}, f.texts("kind", "number")); d != "" {
			t.Errorf("sessions (-want +got):\n%s", d)
		}
	})
}

// TestAPeriodIsOfTheTimesThatAreShown shows that true times cannot be found out
// by asking for periods.
func TestAPeriodIsOfTheTimesThatAreShown(t *testing.T) {
	c := newStudy(t, storetest.SQLite(t))
	p := c.person(t, care.Client{})
	c.record(t, form(p.ID, "gad-7", day(30), 1))
	rows := func(from time.Time) int {
		return len(c.read(t, research.Request{Profile: research.Deidentified, From: &from, To: new(from.Add(time.Second))}).rows)
	}
	f := c.read(t, research.Request{Profile: research.Deidentified})
	shown := f.rows[0][f.column("completed_at")].Time(export.Moment)
	if rows(shown) != 1 || rows(day(30)) != 0 {
		t.Errorf("%d rows by the time that is shown, %d by the true one", rows(shown), rows(day(30)))
	}
}

func TestAnExportHoldsTheClientsOfACohort(t *testing.T) {
	each(t, func(t *testing.T, c study) {
		ill(t, c, 3, "PTSD", care.Oral)
		ill(t, c, 2, "depression", care.Oral)
		low := c.person(t, care.Client{})
		c.record(t, form(low.ID, "phq-9", day(1), 1))
		save := func(name string, f research.Filter) *uuid.UUID {
			saved, _, err := c.Research.SaveCohort(ctx, c.Who, research.Cohort{Name: name, Filter: f})
			if err != nil {
				t.Fatal(err)
			}
			return &saved.ID
		}
		ptsd := save("ptsd", research.Filter{Indication: []string{"ptsd"}})
		baseline := save("low", research.Filter{Baseline: &research.BaselineFilter{Instrument: "phq-9", Max: new(12.0)}})
		dated := save("dated", research.Filter{FirstDoseFrom: new(day(4))})

		f := c.read(t, research.Request{Table: research.Clients, Cohort: ptsd})
		if d := cmp.Diff(map[string]int{"PTSD": 3}, f.tally("indication")); d != "" || len(f.People) != 3 {
			t.Errorf("%d people (-want +got):\n%s", len(f.People), d)
		}
		trail := c.Trail(t, c.Raw(t), c.Who.Clinic)
		if last := trail[len(trail)-1]; last.Action != "clients.export" || len(last.Clients) != 3 {
			t.Errorf("the trail says %s of %d clients", last.Action, len(last.Clients))
		}
		if got := c.read(t, research.Request{Table: research.Clients, Cohort: baseline}).texts("client"); !slices.Equal(got, []string{low.ID.String()}) {
			t.Errorf("by the baseline: %v, want %s", got, low.ID)
		}
		if got := len(c.read(t, research.Request{Table: research.Clients, Cohort: dated, Profile: research.Limited}).rows); got != 5 {
			t.Errorf("by dates: %d, want 5", got)
		}
		if _, err := c.try(research.Request{Table: research.Clients, Cohort: dated, Profile: research.Deidentified}); !fault.Is(err, fault.Invalid) {
			t.Errorf("by dates that the profile hides: %v", err)
		}
	})
}

func TestWhoWithdrawsAfterAnExportWasPreparedIsNotInIt(t *testing.T) {
	each(t, func(t *testing.T, c study) {
		stays, leaves, never := c.person(t, care.Client{}), c.person(t, care.Client{}), c.person(t, care.Client{})
		c.says(t, never.ID, care.Withdrawn)
		if _, _, err := c.Care.CreateClient(ctx, c.Who, care.Client{Reference: "not asked"}); err != nil {
			t.Fatal(err)
		}
		for _, p := range []care.Client{stays, leaves, never} {
			c.record(t, form(p.ID, "gad-7", day(1), 1))
		}
		x, err := c.Research.Prepare(ctx, c.Who, research.Request{Table: research.Assessments, Profile: research.Identified})
		if err != nil {
			t.Fatal(err)
		}
		if len(x.People) != 2 {
			t.Fatalf("%d people agreed, want 2", len(x.People))
		}
		c.says(t, leaves.ID, care.Withdrawn)
		again, err := c.finish(x)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]string{stays.ID.String()}, again.texts("client")); d != "" {
			t.Errorf("clients (-want +got):\n%s", d)
		}
		if d := cmp.Diff(research.LeftOut{NoConsent: 1, Withdrawn: 2}, again.LeftOut); d != "" {
			t.Errorf("left out (-want +got):\n%s", d)
		}
	})
}

// TestAnIncrementHoldsWhatChangedSince takes a whole export and one increment
// after each kind of change.
func TestAnIncrementHoldsWhatChangedSince(t *testing.T) {
	each(t, func(t *testing.T, c study) {
		people := make([]care.Client, 6)
		forms := make([][]care.Assessment, len(people))
		for i := range people {
			people[i] = c.person(t, care.Client{Reference: care.Private(fmt.Sprint("P-", i))})
			forms[i] = c.record(t, form(people[i].ID, "gad-7", day(1), 0), form(people[i].ID, "gad-7", day(2), 0))
		}
		c.read(t, research.Request{Table: research.Clients, Profile: research.Deidentified})
		since := c.Clock.Now()
		amended := form(people[0].ID, "gad-7", day(1), 3)
		amended.ID, amended.Reason = forms[0][0].ID, "misread"
		if _, err := c.Care.Amend(ctx, c.Who, amended, 1); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Care.Retract(ctx, c.Who, forms[1][1].ID, "another's", nil); err != nil {
			t.Fatal(err)
		}
		c.session(t, care.Session{ClientID: people[2].ID, Kind: care.Dosing, StartedAt: day(1)})
		c.says(t, people[3].ID, care.Withdrawn)
		_, _, err := c.Care.MergeClients(ctx, c.Who, care.Merge{Survivor: people[4].ID, Duplicate: people[5].ID, Reason: "the same"})
		if err != nil {
			t.Fatal(err)
		}
		f := c.read(t, research.Request{ChangedSince: &since})
		line := func(a care.Assessment, total int, retracted string) string {
			return fmt.Sprintf("%s %d %s", a.ID, total, retracted)
		}
		want := []string{
			line(forms[0][0], 21, "0"), line(forms[1][1], 0, "1"), line(forms[2][0], 0, "0"), line(forms[2][1], 0, "0"),
			line(forms[4][0], 0, "0"), line(forms[4][1], 0, "0"), line(forms[5][0], 0, "0"), line(forms[5][1], 0, "0"),
		}
		got := f.texts("assessment_id", "total", "retracted")
		slices.Sort(got)
		slices.Sort(want)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("increment (-want +got):\n%s", d)
		}
		gone := []string{people[3].ID.String(), people[5].ID.String()}
		slices.Sort(gone)
		if d := cmp.Diff(gone, f.Withdrawn); d != "" {
			t.Errorf("withdrawn (-want +got):\n%s", d)
		}
		clients := c.read(t, research.Request{Table: research.Clients, ChangedSince: &since, Profile: research.Deidentified})
		if len(clients.rows) != 4 || len(clients.Withdrawn) != 2 || !strings.HasPrefix(clients.Withdrawn[0], "C-") {
			t.Errorf("%d clients, withdrawn %v", len(clients.rows), clients.Withdrawn)
		}
		later := c.read(t, research.Request{ChangedSince: new(c.Clock.Now())})
		if len(later.rows) != 0 || len(later.Withdrawn) != 0 {
			t.Errorf("nothing changed since: %d rows, withdrawn %v", len(later.rows), later.Withdrawn)
		}
	})
}

func TestWhoWasErasedIsNamedByAnIncrement(t *testing.T) {
	c := newStudy(t, storetest.SQLite(t))
	p := c.person(t, care.Client{})
	before := c.read(t, research.Request{Table: research.Clients, Profile: research.Limited}).texts("client")
	since := c.Clock.Now()
	if _, err := c.Care.EraseClient(ctx, c.Who, p.ID, care.ClientRequest); err != nil {
		t.Fatal(err)
	}
	f := c.read(t, research.Request{Table: research.Clients, Profile: research.Limited, ChangedSince: &since})
	if d := cmp.Diff(before, f.Withdrawn); d != "" {
		t.Errorf("withdrawn (-want +got):\n%s", d)
	}
}

// moods is a library with the versions of an instrument that ask these items.
func moods(t *testing.T, versions map[string][]string) *instrument.Library {
	t.Helper()
	files := fstest.MapFS{}
	for v, items := range versions {
		var asked []string
		for _, item := range items {
			asked = append(asked, fmt.Sprintf(`{"id": %q, "text": "How is %s?", "options": "o"}`, item, item))
		}
		files[v+".json"] = &fstest.MapFile{Data: fmt.Appendf(nil, `{
			"id": "mood", "version": %q, "title": "Mood", "language": "en", "measures": "mood", "direction": "lower_is_better",
			"recall_windows": ["P1D"], "option_sets": {"o": [{"value": 0, "text": "Good"}, {"value": 1, "text": "Bad"}]}, "items": [%s],
			"scoring": {"rule": "mood-sum-1", "min": 0, "max": %d, "source": "a test"},
			"licence": {"redistributable": true, "terms": "free", "source": "a test"}}`, v, strings.Join(asked, ","), len(items))}
	}
	l, err := instrument.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestAnAnswerToAnItemOfAnOlderVersionIsNotLost exports with servers that know
// the older version and do not.
func TestAnAnswerToAnItemOfAnOlderVersionIsNotLost(t *testing.T) {
	each(t, func(t *testing.T, c study) {
		p := c.person(t, care.Client{})
		c.Care.Instruments = moods(t, map[string][]string{"1.0.0": {"mood_a", "mood_b"}})
		c.record(t, care.Assessment{ClientID: p.ID, Instrument: "mood", Timing: care.AtFollowUp, CompletedAt: day(1), Answers: instrument.Answers{"mood_a": new(1), "mood_b": new(1)}})
		c.Care.Instruments = moods(t, map[string][]string{"2.0.0": {"mood_a", "mood_c"}})
		c.record(t, care.Assessment{ClientID: p.ID, Instrument: "mood", Timing: care.AtFollowUp, CompletedAt: day(2), Answers: instrument.Answers{"mood_a": new(0), "mood_c": new(0)}})

		c.Research.Instruments = moods(t, map[string][]string{"1.0.0": {"mood_a", "mood_b"}, "2.0.0": {"mood_a", "mood_c"}})
		f := c.read(t, research.Request{})
		if d := cmp.Diff([]string{"1 [not_included] 1", "0 0 [not_included]"}, f.texts("mood_a", "mood_c", "mood_b")); d != "" {
			t.Errorf("answers (-want +got):\n%s", d)
		}
		if got := len(c.read(t, research.Request{Shape: research.Long}).rows); got != 4 {
			t.Errorf("%d items, want 4", got)
		}
		c.Research.Instruments = c.Care.Instruments
		if _, err := c.try(research.Request{}); !fault.Is(err, fault.Conflict) {
			t.Errorf("where the older version is not known: %v", err)
		}
	})
}

// TestAnInstrumentThatThisServerKnowsNoMoreIsNamed asks for all instruments on a
// server that has lost one which was answered.
func TestAnInstrumentThatThisServerKnowsNoMoreIsNamed(t *testing.T) {
	each(t, func(t *testing.T, c study) {
		p := c.person(t, care.Client{})
		c.Care.Instruments = moods(t, map[string][]string{"1.2.0": {"mood_a"}})
		c.record(t, care.Assessment{ClientID: p.ID, Instrument: "mood", Timing: care.AtFollowUp, CompletedAt: day(1), Answers: instrument.Answers{"mood_a": new(1)}})
		private, _, err := audit.NewKey("test")
		if err != nil {
			t.Fatal(err)
		}
		if c.Research.Signer, err = private.Signer(); err != nil {
			t.Fatal(err)
		}
		_, columns := c.Research.Columns(ctx, c.Who, research.Request{Shape: research.Wide})
		_, rows := c.try(research.Request{})
		_, past := c.try(research.Request{AsOf: new(c.Clock.Now())})
		_, _, snapshot := c.Research.TakeSnapshot(ctx, c.Who, uuid.Nil, "spring", research.Request{}, "test")
		for what, err := range map[string]error{"columns": columns, "rows": rows, "the past": past, "a snapshot": snapshot} {
			if !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "no definition of mood 1.2.0.") {
				t.Errorf("%s: %v", what, err)
			}
		}
		c.Research.Instruments = c.Care.Instruments
		taken, _, err := c.Research.TakeSnapshot(ctx, c.Who, uuid.Nil, "spring", research.Request{Profile: research.Limited}, "test")
		if err != nil {
			t.Fatal(err)
		}
		c.Research.Instruments = moods(t, map[string][]string{"2.0.0": {"mood_a"}})
		x, err := c.Research.Pull(ctx, c.Who, taken.ID)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.finish(x); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "mood 1.2.0") {
			t.Errorf("a snapshot by a version that is gone: %v", err)
		}
	})
}

// TestTheTermsOfAnExportCanBeKept repeats an export after the clinic has chosen
// otherwise.
func TestTheTermsOfAnExportCanBeKept(t *testing.T) {
	c := newStudy(t, storetest.SQLite(t))
	ill(t, c, 5, "PTSD", care.Oral)
	p := c.person(t, care.Client{})
	c.record(t, form(p.ID, "gad-7", day(1), 3), form(p.ID, "gad-7", day(2), 1))
	requests := []research.Request{
		{Table: research.Sessions, Profile: research.Deidentified}, {Table: research.Trajectories, Profile: research.Deidentified},
	}
	var before []file
	for _, r := range requests {
		before = append(before, c.read(t, r))
	}
	if _, err := c.Care.ChooseClinicSettings(ctx, c.Who, care.ClinicSettings{SmallestCell: 8}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Care.ChooseSetting(ctx, c.Who, care.Setting{Instrument: "gad-7", ChangeRules: otherRules(t, c, "gad-7")}); err != nil {
		t.Fatal(err)
	}
	for i, r := range requests {
		x, err := c.Research.Prepare(ctx, c.Who, r)
		if err != nil {
			t.Fatal(err)
		}
		x.Terms = before[i].Terms
		again, err := c.finish(x)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(before[i].rows, again.rows); d != "" {
			t.Errorf("%s by the same terms (-before +again):\n%s", r.Table, d)
		}
		if now := c.read(t, r); cmp.Equal(before[i].rows, now.rows) {
			t.Errorf("%s: what the clinic chose has changed nothing", r.Table)
		}
	}
}

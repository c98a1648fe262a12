package demo_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/demo"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/instrument"
	"github.com/protrack/protrack/pkg/store"
	"github.com/protrack/protrack/pkg/trajectory"
)

// clinic opens a service on a new SQLite database.
func clinic(t testing.TB) (*care.Service, auth.Principal) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	db, err := store.Open(t.Context(), store.Config{URL: "sqlite://" + filepath.Join(t.TempDir(), "demo.db"), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	keys := &auth.Service{Store: db, Now: func() time.Time { return now }, NewID: uuid.New}
	if _, _, err := keys.Found(t.Context(), "demo", ""); err != nil {
		t.Fatal(err)
	}
	who, err := keys.Operator(t.Context(), "demo")
	if err != nil {
		t.Fatal(err)
	}
	svc := &care.Service{
		Store: db, Instruments: instrument.Embedded(), Log: log,
		Now: func() time.Time { return now }, NewID: uuid.New,
	}
	return svc, who
}

// TestTheStoredClinic seeds once, for it takes seconds, and looks at it from
// all sides.
func TestTheStoredClinic(t *testing.T) {
	svc, who := clinic(t)
	stories := demo.Clinic(1, now)
	want := demo.Seeded{Clients: len(stories), Corrected: 3}
	for _, s := range stories {
		want.Courses += len(s.Courses)
		want.Sessions += len(s.Sessions)
		want.Assessments += len(s.Assessments)
		want.Consents += len(s.Consents)
	}
	want.Created = want.Clients + want.Courses + want.Sessions + want.Assessments + want.Consents
	start := time.Now()
	got, err := demo.Seed(t.Context(), svc, who, stories)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("seeded in %s: %+v", time.Since(start).Round(time.Millisecond), got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("stored: %s", diff)
	}

	t.Run("seeding again creates nothing", func(t *testing.T) {
		again := want
		again.Created, again.Known, again.Corrected = 0, want.Created, 0
		got, err := demo.Seed(t.Context(), svc, who, demo.Clinic(1, now))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(again, got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("plots", func(t *testing.T) { checkPlots(t, svc, who, stories) })
	t.Run("caseload", func(t *testing.T) { checkCaseload(t, svc, who) })
	t.Run("corrections", func(t *testing.T) { checkCorrections(t, svc, who, stories) })
	t.Run("replays", func(t *testing.T) { checkReplay(t, svc, who, demo.Showcase(stories)) })
	t.Run("another week is refused", func(t *testing.T) {
		_, err := demo.Seed(t.Context(), svc, who, demo.Clinic(1, now.AddDate(0, 0, 7)))
		if !fault.Is(err, fault.Conflict) {
			t.Errorf("got %v, want a conflict", err)
		}
	})
}

// phq9Of reads a client's stored PHQ-9 trajectory.
func phq9Of(ctx context.Context, t *testing.T, svc *care.Service, who auth.Principal, client uuid.UUID, asOf *time.Time) care.Trajectory {
	t.Helper()
	all, err := svc.Trajectories(ctx, who, client, care.TrajectoryQuery{Instrument: "phq-9", AsOf: asOf})
	if err != nil {
		t.Fatal(err)
	}
	return all[0]
}

// checkPlots holds each story to its plot, as the product itself judges it.
func checkPlots(t *testing.T, svc *care.Service, who auth.Principal, stories []demo.Story) {
	for _, s := range stories {
		tr := phq9Of(t.Context(), t, svc, who, s.Client.ID, nil)
		last := s.Courses[len(s.Courses)-1]
		ongoing := last.EndedOn == nil
		if want := allowed[s.Plot]; !ongoing && !contains(want, tr.Status.Summary) {
			t.Errorf("a %s ends as %s, want one of %v", s.Plot, tr.Status.Summary, want)
		}
		if s.Plot == demo.LateResponder && tr.Status.FirstResponseAt != nil {
			if doses := dosesBefore(s, *tr.Status.FirstResponseAt); doses < 4 {
				t.Errorf("a late responder responded after dose %d", doses)
			}
		}
		if s.Plot == demo.Typical {
			checkShowcase(t, tr)
		}
	}
}

var allowed = map[demo.Plot][]trajectory.Summary{
	demo.Typical:       {trajectory.SummaryRemission},
	demo.Remitter:      {trajectory.SummaryRemission},
	demo.Responder:     {trajectory.SummaryResponse},
	demo.LateResponder: {trajectory.SummaryRemission, trajectory.SummaryResponse},
	demo.Relapser:      {trajectory.SummaryRelapsed},
	demo.Returner:      {trajectory.SummaryRemission, trajectory.SummaryResponse},
	demo.Partial:       {trajectory.SummaryImproved, trajectory.SummaryUnchanged},
	demo.NonResponder:  {trajectory.SummaryUnchanged},
	demo.Worsened:      {trajectory.SummaryDeteriorated},
	demo.BaselineOnly:  {trajectory.SummaryBaselineOnly},
	demo.Waiting:       {trajectory.SummaryNoBaseline},
}

func contains(all []trajectory.Summary, one trajectory.Summary) bool {
	for _, s := range all {
		if s == one {
			return true
		}
	}
	return false
}

func dosesBefore(s demo.Story, at time.Time) int {
	n := 0
	for _, ses := range s.Sessions {
		if ses.Kind == care.Dosing && ses.StartedAt.Before(at) {
			n++
		}
	}
	return n
}

// checkShowcase looks for what a visitor is to see at first sight.
func checkShowcase(t *testing.T, tr care.Trajectory) {
	t.Helper()
	falls, rises := 0, 0
	for _, s := range tr.Sessions {
		if s.Change != nil && *s.Change < 0 {
			falls++
		}
		if s.SincePreviousAfter != nil && *s.SincePreviousAfter > 0 {
			rises++
		}
	}
	if falls != 6 || rises < 4 {
		t.Errorf("the saw has %d falls and %d rises", falls, rises)
	}
	if tr.Status.Relapsed || tr.Status.DaysHeld == nil || *tr.Status.DaysHeld < 170 {
		t.Errorf("relapsed %t, held %v", tr.Status.Relapsed, tr.Status.DaysHeld)
	}
	flagged, last := 0, tr.Points[len(tr.Points)-1]
	for _, p := range tr.Points {
		flagged += len(tr.Details[p.AssessmentID].Flags)
	}
	if flagged < 3 || len(tr.Details[last.AssessmentID].Flags) > 0 {
		t.Errorf("item 9 flagged %d times, at the end %v", flagged, tr.Details[last.AssessmentID].Flags)
	}
}

func checkCaseload(t *testing.T, svc *care.Service, who auth.Principal) {
	cases, err := svc.Caseload(t.Context(), who, care.CaseloadQuery{Instrument: "phq-9", Sort: care.ByReference}, care.Page{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	statuses := map[string]int{}
	for _, c := range cases {
		if c.Progress == nil {
			statuses[care.NotMeasured]++
			continue
		}
		statuses[c.Progress.Status]++
	}
	t.Logf("caseload: %v", statuses)
	for _, status := range []string{"relapsed", "deteriorated", "remission", "response", "improved", "unchanged", "baseline_only", "not_measured"} {
		if statuses[status] == 0 {
			t.Errorf("no client is %s: %v", status, statuses)
		}
	}
}

// checkCorrections holds that a correction is a version and that the first
// one is kept.
func checkCorrections(t *testing.T, svc *care.Service, who auth.Principal, stories []demo.Story) {
	retracted, amended := 0, 0
	for _, s := range stories {
		for _, c := range s.Corrections {
			versions, err := svc.AssessmentVersions(t.Context(), who, c.ID, care.Page{Limit: 10})
			if err != nil {
				t.Fatal(err)
			}
			if len(versions) != 2 || !versions[1].RecordedAt.Equal(c.At) || versions[1].Reason == "" {
				t.Errorf("%d versions", len(versions))
			}
			if versions[1].Retracted {
				retracted++
			} else if *versions[0].Score.Total != *versions[1].Score.Total {
				amended++
			}
		}
	}
	if retracted != 1 || amended != 2 {
		t.Errorf("%d retracted, %d amended", retracted, amended)
	}
}

// checkReplay looks back to the noon of every form: then it was not known yet,
// and all before it was.
func checkReplay(t *testing.T, svc *care.Service, who auth.Principal, s demo.Story) {
	known := 0
	for _, a := range s.Assessments {
		if a.Instrument != "phq-9" {
			continue
		}
		tr := phq9Of(t.Context(), t, svc, who, s.Client.ID, &a.CompletedAt)
		if len(tr.Points) != known {
			t.Errorf("as of the completion of form %d, %d are known", known, len(tr.Points))
		}
		known++
	}
}

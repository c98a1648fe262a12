package demo_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/demo"
	"github.com/protrack/protrack/pkg/instrument"
)

// now is a Thursday.
var now = time.Date(2026, 11, 19, 15, 4, 5, 0, time.UTC)

// seeds are enough to see that the shape of the clinic is no accident of one.
var seeds = []uint64{1, 2, 3, 7, 42, 1000, 1 << 40}

func TestTheSameSeedAndWeekGiveTheSameClinic(t *testing.T) {
	want := demo.Clinic(1, now)
	for name, at := range map[string]time.Time{
		"the same instant":    now,
		"another zone":        now.In(time.FixedZone("", 5*3600)),
		"Monday's first tick": time.Date(2026, 11, 16, 0, 0, 0, 0, time.UTC),
		"Sunday's last":       time.Date(2026, 11, 22, 23, 59, 59, 999, time.UTC),
	} {
		if diff := cmp.Diff(answersOf(want), answersOf(demo.Clinic(1, at))); diff != "" {
			t.Errorf("%s: answers differ:\n%s", name, diff)
		}
		if diff := cmp.Diff(want, demo.Clinic(1, at)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestAnotherSeedIsAnotherClinic(t *testing.T) {
	ids := map[uuid.UUID]bool{}
	for _, seed := range seeds {
		for _, s := range demo.Clinic(seed, now) {
			if ids[s.Client.ID] {
				t.Fatalf("seed %d repeats client %s", seed, s.Client.ID)
			}
			ids[s.Client.ID] = true
		}
	}
}

func TestTheClockOnlyMovesTheClinic(t *testing.T) {
	for _, weeks := range []int{-1, -9, 4} {
		shift := time.Duration(weeks) * 7 * 24 * time.Hour
		moved := demo.Clinic(1, now.Add(shift))
		for i := range moved {
			moved[i] = move(moved[i], -shift)
		}
		want := demo.Clinic(1, now)
		if diff := cmp.Diff(want, moved); diff != "" {
			t.Errorf("%d weeks later: %s", weeks, diff)
		}
		if diff := cmp.Diff(answersOf(want), answersOf(moved)); diff != "" {
			t.Errorf("%d weeks later the answers differ: %s", weeks, diff)
		}
	}
}

func TestTheClinicAgesWithTheYears(t *testing.T) {
	young, old := demo.Clinic(1, now), demo.Clinic(1, now.AddDate(3, 0, 0))
	if got := *old[0].Client.BirthYear - *young[0].Client.BirthYear; got != 3 {
		t.Errorf("years of birth moved by %d, want 3", got)
	}
}

func TestEverythingLiesBeforeNow(t *testing.T) {
	monday := time.Date(2026, 11, 16, 0, 0, 0, 0, time.UTC)
	for _, seed := range seeds {
		for _, s := range demo.Clinic(seed, now) {
			for name, at := range datesOf(s) {
				if !at.Before(monday) || at.Before(monday.AddDate(-2, 0, 0)) {
					t.Errorf("seed %d, %s: %s is at %s", seed, s.Client.ID, name, at)
				}
				if at.Before(s.Enrolled) {
					t.Errorf("seed %d, %s: %s is before the enrolment", seed, s.Client.ID, name)
				}
			}
		}
	}
}

func TestEveryFormScoresWithoutAFault(t *testing.T) {
	lib := instrument.Embedded()
	for _, seed := range seeds {
		for _, s := range demo.Clinic(seed, now) {
			forms := s.Assessments
			for _, c := range s.Corrections {
				if c.Amended != nil {
					forms = append(forms, *c.Amended)
				}
			}
			for _, a := range forms {
				score := scored(t, lib, a)
				whole := a.Total == nil && *score.ItemsMissing == 0
				if (whole || a.Total != nil) != (score.Total != nil && !score.Prorated) {
					t.Errorf("seed %d: %s of %s: total %v, prorated %t", seed, a.Instrument, s.Client.ID, score.Total, score.Prorated)
				}
				checkDifficulty(t, a, score)
			}
		}
	}
}

// checkDifficulty holds that function is asked about where there is a symptom,
// and only there.
func checkDifficulty(t *testing.T, a care.Assessment, score instrument.Score) {
	t.Helper()
	if a.Instrument == "pcl-5" || a.Total != nil || score.Total == nil {
		return
	}
	asked := a.Answers[strings.ReplaceAll(a.Instrument, "-", "")+"_difficulty"] != nil
	if asked != (*score.Total > 0) {
		t.Errorf("%s with a total of %v: difficulty answered %t", a.Instrument, *score.Total, asked)
	}
}

func TestClientsAreDescribedAsAClinicWould(t *testing.T) {
	stories := demo.Clinic(1, now)
	if len(stories) != 60 {
		t.Fatalf("%d clients", len(stories))
	}
	names, sexes, zones := map[care.Private]bool{}, map[instrument.Sex]int{}, map[string]int{}
	for i, s := range stories {
		c := s.Client
		if i > 0 && c.Reference <= stories[i-1].Client.Reference {
			t.Errorf("reference %d is not after the one before", i)
		}
		if names[c.DisplayName] || c.DisplayName == "" {
			t.Errorf("client %d has a name that another has, or none", i)
		}
		names[c.DisplayName] = true
		sexes[c.Sex]++
		zones[c.TimeZone]++
		if _, err := time.LoadLocation(c.TimeZone); err != nil {
			t.Errorf("time zone: %v", err)
		}
		if age := now.Year() - *c.BirthYear; age < 18 || age > 80 {
			t.Errorf("age %d", age)
		}
		if c.ID.Version() != 4 || c.ID.Variant() != uuid.RFC4122 {
			t.Errorf("id %s is no version 4 UUID", c.ID)
		}
	}
	if sexes[instrument.Female] < 25 || sexes[instrument.Male] < 25 || sexes[instrument.Other] == 0 || len(zones) < 4 {
		t.Errorf("sexes %v, zones %v", sexes, zones)
	}
}

func TestDosesAreWhatTheFieldGives(t *testing.T) {
	routes := map[care.Route]int{}
	for _, s := range demo.Clinic(1, now) {
		for _, ses := range s.Sessions {
			m := ses.Medicine
			if (m != nil) != (ses.Kind == care.Dosing) {
				t.Errorf("a %s session with medicine %v", ses.Kind, m)
			}
			if day := ses.StartedAt.Weekday(); day == time.Saturday || day == time.Sunday {
				t.Errorf("a %s session on a %s", ses.Kind, day)
			}
			if m == nil {
				continue
			}
			routes[m.Route]++
			lo, hi := 0.0, 0.0
			switch m.Route {
			case care.Intravenous:
				lo, hi = 25, 80
			case care.Intramuscular:
				lo, hi = 25, 160
			case care.Sublingual:
				lo, hi = 100, 300
			case care.Intranasal:
				lo, hi = 56, 84
			}
			if m.DoseMG < lo || m.DoseMG > hi {
				t.Errorf("%v mg %s", m.DoseMG, m.Route)
			}
		}
	}
	if len(routes) != 4 {
		t.Errorf("routes %v", routes)
	}
}

func TestTheShowcaseIsTheTypicalStory(t *testing.T) {
	for _, seed := range seeds {
		if got := demo.Showcase(demo.Clinic(seed, now)); got.Plot != demo.Typical {
			t.Errorf("seed %d shows a %q", seed, got.Plot)
		}
	}
	if got := demo.Showcase(nil); got.Client.ID != uuid.Nil {
		t.Errorf("nothing to show, and yet %s", got.Client.ID)
	}
}

//go:build unix

package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/instrument"
)

// stored is a time as every database keeps it.
func stored(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

var roundTrips = []promise{
	{"a client comes back field by field", func(t *testing.T, c *Clinic) {
		full := care.Client{
			ID: NewID(), Reference: "P-1 «ñandú» e\u0301 😀", DisplayName: "李小龙 O'Brien; --", BirthYear: new(1980),
			Sex: instrument.Female, TimeZone: "America/Denver", Revision: c.First(When),
		}
		bare := c.NewClient("P-2")
		c.Insert(t, full, bare)
		for _, want := range []care.Client{full, bare} {
			want.RecordedAt = stored(want.RecordedAt)
			got, err := c.Client(t.Context(), c.Who, want.ID)
			same(t, want, got, err)
		}
	}},
	{"a course comes back field by field", func(t *testing.T, c *Clinic) {
		client := c.NewClient("P-1")
		full := care.Course{
			ID: NewID(), ClientID: client.ID, Indication: "PTSD", StartedOn: "2024-02-29", EndedOn: new(care.Date("2024-12-31")),
			PlannedSessions: new(6), Goals: "sleep\nand\t\"work\" 🌱", Revision: c.First(When),
		}
		bare := c.NewCourse(client.ID, "1999-12-31")
		c.Insert(t, client, full, bare)
		for _, want := range []care.Course{full, bare} {
			want.RecordedAt = stored(want.RecordedAt)
			got, err := c.Course(t.Context(), c.Who, want.ID)
			same(t, want, got, err)
		}
	}},
	{"a session comes back field by field", func(t *testing.T, c *Clinic) {
		client := c.NewClient("P-1")
		course := c.NewCourse(client.ID, "2026-01-01")
		full := care.Session{
			ID: NewID(), ClientID: client.ID, CourseID: &course.ID, Kind: care.Dosing, Number: new(3),
			StartedAt: When, EndedAt: new(When.Add(90*time.Minute + time.Nanosecond)),
			Medicine: &care.Medicine{Substance: "ketamine", Route: care.Intramuscular, DoseMG: 70.1, DoseMGPerKG: new(1.0 / 3)},
			Revision: c.First(When),
		}
		light := full
		light.ID, light.Medicine = NewID(), &care.Medicine{Substance: "S-ketamine", DoseMG: 0.1}
		bare := c.NewSession(client.ID, time.Date(1969, 7, 20, 20, 17, 40, 0, time.UTC))
		bare.Kind = care.Integration
		c.Insert(t, client, course, full, light, bare)
		for _, want := range []care.Session{full, light, bare} {
			want.RecordedAt, want.StartedAt = stored(want.RecordedAt), stored(want.StartedAt)
			if want.EndedAt != nil {
				want.EndedAt = new(stored(*want.EndedAt))
			}
			got, err := c.Session(t.Context(), c.Who, want.ID)
			same(t, want, got, err)
		}
	}},
	{"an assessment comes back field by field", func(t *testing.T, c *Clinic) {
		client := c.NewClient("P-1")
		session := c.NewSession(client.ID, When)
		full := care.Assessment{
			ID: NewID(), ClientID: client.ID, Instrument: "phq-9", InstrumentVersion: "1.0.0", Timing: care.BeforeIt,
			SessionID: &session.ID, CompletedAt: When, Answers: instrument.Answers{"phq9_1": new(0), "phq9_2": new(3), "phq9_3": nil},
			Declined: []string{"phq9_3", "phq9_9"}, MissingPolicy: instrument.Prorated, RecallWindow: "P7D", Mode: care.ByClinician,
			Score: instrument.Score{
				Instrument: "phq-9", InstrumentVersion: "1.0.0", Rule: "phq-9-sum-1", Total: new(13.5), Severity: new("moderate"),
				Subscales: map[string]*float64{"a": new(0.0), "b": nil}, ItemsAnswered: new(0), ItemsMissing: new(2), Prorated: true,
				MissingPolicy: instrument.Prorated, Screens: map[string]any{"above": false, "syndrome": "other"},
				Cutpoints: map[string]float64{"above": 10}, Flags: []instrument.Flag{
					{Code: "suicidal_ideation", Item: "phq9_9", Level: new(0)}, {Code: "gap", Item: "phq9_3", Reason: "declined"},
				},
			},
			Retracted: true, Reason: "read \"aloud\" ñ", Revision: c.First(When),
		}
		c.Insert(t, client, session, full)
		want := full
		want.RecordedAt, want.CompletedAt = stored(want.RecordedAt), stored(want.CompletedAt)
		got, err := c.Assessment(t.Context(), c.Who, want.ID)
		same(t, want, got, err)
		if got.Answers["phq9_1"] == nil || *got.Answers["phq9_1"] != 0 {
			t.Error("an answer of 0 did not stay 0")
		}
		if v, asked := got.Answers["phq9_3"]; !asked || v != nil {
			t.Error("a missing answer did not stay missing")
		}
	}},
	{"a total of 0 is kept as 0 and no total as none", func(t *testing.T, c *Clinic) {
		client := c.NewClient("P-1")
		zero := c.NewAssessment(client.ID, When, 0)
		none := c.NewAssessment(client.ID, When, 0)
		none.Total, none.Score.Total, none.Answers = nil, nil, instrument.Answers{}
		c.Insert(t, client, zero, none)
		got, err := c.Assessment(t.Context(), c.Who, zero.ID)
		if err != nil || got.Total == nil || *got.Total != 0 || got.Score.Total == nil || *got.Score.Total != 0 || got.Answers != nil {
			t.Errorf("a total of 0 came back as %v, %v, answers nil: %t (%v)", got.Total, got.Score.Total, got.Answers == nil, err)
		}
		got, err = c.Assessment(t.Context(), c.Who, none.ID)
		if err != nil || got.Total != nil || got.Score.Total != nil || got.Answers == nil || len(got.Answers) != 0 || len(got.Declined) != 0 {
			t.Errorf("no total came back as %v, %v (%v)", got.Total, got.Score.Total, err)
		}
		points, err := c.Points(t.Context(), c.Who, []uuid.UUID{client.ID}, nil, nil)
		if err != nil || len(points) != 2 {
			t.Fatalf("%d points, %v", len(points), err)
		}
		for _, p := range points {
			if (p.ID == zero.ID) != (p.Total != nil) {
				t.Errorf("the point's total is %v", p.Total)
			}
		}
	}},
	{"progress comes back field by field", func(t *testing.T, c *Clinic) {
		client, none := c.NewClient("P-1"), c.NewClient("P-2")
		id := NewID()
		full := care.Progress{
			ClientID: client.ID, Instrument: "gad-7", Points: 4, Scored: 3, BaselineID: &id, LatestID: &id, BestID: &id,
			BaselineAt: &When, LatestAt: &When, BestAt: &When, BaselineTotal: new(20.0), LatestTotal: new(0.0), BestTotal: new(0.0),
			LatestSeverity: new("minimal"), Change: new(-20.0), PercentChange: new(-100.0 / 3), Reliable: new("improved"),
			Response: new("response"), Remission: new(true), Recovery: new(false), Relapsed: true, Status: "relapsed",
			RuleSet: "nhs-tt", LastAt: When, LastFlags: []instrument.Flag{{Code: "x", Item: "y", Level: new(1)}},
			Recent: []care.Scored{{At: stored(When.AddDate(-40, 0, 0)), Total: 0}, {At: stored(When), Total: 0.1 + 0.2}, {At: stored(When), Total: -100.0 / 3}},
		}
		bare := NewProgress(none.ID, "gad-7")
		c.Insert(t, client, none)
		c.Write(t, func(ctx context.Context, tx care.Tx) error {
			return tx.PutProgress(ctx, c.Who, []uuid.UUID{client.ID, none.ID}, []string{"gad-7"}, []care.Progress{full, bare})
		})
		cases, err := c.Caseload(t.Context(), c.Who, care.CaseloadQuery{Instrument: "gad-7", Sort: care.ByReference}, care.Page{Limit: 5})
		if err != nil || len(cases) != 2 {
			t.Fatalf("%d cases, %v", len(cases), err)
		}
		micro := stored(When)
		full.BaselineAt, full.LatestAt, full.BestAt, full.LastAt, bare.LastAt = &micro, &micro, &micro, micro, micro
		same(t, &full, cases[0].Progress, nil)
		same(t, &bare, cases[1].Progress, nil)
	}},
	{"a setting comes back, replaces the one before and leaves others", func(t *testing.T, c *Clinic) {
		want := care.Settings{}
		for _, set := range []care.Setting{
			{Instrument: "gad-7", ChangeRules: "nhs-tt", Cutpoints: map[string]float64{"above": 10}, UpdatedAt: When},
			{Instrument: "pcl-5", UpdatedAt: When},
			{Instrument: "gad-7", ChangeRules: "", Cutpoints: map[string]float64{"above": 8, "zero": 0}, UpdatedAt: When.Add(time.Hour)},
		} {
			c.Write(t, func(ctx context.Context, tx care.Tx) error { return tx.PutSetting(ctx, c.Who, set) })
			set.UpdatedAt = stored(set.UpdatedAt)
			want[set.Instrument] = set
			got, err := c.Settings(t.Context(), c.Who)
			same(t, want, got, err)
		}
	}},
	{"times come back in UTC and whole microseconds", func(t *testing.T, c *Clinic) {
		client := c.NewClient("P-1")
		times := []time.Time{When, When.Add(time.Nanosecond), time.Date(1990, 1, 1, 0, 0, 0, 1999, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC)}
		c.Insert(t, client)
		for _, at := range times {
			a := c.NewAssessment(client.ID, at, 1)
			c.Insert(t, a)
			got, err := c.Assessment(t.Context(), c.Who, a.ID)
			if err != nil {
				t.Fatal(err)
			}
			if got.CompletedAt.Location() != time.UTC || !got.CompletedAt.Equal(stored(at)) || got.RecordedAt.Location() != time.UTC {
				t.Errorf("%v came back as %v", at, got.CompletedAt)
			}
		}
	}},
	{"text is kept byte for byte, whatever it looks like", func(t *testing.T, c *Clinic) {
		for _, text := range []string{"'; DROP TABLE clients; --", "%_\\", "?", "$1", "@name", ":x", "null", "true", "1", "\u202eabc", "a\r\nb", " x "} {
			client := c.NewClient("ref " + text)
			client.DisplayName = care.Private(text)
			c.Insert(t, client)
			got, err := c.Client(t.Context(), c.Who, client.ID)
			if err != nil || got.DisplayName != client.DisplayName || got.Reference != client.Reference {
				t.Errorf("%q came back as %q (%v)", text, string(got.DisplayName), err)
			}
		}
	}},
}

// same compares what was read with what was expected.
func same[T any](t testing.TB, want, got T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

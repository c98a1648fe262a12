package schedule_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/schedule"
)

func span(t *testing.T, s string) schedule.Span {
	t.Helper()
	out, err := schedule.ParseSpan(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestDaysGoByTheCalendarAndHoursByTheClock(t *testing.T) {
	for _, c := range []struct{ name, zone, from, span, want string }{
		{"a day in spring has 23 hours", "Europe/Madrid", "2026-03-28T12:00:00+01:00", "P1D", "2026-03-29T12:00:00+02:00"},
		{"a day in autumn has 25 hours", "Europe/Madrid", "2026-10-24T12:00:00+02:00", "P1D", "2026-10-25T12:00:00+01:00"},
		{"24 hours in spring end an hour later", "Europe/Madrid", "2026-03-28T12:00:00+01:00", "PT24H", "2026-03-29T13:00:00+02:00"},
		{"24 hours in autumn end an hour earlier", "Europe/Madrid", "2026-10-24T12:00:00+02:00", "PT24H", "2026-10-25T11:00:00+01:00"},
		{"a week before, over the change", "Europe/Madrid", "2026-04-01T09:00:00+02:00", "-P7D", "2026-03-25T09:00:00+01:00"},
		{"a month from the 31st", "UTC", "2026-01-31T09:00:00Z", "P1M", "2026-02-28T09:00:00Z"},
		{"another zone has no change that day", "America/Phoenix", "2026-03-28T12:00:00-07:00", "P1D", "2026-03-29T12:00:00-07:00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			zone, err := time.LoadLocation(c.zone)
			if err != nil {
				t.Fatal(err)
			}
			from, _ := time.Parse(time.RFC3339, c.from)
			want, _ := time.Parse(time.RFC3339, c.want)
			if got := span(t, c.span).From(from, zone); !got.Equal(want) {
				t.Errorf("got %s, want %s", got.In(zone), want)
			}
		})
	}
}

func TestWhatIsNoDurationIsRefused(t *testing.T) {
	for _, s := range []string{"", "P", "PT", "P1DT", "-P", "1D", "P1.5D", "p1d", "P99999D"} {
		if _, err := schedule.ParseSpan(s); err == nil {
			t.Errorf("%q is taken for a duration", s)
		}
	}
}

func TestOneFormServesOneWindow(t *testing.T) {
	start := time.Date(2026, 3, 10, 9, 0, 0, 0, time.UTC)
	session := uuid.New()
	rules := []schedule.Rule{
		{Instrument: "phq-9", Anchor: schedule.BeforeSession, Opens: span(t, "-P7D"), Closes: span(t, "PT0H")},
		{Instrument: "phq-9", Anchor: schedule.AfterDose, Opens: span(t, "PT20H"), Closes: span(t, "PT48H")},
	}
	events := []schedule.Event{
		{Anchor: schedule.BeforeSession, SessionID: &session, Kind: "dosing", At: start},
		{Anchor: schedule.AfterDose, SessionID: &session, Kind: "dosing", At: start},
	}
	late := schedule.Form{ID: uuid.New(), Instrument: "phq-9", SessionID: &session, Timing: "before", CompletedAt: start.Add(24 * time.Hour)}
	states := func(forms ...schedule.Form) (out [2]schedule.State) {
		for i, w := range schedule.Windows(rules, events, forms, time.UTC) {
			out[i] = w.State(start.AddDate(0, 0, 5))
		}
		return out
	}
	if got, want := states(), [2]schedule.State{schedule.Missed, schedule.Missed}; got != want {
		t.Errorf("without forms: %v", got)
	}
	// The form is the session's, and answers no other window by its time.
	if got, want := states(late), [2]schedule.State{schedule.OutOfWindow, schedule.Missed}; got != want {
		t.Errorf("late: got %v, want %v", got, want)
	}
	follow := schedule.Form{ID: uuid.New(), Instrument: "phq-9", Timing: "follow_up", CompletedAt: start.Add(30 * time.Hour)}
	if got, want := states(late, follow), [2]schedule.State{schedule.OutOfWindow, schedule.Done}; got != want {
		t.Errorf("both: got %v, want %v", got, want)
	}
}

//go:build unix

package care_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
)

// in is a time by the clock on a wall.
func in(t testing.TB, zone, at string) time.Time {
	t.Helper()
	place, err := time.LoadLocation(zone)
	must(t, err)
	out, err := time.ParseInLocation("2006-01-02 15:04", at, place)
	must(t, err)
	return out.UTC()
}

func TestWhenATierIsOnDuty(t *testing.T) {
	week := []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday}
	days := &care.Duty{Days: week, From: "08:00", To: "18:00", TimeZone: "Europe/Berlin"}
	nights := &care.Duty{Days: week, From: "22:00", To: "06:00", TimeZone: "America/Denver"}
	whole := &care.Duty{Days: []time.Weekday{time.Saturday}, From: "09:00", To: "09:00", TimeZone: "Asia/Kolkata"}
	for name, x := range map[string]struct {
		duty     *care.Duty
		zone, at string
		want     bool
	}{
		"always":                          {nil, "UTC", "2026-03-01 03:00", true},
		"the first minute of a day":       {days, "Europe/Berlin", "2026-06-01 08:00", true},
		"the minute before":               {days, "Europe/Berlin", "2026-06-01 07:59", false},
		"the last minute":                 {days, "Europe/Berlin", "2026-06-01 17:59", true},
		"the minute after":                {days, "Europe/Berlin", "2026-06-01 18:00", false},
		"a Sunday":                        {days, "Europe/Berlin", "2026-06-07 12:00", false},
		"seen from elsewhere":             {days, "America/Denver", "2026-06-01 09:00", true}, // 17:00 in Berlin
		"winter, 08:30 in Berlin":         {days, "UTC", "2026-03-27 07:30", true},
		"summer, 08:30 in Berlin":         {days, "UTC", "2026-03-30 06:30", true},
		"winter, 07:30 in Berlin":         {days, "UTC", "2026-03-27 06:30", false},
		"back in winter, 07:30 in Berlin": {days, "UTC", "2026-10-26 06:30", false},
		"the evening of a night":          {nights, "America/Denver", "2026-06-05 23:00", true},
		"its morning, on a Saturday":      {nights, "America/Denver", "2026-06-06 05:59", true},
		"its end":                         {nights, "America/Denver", "2026-06-06 06:00", false},
		"no night begins on a Saturday":   {nights, "America/Denver", "2026-06-06 23:00", false},
		"nor ends on a Monday":            {nights, "America/Denver", "2026-06-08 03:00", false},
		"the night the clocks go forward": {nights, "UTC", "2026-03-07 12:59", true}, // Saturday, 05:59 of Friday's night
		"a whole day begins":              {whole, "Asia/Kolkata", "2026-06-06 09:00", true},
		"and ends a day later":            {whole, "Asia/Kolkata", "2026-06-07 08:59", true},
		"and not a minute later":          {whole, "Asia/Kolkata", "2026-06-07 09:00", false},
	} {
		if got := x.duty.On(in(t, x.zone, x.at)); got != x.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	// An hour that comes twice is on duty twice: 02:30 in Berlin on 25 October.
	early := &care.Duty{From: "02:00", To: "03:00", TimeZone: "Europe/Berlin"}
	for _, at := range []string{"2026-10-25 00:30", "2026-10-25 01:30"} {
		if !early.On(in(t, "UTC", at)) {
			t.Errorf("%s UTC is off duty", at)
		}
	}
	// An hour that is left out is not: there is no 02:30 on 29 March.
	for at := in(t, "UTC", "2026-03-29 00:00"); at.Before(in(t, "UTC", "2026-03-29 03:00")); at = at.Add(time.Minute) {
		if early.On(at) {
			t.Errorf("%v is on duty", at)
		}
	}
}

// chain is one of three tiers in three time zones.
func (c clinic) chain(t testing.TB) {
	t.Helper()
	staff := []auth.Role{auth.Clinician}
	_, err := c.Care.ChooseAlertSettings(t.Context(), c.Who, care.AlertSettings{Chain: []care.Tier{
		{After: 5 * time.Minute, Roles: staff, Duty: &care.Duty{From: "08:00", To: "18:00", TimeZone: "America/Denver"}},
		{After: 15 * time.Minute, Roles: staff, Duty: &care.Duty{From: "08:00", To: "18:00", TimeZone: "Europe/Berlin"}},
		{After: 30 * time.Minute, Roles: staff, Duty: &care.Duty{From: "08:00", To: "18:00", TimeZone: "Asia/Kolkata"}},
		{After: time.Hour, Roles: []auth.Role{auth.Owner}},
	}})
	must(t, err)
}

// escalations are what became of an alert, minute by minute, over three hours:
// the minute since it was raised, the tier, and whether it was told.
func (c clinic) escalations(t testing.TB, raised time.Time, acknowledge int) []string {
	t.Helper()
	client := c.client(t, uuid.NewString()).ID
	c.Clock.Set(raised)
	c.record(t, phq9(client, raised.Add(-time.Minute), 2))
	one := c.alerts(t, client)[0]
	for minute := range 180 {
		c.Clock.Set(raised.Add(time.Duration(minute)*time.Minute + time.Second))
		if minute == acknowledge {
			_, err := c.Care.Acknowledge(t.Context(), c.Who, one.ID)
			must(t, err)
		}
		_, err := c.Care.Escalate(t.Context(), c.Who.Clinic)
		must(t, err)
	}
	var out []string
	for _, s := range c.alert(t, one.ID).History[1:] {
		out = append(out, s.At.Sub(raised).Truncate(time.Minute).String()+" "+string(s.Deed)+" "+string(rune('0'+s.Tier)))
	}
	return out
}

func TestAnAlertThatNobodyAcknowledgesGoesUpTheChain(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		c.chain(t)
		never := -1
		for name, x := range map[string]struct {
			raised      time.Time
			acknowledge int
			want        []string
		}{
			"by day in Denver, at night elsewhere": {in(t, "America/Denver", "2026-07-01 12:00"), never, []string{
				"5m0s escalated 1", "15m0s passed_over 2", "15m0s passed_over 3", "15m0s escalated 4",
			}},
			"by day in Berlin and in Kolkata": {in(t, "Europe/Berlin", "2026-07-01 10:00"), never, []string{
				"5m0s passed_over 1", "5m0s escalated 2", "30m0s escalated 3", "1h0m0s escalated 4",
			}},
			"when all of them sleep": {in(t, "UTC", "2026-07-01 01:30"), never, []string{
				"5m0s passed_over 1", "5m0s passed_over 2", "5m0s passed_over 3", "5m0s escalated 4",
			}},
			"acknowledged at once": {in(t, "America/Denver", "2026-07-01 12:00"), 1, []string{"1m0s acknowledged 0"}},
			"acknowledged on the way": {in(t, "Europe/Berlin", "2026-07-01 10:00"), 10, []string{
				"5m0s passed_over 1", "5m0s escalated 2", "10m0s acknowledged 2",
			}},
			"while the clocks go forward in Berlin, 08:05 to 08:35 by the new time": {in(t, "UTC", "2026-03-29 06:00"), never, []string{
				"5m0s passed_over 1", "5m0s escalated 2", "30m0s escalated 3", "1h0m0s escalated 4",
			}},
			"at the same time the day before, 07:05 by the old": {in(t, "UTC", "2026-03-28 06:00"), never, []string{
				"5m0s passed_over 1", "5m0s passed_over 2", "5m0s escalated 3", "1h0m0s escalated 4",
			}},
			"while the clocks go back in Berlin, 07:05 by the new time": {in(t, "UTC", "2026-10-25 06:00"), never, []string{
				"5m0s passed_over 1", "5m0s passed_over 2", "5m0s escalated 3", "1h0m0s escalated 4",
			}},
			"over the night in which Denver's clocks go back": {in(t, "America/Denver", "2026-11-01 07:50"), never, []string{
				"5m0s passed_over 1", "5m0s escalated 2", "30m0s passed_over 3", "30m0s escalated 4",
			}},
		} {
			if d := cmp.Diff(x.want, c.escalations(t, x.raised, x.acknowledge)); d != "" {
				t.Errorf("%s (-want +got):\n%s", name, d)
			}
		}
	})
}

// A server that was away for hours tells all tiers when it is back, each once.
func TestAfterALongSilenceEachTierIsToldOnce(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		client := c.client(t, "P-1").ID
		c.Clock.Set(day(200))
		c.record(t, phq9(client, day(200), 3))
		c.Clock.Set(day(201))
		e := &care.Escalator{
			Care: c.Care, Log: slog.New(slog.DiscardHandler),
			Clinics: func(context.Context) ([]uuid.UUID, error) { return []uuid.UUID{c.Who.Clinic}, nil },
		}
		must(t, e.Pass(t.Context()))
		if late := e.Overdue(); late != 0 {
			t.Errorf("after a look at everything something is overdue for %v", late)
		}
		c.Clock.Set(day(201).Add(3 * time.Minute))
		if late := e.Overdue(); late < 3*time.Minute-time.Second {
			t.Errorf("nobody has looked for three minutes, and %v is told", late)
		}
		want := []care.AlertDeed{care.WasRaised, care.WasEscalated, care.WasEscalated, care.WasEscalated}
		if d := cmp.Diff(want, deedsOf(c.alert(t, c.alerts(t, client)[0].ID))); d != "" {
			t.Error(d)
		}
		told := 0
		for _, e := range c.events(t, 0) {
			if e.Type == care.AlertEscalated {
				told++
			}
		}
		if told != 3 {
			t.Errorf("%d events", told)
		}
	})
}

func TestAChainThatCannotBeNamesEverythingThatIsWrong(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		_, err := c.Care.ChooseAlertSettings(t.Context(), c.Who, care.AlertSettings{
			Chain: []care.Tier{
				{After: time.Hour, Roles: []auth.Role{auth.App}, Duty: &care.Duty{From: "8:00", To: "25:00", TimeZone: "Mars", Days: []time.Weekday{1, 1}}},
				{After: time.Second, Duty: &care.Duty{From: "08:00", To: "09:00", TimeZone: "UTC"}},
			},
			Off: []string{"item9_endorsed", "nonsense", "deteriorated"},
		})
		want := []string{
			"/chain/0/roles/0", "/chain/0/duty/from", "/chain/0/duty/to", "/chain/0/duty/time_zone", "/chain/0/duty/days/1",
			"/chain/1/after_minutes", "/chain/1/after_minutes", "/chain/1/roles", "/chain/1/duty", "/off/0", "/off/1",
		}
		if d := cmp.Diff(want, pointers(err)); d != "" || !fault.Is(err, fault.Invalid) {
			t.Errorf("%v:\n%s", err, d)
		}
		if _, err := c.Care.ChooseAlertSettings(t.Context(), c.Who, care.AlertSettings{}); !fault.Is(err, fault.Invalid) {
			t.Error(err)
		}
	})
}

func TestWhatAClinicDoesWithoutIsNotRaised(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		client := c.client(t, "P-1").ID
		c.record(t, gad7(client, day(140), 3))
		_, err := c.Care.ChooseAlertSettings(t.Context(), c.Who, care.AlertSettings{Chain: care.DefaultChain(), Off: []string{"severe_anxiety"}})
		must(t, err)
		form := c.record(t, gad7(client, day(141), 3))[0]
		if n := len(c.alerts(t, client)); n != 1 {
			t.Errorf("%d alerts", n)
		}
		// The one from before is not taken back by an amendment that changes nothing of it.
		next := gad7(client, day(142), 3)
		next.ID, next.Reason = form.ID, "the date"
		c.amend(t, next, 1)
		if a := c.alerts(t, client); len(a) != 1 || a[0].Withdrawn {
			t.Errorf("%+v", a)
		}
	})
}

// pointers are where the details of a fault point to.
func pointers(err error) []string {
	var f *fault.Error
	var out []string
	if errors.As(err, &f) {
		for _, d := range f.Details {
			out = append(out, d.Pointer)
		}
	}
	return out
}

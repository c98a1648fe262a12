//go:build unix

package care_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
)

// from is a client of a reference in a time zone.
func (c clinic) from(t testing.TB, reference, zone string) care.Client {
	t.Helper()
	out, _, err := c.Care.CreateClient(t.Context(), c.Who, care.Client{Reference: care.Private(reference), TimeZone: zone})
	must(t, err)
	return out
}

// agenda asks for a day and gives each visit as a line; an empty day is today.
func (c clinic) agenda(t testing.TB, who auth.Principal, day care.Date) (care.Date, []string) {
	t.Helper()
	var asked *care.Date
	if day != "" {
		asked = &day
	}
	got, err := c.Care.Today(t.Context(), who, asked, care.Page{Limit: 1000})
	must(t, err)
	var lines []string
	for _, v := range got.Visits {
		line := fmt.Sprintf("%s %s %d", string(v.Client.Reference), v.Session.Kind, v.Session.Place)
		for _, f := range v.Forms {
			line += fmt.Sprintf(" %s %s %s", f.Instrument, f.Timing, f.State(c.Clock.Now()))
			if f.Total != nil {
				line += fmt.Sprint(" ", *f.Total)
			}
		}
		if v.LastDoseAt != nil {
			line += fmt.Sprintf(" dose %d days before", *v.DaysSinceLastDose)
		}
		for _, p := range v.Scores {
			line += fmt.Sprintf(" stands at %v", *p.LatestTotal)
		}
		if v.Consent != "" {
			line += " consent " + string(v.Consent)
		}
		lines = append(lines, line)
	}
	return got.Day, lines
}

func diffLines(t testing.TB, what string, want, got []string) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func TestAnAgendaTellsOfEachSessionWhatItsClinicianLooksAtFirst(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		c.Clock.Set(day(20).Add(-3 * time.Hour))
		client, fresh, gone := c.client(t, "P-1"), c.client(t, "P-2"), c.client(t, "P-3")
		dose := func(client uuid.UUID, at time.Time) care.Session {
			return c.session(t, care.Session{ClientID: client, Kind: care.Dosing, StartedAt: at})
		}
		c.record(t, gad7(client.ID, day(1), 3))
		dose(client.ID, day(6))
		dose(client.ID, day(13))
		now := dose(client.ID, day(20))
		talk := c.session(t, care.Session{ClientID: client.ID, Kind: care.Integration, StartedAt: day(20).Add(4 * time.Hour)})
		dose(fresh.ID, day(20).Add(time.Hour))
		dose(gone.ID, day(20))
		for scope, status := range map[care.ConsentScope]care.ConsentStatus{care.ForCare: care.Granted, care.ForResearch: care.Withdrawn} {
			c.consent(t, care.Consent{ClientID: client.ID, Scope: scope, Status: status, At: day(1)})
		}
		_, err := c.Care.EraseClient(t.Context(), c.Who, gone.ID, care.ClientRequest)
		must(t, err)

		_, got := c.agenda(t, c.Who, "2026-01-21")
		diffLines(t, "before the session", []string{
			"P-1 dosing 3 gad-7 before due gad-7 after later dose 7 days before stands at 21 consent granted",
			"P-2 dosing 1",
			"P-1 integration 1 dose 7 days before stands at 21 consent granted",
		}, got)

		before := gad7(client.ID, day(20).Add(-2*time.Hour), 2)
		before.SessionID, before.Timing = &now.ID, care.BeforeIt
		besides := gad7(client.ID, day(20).Add(4*time.Hour), 1)
		besides.SessionID, besides.Timing = &talk.ID, care.AfterIt
		c.record(t, before, besides)
		c.Clock.Set(day(20).Add(5 * time.Hour))
		_, got = c.agenda(t, c.Who, "2026-01-21")
		diffLines(t, "after it", []string{
			"P-1 dosing 3 gad-7 before done 14 gad-7 after due dose 7 days before stands at 7 consent granted",
			"P-2 dosing 1",
			"P-1 integration 1 gad-7 after done 7 dose 0 days before stands at 7 consent granted",
		}, got)

		_, err = c.Care.Retract(t.Context(), c.Who, before.ID, "another client's", nil)
		must(t, err)
		c.Clock.Set(day(40))
		if _, got = c.agenda(t, c.Who, "2026-01-21"); !strings.Contains(got[0], "gad-7 before missed gad-7 after missed") {
			t.Errorf("weeks later, and retracted: %s", got[0])
		}
	})
}

func TestADoseThatIsOnlyPlannedIsNotTheLast(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		c.Clock.Set(day(2))
		client := c.client(t, "P-1")
		for _, at := range []time.Time{day(1), day(8), day(15)} {
			c.session(t, care.Session{ClientID: client.ID, Kind: care.Dosing, StartedAt: at})
		}
		_, got := c.agenda(t, c.Who, "2026-01-16")
		diffLines(t, "the third one", []string{"P-1 dosing 3 dose 14 days before"}, got)
	})
}

func TestADayIsThatOfEachClient(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		for reference, zone := range map[string]string{"Auckland": "Pacific/Auckland", "Denver": "America/Denver", "UTC": "", "Kiritimati": "Pacific/Kiritimati", "Pago": "Pacific/Pago_Pago"} {
			client := c.from(t, reference, zone)
			for _, at := range []int{0, 9, 24} { // noon of the tenth in UTC, 21, and noon of the eleventh
				c.session(t, care.Session{ClientID: client.ID, Kind: care.FollowUp, StartedAt: day(68).Add(time.Duration(at)*time.Hour + time.Minute*time.Duration(len(reference)))})
			}
		}
		references := func(day care.Date) []string {
			_, lines := c.agenda(t, c.Who, day)
			for i := range lines {
				lines[i] = strings.Join(strings.Fields(lines[i])[0:3:3], " ")
			}
			return lines
		}
		diffLines(t, "the tenth", []string{
			"UTC follow_up 1", "Pago follow_up 1", "Denver follow_up 1",
			"UTC follow_up 2", "Pago follow_up 2", "Denver follow_up 2",
		}, references("2026-03-10"))
		diffLines(t, "the eleventh", []string{
			"Auckland follow_up 1", "Kiritimati follow_up 1", "Auckland follow_up 2", "Kiritimati follow_up 2",
			"UTC follow_up 3", "Pago follow_up 3", "Denver follow_up 3",
		}, references("2026-03-11"))
	})
}

func TestTodayIsThatOfEachClient(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		denver, auckland := c.from(t, "Denver", "America/Denver"), c.from(t, "Auckland", "Pacific/Auckland")
		for _, client := range []care.Client{denver, auckland} {
			for n := range 4 { // at nine in the morning, there
				at := time.Date(2026, 3, 9+n, 9, 0, 0, 0, client.Zone())
				c.session(t, care.Session{ClientID: client.ID, Kind: care.FollowUp, StartedAt: at})
			}
		}
		c.Clock.Set(time.Date(2026, 3, 10, 18, 30, 0, 0, denver.Zone())) // the eleventh in UTC, and in Auckland
		day, got := c.agenda(t, c.Who, "")
		diffLines(t, "today", []string{"Denver follow_up 2", "Auckland follow_up 3"}, got)
		if day != "2026-03-10" {
			t.Errorf("it is %s", day)
		}
		if day, got = c.agenda(t, c.Who, "2026-05-01"); day != "2026-05-01" || got != nil {
			t.Errorf("a day without sessions: %s, %v", day, got)
		}
		for _, wrong := range []care.Date{"", "0001-01-01", "2026-02-30", "tomorrow", "9999-12-31"} {
			if _, err := c.Care.Today(t.Context(), c.Who, &wrong, one); !fault.Is(err, fault.Invalid) {
				t.Errorf("%q: %v", wrong, err)
			}
		}
	})
}

func TestAnAgendaHoldsThePeopleInReachOnce(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		c.Clock.Set(day(30))
		survivor, duplicate, stranger := c.client(t, "P-1"), c.client(t, "P-2"), c.client(t, "P-3")
		for i, client := range []care.Client{survivor, duplicate, stranger} {
			c.session(t, care.Session{ClientID: client.ID, Kind: care.Dosing, StartedAt: day(5).Add(time.Duration(i) * time.Hour)})
		}
		c.merge(t, survivor.ID, duplicate.ID)
		c.careTeams(t)
		key := c.clinician(t)
		if _, got := c.agenda(t, key(), "2026-01-06"); got != nil {
			t.Errorf("clients of others: %v", got)
		}
		c.assign(t, duplicate.ID, key().Actor)
		_, got := c.agenda(t, key(), "2026-01-06")
		diffLines(t, "assigned", []string{"P-1 dosing 1", "P-1 dosing 2 dose 0 days before"}, got)
		entries := c.trail(t)
		if last := entries[len(entries)-1]; last.Action != "agenda.read" || last.Client != survivor.ID && len(last.Clients) != 1 {
			t.Errorf("%s names %v %v", last.Action, last.Client, last.Clients)
		}
	})
}

func TestAnAgendaIsReadPageByPage(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		var want []uuid.UUID
		for i := range 7 {
			client := c.client(t, fmt.Sprint("P-", i))
			at := day(5).Add(time.Duration(i/3) * time.Hour) // some at once
			want = append(want, c.session(t, care.Session{ClientID: client.ID, Kind: care.Dosing, StartedAt: at}).ID)
		}
		for _, limit := range []int{1, 2, 7, 8} {
			var got []uuid.UUID
			for page := (care.Page{Limit: limit}); ; {
				agenda, err := c.Care.Today(t.Context(), c.Who, new(care.Date("2026-01-06")), page)
				must(t, err)
				if agenda.Sessions != len(want) || len(agenda.Visits) > limit {
					t.Errorf("pages of %d: %d of %d sessions", limit, len(agenda.Visits), agenda.Sessions)
				}
				if len(agenda.Visits) == 0 {
					break
				}
				for _, v := range agenda.Visits {
					got = append(got, v.Session.ID)
				}
				page.After = agenda.Visits[len(agenda.Visits)-1].Position()
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("pages of %d (-want +got):\n%s", limit, d)
			}
		}
	})
}

func TestALongerDayTakesNoMoreStatements(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		var counts []int
		for _, size := range []int{1, 40} {
			for range size {
				s := newStanding(t, c)
				c.record(t, gad7(s.client.ID, day(3), 1))
			}
			c.Statements.Take()
			_, got := c.agenda(t, c.Who, "2026-01-06")
			counts = append(counts, len(c.Statements.Take()))
			if len(got) < size {
				t.Errorf("%d visits", len(got))
			}
		}
		if counts[0] != counts[1] || counts[0] > 12 {
			t.Errorf("%v statements for a short and a long day", counts)
		}
	})
}

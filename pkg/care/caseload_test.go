//go:build unix

package care_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/care"
)

// caseOf reads one client's case.
func (c clinic) caseOf(t testing.TB, client uuid.UUID) care.Case {
	t.Helper()
	cases, err := c.Care.Caseload(t.Context(), c.Who, care.CaseloadQuery{Instrument: "gad-7"}, care.Page{Limit: 1000})
	must(t, err)
	for _, x := range cases {
		if x.Client.ID == client {
			return x
		}
	}
	t.Fatal("the client is not in the caseload")
	return care.Case{}
}

func TestTheRecentTotalsAreTheLastOfTheTrajectory(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		client := c.client(t, "P-1")
		var batch []care.Assessment
		for i := range care.RecentTotals + 6 {
			a := gad7(client.ID, day(i), i%4)
			if i%5 == 4 {
				a.Answers = map[string]*int{"gad7_1": new(1)} // no total
			}
			batch = append(batch, a)
		}
		c.record(t, batch...)
		check := func(what string, n int) {
			t.Helper()
			got, err := c.Care.Trajectories(t.Context(), c.Who, client.ID, care.TrajectoryQuery{Instrument: "gad-7"})
			must(t, err)
			var want []care.Scored
			for _, p := range got[0].Points {
				if p.Total != nil {
					want = append(want, care.Scored{At: p.At, Total: *p.Total})
				}
			}
			want = want[max(0, len(want)-care.RecentTotals):]
			recent := c.caseOf(t, client.ID).Progress.Recent
			if d := cmp.Diff(want, recent); d != "" || len(recent) != n {
				t.Errorf("%s: %d totals (-trajectory +caseload):\n%s", what, len(recent), d)
			}
		}
		check("as recorded", care.RecentTotals)
		_, err := c.Care.Retract(t.Context(), c.Who, batch[len(batch)-2].ID, "another client's", nil)
		must(t, err)
		check("one retracted", care.RecentTotals-1)
		moved := gad7(client.ID, day(-9), 3)
		moved.ID = batch[len(batch)-3].ID
		c.amend(t, moved, 1)
		check("one moved to the beginning", care.RecentTotals-1)
		c.sound(t)
	})
}

func TestADoseIsTheLastOnceItHasBegun(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		denver := care.Client{Reference: "P-1", TimeZone: "America/Denver"}
		client, _, err := c.Care.CreateClient(t.Context(), c.Who, denver)
		must(t, err)
		twin := c.client(t, "P-2")
		at := func(at string) time.Time {
			when, err := time.Parse("2006-01-02 15:04", at)
			must(t, err)
			return when
		}
		dose := func(client uuid.UUID, when string) care.Session {
			return c.session(t, care.Session{ClientID: client, Kind: care.Dosing, StartedAt: at(when)})
		}
		check := func(now, want string) {
			t.Helper()
			c.Clock.Set(at(now))
			got := "none"
			if x := c.caseOf(t, client.ID); x.LastDoseAt != nil {
				got = fmt.Sprintf("%s, %d days", x.LastDoseAt.Format("2006-01-02 15:04"), *x.DaysSinceLastDose)
			}
			if got != want {
				t.Errorf("at %s: %s, not %s", now, got, want)
			}
		}
		check("2026-03-01 12:00", "none")
		first := dose(client.ID, "2026-03-02 02:00") // seven in the evening of the first in Denver
		c.session(t, care.Session{ClientID: client.ID, Kind: care.Integration, StartedAt: at("2026-03-03 12:00")})
		check("2026-03-02 01:59", "none") // it is a plan until then
		check("2026-03-02 02:01", "2026-03-02 02:00, 0 days")
		check("2026-03-02 06:59", "2026-03-02 02:00, 0 days")
		check("2026-03-02 07:01", "2026-03-02 02:00, 1 days") // midnight in Denver
		check("2026-03-09 07:01", "2026-03-02 02:00, 8 days") // past a day of 23 hours
		first.StartedAt = at("2026-03-12 12:00")              // put off
		first, err = c.Care.UpdateSession(t.Context(), c.Who, first, first.Version)
		must(t, err)
		check("2026-03-10 12:00", "none")
		dose(twin.ID, "2026-03-08 12:00")
		check("2026-03-10 12:01", "none")
		c.merge(t, client.ID, twin.ID)
		check("2026-03-10 12:02", "2026-03-08 12:00, 2 days")
		check("2026-03-12 12:01", "2026-03-12 12:00, 0 days")
		must(t, c.Care.UndoMerge(t.Context(), c.Who, client.ID, twin.ID))
		first.Kind = care.FollowUp
		_, err = c.Care.UpdateSession(t.Context(), c.Who, first, first.Version)
		must(t, err)
		check("2026-03-12 12:02", "none")
	})
}

func TestASearchIsWithinReach(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		c.careTeams(t)
		mine := c.client(t, "P-100")
		c.client(t, "P-1000")
		key := c.clinician(t)
		c.assign(t, mine.ID, key().Actor)
		query := care.CaseloadQuery{Instrument: "gad-7", Search: " p-100 "}
		cases, err := c.Care.Caseload(t.Context(), key(), query, care.Page{Limit: 10})
		if err != nil || len(cases) != 1 || cases[0].Client.ID != mine.ID {
			t.Errorf("%d cases of one's own, %v", len(cases), err)
		}
		if cases, err = c.Care.Caseload(t.Context(), c.Who, query, care.Page{Limit: 10}); err != nil || len(cases) != 2 {
			t.Errorf("the control: %d cases of all, %v", len(cases), err)
		}
	})
}

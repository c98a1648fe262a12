//go:build unix

package research_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/instrument"
	"github.com/protrack/protrack/pkg/research"
)

// ill stores clients with an indication, each with a session of a route.
func ill(t *testing.T, c study, n int, indication string, route care.Route) {
	t.Helper()
	for range n {
		p := c.person(t, care.Client{Sex: instrument.Female})
		course := c.course(t, care.Course{ClientID: p.ID, Indication: indication, StartedOn: "2026-01-03"})
		c.session(t, care.Session{
			ClientID: p.ID, CourseID: &course.ID, Kind: care.Dosing, StartedAt: day(5), Medicine: &care.Medicine{Substance: "Ketamine", Route: route, DoseMG: 1},
		})
	}
}

// tally counts the values of a column.
func (f file) tally(name string) map[string]int {
	out := map[string]int{}
	for _, text := range f.texts(name) {
		out[text]++
	}
	return out
}

func TestRareValuesAreMerged(t *testing.T) {
	each(t, func(t *testing.T, c study) {
		ill(t, c, 5, "Major  Depression", care.Oral)
		ill(t, c, 2, "major depression", care.Oral)
		ill(t, c, 5, "PTSD", care.Intranasal)
		ill(t, c, 1, "Anorexia", care.Intravenous)
		c.person(t, care.Client{Sex: instrument.Male})
		for _, tc := range []struct {
			profile                                research.Profile
			indications, routes, sexes, substances map[string]int
		}{
			// The one of the rarest would be found among other alone: the next rarest goes too.
			{research.Deidentified, map[string]int{"major depression": 7, "other": 6}, map[string]int{"oral": 7, "other": 6}, map[string]int{"other": 14}, map[string]int{"ketamine": 13}},
			{research.Limited, map[string]int{"major depression": 7, "other": 6}, map[string]int{"oral": 7, "intranasal": 5, "intravenous": 1},
				map[string]int{"female": 13, "male": 1}, map[string]int{"ketamine": 13}},
			{research.Identified, map[string]int{"Major  Depression": 5, "major depression": 2, "PTSD": 5, "Anorexia": 1}, map[string]int{"oral": 7, "intranasal": 5, "intravenous": 1},
				map[string]int{"female": 13, "male": 1}, map[string]int{"Ketamine": 13}},
		} {
			sessions := c.read(t, research.Request{Table: research.Sessions, Profile: tc.profile})
			clients := c.read(t, research.Request{Table: research.Clients, Profile: tc.profile})
			for what, got := range map[string][2]map[string]int{
				"indications": {tc.indications, sessions.tally("indication")}, "routes": {tc.routes, sessions.tally("route")},
				"sexes": {tc.sexes, clients.tally("sex")}, "substances": {tc.substances, sessions.tally("substance")},
			} {
				if d := cmp.Diff(got[0], got[1]); d != "" {
					t.Errorf("%s, %s (-want +got):\n%s", tc.profile, what, d)
				}
			}
		}
		if _, err := c.Care.ChooseClinicSettings(ctx, c.Who, care.ClinicSettings{SmallestCell: 8}); err != nil {
			t.Fatal(err)
		}
		f := c.read(t, research.Request{Table: research.Sessions, Profile: research.Deidentified})
		if d := cmp.Diff(map[string]int{"other": 13}, f.tally("indication")); d != "" {
			t.Errorf("where cells are of eight people (-want +got):\n%s", d)
		}
	})
}

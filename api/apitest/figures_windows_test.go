package apitest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/protrack/protrack/api/apitest"
)

// Totals that ask about different spans of time are never pooled unseen, and who
// was asked about which is withheld like any number of people.
func TestEveryFigureOfScoresTellsWhichSpansOfTimeTheyAreAbout(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		var people []treated
		for i := range 24 {
			p := treated{sex: "female", route: "oral", before: 20, after: 5}
			if i < 3 {
				p.window = "P7D"
			}
			people = append(people, p)
		}
		treat(s, people...)
		const survival, expected = "survival?instrument=phq-9", "expected?instrument=phq-9"
		of := map[string]func(object) object{
			changeOfPairs:            func(f object) object { return f },
			"/v1/cohort/" + survival: func(f object) object { return f },
			"/v1/cohort/" + expected: func(f object) object { return f["bands"].([]any)[0].(object) },
			"/v1/cohort/sessions?instrument=phq-9": func(f object) object {
				return f["sessions"].([]any)[0].(object)
			},
		}
		windows := func(week, fortnight any) any {
			return []any{object{"from": "P14D", "to": "P14D", "n": fortnight}, object{"from": "P14D", "to": "P7D", "n": week}}
		}
		for ask, part := range of {
			all := part(s.Do("GET", ask+"&cells=all", nil).Want(http.StatusOK).JSON())
			same(t, ask+" in full", windows(3.0, 21.0), all["recall_windows"])
			shown := part(s.Do("GET", ask, nil).Want(http.StatusOK).JSON())
			same(t, ask, windows(nil, nil), shown["recall_windows"])
		}
		for ask, path := range map[string]string{survival: "recall_windows.2.n", expected: "bands.1.recall_windows.2.n"} {
			name, _, _ := strings.Cut(ask, "?")
			for more, value := range map[string]string{"&cells=all": "3", "": ""} {
				table := string(s.Do("GET", "/v1/cohort/"+ask+more+"&format=csv", nil).Want(http.StatusOK).Body)
				if line := fmt.Sprintf("\n%s,,%s,%s,", name, path, value); !strings.Contains(table, line) {
					t.Errorf("%s%s has no line %q:\n%s", ask, more, line, table)
				}
			}
		}
	})
}

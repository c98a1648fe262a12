package apitest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/protrack/protrack/api/apitest"
)

// passes are how often a statement that reads all people of a clinic, or what
// they have, was sent.
type passes struct{ People, Histories int }

func passesOf(sql []string) passes {
	var p passes
	for _, s := range sql {
		switch s = strings.NewReplacer("`", "", `"`, "").Replace(s); {
		case strings.HasPrefix(s, "SELECT id, merged_into, erased_at"):
			p.People++
		case strings.Contains(s, "DISTINCT"):
		case strings.Contains(s, "FROM outlines"), strings.Contains(s, "FROM course_versions"): // which stand for the record, packed and not
			p.Histories++
		}
	}
	return p
}

// TestResearchCostsAsManyStatementsWhereThereAreMoreClients counts them for each
// table, shape and choice of an export, and for each figure.
func TestResearchCostsAsManyStatementsWhereThereAreMoreClients(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		crowded := *s
		crowded.Clinic = s.Other
		worlds := []*apitest.Server{s, &crowded}
		studied(s, 2)
		studied(&crowded, 40)
		cohorts := make([][2]string, len(worlds))
		for i, w := range worlds {
			for j, filter := range []object{{"sex": []string{"unknown"}}, {"sessions_min": 1}} {
				cohorts[i][j] = w.Do("POST", "/v1/cohorts", object{"name": []string{"named", "treated"}[j], "filter": filter}).Want(http.StatusCreated).JSON()["id"].(string)
			}
		}
		for _, c := range []struct {
			path string
			want passes // who has agreed is looked up for the entry, and again for the rows
			most int
		}{
			{"/v1/exports/assessments", passes{2, 1}, 14},
			{"/v1/exports/assessments?shape=long&profile=limited", passes{2, 1}, 14},
			{"/v1/exports/assessments?shape=wide&profile=identified", passes{2, 2}, 16},
			{"/v1/exports/assessments?shape=wide", passes{2, 2}, 16},
			{"/v1/exports/clients", passes{2, 2}, 16},
			{"/v1/exports/sessions", passes{2, 2}, 15},
			{"/v1/exports/trajectories", passes{2, 1}, 14},
			{"/v1/exports/assessments?format=dta&package=true", passes{2, 2}, 15},
			{"/v1/exports/assessments?profile=limited&changed_since=2026-05-01T00:00:00Z", passes{2, 1}, 22},
			{"/v1/exports/assessments?cohort={treated}", passes{2, 2}, 16},
			{"/v1/exports/assessments?cohort={named}", passes{2, 3}, 18},
			{"/v1/exports/clients?cohort={treated}", passes{2, 3}, 18},
			{"/v1/exports/clients?cohort={named}", passes{2, 3}, 18},
			{"/v1/exports/codebook", passes{1, 0}, 6},
			{"/v1/exports/codebook?shape=wide", passes{2, 1}, 14},
			{"/v1/cohort/change?instrument=phq-9&from=baseline&to=last", passes{1, 1}, 7},
			{"/v1/cohort/flow?instrument=phq-9&cohort={named}", passes{1, 1}, 8},
			{"/v1/cohort/survival?instrument=phq-9", passes{1, 1}, 7},
		} {
			var cost [2]int
			for i, w := range worlds {
				path := strings.NewReplacer("{named}", cohorts[i][0], "{treated}", cohorts[i][1]).Replace(c.path)
				w.Do("GET", path, nil).Want(http.StatusOK) // what the first one founds, as a project, is there then
				s.Count.Take()
				w.Do("GET", path, nil).Want(http.StatusOK)
				_, sql := apart(s.Count.Take())
				cost[i] = len(sql)
				if got := passesOf(sql); got != c.want {
					t.Errorf("%s: %+v, want %+v:\n%s", c.path, got, c.want, strings.Join(sql, "\n"))
				}
			}
			if cost[0] != cost[1] || cost[1] > c.most {
				t.Errorf("%s costs %d statements, and %d where there are more clients", c.path, cost[0], cost[1])
			}
			t.Logf("%2d statements: %s", cost[1], c.path)
		}
	})
}

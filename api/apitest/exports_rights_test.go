package apitest_test

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
)

// TestNobodyExportsMoreThanTheirRoleMay asks for each profile as each role, and
// as a key whose scopes are less than its role's. A refusal is in the trail.
func TestNobodyExportsMoreThanTheirRoleMay(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		studied(s, 2)
		narrow := s.Do("POST", "/v1/keys", object{"name": "figures", "role": "admin", "scopes": []string{"exports:deidentified", "cohorts:read"}}).
			Want(http.StatusCreated).JSON()["secret"].(string)
		keys := map[string]string{"a narrow key": narrow}
		for _, role := range auth.Roles() {
			keys[string(role)] = s.Clinic.Key[role]
		}
		may := map[string][]string{
			"owner": {"identified", "limited", "deidentified"}, "admin": {"identified", "limited", "deidentified"},
			"researcher": {"deidentified"}, "a narrow key": {"deidentified"},
		}
		refused := func() int {
			return count(t, behind(t, s), `SELECT count(*) FROM audit_entries WHERE outcome = 'refused'`)
		}
		for who, key := range keys {
			for _, profile := range []string{"identified", "limited", "deidentified"} {
				for _, path := range []string{exportCSV, "/v1/exports/codebook"} {
					before := refused()
					r := s.As(key, "GET", path+"?profile="+profile, nil)
					if slices.Contains(may[who], profile) {
						r.Want(http.StatusOK)
						continue
					}
					problemOf(t, r.Want(http.StatusForbidden))
					if refused() != before+1 {
						t.Errorf("%s, %s of %s: the refusal is not in the trail", who, profile, path)
					}
				}
			}
		}
		// Whoever names no profile gets the least, whatever they might have had.
		unnamed := whole(t, s.Do("GET", exportCSV, nil))
		if named := whole(t, s.Do("GET", exportCSV+"?profile=deidentified", nil)); !bytes.Equal(unnamed, named) {
			t.Error("without a profile an export is not de-identified")
		}
	})
}

// TestAnExportIsInTheTrailBeforeItsFirstByte stops an export that has not sent
// anything, and finds the entry with the clients who are about to be sent.
func TestAnExportIsInTheTrailBeforeItsFirstByte(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		clients := studied(s, 3)
		agree(s, clients[2], "withdrawn", "2026-04-01T09:00:00Z")
		entries := func() []object {
			return listed(s.Do("GET", "/v1/audit?action=assessments.export", nil).Want(http.StatusOK))
		}
		var atFirst []object
		s.Research.Store = vast{Store: s.DB, rounds: 1, hurdle: func(int) error { atFirst = entries(); return nil }}
		researcher := s.Clinic.Key[auth.Researcher]
		whole(t, s.As(researcher, "GET", exportCSV+"?project=sleep&format=ndjson", nil))
		if len(atFirst) != 1 {
			t.Fatalf("before the first row the trail has %d entries", len(atFirst))
		}
		within(t, "entry ", object{"action": "assessments.export", "outcome": "done", "role": "researcher"}, atFirst[0])
		same(t, "entries after it", 1, len(entries()))
		for i, client := range clients {
			told := slices.ContainsFunc(listed(s.Do("GET", "/v1/clients/"+client+"/disclosures", nil).Want(http.StatusOK)), func(d object) bool {
				return d["action"] == "assessments.export" && d["role"] == "researcher"
			})
			if told != (i != 2) { // who has withdrawn was not in it
				t.Errorf("client %d: the export is among the disclosures: %v", i, told)
			}
		}
	})
}

func TestWhoWithdrawsIsGoneFromTheNextExport(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		clients := studied(s, 3)
		exported := func(query string) (ids []string) {
			for _, line := range records(t, whole(t, s.Do("GET", exportCSV+"?"+query, nil)))[1:] {
				ids = append(ids, line[1])
			}
			slices.Sort(ids)
			return slices.Compact(ids)
		}
		slices.Sort(clients)
		same(t, "clients at first", clients, exported("profile=identified"))
		pseudonyms := exported("profile=deidentified")
		agree(s, clients[1], "withdrawn", "2026-04-01T09:00:00Z")
		same(t, "clients after a withdrawal", []string{clients[0], clients[2]}, exported("profile=identified"))
		left := exported("profile=deidentified")
		if len(left) != 2 || slices.ContainsFunc(left, func(p string) bool { return !slices.Contains(pseudonyms, p) }) {
			t.Errorf("pseudonyms %v, and of %v before", left, pseudonyms)
		}
		// What was known before the withdrawal is replayed without the client too.
		same(t, "clients of a replay", []string{clients[0], clients[2]}, exported("profile=identified&as_of="+s.Clock.Now().UTC().Format("2006-01-02T15:04:05.000000Z")))
		s.Do("POST", "/v1/clients/"+clients[0]+"/erasure", object{"reason": "client_request"}).Want(http.StatusOK)
		same(t, "clients after an erasure", []string{clients[2]}, exported("profile=identified"))
	})
}

func TestNeitherTheLogNorAFilesNameTellsWhoIsInAnExport(t *testing.T) {
	s := apitest.SQLite(t)
	clients := studied(s, 2)
	for _, query := range []string{"profile=identified", "profile=limited&project=canary-project&from=2026-03-01T00:00:00Z", "package=true"} {
		r := s.Do("GET", exportCSV+"?"+query, nil)
		whole(t, r)
		for _, word := range append(clients, "P-0", "canary") {
			for what, text := range map[string]string{"log": s.Log.String(), "header": fmt.Sprint(r.Header)} {
				if strings.Contains(text, word) {
					t.Errorf("%s: the %s holds %q", query, what, word)
				}
			}
		}
	}
}

package apitest_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
)

// noted is what the newest entry of an action says was asked, and its target.
func noted(t testing.TB, s *apitest.Server, action string) (note object, target any) {
	t.Helper()
	entries := listed(s.Do("GET", "/v1/audit?limit=1&action="+action, nil).Want(http.StatusOK))
	if len(entries) == 0 {
		t.Fatalf("no entry of %s", action)
	}
	note, _ = entries[0]["details"].(object)["note"].(object)
	return note, entries[0]["target_id"]
}

func TestTheEntryOfAnExportSaysWhatWasAsked(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		clients := studied(s, 2)
		course := s.Do("POST", "/v1/clients/"+clients[0]+"/courses", object{"indication": "x", "started_on": "2026-01-02"}).Want(http.StatusCreated).JSON()["id"].(string)
		cohort := s.Do("POST", "/v1/cohorts", object{"name": "all", "filter": object{}}).Want(http.StatusCreated).JSON()["id"].(string)
		now := s.Clock.Now().UTC().Format("2006-01-02T15:04:05.000000Z")
		for _, c := range []struct {
			table, query string
			want         object
		}{
			{"assessments", "", object{
				"table": "assessments", "shape": "assessment", "format": "csv", "package": "false", "profile": "deidentified", "project": "default", "dates": "shifted",
			}},
			{"assessments", "profile=identified&format=ndjson&shape=long&package=true&instrument=phq-9&from=2019-08-07T06:05:04Z&to=2029-08-07T06:05:04Z&course_id=" + course + "&session=7&timing=before", object{
				"table": "assessments", "shape": "long", "format": "ndjson", "package": "true", "profile": "identified",
				"filters": "instrument from to course_id session timing",
			}},
			{"clients", "profile=limited&project=sleep&cohort=" + cohort + "&changed_since=2019-08-07T06:05:04Z&as_of=" + now, object{
				"table": "clients", "format": "csv", "package": "false", "profile": "limited", "project": "sleep",
				"filters": "cohort changed_since as_of", "cohort": cohort, "as_of": strings.TrimRight(strings.TrimSuffix(now, "Z"), "0") + "Z",
			}},
		} {
			whole(t, s.Do("GET", "/v1/exports/"+c.table+"?"+c.query, nil))
			note, _ := noted(t, s, c.table+".export")
			same(t, c.table+"?"+c.query, c.want, note)
			for _, value := range []string{course, "2019", "2029", "before", "phq-9"} {
				for name, text := range note {
					if strings.Contains(text.(string), value) {
						t.Errorf("%s: the entry has the value of a filter, %s %q", c.query, name, text)
					}
				}
			}
		}
	})
}

func TestTheEntryOfASnapshotThatIsPulledNamesIt(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		studied(s, 2)
		id := s.Do("POST", "/v1/snapshots", object{"name": "spring", "format": "parquet", "shape": "long", "project": "sleep", "instruments": []string{"phq-9"}}).
			Want(http.StatusCreated).JSON()["id"].(string)
		whole(t, s.Do("GET", "/v1/snapshots/"+id+"/package", nil))
		want := object{
			"table": "assessments", "shape": "long", "format": "parquet", "package": "true", "profile": "deidentified", "project": "sleep", "dates": "shifted",
			"filters": "instrument",
		}
		for _, action := range []string{"snapshot.prepare", "snapshot.create", "snapshot.export"} {
			note, target := noted(t, s, action)
			same(t, action, want, note)
			same(t, action+": the snapshot", any(id), target)
		}
	})
}

// TestTheCodebookIsThatOfTheSameRequest asks for both with parameters that
// change which columns there are.
func TestTheCodebookIsThatOfTheSameRequest(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		clients := studied(s, 3)
		early := today.AddDate(0, 0, 1)
		s.Clock.Set(today.AddDate(0, 0, 2))
		// One client has a second dose and another instrument, from the second day on.
		s.Do("POST", "/v1/clients/"+clients[0]+"/sessions", with(dosing(), "started_at", today.AddDate(0, 0, 1))).Want(http.StatusCreated)
		s.Do("POST", "/v1/clients/"+clients[0]+"/assessments", object{"instrument": "gad-7", "timing": "follow_up", "completed_at": today.AddDate(0, 0, 1), "total": 3}).Want(http.StatusCreated)
		s.Clock.Set(today.AddDate(0, 0, 3))
		twice := s.Do("POST", "/v1/cohorts", object{"name": "twice", "filter": object{"sessions_min": 2}}).Want(http.StatusCreated).JSON()["id"].(string)
		once := s.Do("POST", "/v1/cohorts", object{"name": "once", "filter": object{"sessions_max": 1}}).Want(http.StatusCreated).JSON()["id"].(string)

		number := map[string]int{}
		for _, query := range []string{
			"", "as_of=" + url.QueryEscape(early.Format("2006-01-02T15:04:05Z")), "values=labels", "na=NA&dialect=excel&package=true", "profile=identified&session=1",
			"shape=wide", "shape=wide&cohort=" + twice, "shape=wide&cohort=" + once,
			"shape=wide&changed_since=" + url.QueryEscape(early.Format("2006-01-02T15:04:05Z")), "project=sleep&timing=before",
		} {
			var names []string
			for _, line := range records(t, s.Do("GET", "/v1/exports/codebook?"+query, nil).Want(http.StatusOK).Body)[1:] {
				names = append(names, line[1])
			}
			file := s.Do("GET", exportCSV+"?"+strings.ReplaceAll(strings.ReplaceAll(query, "&package=true", ""), "&dialect=excel", ""), nil)
			same(t, "columns with "+query, records(t, whole(t, file))[0], names)
			number[query] = len(names)
		}
		if number["shape=wide&cohort="+twice] <= number["shape=wide&cohort="+once] || number[""] <= number["as_of="+url.QueryEscape(early.Format("2006-01-02T15:04:05Z"))] {
			t.Errorf("what was asked makes no difference: %v", number)
		}
		for query, status := range map[string]int{
			"cohort=" + newID(): http.StatusUnprocessableEntity, "changed_since=2999-01-01T00:00:00Z": http.StatusUnprocessableEntity, "table=clients&session=1": http.StatusUnprocessableEntity,
		} {
			problemOf(t, s.Do("GET", "/v1/exports/codebook?"+query, nil).Want(status))
		}
		researcher := s.Clinic.Key[auth.Researcher] // who may not ask for the past there may not ask for it here
		problemOf(t, s.As(researcher, "GET", "/v1/exports/codebook?as_of=2026-05-01T00:00:00Z", nil).Want(http.StatusForbidden))
	})
}

// TestAWideCodebookIsInTheTrail shows that nobody learns unnoticed how many doses
// the people of a cohort had.
func TestAWideCodebookIsInTheTrail(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		clients := studied(s, 2)
		disclosed := func() int {
			n := 0
			for _, d := range listed(s.Do("GET", "/v1/clients/"+clients[0]+"/disclosures", nil).Want(http.StatusOK)) {
				if d["action"] == "codebook.read" {
					n++
				}
			}
			return n
		}
		researcher := s.Clinic.Key[auth.Researcher]
		s.As(researcher, "GET", "/v1/exports/codebook", nil).Want(http.StatusOK)
		same(t, "disclosures by a codebook", 0, disclosed())
		s.As(researcher, "GET", "/v1/exports/codebook?shape=wide", nil).Want(http.StatusOK)
		same(t, "disclosures by a wide one", 1, disclosed())
		note, _ := noted(t, s, "codebook.read")
		within(t, "note ", object{"shape": "wide", "profile": "deidentified"}, note)
	})
}

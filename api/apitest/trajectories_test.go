package apitest_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/protrack/protrack/api/apitest"
)

func TestATrajectoryFollowsTheRulesThatTheClinicChose(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		c := open(t, s)
		pcl := func(day, total int) { c.assess(day, total, "instrument", "pcl-5", "recall_window", "P1M") }
		pcl(1, 50)
		pcl(29, 34) // 16 points: reliable for s1 (15), not for s2 (18)
		read := func(query string) object {
			return s.Do("GET", "/v1/clients/"+c.client+"/trajectory?instrument=pcl-5"+query, nil).Want(http.StatusOK).JSON()
		}
		caseload := func() object {
			return listed(s.Do("GET", "/v1/caseload?instrument=pcl-5", nil).Want(http.StatusOK))[0]
		}
		check := func(set, reliable string, query string) {
			t.Helper()
			tr := read(query)
			within(t, "rules.", object{"set": set}, tr["rules"])
			within(t, "status.", object{"reliable": reliable, "change": -16.0}, tr["status"])
		}
		check("marx-2022-s1", "improved", "")
		within(t, "caseload.", object{"rules": "marx-2022-s1", "reliable": "improved"}, caseload())
		check("marx-2022-s2", "unchanged", "&rules=marx-2022-s2")

		s.Do("PUT", "/v1/settings/instruments/pcl-5", object{"change_rules": "marx-2022-s2", "cutpoints": object{"above_cutpoint": 32}}).Want(http.StatusOK)
		check("marx-2022-s2", "unchanged", "")
		check("marx-2022-s1", "improved", "&rules=marx-2022-s1")
		within(t, "caseload.", object{"rules": "marx-2022-s2", "reliable": "unchanged"}, caseload())
		settings := listed(s.Do("GET", "/v1/settings/instruments", nil).Want(http.StatusOK))
		if len(settings) != 1 || settings[0]["change_rules"] != "marx-2022-s2" {
			t.Errorf("settings: %v", settings)
		}
		within(t, "score.", object{"cutpoints": object{"above_cutpoint": 32.0}}, s.Do("POST", "/v1/instruments/pcl-5/score", object{"total": 31}).Want(http.StatusOK).JSON())
		if other := listed(s.As(s.Other.Key["admin"], "GET", "/v1/settings/instruments", nil).Want(http.StatusOK)); len(other) != 0 {
			t.Errorf("another clinic has settings: %v", other)
		}
		s.Do("PUT", "/v1/settings/instruments/pcl-5", object{"change_rules": ""}).Want(http.StatusOK)
		check("marx-2022-s1", "improved", "")
	})
}

func TestATrajectoryCanBeReadByBaselineOverlapWindowAndCourse(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		c := open(t, s)
		course := func(day string) string {
			return s.Do("POST", "/v1/clients/"+c.client+"/courses", object{"indication": "depression", "started_on": day}).Want(http.StatusCreated).JSON()["id"].(string)
		}
		early, late := course("2026-03-01"), course("2026-04-20")
		first := c.session(10, "course_id", early)
		second := c.session(1, "course_id", late, "started_at", "2026-04-21T15:00:00Z")
		c.assess(1, 20, "timing", "baseline")
		c.assess(9, 16, "timing", "before", "session_id", first)
		c.assess(11, 12, "timing", "after", "session_id", first)
		c.assess(12, 8, "recall_window", "P1D")
		c.assess(1, 4, "timing", "after", "session_id", second, "completed_at", "2026-04-22T09:00:00Z")

		same(t, "all", []any{20.0, 16.0, 12.0, 8.0, 4.0}, totals(c.trajectory("")))
		within(t, "baseline.", object{"total": 20.0, "rule": "first"}, c.trajectory("")["baseline"])
		within(t, "baseline.", object{"total": 16.0, "rule": "last_before_first_dose"}, c.trajectory("&baseline=last_before_first_dose")["baseline"])
		same(t, "one day's", []any{8.0}, totals(c.trajectory("&recall_window=P1D")))
		same(t, "the early course's", []any{20.0, 16.0, 12.0, 8.0}, totals(c.trajectory("&course_id="+early)))
		same(t, "the late course's", []any{4.0}, totals(c.trajectory("&course_id="+late)))

		tr := c.trajectory("&max_overlap=0.5&baseline=last_before_first_dose")
		within(t, "", object{"max_overlap": 0.5}, tr)
		excluded := []any{}
		for _, p := range tr["points"].([]any) {
			excluded = append(excluded, p.(object)["excluded"])
		}
		same(t, "what overlaps too much", []any{false, false, true, false, false}, excluded)
		points := tr["points"].([]any)
		within(t, "the point after.", object{"recall_overlap": 0.8571, "session_id": first, "session_number": 1.0, "days_from_first_dose": 0.75}, points[2])
		within(t, "status.", object{"n_excluded": 1.0}, tr["status"])
		sessions := tr["sessions"].([]any)
		within(t, "the first session.", object{"before": 16.0, "after": 12.0, "change": -4.0, "number": 1.0}, sessions[0])
		within(t, "the second session.", object{"session_id": second, "after": 4.0, "number": 1.0, "course_id": late}, sessions[1])
	})
}

func TestSessionsAreNumberedByTheirPlaceInTime(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		c := open(t, s)
		number := func(id string) any { return s.Do("GET", "/v1/sessions/"+id, nil).Want(http.StatusOK).JSON()["number"] }
		second, preparation := c.session(10), c.session(2, "kind", "preparation")
		same(t, "the only dose", 1.0, number(second))
		first := c.session(3)
		same(t, "an earlier one", []any{1.0, 2.0, 1.0}, []any{number(first), number(second), number(preparation)})
		course := s.Do("POST", "/v1/clients/"+c.client+"/courses", object{"indication": "x", "started_on": "2026-03-09"}).Want(http.StatusCreated).JSON()["id"].(string)
		s.Do("PATCH", "/v1/sessions/"+second, object{"course_id": course}, "If-Match", `"1"`).Want(http.StatusOK)
		same(t, "the first of its course", 1.0, number(second))
		s.Do("PATCH", "/v1/sessions/"+second, object{"number": 9}, "If-Match", `"2"`).Want(http.StatusOK)
		same(t, "as the clinic counts", 9.0, number(second))
		c.assess(11, 9, "timing", "after", "session_id", second)
		within(t, "", object{"session_number": 9.0, "session_kind": "dosing"}, c.trajectory("")["points"].([]any)[0])
		// Moving a session moves what is measured from it.
		within(t, "", object{"days_from_first_dose": 7.75}, c.trajectory("")["points"].([]any)[0])
		s.Do("PATCH", "/v1/sessions/"+first, object{"started_at": "2026-03-05T15:00:00Z"}, "If-Match", `"1"`).Want(http.StatusOK)
		within(t, "", object{"days_from_first_dose": 5.75}, c.trajectory("")["points"].([]any)[0])
	})
}

func TestMissingAnswersAreNeverCountedAsNought(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		c := open(t, s)
		post := func(pairs ...any) object {
			return s.Do("POST", "/v1/clients/"+c.client+"/assessments", with(baseline(), pairs...)).Want(http.StatusCreated).JSON()
		}
		flag := func(reason string) []any {
			return []any{object{"code": "item9_not_answered", "item": "phq9_9", "reason": reason}}
		}
		full := post("answers", phq9(0, 0, 0, 0, 0, 0, 0, 0, 0))
		within(t, "all 0.", object{"total": 0.0, "severity": "minimal", "flags": []any{}}, full["score"])

		declined := post("answers", phq9(2, 2, 2, 2, 2, 2, 2, 2), "declined", []string{"phq9_9"})
		within(t, "declined.", object{"total": nil, "severity": nil, "items_missing": 1.0, "flags": flag("declined")}, declined["score"])
		within(t, "", object{"declined": []any{"phq9_9"}}, declined)

		prorated := post("answers", phq9(2, 2, 2, 2, 2, 2, 2, 2), "missing_policy", "prorate")
		within(t, "prorated.", object{"total": 18.0, "prorated": true, "flags": flag("skipped")}, prorated["score"])

		elsewhere := post("answers", drop, "total", 14)
		within(t, "a total.", object{"total": 14.0, "items_answered": nil, "items_missing": nil, "flags": flag("unknown")}, elsewhere["score"])
		within(t, "", object{"answers": nil, "total": 14.0}, elsewhere)

		alarming := post("answers", phq9(0, 0, 0, 0, 0, 0, 0, 0, 1))
		within(t, "item 9.", object{"flags": []any{object{"code": "suicidal_ideation", "item": "phq9_9", "level": 1.0}}}, alarming["score"])
		within(t, "status.", object{"n_scored": 4.0, "n_missing": 1.0}, c.trajectory("")["status"])
	})
}

// TestEveryListIsReadPageByPage walks each list with pages of one, two and all,
// and finds each thing once, in the same order.
func TestEveryListIsReadPageByPage(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		c := open(t, s)
		id := c.assess(1, 20)
		for i := range 6 {
			client := s.Do("POST", "/v1/clients", object{"reference": []string{"p-1", "Ä", "P-10", "P-2", "z", "P 3"}[i]}).Want(http.StatusCreated).JSON()["id"].(string)
			s.Do("POST", "/v1/clients/"+c.client+"/courses", object{"indication": "x", "started_on": fmt.Sprintf("2026-03-%02d", 1+i/2)}).Want(http.StatusCreated)
			c.session(3 + i/3)
			c.assess(4+i/3, 20-i)
			s.Do("PUT", "/v1/assessments/"+id, object{"total": i, "reason": "x"}, "If-Match", fmt.Sprintf("\"%d\"", i+1)).Want(http.StatusOK)
			s.Do("POST", "/v1/clients/"+c.client+"/consents", object{"scope": "care", "status": "granted", "at": fmt.Sprintf("2026-03-%02dT09:00:00Z", 1+i/2)}).Want(http.StatusCreated)
			s.Do("POST", "/v1/clients/"+c.client+"/corrections", object{"target": "other", "request": "x"}).Want(http.StatusCreated)
			if i%2 == 0 {
				s.Do("POST", "/v1/clients/"+client+"/assessments", with(baseline(), "completed_at", today.Add(-time.Hour))).Want(http.StatusCreated)
			}
		}
		paths := []string{
			"/v1/clients?", "/v1/keys?", "/v1/assessments/" + id + "/versions?",
			"/v1/clients/" + c.client + "/courses?", "/v1/clients/" + c.client + "/sessions?", "/v1/clients/" + c.client + "/assessments?",
			"/v1/clients/" + c.client + "/consents?", "/v1/clients/" + c.client + "/corrections?",
		}
		for _, sort := range []string{"reference", "change", "percent_change", "latest", "last_at"} {
			paths = append(paths, "/v1/caseload?sort="+sort+"&", "/v1/caseload?sort=-"+sort+"&")
		}
		for _, path := range paths {
			whole := s.Do("GET", path+"limit=200", nil).Want(http.StatusOK)
			if _, more := whole.JSON()["next_cursor"]; more || len(listed(whole)) < 4 {
				t.Errorf("%s: more than one page, or too few items: %.300s", path, whole.Body)
			}
			for _, limit := range []int{1, 2, len(listed(whole))} {
				var got []object
				cursor := ""
				for range len(listed(whole)) + 1 {
					page := s.Do("GET", fmt.Sprintf("%slimit=%d&cursor=%s", path, limit, url.QueryEscape(cursor)), nil).Want(http.StatusOK)
					got = append(got, listed(page)...)
					next, more := page.JSON()["next_cursor"].(string)
					if !more {
						break
					}
					cursor = next
				}
				same(t, fmt.Sprintf("%s in pages of %d", path, limit), listed(whole), got)
			}
		}
	})
}

func TestTheCaseloadIsFilteredByStatus(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		for name, totals := range map[string][]int{"response": {20, 9}, "remission": {20, 2}, "unchanged": {20, 19}, "deteriorated": {10, 20}, "baseline_only": {20}, "not_measured": {}} {
			id := s.Do("POST", "/v1/clients", object{"reference": name}).Want(http.StatusCreated).JSON()["id"].(string)
			for i, total := range totals {
				s.Do("POST", "/v1/clients/"+id+"/assessments", with(baseline(), "answers", drop, "total", total, "completed_at", today.AddDate(0, 0, -60+30*i))).Want(http.StatusCreated)
			}
		}
		for _, status := range []string{"response", "remission", "unchanged", "deteriorated", "baseline_only", "not_measured"} {
			got := listed(s.Do("GET", "/v1/caseload?status="+status, nil).Want(http.StatusOK))
			if len(got) != 1 || got[0]["reference"] != status || got[0]["status"] != status {
				t.Errorf("%s: %v", status, got)
			}
		}
	})
}

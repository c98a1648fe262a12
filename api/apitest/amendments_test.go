package apitest_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
)

// clinic is a server with one client, and short words for what tests ask of it.
type clinic struct {
	*apitest.Server
	t      *testing.T
	client string
}

func open(t *testing.T, s *apitest.Server) clinic {
	t.Helper()
	s.Clock.Set(today)
	return clinic{s, t, s.Do("POST", "/v1/clients", object{"reference": "P-1"}).Want(http.StatusCreated).JSON()["id"].(string)}
}

// assess records a total of the PHQ-9 on a day of March, unless told otherwise.
func (c clinic) assess(day, total int, pairs ...any) string {
	c.t.Helper()
	form := object{
		"instrument": "phq-9", "timing": "follow_up", "total": total,
		"completed_at": time.Date(2026, 3, day, 9, 0, 0, 0, time.UTC),
	}
	return c.Do("POST", "/v1/clients/"+c.client+"/assessments", with(form, pairs...)).Want(http.StatusCreated).JSON()["id"].(string)
}

// session records a session on a day of March.
func (c clinic) session(day int, pairs ...any) string {
	c.t.Helper()
	body := object{"kind": "dosing", "started_at": time.Date(2026, 3, day, 15, 0, 0, 0, time.UTC)}
	return c.Do("POST", "/v1/clients/"+c.client+"/sessions", with(body, pairs...)).Want(http.StatusCreated).JSON()["id"].(string)
}

// trajectory reads the client's trajectory on the PHQ-9.
func (c clinic) trajectory(query string) object {
	c.t.Helper()
	return c.Do("GET", "/v1/clients/"+c.client+"/trajectory?instrument=phq-9"+query, nil).Want(http.StatusOK).JSON()
}

// totals are a trajectory's totals in order.
func totals(tr object) []any {
	out := []any{}
	for _, p := range tr["points"].([]any) {
		out = append(out, p.(object)["total"])
	}
	return out
}

func TestAnAmendmentMakesAVersionAndKeepsTheOldOne(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		c := open(t, s)
		c.assess(1, 20)
		id := c.assess(8, 0, "answers", phq9(1, 1, 1, 1, 1, 1, 1, 1, 2), "total", drop)
		path := "/v1/assessments/" + id
		first := s.Do("GET", path, nil).Want(http.StatusOK)

		s.Clock.Set(today.Add(time.Hour))
		amended := s.As(s.Clinic.Key[auth.Clinician], "PUT", path, object{"answers": phq9(1, 1, 1, 1, 1, 1, 1, 1, 0), "reason": "Read out wrongly."}, "If-Match", first.Header.Get("ETag")).Want(http.StatusOK)
		if amended.Header.Get("ETag") != `"2"` {
			t.Errorf("the ETag is %s", amended.Header.Get("ETag"))
		}
		within(t, "", object{"version": 2.0, "reason": "Read out wrongly.", "completed_at": first.JSON()["completed_at"], "timing": "follow_up"}, amended.JSON())
		within(t, "score.", object{"total": 8.0, "flags": []any{}}, amended.JSON()["score"])
		same(t, "the totals after the amendment", []any{20.0, 8.0}, totals(c.trajectory("")))

		s.Clock.Set(today.Add(2 * time.Hour))
		problemOf(t, s.Do("PUT", path, object{"reason": "Late."}, "If-Match", `"1"`).Want(http.StatusPreconditionFailed))
		retracted := s.Do("POST", path+"/retraction", object{"reason": "Another client's form."}, "If-Match", `"2"`).Want(http.StatusOK)
		within(t, "", object{"version": 3.0, "status": "retracted", "reason": "Another client's form."}, retracted.JSON())
		again := s.Do("POST", path+"/retraction", object{"reason": "Once more."}).Want(http.StatusOK)
		same(t, "a second retraction", string(retracted.Body), string(again.Body))
		problemOf(t, s.Do("PUT", path, object{"reason": "Too late."}, "If-Match", `"3"`).Want(http.StatusConflict))
		same(t, "the totals after the retraction", []any{20.0}, totals(c.trajectory("")))

		versions := listed(s.Do("GET", path+"/versions", nil).Want(http.StatusOK))
		if len(versions) != 3 {
			t.Fatalf("%d versions", len(versions))
		}
		same(t, "the first version", with(first.JSON(), "superseded_at", "2026-06-01T13:00:00Z"), versions[0])
		same(t, "the second version", with(amended.JSON(), "superseded_at", "2026-06-01T14:00:00Z"), versions[1])
		same(t, "the third version", retracted.JSON(), versions[2])
		if got := listed(s.Do("GET", "/v1/clients/"+c.client+"/assessments", nil)); len(got) != 1 {
			t.Errorf("%d assessments are listed", len(got))
		}
		if got := listed(s.Do("GET", "/v1/clients/"+c.client+"/assessments?retracted=true", nil)); len(got) != 2 {
			t.Errorf("%d assessments are listed with the retracted", len(got))
		}
		// The device that was offline since sends the first version again.
		s.Do("POST", "/v1/clients/"+c.client+"/assessments", object{
			"id": id, "instrument": "phq-9", "timing": "follow_up", "completed_at": "2026-03-08T10:00:00+01:00", "answers": phq9(1, 1, 1, 1, 1, 1, 1, 1, 2),
		}).Want(http.StatusOK)
	})
}

func TestWhatWasKnownAtATimeCanBeAskedAgain(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		c := open(t, s)
		id := c.assess(1, 20)
		s.Clock.Set(today.Add(time.Hour))
		c.assess(8, 9)
		s.Clock.Set(today.Add(2 * time.Hour))
		s.Do("PUT", "/v1/assessments/"+id, object{"total": 10, "reason": "x"}, "If-Match", `"1"`).Want(http.StatusOK)
		s.Clock.Set(today.Add(3 * time.Hour))
		session := c.session(5)
		s.Clock.Set(today.Add(4 * time.Hour))
		s.Do("POST", "/v1/assessments/"+id+"/retraction", object{"reason": "x"}).Want(http.StatusOK)
		for _, w := range []struct {
			asOf     string
			totals   []any
			sessions int
		}{
			{"2026-06-01T11:59:59Z", []any{}, 0},
			{"2026-06-01T12:00:00Z", []any{20.0}, 0},
			{"2026-06-01T15:00:00%2B02:00", []any{20.0, 9.0}, 0},
			{"2026-06-01T13:59:59.999999Z", []any{20.0, 9.0}, 0},
			{"2026-06-01T14:00:00Z", []any{10.0, 9.0}, 0},
			{"2026-06-01T15:30:00Z", []any{10.0, 9.0}, 1},
			{"2026-06-01T16:00:00Z", []any{9.0}, 1},
			{"2030-01-01T00:00:00Z", []any{9.0}, 1},
		} {
			tr := c.trajectory("&as_of=" + w.asOf)
			same(t, w.asOf, w.totals, totals(tr))
			if n := len(tr["sessions"].([]any)); n != w.sessions {
				t.Errorf("%s: %d sessions, want %d", w.asOf, n, w.sessions)
			}
			if tr["as_of"] == nil {
				t.Errorf("%s: the answer does not say as of when", w.asOf)
			}
		}
		if tr := c.trajectory(""); tr["sessions"].([]any)[0].(object)["session_id"] != session {
			t.Error("the session is not there now")
		}
	})
}

func TestTwoCliniciansWhoAmendAtOnceDoNotOverwriteEachOther(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		c := open(t, s)
		id := c.assess(1, 20)
		for version := 1; version <= 5; version++ {
			var answered tally
			atOnce(t, func(caller int) error {
				r, err := s.Try(s.Clinic.Key[auth.Clinician], "PUT", "/v1/assessments/"+id, object{"total": caller % 28, "reason": fmt.Sprint("by ", caller)}, "If-Match", fmt.Sprintf("%q", fmt.Sprint(version)))
				if err == nil {
					answered.add(id, r.Status)
				}
				return err
			})
			same(t, "answers by status", map[int]int{200: 1, 412: callers - 1}, answered.of[id])
		}
		versions := listed(s.Do("GET", "/v1/assessments/"+id+"/versions", nil))
		for i, v := range versions {
			within(t, "", object{"version": float64(i + 1)}, v)
		}
		if len(versions) != 6 {
			t.Errorf("%d versions", len(versions))
		}
		within(t, "latest.", object{"total": versions[5]["total"]}, c.trajectory("")["latest"])
	})
}

func TestAPatchKeepsWhatIsAbsentAndEmptiesWhatIsNull(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		n := settle(s, s.Clinic)
		for _, c := range []struct {
			path          string
			patch, become object
		}{
			{"/v1/clients/" + n.client, object{}, object{}},
			{"/v1/clients/" + n.client, object{"sex": "female"}, object{"sex": "female"}},
			{"/v1/clients/" + n.client, object{"birth_year": nil, "time_zone": nil, "display_name": nil}, object{"birth_year": nil, "time_zone": "", "display_name": ""}},
			{"/v1/clients/" + n.client, object{"id": nil, "reference": "P-1b"}, object{"reference": "P-1b"}},
			{"/v1/courses/" + n.course, object{"ended_on": "2026-05-01", "planned_sessions": 6}, object{"ended_on": "2026-05-01", "planned_sessions": 6.0}},
			{"/v1/courses/" + n.course, object{"ended_on": nil, "goals": nil}, object{"ended_on": nil, "goals": ""}},
			{"/v1/sessions/" + n.session, object{"medicine": object{"dose_mg": 50}}, object{"medicine": object{"substance": "ketamine", "route": "intramuscular", "dose_mg": 50.0}}},
			{"/v1/sessions/" + n.session, object{"medicine": object{"dose_mg_per_kg": 0.75}}, object{"medicine": object{"substance": "ketamine", "route": "intramuscular", "dose_mg": 50.0, "dose_mg_per_kg": 0.75}}},
			{"/v1/sessions/" + n.session, object{"medicine": object{"dose_mg_per_kg": nil}}, object{"medicine": object{"substance": "ketamine", "route": "intramuscular", "dose_mg": 50.0}}},
			{"/v1/sessions/" + n.session, object{"course_id": nil, "number": 3}, object{"course_id": nil, "number": 3.0}},
			{"/v1/sessions/" + n.session, object{"number": nil, "medicine": nil}, object{"number": 1.0, "medicine": nil}},
		} {
			before := s.Do("GET", c.path, nil).Want(http.StatusOK)
			after := s.Do("PATCH", c.path, c.patch, "If-Match", before.Header.Get("ETag"), "Content-Type", "application/merge-patch+json").Want(http.StatusOK)
			want := with(before.JSON(), "version", before.JSON()["version"].(float64)+1, "recorded_at", after.JSON()["recorded_at"])
			for name, value := range c.become {
				want[name] = value
			}
			same(t, fmt.Sprint(c.path, c.patch), want, after.JSON())
			same(t, "what is read then", string(after.Body), string(s.Do("GET", c.path, nil).Body))
		}
		// A change of the content may be retried as a create: with what was first sent, and with what is stored.
		s.Do("POST", "/v1/clients", object{"id": n.client, "reference": "P-1b", "sex": "female"}).Want(http.StatusOK)
	})
}

package apitest_test

import (
	"net/http"
	"testing"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
)

func TestACohortIsSavedOnceAndReadAsItWasSaved(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		body := object{"id": newID(), "name": " First treated in 2026 ", "filter": object{
			"indication": []any{"depression"}, "sex": []any{"female", "unknown"}, "age_min": 18.0, "first_dose_from": "2026-01-01T00:00:00+02:00",
			"route": []any{"oral"}, "dose_mg_max": 0.0, "sessions_min": 0.0,
			"baseline": object{"instrument": "phq-9", "min": 0.0, "severity": []any{"mild", "severe"}},
		}}
		want := object{
			"id": body["id"], "name": "First treated in 2026", "created_at": "2026-06-01T12:00:00Z", "created_by": s.Clinic.Who.Actor.String(),
			"filter": with(body["filter"].(object), "first_dose_from", "2025-12-31T22:00:00Z"),
		}
		made := s.Do("POST", "/v1/cohorts", body).Want(http.StatusCreated)
		same(t, "the answer", want, made.JSON())
		same(t, "its address", "/v1/cohorts/"+body["id"].(string), made.Header.Get("Location"))
		same(t, "the repeat", want, s.Do("POST", "/v1/cohorts", body).Want(http.StatusOK).JSON())
		same(t, "what is read", want, s.Do("GET", "/v1/cohorts/"+body["id"].(string), nil).Want(http.StatusOK).JSON())
		researcher := s.Clinic.Key[auth.Researcher]
		same(t, "the list", []object{want}, listed(s.As(researcher, "GET", "/v1/cohorts", nil).Want(http.StatusOK)))

		for what, other := range map[string]object{
			"/id":   with(body, "name", "Another name"),
			"/name": with(body, "id", drop),
		} {
			r := s.Do("POST", "/v1/cohorts", other).Want(http.StatusConflict)
			same(t, "the place of the conflict", what, problemOf(t, r).Errors[0].Pointer)
		}
		same(t, "the other clinic's list", []object{}, listed(s.As(s.Other.Key[auth.Admin], "GET", "/v1/cohorts", nil).Want(http.StatusOK)))
	})
}

func TestCohortsAreListedByNamePageByPage(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		for _, name := range []string{"b", "C", "a", "d", "É"} {
			s.Do("POST", "/v1/cohorts", object{"name": name, "filter": object{}}).Want(http.StatusCreated)
		}
		var names []string
		for cursor := ""; ; {
			r := s.Do("GET", "/v1/cohorts?limit=2"+cursor, nil).Want(http.StatusOK)
			for _, c := range listed(r) {
				names = append(names, c["name"].(string))
			}
			next, more := r.JSON()["next_cursor"].(string)
			if !more {
				break
			}
			cursor = "&cursor=" + next
		}
		same(t, "the names", []string{"C", "a", "b", "d", "É"}, names)
	})
}

func TestAllFaultsOfACohortAreToldAtOnce(t *testing.T) {
	s := apitest.SQLite(t)
	r := s.Do("POST", "/v1/cohorts", object{"name": "", "filter": object{
		"sex": []any{"woman"}, "age_min": 40, "age_max": 30, "baseline": object{"instrument": "mood"}, "indication": []any{"a\nb"},
	}}).Want(http.StatusUnprocessableEntity)
	var places []string
	for _, e := range problemOf(t, r).Errors {
		places = append(places, e.Pointer)
	}
	same(t, "the places", []string{"/name", "/filter/indication/0", "/filter/sex/0", "/filter/age_max", "/filter/baseline/instrument"}, places)
	s.Do("POST", "/v1/cohorts", object{"name": "x", "filter": object{"star_sign": "leo"}}).Want(http.StatusBadRequest)
	r = s.Do("POST", "/v1/cohorts", object{"name": "x"}).Want(http.StatusUnprocessableEntity)
	same(t, "without a filter, which would be everybody", "/filter", problemOf(t, r).Errors[0].Pointer)
	same(t, "what is saved", 0, len(listed(s.Do("GET", "/v1/cohorts", nil))))
}

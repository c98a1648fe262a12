package apitest_test

import (
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/protrack/protrack/api/apitest"
)

func TestTheCaseloadTellsOfTheLastDose(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		n := settle(s, s.Clinic)
		first := func() object { return listed(s.Do("GET", "/v1/caseload", nil).Want(http.StatusOK))[0] }
		s.Clock.Set(time.Date(2026, 3, 10, 14, 59, 0, 0, time.UTC))
		within(t, "before it. ", object{"last_dose_at": nil, "days_since_last_dose": nil}, first())
		s.Clock.Set(time.Date(2026, 3, 15, 5, 59, 0, 0, time.UTC)) // the evening before in Denver
		within(t, "after it. ", object{"last_dose_at": "2026-03-10T15:00:00Z", "days_since_last_dose": 4.0}, first())
		etag := s.Do("GET", "/v1/sessions/"+n.session, nil).Header.Get("ETag")
		s.Do("PATCH", "/v1/sessions/"+n.session, object{"started_at": "2026-03-20T15:00:00Z"}, "If-Match", etag).Want(http.StatusOK)
		within(t, "put off. ", object{"last_dose_at": nil, "days_since_last_dose": nil}, first())
	})
}

func TestTheCaseloadIsSearched(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		for reference, name := range map[string]string{"P-1": "Íñigo Núñez", "P-10": "Ann", "Q_1": "100 % P-1", "R-2": ""} {
			s.Do("POST", "/v1/clients", object{"reference": reference, "display_name": name}).Want(http.StatusCreated)
		}
		s.As(s.Other.Key["admin"], "POST", "/v1/clients", object{"reference": "P-1 of others"}).Want(http.StatusCreated)
		for search, want := range map[string][]string{
			"p-1": {"P-1", "P-10", "Q_1"}, "INIGO": {"P-1"}, "_": {"Q_1"}, "%": {"Q_1"}, "": {"P-1", "P-10", "Q_1", "R-2"}, "nobody": nil, "'; --": nil,
		} {
			var got []string
			for _, sort := range []string{"reference", "-last_at"} {
				got = nil
				for _, item := range listed(s.Do("GET", "/v1/caseload?status=not_measured&sort="+sort+"&search="+url.QueryEscape(search), nil).Want(http.StatusOK)) {
					got = append(got, item["reference"].(string))
				}
				slices.Sort(got)
				same(t, search+" by "+sort, want, got)
			}
		}
		s.Do("GET", "/v1/caseload?search=a%00", nil).Want(http.StatusUnprocessableEntity)
	})
}

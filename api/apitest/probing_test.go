package apitest_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/protrack/protrack/api/apitest"
)

// asWide is how far apart two medians may be: far more than what one index
// look-up takes, for other programs run on the same machine.
const asWide = 1.5

// differ reports whether one of two samples is grossly slower than the other.
func differ(a, b []time.Duration) (first, second time.Duration, far bool) {
	first, second = median(a), median(b)
	return first, second, float64(max(first, second)) > asWide*float64(min(first, second))
}

func median(sample []time.Duration) time.Duration {
	return slices.Sorted(slices.Values(sample))[len(sample)/2]
}

func TestMediansThatAreFarApartAreSeen(t *testing.T) {
	fast, slow := slices.Repeat([]time.Duration{9, 10, 100}, 100), slices.Repeat([]time.Duration{15, 16, 17}, 100)
	if _, _, far := differ(fast, slow); !far {
		t.Error("a sample with a median of 10 and one of 16 are held to be alike")
	}
	if _, _, far := differ(fast, slices.Repeat([]time.Duration{14}, 100)); far {
		t.Error("a sample with a median of 10 and one of 14 are held to be apart")
	}
}

// TestAnotherClinicsIDTakesAsLongAsAnUnknownOne asks in turn for an id of
// another clinic and for one that nobody has.
func TestAnotherClinicsIDTakesAsLongAsAnUnknownOne(t *testing.T) {
	const times, tries = 300, 3
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Unlimited()
		other := settle(s, s.Other)
		nobody := ids{client: newID(), course: newID(), session: newID(), assessment: newID(), key: newID(), cohort: newID(), snapshot: newID()}
		for _, route := range []string{
			"GET /v1/clients/{client_id}", "GET /v1/assessments/{assessment_id}", "GET /v1/clients/{client_id}/trajectories",
			"POST /v1/clients/{client_id}/courses", "DELETE /v1/keys/{key_id}",
			"GET /v1/cohorts/{cohort_id}", "GET /v1/snapshots/{snapshot_id}/package",
		} {
			took := func(who ids) time.Duration {
				method, path := address(route, who)
				body := fresh(may[route].body, who)
				began := time.Now()
				r := s.Do(method, path, body)
				d := time.Since(began)
				r.Want(http.StatusNotFound)
				return d
			}
			for try := range tries {
				var theirs, unknown []time.Duration
				for range times {
					theirs, unknown = append(theirs, took(other)), append(unknown, took(nobody))
				}
				first, second, far := differ(theirs, unknown)
				t.Logf("%s: another clinic's %v, unknown %v", route, first, second)
				if !far {
					break
				}
				if try == tries-1 {
					t.Errorf("%s tells an id of another clinic by its time: %v instead of %v", route, first, second)
				}
			}
		}
	})
}

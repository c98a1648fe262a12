package apitest_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/docs"
)

// A filter passes through three forms, field by field: none may lose one.
func TestASavedFilterIsWhatWasAskedFor(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		filter := object{
			"indication": []any{"depression"}, "sex": []any{"female"}, "age_min": 18.0, "age_max": 64.0,
			"enrolled_from": "2025-01-01T00:00:00Z", "enrolled_to": "2025-02-01T00:00:00Z",
			"first_dose_from": "2025-03-01T00:00:00Z", "first_dose_to": "2025-04-01T00:00:00Z",
			"substance": []any{"ketamine"}, "route": []any{"oral"}, "dose_mg_min": 10.0, "dose_mg_max": 90.0,
			"planned_sessions_min": 2.0, "sessions_min": 3.0, "sessions_max": 8.0,
			"baseline": object{"instrument": "phq-9", "min": 5.0, "max": 20.0, "severity": []any{"moderate"}},
		}
		var document struct {
			Components struct {
				Schemas map[string]struct {
					Properties map[string]any `json:"properties"`
				} `json:"schemas"`
			} `json:"components"`
		}
		if err := json.Unmarshal(docs.OpenAPI, &document); err != nil {
			t.Fatal(err)
		}
		for schema, of := range map[string]object{"CohortFilter": filter, "CohortBaseline": filter["baseline"].(object)} {
			same(t, "fields of "+schema, slices.Sorted(maps.Keys(document.Components.Schemas[schema].Properties)), slices.Sorted(maps.Keys(of)))
		}
		saved := s.Do("POST", "/v1/cohorts", object{"name": "All that can be asked", "filter": filter}).Want(http.StatusCreated).JSON()
		same(t, "what is stored", any(filter), s.Do("GET", "/v1/cohorts/"+saved["id"].(string), nil).Want(http.StatusOK).JSON()["filter"])
	})
}

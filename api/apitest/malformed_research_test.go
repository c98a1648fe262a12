package apitest_test

import (
	"net/http"
	"slices"
	"strings"

	"github.com/protrack/protrack/pkg/auth"
)

const (
	postCohort   = "POST /v1/cohorts"
	postSnapshot = "POST /v1/snapshots"
)

// filtered is a cohort whose filter asks for one thing.
func filtered(name string, value any) object {
	return object{"name": "women", "filter": object{name: value}}
}

// frozen is a good snapshot.
func frozen() object { return object{"name": "spring", "instruments": []string{"phq-9"}} }

// aboutResearch are what is wrong with cohorts, snapshots, exports and figures.
var aboutResearch = []bad{
	{name: "an empty cohort", ask: postCohort, body: "{}", status: s422, faults: []string{"/name required", "/filter required"}},
	{name: "a cohort without a filter", ask: postCohort, body: object{"name": "all", "filter": nil}, status: s422, faults: []string{"/filter required"}},
	{name: "a filter that is a list", ask: postCohort, body: object{"name": "all", "filter": []any{}}, status: s422, faults: []string{"/filter wrong_type"}},
	{name: "a name of two lines", ask: postCohort, body: object{"name": "canary\nline", "filter": object{}}, status: s422, faults: []string{"/name line"}},
	{name: "a name of 101 characters", ask: postCohort, body: object{"name": strings.Repeat("n", 101), "filter": object{}}, status: s422, faults: []string{"/name max"}},
	{name: "a condition that nobody knows", ask: postCohort, body: filtered("star_sign", "leo"), status: s400, faults: []string{"/filter/star_sign unknown_field"}},
	{name: "an age that is a text", ask: postCohort, body: filtered("age_min", "eighteen"), status: s422, faults: []string{"/filter/age_min wrong_type"}},
	{name: "an age below nothing", ask: postCohort, body: filtered("age_min", -1), status: s422, faults: []string{"/filter/age_min out_of_range"}},
	{name: "a dose of 1e400", ask: postCohort, body: filtered("dose_mg_min", raw("1e400")), status: s422, faults: []string{"/filter/dose_mg_min wrong_type"}},
	{name: "a route that is not there", ask: postCohort, body: filtered("route", []string{"oral", "canary-route"}), status: s422, faults: []string{"/filter/route/1 oneof"}},
	{name: "a list of sexes that is a text", ask: postCohort, body: filtered("sex", "female"), status: s422, faults: []string{"/filter/sex wrong_type"}},
	{name: "a filter of 51 substances", ask: postCohort, body: filtered("substance", slices.Repeat([]string{"ketamine"}, 51)), status: s422, faults: []string{"/filter/substance too_many"}},
	{name: "a day for a time", ask: postCohort, body: filtered("enrolled_from", "2026-03-01"), status: s422, faults: []string{"/filter/enrolled_from wrong_type"}},
	{name: "a baseline of no instrument", ask: postCohort, body: filtered("baseline", object{}), status: s422, faults: []string{"/filter/baseline/instrument required"}},
	{name: "a baseline twice", ask: postCohort, body: `{"name":"x","filter":{"baseline":{"instrument":"phq-9","instrument":"gad-7"}}}`, status: s400, faults: []string{"/filter/baseline/instrument duplicate_field"}},
	{name: "a cohort of nobody's id", ask: postCohort, body: object{"id": "00000000-0000-0000-0000-000000000000", "name": "x", "filter": object{}}, status: s422, faults: []string{"/id id"}},
	{name: "who saved a cohort", ask: postCohort, body: object{"name": "x", "filter": object{}, "created_by": "{key}"}, status: s400, faults: []string{"/created_by unknown_field"}},
	{name: "an id of a cohort with other content", ask: postCohort, body: object{"id": "{cohort}", "name": "another", "filter": object{}}, status: s409, faults: []string{"/id id_taken"}},
	{name: "an app that saves a cohort", ask: postCohort, body: filtered("sex", []string{"female"}), status: http.StatusForbidden, role: auth.App},
	{name: "a cohort that is no id", ask: "GET /v1/cohorts/canary-cohort", status: s404},

	{name: "an empty snapshot", ask: postSnapshot, body: "{}", status: s422, faults: []string{"/name required"}},
	{name: "a snapshot's name that climbs", ask: postSnapshot, body: with(frozen(), "name", "../canary-up"), status: s422, faults: []string{"/name not_a_name"}},
	{name: "choices of a snapshot that are not there", ask: postSnapshot, status: s422,
		body:   with(frozen(), "table", "canary-table", "shape", "tall", "format", "sas", "profile", "all", "timing", "later", "dates", "true", "values", "both"),
		faults: []string{"/table oneof", "/shape oneof", "/format oneof", "/profile oneof", "/timing oneof", "/dates oneof", "/values oneof"}},
	{name: "wrong types in a snapshot", ask: postSnapshot, status: s422,
		body:   with(frozen(), "instruments", "phq-9", "from", 2026, "session", "first", "cohort", true),
		faults: []string{"/instruments wrong_type", "/from wrong_type", "/session wrong_type", "/cohort wrong_type"}},
	{name: "an unknown instrument of a snapshot", ask: postSnapshot, body: with(frozen(), "instruments", []string{"canary-99"}), status: s422, faults: []string{"/instruments unknown_instrument"}},
	{name: "a snapshot of 101 instruments", ask: postSnapshot, body: with(frozen(), "instruments", slices.Repeat([]string{"phq-9"}, 101)), status: s422, faults: []string{"/instruments max"}},
	{name: "a snapshot of tomorrow", ask: postSnapshot, body: with(frozen(), "as_of", today.AddDate(0, 0, 1)), status: s422, faults: []string{"/as_of in_the_future"}},
	{name: "a project that is a path", ask: postSnapshot, body: with(frozen(), "project", "a/canary-b"), status: s422, faults: []string{"/project not_a_name"}},
	{name: "the project of the ledgers", ask: postSnapshot, body: with(frozen(), "project", "_figures"), status: s422, faults: []string{"/project not_a_name"}},
	{name: "a snapshot of nobody's id", ask: postSnapshot, body: with(frozen(), "id", "00000000-0000-0000-0000-000000000000"), status: s422, faults: []string{"/id id"}},
	{name: "an id of a snapshot with other content", ask: postSnapshot, body: with(frozen(), "id", "{snapshot}"), status: s409, faults: []string{"/id id_taken"}},
	{name: "a manifest of one's own", ask: postSnapshot, body: with(frozen(), "manifest", object{}, "signature", "canary-s"), status: s400, faults: []string{"/manifest unknown_field", "/signature unknown_field"}},
	{name: "another clinic's cohort of a snapshot", ask: postSnapshot, body: with(frozen(), "cohort", "{other.cohort}"), status: s422, faults: []string{"/cohort unknown_cohort"}},
	{name: "a clinician who takes a snapshot", ask: postSnapshot, body: frozen(), status: http.StatusForbidden, role: auth.Clinician},
	{name: "a researcher who takes an identified one", ask: postSnapshot, body: with(frozen(), "profile", "identified"), status: http.StatusForbidden, role: auth.Researcher},
	{name: "the package of another clinic's snapshot", ask: "GET /v1/snapshots/{other.snapshot}/package", status: s404},

	{name: "an export of a table that is not there", ask: "GET /v1/exports/canary-table", status: s404},
	{name: "an export of the ledgers' project", ask: "GET /v1/exports/assessments?project=_figures", status: s422, faults: []string{"/project not_a_name"}},
	{name: "an export of another clinic's cohort", ask: "GET /v1/exports/assessments?cohort={other.cohort}", status: s422, faults: []string{"/cohort unknown_cohort"}},
	{name: "a figure of another clinic's cohort", ask: "GET /v1/cohort/measures?cohort={other.cohort}", status: s422, faults: []string{"/cohort unknown_cohort"}},
	{name: "a figure of few for whom that is withheld", ask: "GET /v1/cohort/flow?instrument=phq-9&population=clinic", status: http.StatusForbidden, role: auth.Researcher},
}

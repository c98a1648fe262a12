package apitest_test

import (
	"encoding/base64"
	"net/http"

	"github.com/protrack/protrack/pkg/auth"
)

// conflicting are changes that the stored version does not allow.
var conflicting = []bad{
	{name: "the same client's id with other content", ask: postClient, body: object{"id": "{client}", "reference": "P-9"}, status: s409, faults: []string{"/id id_taken"}},
	{name: "a reference that is taken", ask: postClient, body: object{"reference": "P-1"}, status: s409, faults: []string{"/reference reference_taken"}},
	{name: "a change to a reference that is taken", ask: patchClient, body: object{"reference": "P-2"}, headers: firstVersion, status: s409, faults: []string{"/reference reference_taken"}},
	{name: "the same course's id with other content", ask: postCourse, status: s409, faults: []string{"/id id_taken"},
		body: object{"id": "{course}", "indication": "anxiety", "started_on": "2026-03-02"}},
	{name: "the same session's id with other content", ask: postSession, body: with(dosing(), "id", "{session}"), status: s409, faults: []string{"/id id_taken"}},
	{name: "the same assessment's id with other content", ask: postAssessment, status: s409, faults: []string{"/id id_taken"},
		body: with(baseline(), "id", "{assessment}", "answers", phq9(0, 0, 0, 0, 0, 0, 0, 0, 0))},
	{name: "a change of a client without If-Match", ask: patchClient, body: object{"sex": "other"}, status: http.StatusPreconditionRequired},
	{name: "a change of a course without If-Match", ask: patchCourse, body: object{"goals": "x"}, status: http.StatusPreconditionRequired},
	{name: "a change of a session without If-Match", ask: patchSession, body: object{"number": 2}, status: http.StatusPreconditionRequired},
	{name: "an amendment without If-Match", ask: amend, body: object{"reason": "x"}, status: http.StatusPreconditionRequired},
	{name: "a change of a version to come", ask: patchClient, body: object{"sex": "other"}, headers: []string{"If-Match", `"2"`}, status: http.StatusPreconditionFailed},
	{name: "an amendment of a version to come", ask: amend, body: object{"reason": "x"}, headers: []string{"If-Match", `"2"`}, status: http.StatusPreconditionFailed},
	{name: "a retraction of a version to come", ask: retract, body: object{"reason": "x"}, headers: []string{"If-Match", `"2"`}, status: http.StatusPreconditionFailed},
	{name: "If-Match that is garbage", ask: patchClient, body: object{"sex": "other"}, headers: []string{"If-Match", "canary-etag"}, status: http.StatusPreconditionFailed, faults: []string{"/If-Match not_an_etag"}},
	{name: "If-Match without quotes", ask: patchClient, body: object{"sex": "other"}, headers: []string{"If-Match", "1"}, status: http.StatusPreconditionFailed, faults: []string{"/If-Match not_an_etag"}},
	{name: "If-Match in single quotes", ask: patchClient, body: object{"sex": "other"}, headers: []string{"If-Match", "'1'"}, status: http.StatusPreconditionFailed, faults: []string{"/If-Match not_an_etag"}},
	{name: "If-Match with a sign", ask: patchClient, body: object{"sex": "other"}, headers: []string{"If-Match", `"+1"`}, status: http.StatusPreconditionFailed, faults: []string{"/If-Match not_an_etag"}},
	{name: "If-Match of version 0", ask: patchClient, body: object{"sex": "other"}, headers: []string{"If-Match", `"0"`}, status: http.StatusPreconditionFailed, faults: []string{"/If-Match not_an_etag"}},
	{name: "If-Match of any version", ask: patchClient, body: object{"sex": "other"}, headers: []string{"If-Match", "*"}, status: http.StatusPreconditionFailed, faults: []string{"/If-Match not_an_etag"}},
	{name: "If-Match of two versions", ask: patchClient, body: object{"sex": "other"}, headers: []string{"If-Match", `"1", "2"`}, status: http.StatusPreconditionFailed, faults: []string{"/If-Match not_an_etag"}},
	{name: "a change of a client's id", ask: patchClient, body: object{"id": "{unknown}"}, headers: firstVersion, status: s422, faults: []string{"/id immutable"}},
	{name: "a change of a course's id", ask: patchCourse, body: object{"id": "{unknown}"}, headers: firstVersion, status: s422, faults: []string{"/id immutable"}},
	{name: "a change of a session's id", ask: patchSession, body: object{"id": "{unknown}"}, headers: firstVersion, status: s422, faults: []string{"/id immutable"}},
	{name: "an amendment's other id", ask: amend, body: object{"id": "{unknown}", "reason": "x"}, headers: firstVersion, status: s422, faults: []string{"/id immutable"}},
	{name: "a change of a session's client", ask: patchSession, body: object{"client_id": "{unknown}"}, headers: firstVersion, status: s400, faults: []string{"/client_id unknown_field"}},
	{name: "a required member emptied", ask: patchClient, body: object{"reference": nil}, headers: firstVersion, status: s422, faults: []string{"/reference required"}},
}

// misaddressed are paths and queries that lead nowhere.
var misaddressed = []bad{
	{name: "an id that is a word", ask: "GET /v1/clients/canary-x", status: s404},
	{name: "an id of zeros in the path", ask: "GET /v1/clients/00000000-0000-0000-0000-000000000000", status: s404},
	{name: "an id in braces in the path", ask: "GET /v1/clients/%7B{client}%7D", status: s404},
	{name: "an id as a URN in the path", ask: "GET /v1/clients/urn:uuid:{client}", status: s404},
	{name: "an id with a NUL", ask: "GET /v1/clients/{client}%00", status: s404},
	{name: "an id with SQL", ask: "GET /v1/clients/{client}'%20OR%201=1--", status: s404},
	{name: "an id that was encoded twice", ask: "GET /v1/clients/%257Bx", status: s404},
	{name: "an unknown client", ask: "GET /v1/clients/{unknown}", status: s404},
	{name: "another clinic's client", ask: "GET /v1/clients/{other.client}", status: s404},
	{name: "an assessment of another clinic's client", ask: "POST /v1/clients/{other.client}/assessments", body: baseline(), status: s404},
	{name: "a session's id where a client's belongs", ask: "GET /v1/clients/{session}", status: s404},
	{name: "an unknown instrument's definition", ask: "GET /v1/instruments/canary-99", status: s404},
	{name: "an unknown version of an instrument", ask: "GET /v1/instruments/phq-9?version=9.9.9", status: s404},
	{name: "a score on an unknown instrument", ask: "POST /v1/instruments/canary-99/score", body: object{"total": 1}, status: s404},
	{name: "an unknown route", ask: "GET /v1/patients", status: s404},
	{name: "an unknown route outside", ask: "GET /admin", status: s404},
	{name: "an unknown version of the API", ask: "GET /v2/clients", status: s404},
	{name: "a path with dots", ask: "GET /v1/clients/..%2f..%2fetc", status: s404},
	{name: "a method that is not there", ask: "DELETE /v1/clients/{client}", status: http.StatusMethodNotAllowed},
	{name: "a method on a list", ask: "PUT /v1/clients", body: object{}, status: http.StatusMethodNotAllowed},
	{name: "a method that nobody knows", ask: "BREW /v1/clients", status: http.StatusMethodNotAllowed},
	{name: "a POST to the metrics", ask: "POST /metrics", status: http.StatusMethodNotAllowed},
	{name: "a limit of 0", ask: "GET /v1/clients?limit=0", status: s422, faults: []string{"/limit out_of_range"}},
	{name: "a limit of 201", ask: "GET /v1/clients?limit=201", status: s422, faults: []string{"/limit out_of_range"}},
	{name: "a limit below 0", ask: "GET /v1/keys?limit=-1", status: s422, faults: []string{"/limit out_of_range"}},
	{name: "a limit in words", ask: "GET /v1/clients?limit=canary-ten", status: s422, faults: []string{"/limit out_of_range"}},
	{name: "a limit of twenty digits", ask: "GET /v1/clients?limit=18446744073709551617", status: s422, faults: []string{"/limit out_of_range"}},
	{name: "a cursor that is garbage", ask: "GET /v1/clients?cursor=canary-!", status: s422, faults: []string{"/cursor not_a_cursor"}},
	{name: "a cursor that is an empty object", ask: "GET /v1/clients?cursor=" + forge(`{}`), status: s422, faults: []string{"/cursor not_a_cursor"}},
	{name: "a cursor with a NUL", ask: "GET /v1/clients?cursor=" + forge(`{"l":"clients","s":"\u0000","i":"01890000-0000-7000-8000-000000000001"}`), status: s422, faults: []string{"/cursor not_a_cursor"}},
	{name: "a cursor of keys among clients", ask: "GET /v1/clients?cursor=" + forge(`{"l":"keys","i":"01890000-0000-7000-8000-000000000001"}`), status: s422, faults: []string{"/cursor not_a_cursor"}},
	{name: "a cursor of clients among assessments", ask: "GET /v1/clients/{client}/assessments?cursor=" + forge(`{"l":"clients","s":"P-1","i":"01890000-0000-7000-8000-000000000001"}`), status: s422, faults: []string{"/cursor not_a_cursor"}},
	{name: "a cursor of another order of the caseload", ask: "GET /v1/caseload?sort=change&cursor=" + forge(`{"l":"caseload reference","s":"P-1","i":"01890000-0000-7000-8000-000000000001"}`), status: s422, faults: []string{"/cursor not_a_cursor"}},
	{name: "a cursor with a day that is none", ask: "GET /v1/clients/{client}/courses?cursor=" + forge(`{"l":"courses","s":"zzz","i":"01890000-0000-7000-8000-000000000001"}`), status: s422, faults: []string{"/cursor not_a_cursor"}},
	{name: "a cursor behind all numbers", ask: "GET /v1/assessments/{assessment}/versions?cursor=" + forge(`{"l":"versions","n":1e300,"i":"01890000-0000-7000-8000-000000000001"}`), status: s422, faults: []string{"/cursor not_a_cursor"}},
	{name: "an unknown parameter", ask: "GET /v1/clients?referenz=canary-p", status: s422, faults: []string{"/referenz unknown_parameter"}},
	{name: "a clinic as a parameter", ask: "GET /v1/clients?clinic_id={other.client}", status: s422, faults: []string{"/clinic_id unknown_parameter"}},
	{name: "an unknown parameter of a single thing", ask: "GET /v1/clients/{client}?as_of=2026-01-01T00:00:00Z", status: s422, faults: []string{"/as_of unknown_parameter"}},
	{name: "a parameter twice", ask: "GET /v1/clients?limit=1&limit=2", status: s422, faults: []string{"/limit repeated"}},
	{name: "an unknown parameter of a trajectory", ask: "GET /v1/clients/{client}/trajectory?instrument=phq-9&asof=x", status: s422, faults: []string{"/asof unknown_parameter"}},
	{name: "a trajectory without an instrument", ask: "GET /v1/clients/{client}/trajectory", status: s422, faults: []string{"/instrument required"}},
	{name: "a trajectory on an unknown instrument", ask: "GET /v1/clients/{client}/trajectory?instrument=canary-99", status: s422, faults: []string{"/instrument unknown_instrument"}},
	{name: "as_of a day", ask: "GET /v1/clients/{client}/trajectory?instrument=phq-9&as_of=2026-03-01", status: s422, faults: []string{"/as_of time"}},
	{name: "as_of with a bare plus", ask: "GET /v1/clients/{client}/trajectories?as_of=2026-03-01T00:00:00+01:00", status: s422, faults: []string{"/as_of time"}},
	{name: "many bad parameters at once", ask: "GET /v1/clients/{client}/trajectory?instrument=phq-9&baseline=worst&relapse=x&max_overlap=2&course_id=1", status: s422,
		faults: []string{"/baseline oneof", "/relapse oneof", "/max_overlap out_of_range", "/course_id uuid"}},
	{name: "an overlap that is no number", ask: "GET /v1/clients/{client}/trajectory?instrument=phq-9&max_overlap=NaN", status: s422, faults: []string{"/max_overlap out_of_range"}},
	{name: "another clinic's course of a trajectory", ask: "GET /v1/clients/{client}/trajectory?instrument=phq-9&course_id={other.course}", status: s422, faults: []string{"/course_id unknown_course"}},
	{name: "rules that are not there", ask: "GET /v1/clients/{client}/trajectory?instrument=phq-9&rules=canary-r", status: s422, faults: []string{"/rules unknown_rules"}},
	{name: "an order that is not there", ask: "GET /v1/caseload?sort=display_name;drop", status: s422, faults: []string{" not_a_query"}},
	{name: "an order by SQL", ask: "GET /v1/caseload?sort=reference%3Bdrop%20table%20clients", status: s422, faults: []string{"/sort oneof"}},
	{name: "a status that is not there", ask: "GET /v1/caseload?status=canary-s", status: s422, faults: []string{"/status oneof"}},
	{name: "a filter that is not UTF-8", ask: "GET /v1/clients/{client}/assessments?instrument=%ff", status: s422, faults: []string{"/instrument not_utf8"}},
	{name: "a filter with a NUL", ask: "GET /v1/clients/{client}/assessments?instrument=%00", status: s422, faults: []string{"/instrument nul_character"}},
	{name: "a query that cannot be read", ask: "GET /v1/clients?limit=%zz", status: s422, faults: []string{" not_a_query"}},
}

// forge makes a cursor by hand.
func forge(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// unasked are requests from nobody, or from somebody who may not.
var unasked = []bad{
	{name: "no key", ask: "GET /v1/clients", headers: []string{"Authorization", ""}, status: http.StatusUnauthorized},
	{name: "no key, and a body", ask: postClient, body: object{"reference": "P-9"}, headers: []string{"Authorization", ""}, status: http.StatusUnauthorized},
	{name: "a key that is garbage", ask: "GET /v1/clients", headers: []string{"Authorization", "Bearer canary-key"}, status: http.StatusUnauthorized},
	{name: "a key of the right form that nobody made", ask: "GET /v1/clients", headers: []string{"Authorization", "Bearer " + string(auth.NewSecret())}, status: http.StatusUnauthorized},
	{name: "a key as a password", ask: "GET /v1/clients", headers: []string{"Authorization", "Basic YTpi"}, status: http.StatusUnauthorized},
	{name: "an empty key", ask: "GET /v1/clients", headers: []string{"Authorization", "Bearer "}, status: http.StatusUnauthorized},
	{name: "a key in the query", ask: "GET /v1/clients?access_token=x", headers: []string{"Authorization", ""}, status: http.StatusUnauthorized},
	{name: "a researcher who reads clients", ask: "GET /v1/clients", role: auth.Researcher, status: http.StatusForbidden},
	{name: "a researcher who creates", ask: postClient, body: object{"reference": "P-9"}, role: auth.Researcher, status: http.StatusForbidden},
	{name: "an app that amends", ask: amend, body: object{"reason": "x"}, headers: firstVersion, role: auth.App, status: http.StatusForbidden},
	{name: "a clinician who makes keys", ask: postKey, body: object{"name": "x", "role": "admin"}, role: auth.Clinician, status: http.StatusForbidden},
	{name: "a clinician who ends the admin's key", ask: "DELETE /v1/keys/{key}", role: auth.Clinician, status: http.StatusForbidden},
	{name: "a clinician who changes settings", ask: putSetting, body: object{"change_rules": ""}, role: auth.Clinician, status: http.StatusForbidden},
}

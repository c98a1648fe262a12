package apitest_test

import (
	"fmt"
	"slices"
	"strings"
)

const (
	patchClient  = "PATCH /v1/clients/{client}"
	patchCourse  = "PATCH /v1/courses/{course}"
	patchSession = "PATCH /v1/sessions/{session}"
	amend        = "PUT /v1/assessments/{assessment}"
	retract      = "POST /v1/assessments/{assessment}/retraction"
	postKey      = "POST /v1/keys"
	putSetting   = "PUT /v1/settings/instruments/phq-9"
)

// firstVersion is If-Match for what settle has made.
var firstVersion = []string{"If-Match", `"1"`}

// misshapen are objects whose members are not what they should be.
var misshapen = []bad{
	{name: "an empty client", ask: postClient, body: "{}", status: s422, faults: []string{"/reference required"}},
	{name: "an empty assessment object", ask: postAssessment, body: "{}", status: s422,
		faults: []string{"/instrument required", "/timing required", "/completed_at required"}},
	{name: "an empty session", ask: postSession, body: "{}", status: s422, faults: []string{"/kind required", "/started_at required"}},
	{name: "an empty course", ask: postCourse, body: "{}", status: s422, faults: []string{"/indication required", "/started_on required"}},
	{name: "an empty batch", ask: "POST /v1/assessments/batch", body: `{"items":[]}`, status: s422, faults: []string{"/items min"}},
	{name: "a batch without items", ask: "POST /v1/assessments/batch", body: `{}`, status: s422, faults: []string{"/items required"}},
	{name: "a batch of 1,001", ask: "POST /v1/assessments/batch", status: s422, faults: []string{"/items max"},
		body: `{"items":[` + strings.Repeat("{},", 1000) + `{}]}`},
	{name: "items that are no list", ask: "POST /v1/assessments/batch", body: `{"items":{"0":{}}}`, status: s422, faults: []string{"/items wrong_type"}},
	{name: "null members", ask: postSession, body: `{"kind":null,"started_at":null}`, status: s422, faults: []string{"/kind required", "/started_at required"}},
	{name: "an unknown member", ask: postClient, body: object{"reference": "P-9", "name": "canary-name"}, status: s400, faults: []string{"/name unknown_field"}},
	{name: "another case", ask: postClient, body: object{"Reference": "canary-case"}, status: s400,
		faults: []string{"/Reference unknown_field", "/reference required"}},
	{name: "an unknown nested member", ask: postSession, body: with(dosing(), "medicine", object{"substance": "ketamine", "route": "oral", "dose_mg": 1, "dose": 2}),
		status: s400, faults: []string{"/medicine/dose unknown_field"}},
	{name: "members that only the server writes", ask: postAssessment, status: s400,
		body:   with(baseline(), "version", 7, "clinic_id", "{other.client}", "recorded_at", "2020-01-01T00:00:00Z", "score", object{"total": 0}, "status", "retracted"),
		faults: []string{"/version unknown_field", "/clinic_id unknown_field", "/recorded_at unknown_field", "/score unknown_field", "/status unknown_field"}},
	{name: "a client in the body of another's path", ask: postAssessment, body: with(baseline(), "client_id", "{client}"), status: s400, faults: []string{"/client_id unknown_field"}},
	{name: "wrong types at many places", ask: postSession, status: s422,
		body: object{"id": 7, "course_id": true, "kind": 3, "number": "one", "started_at": 0, "ended_at": object{}, "medicine": []int{}},
		faults: []string{
			"/id wrong_type", "/course_id wrong_type", "/kind wrong_type", "/number wrong_type",
			"/started_at wrong_type", "/ended_at wrong_type", "/medicine wrong_type",
		}},
	{name: "wrong types in answers", ask: postScore, status: s422,
		body:   object{"answers": object{"phq9_1": "2", "phq9_2": true, "phq9_3": []int{1}, "phq9_4": object{}, "phq9_5": 1.5}},
		faults: []string{"/answers/phq9_1 wrong_type", "/answers/phq9_2 wrong_type", "/answers/phq9_3 wrong_type", "/answers/phq9_4 wrong_type", "/answers/phq9_5 wrong_type"}},
	{name: "a wrong type, a wrong value and an unknown member", ask: postClient, status: s400,
		body:   object{"reference": "P-9", "sex": "canary-sex", "birth_year": "1985", "nick": 1},
		faults: []string{"/sex oneof", "/birth_year wrong_type", "/nick unknown_field"}},
	{name: "answers as a list", ask: postScore, body: object{"answers": []int{0, 1, 2}}, status: s422, faults: []string{"/answers wrong_type"}},
	{name: "a text for the whole medicine", ask: postSession, body: with(dosing(), "medicine", "canary-ketamine"), status: s422, faults: []string{"/medicine wrong_type"}},
	{name: "an answer of 1e400", ask: postScore, body: object{"answers": object{"phq9_1": raw("1e400")}}, status: s422, faults: []string{"/answers/phq9_1 wrong_type"}},
	{name: "a total of 1e400", ask: postAssessment, body: with(baseline(), "answers", drop, "total", raw("1e400")), status: s422, faults: []string{"/total wrong_type"}},
	{name: "an answer of twenty digits", ask: postScore, body: object{"answers": object{"phq9_1": raw("18446744073709551617")}}, status: s422, faults: []string{"/answers/phq9_1 wrong_type"}},
	{name: "half an answer", ask: postAssessment, body: with(baseline(), "answers", object{"phq9_1": raw("1.5")}), status: s422, faults: []string{"/answers/phq9_1 wrong_type"}},
	{name: "a year of birth of twenty digits", ask: postClient, body: object{"reference": "P-9", "birth_year": raw("19850000000000000000")}, status: s422, faults: []string{"/birth_year wrong_type"}},
	{name: "a NUL in a text", ask: postClient, body: `{"reference":"P\u00009"}`, status: s422, faults: []string{"/reference nul_character"}},
	{name: "a NUL in a reason", ask: retract, body: `{"reason":"\u0000"}`, status: s422, faults: []string{"/reason nul_character"}},
	{name: "control characters in a name", ask: postClient, body: object{"reference": "P-9", "display_name": "canary-1\x1b[31m"}, status: s422, faults: []string{"/display_name line"}},
	{name: "a line break in a reference", ask: postClient, body: object{"reference": "P\n9"}, status: s422, faults: []string{"/reference line"}},
	{name: "a reference of spaces", ask: postClient, body: object{"reference": "   "}, status: s422, faults: []string{"/reference required"}},
	{name: "texts that are too long", ask: postClient, status: s422, faults: []string{"/reference max", "/display_name max", "/time_zone max"},
		body: object{"reference": strings.Repeat("r", 101), "display_name": strings.Repeat("n", 201), "time_zone": strings.Repeat("z", 65)}},
	{name: "an id of zeros", ask: postClient, body: object{"id": "00000000-0000-0000-0000-000000000000", "reference": "P-9"}, status: s422, faults: []string{"/id id"}},
	{name: "an id in braces", ask: postClient, body: object{"id": "{01890000-0000-7000-8000-000000000001}", "reference": "P-9"}, status: s422, faults: []string{"/id wrong_type"}},
	{name: "an id as a URN", ask: postClient, body: object{"id": "urn:uuid:01890000-0000-7000-8000-000000000001", "reference": "P-9"}, status: s422, faults: []string{"/id wrong_type"}},
	{name: "an id without hyphens", ask: postClient, body: object{"id": "01890000000070008000000000000001", "reference": "P-9"}, status: s422, faults: []string{"/id wrong_type"}},
	{name: "an id that is no UUID", ask: postAssessment, body: with(baseline(), "id", "canary-id"), status: s422, faults: []string{"/id wrong_type"}},
	{name: "a time without a zone", ask: postSession, body: with(dosing(), "started_at", "2026-03-10T15:00:00"), status: s422, faults: []string{"/started_at wrong_type"}},
	{name: "a time on 30 February", ask: postSession, body: with(dosing(), "started_at", "2026-02-30T15:00:00Z"), status: s422, faults: []string{"/started_at wrong_type"}},
	{name: "a day on 30 February", ask: postCourse, body: object{"indication": "depression", "started_on": "2026-02-30"}, status: s422, faults: []string{"/started_on datetime"}},
	{name: "a day as a time", ask: postCourse, body: object{"indication": "depression", "started_on": "2026-03-02T00:00:00Z"}, status: s422, faults: []string{"/started_on datetime"}},
	{name: "a course of the year 0", ask: postCourse, body: object{"indication": "depression", "started_on": "0000-01-01"}, status: s422, faults: []string{"/started_on implausible_date"}},
	{name: "a course that ends in the year 9999", ask: postCourse, status: s422, faults: []string{"/ended_on implausible_date"},
		body: object{"indication": "depression", "started_on": "2026-03-02", "ended_on": "9999-12-31"}},
	{name: "a session behind the last year that RFC 3339 has", ask: postSession, body: with(dosing(), "started_at", "9999-12-31T23:59:59-10:00"),
		status: s422, faults: []string{"/started_at implausible_time"}},
	{name: "a session of 1970", ask: postSession, body: with(dosing(), "started_at", "1970-01-01T00:00:00Z"), status: s422, faults: []string{"/started_at implausible_time"}},
	{name: "a key that expires behind the last year", ask: postKey, body: object{"name": "x", "role": "app", "expires_at": "9999-12-31T23:59:59-10:00"},
		status: s422, faults: []string{"/expires_at out_of_range"}},
	{name: "sixty wrong types", ask: postScore, body: `{"answers":{` + strings.TrimSuffix(sixtyWrong(), ",") + `}}`, status: s422, faults: fiftyFaults()},
}

func sixtyWrong() string {
	var b strings.Builder
	for i := range 60 {
		fmt.Fprintf(&b, `"q%02d":"x",`, i)
	}
	return b.String()
}

// fiftyFaults is how many of the sixty are named.
func fiftyFaults() []string {
	var named []string
	for part := range strings.SplitSeq(strings.TrimSuffix(sixtyWrong(), ","), ",") {
		named = append(named, "/answers/"+strings.Trim(strings.TrimSuffix(part, `:"x"`), `"`)+" wrong_type")
	}
	slices.Sort(named)
	return named[:50]
}

// meaningless are requests of the right shape that say what cannot be.
var meaningless = []bad{
	{name: "an unknown instrument", ask: postAssessment, body: with(baseline(), "instrument", "canary-99"), status: s422, faults: []string{"/instrument unknown_instrument"}},
	{name: "an unknown timing", ask: postAssessment, body: with(baseline(), "timing", "canary-during"), status: s422, faults: []string{"/timing oneof"}},
	{name: "before, without a session", ask: postAssessment, body: with(baseline(), "timing", "before"), status: s422, faults: []string{"/session_id required"}},
	{name: "after, without a session", ask: postAssessment, body: with(baseline(), "timing", "after", "session_id", nil), status: s422, faults: []string{"/session_id required"}},
	{name: "a session that is not there", ask: postAssessment, body: with(baseline(), "timing", "before", "session_id", "{unknown}"), status: s422, faults: []string{"/session_id unknown_session"}},
	{name: "another clinic's session", ask: postAssessment, body: with(baseline(), "timing", "before", "session_id", "{other.session}"), status: s422, faults: []string{"/session_id unknown_session"}},
	{name: "another clinic's course", ask: postSession, body: with(dosing(), "course_id", "{other.course}"), status: s422, faults: []string{"/course_id unknown_course"}},
	{name: "a session moved to another clinic's course", ask: patchSession, body: object{"course_id": "{other.course}"}, headers: firstVersion, status: s422, faults: []string{"/course_id unknown_course"}},
	{name: "neither answers nor a total", ask: postAssessment, body: with(baseline(), "answers", drop), status: s422, faults: []string{"/answers no_answers"}},
	{name: "no answer at all", ask: postAssessment, body: with(baseline(), "answers", object{}), status: s422, faults: []string{"/answers no_answers"}},
	{name: "nothing but nulls", ask: postAssessment, body: with(baseline(), "answers", object{"phq9_1": nil, "phq9_9": nil}), status: s422, faults: []string{"/answers no_answers"}},
	{name: "both answers and a total", ask: postAssessment, body: with(baseline(), "total", 11), status: s422, faults: []string{"/total both_total_and_answers"}},
	{name: "a total out of range", ask: postAssessment, body: with(baseline(), "answers", drop, "total", 28), status: s422, faults: []string{"/total out_of_range"}},
	{name: "a total below 0", ask: postAssessment, body: with(baseline(), "answers", drop, "total", -1), status: s422, faults: []string{"/total out_of_range"}},
	{name: "a typing error in an item", ask: postAssessment, body: with(baseline(), "answers", object{"q_9": 0}), status: s422, faults: []string{"/answers/q_9 unknown_item"}},
	{name: "another instrument's items", ask: postAssessment, body: with(baseline(), "answers", object{"gad7_1": 0, "gad7_2": 1}), status: s422,
		faults: []string{"/answers/gad7_1 unknown_item", "/answers/gad7_2 unknown_item"}},
	{name: "options that are not there", ask: postAssessment, body: with(baseline(), "answers", object{"phq9_1": -1, "phq9_2": 4, "phq9_3": 2147483648, "phq9_9": 99}), status: s422,
		faults: []string{"/answers/phq9_1 not_an_option", "/answers/phq9_2 not_an_option", "/answers/phq9_3 not_an_option", "/answers/phq9_9 not_an_option"}},
	{name: "declined and answered", ask: postAssessment, body: with(baseline(), "declined", []string{"phq9_9"}), status: s422, faults: []string{"/declined/0 declined_and_answered"}},
	{name: "an unknown item declined", ask: postAssessment, body: with(baseline(), "declined", []string{"phq9_10"}), status: s422, faults: []string{"/declined/0 unknown_item"}},
	{name: "an unknown policy", ask: postScore, body: object{"answers": phq9(1), "missing_policy": "zero"}, status: s422, faults: []string{"/missing_policy oneof"}},
	{name: "an unknown cut-point", ask: "POST /v1/instruments/pcl-5/score", body: object{"total": 40, "cutpoints": object{"above_cutpoint": 12}}, status: s422, faults: []string{"/cutpoints/above_cutpoint not_an_alternative"}},
	{name: "a recall window of another instrument", ask: postAssessment, body: with(baseline(), "recall_window", "P1M"), status: s422, faults: []string{"/recall_window unknown_window"}},
	{name: "completed in 2099", ask: postAssessment, body: with(baseline(), "completed_at", "2099-01-01T00:00:00Z"), status: s422, faults: []string{"/completed_at implausible_time"}},
	{name: "completed in 1970", ask: postAssessment, body: with(baseline(), "completed_at", "1970-01-01T00:00:00Z"), status: s422, faults: []string{"/completed_at implausible_time"}},
	{name: "many faults of shape and of meaning at once", ask: postAssessment, status: s422,
		body:   object{"instrument": "phq-9", "timing": "before", "completed_at": "2099-01-01T00:00:00Z", "answers": object{"phq9_1": 7, "phq9_0": 1}, "mode": "canary-mode"},
		faults: []string{"/mode oneof", "/session_id required", "/completed_at implausible_time", "/answers/phq9_1 not_an_option", "/answers/phq9_0 unknown_item"}},
	{name: "a client's faults of shape and of meaning at once", ask: postClient, status: s422,
		body:   object{"reference": "P-9", "sex": "x", "birth_year": 1776, "time_zone": "Mars/Olympus"},
		faults: []string{"/sex oneof", "/birth_year out_of_range", "/time_zone unknown_time_zone"}},
	{name: "a session's faults of shape and of meaning at once", ask: postSession, status: s422,
		body:   with(dosing(), "kind", "integration", "number", 0, "ended_at", "2026-03-10T14:00:00Z"),
		faults: []string{"/number min", "/ended_at before_start", "/medicine not_a_dosing_session"}},
	{name: "born tomorrow", ask: postClient, body: object{"reference": "P-9", "birth_year": 2027}, status: s422, faults: []string{"/birth_year out_of_range"}},
	{name: "the server's own time zone", ask: postClient, body: object{"reference": "P-9", "time_zone": "Local"}, status: s422, faults: []string{"/time_zone unknown_time_zone"}},
	{name: "a time zone on Mars", ask: postClient, body: object{"reference": "P-9", "time_zone": "Mars/Olympus"}, status: s422, faults: []string{"/time_zone unknown_time_zone"}},
	{name: "a time zone that is a path", ask: postClient, body: object{"reference": "P-9", "time_zone": "../../etc/passwd"}, status: s422, faults: []string{"/time_zone unknown_time_zone"}},
	{name: "a session that ends before it starts", ask: postSession, body: with(dosing(), "ended_at", "2026-03-10T14:59:59Z"), status: s422, faults: []string{"/ended_at before_start"}},
	{name: "medicine in an integration session", ask: postSession, body: with(dosing(), "kind", "integration"), status: s422, faults: []string{"/medicine not_a_dosing_session"}},
	{name: "a dose of 0", ask: postSession, body: with(dosing(), "medicine", object{"substance": "ketamine", "route": "oral", "dose_mg": 0}), status: s422, faults: []string{"/medicine/dose_mg gt"}},
	{name: "a medicine without substance, route and dose", ask: postSession, body: with(dosing(), "medicine", object{}), status: s422,
		faults: []string{"/medicine/substance required", "/medicine/route required", "/medicine/dose_mg required"}},
	{name: "session number 0", ask: postSession, body: with(dosing(), "number", 0), status: s422, faults: []string{"/number min"}},
	{name: "a course that ends before it starts", ask: postCourse, status: s422, faults: []string{"/ended_on before_start"},
		body: object{"indication": "depression", "started_on": "2026-03-02", "ended_on": "2026-03-01"}},
	{name: "a plan of no sessions", ask: postCourse, body: object{"indication": "depression", "started_on": "2026-03-02", "planned_sessions": 0}, status: s422, faults: []string{"/planned_sessions min"}},
	{name: "an amendment without a reason", ask: amend, body: object{"answers": phq9(1, 1)}, headers: firstVersion, status: s422, faults: []string{"/reason required"}},
	{name: "an amendment to another instrument", ask: amend, headers: firstVersion, status: s422, faults: []string{"/instrument immutable"},
		body: object{"instrument": "gad-7", "answers": object{"gad7_1": 1}, "reason": "canary-why"}},
	{name: "a retraction with a blank reason", ask: retract, body: object{"reason": " "}, status: s422, faults: []string{"/reason required"}},
	{name: "a role that is not there", ask: postKey, body: object{"name": "x", "role": "canary-root"}, status: s422, faults: []string{"/role oneof"}},
	{name: "a key that has expired", ask: postKey, body: object{"name": "x", "role": "app", "expires_at": "2026-05-31T00:00:00Z"}, status: s422, faults: []string{"/expires_at in_the_past"}},
	{name: "rules that the instrument lacks", ask: putSetting, body: object{"change_rules": "canary-rules"}, status: s422, faults: []string{"/change_rules unknown_rules"}},
	{name: "a cut-point that the instrument lacks", ask: "PUT /v1/settings/instruments/pcl-5", status: s422, faults: []string{"/cutpoints/above_cutpoint unknown_cutpoint"},
		body: object{"change_rules": "", "cutpoints": object{"above_cutpoint": 12}}},
}

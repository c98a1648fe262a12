package apitest_test

import (
	"net/http"
	"strings"

	"github.com/protrack/protrack/pkg/auth"
)

const (
	postConsent    = "POST /v1/clients/{client}/consents"
	postCorrection = "POST /v1/clients/{client}/corrections"
	decide         = "POST /v1/corrections/{correction}/decision"
	putMember      = "PUT /v1/clients/{client}/team/{key}"
	postAccess     = "POST /v1/clients/{client}/access"
	putClinic      = "PUT /v1/settings/clinic"
)

func granted() object {
	return object{"scope": "research", "status": "granted", "at": "2026-03-01T09:00:00Z"}
}

// aboutRights are what is wrong with consents, corrections and care teams.
var aboutRights = []bad{
	{name: "an empty consent", ask: postConsent, body: "{}", status: s422, faults: []string{"/scope required", "/status required", "/at required"}},
	{name: "a consent to everything", ask: postConsent, body: with(granted(), "scope", "all", "status", "maybe"), status: s422, faults: []string{"/scope oneof", "/status oneof"}},
	{name: "a consent of tomorrow", ask: postConsent, body: with(granted(), "at", today.AddDate(0, 0, 1)), status: s422, faults: []string{"/at implausible_time"}},
	{name: "a consent just beyond the skew", ask: postConsent, body: with(granted(), "at", today.Add(301e9)), status: s422, faults: []string{"/at implausible_time"}},
	{name: "a consent of 1989", ask: postConsent, body: with(granted(), "at", "1989-12-31T23:59:59Z"), status: s422, faults: []string{"/at implausible_time"}},
	{name: "a consent without a zone", ask: postConsent, body: with(granted(), "at", "2026-03-01T09:00:00"), status: s422, faults: []string{"/at wrong_type"}},
	{name: "a text version of two lines", ask: postConsent, body: with(granted(), "text_version", "canary\nline"), status: s422, faults: []string{"/text_version line"}},
	{name: "who recorded a consent", ask: postConsent, body: with(granted(), "recorded_by", "{key}"), status: s400, faults: []string{"/recorded_by unknown_field"}},
	{name: "a consent of another clinic's client", ask: "POST /v1/clients/{other.client}/consents", body: granted(), status: s404},

	{name: "an empty correction", ask: postCorrection, body: "{}", status: s422, faults: []string{"/target required", "/request required"}},
	{name: "a correction of nothing", ask: postCorrection, body: object{"target": "client", "request": " \n "}, status: s422, faults: []string{"/request required"}},
	{name: "a correction of 2,001 characters", ask: postCorrection, body: object{"target": "client", "request": strings.Repeat("c", 2001)}, status: s422, faults: []string{"/request max"}},
	{name: "a correction of a key", ask: postCorrection, body: object{"target": "key", "request": "x"}, status: s422, faults: []string{"/target oneof"}},
	{name: "a correction of another's course", ask: postCorrection, body: object{"target": "course", "target_id": "{other.course}", "request": "x"}, status: s422, faults: []string{"/target_id unknown_target"}},
	{name: "a correction of something else with an id", ask: postCorrection, body: object{"target": "other", "target_id": "{session}", "request": "x"}, status: s422, faults: []string{"/target_id unexpected"}},
	{name: "no decision", ask: decide, body: object{"status": "open"}, status: s422, faults: []string{"/status oneof"}},
	{name: "a decision by an app", ask: decide, body: object{"status": "accepted"}, status: http.StatusForbidden, role: auth.App},

	{name: "a membership that has ended", ask: putMember, body: object{"until": today}, status: s422, faults: []string{"/until not_in_the_future"}},
	{name: "a membership for ever and a day", ask: putMember, body: object{"until": "2200-01-01T00:00:00Z"}, status: s422, faults: []string{"/until not_in_the_future"}},
	{name: "a member whom nobody knows", ask: "PUT /v1/clients/{client}/team/{unknown}", body: "{}", status: s404},
	{name: "another clinic's member", ask: "PUT /v1/clients/{client}/team/{other.key}", body: "{}", status: s404},
	{name: "a client as a member", ask: "PUT /v1/clients/{client}/team/{client}", body: "{}", status: s404},
	{name: "a clinician who assigns", ask: putMember, body: "{}", status: http.StatusForbidden, role: auth.Clinician},
	{name: "who never was in the team is dismissed", ask: "DELETE /v1/clients/{client}/team/{unknown}", status: s404},

	{name: "access for no reason", ask: postAccess, body: "{}", status: s422, faults: []string{"/reason required"}},
	{name: "access for another reason without a note", ask: postAccess, body: object{"reason": "other", "note": " "}, status: s422, faults: []string{"/note required"}},
	{name: "access that is not needed", ask: postAccess, body: object{"reason": "emergency"}, status: s409},
	{name: "access for an app", ask: postAccess, body: object{"reason": "emergency"}, status: http.StatusForbidden, role: auth.App},

	{name: "no choice of care teams", ask: putClinic, body: "{}", status: s422, faults: []string{"/care_teams required"}},
	{name: "perhaps care teams", ask: putClinic, body: object{"care_teams": "yes"}, status: s422, faults: []string{"/care_teams wrong_type"}},
	{name: "a clinician who chooses", ask: putClinic, body: object{"care_teams": true}, status: http.StatusForbidden, role: auth.Clinician},
	{name: "due forms in pages", ask: "GET /v1/clients/{client}/due-forms?limit=1", status: s422, faults: []string{"/limit unknown_parameter"}},
	{name: "a past team, perhaps", ask: "GET /v1/clients/{client}/team?past=maybe", status: s422, faults: []string{"/past oneof"}},
}

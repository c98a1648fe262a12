package apitest_test

import (
	"net/http"
	"strings"

	"github.com/protrack/protrack/pkg/auth"
)

// aboutPeople are bad requests about accounts, tokens and the scopes of keys.
var aboutPeople = []bad{
	{name: "an account of nobody", ask: "POST /v1/accounts", body: object{}, status: s422, faults: []string{"/email required", "/name required", "/role required"}},
	{name: "an account with everything wrong", ask: "POST /v1/accounts", body: object{"email": "canary-address", "name": "a\nb", "role": "app", "password": "canary-pw"}, status: s422,
		faults: []string{"/email not_an_address", "/name line", "/role oneof", "/password too_short"}},
	{name: "an account with a common password", ask: "POST /v1/accounts", body: object{"email": "a@x.example", "name": "A", "role": "admin", "password": "Password-12345!"}, status: s422, faults: []string{"/password too_common"}},
	{name: "an account with a password without end", ask: "POST /v1/accounts", body: object{"email": "a@x.example", "name": "A", "role": "admin", "password": strings.Repeat("xy", 300)}, status: s422, faults: []string{"/password max"}},
	{name: "an account that names its clinic", ask: "POST /v1/accounts", body: object{"email": "a@x.example", "name": "A", "role": "admin", "clinic_id": "{unknown}"}, status: http.StatusBadRequest, faults: []string{"/clinic_id unknown_field"}},
	{name: "an owner that an admin makes", ask: "POST /v1/accounts", body: object{"email": "a@x.example", "name": "A", "role": "owner"}, status: http.StatusForbidden},
	{name: "a clinician who makes an account", ask: "POST /v1/accounts", body: object{"email": "a@x.example", "name": "A", "role": "researcher"}, role: auth.Clinician, status: http.StatusForbidden},
	{name: "an account that is made an owner by an admin", ask: "PATCH /v1/accounts/{account}", body: object{"role": "owner"}, status: http.StatusForbidden},
	{name: "an account that becomes a client", ask: "PATCH /v1/accounts/{account}", body: object{"role": "client"}, status: s422, faults: []string{"/role oneof"}},
	{name: "an account that is disabled in words", ask: "PATCH /v1/accounts/{account}", body: object{"disabled": "yes"}, status: s422, faults: []string{"/disabled wrong_type"}},
	{name: "an account whose address changes", ask: "PATCH /v1/accounts/{account}", body: object{"email": "b@x.example"}, status: http.StatusBadRequest, faults: []string{"/email unknown_field"}},
	{name: "a name that is emptied", ask: "PATCH /v1/accounts/{account}", body: object{"name": " "}, status: s422, faults: []string{"/name not_a_name"}},
	{name: "a key without any scope", ask: postKey, body: object{"name": "k", "role": "app", "scopes": []string{}}, status: s422, faults: []string{"/scopes required"}},
	{name: "a key with strange scopes", ask: postKey, body: object{"name": "k", "role": "app", "scopes": []string{"canary-scope", "keys:manage"}}, status: s422,
		faults: []string{"/scopes/0 unknown_scope", "/scopes/1 not_of_the_role"}},
	{name: "an owner's key that an admin makes", ask: postKey, body: object{"name": "k", "role": "owner"}, status: http.StatusForbidden},
	{name: "a rotation with an overlap of a year", ask: "POST /v1/keys/{key}/rotation", body: object{"overlap_seconds": 31536000}, status: s422, faults: []string{"/overlap_seconds max"}},
	{name: "a rotation without a body", ask: "POST /v1/keys/{key}/rotation", status: http.StatusUnsupportedMediaType},
	{name: "a token for ever", ask: "POST /v1/clients/{client}/tokens", body: object{"expires_in_seconds": 1 << 40}, status: s422, faults: []string{"/expires_in_seconds max"}},
	{name: "a token for another clinic's client", ask: "POST /v1/clients/{other.client}/tokens", body: object{}, status: http.StatusNotFound},
	{name: "another clinic's token", ask: "DELETE /v1/tokens/{other.token}", status: http.StatusNotFound},
	{name: "a clinician who mints a token", ask: "POST /v1/clients/{client}/tokens", body: object{}, role: auth.Clinician, status: http.StatusForbidden},
	{name: "a token that nobody minted", ask: "GET /v1/instruments", headers: []string{"Authorization", "Bearer " + string(auth.NewTokenSecret())}, status: http.StatusUnauthorized},
}

package webtest_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pquerna/otp/totp"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/auth/authtest"
)

// object is a JSON object.
type object = map[string]any

// ada is who signs in with a password.
var ada = auth.NewAccount{Email: "ada@clinic.example", Name: "Ada", Role: auth.Clinician, Password: "four plain words together"}

// somebody is another account, with a role.
func somebody(name string, role auth.Role) auth.NewAccount {
	a := ada
	a.Email, a.Name, a.Role = auth.Personal(name+"@clinic.example"), "Rosa", role
	return a
}

// jane signs in where her organisation says who she is.
var jane = authtest.User{
	Username: "jane", Password: "jane's long password", Email: "jane@example.org", FirstName: "Jane", LastName: "Doe", Groups: []string{"doctors"},
}

// groupRoles is what the organisation's groups are here.
var groupRoles = map[string]auth.Grant{"doctors": {Clinic: "here", Role: auth.Clinician}}

// codeOf is what an authenticator app shows.
func codeOf(t testing.TB, secret string, at time.Time) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, at)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// same fails the test where two things differ.
func same(t testing.TB, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (- is what was expected):\n%s", what, diff)
	}
}

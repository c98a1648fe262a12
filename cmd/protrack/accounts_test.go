package main_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/store/storetest"
)

func TestAccountsAreMadeListedResetAndDisabledAtTheCommandLine(t *testing.T) {
	databases(t, func(t *testing.T, database string, _ *storetest.Server) {
		env := []string{"PROTRACK_DATABASE=" + database}
		s := serve(t, database, withKey)
		create := func(stdin, email, role string) result {
			return commandWith(t, stdin, env, "accounts", "create", "--email", email, "--name", "Ada Byron", "--role", role, "--password-stdin")
		}
		made := create("nine purple gates at dusk\n", "Ada@clinic.example", "owner").want(t)
		id := strings.TrimSpace(made.out)
		if _, err := uuid.Parse(id); err != nil {
			t.Fatalf("%q: %v", made.out, err)
		}
		second := strings.TrimSpace(create("nine purple gates at dusk", "eve@clinic.example", "owner").want(t).out)
		listed := command(t, env, "accounts", "list").want(t).out
		if !regexp.MustCompile(`(?m)^`+id+`\s+owner\s+Ada@clinic\.example\s+Ada Byron\s+\S+ \S+\s+-\s+-$`).MatchString(listed) || strings.Contains(listed, "purple") {
			t.Errorf("the list: %s", listed)
		}
		reset := strings.TrimSpace(command(t, env, "accounts", "reset", id).want(t).out)
		if !regexp.MustCompile(`^[a-z2-7]{5}(-[a-z2-7]{5}){4}$`).MatchString(reset) {
			t.Errorf("the password after a reset: %q", reset)
		}
		command(t, env, "accounts", "disable", id).want(t)
		if again := command(t, env, "accounts", "list").want(t).out; !regexp.MustCompile(`(?m)^` + id + `.* \d\d:\d\d:\d\d$`).MatchString(again) {
			t.Errorf("the list does not show that it is disabled: %s", again)
		}
		for says, got := range map[string]result{
			"the last owner":     command(t, env, "accounts", "disable", second),
			"no id":              command(t, env, "accounts", "reset", "x"),
			"an unknown id":      command(t, env, "accounts", "reset", uuid.NewString()),
			"no password":        create("", "b@clinic.example", "admin"),
			"a weak password":    create("password1234\n", "b@clinic.example", "admin"),
			"the same address":   create("nine purple gates at dusk\n", "ADA@clinic.example", "admin"),
			"no terminal":        command(t, env, "accounts", "create", "--email", "b@clinic.example", "--name", "B", "--role", "admin"),
			"an app as a person": create("nine purple gates at dusk\n", "b@clinic.example", "app"),
			"an unknown clinic":  command(t, env, "accounts", "list", "--clinic", "none"),
		} {
			if got.code == 0 || !strings.Contains(got.err, "protrack: ") || strings.Contains(got.out+got.err, "purple") {
				t.Errorf("%s: %+v", says, got)
			}
		}
		var accounts struct{ Items []map[string]any }
		get(t, s.url(), adminKey, "/v1/accounts", &accounts)
		if len(accounts.Items) != 2 {
			t.Errorf("the server knows %d accounts", len(accounts.Items))
		}
	})
}

func TestAKeyIsNarrowedAndRotatedAtTheCommandLine(t *testing.T) {
	databases(t, func(t *testing.T, database string, _ *storetest.Server) {
		env := []string{"PROTRACK_DATABASE=" + database}
		s := serve(t, database, withKey)
		status := func(key, path string) int {
			got, _, err := ask(http.DefaultClient, key, "GET", s.url()+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		made := command(t, env, "keys", "create", "--name", "narrow", "--role", "app", "--scope", "instruments:read", "--scope", "care:read").want(t)
		old := strings.TrimSpace(made.out)
		if a, b := status(old, "/v1/instruments"), status(old, "/v1/clients"); a != http.StatusOK || b != http.StatusForbidden {
			t.Errorf("a narrowed key gets %d and %d", a, b)
		}
		id := regexp.MustCompile(`key (\S+) of`).FindStringSubmatch(made.err)[1]
		rotated := strings.TrimSpace(command(t, env, "keys", "rotate", id, "--overlap", "0s").want(t).out)
		if a, b, c := status(old, "/v1/instruments"), status(rotated, "/v1/instruments"), status(rotated, "/v1/clients"); a != http.StatusUnauthorized || b != http.StatusOK || c != http.StatusForbidden {
			t.Errorf("after the rotation: %d, %d and %d", a, b, c)
		}
		for _, args := range [][]string{
			{"rotate", id}, {"rotate", "x"}, {"rotate", uuid.NewString()}, {"create", "--name", "x", "--role", "app", "--scope", "clients:eat"},
			{"create", "--name", "x", "--role", "researcher", "--scope", "clients:read"},
		} {
			if got := command(t, env, append([]string{"keys"}, args...)...); got.code == 0 {
				t.Errorf("%v succeeds: %+v", args, got)
			}
		}
	})
}

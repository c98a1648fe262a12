package main_test

import (
	"debug/elf"
	"net/http"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/protrack/protrack/pkg/store/storetest"
)

// commands are all there are, as they are typed.
var commands = [][]string{
	{"serve"}, {"migrate"}, {"demo"}, {"seed"}, {"keys", "create"}, {"keys", "list"}, {"keys", "rotate"}, {"keys", "revoke"},
	{"accounts", "create"}, {"accounts", "list"}, {"accounts", "reset"}, {"accounts", "disable"},
	{"fields", "key"}, {"fields", "rotate"}, {"fields", "retire"}, {"fields", "encrypt"}, {"fields", "decrypt"}, {"fields", "check"},
	{"progress"}, {"healthcheck"}, {"version"}, {"audit", "verify"}, {"audit", "export"}, {"audit", "key"},
	{"snapshot", "verify"},
}

func TestEveryCommandExplainsItself(t *testing.T) {
	t.Parallel()
	top := command(t, nil, "--help").want(t).out
	for _, c := range commands {
		name := strings.Join(c, " ")
		if !strings.Contains(top, "\n  "+name) {
			t.Errorf("%s is not listed: %s", name, top)
		}
		got := command(t, nil, append(slices.Clone(c), "--help")...).want(t)
		if !strings.HasPrefix(got.out, "Usage: protrack "+name) || got.err != "" {
			t.Errorf("%s --help: %s%s", name, got.out, got.err)
		}
	}
	listed := regexp.MustCompile(`(?m)^  ([a-z]+( [a-z]+)?)( [<\[-].*)?$`).FindAllStringSubmatch(top, -1)
	if len(listed) != len(commands) {
		t.Errorf("%d commands are listed and %d are tested: %v", len(listed), len(commands), listed)
	}
}

func TestWhatIsNotUnderstoodEndsWithAnExitCode(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{}, {"dance"}, {"keys"}, {"serve", "--bogus"}, {"serve", "extra"}, {"serve", "--log-level", "loud"},
		{"serve", "--drain-time", "soon"}, {"keys", "create", "--name", "x"}, {"keys", "create", "--name", "x", "--role", "king"},
		{"keys", "revoke"}, {"healthcheck", "--bogus"},
	} {
		got := command(t, nil, args...)
		if got.code == 0 || !strings.Contains(got.err, "protrack: ") {
			t.Errorf("%v: exit code %d: %s", args, got.code, got.err)
		}
	}
}

func TestTheVersionIsTheOneThatWasBuilt(t *testing.T) {
	t.Parallel()
	if got := command(t, nil, "version").want(t).out; got != "9.8.7\n" {
		t.Errorf("version %q", got)
	}
	s := serve(t, "sqlite://"+filepath.Join(t.TempDir(), "p.db"), withKey)
	var health struct{ Status, Version string }
	get(t, s.url(), "", "/healthz", &health)
	if health.Version != "9.8.7" || !strings.Contains(s.err.String(), `"version":"9.8.7"`) {
		t.Errorf("%+v, log %s", health, s.err.String())
	}
}

func TestTheProgramNeedsNoLibraryOfTheSystem(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("not an ELF system")
	}
	f, err := elf.Open(program(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("the program is linked dynamically: it has %v", p.Type)
		}
	}
}

func TestMigrateTellsWhereTheSchemaStands(t *testing.T) {
	databases(t, func(t *testing.T, database string, _ *storetest.Server) {
		env := []string{"PROTRACK_DATABASE=" + database}
		var said []string
		for _, args := range [][]string{{"migrate", "--status"}, {"migrate"}, {"migrate"}, {"migrate", "--status"}} {
			said = append(said, command(t, env, args...).want(t).out)
		}
		newest := regexp.MustCompile(`^schema 0, newest (\d+)\n$`).FindStringSubmatch(said[0])
		if newest == nil || newest[1] == "0" {
			t.Fatalf("an empty database: %q", said[0])
		}
		for _, s := range said[1:] {
			if want := "schema " + newest[1] + ", newest " + newest[1] + "\n"; s != want {
				t.Errorf("%q instead of %q", s, want)
			}
		}
	})
}

func TestAKeyOfTheCommandLineWorksUntilItIsRevoked(t *testing.T) {
	databases(t, func(t *testing.T, database string, _ *storetest.Server) {
		env := []string{"PROTRACK_DATABASE=" + database}
		s := serve(t, database, withKey)
		status := func(key string) int {
			got, _, err := ask(http.DefaultClient, key, "GET", s.url()+"/v1/instruments", nil)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		made := command(t, env, "keys", "create", "--name", "tablet in room 2", "--role", "app").want(t)
		key := strings.TrimSpace(made.out)
		if got := status(key); got != http.StatusOK {
			t.Fatalf("a new key gets %d", got)
		}
		listed := command(t, env, "keys", "list").want(t).out
		row := regexp.MustCompile(`(?m)^(\S+)\s+app\s+tablet in room 2\s+(ptk_\S+)…\s+\S+ \S+\s+\S+ \S+\s+-\s+-$`).FindStringSubmatch(listed)
		if row == nil || !strings.HasPrefix(key, row[2]) || strings.Contains(listed, key) || !strings.Contains(made.err, row[1]) {
			t.Fatalf("%s\n%s", listed, made.err)
		}
		command(t, env, "keys", "revoke", row[1]).want(t)
		if got := status(key); got != http.StatusUnauthorized {
			t.Errorf("a revoked key gets %d", got)
		}
		if got := status(adminKey); got != http.StatusOK {
			t.Errorf("another key gets %d", got)
		}
		if again := command(t, env, "keys", "list").want(t).out; !regexp.MustCompile(`(?m)^` + row[1] + `.* \d\d:\d\d:\d\d$`).MatchString(again) {
			t.Errorf("the list does not show the revocation: %s", again)
		}
		for _, args := range [][]string{
			{"revoke", "nothing"}, {"revoke", "0190b8a2-0000-7000-8000-000000000000"}, {"list", "--clinic", "none"},
			{"create", "--name", "x", "--role", "app", "--clinic", "none"}, {"create", "--name", "x", "--role", "app", "--expires-in", "-1h"},
		} {
			if got := command(t, env, append([]string{"keys"}, args...)...); got.code == 0 {
				t.Errorf("%v succeeds: %s%s", args, got.out, got.err)
			}
		}
	})
}

func TestAKeyExpires(t *testing.T) {
	t.Parallel()
	database := "sqlite://" + filepath.Join(t.TempDir(), "p.db")
	s := serve(t, database, withKey)
	made := command(t, []string{"PROTRACK_DATABASE=" + database}, "keys", "create", "--name", "x", "--role", "app", "--expires-in", "2s").want(t)
	for begun := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		status, _, err := ask(http.DefaultClient, strings.TrimSpace(made.out), "GET", s.url()+"/v1/instruments", nil)
		if err != nil {
			t.Fatal(err)
		}
		if status == http.StatusUnauthorized {
			return
		}
		if time.Since(begun) > 10*time.Second {
			t.Fatalf("the key still gets %d", status)
		}
	}
}

func TestANewClinicHasAKeyOfItsOwnAndSeesNoOther(t *testing.T) {
	t.Parallel()
	database := "sqlite://" + filepath.Join(t.TempDir(), "p.db")
	env := []string{"PROTRACK_DATABASE=" + database}
	s := serve(t, database, withKey)
	args := []string{"keys", "create", "--new-clinic", "--clinic", "north-2", "--name", "first", "--role", "admin"}
	key := strings.TrimSpace(command(t, env, args...).want(t).out)
	if status, answer, err := ask(http.DefaultClient, adminKey, "POST", s.url()+"/v1/clients", map[string]any{"reference": "P-1"}); err != nil || status != http.StatusCreated {
		t.Fatalf("%d %s %v", status, answer, err)
	}
	var clients struct{ Items []any }
	get(t, s.url(), key, "/v1/clients", &clients)
	if len(clients.Items) != 0 {
		t.Error("the new clinic sees the first one's clients")
	}
	if got := command(t, env, args...); got.code == 0 || !strings.Contains(got.err, "already") || got.out != "" {
		t.Errorf("the same clinic again: %+v", got)
	}
	for _, bad := range [][]string{{"--clinic", "Not A Slug", "--role", "admin"}, {"--clinic", "south", "--role", "app"}} {
		if got := command(t, env, append([]string{"keys", "create", "--new-clinic", "--name", "x"}, bad...)...); got.code == 0 {
			t.Errorf("%v succeeds: %+v", bad, got)
		}
	}
}

func TestTheHealthcheckAsksTheServer(t *testing.T) {
	t.Parallel()
	server := storetest.PostgresServer(t, false)
	s := serve(t, server.Database(t), withKey)
	addr := strings.TrimPrefix(s.url(), "http://")
	command(t, nil, "healthcheck", "--addr", addr).want(t)
	_, port, _ := strings.Cut(addr, ":")
	command(t, []string{"PROTRACK_ADDR=:" + port}, "healthcheck").want(t)
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	if got := command(t, nil, "healthcheck", "--addr", addr); got.code == 0 || !strings.Contains(got.err, "503") {
		t.Errorf("the database is away: %+v", got)
	}
	s.kill()
	for _, addr := range []string{addr, "nonsense"} {
		if got := command(t, nil, "healthcheck", "--addr", addr); got.code == 0 || got.err == "" {
			t.Errorf("nobody listens at %s: %+v", addr, got)
		}
	}
}

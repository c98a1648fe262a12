package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/protrack/protrack/pkg/store/storetest"
)

func TestVerifyingSaysWhatKeepsItFromVouching(t *testing.T) {
	databases(t, func(t *testing.T, database string, _ *storetest.Server) {
		dir := t.TempDir()
		key := "PROTRACK_AUDIT_KEY_FILE=" + filepath.Join(dir, "audit.key")
		env := []string{"PROTRACK_DATABASE=" + database, key}
		s := serve(t, database, append([]string{key}, withKey...))
		s.terminate()
		if code := s.code(time.Minute); code != 0 {
			t.Fatalf("exit code %d: %s", code, s.err.tail())
		}
		verify := func(env []string, args ...string) result {
			return command(t, env, append([]string{"audit", "verify"}, args...)...)
		}
		public := strings.TrimSpace(command(t, env, "audit", "key").want(t).out)
		keyless := []string{"PROTRACK_DATABASE=" + database, "PROTRACK_AUDIT_KEY_FILE=" + filepath.Join(dir, "none.key")}

		for what, c := range map[string]struct {
			got  result
			code int
			says string
		}{
			"with the key":                   {verify(env), 0, "signed checkpoints say so up to entry "},
			"without a key":                  {verify(keyless), 0, "signed with a key that nobody vouched for: name it with --key"},
			"without a key, no more":         {verify(keyless), 0, "agrees with itself; no checkpoint of a known key says more"},
			"with the key by its name":       {verify(keyless, "--key", public), 0, "signed checkpoints say so up to entry "},
			"what is no key":                 {verify(env, "--key", "nonsense"), 1, "not a public key"},
			"the key of none":                {command(t, keyless, "audit", "key"), 1, "no key of the audit trail: serve makes one"},
			"an unknown clinic":              {verify(env, "--clinic", "nowhere"), 1, `there is no clinic "nowhere"`},
			"a file that is not there":       {verify(env, "--file", filepath.Join(dir, "none")), 1, "no such file"},
			"a file of another kind":         {verify(env, "--file", filepath.Join(dir, "audit.key")), 1, "not an export of audit entries"},
			"checkpoints that are not there": {verify(env, "--checkpoints", filepath.Join(dir, "none")), 1, "no such file"},
			"checkpoints of another kind":    {verify(env, "--checkpoints", filepath.Join(dir, "audit.key")), 1, "holds no checkpoints"},
		} {
			if c.got.code != c.code || !strings.Contains(c.got.out+c.got.err, c.says) {
				t.Errorf("%s: exit code %d, and not %q: %s%s", what, c.got.code, c.says, c.got.out, c.got.err)
			}
			if private := readFile(t, filepath.Join(dir, "audit.key")); strings.Contains(c.got.out+c.got.err, strings.Fields(private)[0]) {
				t.Errorf("%s: the private key is printed", what)
			}
		}
		mustExec(t, behind(t, database), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, "+map[bool]string{true: "1", false: "true"}[strings.HasPrefix(database, "sqlite")]+")")
		if got := verify(env); got.code != 1 || !strings.Contains(got.err, "install a newer protrack") {
			t.Errorf("a newer schema: %+v", got)
		}
	})
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A crash may leave half a line of a checkpoint that was being appended.
func TestHalfACheckpointSpoilsNoOther(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	database, kept := "sqlite://"+filepath.Join(dir, "p.db"), filepath.Join(dir, "kept.ndjson")
	run := func() {
		t.Helper()
		s := serve(t, database, withKey, "--audit-checkpoints", kept)
		s.terminate()
		if code := s.code(time.Minute); code != 0 {
			t.Fatalf("exit code %d: %s", code, s.err.tail())
		}
	}
	run()
	whole := readFile(t, kept)
	if err := os.WriteFile(kept, []byte(whole+whole[:len(whole)/2]), 0o600); err != nil {
		t.Fatal(err)
	}
	run()
	if lines := strings.Count(readFile(t, kept), `"note"`); lines != 3 {
		t.Fatalf("%d lines are kept, of which one is half", lines)
	}
	got := command(t, []string{"PROTRACK_DATABASE=" + database}, "audit", "verify", "--checkpoints", kept).want(t)
	if !strings.Contains(got.err, "line 4 holds no checkpoint") || !strings.Contains(got.out, "signed checkpoints say so") {
		t.Errorf("%s%s", got.out, got.err)
	}
}

// Two servers that begin at once must not sign with two keys.
func TestServersThatBeginAtOnceShareTheKey(t *testing.T) {
	t.Parallel()
	server := storetest.PostgresServer(t, false)
	database, dir := server.Database(t), t.TempDir()
	env := append([]string{"PROTRACK_AUDIT_KEY_FILE=" + filepath.Join(dir, "audit.key")}, withKey...)
	var all []*process
	for range 3 {
		all = append(all, launchServer(t, database, env))
	}
	for _, s := range all {
		s.url()
		if strings.Contains(s.err.String(), "no signed checkpoints") {
			t.Errorf("a server has no key: %s", s.err.tail())
		}
		s.terminate()
	}
	for _, s := range all {
		if code := s.code(time.Minute); code != 0 {
			t.Errorf("exit code %d: %s", code, s.err.tail())
		}
	}
	command(t, append([]string{"PROTRACK_DATABASE=" + database}, env...), "audit", "verify").want(t)
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("beside the key stand %v, %v", entries, err)
	}
}

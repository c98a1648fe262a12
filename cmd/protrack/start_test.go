package main_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/protrack/protrack/pkg/store/storetest"
)

// printedKey finds the admin key that a founding server prints.
func printedKey(log string) string {
	for line := range strings.Lines(log) {
		if key := strings.TrimSpace(line); strings.HasPrefix(key, "ptk_") {
			return key
		}
	}
	return ""
}

func TestServersStartedAtOnceOnAnEmptyDatabaseAllServeAndMakeOneKey(t *testing.T) {
	databases(t, func(t *testing.T, database string, postgres *storetest.Server) {
		for _, n := range []int{2, 4} {
			t.Run(fmt.Sprint(n), func(t *testing.T) {
				t.Parallel()
				url := database + fmt.Sprint(n)
				if postgres != nil {
					url = postgres.Database(t)
				}
				servers := make([]*process, n)
				for i := range servers {
					servers[i] = launchServer(t, url, nil)
				}
				var keys []string
				for _, s := range servers {
					s.url()
					if key := printedKey(s.err.String()); key != "" {
						keys = append(keys, key)
					}
				}
				if len(keys) != 1 {
					t.Fatalf("%d keys were printed by %d servers", len(keys), n)
				}
				for _, s := range servers {
					var keysOfClinic struct{ Items []struct{ Name string } }
					get(t, s.url(), keys[0], "/v1/keys", &keysOfClinic)
					if len(keysOfClinic.Items) != 1 {
						t.Errorf("the clinic has keys %v", keysOfClinic.Items)
					}
				}
				for _, s := range servers {
					s.terminate()
					if code := s.code(20 * time.Second); code != 0 {
						t.Errorf("exit code %d: %s", code, s.err.String())
					}
				}
			})
		}
	})
}

func TestAServerStartsAgainOnItsDatabaseAndPrintsNoKey(t *testing.T) {
	databases(t, func(t *testing.T, database string, _ *storetest.Server) {
		first := serve(t, database, nil)
		key := printedKey(first.err.String())
		first.terminate()
		first.code(20 * time.Second)
		second := serve(t, database, nil)
		if printedKey(second.err.String()) != "" {
			t.Error("a key was printed for a clinic that had one")
		}
		var clients struct{ Items []any }
		get(t, second.url(), key, "/v1/clients", &clients)
	})
}

func TestANewerSchemaIsRefused(t *testing.T) {
	databases(t, func(t *testing.T, database string, _ *storetest.Server) {
		env := []string{"PROTRACK_DATABASE=" + database}
		command(t, env, "migrate").want(t)
		db := behind(t, database)
		if _, err := db.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, " + trueOf(database) + ")"); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"serve", "--addr", "127.0.0.1:0"}, {"migrate"}, {"keys", "list"}, {"progress"}} {
			got := command(t, env, args...)
			if got.code == 0 || !strings.Contains(got.err, "install a newer protrack") || !strings.Contains(got.err, "9999") {
				t.Errorf("%v: exit code %d: %s", args, got.code, got.err)
			}
		}
	})
}

func trueOf(database string) string {
	if strings.HasPrefix(database, "sqlite://") {
		return "1"
	}
	return "true"
}

func TestTheFirstAdminKeyIsTheOneGiven(t *testing.T) {
	t.Parallel()
	database := "sqlite://" + filepath.Join(t.TempDir(), "p.db")
	for _, short := range []string{"short", strings.Repeat("k", 31), "ptk_" + strings.Repeat("a", 49)} {
		got := command(t, []string{"PROTRACK_ADMIN_KEY=" + short, "PROTRACK_DATABASE=" + database}, "serve", "--addr", "127.0.0.1:0")
		if got.code == 0 || !strings.Contains(got.err, "at least 32 characters") || strings.Contains(got.err, short+"\n") {
			t.Errorf("a key of %d characters: exit code %d: %s", len(short), got.code, got.err)
		}
	}
	s := serve(t, database, withKey, "--log-level", "debug")
	for _, key := range []string{adminKey, "a-key-that-nobody-has-made-for-this-clinic"} {
		if _, _, err := ask(http.DefaultClient, key, "GET", s.url()+"/v1/keys?key="+key, nil); err != nil {
			t.Fatal(err)
		}
	}
	if status, answer, err := ask(http.DefaultClient, adminKey, "GET", s.url()+"/v1/keys", nil); status != http.StatusOK || strings.Contains(string(answer), adminKey) {
		t.Errorf("%d %s %v", status, answer, err)
	}
	if log := s.out.String() + s.err.String(); strings.Contains(log, adminKey) || strings.Contains(log, "a-key-that-nobody") || printedKey(log) != "" {
		t.Errorf("the log shows a key: %s", log)
	}
}

func TestADatabaseThatCannotBeUsedIsNamedWithoutItsPassword(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ url, says string }{
		{"mysql://root:hunter2@db/x", "sqlite:// or postgres://"},
		{"", "sqlite:// or postgres://"},
		{"postgres://u:hunter2@127.0.0.1:1/x", "PostgreSQL does not answer"},
		{"postgres://u:hunter2@[::bad/x", "cannot be read"},
		{"sqlite://", "sqlite:///path/file.db"},
		{"sqlite:///dev/null/x.db", "database's folder"},
		{"sqlite:///tmp/x.db?_pragma=synchronous(off)", "without parameters"},
	} {
		got := command(t, nil, "serve", "--addr", "127.0.0.1:0", "--database", c.url)
		if got.code == 0 || !strings.Contains(got.err, c.says) || strings.Contains(got.err, "hunter2") {
			t.Errorf("%s: exit code %d: %s", c.url, got.code, got.err)
		}
	}
	path := filepath.Join(t.TempDir(), "text.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("this is no database ", 200)), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := command(t, nil, "migrate", "--database", "sqlite://"+path); got.code == 0 || !strings.Contains(got.err, "not a database") {
		t.Errorf("a text file: exit code %d: %s", got.code, got.err)
	}
}

func TestTheDatabaseIsAFileInTheUsersDataFolder(t *testing.T) {
	t.Parallel()
	for _, given := range []string{"HOME", "XDG_DATA_HOME"} {
		home := t.TempDir()
		path := filepath.Join(home, "protrack", "protrack.db")
		if given == "HOME" {
			path = filepath.Join(home, ".local", "share", "protrack", "protrack.db")
		}
		env := []string{given + "=" + home}
		if got := command(t, env, "serve", "--help").want(t); !strings.Contains(strings.Join(strings.Fields(got.out), ""), path) {
			t.Errorf("%s: the help does not say %s: %s", given, path, got.out)
		}
		command(t, env, "migrate").want(t)
		for name, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
			info, err := os.Stat(name)
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode().Perm() != want {
				t.Errorf("%s has mode %v", name, info.Mode())
			}
		}
	}
}

func TestEveryFaultOfTheClinicsInstrumentFilesIsListed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"broken.json": `{"id": "x", }`,
		"faulty.json": `{"id": "UPPER", "version": "q", "items": []}`,
		"extra.json":  `{"id": "x", "secret_sauce": 1}`,
		"notes.txt":   "not an instrument",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	database := "sqlite://" + filepath.Join(t.TempDir(), "p.db")
	got := command(t, nil, "serve", "--addr", "127.0.0.1:0", "--database", database, "--instruments", dir)
	for _, want := range []string{"broken.json#", "faulty.json#/id", "faulty.json#/version", "faulty.json#/items", "extra.json#"} {
		if !strings.Contains(got.err, want) {
			t.Errorf("%s is not named: %s", want, got.err)
		}
	}
	if got.code == 0 || strings.Contains(got.err, "notes.txt") {
		t.Errorf("exit code %d: %s", got.code, got.err)
	}
	if got := command(t, nil, "serve", "--database", database, "--instruments", filepath.Join(dir, "none")); got.code == 0 || !strings.Contains(got.err, "not a folder") {
		t.Errorf("no folder: exit code %d: %s", got.code, got.err)
	}
}

func TestAnInstrumentFileAddsAnInstrument(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../pkg/instrument/definitions/phq-2.json")
	if err != nil {
		t.Fatal(err)
	}
	mine := strings.NewReplacer("phq-2", "mood-two", "phq2_", "moodtwo_", "PHQ-2", "Mood in two").Replace(string(text))
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mood-two.json"), []byte(mine), 0o600); err != nil {
		t.Fatal(err)
	}
	s := serve(t, "sqlite://"+filepath.Join(t.TempDir(), "p.db"), append([]string{"PROTRACK_INSTRUMENTS=" + dir}, withKey...))
	var all struct{ Items []struct{ ID string } }
	get(t, s.url(), adminKey, "/v1/instruments", &all)
	var ids []string
	for _, i := range all.Items {
		ids = append(ids, i.ID)
	}
	if joined := strings.Join(ids, " "); !strings.Contains(joined, "mood-two") || !strings.Contains(joined, "phq-9") {
		t.Errorf("instruments: %s", joined)
	}
	status, answer, err := ask(http.DefaultClient, adminKey, "POST", s.url()+"/v1/instruments/mood-two/score",
		map[string]any{"answers": map[string]int{"moodtwo_1": 3, "moodtwo_2": 2}})
	if err != nil || status != http.StatusOK {
		t.Fatalf("%d %s %v", status, answer, err)
	}
	var score struct {
		Instrument string
		Total      float64
	}
	if err := json.Unmarshal(answer, &score); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff("mood-two 5", fmt.Sprint(score.Instrument, " ", score.Total)); d != "" {
		t.Error(d)
	}
}

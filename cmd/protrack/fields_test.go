//go:build unix

package main_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/protrack/protrack/pkg/seal"
	"github.com/protrack/protrack/pkg/store/storetest"
)

// references gives what a server shows of all clients.
func references(t *testing.T, s *process) (out []string) {
	t.Helper()
	type client struct {
		Reference   string `json:"reference"`
		DisplayName string `json:"display_name"`
	}
	for _, c := range list[client](t, s.url(), adminKey, "/v1/clients") {
		out = append(out, c.Reference+" "+c.DisplayName)
	}
	return out
}

func addClient(t *testing.T, s *process, reference string) {
	t.Helper()
	body := map[string]string{"reference": reference, "display_name": "Name of " + reference}
	status, answer, err := ask(http.DefaultClient, adminKey, http.MethodPost, s.url()+"/v1/clients", body)
	if err != nil || status != http.StatusCreated {
		t.Fatalf("%d %s %v", status, answer, err)
	}
}

func stop(t *testing.T, s *process) {
	t.Helper()
	s.terminate()
	if code := s.code(20 * time.Second); code != 0 {
		t.Fatalf("exit code %d: %s", code, s.err.tail())
	}
}

// agree lets every client of now agree to research.
func agree(t *testing.T, s *process) {
	t.Helper()
	for _, c := range list[struct{ ID string }](t, s.url(), adminKey, "/v1/clients") {
		said := map[string]string{"scope": "research", "status": "granted", "at": "2026-01-02T09:00:00Z"}
		if status, answer, err := ask(http.DefaultClient, adminKey, http.MethodPost, s.url()+"/v1/clients/"+c.ID+"/consents", said); err != nil || status != http.StatusCreated {
			t.Fatalf("%d %s %v", status, answer, err)
		}
	}
}

// pseudonyms is a de-identified table of everybody who agrees to research.
func pseudonyms(t *testing.T, s *process) string {
	t.Helper()
	status, table, err := ask(http.DefaultClient, adminKey, http.MethodGet, s.url()+"/v1/exports/clients", nil)
	if err != nil || status != http.StatusOK || !strings.Contains(string(table), "\nC-") {
		t.Fatalf("%d %s %v", status, table, err)
	}
	return string(table)
}

// The way that docs/operations.md describes, from plain names to encrypted
// ones, to another key, and back.
func TestNamesAreEncryptedRotatedAndDecryptedFromTheCommandLine(t *testing.T) {
	databases(t, func(t *testing.T, database string, _ *storetest.Server) {
		in := "PROTRACK_DATABASE=" + database
		with := func(keys string) []string { return append([]string{in, "PROTRACK_FIELD_KEYS=" + keys}, withKey...) }
		first := strings.TrimSpace(command(t, nil, "fields", "key").want(t).out)
		second := strings.TrimSpace(command(t, with(first), "fields", "rotate").want(t).out)
		retired := strings.TrimSpace(command(t, with(second), "fields", "retire").want(t).out)
		if first == second || second == retired || strings.Contains(second, "\n") {
			t.Fatal("the keysets are not three")
		}
		var want []string
		var pseudonym string
		life := func(what, keys, reference string) {
			t.Helper()
			s := serve(t, database, with(keys))
			addClient(t, s, reference)
			want = append(want, reference+" Name of "+reference)
			if diff := cmp.Diff(want, references(t, s)); diff != "" {
				t.Errorf("%s:\n%s", what, diff)
			}
			if pseudonym == "" {
				agree(t, s)
				pseudonym = pseudonyms(t, s)
			} else if got := pseudonyms(t, s); got != pseudonym {
				t.Errorf("%s: the client who agrees to research has another pseudonym:\n%s%s", what, pseudonym, got)
			}
			stop(t, s)
			if log := s.out.String() + s.err.String(); keys != "" && strings.Contains(log, keys) {
				t.Errorf("%s: the keys are in the log", what)
			}
		}
		refuses := func(what, keys, says string) {
			t.Helper()
			s := launchServer(t, database, with(keys))
			if code := s.code(time.Minute); code == 0 || !strings.Contains(s.err.String(), says) || strings.Contains(s.err.String(), seal.Prefix) {
				t.Errorf("%s: exit code %d: %s", what, code, s.err.String())
			}
		}
		checked := func(keys string, rows ...string) {
			t.Helper()
			var got []string
			for i, line := range strings.Split(strings.TrimSpace(command(t, with(keys), "fields", "check").want(t).out), "\n") {
				if f := strings.Fields(line); i > 0 && len(f) > 4 {
					got = append(got, strings.Join(f[2:], " "))
				}
			}
			if diff := cmp.Diff(rows, got); diff != "" {
				t.Errorf("check:\n%s", diff)
			}
		}
		life("plain", "", "P-1")
		life("turned on", first, "P-2")
		checked(first, "1 2 plain text", "1 0 in use")
		refuses("without the keys", "", "Set PROTRACK_FIELD_KEYS")
		command(t, with(first), "fields", "encrypt").want(t)
		checked(first, "2 2 in use")
		if r := command(t, with(retired), "fields", "check"); r.code == 0 || !strings.Contains(r.out, "missing") {
			t.Errorf("a key that is missing is not told: %d %s%s", r.code, r.out, r.err)
		}
		if r := command(t, with(retired), "fields", "decrypt"); r.code == 0 {
			t.Errorf("decrypted without the key: %s", r.out)
		}
		life("rotated", second, "P-3")
		refuses("with the new key alone", retired, "the field keys given cannot read them")
		running := serve(t, database, with(second)) // which is not disturbed
		if got := command(t, with(second), "fields", "encrypt").want(t).out; got != "clinic default: 4 versions of clients and secrets of projects changed\n" {
			t.Errorf("encrypt says %q", got)
		}
		if diff := cmp.Diff(want, references(t, running)); diff != "" {
			t.Errorf("under a running server:\n%s", diff)
		}
		stop(t, running)
		life("the old key retired", retired, "P-4")
		refuses("with the old keys", first, "the field keys given cannot read them")
		command(t, with(retired), "fields", "decrypt").want(t)
		life("turned off", "", "P-5")
		checked("", "5 2 plain text")

		raw := behind(t, database)
		var acts int
		if err := raw.QueryRowContext(t.Context(), "SELECT count(*) FROM audit_entries WHERE action IN ('fields.encrypt', 'fields.decrypt') AND actor_kind = 'operator'").Scan(&acts); err != nil || acts != 3 {
			t.Errorf("%d acts are in the audit trail, %v", acts, err)
		}
	})
}

func TestTheKeysetCanBeAFileAndIsNotGuessed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "keys")
	keys := command(t, nil, "fields", "key").want(t).out
	if err := os.WriteFile(file, []byte(keys), 0o600); err != nil {
		t.Fatal(err)
	}
	named := "PROTRACK_FIELD_KEYS_FILE=" + file
	command(t, []string{named}, "fields", "rotate").want(t)
	for what, env := range map[string][]string{
		"both":           {named, "PROTRACK_FIELD_KEYS=" + strings.TrimSpace(keys)},
		"none":           nil,
		"a missing file": {named + "x"},
		"an empty file":  {"PROTRACK_FIELD_KEYS_FILE=" + os.DevNull},
		"not a keyset":   {"PROTRACK_FIELD_KEYS=swordfish"},
		"half a keyset":  {"PROTRACK_FIELD_KEYS=" + keys[:20]},
	} {
		r := command(t, env, "fields", "rotate")
		if r.code == 0 || r.out != "" || strings.Contains(r.err, "swordfish") || strings.Contains(r.err, keys[:20]) {
			t.Errorf("%s: exit code %d: %s%s", what, r.code, r.out, r.err)
		}
	}
}

package main_test

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/protrack/protrack/pkg/audit"
)

// goldenPackage is a package that was made from invented people, and its key.
func goldenPackage(t *testing.T, name string) (file []byte, key string) {
	t.Helper()
	folder := filepath.Join("..", "..", "pkg", "research", "testdata", "snapshots")
	file, err := os.ReadFile(filepath.Join(folder, name+".zip"))
	if err != nil {
		t.Fatal(err)
	}
	public, err := os.ReadFile(filepath.Join(folder, "key.txt"))
	if err != nil {
		t.Fatal(err)
	}
	return file, string(public)
}

// verifyFile writes a package and verifies it.
func verifyFile(t *testing.T, file []byte, args ...string) result {
	t.Helper()
	path := filepath.Join(t.TempDir(), "spring.zip")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return command(t, nil, append([]string{"snapshot", "verify", path}, args...)...)
}

// refused fails the test unless a package is refused for a reason.
func refused(t *testing.T, what string, got result, reason string) {
	t.Helper()
	if got.code == 0 || got.out != "" || !strings.Contains(got.err, "spring.zip: "+reason) {
		t.Errorf("%s: exit code %d, want %q: %s%s", what, got.code, reason, got.out, got.err)
	}
}

func TestAPackageOfAServerIsVerifiedWithItsKey(t *testing.T) {
	t.Parallel()
	database := "sqlite://" + filepath.Join(t.TempDir(), "p.db")
	env := []string{"PROTRACK_DATABASE=" + database}
	s := serve(t, database, withKey)
	fetch := func(method, path string, body any, want int) []byte {
		t.Helper()
		status, answer, err := ask(http.DefaultClient, adminKey, method, s.url()+path, body)
		if err != nil || status != want {
			t.Fatalf("%s %s answers %d: %s, %v", method, path, status, answer, err)
		}
		return answer
	}
	const id = "01970000-0000-7000-8000-000000000001"
	fetch("POST", "/v1/snapshots", map[string]any{"id": id, "name": "spring"}, http.StatusCreated)
	file := fetch("GET", "/v1/snapshots/"+id+"/package", nil, http.StatusOK)

	public := strings.TrimSpace(command(t, env, "audit", "key").want(t).out)
	const good = "whole and as it was signed: deidentified assessments, 0 rows of 0 people, as known at "
	if got := verifyFile(t, file, "--key", public).want(t).out; !strings.HasPrefix(got, good) || !strings.HasSuffix(got, "written by protrack 9.8.7\n") {
		t.Errorf("the package: %s", got)
	}
	path := filepath.Join(t.TempDir(), "spring.zip")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := command(t, env, "snapshot", "verify", path).want(t).out; !strings.HasPrefix(got, good) {
		t.Errorf("with the key that lies beside the database: %s", got)
	}
}

func TestAPackageSaysHowItIsNotTheFirst(t *testing.T) {
	t.Parallel()
	const (
		whole = "whole and as it was signed: deidentified assessments, 4 rows of 2 people, as known at 2026-01-05T09:04:04Z, 7 files, written by protrack "
		left  = "whole and as it was signed: deidentified assessments, 2 rows of 1 people, as known at 2026-01-05T09:04:04Z, 7 files, written by protrack "
	)
	for name, want := range map[string]string{
		"csv": whole + "1.0.0\n",
		"differs": whole + "2.0.0\ndiffers from the first package, written by protrack 1.0.0, though nobody has withdrawn: " +
			"codebook.csv, codebook.json, datapackage.json, read.R, read.py\n",
		"repacked":  whole + "1.0.0\ndiffers from the first package in how it is packed: its files are the same\n",
		"withdrawn": left + "2.0.0\nwithdrawn since: C-dnhukckjcziyzckm\n",
	} {
		file, key := goldenPackage(t, name)
		if got := verifyFile(t, file, "--key", key).want(t); got.out != want || got.err != "" {
			t.Errorf("%s:\n%swant:\n%s%s", name, got.out, want, got.err)
		}
	}
}

func TestAPackageOfWhichOneByteIsAnotherIsRefused(t *testing.T) {
	t.Parallel()
	file, key := goldenPackage(t, "csv")
	directory := bytes.LastIndex(file, []byte("data.csv")) - 46 // of a ZIP: where the entry of the data begins
	for what, c := range map[string]struct {
		at     int
		reason string
	}{
		"a value":                    {bytes.Index(file, []byte(",dosing,")) + 1, "This is not a whole package: data.csv is not as it was."},
		"a script":                   {bytes.Index(file, []byte("read.csv(")), "This is not a whole package: read.R is not as it was."},
		"the number of rows":         {bytes.Index(file, []byte(`"rows": 4`)) + 8, "This is not a whole package: manifest.json is not as it was."},
		"a sum":                      {bytes.LastIndex(file, []byte("  data.csv")) - 1, "This is not a whole package: SHA256SUMS is not as it was."},
		"when a file was changed":    {directory + 12, "The package's seal is one of other bytes."},
		"the end of the directory":   {bytes.LastIndex(file, []byte("PK\x05\x06")), "This is not a whole package: it is no ZIP file."},
		"what the seal is of":        {bytes.LastIndex(file, []byte("protrack snapshot package")) + 30, "The package's seal is not as it was made."},
		"whose the seal is":          {bytes.LastIndex(file, []byte("— golden ")) + 5, "The package's seal is not by a key that is trusted."},
		"the signature of the seal":  {bytes.LastIndex(file, []byte("— golden ")) + 40, "The package's seal is not as it was made."},
		"the blanks behind the seal": {len(file) - 1, "The package's seal is not as it was made."},
	} {
		if c.at < 0 || c.at >= len(file) {
			t.Fatalf("%s is not found", what)
		}
		bad := slices.Clone(file)
		bad[c.at] ^= 1
		refused(t, what, verifyFile(t, bad, "--key", key), c.reason)
	}
}

func TestAPackageThatIsCutOrNoneIsRefused(t *testing.T) {
	t.Parallel()
	file, key := goldenPackage(t, "csv")
	for what, c := range map[string]struct {
		file   []byte
		reason string
	}{
		"half of it":             {file[:len(file)/2], "This is not a whole package: it is no ZIP file."},
		"all but its seal":       {file[:len(file)-512], "This is not a whole package: it is no ZIP file."},
		"all but its last byte":  {file[:len(file)-1], "This is not a whole package: it is no ZIP file."},
		"a little of it":         {file[:100], "This is not a whole package: it is too short."},
		"nothing":                {nil, "This is not a whole package: it is too short."},
		"a text":                 {bytes.Repeat([]byte("client,total\n"), 100), "This is not a whole package: it is no ZIP file."},
		"something put before":   {append([]byte("x"), file...), "The package's seal is one of other bytes."},
		"something put after it": {append(slices.Clone(file), ' '), "The package's seal is one of other bytes."},
	} {
		refused(t, what, verifyFile(t, c.file, "--key", key), c.reason)
	}
	if got := command(t, nil, "snapshot", "verify", filepath.Join(t.TempDir(), "none.zip"), "--key", key); got.code == 0 || !strings.Contains(got.err, "none.zip") {
		t.Errorf("a file that is not there: %+v", got)
	}
}

func TestAPackageIsVerifiedWithTheKeyThatIsNamed(t *testing.T) {
	t.Parallel()
	file, key := goldenPackage(t, "csv")
	_, other, err := audit.NewKey("golden")
	if err != nil {
		t.Fatal(err)
	}
	refused(t, "another key", verifyFile(t, file, "--key", other), "The package's seal is not by a key that is trusted.")
	verifyFile(t, file, "--key", other, "--key", key).want(t) // the key before it is still good
	for what, c := range map[string]struct {
		args   []string
		reason string
	}{
		"no key":           {nil, "no key is known: name the one that signed the package with --key"},
		"a key of nothing": {[]string{"--key", ""}, "no key is known: name the one that signed the package with --key"},
		"what is no key":   {[]string{"--key", "golden"}, "signing key: This is not a public key"},
		"half of a key":    {[]string{"--key", key[:len(key)/2]}, "signing key: This is not a public key"},
	} {
		if got := verifyFile(t, file, c.args...); got.code == 0 || got.out != "" || !strings.Contains(got.err, c.reason) {
			t.Errorf("%s: exit code %d: %s%s", what, got.code, got.out, got.err)
		}
	}
}

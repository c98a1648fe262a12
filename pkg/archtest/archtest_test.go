package archtest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// root is the top of the repository.
var root = filepath.Join("..", "..")

func TestTheHouseIsInOrder(t *testing.T) {
	h, err := parse(os.DirFS(root))
	if err != nil {
		t.Fatal(err)
	}
	if len(h.files) < 3 {
		t.Fatalf("found %d Go files: is this the repository?", len(h.files))
	}
	for _, fault := range h.faults() {
		t.Error(fault)
	}
}

func TestTheTopLevelHoldsWhatItShould(t *testing.T) {
	entries := tracked(t)
	if !slices.Contains(entries, "go.mod") {
		t.Fatalf("no go.mod in %v: is this the repository?", entries)
	}
	for _, e := range strangers(entries) {
		t.Errorf("%s does not belong at the top level; if it must be there, add it to topLevel in rules_test.go", e)
	}
}

// tracked lists the entries of the top level that git keeps or would keep; all
// of them where git cannot tell, as in an unpacked archive.
func tracked(t *testing.T) []string {
	t.Helper()
	var entries []string
	out, err := exec.Command("git", "-C", root, "ls-files", "--cached", "--others", "--exclude-standard").Output()
	if err == nil {
		for line := range strings.Lines(string(out)) {
			top, _, _ := strings.Cut(strings.Trim(line, "\"\n"), "/")
			entries = append(entries, top)
		}
	} else {
		found, err := os.ReadDir(root)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range found {
			entries = append(entries, e.Name())
		}
	}
	slices.Sort(entries)
	return slices.Compact(entries)
}

// TestTheBinaryHoldsNoTestCode asks the go command what is linked, so that it
// sees what our dependencies bring along too.
func TestTheBinaryHoldsNoTestCode(t *testing.T) {
	if _, err := os.Stat(filepath.Join(root, "cmd", "protrack")); err != nil {
		t.Fatal("there is no binary to look at")
	}
	linked := linked(t, "./cmd/protrack")
	if !slices.Contains(linked, module+"/cmd/protrack") {
		t.Fatalf("what is linked lacks the program itself: %v", linked)
	}
	if slices.Contains(linked, "testing") {
		t.Error("the package testing is linked into the binary; `go mod why testing` names the way")
	}
}

func TestLinkedTestCodeIsSeen(t *testing.T) {
	if !slices.Contains(linked(t, "testing/slogtest"), "testing") {
		t.Error("testing/slogtest links testing, and it was not seen")
	}
}

// linked lists the packages that the named ones are built of.
func linked(t *testing.T, packages ...string) []string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-deps"}, packages...)...)
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	return strings.Fields(string(out))
}

// good is a small house in order, and the negative control of the controls: a
// rule that complained of everything would complain of it.
var good = map[string]string{
	"pkg/fault/fault.go": `// Package fault is for errors.
package fault

// The kinds.
const (
	Invalid = "invalid"
	Stale   = "stale"
)

// Error is an error.
type Error struct{}

// Error gives the message.
func (e *Error) Error() string { return "" }

func (e *Error) private() {}

type hidden struct{}

func (hidden) Exported() {}
`,
	"pkg/store/store.go": `// Package store knows the database.
package store

import (
	_ "gorm.io/gorm"
	_ "github.com/protrack/protrack/pkg/care"
)
`,
	"pkg/store/store_test.go": `package store_test

import (
	_ "testing"
	_ "github.com/protrack/protrack/pkg/store/storetest"
)
`,
	"pkg/store/storetest/storetest.go": `// Package storetest serves tests.
package storetest

import (
	"os"
	_ "database/sql"
	_ "testing"
	_ "github.com/protrack/protrack/pkg/store"
)

var _ = os.Getenv("CI")
`,
	"pkg/care/care.go": `// Package care holds the rules.
package care

import _ "github.com/protrack/protrack/pkg/fault"
`,
	"pkg/care/care_test.go": `package care_test

import (
	"os"
	_ "testing"
	_ "github.com/protrack/protrack/pkg/store"
)

var _ = os.Getenv("PROTRACK_TEST_LONG")
`,
	"cmd/protrack/main.go": `// Command protrack is the program.
package main

import (
	"os"
	_ "github.com/protrack/protrack/pkg/demo"
	_ "github.com/protrack/protrack/pkg/store"
)

var _ = os.Getenv("PROTRACK_ADDR")
`,
	"pkg/care/testdata/ignored.go": "package utils",
	".tools/ignored.go":            "package utils",
}

func TestAHouseInOrderHasNoFaults(t *testing.T) {
	if got := faultsOf(t, good); len(got) > 0 {
		t.Errorf("faults: %q", got)
	}
}

func TestEachRuleSeesWhatBreaksIt(t *testing.T) {
	const care = "// Package care is for rules.\npackage care\n"
	for _, c := range []struct {
		name string
		path string
		text string
		want string // the one fault, in part
	}{
		{
			"a package imports a higher floor",
			"pkg/fault/x.go", "package fault\nimport _ \"github.com/protrack/protrack/pkg/care\"\n",
			"pkg/fault/x.go: imports pkg/care, which is not on a lower floor",
		},
		{
			"a package imports its own floor",
			"pkg/care/x.go", care + "import _ \"github.com/protrack/protrack/pkg/cohort\"\n",
			"pkg/care/x.go: imports pkg/cohort, which is not on a lower floor",
		},
		{
			"the middleware imports the handlers",
			"api/mw/x.go", "// Package mw.\npackage mw\nimport _ \"github.com/protrack/protrack/api/rest\"\n",
			"api/mw/x.go: imports api/rest, which is not on a lower floor",
		},
		{
			"the table of statuses imports the middleware",
			"api/problem/x.go", "// Package problem.\npackage problem\nimport _ \"github.com/protrack/protrack/api/mw\"\n",
			"api/problem/x.go: imports api/mw, which is not on a lower floor",
		},
		{
			"a package knows GORM",
			"pkg/care/x.go", care + "import _ \"gorm.io/gorm/clause\"\n",
			"imports gorm.io/gorm/clause: a database is known to pkg/store alone",
		},
		{
			"the command knows SQL",
			"cmd/protrack/x.go", "package main\nimport _ \"database/sql\"\n",
			"imports database/sql: a database is known to pkg/store alone",
		},
		{
			"a scenario runner knows a driver",
			"api/apitest/x.go", "// Package apitest.\npackage apitest\nimport _ \"github.com/jackc/pgx/v5\"\n",
			"imports github.com/jackc/pgx/v5: a database",
		},
		{
			"a package knows SQLite, under another name",
			"pkg/care/x.go", care + "import lite \"github.com/ncruces/go-sqlite3\"\n",
			"imports github.com/ncruces/go-sqlite3: a database",
		},
		{
			"a rule knows Echo",
			"pkg/care/x.go", care + "import _ \"github.com/labstack/echo/v4\"\n",
			"imports github.com/labstack/echo/v4: Echo is known",
		},
		{
			"a handler reads tokens by itself",
			"api/mw/x.go", "// Package mw.\npackage mw\nimport _ \"github.com/coreos/go-oidc/v3/oidc\"\n",
			"imports github.com/coreos/go-oidc/v3/oidc: how people sign in",
		},
		{
			"the program is an identity provider",
			"pkg/auth/x.go", "// Package auth.\npackage auth\nimport _ \"github.com/zitadel/oidc/v3/pkg/op\"\n",
			"imports github.com/zitadel/oidc/v3/pkg/op: an identity provider",
		},
		{
			"a handler reaches into the store",
			"api/rest/x.go", "// Package rest.\npackage rest\nimport _ \"github.com/protrack/protrack/pkg/store\"\n",
			"imports github.com/protrack/protrack/pkg/store: cmd/protrack alone joins",
		},
		{
			"the server carries the synthetic clinic",
			"api/x.go", "// Package api.\npackage api\nimport _ \"github.com/protrack/protrack/pkg/demo\"\n",
			"imports github.com/protrack/protrack/pkg/demo: the synthetic clinic",
		},
		{
			"the binary imports testing, on another system",
			"pkg/care/x_windows.go", care + "import _ \"testing\"\n",
			"pkg/care/x_windows.go: imports testing: test code does not belong in the binary",
		},
		{
			"the command imports a test helper",
			"cmd/protrack/x.go", "package main\nimport _ \"github.com/protrack/protrack/api/apitest\"\n",
			"imports api/apitest, which serves tests only",
		},
		{
			"the environment is read",
			"pkg/care/x.go", care + "import \"os\"\nvar x = os.Getenv(\"X\")\n",
			"pkg/care/x.go: line 4: os.Getenv: the environment is read once",
		},
		{
			"the environment is read, under another name and as a value",
			"pkg/care/x.go", care + "import system \"os\"\nvar look = system.LookupEnv\n",
			"os.LookupEnv: the environment is read once",
		},
		{
			"the environment is hidden by a dot",
			"pkg/care/x.go", care + "import . \"os\"\nvar x = Getenv(\"X\")\n",
			"dot-imports os",
		},
		{
			"a package ends the process",
			"pkg/care/x.go", care + "import \"os\"\nfunc f() { os.Exit(1) }\n",
			"os.Exit: only main may end the process",
		},
		{
			"a package that nobody planned",
			"pkg/billing/x.go", "// Package billing.\npackage billing\n",
			"pkg/billing: not a room of the house; if an issue needs it, add it to floors or testOnly in pkg/archtest/rules_test.go",
		},
		{
			"a package without a comment",
			"pkg/chart/x.go", "package chart\n",
			"pkg/chart: no package comment",
		},
		{
			"a comment in a test file alone",
			"docs/x_test.go", "// Package docs.\npackage docs_test\n",
			"docs: no package comment",
		},
		{
			"a name that says nothing",
			"pkg/care/x.go", "package helpers\n",
			"pkg/care/x.go: package helpers is named for nothing",
		},
		{
			"an exported function without a comment",
			"pkg/care/x.go", care + "func Silent() {}\n",
			"pkg/care/x.go: line 3: exported Silent has no comment",
		},
		{
			"an exported method of a generic type without a comment",
			"pkg/care/x.go", care + "// T is one.\ntype T[K any] struct{}\nfunc (*T[K]) Silent() {}\n",
			"exported T.Silent has no comment",
		},
		{
			"an exported type in a group without its own comment",
			"pkg/care/x.go", care + "// Two of them.\ntype (\n\tSilent int\n)\n",
			"exported Silent has no comment",
		},
		{
			"an exported constant without a comment",
			"pkg/care/x.go", care + "const Silent = 0\n",
			"exported Silent has no comment",
		},
		{
			"a file too long",
			"pkg/care/x.go", care + strings.Repeat("\n", longest),
			"pkg/care/x.go: 602 lines, more than 600",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := map[string]string{c.path: c.text}
			for name, text := range good {
				files[name] = text
			}
			got := faultsOf(t, files)
			if len(got) != 1 || !strings.Contains(got[0], c.want) {
				t.Errorf("faults: %q, want one that says %q", got, c.want)
			}
		})
	}
}

func TestAGeneratedFileMayBeLongAndSilent(t *testing.T) {
	text := "// Code generated by a tool. DO NOT EDIT.\n\n// Package docs is generated.\npackage docs\n\nvar Silent int\n" +
		strings.Repeat("\n", longest)
	if got := faultsOf(t, map[string]string{"docs/docs.go": text}); len(got) > 0 {
		t.Errorf("faults: %q", got)
	}
}

func TestStrangersAtTheTopLevelAreSeen(t *testing.T) {
	got := strangers([]string{".ci", "LICENSE", "api", "internal", "notes.md", "pkg"})
	if diff := cmp.Diff([]string{"internal", "notes.md"}, got); diff != "" {
		t.Error(diff)
	}
}

// faultsOf parses a house of the given files and lists its faults.
func faultsOf(t *testing.T, files map[string]string) []string {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	h, err := parse(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return h.faults()
}

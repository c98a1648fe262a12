package archtest_test

import (
	"go/ast"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestEveryThreatHasItsTest holds docs/security.md to its word: each line of
// its table names tests, and they exist.
func TestEveryThreatHasItsTest(t *testing.T) {
	page, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	h, err := parse(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	exists := map[string]bool{}
	for _, f := range h.files {
		for _, decl := range f.syntax.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && f.test && fn.Recv == nil {
				exists[fn.Name.Name] = true
			}
		}
	}
	named, lines := regexp.MustCompile("`((?:Test|Fuzz)\\w+)`"), 0
	for line := range strings.Lines(string(page)) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| what could happen") {
			continue
		}
		lines++
		tests := named.FindAllStringSubmatch(line, -1)
		if len(tests) == 0 {
			t.Errorf("no test answers: %s", line)
		}
		for _, name := range tests {
			if !exists[name[1]] {
				t.Errorf("%s does not exist", name[1])
			}
		}
	}
	if lines < 15 {
		t.Errorf("only %d threats were read", lines)
	}
}

package web_test

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"testing"

	"github.com/protrack/protrack/api/problem"
	"github.com/protrack/protrack/pkg/fault"
)

// faultsOfServices are the files whose faults come back with the forms.
var faultsOfServices = []string{
	"../../pkg/care/client.go", "../../pkg/care/course.go", "../../pkg/care/session.go", "../../pkg/care/assessment.go",
	"../../pkg/care/record.go", "../../pkg/care/consent.go", "../../pkg/instrument/form.go",
}

func TestEveryFaultThatAServiceFindsInAFormIsThereInSpanish(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("words/es/entry.json")
	if err != nil {
		t.Fatal(err)
	}
	var words map[string]string
	if err := json.Unmarshal(data, &words); err != nil {
		t.Fatal(err)
	}
	found := 0
	check := func(file string, e ast.Expr) {
		lit, ok := e.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return
		}
		s, err := strconv.Unquote(lit.Value)
		if err != nil {
			t.Fatal(err)
		}
		if found++; words[s] == "" {
			t.Errorf("%s finds %q: Spanish lacks it", file, s)
		}
	}
	for _, name := range faultsOfServices {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.KeyValueExpr:
				if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Message" {
					check(name, n.Value)
				}
			case *ast.CallExpr: // f.add(pointer, code, message), f.fault(pointer, code, message)
				if sel, ok := n.Fun.(*ast.SelectorExpr); ok && (sel.Sel.Name == "add" || sel.Sel.Name == "fault") && len(n.Args) == 3 {
					check(name, n.Args[2])
				}
			}
			return true
		})
	}
	if found < 40 {
		t.Fatalf("%d faults found: the patterns no longer fit", found)
	}
}

// TestEveryTitleOfAFaultIsThereInSpanish: the page of an error is headed by the
// title of its problem document.
func TestEveryTitleOfAFaultIsThereInSpanish(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("words/es/faults.json")
	if err != nil {
		t.Fatal(err)
	}
	var words map[string]string
	if err := json.Unmarshal(data, &words); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []fault.Kind{
		fault.Malformed, fault.Invalid, fault.Unauthenticated, fault.Forbidden, fault.NotFound, fault.Gone, fault.Conflict, fault.Stale,
		fault.PreconditionRequired, fault.TooLarge, fault.UnsupportedMedia, fault.RateLimited, fault.Unavailable,
	} {
		if title := problem.Of(fault.New(kind, ""), "").Title; words[title] == "" {
			t.Errorf("%s is headed %q: Spanish lacks it", kind, title)
		}
	}
	if ours := problem.Of(errors.New("unforeseen"), ""); words[ours.Title] == "" || words[ours.Detail] == "" {
		t.Errorf("Spanish lacks %q or %q", ours.Title, ours.Detail)
	}
}

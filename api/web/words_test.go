package web_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// said finds the sentences of the templates.
var said = []*regexp.Regexp{
	regexp.MustCompile(`\.T ("(?:[^"\\]|\\.)*")`),
	regexp.MustCompile(`\.(?:Field|Choice) "[^"]*" ("(?:[^"\\]|\\.)*")`),
	regexp.MustCompile(`"hint:((?:[^"\\]|\\.)*")`),
}

// sentences are those that pages say, with where.
func sentences(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, pattern := range []string{"templates/*.html", "templates/parts/*.html"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatal(files, err)
		}
		for _, name := range files {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, found := range said {
				for _, m := range found.FindAllStringSubmatch(string(text), -1) {
					literal := m[1]
					if !strings.HasPrefix(literal, `"`) {
						literal = `"` + literal
					}
					s, err := strconv.Unquote(literal)
					if err != nil {
						t.Fatalf("%s: %s: %v", name, literal, err)
					}
					out[s] = name
				}
			}
		}
	}
	inCode(t, out)
	return out
}

// inCode adds the sentences of the code: what word marks; titles, labels and
// names of places; what has been done; and the faults that pages make.
func inCode(t *testing.T, out map[string]string) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	add := func(name string, e ast.Expr) {
		if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if s, err := strconv.Unquote(lit.Value); err == nil && s != "" {
				out[s] = name
			}
		}
	}
	keys := []string{"Title", "Label", "Name", "Done", "Message"}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.KeyValueExpr:
				if key, ok := n.Key.(*ast.Ident); ok && slices.Contains(keys, key.Name) {
					add(name, n.Value)
				}
			case *ast.AssignStmt:
				if sel, ok := n.Lhs[0].(*ast.SelectorExpr); ok && slices.Contains(keys, sel.Sel.Name) {
					add(name, n.Rhs[0])
				}
			case *ast.CallExpr:
				switch f := n.Fun.(type) {
				case *ast.SelectorExpr:
					if slices.Contains([]string{"T", "done", "New"}, f.Sel.Name) {
						for _, a := range n.Args {
							add(name, a)
						}
					}
				case *ast.Ident:
					if f.Name == "word" {
						add(name, n.Args[0])
					}
				}
			}
			return true
		})
	}
}

// verb is one of a format.
var verb = regexp.MustCompile(`%[+#]?[0-9.]*[a-zA-Z]`)

func TestEverySentenceOfThePagesIsThereInSpanish(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("words/es/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	words, from := map[string]string{}, map[string]string{}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var part map[string]string
		if err := json.Unmarshal(data, &part); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for english, spanish := range part {
			if before, twice := words[english]; twice && before != spanish {
				t.Errorf("%q is %q in %s and %q in %s", english, before, from[english], spanish, name)
			}
			words[english], from[english] = spanish, name
		}
	}
	wanted := sentences(t)
	if len(wanted) < 40 {
		t.Fatalf("%d sentences found: the patterns no longer fit", len(wanted))
	}
	for s, where := range wanted {
		if words[s] == "" {
			t.Errorf("%s says %q: Spanish lacks it", where, s)
		}
	}
	for english, spanish := range words {
		if got, want := verb.FindAllString(spanish, -1), verb.FindAllString(english, -1); strings.Contains(english, "%s") && !slices.Equal(got, want) {
			t.Errorf("%q has %v, %q has %v", english, want, spanish, got)
		}
	}
}

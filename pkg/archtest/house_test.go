package archtest_test

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A house is the Go source of a repository, parsed: every file, whatever its
// build tags, for a rule that holds on one system only is no rule.
type house struct {
	files []*file
}

type file struct {
	path      string // slash-separated, from the top
	dir       string
	test      bool
	generated bool
	lines     int
	syntax    *ast.File
	imports   map[string]string // import path to the name it has in this file
	set       *token.FileSet
}

// parse reads the Go files under fsys, but for those the go command ignores.
func parse(fsys fs.FS) (*house, error) {
	h := &house{}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := d.Name()
		if d.IsDir() {
			if name != "." && (strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "testdata") {
				return fs.SkipDir
			}
			return nil
		}
		if path.Ext(base) != ".go" {
			return nil
		}
		f, err := parseFile(fsys, name)
		h.files = append(h.files, f)
		return err
	})
	return h, err
}

func parseFile(fsys fs.FS, name string) (*file, error) {
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, err
	}
	f := &file{
		path:    name,
		dir:     path.Dir(name),
		test:    strings.HasSuffix(name, "_test.go"),
		lines:   bytes.Count(text, []byte("\n")),
		imports: map[string]string{},
		set:     token.NewFileSet(),
	}
	if f.syntax, err = parser.ParseFile(f.set, name, text, parser.ParseComments|parser.SkipObjectResolution); err != nil {
		return nil, err
	}
	f.generated = ast.IsGenerated(f.syntax)
	for _, spec := range f.syntax.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		f.imports[p] = path.Base(p)
		if spec.Name != nil {
			f.imports[p] = spec.Name.Name
		}
	}
	return f, nil
}

// faults applies every rule to every file, and lists what breaks one, in order.
func (h *house) faults() []string {
	var all []string
	documented := map[string]bool{}
	for _, f := range h.files {
		documented[f.dir] = documented[f.dir] || (!f.test && f.syntax.Doc != nil)
	}
	for dir, ok := range documented {
		all = append(all, places(dir)...)
		if !ok {
			all = append(all, dir+": no package comment")
		}
	}
	for _, f := range h.files {
		for _, rule := range []func(*file) []string{names, floorsHold, testsOnly, fencesHold, bansHold, exportsSpeak, length} {
			for _, fault := range rule(f) {
				all = append(all, f.path+": "+fault)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// places checks that the table knows a directory.
func places(dir string) []string {
	if _, known := floorOf(dir); known || slices.Contains(testOnly, dir) {
		return nil
	}
	return []string{dir + ": not a room of the house; if an issue needs it, add it to floors or testOnly in pkg/archtest/rules_test.go"}
}

// names checks that a package is called for what is in it.
func names(f *file) []string {
	name := strings.TrimSuffix(f.syntax.Name.Name, "_test")
	if slices.Contains(emptyNames, name) || slices.Contains(emptyNames, path.Base(f.dir)) {
		return []string{fmt.Sprintf("package %s is named for nothing that is in it", name)}
	}
	return nil
}

// floorsHold checks that a file of the program imports lower floors only.
func floorsHold(f *file) []string {
	here, known := floorOf(f.dir)
	if f.test || !known {
		return nil // places reports an unknown package, once
	}
	var faults []string
	for _, dir := range f.ours() {
		if there, known := floorOf(dir); known && there >= here {
			faults = append(faults, fmt.Sprintf("imports %s, which is not on a lower floor", dir))
		}
	}
	return faults
}

// testsOnly checks that what serves tests is imported by tests.
func testsOnly(f *file) []string {
	if f.test || slices.Contains(testOnly, f.dir) {
		return nil
	}
	var faults []string
	for _, dir := range f.ours() {
		if slices.Contains(testOnly, dir) {
			faults = append(faults, fmt.Sprintf("imports %s, which serves tests only", dir))
		}
	}
	return faults
}

func fencesHold(f *file) []string {
	if f.test {
		return nil
	}
	var faults []string
	for _, fence := range fences {
		if within(f.dir, fence.inside) {
			continue
		}
		for _, imported := range slices.Sorted(maps.Keys(f.imports)) {
			if slices.ContainsFunc(fence.around, func(root string) bool { return below(imported, root) }) {
				faults = append(faults, fmt.Sprintf("imports %s: %s", imported, fence.why))
			}
		}
	}
	return faults
}

func bansHold(f *file) []string {
	if f.test {
		return nil
	}
	var faults []string
	for _, ban := range bans {
		local, imported := f.imports[ban.pkg]
		if !imported || within(f.dir, ban.inside) {
			continue
		}
		if local == "." {
			faults = append(faults, fmt.Sprintf("dot-imports %s, which hides calls of it", ban.pkg))
			continue
		}
		for n := range ast.Preorder(f.syntax) {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok || !slices.Contains(ban.names, sel.Sel.Name) {
				continue
			}
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == local {
				faults = append(faults, fmt.Sprintf("line %d: %s.%s: %s", f.line(sel), ban.pkg, sel.Sel.Name, ban.why))
			}
		}
	}
	return faults
}

// exportsSpeak checks that each exported name has a comment. The comment of a
// group speaks for its constants or variables, but not for its types.
func exportsSpeak(f *file) []string {
	if f.test || f.generated {
		return nil
	}
	var faults []string
	silent := func(n ast.Node, name string) {
		faults = append(faults, fmt.Sprintf("line %d: exported %s has no comment", f.line(n), name))
	}
	for _, decl := range f.syntax.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			if name, exported := exportedFunc(decl); exported && decl.Doc == nil {
				silent(decl, name)
			}
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					if spec.Name.IsExported() && spec.Doc == nil && (decl.Lparen.IsValid() || decl.Doc == nil) {
						silent(spec, spec.Name.Name)
					}
				case *ast.ValueSpec:
					for _, name := range spec.Names {
						if name.IsExported() && cmp.Or(spec.Doc, spec.Comment, decl.Doc) == nil {
							silent(spec, name.Name)
						}
					}
				}
			}
		}
	}
	return faults
}

// exportedFunc gives the name of a function, or of a method with its type, and
// whether it can be seen from outside.
func exportedFunc(decl *ast.FuncDecl) (string, bool) {
	name := decl.Name.Name
	if decl.Recv == nil || len(decl.Recv.List) == 0 {
		return name, decl.Name.IsExported()
	}
	for n := range ast.Preorder(decl.Recv.List[0].Type) {
		if receiver, ok := n.(*ast.Ident); ok { // the type itself comes before its parameters
			return receiver.Name + "." + name, receiver.IsExported() && decl.Name.IsExported()
		}
	}
	return name, false
}

func length(f *file) []string {
	if f.generated || f.lines <= longest {
		return nil
	}
	return []string{fmt.Sprintf("%d lines, more than %d: is it one room?", f.lines, longest)}
}

// strangers gives the entries of the top level that do not belong there.
func strangers(entries []string) []string {
	return slices.DeleteFunc(slices.Clone(entries), func(e string) bool {
		return strings.HasPrefix(e, ".") || slices.Contains(topLevel, e)
	})
}

// floorOf gives the height of a package, the lowest floor being 0.
func floorOf(dir string) (int, bool) {
	for i, floor := range floors {
		if slices.Contains(floor, dir) {
			return len(floors) - 1 - i, true
		}
	}
	return 0, false
}

// ours gives the directories of this module that a file imports.
func (f *file) ours() []string {
	var dirs []string
	for imported := range f.imports {
		if dir, ok := strings.CutPrefix(imported, module+"/"); ok {
			dirs = append(dirs, dir)
		}
	}
	slices.Sort(dirs)
	return dirs
}

func (f *file) line(n ast.Node) int { return f.set.Position(n.Pos()).Line }

// within reports whether one of the patterns names dir.
func within(dir string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		root, all := strings.CutSuffix(p, "/...")
		return dir == root || (all && below(dir, root))
	})
}

// below reports whether a path is root or under it.
func below(p, root string) bool {
	return p == root || strings.HasPrefix(p, root+"/")
}

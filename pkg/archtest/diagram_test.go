package archtest_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The diagram in docs/architecture.md shows every package of the program and
// every import between two of them, except one that another path of the
// diagram implies already.
func TestTheDiagramIsTheCode(t *testing.T) {
	h, err := parse(os.DirFS(root))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(withoutDetours(imports(h)), drawn(string(text))); diff != "" {
		t.Errorf("docs/architecture.md does not show the imports (-code +diagram):\n%s", diff)
	}
}

func TestADetourIsLeftOut(t *testing.T) {
	got := withoutDetours(map[string][]string{"a": {"b", "c"}, "b": {"c"}, "c": nil})
	want := map[string][]string{"a": {"b"}, "b": {"c"}, "c": {}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// imports gives the packages of the program and what each imports of them.
func imports(h *house) map[string][]string {
	out := map[string][]string{}
	for _, f := range h.files {
		if f.test || within(f.dir, testOnly) || f.dir == "docs/openapi" {
			continue
		}
		out[f.dir] = append(out[f.dir], f.ours()...)
	}
	for dir, list := range out {
		slices.Sort(list)
		out[dir] = slices.Compact(list)
	}
	return out
}

// withoutDetours drops the imports that a longer path implies.
func withoutDetours(graph map[string][]string) map[string][]string {
	reach := map[string]map[string]bool{}
	var visit func(string) map[string]bool
	visit = func(dir string) map[string]bool {
		if reach[dir] == nil {
			reach[dir] = map[string]bool{}
			for _, next := range graph[dir] {
				reach[dir][next] = true
				maps.Copy(reach[dir], visit(next))
			}
		}
		return reach[dir]
	}
	out := map[string][]string{}
	for dir, list := range graph {
		out[dir] = slices.DeleteFunc(slices.Clone(list), func(next string) bool {
			return slices.ContainsFunc(list, func(other string) bool { return other != next && visit(other)[next] })
		})
		if out[dir] == nil {
			out[dir] = []string{}
		}
	}
	return out
}

var (
	box   = regexp.MustCompile(`(?m)^\s*(\w+)\["([\w/]+)<br/>`)
	arrow = regexp.MustCompile(`(?m)^\s*(\w+) --> (\w+(?: & \w+)*)$`)
)

// drawn reads the boxes and arrows of the diagram.
func drawn(text string) map[string][]string {
	dir, out := map[string]string{}, map[string][]string{}
	for _, m := range box.FindAllStringSubmatch(text, -1) {
		dir[m[1]] = m[2]
		out[m[2]] = []string{}
	}
	for _, m := range arrow.FindAllStringSubmatch(text, -1) {
		for to := range strings.SplitSeq(m[2], " & ") {
			out[dir[m[1]]] = append(out[dir[m[1]]], dir[to])
		}
	}
	for from := range out {
		slices.Sort(out[from])
	}
	return out
}

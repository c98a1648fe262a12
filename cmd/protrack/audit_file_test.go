package main_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
)

// exported is a file of exported entries, as its lines.
type exported struct {
	*recorded
	t     *testing.T
	lines []string
	one   int64
}

// at is where the line of an entry stands.
func (x *exported) at(seq int64) int {
	x.t.Helper()
	i := slices.IndexFunc(x.lines, func(l string) bool { return strings.HasPrefix(l, fmt.Sprintf(`{"entry":{"seq":%d,`, seq)) })
	if i < 0 {
		x.t.Fatalf("the file has no entry %d", seq)
	}
	return i
}

// replace changes what an expression finds in an entry's line.
func (x *exported) replace(seq int64, expression, with string) {
	x.t.Helper()
	i := x.at(seq)
	changed := regexp.MustCompile(expression).ReplaceAllString(x.lines[i], with)
	if changed == x.lines[i] {
		x.t.Fatalf("%s changes nothing of %s", expression, changed)
	}
	x.lines[i] = changed
}

// write writes the entries anew, as the program would, with their checkpoints.
func (x *exported) write(chain []audit.Sealed, checkpoints []string) {
	x.t.Helper()
	var b bytes.Buffer
	entries := func(yield func(audit.Sealed, error) bool) {
		for _, s := range chain {
			if !yield(s, nil) {
				return
			}
		}
	}
	if err := audit.WriteExport(&b, x.clinic, time.Now(), entries, checkpoints, nil); err != nil {
		x.t.Fatal(err)
	}
	x.lines = slices.Collect(strings.Lines(b.String()))
}

// relinked is the chain with one entry changed and all hashes as they would be.
func (x *exported) relinked() ([]audit.Sealed, []string) {
	chain, checkpoints := sealedOf(x.t, x.database, x.clinic)
	entries := make([]audit.Entry, len(chain))
	for i, s := range chain {
		entries[i] = s.Entry
	}
	entries[x.one-1].Address = "203.0.113.9"
	forged, _ := audit.Head{Clinic: x.clinic}.Link(entries, time.Now())
	return forged, checkpoints
}

// fileTampering is a tampering with an exported file.
type fileTampering struct {
	do   func(x *exported)
	kind string
	seq  int64
	kept bool
}

// fileTamperings are all that are tried.
func fileTamperings(one, half, n int64) map[string]fileTampering {
	all := map[string]fileTampering{}
	for member, value := range map[string]string{
		"id": uuid.NewString(), "at": "2026-01-02T03:04:05.000006Z", "actor": uuid.NewString(), "actor_kind": "system", "role": "owner", "address": "203.0.113.9",
		"request": "another", "action": "client.read", "outcome": "refused", "target": "course", "target_id": uuid.NewString(), "client": uuid.NewString(),
		"hash": strings.Repeat("0", 64), "reason": "A", "field": "status",
	} {
		all["altered: "+member] = fileTampering{func(x *exported) {
			if member == "reason" { // an amendment's entry has none; one is put in
				x.replace(one, `"details":\{(.*)\}\}\}`, `"details":{${1},"reason":"A"}}}`)
				return
			}
			x.replace(one, `"`+member+`":"[^"]*"`, `"`+member+`":"`+value+`"`)
		}, "ALTERED", one, false}
	}
	maps.Copy(all, map[string]fileTampering{
		"removed":   {func(x *exported) { i := x.at(one); x.lines = slices.Delete(x.lines, i, i+1) }, "REMOVED", one, false},
		"reordered": {func(x *exported) { i := x.at(one); x.lines[i], x.lines[i+2] = x.lines[i+2], x.lines[i] }, "REORDERED", one, false},
		"re-inserted at the end": {func(x *exported) {
			i, last := x.at(one), len(x.lines)-1
			x.lines = slices.Concat(x.lines[:i], x.lines[i+1:last], x.lines[i:i+1], x.lines[last:])
		}, "REORDERED", one, false},
		"twice":                    {func(x *exported) { i := x.at(one); x.lines = slices.Insert(x.lines, i, x.lines[i]) }, "INSERTED", one, false},
		"truncated":                {func(x *exported) { x.lines = x.lines[:x.at(n-2)] }, "TRUNCATED", n - 2, false},
		"truncated before its end": {func(x *exported) { i := x.at(n - 2); x.lines = slices.Delete(x.lines, i, i+3) }, "TRUNCATED", n - 2, false},
		"truncated, and written anew": {func(x *exported) {
			chain, checkpoints := sealedOf(x.t, x.database, x.clinic)
			x.write(chain[:half], checkpoints[:slices.IndexFunc(checkpoints, func(c string) bool { return strings.Contains(c, fmt.Sprintf("\n%d\n", half)) })+1])
		}, "TRUNCATED", half + 1, true},
		"relinked": {func(x *exported) { x.write(x.relinked()) }, "CHECKPOINT", n, false},
		"relinked, without the checkpoints": {func(x *exported) {
			chain, _ := x.relinked()
			x.write(chain, nil)
		}, "CHECKPOINT", n, true},
	})
	return all
}

func (r *recorded) everyTamperingOfAFileIsFound(t *testing.T) {
	one := r.forger(t).one
	file := filepath.Join(t.TempDir(), "audit.ndjson")
	database := r.copied(t, r.database)
	command(t, r.env(database), "audit", "export", "-o", file).want(t)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	// The file is checked by itself: there is no database.
	verify := func(t *testing.T, lines []string, args ...string) result {
		t.Helper()
		path := filepath.Join(t.TempDir(), "audit.ndjson")
		if err := os.WriteFile(path, []byte(strings.Join(lines, "")), 0o600); err != nil {
			t.Fatal(err)
		}
		public := strings.TrimSpace(command(t, r.env(database), "audit", "key").want(t).out)
		return command(t, nil, append([]string{"audit", "verify", "--file", path, "--key", public}, args...)...)
	}
	lines := slices.Collect(strings.Lines(string(text)))
	for _, args := range [][]string{nil, {"--checkpoints", r.kept}} {
		if got := verify(t, lines, args...).want(t); !strings.Contains(got.out, fmt.Sprintf("signed checkpoints say so up to entry %d.", r.entries)) {
			t.Errorf("the file as it was written: %s", got.out)
		}
	}
	all := fileTamperings(one, r.half, r.entries)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		t.Run(name, func(t *testing.T) {
			c := all[name]
			x := &exported{recorded: r, t: t, lines: slices.Clone(lines), one: one}
			c.do(x)
			if !c.kept {
				found(t, verify(t, x.lines), c.kind, c.seq)
				return
			}
			if got := verify(t, x.lines); got.code != 0 {
				t.Errorf("without the checkpoints that were kept: exit code %d: %s%s", got.code, got.out, got.err)
			}
			found(t, verify(t, x.lines, "--checkpoints", r.kept), c.kind, c.seq)
		})
	}
}

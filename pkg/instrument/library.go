package instrument

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"

	"github.com/protrack/protrack/pkg/fault"
)

//go:embed definitions/*.json
var definitions embed.FS

// Library holds the instruments that a clinic can use. It does not change
// after it is made, so that any number of goroutines may read it.
type Library struct {
	versions map[string][]*Definition // by id, the newest first
}

// builtIn parses the files of this package once; they are the same in every
// process, so nothing is shared that could differ.
var builtIn = sync.OnceValues(func() ([]source, error) {
	sub, err := fs.Sub(definitions, "definitions")
	if err != nil {
		return nil, err
	}
	return readAll(sub)
})

// source is a definition with the name of its file.
type source struct {
	file string
	*Definition
}

// Embedded gives the instruments that ship with the program. It panics when
// one of them is faulty, which the tests of this package exclude.
func Embedded() *Library {
	l, err := Load()
	if err != nil {
		panic(fmt.Sprintf("instrument: %v", err))
	}
	return l
}

// Load gives the instruments that ship with the program and those of every
// *.json file at the top of the given directories. Faulty files give a
// *fault.Error of kind Invalid that lists the faults of all of them, with
// pointers such as "mine.json#/bands/0/from". The same id and version may
// stand twice only with the same content, and no item or subscale id may
// belong to two instruments, because they are the columns of exports.
func Load(clinic ...fs.FS) (*Library, error) {
	all, err := builtIn()
	if err != nil {
		return nil, err
	}
	all = slices.Clone(all)
	var details []fault.Detail
	for _, dir := range clinic {
		read, err := readAll(dir)
		if faults, ok := errors.AsType[*fault.Error](err); ok {
			details = append(details, faults.Details...)
		} else if err != nil {
			return nil, err
		}
		all = append(all, read...)
	}
	l := &Library{versions: map[string][]*Definition{}}
	details = append(details, l.add(all)...)
	if len(details) > 0 {
		return nil, fault.New(fault.Invalid, "Some instrument files are not valid.", details...)
	}
	return l, nil
}

// readAll parses the *.json files of a directory. The files that are sound
// are returned beside the faults of the others.
func readAll(dir fs.FS) ([]source, error) {
	names, err := fs.Glob(dir, "*.json") // sorted
	if err != nil {
		return nil, fmt.Errorf("instrument: list files: %w", err)
	}
	var all []source
	var details []fault.Detail
	for _, name := range names {
		data, err := readFile(dir, name)
		if err != nil {
			return nil, fmt.Errorf("instrument: read %s: %w", name, err)
		}
		d, err := Parse(data)
		if err == nil {
			all = append(all, source{name, d})
			continue
		}
		faults, ok := errors.AsType[*fault.Error](err)
		if !ok {
			return nil, fmt.Errorf("instrument: parse %s: %w", name, err)
		}
		if len(faults.Details) == 0 {
			details = append(details, fault.Detail{Pointer: name, Code: string(faults.Kind), Message: faults.Message})
		}
		for _, f := range faults.Details {
			f.Pointer = name + "#" + f.Pointer
			details = append(details, f)
		}
	}
	return all, fault.InvalidIf(details)
}

// readFile reads no more of a file than Parse accepts.
func readFile(dir fs.FS, name string) ([]byte, error) {
	f, err := dir.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxFile+1))
}

// add takes the definitions in, in order, and names those that clash.
func (l *Library) add(all []source) (details []fault.Detail) {
	owner := map[string]string{} // item or subscale id -> instrument
	for _, s := range all {
		if same, err := l.GetVersion(s.ID, s.Version); err == nil {
			if !identical(same, s.Definition) {
				details = append(details, fault.Detail{Pointer: s.file + "#/version", Code: "version_taken",
					Message: s.ID + " " + s.Version + " exists with other content; a change needs a new version."})
			}
			continue
		}
		for _, c := range columns(s.Definition) {
			if o, ok := owner[c.id]; ok && o != s.ID {
				details = append(details, fault.Detail{Pointer: s.file + "#" + c.pointer, Code: "id_taken",
					Message: "The id " + c.id + " belongs to " + o + "."})
				continue
			}
			owner[c.id] = s.ID
		}
		l.versions[s.ID] = append(l.versions[s.ID], s.Definition)
		slices.SortFunc(l.versions[s.ID], func(a, b *Definition) int { return -compareVersions(a.Version, b.Version) })
	}
	return details
}

type column struct{ id, pointer string }

func columns(d *Definition) []column {
	var out []column
	for i, it := range d.Items {
		out = append(out, column{it.ID, "/items/" + strconv.Itoa(i) + "/id"})
	}
	for i, s := range d.Subscales {
		out = append(out, column{s.ID, "/subscales/" + strconv.Itoa(i) + "/id"})
	}
	return out
}

// identical compares what the two files say, not how they are laid out.
func identical(a, b *Definition) bool {
	x, errX := json.Marshal(a, json.Deterministic(true))
	y, errY := json.Marshal(b, json.Deterministic(true))
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// compareVersions orders checked versions: 1.10.0 comes after 1.9.0.
func compareVersions(a, b string) int {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	return slices.CompareFunc(x, y, func(m, n string) int {
		// Both are decimals without leading zeros, so the longer is the greater.
		if len(m) != len(n) {
			return len(m) - len(n)
		}
		return strings.Compare(m, n)
	})
}

// Get gives the newest version of an instrument, or a *fault.Error of kind
// NotFound.
func (l *Library) Get(id string) (*Definition, error) {
	if v := l.versions[id]; len(v) > 0 {
		return v[0], nil
	}
	return nil, fault.New(fault.NotFound, "There is no such instrument.")
}

// GetVersion gives one version of an instrument, as stored with a score, or a
// *fault.Error of kind NotFound.
func (l *Library) GetVersion(id, version string) (*Definition, error) {
	for _, d := range l.versions[id] {
		if d.Version == version {
			return d, nil
		}
	}
	return nil, fault.New(fault.NotFound, "There is no such version of the instrument.")
}

// Versions gives every version of an instrument, the newest first; none of one
// that is not known.
func (l *Library) Versions(id string) []*Definition { return slices.Clone(l.versions[id]) }

// All gives the newest version of every instrument, sorted by id.
func (l *Library) All() []*Definition {
	var all []*Definition
	for _, id := range slices.Sorted(maps.Keys(l.versions)) {
		all = append(all, l.versions[id][0])
	}
	return all
}

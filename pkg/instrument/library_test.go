package instrument_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/instrument"
)

func file(data []byte) *fstest.MapFile { return &fstest.MapFile{Data: data} }

func ids(all []*instrument.Definition) (out []string) {
	for _, d := range all {
		out = append(out, d.ID+" "+d.Version)
	}
	return out
}

func TestTheBuiltInInstruments(t *testing.T) {
	want := []string{
		"audit-c 1.0.0", "dast-10 1.0.0", "gad-2 1.0.0", "gad-7 1.0.0", "pc-ptsd-5 1.0.0", "pcl-5 1.0.0",
		"phq-15 1.0.0", "phq-2 1.0.0", "phq-8 1.0.0", "phq-9 1.0.0", "who-5 1.0.0",
	}
	if d := cmp.Diff(want, ids(instrument.Embedded().All())); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if _, err := instrument.Embedded().Get("phq-99"); !fault.Is(err, fault.NotFound) {
		t.Errorf("Get(phq-99): %v", err)
	}
	if _, err := instrument.Embedded().GetVersion("phq-9", "2.0.0"); !fault.Is(err, fault.NotFound) {
		t.Errorf("GetVersion(phq-9, 2.0.0): %v", err)
	}
}

func TestSeveralVersionsOfAnInstrumentStandSideBySide(t *testing.T) {
	l, err := instrument.Load(fstest.MapFS{
		"a.json":        file(edit{"/version": "1.9.0"}.apply(t, "phq-9")),
		"b.json":        file(edit{"/version": "1.10.0"}.apply(t, "phq-9")),
		"c.json":        file(readDefinition(t, "phq-9")), // the built-in one again
		"who.json":      file(edit{"/version": "1.0.1", "/licence/permission": "Clinic licence 12 of 2026", "/items/0/text": "Licensed text"}.apply(t, "who-5")),
		"notes.txt":     file([]byte("not read")),
		"sub/else.json": file([]byte("not read")),
	})
	if err != nil {
		t.Fatal(err)
	}
	if newest, err := l.Get("phq-9"); err != nil || newest.Version != "1.10.0" {
		t.Errorf("the newest of 1.10.0, 1.9.0 and 1.0.0 is %v, %v", newest.Version, err)
	}
	for _, id := range []string{"phq-9", "who-5"} {
		newest, err := l.Get(id)
		if err != nil || newest.Version == "1.0.0" {
			t.Errorf("Get(%s) gives %v, %v", id, newest.Version, err)
		}
		if old, err := l.GetVersion(id, "1.0.0"); err != nil || old.Version != "1.0.0" {
			t.Errorf("GetVersion(%s, 1.0.0): %v", id, err)
		}
	}
}

func TestFaultyFilesAreRefusedWithTheirNames(t *testing.T) {
	mine := edit{"/id": "my-2", "/scoring/rule": "my-2-sum-1", "/items/0/id": "my2_1"}
	_, err := instrument.Load(fstest.MapFS{
		"bad.json":    file(edit{"/id": "x", "/version": "1", "/bands/1/from": 0}.apply(t, "gad-7")),
		"broken.json": file([]byte(`{"id": `)),
		"big.json":    file(make([]byte, 2<<20)),
		"same.json":   file(edit{"/title": "Other"}.apply(t, "phq-9")),
		"steals.json": file(mine.apply(t, "phq-2")),
	})
	if !fault.Is(err, fault.Invalid) {
		t.Fatalf("error %v, want Invalid", err)
	}
	want := []string{
		"bad.json#/version bad_version", "bad.json#/bands/1/from not_ascending", "big.json too_large", "broken.json#/id syntax",
		"same.json#/version version_taken", "steals.json#/items/1/id id_taken",
	}
	if d := cmp.Diff(want, faults(t, err)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if !strings.Contains(err.Error(), "bad.json#/version") {
		t.Errorf("the message %q does not name the file", err)
	}
}

func TestTwoClinicFilesMayNotClash(t *testing.T) {
	one := edit{"/id": "my-2", "/items/0/id": "my2_1", "/items/1/id": "my2_2"}
	other := edit{"/id": "my-2", "/items/0/id": "my2_1", "/items/1/id": "my2_2", "/title": "Mine"}
	_, err := instrument.Load(fstest.MapFS{"a.json": file(one.apply(t, "phq-2"))}, fstest.MapFS{"b.json": file(other.apply(t, "phq-2"))})
	if d := cmp.Diff([]string{"b.json#/version version_taken"}, faults(t, err)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

// brokenDir is a directory that cannot be read.
type brokenDir struct{ fstest.MapFS }

var errDisk = errors.New("disk is gone")

func (brokenDir) Open(string) (fs.File, error) { return nil, errDisk }

func TestADirectoryThatCannotBeReadIsNotAFault(t *testing.T) {
	_, err := instrument.Load(brokenDir{fstest.MapFS{"a.json": file(nil)}})
	if !errors.Is(err, errDisk) || fault.KindOf(err) != "" {
		t.Errorf("error %v, want the disk's", err)
	}
}

//go:build unix

package research_test

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/export"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/instrument"
	"github.com/protrack/protrack/pkg/research"
)

// secretName is a name that no log may have.
const secretName = "named-for-nobody"

// warnings are the entries of a log of level WARN, as its readers search them.
func warnings(t *testing.T, log *bytes.Buffer) []map[string]any {
	t.Helper()
	var out []map[string]any
	for line := range strings.Lines(log.String()) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		if entry["level"] == "WARN" {
			delete(entry, "time")
			out = append(out, entry)
		}
	}
	return out
}

// formats whose bytes a snapshot promises, and those of which the writer's name
// is a part.
var packaged = []export.Format{export.CSV, export.NDJSON, export.Stata, export.SPSS, export.Parquet, export.XLSX}

func TestANewerProgramMakesTheSamePackageOfASnapshot(t *testing.T) {
	each(t, func(t *testing.T, c study) {
		public, log := c.signing(t), c.logging()
		c.record(t, form(c.person(t, care.Client{}).ID, "gad-7", day(1), 1))
		for _, format := range packaged {
			snap := c.freeze(t, "first-"+string(format), research.Request{Format: format})
			_, first := c.pull(t, snap.ID, "protrack test")
			_, newer := c.pull(t, snap.ID, nextProgram)
			if v := verified(t, first, public); !bytes.Equal(first, newer) || v.Differs != nil || v.Repacked || v.Program != "protrack test" {
				t.Errorf("%s: the newer program's package is another", format)
			}
		}
		if w := warnings(t, log); len(w) > 0 {
			t.Errorf("it warns of %v", w)
		}
	})
}

func TestASnapshotThatBecomesAnotherSaysSo(t *testing.T) {
	each(t, func(t *testing.T, c study) {
		public := c.signing(t)
		c.record(t, form(c.person(t, care.Client{}).ID, "gad-7", day(1), 1))
		snap := c.freeze(t, secretName, research.Request{Format: export.CSV})
		_, first := c.pull(t, snap.ID, "protrack test")
		log := c.logging()
		_, other := c.pull(t, snap.ID, nextProgram, otherwise)
		v := verified(t, other, public)
		files := []string{"codebook.csv", "codebook.json", "datapackage.json", "read.R", "read.py"}
		if diff := cmp.Diff(&research.Difference{FirstProgram: "protrack test", Files: files}, v.Differs); diff != "" || v.Program != nextProgram || v.Repacked {
			t.Errorf("%s wrote it (-want +got):\n%s", v.Program, diff)
		}
		want := []map[string]any{{
			"level": "WARN", "msg": "a snapshot is no longer what it was first, and nobody has withdrawn", "snapshot": snap.ID.String(),
			"first_program": "protrack test", "program": nextProgram, "files": []any{"codebook.csv", "codebook.json", "datapackage.json", "read.R", "read.py"},
		}}
		if diff := cmp.Diff(want, warnings(t, log)); diff != "" || strings.Contains(log.String(), secretName) {
			t.Errorf("the log is %s (-want +got):\n%s", log, diff)
		}
		if _, again := c.pull(t, snap.ID, nextProgram, otherwise); !bytes.Equal(other, again) {
			t.Error("the same program's second package is another")
		}
		if _, back := c.pull(t, snap.ID, "protrack test"); !bytes.Equal(first, back) {
			t.Error("the first program's package is another")
		}
		kept, err := c.Research.Snapshot(ctx, c.Who, snap.ID)
		if err != nil || string(kept.Manifest) != members(t, first)["manifest.json"] {
			t.Errorf("%v: the manifest that is kept is not the first one", err)
		}
	})
}

// TestAManifestThatAloneIsAnotherSaysSo is of a program whose manifests were of
// another form.
func TestAManifestThatAloneIsAnotherSaysSo(t *testing.T) {
	each(t, func(t *testing.T, c study) {
		public, log := c.signing(t), c.logging()
		snap := c.freeze(t, "first", research.Request{Format: export.CSV})
		old := c.remembering(remembered{change: func(s *research.Snapshot) {
			s.Manifest = bytes.Replace(s.Manifest, []byte("\n  "), []byte("\n    "), 1)
		}})
		_, file := old.pull(t, snap.ID, nextProgram)
		v := verified(t, file, public)
		if v.Differs == nil || len(v.Differs.Files) > 0 || !strings.Contains(members(t, file)["manifest.json"], `"files": []`) {
			t.Errorf("it says %+v", v.Differs)
		}
		if w := warnings(t, log); len(w) != 1 {
			t.Errorf("it warns of %v", w)
		}
	})
}

func TestASnapshotThatIsPackedOtherwiseSaysSo(t *testing.T) {
	each(t, func(t *testing.T, c study) {
		public := c.signing(t)
		c.record(t, form(c.person(t, care.Client{}).ID, "gad-7", day(1), 1))
		snap := c.freeze(t, secretName, research.Request{Format: export.CSV})
		_, first := c.pull(t, snap.ID, "protrack test")
		log := c.logging()
		old := c.remembering(remembered{change: resealed})
		_, file := old.pull(t, snap.ID, nextProgram)
		if v := verified(t, file, public); !v.Repacked || v.Differs != nil || bytes.Equal(first, file) {
			t.Errorf("it says %+v", v)
		}
		if diff := cmp.Diff(members(t, first), members(t, file)); diff != "" {
			t.Errorf("its files are others:\n%s", diff)
		}
		want := []map[string]any{{
			"level": "WARN", "msg": "a snapshot is packed otherwise than it was first", "snapshot": snap.ID.String(),
			"first_program": "protrack test", "program": nextProgram,
		}}
		if diff := cmp.Diff(want, warnings(t, log)); diff != "" || strings.Contains(log.String(), secretName) {
			t.Errorf("the log is %s (-want +got):\n%s", log, diff)
		}
		if _, again := old.pull(t, snap.ID, nextProgram); !bytes.Equal(file, again) {
			t.Error("the same program's second package is another")
		}
	})
}

// TestWhoHasWithdrawnIsNoFaultOfTheProgram: the manifest names them, and the
// program that wrote it.
func TestWhoHasWithdrawnIsNoFaultOfTheProgram(t *testing.T) {
	each(t, func(t *testing.T, c study) {
		public, log := c.signing(t), c.logging()
		stays, goes := c.person(t, care.Client{}).ID, c.person(t, care.Client{Sex: instrument.Male}).ID
		c.record(t, form(stays, "gad-7", day(1), 1), form(goes, "gad-7", day(1), 2))
		for _, format := range packaged {
			snap := c.freeze(t, "first-"+string(format), research.Request{Format: format})
			c.says(t, goes, care.Withdrawn)
			_, file := c.pull(t, snap.ID, nextProgram)
			if v := verified(t, file, public); v.Program != nextProgram || v.Differs != nil || len(v.Withdrawn) != 1 || v.Rows != 1 {
				t.Errorf("%s: %+v", format, v)
			}
			if _, again := c.pull(t, snap.ID, nextProgram); !bytes.Equal(file, again) {
				t.Errorf("%s: the second package is another", format)
			}
			c.says(t, goes, care.Granted)
		}
		if w := warnings(t, log); len(w) > 0 {
			t.Errorf("it warns of %v", w)
		}
	})
}

func TestANameThatIsTakenIsFoundBeforeTheRecordIsRead(t *testing.T) {
	each(t, func(t *testing.T, c study) {
		c.signing(t)
		c.freeze(t, "taken", research.Request{})
		settled := 0
		counting := c.remembering(remembered{settle: func() { settled++ }})
		take := func(c study, name string) error {
			_, outcome, err := c.Research.TakeSnapshot(ctx, c.Who, uuid.Nil, name, research.Request{}, "protrack test")
			if (err == nil) != (outcome == care.Created) {
				t.Errorf("%s: %v, %v", name, outcome, err)
			}
			return err
		}
		if err := take(counting, "taken"); !fault.Is(err, fault.Conflict) || settled != 0 {
			t.Errorf("%v, after the record was waited for %d times", err, settled)
		}
		if err := take(counting, "free"); err != nil || settled == 0 {
			t.Errorf("%v, after the record was waited for %d times", err, settled)
		}
		looks := 0
		late := c.remembering(remembered{named: func(_ string, is bool) bool { looks++; return is && looks > 1 }})
		if err := take(late, "taken"); !fault.Is(err, fault.Conflict) || looks != 2 {
			t.Errorf("a name that is taken meanwhile: %v, after %d looks", err, looks)
		}
	})
}

// overtaken is a store in which somebody else founds each project between the
// look for it and its founding.
type overtaken struct {
	research.Store
	noted *[]audit.Entry
}

func (s overtaken) Conduct(ctx context.Context, who auth.Principal, fn func(research.Tx) error) error {
	return s.Store.Conduct(ctx, who, func(tx research.Tx) error { return fn(overtakenTx{tx, s, map[string]bool{}}) })
}

type overtakenTx struct {
	research.Tx
	store  overtaken
	looked map[string]bool
}

func (tx overtakenTx) Project(ctx context.Context, who auth.Principal, name string) (research.Project, error) {
	if !tx.looked[name] {
		tx.looked[name] = true
		return research.Project{}, fault.New(fault.NotFound, "There is no such project.")
	}
	return tx.Tx.Project(ctx, who, name)
}

func (tx overtakenTx) Note(entries ...audit.Entry) {
	*tx.store.noted = append(*tx.store.noted, entries...)
	tx.Tx.Note(entries...)
}

func TestAProjectIsNotedByWhoFoundsItAlone(t *testing.T) {
	each(t, func(t *testing.T, c study) {
		var noted []audit.Entry
		c.Research.Store = overtaken{c.Research.Store, &noted}
		client := c.person(t, care.Client{}).ID
		c.record(t, form(client, "gad-7", day(1), 1))
		founded := func() (names []string) {
			for _, e := range noted {
				if e.Action == "project.create" {
					names = append(names, e.Details.Note["project"])
				}
			}
			noted = nil
			return names
		}
		ask := research.Request{Profile: research.Deidentified, Project: "sleep"}
		first := c.read(t, ask)
		if names := founded(); !slices.Contains(names, "sleep") {
			t.Errorf("who founded it: %v", names)
		}
		second := c.read(t, ask)
		if names := founded(); len(names) > 0 {
			t.Errorf("who was overtaken: %v", names)
		}
		if diff := cmp.Diff(first.texts("client"), second.texts("client")); diff != "" {
			t.Errorf("the pseudonyms are others:\n%s", diff)
		}
	})
}

//go:build unix

package research_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/export"
	"github.com/protrack/protrack/pkg/instrument"
	"github.com/protrack/protrack/pkg/research"
)

// The golden packages are of a snapshot that this program took, and pulled when
// something had happened to it.
const (
	goldenFolder = "testdata/snapshots"
	firstProgram = "protrack 1.0.0"
	nextProgram  = "protrack 2.0.0"
)

// fixedID is an id of the golden snapshots.
func fixedID(n int) uuid.UUID {
	return uuid.MustParse(fmt.Sprintf("01970000-0000-7000-8000-%012d", n))
}

// fixed is a study in which nothing is left to chance: ids, times and secrets
// are the same each time, and so is what two clients have answered.
func fixed(t *testing.T, c study) (public string) {
	t.Helper()
	now := day(0)
	c.Care.Now = func() time.Time { return now }
	c.Research.Now = c.Care.Now
	c.Research.NewSecret = func() []byte { return bytes.Repeat([]byte("golden"), 6)[:32] }
	c.Clock.Set(now.Add(-time.Hour)) // when people agree
	public = c.signing(t)
	for i := range 2 {
		p := c.person(t, care.Client{ID: fixedID(10 * i), Sex: instrument.Female, BirthYear: new(1980 + i)})
		course := c.course(t, care.Course{ID: fixedID(10*i + 1), ClientID: p.ID, Indication: "depression", StartedOn: "2026-01-02"})
		ses := c.session(t, care.Session{
			ID: fixedID(10*i + 2), ClientID: p.ID, CourseID: &course.ID, Kind: care.Dosing, StartedAt: day(1),
			Medicine: &care.Medicine{Substance: "ketamine", Route: care.Intramuscular, DoseMG: 62.5},
		})
		before := of(form(p.ID, "gad-2", day(1).Add(-time.Hour), 2+i), ses, care.BeforeIt)
		after := of(form(p.ID, "gad-2", day(1).Add(time.Hour), i), ses, care.AfterIt)
		before.ID, after.ID = fixedID(10*i+3), fixedID(10*i+4)
		after.Answers["gad2_2"] = nil
		now = day(3)
		c.record(t, before, after)
		now = day(0)
	}
	now = day(4)
	return public
}

// take freezes the answers in a format.
func (c study) take(t *testing.T, format export.Format) research.Snapshot {
	t.Helper()
	snap, _, err := c.Research.TakeSnapshot(ctx, c.Who, uuid.Nil, "golden-"+string(format), research.Request{Format: format}, firstProgram)
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

// otherwise is the way of a program that has another label for a column.
func otherwise(table *export.Table) {
	table.Columns = slices.Clone(table.Columns)
	table.Columns[0].Label += ", said otherwise"
}

// resealed makes a snapshot one whose ZIP was another at first.
func resealed(s *research.Snapshot) { s.Seal = strings.Replace(s.Seal, "\n", "\n0", 1) }

// goldenPackages are the packages, by the names of their files.
func goldenPackages(t *testing.T, c study) map[string][]byte {
	t.Helper()
	all, id := map[string][]byte{}, map[export.Format]uuid.UUID{}
	for _, format := range []export.Format{export.CSV, export.NDJSON, export.Stata, export.SPSS} {
		id[format] = c.take(t, format).ID
		_, all[string(format)] = c.pull(t, id[format], nextProgram)
	}
	_, all["differs"] = c.pull(t, id[export.CSV], nextProgram, otherwise)
	_, all["repacked"] = c.remembering(remembered{change: resealed}).pull(t, id[export.CSV], nextProgram)
	later := c.Care.Now().Add(24 * time.Hour)
	c.Care.Now = func() time.Time { return later }
	c.Research.Now = c.Care.Now
	_, _, err := c.Care.RecordConsent(ctx, c.Who, care.Consent{ClientID: fixedID(10), Scope: care.ForResearch, Status: care.Withdrawn, At: later})
	if err != nil {
		t.Fatal(err)
	}
	_, all["withdrawn"] = c.pull(t, id[export.CSV], nextProgram)
	return all
}

// changedBytes is what it means that a golden package is another.
const changedBytes = `%s: this program writes other bytes than those before it.
Every snapshot that a clinic has taken is made again when it is pulled, and will be another:
its manifest will say differs_from_first. If that is meant, say it in docs/CHANGELOG.md, and
write the packages anew with -update.`

func TestASnapshotHasTheBytesThatReleasesBeforeGaveIt(t *testing.T) {
	each(t, func(t *testing.T, c study) {
		golden(t, filepath.Join(goldenFolder, "key.txt"), fixed(t, c))
		for name, got := range goldenPackages(t, c) {
			path := filepath.Join(goldenFolder, name+".zip")
			if *update {
				if err := os.WriteFile(path, got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Equal(want, got) {
				continue
			}
			t.Errorf(changedBytes, path)
			if diff := cmp.Diff(members(t, want), members(t, got)); diff != "" {
				t.Errorf("(-before +now):\n%s", diff)
			}
		}
	})
}

func TestTheGoldenPackagesAreWholeAndSayWhatTheyAre(t *testing.T) {
	public, err := os.ReadFile(filepath.Join(goldenFolder, "key.txt"))
	if err != nil {
		t.Fatal(err)
	}
	first := research.Verified{Manifest: research.Manifest{Program: firstProgram, Rows: 4}}
	differs, repacked, withdrawn := first, first, first
	differs.Program, repacked.Repacked = nextProgram, true
	differs.Differs = &research.Difference{FirstProgram: firstProgram, Files: []string{"codebook.csv", "codebook.json", "datapackage.json", "read.R", "read.py"}}
	withdrawn.Program, withdrawn.Rows, withdrawn.Withdrawn = nextProgram, 2, []string{"C-"}
	for name, want := range map[string]research.Verified{
		"csv": first, "ndjson": first, "dta": first, "sps": first, "differs": differs, "repacked": repacked, "withdrawn": withdrawn,
	} {
		file, err := os.ReadFile(filepath.Join(goldenFolder, name+".zip"))
		if err != nil {
			t.Fatal(err)
		}
		v := verified(t, file, string(public))
		got := research.Verified{Manifest: research.Manifest{Program: v.Program, Rows: v.Rows, Differs: v.Differs}, Repacked: v.Repacked}
		for _, pseudonym := range v.Withdrawn {
			got.Withdrawn = append(got.Withdrawn, pseudonym[:2])
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

//go:build unix

package research_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/export"
	"github.com/protrack/protrack/pkg/research"
)

// signing lets the study take snapshots.
func (c study) signing(t *testing.T) {
	t.Helper()
	key, _, err := audit.NewKey("test")
	if err != nil {
		t.Fatal(err)
	}
	if c.Research.Signer, err = key.Signer(); err != nil {
		t.Fatal(err)
	}
}

// freeze takes a snapshot of a name.
func (c study) freeze(t *testing.T, name string, r research.Request) research.Snapshot {
	t.Helper()
	out, _, err := c.Research.TakeSnapshot(ctx, c.Who, uuid.Nil, name, r, "protrack test")
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// pulled is the package of a snapshot.
func (c study) pulled(t *testing.T, snap research.Snapshot) (*research.Export, map[string]string) {
	t.Helper()
	x, err := c.Research.Pull(ctx, c.Who, snap.ID)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	err = c.Research.Read(ctx, x, func(table export.Table) error {
		_, err := c.Research.Write(ctx, &b, x, table, "protrack test")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return x, members(t, b.Bytes())
}

// members are the files of a package.
func members(t *testing.T, file []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		out[f.Name] = string(content)
	}
	return out
}

// TestWhoWithdrawsIsOutOfWhatWasKnownBefore merges two records, or sets them
// apart, between the time that an export is of and a withdrawal on either.
func TestWhoWithdrawsIsOutOfWhatWasKnownBefore(t *testing.T) {
	for _, merged := range []string{"before", "after", "apart since"} {
		for _, withdraws := range []int{0, 1} {
			t.Run(fmt.Sprintf("merged %s, record %d", merged, withdraws), func(t *testing.T) {
				each(t, func(t *testing.T, c study) { withdrawnOf(t, c, merged, withdraws) })
			})
		}
	}
}

func withdrawnOf(t *testing.T, c study, merged string, withdraws int) {
	c.signing(t)
	two := []uuid.UUID{c.person(t, care.Client{}).ID, c.person(t, care.Client{}).ID}
	other := c.person(t, care.Client{}).ID
	for i, id := range append([]uuid.UUID{other}, two...) {
		c.record(t, form(id, "gad-7", day(i), 1))
	}
	merge := func() {
		if _, _, err := c.Care.MergeClients(ctx, c.Who, care.Merge{Survivor: two[0], Duplicate: two[1], Reason: "the same"}); err != nil {
			t.Fatal(err)
		}
	}
	if merged != "after" {
		merge()
	}
	snap := c.freeze(t, "before", research.Request{Table: research.Assessments, Format: export.CSV, Profile: research.Limited})
	then := c.Clock.Now()
	if merged == "after" {
		merge()
	}
	if merged == "apart since" {
		if err := c.Care.UndoMerge(ctx, c.Who, two[0], two[1]); err != nil {
			t.Fatal(err)
		}
	}
	c.says(t, two[withdraws], care.Withdrawn)

	for _, asOf := range []*time.Time{&then, nil} {
		want := []string{other.String()}
		if asOf == nil && merged == "apart since" {
			want = append(want, two[1-withdraws].String())
		}
		got := c.read(t, research.Request{AsOf: asOf}).texts("client")
		if d := cmp.Diff(sorted(want), sorted(got)); d != "" {
			t.Errorf("as of %v (-want +got):\n%s", asOf, d)
		}
	}
	x, files := c.pulled(t, snap)
	if rows := strings.Count(files["data.csv"], "\n") - 1; rows != 1 || len(x.People) != 1 {
		t.Errorf("%d rows of %d people in the snapshot", rows, len(x.People))
	}
	named := map[string]int{"before": 1, "after": 2, "apart since": 1}[merged] // those who were one person then
	if len(x.Withdrawn) != named || !strings.Contains(files["manifest.json"], x.Withdrawn[0]) {
		t.Errorf("withdrawn: %v", x.Withdrawn)
	}
}

func sorted(texts []string) []string { return slices.Sorted(slices.Values(texts)) }

//go:build unix

package research_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/export"
	"github.com/protrack/protrack/pkg/research"
)

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

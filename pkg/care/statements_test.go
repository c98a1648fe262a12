//go:build unix

package care_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/store/storetest"
)

// costlier are the methods that may cost more statements than others.
var costlier = map[string]int{
	"EraseClient": 28, // one for each table that a record has rows in
	// These move what research reads of the whole client, which takes six.
	"CreateSession": 24, "UpdateSession": 24, "MergeClients": 22, "UndoMerge": 22,
	// These move the alerts: what was chosen, what stands, the alerts and their histories.
	"RecordAssessments": 24, "Retract": 24, "Amend": 26,
}

// grown is a client with a history, and the clinic's others.
func grown(t *testing.T, c clinic, assessments int) standing {
	t.Helper()
	s := newStanding(t, c)
	var batch []care.Assessment
	for i := range assessments {
		a := gad7(s.client.ID, day(i%100-50), i%4)
		if i%2 == 0 {
			a.SessionID, a.Timing = &s.session.ID, care.BeforeIt
		}
		batch = append(batch, a)
	}
	for chunk := range slices.Chunk(batch, 1000) {
		c.record(t, chunk...)
	}
	for i := range min(assessments/10, 100) { // a rebuild goes by 200 clients at a time
		c.session(t, care.Session{ClientID: s.client.ID, CourseID: &s.course.ID, Kind: care.Dosing, StartedAt: day(20 + i)})
		c.client(t, uuid.NewString())
	}
	return s
}

func TestTheNumberOfStatementsDoesNotGrowWithTheHistory(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		counts := map[string][2]int{}
		for i, size := range []int{1, storetest.Size(300, 5000)} {
			s := grown(t, c, size)
			for _, name := range slices.Sorted(maps.Keys(deeds)) {
				// The choice made before must be another, or nothing is computed anew.
				if _, err := c.Care.ChooseSetting(t.Context(), c.Who, care.Setting{Instrument: "gad-7"}); err != nil {
					t.Fatal(err)
				}
				c.Statements.Take()
				if err := deeds[name].do(t.Context(), c.Care, c.Who, s); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				n := counts[name]
				n[i] = len(c.Statements.Take())
				counts[name] = n
			}
		}
		for name, n := range counts {
			if n[0] != n[1] {
				t.Errorf("%s: %d statements with one assessment, %d with many", name, n[0], n[1])
			}
			if n[1] > max(20, costlier[name]) {
				t.Errorf("%s: %d statements", name, n[1])
			}
		}
	})
}

func TestTheNumberOfStatementsDoesNotGrowWithTheBatch(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		var counts []int
		for _, size := range []int{1, 10, 500} {
			var batch []care.Assessment
			for i := range size {
				client := c.client(t, uuid.NewString())
				batch = append(batch, gad7(client.ID, day(i%50), 3)) // each raises an alert
			}
			c.Statements.Take()
			c.record(t, batch...)
			counts = append(counts, len(c.Statements.Take()))
		}
		if counts[0] != counts[1] || counts[1] != counts[2] || counts[0] == 0 || counts[0] > costlier["RecordAssessments"] {
			t.Errorf("1, 10 and 500 assessments of as many clients take %v statements", counts)
		}
	})
}

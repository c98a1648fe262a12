package apitest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/api/apitest"
)

// judged is what a trajectory says of two scores.
type judged struct {
	Change              *float64
	PercentChange       *float64 `json:"percent_change"`
	Reliable, Response  *string
	Remission, Recovery *bool
}

// naive judges two totals in integers, by the rules of NHS Talking Therapies
// as they are printed and not as they are coded here.
func naive(first, then, reliable, caseness int) judged {
	word := func(s string) *string { return &s }
	out := judged{Change: new(float64(then - first)), Reliable: word("unchanged"), Response: word("none"), Remission: new(then <= 4)}
	if first-then >= reliable {
		out.Reliable = word("improved")
	}
	if then-first >= reliable {
		out.Reliable = word("deteriorated")
	}
	if first == 0 {
		out.Response = nil
	} else {
		out.PercentChange = new(float64(100*(then-first)) / float64(first))
		switch lost := first - then; {
		case lost+lost >= first:
			out.Response = word("response")
		case 4*lost >= first:
			out.Response = word("partial")
		}
	}
	if first >= caseness {
		out.Recovery = new(then < caseness)
	}
	return out
}

var instrumentsOfWaves = []struct {
	id, prefix         string
	from, to           int // columns
	reliable, caseness int
}{
	{"phq-9", "phq9_", 2, 11, 6, 10},
	{"gad-7", "gad7_", 11, 18, 4, 8},
}

// A person is a client with one dosing session; wave 1 is before it and wave 2
// after it. The answers are real, the treatment is not.
func TestTwoWavesOf403PeopleGoThroughTheAPIAlikeOnBothDatabases(t *testing.T) {
	rows := realData(t, "phq9_gad7_two_waves_n403.csv")
	transcripts := map[string]string{}
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(day.AddDate(1, 0, 0))
		batch, totals := waves(t, rows)
		people := slices.Sorted(maps.Keys(totals))
		admit(t, s, people)
		each(t, s, len(people), func(i int) (string, string, any) {
			return "POST", "/v1/clients/" + chosen(people[i]).String() + "/sessions", map[string]any{
				"id": chosen("session/" + people[i]), "kind": "dosing", "started_at": day,
			}
		}, created(t))
		statuses := store(t, s, batch)
		if len(people) != 403 || len(statuses) != 1612 || slices.ContainsFunc(statuses, func(n int) bool { return n != http.StatusCreated }) {
			t.Fatalf("%d people, statuses %v", len(people), statuses)
		}
		transcripts[s.Dialect] = readBack(t, s, people, totals)
	})
	if d := cmp.Diff(transcripts["sqlite"], transcripts["postgres"]); len(transcripts) == 2 && d != "" {
		t.Errorf("-sqlite +postgres\n%.4000s", d)
	}
	for dialect, text := range transcripts {
		t.Logf("%s: %d bytes compared", dialect, len(text))
	}
}

// waves makes the batch of all forms, and the totals by person, instrument and
// wave.
func waves(t *testing.T, rows [][]string) (batch []map[string]any, totals map[string]map[string][2]int) {
	t.Helper()
	totals = map[string]map[string][2]int{}
	for _, row := range rows {
		person, wave := fmt.Sprintf("person-%03s", row[0]), int(row[1][0]-'1')
		if totals[person] == nil {
			totals[person] = map[string][2]int{}
		}
		for _, in := range instrumentsOfWaves {
			answers, total := items(t, in.prefix, row[in.from:in.to])
			both := totals[person][in.id]
			both[wave] = total
			totals[person][in.id] = both
			batch = append(batch, map[string]any{
				"id": chosen(person + in.id + row[1]), "client_id": chosen(person), "session_id": chosen("session/" + person),
				"instrument": in.id, "timing": []string{"before", "after"}[wave], "mode": "import", "answers": answers,
				"completed_at": day.AddDate(0, 0, []int{-1, 14}[wave]),
			})
		}
	}
	return batch, totals
}

// readBack holds every trajectory against the naive way, and returns all that
// the server says of these people, without what it made up itself.
func readBack(t *testing.T, s *apitest.Server, people []string, totals map[string]map[string][2]int) string {
	t.Helper()
	const kinds = 4 // two trajectories, the assessments, the client
	said := make([][]byte, len(people)*kinds)
	each(t, s, len(said), func(i int) (string, string, any) {
		client := "/v1/clients/" + chosen(people[i/kinds]).String()
		switch i % kinds {
		case 2:
			return "GET", client + "/assessments", nil
		case 3:
			return "GET", client, nil
		}
		return "GET", client + "/trajectory?instrument=" + instrumentsOfWaves[i%kinds].id, nil
	}, func(i, status int, body []byte) {
		said[i] = slices.Clone(body)
		if status != http.StatusOK {
			t.Errorf("%d %s", status, body)
		} else if i%kinds < 2 {
			holdTrajectory(t, body, i%kinds, people[i/kinds], totals[people[i/kinds]])
		}
	})
	var caseload [][]byte
	for _, instrument := range []string{"phq-9", "gad-7"} {
		for cursor := ""; ; {
			res := s.Do("GET", "/v1/caseload?sort=-percent_change&limit=150&instrument="+instrument+cursor, nil).Want(http.StatusOK)
			var page struct {
				Next string `json:"next_cursor"`
			}
			res.Decode(&page)
			caseload = append(caseload, res.Body)
			if cursor = "&cursor=" + page.Next; page.Next == "" {
				break
			}
		}
	}
	key := s.Clinic.Who.Actor.String()
	return string(bytes.ReplaceAll(bytes.Join(slices.Concat(said, caseload), []byte("\n")), []byte(key), []byte("the key")))
}

// holdTrajectory compares one trajectory: the verdict, and the point of wave 2.
func holdTrajectory(t *testing.T, body []byte, n int, person string, totals map[string][2]int) {
	t.Helper()
	in := instrumentsOfWaves[n]
	var tr struct {
		Baseline, Latest struct {
			AssessmentID uuid.UUID `json:"assessment_id"`
			Total        float64
		}
		Points []judged
		Status judged
	}
	if err := json.Unmarshal(body, &tr); err != nil {
		t.Error(err)
		return
	}
	w := totals[in.id]
	want := naive(w[0], w[1], in.reliable, in.caseness)
	near := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-9 })
	if d := cmp.Diff(want, tr.Status, near); d != "" || len(tr.Points) != 2 {
		t.Errorf("%s of %s from %d to %d: -want +got\n%s", in.id, person, w[0], w[1], d)
		return
	}
	want.Recovery = nil // a point has none
	if d := cmp.Diff(want, tr.Points[1], near); d != "" {
		t.Errorf("%s of %s, the point of wave 2: -want +got\n%s", in.id, person, d)
	}
	if tr.Baseline.AssessmentID != chosen(person+in.id+"1") || tr.Baseline.Total != float64(w[0]) ||
		tr.Latest.AssessmentID != chosen(person+in.id+"2") || tr.Latest.Total != float64(w[1]) {
		t.Errorf("%s of %s: baseline %+v, latest %+v, totals %v", in.id, person, tr.Baseline, tr.Latest, w)
	}
}

package apitest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/protrack/protrack/api/apitest"
)

// scored is what of a score these tests look at.
type scored struct {
	Total    *float64
	Severity *string
	Answered *int `json:"items_answered"`
	Missing  *int `json:"items_missing"`
	Screens  struct {
		Syndrome    *string `json:"depressive_syndrome"`
		Above       *bool   `json:"above_cutpoint"`
		Provisional *bool   `json:"provisional_ptsd"`
	}
	Subscales map[string]*float64
	Flags     []struct {
		Code, Reason string
		Level        *int
	}
}

// cycle is one survey, in the figures of clinical reference part C.
type cycle struct {
	Rows, Blank, Declined int // people; without any answer; with an answer declined
	Complete              string
	Bands                 map[string]int
	Major, Other, Item9   int
	NoItem9               int // complete but for item 9
}

// nhanes reads one person. 7 is refused and 9 don't know: both were asked.
func nhanes(row []string) (answers map[string]int, declined []string) {
	answers, declined = map[string]int{}, []string{}
	for i, cell := range row[2:12] {
		id := fmt.Sprintf("phq9_%d", i+1)
		if i == 9 {
			id = "phq9_difficulty"
		}
		switch v, err := strconv.Atoi(cell); {
		case err != nil: // blank
		case v == 7 || v == 9:
			declined = append(declined, id)
		default:
			answers[id] = v
		}
	}
	return answers, declined
}

// The first six are those of the reference; the last was counted from the file
// in another language, as were the people without any answer.
var nhanesWant = map[string]cycle{
	"2005-2006": {5334, 498, 37, "4799 2.7322 (3.7277)", bands(3796, 706, 201, 73, 23), 132, 231, 162, 0},
	"2007-2008": {5995, 546, 33, "5415 3.3235 (4.3590)", bands(4047, 845, 334, 139, 50), 219, 288, 246, 0},
	"2009-2010": {6360, 781, 31, "5546 3.3318 (4.3484)", bands(4114, 909, 325, 148, 50), 243, 342, 202, 0},
	"2011-2012": {5615, 664, 21, "4925 3.1635 (4.4192)", bands(3747, 738, 253, 127, 60), 222, 249, 190, 0},
	"2013-2014": {5924, 526, 24, "5372 3.3116 (4.3965)", bands(4016, 845, 316, 138, 57), 239, 339, 183, 0},
	"2015-2016": {5735, 571, 28, "5134 3.2413 (4.2146)", bands(3825, 894, 258, 102, 55), 193, 316, 192, 0},
	"2017-2020": {8965, 657, 28, "8276 3.3018 (4.2762)", bands(6109, 1400, 502, 190, 75), 347, 524, 319, 0},
}

func bands(minimal, mild, moderate, moderatelySevere, severe int) map[string]int {
	return map[string]int{"minimal": minimal, "mild": mild, "moderate": moderate, "moderately_severe": moderatelySevere, "severe": severe}
}

// Scoring asks the database for the key alone, so one database is enough here;
// stored forms are the next test's.
func TestNHANESScoredByTheAPIGivesThePublishedCounts(t *testing.T) {
	rows := realData(t, "nhanes_dpq_2005_2020.csv")
	s := apitest.SQLite(t).Unlimited()
	var mu sync.Mutex
	got, totals := map[string]cycle{}, map[string][]float64{}
	each(t, s, len(rows), func(i int) (string, string, any) {
		answers, declined := nhanes(rows[i])
		return "POST", "/v1/instruments/phq-9/score", map[string]any{"answers": answers, "declined": declined}
	}, func(i, status int, body []byte) {
		mu.Lock()
		defer mu.Unlock()
		c := got[rows[i][0]]
		total := c.add(t, rows[i], status, body)
		if total != nil {
			totals[rows[i][0]] = append(totals[rows[i][0]], *total)
		}
		got[rows[i][0]] = c
	})
	passed := 0
	for name, c := range got {
		passed += c.NoItem9
		c.NoItem9, c.Complete = 0, moments(totals[name])
		got[name] = c
	}
	if d := cmp.Diff(nhanesWant, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if passed != 16 { // in all seven cycles: clinical reference A2
		t.Errorf("%d answered all but item 9; want 16", passed)
	}
}

// add counts one person, and checks what the score says of missing answers.
func (c *cycle) add(t *testing.T, row []string, status int, body []byte) *float64 {
	c.Rows++
	answers, declined := nhanes(row)
	if slices.ContainsFunc(declined, func(id string) bool { return id != "phq9_difficulty" }) {
		c.Declined++
	}
	if len(answers)+len(declined) == 0 {
		c.Blank++
		if status != http.StatusUnprocessableEntity {
			t.Errorf("nothing answered: %d %s", status, body)
		}
		return nil
	}
	var s scored
	if err := json.Unmarshal(body, &s); err != nil || status != http.StatusOK {
		t.Errorf("%v: %d %s", row, status, body)
		return nil
	}
	holdAnswered(t, row, s)
	if s.Total == nil {
		if _, answered := answers["phq9_9"]; !answered && *s.Missing == 1 {
			c.NoItem9++
		}
		return nil
	}
	if c.Bands == nil {
		c.Bands = map[string]int{}
	}
	c.Bands[*s.Severity]++
	switch *s.Screens.Syndrome {
	case "major":
		c.Major++
	case "other":
		c.Other++
	}
	if len(s.Flags) > 0 && s.Flags[0].Code == "suicidal_ideation" {
		c.Item9++
	}
	return s.Total
}

// holdAnswered holds a score against the row: a total only where all nine are
// answered, and a flag wherever item 9 is positive, declined or blank.
func holdAnswered(t *testing.T, row []string, s scored) {
	t.Helper()
	answered, sum := 0, 0
	for _, cell := range row[2:11] {
		if v, err := strconv.Atoi(cell); err == nil && v <= 3 {
			answered++
			sum += v
		}
	}
	if *s.Answered != answered || *s.Missing != 9-answered || (s.Total != nil) != (answered == 9) || s.Total != nil && *s.Total != float64(sum) {
		t.Errorf("%v: %+v", row, s)
	}
	want := ""
	switch row[10] {
	case "0":
	case "":
		want = "item9_not_answered skipped"
	case "7", "9":
		want = "item9_not_answered declined"
	default:
		want = "suicidal_ideation"
	}
	got := ""
	for _, f := range s.Flags {
		got = f.Code
		if f.Reason != "" {
			got += " " + f.Reason
		}
	}
	if got != want || len(s.Flags) > 1 {
		t.Errorf("%v: flags %+v, want %q", row, s.Flags, want)
	}
}

// The first 1,500 people of the first cycle are stored as they are, with all
// that they left out, by batches as an import would.
func TestNHANESFormsAreStoredAsTheyWereGiven(t *testing.T) {
	const people, perClient = 1500, 15
	rows := realData(t, "nhanes_dpq_2005_2020.csv")[:people]
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		clients := make([]string, people/perClient)
		for i := range clients {
			clients[i] = fmt.Sprintf("nhanes-%03d", i)
		}
		admit(t, s, clients)
		batch := make([]map[string]any, people)
		for i, row := range rows {
			answers, declined := nhanes(row)
			batch[i] = map[string]any{
				"id": chosen("nhanes/" + row[1]), "client_id": chosen(clients[i/perClient]), "instrument": "phq-9", "timing": "follow_up",
				"mode": "import", "completed_at": day.AddDate(0, 0, -i%perClient), "answers": answers, "declined": declined,
			}
		}
		statuses := store(t, s, batch)
		found := map[string]storedForm{}
		for _, client := range clients {
			var page struct{ Items []storedForm }
			s.Do("GET", "/v1/clients/"+chosen(client).String()+"/assessments?limit=200", nil).Want(http.StatusOK).Decode(&page)
			for _, a := range page.Items {
				found[a.ID] = a
			}
		}
		stored, without := 0, 0
		for i, row := range rows {
			answers, declined := nhanes(row)
			a, there := found[chosen("nhanes/"+row[1]).String()]
			blank := len(answers)+len(declined) == 0
			if blank != (statuses[i] == http.StatusUnprocessableEntity) || there == blank || !blank && statuses[i] != http.StatusCreated {
				t.Errorf("%v: status %d, stored %t", row, statuses[i], there)
			}
			if !there {
				continue
			}
			stored++
			holdAnswered(t, row, a.Score)
			if a.Score.Total == nil {
				without++
			}
			if d := cmp.Diff(storedForm{a.ID, answers, declined, a.Score}, a); d != "" {
				t.Errorf("%v: -sent +stored\n%s", row, d)
			}
		}
		if len(found) != stored {
			t.Errorf("%d stored and %d sent", len(found), stored)
		}
		t.Logf("%d stored, %d of them without a total, %d had nothing to store", stored, without, people-stored)
	})
}

type storedForm struct {
	ID       string
	Answers  map[string]int
	Declined []string
	Score    scored
}

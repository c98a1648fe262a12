package cohort_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/trajectory"
)

// changed are people with those changes from 20 after the first session.
func changed(x []float64) []*person {
	var people []*person
	for i, points := range x {
		people = append(people, someone(fmt.Sprint(i)).baseline(20).dosed(0).after(1, 1, 20+points))
	}
	return people
}

func expected(t checking, q cohort.ExpectedQuery, people ...*person) cohort.Expected {
	q.Instrument = "phq-9"
	return must[cohort.Expected](t)(q.Compute(casesOf(people...)))
}

func TestExpectedPercentilesAreThoseOfR(t *testing.T) {
	for _, r := range recorded[rStatistics](t, "statistics").Percentiles {
		e := expected(t, cohort.ExpectedQuery{}, changed(r.X)...)
		p := r.Percentiles
		sameFigure(t, "percentiles", &cohort.Percentiles{P10: p[0], P25: p[1], P50: p[2], P75: p[3], P90: p[4]}, e.Cells[0].Percentiles)
		sameFigure(t, "cell", []any{"severe", 1, len(r.X)}, []any{e.Cells[0].Severity, e.Cells[0].Session, *e.Cells[0].N})
	}
}

func TestTooFewPeopleMakeNoExpectation(t *testing.T) {
	e := expected(t, cohort.ExpectedQuery{Least: 3}, changed(make([]float64, 19))...)
	want := "Refused: 19 people are too few to expect anything from; at least 20 are needed."
	if c := e.Cells[0]; c.Percentiles != nil || *c.N != 19 || c.Words != want {
		t.Errorf("of 19: %+v", c)
	}
	if e = expected(t, cohort.ExpectedQuery{Least: 30}, changed(make([]float64, 29))...); e.Cells[0].Percentiles != nil {
		t.Error("of 29 where 30 were asked for")
	}
	if e = expected(t, cohort.ExpectedQuery{}, changed(make([]float64, 20))...); e.Cells[0].Percentiles == nil {
		t.Error("20 are enough")
	}
}

func TestCellsStandInTheOrderOfSessionsAndBands(t *testing.T) {
	var people []*person
	for i, total := range []float64{22, 3, 16, 7, 12} {
		people = append(people, someone(fmt.Sprint(i)).baseline(total).dosed(0).after(1, 1, 5).dosed(7).after(2, 8, 5))
	}
	people = append(people, someone("no baseline").dosed(0).after(1, 1, 5), someone("never treated").baseline(9))
	e := expected(t, cohort.ExpectedQuery{}, people...)
	var got []string
	for _, c := range e.Cells {
		got = append(got, fmt.Sprint(c.Session, " ", c.Severity))
	}
	sameFigure(t, "cells", []string{
		"1 minimal", "1 mild", "1 moderate", "1 moderately_severe", "1 severe",
		"2 minimal", "2 mild", "2 moderate", "2 moderately_severe", "2 severe",
	}, got)
	sameFigure(t, "windows", []cohort.Windows{{From: "P14D", To: "P14D", N: new(1)}}, e.Cells[0].Windows)
	sizes := map[string]int{}
	for _, b := range e.Bases() {
		if severity := strings.Fields(b.Measure + " of nobody")[2]; severity != "mild" && strings.Contains(b.Measure, "session") || strings.HasSuffix(b.Measure, ", baseline") {
			continue // one band will do
		}
		if b.Groups && b.Number != "counted" {
			sizes[b.Measure+": "+b.Number] = len(b.Data)
		} else if !b.Groups {
			sizes[b.Measure] = len(b.Data)
		}
	}
	sameFigure(t, "bases", map[string]int{
		"people: everybody": 7, "phq-9 people: everybody": 7, "phq-9 people: no_baseline": 1, "phq-9 people: not_treated": 1,
		"phq-9 people: windows P14D/P14D": 1, "phq-9 expected baseline": 5,
		"phq-9 expected mild at after_session:1": 1, "phq-9 expected mild at after_session:2": 1,
	}, sizes)
	sameFigure(t, "left out", []cohort.LeftOut{{Reason: "no_baseline", N: new(1)}, {Reason: "not_treated", N: new(1)}}, e.LeftOut)
}

func TestAnInstrumentWithoutBandsIsCutInThirds(t *testing.T) {
	var people []*person
	for i := range 9 {
		p := someone(fmt.Sprint(i)).baseline(float64(10+i)).dosed(0).after(1, 1, 5)
		p.Scores["phq-9"][0].Severity = ""
		people = append(people, p)
	}
	e := expected(t, cohort.ExpectedQuery{}, people...)
	sameFigure(t, "cuts", []float64{10 + 8.0/3, 10 + 16.0/3}, e.Thirds)
	got := map[string]int{}
	for _, c := range e.Cells {
		got[c.Severity] = *c.N
	}
	sameFigure(t, "people", map[string]int{cohort.ThirdLowest: 3, cohort.ThirdMiddle: 3, cohort.ThirdHighest: 3}, got)
}

func TestWhoIsOffTrackIsWorseThanNineInTen(t *testing.T) {
	// Changes from -20 to 0: the percentiles are -18, -15, -10, -5 and -2.
	var x []float64
	for i := range 21 {
		x = append(x, float64(i-20))
	}
	down := expected(t, cohort.ExpectedQuery{}, changed(x)...)
	up := down
	up.Direction = trajectory.HigherIsBetter
	track := func(e cohort.Expected, change float64) []any {
		got := cohort.OffTrack(e, someone("x").baseline(20).dosed(0).after(1, 1, 20+change).Case)
		return []any{got.Status, got.Band, *got.N, *got.Change, got.Session, got.Severity}
	}
	for _, c := range []struct {
		e      cohort.Expected
		change float64
		status cohort.TrackStatus
		band   string
	}{
		{down, -1, cohort.TrackOff, "worst_10"}, {down, -2, cohort.TrackWatch, "75_90"}, {down, -4, cohort.TrackWatch, "75_90"},
		{down, -5, cohort.OnTrack, "50_75"}, {down, -12, cohort.OnTrack, "25_50"}, {down, -16, cohort.OnTrack, "10_25"}, {down, -19, cohort.OnTrack, "best_10"},
		{up, -19, cohort.TrackOff, "worst_10"}, {up, -18, cohort.TrackWatch, "75_90"}, {up, -1, cohort.OnTrack, "best_10"},
	} {
		sameFigure(t, fmt.Sprint(c.e.Direction, c.change), []any{c.status, c.band, 21, c.change, 1, "severe"}, track(c.e, c.change))
	}
}

func TestEverybodyIsComparedWithoutReadingThemAgain(t *testing.T) {
	people := append(changed(make([]float64, 25)), someone("never treated").baseline(20), someone("worse").baseline(20).dosed(0).after(1, 1, 26))
	e := expected(t, cohort.ExpectedQuery{}, people...)
	got := map[uuid.UUID]cohort.Track{}
	for person, track := range e.Tracks() {
		got[person] = track
	}
	want := map[uuid.UUID]cohort.Track{}
	for _, p := range people {
		if len(p.Doses) > 0 {
			want[p.Person] = cohort.OffTrack(e, p.Case)
		}
	}
	sameFigure(t, "tracks", want, got)
	sameFigure(t, "of the last", cohort.TrackOff, got[people[len(people)-1].Person].Status)
}

func TestWhoCannotBeComparedIsNotJudged(t *testing.T) {
	e := expected(t, cohort.ExpectedQuery{}, changed(make([]float64, 25))...)
	cases := map[string]struct {
		e cohort.Expected
		p *person
	}{
		"no dose":                {e, someone("x").baseline(20)},
		"no baseline":            {e, someone("x").dosed(0).after(1, 1, 10)},
		"nothing after":          {e, someone("x").baseline(20).dosed(0)},
		"another severity":       {e, someone("x").baseline(12).dosed(0).after(1, 1, 10)},
		"a session nobody had":   {e, someone("x").baseline(20).dosed(0).dosed(7).after(2, 8, 10)},
		"what is shown of a few": {e.Withheld(30), someone("x").baseline(20).dosed(0).after(1, 1, 10)},
	}
	for name, c := range cases {
		if got := cohort.OffTrack(c.e, c.p.Case); got.Status != cohort.TrackNotJudged || got.Words == "" || got.Band != "" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestAWithheldExpectationTellsOfNoFew(t *testing.T) {
	told := false
	rapid.Check(t, func(t *rapid.T) {
		e := expected(t, cohort.ExpectedQuery{}, drawn(t, 9)...)
		bySession := map[int]int{}
		for _, c := range e.Cells {
			bySession[c.Session] += *c.N
			told = told || few(*c.N)
		}
		got := e.Withheld(5)
		for _, c := range got.Cells {
			if c.N == nil && (c.Percentiles != nil || len(c.Windows) > 0) {
				t.Fatal("percentiles or windows without their n")
			}
			if c.N != nil {
				if few(*c.N) || fewWindows(c.N, c.Windows) {
					t.Fatalf("shown: %d, of whom %s", *c.N, asJSON(t, c.Windows))
				}
				bySession[c.Session] -= *c.N
			}
		}
		// What the flow tells of the session, less what is shown here.
		for session, rest := range bySession {
			if shownOf(got, session) > 0 && few(rest) {
				t.Fatalf("session %d: %d people are left for the cells that are not shown", session, rest)
			}
		}
		for session := range bySession {
			if n := shownOf(got, session); got.N != nil && n > 0 && few(*got.N-n) {
				t.Fatalf("session %d: %d of %d are shown", session, n, *got.N)
			}
		}
		if tellsFew(nested{got.Enrolled, got.N}) {
			t.Fatalf("%s", asJSON(t, got))
		}
	})
	if !told {
		t.Error("no figure drawn had anything to withhold: the test shows nothing")
	}
}

// shownOf counts the people in the cells of a session that are shown.
func shownOf(e cohort.Expected, session int) int {
	n := 0
	for _, c := range e.Cells {
		if c.Session == session && c.N != nil {
			n += *c.N
		}
	}
	return n
}

package cohort_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/fault"
)

// indexed is somebody with an index event at day 0, known for two years.
func indexed(name string) *person { return someone(name).later(0, 16) }

func measuresOf(t checking, q cohort.MeasuresQuery, people ...*person) map[string]cohort.Measure {
	m := must[cohort.Measures](t)(q.Compute(casesOf(people...)))
	out := map[string]cohort.Measure{}
	for _, one := range m.Measures {
		out[one.ID] = one
	}
	return out
}

func TestTheMostRecentScoreOfTheWindowCounts(t *testing.T) {
	cases := []struct {
		name                          string
		p                             *person
		followed, remission, response int
	}{
		{"remission", indexed("a").later(150, 4), 1, 1, 1},
		{"5 is no remission, and a response", indexed("a").later(150, 5), 1, 0, 1},
		{"half is a response", indexed("a").later(150, 8), 1, 0, 1},
		{"less than half is none", indexed("a").later(150, 9), 1, 0, 0},
		{"lost again", indexed("a").later(130, 3).later(239, 12), 1, 0, 0},
		{"before the window", indexed("a").later(119.9, 3), 0, 0, 0},
		{"on its first day", indexed("a").later(120, 3), 1, 1, 1},
		{"on its last day", indexed("a").later(240, 3), 1, 1, 1},
		{"after the window", indexed("a").later(240.1, 3), 0, 0, 0},
		{"without a total", indexed("a").later(150, 3).filled("follow_up", 0, 160, nil), 1, 1, 1},
		{"a later high score is no other index", indexed("a").later(20, 27).later(150, 8), 1, 0, 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m := measuresOf(t, cohort.MeasuresQuery{}, c.p)["hedis-drr-e"]
			sameFigure(t, "followed, remission, response, of", []int{c.followed, c.remission, c.response, 1},
				[]int{*m.FollowUp.N, *m.Remission.N, *m.Response.N, *m.Remission.Of})
		})
	}
}

func TestTwelveMonthsAreMonthsOfTheCalendar(t *testing.T) {
	at := func(days float64, within int) int {
		return *measuresOf(t, cohort.MeasuresQuery{WithinDays: within}, indexed("a").later(days, 3))["cms159"].Remission.N
	}
	for _, c := range []struct {
		days         float64
		within, want int
	}{{305, 0, 1}, {304.9, 0, 0}, {425, 60, 1}, {425.1, 60, 0}, {335, 30, 1}, {334.9, 30, 0}, {395.1, 30, 0}} {
		if got := at(c.days, c.within); got != c.want {
			t.Errorf("%v days, within %d: %d", c.days, c.within, got)
		}
	}
	// Six months after 2 March are 184 days.
	six := measuresOf(t, cohort.MeasuresQuery{}, indexed("a").later(244, 3))["mncm-6-months"]
	sameFigure(t, "six months", 1, *six.Remission.N)
	if six.Response != nil {
		t.Error("a response is no part of this measure")
	}
}

func TestOnlyWhoseWindowHasClosedAreCounted(t *testing.T) {
	early := indexed("early").later(130, 3)
	early.Until = daysAfter(200)
	m := must[cohort.Measures](t)(cohort.MeasuresQuery{}.Compute(casesOf(early, indexed("done"), someone("never above 9").later(0, 9))))
	drre := m.Measures[0]
	sizes := map[string]int{}
	for _, b := range m.Bases() {
		if len(b.Data) > 0 {
			sizes[fmt.Sprint(b.Measure, ": ", b.Number, " ", len(b.Data))]++
		}
	}
	sameFigure(t, "bases", map[string]int{
		"people: enrolled 3": 1, "phq-9 people: enrolled 3": 1, "phq-9 people: index 2": 1,
		"phq-9 people: closed 1": 3, "phq-9 people: not_closed 1": 3,
	}, sizes)
	sameFigure(t, "enrolled, index, open, of", []int{3, 2, 1, 1}, []int{*m.Enrolled, *m.Index, *drre.NotClosed, *drre.FollowUp.Of})
}

func TestThePeriodBoundsTheIndexEvent(t *testing.T) {
	p := indexed("a").later(40, 12).later(200, 3)
	of := func(q cohort.MeasuresQuery) []int {
		m := must[cohort.Measures](t)(q.Compute(casesOf(p)))
		return []int{*m.Index, *m.Measures[0].Remission.N}
	}
	sameFigure(t, "all time", []int{1, 1}, of(cohort.MeasuresQuery{}))
	sameFigure(t, "from day 1: the second is the index", []int{1, 1}, of(cohort.MeasuresQuery{From: daysAfter(1)}))
	sameFigure(t, "from day 100: the score is too early", []int{0, 0}, of(cohort.MeasuresQuery{From: daysAfter(100)}))
	sameFigure(t, "to day 0, which is out", []int{0, 0}, of(cohort.MeasuresQuery{To: dosedAt}))
	for name, q := range map[string]cohort.MeasuresQuery{
		"another width": {WithinDays: 45}, "backwards": {From: dosedAt, To: dosedAt.Add(-time.Hour)},
	} {
		if _, err := q.Compute(casesOf()); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestARateHasRsInterval(t *testing.T) {
	for _, r := range recorded[rStatistics](t, "statistics").Rates {
		var people []*person
		for i := range r.Of {
			p := indexed(fmt.Sprint(i))
			if i < r.N {
				p.later(150, 3)
			}
			people = append(people, p)
		}
		got := measuresOf(t, cohort.MeasuresQuery{}, people...)["hedis-drr-e"].Remission
		got.Words = ""
		sameFigure(t, fmt.Sprint(r.N, " of ", r.Of), cohort.Rate{N: &r.N, Of: &r.Of, Rate: &r.Rate, CI95: &r.CI95}, got)
	}
}

func measureChains(m cohort.Measures) []nested {
	var chains []nested
	for _, one := range m.Measures {
		response := cohort.Count(nil)
		if one.Response != nil {
			response = one.Response.N
		}
		chains = append(chains,
			nested{m.Enrolled, m.Index, one.FollowUp.Of, one.FollowUp.N, response, one.Remission.N},
			nested{m.Enrolled, m.Index, one.NotClosed}, nested{m.Index, together(one.FollowUp.Of, one.NotClosed)})
	}
	// The windows close in this order: 240 days, about 243, about 425.
	return append(chains, nested{m.Measures[0].FollowUp.Of, m.Measures[2].FollowUp.Of, m.Measures[1].FollowUp.Of})
}

func TestWithheldMeasuresTellOfNoFew(t *testing.T) {
	told := false
	rapid.Check(t, func(t *rapid.T) {
		m := must[cohort.Measures](t)(cohort.MeasuresQuery{}.Compute(casesOf(drawn(t, 9)...)))
		told = told || tellsFew(measureChains(m)...)
		before := asJSON(t, m)
		if got := m.Withheld(5); tellsFew(measureChains(got)...) {
			t.Fatalf("%s", asJSON(t, got))
		}
		if string(asJSON(t, m)) != string(before) {
			t.Fatal("withholding changed the figure itself")
		}
	})
	if !told {
		t.Error("no figure drawn had anything to withhold: the test shows nothing")
	}
}

package cohort_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/protrack/protrack/pkg/cohort"
)

// rCurve is a curve as R gives it.
type rCurve struct {
	Call     string
	Days     []int
	AtRisk   []int `json:"at_risk"`
	Events   []int
	Censored []int
	Survival []float64
	Lower    []*float64
	Upper    []*float64
	Median   [3]*float64 // with its limits
}

type rSet struct {
	Name   string
	Time   []float64
	Event  []int
	Curves map[cohort.ConfidenceType]rCurve
}

// recorded reads what a script of testdata/r has said.
func recorded[T any](t *testing.T, name string) T {
	t.Helper()
	text, err := os.ReadFile("testdata/r/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var out T
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// The record must be what R says today, not what somebody once typed.
func TestTheRecordsAreWhatRSays(t *testing.T) {
	if _, err := exec.LookPath("Rscript"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("R is needed here: ", err)
		}
		t.Skip("R is not installed: ", err)
	}
	for _, name := range []string{"survival", "statistics"} {
		t.Run(name, func(t *testing.T) {
			var stderr bytes.Buffer
			cmd := exec.CommandContext(t.Context(), "Rscript", "testdata/r/"+name+".R")
			cmd.Stderr = &stderr
			text, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v: %s", err, stderr.String())
			}
			var said any
			if err := json.Unmarshal(text, &said); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(recorded[any](t, name), said, cmpopts.EquateApprox(0, 1e-6)); d != "" {
				t.Errorf("the record and R (-record +R):\n%s", d)
			}
		})
	}
}

// livesOf are people who have the event, or their last score, at those days.
func livesOf(times []float64, events []int) []*person {
	var people []*person
	for i, days := range times {
		p := someone(fmt.Sprint(i)).dosed(0).baseline(20)
		if events[i] == 1 {
			p.later(days+0.2, 5)
		} else {
			p.later(days+0.2, 18)
		}
		people = append(people, p)
	}
	return people
}

func responseOf(confidence cohort.ConfidenceType) cohort.SurvivalQuery {
	return cohort.SurvivalQuery{Instrument: "phq-9", Rules: nhsRules(), Event: cohort.EventResponse, Confidence: confidence}
}

func TestACurveIsThatOfR(t *testing.T) {
	for _, set := range recorded[[]rSet](t, "survival") {
		for confidence, r := range set.Curves {
			t.Run(set.Name+", "+string(confidence), func(t *testing.T) {
				s := must[cohort.Survival](t)(responseOf(confidence).Compute(casesOf(livesOf(set.Time, set.Event)...)))
				want := make([]cohort.Step, len(r.Days))
				events := 0
				for i, d := range r.Days {
					want[i] = cohort.Step{From: d, Days: d, AtRisk: &r.AtRisk[i], Events: &r.Events[i], Censored: &r.Censored[i], Survival: r.Survival[i]}
					if r.Lower[i] != nil {
						want[i].CI95 = &cohort.Interval{*r.Lower[i], *r.Upper[i]}
					}
					events += r.Events[i]
				}
				sameFigure(t, r.Call, want, s.Curve)
				sameFigure(t, "median and limits", r.Median, [3]*float64{s.MedianDays, s.MedianFrom, s.MedianTo})
				sameFigure(t, "n, events", []int{len(set.Time), events}, []int{*s.N, *s.Events})
			})
		}
	}
}

// Freireich 1963, as textbooks print it.
func TestTheLeukaemiaTrialComesOutAsPublished(t *testing.T) {
	mp6 := recorded[[]rSet](t, "survival")[0]
	s := must[cohort.Survival](t)(responseOf("").Compute(casesOf(livesOf(mp6.Time, mp6.Event)...)))
	got := map[int]float64{}
	for _, step := range s.Curve {
		if *step.Events > 0 {
			got[step.Days] = step.Survival
		}
	}
	sameFigure(t, "survival at the events", map[int]float64{
		6: 0.8571, 7: 0.8067, 10: 0.7529, 13: 0.6902, 16: 0.6275, 22: 0.5378, 23: 0.4482,
	}, got)
	if s.Confidence != cohort.ConfidenceLogLog {
		t.Errorf("the default band is %s", s.Confidence)
	}
	risk := map[int]int{}
	for _, r := range s.AtRisk {
		risk[r.Days] = *r.N
	}
	sameFigure(t, "numbers at risk", map[int]int{0: 21, 7: 17, 14: 11, 28: 4, 56: 0, 90: 0, 180: 0, 365: 0}, risk)
}

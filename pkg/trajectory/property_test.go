package trajectory_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/protrack/protrack/pkg/trajectory"
)

// course draws a series with sessions, links, gaps, ties and windows.
func course(t *rapid.T) trajectory.Series {
	s := trajectory.Series{Instrument: "phq-9", Direction: trajectory.LowerIsBetter}
	kinds := []string{trajectory.KindPreparation, trajectory.KindDosing, trajectory.KindIntegration}
	for i := range rapid.IntRange(0, 5).Draw(t, "sessions") {
		s.Sessions = append(s.Sessions, session(fmt.Sprint("s", i), rapid.SampledFrom(kinds).Draw(t, "kind"),
			rapid.IntRange(1, 3).Draw(t, "number"), float64(rapid.IntRange(0, 40).Draw(t, "started"))))
	}
	timings := []trajectory.Timing{trajectory.TimingBaseline, before, after, trajectory.TimingFollowUp}
	for i := range rapid.IntRange(0, 14).Draw(t, "assessments") {
		a := scored(fmt.Sprint("a", i), float64(rapid.IntRange(0, 80).Draw(t, "half day"))/2, float64(rapid.IntRange(0, 27).Draw(t, "total")))
		a.Timing = rapid.SampledFrom(timings).Draw(t, "timing")
		if rapid.IntRange(0, 5).Draw(t, "blank") == 0 {
			a.Total = nil
		}
		if len(s.Sessions) > 0 && rapid.Bool().Draw(t, "linked") {
			a.SessionID = new(rapid.SampledFrom(s.Sessions).Draw(t, "session").ID)
		}
		if w := rapid.SampledFrom([]string{"", "P14D", "P7D", "P1M", "since_last_session"}).Draw(t, "window"); w != "" {
			a.Window, _ = trajectory.ParseWindow(w)
		}
		s.Assessments = append(s.Assessments, a)
	}
	return s
}

func options(t *rapid.T) trajectory.Options {
	o := trajectory.Options{
		Baseline: rapid.SampledFrom([]trajectory.BaselineRule{"", trajectory.BaselineLastBeforeFirstDose}).Draw(t, "baseline"),
		Relapse: rapid.SampledFrom([]trajectory.RelapseDefinition{
			"", trajectory.RelapseCasenessAfterRemission, trajectory.RelapseReliableWorsening,
		}).Draw(t, "relapse"),
	}
	if rapid.Bool().Draw(t, "limited") {
		o.MaxOverlap = new(rapid.Float64Range(0, 1).Draw(t, "limit"))
	}
	return o
}

func same(t *rapid.T, what string, want, got any) {
	if d := cmp.Diff(want, got); d != "" {
		t.Fatalf("%s (-want +got):\n%s", what, d)
	}
}

func TestTheOrderOfTheInputDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, o := course(t), options(t)
		shuffled := s
		shuffled.Assessments = rapid.Permutation(s.Assessments).Draw(t, "assessments in another order")
		shuffled.Sessions = rapid.Permutation(s.Sessions).Draw(t, "sessions in another order")
		same(t, "trajectory", trajectory.Compute(s, nhs(), o), trajectory.Compute(shuffled, nhs(), o))
	})
}

func TestTheStatusAloneIsThatOfTheTrajectory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, o := course(t), options(t)
		same(t, "status", trajectory.Compute(s, nhs(), o).Status, trajectory.StatusOf(s, nhs(), o))
	})
}

func TestEveryAssessmentIsOnePoint(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, o := course(t), options(t)
		tr := trajectory.Compute(s, nhs(), o)
		if len(tr.Points) != len(s.Assessments) || tr.Status.NScored+tr.Status.NMissing != len(s.Assessments) || len(tr.Sessions) != len(s.Sessions) {
			t.Fatalf("%d points and %d sessions of %d and %d", len(tr.Points), len(tr.Sessions), len(s.Assessments), len(s.Sessions))
		}
		for i, p := range tr.Points {
			if i > 0 && p.At.Before(tr.Points[i-1].At) {
				t.Fatal("points are not in order of time")
			}
			if p.RecallOverlap != nil && (*p.RecallOverlap < 0 || *p.RecallOverlap > 1) {
				t.Fatalf("an overlap of %v", *p.RecallOverlap)
			}
			if p.Excluded && (p.Reliable != nil || p.Response != nil || p.Remission != nil || p.Case != nil) {
				t.Fatalf("judged although set aside: %+v", p)
			}
		}
	})
}

func TestAnUnscoredAssessmentChangesNoVerdict(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, o := course(t), options(t)
		want := trajectory.Compute(s, nhs(), o)
		more := s
		more.Assessments = append([]trajectory.Assessment{unscored("extra", float64(rapid.IntRange(-5, 60).Draw(t, "day")))}, s.Assessments...)
		got := trajectory.Compute(more, nhs(), o)
		want.Status.NMissing++
		same(t, "status", want.Status, got.Status)
		same(t, "trend", want.Trend, got.Trend)
		same(t, "sessions", want.Sessions, got.Sessions)
		same(t, "marks", []*trajectory.Mark{want.Baseline, want.Latest, want.Best}, []*trajectory.Mark{got.Baseline, got.Latest, got.Best})
	})
}

// On a scale with another unit (quarters, so that the arithmetic is exact) and
// thresholds in that unit, nothing but the unit is different.
func TestTheUnitOfTheScaleDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, o := course(t), options(t)
		k := float64(rapid.IntRange(1, 40).Draw(t, "quarters")) / 4
		rules := nhs()
		for _, x := range []**float64{&rules.ReliableChange, &rules.MinimalImportantDifference, &rules.Caseness, &rules.RemissionBelow} {
			*x = new(**x * k)
		}
		want := trajectory.Compute(s, nhs(), o).Status
		got := trajectory.Compute(mapped(s, func(x float64) float64 { return x * k }), rules, o).Status
		want.Change, got.Change, want.PercentChange, got.PercentChange = nil, nil, nil, nil
		same(t, "status", want, got)
	})
}

// Turned over (27 - total, more is better, thresholds turned over too), every
// verdict is the same. Response is left out, because it is a share of the
// baseline, which turning over changes, and so is remission, which is defined
// only where lower is better.
func TestTurningTheScaleOverTurnsNoVerdict(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, o := course(t), options(t)
		rules, over := nhs(), nhs()
		rules.ResponsePercent, over.ResponsePercent = nil, nil
		rules.RemissionBelow, over.RemissionBelow = nil, nil
		over.Caseness = new(27 - 10.0)
		turned := mapped(s, func(x float64) float64 { return 27 - x })
		turned.Direction = trajectory.HigherIsBetter
		want, got := trajectory.Compute(s, rules, o), trajectory.Compute(turned, over, o)
		if (want.Best == nil) != (got.Best == nil) || want.Best != nil && want.Best.AssessmentID != got.Best.AssessmentID {
			t.Fatalf("best %+v and %+v", want.Best, got.Best)
		}
		if want.Trend != nil && math.Abs(want.Trend.SlopePerWeek+got.Trend.SlopePerWeek) > 1e-6 {
			t.Fatalf("slopes %v and %v", want.Trend.SlopePerWeek, got.Trend.SlopePerWeek)
		}
		for _, status := range []*trajectory.Status{&want.Status, &got.Status} {
			status.Change, status.PercentChange = nil, nil
		}
		same(t, "status", want.Status, got.Status)
	})
}

func mapped(s trajectory.Series, f func(float64) float64) trajectory.Series {
	var as []trajectory.Assessment
	for _, a := range s.Assessments {
		if a.Total != nil {
			a.Total = new(f(*a.Total))
		}
		as = append(as, a)
	}
	s.Assessments = as
	return s
}

// Where each session has one before and one after, the change from the first
// score to the last is what happened in sessions plus what happened between.
func TestTheChangeIsTheSumOfItsParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s trajectory.Series
		for i := range rapid.IntRange(1, 8).Draw(t, "sessions") {
			name, day := fmt.Sprint("s", i), float64(14*i)
			s.Sessions = append(s.Sessions, dosing(name, i+1, day))
			first, then := float64(rapid.IntRange(0, 27).Draw(t, "before")), float64(rapid.IntRange(0, 27).Draw(t, "after"))
			s.Assessments = append(s.Assessments,
				linked(name+"b", before, name, day-1, first), linked(name+"a", after, name, day+1, then))
		}
		tr := trajectory.Compute(s, nhs(), trajectory.Options{})
		var sum float64
		for i, c := range tr.Sessions {
			sum += *c.Change
			if i > 0 {
				sum += *c.SincePreviousAfter
			}
		}
		if sum != *last(tr).Change {
			t.Fatalf("the parts sum to %v, the change is %v", sum, *last(tr).Change)
		}
	})
}

func BenchmarkCompute300Points(b *testing.B) {
	var s trajectory.Series
	two := window(b, "P14D")
	for i := range 150 {
		name := fmt.Sprint("s", i)
		s.Sessions = append(s.Sessions, dosing(name, i+1, float64(7*i)))
		s.Assessments = append(s.Assessments,
			asking(linked(name+"b", before, name, float64(7*i)-.1, float64((i*7)%28)), two),
			asking(linked(name+"a", after, name, float64(7*i)+1, float64((i*5)%28)), two))
	}
	rules := nhs()
	for b.Loop() {
		trajectory.Compute(s, rules, trajectory.Options{})
	}
}

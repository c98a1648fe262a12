package trajectory_test

import (
	"math"
	"slices"
	"testing"

	"github.com/protrack/protrack/pkg/trajectory"
)

func TestAPointIsComparedWithTheBaseline(t *testing.T) {
	type verdicts struct {
		Change, Percent *float64
		Reliable        *trajectory.Reliable
		Response        *trajectory.Response
		Remission, Case *bool
	}
	v := func(change, percent float64, r trajectory.Reliable, p trajectory.Response, remission, isCase bool) verdicts {
		return verdicts{new(change), new(percent), new(r), new(p), new(remission), new(isCase)}
	}
	const improved, unchanged, deteriorated = trajectory.Improved, trajectory.Unchanged, trajectory.Deteriorated
	const full, partial, none = trajectory.ResponseFull, trajectory.ResponsePartial, trajectory.ResponseNone
	for _, c := range []struct {
		name           string
		baseline, then float64
		want           verdicts
	}{
		{"a fall of exactly half is a response", 18, 9, v(-9, -50, improved, full, false, false)},
		{"an odd baseline needs more than its rounded half", 15, 8, v(-7, -46.666666667, improved, partial, false, false)},
		{"a fall of exactly a quarter is a partial response", 12, 9, v(-3, -25, unchanged, partial, false, false)},
		{"six points are reliable (NHS TT)", 16, 10, v(-6, -37.5, improved, partial, false, true)},
		{"five points are not", 16, 11, v(-5, -31.25, unchanged, partial, false, true)},
		{"a prorated 5.999 is not six", 16, 10.001, v(-5.999, -37.49375, unchanged, partial, false, true)},
		{"six points up are reliable deterioration", 10, 16, v(6, 60, deteriorated, none, false, true)},
		{"a total of 4 is remission", 20, 4, v(-16, -80, improved, full, true, false)},
		{"a total of 5 is not", 20, 5, v(-15, -75, improved, full, false, false)},
		{"a prorated 4.999 is", 20, 4.999, v(-15.001, -75.005, improved, full, true, false)},
		{"a total of 0 is an answer, and remission", 20, 0, v(-20, -100, improved, full, true, false)},
		{"a prorated 9.999 is no case", 20, 9.999, v(-10.001, -50.005, improved, full, false, false)},
		{"no change", 12, 12, v(0, 0, unchanged, none, false, true)},
		{"of a baseline of 0 there is no percentage", 0, 6,
			verdicts{new(6.0), nil, new(deteriorated), nil, new(false), new(false)}},
		{"0 after 0 is unchanged", 0, 0, verdicts{new(0.0), nil, new(unchanged), nil, new(true), new(false)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := last(trajectory.Compute(weekly(c.baseline, c.then), nhs(), trajectory.Options{}))
			diff(t, "verdicts", c.want, verdicts{p.Change, p.PercentChange, p.Reliable, p.Response, p.Remission, p.Case})
		})
	}
}

func TestProratedTotalsKeepAnExactThreshold(t *testing.T) {
	// 21 and 12 points on 18 of 20 PCL-5 items are 10 apart, but not in binary.
	before, after := 21.0*20/18, 12.0*20/18
	if before-after >= 10 {
		t.Fatal("these totals do not show the noise that the test is about")
	}
	p := last(trajectory.Compute(weekly(before, after), trajectory.Rules{ReliableChange: new(10.0)}, trajectory.Options{}))
	diff(t, "reliable", new(trajectory.Improved), p.Reliable)
	diff(t, "change", new(-10.0), p.Change)
}

func TestRulesThatAreAbsentGiveNoVerdict(t *testing.T) {
	tr := trajectory.Compute(weekly(20, 4), trajectory.Rules{}, trajectory.Options{})
	p := last(tr)
	if p.Reliable != nil || p.Response != nil || p.Remission != nil || p.Case != nil {
		t.Errorf("verdicts without a rule: %+v", p)
	}
	diff(t, "change", new(-16.0), p.Change)
	diff(t, "summary", trajectory.SummaryNotJudged, tr.Status.Summary)
	diff(t, "relapse judged", false, tr.Relapse.Judged)
}

func TestWhatAReliableChangeWasDerivedFromIsOnlyShown(t *testing.T) {
	r := trajectory.Rules{SD: new(5.9635), Reliability: new(0.8998), ReliabilityKind: "alpha"}
	tr := trajectory.Compute(weekly(16, 10), r, trajectory.Options{})
	if last(tr).Reliable != nil || tr.Rules.ReliableChange != nil {
		t.Error("a threshold was made up")
	}
	diff(t, "rules as given", r, tr.Rules)
}

func TestMoreIsBetterOnWHO5(t *testing.T) {
	s := weekly(40, 60, 20)
	s.Direction = trajectory.HigherIsBetter
	tr := trajectory.Compute(s, who5(), trajectory.Options{})
	diff(t, "up 20", new(trajectory.Improved), tr.Points[1].Reliable)
	diff(t, "up by half", new(trajectory.ResponseFull), tr.Points[1].Response)
	diff(t, "60 is no case", new(false), tr.Points[1].Case)
	diff(t, "down 20", new(trajectory.Deteriorated), tr.Points[2].Reliable)
	diff(t, "change keeps its sign", new(-20.0), tr.Points[2].Change)
	diff(t, "best", 60.0, tr.Best.Total)
	if tr.Points[1].Remission != nil {
		t.Error("remission without a rule for this direction")
	}
	r := who5()
	r.RemissionBelow, r.RecoveredAtMost = new(5.0), new(28.0) // defined only where lower is better
	tr = trajectory.Compute(s, r, trajectory.Options{Relapse: trajectory.RelapseCasenessAfterRemission})
	if tr.Points[1].Remission != nil || tr.Relapse.Judged || *tr.Status.Recovery {
		t.Errorf("a rule for the other direction was applied: %v", *tr.Status.Recovery)
	}
}

func TestPointsStandInOrderOfTimeAndTiming(t *testing.T) {
	// All four at one instant; then the ids decide.
	s := phq9(
		linked("follow", trajectory.TimingFollowUp, "s", 0, 1), linked("after", trajectory.TimingAfter, "s", 0, 2),
		linked("before", trajectory.TimingBefore, "s", 0, 3), linked("base", trajectory.TimingBaseline, "s", 0, 4),
		scored("early", -1, 5))
	given := slices.Clone(s.Assessments)
	tr := trajectory.Compute(s, nhs(), trajectory.Options{})
	var totals []float64
	for _, p := range tr.Points {
		totals = append(totals, *p.Total)
	}
	diff(t, "order", []float64{5, 4, 3, 2, 1}, totals)
	diff(t, "the input is as it was", given, s.Assessments)
	if tr.Trend == nil || tr.Trend.N != 5 {
		t.Errorf("trend %+v, want 5 scores", tr.Trend)
	}
}

func TestAnUnscoredAssessmentStaysAPoint(t *testing.T) {
	nan := scored("nan", 3, math.NaN())
	tr := trajectory.Compute(phq9(scored("a", 0, 20), unscored("b", 2), nan, scored("c", 4, 10)), nhs(), trajectory.Options{})
	if len(tr.Points) != 4 {
		t.Fatalf("%d points, want 4", len(tr.Points))
	}
	for _, p := range tr.Points[1:3] {
		if p.Total != nil || p.Change != nil || p.PercentChange != nil || p.Reliable != nil || p.Remission != nil || p.Case != nil {
			t.Errorf("something was said of a missing total: %+v", p)
		}
	}
	diff(t, "scored", 2, tr.Status.NScored)
	diff(t, "missing", 2, tr.Status.NMissing)
}

func TestBestIsTheEarliestAmongEquals(t *testing.T) {
	tr := trajectory.Compute(weekly(20, 7, 9, 7), nhs(), trajectory.Options{})
	diff(t, "best", at(7), tr.Best.At)
	diff(t, "latest", at(21), tr.Latest.At)
}

func TestBaselineRules(t *testing.T) {
	const first, beforeDose = trajectory.BaselineFirst, trajectory.BaselineLastBeforeFirstDose
	intake, screening := scored("intake", 0, 20), unscored("screening", 5)
	hour := 1.0 / 24
	for _, c := range []struct {
		name  string
		rule  trajectory.BaselineRule
		given []trajectory.Assessment
		doses []trajectory.Session
		want  string // "" for none
	}{
		{"the first score", first, []trajectory.Assessment{unscored("blank", -1), intake, scored("b", 3, 9)}, nil, "intake"},
		{"no score, no baseline", first, []trajectory.Assessment{screening}, nil, ""},
		{"the last score before the first dose", beforeDose,
			[]trajectory.Assessment{intake, scored("b", 6, 18), scored("c", 8, 9)}, []trajectory.Session{dosing("d", 1, 7)}, "b"},
		{"a score at the very start counts", beforeDose,
			[]trajectory.Assessment{intake, scored("b", 7, 18)}, []trajectory.Session{dosing("d", 1, 7)}, "b"},
		{"a before of the session counts though typed in late", beforeDose,
			[]trajectory.Assessment{intake, linked("b", trajectory.TimingBefore, "d", 7+hour, 18)}, []trajectory.Session{dosing("d", 1, 7)}, "b"},
		{"but not two days late", beforeDose,
			[]trajectory.Assessment{intake, linked("b", trajectory.TimingBefore, "d", 9, 18)}, []trajectory.Session{dosing("d", 1, 7)}, "intake"},
		{"a before of another session does not", beforeDose,
			[]trajectory.Assessment{intake, linked("b", trajectory.TimingBefore, "e", 7+hour, 18)},
			[]trajectory.Session{dosing("d", 1, 7), dosing("e", 2, 14)}, "intake"},
		{"an after of the session never does", beforeDose,
			[]trajectory.Assessment{intake, linked("b", trajectory.TimingAfter, "d", 7, 18)}, []trajectory.Session{dosing("d", 1, 7)}, "intake"},
		{"a preparation session is no dose", beforeDose,
			[]trajectory.Assessment{intake, scored("b", 6, 18)},
			[]trajectory.Session{session("p", trajectory.KindPreparation, 1, 3), dosing("d", 1, 7)}, "b"},
		{"an unscored one is passed over", beforeDose, []trajectory.Assessment{intake, screening}, []trajectory.Session{dosing("d", 1, 7)}, "intake"},
		{"nothing before the dose: no baseline", beforeDose, []trajectory.Assessment{scored("c", 8, 9)}, []trajectory.Session{dosing("d", 1, 7)}, ""},
		{"no dose: no baseline", beforeDose, []trajectory.Assessment{intake}, nil, ""},
		{"an unknown rule: no baseline", "worst", []trajectory.Assessment{intake}, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := phq9(c.given...)
			s.Sessions = c.doses
			tr := trajectory.Compute(s, nhs(), trajectory.Options{Baseline: c.rule})
			if c.want == "" {
				if tr.Baseline != nil || tr.Best != nil || tr.Trend != nil || tr.BaselineNote == "" || last(tr).Change != nil {
					t.Errorf("compared without a baseline: %+v", tr)
				}
				diff(t, "summary", trajectory.SummaryNoBaseline, tr.Status.Summary)
				return
			}
			if tr.Baseline == nil {
				t.Fatalf("no baseline: %s", tr.BaselineNote)
			}
			diff(t, "baseline", id(c.want), tr.Baseline.AssessmentID)
			diff(t, "rule", c.rule, tr.Baseline.Rule)
		})
	}
}

func TestPointsBeforeTheBaselineAreNotCompared(t *testing.T) {
	s := phq9(scored("intake", 0, 3), scored("b", 6, 18), scored("c", 8.5, 9))
	s.Sessions = []trajectory.Session{dosing("d", 1, 7)}
	tr := trajectory.Compute(s, nhs(), trajectory.Options{Baseline: trajectory.BaselineLastBeforeFirstDose})
	p := tr.Points[0]
	if p.Change != nil || p.PercentChange != nil || p.Reliable != nil || p.Response != nil || p.RecallOverlap != nil {
		t.Errorf("compared: %+v", p)
	}
	diff(t, "days from the first dose", []*float64{new(-7.0), new(-1.0), new(1.5)},
		[]*float64{p.DaysFromFirstDose, tr.Points[1].DaysFromFirstDose, tr.Points[2].DaysFromFirstDose})
	diff(t, "best is from the baseline on", 9.0, tr.Best.Total)
	diff(t, "the baseline's own change", new(0.0), tr.Points[1].Change)
	if tr.Points[1].Reliable != nil || tr.Points[1].Response != nil {
		t.Error("the baseline was judged against itself")
	}
}

package trajectory_test

import (
	"strings"
	"testing"
	"time"

	"github.com/protrack/protrack/pkg/trajectory"
)

func TestOneWordForACaseload(t *testing.T) {
	for _, c := range []struct {
		name   string
		totals []float64
		want   trajectory.Summary
	}{
		{"a response that was lost", []float64{20, 10, 11}, trajectory.SummaryRelapsed},
		{"a response lost and reliably worse than at first", []float64{20, 10, 26}, trajectory.SummaryRelapsed},
		{"a response lost and regained is a response", []float64{20, 10, 11, 9}, trajectory.SummaryResponse},
		{"reliably worse", []float64{12, 18}, trajectory.SummaryDeteriorated},
		{"in remission", []float64{20, 4}, trajectory.SummaryRemission},
		{"a response above remission", []float64{20, 9}, trajectory.SummaryResponse},
		{"reliably better, no response", []float64{20, 14}, trajectory.SummaryImproved},
		{"within error", []float64{20, 15}, trajectory.SummaryUnchanged},
		{"one score", []float64{20}, trajectory.SummaryBaselineOnly},
		{"no score", nil, trajectory.SummaryNoBaseline},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := trajectory.Compute(weekly(c.totals...), nhs(), trajectory.Options{})
			diff(t, "summary", c.want, tr.Status.Summary)
		})
	}
}

func TestOneScoreIsABaselineAndNoVerdict(t *testing.T) {
	tr := trajectory.Compute(weekly(20), nhs(), trajectory.Options{})
	diff(t, "status", trajectory.Status{
		Summary: trajectory.SummaryBaselineOnly, BaselineCase: new(true), NScored: 1,
	}, tr.Status)
	diff(t, "latest", 20.0, tr.Latest.Total)
	if tr.Trend != nil {
		t.Errorf("trend of one score: %+v", tr.Trend)
	}
}

func TestNoAssessmentsAtAll(t *testing.T) {
	tr := trajectory.Compute(trajectory.Series{Instrument: "phq-9"}, nhs(), trajectory.Options{})
	if tr.Baseline != nil || tr.Latest != nil || tr.Best != nil || len(tr.Points) != 0 || tr.FirstDoseAt != nil {
		t.Errorf("out of nothing: %+v", tr)
	}
	diff(t, "direction", trajectory.LowerIsBetter, tr.Direction)
	diff(t, "relapse", trajectory.RelapseLossOfResponse, tr.Relapse.Definition)
}

func TestRecovery(t *testing.T) {
	marx := trajectory.Rules{ReliableChange: new(15.0), Caseness: new(33.0), RecoveredAtMost: new(28.0)}
	for _, c := range []struct {
		name                        string
		rules                       trajectory.Rules
		totals                      []float64
		wasCase, recovery, reliable *bool
	}{
		{"a case that is none now", nhs(), []float64{15, 9}, new(true), new(true), new(true)},
		{"below caseness within error is recovery, but not reliable", nhs(), []float64{12, 9}, new(true), new(true), new(false)},
		{"reliably better and still a case", nhs(), []float64{20, 10}, new(true), new(false), new(false)},
		{"a prorated 9.999 is below caseness", nhs(), []float64{20, 9.999}, new(true), new(true), new(true)},
		{"no case at baseline has nothing to recover from", nhs(), []float64{9, 2}, new(false), nil, nil},
		{"no caseness rule", trajectory.Rules{ReliableChange: new(6.0)}, []float64{20, 2}, nil, nil, nil},
		{"no reliable change rule", trajectory.Rules{Caseness: new(10.0)}, []float64{20, 2}, new(true), new(true), nil},
		{"PCL-5 30 is no case, and not yet the 28 of Marx 2022", marx, []float64{50, 30}, new(true), new(false), new(false)},
		{"PCL-5 28 is", marx, []float64{50, 28}, new(true), new(true), new(true)},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := trajectory.Compute(weekly(c.totals...), c.rules, trajectory.Options{}).Status
			diff(t, "baseline case, recovery, reliable recovery", []*bool{c.wasCase, c.recovery, c.reliable},
				[]*bool{s.BaselineCase, s.Recovery, s.ReliableRecovery})
		})
	}
	s := weekly(40, 60)
	s.Direction = trajectory.HigherIsBetter
	diff(t, "WHO-5 60", new(true), trajectory.Compute(s, who5(), trajectory.Options{}).Status.Recovery)
}

func TestTheMinimalImportantDifferenceIsReachedByImprovementOnly(t *testing.T) {
	for then, want := range map[float64]bool{15: true, 15.001: false, 25: false} {
		s := trajectory.Compute(weekly(20, then), nhs(), trajectory.Options{}).Status
		diff(t, "MID", new(want), s.MIDReached)
	}
}

func TestRelapseByEachDefinition(t *testing.T) {
	const loss, caseness, worsening = trajectory.RelapseLossOfResponse, trajectory.RelapseCasenessAfterRemission, trajectory.RelapseReliableWorsening
	week := func(n int) *time.Time { return new(at(float64(7 * n))) }
	for _, c := range []struct {
		name     string
		def      trajectory.RelapseDefinition
		totals   []float64
		relapse  *time.Time
		regained bool
		held     *float64
	}{
		{"a response lost after two weeks", loss, []float64{20, 10, 8, 11}, week(3), false, new(14.0)},
		{"exactly half is still a response", loss, []float64{20, 8, 10}, nil, false, new(7.0)},
		{"the first loss is the event, a second is not", loss, []float64{20, 10, 11, 9, 12}, week(2), false, new(7.0)},
		{"a loss that is regained remains an event", loss, []float64{20, 10, 11, 9}, week(2), true, new(7.0)},
		{"no response, nothing to lose", loss, []float64{20, 12, 20}, nil, false, nil},
		{"a response at the last score is held for no time yet", loss, []float64{20, 12, 10}, nil, false, new(0.0)},
		{"no response can be had from 0", loss, []float64{0, 0, 12}, nil, false, nil},

		{"a case after a remission", caseness, []float64{20, 4, 9, 10}, week(3), false, new(14.0)},
		{"9 after a remission is no case", caseness, []float64{20, 4, 9}, nil, false, new(7.0)},
		{"a response without remission does not count", caseness, []float64{20, 5, 15}, nil, false, nil},
		{"in remission at baseline there is nothing to relapse from", caseness, []float64{3, 2, 12}, nil, false, nil},
		{"in remission again", caseness, []float64{20, 4, 12, 3}, week(2), true, new(7.0)},
		{"below caseness is not yet remission again", caseness, []float64{20, 4, 12, 7}, week(2), false, new(7.0)},

		{"six above the best, after a reliable improvement", worsening, []float64{20, 14, 9, 15}, week(3), false, new(14.0)},
		{"five above the best", worsening, []float64{20, 14, 9, 14}, nil, false, new(14.0)},
		{"worse, but never reliably better", worsening, []float64{20, 15, 21}, nil, false, nil},
		{"better than the baseline, and still worse than the best", worsening, []float64{26, 8, 15, 14}, week(2), false, new(7.0)},
		{"within error of the best again", worsening, []float64{20, 9, 15, 12}, week(2), true, new(7.0)},
	} {
		t.Run(string(c.def)+": "+c.name, func(t *testing.T) {
			s := trajectory.Compute(weekly(c.totals...), nhs(), trajectory.Options{Relapse: c.def}).Status
			diff(t, "relapsed at", c.relapse, s.RelapsedAt)
			diff(t, "relapsed", c.relapse != nil, s.Relapsed)
			diff(t, "regained", c.regained, s.Regained)
			diff(t, "days held", c.held, s.DaysHeld)
			diff(t, "censored", c.held != nil && c.relapse == nil, s.HeldCensored)
		})
	}
}

func TestTheFirstGainsAreDated(t *testing.T) {
	s := trajectory.Compute(weekly(20, 14, 10, 4, 12), nhs(), trajectory.Options{}).Status
	diff(t, "reliable improvement", new(at(7)), s.FirstReliableAt)
	diff(t, "response", new(at(14)), s.FirstResponseAt)
	diff(t, "remission", new(at(21)), s.FirstRemissionAt)
	if s := trajectory.Compute(weekly(4, 3), nhs(), trajectory.Options{}).Status; s.FirstRemissionAt != nil || !*s.Remission {
		t.Errorf("from a baseline in remission: first remission %v, remission %v", s.FirstRemissionAt, *s.Remission)
	}
}

func TestRelapseInWords(t *testing.T) {
	for _, c := range []struct {
		def   trajectory.RelapseDefinition
		rules trajectory.Rules
		want  string
	}{
		{"", nhs(), "Relapse is the first score after a response that is no longer at least 50 % better than the baseline."},
		{trajectory.RelapseCasenessAfterRemission, nhs(), "Relapse is the first score at or beyond the caseness threshold of 10 after a remission (a score below 5)."},
		{trajectory.RelapseReliableWorsening, nhs(), "Relapse is the first score that is at least 6 points worse than the best so far, after an improvement of at least 6 points from the baseline."},
		{trajectory.RelapseReliableWorsening, trajectory.Rules{ReliableChange: new(5.23)}, "at least 5.23 points worse"},
		{"", trajectory.Rules{}, "Relapse is not judged: loss of response was chosen, and the rules have no response threshold."},
		{trajectory.RelapseCasenessAfterRemission, trajectory.Rules{Caseness: new(10.0)}, "Relapse is not judged"},
		{trajectory.RelapseReliableWorsening, trajectory.Rules{}, "Relapse is not judged"},
		{"sad", nhs(), "Relapse is not judged: the definition chosen is not known."},
	} {
		got := trajectory.Compute(weekly(20, 4), c.rules, trajectory.Options{Relapse: c.def}).Relapse
		if !strings.Contains(got.Words, c.want) || got.Judged == strings.Contains(c.want, "not judged") {
			t.Errorf("%q: judged %v, %q does not say %q", c.def, got.Judged, got.Words, c.want)
		}
	}
	tr := trajectory.Compute(weekly(20, 4, 20), nhs(), trajectory.Options{Relapse: "sad"})
	if tr.Status.Relapsed || tr.Relapse.Judged || tr.Status.DaysHeld != nil {
		t.Errorf("an unknown definition judged something: %+v", tr.Status)
	}
}

// Who was no case at the baseline has nothing to lose: small moves in health
// must not stand first in a caseload as relapses, nor as successes.
func TestWhoWasNoCaseRaisesNoAlarm(t *testing.T) {
	gad7 := nhs()
	gad7.ReliableChange, gad7.Caseness = new(4.0), new(8.0)
	silent := nhs()
	silent.Caseness = nil
	for _, c := range []struct {
		name   string
		rules  trajectory.Rules
		totals []float64
		want   trajectory.Summary
		judged bool
	}{
		{"GAD-7 4, 2, 3 is not relapsed", gad7, []float64{4, 2, 3}, trajectory.SummaryUnchanged, false},
		{"PHQ-9 2, 4 is no remission", nhs(), []float64{2, 4}, trajectory.SummaryUnchanged, false},
		{"PHQ-9 1, 0, 1 is nothing", nhs(), []float64{1, 0, 1}, trajectory.SummaryUnchanged, false},
		{"0 is a baseline", nhs(), []float64{0, 0, 5}, trajectory.SummaryUnchanged, false},
		{"better by a reliable change, and no more than that", nhs(), []float64{9, 2}, trajectory.SummaryImproved, false},
		{"worse is worse", nhs(), []float64{4, 2, 12}, trajectory.SummaryDeteriorated, false},
		{"one below caseness", nhs(), []float64{9, 4, 9}, trajectory.SummaryUnchanged, false},
		{"one at caseness", nhs(), []float64{10, 4, 9}, trajectory.SummaryRelapsed, true},
		{"without a caseness rule everybody is judged", silent, []float64{9, 4}, trajectory.SummaryRemission, true},
		{"but a baseline in remission does not remit", silent, []float64{4, 3}, trajectory.SummaryUnchanged, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, def := range []trajectory.RelapseDefinition{
				"", trajectory.RelapseCasenessAfterRemission, trajectory.RelapseReliableWorsening,
			} {
				tr := trajectory.Compute(weekly(c.totals...), c.rules, trajectory.Options{Relapse: def})
				if c.judged {
					if def == "" {
						diff(t, "summary", c.want, tr.Status.Summary)
						diff(t, "judged", true, tr.Relapse.Judged)
					}
					continue
				}
				diff(t, "summary", c.want, tr.Status.Summary)
				if s := tr.Status; tr.Relapse.Judged || s.Relapsed || s.Regained || s.RelapsedAt != nil || s.DaysHeld != nil {
					t.Errorf("%q was judged", def)
				}
				if !strings.Contains(tr.Relapse.Words, "was no case at the baseline (the caseness threshold is ") {
					t.Errorf("%q: %q does not say why", def, tr.Relapse.Words)
				}
			}
		})
	}
	p := trajectory.Compute(weekly(4, 2), nhs(), trajectory.Options{}).Points[1]
	diff(t, "the response of a point is said of every pair", new(trajectory.ResponseFull), p.Response)
}

func TestTheStatusSaysHowFarItsTwoScoresOverlap(t *testing.T) {
	two, day := window(t, "P14D"), window(t, "P1D")
	s := phq9(asking(scored("base", 0, 20), two), asking(scored("b", 4, 12), two), unscored("blank", 5))
	tr := trajectory.Compute(s, nhs(), trajectory.Options{})
	diff(t, "overlap", new(.7143), tr.Status.RecallOverlap)
	diff(t, "note", tr.Points[1].RecallNote, tr.Status.RecallNote)
	if tr.Status.RecallNote == "" || tr.Status.WindowDiffers {
		t.Errorf("note %q, another window %v", tr.Status.RecallNote, tr.Status.WindowDiffers)
	}
	s.Assessments = append(s.Assessments, asking(scored("c", 6, 9), day))
	tr = trajectory.Compute(s, nhs(), trajectory.Options{})
	diff(t, "another window", true, tr.Status.WindowDiffers)
	diff(t, "its note", tr.Points[3].RecallNote, tr.Status.RecallNote)
	// Where the latest is set aside, the status is that of the one before.
	s = phq9(asking(scored("base", 0, 20), two), asking(scored("b", 10, 12), two), asking(scored("c", 11, 12), window(t, "P1M")))
	tr = trajectory.Compute(s, nhs(), trajectory.Options{MaxOverlap: new(.4)})
	diff(t, "of the latest that counts", new(.2857), tr.Status.RecallOverlap)
	diff(t, "and its window", false, tr.Status.WindowDiffers)
}

func TestWorseningFromTheBestLeavesOutPairsThatOverlap(t *testing.T) {
	two := window(t, "P14D")
	s := phq9(asking(scored("base", 0, 20), two), asking(scored("best", 30, 8), two),
		asking(scored("a day later", 31, 15), two), asking(scored("much later", 60, 16), two))
	at31, at60 := s, s
	at31.Assessments = s.Assessments[:3]
	o := trajectory.Options{Relapse: trajectory.RelapseReliableWorsening}
	status := func(s trajectory.Series, o trajectory.Options) trajectory.Status {
		return trajectory.Compute(s, nhs(), o).Status
	}
	diff(t, "without a limit", new(at(31)), status(at60, o).RelapsedAt)
	o.MaxOverlap = new(.5)
	diff(t, "set aside", false, status(at31, o).Relapsed)
	diff(t, "still held", new(1.0), status(at31, o).DaysHeld)
	diff(t, "the next is far enough", new(at(60)), status(at60, o).RelapsedAt)

	// What cannot be compared is not regained either.
	s.Assessments = append(s.Assessments, asking(scored("new best", 80, 7), two), asking(scored("the day after", 81, 9), two))
	diff(t, "regained", false, status(s, o).Regained)
	s.Assessments = s.Assessments[:5]
	diff(t, "the best itself is regained", true, status(s, o).Regained)
}

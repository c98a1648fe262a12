package trajectory_test

import (
	"testing"

	"github.com/protrack/protrack/pkg/trajectory"
)

const hour = 1.0 / 24

func TestRecallOverlapWithTheBaseline(t *testing.T) {
	const covered = " already covered by the baseline assessment"
	for _, c := range []struct {
		name, earlier, later string
		after                float64 // days from the baseline
		want                 *float64
		note                 string
	}{
		{"two weeks, asked again a day later", "P14D", "P14D", 1, new(.9286),
			"13 of the 14 days asked about were" + covered + ": only 1 day is new, and a change can show only what that day added."},
		{"four days later", "P14D", "P14D", 4, new(.7143),
			"10 of the 14 days asked about were" + covered + ": only 4 days are new, and a change can show only what those days added."},
		{"five hours later", "P14D", "P14D", 5 * hour, new(.9851),
			"13.8 of the 14 days asked about were" + covered + ": only 5 hours are new, and a change can show only what those hours added."},
		{"an hour later", "P14D", "P14D", hour, new(.997),
			"Nearly all of the 14 days asked about were" + covered + ": only 1 hour is new, and a change can show only what that hour added."},
		{"thirteen days later", "P14D", "P14D", 13, new(.0714), "1 of the 14 days asked about was" + covered + "; the other 13 days are new."},
		{"five hours short of two weeks later", "P14D", "P14D", 14 - 5*hour, new(.0149),
			"5 hours of the 14 days asked about were" + covered + "; the other 13.8 days are new."},
		{"two weeks later", "P14D", "P14D", 14, new(0.0), ""},
		{"at the same time", "P14D", "P14D", 0, new(1.0),
			"All of the 14 days asked about were" + covered + ": there is no new time in which a change could show."},
		{"a month is 30 days", "P1M", "P1M", 1, new(.9667),
			"29 of the 30 days asked about were" + covered + ": only 1 day is new, and a change can show only what that day added."},
		{"a day is 24 hours", "P1D", "P1D", 4 * hour, new(.8333),
			"20 of the 24 hours asked about were" + covered + ": only 4 hours are new, and a change can show only what those hours added."},
		{"half an hour later", "P1D", "P1D", hour / 2, new(.9792),
			"23.5 of the 24 hours asked about were" + covered + ": only 30 minutes are new, and a change can show only what those minutes added."},
		{"a day, two weeks on", "P14D", "P1D", 14, new(0.0),
			"This assessment asked about the last day, the baseline assessment about the last 14 days: part of the difference may come from the question."},
		{"two weeks and then a month", "P14D", "P1M", 30, new(0.0),
			"This assessment asked about the last 30 days, the baseline assessment about the last 14 days: part of the difference may come from the question."},
		{"an unknown window", "", "P14D", 1, nil, ""},
		{"two unknown windows", "", "", 1, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := scored("a", 0, 20), scored("b", c.after, 10)
			if c.earlier != "" {
				a.Window = window(t, c.earlier)
			}
			if c.later != "" {
				b.Window = window(t, c.later)
			}
			a.Timing = trajectory.TimingBaseline // stands first on a tie
			tr := trajectory.Compute(phq9(b, a), nhs(), trajectory.Options{})
			diff(t, "overlap", c.want, tr.Points[1].RecallOverlap)
			diff(t, "note", c.note, tr.Points[1].RecallNote)
			diff(t, "another window", c.earlier != c.later && c.earlier != "" && c.later != "", tr.Points[1].WindowDiffers)
			if tr.Points[0].RecallOverlap != nil {
				t.Error("the baseline overlaps with itself")
			}
		})
	}
}

func TestSinceTheLastSession(t *testing.T) {
	since := window(t, "since_last_session")
	s := phq9(
		asking(linked("before 1", trajectory.TimingBefore, "one", 10, 20), window(t, "P14D")),
		asking(linked("after 1", trajectory.TimingAfter, "one", 11, 12), since),         // asks from day 10
		asking(linked("before 2", trajectory.TimingBefore, "two", 17+hour, 14), since),  // late, still from day 10
		asking(scored("follow-up", 20, 9), since),                                       // from day 17
		asking(scored("early", -30, 22), since),                                         // no session yet
		asking(linked("after at start", trajectory.TimingAfter, "two", 17, 9), since),   // no time at all
		asking(linked("elsewhere", trajectory.TimingBefore, "unlisted", 16, 15), since)) // from day 10
	s.Sessions = []trajectory.Session{dosing("two", 2, 17), dosing("one", 1, 10)}
	tr := trajectory.Compute(s, nhs(), trajectory.Options{Baseline: trajectory.BaselineLastBeforeFirstDose})
	got := map[string]*float64{}
	for _, p := range tr.Points {
		for _, name := range []string{"early", "after 1", "before 2", "follow-up", "after at start", "elsewhere"} {
			if p.AssessmentID == id(name) {
				got[name] = p.RecallOverlap
			}
		}
	}
	diff(t, "overlap with a baseline of day -4 to 10", map[string]*float64{
		"early": nil, "after 1": new(0.0), "before 2": new(0.0), "follow-up": new(0.0), "after at start": nil, "elsewhere": new(0.0),
	}, got)

	// A late "before" asks from the session ahead of its own: 24 of 169 hours.
	diff(t, "overlap of before 2 with after 1", new(.142), tr.Sessions[1].SincePreviousOverlap)

	// The same windows between sessions: the two of session two both ask from day 10 and 17.
	s = phq9(
		asking(linked("b", trajectory.TimingBefore, "two", 16, 14), since), asking(linked("a", trajectory.TimingAfter, "two", 20, 9), since),
		asking(linked("f", trajectory.TimingFollowUp, "two", 22, 8), since))
	s.Sessions = []trajectory.Session{dosing("one", 1, 10), dosing("two", 2, 17)}
	tr = trajectory.Compute(s, nhs(), trajectory.Options{})
	diff(t, "the session parts them", new(0.0), tr.Sessions[1].RecallOverlap)

	s = phq9(asking(scored("b", 12, 14), since), asking(scored("a", 14, 9), since))
	s.Sessions = []trajectory.Session{dosing("one", 1, 10)}
	diff(t, "two of four days", new(.5), last(trajectory.Compute(s, nhs(), trajectory.Options{})).RecallOverlap)
	s.Sessions = nil
	if o := last(trajectory.Compute(s, nhs(), trajectory.Options{})).RecallOverlap; o != nil {
		t.Errorf("no session to reach back to, and an overlap of %v", *o)
	}
}

func TestPointsOverTheLimitOfOverlapTakeNoPartInVerdicts(t *testing.T) {
	two := window(t, "P14D")
	s := phq9(
		asking(scored("base", 0, 20), two), asking(scored("day 1", 1, 2), two),
		asking(scored("day 20", 20, 12), two), asking(scored("day 28", 28, 13), two))
	tr := trajectory.Compute(s, nhs(), trajectory.Options{MaxOverlap: new(.5)})
	p := tr.Points[1]
	if !p.Excluded || p.Reliable != nil || p.Response != nil || p.Remission != nil || p.Case != nil {
		t.Errorf("judged although set aside: %+v", p)
	}
	diff(t, "its change stays visible", new(-18.0), p.Change)
	diff(t, "and its overlap", new(.9286), p.RecallOverlap)
	diff(t, "best", 12.0, tr.Best.Total)
	diff(t, "trend", 3, tr.Trend.N)
	diff(t, "counted", []int{4, 0, 1}, []int{tr.Status.NScored, tr.Status.NMissing, tr.Status.NExcluded})
	if tr.Status.Relapsed || tr.Status.FirstResponseAt != nil {
		t.Error("a response was taken from a point that was set aside")
	}
	// Read 0.9286 in the answer, set it as the limit: that point is not over it.
	for _, limit := range []float64{.9286, 13.0 / 14} {
		tr = trajectory.Compute(s, nhs(), trajectory.Options{MaxOverlap: new(limit)})
		diff(t, "excluded at its own overlap", 0, tr.Status.NExcluded)
	}
	// Latest is where the status is judged; a baseline alone is left.
	tr = trajectory.Compute(phq9(s.Assessments[:2]...), nhs(), trajectory.Options{MaxOverlap: new(.5)})
	diff(t, "latest", 20.0, tr.Latest.Total)
	diff(t, "summary", trajectory.SummaryBaselineOnly, tr.Status.Summary)
}

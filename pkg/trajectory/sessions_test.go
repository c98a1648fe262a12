package trajectory_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/protrack/protrack/pkg/trajectory"
)

const before, after = trajectory.TimingBefore, trajectory.TimingAfter

func TestChangeAcrossSessions(t *testing.T) {
	s := phq9(
		linked("b1 early", before, "one", -2, 22), linked("b1", before, "one", 0, 20), // the later one stands
		linked("a1", after, "one", 1, 12), linked("a1 again", after, "one", 3, 10), // the first one stands
		linked("a2", after, "two", 8, 9), // no before
		linked("b3", before, "three", 14, 11),
		linked("f3", trajectory.TimingFollowUp, "three", 16, 1), // neither before nor after
	)
	s.Sessions = []trajectory.Session{
		dosing("three", 3, 14.1), dosing("one", 1, 0.1), dosing("two", 2, 7.1), session("talk", trajectory.KindIntegration, 1, 10),
	}
	type row struct {
		Number                       int
		Kind                         string
		Before, After, Change, Since *float64
	}
	var got []row
	for _, c := range trajectory.Compute(s, nhs(), trajectory.Options{}).Sessions {
		got = append(got, row{c.Number, c.Kind, c.Before, c.After, c.Change, c.SincePreviousAfter})
	}
	diff(t, "sessions", []row{
		{1, "dosing", new(20.0), new(12.0), new(-8.0), nil},
		{2, "dosing", nil, new(9.0), nil, nil},
		{1, "integration", nil, nil, nil, nil},
		{3, "dosing", new(11.0), nil, nil, new(2.0)}, // from the after of session two
	}, got)
}

func TestAnUnscoredAssessmentIsPassedOverInASession(t *testing.T) {
	blank := linked("b late", before, "one", 0.05, 0)
	blank.Total = nil
	s := phq9(linked("b", before, "one", 0, 20), blank, linked("a", after, "one", 1, 0))
	s.Sessions = []trajectory.Session{dosing("one", 1, 0.1)}
	c := trajectory.Compute(s, nhs(), trajectory.Options{}).Sessions[0]
	diff(t, "before", new(id("b")), c.BeforeID)
	diff(t, "after", new(id("a")), c.AfterID)
	diff(t, "to 0", new(-20.0), c.Change)
}

func TestTheOverlapOfASessionsTwoAssessments(t *testing.T) {
	two := window(t, "P14D")
	s := phq9(
		asking(linked("b1", before, "one", 0, 20), two), asking(linked("a1", after, "one", 1, 12), two),
		asking(linked("b2", before, "two", 8, 13), two), asking(linked("a2", after, "two", 22, 9), two))
	s.Sessions = []trajectory.Session{dosing("one", 1, 0.1), dosing("two", 2, 8.1)}
	got := trajectory.Compute(s, nhs(), trajectory.Options{MaxOverlap: new(.6)}).Sessions
	diff(t, "within session one", new(.9286), got[0].RecallOverlap)
	diff(t, "in words", "13 of the 14 days asked about were already covered by the assessment before the session: "+
		"only 1 day is new, and a change can show only what that day added.", got[0].RecallNote)
	diff(t, "between", new(.5), got[1].SincePreviousOverlap)
	diff(t, "in words", "7 of the 14 days asked about were already covered by the assessment after the previous session: "+
		"only 7 days are new, and a change can show only what those days added.", got[1].SincePreviousNote)
	diff(t, "within session two", new(0.0), got[1].RecallOverlap)
	diff(t, "set aside", []bool{true, false, false}, []bool{got[0].Excluded, got[1].Excluded, got[1].SincePreviousExcluded})
	diff(t, "and still shown", new(-8.0), got[0].Change)
}

func TestTwoCourses(t *testing.T) {
	s := phq9(
		linked("b1", before, "spring", 0, 20), linked("a1", after, "spring", 1, 8),
		linked("b2", before, "autumn", 200, 18), linked("a2", after, "autumn", 201, 4))
	spring, autumn := dosing("spring", 1, 0.1), dosing("autumn", 1, 200.1) // numbers start again
	spring.CourseID, autumn.CourseID = new(id("course 1")), new(id("course 2"))
	s.Sessions = []trajectory.Session{autumn, spring}
	tr := trajectory.Compute(s, nhs(), trajectory.Options{Baseline: trajectory.BaselineLastBeforeFirstDose})
	diff(t, "baseline of the whole", 20.0, tr.Baseline.Total)
	diff(t, "days run from the first course's first dose", new(199.9), tr.Points[2].DaysFromFirstDose)
	diff(t, "session number", new(1), tr.Points[2].SessionNumber)
	diff(t, "course", new(id("course 2")), tr.Sessions[1].CourseID)
	diff(t, "between the courses", new(10.0), tr.Sessions[1].SincePreviousAfter)
	if !tr.Status.Relapsed || !tr.Status.Regained {
		t.Errorf("lost between the courses and regained: %+v", tr.Status)
	}

	alone := phq9(s.Assessments[2:]...)
	alone.Sessions = []trajectory.Session{autumn}
	tr = trajectory.Compute(alone, nhs(), trajectory.Options{Baseline: trajectory.BaselineLastBeforeFirstDose})
	diff(t, "the second course alone", 18.0, tr.Baseline.Total)
	if d := cmp.Diff(new(at(200.1)), tr.FirstDoseAt); d != "" {
		t.Error(d)
	}
}

func TestALinkToASessionThatIsNotGiven(t *testing.T) {
	p := last(trajectory.Compute(phq9(linked("b", before, "gone", 0, 20)), nhs(), trajectory.Options{}))
	diff(t, "the link stays", new(id("gone")), p.SessionID)
	if p.SessionNumber != nil || p.SessionKind != "" || p.DaysFromFirstDose != nil {
		t.Errorf("something was made up: %+v", p)
	}
}

func TestAssessmentsOutOfOrderAreShownAndNotCompared(t *testing.T) {
	s := phq9(
		linked("b1", before, "one", 0, 20), linked("a1", after, "one", 30, 8), // handed in weeks late
		linked("b2", before, "two", 7, 18), linked("a2", after, "two", 8, 12),
		linked("a3", after, "three", 15, 10), linked("b3", before, "three", 16, 14)) // typed in after its after
	s.Sessions = []trajectory.Session{dosing("one", 1, 0.1), dosing("two", 2, 7.1), dosing("three", 3, 14.1)}
	got := trajectory.Compute(s, nhs(), trajectory.Options{MaxOverlap: new(.5)}).Sessions
	diff(t, "across session one", new(-12.0), got[0].Change)
	if c := got[1]; c.SincePreviousAfter != nil || c.SincePreviousOverlap != nil || c.SincePreviousExcluded ||
		c.SincePreviousNote != "The assessment after the previous session was not completed before this one, so the two are not compared." {
		t.Errorf("since session one: %v, %q", c.SincePreviousAfter, c.SincePreviousNote)
	}
	diff(t, "across session two", new(-6.0), got[1].Change)
	if c := got[2]; c.Change != nil || c.RecallOverlap != nil || c.Excluded ||
		c.RecallNote != "The assessment before the session was completed after the one that followed it, so the two are not compared." {
		t.Errorf("across session three: %v, %q", c.Change, c.RecallNote)
	}
	diff(t, "both are shown", []*float64{new(14.0), new(10.0)}, []*float64{got[2].Before, got[2].After})
	diff(t, "since session two", new(2.0), got[2].SincePreviousAfter)

	// At one instant: the two of a session stand in order, those of two do not.
	s = phq9(linked("b1", before, "one", 0, 20), linked("a1", after, "one", 0, 8), linked("b2", before, "two", 0, 9))
	s.Sessions = []trajectory.Session{dosing("one", 1, 0.1), dosing("two", 2, 0.2)}
	got = trajectory.Compute(s, nhs(), trajectory.Options{}).Sessions
	diff(t, "of one session", new(-12.0), got[0].Change)
	if got[1].SincePreviousAfter != nil || got[1].SincePreviousNote == "" {
		t.Error("compared at one instant")
	}
}

package research_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/research"
	"github.com/protrack/protrack/pkg/trajectory"
)

// start is when the first dose of these tests is given.
var start = time.Date(2026, 3, 10, 15, 0, 0, 0, time.UTC)

func on(day int) time.Time { return start.AddDate(0, 0, day) }

func id(n byte) uuid.UUID { return uuid.UUID{15: n} }

// person is somebody with two courses: doses on days 0, 7 and 14 of the first,
// and on day 100 of the second.
func person() research.History {
	ketamine := &care.Medicine{Substance: "ketamine", Route: care.Intramuscular, DoseMG: 70, DoseMGPerKG: new(1.0)}
	session := func(n byte, day int, kind care.SessionKind, course *uuid.UUID) care.Session {
		s := care.Session{ID: id(n), Kind: kind, StartedAt: on(day), CourseID: course}
		if kind == care.Dosing {
			s.Medicine = ketamine
		}
		return s
	}
	first, second := id(1), id(2)
	form := func(n byte, day int, timing care.Timing, session *uuid.UUID, total float64) research.Form {
		return research.Form{
			ID: id(n), Version: 1, Instrument: "phq-9", Timing: timing, SessionID: session, CompletedAt: on(day), RecallWindow: "P14D",
			Total: &total, Severity: new("moderate"),
		}
	}
	return research.History{
		Person:   research.Person{ID: id(99)},
		Client:   care.Client{ID: id(99), Sex: "female", BirthYear: new(1980)},
		Enrolled: on(-3),
		Courses: []care.Course{
			{ID: first, Indication: "depression", StartedOn: "2026-03-05", PlannedSessions: new(3)},
			{ID: second, Indication: "ptsd", StartedOn: "2026-06-01"},
		},
		Sessions: care.Place([]care.Session{
			session(10, -2, care.Preparation, &first), session(11, 0, care.Dosing, &first), session(12, 7, care.Dosing, &first),
			session(13, 9, care.Integration, &first), session(14, 14, care.Dosing, nil),
			session(15, 98, care.Preparation, &second), session(16, 100, care.Dosing, &second),
		}),
		Forms: []research.Form{
			form(20, -1, care.BeforeIt, new(id(11)), 18), form(21, 1, care.AfterIt, new(id(11)), 12), form(22, 10, care.AfterIt, new(id(13)), 10),
			form(23, 90, care.AtFollowUp, nil, 8), form(24, 97, care.BeforeIt, new(id(16)), 15), form(25, 99, care.AtFollowUp, nil, 14),
			form(26, 101, care.AfterIt, new(id(16)), 7),
		},
	}
}

func TestACaseIsTheFirstCourseInWhichADoseWasGiven(t *testing.T) {
	until := on(365)
	score := func(n byte, day int, timing trajectory.Timing, dose int, total float64) cohort.Score {
		return cohort.Score{
			ID: id(n), Version: 1, At: on(day), Timing: timing, Dose: dose, Days: new(float64(day)), Window: "P14D", Total: &total, Severity: "moderate",
		}
	}
	dose := func(number, day int) cohort.Dose {
		return cohort.Dose{Number: number, At: on(day), Substance: "ketamine", Route: "intramuscular", MG: 70, MGPerKG: new(1.0)}
	}
	want := cohort.Case{
		Person: id(99), Enrolled: time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC), Until: until, Sex: "female", BirthYear: new(1980),
		Indication: "depression", Planned: new(3), Doses: []cohort.Dose{dose(1, 0), dose(2, 7), dose(3, 14)},
		Scores: map[string][]cohort.Score{"phq-9": {
			score(20, -1, trajectory.TimingBefore, 1, 18), score(21, 1, trajectory.TimingAfter, 1, 12),
			score(22, 10, trajectory.TimingAfter, 0, 10), // of an integration session
			score(23, 90, trajectory.TimingFollowUp, 0, 8),
		}},
		Ended: new(on(98)),
		Later: map[string][]cohort.Score{"phq-9": {
			score(24, 97, trajectory.TimingBefore, 1, 15), // before the dose of the second course
			score(25, 99, trajectory.TimingFollowUp, 0, 14), score(26, 101, trajectory.TimingAfter, 1, 7),
		}},
	}
	if diff := cmp.Diff(want, research.CaseOf(person(), until)); diff != "" {
		t.Errorf("the case (- is what was expected):\n%s", diff)
	}
}

func TestWhatIsOnlyPlannedIsNoDose(t *testing.T) {
	for _, c := range []struct {
		day, doses int
		indication string
	}{{-1, 0, "depression"}, {0, 1, "depression"}, {13, 2, "depression"}, {365, 3, "depression"}} {
		got := research.CaseOf(person(), on(c.day))
		if len(got.Doses) != c.doses || got.Indication != c.indication {
			t.Errorf("on day %d: %d doses, indication %q", c.day, len(got.Doses), got.Indication)
		}
	}
	untreated := research.CaseOf(person(), on(-1))
	for _, s := range untreated.Scores["phq-9"] {
		if s.Days != nil {
			t.Errorf("before any dose a score has %v days from the first", *s.Days)
		}
	}
}

func TestACourseThatIsOnlyPlannedEndsNoCase(t *testing.T) {
	if c := research.CaseOf(person(), on(97)); c.Ended != nil {
		t.Errorf("a course that begins on day 98 had ended the case by day 97, at %v", c.Ended)
	}
	if c := research.CaseOf(person(), on(98)); c.Ended == nil {
		t.Error("a course that began has not ended the one before")
	}
}

func TestWhoBeganAnotherCourseIsNotLost(t *testing.T) {
	flow, err := cohort.FlowQuery{Instrument: "phq-9", Points: []cohort.TimePoint{
		{Kind: cohort.AtDays, Days: 60, Within: 7}, {Kind: cohort.AtDays, Days: 90, Within: 14},
	}}.Compute(func(yield func(cohort.Case, error) bool) { yield(research.CaseOf(person(), on(365)), nil) })
	if err != nil {
		t.Fatal(err)
	}
	got := [][3]int{}
	for _, p := range flow.Points {
		got = append(got, [3]int{*p.Expected, *p.Lost.N, *p.NextCourse})
	}
	if diff := cmp.Diff([][3]int{{1, 1, 0}, {0, 0, 1}}, got); diff != "" {
		t.Errorf("expected, lost, in the next course (- is what was expected):\n%s", diff)
	}
}

func TestAMeasureOfAPersonCountsLaterCourses(t *testing.T) {
	h := person()
	for i := range h.Forms { // remission 200 days after the index event, in the second course
		if h.Forms[i].ID == id(26) {
			h.Forms[i].CompletedAt, h.Forms[i].Total = on(200), new(4.0)
		}
	}
	m, err := cohort.MeasuresQuery{}.Compute(func(yield func(cohort.Case, error) bool) { yield(research.CaseOf(h, on(900)), nil) })
	if err != nil {
		t.Fatal(err)
	}
	drr := m.Measures[0]
	if *drr.FollowUp.N != 1 || *drr.Remission.N != 1 || *drr.Remission.Of != 1 {
		t.Errorf("HEDIS DRR-E: follow-up %d, remission %d of %d; want 1, 1 of 1", *drr.FollowUp.N, *drr.Remission.N, *drr.Remission.Of)
	}
}

func TestWithoutACourseTheDosesAreStillThoseOfThePerson(t *testing.T) {
	h := person()
	for i := range h.Sessions {
		h.Sessions[i].CourseID = nil
	}
	h.Sessions, h.Courses = care.Place(h.Sessions), nil
	got := research.CaseOf(h, on(365))
	if len(got.Doses) != 4 || got.Doses[3].Number != 4 || got.Indication != "" || got.Planned != nil || len(got.Scores["phq-9"]) != 7 {
		t.Errorf("the case is %+v", got)
	}
}

func TestSomebodyIsEnrolledWhenFirstMetEvenIfRecordedLater(t *testing.T) {
	h := person()
	h.Enrolled = on(300)
	enrolled := func(want time.Time, by string) {
		t.Helper()
		if got := research.CaseOf(h, on(365)).Enrolled; !got.Equal(want) {
			t.Errorf("by %s: enrolled %v, want %v", by, got, want)
		}
	}
	enrolled(time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC), "the course")
	h.Courses = nil
	enrolled(on(-2), "the preparation")
	h.Sessions = nil
	enrolled(on(-1), "the form")
	h.Forms = nil
	enrolled(on(300), "the record")
}

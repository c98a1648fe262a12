package cohort_test

import (
	"crypto/sha1"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/trajectory"
)

var (
	dosed = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

	firstBefore = cohort.TimePoint{Kind: cohort.BeforeSession, Session: 1}
	firstAfter  = cohort.TimePoint{Kind: cohort.AfterSession, Session: 1}
)

func named(name string) uuid.UUID { return uuid.NewHash(sha1.New(), uuid.Nil, []byte(name), 5) }

// treated is somebody who had one dose.
func treated(name string) cohort.Case {
	return cohort.Case{
		Person: named(name), Enrolled: dosed.AddDate(0, 0, -7), Until: dosed.AddDate(1, 0, 0),
		Doses:  []cohort.Dose{{Number: 1, At: dosed, Substance: "ketamine", Route: "im", MG: 70}},
		Scores: map[string][]cohort.Score{},
	}
}

// scoring adds a score of the dosing session.
func scoring(c cohort.Case, instrument string, timing trajectory.Timing, total float64, and ...func(*cohort.Score)) cohort.Case {
	days := map[trajectory.Timing]float64{trajectory.TimingBefore: -1, trajectory.TimingAfter: 7}[timing]
	s := cohort.Score{
		ID: named(fmt.Sprint(c.Person, instrument, timing)), Version: 1, Timing: timing, Dose: 1, Window: "P14D",
		At: dosed.Add(time.Duration(days*24) * time.Hour), Days: &days, Total: &total,
	}
	for _, f := range and {
		f(&s)
	}
	c.Scores[instrument] = append(c.Scores[instrument], s)
	return c
}

// moved is somebody with a score before and after the first dose.
func moved(name, instrument string, from, to float64) cohort.Case {
	c := scoring(treated(name), instrument, trajectory.TimingBefore, from)
	return scoring(c, instrument, trajectory.TimingAfter, to)
}

func people(cases ...cohort.Case) cohort.Cases {
	return func(yield func(cohort.Case, error) bool) {
		for _, c := range cases {
			if !yield(c, nil) {
				return
			}
		}
	}
}

// depression are the PHQ-9 rules of NHS Talking Therapies, anxiety those of the
// GAD-7, with the usual response and remission.
func depression() trajectory.Rules {
	return trajectory.Rules{
		Set: "nhs-tt", ReliableChange: new(6.0), Caseness: new(10.0),
		RemissionBelow: new(5.0), ResponsePercent: new(50.0), PartialPercent: new(25.0),
	}
}

func anxiety() trajectory.Rules {
	r := depression()
	r.ReliableChange, r.Caseness = new(4.0), new(8.0)
	return r
}

func onPHQ9() cohort.ChangeQuery {
	return cohort.ChangeQuery{
		Comparison: cohort.Comparison{Instrument: "phq-9", From: firstBefore, To: firstAfter},
		Direction:  trajectory.LowerIsBetter, Rules: depression(),
	}
}

// compute fails the test where a figure cannot be had.
func compute[F any](t testing.TB, figure func(cohort.Cases) (F, error), cases ...cohort.Case) F {
	t.Helper()
	f, err := figure(people(cases...))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// differ compares what figures show, not what they keep.
func differ(t testing.TB, what string, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got, figures, cmpopts.EquateEmpty(), cmpopts.EquateApprox(0, 1e-12)); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

var figures = cmpopts.IgnoreUnexported(cohort.Change{}, cohort.Shift{}, cohort.Item9{}, cohort.RecoveryFigure{},
	cohort.SignificanceFigure{})

// sharedData opens a file of the project's shared data, which is not part of the
// repository, and skips the test where it is missing.
func sharedData(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", "..", "shared", "data", name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		missing(t, "the shared data is not beside the repository", err)
	}
	return path
}

// missing skips a test for want of something; where everything must be there it
// fails.
func missing(t *testing.T, what string, err error) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s: %v", what, err)
	}
	t.Skipf("%s: %v", what, err)
}

func TestTheFlowSaysWhoIsNotInAComparisonAndWhy(t *testing.T) {
	untreated := treated("untreated")
	untreated.Doses = nil
	unscored := scoring(treated("unscored"), "phq-9", trajectory.TimingBefore, 12)
	unscored = scoring(unscored, "phq-9", trajectory.TimingAfter, 0, func(s *cohort.Score) { s.Total = nil })
	got := compute(t, onPHQ9().Compute,
		moved("both", "phq-9", 12, 6), untreated, unscored,
		scoring(treated("lost"), "phq-9", trajectory.TimingBefore, 12),
		scoring(treated("late"), "phq-9", trajectory.TimingAfter, 12),
	)
	differ(t, "flow", cohort.Pairing{
		Enrolled: new(5), Treated: new(4), WithFrom: new(3), WithTo: new(2), Paired: new(1),
		FromAbsent: map[cohort.Absence]cohort.Count{cohort.NotTreated: new(1), cohort.NotAssessed: new(1)},
		ToAbsent:   map[cohort.Absence]cohort.Count{cohort.NotTreated: new(1), cohort.NotAssessed: new(1), cohort.NotScored: new(1)},
	}, got.Flow)
}

func TestTheOnlyScoreOfAPersonIsNotItsOwnFollowUp(t *testing.T) {
	q := onPHQ9()
	q.From, q.To = cohort.TimePoint{Kind: cohort.AtBaseline}, cohort.TimePoint{Kind: cohort.AtLast}
	got := compute(t, q.Compute, scoring(treated("once"), "phq-9", trajectory.TimingBefore, 12), moved("twice", "phq-9", 12, 6))
	differ(t, "pairs", new(1), got.Flow.Paired)
	differ(t, "reasons", map[cohort.Absence]cohort.Count{cohort.NotLater: new(1)}, got.Flow.ToAbsent)
}

func TestAComparisonOfATimePointWithItselfIsRefused(t *testing.T) {
	q := onPHQ9()
	q.To = q.From
	if _, err := q.Compute(people()); !fault.Is(err, fault.Invalid) {
		t.Errorf("got %v, want an invalid fault", err)
	}
	if _, err := q.ComputeBy(people(), nil); !fault.Is(err, fault.Invalid) {
		t.Errorf("by groups: got %v, want an invalid fault", err)
	}
}

func TestAnErrorOfTheCasesIsTheFiguresOwn(t *testing.T) {
	broken := errors.New("the database went away")
	var cases cohort.Cases = func(yield func(cohort.Case, error) bool) {
		if yield(moved("a", "phq-9", 12, 6), nil) {
			yield(cohort.Case{}, broken)
		}
	}
	comparison := onPHQ9().Comparison
	for name, figure := range map[string]func() error{
		"change": func() error { _, err := onPHQ9().Compute(cases); return err },
		"groups": func() error {
			_, err := onPHQ9().ComputeBy(cases, func(cohort.Case, cohort.Score) string { return "" })
			return err
		},
		"shift": func() error { _, err := cohort.ShiftQuery{Comparison: comparison}.Compute(cases); return err },
		"item 9": func() error {
			_, err := cohort.Item9Query{From: firstBefore, To: firstAfter}.Compute(cases)
			return err
		},
		"recovery": func() error { _, err := bothScales().Compute(cases); return err },
		"significance": func() error {
			_, err := cohort.SignificanceQuery{Comparison: comparison}.Compute(cases)
			return err
		},
	} {
		if err := figure(); !errors.Is(err, broken) {
			t.Errorf("%s: got %v, want the error of the cases", name, err)
		}
	}
}

package trajectory_test

import (
	"crypto/sha1"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/trajectory"
)

var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// at is the instant that many days after the start.
func at(days float64) time.Time {
	return start.Add(time.Duration(days * 24 * float64(time.Hour)))
}

func id(name string) uuid.UUID { return uuid.NewHash(sha1.New(), uuid.Nil, []byte(name), 5) }

func window(t testing.TB, s string) trajectory.Window {
	t.Helper()
	w, err := trajectory.ParseWindow(s)
	if err != nil {
		t.Fatalf("ParseWindow(%q): %v", s, err)
	}
	return w
}

// scored is a follow-up without a session and without a recall window.
func scored(name string, days, total float64) trajectory.Assessment {
	return trajectory.Assessment{ID: id(name), Timing: trajectory.TimingFollowUp, At: at(days), Total: new(total)}
}

func unscored(name string, days float64) trajectory.Assessment {
	a := scored(name, days, 0)
	a.Total = nil
	return a
}

// linked is a scored assessment of a session.
func linked(name string, timing trajectory.Timing, session string, days, total float64) trajectory.Assessment {
	a := scored(name, days, total)
	a.Timing, a.SessionID = timing, new(id(session))
	return a
}

func asking(a trajectory.Assessment, w trajectory.Window) trajectory.Assessment {
	a.Window = w
	return a
}

func session(name, kind string, number int, days float64) trajectory.Session {
	return trajectory.Session{ID: id(name), Kind: kind, Number: number, StartedAt: at(days)}
}

func dosing(name string, number int, days float64) trajectory.Session {
	return session(name, trajectory.KindDosing, number, days)
}

func phq9(assessments ...trajectory.Assessment) trajectory.Series {
	return trajectory.Series{Instrument: "phq-9", Direction: trajectory.LowerIsBetter, Assessments: assessments}
}

// weekly is a series of totals a week apart.
func weekly(totals ...float64) trajectory.Series {
	var s trajectory.Series
	for i, total := range totals {
		s.Assessments = append(s.Assessments, scored("week "+string(rune('a'+i)), float64(7*i), total))
	}
	return s
}

// nhs are the PHQ-9 rules of NHS Talking Therapies with the usual response.
func nhs() trajectory.Rules {
	return trajectory.Rules{
		Set: "nhs-tt", Version: "1",
		ReliableChange: new(6.0), MinimalImportantDifference: new(5.0), Caseness: new(10.0),
		RemissionBelow: new(5.0), ResponsePercent: new(50.0), PartialPercent: new(25.0),
		Source: "NHS Talking Therapies; NCT05134103",
	}
}

// who5 are rules for a scale on which more is better (0-100; a case at <= 50).
func who5() trajectory.Rules {
	return trajectory.Rules{
		Set: "who-5", ReliableChange: new(10.0), Caseness: new(50.0),
		ResponsePercent: new(50.0), PartialPercent: new(25.0),
	}
}

func last(tr trajectory.Trajectory) trajectory.Point { return tr.Points[len(tr.Points)-1] }

// shared opens a file of the project's shared data, which is not part of the
// repository, and skips the test where it is missing.
func shared(t *testing.T, name string) *os.File {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "..", "shared", "data", name))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("the shared data is not beside the repository: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// diff fails the test where got is not what was wanted.
func diff(t testing.TB, what string, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

package cohort_test

import (
	"crypto/sha1"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/trajectory"
)

// dosedAt is when everybody's first dose was given.
var dosedAt = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func daysAfter(days float64) time.Time {
	return dosedAt.Add(time.Duration(days * 24 * float64(time.Hour)))
}

// person is a Case in the making.
type person struct{ cohort.Case }

func someone(name string) *person {
	return &person{cohort.Case{
		Person: uuid.NewHash(sha1.New(), uuid.Nil, []byte(name), 5),
		Scores: map[string][]cohort.Score{}, Enrolled: daysAfter(-30), Until: daysAfter(1000),
	}}
}

// ended says that the next course began then.
func ended(days float64, p *person) *person {
	p.Ended = new(daysAfter(days))
	return p
}

// dosed adds a dosing session.
func (p *person) dosed(days float64) *person {
	p.Doses = append(p.Doses, cohort.Dose{Number: len(p.Doses) + 1, At: daysAfter(days)})
	return p
}

// filled adds an assessment of the PHQ-9; later ones come later.
func (p *person) filled(timing trajectory.Timing, session int, days float64, total *float64) *person {
	scores := p.Scores["phq-9"]
	id := uuid.NewHash(sha1.New(), p.Person, []byte{byte(len(scores)), byte(len(scores) >> 8)}, 5)
	s := cohort.Score{ID: id, Version: 1, At: daysAfter(days), Timing: timing, Dose: session, Days: &days, Total: total, Window: "P14D"}
	if total != nil {
		s.Severity = severity(*total)
	}
	p.Scores["phq-9"] = append(scores, s)
	return p
}

func severity(total float64) string {
	switch {
	case total >= 20:
		return "severe"
	case total >= 15:
		return "moderately_severe"
	case total >= 10:
		return "moderate"
	case total >= 5:
		return "mild"
	}
	return "minimal"
}

func (p *person) baseline(total float64) *person {
	return p.filled(trajectory.TimingBaseline, 0, -7, &total)
}

func (p *person) before(session int, days, total float64) *person {
	return p.filled(trajectory.TimingBefore, session, days, &total)
}

func (p *person) after(session int, days, total float64) *person {
	return p.filled(trajectory.TimingAfter, session, days, &total)
}

func (p *person) later(days, total float64) *person {
	return p.filled(trajectory.TimingFollowUp, 0, days, &total)
}

// asking says about which stretch of time the last assessment asked.
func (p *person) asking(window string) *person {
	scores := p.Scores["phq-9"]
	scores[len(scores)-1].Window = window
	return p
}

func casesOf(people ...*person) cohort.Cases {
	return func(yield func(cohort.Case, error) bool) {
		for _, p := range people {
			if !yield(p.Case, nil) {
				return
			}
		}
	}
}

var errBroken = errors.New("the record broke off")

// broken are cases that end in an error.
func broken(yield func(cohort.Case, error) bool) {
	if yield(someone("a").dosed(0).Case, nil) {
		yield(cohort.Case{}, errBroken)
	}
}

func nhsRules() trajectory.Rules {
	return trajectory.Rules{
		Set: "nhs-tt", ReliableChange: new(6.0), Caseness: new(10.0), RemissionBelow: new(5.0),
		ResponsePercent: new(50.0), PartialPercent: new(25.0),
	}
}

// asShown ignores what figures keep for themselves, and compares numbers at
// four decimals.
var asShown = cmp.Options{
	cmpopts.IgnoreUnexported(cohort.Survival{}, cohort.Flow{}, cohort.Sessions{}, cohort.Expected{}, cohort.ExpectedCell{}, cohort.Measures{}),
	cmpopts.EquateApprox(0, 5e-5), cmpopts.EquateEmpty(),
}

func sameFigure(t testing.TB, what string, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got, asShown); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

// checking is what a test and a property test have in common.
type checking interface {
	Helper()
	Fatal(args ...any)
}

func must[T any](t checking) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// drawn draws people with gaps of every kind: some kinds of people, and of each
// kind a few or many.
func drawn(t *rapid.T, kinds int) []*person {
	var people []*person
	for range rapid.IntRange(0, kinds).Draw(t, "kinds") {
		until, doses := rapid.IntRange(0, 500).Draw(t, "known for"), rapid.IntRange(0, 4).Draw(t, "doses")
		forms := rapid.SliceOfN(rapid.IntRange(-9, 27), 14, 14).Draw(t, "totals")
		for range rapid.IntRange(1, 9).Draw(t, "people") {
			people = append(people, alike(len(people), until, doses, forms))
		}
	}
	return people
}

// alike is somebody with those forms; -1 is one without a total, less is none.
func alike(number, until, doses int, forms []int) *person {
	p := someone(string(rune('a' + number)))
	p.Until = daysAfter(float64(until))
	if forms[0] == -2 { // another course began
		ended(float64(until)/2, p)
	}
	next := func(timing trajectory.Timing, session int, days float64) {
		total := forms[0]
		switch forms = forms[1:]; {
		case total == -1:
			p.filled(timing, session, days, nil)
		case total >= 0:
			p.filled(timing, session, days, new(float64(total)))
		}
	}
	next(trajectory.TimingBaseline, 0, -7)
	for n := range doses {
		at := float64(7 * n)
		p.dosed(at)
		next(trajectory.TimingBefore, n+1, at-0.1)
		next(trajectory.TimingAfter, n+1, at+1)
	}
	for _, days := range []float64{30, 92, 150, 200, 360} {
		next(trajectory.TimingFollowUp, 0, days)
	}
	return p
}

func asJSON(t checking, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

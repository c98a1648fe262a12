package cohort_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/trajectory"
)

// renumbered are the people of a clinic that counts its sessions in another way.
func renumbered(people []*person, number func(int) int) []*person {
	out := make([]*person, len(people))
	for i, p := range people {
		c := *p
		c.Doses = append([]cohort.Dose{}, p.Doses...)
		for j := range c.Doses {
			c.Doses[j].Number = number(c.Doses[j].Number)
		}
		c.Scores = map[string][]cohort.Score{}
		for name, scores := range p.Scores {
			scores = append([]cohort.Score{}, scores...)
			for j := range scores {
				if scores[j].Dose > 0 {
					scores[j].Dose = number(scores[j].Dose)
				}
			}
			c.Scores[name] = scores
		}
		out[i] = &c
	}
	return out
}

// numbering is every figure that looks at sessions, with their numbers told by
// number.
type numbering struct {
	Sessions cohort.Sessions
	Expected cohort.Expected
	Tracks   []cohort.Track
	Flow     cohort.Flow
	Change   []cohort.Change
	Survival cohort.Survival
	Measures cohort.Measures
}

func figuresOf(t checking, people []*person, number func(int) int) numbering {
	cases := casesOf(people...)
	at := func(kind cohort.PointKind, n int) cohort.TimePoint {
		return cohort.TimePoint{Kind: kind, Session: number(n)}
	}
	flow := cohort.FlowQuery{Instrument: "phq-9", Points: []cohort.TimePoint{point(t, "days:30:7")}}
	var out numbering
	for n := 1; n <= 4; n++ {
		flow.Points = append(flow.Points, at(cohort.BeforeSession, n), at(cohort.AfterSession, n))
		change := cohort.ChangeQuery{Comparison: cohort.Comparison{Instrument: "phq-9", From: at(cohort.BeforeSession, n), To: at(cohort.AfterSession, n)}, Rules: nhsRules()}
		out.Change = append(out.Change, must[cohort.Change](t)(change.Compute(cases)))
	}
	out.Flow = must[cohort.Flow](t)(flow.Compute(cases))
	out.Sessions = sessionsOf(t, people...)
	out.Expected = expected(t, cohort.ExpectedQuery{}, people...)
	for _, p := range people {
		out.Tracks = append(out.Tracks, cohort.OffTrack(out.Expected, p.Case))
	}
	survival := cohort.SurvivalQuery{Instrument: "phq-9", Rules: nhsRules(), Event: cohort.EventResponse}
	out.Survival = must[cohort.Survival](t)(survival.Compute(cases))
	out.Measures = must[cohort.Measures](t)(cohort.MeasuresQuery{}.Compute(cases))
	return out
}

// told puts other numbers in the place of the sessions' that a figure names.
func (f *numbering) told(number func(int) int) {
	for i := range f.Sessions.Sessions {
		f.Sessions.Sessions[i].Number = number(f.Sessions.Sessions[i].Number)
	}
	for i, c := range f.Expected.Cells {
		f.Expected.Cells[i].Session, f.Expected.Cells[i].Words = number(c.Session), ""
	}
	for i := range f.Tracks {
		if f.Tracks[i].Session > 0 {
			f.Tracks[i].Session = number(f.Tracks[i].Session)
		}
		f.Tracks[i].Words = ""
	}
	for i := range f.Flow.Points {
		f.Flow.Points[i].At.Session, f.Flow.Points[i].Words = i, ""
	}
}

func TestNoFigureDependsOnHowAClinicNumbersItsSessions(t *testing.T) {
	same := func(n int) int { return n }
	for name, number := range map[string]func(int) int{
		"from 7":                func(n int) int { return n + 6 },
		"by fives":              func(n int) int { return 5 * n },
		"with a gap after each": func(n int) int { return n * n },
	} {
		t.Run(name, func(t *testing.T) {
			sessions := 0
			rapid.Check(t, func(t *rapid.T) {
				people := drawn(t, 6)
				want, got := figuresOf(t, people, same), figuresOf(t, renumbered(people, number), number)
				want.told(number)
				got.told(same)
				// What is withheld may not depend on it either.
				wantShown, gotShown := want.Sessions.Withheld(fewest), got.Sessions.Withheld(fewest)
				for i := range want.Flow.Points {
					want.Flow.Points[i].At = got.Flow.Points[i].At
				}
				if a, b := string(asJSON(t, want)), string(asJSON(t, got)); a != b {
					t.Fatalf("numbered from 1:\n%s\nas the clinic does:\n%s", a, b)
				}
				if a, b := string(asJSON(t, wantShown)), string(asJSON(t, gotShown)); a != b {
					t.Fatalf("shown of sessions from 1:\n%s\nas the clinic numbers them:\n%s", a, b)
				}
				sessions += len(got.Sessions.Sessions) + len(got.Expected.Cells)
			})
			if sessions == 0 {
				t.Error("nobody drawn had a session: the test shows nothing")
			}
		})
	}
}

func TestASessionThatSomebodyLeftOutIsNotTheirs(t *testing.T) {
	gap := someone("gap").baseline(20).dosed(0).after(1, 1, 15).dosed(14).before(3, 13.9, 16).after(3, 15, 10)
	gap.Doses[1].Number = 3
	full := someone("full").baseline(20).dosed(0).after(1, 1, 15).dosed(7).before(2, 6.9, 14).after(2, 8, 12).dosed(14).after(3, 15, 9)
	s := sessionsOf(t, gap, full)
	var taken []string
	for _, r := range s.Sessions {
		taken = append(taken, fmt.Sprint(r.Number, " by ", *r.Taken, ", held of ", *r.Held.N))
	}
	// What the first did to the first person is held until the third, which is the next.
	sameFigure(t, "sessions", []string{"1 by 2, held of 2", "2 by 1, held of 0", "3 by 2, held of 0"}, taken)
	e := expected(t, cohort.ExpectedQuery{}, gap, full)
	sameFigure(t, "expected after", []int{1, 2, 3}, []int{e.Cells[0].Session, e.Cells[1].Session, e.Cells[2].Session})
	sameFigure(t, "the track is of session 3", []any{3, new(-10.0)}, []any{cohort.OffTrack(e, gap.Case).Session, cohort.OffTrack(e, gap.Case).Change})
	f := must[cohort.Flow](t)(cohort.FlowQuery{Instrument: "phq-9"}.Compute(casesOf(gap)))
	sameFigure(t, "the default points", []string{"after_session:1", "after_session:3"}, []string{f.Points[0].At.String(), f.Points[1].At.String()})
}

func TestTwoSessionsOfOneNumberAreCountedOnce(t *testing.T) {
	p := someone("a").baseline(20).dosed(0).after(1, 1, 15).dosed(7)
	p.Doses[1].Number = 1
	s := sessionsOf(t, p)
	sameFigure(t, "rows, taken", []int{1, 1}, []int{len(s.Sessions), *s.Sessions[0].Taken})
	e := expected(t, cohort.ExpectedQuery{}, p)
	sameFigure(t, "cells, people", []int{1, 1}, []int{len(e.Cells), *e.Cells[0].N})
}

func TestSessionsWithGapsTellOfNoFew(t *testing.T) {
	numbers := []int{2, 5, 6}
	told := false
	rapid.Check(t, func(t *rapid.T) {
		var people []*person
		var sizes []int
		var sets [][]bool
		for kind := range 1 << len(numbers) {
			n := rapid.IntRange(0, 9).Draw(t, "people")
			if n == 0 {
				continue
			}
			set := make([]bool, len(numbers))
			for i := range numbers {
				set[i] = kind&(1<<i) != 0
			}
			sizes, sets = append(sizes, n), append(sets, set)
			for i := range n {
				p := someone(fmt.Sprint(kind, i)).filled(trajectory.TimingBaseline, 0, -1, new(20.0))
				for j, had := range set {
					if had {
						p.dosed(float64(j))
						p.Doses[len(p.Doses)-1].Number = numbers[j]
					}
				}
				people = append(people, p)
			}
		}
		of := func(in func(set []bool) bool) []bool {
			out := make([]bool, len(sets))
			for i, set := range sets {
				out[i] = in(set)
			}
			return out
		}
		attack := func(s cohort.Sessions) []int {
			a := attacker{people: sizes}
			if s.Enrolled != nil {
				a.learns(of(func([]bool) bool { return true }))
			}
			if s.Treated != nil {
				a.learns(of(func(set []bool) bool { return set[0] || set[1] || set[2] }))
			}
			for _, r := range s.Sessions {
				for i, number := range numbers {
					if r.Number == number && r.Taken != nil {
						a.learns(of(func(set []bool) bool { return set[i] }))
					}
				}
			}
			return a.finds()
		}
		s := sessionsOf(t, people...)
		told = told || attack(s) != nil
		if few := attack(s.Withheld(fewest)); few != nil {
			t.Fatalf("kinds %v of %v follow from %s", few, sizes, asJSON(t, s.Withheld(fewest)))
		}
	})
	if !told {
		t.Error("no figure drawn told of a few: the test shows nothing")
	}
}

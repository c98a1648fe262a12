package cohort_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/trajectory"
)

// rStatistics is what testdata/r/statistics.R says.
type rStatistics struct {
	Means []struct {
		X        []float64
		N        int
		Mean, SD float64
		CI95     cohort.Interval
	}
	Percentiles []struct {
		X           []float64
		Percentiles [5]float64
	}
	Rates []struct {
		N, Of int
		Rate  float64
		CI95  cohort.Interval
	}
}

func sessionsOf(t checking, people ...*person) cohort.Sessions {
	return must[cohort.Sessions](t)(cohort.SessionsQuery{Instrument: "phq-9"}.Compute(casesOf(people...)))
}

func TestTheMeanAcrossASessionIsThatOfR(t *testing.T) {
	for _, r := range recorded[rStatistics](t, "statistics").Means {
		var people []*person
		for i, x := range r.X {
			people = append(people, someone(fmt.Sprint(i)).before(1, -0.1, 15).dosed(0).after(1, 1, 15+x))
		}
		got := sessionsOf(t, people...).Sessions[0].Across
		sameFigure(t, "mean, SD and interval", cohort.Estimate{N: &r.N, Mean: &r.Mean, SD: &r.SD, CI95: &r.CI95}, got)
	}
}

func TestWhatIsHeldIsOfThoseWhoHaveBothSidesOfTheGap(t *testing.T) {
	s := sessionsOf(t,
		// 20 → 10 across the first, 12 before the second: 8 of the 10 are held.
		someone("a").baseline(20).before(1, -0.1, 18).dosed(0).after(1, 1, 10).dosed(14).before(2, 13.9, 12).after(2, 15, 6),
		// 20 → 14, and back to 18: 2 of the 6 are held.
		someone("b").baseline(20).dosed(0).after(1, 1, 14).dosed(14).before(2, 13.9, 18),
		someone("c").before(1, -0.1, 20).dosed(0),
		someone("never treated").baseline(20),
	)
	one := s.Sessions[0]
	sameFigure(t, "everybody, treated", []int{4, 3}, []int{*s.Enrolled, *s.Treated})
	sameFigure(t, "taken, before, after, paired", []int{3, 2, 2, 1}, []int{*one.Taken, *one.WithBefore, *one.WithAfter, *one.Paired})
	sameFigure(t, "across", cohort.Estimate{N: new(1), Mean: new(-8.0)}, one.Across)
	sameFigure(t, "held", new(3.0), one.Held.Mean)
	sameFigure(t, "from baseline", new(-8.0), one.FromBaseline.Mean)
	sameFigure(t, "share held, of", []float64{10.0 / 16, 2}, []float64{*one.HeldShare, float64(*one.HeldOf)})
	sizes := map[string]int{}
	for _, b := range s.Bases() {
		name := b.Measure
		if b.Groups {
			name += ": " + b.Number
		}
		sizes[name] = max(sizes[name], len(b.Data))
	}
	for measure, n := range map[string]int{
		"people: enrolled": 4, "phq-9 people: taken": 3, "phq-9 people: paired": 1, "phq-9 people: held": 2,
		"phq-9 paired at after_session:1": 1, "phq-9 paired at after_session:1, before": 1,
		"phq-9 held at after_session:1": 2, "phq-9 held at after_session:1, next": 2, "phq-9 from_baseline at after_session:1, baseline": 2,
		"phq-9 held at after_session:2": 0,
	} {
		if got, named := sizes[measure]; !named || got != n {
			t.Errorf("%s: %d people, want %d", measure, got, n)
		}
	}
	two := s.Sessions[1]
	sameFigure(t, "the second: taken, paired, held", []int{2, 1, 0}, []int{*two.Taken, *two.Paired, *two.Held.N})
	if two.HeldShare != nil || two.Held.Mean != nil {
		t.Errorf("held after the last session: %v of %v", two.HeldShare, two.Held)
	}
}

func TestAShareOfAWorseningIsNotHeld(t *testing.T) {
	p := someone("a").baseline(10).dosed(0).after(1, 1, 14).dosed(14).before(2, 13.9, 12)
	if s := sessionsOf(t, p); s.Sessions[0].HeldShare != nil {
		t.Errorf("%v of a worsening was held", *s.Sessions[0].HeldShare)
	}
	q := cohort.SessionsQuery{Instrument: "phq-9", Direction: trajectory.HigherIsBetter}
	if s := must[cohort.Sessions](t)(q.Compute(casesOf(p))); s.Sessions[0].HeldShare == nil || *s.Sessions[0].HeldShare != 0.5 {
		t.Errorf("upwards: %v", s.Sessions[0].HeldShare)
	}
}

func TestScoresInAnotherOrderThanTheirPlacesAreNotCompared(t *testing.T) {
	p := someone("a").dosed(0).after(1, 0.1, 9).before(1, 0.5, 20)
	one := sessionsOf(t, p).Sessions[0]
	sameFigure(t, "before, after, paired", []int{1, 1, 0}, []int{*one.WithBefore, *one.WithAfter, *one.Paired})
}

func TestWindowsAreListedAndTheirOverlapIsTold(t *testing.T) {
	fortnight := someone("a").before(1, 0, 20).dosed(0).after(1, 1, 10) // 13 of the 14 days were asked about before
	since := someone("b").before(1, 0, 20).dosed(0).after(1, 1, 10)
	since.Scores["phq-9"][1].Window = trajectory.SinceLastSession // the day since the session: none of it
	unknown := someone("c").before(1, 0, 20).dosed(0).after(1, 1, 10)
	unknown.Scores["phq-9"][0].Window = ""
	one := sessionsOf(t, fortnight, since, unknown).Sessions[0]
	sameFigure(t, "windows", []cohort.Windows{
		{From: "", To: "P14D", N: new(1)}, {From: "P14D", To: "P14D", N: new(1)}, {From: "P14D", To: "since_last_session", N: new(1)},
	}, one.Windows)
	sameFigure(t, "overlap, of", []float64{13.0 / 28, 2}, []float64{*one.RecallOverlap, float64(*one.OverlapOf)})
	q := cohort.SessionsQuery{Instrument: "phq-9", Window: "P14D"}
	alone := must[cohort.Sessions](t)(q.Compute(casesOf(fortnight, since, unknown))).Sessions[0]
	sameFigure(t, "pairs of one window", 1, *alone.Paired)
}

func sessionChains(s cohort.Sessions) []nested {
	taken := nested{s.Enrolled, s.Treated}
	var chains []nested
	for _, r := range s.Sessions {
		chains = append(chains,
			append(append(nested{}, taken...), r.Taken, r.WithBefore, r.Paired), nested{s.Treated, r.Taken, r.WithAfter, r.Paired},
			nested{r.WithAfter, r.Held.N, r.HeldOf}, nested{r.WithAfter, r.FromBaseline.N, r.HeldOf},
			nested{r.Paired, r.OverlapOf}, nested{r.Across.N}, nested{together(r.Taken, r.Paired), together(r.WithBefore, r.WithAfter)})
		for _, w := range r.Windows {
			chains = append(chains, nested{r.Paired, w.N})
		}
		taken = append(taken, r.Taken)
	}
	return chains
}

func TestWithheldSessionsTellOfNoFew(t *testing.T) {
	told := false
	rapid.Check(t, func(t *rapid.T) {
		s := sessionsOf(t, drawn(t, 9)...)
		told = told || tellsFew(sessionChains(s)...)
		before := asJSON(t, s)
		got := s.Withheld(5)
		if tellsFew(sessionChains(got)...) {
			t.Fatalf("%s", asJSON(t, got))
		}
		for _, r := range got.Sessions {
			if r.Across.N == nil && r.Across.SD != nil {
				t.Fatal("an SD without its n: n follows from the interval")
			}
		}
		if string(asJSON(t, s)) != string(before) {
			t.Fatal("withholding changed the figure itself")
		}
	})
	if !told {
		t.Error("no figure drawn had anything to withhold: the test shows nothing")
	}
}

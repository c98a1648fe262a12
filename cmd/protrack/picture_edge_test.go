package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/instrument"
	"github.com/protrack/protrack/pkg/trajectory"
)

// pictureSeries draws totals that are taken so many days apart; a total below
// 0 stands for a form without one.
func pictureSeries(t *testing.T, id string, apart float64, totals []float64, o trajectory.Options, p picture) string {
	t.Helper()
	rules := trajectory.Rules{Set: "test", Version: "1", ReliableChange: new(6.0), ResponsePercent: new(50.0)}
	return pictureSeriesBy(t, rules, id, apart, totals, o, p)
}

func pictureSeriesBy(
	t *testing.T, rules trajectory.Rules, id string, apart float64, totals []float64, o trajectory.Options, p picture,
) string {
	t.Helper()
	def, err := instrument.Embedded().Get(id)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, 3, 2, 16, 0, 0, 0, time.UTC)
	window, err := trajectory.ParseWindow("P14D")
	if err != nil {
		t.Fatal(err)
	}
	s := trajectory.Series{Instrument: id, Direction: trajectory.Direction(def.Direction)}
	for i, total := range totals {
		a := trajectory.Assessment{
			ID: uuid.UUID{15: byte(i), 14: byte(i >> 8)}, Timing: trajectory.TimingFollowUp, Window: window,
			At: start.Add(time.Duration(float64(i) * apart * 24 * float64(time.Hour))),
		}
		if total >= 0 {
			a.Total = &total
			if b, ok := def.BandOf(total); ok {
				a.Severity = &b.ID
			}
		}
		s.Assessments = append(s.Assessments, a)
	}
	p.Instrument = def
	p.Client = care.Client{Reference: "P-1"}
	p.Trajectory = care.Trajectory{Title: def.Title, Trajectory: trajectory.Compute(s, rules, o)}
	var b bytes.Buffer
	if err := printTrajectory(&b, p); err != nil {
		t.Fatal(err)
	}
	checkPicture(t, b.String(), max(p.Width, pictureWidth), p.ASCII)
	return b.String()
}

func TestPictureOfAnySeries(t *testing.T) {
	many := make([]float64, 400)
	for i := range many {
		many[i] = float64((i * 7) % 28)
	}
	for name, c := range map[string]struct {
		instrument string
		apart      float64
		totals     []float64
		want       []string
	}{
		"nothing but a form without a total": {"phq-9", 7, []float64{-1}, []string{"No assessment has a score."}},
		"all at one instant":                 {"phq-9", 0, []float64{20, 9, 8}, []string{"3 scores"}},
		"the whole range":                    {"phq-9", 7, []float64{27, 0, 27}, []string{"severe", "no difference"}},
		"more scores than columns":           {"phq-9", 1, many, []string{"400 scores"}},
		"a total of 0":                       {"gad-7", 7, []float64{0, 7}, []string{"from 0 (minimal) to 7 (mild)", "7 points more"}},
		"one point":                          {"gad-7", 7, []float64{10, 9}, []string{"1 point or 10 % less"}},
		"a prorated total":                   {"phq-9", 7, []float64{10.125, 9}, []string{"10.1", "-1.1"}},
		"no bands":                           {"pcl-5", 7, []float64{80, 0}, []string{"60"}},
		"higher is better":                   {"who-5", 7, []float64{20, 80, 100}, []string{"80 points or 400 % more", "a reliable improvement"}},
		"years apart":                        {"phq-9", 1000, []float64{20, 10, 4, 20}, []string{"╱╱", "it is not there at the latest score"}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, p := range []picture{{}, {ASCII: true}, {Width: 200}, {Width: 10}} {
				got := pictureSeries(t, c.instrument, c.apart, c.totals, trajectory.Options{}, p)
				for _, want := range c.want {
					if p.ASCII {
						want = pictureASCII(want)
					}
					if !strings.Contains(strings.Join(strings.Fields(got), " "), want) {
						t.Errorf("lacks %q:\n%s", want, got)
					}
				}
			}
		})
	}
}

func TestPictureSaysWhatWasSetAside(t *testing.T) {
	got := pictureSeries(t, "phq-9", 3, []float64{20, 10, 9}, trajectory.Options{MaxOverlap: new(0.5)}, picture{})
	for _, want := range []string{"79%x", "57%x", "The only score that counts is 20", "set aside"} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %q:\n%s", want, got)
		}
	}
}

// Who was no case is not said to respond, remit or relapse.
func TestPictureOfWhoWasNoCase(t *testing.T) {
	rules := trajectory.Rules{
		Set: "test", Version: "1", ReliableChange: new(6.0), Caseness: new(10.0), RemissionBelow: new(5.0), ResponsePercent: new(50.0),
	}
	for name, c := range map[string]struct {
		totals []float64
		want   string
	}{
		"a response and its loss": {[]float64{4, 2, 3}, "A reliable improvement was not seen at any score."},
		"a reliable improvement":  {[]float64{9, 2}, "a reliable improvement, in a client who was no case at the baseline. First seen: a reliable improvement on"},
	} {
		t.Run(name, func(t *testing.T) {
			got := strings.Join(strings.Fields(pictureSeriesBy(t, rules, "phq-9", 7, c.totals, trajectory.Options{}, picture{})), " ")
			for _, want := range []string{c.want, "Relapse is not judged: the client was no case at the baseline"} {
				if !strings.Contains(got, want) {
					t.Errorf("lacks %q:\n%s", want, got)
				}
			}
			for _, word := range []string{"a response", "a remission", "lost", "held"} {
				if strings.Contains(got, word) {
					t.Errorf("says %q:\n%s", word, got)
				}
			}
		})
	}
}

func TestPictureSaysHowFarThePairsOfADoseOverlap(t *testing.T) {
	v := &pictureView{doses: []trajectory.SessionChange{
		{Change: new(-4.0), RecallOverlap: new(.9)}, {Change: new(-2.0), RecallOverlap: new(.96)},
		{Change: new(-9.0), RecallOverlap: new(1.0), Excluded: true}, {},
	}}
	if got, want := v.saw(), "(n = 2; such pairs share 93 % of the days they ask about)."; !strings.HasSuffix(got, want) {
		t.Errorf("%q does not end with %q", got, want)
	}
	v.doses = []trajectory.SessionChange{{Change: new(-4.0)}}
	if got, want := v.saw(), "by -4 points on average (n = 1)."; !strings.HasSuffix(got, want) {
		t.Errorf("%q does not end with %q", got, want)
	}
}

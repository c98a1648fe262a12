package chart_test

import (
	"bytes"
	"math"
	"testing"

	"github.com/protrack/protrack/pkg/chart"
)

// drawing is any picture.
type drawing interface {
	SVG(theme chart.Theme) []byte
	PNG(theme chart.Theme) ([]byte, error)
}

func means() chart.Means {
	return chart.Means{
		Title: "PHQ-9 of a cohort", Summary: "Means of a group.", Axis: "PHQ-9, points; mean and 95 % interval", High: 27,
		Points: []chart.Mean{
			{Label: "baseline", Mean: new(17.2), From: new(16.1), To: new(18.3), N: "60"},
			{Label: "day 7", Mean: new(11.0), From: new(9.6), To: new(12.4), N: "54"},
			{Label: "day 28", Mean: new(8.4), N: "41"},
			{Label: "day 90", N: "withheld"},
			{Label: "day 180", Mean: new(9.0), From: new(6.5), To: new(11.5), N: "22"},
		},
	}
}

func survival() chart.Survival {
	return chart.Survival{
		Title: "PHQ-9: time without relapse", Summary: "A curve.", Axis: "still responding",
		Steps: []chart.Step{
			{Day: 20, Share: 0.95, From: new(0.85), To: new(0.99)}, {Day: 40, Share: 0.8, From: new(0.66), To: new(0.9)},
			{Day: 70, Share: 0.8, From: new(0.66), To: new(0.9), Censored: true}, {Day: 110, Share: 0.5, From: new(0.33), To: new(0.66)},
			{Day: 200, Share: 0.4, From: new(0.2), To: new(0.6), Censored: true},
		},
		Risk:       []chart.Risk{{Day: 0, N: "40"}, {Day: 7, N: "40"}, {Day: 28, N: "37"}, {Day: 56, N: "30"}, {Day: 90, N: "21"}, {Day: 180, N: "withheld"}, {Day: 365, N: "0"}},
		MedianDays: new(110.0),
	}
}

func shift() chart.Shift {
	return chart.Shift{
		Title: "PHQ-9: bands before and after", Summary: "A table.", Note: "on the diagonal: no change", From: "baseline", To: "last score",
		Bands:  []string{"Minimal", "Mild", "Moderate", "Moderately severe", "Severe"},
		Counts: [][]*int{{new(3), new(0), new(0), new(0), new(0)}, {new(5), new(2), nil, new(0), new(0)}, {new(9), new(7), new(4), nil, new(0)}, {new(6), new(8), new(5), new(3), new(1)}, {new(2), new(4), new(3), new(2), new(2)}},
		Rows:   []*int{new(3), nil, nil, new(23), new(13)}, Columns: []*int{new(25), new(21), nil, nil, new(3)},
	}
}

func spark() chart.Spark {
	return chart.Spark{Title: "PHQ-9: 20, 12, no score, 0", Values: []*float64{new(20.0), new(12.0), nil, new(14.0), new(3.0), new(0.0)}, High: 27}
}

func TestPicturesOfGroupsAreThoseThatWereLookedAt(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]drawing{"means": means(), "survival": survival(), "shift": shift(), "spark": spark()} {
		svg := d.SVG(chart.Light)
		golden(t, name, svg)
		inert(t, svg)
		if _, err := d.PNG(chart.Dark); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPicturesOfNothingAreDrawn(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	for name, d := range map[string]drawing{
		"a trajectory": chart.Trajectory{}, "means": chart.Means{}, "a curve": chart.Survival{}, "a table": chart.Shift{}, "a spark": chart.Spark{},
		"means of no number":  chart.Means{Low: nan, High: nan, Points: []chart.Mean{{Mean: &nan, From: &nan, To: &nan}}},
		"a curve of none":     chart.Survival{Steps: []chart.Step{{Day: nan, Share: nan, From: &nan, To: &nan}}, Risk: []chart.Risk{{Day: nan}}, MedianDays: &nan},
		"a table without":     chart.Shift{Bands: []string{"", "b"}},
		"a spark of no scale": chart.Spark{Low: nan, High: nan, Values: []*float64{new(1.0), &nan}},
		"no scale at all":     chart.Trajectory{Low: nan, High: math.Inf(1), Width: nan, Height: math.Inf(1), Points: []chart.Point{{Total: &nan}, {Total: new(3.0)}}},
	} {
		for _, theme := range []chart.Theme{chart.Page, chart.Light, "unknown"} {
			svg := d.SVG(theme)
			inert(t, svg)
			inView(t, svg)
			if !bytes.Contains(svg, []byte("<title>")) {
				t.Errorf("%s has no title", name)
			}
		}
		if _, err := d.PNG(chart.Light); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestASparkMarksTheLastScoreAndBreaksWhereOneIsMissing(t *testing.T) {
	t.Parallel()
	svg := spark().SVG(chart.Page)
	if lines := bytes.Count(svg, []byte(`class="c-way"`)); lines != 2 {
		t.Errorf("%d lines, want 2, with a gap between them", lines)
	}
	if marks := bytes.Count(svg, []byte("<circle")); marks != 1 {
		t.Errorf("%d marks, want that of the last score", marks)
	}
}

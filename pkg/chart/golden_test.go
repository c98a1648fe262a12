package chart_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/protrack/protrack/pkg/chart"
)

// at is a time so many days after the first dose.
func at(days float64) time.Time {
	return time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC).Add(time.Duration(days * float64(24*time.Hour)))
}

func phq9() chart.Trajectory {
	return chart.Trajectory{
		Title: "PHQ-9, symptoms of depression", Summary: "Scores of a client.", Note: "lower is better", Low: 0, High: 27,
		Bands: []chart.Band{
			{From: 0, To: 4, Label: "Minimal"}, {From: 5, To: 9, Label: "Mild"}, {From: 10, To: 14, Label: "Moderate"},
			{From: 15, To: 19, Label: "Moderately severe"}, {From: 20, To: 27, Label: "Severe"},
		},
		Lines: []chart.Line{
			{At: 5, Label: "remission: below 5", Kind: chart.Remission},
			{At: 15, Label: "reliably better: 15 or less", Kind: chart.ReliableChange},
		},
	}
}

// dose adds a dosing session on a day with a score before it and one after.
func dose(t *chart.Trajectory, number int, day, before, after float64) {
	id := fmt.Sprint("dose", number, day)
	t.Sessions = append(t.Sessions, chart.Session{
		ID: id, Kind: "dosing", At: at(day), Label: fmt.Sprintf("dose %d, ketamine 70 mg", number), Short: fmt.Sprint(number), Dose: "70",
	})
	t.Points = append(t.Points,
		chart.Point{At: at(day - 0.05), Total: &before, Session: id, Timing: chart.Before},
		chart.Point{At: at(day + 0.9), Total: &after, Session: id, Timing: chart.After})
}

func course() chart.Trajectory {
	t := phq9()
	t.Points = append(t.Points, chart.Point{At: at(-9), Total: new(21.0), Timing: chart.Baseline})
	t.Sessions = append(t.Sessions, chart.Session{ID: "p", Kind: "preparation", At: at(-4), Short: "1"})
	for i := range 6 {
		dose(&t, i+1, float64(i)*4, float64(20-2*i), float64(14-2*i))
	}
	t.Sessions = append(t.Sessions, chart.Session{ID: "i", Kind: "integration", At: at(25), Short: "1"},
		chart.Session{ID: "f", Kind: "follow_up", At: at(90), Short: "1"})
	t.Points = append(t.Points, chart.Point{At: at(50), Total: new(6.0), Timing: chart.FollowUp}, chart.Point{At: at(90), Total: new(0.0), Timing: chart.FollowUp})
	return t
}

// pictures are those of the golden files.
func pictures() map[string]chart.Trajectory {
	out := map[string]chart.Trajectory{"course": course(), "nothing": phq9()}

	one := phq9()
	one.Points = []chart.Point{{At: at(0), Total: new(18.0), Timing: chart.Baseline, Label: "18 points, moderately severe"}}
	out["one-point"] = one

	many := phq9()
	for i := range 300 {
		total := math.Round(14 + 8*math.Cos(float64(i)/20) - float64(i)/60)
		many.Points = append(many.Points, chart.Point{At: at(float64(i) * 3), Total: &total, Timing: chart.FollowUp})
	}
	for i := range 60 {
		many.Sessions = append(many.Sessions, chart.Session{ID: fmt.Sprint(i), Kind: "dosing", At: at(float64(i) * 14), Short: fmt.Sprint(i + 1), Dose: "70"})
	}
	out["300-points"] = many

	gaps := course()
	for _, i := range []int{3, 4, 9} {
		gaps.Points[i].Total, gaps.Points[i].Missing = nil, "item 9 not answered"
	}
	gaps.Points[13].Excluded = true
	out["gaps"] = gaps

	two := course()
	for i := range 4 {
		dose(&two, i+1, 400+float64(i)*7, float64(17-2*i), float64(10-2*i))
	}
	out["two-courses"] = two

	ties := phq9()
	for i, total := range []float64{20, 20, 12, 12, 12, 5} {
		ties.Points = append(ties.Points, chart.Point{At: at(float64(i/3) * 20), Total: &total, Timing: []chart.Timing{chart.Before, chart.After, chart.FollowUp}[i%3]})
	}
	out["ties"] = ties

	flags := course()
	for _, i := range []int{0, 1, 2, 5} {
		flags.Points[i].Flagged, flags.Points[i].FlagLabel = true, "item 9 above 0"
	}
	out["item-9"] = flags

	who := chart.Trajectory{Title: "WHO-5, well-being", Summary: "Scores of a client.", Note: "higher is better", High: 100}
	for i, total := range []float64{20, 28, 40, 36, 64, 72} {
		who.Points = append(who.Points, chart.Point{At: at(float64(i) * 30), Total: &total, Timing: chart.FollowUp})
	}
	out["who-5"] = who

	pcl := chart.Trajectory{Title: "PCL-5, symptoms of PTSD", Summary: "Scores of a client.", Note: "lower is better", High: 80,
		Lines: []chart.Line{{At: 28, Label: "recovered: 28 or less"}, {At: 40, Label: "reliably better: 40 or less", Kind: chart.ReliableChange}}}
	dose(&pcl, 1, 0, 55, 48)
	dose(&pcl, 2, 14, 50, 31)
	out["pcl-5"] = pcl

	markup := course()
	markup.Title = `<script>alert("1")</script> & ]]> ` + strings.Repeat("long ", 2000)
	markup.Summary, markup.Note = "\x00\x1b[31m \xff\xfe 'quoted' \u202egnihton", "שלום עולם <b>"
	markup.Bands[1].Label, markup.Bands[2].Label = "</text><svg onload=x>", "شديد جدا 🙂🙂"
	markup.Sessions[1].Short, markup.Sessions[2].Dose = "&lt;", strings.Repeat("9", 10_000)
	markup.Points[0].Label = `"/><a href="javascript:x">`
	out["markup"] = markup
	return out
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name+".svg")
	if *update {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s: look at the picture, then -update (-file +drawn): %s", file, diff)
	}
}

func TestPicturesAreThoseThatWereLookedAt(t *testing.T) {
	t.Parallel()
	for name, p := range pictures() {
		svg := p.SVG(chart.Light)
		golden(t, name, svg)
		inert(t, svg)
		if again := p.SVG(chart.Light); !bytes.Equal(svg, again) {
			t.Errorf("%s: drawn twice, two pictures", name)
		}
	}
	golden(t, "course-page", course().SVG(chart.Page))
	golden(t, "course-print", course().SVG(chart.Print))
	golden(t, "course-dark", course().SVG(chart.Dark))
}

// inert holds an SVG to being well-formed, to elements and attributes that can
// do nothing, and to texts without control characters.
func inert(t interface{ Fatalf(string, ...any) }, svg []byte) {
	elements := map[string]bool{"svg": true, "title": true, "desc": true, "polyline": true, "polygon": true, "circle": true, "text": true}
	d := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%v in %s", err, svg)
		}
		switch token := token.(type) {
		case xml.StartElement:
			if !elements[token.Name.Local] {
				t.Fatalf("an element %s", token.Name.Local)
			}
			for _, a := range token.Attr {
				if strings.HasPrefix(a.Name.Local, "on") || a.Name.Local == "href" || a.Name.Local == "style" {
					t.Fatalf("an attribute %s", a.Name.Local)
				}
			}
		case xml.CharData:
			if strings.ContainsAny(string(token), "\x00\x1b\u202e") {
				t.Fatalf("a text %q", token)
			}
		}
	}
}

func TestAPNGHasTheSizeOfThePictureAndTheColoursOfItsTheme(t *testing.T) {
	t.Parallel()
	seen := map[string]chart.Theme{}
	for _, theme := range []chart.Theme{chart.Light, chart.Dark, chart.Print} {
		drawn, err := course().PNG(theme)
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(bytes.NewReader(drawn))
		if err != nil {
			t.Fatal(err)
		}
		if b := img.Bounds(); b.Dx() != 1760 || b.Dy() != 880 {
			t.Errorf("%s: %v, want 1760 by 880", theme, b)
		}
		if before, same := seen[string(drawn)]; same {
			t.Errorf("%s is drawn as %s", theme, before)
		}
		seen[string(drawn)] = theme
		colours := map[any]int{}
		for x := range img.Bounds().Dx() {
			for y := range img.Bounds().Dy() {
				colours[img.At(x, y)]++
			}
		}
		for ink, c := range chart.Palettes()[theme] {
			if ink == "score" || ink == "paper" || ink == "session" || ink == "band4" {
				if colours[c] < 50 {
					t.Errorf("%s: %d pixels of %s", theme, colours[c], ink)
				}
			}
		}
	}
}

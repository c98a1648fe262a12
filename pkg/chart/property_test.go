package chart_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/protrack/protrack/pkg/chart"
)

// failer is what a test and a property have in common.
type failer interface {
	Fatalf(format string, args ...any)
}

// inView holds every place in an SVG to being a number inside the view box.
func inView(t failer, svg []byte) {
	var width, height float64
	d := xml.NewDecoder(bytes.NewReader(svg))
	number := func(s string, most float64) {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil || math.IsNaN(v) || v < -0.5 || v > most+0.5 {
			t.Fatalf("%q is no place from 0 to %v in %s", s, most, svg)
		}
	}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%v", err)
		}
		element, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		for _, a := range element.Attr {
			switch a.Name.Local {
			case "viewBox":
				if n, err := fmt.Sscanf(a.Value, "0 0 %f %f", &width, &height); n != 2 || err != nil || width <= 0 || height <= 0 {
					t.Fatalf("view box %q", a.Value)
				}
			case "points":
				for _, p := range strings.Fields(a.Value) {
					x, y, _ := strings.Cut(p, ",")
					number(x, width)
					number(y, height)
				}
			case "x", "cx":
				number(a.Value, width)
			case "y", "cy":
				number(a.Value, height)
			}
		}
	}
}

// anyTrajectory draws from what a record can hold, and from what it cannot.
func anyTrajectory(t *rapid.T) chart.Trajectory {
	times := rapid.OneOf(rapid.Float64Range(-2, 3), rapid.Float64Range(-400, 2000), rapid.Float64Range(-90_000, 90_000))
	value := rapid.OneOf(rapid.Float64Range(0, 27), rapid.Just(0.0), rapid.Float64())
	text := rapid.OneOf(rapid.Just(""), rapid.StringN(0, 40, -1))
	timings := rapid.SampledFrom([]chart.Timing{chart.Baseline, chart.Before, chart.After, chart.FollowUp, "other", ""})
	session := rapid.SampledFrom([]string{"", "a", "b", "c"})
	p := chart.Trajectory{
		Title: text.Draw(t, "title"), Summary: text.Draw(t, "summary"), Note: text.Draw(t, "note"), Low: 0, High: value.Draw(t, "high"),
		Width: rapid.SampledFrom([]float64{0, 1, 360, 2000, math.NaN()}).Draw(t, "width"), Height: rapid.SampledFrom([]float64{0, 100, 700}).Draw(t, "height"),
	}
	for range rapid.IntRange(0, 6).Draw(t, "bands") {
		p.Bands = append(p.Bands, chart.Band{From: value.Draw(t, "band"), Label: text.Draw(t, "label")})
	}
	for range rapid.IntRange(0, 4).Draw(t, "lines") {
		p.Lines = append(p.Lines, chart.Line{At: value.Draw(t, "line"), Label: text.Draw(t, "label"), Kind: chart.Remission})
	}
	for range rapid.IntRange(0, 40).Draw(t, "points") {
		point := chart.Point{At: at(times.Draw(t, "at")), Timing: timings.Draw(t, "timing"), Session: session.Draw(t, "session"), Flagged: rapid.Bool().Draw(t, "flagged"), Excluded: rapid.Bool().Draw(t, "excluded")}
		if rapid.IntRange(0, 3).Draw(t, "scored") > 0 {
			point.Total = new(value.Draw(t, "total"))
		}
		p.Points = append(p.Points, point)
	}
	for range rapid.IntRange(0, 12).Draw(t, "sessions") {
		p.Sessions = append(p.Sessions, chart.Session{
			ID: session.Draw(t, "id"), Kind: rapid.SampledFrom([]string{"preparation", "dosing", "integration", "follow_up", "x"}).Draw(t, "kind"),
			At: at(times.Draw(t, "at")), Short: text.Draw(t, "short"), Dose: text.Draw(t, "dose"), Label: text.Draw(t, "label"),
		})
	}
	return p
}

func TestAnyTrajectoryIsDrawnWholeAndInsideItsFrame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := anyTrajectory(t)
		svg := p.SVG(chart.Page)
		inert(t, svg)
		inView(t, svg)
		scored, missing := 0, 0
		for _, point := range p.Points {
			if point.Total != nil && !math.IsNaN(*point.Total) && !math.IsInf(*point.Total, 0) {
				scored++
			} else {
				missing++
			}
		}
		// Marks of points have a title; those of the legend have an empty one.
		drawn := 0
		for _, class := range []string{"full", "speck", "hollow", "aside"} {
			for part := range strings.SplitSeq(string(svg), "\n") {
				if strings.Contains(part, `class="c-`+class+`"`) && strings.Contains(part, "<title>") {
					drawn++
				}
			}
		}
		if gaps := bytes.Count(svg, []byte(`class="c-gap"`)); drawn != scored || gaps != missing {
			t.Fatalf("%d of %d scores and %d of %d gaps are drawn: %s", drawn, scored, gaps, missing, svg)
		}
	})
}

func TestWhatIsSpreadKeepsItsOrderItsGapsAndItsEnds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 50).Draw(t, "n")
		want, gaps := make([]float64, n), make([]float64, n)
		sum := 0.0
		for i := range n {
			want[i] = rapid.Float64Range(0, 100).Draw(t, "want")
			if i > 0 {
				want[i] = max(want[i], want[i-1])
				gaps[i] = rapid.Float64Range(0, 6).Draw(t, "gap")
				sum += gaps[i]
			}
		}
		share := min(1, 100/max(sum, 1))
		for i, x := range chart.Spread(want, gaps, 0, 100) {
			if x < -1e-9 || x > 100+1e-9 {
				t.Fatalf("%v is outside", x)
			}
			if all := chart.Spread(want, gaps, 0, 100); i > 0 && x-all[i-1] < gaps[i]*share-1e-6 {
				t.Fatalf("%v after %v, want a gap of %v", x, all[i-1], gaps[i]*share)
			}
		}
	})
}

func TestWhatHasRoomStaysWhereItIs(t *testing.T) {
	t.Parallel()
	want := []float64{10, 30, 80}
	for i, x := range chart.Spread(want, []float64{0, 15, 15}, 0, 100) {
		if x != want[i] {
			t.Errorf("%v is moved to %v", want[i], x)
		}
	}
}

func FuzzTextsAreInert(f *testing.F) {
	for _, seed := range []string{"", "PHQ-9", "<script>alert(1)</script>", "]]>&amp;\"'", "\x00\xff\u202eabc", "שלום", "شديد 🙂", strings.Repeat("a", 10_000), "\ufffe\uffff", "a\u2068b\u2069"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		plain := chart.Plain(text)
		if !utf8.ValidString(plain) || utf8.RuneCountInString(plain) > 503 {
			t.Fatalf("%q becomes %q", text, plain)
		}
		if again := chart.Plain(plain); again != plain {
			t.Fatalf("%q becomes %q and then %q", text, plain, again)
		}
		p := course()
		p.Title, p.Summary, p.Note, p.Bands[0].Label, p.Lines[0].Label = text, text, text, text, text
		p.Sessions[0].Short, p.Sessions[1].Dose, p.Points[0].Label, p.Points[1].FlagLabel = text, text, text, text
		svg := p.SVG(chart.Light)
		inert(t, svg)
		inView(t, svg)
	})
}

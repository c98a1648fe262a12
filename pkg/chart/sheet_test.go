package chart_test

import (
	"flag"
	"image/color"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/protrack/protrack/pkg/chart"
)

var update = flag.Bool("update", false, "write the golden files and the colours of the style sheet")

const (
	sheetFile  = "../../api/web/assets/protrack.css"
	sheetStart = "/* Colours of pictures: go test ./pkg/chart -update */\n"
	sheetEnd   = "/* End of the colours of pictures. */\n"
)

func TestThePageHasTheColoursOfThePictures(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(sheetFile)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(text), sheetStart)
	block, after, found := strings.Cut(rest, sheetEnd)
	if *update {
		if err := os.WriteFile(sheetFile, []byte(before+sheetStart+chart.Sheet()+sheetEnd+after), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(chart.Sheet(), block); !found || diff != "" {
		t.Errorf("%s (-package +sheet): %s", sheetFile, diff)
	}
}

// luminance and contrast are those of WCAG 2.2.
func luminance(c color.RGBA) float64 {
	linear := func(v uint8) float64 {
		s := float64(v) / 255
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
}

func contrast(a, b color.RGBA) float64 {
	light, dark := luminance(a), luminance(b)
	if light < dark {
		light, dark = dark, light
	}
	return (light + 0.05) / (dark + 0.05)
}

func TestMarksAndTextsStandOutInEveryTheme(t *testing.T) {
	t.Parallel()
	if got := contrast(color.RGBA{A: 255}, color.RGBA{R: 255, G: 255, B: 255, A: 255}); math.Abs(got-21) > 1e-9 {
		t.Fatalf("black on white is %v, want 21", got)
	}
	marks, texts := chart.Inks()
	grounds := []string{"paper", "band0", "band1", "band2", "band3", "band4"}
	check := func(theme chart.Theme, p map[string]color.RGBA, inks, grounds []string, least float64) {
		for _, i := range inks {
			for _, g := range grounds {
				if i == "paper" || i == g {
					continue
				}
				if got := contrast(p[i], p[g]); got < least {
					t.Errorf("%s: %s on %s has a contrast of %.2f, want %v", theme, i, g, got, least)
				}
			}
		}
	}
	for theme, p := range chart.Palettes() {
		check(theme, p, marks, grounds, 3)
		check(theme, p, []string{"score", "session", "alarm"}, grounds, 3)
		check(theme, p, texts, grounds, 4.5)
		check(theme, p, []string{"text"}, []string{"heat0", "heat1", "heat2", "heat3"}, 4.5)
		for _, filled := range []string{"session", "alarm"} { // letters of paper stand on them
			if got := contrast(p["paper"], p[filled]); got < 4.5 {
				t.Errorf("%s: paper on %s has a contrast of %.2f", theme, filled, got)
			}
		}
	}
}

package webtest_test

import (
	"bytes"
	"cmp"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/demo"
)

// TestPictures takes the pictures of the documents: the demo clinic as seen at a
// time that never changes. It needs a folder to put them into.
func TestPictures(t *testing.T) {
	if *shots == "" {
		t.Skip("no folder to put pictures into: give -shots")
	}
	s := apitest.SQLite(t)
	now := time.Date(2026, 6, 3, 15, 0, 0, 0, time.UTC)
	s.Clock.Set(now)
	stories := demo.Clinic(1, now)
	if _, err := demo.Seed(t.Context(), s.Care, s.Clinic.Who, stories); err != nil {
		t.Fatal(err)
	}
	apitest.Hire(t, s, somebody("rosa", auth.Clinician))
	client := "/clients/" + demo.Showcase(stories).Client.ID.String()
	c := openChromium(t, s.URL)
	c.enterAt("here", somebody("rosa", auth.Clinician))
	for name, path := range map[string]string{
		"client": client, "caseload": "/clients?sort=change", "entry": client + "/assessments/new?instrument=phq-9",
		"cohort": "/cohort/change?instrument=phq-9&from=baseline&to=last",
	} {
		c.open(path)
		for _, screen := range [][2]int64{{390, 844}, {1024, 900}, {1920, 1080}} {
			for _, scheme := range []string{"light", "dark"} {
				c.scheme(scheme)
				c.size(screen[0], screen[1])
				picture, err := chromedp.Run(c.ctx, chromedp.CaptureScreenshot())
				if err != nil {
					t.Fatal(err)
				}
				file := filepath.Join(*shots, fmt.Sprintf("%s-%d-%s.png", name, screen[0], scheme))
				if err := os.WriteFile(file, small(t, picture), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// small writes a picture with the 256 colours that it has most of, which is
// what a page needs.
func small(t *testing.T, data []byte) []byte {
	t.Helper()
	from, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	counts, box := map[color.Color]int{}, from.Bounds()
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			counts[from.At(x, y)]++
		}
	}
	colours := slices.SortedFunc(maps.Keys(counts), func(a, b color.Color) int { return cmp.Compare(counts[b], counts[a]) })
	palette, index := color.Palette(colours[:min(len(colours), 256)]), map[color.Color]uint8{}
	for _, c := range colours {
		index[c] = uint8(palette.Index(c))
	}
	to := image.NewPaletted(box, palette)
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			to.SetColorIndex(x, y, index[from.At(x, y)])
		}
	}
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, to); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

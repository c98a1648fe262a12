package main

import (
	"bytes"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/demo"
	"github.com/protrack/protrack/pkg/instrument"
	"github.com/protrack/protrack/pkg/store"
)

var updateGoldens = flag.Bool("update", false, "write the files under testdata anew")

// pictureService is that of an empty clinic, with the stories of the synthetic
// one.
func pictureService(t *testing.T) (*care.Service, auth.Principal, []demo.Story) {
	t.Helper()
	now := time.Date(2026, 11, 19, 15, 0, 0, 0, time.UTC)
	stories := demo.Clinic(1, now)
	log := slog.New(slog.DiscardHandler)
	db, err := store.Open(t.Context(), store.Config{URL: "sqlite://" + filepath.Join(t.TempDir(), "p.db"), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return now }
	keys := &auth.Service{Store: db, Now: clock, NewID: uuid.New}
	if _, _, err := keys.Found(t.Context(), "demo", ""); err != nil {
		t.Fatal(err)
	}
	who, err := keys.Operator(t.Context(), "demo")
	if err != nil {
		t.Fatal(err)
	}
	return &care.Service{Store: db, Instruments: instrument.Embedded(), Now: clock, NewID: uuid.New, Log: log}, who, stories
}

// pictureClinic stores the named plots of the synthetic clinic, one story of
// each, and gives a way to draw them.
func pictureClinic(t *testing.T) func(pick func(demo.Story) bool, instrumentID string, p picture) string {
	t.Helper()
	svc, who, stories := pictureService(t)
	return func(pick func(demo.Story) bool, id string, p picture) string {
		t.Helper()
		for _, s := range stories {
			if !pick(s) {
				continue
			}
			if _, err := demo.Seed(t.Context(), svc, who, []demo.Story{s}); err != nil {
				t.Fatal(err)
			}
			return drawPicture(t, svc, who, s.Client, id, p)
		}
		t.Fatal("no such story")
		return ""
	}
}

func drawPicture(t *testing.T, svc *care.Service, who auth.Principal, client care.Client, id string, p picture) string {
	t.Helper()
	all, err := svc.Trajectories(t.Context(), who, client.ID, care.TrajectoryQuery{Instrument: id})
	if err != nil {
		t.Fatal(err)
	}
	def, err := svc.InstrumentDefinition(t.Context(), who, id, "")
	if err != nil {
		t.Fatal(err)
	}
	p.Client, p.Instrument, p.Trajectory = client, def, all[0]
	var b bytes.Buffer
	if err := printTrajectory(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func plotted(plot demo.Plot) func(demo.Story) bool {
	return func(s demo.Story) bool { return s.Plot == plot }
}

func TestPicturesOfTheSyntheticClinic(t *testing.T) {
	draw := pictureClinic(t)
	treatedFor := func(plot demo.Plot, indication string) func(demo.Story) bool {
		return func(s demo.Story) bool { return s.Plot == plot && s.Courses[0].Indication == indication }
	}
	declined := func(s demo.Story) bool {
		n := 0
		for _, a := range s.Assessments {
			n += len(a.Declined)
		}
		return n > 2
	}
	prorated := func(s demo.Story) bool {
		for _, a := range s.Assessments {
			if a.MissingPolicy == instrument.Prorated {
				return true
			}
		}
		return false
	}
	for name, c := range map[string]struct {
		pick       func(demo.Story) bool
		instrument string
		picture    picture
	}{
		"typical-phq-9":       {plotted(demo.Typical), "phq-9", picture{}},
		"typical-phq-9-ascii": {plotted(demo.Typical), "phq-9", picture{ASCII: true}},
		"typical-gad-7":       {plotted(demo.Typical), "gad-7", picture{}},
		"typical-wide":        {plotted(demo.Typical), "phq-9", picture{Width: 120}},
		"ptsd-pcl-5":          {treatedFor(demo.Remitter, "ptsd"), "pcl-5", picture{}},
		"relapser-phq-9":      {plotted(demo.Relapser), "phq-9", picture{}},
		"returner-phq-9":      {plotted(demo.Returner), "phq-9", picture{}},
		"worsened-phq-9":      {plotted(demo.Worsened), "phq-9", picture{}},
		"declining-phq-9":     {declined, "phq-9", picture{}},
		"prorated-phq-9":      {prorated, "phq-9", picture{}},
		"baseline-only-phq-9": {plotted(demo.BaselineOnly), "phq-9", picture{}},
		"waiting-phq-9":       {plotted(demo.Waiting), "phq-9", picture{}},
	} {
		t.Run(name, func(t *testing.T) {
			got := draw(c.pick, c.instrument, c.picture)
			checkPicture(t, got, max(c.picture.Width, pictureWidth), c.picture.ASCII)
			file := filepath.Join("testdata", "picture-"+name+".txt")
			if *updateGoldens {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
				t.Errorf("%s has changed; look at it, then -update:\n%s", file, diff)
			}
		})
	}
}

// checkPicture holds what every picture promises.
func checkPicture(t *testing.T, text string, width int, plain bool) {
	t.Helper()
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if n := pictureColumns(line); n > width {
			t.Errorf("%d columns, more than %d: %q", n, width, line)
		}
		if strings.TrimRight(line, " ") != line {
			t.Errorf("blanks at the end: %q", line)
		}
		for _, r := range line {
			if plain && r > '~' {
				t.Errorf("%q in plain ASCII: %q", r, line)
			}
		}
	}
	for _, word := range []string{"no risk", "safe", "not at risk", "\x1b"} {
		if strings.Contains(strings.ToLower(text), word) {
			t.Errorf("the picture says %q", word)
		}
	}
}

func TestPictureHasColourOnlyWhereAsked(t *testing.T) {
	draw := pictureClinic(t)
	plain := draw(plotted(demo.Typical), "phq-9", picture{})
	coloured := draw(plotted(demo.Typical), "phq-9", picture{Colour: true})
	if !strings.Contains(coloured, "\x1b[") {
		t.Error("asked for colour and got none")
	}
	for _, code := range []string{"0", "2", "32", "33", "36", "1;31"} {
		coloured = strings.ReplaceAll(coloured, "\x1b["+code+"m", "")
	}
	if diff := cmp.Diff(plain, coloured); diff != "" {
		t.Errorf("colour changed more than the colour: %s", diff)
	}
}

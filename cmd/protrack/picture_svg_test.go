package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	drawn "github.com/protrack/protrack/api/picture"
	"github.com/protrack/protrack/pkg/care"
	themes "github.com/protrack/protrack/pkg/chart"
	"github.com/protrack/protrack/pkg/demo"
)

// TestTheReadmeShowsTheShowcaseAsItIsDrawnToday keeps the picture in the README
// from showing what the program no longer draws.
func TestTheReadmeShowsTheShowcaseAsItIsDrawnToday(t *testing.T) {
	t.Parallel()
	svc, who, stories := pictureService(t)
	story := demo.Showcase(stories)
	if _, err := demo.Seed(t.Context(), svc, who, []demo.Story{story}); err != nil {
		t.Fatal(err)
	}
	found, err := svc.Trajectories(t.Context(), who, story.Client.ID, care.TrajectoryQuery{Instrument: "phq-9"})
	if err != nil {
		t.Fatal(err)
	}
	def, err := svc.Instruments.Get("phq-9")
	if err != nil {
		t.Fatal(err)
	}
	shown := drawn.Trajectory(found[0], def, found[0].Meetings, drawn.Options{Zone: drawn.Zone(found[0].TimeZone)})
	for name, theme := range map[string]themes.Theme{"trajectory.svg": themes.Light, "trajectory-dark.svg": themes.Dark} {
		file := filepath.Join("..", "..", "docs", name)
		got := shown.SVG(theme)
		if *updateGoldens {
			if err := os.WriteFile(file, got, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s: look at the picture, then -update (-file +drawn): %s", name, diff)
		}
	}
}

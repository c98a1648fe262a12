package trajectory_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/protrack/protrack/pkg/trajectory"
)

// No score reaches a log, by whatever verb or handler.
func TestScoresDoNotPrint(t *testing.T) {
	s := phq9(linked("b", before, "one", 0, 19.25), linked("a", after, "one", 1, 7.25))
	s.Sessions = []trajectory.Session{dosing("one", 1, 0.1)}
	s.Assessments[0].Severity = new("moderately_severe")
	tr := trajectory.Compute(s, nhs(), trajectory.Options{})
	for name, v := range map[string]any{
		"assessment": s.Assessments[0], "assessments": s.Assessments, "series": s, "point": tr.Points[0], "points": tr.Points,
		"mark": tr.Baseline, "status": tr.Status, "trend": tr.Trend, "change": tr.Sessions[0], "changes": tr.Sessions,
		"trajectory": tr, "pointer": &tr,
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%g", "%x"} {
			if got := fmt.Sprintf(verb, v); !strings.Contains(got, "***") || strings.ContainsAny(got, "0123456789") {
				t.Errorf("%s of a %s: %s", verb, name, got)
			}
		}
	}
	for name, v := range map[string]any{
		"assessment": s.Assessments[0], "series": s, "point": tr.Points[0], "mark": tr.Baseline, "status": tr.Status,
		"trend": tr.Trend, "change": tr.Sessions[0], "trajectory": tr, "pointer": &tr,
	} {
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", v)
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
		if got := log.String(); strings.Count(got, "***") != 2 || strings.Contains(got, "9.25") || strings.Contains(got, "7.25") || strings.Contains(got, "severe") {
			t.Errorf("a %s was logged: %s", name, got)
		}
	}
	// A failing test still shows what differs.
	other := tr.Status
	other.Change = new(3.5)
	if d := cmp.Diff(tr.Status, other); !strings.Contains(d, "3.5") {
		t.Errorf("cmp.Diff hides the difference: %s", d)
	}
}

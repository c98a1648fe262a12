package picture_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/api/picture"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/chart"
	"github.com/protrack/protrack/pkg/instrument"
	"github.com/protrack/protrack/pkg/trajectory"
)

func on(day int) time.Time { return time.Date(2026, 3, day, 2, 0, 0, 0, time.UTC) }

// example is a client with a dose, a score before and after it, and one more
// form whose item 9 is flagged and that has no total.
func example(t *testing.T, direction trajectory.Direction) (care.Trajectory, *instrument.Definition, []care.Session) {
	t.Helper()
	session, planned := uuid.New(), uuid.New()
	ids := []uuid.UUID{uuid.New(), uuid.New(), uuid.New()}
	low, high := new("mild"), new("severe")
	series := trajectory.Series{
		Instrument: "phq-9", Direction: direction,
		Sessions: []trajectory.Session{{ID: session, Number: 1, Kind: trajectory.KindDosing, StartedAt: on(2)}},
		Assessments: []trajectory.Assessment{
			{ID: ids[0], SessionID: &session, Timing: trajectory.TimingBefore, At: on(1), Total: new(20.0), Severity: high},
			{ID: ids[1], SessionID: &session, Timing: trajectory.TimingAfter, At: on(3), Total: new(8.0), Severity: low},
			{ID: ids[2], Timing: trajectory.TimingFollowUp, At: on(9)},
		},
	}
	rules := trajectory.Rules{Set: "nhs-tt", ReliableChange: new(6.0), RemissionBelow: new(5.0), Caseness: new(10.0)}
	tr := care.Trajectory{
		Title: "PHQ-9", Trajectory: trajectory.Compute(series, rules, trajectory.Options{}),
		Details: map[uuid.UUID]care.PointDetail{
			ids[1]: {Flags: []instrument.Flag{{Code: "suicidal_ideation", Item: "phq9_9", Level: new(1)}}},
			ids[2]: {Flags: []instrument.Flag{{Code: "item9_not_answered", Item: "phq9_9", Reason: "skipped"}}},
		},
	}
	def, err := instrument.Embedded().Get("phq-9")
	if err != nil {
		t.Fatal(err)
	}
	sessions := []care.Session{
		{ID: session, Kind: care.Dosing, StartedAt: on(2), Medicine: &care.Medicine{Substance: "ketamine", Route: care.Intramuscular, DoseMG: 52.5}},
		{ID: planned, Kind: care.Dosing, StartedAt: on(20)},
	}
	return tr, def, sessions
}

func TestAPictureSaysWhatTheTrajectorySays(t *testing.T) {
	t.Parallel()
	tr, def, sessions := example(t, trajectory.LowerIsBetter)
	denver, err := time.LoadLocation("America/Denver")
	if err != nil {
		t.Fatal(err)
	}
	got := picture.Trajectory(tr, def, sessions, picture.Options{Zone: denver})
	session := sessions[0].ID.String()
	want := chart.Trajectory{
		Title: "PHQ-9, severity of depressive symptoms", Note: "lower is better", Low: 0, High: 27, Zone: denver,
		Summary: "Scores: 2. Without a score: 1. From 28 Feb 2026 to 8 Mar 2026. Baseline: 20 (severe). Latest: 8 (mild). " +
			"Change from the baseline: −12 points. That is a reliable improvement. Forms with an answer that somebody must see: 1 of 3.",
		Bands: []chart.Band{
			{From: 0, To: 5, Label: "Minimal"}, {From: 5, To: 10, Label: "Mild"}, {From: 10, To: 15, Label: "Moderate"},
			{From: 15, To: 20, Label: "Moderately severe"}, {From: 20, To: 27, Label: "Severe"},
		},
		Lines: []chart.Line{
			{At: 5, Label: "remission: below 5", Kind: chart.Remission},
			{At: 14, Label: "reliably better: 14 or less", Kind: chart.ReliableChange},
		},
		Points: []chart.Point{
			{At: on(1), Total: new(20.0), Label: "28 Feb 2026 19:00, before dose 1: 20 points, severe", Session: session, Timing: chart.Before},
			{
				At: on(3), Total: new(8.0), Label: "2 Mar 2026 19:00, after dose 1: 8 points, mild; −12 from the baseline", Session: session, Timing: chart.After,
				Flagged: true, FlagLabel: "item 9 above 0",
			},
			{At: on(9), Label: "8 Mar 2026 20:00, at follow-up: no score", Timing: chart.FollowUp, Missing: "item 9 not answered"},
		},
		Sessions: []chart.Session{{
			ID: session, Kind: "dosing", At: on(2), Label: "1 Mar 2026: dose 1, ketamine 52.5 mg intramuscular", Short: "1", Dose: "52.5",
		}},
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b *time.Location) bool { return a.String() == b.String() })); diff != "" {
		t.Errorf("(-want +got): %s", diff)
	}
}

func TestWhereHigherIsBetterTheLinesLieAbove(t *testing.T) {
	t.Parallel()
	tr, _, _ := example(t, trajectory.HigherIsBetter)
	got := picture.Trajectory(tr, nil, nil, picture.Options{})
	want := []chart.Line{{At: 10, Label: "a case: 10 or less"}, {At: 26, Label: "reliably better: 26 or more", Kind: chart.ReliableChange}}
	if diff := cmp.Diff(want, got.Lines); diff != "" || got.Note != "higher is better" {
		t.Errorf("%s; lines (-want +got): %s", got.Note, diff)
	}
	if got.Sessions[0].Dose != "" || got.Sessions[0].Label != "2 Mar 2026: dose 1" {
		t.Errorf("a session of which only the trajectory knows: %+v", got.Sessions[0])
	}
}

func TestARuleThatIsNotThereDrawsNoLine(t *testing.T) {
	t.Parallel()
	tr, def, _ := example(t, trajectory.LowerIsBetter)
	for name, c := range map[string]struct {
		rules trajectory.Rules
		want  []string
	}{
		"none":      {trajectory.Rules{}, nil},
		"recovered": {trajectory.Rules{RecoveredAtMost: new(28.0), Caseness: new(31.0)}, []string{"recovered: 28 or less"}},
		"caseness":  {trajectory.Rules{Caseness: new(31.0)}, []string{"a case: 31 or more"}},
	} {
		tr.Rules = c.rules
		var got []string
		for _, l := range picture.Trajectory(tr, def, nil, picture.Options{}).Lines {
			got = append(got, l.Label)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got): %s", name, diff)
		}
	}
}

func TestOnlyTheLastPointsAreShownWhereThatIsAsked(t *testing.T) {
	t.Parallel()
	tr, def, _ := example(t, trajectory.LowerIsBetter)
	if got := picture.Trajectory(tr, def, nil, picture.Options{Most: 2}).Points; len(got) != 2 || *got[0].Total != 8 {
		t.Errorf("%+v", got)
	}
}

func TestPicturesThatShareAnAxisSpanAllOfThem(t *testing.T) {
	t.Parallel()
	tr, _, _ := example(t, trajectory.LowerIsBetter)
	later := care.Trajectory{}
	later.Points = []trajectory.Point{{At: on(29)}}
	if from, to := picture.Span(tr, later); !from.Equal(on(1)) || !to.Equal(on(29)) {
		t.Errorf("from %v to %v", from, to)
	}
	if from, to := picture.Span(); !from.IsZero() || !to.IsZero() {
		t.Errorf("of nothing from %v to %v", from, to)
	}
}

// TestEveryWordOfAPictureIsThereInSpanish reads the sentences of both packages
// from their code.
func TestEveryWordOfAPictureIsThereInSpanish(t *testing.T) {
	t.Parallel()
	words := spanish(t)
	found := 0
	for _, folder := range []string{".", "../../pkg/chart"} {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok || len(call.Args) == 0 {
					return true
				}
				sel, ok := call.Fun.(*ast.SelectorExpr)
				lit, isText := call.Args[0].(*ast.BasicLit)
				if !ok || sel.Sel.Name != "say" || !isText {
					return true
				}
				s, err := strconv.Unquote(lit.Value)
				if err != nil {
					t.Fatal(err)
				}
				found++
				verbs := regexp.MustCompile(`%.`)
				if said, known := words[s]; !known || fmt.Sprint(verbs.FindAllString(s, -1)) != fmt.Sprint(verbs.FindAllString(said, -1)) {
					t.Errorf("%s: %q is %q in Spanish", name, s, said)
				}
				return true
			})
		}
	}
	if found < 60 {
		t.Errorf("%d sentences found: the pattern no longer fits", found)
	}
}

func spanish(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("../web/words/es/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	out := map[string]string{}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, &out); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

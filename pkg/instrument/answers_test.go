package instrument_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	v2 "github.com/go-json-experiment/json"

	"github.com/protrack/protrack/pkg/instrument"
)

// Answers never go to a log, however somebody tries.
func TestAnswersPrintAsStars(t *testing.T) {
	in := instrument.Input{Answers: fill("phq9", 3, 3, 3, 3, 3, 3, 3, 3, 3), Declined: []string{"gad7_1"}}
	score := mustScore(t, "phq-9", instrument.Input{Answers: in.Answers})
	var logged bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&logged, nil), slog.NewJSONHandler(&logged, nil)} {
		slog.New(h).Info("scored", "answers", in.Answers, "input", in, "score", score)
	}
	v1JSON, err := json.Marshal(struct{ A instrument.Answers }{in.Answers})
	if err != nil {
		t.Fatal(err)
	}
	v2JSON, err := v2.Marshal(struct{ A instrument.Answers }{in.Answers})
	if err != nil {
		t.Fatal(err)
	}
	prints := []string{logged.String(), string(v1JSON), string(v2JSON), in.Answers.String(), in.Answers.GoString()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%q", "%x"} {
		prints = append(prints, fmt.Sprintf(verb, in.Answers), fmt.Sprintf(verb, in), fmt.Sprintf(verb, &in),
			fmt.Sprintf(verb, score), fmt.Sprintf(verb, []any{in, score}), fmt.Sprintf(verb, map[string]instrument.Answers{"k": in.Answers}))
	}
	for _, p := range prints {
		if !strings.Contains(p, "***") || strings.Contains(p, "phq9_") || strings.Contains(p, "gad7_") || strings.Contains(p, "severe") {
			t.Errorf("printed %q", p)
		}
	}
	// The way a store takes: an explicit conversion.
	plain, err := json.Marshal(map[string]*int(in.Answers))
	if err != nil || !strings.Contains(string(plain), `"phq9_1":3`) {
		t.Errorf("converted: %s, %v", plain, err)
	}
}

// A flag names its item and neither the answer nor what was made of it.
func TestFlagsPrintAsStars(t *testing.T) {
	for _, f := range []instrument.Flag{flag("suicidal_ideation", "phq9_9", 3), silent("item9_not_answered", "phq9_9", "declined")} {
		var logged bytes.Buffer
		slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "flag", f)
		slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "flag", &f)
		prints := strings.Split(strings.TrimSpace(logged.String()), "\n")
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d"} {
			prints = append(prints, fmt.Sprintf(verb, f), fmt.Sprintf(verb, []instrument.Flag{f}), fmt.Sprintf(verb, &f))
		}
		for _, p := range prints {
			if !strings.Contains(p, "phq9_9 ***") || strings.Contains(p, "ideation") || strings.Contains(p, "answered") || strings.Contains(p, "declined") {
				t.Errorf("printed %q", p)
			}
		}
	}
}

// Faults name places, never what was answered.
func TestFaultsDoNotRepeatAnswers(t *testing.T) {
	_, err := get(t, "phq-9").Score(instrument.Input{Answers: fill("phq9", 987654)})
	if err == nil || strings.Contains(fmt.Sprintf("%v %#v", err, err), "987654") {
		t.Errorf("error %#v", err)
	}
}

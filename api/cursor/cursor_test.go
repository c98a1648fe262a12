package cursor_test

import (
	"encoding/base64"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/api/cursor"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
)

func TestACursorIsReadByTheListThatGaveItOut(t *testing.T) {
	t.Parallel()
	for _, at := range []care.Position{
		{ID: uuid.Max},
		{ID: uuid.Max, Text: "É, 100 %\n", Time: time.Date(2026, 3, 10, 9, 0, 0, 1000, time.UTC), Number: new(-0.5)},
		{ID: uuid.Max, Number: new(0.0)},
	} {
		got, err := cursor.Parse("clients", cursor.Format("clients", at))
		if err != nil || !cmp.Equal(at, got) {
			t.Errorf("%v, %v", got, err)
		}
		if _, err := cursor.Parse("sessions", cursor.Format("clients", at)); !fault.Is(err, fault.Invalid) {
			t.Errorf("another list reads it: %v", err)
		}
	}
}

func TestWhatWasNotGivenOutIsNoCursor(t *testing.T) {
	t.Parallel()
	for what, text := range map[string]string{
		"no base64": "%", "no JSON": base64.RawURLEncoding.EncodeToString([]byte("{")), "nothing": "",
		"no id": base64.RawURLEncoding.EncodeToString([]byte(`{"l":"clients","s":"A"}`)),
		"more":  base64.RawURLEncoding.EncodeToString([]byte(`{"l":"clients","i":"ffffffff-ffff-ffff-ffff-ffffffffffff","x":1}`)),
		"a NUL": cursor.Format("clients", care.Position{ID: uuid.Max, Text: "a\x00b"}),
	} {
		if at, err := cursor.Parse("clients", text); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, %v", what, at, err)
		}
	}
}

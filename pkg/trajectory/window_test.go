package trajectory_test

import (
	"testing"
	"time"

	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/trajectory"
)

func TestParseWindow(t *testing.T) {
	for text, days := range map[string]int{
		"P14D": 14, "P7D": 7, "P1D": 1, "P28D": 28, "P2W": 14, "P1M": 30, "P12M": 360, "P1Y": 365, "P3650D": 3650,
	} {
		w := window(t, text)
		span, ok := w.Span()
		if !ok || span != time.Duration(days)*24*time.Hour || w.String() != text || w.SinceSession() || w.IsZero() {
			t.Errorf("%s: span %v %v, text %q", text, span, ok, w)
		}
	}
	since := window(t, "since_last_session")
	if _, ok := since.Span(); ok || !since.SinceSession() || since.String() != trajectory.SinceLastSession {
		t.Errorf("since_last_session: %+v", since)
	}
	for _, text := range []string{
		"", "P", "PD", "14D", "P14", "p14d", "P0D", "P014D", "P-7D", "P+7D", "P1.5D", "P1H", "PT24H", "P1M1D", " P7D", "P7D ", "P3651D", "P9999Y", "P٣D",
	} {
		if w, err := trajectory.ParseWindow(text); !fault.Is(err, fault.Invalid) || !w.IsZero() {
			t.Errorf("ParseWindow(%q) = %+v, %v; want a fault.Invalid", text, w, err)
		}
	}
}

func TestWindowsOfOneSpanAreEqual(t *testing.T) {
	if !window(t, "P2W").Equal(window(t, "P14D")) || !window(t, "P1M").Equal(window(t, "P30D")) {
		t.Error("the same span in other words is another window")
	}
	if window(t, "P1M").Equal(window(t, "P28D")) || window(t, "P1D").Equal(trajectory.Window{}) {
		t.Error("different spans are one window")
	}
}

func TestOverlap(t *testing.T) {
	between := func(a, b float64) trajectory.Interval { return trajectory.Interval{Start: at(a), End: at(b)} }
	for _, c := range []struct {
		name           string
		earlier, later trajectory.Interval
		want           float64
	}{
		{"two weeks, a day later", between(0, 14), between(1, 15), 13.0 / 14},
		{"the same", between(0, 14), between(0, 14), 1},
		{"one ends where the other begins", between(0, 14), between(14, 28), 0},
		{"far apart", between(0, 14), between(100, 114), 0},
		{"a day within two weeks", between(0, 14), between(13, 14), 1},
		{"two weeks around a day: the share is of the later", between(13, 14), between(0, 14), 1.0 / 14},
		{"a later one without length", between(0, 14), between(7, 7), 0},
		{"a later one that ends before it starts", between(0, 14), between(8, 7), 0},
	} {
		if got := trajectory.Overlap(c.earlier, c.later); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func FuzzParseWindow(f *testing.F) {
	for _, s := range []string{"P14D", "P1M", "since_last_session", "P0D", "P-1D", "P٣D", "P"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		w, err := trajectory.ParseWindow(s)
		if err != nil {
			if !w.IsZero() || !fault.Is(err, fault.Invalid) {
				t.Fatalf("%q: %+v with %v", s, w, err)
			}
			return
		}
		span, fixed := w.Span()
		if w.String() != s || fixed == w.SinceSession() || (fixed && (span < 24*time.Hour || span > 3650*24*time.Hour)) {
			t.Fatalf("%q: text %q, span %v", s, w, span)
		}
	})
}

package trajectory

import (
	"strconv"
	"strings"
	"time"

	"github.com/protrack/protrack/pkg/fault"
)

const day = 24 * time.Hour

// SinceLastSession is the text of the window that reaches back to the start of
// the last session.
const SinceLastSession = "since_last_session"

// maxWindowDays bounds a window at ten years, well beyond any instrument's.
const maxWindowDays = 3650

// Window is the time that an assessment's questions ask about: a fixed span
// that ends when it is completed, or the time since the last session. The zero
// value is an unknown window: no overlap can be said of it.
type Window struct {
	text  string
	days  int // of a fixed span
	since bool
}

// ParseWindow reads a recall window: an ISO 8601 duration of one unit (P14D,
// P7D, P1D, P28D, P2W, P1M, P1Y) or since_last_session. A month counts as 30
// days and a year as 365, because the questions say "the past month" and nobody
// counts its days; P1M of the PCL-5 is thus P30D. Anything else is a
// fault.Invalid.
func ParseWindow(s string) (Window, error) {
	if s == SinceLastSession {
		return Window{text: s, since: true}, nil
	}
	days, ok := parseDays(s)
	if !ok {
		return Window{}, fault.New(fault.Invalid,
			"The recall window must be a span such as P14D, P7D, P1M or P1D, or since_last_session.")
	}
	return Window{text: s, days: days}, nil
}

func parseDays(s string) (int, bool) {
	if len(s) < 3 || len(s) > 6 || s[0] != 'P' {
		return 0, false
	}
	digits, unit := s[1:len(s)-1], s[len(s)-1]
	// Digits alone, without a leading zero: one text for one number, and Atoi
	// would read signs.
	if digits[0] == '0' || strings.Trim(digits, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0, false
	}
	switch unit {
	case 'D':
	case 'W':
		n *= 7
	case 'M':
		n *= 30
	case 'Y':
		n *= 365
	default:
		return 0, false
	}
	return n, n <= maxWindowDays
}

// String gives the text that was parsed, or "" for an unknown window.
func (w Window) String() string { return w.text }

// IsZero reports whether the window is unknown.
func (w Window) IsZero() bool { return w == Window{} }

// SinceSession reports whether the window reaches back to the last session.
func (w Window) SinceSession() bool { return w.since }

// Span gives the length of a fixed window; false for since_last_session and
// for an unknown window.
func (w Window) Span() (time.Duration, bool) {
	return time.Duration(w.days) * day, w.days > 0
}

// Equal reports whether two windows ask about the same span: P2W is P14D, and
// P1M is P30D. Two unknown windows are equal.
func (w Window) Equal(v Window) bool { return w.days == v.days && w.since == v.since }

// Interval is a stretch of time, from Start up to End.
type Interval struct {
	Start, End time.Time
}

// Length is the interval's duration, 0 where it ends before it starts.
func (i Interval) Length() time.Duration { return max(i.End.Sub(i.Start), 0) }

// Overlap gives the share (0 to 1) of the later interval that the earlier one
// covers too: 13/14 for two-week windows that end one day apart. A later
// interval without length shares nothing.
func Overlap(earlier, later Interval) float64 {
	if later.Length() == 0 {
		return 0
	}
	return float64(shared(earlier, later)) / float64(later.Length())
}

// shared is the time that both intervals cover.
func shared(a, b Interval) time.Duration {
	both := a
	if b.Start.After(both.Start) {
		both.Start = b.Start
	}
	if b.End.Before(both.End) {
		both.End = b.End
	}
	return both.Length()
}

package mail

import (
	"errors"
	"fmt"
	"time"
)

// Quiet is the hours of a day in which no letter is sent, in minutes from
// midnight on the clock of who reads it. From and To alike: there are none.
type Quiet struct{ From, To int }

// DefaultQuiet is from nine in the evening to eight in the morning. A project decision.
func DefaultQuiet() Quiet { return Quiet{From: 21 * 60, To: 8 * 60} }

const dayMinutes = 24 * 60

// Valid reports whether both ends lie in a day.
func (q Quiet) Valid() bool {
	return q.From >= 0 && q.From < dayMinutes && q.To >= 0 && q.To < dayMinutes
}

// At reports whether it is quiet at a time.
func (q Quiet) At(t time.Time, zone *time.Location) bool {
	local := t.In(zone)
	m := local.Hour()*60 + local.Minute()
	if q.From <= q.To {
		return m >= q.From && m < q.To
	}
	return m >= q.From || m < q.To
}

// Next is the first time from t on at which it is not quiet. It goes by the
// minute, so that it is right whatever the clocks are set to that night.
func (q Quiet) Next(t time.Time, zone *time.Location) time.Time {
	if !q.Valid() || !q.At(t, zone) {
		return t
	}
	next := t.Truncate(time.Minute)
	for range 2 * dayMinutes {
		if next = next.Add(time.Minute); !q.At(next, zone) {
			break
		}
	}
	return next
}

var errClock = errors.New("a time of day is written as 21:00")

// ParseClock reads a time of day as minutes from midnight.
func ParseClock(text string) (int, error) {
	t, err := time.Parse("15:04", text)
	if err != nil || len(text) != len("15:04") {
		return 0, errClock
	}
	return t.Hour()*60 + t.Minute(), nil
}

// Clock writes minutes from midnight as a time of day.
func Clock(minutes int) string { return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60) }

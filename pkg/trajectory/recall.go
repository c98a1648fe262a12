package trajectory

import (
	"fmt"
	"time"
)

// recall is what the windows of two assessments mean for their difference.
type recall struct {
	overlap *float64
	note    string
	differs bool
}

// recall compares the windows of an earlier and a later assessment; by names
// the earlier one in the note.
//
// A form that asks about two weeks, filled in the day after a session, asks
// mostly about the time before it. The share is given so that it can be seen
// and, if the reader wants, set aside; it is not corrected for.
func (c *course) recall(earlier, later Assessment, by string) recall {
	var out recall
	a, okA := c.interval(earlier)
	b, okB := c.interval(later)
	if okA && okB {
		out.overlap = new(round(Overlap(a, b), 4))
		if *out.overlap > 0 {
			out.note = overlapNote(shared(a, b), b.Length(), by)
		}
	}
	if !earlier.Window.IsZero() && !later.Window.IsZero() && !earlier.Window.Equal(later.Window) {
		out.differs = true
		if out.note != "" {
			out.note += " "
		}
		out.note += fmt.Sprintf("This assessment asked about %s, %s about %s: part of the difference may come from the question.",
			windowWords(later.Window), by, windowWords(earlier.Window))
	}
	return out
}

// overlapNote puts an overlap into a sentence. Where most of the time is not
// new it adds what that does to a change; where most is new it only says so.
func overlapNote(covered, asked time.Duration, by string) string {
	unit := largestUnit(asked)
	of, fresh := inUnit(asked, unit), asked-covered
	if fresh < time.Minute {
		return fmt.Sprintf("All of the %s asked about %s already covered by %s: there is no new time in which a change could show.",
			of, of.choose("was", "were"), by)
	}
	part, left := partOf(covered, unit), partOf(fresh, unit)
	words := part.String() + " of the " + of.String()
	switch {
	case part == of: // rounding made them one figure
		words = "Nearly all of the " + of.String()
	case part.unit == of.unit:
		words = part.figure + " of the " + of.String()
	}
	head := fmt.Sprintf("%s asked about %s already covered by %s", words, part.choose("was", "were"), by)
	if 2*covered < asked {
		return fmt.Sprintf("%s; the other %s %s new.", head, left, left.choose("is", "are"))
	}
	return fmt.Sprintf("%s: only %s %s new, and a change can show only what %s added.",
		head, left, left.choose("is", "are"), left.choose("that "+left.unit, "those "+left.unit+"s"))
}

// amount is a length of time as a clinician says it.
type amount struct {
	figure, unit string // the unit in the singular
}

// String gives "1 day" or "1.5 days".
func (a amount) String() string { return a.figure + " " + a.choose(a.unit, a.unit+"s") }

// choose agrees a word with the number.
func (a amount) choose(one, many string) string {
	if a.figure == "1" {
		return one
	}
	return many
}

// largestUnit takes days from two days on: "the last 24 hours" is about hours.
func largestUnit(d time.Duration) time.Duration {
	if d >= 2*day {
		return day
	}
	return partUnit(d, time.Hour)
}

// partUnit is the unit of the whole, or a smaller one for what is less than one
// of it.
func partUnit(d, whole time.Duration) time.Duration {
	switch {
	case d >= whole:
		return whole
	case d >= time.Hour:
		return time.Hour
	}
	return time.Minute
}

func partOf(d, whole time.Duration) amount { return inUnit(d, partUnit(d, whole)) }

// inUnit gives days and hours to one decimal, and whole minutes.
func inUnit(d, unit time.Duration) amount {
	figure := func(decimals int) string { return number(float64(d)/float64(unit), decimals) }
	switch unit {
	case day:
		return amount{figure(1), "day"}
	case time.Hour:
		return amount{figure(1), "hour"}
	}
	return amount{figure(0), "minute"}
}

// windowWords names a window as its questions do.
func windowWords(w Window) string {
	span, ok := w.Span()
	switch {
	case !ok:
		return "the time since the last session"
	case span == day:
		return "the last day"
	}
	return "the last " + inUnit(span, day).String()
}

// Package chart draws what a clinician, a report or a paper shows of scores: one
// client's trajectory, a line small enough for a list, the means of a group with
// their intervals, a curve of Kaplan-Meier, a table of shifts.
//
// It is pure: values in, a picture out, the same bytes for the same values. No
// picture says by colour alone what it says: bands have labels, kinds of
// sessions have shapes and letters, and every picture has a title and a
// description for who cannot see it. A missing answer is a gap, never a 0.
package chart

import (
	"fmt"
	"time"
)

// Theme is how a picture is coloured.
type Theme string

// The themes. Page leaves the colours to the style sheet of the page that the
// picture stands in, by class; the others carry theirs.
const (
	Page  Theme = "page"
	Light Theme = "light"
	Dark  Theme = "dark"
	Print Theme = "print" // black and greys on white
)

// Words says an English sentence in the language of the picture; nil: English.
// The texts of people do not go through it.
type Words func(english string, args ...any) string

// say is the sentence, in English where there are no words.
func (w Words) say(english string, args ...any) string {
	if w != nil {
		return w(english, args...)
	}
	if len(args) == 0 {
		return english
	}
	return fmt.Sprintf(english, args...)
}

// Trajectory is one client's scores on one instrument over time.
type Trajectory struct {
	Title   string  // such as "PHQ-9, depression"
	Summary string  // what there is to see, in a sentence or two: it is read aloud, not drawn
	Note    string  // what a reader must know, such as "lower is better"
	Low     float64 // the scale's ends, in points
	High    float64
	Bands   []Band // from the least to the most, without gaps; none for an instrument without
	Lines   []Line
	Points  []Point // in order of time
	// Sessions are all of the client, of every kind, in order of time.
	Sessions []Session
	// From and To are the ends of the axis of time; zero: those of what is shown.
	// Pictures that stand above one another share them.
	From, To time.Time
	Zone     *time.Location // of the dates; nil: UTC
	Words    Words
	// Number writes a total; nil: with at most one decimal, and a point.
	Number func(float64) string
	// Width and Height are the size in units of a CSS pixel; 0: 880 and 440. A
	// text is 12 high whatever the size.
	Width, Height float64
}

// A Band is a range of severity.
type Band struct {
	From, To float64 // both of it
	Label    string
}

// A Line is a total that means something, such as that of remission.
type Line struct {
	At    float64
	Label string
	Kind  LineKind
}

// LineKind is how a line is drawn.
type LineKind string

// The kinds of lines. Any other is drawn as neither of them.
const (
	Remission      LineKind = "remission"
	ReliableChange LineKind = "reliable_change"
)

// A Point is one assessment.
type Point struct {
	At      time.Time
	Total   *float64 // nil: no score, which is shown as a gap and a mark
	Label   string   // what a reader is told of it, such as "3 Mar 2026: 12 points, moderate"
	Session string   // the id of its session, or ""; Before and After of one are joined
	Timing  Timing
	// Flagged marks an answer that somebody must see, such as item 9 above 0;
	// FlagLabel says which.
	Flagged   bool
	FlagLabel string
	// Missing says which answers are missing, or "".
	Missing string
	// Excluded points are shown and take no part in the line.
	Excluded bool
}

// Timing is when an assessment was taken.
type Timing string

// The timings.
const (
	Baseline Timing = "baseline"
	Before   Timing = "before"
	After    Timing = "after"
	FollowUp Timing = "follow_up"
)

// A Session is a meeting with the clinic.
type Session struct {
	ID    string
	Kind  string // preparation, dosing, integration or follow_up
	At    time.Time
	Label string // such as "Dose 2, 70 mg intramuscular"
	Short string // such as "2", below the mark where there is room
	Dose  string // milligrams, such as "70", below that where there is room
}

package cohort

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/trajectory"
)

// PointKind is the way in which a TimePoint finds an assessment.
type PointKind string

// The kinds.
const (
	AtBaseline    PointKind = "baseline"
	BeforeSession PointKind = "before_session"
	AfterSession  PointKind = "after_session"
	AtDays        PointKind = "days"
	AtLast        PointKind = "last"
)

// TimePoint names one assessment of each person:
//
//	baseline           the first score up to the first dose (trajectory.LateBefore
//	                   included); the first score at all where no dose was given
//	before_session:N   the last scored assessment before dosing session N
//	after_session:N    the first scored assessment after dosing session N
//	days:N:W           the score nearest to N days after the first dose, at most W
//	                   days from it; of two equally near the earlier. What was
//	                   filled in up to the first dose is none of them, however
//	                   wide the window is
//	last               the last score
type TimePoint struct {
	Kind    PointKind
	Session int     // of before_session and after_session, from 1
	Days    float64 // of days: after the first dose
	Within  float64 // of days: half the width of the window, in days
}

// maxDays bounds a time-point to a life.
const maxDays = 36_525

// ParseTimePoint reads a TimePoint as it is written in a query. The fault has
// no pointer: the caller knows which parameter it was.
func ParseTimePoint(s string) (TimePoint, error) {
	kind, rest, _ := strings.Cut(s, ":")
	p := TimePoint{Kind: PointKind(kind)}
	switch p.Kind {
	case AtBaseline, AtLast:
		if s == kind {
			return p, nil
		}
	case BeforeSession, AfterSession:
		n, err := strconv.Atoi(rest)
		if err == nil && n >= 1 && strconv.Itoa(n) == rest {
			p.Session = n
			return p, nil
		}
	case AtDays:
		days, within, found := strings.Cut(rest, ":")
		n, errN := strconv.Atoi(days)
		w, errW := strconv.Atoi(within)
		if found && errN == nil && errW == nil && n >= 0 && w >= 0 && n <= maxDays && w <= maxDays {
			p.Days, p.Within = float64(n), float64(w)
			return p, nil
		}
	}
	return TimePoint{}, errNotATimePoint
}

var errNotATimePoint = fault.New(fault.Invalid, "A time-point is baseline, before_session:N, after_session:N, days:N:W or last.")

// String is the time-point as it is written in a query.
func (p TimePoint) String() string {
	switch p.Kind {
	case BeforeSession, AfterSession:
		return fmt.Sprintf("%s:%d", p.Kind, p.Session)
	case AtDays:
		return fmt.Sprintf("%s:%g:%g", p.Kind, p.Days, p.Within)
	case AtBaseline, AtLast:
	}
	return string(p.Kind)
}

// Absence says why a person has no score at a time-point. Empty: there is one.
type Absence string

// The absences.
const (
	NotTreated  Absence = "not_treated"  // no dose was given, so there is no such time
	NotReached  Absence = "not_reached"  // the session has not taken place, or the window has not closed
	NextCourse  Absence = "next_course"  // another course of treatment began before the window closed
	NotAssessed Absence = "not_assessed" // the time came, and nothing was filled in
	NotScored   Absence = "not_scored"   // something was filled in, and its rule gives no total
	// The following are told of comparisons alone; Find does not give them.
	NotLater    Absence = "not_later"    // at the second of two time-points: what is there is not later than the first
	NotAnswered Absence = "not_answered" // scored, and the one item that the figure is about has no answer
	NotBanded   Absence = "not_banded"   // scored, and the total is in no band that the figure knows
)

// Find gives the person's score at a time-point on an instrument, or why there
// is none. Scores without a total are passed over, and told as NotScored where
// there is nothing else. An empty window means any recall window.
func (c Case) Find(p TimePoint, instrument, window string) (Score, Absence) {
	scores := c.Scores[instrument]
	if window != "" {
		scores = withWindow(scores, window)
	}
	switch p.Kind {
	case AtBaseline:
		return c.baseline(scores)
	case AtLast:
		return choose(scores, func(Score) bool { return true }, later)
	case BeforeSession, AfterSession:
		return c.aroundSession(p, scores)
	case AtDays:
	}
	return c.atDays(p, scores)
}

func withWindow(scores []Score, window string) []Score {
	var out []Score
	for _, s := range scores {
		if s.Window == window {
			out = append(out, s)
		}
	}
	return out
}

func earlier(Score, Score) bool { return false }
func later(Score, Score) bool   { return true }

// choose gives the best of the scores that fit, of which the next one is
// better where better says so.
func choose(scores []Score, fits func(Score) bool, better func(best, next Score) bool) (Score, Absence) {
	best, why := Score{}, NotAssessed
	for _, s := range scores {
		if !fits(s) {
			continue
		}
		if s.Total == nil {
			if why == NotAssessed {
				why = NotScored
			}
			continue
		}
		if why != "" || better(best, s) {
			best, why = s, ""
		}
	}
	return best, why
}

func (c Case) baseline(scores []Score) (Score, Absence) {
	return choose(scores, c.upToFirstDose, earlier)
}

// upToFirstDose reports whether a score was taken before anything was given. It
// trusts the link over the clock: a "before" of the first dose may be typed in
// a little late, and an "after" of it has felt the dose even where both are
// recorded with a date only.
func (c Case) upToFirstDose(s Score) bool {
	first := c.FirstDose()
	if first == nil {
		return true
	}
	if s.Dose == c.Doses[0].Number {
		switch s.Timing {
		case trajectory.TimingBefore:
			return !s.At.After(first.Add(trajectory.LateBefore))
		case trajectory.TimingAfter:
			return false
		case trajectory.TimingBaseline, trajectory.TimingFollowUp:
		}
	}
	return !s.At.After(*first)
}

func (c Case) aroundSession(p TimePoint, scores []Score) (Score, Absence) {
	if len(c.Doses) == 0 {
		return Score{}, NotTreated
	}
	taken := false
	for _, d := range c.Doses {
		taken = taken || d.Number == p.Session
	}
	if !taken {
		return Score{}, NotReached
	}
	if p.Kind == BeforeSession {
		return choose(scores, func(s Score) bool { return s.Timing == trajectory.TimingBefore && s.Dose == p.Session }, later)
	}
	return choose(scores, func(s Score) bool { return s.Timing == trajectory.TimingAfter && s.Dose == p.Session }, earlier)
}

const day = 24 * time.Hour

func (c Case) atDays(p TimePoint, scores []Score) (Score, Absence) {
	if len(c.Doses) == 0 {
		return Score{}, NotTreated
	}
	off := func(s Score) float64 {
		if d := *s.Days - p.Days; d >= 0 {
			return d
		}
		return p.Days - *s.Days
	}
	found, why := choose(scores,
		func(s Score) bool { return s.Days != nil && off(s) <= p.Within && !c.upToFirstDose(s) },
		func(best, next Score) bool { return off(next) < off(best) })
	if why == NotAssessed {
		if reached, notYet := c.followed(p.Days + p.Within); !reached {
			why = notYet
		}
	}
	return found, why
}

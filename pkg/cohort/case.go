// Package cohort computes the figures of groups of clients: flow, change,
// outcomes, time to response, quality measures. Every figure carries its n and
// its denominator, and says who was left out and why.
//
// It is pure: values in, values out. It reads no clock and draws no random
// number. Where gonum has a statistic, gonum computes it; all numbers are
// checked against R.
//
// The unit is the person. Whoever had several courses of treatment counts once,
// with the first course in which a dose was given. What belongs to a later
// course is no part of the Case, but for the scores in Later, which are those of
// the person and not of the treatment.
package cohort

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/trajectory"
)

// Case is one person's course of treatment as the figures see it.
type Case struct {
	Person   uuid.UUID
	Enrolled time.Time // when the clinic first recorded the client
	Until    time.Time // up to when the record is known: what would be later is not missing
	// Ended is when the next course of treatment began, after which the effect of
	// this one cannot be told; nil: none has, up to Until.
	Ended *time.Time
	// Unwitnessed says that no Basis will be asked for: the figure then keeps
	// nothing of who was counted.
	Unwitnessed bool

	Sex        string // empty: not known
	BirthYear  *int
	Indication string // of the course; empty: no course was recorded
	Planned    *int   // dosing sessions that were planned

	// Doses are the dosing sessions that have taken place, in order of time.
	Doses []Dose
	// Scores are the assessments by instrument, in order of time.
	Scores map[string][]Score
	// Later are the assessments of later courses, for what is asked of a person
	// whatever the treatment.
	Later map[string][]Score
}

// Dose is one dosing session.
type Dose struct {
	// Number is the clinic's own, or else its place in the course. A clinic's may
	// begin anywhere and leave gaps, so that no place in a list stands for it.
	Number    int
	At        time.Time
	Substance string // empty: no medicine was recorded, nor what follows
	Route     string
	MG        float64
	MGPerKG   *float64
}

// Score is one assessment.
type Score struct {
	ID      uuid.UUID
	Version int // of the record: an amended assessment is another datum
	At      time.Time
	Timing  trajectory.Timing
	Dose    int      // Number of the dosing session that it was taken for; 0: none
	Days    *float64 // from the first dose, negative before; nil without a dose
	Window  string   // recall window, such as P14D

	Total    *float64 // points; nil: the scoring rule gives none
	Severity string   // band; empty where there is none
	Item9    *int     // PHQ-9 only: the answer about suicidal thoughts; nil: not answered
}

// FirstDose is when the first dose was given; nil: none was.
func (c Case) FirstDose() *time.Time {
	if len(c.Doses) == 0 {
		return nil
	}
	return &c.Doses[0].At
}

// sessions are the doses by number: of several with one number the first.
func (c Case) sessions() []Dose {
	inOrder := true
	for i := 1; i < len(c.Doses); i++ {
		inOrder = inOrder && c.Doses[i-1].Number < c.Doses[i].Number
	}
	if inOrder {
		return c.Doses
	}
	out := make([]Dose, 0, len(c.Doses))
	for _, d := range c.Doses {
		if !slices.ContainsFunc(out, func(o Dose) bool { return o.Number == d.Number }) {
			out = append(out, d)
		}
	}
	return out
}

// ever are the scores of a person in order of time, whatever the course.
func (c Case) ever(instrument string) []Score {
	of, later := c.Scores[instrument], c.Later[instrument]
	if len(later) == 0 {
		return of
	}
	all := slices.Concat(of, later)
	slices.SortStableFunc(all, func(a, b Score) int { return a.At.Compare(b.At) })
	return all
}

// followed reports whether a case was known, and had not ended, up to so many
// days after the first dose; which of the two it was that is missing says the
// Absence. It needs a dose.
func (c Case) followed(days float64) (bool, Absence) {
	closes := c.FirstDose().Add(time.Duration(days * float64(day)))
	switch {
	case c.Ended != nil && c.Ended.Before(closes):
		return false, NextCourse
	case c.Until.Before(closes):
		return false, NotReached
	}
	return true, ""
}

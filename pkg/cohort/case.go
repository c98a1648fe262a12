// Package cohort computes the figures of groups of clients: flow, change,
// outcomes, time to response, quality measures. Every figure carries its n and
// its denominator, and says who was left out and why.
//
// It is pure: values in, values out. It reads no clock and draws no random
// number. Where gonum has a statistic, gonum computes it; all numbers are
// checked against R.
//
// The unit is the person. Whoever had several courses of treatment counts once,
// with the first course in which a dose was given; what belongs to a later
// course is no part of the Case.
package cohort

import (
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/trajectory"
)

// Case is one person's course of treatment as the figures see it.
type Case struct {
	Person   uuid.UUID
	Enrolled time.Time // when the clinic first recorded the client
	Until    time.Time // up to when the record is known: what would be later is not missing
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
}

// Dose is one dosing session.
type Dose struct {
	Number    int // its place in the course, from 1; a clinic's own count may begin elsewhere
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

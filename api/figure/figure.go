// Package figure is what is asked and told of a group: how a figure is asked for
// in an address, and how it is told, to programs and on pages. What is withheld is
// nil here, and stays so.
package figure

import (
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/research"
)

// Frame is what is told of every figure besides its numbers.
type Frame struct {
	Population   string     `json:"population" enums:"clinic,research"` // all clients whom the caller may see, or those who agree to research now
	CohortID     *uuid.UUID `json:"cohort_id" swaggertype:"string" format:"uuid" extensions:"x-nullable"`
	AsOf         time.Time  `json:"as_of" format:"date-time"`                   // up to when the record was read
	AsOfReason   string     `json:"as_of_reason" enums:"asked,too_few_changes"` // asked: as it is now, or as of the time that was chosen
	AsOfWords    string     `json:"as_of_words"`                                // why it is not as it is now; empty: it is
	SmallestCell *int       `json:"smallest_cell" extensions:"x-nullable"`      // people; numbers that tell of fewer are null. null: nothing is withheld
	LeftOut      []Reason   `json:"left_out"`                                   // people whom the figure is not about
} //	@name	FigureFrame

// Reason is how many people are not counted, for one reason.
type Reason struct {
	Reason string `json:"reason" example:"no_research_consent"`
	N      *int   `json:"n" extensions:"x-nullable"` // null: withheld
} //	@name	FigureReason

// Common is what is told of the figure besides its numbers, whichever it is.
func (f Frame) Common() Frame { return f }

func frameOf(f research.Frame) Frame {
	out := Frame{Population: string(f.Population), AsOf: f.Until, SmallestCell: f.SmallestCell, LeftOut: reasonsOf(f.LeftOut)}
	if out.AsOfReason = "asked"; f.Held {
		out.AsOfReason, out.AsOfWords = "too_few_changes", "Since then too few people have changed to tell of it."
	}
	if f.Cohort != nil {
		out.CohortID = &f.Cohort.ID
	}
	return out
}

func reasonsOf(all []cohort.LeftOut) []Reason {
	return convert(all, func(l cohort.LeftOut) Reason { return Reason(l) })
}

// absencesOf lists absences by name.
func absencesOf(counts map[cohort.Absence]cohort.Count) []Reason {
	return convert(slices.Sorted(maps.Keys(counts)), func(a cohort.Absence) Reason {
		return Reason{Reason: string(a), N: counts[a]}
	})
}

// Rate is a number of people as a share of others.
type Rate struct {
	N        *int             `json:"n" extensions:"x-nullable"`
	Of       *int             `json:"of" extensions:"x-nullable"`
	Rate     *float64         `json:"rate" extensions:"x-nullable" example:"0.46"`
	CI95     *cohort.Interval `json:"ci95" extensions:"x-nullable" swaggertype:"array,number"` // Wilson's score interval
	Words    string           `json:"words" example:"of all pairs"`                            // what "of" is
	Withheld bool             `json:"withheld"`
} //	@name	FigureRate

func rateOf(r cohort.Rate) Rate {
	return Rate{N: r.N, Of: r.Of, Rate: r.Rate, CI95: r.CI95, Words: r.Words, Withheld: hidden(r.N, r.Of)}
}

// hidden reports whether any of the counts is withheld.
func hidden(counts ...cohort.Count) bool { return slices.Contains(counts, nil) }

// reasonsHidden is hidden for reasons.
func reasonsHidden(lists ...[]Reason) bool {
	return slices.ContainsFunc(slices.Concat(lists...), func(r Reason) bool { return r.N == nil })
}

// convert applies a converter to every element; none gives an empty list.
func convert[S, T any](in []S, to func(S) T) []T {
	out := make([]T, len(in))
	for i, v := range in {
		out[i] = to(v)
	}
	return out
}

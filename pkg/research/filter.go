package research

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/instrument"
)

// Filter says who belongs to a cohort. All that is set must hold, and of a list
// one value must: an empty Filter is everybody. What a filter asks about and
// nobody recorded does not hold. It is stored as JSON; hence the tags.
//
// What is said of a dose is said of the first: whom a filter holds must not
// depend on how the treatment went on. Texts are compared without regard to
// case.
type Filter struct {
	Indication []string `json:"indication,omitempty"`
	Sex        []string `json:"sex,omitempty"`     // unknown: nothing was recorded
	AgeMin     *int     `json:"age_min,omitempty"` // years at the first dose, by the year of birth
	AgeMax     *int     `json:"age_max,omitempty"`

	EnrolledFrom  *time.Time `json:"enrolled_from,omitempty"` // then or later
	EnrolledTo    *time.Time `json:"enrolled_to,omitempty"`   // before then
	FirstDoseFrom *time.Time `json:"first_dose_from,omitempty"`
	FirstDoseTo   *time.Time `json:"first_dose_to,omitempty"`

	Substance []string `json:"substance,omitempty"`
	Route     []string `json:"route,omitempty"`
	DoseMGMin *float64 `json:"dose_mg_min,omitempty"`
	DoseMGMax *float64 `json:"dose_mg_max,omitempty"`

	PlannedSessionsMin *int `json:"planned_sessions_min,omitempty"`
	SessionsMin        *int `json:"sessions_min,omitempty"` // dosing sessions that have taken place
	SessionsMax        *int `json:"sessions_max,omitempty"`

	Baseline *BaselineFilter `json:"baseline,omitempty"`
}

// BaselineFilter asks for a score at the baseline (see cohort.TimePoint).
type BaselineFilter struct {
	Instrument string   `json:"instrument"`
	Min        *float64 `json:"min,omitempty"` // points; a total on a bound is inside
	Max        *float64 `json:"max,omitempty"`
	Severity   []string `json:"severity,omitempty"` // bands
}

// Match reports whether a case belongs to the cohort. The case needs the scores
// of the instruments that Instruments names.
func (f Filter) Match(c cohort.Case) bool {
	return oneOf(c.Indication, f.Indication) && oneOf(cmp.Or(c.Sex, string(instrument.Unknown)), f.Sex) &&
		during(c.Enrolled, f.EnrolledFrom, f.EnrolledTo) && inside(c.Planned, f.PlannedSessionsMin, nil) &&
		inside(new(len(c.Doses)), f.SessionsMin, f.SessionsMax) &&
		f.matchDose(c) && f.matchBaseline(c)
}

// categorised reports whether the filter asks for values of which the rare ones
// may be merged.
func (f Filter) categorised() bool {
	return len(f.Indication)+len(f.Sex)+len(f.Substance)+len(f.Route) > 0
}

// matchDose looks at the first dose. Who had none fits where nothing is asked.
func (f Filter) matchDose(c cohort.Case) bool {
	var first cohort.Dose
	var age *int
	var mg *float64
	if len(c.Doses) > 0 {
		first = c.Doses[0]
		if c.BirthYear != nil {
			age = new(first.At.Year() - *c.BirthYear)
		}
		if first.Substance != "" {
			mg = &first.MG
		}
	}
	return inside(age, f.AgeMin, f.AgeMax) && during(first.At, f.FirstDoseFrom, f.FirstDoseTo) &&
		oneOf(first.Substance, f.Substance) && oneOf(first.Route, f.Route) && inside(mg, f.DoseMGMin, f.DoseMGMax)
}

func (f Filter) matchBaseline(c cohort.Case) bool {
	b := f.Baseline
	if b == nil {
		return true
	}
	score, absent := c.Find(cohort.TimePoint{Kind: cohort.AtBaseline}, b.Instrument, "")
	return absent == "" && inside(score.Total, b.Min, b.Max) && oneOf(score.Severity, b.Severity)
}

// oneOf reports whether a text is among the wanted ones, where there are any.
func oneOf(value string, wanted []string) bool {
	return len(wanted) == 0 || slices.ContainsFunc(wanted, func(w string) bool { return strings.EqualFold(value, strings.TrimSpace(w)) })
}

// inside reports whether a number is known and within the bounds, where there
// are any.
func inside[T int | float64](value, low, high *T) bool {
	return low == nil && high == nil ||
		value != nil && (low == nil || *value >= *low) && (high == nil || *value <= *high)
}

// during is inside for times: from one on, and before the other.
func during(t time.Time, from, to *time.Time) bool {
	return from == nil && to == nil ||
		!t.IsZero() && (from == nil || !t.Before(*from)) && (to == nil || t.Before(*to))
}

// instruments names those whose scores Match looks at beside the ones that a
// figure is about; none is all of them: when somebody was first seen is told by
// every assessment.
func (f Filter) instruments(figure []string) []string {
	switch {
	case f.EnrolledFrom != nil || f.EnrolledTo != nil:
		return nil
	case f.Baseline != nil && !slices.Contains(figure, f.Baseline.Instrument):
		return append(slices.Clone(figure), f.Baseline.Instrument)
	}
	return figure
}

// What a filter may ask for at most.
const (
	maxListed   = 50      // values of a list
	maxText     = 200     // characters of a value
	maxAge      = 150     // years
	maxDoseMG   = 100_000 // more than anybody is given
	maxSessions = 10_000
)

// CheckFilter lists what is wrong with a filter, with pointers into it, so that
// a caller can report it with faults of shape.
func (s *Service) CheckFilter(f Filter) []fault.Detail {
	var out filterFaults
	out.list("/indication", f.Indication, nil)
	out.list("/substance", f.Substance, nil)
	out.list("/sex", f.Sex, texts(instrument.Female, instrument.Male, instrument.Other, instrument.Unknown))
	out.list("/route", f.Route, texts(care.Routes()...))
	bounds(&out, "/age", f.AgeMin, f.AgeMax, 0, maxAge)
	bounds(&out, "/dose_mg", f.DoseMGMin, f.DoseMGMax, 0, maxDoseMG)
	bounds(&out, "/planned_sessions", f.PlannedSessionsMin, nil, 1, maxSessions)
	bounds(&out, "/sessions", f.SessionsMin, f.SessionsMax, 0, maxSessions)
	out.period("/enrolled", f.EnrolledFrom, f.EnrolledTo)
	out.period("/first_dose", f.FirstDoseFrom, f.FirstDoseTo)
	if b := f.Baseline; b != nil {
		s.checkBaseline(&out, *b)
	}
	return out
}

func (s *Service) checkBaseline(out *filterFaults, b BaselineFilter) {
	def, err := s.Instruments.Get(b.Instrument)
	if err != nil {
		out.add("/baseline/instrument", "unknown_instrument", "GET /v1/instruments lists the instruments.")
		return
	}
	low, high := def.Scoring.Min, def.Scoring.Max
	bounds(out, "/baseline/", b.Min, b.Max, low, high)
	var bands []string
	for _, band := range def.Bands {
		bands = append(bands, band.ID)
	}
	if len(bands) == 0 && len(b.Severity) > 0 {
		out.add("/baseline/severity", "no_bands", "The instrument has no bands of severity.")
		return
	}
	out.list("/baseline/severity", b.Severity, bands)
}

// filterFaults gathers what is wrong with a filter.
type filterFaults []fault.Detail

func (f *filterFaults) add(pointer, code, message string) {
	*f = append(*f, fault.Detail{Pointer: pointer, Code: code, Message: message})
}

// list checks the values of a list against those that there are; nil: any text.
func (f *filterFaults) list(pointer string, values, known []string) {
	if len(values) > maxListed {
		f.add(pointer, "too_many", fmt.Sprintf("At most %d values are listed.", maxListed))
		return
	}
	for i, v := range values {
		at := fmt.Sprintf("%s/%d", pointer, i)
		switch {
		case known != nil && !slices.Contains(known, v):
			f.add(at, "oneof", "The value is one of: "+strings.Join(known, ", ")+".")
		case strings.TrimSpace(v) == "" || len([]rune(v)) > maxText:
			f.add(at, "out_of_range", fmt.Sprintf("A value has 1 to %d characters.", maxText))
		}
	}
}

func (f *filterFaults) period(pointer string, from, to *time.Time) {
	if from != nil && to != nil && !from.Before(*to) {
		f.add(pointer+"_to", "before_start", "The period ends before it starts.")
	}
}

// bounds checks two bounds. A pointer that ends in a slash has members min and
// max below it.
func bounds[T int | float64](f *filterFaults, pointer string, low, high *T, least, most T) {
	join := "_"
	if strings.HasSuffix(pointer, "/") {
		join = ""
	}
	message := fmt.Sprintf("The bound is from %v to %v.", least, most)
	outside := func(x *T) bool { return x != nil && (*x < least || *x > most) }
	if outside(low) {
		f.add(pointer+join+"min", "out_of_range", message)
	}
	if outside(high) {
		f.add(pointer+join+"max", "out_of_range", message)
	}
	if low != nil && high != nil && *low > *high {
		f.add(pointer+join+"max", "below_min", "The upper bound is below the lower one.")
	}
}

func texts[T ~string](values ...T) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = string(v)
	}
	return out
}

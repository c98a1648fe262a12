package web

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
)

// A reading takes the fields of a form that was sent, and gathers what is wrong
// with each. It judges what the bytes can be; what they mean is for the service.
type reading struct {
	v      *visit
	faults []fault.Detail
	twice  bool // a time came that the clocks show twice; the first was taken
}

func (v *visit) reading() *reading { return &reading{v: v} }

// What can be wrong with a field.
var (
	wrongControl = fault.Detail{Code: "text", Message: "This holds characters that cannot be shown."}
	wrongLong    = fault.Detail{Code: "max", Message: "This is too long."}
	wrongWhole   = fault.Detail{Code: "whole_number", Message: "A whole number is needed here."}
	wrongDecimal = fault.Detail{Code: "number", Message: "A number is needed here, with a point where it has decimals."}
	wrongRange   = fault.Detail{Code: "out_of_range", Message: "The number is outside of what is possible here."}
	wrongID      = fault.Detail{Code: "id", Message: "This page has lost its place. Open it again from the client."}
	wrongTime    = fault.Detail{Code: "datetime", Message: "A date and a time of day is needed here."}
	wrongSkipped = fault.Detail{Code: "skipped_time", Message: "On that day the clocks skip this time. Choose another."}
	needed       = fault.Detail{Code: "required", Message: "This is needed."}
)

// wrong notes what is wrong with a field: medicine.dose_mg is /medicine/dose_mg.
func (r *reading) wrong(field string, what fault.Detail) {
	what.Pointer = "/" + strings.ReplaceAll(field, ".", "/")
	r.faults = append(r.faults, what)
}

// err is one error of all that is wrong, with what the service finds in the
// values. Of one field it names one fault.
func (r *reading) err(meaning []fault.Detail) error {
	out := slices.Clone(r.faults)
	for _, d := range meaning {
		if !hasPointer(r.faults, d.Pointer) {
			out = append(out, d)
		}
	}
	return fault.InvalidIf(out)
}

// line is a text of one line, of so many characters at most.
func (r *reading) line(field string, most int) string {
	return r.characters(field, most, unicode.IsControl)
}

// text is one of several lines.
func (r *reading) text(field string, most int) string {
	return r.characters(field, most, func(c rune) bool { return unicode.IsControl(c) && !strings.ContainsRune("\n\r\t", c) })
}

func (r *reading) characters(field string, most int, unfit func(rune) bool) string {
	typed := strings.TrimSpace(r.v.typed(field))
	switch {
	case !utf8.ValidString(typed) || strings.ContainsFunc(typed, unfit):
		r.wrong(field, wrongControl)
	case utf8.RuneCountInString(typed) > most:
		r.wrong(field, wrongLong)
	}
	return typed
}

// whole is a whole number, or nothing.
func (r *reading) whole(field string, least, most int) *int {
	typed := strings.TrimSpace(r.v.typed(field))
	if typed == "" {
		return nil
	}
	n, err := strconv.Atoi(typed)
	switch {
	case err != nil:
		r.wrong(field, wrongWhole)
	case n < least || n > most:
		r.wrong(field, wrongRange)
	}
	return &n
}

// decimal is a number, or nothing. A comma is refused: 1,000 would be one
// thousand to some and one to others, and this may be a dose.
func (r *reading) decimal(field string, most float64) *float64 {
	typed := strings.TrimSpace(r.v.typed(field))
	if typed == "" {
		return nil
	}
	n, err := strconv.ParseFloat(typed, 64)
	switch {
	case err != nil || math.IsNaN(n) || math.IsInf(n, 0):
		r.wrong(field, wrongDecimal)
	case n < 0 || n > most:
		r.wrong(field, wrongRange)
	}
	return &n
}

// id is the id that the page chose for what it makes, so that a form that is
// sent twice is stored once.
func (r *reading) id() uuid.UUID {
	id := r.idIfAny("id")
	if id == nil {
		r.wrong("id", wrongID)
		return uuid.Nil
	}
	return *id
}

func (r *reading) idIfAny(field string) *uuid.UUID {
	typed := r.v.typed(field)
	if typed == "" {
		return nil
	}
	id, ok := pathUUID(typed)
	if !ok {
		r.wrong(field, wrongID)
		return nil
	}
	return &id
}

// pathUUID reads an id in the one form that pages write.
func pathUUID(text string) (uuid.UUID, bool) {
	id, err := uuid.Parse(text)
	return id, err == nil && id != uuid.Nil && len(text) == len(uuid.Nil.String())
}

// at is a time in a zone. Where it is the stored one, as the page showed it,
// its seconds stay.
func (r *reading) at(field string, in *time.Location, stored *time.Time) time.Time {
	at := r.atIfAny(field, in, stored)
	if at == nil {
		if !hasPointer(r.faults, "/"+field) {
			r.wrong(field, wrongTime)
		}
		return time.Time{}
	}
	return *at
}

// atIfAny is at for a time that may be left out.
func (r *reading) atIfAny(field string, in *time.Location, stored *time.Time) *time.Time {
	typed := strings.TrimSpace(r.v.typed(field))
	if typed == "" {
		return nil
	}
	if stored != nil && typed == stored.In(in).Format(dateTimeLayout) {
		return stored
	}
	at, twice, wrong := clockTime(typed, in)
	if wrong != nil {
		r.wrong(field, *wrong)
		return nil
	}
	r.twice = r.twice || twice
	return &at
}

// clockTime reads what a clock on the wall shows. Where the clocks show it
// twice, as they do in autumn, it is the first of the two.
func clockTime(typed string, in *time.Location) (at time.Time, twice bool, wrong *fault.Detail) {
	for _, layout := range []string{dateTimeLayout, "2006-01-02T15:04:05"} {
		at, err := time.ParseInLocation(layout, typed, in)
		if err != nil {
			continue
		}
		if at.Format(layout) != typed {
			return time.Time{}, false, &wrongSkipped
		}
		_, before := at.Add(-3 * time.Hour).Zone()
		_, after := at.Add(3 * time.Hour).Zone()
		back := time.Duration(before-after) * time.Second
		switch {
		case back <= 0:
		case at.Add(-back).Format(layout) == typed:
			return at.Add(-back), true, nil
		case at.Add(back).Format(layout) == typed:
			return at, true, nil
		}
		return at, false, nil
	}
	return time.Time{}, false, &wrongTime
}

// revision is the version that the page showed.
func (r *reading) revision() int {
	n, err := strconv.Atoi(r.v.typed("revision"))
	if err != nil || n < 1 {
		r.wrong("revision", wrongID)
	}
	return n
}

// done is visit.done for what was read.
func (r *reading) done(to, what string) error {
	if r.twice {
		return r.v.done(to, "Stored. The clocks show that time twice on that day; the first of the two was taken.")
	}
	return r.v.done(to, what)
}

// errSentBefore is care.ErrIDTaken in the words of a page: somebody went back,
// and sent other content with the id of what is stored.
var errSentBefore = fault.New(fault.Conflict, "This form was stored before, with other content. Open what is stored to change it, or begin a new form.")

// spoken puts an error of a service in the words of a page.
func spoken(err error) error {
	switch {
	case fault.Is(err, fault.Conflict) && hasCode(err, care.ErrIDTaken.Details[0].Code):
		return errSentBefore
	case fault.Is(err, fault.Stale):
		return errOutrun
	}
	return err
}

// hasPointer reports whether one of the faults is at a place.
func hasPointer(faults []fault.Detail, pointer string) bool {
	return slices.ContainsFunc(faults, func(d fault.Detail) bool { return d.Pointer == pointer })
}

// detailsOf lists the faults of an error.
func detailsOf(err error) []fault.Detail {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Details
	}
	return nil
}

package research

import (
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/export"
)

// DateMode says what becomes of times in a de-identified export.
type DateMode string

// The modes.
const (
	ShiftedDates DateMode = "shifted" // moved by a constant of the person: intervals are kept
	DaysOnly     DateMode = "days"    // left out; days from the first dose remain
)

// disguise is what a profile makes of ids, times and ages.
type disguise struct {
	profile Profile
	project Project
	dates   DateMode
	rare    map[string]map[string]bool // column, value: too few people have it
}

// id is how a thing of a kind is named: "client", "assessment", "session",
// "course". Ids that are their own time, and so tell it, become pseudonyms too.
func (d disguise) id(kind string, id uuid.UUID) export.Cell {
	if d.profile == Identified {
		return export.TextCell(id.String())
	}
	return export.TextCell(d.project.pseudonym(kind, id))
}

func (d disguise) idPtr(kind string, id *uuid.UUID) export.Cell {
	if id == nil {
		return export.None
	}
	return d.id(kind, *id)
}

// moments reports whether the profile has columns of times at all.
func (d disguise) moments() bool { return d.profile != Deidentified || d.dates == ShiftedDates }

// moment is a person's time as it may be shown.
func (d disguise) moment(person uuid.UUID, t time.Time) export.Cell {
	return export.MomentCell(d.move(person, t))
}

// move is a person's time, moved where the profile says so.
func (d disguise) move(person uuid.UUID, t time.Time) time.Time {
	if d.profile == Deidentified {
		t = t.Add(d.project.shift(person))
	}
	return t
}

// oldest is the age from which on ages are not told apart: the Safe Harbor
// method of HIPAA, 45 CFR 164.514(b)(2)(i)(C), takes all ages over 89 as one.
const oldest = 90

// age is how old somebody born in a year is at a time, to the year.
func (d disguise) age(birthYear *int, at time.Time) export.Cell {
	if birthYear == nil || at.IsZero() {
		return export.None
	}
	age := at.Year() - *birthYear
	if d.profile == Deidentified {
		age = min(age, oldest)
	}
	return export.IntCell(age)
}

// other is what a rare value becomes.
const other = "other"

// category is a value of a column in which rare values are merged.
func (d disguise) category(column, value string) export.Cell {
	if d.profile == Deidentified && d.rare[column][value] {
		value = other
	}
	return export.TextCell(value)
}

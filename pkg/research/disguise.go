package research

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/export"
)

// DateMode says what becomes of times in an export.
type DateMode string

// The modes.
const (
	// ShiftedDates are moved by a constant of the person where the profile hides
	// true dates, and true elsewhere: intervals are kept.
	ShiftedDates DateMode = "shifted"
	// DaysOnly leaves times out; days from the first dose remain.
	DaysOnly DateMode = "days"
)

// disguise is what a profile makes of ids, times, ages and what is rare.
type disguise struct {
	profile  Profile
	dates    DateMode
	names    *namer              // nil where ids are shown, or nothing is
	calendar *namer              // moves dates; set where names is
	shown    map[string][]string // values of categories; all others are merged
}

// id is how a thing is named. Ids that are their own time, and so tell it,
// become pseudonyms too.
func (d disguise) id(of thing, id uuid.UUID) string {
	switch {
	case d.profile == Identified:
		return id.String()
	case d.names == nil: // there are columns, and no rows
		return ""
	}
	return d.names.pseudonym(of, id)
}

// moments reports whether there are columns of times at all.
func (d disguise) moments() bool { return d.dates != DaysOnly }

// shift is how far a person's times are moved.
func (d disguise) shift(person uuid.UUID) time.Duration {
	if d.profile != Deidentified || d.names == nil {
		return 0
	}
	return d.calendar.shift(person)
}

// oldest is the age from which on ages are not told apart: the Safe Harbor
// method of HIPAA, 45 CFR 164.514(b)(2)(i)(C), takes all ages over 89 as one.
const oldest = 90

// age is how old somebody born in a year is at a time, to the year.
func (d disguise) age(birthYear *int, at *time.Time) export.Cell {
	switch {
	case at == nil:
		return export.Cell{Missing: export.NotReached}
	case birthYear == nil:
		return export.None
	}
	age := at.Year() - *birthYear
	if d.profile == Deidentified {
		age = min(age, oldest)
	}
	return export.IntCell(age)
}

// category is a value of a column in which rare values are merged.
func (d disguise) category(of category, value string) export.Cell {
	return export.TextCell(d.merged(of, value))
}

// merged is a value of a category, or what stands for all rare ones.
func (d disguise) merged(of category, value string) string {
	if !slices.ContainsFunc(d.profile.hidden(), func(c category) bool { return c.name == of.name }) {
		if d.profile == Identified {
			return value
		}
		return of.spelt(value)
	}
	if value = of.spelt(value); value != "" && !slices.Contains(d.shown[of.name], value) {
		return other
	}
	return value
}

// seen is a case as a reader of an export sees it: whom a cohort holds must not
// tell what the export hides.
func (d disguise) seen(c cohort.Case) cohort.Case {
	c.Sex, c.Indication = d.merged(sexes, c.Sex), d.merged(indications, c.Indication)
	c.Doses = slices.Clone(c.Doses)
	for i := range c.Doses {
		dose := &c.Doses[i]
		dose.Substance, dose.Route = d.merged(substances, dose.Substance), d.merged(routes, dose.Route)
	}
	if d.profile == Deidentified && c.BirthYear != nil && len(c.Doses) > 0 {
		c.BirthYear = new(max(*c.BirthYear, c.Doses[0].At.Year()-oldest))
	}
	return c
}

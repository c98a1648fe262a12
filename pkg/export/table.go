// Package export writes tables as files that statistics programs read: CSV,
// NDJSON, Parquet, Stata and Excel, each with the codebook that says what its
// columns mean.
//
// It streams: a Table hands out its rows one by one, and a writer holds no more
// of them than its format's blocks do. It knows nothing of clients, rights or
// databases: what may not leave the clinic never becomes a cell.
//
// Zero is an answer. A cell that holds nothing is missing, and says why where
// that is known; no format writes a missing cell as 0.
package export

import (
	"iter"
	"time"
)

// Kind is what the cells of a column hold.
type Kind uint8

// The kinds.
const (
	Text    Kind = iota // a code, an id or a word
	Integer             // a whole number
	Real                // a number
	Boolean             // Int is 0 or 1
	Moment              // a time; Int is microseconds since 1970 in UTC
	Day                 // a date; Int is days since 1970-01-01
)

// Code is one value that a column may hold, and what it means.
type Code struct {
	Value string // as it is written: "0", "moderate"
	Label string // "Not at all"
}

// Column says what stands in one column. Names are legal in R, Stata, SPSS,
// SAS and SQL: a lower-case letter, then letters, digits and underscores, 32
// bytes at most.
type Column struct {
	Name  string
	Label string // one line for people
	Kind  Kind
	Unit  string // "points", "days", "mg"; empty: none
	Codes []Code // the values of a coded column, in order; empty: any
	// Min and Max bound the values, in the unit; nil: not bounded.
	Min, Max *float64
	Source   string // where the values come from, and by which rule

	// Instrument and Version are those of the questionnaire that the column is
	// of; empty: none. Licence says on what terms its wording may be shown.
	Instrument, Version, Licence string

	// Reasons are those for which a cell may hold nothing; empty: none is known.
	Reasons []Missing

	// Free marks text that people typed: a spreadsheet could take it for a formula.
	Free bool
	// Identifies marks what tells, with no more than itself, who a client is.
	Identifies bool
}

// Missing says why a cell holds nothing. The order is part of the formats.
type Missing uint8

// The reasons.
const (
	Present     Missing = iota // it holds something
	Unknown                    // no more is known: a total from elsewhere, a value never recorded
	NotAsked                   // the questionnaire passes over the question for this client
	Skipped                    // it was asked and passed over
	Declined                   // it was asked, and the client declined to answer
	NotIncluded                // the question is not of the questionnaire that the row is about
	NotReached                 // the time had not come, or the session had not taken place
	NotObserved                // the time came, and nothing was recorded
)

// missingWords are the reasons as they are written.
var missingWords = [...]string{"", "unknown", "not_asked", "skipped", "declined", "not_included", "not_reached", "not_observed"}

// String is the reason as it is written; empty for a cell that holds something.
func (m Missing) String() string { return missingWords[m] }

// Cell is one value of a row. Which field counts is a matter of its column's
// Kind. The zero Cell holds 0 or an empty text: a missing cell has a reason.
type Cell struct {
	Missing Missing
	Int     int64   // Integer, Boolean, Moment and Day
	Real    float64 // Real
	Text    string  // Text
}

// The makers of cells.
var (
	// None is a cell of which no more is known.
	None = Cell{Missing: Unknown}
)

// TextCell holds a text; an empty one is missing.
func TextCell(s string) Cell {
	if s == "" {
		return None
	}
	return Cell{Text: s}
}

// IntCell holds a whole number.
func IntCell(n int) Cell { return Cell{Int: int64(n)} }

// RealCell holds a number.
func RealCell(x float64) Cell { return Cell{Real: x} }

// RealPtr holds a number, or nothing for nil.
func RealPtr(x *float64) Cell {
	if x == nil {
		return None
	}
	return RealCell(*x)
}

// IntPtr holds a whole number, or nothing for nil.
func IntPtr(n *int) Cell {
	if n == nil {
		return None
	}
	return IntCell(*n)
}

// BoolCell holds yes or no.
func BoolCell(b bool) Cell {
	if b {
		return Cell{Int: 1}
	}
	return Cell{}
}

// MomentCell holds a time.
func MomentCell(t time.Time) Cell { return Cell{Int: t.UnixMicro()} }

// DayCell holds the date of a time in UTC, before 1970 as well.
func DayCell(t time.Time) Cell {
	day := t.Unix() / secondsOfDay
	if t.Unix()%secondsOfDay < 0 {
		day--
	}
	return Cell{Int: day}
}

const secondsOfDay = 24 * 60 * 60

// Time is the time that a cell of kind Moment or Day holds, in UTC.
func (c Cell) Time(k Kind) time.Time {
	if k == Day {
		return time.Unix(c.Int*secondsOfDay, 0).UTC()
	}
	return time.UnixMicro(c.Int).UTC()
}

// Rows are the rows of a table, in their order. A row has a cell for each
// column; it is the source's own and holds until the next one is asked for.
// An error ends them. Rows may be asked for more than once and are then the
// same: a format whose header says how many there are reads them twice.
type Rows = iter.Seq2[[]Cell, error]

// Table is what is to be written.
type Table struct {
	Name    string // of the file, without what its format appends: "assessments_long"
	Title   string // one line for people
	Columns []Column
	Rows    Rows
}

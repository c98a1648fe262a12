package export

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/protrack/protrack/pkg/fault"
)

// The format is 118, of Stata 14: https://www.stata.com/help.cgi?dta. Numbers
// are little-endian, text is UTF-8.

// stataType says how the cells of a variable are kept. Up to stataText it is a
// text of so many bytes.
type stataType uint16

const (
	stataText   stataType = 2045
	stataDouble stataType = 65526
	stataLong   stataType = 65528 // four bytes
	stataInt    stataType = 65529 // two
	stataByte   stataType = 65530
)

// The limits of the format.
const (
	stataVariables = 32767
	stataLabel     = 80 // characters
	stataNote      = 67784
	stataWhole     = 1 << 53 // whole numbers that a double holds
)

// stataEpoch is when Stata's times begin, 1960-01-01, in days before 1970.
const stataEpoch = 3653

// stataReasons numbers the reasons for which a cell holds nothing: 0 is
// Stata's ., 1 its .a and so on.
var stataReasons = [...]uint64{
	Unknown: 0, Skipped: 1, NotAsked: 2, Declined: 3, NotIncluded: 4, NotReached: 5, NotObserved: 6,
}

// stataMissing says in a file's notes what its missing values mean.
const stataMissing = "Missing values: . unknown, .a skipped, .b not_asked, .c declined, " +
	".d not_included, .e not_reached, .f not_observed"

// stataVariable is a column as Stata keeps it.
type stataVariable struct {
	*Column
	typ    stataType
	labels string // the name of its value labels; empty: none
}

// stataVariablesOf chooses for each column the smallest type that holds its cells.
func stataVariablesOf(t Table, extents []extent) ([]stataVariable, error) {
	if len(t.Columns) > stataVariables {
		return nil, fault.New(fault.Invalid, fmt.Sprintf(
			"A Stata file has %d columns at most, and this one would have %d.", stataVariables, len(t.Columns)))
	}
	all, sets := make([]stataVariable, len(t.Columns)), map[string]string{}
	for i := range t.Columns {
		c := &t.Columns[i]
		typ, err := c.stataType(extents[i])
		if err != nil {
			return nil, err
		}
		all[i] = stataVariable{Column: c, typ: typ}
		if len(c.Codes) > 0 && c.Kind != Text {
			set := fmt.Sprintf("%q", c.Codes)
			if sets[set] == "" {
				sets[set] = c.Name // columns with the same codes share them
			}
			all[i].labels = sets[set]
		}
	}
	return all, nil
}

func (c Column) stataType(e extent) (stataType, error) {
	switch c.Kind {
	case Text:
		if e.width > int(stataText) {
			return 0, fault.New(fault.Invalid, fmt.Sprintf(
				"A Stata file holds %d bytes of text in a cell, and the column %s has a text of %d bytes. Choose another format.",
				stataText, c.Name, e.width))
		}
		return stataType(max(1, e.width)), nil
	case Real, Moment:
		return stataDouble, nil
	case Boolean:
		return stataByte, nil
	case Day:
		return stataLong, nil
	case Integer:
	}
	switch {
	case e.lowest > e.highest, e.lowest >= -127 && e.highest <= 100:
		return stataByte, nil
	case e.lowest >= -32767 && e.highest <= 32740:
		return stataInt, nil
	case e.lowest >= -2147483647 && e.highest <= 2147483620:
		return stataLong, nil
	case len(c.Codes) > 0:
		return 0, fmt.Errorf("column %s is coded, and holds a number that no code has", c.Name)
	case e.lowest < -stataWhole || e.highest > stataWhole:
		return 0, fault.New(fault.Invalid, fmt.Sprintf(
			"The column %s holds whole numbers beyond 2^53, which a Stata file cannot hold. Choose another format.", c.Name))
	}
	return stataDouble, nil
}

// format is how Stata shows a variable.
func (v stataVariable) format() string {
	switch {
	case v.Kind == Text:
		return fmt.Sprintf("%%-%ds", min(v.typ, 32))
	case v.Kind == Moment:
		return "%tcCCYY-NN-DD!THH:MM:SS"
	case v.Kind == Day:
		return "%tdCCYY-NN-DD"
	case v.typ == stataDouble:
		return "%10.0g"
	}
	return "%8.0g"
}

// stataWriter writes the rows of a file.
type stataWriter struct {
	*lines
	variables []stataVariable
	rows      int64
	promised  int64
}

func writeStata(ctx context.Context, w io.Writer, t Table, o Options) (int64, error) {
	rows, extents, err := t.measure(ctx)
	if err != nil {
		return 0, err
	}
	variables, err := stataVariablesOf(t, extents)
	if err != nil {
		return 0, err
	}
	head, tail := stataAround(t, variables, rows, o)
	if _, err := w.Write(head); err != nil {
		return 0, err
	}
	s := &stataWriter{lines: newLines(w), variables: variables, promised: rows}
	n, err := t.each(ctx, s.row)
	if err == nil && n != rows {
		err = errRowsChanged
	}
	if err != nil {
		return n, err
	}
	s.buf = append(s.buf, tail...)
	return n, s.flush()
}

// errRowsChanged is the end of a file whose header says what is not so.
var errRowsChanged = errors.New("the rows were others when they were read again")

// row writes one row.
func (w *stataWriter) row(cells []Cell) error {
	if w.rows++; w.rows > w.promised {
		return errRowsChanged
	}
	b := w.buf
	for i := range cells {
		var ok bool
		if b, ok = w.variables[i].appendCell(b, &cells[i]); !ok {
			return fmt.Errorf("column %s: %w", w.variables[i].Name, errRowsChanged)
		}
	}
	return w.keep(b)
}

// appendCell writes a cell, and says whether the variable's type could hold it.
func (v *stataVariable) appendCell(b []byte, c *Cell) ([]byte, bool) {
	reason := c.reason(v.Kind)
	switch {
	case v.Kind == Text:
		text := ""
		if reason == Present {
			text = clean(c.Text)
		}
		b = append(b, text...)
		return append(b, stataZeros[:max(0, int(v.typ)-len(text))]...), len(text) <= int(v.typ)
	case reason != Present:
		return v.appendMissing(b, stataReasons[reason]), true
	case v.Kind == Real && math.Abs(c.Real) >= stataHuge:
		return v.appendMissing(b, stataReasons[Unknown]), true
	}
	n, x := c.Int, float64(c.Int)
	switch v.Kind {
	case Real:
		x = c.Real
	case Moment: // milliseconds
		x = float64(c.Int)/1000 + stataEpoch*secondsOfDay*1000
	case Day:
		n += stataEpoch
	case Boolean:
		n = min(1, max(n, -n))
	}
	switch v.typ {
	case stataDouble:
		return binary.LittleEndian.AppendUint64(b, math.Float64bits(x)), true
	case stataLong:
		return binary.LittleEndian.AppendUint32(b, uint32(n)), n >= -2147483647 && n <= 2147483620 //nolint:gosec // looked at
	case stataInt:
		return binary.LittleEndian.AppendUint16(b, uint16(n)), n >= -32767 && n <= 32740 //nolint:gosec // looked at
	}
	return append(b, byte(n)), n >= -127 && n <= 100 //nolint:gosec // looked at
}

// stataHuge is where Stata's numbers end and its missing values begin.
const stataHuge = 0x1p1023

// stataZeros fill up a text.
var stataZeros [stataText]byte

// appendMissing writes the missing value of a number, 0 for . and 1 for .a.
func (v *stataVariable) appendMissing(b []byte, number uint64) []byte {
	switch v.typ {
	case stataDouble:
		return binary.LittleEndian.AppendUint64(b, 0x7fe0000000000000+number<<40)
	case stataLong:
		return binary.LittleEndian.AppendUint32(b, uint32(2147483621+number)) //nolint:gosec // number is below 7
	case stataInt:
		return binary.LittleEndian.AppendUint16(b, uint16(32741+number)) //nolint:gosec // number is below 7
	}
	return append(b, byte(101+number)) //nolint:gosec // number is below 7
}

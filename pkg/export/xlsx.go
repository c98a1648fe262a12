package export

import (
	"archive/zip"
	"context"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"

	"github.com/protrack/protrack/pkg/fault"
)

// The limits of a sheet. That of all cells is ours: with so many a sheet's XML
// stays below the 4 GiB that most programs read.
const (
	xlsxRows    = 1<<20 - 1 // without the header
	xlsxColumns = 1 << 14
	xlsxCells   = 80_000_000
	xlsxText    = 32767 // UTF-16 units in a cell
)

// The styles of cells, by their place in xlsxStyles.
const (
	xlsxMoment = 1
	xlsxDay    = 2
)

// xlsxWriter writes the sheets of a workbook one after the other, straight into
// its ZIP: nothing of them is kept. The libraries for workbooks keep a sheet in
// memory or in a file until it is whole, gigabytes for a large clinic. Rows that
// do not fit in one sheet go on in the next.
type xlsxWriter struct {
	*lines   // of the sheet that is being written
	zip      *zip.Writer
	fields   []field
	na       string   // empty leaves a cell out
	cells    []string // how a cell of each column begins: `<c r="BR`
	line     int64    // of the sheet, the header's is 1
	at       []byte   // the line's number
	sheets   int
	rows     int64
	promised int64
	perSheet int64 // rows
}

func writeXLSX(ctx context.Context, w io.Writer, t Table, o Options) (int64, error) {
	if len(t.Columns) > xlsxColumns {
		return 0, fault.New(fault.Invalid, fmt.Sprintf(
			"A sheet has %d columns at most, and this one would have %d. Choose another format.", xlsxColumns, len(t.Columns)))
	}
	rows, extents, err := t.measure(ctx)
	if err != nil {
		return 0, err
	}
	fields := t.fields(o.Labels)
	for i := range fields {
		if err := fields[i].fitsXLSX(extents[i]); err != nil {
			return 0, err
		}
	}
	x := &xlsxWriter{
		lines: newLines(nil), zip: newZip(w), fields: fields, na: o.NA, promised: rows,
		cells: xlsxCellHeads(max(len(fields), len(codebookHeader))), perSheet: min(xlsxRows, int64(xlsxCells/len(fields))),
	}
	if err := xlsxParts(x.zip, t, o, int(max(1, (rows+x.perSheet-1)/x.perSheet))); err != nil {
		return 0, err
	}
	n, err := x.data(ctx, t)
	if err != nil {
		return n, err
	}
	if err := x.codebook(t); err != nil {
		return n, err
	}
	return n, x.zip.Close()
}

// fitsXLSX refuses texts that are too long for a cell.
func (f *field) fitsXLSX(e extent) error {
	longest := e.units
	if f.labels {
		for _, code := range f.Codes {
			longest = max(longest, utf16Len(clean(code.Label)))
		}
	}
	if longest > xlsxText {
		return fault.New(fault.Invalid, fmt.Sprintf(
			"A cell of a sheet holds %d characters at most, and the column %s has a longer text. Choose another format.", xlsxText, f.Name))
	}
	return nil
}

// data writes the sheets of the table.
func (x *xlsxWriter) data(ctx context.Context, t Table) (int64, error) {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	next := func() error {
		if err := x.begin(min(x.perSheet, x.promised-x.rows)+1, len(names)); err != nil {
			return err
		}
		return x.texts(names)
	}
	if err := next(); err != nil {
		return 0, err
	}
	n, err := t.each(ctx, func(cells []Cell) error {
		if x.rows == x.promised {
			return errRowsChanged
		}
		if x.line == x.perSheet+1 {
			if err := x.end(); err != nil {
				return err
			}
			if err := next(); err != nil {
				return err
			}
		}
		x.rows++
		return x.row(cells)
	})
	if err == nil && n != x.promised {
		err = errRowsChanged
	}
	if err != nil {
		return n, err
	}
	return n, x.end()
}

// codebook writes the last sheet.
func (x *xlsxWriter) codebook(t Table) error {
	if err := x.begin(int64(len(t.Columns)+1), len(codebookHeader)); err != nil {
		return err
	}
	if err := x.texts(codebookHeader); err != nil {
		return err
	}
	for _, c := range t.Columns {
		texts := codebookRow(t.Name, c)
		for i := range texts {
			texts[i] = cut(texts[i], xlsxText) // codebook.csv has it whole
		}
		if err := x.texts(texts); err != nil {
			return err
		}
	}
	return x.end()
}

// begin begins the next sheet, of so many lines and columns.
func (x *xlsxWriter) begin(lines int64, columns int) error {
	x.sheets++
	sheet, err := x.zip.Create(xlsxSheetFile(x.sheets))
	if err != nil {
		return err
	}
	x.w, x.line = sheet, 0
	return x.keep(fmt.Appendf(x.buf, xlsxSheetHead, xlsxColumn(columns-1), lines))
}

// end ends a sheet.
func (x *xlsxWriter) end() error {
	x.buf = append(x.buf, xlsxSheetTail...)
	return x.flush()
}

// next begins a line.
func (x *xlsxWriter) next() []byte {
	x.line++
	x.at = strconv.AppendInt(x.at[:0], x.line, 10)
	return append(append(append(x.buf, `<row r="`...), x.at...), `">`...)
}

// texts writes a line of texts.
func (x *xlsxWriter) texts(texts []string) error {
	b := x.next()
	for i, s := range texts {
		b = x.text(b, i, s)
	}
	return x.keep(append(b, "</row>"...))
}

// row writes a line of cells.
func (x *xlsxWriter) row(cells []Cell) error {
	b := x.next()
	for i := range cells {
		b = x.cell(b, i, &cells[i])
	}
	return x.keep(append(b, "</row>"...))
}

// cell writes a cell, never a formula.
func (x *xlsxWriter) cell(b []byte, i int, c *Cell) []byte {
	f := &x.fields[i]
	switch {
	case c.reason(f.Kind) != Present:
		if x.na == "" {
			return b
		}
		return x.text(b, i, x.na)
	case f.labels:
		return x.text(b, i, f.label(c))
	}
	switch f.Kind {
	case Text:
		return x.text(b, i, c.Text)
	case Real:
		return append(appendReal(x.number(b, i, 0), c.Real), "</v></c>"...)
	case Moment, Day:
		return x.time(b, i, c)
	default:
		return append(strconv.AppendInt(x.number(b, i, 0), c.Int, 10), "</v></c>"...)
	}
}

// number begins a number in a style; 0 is none.
func (x *xlsxWriter) number(b []byte, i, style int) []byte {
	b = append(append(b, x.cells[i]...), x.at...)
	if style != 0 {
		b = strconv.AppendInt(append(b, `" s="`...), int64(style), 10)
	}
	return append(b, `"><v>`...)
}

// text writes a text in place, so that no list of all texts is needed.
func (x *xlsxWriter) text(b []byte, i int, s string) []byte {
	b = append(append(b, x.cells[i]...), x.at...)
	b = append(b, `" t="inlineStr"><is><t`...)
	return append(appendXLSXText(b, clean(s)), "</t></is></c>"...)
}

// time writes a time as spreadsheets count it: in days from the end of 1899.
// They take 1900 for a leap year: what is before its March is text.
func (x *xlsxWriter) time(b []byte, i int, c *Cell) []byte {
	const unixEpoch = 25569 // days from 1899-12-30 to 1970-01-01
	kind := x.fields[i].Kind
	at := c.Time(kind)
	spoken := at.Before(time.Date(1900, time.March, 1, 0, 0, 0, 0, time.UTC)) || at.Year() > 9999
	switch {
	case spoken && kind == Day:
		return x.text(b, i, string(appendDay(nil, c.Int)))
	case spoken:
		return x.text(b, i, string(appendMoment(nil, c.Int)))
	case kind == Day:
		b = strconv.AppendInt(x.number(b, i, xlsxDay), c.Int+unixEpoch, 10)
	default:
		millis := math.Round(float64(c.Int) / 1000)
		b = appendReal(x.number(b, i, xlsxMoment), millis/(secondsOfDay*1000)+unixEpoch)
	}
	return append(b, "</v></c>"...)
}

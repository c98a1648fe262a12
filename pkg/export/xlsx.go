package export

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"time"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"

	"github.com/protrack/protrack/pkg/fault"
)

// The limits of a sheet. That of all cells is ours: beyond it a sheet's XML
// would pass the 4 GiB that spreadsheets read.
const (
	xlsxRows    = 1<<20 - 1 // without the header
	xlsxColumns = 1 << 14
	xlsxCells   = 50_000_000
	xlsxText    = 32767 // UTF-16 units in a cell
)

// The sheets of a workbook.
const (
	xlsxData     = "data"
	xlsxCodebook = "codebook"
)

// xlsxWriter writes rows to a sheet. Excelize keeps what does not fit in 16 MiB
// in a file among the system's temporary ones, until the workbook is whole.
type xlsxWriter struct {
	sheet  *excelize.StreamWriter
	fields []field
	na     any // nil leaves a cell out
	values []any
	styles map[Kind]int
	rows   int
}

func writeXLSX(ctx context.Context, w io.Writer, t Table, o Options) (n int64, err error) {
	if len(t.Columns) > xlsxColumns {
		return 0, fault.New(fault.Invalid, fmt.Sprintf(
			"A sheet has %d columns at most, and this one would have %d. Choose another format.", xlsxColumns, len(t.Columns)))
	}
	// Excelize makes a workbook in memory, which this one may exceed: it is
	// handed a ZIP that goes to w in place of its own.
	book := excelize.NewFile().SetZipWriter(func(io.Writer) excelize.ZipWriter { return newZip(w) })
	defer func() { err = errors.Join(err, book.Close()) }()
	x, err := newXLSX(book, t, o)
	if err != nil {
		return 0, err
	}
	if n, err = t.each(ctx, x.row); err != nil {
		return n, err
	}
	if err := errors.Join(x.sheet.Flush(), xlsxAbout(book, t, o)); err != nil {
		return n, err
	}
	_, err = book.WriteTo(w)
	return n, err
}

// newXLSX begins the sheet with the names of the columns.
func newXLSX(book *excelize.File, t Table, o Options) (*xlsxWriter, error) {
	x := &xlsxWriter{fields: t.fields(o.Labels), values: make([]any, len(t.Columns)), styles: map[Kind]int{}}
	if o.NA != "" {
		x.na = o.NA
	}
	for _, s := range [...]struct {
		kind  Kind
		shown string
	}{{Moment, "yyyy-mm-dd hh:mm:ss"}, {Day, "yyyy-mm-dd"}} {
		style, err := book.NewStyle(&excelize.Style{CustomNumFmt: new(s.shown)})
		if err != nil {
			return nil, err
		}
		x.styles[s.kind] = style
	}
	if err := book.SetSheetName("Sheet1", xlsxData); err != nil {
		return nil, err
	}
	sheet, err := book.NewStreamWriter(xlsxData)
	if err != nil {
		return nil, err
	}
	x.sheet = sheet
	if err := sheet.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return nil, err
	}
	for i, c := range t.Columns {
		x.values[i] = c.Name
	}
	return x, sheet.SetRow("A1", x.values)
}

// row writes one row.
func (x *xlsxWriter) row(cells []Cell) error {
	if x.rows++; x.rows > xlsxRows || x.rows*len(cells) > xlsxCells {
		return fault.New(fault.Invalid, fmt.Sprintf(
			"A sheet has %d rows and %d cells at most, and these are more. Choose another format, or fewer rows.", xlsxRows, xlsxCells))
	}
	for i := range cells {
		v, err := x.value(&x.fields[i], &cells[i])
		if err != nil {
			return err
		}
		x.values[i] = v
	}
	at, err := excelize.CoordinatesToCellName(1, x.rows+1)
	if err != nil {
		return err
	}
	return x.sheet.SetRow(at, x.values)
}

// value is what a cell holds, never a formula.
func (x *xlsxWriter) value(f *field, c *Cell) (any, error) {
	switch {
	case c.reason(f.Kind) != Present:
		return x.na, nil
	case f.labels:
		return f.xlsxText(f.label(c))
	}
	switch f.Kind {
	case Text:
		return f.xlsxText(c.Text)
	case Real:
		return c.Real, nil
	case Moment, Day:
		// Spreadsheets count days from the end of 1899, and take 1900 for a leap
		// year: what is before its March is text.
		if at := c.Time(f.Kind); at.Before(time.Date(1900, time.March, 1, 0, 0, 0, 0, time.UTC)) || at.Year() > 9999 {
			return x.text(f, c), nil
		}
		return excelize.Cell{StyleID: x.styles[f.Kind], Value: xlsxDays(c, f.Kind)}, nil
	default:
		return c.Int, nil
	}
}

// text is a time as the other formats write it.
func (x *xlsxWriter) text(f *field, c *Cell) string {
	if f.Kind == Day {
		return string(appendDay(nil, c.Int))
	}
	return string(appendMoment(nil, c.Int))
}

// xlsxDays is a time as spreadsheets count it.
func xlsxDays(c *Cell, k Kind) float64 {
	const unixEpoch = 25569 // days from 1899-12-30 to 1970-01-01
	if k == Day {
		return float64(c.Int + unixEpoch)
	}
	millis := math.Round(float64(c.Int) / 1000)
	return millis/(secondsOfDay*1000) + unixEpoch
}

// xlsxText is a text that fits in a cell.
func (f *field) xlsxText(s string) (string, error) {
	if s = clean(s); len(s) > xlsxText && len(utf16.Encode([]rune(s))) > xlsxText {
		return "", fault.New(fault.Invalid, fmt.Sprintf(
			"A cell of a sheet holds %d characters at most, and the column %s has a longer text. Choose another format.", xlsxText, f.Name))
	}
	return s, nil
}

// xlsxAbout adds the codebook, and what the workbook says of itself.
func xlsxAbout(book *excelize.File, t Table, o Options) error {
	if _, err := book.NewSheet(xlsxCodebook); err != nil {
		return err
	}
	lines := [][]string{codebookHeader}
	for _, c := range t.Columns {
		lines = append(lines, codebookRow(t.Name, c))
	}
	for i, line := range lines {
		if err := book.SetSheetRow(xlsxCodebook, fmt.Sprintf("A%d", i+1), &line); err != nil {
			return err
		}
	}
	about := &excelize.DocProperties{Title: t.Title, Creator: o.Program}
	if !o.Made.IsZero() {
		about.Created = o.Made.UTC().Format(time.RFC3339)
		about.Modified = about.Created
	}
	return book.SetDocProps(about)
}

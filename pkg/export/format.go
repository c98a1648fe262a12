package export

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/protrack/protrack/pkg/fault"
)

// Format is a kind of file, named by what its files' names end with.
type Format string

// The formats.
const (
	CSV     Format = "csv"
	NDJSON  Format = "ndjson"  // one JSON object a line
	Parquet Format = "parquet" // typed columns, with the codebook in its metadata
	Stata   Format = "dta"     // Stata 14 and later, with labels and the reasons of missing values
	XLSX    Format = "xlsx"
	SPSS    Format = "sps" // a program for SPSS that reads the CSV beside it
)

// formats holds, in the order in which they are offered, what writes each one.
var formats = []struct {
	format      Format
	contentType string
	write       func(context.Context, io.Writer, Table, Options) (int64, error)
}{
	{CSV, "text/csv; charset=utf-8; header=present", writeCSV},
	{NDJSON, "application/x-ndjson", writeNDJSON},
	{Parquet, "application/vnd.apache.parquet", writeParquet},
	{Stata, "application/x-stata-dta", writeStata},
	{XLSX, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", writeXLSX},
	{SPSS, "text/plain; charset=utf-8", writeSPSS},
}

// Formats lists the formats, in the order in which they are offered.
func Formats() []Format {
	all := make([]Format, len(formats))
	for i := range formats {
		all[i] = formats[i].format
	}
	return all
}

// ContentType is the media type of a file of the format.
func (f Format) ContentType() string {
	for i := range formats {
		if formats[i].format == f {
			return formats[i].contentType
		}
	}
	return "application/octet-stream"
}

// Extension is what the name of a file of the format ends with: ".csv".
func (f Format) Extension() string { return "." + string(f) }

// Dialect is for whom a CSV file is written; empty is Research.
type Dialect string

// The dialects.
const (
	Research Dialect = "research" // for statistics programs: no byte order mark, lines end with LF
	Excel    Dialect = "excel"    // for spreadsheets: a byte order mark, lines end with CRLF
)

// Options say how a table is written. The zero Options are a good choice.
type Options struct {
	Dialect Dialect // of CSV
	NA      string  // what CSV and XLSX write for a missing cell: empty, or "NA"

	// Labels writes the labels of coded columns in place of their codes. Stata
	// and SPSS hold both, and Parquet holds codes: there it says nothing.
	Labels bool

	Program string    // what writes the file: "protrack 1.4.0"
	Made    time.Time // the time that the file says it was made at; zero: it says none

	flat bool // CSV holds no line breaks: SPSS takes each for the end of a row
}

// Write writes a table in a format, and says how many rows that were. It holds
// as much memory for ten rows as for ten million.
//
// What a format cannot hold is fault.Invalid, with a message that says why; it
// is found before the first byte is written. An error of the rows, of w or of
// ctx comes as it is, and leaves a file that is not whole.
func Write(ctx context.Context, w io.Writer, format Format, t Table, o Options) (int64, error) {
	if err := t.Check(); err != nil {
		return 0, err
	}
	for i := range formats {
		if formats[i].format == format {
			rows, err := formats[i].write(ctx, w, t, o)
			if err != nil {
				return rows, fmt.Errorf("write %s as %s: %w", t.Name, format, err)
			}
			return rows, nil
		}
	}
	return 0, fault.New(fault.Invalid, "There is no such format.")
}

// rowsBetweenLooks is how many rows are written between two looks at whether
// somebody still waits for them.
const rowsBetweenLooks = 256

// each hands the rows to take, in their order, until there are no more, take
// fails or ctx ends. It says how many rows were taken.
func (t Table) each(ctx context.Context, take func([]Cell) error) (n int64, err error) {
	for cells, err := range t.Rows {
		if err != nil {
			return n, fmt.Errorf("row %d: %w", n+1, err)
		}
		if n%rowsBetweenLooks == 0 {
			if err := ctx.Err(); err != nil {
				return n, err
			}
		}
		if len(cells) != len(t.Columns) {
			return n, fmt.Errorf("row %d has %d cells, and the table %d columns", n+1, len(cells), len(t.Columns))
		}
		if err := take(cells); err != nil {
			return n, err
		}
		n++
	}
	return n, ctx.Err()
}

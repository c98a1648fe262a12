package export_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/protrack/protrack/pkg/export"
	"github.com/protrack/protrack/pkg/fault"
)

var update = flag.Bool("update", false, "write the files under testdata anew")

// rowsOf are rows that are held in memory.
func rowsOf(rows ...[]export.Cell) export.Rows {
	return func(yield func([]export.Cell, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func missing(m export.Missing) export.Cell { return export.Cell{Missing: m} }

var (
	january  = time.Date(2026, 1, 31, 9, 30, 0, 0, time.UTC)
	february = time.Date(2026, 2, 1, 23, 59, 59, 123456000, time.UTC)
	born     = time.Date(1931, 7, 4, 0, 0, 0, 0, time.UTC)
)

var answers = []export.Code{
	{Value: "0", Label: "Not at all"}, {Value: "1", Label: "Several days"},
	{Value: "2", Label: "More than half the days"}, {Value: "3", Label: "Nearly every day"},
}

// sample is a table with a column of each kind, and each reason for a missing cell.
func sample() export.Table {
	item := func(name, label string) export.Column {
		return export.Column{
			Name: name, Label: label, Kind: export.Integer, Codes: answers, Min: new(0.0), Max: new(3.0),
			Source: "the client's answer", Instrument: "PHQ-9", Version: "1.0.0", Licence: "free to use",
			Reasons: []export.Missing{export.Skipped, export.NotAsked},
		}
	}
	return export.Table{
		Name: "assessments_wide", Title: `Assessments, "wide", as of März`,
		Columns: []export.Column{
			{Name: "client", Label: "The client's pseudonym", Kind: export.Text, Identifies: true},
			item("phq9_1", "Little interest or pleasure, \"anhedonia\""),
			item("phq9_2", "Feeling down"),
			{Name: "total", Label: "Total score", Kind: export.Integer, Unit: "points", Min: new(0.0), Max: new(27.0), Source: "the sum of the items"},
			{Name: "severity", Label: "Severity", Kind: export.Text, Codes: []export.Code{{Value: "minimal", Label: "Minimal"}, {Value: "severe", Label: "Schwer | sévère"}}},
			{Name: "dose", Label: "Dose", Kind: export.Real, Unit: "mg"},
			{Name: "remitted", Label: "In remission", Kind: export.Boolean},
			{Name: "taken_at", Label: "When it was taken", Kind: export.Moment},
			{Name: "born_on", Label: "Date of birth", Kind: export.Day, Identifies: true},
			{Name: "steps", Label: "Steps counted", Kind: export.Integer},
			{Name: "remark", Label: "What the clinician wrote", Kind: export.Text, Free: true},
		},
		Rows: rowsOf(
			[]export.Cell{
				export.TextCell("P-001"), export.IntCell(0), missing(export.Skipped), export.IntCell(0), export.TextCell("minimal"),
				export.RealCell(0.1), export.BoolCell(false), export.MomentCell(january), export.DayCell(born), export.IntCell(3_000_000_000),
				export.TextCell("=1+1"),
			},
			[]export.Cell{
				export.TextCell("P-002"), export.IntCell(3), export.IntCell(1), export.IntCell(27), export.TextCell("severe"),
				export.RealCell(-2.5e-9), export.BoolCell(true), export.MomentCell(february), missing(export.Declined), missing(export.NotObserved),
				export.TextCell("said \"naïve\", then\r\nleft"),
			},
			[]export.Cell{
				export.TextCell("P-003"), missing(export.NotAsked), missing(export.NotIncluded), export.None, export.None,
				missing(export.NotReached), missing(export.Declined), export.None, export.None, export.IntCell(-1),
				export.TextCell("NA"),
			},
		),
	}
}

// write writes a table and fails the test where that fails.
func write(t *testing.T, format export.Format, table export.Table, o export.Options) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := export.Write(t.Context(), &b, format, table, o); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// golden compares with a file under testdata; -update writes it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s is another (-update writes it anew):\n%s", path, diff)
	}
}

// unzip reads the files of a ZIP.
func unzip(t *testing.T, b []byte) map[string][]byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if files[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func TestTheFormatsAreNamed(t *testing.T) {
	for _, f := range export.Formats() {
		if f.ContentType() == "application/octet-stream" || f.Extension() != "."+string(f) {
			t.Errorf("%s is of type %s and ends with %s", f, f.ContentType(), f.Extension())
		}
	}
	if _, err := export.Write(t.Context(), io.Discard, "sav", sample(), export.Options{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("an unknown format is written: %v", err)
	}
}

func TestEachFormatSaysHowManyRowsItWrote(t *testing.T) {
	for _, f := range export.Formats() {
		if n, err := export.Write(t.Context(), io.Discard, f, sample(), export.Options{}); n != 3 || err != nil {
			t.Errorf("%s has %d rows, %v; want 3", f, n, err)
		}
	}
}

func TestEachFormatIsTheSameEachTime(t *testing.T) {
	for _, f := range export.Formats() {
		o := export.Options{Program: "protrack 1.0.0", Made: january}
		first := write(t, f, sample(), o)
		for range 5 {
			if !bytes.Equal(first, write(t, f, sample(), o)) {
				t.Errorf("%s is another the second time", f)
			}
		}
	}
}

func TestWhatBreaksInTheRowsBreaksEachFormat(t *testing.T) {
	broken := errors.New("the database is away")
	tests := map[string]struct {
		rows export.Rows
		want error
	}{
		"an error of the rows": {rows: func(yield func([]export.Cell, error) bool) { yield(nil, broken) }, want: broken},
		"a row that is short":  {rows: rowsOf([]export.Cell{export.IntCell(1)})},
	}
	for name, tt := range tests {
		for _, f := range export.Formats() {
			table := sample()
			table.Rows = tt.rows
			_, err := export.Write(t.Context(), io.Discard, f, table, export.Options{})
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("%s of %s is %v", f, name, err)
			}
		}
	}
}

// endless has as many rows as one reads, and counts them.
func endless(table export.Table, read *int, stop func(int)) export.Table {
	var row []export.Cell
	for r := range table.Rows {
		row = r
		break
	}
	table.Rows = func(yield func([]export.Cell, error) bool) {
		for yield(row, nil) {
			*read++
			stop(*read)
		}
	}
	return table
}

func TestNobodyWritesForACallerWhoIsGone(t *testing.T) {
	for _, f := range export.Formats() {
		ctx, cancel := context.WithCancel(t.Context())
		read := 0
		_, err := export.Write(ctx, io.Discard, f, endless(sample(), &read, func(n int) {
			if n == 1000 {
				cancel()
			}
		}), export.Options{})
		if !errors.Is(err, context.Canceled) || read > 2000 {
			t.Errorf("%s read %d rows and says %v", f, read, err)
		}
		cancel()
	}
}

// tooFull takes so many bytes, and no more.
type tooFull struct{ room int }

var errFull = errors.New("the pipe is broken")

func (w *tooFull) Write(p []byte) (int, error) {
	if w.room -= len(p); w.room < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestAWriterThatBreaksIsSeen(t *testing.T) {
	for _, f := range export.Formats() {
		whole := len(write(t, f, sample(), export.Options{}))
		for _, room := range []int{0, whole / 2, whole - 1} {
			if _, err := export.Write(t.Context(), &tooFull{room}, f, sample(), export.Options{}); !errors.Is(err, errFull) {
				t.Errorf("%s in %d of %d bytes is %v", f, room, whole, err)
			}
		}
		if _, err := export.Write(t.Context(), &tooFull{whole}, f, sample(), export.Options{}); err != nil {
			t.Errorf("%s in its %d bytes is %v", f, whole, err)
		}
	}
}

func TestATableThatNotAllProgramsReadIsRefused(t *testing.T) {
	column := func(c export.Column) export.Table { return export.Table{Name: "clients", Columns: []export.Column{c}} }
	tests := map[string]struct {
		table export.Table
		want  string
	}{
		"a name with a capital":        {column(export.Column{Name: "Client"}), `"Client"`},
		"a name that is too long":      {column(export.Column{Name: strings.Repeat("a", 33)}), "32 at most"},
		"a word of SQL":                {column(export.Column{Name: "order"}), "a word of"},
		"a word of SPSS":               {column(export.Column{Name: "by"}), "a word of"},
		"a type of Stata":              {column(export.Column{Name: "str20"}), "a word of"},
		"two columns of a name":        {export.Table{Name: "clients", Columns: []export.Column{{Name: "a"}, {Name: "a"}}}, `two columns "a"`},
		"no columns":                   {export.Table{Name: "clients"}, "no columns"},
		"a table without a name":       {export.Table{Columns: []export.Column{{Name: "a"}}}, `the name ""`},
		"a code twice":                 {column(export.Column{Name: "a", Codes: []export.Code{{Value: "x"}, {Value: "x"}}}), "twice"},
		"a code without a value":       {column(export.Column{Name: "a", Codes: []export.Code{{}}}), "without a value"},
		"a number's code with a zero":  {column(export.Column{Name: "a", Kind: export.Integer, Codes: []export.Code{{Value: "01"}}}), "whole number"},
		"a number's code that is text": {column(export.Column{Name: "a", Kind: export.Integer, Codes: []export.Code{{Value: "x"}}}), "whole number"},
		"codes of a time":              {column(export.Column{Name: "a", Kind: export.Moment, Codes: answers}), "neither"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := tt.table.Check()
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("the table is %v; want %q", err, tt.want)
			}
			if _, err := export.Write(t.Context(), io.Discard, export.CSV, tt.table, export.Options{}); err == nil {
				t.Error("it is written all the same")
			}
		})
	}
	if err := sample().Check(); err != nil {
		t.Errorf("a good table is refused: %v", err)
	}
}

func TestASumSaysWhatPassed(t *testing.T) {
	var b bytes.Buffer
	sum := export.NewSum(&b)
	for _, s := range []string{"a", "b", "c"} {
		if _, err := io.WriteString(sum, s); err != nil {
			t.Fatal(err)
		}
	}
	const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // FIPS 180-2, appendix B.1
	if sum.Bytes() != 3 || sum.SHA256() != abc || b.String() != "abc" {
		t.Errorf("%d bytes of sum %s", sum.Bytes(), sum.SHA256())
	}
	full := export.NewSum(&tooFull{0})
	if _, err := io.WriteString(full, "a"); err == nil || full.Bytes() != 0 {
		t.Errorf("%d bytes passed that did not, %v", full.Bytes(), err)
	}
}

func TestADateBefore1970IsThatDate(t *testing.T) {
	late := time.Date(1969, 12, 31, 13, 0, 0, 0, time.UTC)
	if got := export.DayCell(late).Time(export.Day); !got.Equal(late.Truncate(24 * time.Hour)) {
		t.Errorf("the date of %s is %s", late, got)
	}
}

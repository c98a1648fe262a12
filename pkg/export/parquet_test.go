package export_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"github.com/protrack/protrack/pkg/export"
)

// openParquet opens a file that is held in memory.
func openParquet(t testing.TB, b []byte) *parquet.File {
	t.Helper()
	f, err := parquet.OpenFile(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// parquetRows reads all rows as text.
func parquetRows(t testing.TB, b []byte) [][]string {
	t.Helper()
	var all [][]string
	for _, group := range openParquet(t, b).RowGroups() {
		rows := group.Rows()
		buf := make([]parquet.Row, 16)
		for {
			n, err := rows.ReadRows(buf)
			for _, row := range buf[:n] {
				cells := make([]string, len(row))
				for i, v := range row {
					cells[i] = v.String()
					if v.IsNull() {
						cells[i] = nothing
					}
				}
				all = append(all, cells)
			}
			if errors.Is(err, io.EOF) {
				if err := rows.Close(); err != nil {
					t.Fatal(err)
				}
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return all
}

func TestParquetKeepsTheOrderAndTheTypesOfTheColumns(t *testing.T) {
	f := openParquet(t, write(t, export.Parquet, sample(), export.Options{Program: "protrack 1.0.0"}))
	const want = `message assessments_wide {
	optional binary client (STRING);
	optional int32 phq9_1 (INT(32,true));
	optional int32 phq9_2 (INT(32,true));
	optional int32 total (INT(32,true));
	optional binary severity (STRING);
	optional double dose;
	optional boolean remitted;
	optional int64 taken_at (TIMESTAMP(isAdjustedToUTC=true,unit=MICROS));
	optional int32 born_on (DATE);
	optional int64 steps (INT(64,true));
	optional binary remark (STRING);
}`
	if diff := cmp.Diff(want, f.Schema().String()); diff != "" {
		t.Error(diff)
	}
	if title, _ := f.Lookup("title"); title != sample().Title {
		t.Errorf("its title is %q", title)
	}
	if book, _ := f.Lookup("codebook"); !strings.Contains(book, "Several days") {
		t.Errorf("its codebook is %q", book)
	}
}

func TestParquetHoldsTheRows(t *testing.T) {
	want := [][]string{
		{"P-001", "0", nothing, "0", "minimal", "0.1", "false", "1769851800000000", "-14061", "3000000000", "=1+1"},
		{"P-002", "3", "1", "27", "severe", "-2.5e-09", "true", "1769990399123456", nothing, nothing, "said \"naïve\", then\r\nleft"},
		{"P-003", nothing, nothing, nothing, nothing, nothing, nothing, nothing, nothing, "-1", "NA"},
	}
	if diff := cmp.Diff(want, parquetRows(t, write(t, export.Parquet, sample(), export.Options{}))); diff != "" {
		t.Error(diff)
	}
}

func TestParquetHasRowGroupsThatAreSmall(t *testing.T) {
	table := synthetic(300_000, 4)
	f := openParquet(t, write(t, export.Parquet, table, export.Options{}))
	if f.NumRows() != 300_000 || len(f.RowGroups()) != 3 {
		t.Errorf("%d rows are in %d groups", f.NumRows(), len(f.RowGroups()))
	}
	for i, g := range f.RowGroups() {
		if g.NumRows() > 128<<10 {
			t.Errorf("group %d has %d rows", i, g.NumRows())
		}
	}
}

func TestParquetOfNoRowsIsAFile(t *testing.T) {
	table := sample()
	table.Rows = rowsOf()
	if f := openParquet(t, write(t, export.Parquet, table, export.Options{})); f.NumRows() != 0 || len(f.Schema().Fields()) != 11 {
		t.Errorf("it has %d rows and the schema %s", f.NumRows(), f.Schema())
	}
}

func TestParquetDoesNotCutANumber(t *testing.T) {
	table := one(export.Column{Kind: export.Integer, Codes: answers}, export.Cell{Int: 1 << 32})
	if _, err := export.Write(t.Context(), io.Discard, export.Parquet, table, export.Options{}); err == nil {
		t.Error("a number that needs 33 bits is written in 32")
	}
}

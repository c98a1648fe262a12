package export_test

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"

	"github.com/protrack/protrack/pkg/export"
	"github.com/protrack/protrack/pkg/fault"
)

// openXLSX opens a workbook that is held in memory.
func openXLSX(t *testing.T, b []byte) *excelize.File {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func TestXLSXHoldsTheRows(t *testing.T) {
	f := openXLSX(t, write(t, export.XLSX, sample(), export.Options{NA: "NA", Program: "protrack 1.0.0", Made: january}))
	got, err := f.GetRows("data")
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		{"client", "phq9_1", "phq9_2", "total", "severity", "dose", "remitted", "taken_at", "born_on", "steps", "remark"},
		{"P-001", "0", "NA", "0", "minimal", "0.1", "0", "2026-01-31 09:30:00", "1931-07-04", "3000000000", "=1+1"},
		{"P-002", "3", "1", "27", "severe", "-0.0000000025", "1", "2026-02-01 23:59:59", "NA", "NA", "said \"naïve\", then\r\nleft"},
		{"P-003", "NA", "NA", "NA", "NA", "NA", "NA", "NA", "NA", "-1", "NA"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for cell, want := range map[string]excelize.CellType{
		"A2": excelize.CellTypeInlineString, "B2": excelize.CellTypeUnset, "H2": excelize.CellTypeUnset, "K2": excelize.CellTypeInlineString,
	} {
		if got, err := f.GetCellType("data", cell); got != want || err != nil {
			t.Errorf("%s is of type %d, %v; want %d", cell, got, err, want)
		}
		if formula, err := f.GetCellFormula("data", cell); formula != "" || err != nil {
			t.Errorf("%s is the formula %q, %v", cell, formula, err)
		}
	}
	if days, err := f.GetCellValue("data", "H2", excelize.Options{RawCellValue: true}); err != nil || !strings.HasPrefix(days, "46053.3958333") {
		t.Errorf("a time is %s, %v: not a number of days", days, err)
	}
	book, err := f.GetRows("codebook")
	if err != nil || len(book) != 12 || book[2][5] != "0=Not at all|1=Several days|2=More than half the days|3=Nearly every day" {
		t.Errorf("the codebook is %q, %v", book, err)
	}
}

func TestXLSXLeavesMissingCellsOutAndWritesLabels(t *testing.T) {
	f := openXLSX(t, write(t, export.XLSX, sample(), export.Options{Labels: true}))
	rows, err := f.GetRows("data")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"P-001", "Not at all", "", "0", "Minimal"}, rows[1][:5]); diff != "" {
		t.Error(diff)
	}
}

func TestADateBeforeSpreadsheetsIsText(t *testing.T) {
	days := one(export.Column{Kind: export.Day}, export.Cell{Int: -25509}, export.Cell{Int: -25508}) // up to 1900-03-01
	f := openXLSX(t, write(t, export.XLSX, days, export.Options{}))
	for cell, want := range map[string]string{"A2": "1900-02-28", "A3": "61"} {
		if got, err := f.GetCellValue("data", cell, excelize.Options{RawCellValue: true}); got != want || err != nil {
			t.Errorf("%s is %s, %v; want %s", cell, got, err, want)
		}
	}
}

// alike is a table of so many rows that are all the same.
func alike(rows int, cells ...export.Cell) export.Table {
	table := export.Table{Name: "alike"}
	for i := range cells {
		table.Columns = append(table.Columns, export.Column{Name: "c" + strconv.Itoa(i), Kind: export.Integer})
	}
	table.Rows = func(yield func([]export.Cell, error) bool) {
		for range rows {
			if !yield(cells, nil) {
				return
			}
		}
	}
	return table
}

func TestRowsThatDoNotFitInOneSheetGoOnInTheNext(t *testing.T) {
	wide := make([]export.Cell, 16_384)
	for i := range wide {
		wide[i] = export.None
	}
	wide[16_383] = export.IntCell(7)
	tests := map[string]struct {
		table  export.Table
		sheets []string
		lines  []int    // of each, with their header
		first  []string // cell and value of the last sheet of data
	}{
		"no rows":              {alike(0, export.IntCell(7)), []string{"data", "codebook"}, []int{1, 2}, []string{"A1", "c0"}},
		"a sheet that is full": {alike(1<<20-1, export.IntCell(7)), []string{"data", "codebook"}, []int{1 << 20, 2}, nil},
		"one row more":         {alike(1<<20, export.IntCell(7)), []string{"data", "data 2", "codebook"}, []int{1 << 20, 2, 2}, []string{"A2", "7"}},
		"many cells": {
			alike(4_883, wide...), []string{"data", "data 2", "codebook"}, []int{4_883, 2, 16_385}, []string{"XFD2", "7"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			b := write(t, export.XLSX, tt.table, export.Options{})
			var lines []int
			files := unzip(t, b)
			for i := range tt.sheets {
				sheet := files[fmt.Sprintf("xl/worksheets/sheet%d.xml", i+1)]
				lines = append(lines, bytes.Count(sheet, []byte("<row ")))
			}
			if diff := cmp.Diff(tt.lines, lines); diff != "" {
				t.Errorf("lines of the sheets: %s", diff)
			}
			if tt.first == nil {
				return // too long for a test to read twice
			}
			f := openXLSX(t, b)
			if diff := cmp.Diff(tt.sheets, f.GetSheetList()); diff != "" {
				t.Error(diff)
			}
			last := tt.sheets[len(tt.sheets)-2]
			if got, err := f.GetCellValue(last, tt.first[0]); got != tt.first[1] || err != nil {
				t.Errorf("%s of %s is %q, %v", tt.first[0], last, got, err)
			}
		})
	}
}

func TestAWorkbookOfRowsThatChangeIsNotFinished(t *testing.T) {
	for _, change := range []int{-1, 1} {
		table, rows := one(export.Column{Kind: export.Integer}), 3
		table.Rows = func(yield func([]export.Cell, error) bool) {
			for range rows {
				if !yield([]export.Cell{export.IntCell(1)}, nil) {
					return
				}
			}
			rows += change
		}
		if _, err := export.Write(t.Context(), io.Discard, export.XLSX, table, export.Options{}); err == nil {
			t.Errorf("with %d rows more it is finished", change)
		}
	}
}

func TestACellOfAWorkbookHoldsAnyText(t *testing.T) {
	pieces := append([]string{"&", ">", "_x0041_", "_x005F_", "_", "_x00", "\uFFFE", "\uFFFF", "\x1f"}, nasty...)
	rapid.Check(t, func(rt *rapid.T) {
		text := export.Cell{Text: strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 1, 6).Draw(rt, "text"), "")}
		column := export.Column{Name: "text", Kind: export.Text}
		f := openXLSX(t, write(t, export.XLSX, one(column, text), export.Options{}))
		if got, err := f.GetCellValue("data", "A2"); got != expected(column, text) || err != nil {
			rt.Errorf("%q is read as %q, %v", text.Text, got, err)
		}
	})
}

func TestWhatASheetCannotHoldIsSaidBeforeTheFirstByte(t *testing.T) {
	wide := synthetic(0, 16385)
	tests := map[string]struct {
		table export.Table
		want  string
	}{
		"too many columns": {wide, "16384 columns"},
		"a long text":      {one(export.Column{Kind: export.Text}, export.TextCell(strings.Repeat("😀", 16384))), "32767 characters"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			_, err := export.Write(t.Context(), &b, export.XLSX, tt.table, export.Options{})
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), tt.want) || b.Len() > 0 {
				t.Errorf("it is %v, after %d bytes", err, b.Len())
			}
		})
	}
	if _, err := export.Write(t.Context(), io.Discard, export.XLSX, one(export.Column{Kind: export.Text}, export.TextCell(strings.Repeat("ä", 32767))), export.Options{}); err != nil {
		t.Errorf("the longest text is %v", err)
	}
}

package export_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/protrack/protrack/pkg/export"
)

// nothing is how the tests below show a missing cell.
const nothing = "∅"

// nasty are the pieces of texts that break careless writers.
var nasty = []string{
	`"`, `""`, ",", "\n", "\r", "\r\n", "=", "+", "-", "@", "\t", "＝", "＋", "－", "＠", "'", "é", "😀", "NA", " ",
	`\`, `\"`, "<", "\u2028", "\uFEFF", "a", "0", "null", ";", "|", "\x00x", "\xff", "\x7f", "\x01",
}

// drawTable draws a table of all kinds of columns, with nasty text.
func drawTable(t *rapid.T) (export.Table, [][]export.Cell) {
	table := export.Table{Name: "drawn", Title: "Drawn"}
	for i := range rapid.IntRange(1, 6).Draw(t, "columns") {
		c := export.Column{Name: fmt.Sprintf("%c%d", "zyxabc"[i], i), Kind: export.Kind(rapid.IntRange(0, 5).Draw(t, "kind"))}
		c.Free = c.Kind == export.Text && rapid.Bool().Draw(t, "free")
		table.Columns = append(table.Columns, c)
	}
	var rows [][]export.Cell
	for range rapid.IntRange(0, 40).Draw(t, "rows") {
		var row []export.Cell
		for _, c := range table.Columns {
			row = append(row, drawCell(t, c.Kind))
		}
		rows = append(rows, row)
	}
	table.Rows = rowsOf(rows...)
	return table, rows
}

func drawCell(t *rapid.T, k export.Kind) export.Cell {
	if rapid.IntRange(0, 5).Draw(t, "missing") == 0 {
		return export.Cell{Missing: export.Missing(rapid.IntRange(1, 7).Draw(t, "reason"))}
	}
	switch k {
	case export.Text:
		return export.TextCell(strings.Join(rapid.SliceOfN(rapid.SampledFrom(nasty), 0, 6).Draw(t, "text"), ""))
	case export.Real:
		return export.RealCell(rapid.Float64().Draw(t, "number"))
	case export.Boolean:
		return export.BoolCell(rapid.Bool().Draw(t, "boolean"))
	case export.Moment:
		return export.Cell{Int: rapid.Int64Range(-62_135_596_800_000_000, 253_402_300_799_999_999).Draw(t, "moment")}
	case export.Day:
		return export.Cell{Int: rapid.Int64Range(-719_162, 2_932_896).Draw(t, "day")}
	default:
		return export.Cell{Int: rapid.Int64Range(-1<<53, 1<<53).Draw(t, "whole")}
	}
}

// expected is what every format should hold in a cell.
func expected(c export.Column, cell export.Cell) string {
	switch {
	case cell.Missing != export.Present:
		return nothing
	case c.Kind == export.Text:
		return strings.ReplaceAll(strings.ToValidUTF8(cell.Text, "\uFFFD"), "\x00", "")
	case c.Kind == export.Real:
		return number(cell.Real)
	case c.Kind == export.Moment:
		return cell.Time(export.Moment).Format(time.RFC3339Nano)
	case c.Kind == export.Day:
		return cell.Time(export.Day).Format(time.DateOnly)
	}
	return strconv.FormatInt(cell.Int, 10)
}

func number(x float64) string {
	if x == 0 {
		x = 0 // the sign of zero is not kept
	}
	return strconv.FormatUint(math.Float64bits(x), 16)
}

// mustNumber reads a number and shows it as expected does.
func mustNumber(t *rapid.T, s string) string {
	x, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return number(x)
}

func readCSV(t *rapid.T, table export.Table, b []byte) [][]string {
	records, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, record := range records[1:] {
		for i, s := range record {
			if s == "" {
				record[i] = nothing
			} else if table.Columns[i].Kind == export.Real {
				record[i] = mustNumber(t, s)
			}
		}
	}
	return records[1:]
}

func readNDJSON(t *rapid.T, table export.Table, b []byte) [][]string {
	var rows [][]string
	for line := range bytes.Lines(b) {
		var members map[string]any
		d := json.NewDecoder(bytes.NewReader(line))
		d.UseNumber()
		if err := d.Decode(&members); err != nil {
			t.Fatal(err)
		}
		var row []string
		for _, c := range table.Columns {
			switch v := members[c.Name].(type) {
			case nil:
				row = append(row, nothing)
			case bool:
				row = append(row, map[bool]string{false: "0", true: "1"}[v])
			case json.Number:
				if c.Kind == export.Real {
					v = json.Number(mustNumber(t, v.String()))
				}
				row = append(row, v.String())
			default:
				row = append(row, fmt.Sprint(v))
			}
		}
		rows = append(rows, row)
	}
	return rows
}

func readParquet(t *rapid.T, tb testing.TB, table export.Table, b []byte) [][]string {
	rows := parquetRows(tb, b)
	for _, row := range rows {
		for i, s := range row {
			n, _ := strconv.ParseInt(s, 10, 64)
			switch kind := table.Columns[i].Kind; {
			case s == nothing:
			case kind == export.Real:
				row[i] = mustNumber(t, s)
			case kind == export.Boolean:
				row[i] = map[string]string{"false": "0", "true": "1"}[s]
			case kind == export.Moment || kind == export.Day:
				row[i] = expected(table.Columns[i], export.Cell{Int: n})
			}
		}
	}
	return rows
}

// asCSV is what CSV makes of a text: one that a spreadsheet would compute is
// guarded, and encoding/csv reads CRLF as LF.
func asCSV(c export.Column, s string) string {
	if c.Free && s != nothing && strings.ContainsAny(s[:1], "=+-@\t\r\n") {
		s = "'" + s
	}
	for _, wide := range []string{"＝", "＋", "－", "＠"} {
		if c.Free && strings.HasPrefix(s, wide) {
			s = "'" + s
		}
	}
	return strings.ReplaceAll(s, "\r\n", "\n")
}

func TestCSVNDJSONAndParquetHoldTheSameRows(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		table, rows := drawTable(rt)
		want, wantCSV := [][]string{}, [][]string{}
		for _, row := range rows {
			var plain, guarded []string
			for i, cell := range row {
				s := expected(table.Columns[i], cell)
				plain = append(plain, s)
				guarded = append(guarded, asCSV(table.Columns[i], s))
			}
			want, wantCSV = append(want, plain), append(wantCSV, guarded)
		}
		equal := cmp.Transformer("rows", func(r [][]string) []string {
			flat := make([]string, len(r))
			for i := range r {
				flat[i] = strings.Join(r[i], " ¦ ")
			}
			return flat
		})
		if diff := cmp.Diff(wantCSV, readCSV(rt, table, write(t, export.CSV, table, export.Options{})), equal); diff != "" {
			rt.Errorf("csv: %s", diff)
		}
		if diff := cmp.Diff(want, readNDJSON(rt, table, write(t, export.NDJSON, table, export.Options{})), equal); diff != "" {
			rt.Errorf("ndjson: %s", diff)
		}
		if diff := cmp.Diff(want, readParquet(rt, t, table, write(t, export.Parquet, table, export.Options{})), equal); diff != "" {
			rt.Errorf("parquet: %s", diff)
		}
	})
}

func FuzzCSV(f *testing.F) {
	for _, s := range nasty {
		f.Add(s, "b", true)
	}
	f.Add("", "\n=", false)
	f.Fuzz(func(t *testing.T, a, b string, free bool) {
		table := export.Table{
			Name:    "t",
			Columns: []export.Column{{Name: "a", Free: free}, {Name: "b", Free: free}},
			Rows:    rowsOf([]export.Cell{export.TextCell(a), export.TextCell(b)}, []export.Cell{{Text: a}, {Text: b}}),
		}
		records, err := csv.NewReader(bytes.NewReader(write(t, export.CSV, table, export.Options{}))).ReadAll()
		if err != nil || len(records) != 3 {
			t.Fatalf("%q, %q are %d records, %v", a, b, len(records), err)
		}
		for i, s := range []string{a, b} {
			want := ""
			if s = expected(table.Columns[i], export.Cell{Text: s}); s != "" {
				want = asCSV(table.Columns[i], s)
			}
			for _, record := range records[1:] {
				if record[i] != want {
					t.Errorf("%q is read as %q", s, record[i])
				}
				if free && record[i] != "" && strings.ContainsAny(record[i][:1], "=+-@\t\r\n") {
					t.Errorf("%q begins a formula", record[i])
				}
			}
		}
	})
}

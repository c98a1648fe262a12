package export_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/protrack/protrack/pkg/export"
	"github.com/protrack/protrack/pkg/fault"
)

// stataFile is what a reader of ours finds in a Stata file.
type stataFile struct {
	names []string
	rows  [][]string // a number as it is, a missing one as Stata shows it
}

// readStata reads a file of format 118 by its map, as Stata does.
func readStata(b []byte) (f stataFile, err error) {
	defer func() {
		if r := recover(); r != nil { // a place beyond the end
			err = fmt.Errorf("not a Stata file: %v", r)
		}
	}()
	const opening = "<stata_dta><header><release>118</release><byteorder>LSF</byteorder><K>"
	if !bytes.HasPrefix(b, []byte(opening)) {
		return f, errors.New("another opening")
	}
	columns := int(binary.LittleEndian.Uint16(b[len(opening):]))
	rows := int(binary.LittleEndian.Uint64(b[len(opening)+2+len("</K><N>"):]))
	mapAt := bytes.Index(b, []byte("<map>"))
	sections := [14]string{
		"<stata_dta>", "<map>", "<variable_types>", "<varnames>", "<sortlist>", "<formats>", "<value_label_names>",
		"<variable_labels>", "<characteristics>", "<data>", "<strls>", "<value_labels>", "</stata_dta>", "",
	}
	var at [14]int
	for i, tag := range sections {
		at[i] = int(binary.LittleEndian.Uint64(b[mapAt+5+8*i:]))
		if !bytes.HasPrefix(b[at[i]:], []byte(tag)) {
			return f, fmt.Errorf("%s is not at %d", tag, at[i])
		}
	}
	if at[13] != len(b) {
		return f, fmt.Errorf("the file ends at %d, and the map says %d", len(b), at[13])
	}
	types := make([]int, columns)
	for i := range types {
		types[i] = int(binary.LittleEndian.Uint16(b[at[2]+len(sections[2])+2*i:]))
		name, _, _ := bytes.Cut(b[at[3]+len(sections[3])+129*i:], []byte{0})
		f.names = append(f.names, string(name))
	}
	data := b[at[9]+len(sections[9]):]
	for range rows {
		var row []string
		for _, typ := range types {
			var cell string
			cell, data = stataCell(typ, data)
			row = append(row, cell)
		}
		f.rows = append(f.rows, row)
	}
	if !bytes.HasPrefix(data, []byte("</data><strls>")) {
		return f, errors.New("the rows do not end where they should")
	}
	return f, nil
}

func stataCell(typ int, b []byte) (string, []byte) {
	number := func(n, missing int64, width int) (string, []byte) {
		if n >= missing {
			return stataMissing(int(n - missing)), b[width:]
		}
		return strconv.FormatInt(n, 10), b[width:]
	}
	switch typ {
	case 65526:
		bits := binary.LittleEndian.Uint64(b)
		if bits>>63 == 0 && bits >= 0x7fe0000000000000 {
			return stataMissing(int(bits >> 40 & 0xff)), b[8:]
		}
		return strconv.FormatFloat(math.Float64frombits(bits), 'g', -1, 64), b[8:]
	case 65528:
		return number(int64(int32(binary.LittleEndian.Uint32(b))), 2147483621, 4)
	case 65529:
		return number(int64(int16(binary.LittleEndian.Uint16(b))), 32741, 2)
	case 65530:
		return number(int64(int8(b[0])), 101, 1)
	}
	text, _, _ := bytes.Cut(b[:typ], []byte{0})
	return string(text), b[typ:]
}

func stataMissing(n int) string { return strings.TrimSuffix("."+string(rune('a'-1+n)), "`") }

func TestStataHoldsTheRowsAndTheReasons(t *testing.T) {
	got, err := readStata(write(t, export.Stata, sample(), export.Options{Made: january}))
	if err != nil {
		t.Fatal(err)
	}
	want := stataFile{
		names: []string{"client", "phq9_1", "phq9_2", "total", "severity", "dose", "remitted", "taken_at", "born_on", "steps", "remark"},
		rows: [][]string{
			{"P-001", "0", ".a", "0", "minimal", "0.1", "0", "2.0854710e+12", "-10408", "3e+09", "=1+1"},
			{"P-002", "3", "1", "27", "severe", "-2.5e-09", "1", "2.085609599123456e+12", ".c", ".f", "said \"naïve\", then\r\nleft"},
			{"P-003", ".b", ".d", ".", "", ".e", ".c", ".", ".", "-1", "NA"},
		},
	}
	want.rows[0][7] = strconv.FormatFloat(float64(january.UnixMilli())+315619200000, 'g', -1, 64)
	want.rows[1][7] = strconv.FormatFloat(float64(february.UnixMicro())/1000+315619200000, 'g', -1, 64)
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(stataFile{})); diff != "" {
		t.Error(diff)
	}
}

func TestStataHoldsEachWholeNumber(t *testing.T) {
	for _, n := range []int64{0, -127, -128, 100, 101, -32767, -32768, 32740, 32741, -2147483647, -2147483648, 2147483620, 2147483621, 1 << 53} {
		got, err := readStata(write(t, export.Stata, one(export.Column{Kind: export.Integer}, export.Cell{Int: n}, export.None), export.Options{}))
		if err != nil {
			t.Fatal(err)
		}
		if x, err := strconv.ParseFloat(got.rows[0][0], 64); err != nil || int64(x) != n || got.rows[1][0] != "." {
			t.Errorf("%d is %v", n, got.rows)
		}
	}
}

func TestWhatStataCannotHoldIsSaidBeforeTheFirstByte(t *testing.T) {
	wide := export.Table{Name: "t", Rows: rowsOf()}
	for i := range 32768 {
		wide.Columns = append(wide.Columns, export.Column{Name: fmt.Sprintf("c%d", i)})
	}
	tests := map[string]struct {
		table export.Table
		want  string
	}{
		"a text that is too long": {one(export.Column{Kind: export.Text}, export.TextCell(strings.Repeat("ä", 1023))), "the column x"},
		"a number beyond 2^53":    {one(export.Column{Kind: export.Integer}, export.Cell{Int: 1<<53 + 1}), "2^53"},
		"too many columns":        {wide, "32767"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			_, err := export.Write(t.Context(), &b, export.Stata, tt.table, export.Options{})
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), tt.want) || b.Len() > 0 {
				t.Errorf("it is %v, after %d bytes", err, b.Len())
			}
		})
	}
	longest := one(export.Column{Kind: export.Text}, export.TextCell(strings.Repeat("x", 2045)))
	if got, err := readStata(write(t, export.Stata, longest, export.Options{})); err != nil || len(got.rows[0][0]) != 2045 {
		t.Errorf("the longest text is %v", err)
	}
}

func TestRowsThatAreOthersTheSecondTimeAreSeen(t *testing.T) {
	for name, second := range map[string][]export.Cell{
		"more rows":       {export.IntCell(1), export.IntCell(1)},
		"no rows":         {},
		"a larger number": {export.IntCell(1000)},
	} {
		passes := 0
		table := one(export.Column{Kind: export.Integer})
		table.Rows = func(yield func([]export.Cell, error) bool) {
			cells := []export.Cell{export.IntCell(1)}
			if passes++; passes > 1 {
				cells = second
			}
			for _, c := range cells {
				if !yield([]export.Cell{c}, nil) {
					return
				}
			}
		}
		if _, err := export.Write(t.Context(), io.Discard, export.Stata, table, export.Options{}); err == nil || !strings.Contains(err.Error(), "read again") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzStata(f *testing.F) {
	f.Add("a", int64(1), 0.5, uint8(0), "label")
	f.Add("ä\x00\xff\"", int64(-1<<40), math.NaN(), uint8(3), "<data>")
	f.Add(strings.Repeat("x", 2046), int64(101), 0x1p1023, uint8(200), strings.Repeat("é", 400))
	f.Fuzz(func(t *testing.T, text string, n int64, x float64, reason uint8, label string) {
		m := export.Missing(reason % 8)
		table := export.Table{
			Name: "t", Title: label,
			Columns: []export.Column{
				{Name: "text", Label: label, Kind: export.Text},
				{Name: "whole", Kind: export.Integer, Source: label},
				{Name: "number", Kind: export.Real, Unit: label},
				{Name: "coded", Kind: export.Integer, Codes: []export.Code{{Value: "-3", Label: label}}},
			},
			Rows: rowsOf(
				[]export.Cell{{Text: text}, {Int: n}, {Real: x}, {Int: -3}},
				[]export.Cell{{Missing: m}, {Missing: m}, {Missing: m}, {Missing: m}},
			),
		}
		var b bytes.Buffer
		if _, err := export.Write(t.Context(), &b, export.Stata, table, export.Options{}); err != nil {
			if !fault.Is(err, fault.Invalid) || b.Len() > 0 {
				t.Fatalf("%v, after %d bytes", err, b.Len())
			}
			return
		}
		got, err := readStata(b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		wantText := strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "")
		whole, err := strconv.ParseFloat(got.rows[0][1], 64)
		if err != nil || got.rows[0][0] != wantText || int64(whole) != n || got.rows[0][3] != "-3" {
			t.Errorf("%q, %d is %q", text, n, got.rows[0])
		}
	})
}

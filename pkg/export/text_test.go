package export_test

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/protrack/protrack/pkg/export"
)

func TestCSVForResearch(t *testing.T) {
	const want = "client,phq9_1,phq9_2,total,severity,dose,remitted,taken_at,born_on,steps,remark\n" +
		"P-001,0,,0,minimal,0.1,0,2026-01-31T09:30:00Z,1931-07-04,3000000000,'=1+1\n" +
		"P-002,3,1,27,severe,-2.5e-09,1,2026-02-01T23:59:59.123456Z,,,\"said \"\"naïve\"\", then\r\nleft\"\n" +
		"P-003,,,,,,,,,-1,NA\n"
	if diff := cmp.Diff(want, string(write(t, export.CSV, sample(), export.Options{}))); diff != "" {
		t.Error(diff)
	}
}

func TestCSVForSpreadsheets(t *testing.T) {
	got := write(t, export.CSV, sample(), export.Options{Dialect: export.Excel})
	if !bytes.HasPrefix(got, []byte("\xEF\xBB\xBFclient,")) || bytes.Count(got, []byte("\r\n")) != 5 || !bytes.HasSuffix(got, []byte("\r\n")) {
		t.Errorf("it begins with no mark, or its lines end otherwise:\n%q", got)
	}
}

func TestCSVWithLabelsAndNA(t *testing.T) {
	const want = "client,phq9_1,phq9_2,total,severity,dose,remitted,taken_at,born_on,steps,remark\n" +
		"P-001,Not at all,NA,0,Minimal,0.1,0,2026-01-31T09:30:00Z,1931-07-04,3000000000,'=1+1\n" +
		"P-002,Nearly every day,Several days,27,Schwer | sévère,-2.5e-09,1,2026-02-01T23:59:59.123456Z,NA,NA,\"said \"\"naïve\"\", then\r\nleft\"\n" +
		"P-003,NA,NA,NA,NA,NA,NA,NA,NA,-1,\"NA\"\n"
	if diff := cmp.Diff(want, string(write(t, export.CSV, sample(), export.Options{Labels: true, NA: "NA"}))); diff != "" {
		t.Error(diff)
	}
}

func TestNDJSON(t *testing.T) {
	const want = `{"client":"P-001","phq9_1":0,"phq9_2":null,"total":0,"severity":"minimal","dose":0.1,"remitted":false,"taken_at":"2026-01-31T09:30:00Z","born_on":"1931-07-04","steps":3000000000,"remark":"=1+1"}
{"client":"P-002","phq9_1":3,"phq9_2":1,"total":27,"severity":"severe","dose":-2.5e-09,"remitted":true,"taken_at":"2026-02-01T23:59:59.123456Z","born_on":null,"steps":null,"remark":"said \"naïve\", then\r\nleft"}
{"client":"P-003","phq9_1":null,"phq9_2":null,"total":null,"severity":null,"dose":null,"remitted":null,"taken_at":null,"born_on":null,"steps":-1,"remark":"NA"}
`
	if diff := cmp.Diff(want, string(write(t, export.NDJSON, sample(), export.Options{}))); diff != "" {
		t.Error(diff)
	}
	labelled := string(write(t, export.NDJSON, sample(), export.Options{Labels: true}))
	if !strings.Contains(labelled, `"phq9_1":"Not at all","phq9_2":null,"total":0,"severity":"Minimal"`) {
		t.Errorf("there are no labels:\n%s", labelled)
	}
}

// one is a table of one column.
func one(c export.Column, cells ...export.Cell) export.Table {
	c.Name = "x"
	var rows [][]export.Cell
	for _, cell := range cells {
		rows = append(rows, []export.Cell{cell})
	}
	return export.Table{Name: "t", Columns: []export.Column{c}, Rows: rowsOf(rows...)}
}

func TestACellOfCSV(t *testing.T) {
	free := export.Column{Kind: export.Text, Free: true}
	number := export.Column{Kind: export.Real}
	coded := export.Column{Kind: export.Integer, Codes: answers}
	tests := map[string]struct {
		column export.Column
		cell   export.Cell
		labels bool
		want   string
	}{
		"a formula":                        {free, export.TextCell("=SUM(A1)"), false, "'=SUM(A1)"},
		"a formula of wide letters":        {free, export.TextCell("＝1"), false, "'＝1"},
		"a wide plus":                      {free, export.TextCell("＋1"), false, "'＋1"},
		"a wide minus":                     {free, export.TextCell("－1"), false, "'－1"},
		"a wide at":                        {free, export.TextCell("＠1"), false, "'＠1"},
		"another wide letter":              {free, export.TextCell("Ａ1"), false, "Ａ1"},
		"a plus":                           {free, export.TextCell("+1"), false, "'+1"},
		"a minus":                          {free, export.TextCell("-1"), false, "'-1"},
		"an at":                            {free, export.TextCell("@x"), false, "'@x"},
		"a tab":                            {free, export.TextCell("\t=1"), false, "'\t=1"},
		"a carriage return":                {free, export.TextCell("\r=1"), false, "\"'\r=1\""},
		"a line feed":                      {free, export.TextCell("\n=1"), false, "\"'\n=1\""},
		"a formula behind a NUL":           {free, export.TextCell("\x00=1"), false, "'=1"},
		"a formula with a comma":           {free, export.TextCell(`=A1,"`), false, `"'=A1,"""`},
		"a formula that nobody typed":      {export.Column{Kind: export.Text}, export.TextCell("=1"), false, "=1"},
		"bytes that are not UTF-8":         {free, export.TextCell("a\xff"), false, "a\uFFFD"},
		"a negative number":                {number, export.RealCell(-1.5), false, "-1.5"},
		"zero":                             {number, export.RealCell(0), false, "0"},
		"negative zero":                    {number, export.RealCell(math.Copysign(0, -1)), false, "0"},
		"no number":                        {number, export.RealCell(math.NaN()), false, `""`},
		"a number without an end":          {number, export.RealCell(math.Inf(1)), false, `""`},
		"the shortest text of a number":    {number, export.RealCell(0.30000000000000004), false, "0.30000000000000004"},
		"a large number":                   {number, export.RealCell(1e21), false, "1e+21"},
		"a number that is whole and large": {number, export.RealCell(1 << 60), false, "1152921504606847000"},
		"a missing cell alone in its row":  {number, export.None, false, `""`},
		"a code that has no label":         {coded, export.IntCell(9), true, "9"},
		"a code":                           {coded, export.IntCell(0), false, "0"},
		"a time before 1970":               {export.Column{Kind: export.Moment}, export.Cell{Int: -1}, false, "1969-12-31T23:59:59.999999Z"},
		"half a second":                    {export.Column{Kind: export.Moment}, export.Cell{Int: 500_000}, false, "1970-01-01T00:00:00.5Z"},
		"a date before 1970":               {export.Column{Kind: export.Day}, export.Cell{Int: -1}, false, "1969-12-31"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := write(t, export.CSV, one(tt.column, tt.cell), export.Options{Labels: tt.labels})
			if diff := cmp.Diff("x\n"+tt.want+"\n", string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestATimeIsWrittenAsTheStandardLibraryDoes(t *testing.T) {
	moments := export.Column{Kind: export.Moment}
	for _, at := range []time.Time{january, february, born, time.Unix(0, 0), time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC), time.Date(1, 1, 1, 0, 0, 0, 1000, time.UTC)} {
		got := string(write(t, export.CSV, one(moments, export.MomentCell(at)), export.Options{}))
		if want := "x\n" + at.UTC().Format(time.RFC3339Nano) + "\n"; got != want {
			t.Errorf("%s is written as %q", at, got)
		}
	}
}

func TestAMillionBytesComeThroughTheBuffer(t *testing.T) {
	table := one(export.Column{Kind: export.Text}, export.TextCell(strings.Repeat("x", 1_000_000)), export.TextCell("y"))
	if got := write(t, export.CSV, table, export.Options{}); len(got) != 1_000_005 {
		t.Errorf("there are %d bytes", len(got))
	}
}

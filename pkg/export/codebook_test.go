package export_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/protrack/protrack/pkg/export"
	"github.com/protrack/protrack/pkg/fault"
)

func codebook(t *testing.T, format export.CodebookFormat, tables ...export.Table) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := export.Codebook(&b, format, tables...); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestTheCodebookIsAsItWas(t *testing.T) {
	golden(t, "codebook.csv", codebook(t, export.CodebookCSV, sample()))
	golden(t, "codebook.json", codebook(t, export.CodebookJSON, sample()))
	golden(t, "redcap.csv", codebook(t, export.CodebookREDCap, sample()))
	golden(t, "read.sps", write(t, export.SPSS, sample(), export.Options{}))
}

func TestACodebookOfSeveralTablesNamesThem(t *testing.T) {
	other := export.Table{Name: "clients", Columns: []export.Column{{Name: "client"}, {Name: "sex", Label: "=1+1"}}}
	rows, err := csv.NewReader(bytes.NewReader(codebook(t, export.CodebookCSV, sample(), other))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	last := rows[len(rows)-1]
	if len(rows) != 14 || last[0] != "clients" || last[1] != "sex" || last[2] != "'=1+1" {
		t.Errorf("there are %d rows; the last is %q", len(rows), last)
	}
	var book struct {
		Tables []struct{ Name string }
	}
	if err := json.Unmarshal(codebook(t, export.CodebookJSON, sample(), other), &book); err != nil || len(book.Tables) != 2 {
		t.Errorf("it has %v, %v", book.Tables, err)
	}
}

func TestREDCapHasItsColumnsAndEachNameOnce(t *testing.T) {
	rows, err := csv.NewReader(bytes.NewReader(codebook(t, export.CodebookREDCap, sample(), sample()))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 12 {
		t.Errorf("there are %d rows", len(rows))
	}
	for _, row := range rows {
		if len(row) != 18 {
			t.Errorf("%q has %d columns", row[0], len(row))
		}
	}
	field := rows[2]
	want := []string{"phq9_1", "assessments_wide", "", "radio", `Little interest or pleasure, "anhedonia"`,
		"0, Not at all | 1, Several days | 2, More than half the days | 3, Nearly every day"}
	if diff := cmp.Diff(want, field[:6]); diff != "" || field[15] != "m_phq_9" {
		t.Errorf("matrix %q: %s", field[15], diff)
	}
}

func TestItemsApartAreMatricesApart(t *testing.T) {
	item := func(name string) export.Column {
		return export.Column{Name: name, Kind: export.Integer, Codes: answers, Instrument: "PHQ-9"}
	}
	table := export.Table{Name: "t", Columns: []export.Column{
		item("a1"), item("a2"), {Name: "total", Kind: export.Integer, Instrument: "PHQ-9"}, item("b1"), item("b2"),
		{Name: "day", Kind: export.Day}, item("alone"),
	}}
	rows, err := csv.NewReader(bytes.NewReader(codebook(t, export.CodebookREDCap, table))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var matrices []string
	for _, row := range rows[1:] {
		matrices = append(matrices, row[15])
	}
	if diff := cmp.Diff([]string{"m_phq_9", "m_phq_9", "", "m_phq_9_2", "m_phq_9_2", "", ""}, matrices); diff != "" {
		t.Error(diff)
	}
}

func TestAnUnknownCodebookIsRefused(t *testing.T) {
	if err := export.Codebook(&bytes.Buffer{}, "ddi", sample()); !fault.Is(err, fault.Invalid) {
		t.Errorf("it is %v", err)
	}
	if err := export.Codebook(&tooFull{10}, export.CodebookCSV, sample()); err == nil {
		t.Error("a writer that breaks is not seen")
	}
}

func TestAProgramForSPSSDoesNotRunWhatALabelSays(t *testing.T) {
	table := one(export.Column{Label: "a\".\nERASE FILE='x'.\n", Kind: export.Text, Codes: []export.Code{{Value: `"`, Label: "\".\nHOST.\n"}}}, export.TextCell(`"`))
	table.Title = "t\".\nHOST."
	for line := range strings.Lines(string(write(t, export.SPSS, table, export.Options{}))) {
		if strings.HasPrefix(line, "ERASE") || strings.HasPrefix(line, "HOST") {
			t.Errorf("it runs %q", line)
		}
	}
}

package export

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/protrack/protrack/pkg/fault"
)

// CodebookFormat is a way to write a codebook.
type CodebookFormat string

// The ways.
const (
	CodebookCSV    CodebookFormat = "csv"
	CodebookJSON   CodebookFormat = "json"
	CodebookREDCap CodebookFormat = "redcap" // a REDCap data dictionary: 18 columns
)

// Codebook says what the columns of tables mean. It does not ask for their rows.
// An unknown format is fault.Invalid.
func Codebook(w io.Writer, format CodebookFormat, tables ...Table) error {
	switch format {
	case CodebookCSV:
		return codebookCSV(w, tables)
	case CodebookJSON:
		book, err := codebookJSON(tables...)
		if err != nil {
			return err
		}
		_, err = w.Write(append(book, '\n'))
		return err
	case CodebookREDCap:
		return redcap(w, tables)
	}
	return fault.New(fault.Invalid, "There is no such format of a codebook. The formats are: csv, json, redcap.")
}

// kindWords are the kinds as they are written.
var kindWords = [...]string{"text", "integer", "number", "boolean", "datetime", "date"}

// String is the kind as it is written.
func (k Kind) String() string { return kindWords[k] }

var codebookHeader = []string{
	"table", "name", "label", "type", "unit", "values", "min", "max", "missing", "source",
	"instrument", "instrument_version", "licence", "identifies",
}

// codebookRow is a column's line in the codebook.
func codebookRow(table string, c Column) []string {
	values := make([]string, len(c.Codes))
	for i, code := range c.Codes {
		values[i] = code.Value + "=" + code.choice()
	}
	identifies := "0"
	if c.Identifies {
		identifies = "1"
	}
	return []string{
		table, c.Name, guarded(c.Label), c.Kind.String(), guarded(c.Unit), guarded(strings.Join(values, "|")),
		bound(c.Min), bound(c.Max), strings.Join(c.reasonWords(), "|"), guarded(c.Source),
		guarded(c.Instrument), guarded(c.Version), guarded(c.Licence), identifies,
	}
}

// guarded keeps a spreadsheet from computing a text: a clinic may have worded it.
func guarded(s string) string {
	if startsFormula(s) {
		return "'" + s
	}
	return s
}

func codebookCSV(w io.Writer, tables []Table) error {
	out := csv.NewWriter(w)
	err := out.Write(codebookHeader)
	for _, t := range tables {
		for _, c := range t.Columns {
			if err != nil {
				return err
			}
			err = out.Write(codebookRow(t.Name, c))
		}
	}
	if err != nil {
		return err
	}
	out.Flush()
	return out.Error()
}

// bound writes the bound of a column; there may be none.
func bound(x *float64) string {
	if x == nil {
		return ""
	}
	return string(appendReal(nil, *x))
}

// reasonWords are the reasons for which cells of a column may hold nothing.
func (c Column) reasonWords() []string {
	var words []string
	for _, m := range c.Reasons {
		words = append(words, m.String())
	}
	return words
}

// The shape of the codebook in JSON.
type (
	bookJSON struct {
		Tables []bookTable `json:"tables"`
	}
	bookTable struct {
		Name    string       `json:"name"`
		Title   string       `json:"title"`
		Columns []bookColumn `json:"columns"`
	}
	bookColumn struct {
		Name       string     `json:"name"`
		Label      string     `json:"label"`
		Type       string     `json:"type"`
		Unit       string     `json:"unit,omitzero"`
		Values     []bookCode `json:"values,omitempty"`
		Min        *float64   `json:"min,omitzero"`
		Max        *float64   `json:"max,omitzero"`
		Missing    []string   `json:"missing,omitempty"`
		Source     string     `json:"source,omitzero"`
		Instrument string     `json:"instrument,omitzero"`
		Version    string     `json:"instrument_version,omitzero"`
		Licence    string     `json:"licence,omitzero"`
		Identifies bool       `json:"identifies"`
	}
	bookCode struct {
		Value any    `json:"value"` // a number where the column holds numbers
		Label string `json:"label"`
	}
)

// codeValue is the value of a code: a number where the column holds numbers.
func (c Column) codeValue(code Code) any {
	if n, err := strconv.Atoi(code.Value); err == nil && c.Kind != Text {
		return n
	}
	return code.Value
}

// codebookJSON is the codebook of tables; the same tables give the same bytes.
func codebookJSON(tables ...Table) ([]byte, error) {
	book := bookJSON{Tables: []bookTable{}}
	for _, t := range tables {
		table := bookTable{Name: t.Name, Title: t.Title, Columns: []bookColumn{}}
		for _, c := range t.Columns {
			b := bookColumn{
				Name: c.Name, Label: c.Label, Type: c.Kind.String(), Unit: c.Unit, Min: c.Min, Max: c.Max,
				Missing: c.reasonWords(), Source: c.Source, Instrument: c.Instrument, Version: c.Version,
				Licence: c.Licence, Identifies: c.Identifies,
			}
			for _, code := range c.Codes {
				b.Values = append(b.Values, bookCode{c.codeValue(code), code.Label})
			}
			table.Columns = append(table.Columns, b)
		}
		book.Tables = append(book.Tables, table)
	}
	return marshal(book)
}

// marshal writes JSON that people read and that is the same each time.
func marshal(v any) ([]byte, error) {
	b, err := json.Marshal(v, json.Deterministic(true), jsontext.WithIndent("  "))
	if err != nil {
		return nil, fmt.Errorf("write JSON: %w", err)
	}
	return b, nil
}

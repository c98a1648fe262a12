package figure

import (
	"bytes"
	"context"
	"io"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/protrack/protrack/pkg/export"
)

// figureColumns are those of every figure as CSV: one row a statistic, whichever
// figure it is. The statistic is its path in the JSON of the figure.
var figureColumns = []export.Column{
	{Name: "figure", Label: "Figure"},
	{Name: "subgroup", Label: "Group of people; empty: all", Free: true},
	{Name: "statistic", Label: "Statistic"},
	{Name: "value", Label: "Value, where it is a number", Kind: export.Real},
	{Name: "words", Label: "Value, where it is none", Free: true},
	{Name: "n", Label: "People it is about", Kind: export.Integer},
	{Name: "denominator", Label: "People of whom these are a share", Kind: export.Integer},
}

// CSVName is the name of a figure's file.
func CSVName(figure string) string { return "cohort_" + figure + ".csv" }

// CSV writes a figure as CSV. It is the JSON form laid out in rows, so that
// neither can tell what the other withholds.
func CSV(ctx context.Context, w io.Writer, name string, figure any) error {
	text, err := json.Marshal(figure, json.Deterministic(true))
	if err != nil {
		return err
	}
	rows := figureRows{figure: name}
	if err := rows.walk(jsontext.Value(text), place{n: export.None, of: export.None}); err != nil {
		return err
	}
	table := export.Table{Name: "cohort_" + name, Title: "Figures of a cohort", Columns: figureColumns, Rows: rows.each}
	_, err = export.Write(ctx, w, export.CSV, table, export.Options{})
	return err
}

// figureRows are the rows of one figure.
type figureRows struct {
	figure string
	rows   [][]export.Cell
}

func (r *figureRows) each(yield func([]export.Cell, error) bool) {
	for _, row := range r.rows {
		if !yield(row, nil) {
			return
		}
	}
}

// place is where a value stands in a figure, and of how many people it is.
type place struct {
	path  []string
	group string
	n, of export.Cell
}

func (p place) below(name string) place {
	p.path = append(p.path[:len(p.path):len(p.path)], name)
	return p
}

// walk adds a row for every number, text and truth value.
func (r *figureRows) walk(v jsontext.Value, at place) error {
	switch v.Kind() {
	case '{':
		return r.object(v, at)
	case '[':
		var elements []jsontext.Value
		if err := json.Unmarshal(v, &elements); err != nil {
			return err
		}
		for i, e := range elements {
			if err := r.walk(e, at.below(strconv.Itoa(i+1))); err != nil {
				return err
			}
		}
		return nil
	}
	row := []export.Cell{
		export.TextCell(r.figure), export.TextCell(at.group), export.TextCell(strings.Join(at.path, ".")), export.None, export.None, at.n, at.of,
	}
	switch v.Kind() {
	case '0':
		x, err := strconv.ParseFloat(string(v), 64)
		if err != nil {
			return err
		}
		row[3] = export.RealCell(x)
	case '"':
		var s string
		if err := json.Unmarshal(v, &s); err != nil {
			return err
		}
		row[4] = export.TextCell(s)
	case 't', 'f':
		row[4] = export.TextCell(string(v))
	}
	r.rows = append(r.rows, row)
	return nil
}

// object walks the members of an object, in their order. Its n and of are those
// of everything in it, and its group is the group.
func (r *figureRows) object(v jsontext.Value, at place) error {
	type member struct {
		name  string
		value jsontext.Value
	}
	var members []member
	decoder := jsontext.NewDecoder(bytes.NewReader(v))
	if _, err := decoder.ReadToken(); err != nil {
		return err
	}
	for decoder.PeekKind() != '}' {
		token, err := decoder.ReadToken()
		if err != nil {
			return err
		}
		m := member{name: token.String()}
		if m.value, err = decoder.ReadValue(); err != nil {
			return err
		}
		m.value = m.value.Clone()
		at.note(m.name, m.value)
		members = append(members, m)
	}
	for _, m := range members {
		if err := r.walk(m.value, at.below(m.name)); err != nil {
			return err
		}
	}
	return nil
}

// note takes over what a member says of everything beside it.
func (p *place) note(name string, v jsontext.Value) {
	count := func() export.Cell {
		n, err := strconv.Atoi(string(v))
		if err != nil { // null: withheld
			return export.None
		}
		return export.IntCell(n)
	}
	switch name {
	case "n":
		p.n = count()
	case "of":
		p.of = count()
	case "group":
		if text, err := jsontext.AppendUnquote(nil, v); err == nil {
			p.group = string(text)
		}
	}
}

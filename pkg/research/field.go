package research

import (
	"iter"

	"github.com/protrack/protrack/pkg/export"
)

// field is a column of a table, and what stands in it in a row about a T of a
// patient.
type field[T any] struct {
	export.Column
	cell func(p *patient, of T) export.Cell
}

// when gives fields where a profile or a request has them.
func when[T any](holds bool, fields ...field[T]) []field[T] {
	if !holds {
		return nil
	}
	return fields
}

func columnsOf[T any](fields []field[T]) []export.Column {
	out := make([]export.Column, len(fields))
	for i, f := range fields {
		out[i] = f.Column
	}
	return out
}

// rowsOf are the rows of a table: one for each thing that each gives of a patient.
func rowsOf[T any](patients iter.Seq2[*patient, error], fields []field[T], each func(*patient) iter.Seq2[T, error]) export.Rows {
	return func(yield func([]export.Cell, error) bool) {
		row := make([]export.Cell, len(fields))
		for p, err := range patients {
			if err != nil {
				yield(nil, err)
				return
			}
			for of, err := range each(p) {
				if err != nil {
					yield(nil, err)
					return
				}
				for i := range fields {
					row[i] = fields[i].cell(p, of)
				}
				if !yield(row, nil) {
					return
				}
			}
		}
	}
}

// itself is each for tables with one row a client.
func itself(p *patient) iter.Seq2[*patient, error] {
	return func(yield func(*patient, error) bool) { yield(p, nil) }
}

// textual, whole, numeric, yesNo and moment make the columns of each kind.
func textual(name, label, source string, codes ...export.Code) export.Column {
	return export.Column{Name: name, Label: label, Source: source, Codes: codes, Reasons: []export.Missing{export.Unknown}}
}

func whole(name, label, unit, source string) export.Column {
	return export.Column{Name: name, Label: label, Kind: export.Integer, Unit: unit, Source: source, Reasons: []export.Missing{export.Unknown}}
}

func numeric(name, label, unit, source string) export.Column {
	return export.Column{Name: name, Label: label, Kind: export.Real, Unit: unit, Source: source, Reasons: []export.Missing{export.Unknown}}
}

func yesNo(name, label, source string) export.Column {
	return export.Column{Name: name, Label: label, Kind: export.Boolean, Source: source, Reasons: []export.Missing{export.Unknown}}
}

// time is a column of times, which a profile may move.
func (d disguise) time(name, label string) export.Column {
	source := "In UTC"
	if d.profile == Deidentified {
		source = "In UTC, moved by a number of whole days that is the same for all times of a client: days between two of them are true, the date, the weekday and the season are not"
	}
	return export.Column{Name: name, Label: label, Kind: export.Moment, Source: source, Reasons: []export.Missing{export.NotReached}}
}

// named is a column of ids or of pseudonyms.
func (d disguise) named(name, label string) export.Column {
	if d.profile == Identified {
		return textual(name, label, "The id in the record")
	}
	return textual(name, label, "A pseudonym made with the project's key: the same in every export of the project, and another in another project")
}

// reached adds to a column that it may hold nothing because a time had not come.
func reached(c export.Column) export.Column {
	c.Reasons = append(c.Reasons, export.NotReached)
	return c
}

// free marks a column of text that people typed, and that may name somebody.
func free(c export.Column) export.Column {
	c.Free, c.Identifies = true, true
	return c
}

// typed marks a column of short texts that people typed.
func typed(c export.Column) export.Column {
	c.Free = true
	return c
}

// clientField is the column that all tables have.
func clientField[T any](d disguise) field[T] {
	c := d.named("client", "Client")
	c.Source += "; records that were merged are one client"
	return field[T]{c, func(p *patient, _ T) export.Cell { return p.name }}
}

// daysSource says how days are counted.
const daysSource = "Days from the start of the first dosing session that has begun, to four decimals; negative before it"

// rareSource says what becomes of rare values.
func (d disguise) rareSource(of category) string {
	for _, c := range d.profile.hidden() {
		if c.name == of.name {
			return "As recorded; values that few people share are merged into other"
		}
	}
	return "As recorded"
}

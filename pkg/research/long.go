package research

import (
	"context"

	"github.com/protrack/protrack/pkg/export"
)

// longTable has one row an item of an assessment, unscored items too. Of an
// assessment of which only a total is known it has every item, without a value.
func (x *Export) longTable(ctx context.Context, r Reader, set []questionnaire) export.Table {
	sheet := newSheet(set)
	fields := append(append(x.aboutItem(set), x.completed()...), itemFields(sheet)...)
	fields = append(fields, x.increment()...)
	q := HistoryQuery{Answers: true, Retracted: x.Request.ChangedSince != nil}
	return export.Table{
		Name: "assessments_long", Title: "Assessments, one item a row", Columns: columnsOf(fields),
		Rows: x.longRows(ctx, r, q, fields, sheet),
	}
}

// aboutItem are the columns that say which assessment a row is about.
func (x *Export) aboutItem(set []questionnaire) []field[*entry] {
	var out []field[*entry]
	for _, f := range x.about(set) {
		switch f.Name {
		case "assessment_id", "client", "session_number", "timing", "instrument":
			out = append(out, f)
		}
	}
	return out
}

const (
	itemField   = "item"
	valueField  = "value"
	reasonField = "missing_reason"
)

// itemFields are the columns that differ from item to item.
func itemFields(sheet *sheet) []field[*entry] {
	item := textual(itemField, "Item of the instrument", "Of an assessment of which only a total is known, every item is here and its value is not known")
	ids := make([]export.Cell, len(sheet.questions))
	for i, q := range sheet.questions {
		item.Codes = append(item.Codes, export.Code{Value: q.item.ID, Label: q.wording()})
		ids[i] = export.TextCell(q.item.ID)
	}
	value := whole(valueField, "Answer", "", "As it was given; what each number means is in the instrument's own columns of the shape assessment")
	value.Reasons = []export.Missing{export.Unknown, export.NotAsked, export.Skipped, export.Declined}
	reason := textual(reasonField, "Why there is no answer", "Empty where there is one")
	reason.Reasons = nil
	for _, m := range value.Reasons {
		reason.Codes = append(reason.Codes, export.Code{Value: m.String(), Label: reasonWords[m]})
	}
	return []field[*entry]{
		{item, func(_ *patient, e *entry) export.Cell { return ids[e.item] }},
		{value, func(_ *patient, e *entry) export.Cell { return e.sheet.cells[e.item] }},
		{reason, func(_ *patient, e *entry) export.Cell {
			return export.Cell{Text: e.sheet.cells[e.item].Missing.String()}
		}},
	}
}

// reasonWords say the reasons to people.
var reasonWords = map[export.Missing]string{
	export.Unknown: "No more is known", export.NotAsked: "Not asked of this client",
	export.Skipped: "Passed over", export.Declined: "The client declined to answer",
}

// longRows makes what is the same for all items of a form once.
func (x *Export) longRows(ctx context.Context, r Reader, q HistoryQuery, fields []field[*entry], sheet *sheet) export.Rows {
	each := x.forms(sheet)
	return func(yield func([]export.Cell, error) bool) {
		row := make([]export.Cell, len(fields))
		for p, err := range x.patients(ctx, r, q) {
			if err != nil {
				yield(nil, err)
				return
			}
			for e, err := range each(p) {
				if err != nil {
					yield(nil, err)
					return
				}
				if !everyItem(p, e, fields, row, yield) {
					return
				}
			}
		}
	}
}

// everyItem gives the rows of one form.
func everyItem(p *patient, e *entry, fields []field[*entry], row []export.Cell, yield func([]export.Cell, error) bool) bool {
	for n, at := range e.sheet.current.places {
		e.item = at
		for i := range fields {
			if n == 0 || ofItem(fields[i].Name) {
				row[i] = fields[i].cell(p, e)
			}
		}
		if !yield(row, nil) {
			return false
		}
	}
	return true
}

func ofItem(name string) bool { return name == itemField || name == valueField || name == reasonField }

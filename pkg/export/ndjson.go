package export

import (
	"context"
	"io"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// ndjsonWriter writes one JSON object a line, its members in the order of the
// columns: numbers and booleans as they are, times as text, what is missing as
// null.
type ndjsonWriter struct {
	*lines
	fields []field
}

func writeNDJSON(ctx context.Context, w io.Writer, t Table, o Options) (int64, error) {
	n := &ndjsonWriter{lines: newLines(w), fields: t.fields(o.Labels)}
	for i := range n.fields {
		key := []byte{','}
		if i == 0 {
			key[0] = '{'
		}
		n.fields[i].key = append(appendJSONText(key, n.fields[i].Name), ':')
	}
	rows, err := t.each(ctx, n.row)
	if err != nil {
		return rows, err
	}
	return rows, n.flush()
}

// row writes one row.
func (w *ndjsonWriter) row(cells []Cell) error {
	b := w.buf
	for i := range cells {
		f := &w.fields[i]
		b = append(b, f.key...)
		b = appendJSONCell(b, f, &cells[i])
	}
	return w.keep(append(b, "}\n"...))
}

func appendJSONCell(b []byte, f *field, c *Cell) []byte {
	if c.reason(f.Kind) != Present {
		return append(b, "null"...)
	}
	if f.labels {
		return appendJSONText(b, f.label(c))
	}
	switch f.Kind {
	case Text:
		return appendJSONText(b, c.Text)
	case Real:
		return appendReal(b, c.Real)
	case Moment:
		return append(appendMoment(append(b, '"'), c.Int), '"')
	case Day:
		return append(appendDay(append(b, '"'), c.Int), '"')
	case Boolean:
		return strconv.AppendBool(b, c.Int != 0)
	default:
		return strconv.AppendInt(b, c.Int, 10)
	}
}

// appendJSONText writes a text between quotation marks. Most hold nothing that
// needs more than that.
func appendJSONText(b []byte, s string) []byte {
	asks := needsOf(s)
	if asks&(needsEscape|needsCare) == 0 {
		return append(append(append(b, '"'), s...), '"')
	}
	b, _ = jsontext.AppendQuote(b, clean(s)) // clean text is UTF-8: nothing else fails
	return b
}

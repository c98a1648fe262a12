package export

import (
	"context"
	"io"
	"strconv"
	"strings"
)

// What a byte of a text asks of its writer.
const (
	needsQuotes = 1 << iota // CSV sets it between quotation marks
	needsEscape             // JSON cannot hold it as it is
	needsCare               // it is part of a longer character, or NUL
)

// needs says of each byte what it asks.
var needs = func() (n [256]byte) {
	for c := range n {
		switch {
		case c == '"':
			n[c] = needsQuotes | needsEscape
		case c == ',' || c == '\n' || c == '\r':
			n[c] = needsQuotes
		case c == '\\':
			n[c] = needsEscape
		case c == 0 || c >= 0x80:
			n[c] = needsCare
		}
		if c < ' ' {
			n[c] |= needsEscape
		}
	}
	return n
}()

// needsOf says what all bytes of a text ask together.
func needsOf(s string) byte {
	var all byte
	for i := range len(s) {
		all |= needs[s[i]]
	}
	return all
}

// startsFormula says that a spreadsheet would compute a text of this beginning,
// in its narrow or its wide letters, or look for another cell's beginning in it.
func startsFormula(s string) bool {
	if s == "" {
		return false
	}
	switch s[0] {
	case '=', '+', '-', '@', '\t', '\r', '\n':
		return true
	case 0xEF:
		for _, wide := range [...]string{"\uFF1D", "\uFF0B", "\uFF0D", "\uFF20"} {
			if strings.HasPrefix(s, wide) {
				return true
			}
		}
	}
	return false
}

// csvWriter writes rows as RFC 4180 has them. It makes each by hand in one
// buffer: encoding/csv wants a string for each cell.
type csvWriter struct {
	*lines
	fields []field
	na     string
	end    string
	flat   bool
}

// noBreaks puts a space in the place of each line break.
var noBreaks = strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ")

func writeCSV(ctx context.Context, w io.Writer, t Table, o Options) (int64, error) {
	c := &csvWriter{lines: newLines(w), fields: t.fields(o.Labels), na: o.NA, end: "\n", flat: o.flat}
	if o.Dialect == Excel {
		c.end = "\r\n"
		c.buf = append(c.buf, "\uFEFF"...)
	}
	for i := range c.fields {
		if i > 0 {
			c.buf = append(c.buf, ',')
		}
		c.buf = append(c.buf, c.fields[i].Name...)
	}
	c.buf = append(c.buf, c.end...)
	n, err := t.each(ctx, c.row)
	if err != nil {
		return n, err
	}
	return n, c.flush()
}

// row writes one row.
func (w *csvWriter) row(cells []Cell) error {
	b := w.buf
	begin := len(b)
	for i := range cells {
		if i > 0 {
			b = append(b, ',')
		}
		b = w.cell(b, &w.fields[i], &cells[i])
	}
	if len(b) == begin {
		b = append(b, `""`...) // an empty line is no row to most readers
	}
	return w.keep(append(b, w.end...))
}

func (w *csvWriter) cell(b []byte, f *field, c *Cell) []byte {
	if c.reason(f.Kind) != Present {
		return append(b, w.na...)
	}
	if f.labels {
		return w.text(b, f.label(c), f.Free)
	}
	switch f.Kind {
	case Text:
		return w.text(b, c.Text, f.Free)
	case Real:
		return appendReal(b, c.Real)
	case Moment:
		return appendMoment(b, c.Int)
	case Day:
		return appendDay(b, c.Int)
	default:
		return strconv.AppendInt(b, c.Int, 10)
	}
}

// text writes a text. Text that people typed and a spreadsheet would compute
// gets an apostrophe before it. A text that reads like a missing cell is quoted.
func (w *csvWriter) text(b []byte, s string, free bool) []byte {
	asks := needsOf(s)
	if asks&needsCare != 0 {
		s = clean(s)
	}
	guard := free && startsFormula(s)
	if w.flat && asks&needsQuotes != 0 {
		s = noBreaks.Replace(s)
	}
	if asks&needsQuotes == 0 && s != w.na && s != "" {
		if guard {
			b = append(b, '\'')
		}
		return append(b, s...)
	}
	b = append(b, '"')
	if guard {
		b = append(b, '\'')
	}
	for {
		i := strings.IndexByte(s, '"')
		if i < 0 {
			return append(append(b, s...), '"')
		}
		b = append(append(b, s[:i]...), `""`...)
		s = s[i+1:]
	}
}

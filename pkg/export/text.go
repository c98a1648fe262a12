package export

import (
	"io"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// bufferSize is how many bytes a text format collects before it hands them on.
const bufferSize = 64 << 10

// lines collects the lines of a text format and hands them on in big pieces.
type lines struct {
	w   io.Writer
	buf []byte
}

func newLines(w io.Writer) *lines {
	return &lines{w: w, buf: make([]byte, 0, bufferSize+bufferSize/4)}
}

// keep takes back the buffer with a line added, and hands it on when it is full.
func (l *lines) keep(buf []byte) error {
	l.buf = buf
	if len(buf) < bufferSize {
		return nil
	}
	return l.flush()
}

func (l *lines) flush() error {
	_, err := l.w.Write(l.buf)
	l.buf = l.buf[:0]
	return err
}

// reason is why a cell of a column holds nothing. What is no number is nothing.
func (c *Cell) reason(k Kind) Missing {
	if c.Missing == Present && k == Real && (math.IsNaN(c.Real) || math.IsInf(c.Real, 0)) {
		return Unknown
	}
	return c.Missing
}

// field is a column as a text format writes it: with labels, if it has any.
type field struct {
	*Column
	key    []byte // NDJSON: what stands before the value
	ints   map[int64]string
	texts  map[string]string
	labels bool
}

// fields are the columns of a table, with their labels where these are wanted.
func (t Table) fields(labels bool) []field {
	all := make([]field, len(t.Columns))
	for i := range t.Columns {
		c := &t.Columns[i]
		f := field{Column: c, labels: labels && len(c.Codes) > 0}
		if f.labels {
			f.ints, f.texts = map[int64]string{}, map[string]string{}
			for _, code := range c.Codes {
				f.texts[code.Value] = code.Label
				if n, err := strconv.ParseInt(code.Value, 10, 64); err == nil {
					f.ints[n] = code.Label
				}
			}
		}
		all[i] = f
	}
	return all
}

// label is what the value of a cell means; a value that is no code of the
// column stands for itself.
func (f *field) label(c *Cell) string {
	if f.Kind == Text {
		if label, ok := f.texts[c.Text]; ok {
			return label
		}
		return c.Text
	}
	if label, ok := f.ints[c.Int]; ok {
		return label
	}
	return strconv.FormatInt(c.Int, 10)
}

// clean takes from a text what not every format can hold: NUL, and bytes that
// are not UTF-8. All formats write the same text.
func clean(s string) string {
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}

// appendReal writes the shortest text that is read as the same number.
func appendReal(b []byte, x float64) []byte {
	const exact = 1 << 53
	if n := int64(x); float64(n) == x && -exact < n && n < exact {
		return strconv.AppendInt(b, n, 10)
	}
	if a := math.Abs(x); a < 1e-6 || a >= 1e21 {
		return strconv.AppendFloat(b, x, 'e', -1, 64)
	}
	return strconv.AppendFloat(b, x, 'f', -1, 64)
}

// appendDay writes a date: 2026-01-31.
func appendDay(b []byte, days int64) []byte {
	year, month, day := time.Unix(days*secondsOfDay, 0).UTC().Date()
	if year < 0 || year > 9999 {
		return time.Unix(days*secondsOfDay, 0).UTC().AppendFormat(b, time.DateOnly)
	}
	b = appendPair(b, year/100)
	b = appendPair(b, year%100)
	b = append(b, '-')
	b = appendPair(b, int(month))
	b = append(b, '-')
	return appendPair(b, day)
}

// appendMoment writes a time in UTC: 2026-01-31T09:30:00Z, with the decimals of
// the second that there are.
func appendMoment(b []byte, micros int64) []byte {
	const microsOfDay = secondsOfDay * 1_000_000
	days, rest := micros/microsOfDay, micros%microsOfDay
	if rest < 0 {
		days, rest = days-1, rest+microsOfDay
	}
	b = appendDay(b, days)
	seconds, fraction := int(rest/1_000_000), rest%1_000_000
	b = append(b, 'T')
	b = appendPair(b, seconds/3600)
	b = append(b, ':')
	b = appendPair(b, seconds/60%60)
	b = append(b, ':')
	b = appendPair(b, seconds%60)
	if fraction != 0 {
		b = append(b, '.')
		for unit := int64(100_000); fraction != 0; unit /= 10 {
			b = append(b, byte('0'+fraction/unit)) //nolint:gosec // one digit
			fraction %= unit
		}
	}
	return append(b, 'Z')
}

// appendPair writes a number below 100 with two digits.
func appendPair(b []byte, n int) []byte {
	return append(b, byte('0'+n/10), byte('0'+n%10)) //nolint:gosec // two digits
}

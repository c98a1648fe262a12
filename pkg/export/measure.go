package export

import (
	"context"
	"math"
	"unicode/utf8"
)

// extent is what a column's cells need: how many bytes and how many units of
// UTF-16 the longest text has, and between which bounds the whole numbers lie. No cell holds anything when
// lowest is above highest.
type extent struct {
	width, units    int
	lowest, highest int64
}

// measure reads the rows once, for a format whose header says how many there
// are and how wide.
func (t Table) measure(ctx context.Context) (rows int64, extents []extent, err error) {
	extents = make([]extent, len(t.Columns))
	for i := range extents {
		extents[i].lowest, extents[i].highest = math.MaxInt64, math.MinInt64
	}
	rows, err = t.each(ctx, func(cells []Cell) error {
		for i := range cells {
			c, e := &cells[i], &extents[i]
			switch {
			case c.Missing != Present:
			case t.Columns[i].Kind == Text:
				text := clean(c.Text)
				if e.width = max(e.width, len(text)); len(text) > e.units { // which are no more than the bytes
					e.units = max(e.units, utf16Len(text))
				}
			default:
				e.lowest, e.highest = min(e.lowest, c.Int), max(e.highest, c.Int)
			}
		}
		return nil
	})
	return rows, extents, err
}

// cut shortens a text to so many bytes at most, and does not split a character.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}

package export

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// appendXLSXText ends the tag of the element that holds a cell's text, and
// writes the text. What XML cannot hold, and what looks as if it stood for that,
// is written as spreadsheets do: _x0001_.
func appendXLSXText(b []byte, s string) []byte {
	if s != "" && (isXMLSpace(s[0]) || isXMLSpace(s[len(s)-1])) {
		b = append(b, ` xml:space="preserve"`...)
	}
	b = append(b, '>')
	if !strings.ContainsFunc(s, asksForXLSX) {
		return append(b, s...)
	}
	for i, r := range s {
		switch {
		case r == '&':
			b = append(b, "&amp;"...)
		case r == '<':
			b = append(b, "&lt;"...)
		case r == '>':
			b = append(b, "&gt;"...)
		case r == '\r':
			b = append(b, "&#13;"...) // as it is, it would be read as a line feed
		case r == '_' && looksXLSX(s[i:]):
			b = append(b, "_x005F_"...)
		case r < ' ' && r != '\t' && r != '\n', r == '\uFFFE', r == '\uFFFF':
			b = fmt.Appendf(b, "_x%04X_", r)
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return b
}

// asksForXLSX reports whether a text with this character needs a closer look.
func asksForXLSX(r rune) bool {
	return r < ' ' || r == '&' || r == '<' || r == '>' || r == '_' || r >= '\uFFFE'
}

// looksXLSX reports whether a text begins as a character is written that XML
// cannot hold: _xHHHH_.
func looksXLSX(s string) bool {
	if len(s) < 7 || s[1] != 'x' || s[6] != '_' {
		return false
	}
	return strings.Trim(s[2:6], "0123456789abcdefABCDEF") == ""
}

func isXMLSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// utf16Len is how many units of UTF-16 a text has.
func utf16Len(s string) int {
	n := 0
	for _, r := range s {
		if n++; r > 0xFFFF {
			n++
		}
	}
	return n
}

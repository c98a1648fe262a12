package schedule

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// Span is a length of time as ISO 8601 writes it. Months and days go by the
// calendar of a zone, so that a day may have 23 or 25 hours; Clock goes by the
// clock.
type Span struct {
	Months, Days int
	Clock        time.Duration
}

var written = regexp.MustCompile(`^(-?)P(?:(\d{1,4})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})W)?(?:(\d{1,4})D)?(?:T(?:(\d{1,4})H)?(?:(\d{1,4})M)?)?$`)

// ParseSpan reads a duration such as P7D, PT24H or -P1M. An error names what
// is no duration; PT0H is none at all, and is allowed.
func ParseSpan(s string) (Span, error) {
	m := written.FindStringSubmatch(s)
	var n [6]int
	given := false
	for i := range n {
		if m != nil && m[i+2] != "" {
			n[i], _ = strconv.Atoi(m[i+2]) // at most four digits
			given = true
		}
	}
	if !given || s[len(s)-1] == 'T' {
		return Span{}, fmt.Errorf("%q is no ISO 8601 duration", s)
	}
	sign := 1
	if m[1] == "-" {
		sign = -1
	}
	return Span{
		Months: sign * (12*n[0] + n[1]), Days: sign * (7*n[2] + n[3]),
		Clock: time.Duration(sign) * (time.Duration(n[4])*time.Hour + time.Duration(n[5])*time.Minute),
	}, nil
}

// From is the time that lies the span after t. A month from the 31st of one
// that has no 31st in the next is the last day of that.
func (s Span) From(t time.Time, zone *time.Location) time.Time {
	if s.Months != 0 || s.Days != 0 {
		local := t.In(zone)
		y, m, d := local.Date()
		last := time.Date(y, m+time.Month(s.Months)+1, 0, 0, 0, 0, 0, time.UTC).Day()
		h, minute, sec := local.Clock()
		t = time.Date(y, m+time.Month(s.Months), min(d, last)+s.Days, h, minute, sec, local.Nanosecond(), zone)
	}
	return t.Add(s.Clock).UTC()
}

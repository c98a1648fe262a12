// Package question reads what is asked in the address of a request, for the
// JSON API and for the pages, so that both mean the same by the same words.
package question

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/fault"
)

// A Reader reads parameters by name and gathers every fault: a value that does
// not fit, a parameter given twice, and one that nobody read, for a filter that
// is silently ignored gives a wrong list.
type Reader struct {
	values map[string][]string
	read   map[string]bool
	faults []fault.Detail
}

// Read reads a whole query, as it stands behind the ? of an address.
func Read(query string) *Reader {
	values, err := url.ParseQuery(query)
	r := Of(values)
	if err != nil {
		r.faults = append(r.faults, fault.Detail{In: "query", Code: "not_a_query", Message: "The query cannot be read: write %, & and ; as %25, %26 and %3B."})
	}
	return r
}

// Of reads a query whose values are known.
func Of(values url.Values) *Reader { return &Reader{values: values, read: map[string]bool{}} }

// Fault notes what is wrong with a parameter.
func (r *Reader) Fault(name, code, message string) {
	r.faults = append(r.faults, fault.Detail{Pointer: "/" + name, In: "query", Code: code, Message: message})
}

// Sound says that nothing wrong has been found so far.
func (r *Reader) Sound() bool { return len(r.faults) == 0 }

// Text gives a parameter, or the fallback where it is absent or empty.
func (r *Reader) Text(name, fallback string) string {
	r.read[name] = true
	switch v := r.values[name]; {
	case len(v) > 1:
		r.Fault(name, "repeated", "The parameter is given once.")
	case len(v) == 1 && strings.ContainsRune(v[0], 0):
		r.Fault(name, "nul_character", "A text cannot hold the NUL character.")
	case len(v) == 1 && !utf8.ValidString(v[0]):
		r.Fault(name, "not_utf8", "A text is in UTF-8.")
	case len(v) == 1 && v[0] != "":
		return v[0]
	}
	return fallback
}

// Choice gives a parameter that is one of the options.
func Choice[T ~string](r *Reader, name string, fallback T, options ...T) T {
	v := T(r.Text(name, string(fallback)))
	if v != fallback && !slices.Contains(options, v) {
		words := make([]string, len(options))
		for i, o := range options {
			words[i] = string(o)
		}
		r.Fault(name, "oneof", "The parameter is one of: "+strings.Join(words, ", ")+".")
		return fallback
	}
	return v
}

// ID gives the id of something; nil: none is named.
func (r *Reader) ID(name string) *uuid.UUID {
	v := r.Text(name, "")
	if v == "" {
		return nil
	}
	id, err := ParseID(v)
	if err != nil {
		r.Fault(name, "uuid", "The parameter is a UUID.")
		return nil
	}
	return &id
}

// Time gives a time as in RFC 3339; nil: none is named.
func (r *Reader) Time(name string) *time.Time {
	v := r.Text(name, "")
	if v == "" {
		return nil
	}
	t, err := time.Parse(time.RFC3339, v)
	if err != nil {
		r.Fault(name, "time", "The parameter is a time as in RFC 3339; write + as %2B.")
		return nil
	}
	return &t
}

// Share gives a number from 0 to 1; nil: none is named.
func (r *Reader) Share(name string) *float64 {
	v := r.Text(name, "")
	if v == "" {
		return nil
	}
	f, err := strconv.ParseFloat(v, 64)
	if err != nil || !(f >= 0 && f <= 1) {
		r.Fault(name, "out_of_range", "The parameter is a number from 0 to 1.")
		return nil
	}
	return &f
}

// Number gives a whole number; nil: none is named.
func (r *Reader) Number(name string, least, most int) *int {
	v := r.Text(name, "")
	if v == "" {
		return nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < least || n > most {
		r.Fault(name, "out_of_range", "The parameter is a whole number from "+strconv.Itoa(least)+" to "+strconv.Itoa(most)+".")
		return nil
	}
	return &n
}

// Words gives what a parameter names, once each and sorted. It may be given
// more than once, and with commas.
func (r *Reader) Words(name string) []string {
	r.read[name] = true
	var out []string
	for _, v := range r.values[name] {
		for word := range strings.SplitSeq(v, ",") {
			if word = strings.TrimSpace(word); word != "" {
				out = append(out, word)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Flag gives a truth value; absent: false.
func (r *Reader) Flag(name string) bool {
	return Choice(r, name, "false", "true", "false") == "true"
}

// Asked gives every parameter that was read, as it was given, but these.
func (r *Reader) Asked(but ...string) map[string]string {
	out := map[string]string{}
	for name, values := range r.values {
		if r.read[name] && !slices.Contains(but, name) {
			out[name] = strings.Join(values, " ")
		}
	}
	return out
}

// mostUnread bounds what is said of a hostile query.
const mostUnread = 50

// Err lists every fault found, and every parameter that nobody read. It comes
// after the last parameter was read.
func (r *Reader) Err() error {
	var unread []string
	for name := range r.values {
		if !r.read[name] {
			unread = append(unread, name)
		}
	}
	slices.Sort(unread)
	for _, name := range unread[:min(len(unread), mostUnread)] {
		r.Fault(pointerEscape.Replace(name), "unknown_parameter", "There is no such parameter here.")
	}
	return fault.InvalidIf(r.faults)
}

var pointerEscape = strings.NewReplacer("~", "~0", "/", "~1")

// IDLength is that of a UUID in its usual form.
const IDLength = 36

// ParseID reads a UUID in its usual form of 36 characters, and no other: ErrNoID.
func ParseID(s string) (uuid.UUID, error) {
	id, err := uuid.Parse(s)
	if err == nil && (len(s) != IDLength || id == uuid.Nil) {
		err = ErrNoID
	}
	return id, err
}

// ErrNoID is the answer to an id that can be nothing's.
var ErrNoID = fault.New(fault.NotFound, "There is nothing with this id.")

package rest

import (
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/api/cursor"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
)

// params reads the query of a request by name and gathers every fault: a
// value that does not fit, a parameter given twice, and one that nobody
// read, for a filter that is silently ignored gives a wrong list.
type params struct {
	values map[string][]string
	read   map[string]bool
	faults []fault.Detail
	list   string // whose cursors are read and given out
}

// query reads the whole query. Echo's own reader passes over what it cannot
// read, and so would drop a filter.
func query(c echo.Context) *params {
	values, err := url.ParseQuery(c.QueryString())
	p := &params{values: values, read: map[string]bool{}}
	if err != nil {
		p.faults = append(p.faults, fault.Detail{In: "query", Code: "not_a_query", Message: "The query cannot be read: write %, & and ; as %25, %26 and %3B."})
	}
	return p
}

func (p *params) fault(name, code, message string) {
	p.faults = append(p.faults, fault.Detail{Pointer: "/" + name, In: "query", Code: code, Message: message})
}

// text gives a parameter, or the fallback where it is absent or empty.
func (p *params) text(name, fallback string) string {
	p.read[name] = true
	switch v := p.values[name]; {
	case len(v) > 1:
		p.fault(name, "repeated", "The parameter is given once.")
	case len(v) == 1 && strings.ContainsRune(v[0], 0):
		p.fault(name, "nul_character", "A text cannot hold the NUL character.")
	case len(v) == 1 && !utf8.ValidString(v[0]):
		p.fault(name, "not_utf8", "A text is in UTF-8.")
	case len(v) == 1 && v[0] != "":
		return v[0]
	}
	return fallback
}

// choice gives a parameter that is one of the options.
func choice[T ~string](p *params, name string, fallback T, options ...T) T {
	v := T(p.text(name, string(fallback)))
	if v != fallback && !slices.Contains(options, v) {
		words := make([]string, len(options))
		for i, o := range options {
			words[i] = string(o)
		}
		p.fault(name, "oneof", "The parameter is one of: "+strings.Join(words, ", ")+".")
		return fallback
	}
	return v
}

func (p *params) id(name string) *uuid.UUID {
	v := p.text(name, "")
	if v == "" {
		return nil
	}
	id, err := parseID(v)
	if err != nil {
		p.fault(name, "uuid", "The parameter is a UUID.")
		return nil
	}
	return &id
}

func (p *params) time(name string) *time.Time {
	v := p.text(name, "")
	if v == "" {
		return nil
	}
	t, err := time.Parse(time.RFC3339, v)
	if err != nil {
		p.fault(name, "time", "The parameter is a time as in RFC 3339; write + as %2B.")
		return nil
	}
	return &t
}

// share gives a number from 0 to 1.
func (p *params) share(name string) *float64 {
	v := p.text(name, "")
	if v == "" {
		return nil
	}
	f, err := strconv.ParseFloat(v, 64)
	if err != nil || !(f >= 0 && f <= 1) {
		p.fault(name, "out_of_range", "The parameter is a number from 0 to 1.")
		return nil
	}
	return &f
}

// number gives a whole number.
func (p *params) number(name string, least, most int) *int {
	v := p.text(name, "")
	if v == "" {
		return nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < least || n > most {
		p.fault(name, "out_of_range", "The parameter is a whole number from "+strconv.Itoa(least)+" to "+strconv.Itoa(most)+".")
		return nil
	}
	return &n
}

// words gives what a parameter names, once each and sorted. It may be given
// more than once, and with commas.
func (p *params) words(name string) []string {
	p.read[name] = true
	var out []string
	for _, v := range p.values[name] {
		for word := range strings.SplitSeq(v, ",") {
			if word = strings.TrimSpace(word); word != "" {
				out = append(out, word)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (p *params) flag(name string) bool {
	return choice(p, name, "false", "true", "false") == "true"
}

const (
	defaultLimit = 50
	maxLimit     = 200
)

// page gives the part of a list that is asked for. It asks for one row more
// than the limit: that is how the last page is known. A cursor is read only by
// the list that gave it out.
func (p *params) page(list string) care.Page {
	p.list = list
	page := care.Page{Limit: defaultLimit + 1}
	if v := p.text("limit", ""); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > maxLimit {
			p.fault("limit", "out_of_range", "The limit is a whole number from 1 to 200.")
		} else {
			page.Limit = n + 1
		}
	}
	if v := p.text("cursor", ""); v != "" {
		after, err := parseCursor(list, v)
		if err != nil {
			p.fault("cursor", "not_a_cursor", "The cursor is not one that was given out here.")
		}
		page.After = after
	}
	return page
}

// err lists every fault found, and every parameter that nobody read.
func (p *params) err() error {
	var unread []string
	for name := range p.values {
		if !p.read[name] {
			unread = append(unread, name)
		}
	}
	slices.Sort(unread)
	for _, name := range unread[:min(len(unread), maxFaults)] {
		p.fault(pointerEscape.Replace(name), "unknown_parameter", "There is no such parameter here.")
	}
	return fault.InvalidIf(p.faults)
}

var pointerEscape = strings.NewReplacer("~", "~0", "/", "~1")

// The lists whose pages have cursors. The caseload adds its order.
const (
	clientList     = "clients"
	courseList     = "courses"
	sessionList    = "sessions"
	assessmentList = "assessments"
	versionList    = "versions"
	keyList        = "keys"
	tokenList      = "tokens"
	accountList    = "accounts"
	consentList    = "consents"
	correctionList = "corrections"
	disclosureList = "disclosures"
	auditList      = "audit"
	mergeList      = "merges"
	cohortList     = "cohorts"
	caseloadList   = "caseload "
)

// fits reports whether a list can have given the position out. A forged one may
// hold what a database cannot compare with its column.
func fits(list string, at care.Position) bool {
	switch list {
	case clientList, cohortList:
		return at.Text != ""
	case courseList:
		_, err := care.ParseDate(at.Text)
		return err == nil && at.Text[:4] > "0000"
	case versionList:
		return at.Number != nil && *at.Number >= 1 && *at.Number <= math.MaxInt32
	}
	return true
}

func parseCursor(list, s string) (care.Position, error) {
	at, err := cursor.Parse(list, s)
	if err == nil && !fits(list, at) {
		return care.Position{}, cursor.ErrNone
	}
	return at, err
}

// Page is one page of a list. NextCursor is absent on the last page.
type Page[T any] struct {
	Items      []T    `json:"items"`
	NextCursor string `json:"next_cursor,omitempty"`
}

// pageOf renders the rows that were read for a page.
func pageOf[R, T any](q *params, rows []R, page care.Page, to func(R) T, position func(R) care.Position) Page[T] {
	out := Page[T]{Items: make([]T, 0, len(rows))}
	if len(rows) == page.Limit {
		rows = rows[:len(rows)-1]
		out.NextCursor = cursor.Format(q.list, position(rows[len(rows)-1]))
	}
	for _, r := range rows {
		out.Items = append(out.Items, to(r))
	}
	return out
}

// whole renders a list that has one page.
func whole[R, T any](rows []R, to func(R) T) Page[T] {
	out := Page[T]{Items: make([]T, len(rows))}
	for i, r := range rows {
		out.Items[i] = to(r)
	}
	return out
}

// idLength is that of a UUID in its usual form.
const idLength = 36

// parseID reads a UUID in its usual form of 36 characters, and no other.
func parseID(s string) (uuid.UUID, error) {
	id, err := uuid.Parse(s)
	if err == nil && (len(s) != idLength || id == uuid.Nil) {
		err = errNotAnID
	}
	return id, err
}

var errNotAnID = fault.New(fault.NotFound, "There is nothing with this id.")

// pathID reads an id from the path; one that is no UUID names nothing.
func pathID(c echo.Context, name string) (uuid.UUID, error) {
	id, err := parseID(c.Param(name))
	if err != nil {
		return uuid.Nil, errNotAnID
	}
	return id, nil
}

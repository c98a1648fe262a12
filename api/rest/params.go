package rest

import (
	"math"
	"strconv"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/api/cursor"
	"github.com/protrack/protrack/api/question"
	"github.com/protrack/protrack/pkg/care"
)

// params reads the query of a request.
type params struct {
	*question.Reader
	list string // whose cursors are read and given out
}

// query reads the whole query. Echo's own reader passes over what it cannot
// read, and so would drop a filter.
func query(c echo.Context) *params { return &params{Reader: question.Read(c.QueryString())} }

// choice gives a parameter that is one of the options.
func choice[T ~string](p *params, name string, fallback T, options ...T) T {
	return question.Choice(p.Reader, name, fallback, options...)
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
	if v := p.Text("limit", ""); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > maxLimit {
			p.Fault("limit", "out_of_range", "The limit is a whole number from 1 to 200.")
		} else {
			page.Limit = n + 1
		}
	}
	if v := p.Text("cursor", ""); v != "" {
		after, err := parseCursor(list, v)
		if err != nil {
			p.Fault("cursor", "not_a_cursor", "The cursor is not one that was given out here.")
		}
		page.After = after
	}
	return page
}

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
	webhookList    = "webhooks"
	deliveryList   = "deliveries"
	alertList      = "alerts"
	messagesList   = "messages"
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
	case deliveryList:
		return at.Number != nil && *at.Number >= 1 && *at.Number < 1<<53
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

// pathID reads an id from the path; one that is no UUID names nothing.
func pathID(c echo.Context, name string) (uuid.UUID, error) {
	id, err := question.ParseID(c.Param(name))
	if err != nil {
		return uuid.Nil, question.ErrNoID
	}
	return id, nil
}

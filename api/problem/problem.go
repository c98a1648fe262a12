// Package problem turns errors into RFC 9457 problem documents. It holds the
// only table of HTTP statuses: everything below it speaks of fault kinds.
package problem

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/pkg/fault"
)

// MediaType is the content type of a problem document.
const MediaType = "application/problem+json"

// typePrefix begins the type of every problem; docs/errors.md explains each.
const typePrefix = "urn:protrack:problem:"

// Document is an RFC 9457 problem.
type Document struct {
	Type      string  `json:"type" example:"urn:protrack:problem:invalid"`
	Title     string  `json:"title" example:"The content is not valid"`
	Status    int     `json:"status" example:"422"`
	Detail    string  `json:"detail"`
	RequestID string  `json:"request_id"`       // that of X-Request-Id
	Errors    []Error `json:"errors,omitempty"` // every fault found

	RetryAfter time.Duration `json:"-"` // for the header; 0: as the status has it
} //	@name	Problem

// Error is one thing wrong with a request.
type Error struct {
	Pointer string `json:"pointer" example:"/answers/phq9_3"`                      // RFC 6901, into the body; "/name" of a parameter
	In      string `json:"in,omitempty" enums:"query,path,header" example:"query"` // absent: the body
	Code    string `json:"code" example:"not_an_option"`
	Detail  string `json:"detail"`
} //	@name	ProblemError

// mostErrors is how many faults a document lists: more help nobody, and a
// batch of hostile items could make an answer of any size.
const mostErrors = 100

type entry struct {
	status int
	title  string
}

// table is the only place where a kind of fault meets an HTTP status.
var table = map[fault.Kind]entry{
	fault.Malformed:            {http.StatusBadRequest, "The request cannot be read"},
	fault.Invalid:              {http.StatusUnprocessableEntity, "The content is not valid"},
	fault.Unauthenticated:      {http.StatusUnauthorized, "A key is needed"},
	fault.Forbidden:            {http.StatusForbidden, "Not allowed"},
	fault.NotFound:             {http.StatusNotFound, "Not found"},
	fault.Gone:                 {http.StatusGone, "Erased"},
	fault.Conflict:             {http.StatusConflict, "In conflict with what is stored"},
	fault.Stale:                {http.StatusPreconditionFailed, "Changed since it was read"},
	fault.PreconditionRequired: {http.StatusPreconditionRequired, "The version read must be named"},
	fault.TooLarge:             {http.StatusRequestEntityTooLarge, "Too large"},
	fault.UnsupportedMedia:     {http.StatusUnsupportedMediaType, "Not a format that is read here"},
	fault.RateLimited:          {http.StatusTooManyRequests, "Too many requests"},
	fault.Unavailable:          {http.StatusServiceUnavailable, "Try again"},
}

const (
	internalKind  = "internal"
	internalTitle = "Something went wrong here"
	internalText  = "This is our fault, not yours. The request id finds it in the log."
)

// Of makes the document of an error. What is not a fault is ours: it gets a
// fixed text, and its own goes nowhere but the log.
func Of(err error, requestID string) Document {
	var f *fault.Error
	if errors.As(err, &f) {
		if e, known := table[f.Kind]; known {
			doc := Document{
				Type: typePrefix + string(f.Kind), Title: e.title, Status: e.status,
				Detail: f.Message, RequestID: requestID, RetryAfter: f.RetryAfter,
			}
			for _, d := range f.Details[:min(len(f.Details), mostErrors)] {
				doc.Errors = append(doc.Errors, Error{Pointer: d.Pointer, In: d.In, Code: d.Code, Detail: d.Message})
			}
			return doc
		}
	}
	var h *echo.HTTPError
	if errors.As(err, &h) && h.Code < http.StatusInternalServerError {
		return ofEcho(h, requestID)
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return Of(fault.New(fault.Unavailable, "It took too long. Nothing was lost: try again."), requestID)
	}
	return Document{
		Type: typePrefix + internalKind, Title: internalTitle, Status: http.StatusInternalServerError,
		Detail: internalText, RequestID: requestID,
	}
}

// ofEcho covers what Echo decides by itself: unknown routes, methods, sizes.
func ofEcho(h *echo.HTTPError, requestID string) Document {
	for kind, e := range table {
		if e.status == h.Code {
			return Document{Type: typePrefix + string(kind), Title: e.title, Status: h.Code, Detail: http.StatusText(h.Code) + ".", RequestID: requestID}
		}
	}
	return Document{Type: "about:blank", Title: http.StatusText(h.Code), Status: h.Code, Detail: http.StatusText(h.Code) + ".", RequestID: requestID}
}

// sentKey marks a request whose problem was sent: Echo hands the error on to
// every middleware that asks for it, and then once more.
const sentKey = "problem sent"

// Handler is Echo's error handler. After the first byte an error cannot be
// told any more, so the connection is cut: a short answer must look short.
func Handler(log *slog.Logger) echo.HTTPErrorHandler {
	return func(err error, c echo.Context) {
		if c.Get(sentKey) != nil {
			return
		}
		ctx := c.Request().Context()
		doc := Of(err, c.Response().Header().Get(echo.HeaderXRequestID))
		Report(log, c, doc, err)
		if c.Response().Committed {
			log.WarnContext(ctx, "answer cut off", "request_id", doc.RequestID, "route", c.Path(), "bytes", c.Response().Size)
			panic(http.ErrAbortHandler)
		}
		c.Set(sentKey, true)
		if err := Write(c, doc); err != nil {
			log.WarnContext(ctx, "problem not sent", "request_id", doc.RequestID, "error", err.Error())
		}
	}
}

// Report logs an error that is ours, with the request's id that the document
// names. Handler does so itself; it is for an answer in another form.
func Report(log *slog.Logger, c echo.Context, doc Document, err error) {
	if doc.Status >= http.StatusInternalServerError && !errors.Is(err, context.Canceled) {
		log.ErrorContext(c.Request().Context(), "failed", "request_id", doc.RequestID, "route", c.Path(), "error", err.Error())
	}
}

// Write sends the document with the headers that its status asks for.
func Write(c echo.Context, doc Document) error {
	if doc.Status == http.StatusUnauthorized {
		c.Response().Header().Set(echo.HeaderWWWAuthenticate, `Bearer realm="protrack"`)
	}
	Wait(c, doc)
	if c.Request().Method == http.MethodHead {
		return c.NoContent(doc.Status)
	}
	body, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	return c.Blob(doc.Status, MediaType, body)
}

// Wait sets the header that says when to come back, where the status asks for
// one. Write does so itself; it is for an answer in another form.
func Wait(c echo.Context, doc Document) {
	if doc.Status == http.StatusServiceUnavailable || doc.Status == http.StatusTooManyRequests {
		c.Response().Header().Set(echo.HeaderRetryAfter, retryAfter(doc.RetryAfter))
	}
}

// retryAfter is a wait in whole seconds, rounded up: who comes back then must
// not be too early. It is never 0, which would ask for the same again at once.
func retryAfter(wait time.Duration) string {
	whole := wait / time.Second
	if wait%time.Second > 0 {
		whole++
	}
	return strconv.FormatInt(int64(max(whole, 1)), 10)
}

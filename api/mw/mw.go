// Package mw holds what happens to every request before a handler sees it.
package mw

import (
	"compress/gzip"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/protrack/protrack/pkg/fault"
)

// inbound is what a request id from outside may look like; it is logged and
// sent back, so nothing else is taken over.
var inbound = regexp.MustCompile(`^[A-Za-z0-9_.-]{8,64}$`)

// RequestID gives each request an id, or keeps a well-formed one, and sends
// it back.
func RequestID(newID func() uuid.UUID) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			id := c.Request().Header.Get(echo.HeaderXRequestID)
			if !inbound.MatchString(id) {
				id = newID().String()
			}
			c.Response().Header().Set(echo.HeaderXRequestID, id)
			return next(c)
		}
	}
}

// actorKey is where the access log finds who asked.
const actorKey = "actor"

// NoteActor tells the access log who asked.
func NoteActor(c echo.Context, who slog.LogValuer) { c.Set(actorKey, who) }

// AccessLog writes one line a request: the route, never the path, the query
// or the body, for ids and parameters are about clients.
func AccessLog(log *slog.Logger) echo.MiddlewareFunc {
	return middleware.RequestLoggerWithConfig(middleware.RequestLoggerConfig{
		HandleError: true, LogStatus: true, LogMethod: true, LogError: true, LogLatency: true,
		LogResponseSize: true, LogRemoteIP: true,
		LogValuesFunc: func(c echo.Context, v middleware.RequestLoggerValues) error {
			attrs := []slog.Attr{
				slog.String("request_id", c.Response().Header().Get(echo.HeaderXRequestID)),
				slog.String("method", method(v.Method)),
				slog.String("route", route(c, v.Error)),
				slog.Int("status", v.Status),
				slog.Float64("seconds", v.Latency.Seconds()),
				slog.Int64("bytes", v.ResponseSize),
				slog.String("remote", v.RemoteIP),
			}
			if who := c.Get(actorKey); who != nil {
				attrs = append(attrs, slog.Any("who", who))
			}
			log.LogAttrs(c.Request().Context(), slog.LevelInfo, "request", attrs...)
			return nil
		},
	})
}

// unknown stands for what a caller made up.
const unknown = "unknown"

// route is the pattern that a request matched. Where none did, Echo gives the
// path itself, which may hold anything: a name, or an id that is new each time.
func route(c echo.Context, err error) string {
	var unrouted *echo.HTTPError
	if errors.As(err, &unrouted) && (unrouted.Code == http.StatusNotFound || unrouted.Code == http.StatusMethodNotAllowed) {
		return unknown
	}
	if c.Request().Method == http.MethodOptions { // answered for any path
		return unknown
	}
	return c.Path()
}

// method is one of those that HTTP has; a caller can send any word.
func method(sent string) string {
	switch sent {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return sent
	}
	return unknown
}

// Recover turns a panic into an error; the trace goes to the log. An aborted
// connection is passed on: it is meant to look broken.
func Recover(log *slog.Logger) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) (err error) {
			defer func() {
				r := recover()
				if r == nil {
					return
				}
				if r == http.ErrAbortHandler { //nolint:errorlint // a panic value, compared as net/http does
					panic(r)
				}
				log.ErrorContext(c.Request().Context(), "panic", "route", c.Path(),
					"request_id", c.Response().Header().Get(echo.HeaderXRequestID), "stack", string(debug.Stack()))
				err = echo.NewHTTPError(http.StatusInternalServerError)
			}()
			return next(c)
		}
	}
}

// Encodings refuses a body in an encoding that is not read here. gzip is
// unpacked before the size is limited: the limit is on what it unpacks to. The
// packed bytes have it too, for a pack can be endless and hold nothing.
func Encodings(limit int64) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			switch r.Header.Get(echo.HeaderContentEncoding) {
			case "", "identity":
				return next(c)
			case "gzip":
				r.Body = http.MaxBytesReader(c.Response(), r.Body, limit)
				body, err := gzip.NewReader(r.Body)
				if err != nil {
					return fault.New(fault.Malformed, "The body says that it is packed with gzip, and is not.").Because(err)
				}
				// The length is that of the packed body; the limit reads on.
				r.ContentLength, r.Body = -1, unpacked{body, r.Body}
				return next(c)
			}
			return fault.New(fault.UnsupportedMedia, "A body may be packed with gzip, and with nothing else.")
		}
	}
}

// unpacked reads what was packed and closes what was sent.
type unpacked struct {
	io.Reader
	io.Closer
}

// Timeout bounds the time that a handler may take. Its context ends then,
// and the database gives up with it.
func Timeout(limit time.Duration) echo.MiddlewareFunc {
	return middleware.ContextTimeoutWithConfig(middleware.ContextTimeoutConfig{
		Timeout:      limit,
		ErrorHandler: func(err error, _ echo.Context) error { return err },
	})
}

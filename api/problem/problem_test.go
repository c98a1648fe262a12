package problem_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/api/problem"
	"github.com/protrack/protrack/pkg/fault"
)

func TestEveryKindOfFaultHasItsStatus(t *testing.T) {
	for kind, status := range map[fault.Kind]int{
		fault.Malformed: 400, fault.Unauthenticated: 401, fault.Forbidden: 403, fault.NotFound: 404, fault.Conflict: 409,
		fault.Stale: 412, fault.TooLarge: 413, fault.UnsupportedMedia: 415, fault.Invalid: 422,
		fault.PreconditionRequired: 428, fault.Unavailable: 503, fault.Gone: 410, fault.RateLimited: 429,
	} {
		err := fmt.Errorf("wrapped: %w", fault.New(kind, "What to do.",
			fault.Detail{Pointer: "/a/0", In: "query", Code: "code", Message: "Why."}).Because(errors.New("canary")))
		doc := problem.Of(err, "id")
		want := problem.Document{
			Type: "urn:protrack:problem:" + string(kind), Title: doc.Title, Status: status, Detail: "What to do.", RequestID: "id",
			Errors: []problem.Error{{Pointer: "/a/0", In: "query", Code: "code", Detail: "Why."}},
		}
		if diff := cmp.Diff(want, doc); diff != "" || doc.Title == "" {
			t.Errorf("%s:\n%s", kind, diff)
		}
	}
}

func TestWhatIsNoFaultTellsNothing(t *testing.T) {
	for _, c := range []struct {
		name   string
		err    error
		status int
	}{
		{"an unknown error", errors.New("canary: syntax error at SELECT"), 500},
		{"a kind that is not in the table", fault.New("canary", "canary"), 500},
		{"Echo's own 500", echo.NewHTTPError(500, "canary"), 500},
		{"Echo's own 501", echo.NewHTTPError(501, "canary"), 500},
		{"Echo's own 404", echo.NewHTTPError(404, "canary"), 404},
		{"Echo's own 405", echo.ErrMethodNotAllowed, 405},
		{"Echo's own 413", echo.NewHTTPError(413, "canary"), 413},
		{"a status that no fault has", echo.NewHTTPError(418, "canary"), 418},
		{"a deadline", fmt.Errorf("canary: %w", context.DeadlineExceeded), 503},
		{"a caller who hung up", fmt.Errorf("canary: %w", context.Canceled), 503},
	} {
		doc := problem.Of(c.err, "id")
		text, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		if doc.Status != c.status || doc.Type == "" || doc.Title == "" || doc.Detail == "" || strings.Contains(string(text), "canary") {
			t.Errorf("%s: %s", c.name, text)
		}
	}
}

// serve runs one handler behind the error handler.
func serve(t *testing.T, method string, handle echo.HandlerFunc) (*httptest.ResponseRecorder, string) {
	t.Helper()
	var log strings.Builder
	e := echo.New()
	e.HTTPErrorHandler = problem.Handler(slog.New(slog.NewTextHandler(&log, nil)))
	e.Add(method, "/", handle)
	w := httptest.NewRecorder()
	e.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, "/", nil))
	return w, log.String()
}

func TestOnlyWhatIsOurFaultIsLogged(t *testing.T) {
	w, log := serve(t, http.MethodGet, func(echo.Context) error { return errors.New("the cause") })
	if w.Code != 500 || !strings.Contains(log, "the cause") || strings.Contains(w.Body.String(), "the cause") {
		t.Errorf("%d %s, logged %q", w.Code, w.Body, log)
	}
	if w, log = serve(t, http.MethodGet, func(echo.Context) error { return fault.New(fault.NotFound, "Nothing.") }); w.Code != 404 || log != "" {
		t.Errorf("%d, logged %q", w.Code, log)
	}
}

func TestAProblemCarriesTheHeadersOfItsStatus(t *testing.T) {
	for kind, header := range map[fault.Kind]string{
		fault.Unauthenticated: "WWW-Authenticate", fault.Unavailable: "Retry-After", fault.RateLimited: "Retry-After",
	} {
		w, _ := serve(t, http.MethodGet, func(echo.Context) error { return fault.New(kind, "Why.") })
		if w.Header().Get(header) == "" || w.Header().Get("Content-Type") != problem.MediaType {
			t.Errorf("%s: %v", kind, w.Header())
		}
	}
	if w, _ := serve(t, http.MethodHead, func(echo.Context) error { return fault.New(fault.NotFound, "Why.") }); w.Code != 404 || w.Body.Len() != 0 {
		t.Errorf("HEAD: %d %q", w.Code, w.Body)
	}
}

func TestAWaitIsToldInWholeSecondsRoundedUp(t *testing.T) {
	for wait, want := range map[time.Duration]string{
		-time.Second: "1", 0: "1", 1: "1", time.Second: "1", time.Second + 1: "2",
		1500 * time.Millisecond: "2", time.Minute: "60", 59*time.Second + 999*time.Millisecond: "60", math.MaxInt64: "9223372037",
	} {
		w, log := serve(t, http.MethodGet, func(echo.Context) error { return fmt.Errorf("wrapped: %w", fault.Wait("Later.", wait)) })
		if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != want || log != "" {
			t.Errorf("%s: %d, Retry-After %q instead of %q, logged %q", wait, w.Code, w.Header().Get("Retry-After"), want, log)
		}
		if !strings.Contains(w.Body.String(), `"type":"urn:protrack:problem:rate_limited"`) || strings.Contains(w.Body.String(), "etry") {
			t.Errorf("%s: %s", wait, w.Body)
		}
	}
}

// TestAnAnswerThatBreaksLooksBroken: after the first byte nothing can be said
// any more, so the connection is cut.
func TestAnAnswerThatBreaksLooksBroken(t *testing.T) {
	defer func() {
		if r := recover(); r != http.ErrAbortHandler { //nolint:errorlint // a panic value, compared as net/http does
			t.Errorf("the handler ends with %v", r)
		}
	}()
	serve(t, http.MethodGet, func(c echo.Context) error {
		if err := c.String(http.StatusOK, "half"); err != nil {
			return err
		}
		return errors.New("broken")
	})
	t.Error("it ended as if it were whole")
}

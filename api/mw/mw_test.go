package mw_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/api/mw"
	"github.com/protrack/protrack/api/problem"
)

var fixed = uuid.MustParse("01890000-0000-7000-8000-000000000001")

// through sends a request through middleware to a handler at /things/:id.
func through(t *testing.T, r *http.Request, log io.Writer, handle echo.HandlerFunc, m ...echo.MiddlewareFunc) *httptest.ResponseRecorder {
	t.Helper()
	e := echo.New()
	e.HTTPErrorHandler = problem.Handler(slog.New(slog.NewJSONHandler(log, nil)))
	e.Use(mw.RequestID(func() uuid.UUID { return fixed }))
	e.Use(m...)
	e.Any("/things/:id", handle)
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	return w
}

func ask(t *testing.T, path string) *http.Request {
	t.Helper()
	return httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader("body"))
}

func fine(c echo.Context) error { return c.NoContent(http.StatusNoContent) }

func TestARequestKeepsAWellFormedIDAndNoOther(t *testing.T) {
	for sent, want := range map[string]string{
		"":                          fixed.String(),
		"device-7.request_12":       "device-7.request_12",
		"short":                     fixed.String(),
		strings.Repeat("x", 64):     strings.Repeat("x", 64),
		strings.Repeat("x", 65):     fixed.String(),
		"with space in it":          fixed.String(),
		"line\\nbreak-and-more":     fixed.String(),
		`"quoted-request-id"`:       fixed.String(),
		"ünïcode-request":           fixed.String(),
		"<script>alert(1)</script>": fixed.String(),
	} {
		r := ask(t, "/things/1")
		r.Header.Set("X-Request-Id", sent)
		if got := through(t, r, io.Discard, fine).Header().Get("X-Request-Id"); got != want {
			t.Errorf("%q becomes %q instead of %q", sent, got, want)
		}
	}
}

func TestAPanicIsAProblemAndItsTraceIsLogged(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	w := through(t, ask(t, "/things/canary"), &log, func(echo.Context) error { panic("canary") }, mw.AccessLog(logger), mw.Recover(logger))
	if w.Code != http.StatusInternalServerError || w.Header().Get("Content-Type") != problem.MediaType || strings.Contains(w.Body.String(), "canary") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), `"msg":"panic","route":"/things/:id"`) || !strings.Contains(log.String(), "mw_test.go") || strings.Contains(log.String(), "/things/canary") {
		t.Errorf("the log says: %s", &log)
	}
}

func TestAConnectionThatIsCutOnPurposeStaysCut(t *testing.T) {
	defer func() {
		if r := recover(); r != http.ErrAbortHandler { //nolint:errorlint // a panic value, compared as net/http does
			t.Errorf("the panic becomes %v", r)
		}
	}()
	through(t, ask(t, "/things/1"), io.Discard, func(echo.Context) error { panic(http.ErrAbortHandler) }, mw.Recover(slog.New(slog.DiscardHandler)))
}

func TestTheAccessLogKnowsTheRouteAndNotThePath(t *testing.T) {
	for path, route := range map[string]string{"/things/canary?name=canary": "/things/:id", "/canary/1": "unknown", "/things/1/canary": "/things/:id"} {
		var log bytes.Buffer
		through(t, ask(t, path), io.Discard, fine, mw.AccessLog(slog.New(slog.NewJSONHandler(&log, nil))))
		var line map[string]any
		if err := json.Unmarshal(log.Bytes(), &line); err != nil {
			t.Fatalf("%v in %s", err, &log)
		}
		if line["route"] != route || strings.Contains(log.String(), "canary") {
			t.Errorf("%s: %s", path, &log)
		}
	}
}

func TestABodyIsUnpackedOrRefused(t *testing.T) {
	var packed bytes.Buffer
	g := gzip.NewWriter(&packed)
	_, _ = io.WriteString(g, "body")
	_ = g.Close()
	for _, c := range []struct {
		encoding, body string
		status         int
		read           string
	}{
		{"", "body", 200, "body"},
		{"identity", "body", 200, "body"},
		{"gzip", packed.String(), 200, "body"},
		{"gzip", "body", 400, ""},
		{"gzip", "", 400, ""},
		{"GZIP", packed.String(), 415, ""},
		{"deflate", "body", 415, ""},
		{"gzip, gzip", "body", 415, ""},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/things/1", strings.NewReader(c.body))
		r.Header.Set("Content-Encoding", c.encoding)
		read := ""
		w := through(t, r, io.Discard, func(c echo.Context) error {
			b, err := io.ReadAll(c.Request().Body)
			read = string(b)
			return errors.Join(err, c.NoContent(http.StatusOK))
		}, mw.Encodings(1<<20))
		if diff := cmp.Diff([]any{c.status, c.read}, []any{w.Code, read}); diff != "" {
			t.Errorf("%q %q:\n%s", c.encoding, c.body, diff)
		}
	}
}

func TestAHandlerThatTakesTooLongIsToldAndSaysTryAgain(t *testing.T) {
	w := through(t, ask(t, "/things/1"), io.Discard, func(c echo.Context) error {
		<-c.Request().Context().Done()
		return context.Cause(c.Request().Context())
	}, mw.Timeout(time.Millisecond))
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

func TestMetricsCountByPatternMethodAndStatus(t *testing.T) {
	m := mw.NewMetrics("1.2.3")
	for range 2 {
		through(t, ask(t, "/things/canary"), io.Discard, fine, m.Observe())
	}
	r := ask(t, "/canary")
	r.Method = "CANARY"
	through(t, r, io.Discard, fine, m.Observe())
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	for _, line := range []string{
		`protrack_http_request_seconds_count{method="POST",route="/things/:id",status="204"} 2`,
		`protrack_http_request_seconds_count{method="unknown",route="unknown",status="404"} 1`,
		`protrack_http_requests_in_flight 0`,
		`protrack_build_info{version="1.2.3"} 1`,
	} {
		if !strings.Contains(w.Body.String(), line+"\n") {
			t.Errorf("the metrics lack %s", line)
		}
	}
	if strings.Contains(strings.ToLower(w.Body.String()), "canary") {
		t.Error("the metrics hold what a caller made up")
	}
}

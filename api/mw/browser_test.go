package mw_test

import (
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/protrack/protrack/api/mw"
	"github.com/protrack/protrack/api/problem"
)

const (
	data = "default-src 'none'; frame-ancestors 'none'"
	page = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
		"connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
)

// site has a route of each kind, and each way to fail.
func site() *echo.Echo {
	log := slog.New(slog.DiscardHandler)
	e := echo.New()
	e.IPExtractor, e.SchemeExtractor = mw.AddressOf(nil), mw.SchemeOf(nil)
	e.HTTPErrorHandler = problem.Handler(log)
	e.Use(mw.Recover(log), mw.Headers())
	for _, path := range []string{"/", "/v1", "/v1x", "/healthz", "/metrics", "/openapi.json", "/sign-in"} {
		e.Any(path, fine)
	}
	e.POST("/v1/things", fine, middleware.BodyLimit("3B"))
	e.GET("/v1/things", fine)
	e.GET("/swagger/index.html", func(c echo.Context) error {
		c.Response().Header().Set("Content-Security-Policy", "of its own")
		return fine(c)
	})
	e.GET("/assets/page.js", func(c echo.Context) error {
		c.Response().Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		return fine(c)
	})
	for path, err := range map[string]error{
		"/v1/absent": echo.ErrNotFound, "/page/absent": echo.ErrNotFound, "/assets/absent": echo.ErrNotFound,
		"/v1/broken": errors.New("broken"), "/page/broken": errors.New("broken"),
	} {
		e.GET(path, func(echo.Context) error { return err })
	}
	e.GET("/page/panic", func(echo.Context) error { panic("broken") })
	return e
}

func TestEveryAnswerHasTheHeadersOfItsKind(t *testing.T) {
	e := site()
	for _, c := range []struct {
		ask    string
		status int
		policy string
		cache  string
	}{
		{"GET /v1/things", 204, data, "no-store"},
		{"GET /v1", 204, data, "no-store"},
		{"GET /healthz", 204, data, "no-store"},
		{"GET /metrics", 204, data, "no-store"},
		{"GET /openapi.json", 204, data, "no-store"},
		{"GET /", 204, page, "no-store"},
		{"GET /v1x", 204, page, "no-store"},
		{"GET /sign-in", 204, page, "no-store"},
		{"HEAD /sign-in", 204, page, "no-store"},
		{"POST /sign-in", 204, page, "no-store"},
		{"GET /swagger/index.html", 204, "of its own", "no-store"},
		{"GET /assets/page.js", 204, page, "public, max-age=31536000, immutable"},
		{"GET /v1/absent", 404, data, "no-store"},
		{"GET /page/absent", 404, page, "no-store"},
		{"GET /assets/absent", 404, page, "no-store"},
		{"POST /v1/absent", 405, data, "no-store"},
		{"POST /v1/things", 413, data, "no-store"},
		{"GET /v1/broken", 500, data, "no-store"},
		{"GET /page/broken", 500, page, "no-store"},
		{"GET /page/panic", 500, page, "no-store"},
	} {
		for _, secure := range []bool{false, true} {
			method, path, _ := strings.Cut(c.ask, " ")
			r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader("body"))
			r.Header.Set("X-Forwarded-Proto", "https")
			want := map[string]string{
				"Content-Security-Policy": c.policy, "Cache-Control": c.cache, "X-Content-Type-Options": "nosniff",
				"X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer", "Strict-Transport-Security": "",
				"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
			}
			if secure {
				r.TLS = &tls.ConnectionState{}
				want["Strict-Transport-Security"] = "max-age=31536000; includeSubdomains"
			}
			w := httptest.NewRecorder()
			e.ServeHTTP(w, r)
			got := map[string]string{}
			for name := range want {
				got[name] = w.Header().Get(name)
			}
			if diff := cmp.Diff(want, got); diff != "" || w.Code != c.status {
				t.Errorf("%s, TLS %t: %d\n%s", c.ask, secure, w.Code, diff)
			}
			if devices := w.Header().Get("Permissions-Policy"); !strings.Contains(devices, "camera=()") || !strings.Contains(devices, "microphone=()") {
				t.Errorf("%s: Permissions-Policy %q", c.ask, devices)
			}
		}
	}
}

func TestAFormIsTakenFromAPageOfThisServerAlone(t *testing.T) {
	const absent, ours = "absent", "http://clinic.example"
	sites := []string{"same-origin", "same-site", "cross-site", "none", "SAME-ORIGIN", "garbage", absent}
	origins := []string{
		ours, "http://evil.example", "http://clinic.example.evil.example", "http://clinic.example:8080",
		"http://evil.example/clinic.example", "null", "garbage", absent,
	}
	for _, site := range sites {
		for _, origin := range origins {
			// A browser that says same-origin is believed whatever Origin holds:
			// no-referrer makes null of it, and a proxy may give the host another name.
			vouched := site == "same-origin" || site == absent && origin == ours
			for method, reads := range map[string]bool{
				http.MethodPost: false, http.MethodPut: false, http.MethodPatch: false, http.MethodDelete: false,
				http.MethodTrace: false, http.MethodGet: true, http.MethodHead: true, http.MethodOptions: true,
			} {
				r := httptest.NewRequestWithContext(t.Context(), method, ours+"/things/1", http.NoBody)
				if site != absent {
					r.Header.Set("Sec-Fetch-Site", site)
				}
				if origin != absent {
					r.Header.Set("Origin", origin)
				}
				reached := false
				w := through(t, r, io.Discard, func(c echo.Context) error { reached = true; return fine(c) }, mw.SameOrigin())
				if want := reads || vouched; reached != want || !want && w.Code != http.StatusForbidden {
					t.Errorf("%s, Sec-Fetch-Site %s, Origin %s: %d, reached %t", method, site, origin, w.Code, reached)
				}
			}
		}
	}
}

func TestAnOriginOfNothingIsNotTheHostOfNothing(t *testing.T) {
	r := ask(t, "/things/1") // as HTTP/1.0 may be: without a host
	r.Host = ""
	r.Header.Set("Origin", "null")
	if w := through(t, r, io.Discard, fine, mw.SameOrigin()); w.Code != http.StatusForbidden {
		t.Errorf("%d", w.Code)
	}
}

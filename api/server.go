// Package api assembles the HTTP server: what every request passes through,
// and where each part is mounted.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/protrack/protrack/api/file"
	"github.com/protrack/protrack/api/mw"
	"github.com/protrack/protrack/api/problem"
	"github.com/protrack/protrack/api/rest"
	"github.com/protrack/protrack/api/web"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/research"
	"github.com/protrack/protrack/pkg/webhook"
)

// Deps is what the server needs. CORSOrigins may be empty: then no other
// site's pages may call it. Proxies may be: then no header is believed.
// Unsealed may be nil: then there is no such figure.
type Deps struct {
	Care        *care.Service
	Research    *research.Service
	Keys        *auth.Service
	Webhooks    *webhook.Service
	Queued      func() int                                 // messages that wait; nil: there is no such figure
	Waiting     func() (pending int, oldest time.Duration) // in the outbox; nil: there are no such figures
	Limits      *mw.Limits
	Provider    *auth.OIDC // nil: people sign in with passwords only
	Sessions    web.Store  // of browsers
	Clinic      string     // the clinic that the sign-in form offers
	Now         func() time.Time
	Proxies     []netip.Prefix
	Log         *slog.Logger
	NewID       func() uuid.UUID
	Ready       func(context.Context) error // nil error: it can serve
	Stopping    <-chan struct{}             // closed when the server is about to stop; nil: nobody says
	Unsealed    func() time.Duration        // age of the oldest audit entry that is not in its chain
	Unescalated func() time.Duration        // for how long an alert was to be told on that was not; nil: there is no such figure
	Version     string
	Patience    time.Duration // that a reader of a file has for each piece; 0: a minute
	CORSOrigins []string
}

// Sizes of request bodies, after unpacking, and the time an answer may take.
const (
	bodyLimit      = 256 << 10
	batchLimit     = 8 << 20          // 1,000 assessments of 20 items with long names and white space
	answerTime     = 12 * time.Second // within the time that a shutdown waits
	streamTime     = time.Hour        // of a file of any length: its snapshot keeps the database from tidying up
	readyTime      = time.Second
	maxHeaderBytes = 16 << 10
)

// New builds the handler of the whole server, without starting it.
func New(d Deps) *echo.Echo {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.IPExtractor, e.SchemeExtractor = mw.AddressOf(d.Proxies), mw.SchemeOf(d.Proxies)
	e.HTTPErrorHandler = problem.Handler(d.Log)
	metrics := mw.NewMetrics(d.Version)
	if d.Unsealed != nil {
		metrics.Gauge("protrack_audit_unsealed_seconds", "Age of the oldest entry of an audit trail that is not in its chain.",
			func() float64 { return d.Unsealed().Seconds() })
	}

	if d.Unescalated != nil {
		metrics.Gauge("protrack_alerts_unescalated_seconds", "For how long an alert was to be told on that was not.",
			func() float64 { return d.Unescalated().Seconds() })
	}
	if d.Waiting != nil {
		metrics.Gauge("protrack_outbox_pending", "Deliveries that wait for a webhook that is not disabled.",
			func() float64 { n, _ := d.Waiting(); return float64(n) })
		metrics.Gauge("protrack_outbox_oldest_seconds", "Age of the oldest of them.",
			func() float64 { _, age := d.Waiting(); return age.Seconds() })
	}
	if d.Queued != nil {
		metrics.Gauge("protrack_messages_queued", "Messages to clients and staff that wait to be sent.", func() float64 { return float64(d.Queued()) })
	}
	e.Use(mw.RequestID(d.NewID), mw.AccessLog(d.Log), metrics.Observe(), mw.Recover(d.Log), mw.Headers())
	if len(d.CORSOrigins) > 0 {
		e.Use(middleware.CORSWithConfig(corsConfig(d.CORSOrigins)))
	}
	e.Use(middleware.GzipWithConfig(middleware.GzipConfig{MinLength: 1024, Skipper: streamed}))

	e.GET("/healthz", d.health)
	e.GET("/readyz", d.readiness)
	e.GET("/metrics", metricsHandler(metrics))
	e.GET("/openapi.json", openAPI)
	mountSwagger(e)

	read := []echo.MiddlewareFunc{mw.Timeout(answerTime)}
	stream := []echo.MiddlewareFunc{mw.Timeout(streamTime)}
	taking := func(limit int64, timed []echo.MiddlewareFunc) []echo.MiddlewareFunc {
		return append(slices.Clip(timed), mw.Encodings(limit), middleware.BodyLimit(strconv.FormatInt(limit, 10)))
	}
	files := &file.Desk{Research: d.Research, Limits: d.Limits, Version: d.Version, Patience: d.Patience}
	handlers := &rest.Handlers{Care: d.Care, Research: d.Research, Keys: d.Keys, Webhooks: d.Webhooks, Limits: d.Limits, Provider: d.Provider, Files: files, Stopping: d.Stopping}
	handlers.Routes(e.Group("/v1"), rest.Through{
		Read: read, Write: taking(bodyLimit, read), Batch: taking(batchLimit, read), Slow: taking(bodyLimit, stream), Stream: stream, Live: nil,
	})
	site := &web.Site{
		Care: d.Care, Research: d.Research, Keys: d.Keys, Webhooks: d.Webhooks, Provider: d.Provider, Limits: d.Limits, Files: files,
		Clinic: d.Clinic, Now: d.Now, Log: d.Log,
	}
	site.Open(d.Sessions).Routes(e, web.Through{Read: read, Slow: stream})
	return e
}

// streamed reports whether a route answers with a file, which packs itself.
func streamed(c echo.Context) bool { return rest.Streamed(c) || web.Streamed(c) }

// Server gives the handler a net/http server with every timeout set. A slow
// or silent peer cannot hold a connection for longer.
func Server(addr string, handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Addr: addr, Handler: handler,
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 60 * time.Second,
		WriteTimeout: 90 * time.Second, IdleTimeout: 120 * time.Second,
		MaxHeaderBytes: maxHeaderBytes, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

func corsConfig(origins []string) middleware.CORSConfig {
	return middleware.CORSConfig{
		AllowOrigins:  origins,
		AllowMethods:  []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete},
		AllowHeaders:  []string{"Protrack-Clinic", echo.HeaderAuthorization, echo.HeaderContentType, echo.HeaderContentEncoding, "If-Match", echo.HeaderXRequestID},
		ExposeHeaders: []string{"RateLimit", "RateLimit-Policy", "ETag", echo.HeaderContentDisposition, echo.HeaderLocation, echo.HeaderXRequestID, echo.HeaderRetryAfter},
		MaxAge:        600,
	}
}

package mw

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/protrack/protrack/pkg/fault"
)

// Policies of what a browser may load. What a program reads loads nothing; a
// page loads what is this server's, and runs no script that stands in it.
const (
	dataPolicy = "default-src 'none'; frame-ancestors 'none'"
	pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
		"connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
)

// noDevices keeps the senses of a device from every page.
const noDevices = "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), " +
	"magnetometer=(), microphone=(), midi=(), payment=(), serial=(), usb=()"

// Headers sets what a browser must hold to, before anything else can answer, so
// that an error has it too. No cache keeps an answer: a handler of what may be
// kept, such as a script under /assets/, says so itself, as a handler whose
// page needs another policy does.
func Headers() echo.MiddlewareFunc {
	secure := middleware.SecureWithConfig(middleware.SecureConfig{
		ContentTypeNosniff: "nosniff", XFrameOptions: "DENY", HSTSMaxAge: 31536000, ReferrerPolicy: "no-referrer",
	})
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return secure(func(c echo.Context) error {
			h := c.Response().Header()
			h.Set(echo.HeaderContentSecurityPolicy, policyOf(c.Request().URL.Path))
			h.Set(echo.HeaderCacheControl, "no-store")
			h.Set("Cross-Origin-Opener-Policy", "same-origin")
			h.Set("Cross-Origin-Resource-Policy", "same-origin")
			h.Set("Permissions-Policy", noDevices)
			return next(c)
		})
	}
}

// policyOf is the policy of a path. What is not known to be data may be a page.
func policyOf(path string) string {
	switch path {
	case "/v1", "/healthz", "/readyz", "/metrics", "/openapi.json":
		return dataPolicy
	}
	if strings.HasPrefix(path, "/v1/") {
		return dataPolicy
	}
	return pagePolicy
}

// SameOrigin refuses what a browser does not vouch for as sent by a page of
// this server. It is for routes that a cookie opens; those that take a key need
// it not, for no other site's page can send one.
//
// A request that changes something must say Sec-Fetch-Site: same-origin or,
// from a browser that does not know it, an Origin with this host. Nothing said
// at all, and a request that the browser itself began, are refused as well.
// Pages say no-referrer, which empties Origin: that they are same-origin is
// told by Sec-Fetch-Site, and a browser tells it over HTTPS and to localhost.
func SameOrigin() echo.MiddlewareFunc {
	protection := http.NewCrossOriginProtection()
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			if err := protection.Check(r); err != nil {
				return fault.New(fault.Forbidden, "This came from another site's page.").Because(err)
			}
			if !reads(r.Method) && !vouched(r.Header) {
				return fault.New(fault.Forbidden, "A form is taken from a page of this server and from a current browser alone.")
			}
			return next(c)
		}
	}
}

// reads says that a method changes nothing.
func reads(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// vouched says that a browser named the page's origin; that it is this one has
// been checked.
func vouched(h http.Header) bool {
	site, origin := h.Get("Sec-Fetch-Site"), h.Get(echo.HeaderOrigin)
	return site == "same-origin" || site == "" && origin != "" && origin != "null"
}

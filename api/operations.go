package api

import (
	"context"
	"io/fs"
	"net/http"

	"github.com/labstack/echo/v4"
	swagger "github.com/swaggo/files/v2"

	"github.com/protrack/protrack/api/mw"
	"github.com/protrack/protrack/docs"
)

// Health says that the process lives or that it can serve.
type Health struct {
	Status  string `json:"status" example:"ok"`
	Version string `json:"version" example:"0.1.0"`
} //	@name	Health

// health answers while the process lives, whatever the database does.
//
//	@Summary	Is the process alive?
//	@Tags		operations
//	@Produce	json
//	@Success	200	{object}	Health
//	@Router		/healthz [get]
func (d Deps) health(c echo.Context) error {
	return c.JSON(http.StatusOK, Health{"ok", d.Version})
}

// readiness answers whether the server can serve, within a second.
//
//	@Summary	Can it serve?
//	@Tags		operations
//	@Produce	json
//	@Success	200	{object}	Health
//	@Failure	503	{object}	problem.Document
//	@Router		/readyz [get]
func (d Deps) readiness(c echo.Context) error {
	ctx, cancel := context.WithTimeout(c.Request().Context(), readyTime)
	defer cancel()
	if err := d.Ready(ctx); err != nil {
		return err
	}
	return c.JSON(http.StatusOK, Health{"ready", d.Version})
}

// metricsHandler serves the figures for Prometheus.
//
//	@Summary	Figures for Prometheus
//	@Tags		operations
//	@Produce	plain
//	@Success	200	{string}	string
//	@Router		/metrics [get]
func metricsHandler(m *mw.Metrics) echo.HandlerFunc { return echo.WrapHandler(m.Handler()) }

// openAPI serves the document of this API.
//
//	@Summary	This document
//	@Tags		operations
//	@Produce	json
//	@Success	200	{object}	object
//	@Router		/openapi.json [get]
func openAPI(c echo.Context) error { return c.JSONBlob(http.StatusOK, docs.OpenAPI) }

// swaggerPolicy lets the documentation's own script run; it styles inline.
const swaggerPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
	"font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// swaggerStart tells the page which document to show.
const swaggerStart = `window.onload = function () {
  window.ui = SwaggerUIBundle({
    url: "/openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null,
    presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset], layout: "StandaloneLayout"
  });
};
`

func mountSwagger(e *echo.Echo) {
	files := http.StripPrefix("/swagger/", http.FileServerFS(pages{swagger.FS}))
	e.GET("/swagger", func(c echo.Context) error { return c.Redirect(http.StatusMovedPermanently, "/swagger/index.html") })
	e.GET("/swagger/*", func(c echo.Context) error {
		c.Response().Header().Set(echo.HeaderContentSecurityPolicy, swaggerPolicy)
		switch c.Param("*") {
		case "", "index.html":
			page, err := fs.ReadFile(swagger.FS, "index.html")
			if err != nil {
				return err
			}
			return c.HTMLBlob(http.StatusOK, page)
		case "swagger-initializer.js":
			return c.Blob(http.StatusOK, "text/javascript; charset=utf-8", []byte(swaggerStart))
		}
		files.ServeHTTP(c.Response(), c.Request())
		return nil
	})
}

// pages hides folders, so that none is listed.
type pages struct{ fs.FS }

// Open opens a file, and no folder.
func (p pages) Open(name string) (fs.File, error) {
	f, err := p.FS.Open(name)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || info.IsDir() {
		_ = f.Close()
		return nil, fs.ErrNotExist
	}
	return f, nil
}

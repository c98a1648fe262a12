// Package rest is the JSON API under /v1. Handlers bind, call one service
// method and render; errors are returned, never written.
package rest

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/api/mw"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
)

// Handlers answers the routes of /v1.
type Handlers struct {
	Care *care.Service
	Keys *auth.Service
}

// Routes is the map of /v1. limit bounds the body of a single resource, and
// batch that of a batch.
func (h *Handlers) Routes(v1 *echo.Group, limit, batch echo.MiddlewareFunc) {
	one := v1.Group("", limit)
	one.GET("/instruments", h.signed(h.listInstruments))
	one.GET("/instruments/:instrument", h.signed(h.getInstrument))
	one.POST("/instruments/:instrument/score", h.signed(h.scoreInstrument))

	one.POST("/clients", h.signed(h.createClient))
	one.GET("/clients", h.signed(h.listClients))
	one.GET("/clients/:client_id", h.signed(h.getClient))
	one.PATCH("/clients/:client_id", h.signed(h.updateClient))

	one.POST("/clients/:client_id/courses", h.signed(h.createCourse))
	one.GET("/clients/:client_id/courses", h.signed(h.listCourses))
	one.GET("/courses/:course_id", h.signed(h.getCourse))
	one.PATCH("/courses/:course_id", h.signed(h.updateCourse))

	one.POST("/clients/:client_id/sessions", h.signed(h.createSession))
	one.GET("/clients/:client_id/sessions", h.signed(h.listSessions))
	one.GET("/sessions/:session_id", h.signed(h.getSession))
	one.PATCH("/sessions/:session_id", h.signed(h.updateSession))

	one.POST("/clients/:client_id/assessments", h.signed(h.createAssessment))
	one.GET("/clients/:client_id/assessments", h.signed(h.listAssessments))
	one.GET("/assessments/:assessment_id", h.signed(h.getAssessment))
	one.PUT("/assessments/:assessment_id", h.signed(h.amendAssessment))
	one.POST("/assessments/:assessment_id/retraction", h.signed(h.retractAssessment))
	one.GET("/assessments/:assessment_id/versions", h.signed(h.listAssessmentVersions))
	v1.POST("/assessments/batch", h.signed(h.recordBatch), batch)

	one.GET("/clients/:client_id/trajectory", h.signed(h.getTrajectory))
	one.GET("/clients/:client_id/trajectories", h.signed(h.listTrajectories))
	one.GET("/caseload", h.signed(h.listCaseload))

	one.GET("/settings/instruments", h.signed(h.listSettings))
	one.PUT("/settings/instruments/:instrument", h.signed(h.chooseSetting))

	one.POST("/keys", h.signed(h.createKey))
	one.GET("/keys", h.signed(h.listKeys))
	one.DELETE("/keys/:key_id", h.signed(h.revokeKey))
}

// signed finds out who is asking. A handler takes the principal as a
// parameter, so that no route can be mounted without.
func (h *Handlers) signed(handle func(echo.Context, auth.Principal) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		scheme, token, _ := strings.Cut(c.Request().Header.Get(echo.HeaderAuthorization), " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return fault.New(fault.Unauthenticated, "Send Authorization: Bearer with a key.")
		}
		who, err := h.Keys.Authenticate(c.Request().Context(), auth.Secret(strings.TrimSpace(token)))
		if err != nil {
			return err
		}
		mw.NoteActor(c, who)
		return handle(c, who)
	}
}

// etag is the version of a resource as it travels.
func etag(version int) string { return strconv.Quote(strconv.Itoa(version)) }

// found renders a single versioned resource.
func found(c echo.Context, version int, body any) error {
	c.Response().Header().Set("ETag", etag(version))
	return render(c, http.StatusOK, body)
}

// created renders the answer to a create: 201 and where it is, or 200 where
// it was there already.
func created(c echo.Context, outcome care.Outcome, location string, version int, body any) error {
	c.Response().Header().Set("ETag", etag(version))
	if outcome != care.Created {
		return render(c, http.StatusOK, body)
	}
	c.Response().Header().Set(echo.HeaderLocation, location)
	return render(c, http.StatusCreated, body)
}

// ifMatch reads the version that the caller has read; nil where none is named.
func ifMatch(c echo.Context) (*int, error) {
	h := strings.TrimSpace(c.Request().Header.Get("If-Match"))
	if h == "" {
		return nil, nil //nolint:nilnil // absent is not an error: the caller decides
	}
	// A proxy that packs the answer makes the tag weak; the version is the same.
	text, err := strconv.Unquote(strings.TrimPrefix(h, "W/"))
	version, errNumber := strconv.Atoi(text)
	if err != nil || errNumber != nil || version < 1 {
		return nil, fault.New(fault.Stale, "If-Match is the ETag of the version that was read, such as \"3\".",
			fault.Detail{Pointer: "/If-Match", In: "header", Code: "not_an_etag", Message: "One ETag is needed, as it was given."})
	}
	return &version, nil
}

// mustMatch is ifMatch for a change that may not go without.
func mustMatch(c echo.Context) (int, error) {
	version, err := ifMatch(c)
	if err == nil && version == nil {
		err = fault.New(fault.PreconditionRequired, "Send If-Match with the ETag of the version that was read.")
	}
	if err != nil {
		return 0, err
	}
	return *version, nil
}

// Package rest is the JSON API under /v1. Handlers bind, call one service
// method and render; errors are returned, never written.
package rest

import (
	"net/http"
	"regexp"
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

// Through is the middleware of each kind of route: those that read no body,
// those that take one thing, and the batch.
type Through struct{ Read, Write, Batch []echo.MiddlewareFunc }

// Routes is the map of /v1. The group has no middleware of its own: Echo would
// then answer 404 for a method that a path does not have.
func (h *Handlers) Routes(v1 *echo.Group, through Through) {
	one := func(method, path string, handle echo.HandlerFunc) {
		if method == http.MethodGet || method == http.MethodDelete {
			v1.Add(method, path, handle, through.Read...)
			return
		}
		v1.Add(method, path, handle, through.Write...)
	}
	one(http.MethodGet, "/instruments", h.signed(h.listInstruments))
	one(http.MethodGet, "/instruments/:instrument", h.asked(h.getInstrument))
	one(http.MethodPost, "/instruments/:instrument/score", h.signed(h.scoreInstrument))

	one(http.MethodPost, "/clients", h.signed(h.createClient))
	one(http.MethodGet, "/clients", h.asked(h.listClients))
	one(http.MethodGet, "/clients/:client_id", h.signed(h.getClient))
	one(http.MethodPatch, "/clients/:client_id", h.signed(h.updateClient))

	one(http.MethodPost, "/clients/:client_id/courses", h.signed(h.createCourse))
	one(http.MethodGet, "/clients/:client_id/courses", h.asked(h.listCourses))
	one(http.MethodGet, "/courses/:course_id", h.signed(h.getCourse))
	one(http.MethodPatch, "/courses/:course_id", h.signed(h.updateCourse))

	one(http.MethodPost, "/clients/:client_id/sessions", h.signed(h.createSession))
	one(http.MethodGet, "/clients/:client_id/sessions", h.asked(h.listSessions))
	one(http.MethodGet, "/sessions/:session_id", h.signed(h.getSession))
	one(http.MethodPatch, "/sessions/:session_id", h.signed(h.updateSession))

	one(http.MethodPost, "/clients/:client_id/assessments", h.signed(h.createAssessment))
	one(http.MethodGet, "/clients/:client_id/assessments", h.asked(h.listAssessments))
	one(http.MethodGet, "/assessments/:assessment_id", h.signed(h.getAssessment))
	one(http.MethodPut, "/assessments/:assessment_id", h.signed(h.amendAssessment))
	one(http.MethodPost, "/assessments/:assessment_id/retraction", h.signed(h.retractAssessment))
	one(http.MethodGet, "/assessments/:assessment_id/versions", h.asked(h.listAssessmentVersions))
	v1.POST("/assessments/batch", h.signed(h.recordBatch), through.Batch...)

	one(http.MethodGet, "/clients/:client_id/trajectory", h.asked(h.getTrajectory))
	one(http.MethodGet, "/clients/:client_id/trajectories", h.asked(h.listTrajectories))
	one(http.MethodGet, "/caseload", h.asked(h.listCaseload))

	one(http.MethodGet, "/settings/instruments", h.signed(h.listSettings))
	one(http.MethodPut, "/settings/instruments/:instrument", h.signed(h.chooseSetting))

	one(http.MethodPost, "/keys", h.signed(h.createKey))
	one(http.MethodGet, "/keys", h.asked(h.listKeys))
	one(http.MethodDelete, "/keys/:key_id", h.signed(h.revokeKey))
}

// signed is asked for a route without parameters: one that is sent all the
// same means something that is not understood.
func (h *Handlers) signed(handle func(echo.Context, auth.Principal) error) echo.HandlerFunc {
	return h.asked(func(c echo.Context, who auth.Principal) error {
		if err := query(c).err(); err != nil {
			return err
		}
		return handle(c, who)
	})
}

// asked finds out who is asking. A handler takes the principal as a
// parameter, so that no route can be mounted without.
func (h *Handlers) asked(handle func(echo.Context, auth.Principal) error) echo.HandlerFunc {
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
	version := 0
	if tag := versionTag.FindStringSubmatch(h); tag != nil {
		version, _ = strconv.Atoi(tag[1]) // nine digits at most
	}
	if version == 0 {
		return nil, fault.New(fault.Stale, "If-Match is the ETag of the version that was read, such as \"3\".",
			fault.Detail{Pointer: "/If-Match", In: "header", Code: "not_an_etag", Message: "One ETag is needed, as it was given."})
	}
	return &version, nil
}

var versionTag = regexp.MustCompile(`^(?:W/)?"([1-9][0-9]{0,8})"$`)

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

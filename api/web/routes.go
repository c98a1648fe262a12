package web

import (
	"embed"
	"io/fs"
	"net/http"
	"path"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/api/mw"
)

// Through is the middleware of each kind of page: most of them, and those that
// read the whole record or answer with a file of any length.
type Through struct{ Read, Slow []echo.MiddlewareFunc }

// Routes is the map of the pages.
func (s *Site) Routes(e *echo.Echo, t Through) {
	all := []echo.MiddlewareFunc{s.shown, mw.Recover(s.Log), mw.SameOrigin()}
	through, slowly := slices.Concat(t.Read, all), slices.Concat(t.Slow, all)
	get := func(path string, page func(*visit) error) {
		e.GET(path, s.serve(page), through...)
		e.HEAD(path, s.serve(page), through...)
	}
	post := func(path string, page func(*visit) error) { e.POST(path, s.serve(page), through...) }
	slow := func(path string, page func(*visit) error) { e.POST(path, s.serve(page), slowly...) }

	get("/login", s.login)
	post("/login", s.signIn)
	post("/login/provider", s.toProvider)
	e.GET("/login/callback", s.serve(s.fromProvider), through...) // not HEAD: its answer is taken once
	post("/logout", s.signOut)
	get("/setup", s.setup)
	post("/setup", s.setUp)
	post("/language", s.chooseLanguage)

	get("/", s.signedIn(s.home))
	get("/account", s.signedIn(s.account))
	post("/account/password", s.signedIn(s.changePassword))
	post("/account/totp", s.signedIn(s.enrol))
	post("/account/totp/confirm", s.signedIn(s.confirm))
	post("/account/totp/remove", s.signedIn(s.removeTOTP))
	post("/account/totp/codes", s.signedIn(s.renewCodes))

	get("/clients", s.signedIn(s.caseload))
	get("/today", s.signedIn(s.today))
	get("/clients/new", s.signedIn(s.newClient))
	post("/clients/new", s.signedIn(s.addClient))
	get("/clients/:client_id", s.signedIn(s.client))
	get("/clients/:client_id/history", s.signedIn(s.history))
	get("/clients/:client_id/report", s.signedIn(s.report))
	get("/clients/:client_id/edit", s.signedIn(s.editClient))
	post("/clients/:client_id/edit", s.signedIn(s.changeClient))
	get("/clients/:client_id/courses/new", s.signedIn(s.newCourse))
	post("/clients/:client_id/courses/new", s.signedIn(s.addCourse))
	get("/courses/:course_id/edit", s.signedIn(s.editCourse))
	post("/courses/:course_id/edit", s.signedIn(s.changeCourse))
	get("/clients/:client_id/sessions/new", s.signedIn(s.newSession))
	post("/clients/:client_id/sessions/new", s.signedIn(s.addSession))
	get("/sessions/:session_id/edit", s.signedIn(s.editSession))
	post("/sessions/:session_id/edit", s.signedIn(s.changeSession))
	get("/clients/:client_id/assessments/new", s.signedIn(s.newAssessment))
	post("/clients/:client_id/assessments/new", s.signedIn(s.addAssessment))
	get("/assessments/:assessment_id", s.signedIn(s.assessment))
	get("/assessments/:assessment_id/result", s.signedIn(s.result))
	get("/assessments/:assessment_id/amend", s.signedIn(s.amendForm))
	post("/assessments/:assessment_id/amend", s.signedIn(s.amend))
	get("/assessments/:assessment_id/retract", s.signedIn(s.retractForm))
	post("/assessments/:assessment_id/retract", s.signedIn(s.retract))
	get("/clients/:client_id/consents/new", s.signedIn(s.newConsent))
	post("/clients/:client_id/consents/new", s.signedIn(s.recordConsent))
	get("/clients/:client_id/break-glass", s.signedIn(s.askAccess))
	post("/clients/:client_id/break-glass", s.signedIn(s.breakGlass))

	get("/alerts", s.signedIn(s.alerts))
	get("/alerts/:alert_id", s.signedIn(s.alert))
	post("/alerts/:alert_id/acknowledge", s.signedIn(s.alertAct(s.acknowledgeAlert)))
	post("/alerts/:alert_id/dispose", s.signedIn(s.alertAct(s.disposeAlert)))
	post("/alerts/:alert_id/close", s.signedIn(s.alertAct(s.closeAlert)))

	get("/cohort", s.signedIn(s.cohorts))
	get("/cohort/:figure", s.signedIn(s.cohortFigure))
	get("/cohorts/new", s.signedIn(s.newCohort))
	post("/cohorts/new", s.signedIn(s.addCohort))

	get("/exports", s.signedIn(s.exports))
	slow(filePath, s.signedIn(s.exportFile))
	slow("/exports/codebook", s.signedIn(s.codebook))
	get("/exports/snapshots/new", s.signedIn(s.newSnapshot))
	slow("/exports/snapshots/new", s.signedIn(s.takeSnapshot))
	get("/exports/snapshots/:snapshot_id", s.signedIn(s.snapshot))
	slow(packagePath, s.signedIn(s.pullSnapshot))

	s.settingsRoutes(get, post)

	e.GET("/assets/:name", asset)
}

// settingsRoutes is the part of the map below Settings.
func (s *Site) settingsRoutes(get, post func(path string, page func(*visit) error)) {
	get("/settings", s.signedIn(s.settings))
	get("/settings/clinic", s.signedIn(s.clinicSettings))
	post("/settings/clinic", s.signedIn(s.changeClinicSettings))
	get("/settings/instruments", s.signedIn(s.instrumentSettings))
	get("/settings/instruments/:instrument", s.signedIn(s.instrumentSetting))
	post("/settings/instruments/:instrument", s.signedIn(s.chooseInstrumentSetting))
	get("/settings/people", s.signedIn(s.people))
	get("/settings/people/new", s.signedIn(s.invite))
	post("/settings/people/new", s.signedIn(s.addPerson))
	get("/settings/people/:account_id", s.signedIn(s.person))
	post("/settings/people/:account_id", s.signedIn(s.changePerson))
	post("/settings/people/:account_id/password", s.signedIn(s.resetPassword))
	get("/settings/keys", s.signedIn(s.keys))
	get("/settings/keys/new", s.signedIn(s.newKey))
	post("/settings/keys/new", s.signedIn(s.addKey))
	post("/settings/keys/:key_id/rotate", s.signedIn(s.rotateKey))
	post("/settings/keys/:key_id/revoke", s.signedIn(s.revokeKey))
	get("/settings/webhooks", s.signedIn(s.webhooks))
	get("/settings/webhooks/new", s.signedIn(s.newWebhook))
	post("/settings/webhooks/new", s.signedIn(s.addWebhook))
	get("/settings/webhooks/:webhook_id", s.signedIn(s.webhook))
	post("/settings/webhooks/:webhook_id/test", s.signedIn(s.webhookAct(s.testWebhook)))
	post("/settings/webhooks/:webhook_id/turn", s.signedIn(s.webhookAct(s.turnWebhook)))
	post("/settings/webhooks/:webhook_id/rotate", s.signedIn(s.rotateWebhook))
	post("/settings/webhooks/:webhook_id/remove", s.signedIn(s.removeWebhook))
	post("/settings/webhooks/:webhook_id/deliveries/:delivery_id/retry", s.signedIn(s.webhookAct(s.retryDelivery)))
	get("/settings/audit", s.signedIn(s.auditTrail))
}

//go:embed assets
var assets embed.FS

// mediaTypes are those of the files that pages load.
var mediaTypes = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}

// asset answers a file that pages load.
func asset(c echo.Context) error {
	name := c.Param("name")
	kind, known := mediaTypes[path.Ext(name)]
	if !known || !fs.ValidPath(name) {
		return echo.ErrNotFound
	}
	data, err := assets.ReadFile("assets/" + name)
	if err != nil {
		return echo.ErrNotFound
	}
	c.Response().Header().Set(echo.HeaderCacheControl, "public, max-age=300")
	return c.Blob(http.StatusOK, kind, data)
}

// These pages answer with a file of any length.
const (
	filePath    = "/exports/file"
	packagePath = "/exports/snapshots/:snapshot_id/package"
)

// Streamed reports whether a page answers with a file of any length. Such a
// page packs its answer itself, and ends it with trailers.
func Streamed(c echo.Context) bool { return c.Path() == filePath || c.Path() == packagePath }

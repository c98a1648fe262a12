// Package rest is the JSON API under /v1. Handlers bind, call a service and
// render; errors are returned, never written.
package rest

import (
	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/api/file"
	"github.com/protrack/protrack/api/mw"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/research"
	"github.com/protrack/protrack/pkg/webhook"
)

// Handlers answers the routes of /v1.
type Handlers struct {
	Care     *care.Service
	Research *research.Service
	Keys     *auth.Service
	Webhooks *webhook.Service
	Limits   *mw.Limits
	Files    *file.Desk

	// Stopping is closed when the server is about to stop, which ends what is
	// live; nil: nobody says.
	Stopping <-chan struct{}
	// Provider verifies the bearer tokens of people; nil: only keys are taken.
	Provider *auth.OIDC
}

// Routes is the map of /v1.
func (h *Handlers) Routes(v1 *echo.Group, through Through) {
	r := router{v1, through}
	r.get("/instruments", h.withoutQuery(h.listInstruments))
	r.get("/instruments/:instrument", h.withQuery(h.getInstrument))
	r.post("/instruments/:instrument/score", h.withoutQuery(h.scoreInstrument))

	r.post("/clients", h.withoutQuery(h.createClient))
	r.get("/clients", h.withQuery(h.listClients))
	r.get("/clients/:client_id", h.withoutQuery(h.getClient))
	r.patch("/clients/:client_id", h.withoutQuery(h.updateClient))

	r.post("/clients/:client_id/courses", h.withoutQuery(h.createCourse))
	r.get("/clients/:client_id/courses", h.withQuery(h.listCourses))
	r.get("/courses/:course_id", h.withoutQuery(h.getCourse))
	r.patch("/courses/:course_id", h.withoutQuery(h.updateCourse))

	r.post("/clients/:client_id/sessions", h.withoutQuery(h.createSession))
	r.get("/clients/:client_id/sessions", h.withQuery(h.listSessions))
	r.get("/sessions/:session_id", h.withoutQuery(h.getSession))
	r.patch("/sessions/:session_id", h.withoutQuery(h.updateSession))

	r.post("/clients/:client_id/assessments", h.withoutQuery(h.createAssessment))
	r.get("/clients/:client_id/assessments", h.withQuery(h.listAssessments))
	r.get("/assessments/:assessment_id", h.withoutQuery(h.getAssessment))
	r.put("/assessments/:assessment_id", h.withoutQuery(h.amendAssessment))
	r.post("/assessments/:assessment_id/retraction", h.withoutQuery(h.retractAssessment))
	r.get("/assessments/:assessment_id/versions", h.withQuery(h.listAssessmentVersions))
	r.batch("/assessments/batch", h.withoutQuery(h.recordBatch))

	r.get("/clients/:client_id/trajectory", h.withQuery(h.getTrajectory))
	r.get("/clients/:client_id/trajectory.svg", h.withQuery(h.getTrajectorySVG))
	r.get("/clients/:client_id/trajectory.png", h.withQuery(h.getTrajectoryPNG))
	r.get("/clients/:client_id/trajectories", h.withQuery(h.listTrajectories))
	r.get("/caseload", h.withQuery(h.listCaseload))
	r.get("/clients/:client_id/due-forms", h.withoutQuery(h.listDueForms))

	r.post("/clients/:client_id/consents", h.withoutQuery(h.recordConsent))
	r.get("/clients/:client_id/consents", h.withQuery(h.listConsents))
	r.post("/clients/:client_id/corrections", h.withoutQuery(h.requestCorrection))
	r.get("/clients/:client_id/corrections", h.withQuery(h.listCorrections))
	r.post("/corrections/:correction_id/decision", h.withoutQuery(h.decideCorrection))

	r.get("/clients/:client_id/team", h.withQuery(h.listTeam))
	r.put("/clients/:client_id/team/:member_id", h.withoutQuery(h.assignMember))
	r.delete("/clients/:client_id/team/:member_id", h.withoutQuery(h.dismissMember))
	r.post("/clients/:client_id/access", h.withoutQuery(h.breakGlass))

	r.get("/settings/instruments", h.withoutQuery(h.listSettings))
	r.put("/settings/instruments/:instrument", h.withoutQuery(h.chooseSetting))
	r.get("/settings/clinic", h.withoutQuery(h.getClinicSettings))
	r.put("/settings/clinic", h.withoutQuery(h.chooseClinicSettings))

	r.get("/clients/:client_id/disclosures", h.withQuery(h.listDisclosures))
	r.get("/clients/:client_id/record", h.withQuery(h.downloadRecord))
	r.post("/clients/:client_id/erasure", h.withoutQuery(h.eraseClient))
	r.post("/clients/:client_id/merge", h.withoutQuery(h.mergeClients))
	r.get("/clients/:client_id/merges", h.withQuery(h.listMerges))
	r.delete("/clients/:client_id/merge/:duplicate_id", h.withoutQuery(h.undoMerge))
	r.get("/audit", h.withQuery(h.listAudit))

	r.get("/exports/codebook", h.withQuery(h.getCodebook))
	r.stream(exportPath, h.withQuery(h.exportTable))
	r.slow("/snapshots", h.withoutQuery(h.takeSnapshot))
	r.get("/snapshots", h.withQuery(h.listSnapshots))
	r.get("/snapshots/:snapshot_id", h.withoutQuery(h.getSnapshot))
	r.stream(packagePath, h.withoutQuery(h.pullSnapshot))

	r.post("/cohorts", h.withoutQuery(h.createCohort))
	r.get("/cohorts", h.withQuery(h.listCohorts))
	r.get("/cohorts/:cohort_id", h.withoutQuery(h.getCohort))
	r.get("/cohort/change", h.withQuery(h.inTurn(h.cohortChange)))
	r.get("/cohort/recovery", h.withQuery(h.inTurn(h.cohortRecovery)))
	r.get("/cohort/shift", h.withQuery(h.inTurn(h.cohortShift)))
	r.get("/cohort/significance", h.withQuery(h.inTurn(h.cohortSignificance)))
	r.get("/cohort/item9", h.withQuery(h.inTurn(h.cohortItem9)))
	r.get("/cohort/flow", h.withQuery(h.inTurn(h.cohortFlow)))
	r.get("/cohort/survival", h.withQuery(h.inTurn(h.cohortSurvival)))
	r.get("/cohort/sessions", h.withQuery(h.inTurn(h.cohortSessions)))
	r.get("/cohort/expected", h.withQuery(h.inTurn(h.cohortExpected)))
	r.get("/cohort/measures", h.withQuery(h.inTurn(h.cohortMeasures)))

	r.post("/keys", h.withoutQuery(h.createKey))
	r.get("/keys", h.withQuery(h.listKeys))
	r.delete("/keys/:key_id", h.withoutQuery(h.revokeKey))
	r.post("/keys/:key_id/rotation", h.withoutQuery(h.rotateKey))

	r.post("/clients/:client_id/tokens", h.withoutQuery(h.mintToken))
	r.get("/clients/:client_id/tokens", h.withQuery(h.listTokens))
	r.delete("/tokens/:token_id", h.withoutQuery(h.revokeToken))

	r.post("/accounts", h.withoutQuery(h.createAccount))
	r.get("/accounts", h.withQuery(h.listAccounts))
	r.get("/accounts/:account_id", h.withoutQuery(h.getAccount))
	r.patch("/accounts/:account_id", h.withoutQuery(h.updateAccount))
	r.post("/accounts/:account_id/password-reset", h.withoutQuery(h.resetPassword))
	h.outward(r)
}

// outward are the routes that tell others what happens.
func (h *Handlers) outward(r router) {
	r.live(eventsPath, h.withQuery(h.streamEvents))
	r.get("/alerts", h.withQuery(h.listAlerts))
	r.get("/alerts/:alert_id", h.withoutQuery(h.getAlert))
	r.post("/alerts/:alert_id/acknowledgement", h.withoutQuery(h.acknowledgeAlert))
	r.post("/alerts/:alert_id/disposition", h.withoutQuery(h.disposeAlert))
	r.post("/alerts/:alert_id/closure", h.withoutQuery(h.closeAlert))
	r.get("/settings/alerts", h.withoutQuery(h.getAlertSettings))
	r.put("/settings/alerts", h.withoutQuery(h.chooseAlertSettings))

	r.get("/settings/messages", h.withoutQuery(h.getMessageSettings))
	r.put("/settings/messages", h.withoutQuery(h.chooseMessageSettings))
	r.get("/clients/:client_id/contact", h.withoutQuery(h.getContact))
	r.put("/clients/:client_id/contact", h.withoutQuery(h.putContact))
	r.get("/clients/:client_id/messages", h.withQuery(h.listMessages))

	r.post("/webhooks", h.withoutQuery(h.createWebhook))
	r.get("/webhooks", h.withQuery(h.listWebhooks))
	r.get("/webhooks/:webhook_id", h.withoutQuery(h.getWebhook))
	r.patch("/webhooks/:webhook_id", h.withoutQuery(h.updateWebhook))
	r.delete("/webhooks/:webhook_id", h.withoutQuery(h.removeWebhook))
	r.post("/webhooks/:webhook_id/rotation", h.withoutQuery(h.rotateWebhook))
	r.post("/webhooks/:webhook_id/test", h.withoutQuery(h.testWebhook))
	r.post("/webhooks/:webhook_id/replay", h.withoutQuery(h.replayEvents))
	r.get("/webhooks/:webhook_id/deliveries", h.withQuery(h.listDeliveries))
	r.post("/webhooks/:webhook_id/deliveries/:delivery_id/retry", h.withoutQuery(h.retryDelivery))
}

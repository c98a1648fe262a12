package rest

import (
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
)

// Alert is something that somebody has to look at. That there is none says
// nothing of a client.
type Alert struct {
	ID           uuid.UUID  `json:"id" swaggertype:"string" format:"uuid"`
	ClientID     uuid.UUID  `json:"client_id" swaggertype:"string" format:"uuid"`
	AssessmentID *uuid.UUID `json:"assessment_id" swaggertype:"string" format:"uuid" extensions:"x-nullable"` // null: a form is missing
	SessionID    *uuid.UUID `json:"session_id" swaggertype:"string" format:"uuid" extensions:"x-nullable"`    // after which a form is missing
	Rule         string     `json:"rule" example:"item9_endorsed"`
	Level        string     `json:"level" enums:"low,moderate,high,critical"`
	Status       string     `json:"status" enums:"open,acknowledged,actioned,closed"`
	RaisedAt     time.Time  `json:"raised_at" format:"date-time"`
	AnsweredAt   time.Time  `json:"answered_at" format:"date-time"` // by the form's own clock
	ReceivedAt   time.Time  `json:"received_at" format:"date-time"`
	Withdrawn    bool       `json:"withdrawn"`                                                            // the answer was amended or retracted, and says it no more
	RepeatOf     *uuid.UUID `json:"repeat_of" swaggertype:"string" format:"uuid" extensions:"x-nullable"` // an alert of the same rule that was open, and presses as much
	Tier         int        `json:"tier"`                                                                 // of the chain, that was told last
	NextAt       *time.Time `json:"next_at" format:"date-time" extensions:"x-nullable"`                   // when the next one is told unless somebody acknowledges
} //	@name	Alert

// AlertStep is a line of an alert's history.
type AlertStep struct {
	At          time.Time  `json:"at" format:"date-time"`
	By          *uuid.UUID `json:"by" swaggertype:"string" format:"uuid" extensions:"x-nullable"` // the key or account; null: the program
	Deed        string     `json:"deed" enums:"raised,changed,withdrawn,passed_over,escalated,acknowledged,actioned,closed"`
	Level       string     `json:"level" enums:"low,moderate,high,critical"`
	Status      string     `json:"status" enums:"open,acknowledged,actioned,closed"`
	Tier        int        `json:"tier"`
	Disposition string     `json:"disposition,omitempty" enums:"spoke_to_client,safety_plan,referred,emergency_services,not_reached,no_action_needed"`
	Note        string     `json:"note,omitempty"`
} //	@name	AlertStep

// AlertWithHistory is an alert and everything that became of it.
type AlertWithHistory struct {
	Alert
	History []AlertStep `json:"history"`
} //	@name	AlertWithHistory

// DispositionRequest says what was done about an alert.
type DispositionRequest struct {
	Disposition string `json:"disposition" validate:"required,oneof=spoke_to_client safety_plan referred emergency_services not_reached no_action_needed" enums:"spoke_to_client,safety_plan,referred,emergency_services,not_reached,no_action_needed"`
	Note        string `json:"note,omitempty" validate:"max=2000,text"`
} //	@name	DispositionRequest

func alertFromCare(a care.Alert) Alert {
	return Alert{
		ID: a.ID, ClientID: a.ClientID, AssessmentID: a.AssessmentID, SessionID: a.SessionID, Rule: a.Rule, Level: string(a.Level),
		Status: string(a.Status), RaisedAt: a.RaisedAt, AnsweredAt: a.AnsweredAt, ReceivedAt: a.ReceivedAt,
		Withdrawn: a.Withdrawn, RepeatOf: a.RepeatOf, Tier: a.Tier, NextAt: a.NextAt,
	}
}

func alertStepFromCare(s care.AlertStep) AlertStep {
	out := AlertStep{
		At: s.At, Deed: string(s.Deed), Level: string(s.Level), Status: string(s.Status), Tier: s.Tier,
		Disposition: string(s.Disposition), Note: string(s.Note),
	}
	if s.By != uuid.Nil {
		out.By = &s.By
	}
	return out
}

func alertWithHistory(a care.AlertWithHistory) AlertWithHistory {
	out := AlertWithHistory{Alert: alertFromCare(a.Alert), History: make([]AlertStep, len(a.History))}
	for i, step := range a.History {
		out.History[i] = alertStepFromCare(step)
	}
	return out
}

// listAlerts lists what somebody has to look at.
//
//	@Summary		List alerts
//	@Description	The newest first. That a client has none says nothing of them: most of those who died by suicide in the largest study of item 9 had answered 0.
//	@Tags			alerts
//	@Produce		json
//	@Param			status		query		string	false	"Only those of this status"	Enums(open, acknowledged, actioned, closed)
//	@Param			client_id	query		string	false	"Only this client's"		format(uuid)
//	@Param			limit		query		int		false	"At most so many"			minimum(1)	maximum(200)	default(50)
//	@Param			cursor		query		string	false	"next_cursor of the page before"
//	@Success		200			{object}	Page[Alert]
//	@Failure		401,403,404,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/alerts [get]
func (h *Handlers) listAlerts(c echo.Context, who auth.Principal) error {
	q := query(c)
	filter := care.AlertFilter{Client: q.ID("client_id")}
	filter.Status = choice(q, "status", "", care.AlertStatuses()...)
	page := q.page(alertList)
	if err := q.Err(); err != nil {
		return err
	}
	alerts, err := h.Care.Alerts(c.Request().Context(), who, filter, page)
	if err != nil {
		return err
	}
	return ok(c, pageOf(q, alerts, page, alertFromCare, func(a care.Alert) care.Position {
		return care.Position{Time: a.RaisedAt, ID: a.ID}
	}))
}

// getAlert shows an alert with its history.
//
//	@Summary	An alert and everything that became of it
//	@Tags		alerts
//	@Produce	json
//	@Param		alert_id	path		string	true	"Alert"	format(uuid)
//	@Success	200			{object}	AlertWithHistory
//	@Failure	401,403,404,422,503	{object}	problem.Document
//	@Security	Key
//	@Router		/v1/alerts/{alert_id} [get]
func (h *Handlers) getAlert(c echo.Context, who auth.Principal) error {
	id, err := pathID(c, "alert_id")
	if err != nil {
		return err
	}
	a, err := h.Care.Alert(c.Request().Context(), who, id)
	if err != nil {
		return err
	}
	return ok(c, alertWithHistory(a))
}

// acknowledgeAlert ends an alert's clock.
//
//	@Summary		Say that one looks after an alert
//	@Description	It ends the clock: nobody else is told. The alerts that repeat it are acknowledged with it. The same again by the same person answers what is stored; where another was faster the answer is 409.
//	@Tags			alerts
//	@Produce		json
//	@Param			alert_id	path		string	true	"Alert"	format(uuid)
//	@Success		200			{object}	AlertWithHistory
//	@Failure		400,401,403,404,409,413,415,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/alerts/{alert_id}/acknowledgement [post]
func (h *Handlers) acknowledgeAlert(c echo.Context, who auth.Principal) error {
	id, err := pathID(c, "alert_id")
	if err != nil {
		return err
	}
	a, err := h.Care.Acknowledge(c.Request().Context(), who, id)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, alertWithHistory(a))
}

// disposeAlert says what was done about an alert.
//
//	@Summary		Say what was done about an alert
//	@Description	Of an alert that was acknowledged. The same again by the same person answers what is stored.
//	@Tags			alerts
//	@Accept			json
//	@Produce		json
//	@Param			alert_id	path		string				true	"Alert"	format(uuid)
//	@Param			disposition	body		DispositionRequest	true	"What was done"
//	@Success		200			{object}	AlertWithHistory
//	@Failure		400,401,403,404,409,413,415,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/alerts/{alert_id}/disposition [post]
func (h *Handlers) disposeAlert(c echo.Context, who auth.Principal) error {
	id, err := pathID(c, "alert_id")
	if err != nil {
		return err
	}
	in, err := bind(c, func() DispositionRequest { return DispositionRequest{} })
	if err != nil {
		return err
	}
	a, err := h.Care.Dispose(c.Request().Context(), who, id, care.Disposition(in.Disposition), care.Private(in.Note))
	if err != nil {
		return err
	}
	return ok(c, alertWithHistory(a))
}

// closeAlert closes an alert of which it was told what was done.
//
//	@Summary	Close an alert
//	@Tags		alerts
//	@Produce	json
//	@Param		alert_id	path		string	true	"Alert"	format(uuid)
//	@Success	200			{object}	AlertWithHistory
//	@Failure	400,401,403,404,409,413,415,422,503	{object}	problem.Document
//	@Security	Key
//	@Router		/v1/alerts/{alert_id}/closure [post]
func (h *Handlers) closeAlert(c echo.Context, who auth.Principal) error {
	id, err := pathID(c, "alert_id")
	if err != nil {
		return err
	}
	a, err := h.Care.CloseAlert(c.Request().Context(), who, id)
	if err != nil {
		return err
	}
	return ok(c, alertWithHistory(a))
}

// recordAlerts gives a record's alerts, each with its history.
func recordAlerts(r care.Record) []AlertWithHistory {
	history := map[uuid.UUID][]care.AlertStep{}
	for _, step := range r.AlertSteps {
		history[step.AlertID] = append(history[step.AlertID], step)
	}
	return convert(r.Alerts, func(a care.Alert) AlertWithHistory {
		return alertWithHistory(care.AlertWithHistory{Alert: a, History: history[a.ID]})
	})
}

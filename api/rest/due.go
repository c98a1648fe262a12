package rest

import (
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
)

// DueForm is a form that a client has still to fill in.
type DueForm struct {
	Instrument string    `json:"instrument" example:"phq-9"`
	Timing     string    `json:"timing" enums:"before,after"`
	SessionID  uuid.UUID `json:"session_id" swaggertype:"string" format:"uuid"`
	DueFrom    time.Time `json:"due_from" format:"date-time"`
	DueUntil   time.Time `json:"due_until" format:"date-time"`
} //	@name	DueForm

func dueFormFromCare(f care.DueForm) DueForm {
	return DueForm{Instrument: f.Instrument, Timing: string(f.Timing), SessionID: f.SessionID, DueFrom: f.From, DueUntil: f.Until}
}

// listDueForms lists what a client has to fill in now.
//
//	@Summary		List the forms that a client has to fill in now
//	@Description	Before a dosing session from seven days ahead of it, after one for fourteen days: every instrument that the client was assessed with before, until it stands.
//	@Tags			assessments
//	@Produce		json
//	@Param			client_id	path		string	true	"Client"	format(uuid)
//	@Success		200			{object}	Page[DueForm]
//	@Failure		401,403,404,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/clients/{client_id}/due-forms [get]
func (h *Handlers) listDueForms(c echo.Context, who auth.Principal) error {
	client, err := pathID(c, "client_id")
	if err != nil {
		return err
	}
	forms, err := h.Care.DueForms(c.Request().Context(), who, client)
	if err != nil {
		return err
	}
	return ok(c, whole(forms, dueFormFromCare))
}

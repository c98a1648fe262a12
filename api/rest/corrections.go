package rest

import (
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
)

// CorrectionRequest is what a client wants corrected.
type CorrectionRequest struct {
	ID       *uuid.UUID `json:"id,omitempty" validate:"omitempty,id" swaggertype:"string" format:"uuid"`
	Target   string     `json:"target" validate:"required,oneof=client course session assessment other" enums:"client,course,session,assessment,other"`
	TargetID *uuid.UUID `json:"target_id,omitempty" validate:"omitempty,id" swaggertype:"string" format:"uuid"` // one of this client's
	Request  string     `json:"request" validate:"required,max=2000,text"`                                      // in the client's words
} //	@name	CorrectionRequest

// DecisionRequest is the answer to a request for correction.
type DecisionRequest struct {
	Status string `json:"status" validate:"required,oneof=accepted refused" enums:"accepted,refused"`
	Note   string `json:"note,omitempty" validate:"max=2000,text"` // why
} //	@name	DecisionRequest

// Correction is a request for correction and what became of it.
type Correction struct {
	ID          uuid.UUID  `json:"id" swaggertype:"string" format:"uuid"`
	ClientID    uuid.UUID  `json:"client_id" swaggertype:"string" format:"uuid"`
	Target      string     `json:"target" enums:"client,course,session,assessment,other"`
	TargetID    *uuid.UUID `json:"target_id" swaggertype:"string" format:"uuid" extensions:"x-nullable"`
	Request     string     `json:"request"`
	Status      string     `json:"status" enums:"open,accepted,refused"`
	Note        string     `json:"note"`
	RequestedAt time.Time  `json:"requested_at" format:"date-time"`
	RequestedBy uuid.UUID  `json:"requested_by" swaggertype:"string" format:"uuid"`
	DecidedAt   *time.Time `json:"decided_at" format:"date-time" extensions:"x-nullable"`
	DecidedBy   *uuid.UUID `json:"decided_by" swaggertype:"string" format:"uuid" extensions:"x-nullable"`
} //	@name	Correction

func (r CorrectionRequest) toCare(client uuid.UUID) care.Correction {
	c := care.Correction{
		ClientID: client, Target: care.CorrectionTarget(r.Target), TargetID: r.TargetID, Request: care.Private(r.Request),
	}
	if r.ID != nil {
		c.ID = *r.ID
	}
	return c
}

func correctionFromCare(c care.Correction) Correction {
	return Correction{
		ID: c.ID, ClientID: c.ClientID, Target: string(c.Target), TargetID: c.TargetID, Request: string(c.Request),
		Status: string(c.Status), Note: string(c.Note), RequestedAt: c.RequestedAt, RequestedBy: c.RequestedBy,
		DecidedAt: c.DecidedAt, DecidedBy: c.DecidedBy,
	}
}

// requestCorrection stores a client's request for correction.
//
//	@Summary		Request a correction
//	@Description	It changes nothing by itself: what is accepted is then amended. A repeat with the same id and content answers 200 with what is stored.
//	@Tags			corrections
//	@Accept			json
//	@Produce		json
//	@Param			client_id	path		string				true	"Client"	format(uuid)
//	@Param			correction	body		CorrectionRequest	true	"The request"
//	@Success		201			{object}	Correction
//	@Success		200			{object}	Correction	"It was stored before, with the same content"
//	@Failure		400,401,403,404,409,413,415,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/clients/{client_id}/corrections [post]
func (h *Handlers) requestCorrection(c echo.Context, who auth.Principal) error {
	client, err := pathID(c, "client_id")
	if err != nil {
		return err
	}
	in, err := bindWhole(c, func() CorrectionRequest { return CorrectionRequest{} },
		func(r CorrectionRequest) []fault.Detail { return h.Care.CheckCorrection(r.toCare(client)) })
	if err != nil {
		return err
	}
	correction, outcome, err := h.Care.RequestCorrection(c.Request().Context(), who, in.toCare(client))
	if err != nil {
		return err
	}
	return stored(c, outcome, "/v1/clients/"+client.String()+"/corrections", correctionFromCare(correction))
}

// listCorrections lists a client's requests for correction.
//
//	@Summary	List a client's requests for correction
//	@Tags		corrections
//	@Produce	json
//	@Param		client_id	path		string	true	"Client"			format(uuid)
//	@Param		limit		query		int		false	"At most so many"	minimum(1)	maximum(200)	default(50)
//	@Param		cursor		query		string	false	"next_cursor of the page before"
//	@Success	200			{object}	Page[Correction]
//	@Failure	401,403,404,422,503	{object}	problem.Document
//	@Security	Key
//	@Router		/v1/clients/{client_id}/corrections [get]
func (h *Handlers) listCorrections(c echo.Context, who auth.Principal) error {
	client, err := pathID(c, "client_id")
	if err != nil {
		return err
	}
	q := query(c)
	page := q.page(correctionList)
	if err := q.Err(); err != nil {
		return err
	}
	corrections, err := h.Care.Corrections(c.Request().Context(), who, client, page)
	if err != nil {
		return err
	}
	return ok(c, pageOf(q, corrections, page, correctionFromCare, func(c care.Correction) care.Position {
		return care.Position{Time: c.RequestedAt, ID: c.ID}
	}))
}

// decideCorrection answers a request for correction.
//
//	@Summary		Decide on a request for correction
//	@Description	Once: the same decision again answers what is stored, another is refused.
//	@Tags			corrections
//	@Accept			json
//	@Produce		json
//	@Param			correction_id	path		string			true	"Request"	format(uuid)
//	@Param			decision		body		DecisionRequest	true	"The decision"
//	@Success		200				{object}	Correction
//	@Failure		400,401,403,404,409,413,415,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/corrections/{correction_id}/decision [post]
func (h *Handlers) decideCorrection(c echo.Context, who auth.Principal) error {
	id, err := pathID(c, "correction_id")
	if err != nil {
		return err
	}
	in, err := bind(c, func() DecisionRequest { return DecisionRequest{} })
	if err != nil {
		return err
	}
	correction, err := h.Care.DecideCorrection(c.Request().Context(), who, id, care.CorrectionStatus(in.Status), care.Private(in.Note))
	if err != nil {
		return err
	}
	return ok(c, correctionFromCare(correction))
}

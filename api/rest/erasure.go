package rest

import (
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
)

// ErasureRequest says why a client's record is erased.
type ErasureRequest struct {
	Reason string `json:"reason" validate:"required,oneof=client_request legal_order recorded_by_mistake retention_ended" enums:"client_request,legal_order,recorded_by_mistake,retention_ended"`
} //	@name	ErasureRequest

// Erasure is what an erasure removed and what it left.
type Erasure struct {
	ClientID uuid.UUID      `json:"client_id" swaggertype:"string" format:"uuid"`
	ErasedAt time.Time      `json:"erased_at" format:"date-time"`
	Removed  map[string]int `json:"removed"` // table to rows
	Kept     []Kept         `json:"kept"`
} //	@name	Erasure

// Kept is one thing that an erasure leaves.
type Kept struct {
	What string `json:"what" example:"audit_trail"`
	Why  string `json:"why"`
} //	@name	Kept

func erasureFromCare(e care.Erasure) Erasure {
	out := Erasure{ClientID: e.ClientID, ErasedAt: e.ErasedAt, Removed: e.Removed, Kept: make([]Kept, len(e.Kept))}
	for i, k := range e.Kept {
		out.Kept[i] = Kept(k)
	}
	return out
}

// eraseClient removes a client's record.
//
//	@Summary		Erase a client
//	@Description	Removes the client, everything recorded of them, and every record merged into this one, for good. Asked again, it answers what was done; every other route then answers 410.
//	@Tags			rights
//	@Accept			json
//	@Produce		json
//	@Param			client_id	path		string			true	"Client"	format(uuid)
//	@Param			erasure		body		ErasureRequest	true	"Why"
//	@Success		200			{object}	Erasure
//	@Failure		400,401,403,404,409,413,415,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/clients/{client_id}/erasure [post]
func (h *Handlers) eraseClient(c echo.Context, who auth.Principal) error {
	client, err := pathID(c, "client_id")
	if err != nil {
		return err
	}
	in, err := bind(c, func() ErasureRequest { return ErasureRequest{} })
	if err != nil {
		return err
	}
	erasure, err := h.Care.EraseClient(c.Request().Context(), who, client, care.ErasureReason(in.Reason))
	if err != nil {
		return err
	}
	return ok(c, erasureFromCare(erasure))
}

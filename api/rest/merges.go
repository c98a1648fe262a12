package rest

import (
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
)

// MergeRequest says that another record is of the same person.
type MergeRequest struct {
	ID          *uuid.UUID `json:"id,omitempty" validate:"omitempty,id" swaggertype:"string" format:"uuid"`
	DuplicateID uuid.UUID  `json:"duplicate_id" validate:"required,id" swaggertype:"string" format:"uuid"`
	Reason      string     `json:"reason" validate:"required,max=500,text" example:"Registered twice."`
} //	@name	MergeRequest

// Merge says that two records are of one person.
type Merge struct {
	ID          uuid.UUID  `json:"id" swaggertype:"string" format:"uuid"`
	ClientID    uuid.UUID  `json:"client_id" swaggertype:"string" format:"uuid"` // the record that stands for the person
	DuplicateID uuid.UUID  `json:"duplicate_id" swaggertype:"string" format:"uuid"`
	Reason      string     `json:"reason"`
	MergedAt    time.Time  `json:"merged_at" format:"date-time"`
	MergedBy    uuid.UUID  `json:"merged_by" swaggertype:"string" format:"uuid"`
	UndoneAt    *time.Time `json:"undone_at" format:"date-time" extensions:"x-nullable"` // null: it holds
	UndoneBy    *uuid.UUID `json:"undone_by" swaggertype:"string" format:"uuid" extensions:"x-nullable"`
} //	@name	Merge

func (r MergeRequest) toCare(survivor uuid.UUID) care.Merge {
	m := care.Merge{Survivor: survivor, Duplicate: r.DuplicateID, Reason: care.Private(r.Reason)}
	if r.ID != nil {
		m.ID = *r.ID
	}
	return m
}

func mergeFromCare(m care.Merge) Merge {
	return Merge{
		ID: m.ID, ClientID: m.Survivor, DuplicateID: m.Duplicate, Reason: string(m.Reason),
		MergedAt: m.MergedAt, MergedBy: m.MergedBy, UndoneAt: m.UndoneAt, UndoneBy: m.UndoneBy,
	}
}

// mergeClients says that another record is of the same person.
//
//	@Summary		Merge two clients
//	@Description	The client in the path stands for both from then on. Nothing moves, and it can be undone: what is sent for the duplicate is stored under it still. A repeat with the same id and content answers 200.
//	@Tags			rights
//	@Accept			json
//	@Produce		json
//	@Param			client_id	path		string			true	"The client who stays"	format(uuid)
//	@Param			merge		body		MergeRequest	true	"The duplicate"
//	@Success		201			{object}	Merge
//	@Success		200			{object}	Merge	"It was stored before, with the same content"
//	@Failure		400,401,403,404,409,413,415,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/clients/{client_id}/merge [post]
func (h *Handlers) mergeClients(c echo.Context, who auth.Principal) error {
	client, err := pathID(c, "client_id")
	if err != nil {
		return err
	}
	in, err := bind(c, func() MergeRequest { return MergeRequest{} })
	if err != nil {
		return err
	}
	merge, outcome, err := h.Care.MergeClients(c.Request().Context(), who, in.toCare(client))
	if err != nil {
		return err
	}
	if outcome != care.Created {
		return ok(c, mergeFromCare(merge))
	}
	c.Response().Header().Set(echo.HeaderLocation, "/v1/clients/"+client.String()+"/merges")
	return render(c, http.StatusCreated, mergeFromCare(merge))
}

// listMerges lists the merges of a client.
//
//	@Summary	List a client's merges
//	@Tags		rights
//	@Produce	json
//	@Param		client_id	path		string	true	"Client, as either of the two"	format(uuid)
//	@Param		limit		query		int		false	"At most so many"	minimum(1)	maximum(200)	default(50)
//	@Param		cursor		query		string	false	"next_cursor of the page before"
//	@Success	200			{object}	Page[Merge]
//	@Failure	401,403,404,422,503	{object}	problem.Document
//	@Security	Key
//	@Router		/v1/clients/{client_id}/merges [get]
func (h *Handlers) listMerges(c echo.Context, who auth.Principal) error {
	client, err := pathID(c, "client_id")
	if err != nil {
		return err
	}
	q := query(c)
	page := q.page(mergeList)
	if err := q.Err(); err != nil {
		return err
	}
	merges, err := h.Care.Merges(c.Request().Context(), who, client, page)
	if err != nil {
		return err
	}
	return ok(c, pageOf(q, merges, page, mergeFromCare, func(m care.Merge) care.Position {
		return care.Position{Time: m.MergedAt, ID: m.ID}
	}))
}

// undoMerge takes a merge back.
//
//	@Summary		Undo a merge
//	@Description	Each record stands for itself again, with what was stored under it before and since. Undoing again changes nothing.
//	@Tags			rights
//	@Produce		json
//	@Param			client_id		path	string	true	"The client who stood for both"	format(uuid)
//	@Param			duplicate_id	path	string	true	"The duplicate"	format(uuid)
//	@Success		204
//	@Failure		401,403,404,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/clients/{client_id}/merge/{duplicate_id} [delete]
func (h *Handlers) undoMerge(c echo.Context, who auth.Principal) error {
	client, err := pathID(c, "client_id")
	if err != nil {
		return err
	}
	duplicate, err := pathID(c, "duplicate_id")
	if err != nil {
		return err
	}
	if err := h.Care.UndoMerge(c.Request().Context(), who, client, duplicate); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

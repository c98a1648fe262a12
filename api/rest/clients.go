package rest

import (
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/instrument"
)

// ClientRequest is a client as a front end writes it.
type ClientRequest struct {
	ID          *uuid.UUID `json:"id,omitempty" validate:"omitempty,id" swaggertype:"string" format:"uuid"` // chosen by the sender; version 7 advised
	Reference   string     `json:"reference" validate:"required,max=100,line" example:"P-0042"`             // the clinic's own number; unique in the clinic
	DisplayName string     `json:"display_name,omitempty" validate:"max=200,line"`
	BirthYear   *int       `json:"birth_year,omitempty" example:"1985"`
	Sex         string     `json:"sex,omitempty" validate:"omitempty,oneof=female male other unknown" enums:"female,male,other,unknown"`
	TimeZone    string     `json:"time_zone,omitempty" validate:"max=64,line" example:"America/Denver"` // IANA name
} //	@name	ClientRequest

// Client is a stored client.
type Client struct {
	ID          uuid.UUID  `json:"id" swaggertype:"string" format:"uuid"`
	Reference   string     `json:"reference" example:"P-0042"`
	DisplayName string     `json:"display_name"`
	BirthYear   *int       `json:"birth_year" extensions:"x-nullable"`
	Sex         string     `json:"sex" enums:"female,male,other,unknown,"`
	TimeZone    string     `json:"time_zone"`
	MergedInto  *uuid.UUID `json:"merged_into,omitempty" swaggertype:"string" format:"uuid"` // the client whose duplicate this is
	Version     int        `json:"version" example:"1"`
	RecordedAt  time.Time  `json:"recorded_at" format:"date-time"`
} //	@name	Client

func (r ClientRequest) toCare() care.Client {
	c := care.Client{
		Reference: care.Private(r.Reference), DisplayName: care.Private(r.DisplayName),
		BirthYear: r.BirthYear, Sex: instrument.Sex(r.Sex), TimeZone: r.TimeZone,
	}
	if r.ID != nil {
		c.ID = *r.ID
	}
	return c
}

// requestFromClient is what a patch starts from.
func requestFromClient(c care.Client) ClientRequest {
	return ClientRequest{
		Reference: string(c.Reference), DisplayName: string(c.DisplayName),
		BirthYear: clone(c.BirthYear), Sex: string(c.Sex), TimeZone: c.TimeZone,
	}
}

func clientFromCare(c care.Client) Client {
	return Client{
		ID: c.ID, Reference: string(c.Reference), DisplayName: string(c.DisplayName), BirthYear: c.BirthYear,
		Sex: string(c.Sex), TimeZone: c.TimeZone, MergedInto: c.MergedInto, Version: c.Version, RecordedAt: c.RecordedAt,
	}
}

// clone copies what a pointer points to, so that a patch cannot reach it.
func clone[T any](p *T) *T {
	if p == nil {
		return nil
	}
	return new(*p)
}

// createClient stores a client.
//
//	@Summary		Create a client
//	@Description	A repeat with the same id and content answers 200 with what is stored.
//	@Tags			clients
//	@Accept			json
//	@Produce		json
//	@Param			client	body		ClientRequest	true	"The client"
//	@Success		201		{object}	Client
//	@Success		200		{object}	Client	"It was stored before, with the same content"
//	@Failure		400,401,403,409,413,415,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/clients [post]
func (h *Handlers) createClient(c echo.Context, who auth.Principal) error {
	in, err := bindWhole(c, func() ClientRequest { return ClientRequest{} },
		func(r ClientRequest) []fault.Detail { return h.Care.CheckClient(r.toCare()) })
	if err != nil {
		return err
	}
	client, outcome, err := h.Care.CreateClient(c.Request().Context(), who, in.toCare())
	if err != nil {
		return err
	}
	return created(c, outcome, "/v1/clients/"+client.ID.String(), client.Version, clientFromCare(client))
}

// listClients lists the clinic's clients by reference.
//
//	@Summary	List clients
//	@Tags		clients
//	@Produce	json
//	@Param		limit	query		int		false	"At most so many"	minimum(1)	maximum(200)	default(50)
//	@Param		cursor	query		string	false	"next_cursor of the page before"
//	@Success	200		{object}	Page[Client]
//	@Failure	401,403,422,503	{object}	problem.Document
//	@Security	Key
//	@Router		/v1/clients [get]
func (h *Handlers) listClients(c echo.Context, who auth.Principal) error {
	q := query(c)
	page := q.page(clientList)
	if err := q.Err(); err != nil {
		return err
	}
	clients, err := h.Care.Clients(c.Request().Context(), who, page)
	if err != nil {
		return err
	}
	return ok(c, pageOf(q, clients, page, clientFromCare, func(c care.Client) care.Position {
		return care.Position{Text: string(c.Reference), ID: c.ID}
	}))
}

// getClient returns a client.
//
//	@Summary	Get a client
//	@Tags		clients
//	@Produce	json
//	@Param		client_id	path		string	true	"Client"	format(uuid)
//	@Success	200			{object}	Client
//	@Failure	401,403,404,422,503	{object}	problem.Document
//	@Security	Key
//	@Router		/v1/clients/{client_id} [get]
func (h *Handlers) getClient(c echo.Context, who auth.Principal) error {
	id, err := pathID(c, "client_id")
	if err != nil {
		return err
	}
	client, err := h.Care.Client(c.Request().Context(), who, id)
	if err != nil {
		return err
	}
	return found(c, client.Version, clientFromCare(client))
}

// updateClient changes the members of a client that are sent.
//
//	@Summary		Change a client
//	@Description	A JSON merge patch: absent members stay, null empties. Needs If-Match.
//	@Tags			clients
//	@Accept			json
//	@Produce		json
//	@Param			client_id	path		string			true	"Client"	format(uuid)
//	@Param			If-Match	header		string			true	"ETag of the version that was read"
//	@Param			client		body		ClientRequest	true	"What changes"
//	@Success		200			{object}	Client
//	@Failure		400,401,403,404,409,412,413,415,422,428,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/clients/{client_id} [patch]
func (h *Handlers) updateClient(c echo.Context, who auth.Principal) error {
	version, current, err := patching(c, who, "client_id", h.Care.Client)
	if err != nil {
		return err
	}
	in, err := bindWhole(c, func() ClientRequest { return requestFromClient(current) }, func(r ClientRequest) []fault.Detail {
		return append(sameID(r.ID, current.ID), h.Care.CheckClient(r.toCare())...)
	})
	if err != nil {
		return err
	}
	changed := in.toCare()
	changed.ID = current.ID
	client, err := h.Care.UpdateClient(c.Request().Context(), who, changed, version)
	if err != nil {
		return err
	}
	return found(c, client.Version, clientFromCare(client))
}

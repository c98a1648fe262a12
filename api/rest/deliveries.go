package rest

import (
	"math"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/webhook"
)

// Delivery is one event on its way to one webhook.
type Delivery struct {
	ID          uuid.UUID  `json:"id" swaggertype:"string" format:"uuid"`
	EventID     uuid.UUID  `json:"event_id" swaggertype:"string" format:"uuid"` // webhook-id of the message
	EventSeq    int64      `json:"event_seq"`                                   // the event's place, as in GET /v1/events
	Type        string     `json:"type"`
	At          time.Time  `json:"at" format:"date-time"` // of the event
	State       string     `json:"state" enums:"pending,delivered,dead"`
	Attempts    int        `json:"attempts"`
	DueAt       *time.Time `json:"due_at" format:"date-time" extensions:"x-nullable"` // of the next attempt
	LastAt      *time.Time `json:"last_at" format:"date-time" extensions:"x-nullable"`
	LastStatus  *int       `json:"last_status" extensions:"x-nullable"` // that the receiver answered
	LastError   *string    `json:"last_error" enums:"status,redirect,timeout,address_refused,name_unknown,tls,connection" extensions:"x-nullable"`
	DeliveredAt *time.Time `json:"delivered_at" format:"date-time" extensions:"x-nullable"`
	CreatedAt   time.Time  `json:"created_at" format:"date-time"`
} //	@name	Delivery

func deliveryFrom(d webhook.Delivery) Delivery {
	out := Delivery{
		ID: d.ID, EventID: d.Event.ID, EventSeq: d.Event.Seq, Type: d.Event.Type, At: d.Event.At, State: string(d.State), Attempts: d.Attempts,
		LastAt: d.LastAt, DeliveredAt: d.DeliveredAt, CreatedAt: d.CreatedAt,
	}
	if d.State == webhook.Pending {
		out.DueAt = &d.Due
	}
	out.LastStatus, out.LastError = answered(d.LastStatus, d.LastError)
	return out
}

// answered is null for what there was not.
func answered(status int, code string) (*int, *string) {
	var s *int
	var e *string
	if status != 0 {
		s = &status
	}
	if code != "" {
		e = &code
	}
	return s, e
}

// listDeliveries lists what was sent to a webhook, or is to be.
//
//	@Summary		List a webhook's deliveries
//	@Description	The newest first. Those in state dead were given up after ten attempts in three days: retry them, or replay from their event.
//	@Tags			webhooks
//	@Produce		json
//	@Param			webhook_id	path		string	true	"Webhook"	format(uuid)
//	@Param			state		query		string	false	"Only those in this state"	Enums(pending, delivered, dead)
//	@Param			limit		query		int		false	"At most so many"	minimum(1)	maximum(200)	default(50)
//	@Param			cursor		query		string	false	"next_cursor of the page before"
//	@Success		200			{object}	Page[Delivery]
//	@Failure		401,403,404,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/webhooks/{webhook_id}/deliveries [get]
func (h *Handlers) listDeliveries(c echo.Context, who auth.Principal) error {
	id, err := pathID(c, "webhook_id")
	if err != nil {
		return err
	}
	q := query(c)
	state := choice(q, "state", "", webhook.States()...)
	page := q.page(deliveryList)
	if err := q.Err(); err != nil {
		return err
	}
	below := int64(0)
	if n := page.After.Number; n != nil {
		below = int64(*n)
	}
	rows, err := h.Webhooks.Deliveries(c.Request().Context(), who, id, state, below, page.Limit)
	if err != nil {
		return err
	}
	return ok(c, pageOf(q, rows, page, deliveryFrom, func(d webhook.Delivery) care.Position {
		return care.Position{Number: new(float64(d.Place)), ID: d.ID}
	}))
}

// retryDelivery sends a delivery anew.
//
//	@Summary		Send a delivery anew
//	@Description	One that is pending or dead is due now, with all of its attempts before it. There is no body.
//	@Tags			webhooks
//	@Param			webhook_id	path	string	true	"Webhook"	format(uuid)
//	@Param			delivery_id	path	string	true	"Delivery"	format(uuid)
//	@Success		204
//	@Failure		401,403,404,409,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/retry [post]
func (h *Handlers) retryDelivery(c echo.Context, who auth.Principal) error {
	id, err := pathID(c, "webhook_id")
	if err != nil {
		return err
	}
	delivery, err := pathID(c, "delivery_id")
	if err != nil {
		return err
	}
	if err := h.Webhooks.Retry(c.Request().Context(), who, id, delivery); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

// WebhookTestRequest says what to send.
type WebhookTestRequest struct {
	Type string `json:"type,omitempty" validate:"max=64,line" example:"assessment.recorded"` // of event; absent: the first that the webhook wants
} //	@name	WebhookTestRequest

// WebhookTestResult is what became of a test.
type WebhookTestResult struct {
	Delivered bool    `json:"delivered"` // the receiver answered 2xx
	Status    *int    `json:"status" extensions:"x-nullable"`
	Error     *string `json:"error" enums:"status,redirect,timeout,address_refused,name_unknown,tls,connection,stopped" extensions:"x-nullable"`
	MessageID string  `json:"message_id"` // webhook-id
	Body      string  `json:"body"`       // as it was sent
} //	@name	WebhookTestResult

// testWebhook sends a made-up event.
//
//	@Summary		Test a webhook
//	@Description	Sends a made-up event, whole and signed as a real one, with `"test": true` beside its type, and answers what became of it.
//	@Tags			webhooks
//	@Accept			json
//	@Produce		json
//	@Param			webhook_id	path		string				true	"Webhook"	format(uuid)
//	@Param			test		body		WebhookTestRequest	true	"What to send"
//	@Success		200			{object}	WebhookTestResult
//	@Failure		400,401,403,404,413,415,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/webhooks/{webhook_id}/test [post]
func (h *Handlers) testWebhook(c echo.Context, who auth.Principal) error {
	id, err := pathID(c, "webhook_id")
	if err != nil {
		return err
	}
	in, err := bind(c, func() WebhookTestRequest { return WebhookTestRequest{} })
	if err != nil {
		return err
	}
	tested, err := h.Webhooks.Test(c.Request().Context(), who, id, in.Type)
	if err != nil {
		return err
	}
	out := WebhookTestResult{Delivered: tested.Error == "", MessageID: tested.ID, Body: tested.Body}
	out.Status, out.Error = answered(tested.Status, tested.Error)
	return ok(c, out)
}

// ReplayRequest says from where on events are sent again: one of the two.
type ReplayRequest struct {
	From *int64     `json:"from,omitempty" extensions:"x-nullable" minimum:"1"`      // place of an event
	At   *time.Time `json:"at,omitempty" format:"date-time" extensions:"x-nullable"` // what happened then or later
} //	@name	ReplayRequest

// Replay is the span of events that are sent again.
type Replay struct {
	From int64 `json:"from"`
	To   int64 `json:"to"` // the last there is; below from: there is none
} //	@name	Replay

// replayEvents sends events again.
//
//	@Summary		Replay events to a webhook
//	@Description	All that the webhook wants is sent again from a place or a time on, behind what is on its way. The message ids are those of the first time.
//	@Tags			webhooks
//	@Accept			json
//	@Produce		json
//	@Param			webhook_id	path		string			true	"Webhook"	format(uuid)
//	@Param			replay		body		ReplayRequest	true	"From where on"
//	@Success		200			{object}	Replay
//	@Failure		400,401,403,404,413,415,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/webhooks/{webhook_id}/replay [post]
func (h *Handlers) replayEvents(c echo.Context, who auth.Principal) error {
	id, err := pathID(c, "webhook_id")
	if err != nil {
		return err
	}
	in, err := bindWhole(c, func() ReplayRequest { return ReplayRequest{} }, ReplayRequest.check)
	if err != nil {
		return err
	}
	from := int64(math.MaxInt64)
	if in.From != nil {
		from = *in.From
	}
	first, last, err := h.Webhooks.Replay(c.Request().Context(), who, id, from, in.At)
	if err != nil {
		return err
	}
	return ok(c, Replay{From: first, To: last})
}

// check lists what is wrong with it.
func (r ReplayRequest) check() []fault.Detail {
	switch {
	case (r.From == nil) == (r.At == nil):
		return []fault.Detail{{Pointer: "/from", Code: "one_of_two", Message: "Say from which event or from which time on: one of the two."}}
	case r.From != nil && *r.From < 1:
		return []fault.Detail{{Pointer: "/from", Code: "out_of_range", Message: "Events are numbered from 1."}}
	}
	return nil
}

package rest

import (
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/webhook"
)

// WebhookRequest names an address that events are to be sent to.
type WebhookRequest struct {
	ID       *uuid.UUID `json:"id,omitempty" validate:"omitempty,id" swaggertype:"string" format:"uuid"`
	URL      string     `json:"url" validate:"required,max=2000,line" example:"https://hooks.example.org/protrack"`
	Types    []string   `json:"types,omitempty" validate:"max=100,dive,max=64" example:"assessment.recorded"` // of event; absent or empty: all
	Name     string     `json:"name,omitempty" validate:"max=100,line" example:"ward board"`
	Disabled bool       `json:"disabled,omitempty"` // nothing is sent; what happens meanwhile is sent once it is enabled
} //	@name	WebhookRequest

// Webhook is an address that events are sent to. The secret is not told again.
type Webhook struct {
	ID             uuid.UUID  `json:"id" swaggertype:"string" format:"uuid"`
	URL            string     `json:"url"`
	Types          []string   `json:"types"` // empty: all
	Name           string     `json:"name"`
	Disabled       bool       `json:"disabled"`
	DisabledReason *string    `json:"disabled_reason" enums:"by_hand,gone,failing" extensions:"x-nullable"` // gone: it answered 410; failing: nothing came through for five days
	DisabledAt     *time.Time `json:"disabled_at" format:"date-time" extensions:"x-nullable"`
	FailingSince   *time.Time `json:"failing_since" format:"date-time" extensions:"x-nullable"`    // null: the last attempt came through
	OldSecretUntil *time.Time `json:"old_secret_until" format:"date-time" extensions:"x-nullable"` // until when the secret before the last rotation signs as well
	CreatedAt      time.Time  `json:"created_at" format:"date-time"`
	CreatedBy      uuid.UUID  `json:"created_by" swaggertype:"string" format:"uuid"`
	UpdatedAt      time.Time  `json:"updated_at" format:"date-time"`
} //	@name	Webhook

// CreatedWebhook is a webhook with its secret, which is told this once.
type CreatedWebhook struct {
	Webhook
	Secret string `json:"secret,omitempty" example:"whsec_..."` // signs, by version 1 of Standard Webhooks; absent where the webhook was there already
} //	@name	CreatedWebhook

func (r WebhookRequest) toWebhook() webhook.Webhook {
	w := webhook.Webhook{Name: r.Name, URL: webhook.URL(r.URL), Types: r.Types}
	if r.ID != nil {
		w.ID = *r.ID
	}
	return w
}

func requestFromWebhook(w webhook.Webhook) WebhookRequest {
	return WebhookRequest{URL: string(w.URL), Types: w.Types, Name: w.Name, Disabled: w.DisabledAt != nil}
}

func webhookFrom(w webhook.Webhook) Webhook {
	out := Webhook{
		ID: w.ID, URL: string(w.URL), Types: append([]string{}, w.Types...), Name: w.Name, Disabled: w.DisabledAt != nil, DisabledAt: w.DisabledAt,
		FailingSince: w.FailingSince, OldSecretUntil: w.OldUntil, CreatedAt: w.CreatedAt, CreatedBy: w.CreatedBy, UpdatedAt: w.UpdatedAt,
	}
	if w.DisabledAt != nil {
		out.DisabledReason = new(string(w.Disabled))
	}
	return out
}

// createWebhook makes a webhook.
//
//	@Summary		Create a webhook
//	@Description	What happens from now on is sent there: `{"type", "timestamp", "data"}` with ids and codes, signed as Standard Webhooks says, at least once and in order for each client. The secret is in this answer only. A repeat with the same id and content answers 200 with what is stored.
//	@Tags			webhooks
//	@Accept			json
//	@Produce		json
//	@Param			webhook	body		WebhookRequest	true	"The webhook"
//	@Success		201		{object}	CreatedWebhook
//	@Success		200		{object}	CreatedWebhook	"It was stored before, with the same content"
//	@Failure		400,401,403,409,413,415,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/webhooks [post]
func (h *Handlers) createWebhook(c echo.Context, who auth.Principal) error {
	in, err := bindWhole(c, func() WebhookRequest { return WebhookRequest{} },
		func(r WebhookRequest) []fault.Detail { return h.Webhooks.Check(r.toWebhook()) })
	if err != nil {
		return err
	}
	w, secret, fresh, err := h.Webhooks.Create(c.Request().Context(), who, in.toWebhook())
	if err != nil {
		return err
	}
	outcome := care.Known
	if fresh {
		outcome = care.Created
	}
	return created(c, outcome, "/v1/webhooks/"+w.ID.String(), w.Version, CreatedWebhook{Webhook: webhookFrom(w), Secret: string(secret)})
}

// listWebhooks lists the clinic's webhooks.
//
//	@Summary	List webhooks
//	@Tags		webhooks
//	@Produce	json
//	@Param		limit	query		int		false	"At most so many"	minimum(1)	maximum(200)	default(50)
//	@Param		cursor	query		string	false	"next_cursor of the page before"
//	@Success	200		{object}	Page[Webhook]
//	@Failure	401,403,422,503	{object}	problem.Document
//	@Security	Key
//	@Router		/v1/webhooks [get]
func (h *Handlers) listWebhooks(c echo.Context, who auth.Principal) error {
	q := query(c)
	page := q.page(webhookList)
	if err := q.Err(); err != nil {
		return err
	}
	rows, err := h.Webhooks.Webhooks(c.Request().Context(), who, page.After.ID, page.Limit)
	if err != nil {
		return err
	}
	return ok(c, pageOf(q, rows, page, webhookFrom, func(w webhook.Webhook) care.Position { return care.Position{ID: w.ID} }))
}

// getWebhook returns a webhook.
//
//	@Summary	Get a webhook
//	@Tags		webhooks
//	@Produce	json
//	@Param		webhook_id	path		string	true	"Webhook"	format(uuid)
//	@Success	200			{object}	Webhook
//	@Failure	401,403,404,422,503	{object}	problem.Document
//	@Security	Key
//	@Router		/v1/webhooks/{webhook_id} [get]
func (h *Handlers) getWebhook(c echo.Context, who auth.Principal) error {
	id, err := pathID(c, "webhook_id")
	if err != nil {
		return err
	}
	w, err := h.Webhooks.Webhook(c.Request().Context(), who, id)
	if err != nil {
		return err
	}
	return found(c, w.Version, webhookFrom(w))
}

// updateWebhook changes the members of a webhook that are sent.
//
//	@Summary		Change a webhook
//	@Description	A JSON merge patch: absent members stay, null empties. Needs If-Match. One that is enabled again is sent all that it missed.
//	@Tags			webhooks
//	@Accept			json
//	@Produce		json
//	@Param			webhook_id	path		string			true	"Webhook"	format(uuid)
//	@Param			If-Match	header		string			true	"ETag of the version that was read"
//	@Param			webhook		body		WebhookRequest	true	"What changes"
//	@Success		200			{object}	Webhook
//	@Failure		400,401,403,404,412,413,415,422,428,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/webhooks/{webhook_id} [patch]
func (h *Handlers) updateWebhook(c echo.Context, who auth.Principal) error {
	version, current, err := patching(c, who, "webhook_id", h.Webhooks.Webhook)
	if err != nil {
		return err
	}
	in, err := bindWhole(c, func() WebhookRequest { return requestFromWebhook(current) }, func(r WebhookRequest) []fault.Detail {
		return append(sameID(r.ID, current.ID), h.Webhooks.Check(r.toWebhook())...)
	})
	if err != nil {
		return err
	}
	changed := in.toWebhook()
	changed.ID = current.ID
	w, err := h.Webhooks.Update(c.Request().Context(), who, changed, in.Disabled, version)
	if err != nil {
		return err
	}
	return found(c, w.Version, webhookFrom(w))
}

// removeWebhook ends a webhook.
//
//	@Summary	Remove a webhook, with its deliveries
//	@Tags		webhooks
//	@Param		webhook_id	path	string	true	"Webhook"	format(uuid)
//	@Success	204
//	@Failure	401,403,404,422,503	{object}	problem.Document
//	@Security	Key
//	@Router		/v1/webhooks/{webhook_id} [delete]
func (h *Handlers) removeWebhook(c echo.Context, who auth.Principal) error {
	id, err := pathID(c, "webhook_id")
	if err != nil {
		return err
	}
	if err := h.Webhooks.Remove(c.Request().Context(), who, id); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

// rotateWebhook gives a webhook another secret.
//
//	@Summary		Rotate a webhook's secret
//	@Description	The new secret is in this answer only. For 24 hours the old one signs as well: each message then has two signatures. There is no body.
//	@Tags			webhooks
//	@Produce		json
//	@Param			webhook_id	path		string	true	"Webhook"	format(uuid)
//	@Success		200			{object}	CreatedWebhook
//	@Failure		401,403,404,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/webhooks/{webhook_id}/rotation [post]
func (h *Handlers) rotateWebhook(c echo.Context, who auth.Principal) error {
	id, err := pathID(c, "webhook_id")
	if err != nil {
		return err
	}
	w, secret, err := h.Webhooks.Rotate(c.Request().Context(), who, id)
	if err != nil {
		return err
	}
	return found(c, w.Version, CreatedWebhook{Webhook: webhookFrom(w), Secret: string(secret)})
}

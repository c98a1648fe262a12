package rest

import (
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
)

// ConsentRequest is what a client said about one scope.
type ConsentRequest struct {
	ID          *uuid.UUID `json:"id,omitempty" validate:"omitempty,id" swaggertype:"string" format:"uuid"`
	Scope       string     `json:"scope" validate:"required,oneof=care research contact data_sharing" enums:"care,research,contact,data_sharing"`
	Status      string     `json:"status" validate:"required,oneof=granted withdrawn" enums:"granted,withdrawn"`
	At          time.Time  `json:"at" validate:"required" format:"date-time"`                              // when the client said it
	TextVersion string     `json:"text_version,omitempty" validate:"max=100,line" example:"research-2026"` // of the text that was put to the client
} //	@name	ConsentRequest

// Consent is what a client said, as it is stored.
type Consent struct {
	ID          uuid.UUID `json:"id" swaggertype:"string" format:"uuid"`
	ClientID    uuid.UUID `json:"client_id" swaggertype:"string" format:"uuid"`
	Scope       string    `json:"scope" enums:"care,research,contact,data_sharing"`
	Status      string    `json:"status" enums:"granted,withdrawn"`
	At          time.Time `json:"at" format:"date-time"`
	TextVersion string    `json:"text_version"`
	RecordedAt  time.Time `json:"recorded_at" format:"date-time"`
	RecordedBy  uuid.UUID `json:"recorded_by" swaggertype:"string" format:"uuid"` // the key or account
} //	@name	Consent

// StandingConsent is what stands for one scope.
type StandingConsent struct {
	Status      string    `json:"status" enums:"granted,withdrawn"`
	At          time.Time `json:"at" format:"date-time"`
	TextVersion string    `json:"text_version"`
} //	@name	StandingConsent

// CurrentConsents is what stands now; null where nothing was said, which is
// no consent.
type CurrentConsents struct {
	Care        *StandingConsent `json:"care" extensions:"x-nullable"`
	Research    *StandingConsent `json:"research" extensions:"x-nullable"`
	Contact     *StandingConsent `json:"contact" extensions:"x-nullable"`
	DataSharing *StandingConsent `json:"data_sharing" extensions:"x-nullable"`
} //	@name	CurrentConsents

// ConsentList is one page of what a client said, and what stands of it now.
type ConsentList struct {
	Items      []Consent       `json:"items"`
	NextCursor string          `json:"next_cursor,omitempty"`
	Current    CurrentConsents `json:"current"`
} //	@name	ConsentList

func (r ConsentRequest) toCare(client uuid.UUID) care.Consent {
	c := care.Consent{
		ClientID: client, Scope: care.ConsentScope(r.Scope), Status: care.ConsentStatus(r.Status), At: r.At, TextVersion: r.TextVersion,
	}
	if r.ID != nil {
		c.ID = *r.ID
	}
	return c
}

func consentFromCare(c care.Consent) Consent {
	return Consent{
		ID: c.ID, ClientID: c.ClientID, Scope: string(c.Scope), Status: string(c.Status), At: c.At,
		TextVersion: c.TextVersion, RecordedAt: c.RecordedAt, RecordedBy: c.RecordedBy,
	}
}

func currentFromCare(standing map[care.ConsentScope]care.Consent) CurrentConsents {
	of := func(scope care.ConsentScope) *StandingConsent {
		c, found := standing[scope]
		if !found {
			return nil
		}
		return &StandingConsent{Status: string(c.Status), At: c.At, TextVersion: c.TextVersion}
	}
	return CurrentConsents{
		Care: of(care.ForCare), Research: of(care.ForResearch), Contact: of(care.ForContact), DataSharing: of(care.ForDataSharing),
	}
}

// recordConsent stores what a client said.
//
//	@Summary		Record a consent
//	@Description	What a client grants or withdraws, when, and of which text. Nothing is overwritten. A repeat with the same id and content answers 200 with what is stored.
//	@Tags			consents
//	@Accept			json
//	@Produce		json
//	@Param			client_id	path		string			true	"Client"	format(uuid)
//	@Param			consent		body		ConsentRequest	true	"The consent"
//	@Success		201			{object}	Consent
//	@Success		200			{object}	Consent	"It was stored before, with the same content"
//	@Failure		400,401,403,404,409,413,415,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/clients/{client_id}/consents [post]
func (h *Handlers) recordConsent(c echo.Context, who auth.Principal) error {
	client, err := pathID(c, "client_id")
	if err != nil {
		return err
	}
	in, err := bindWhole(c, func() ConsentRequest { return ConsentRequest{} },
		func(r ConsentRequest) []fault.Detail { return h.Care.CheckConsent(r.toCare(client)) })
	if err != nil {
		return err
	}
	consent, outcome, err := h.Care.RecordConsent(c.Request().Context(), who, in.toCare(client))
	if err != nil {
		return err
	}
	return stored(c, outcome, "/v1/clients/"+client.String()+"/consents", consentFromCare(consent))
}

// listConsents lists what a client said, and what stands of it.
//
//	@Summary	List a client's consents
//	@Tags		consents
//	@Produce	json
//	@Param		client_id	path		string	true	"Client"			format(uuid)
//	@Param		limit		query		int		false	"At most so many"	minimum(1)	maximum(200)	default(50)
//	@Param		cursor		query		string	false	"next_cursor of the page before"
//	@Success	200			{object}	ConsentList
//	@Failure	401,403,404,422,503	{object}	problem.Document
//	@Security	Key
//	@Router		/v1/clients/{client_id}/consents [get]
func (h *Handlers) listConsents(c echo.Context, who auth.Principal) error {
	client, err := pathID(c, "client_id")
	if err != nil {
		return err
	}
	q := query(c)
	page := q.page(consentList)
	if err := q.Err(); err != nil {
		return err
	}
	found, err := h.Care.Consents(c.Request().Context(), who, client, page)
	if err != nil {
		return err
	}
	items := pageOf(q, found.Items, page, consentFromCare, func(c care.Consent) care.Position {
		return care.Position{Time: c.At, ID: c.ID}
	})
	return ok(c, ConsentList{Items: items.Items, NextCursor: items.NextCursor, Current: currentFromCare(found.Standing)})
}

package rest

import (
	"encoding/hex"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
)

// AuditEntry is one thing that was done, tried or refused.
type AuditEntry struct {
	ID        uuid.UUID    `json:"id" swaggertype:"string" format:"uuid"`
	At        time.Time    `json:"at" format:"date-time"`
	Actor     uuid.UUID    `json:"actor" swaggertype:"string" format:"uuid"` // key, account or token; the clinic itself for the program
	ActorKind string       `json:"actor_kind" example:"key"`
	Role      string       `json:"role" example:"clinician"`
	Address   string       `json:"address" example:"192.0.2.7"` // empty: the command line
	RequestID string       `json:"request_id"`
	Action    string       `json:"action" example:"client.read"`
	Outcome   string       `json:"outcome" enums:"done,refused"`
	Target    string       `json:"target" example:"client"`
	TargetID  *uuid.UUID   `json:"target_id" swaggertype:"string" format:"uuid" extensions:"x-nullable"`
	ClientID  *uuid.UUID   `json:"client_id" swaggertype:"string" format:"uuid" extensions:"x-nullable"` // null: of none, or of several
	Details   AuditDetails `json:"details"`
	Seq       *int64       `json:"seq" extensions:"x-nullable"`  // place in the clinic's chain; null: not sealed yet
	Hash      *string      `json:"hash" extensions:"x-nullable"` // hexadecimal
} //	@name	AuditEntry

// AuditDetails is what an entry tells beyond who, what and when.
type AuditDetails struct {
	Changes []AuditChange     `json:"changes,omitempty"`
	Reason  string            `json:"reason,omitempty"`
	Count   *int              `json:"count,omitempty"`
	Note    map[string]string `json:"note,omitempty"`
} //	@name	AuditDetails

// AuditChange is a field that changed; of private ones the name alone is told.
type AuditChange struct {
	Field  string  `json:"field" example:"timing"`
	Before *string `json:"before,omitempty"`
	After  *string `json:"after,omitempty"`
} //	@name	AuditChange

// Disclosure is one occasion on which a client's record was shown.
type Disclosure struct {
	ID        uuid.UUID `json:"id" swaggertype:"string" format:"uuid"`
	At        time.Time `json:"at" format:"date-time"`
	Actor     uuid.UUID `json:"actor" swaggertype:"string" format:"uuid"`
	ActorKind string    `json:"actor_kind" example:"key"`
	Role      string    `json:"role" example:"clinician"`
	Action    string    `json:"action" example:"trajectory.read"`
	Outcome   string    `json:"outcome" enums:"done,refused"`
	RequestID string    `json:"request_id"`
	Address   string    `json:"address,omitempty"`
	Clients   int       `json:"clients" example:"1"` // how many were shown at once
	Reason    string    `json:"reason,omitempty"`
} //	@name	Disclosure

func auditEntryFromCare(e care.TrailEntry) AuditEntry {
	out := AuditEntry{
		ID: e.ID, At: e.At, Actor: e.Actor, ActorKind: e.ActorKind, Role: e.Role, Address: e.Address, RequestID: e.Request,
		Action: e.Action, Outcome: string(e.Outcome), Target: e.Target, TargetID: someID(e.TargetID), ClientID: someID(e.Client),
		Details: AuditDetails{Reason: e.Details.Reason, Count: e.Details.Count, Note: e.Details.Note}, Seq: e.Seq,
	}
	for _, change := range e.Details.Changes {
		out.Details.Changes = append(out.Details.Changes, AuditChange(change))
	}
	if e.Hash != nil {
		out.Hash = new(hex.EncodeToString(e.Hash))
	}
	return out
}

func disclosureFromCare(d care.Disclosure) Disclosure {
	return Disclosure{
		ID: d.ID, At: d.At, Actor: d.Actor, ActorKind: d.ActorKind, Role: d.Role, Action: d.Action, Outcome: string(d.Outcome),
		RequestID: d.Request, Address: d.Address, Clients: d.Clients, Reason: d.Details.Reason,
	}
}

// someID is nil for no id.
func someID(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}

// listAudit lists the clinic's audit trail.
//
//	@Summary		List the audit trail
//	@Description	What was done, tried and refused, the newest first. Entries name things by their ids and never hold a name, an answer or a text.
//	@Tags			audit
//	@Produce		json
//	@Param			actor		query		string	false	"Only what this key, account or token did"	format(uuid)
//	@Param			action		query		string	false	"Only this action"	example(client.read)
//	@Param			client_id	query		string	false	"Only what concerns this client"	format(uuid)
//	@Param			outcome		query		string	false	"Only what came to pass, or was refused"	Enums(done, refused)
//	@Param			from		query		string	false	"At this time or later"	format(date-time)
//	@Param			to			query		string	false	"Before this time"	format(date-time)
//	@Param			limit		query		int		false	"At most so many"	minimum(1)	maximum(200)	default(50)
//	@Param			cursor		query		string	false	"next_cursor of the page before"
//	@Success		200			{object}	Page[AuditEntry]
//	@Failure		401,403,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/audit [get]
func (h *Handlers) listAudit(c echo.Context, who auth.Principal) error {
	q := query(c)
	filter := care.EntryFilter{
		Actor: q.ID("actor"), Action: q.Text("action", ""), From: q.Time("from"), To: q.Time("to"),
		Outcome: choice[audit.Outcome](q, "outcome", "", audit.Done, audit.Refused),
	}
	if client := q.ID("client_id"); client != nil {
		filter.Clients = []uuid.UUID{*client}
	}
	page := q.page(auditList)
	if err := q.Err(); err != nil {
		return err
	}
	entries, err := h.Care.Audit(c.Request().Context(), who, filter, page)
	if err != nil {
		return err
	}
	return ok(c, pageOf(q, entries, page, auditEntryFromCare, func(e care.TrailEntry) care.Position {
		return care.Position{Time: e.At, ID: e.ID}
	}))
}

// listDisclosures lists when a client's record was shown.
//
//	@Summary		List the disclosures of a client
//	@Description	Which reads, lists and exports showed this client, to whom and when, the newest first. Also of a client whose record was erased.
//	@Tags			rights
//	@Produce		json
//	@Param			client_id	path		string	true	"Client"	format(uuid)
//	@Param			limit		query		int		false	"At most so many"	minimum(1)	maximum(200)	default(50)
//	@Param			cursor		query		string	false	"next_cursor of the page before"
//	@Success		200			{object}	Page[Disclosure]
//	@Failure		401,403,404,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/clients/{client_id}/disclosures [get]
func (h *Handlers) listDisclosures(c echo.Context, who auth.Principal) error {
	client, err := pathID(c, "client_id")
	if err != nil {
		return err
	}
	q := query(c)
	page := q.page(disclosureList)
	if err := q.Err(); err != nil {
		return err
	}
	found, err := h.Care.Disclosures(c.Request().Context(), who, client, page)
	if err != nil {
		return err
	}
	return ok(c, pageOf(q, found, page, disclosureFromCare, func(d care.Disclosure) care.Position {
		return care.Position{Time: d.At, ID: d.ID}
	}))
}

package rest

import (
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
)

// Medicine is what was given in a dosing session.
type Medicine struct {
	Substance   string   `json:"substance" validate:"required,max=100,line" example:"ketamine"`
	Route       string   `json:"route" validate:"required,oneof=intravenous intramuscular subcutaneous intranasal sublingual oral" enums:"intravenous,intramuscular,subcutaneous,intranasal,sublingual,oral"`
	DoseMG      *float64 `json:"dose_mg" validate:"required,gt=0,lte=100000" example:"42.5"`                // milligrams in all
	DoseMGPerKG *float64 `json:"dose_mg_per_kg,omitempty" validate:"omitempty,gt=0,lte=1000" example:"0.5"` // milligrams a kilogram
} //	@name	Medicine

// SessionRequest is a session as a front end writes it.
type SessionRequest struct {
	ID        *uuid.UUID `json:"id,omitempty" validate:"omitempty,id" swaggertype:"string" format:"uuid"`
	CourseID  *uuid.UUID `json:"course_id,omitempty" validate:"omitempty,id" swaggertype:"string" format:"uuid"`
	Kind      string     `json:"kind" validate:"required,oneof=preparation dosing integration follow_up" enums:"preparation,dosing,integration,follow_up"`
	Number    *int       `json:"number,omitempty" validate:"omitempty,min=1,max=10000"` // absent: its place in time
	StartedAt time.Time  `json:"started_at" validate:"required" format:"date-time"`
	EndedAt   *time.Time `json:"ended_at,omitempty" format:"date-time"`
	Medicine  *Medicine  `json:"medicine,omitempty"`
} //	@name	SessionRequest

// Session is a stored session.
type Session struct {
	ID        uuid.UUID  `json:"id" swaggertype:"string" format:"uuid"`
	ClientID  uuid.UUID  `json:"client_id" swaggertype:"string" format:"uuid"`
	CourseID  *uuid.UUID `json:"course_id" swaggertype:"string" format:"uuid" extensions:"x-nullable"`
	Kind      string     `json:"kind" enums:"preparation,dosing,integration,follow_up"`
	Number    int        `json:"number"` // given, or its place in time among the sessions of its kind in the course, or of the client
	StartedAt time.Time  `json:"started_at" format:"date-time"`
	EndedAt   *time.Time `json:"ended_at" format:"date-time" extensions:"x-nullable"`
	Medicine  *Medicine  `json:"medicine" extensions:"x-nullable"`
	Version   int        `json:"version" example:"1"`

	RecordedAt time.Time `json:"recorded_at" format:"date-time"`
} //	@name	Session

func (r SessionRequest) toCare(client uuid.UUID) care.Session {
	s := care.Session{
		ClientID: client, CourseID: r.CourseID, Kind: care.SessionKind(r.Kind), Number: r.Number,
		StartedAt: r.StartedAt, EndedAt: r.EndedAt,
	}
	if r.ID != nil {
		s.ID = *r.ID
	}
	if m := r.Medicine; m != nil && m.DoseMG != nil {
		s.Medicine = &care.Medicine{Substance: m.Substance, Route: care.Route(m.Route), DoseMG: *m.DoseMG, DoseMGPerKG: m.DoseMGPerKG}
	}
	return s
}

func requestFromSession(s care.Session) SessionRequest {
	return SessionRequest{
		CourseID: clone(s.CourseID), Kind: string(s.Kind), Number: clone(s.Number),
		StartedAt: s.StartedAt, EndedAt: clone(s.EndedAt), Medicine: medicineFromCare(s.Medicine),
	}
}

func medicineFromCare(m *care.Medicine) *Medicine {
	if m == nil {
		return nil
	}
	return &Medicine{Substance: m.Substance, Route: string(m.Route), DoseMG: new(m.DoseMG), DoseMGPerKG: clone(m.DoseMGPerKG)}
}

func sessionFromCare(s care.Session) Session {
	return Session{
		ID: s.ID, ClientID: s.ClientID, CourseID: s.CourseID, Kind: string(s.Kind), Number: s.Place,
		StartedAt: s.StartedAt, EndedAt: s.EndedAt, Medicine: medicineFromCare(s.Medicine),
		Version: s.Version, RecordedAt: s.RecordedAt,
	}
}

// createSession stores a session of a client.
//
//	@Summary		Create a session
//	@Description	A repeat with the same id and content answers 200 with what is stored.
//	@Tags			sessions
//	@Accept			json
//	@Produce		json
//	@Param			client_id	path		string			true	"Client"	format(uuid)
//	@Param			session		body		SessionRequest	true	"The session"
//	@Success		201			{object}	Session
//	@Success		200			{object}	Session	"It was stored before, with the same content"
//	@Failure		400,401,403,404,409,413,415,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/clients/{client_id}/sessions [post]
func (h *Handlers) createSession(c echo.Context, who auth.Principal) error {
	client, err := pathID(c, "client_id")
	if err != nil {
		return err
	}
	in, err := bindWhole(c, func() SessionRequest { return SessionRequest{} },
		func(r SessionRequest) []fault.Detail { return h.Care.CheckSession(r.toCare(client)) })
	if err != nil {
		return err
	}
	session, outcome, err := h.Care.CreateSession(c.Request().Context(), who, in.toCare(client))
	if err != nil {
		return err
	}
	return created(c, outcome, "/v1/sessions/"+session.ID.String(), session.Version, sessionFromCare(session))
}

// listSessions lists a client's sessions by start.
//
//	@Summary	List a client's sessions
//	@Tags		sessions
//	@Produce	json
//	@Param		client_id	path		string	true	"Client"			format(uuid)
//	@Param		limit		query		int		false	"At most so many"	minimum(1)	maximum(200)	default(50)
//	@Param		cursor		query		string	false	"next_cursor of the page before"
//	@Success	200			{object}	Page[Session]
//	@Failure	401,403,404,422,503	{object}	problem.Document
//	@Security	Key
//	@Router		/v1/clients/{client_id}/sessions [get]
func (h *Handlers) listSessions(c echo.Context, who auth.Principal) error {
	client, err := pathID(c, "client_id")
	if err != nil {
		return err
	}
	q := query(c)
	page := q.page(sessionList)
	if err := q.Err(); err != nil {
		return err
	}
	sessions, err := h.Care.Sessions(c.Request().Context(), who, client, page)
	if err != nil {
		return err
	}
	return ok(c, pageOf(q, sessions, page, sessionFromCare, func(s care.Session) care.Position {
		return care.Position{Time: s.StartedAt, ID: s.ID}
	}))
}

// getSession returns a session.
//
//	@Summary	Get a session
//	@Tags		sessions
//	@Produce	json
//	@Param		session_id	path		string	true	"Session"	format(uuid)
//	@Success	200			{object}	Session
//	@Failure	401,403,404,422,503	{object}	problem.Document
//	@Security	Key
//	@Router		/v1/sessions/{session_id} [get]
func (h *Handlers) getSession(c echo.Context, who auth.Principal) error {
	id, err := pathID(c, "session_id")
	if err != nil {
		return err
	}
	session, err := h.Care.Session(c.Request().Context(), who, id)
	if err != nil {
		return err
	}
	return found(c, session.Version, sessionFromCare(session))
}

// updateSession changes the members of a session that are sent.
//
//	@Summary		Change a session
//	@Description	A JSON merge patch: absent members stay, null empties. Needs If-Match. What is computed from the session moves with it.
//	@Tags			sessions
//	@Accept			json
//	@Produce		json
//	@Param			session_id	path		string			true	"Session"	format(uuid)
//	@Param			If-Match	header		string			true	"ETag of the version that was read"
//	@Param			session		body		SessionRequest	true	"What changes"
//	@Success		200			{object}	Session
//	@Failure		400,401,403,404,412,413,415,422,428,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/sessions/{session_id} [patch]
func (h *Handlers) updateSession(c echo.Context, who auth.Principal) error {
	version, current, err := patching(c, who, "session_id", h.Care.Session)
	if err != nil {
		return err
	}
	in, err := bindWhole(c, func() SessionRequest { return requestFromSession(current) }, func(r SessionRequest) []fault.Detail {
		return append(sameID(r.ID, current.ID), h.Care.CheckSession(r.toCare(current.ClientID))...)
	})
	if err != nil {
		return err
	}
	changed := in.toCare(current.ClientID)
	changed.ID = current.ID
	session, err := h.Care.UpdateSession(c.Request().Context(), who, changed, version)
	if err != nil {
		return err
	}
	return found(c, session.Version, sessionFromCare(session))
}

package rest

import (
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
)

// MemberRequest puts somebody into a client's care team.
type MemberRequest struct {
	Until *time.Time `json:"until,omitempty" format:"date-time"` // absent: without an end
} //	@name	MemberRequest

// AccessRequest asks for break-glass access.
type AccessRequest struct {
	Reason string `json:"reason" validate:"required,oneof=emergency cover supervision records_request other" enums:"emergency,cover,supervision,records_request,other"`
	Note   string `json:"note,omitempty" validate:"max=1000,text"` // needed where the reason is other
} //	@name	AccessRequest

// Member is somebody's place in a client's care team.
type Member struct {
	ClientID uuid.UUID  `json:"client_id" swaggertype:"string" format:"uuid"`
	MemberID uuid.UUID  `json:"member_id" swaggertype:"string" format:"uuid"` // a key or an account
	Kind     string     `json:"kind" enums:"assigned,break_glass"`
	Since    time.Time  `json:"since" format:"date-time"`
	Until    *time.Time `json:"until" format:"date-time" extensions:"x-nullable"` // null: without an end
	Reason   string     `json:"reason" enums:"emergency,cover,supervision,records_request,other,"`
	Note     string     `json:"note"`
	AddedBy  uuid.UUID  `json:"added_by" swaggertype:"string" format:"uuid"`
} //	@name	Member

func memberFromCare(m care.Membership) Member {
	return Member{
		ClientID: m.ClientID, MemberID: m.Member, Kind: string(m.Kind), Since: m.Since, Until: m.Until,
		Reason: m.Reason, Note: string(m.Note), AddedBy: m.AddedBy,
	}
}

// listTeam lists a client's care team.
//
//	@Summary	List a client's care team
//	@Tags		care teams
//	@Produce	json
//	@Param		client_id	path		string	true	"Client"									format(uuid)
//	@Param		past		query		bool	false	"Also who is not in it any more"	default(false)
//	@Success	200			{object}	Page[Member]
//	@Failure	401,403,404,422,503	{object}	problem.Document
//	@Security	Key
//	@Router		/v1/clients/{client_id}/team [get]
func (h *Handlers) listTeam(c echo.Context, who auth.Principal) error {
	client, err := pathID(c, "client_id")
	if err != nil {
		return err
	}
	q := query(c)
	past := q.Flag("past")
	if err := q.Err(); err != nil {
		return err
	}
	team, err := h.Care.Team(c.Request().Context(), who, client, past)
	if err != nil {
		return err
	}
	return ok(c, whole(team, memberFromCare))
}

// assignMember puts somebody into a client's care team.
//
//	@Summary		Put somebody into a client's care team
//	@Description	A key or an account. Who is in the team already gets the new end. It matters where the clinic works with care teams.
//	@Tags			care teams
//	@Accept			json
//	@Produce		json
//	@Param			client_id	path		string			true	"Client"			format(uuid)
//	@Param			member_id	path		string			true	"Key or account"	format(uuid)
//	@Param			member		body		MemberRequest	true	"Until when"
//	@Success		200			{object}	Member
//	@Failure		400,401,403,404,413,415,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/clients/{client_id}/team/{member_id} [put]
func (h *Handlers) assignMember(c echo.Context, who auth.Principal) error {
	client, member, err := membership(c)
	if err != nil {
		return err
	}
	in, err := bind(c, func() MemberRequest { return MemberRequest{} })
	if err != nil {
		return err
	}
	m, err := h.Care.Assign(c.Request().Context(), who, client, member, in.Until)
	if err != nil {
		return err
	}
	return ok(c, memberFromCare(m))
}

// dismissMember takes somebody out of a client's care team.
//
//	@Summary		Take somebody out of a client's care team
//	@Description	Break-glass access ends too. Doing it again changes nothing.
//	@Tags			care teams
//	@Param			client_id	path	string	true	"Client"			format(uuid)
//	@Param			member_id	path	string	true	"Key or account"	format(uuid)
//	@Success		204
//	@Failure		401,403,404,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/clients/{client_id}/team/{member_id} [delete]
func (h *Handlers) dismissMember(c echo.Context, who auth.Principal) error {
	client, member, err := membership(c)
	if err != nil {
		return err
	}
	if err := h.Care.Dismiss(c.Request().Context(), who, client, member); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

// membership reads the two ids of a member's place.
func membership(c echo.Context) (client, member uuid.UUID, err error) {
	if client, err = pathID(c, "client_id"); err == nil {
		member, err = pathID(c, "member_id")
	}
	return client, member, err
}

// breakGlass gives access to a client of others.
//
//	@Summary		Get access to a client of others
//	@Description	Where the clinic works with care teams: access for four hours, for a reason that stands in the audit trail. Who sees the client already is answered 409.
//	@Tags			care teams
//	@Accept			json
//	@Produce		json
//	@Param			client_id	path		string			true	"Client"	format(uuid)
//	@Param			access		body		AccessRequest	true	"Why"
//	@Success		201			{object}	Member
//	@Failure		400,401,403,404,409,413,415,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/clients/{client_id}/access [post]
func (h *Handlers) breakGlass(c echo.Context, who auth.Principal) error {
	client, err := pathID(c, "client_id")
	if err != nil {
		return err
	}
	in, err := bindWhole(c, func() AccessRequest { return AccessRequest{} }, func(r AccessRequest) []fault.Detail {
		return h.Care.CheckBreakGlass(care.BreakGlassReason(r.Reason), care.Private(r.Note))
	})
	if err != nil {
		return err
	}
	m, err := h.Care.BreakGlass(c.Request().Context(), who, client, care.BreakGlassReason(in.Reason), care.Private(in.Note))
	if err != nil {
		return err
	}
	return stored(c, care.Created, "/v1/clients/"+client.String()+"/team", memberFromCare(m))
}

package rest

import (
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
)

// TokenRequest asks for a token of one client's own front end.
type TokenRequest struct {
	ExpiresInSeconds *int `json:"expires_in_seconds,omitempty" validate:"omitempty,min=1,max=86400" example:"3600"` // absent: an hour
} //	@name	TokenRequest

// Token is a stored token. The secret is not kept.
type Token struct {
	ID        uuid.UUID  `json:"id" swaggertype:"string" format:"uuid"`
	ClientID  uuid.UUID  `json:"client_id" swaggertype:"string" format:"uuid"`
	MintedBy  uuid.UUID  `json:"minted_by" swaggertype:"string" format:"uuid"` // a key or an account; the token ends with it
	CreatedAt time.Time  `json:"created_at" format:"date-time"`
	ExpiresAt time.Time  `json:"expires_at" format:"date-time"`
	RevokedAt *time.Time `json:"revoked_at" format:"date-time" extensions:"x-nullable"`
} //	@name	Token

// MintedToken is a token with its secret, which is shown this once.
type MintedToken struct {
	ID        uuid.UUID `json:"id" swaggertype:"string" format:"uuid"`
	Token     string    `json:"token" example:"ptc_..."`
	ExpiresAt time.Time `json:"expires_at" format:"date-time"`
	ClientID  uuid.UUID `json:"client_id" swaggertype:"string" format:"uuid"`
} //	@name	MintedToken

func tokenFromAuth(t auth.Token) Token {
	return Token{ID: t.ID, ClientID: t.Client, MintedBy: t.MintedBy, CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt, RevokedAt: t.RevokedAt}
}

// mintToken makes a token for one client.
//
//	@Summary		Mint a client's token
//	@Description	For the client's own phone, so that it never carries a clinic's key: it reads the instruments and this client's due forms and trajectories, and records this client's assessments. It ends at its time, when it or the key that minted it is revoked, and with the client's erasure. Refused where the client withdrew the consent to care. The secret is in this answer only.
//	@Tags			tokens
//	@Accept			json
//	@Produce		json
//	@Param			client_id	path		string			true	"Client"	format(uuid)
//	@Param			token		body		TokenRequest	true	"How long it lives"
//	@Success		201			{object}	MintedToken
//	@Failure		400,401,403,404,409,410,413,415,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/clients/{client_id}/tokens [post]
func (h *Handlers) mintToken(c echo.Context, who auth.Principal) error {
	client, err := pathID(c, "client_id")
	if err != nil {
		return err
	}
	in, err := bind(c, func() TokenRequest { return TokenRequest{} })
	if err != nil {
		return err
	}
	t, secret, err := h.Keys.MintToken(c.Request().Context(), who, client, seconds(in.ExpiresInSeconds))
	if err != nil {
		return err
	}
	return render(c, http.StatusCreated, MintedToken{ID: t.ID, Token: string(secret), ExpiresAt: t.ExpiresAt, ClientID: t.Client})
}

// listTokens lists a client's tokens.
//
//	@Summary	List a client's tokens
//	@Tags		tokens
//	@Produce	json
//	@Param		client_id	path		string	true	"Client"			format(uuid)
//	@Param		limit		query		int		false	"At most so many"	minimum(1)	maximum(200)	default(50)
//	@Param		cursor		query		string	false	"next_cursor of the page before"
//	@Success	200			{object}	Page[Token]
//	@Failure	401,403,404,422,503	{object}	problem.Document
//	@Security	Key
//	@Router		/v1/clients/{client_id}/tokens [get]
func (h *Handlers) listTokens(c echo.Context, who auth.Principal) error {
	client, err := pathID(c, "client_id")
	if err != nil {
		return err
	}
	q := query(c)
	page := q.page(tokenList)
	if err := q.Err(); err != nil {
		return err
	}
	tokens, err := h.Keys.Tokens(c.Request().Context(), who, client, page.After.ID, page.Limit)
	if err != nil {
		return err
	}
	return ok(c, pageOf(q, tokens, page, tokenFromAuth, func(t auth.Token) care.Position { return care.Position{ID: t.ID} }))
}

// revokeToken ends a client's token.
//
//	@Summary		Revoke a client's token
//	@Description	The next request that shows it is refused. Revoking again changes nothing.
//	@Tags			tokens
//	@Param			token_id	path	string	true	"Token"	format(uuid)
//	@Success		204
//	@Failure		401,403,404,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/tokens/{token_id} [delete]
func (h *Handlers) revokeToken(c echo.Context, who auth.Principal) error {
	id, err := pathID(c, "token_id")
	if err != nil {
		return err
	}
	if err := h.Keys.RevokeToken(c.Request().Context(), who, id); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

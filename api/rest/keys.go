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

// KeyRequest asks for an API key.
type KeyRequest struct {
	Name      string     `json:"name" validate:"required,max=100,line" example:"tablet in room 2"`
	Role      string     `json:"role" validate:"required,oneof=owner admin clinician researcher app" enums:"owner,admin,clinician,researcher,app"`
	Scopes    []string   `json:"scopes,omitempty" validate:"max=100,dive,max=64" example:"assessments:write"` // permissions that narrow the role; absent: all of the role
	ExpiresAt *time.Time `json:"expires_at,omitempty" format:"date-time"`
} //	@name	KeyRequest

// Key is a stored API key. The secret is not kept.
type Key struct {
	ID         uuid.UUID  `json:"id" swaggertype:"string" format:"uuid"`
	Name       string     `json:"name"`
	Role       string     `json:"role" enums:"owner,admin,clinician,researcher,app"`
	Scopes     []string   `json:"scopes" example:"assessments:write"` // everything that the key may do
	Hint       string     `json:"hint" example:"ptk_4fK9aZ"`          // the first characters of the secret
	CreatedAt  time.Time  `json:"created_at" format:"date-time"`
	ExpiresAt  *time.Time `json:"expires_at" format:"date-time" extensions:"x-nullable"`
	RevokedAt  *time.Time `json:"revoked_at" format:"date-time" extensions:"x-nullable"`
	LastUsedAt *time.Time `json:"last_used_at" format:"date-time" extensions:"x-nullable"`                // to within a minute
	ReplacedBy *uuid.UUID `json:"replaced_by" swaggertype:"string" format:"uuid" extensions:"x-nullable"` // the key that it was rotated to
} //	@name	Key

// CreatedKey is a key with its secret, which is shown this once.
type CreatedKey struct {
	Key
	Secret string `json:"secret" example:"ptk_..."`
} //	@name	CreatedKey

func (r KeyRequest) toAuth() auth.NewKey {
	in := auth.NewKey{Name: r.Name, Role: auth.Role(r.Role), ExpiresAt: r.ExpiresAt}
	if r.Scopes != nil {
		in.Scopes = make([]auth.Permission, len(r.Scopes))
		for i, scope := range r.Scopes {
			in.Scopes[i] = auth.Permission(scope)
		}
	}
	return in
}

func keyFromAuth(k auth.Key) Key {
	out := Key{
		ID: k.ID, Name: k.Name, Role: string(k.Role), Scopes: []string{}, Hint: k.Hint,
		CreatedAt: k.CreatedAt, ExpiresAt: k.ExpiresAt, RevokedAt: k.RevokedAt, LastUsedAt: k.LastUsedAt, ReplacedBy: k.ReplacedBy,
	}
	for _, p := range k.Held().List() {
		out.Scopes = append(out.Scopes, string(p))
	}
	return out
}

// createdKey renders a key with its secret.
func createdKey(c echo.Context, key auth.Key, secret auth.Secret) error {
	c.Response().Header().Set(echo.HeaderLocation, "/v1/keys/"+key.ID.String())
	return render(c, http.StatusCreated, CreatedKey{Key: keyFromAuth(key), Secret: string(secret)})
}

// createKey makes a key of the caller's clinic.
//
//	@Summary		Create a key
//	@Description	The secret is in this answer only.
//	@Tags			keys
//	@Accept			json
//	@Produce		json
//	@Param			key	body		KeyRequest	true	"The key"
//	@Success		201	{object}	CreatedKey
//	@Failure		400,401,403,413,415,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/keys [post]
func (h *Handlers) createKey(c echo.Context, who auth.Principal) error {
	in, err := bindWhole(c, func() KeyRequest { return KeyRequest{} },
		func(r KeyRequest) []fault.Detail { return h.Keys.CheckNewKey(r.toAuth()) })
	if err != nil {
		return err
	}
	key, secret, err := h.Keys.CreateKey(c.Request().Context(), who, in.toAuth())
	if err != nil {
		return err
	}
	return createdKey(c, key, secret)
}

// RotationRequest says how a key is to be replaced.
type RotationRequest struct {
	OverlapSeconds *int `json:"overlap_seconds,omitempty" validate:"omitempty,min=0,max=2592000" example:"86400"` // how long the old key goes on; absent: a day
} //	@name	RotationRequest

// rotateKey replaces a key by one with another secret.
//
//	@Summary		Rotate a key
//	@Description	Makes a key of the same name, role, scopes and end. The old one goes on for the overlap: time to bring the new secret to where the old one is used. The secret is in this answer only.
//	@Tags			keys
//	@Accept			json
//	@Produce		json
//	@Param			key_id		path		string			true	"Key"	format(uuid)
//	@Param			rotation	body		RotationRequest	true	"For how long both work"
//	@Success		201			{object}	CreatedKey
//	@Failure		400,401,403,404,409,413,415,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/keys/{key_id}/rotation [post]
func (h *Handlers) rotateKey(c echo.Context, who auth.Principal) error {
	id, err := pathID(c, "key_id")
	if err != nil {
		return err
	}
	in, err := bind(c, func() RotationRequest { return RotationRequest{} })
	if err != nil {
		return err
	}
	key, secret, err := h.Keys.RotateKey(c.Request().Context(), who, id, seconds(in.OverlapSeconds))
	if err != nil {
		return err
	}
	return createdKey(c, key, secret)
}

// seconds gives a span that may be absent.
func seconds(n *int) *time.Duration {
	if n == nil {
		return nil
	}
	return new(time.Duration(*n) * time.Second)
}

// listKeys lists the clinic's keys.
//
//	@Summary	List keys
//	@Tags		keys
//	@Produce	json
//	@Param		limit	query		int		false	"At most so many"	minimum(1)	maximum(200)	default(50)
//	@Param		cursor	query		string	false	"next_cursor of the page before"
//	@Success	200		{object}	Page[Key]
//	@Failure	401,403,422,503	{object}	problem.Document
//	@Security	Key
//	@Router		/v1/keys [get]
func (h *Handlers) listKeys(c echo.Context, who auth.Principal) error {
	q := query(c)
	page := q.page(keyList)
	if err := q.Err(); err != nil {
		return err
	}
	keys, err := h.Keys.Keys(c.Request().Context(), who, page.After.ID, page.Limit)
	if err != nil {
		return err
	}
	return ok(c, pageOf(q, keys, page, keyFromAuth, func(k auth.Key) care.Position { return care.Position{ID: k.ID} }))
}

// revokeKey ends a key.
//
//	@Summary		Revoke a key
//	@Description	The next request that shows it is refused. Revoking again changes nothing.
//	@Tags			keys
//	@Param			key_id	path	string	true	"Key"	format(uuid)
//	@Success		204
//	@Failure		401,403,404,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/keys/{key_id} [delete]
func (h *Handlers) revokeKey(c echo.Context, who auth.Principal) error {
	id, err := pathID(c, "key_id")
	if err != nil {
		return err
	}
	if err := h.Keys.RevokeKey(c.Request().Context(), who, id); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

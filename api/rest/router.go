package rest

import (
	"strings"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/api/mw"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
)

// Through is the middleware of each kind of route: those that read no body,
// those that take one thing, the batch, those that read the whole record before
// they answer, and those that answer with a file of any length.
type Through struct{ Read, Write, Batch, Slow, Stream, Live []echo.MiddlewareFunc }

// router mounts routes with their middleware. The group has none of its own:
// Echo would then answer 404 for a method that a path does not have.
type router struct {
	group   *echo.Group
	through Through
}

func (r router) get(path string, h echo.HandlerFunc)    { r.group.GET(path, h, r.through.Read...) }
func (r router) delete(path string, h echo.HandlerFunc) { r.group.DELETE(path, h, r.through.Read...) }
func (r router) post(path string, h echo.HandlerFunc)   { r.group.POST(path, h, r.through.Write...) }
func (r router) put(path string, h echo.HandlerFunc)    { r.group.PUT(path, h, r.through.Write...) }
func (r router) patch(path string, h echo.HandlerFunc)  { r.group.PATCH(path, h, r.through.Write...) }
func (r router) batch(path string, h echo.HandlerFunc)  { r.group.POST(path, h, r.through.Batch...) }
func (r router) slow(path string, h echo.HandlerFunc)   { r.group.POST(path, h, r.through.Slow...) }
func (r router) stream(path string, h echo.HandlerFunc) { r.group.GET(path, h, r.through.Stream...) }

func (r router) live(path string, h echo.HandlerFunc) { r.group.GET(path, h, r.through.Live...) }

// eventsPath answers for as long as somebody listens.
const eventsPath = "/events"

// These routes answer with a file of any length.
const (
	exportPath  = "/exports/:table"
	packagePath = "/snapshots/:snapshot_id/package"
)

// Streamed reports whether a route answers with a file of any length, or piece
// by piece as things happen. A file packs itself, and ends with trailers; what is
// live is sent at once, and not packed.
func Streamed(c echo.Context) bool {
	return c.Path() == "/v1"+exportPath || c.Path() == "/v1"+packagePath || c.Path() == "/v1"+eventsPath
}

// withoutQuery is withQuery for a route that has no parameters: one that is
// sent all the same means something that is not understood.
func (h *Handlers) withoutQuery(handle func(echo.Context, auth.Principal) error) echo.HandlerFunc {
	return h.withQuery(func(c echo.Context, who auth.Principal) error {
		if err := query(c).Err(); err != nil {
			return err
		}
		return handle(c, who)
	})
}

// withQuery finds out who is asking. A handler takes the principal as a
// parameter, so that no route can be mounted without.
func (h *Handlers) withQuery(handle func(echo.Context, auth.Principal) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		token, err := credentialOf(c)
		if err != nil {
			return err
		}
		who, err := h.authenticate(c, token)
		if err != nil {
			return err
		}
		mw.NoteActor(c, who)
		return handle(c, who)
	}
}

// credentialOf reads what a request shows to say who is asking.
func credentialOf(c echo.Context) (string, error) {
	scheme, token, _ := strings.Cut(c.Request().Header.Get(echo.HeaderAuthorization), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", fault.New(fault.Unauthenticated, "Send Authorization: Bearer with a key.")
	}
	return strings.TrimSpace(token), nil
}

// inTurn has a figure of the whole record wait while others are computed.
func (h *Handlers) inTurn(handle func(echo.Context, auth.Principal) error) func(echo.Context, auth.Principal) error {
	return func(c echo.Context, who auth.Principal) error {
		done, err := h.Limits.Figuring(c.Request().Context())
		if err != nil {
			return err
		}
		defer done()
		return handle(c, who)
	}
}

// authenticate finds the principal of a credential, within the limits.
func (h *Handlers) authenticate(c echo.Context, credential string) (auth.Principal, error) {
	if err := h.Limits.BeforeCredential(c, credential); err != nil {
		return auth.Principal{}, err
	}
	who, err := h.principal(c, credential)
	switch {
	case auth.HasEnded(err):
		h.Limits.EndedCredential(credential)
	case fault.Is(err, fault.Unauthenticated), fault.Is(err, fault.Forbidden): // known to nobody, or to nobody here
		h.Limits.BadCredential(c, credential)
	}
	if err != nil {
		return auth.Principal{}, err
	}
	if who.Role == auth.Client {
		return who, h.Limits.AdmitClient(c, credential, who.Client.String())
	}
	return who, h.Limits.Admit(c, credential)
}

// clinicHeader names the clinic, for somebody who has a role in several.
const clinicHeader = "Protrack-Clinic"

// principal is who a credential is of: a token of the identity provider, which
// has two dots, or a key or a client's token, which have none.
func (h *Handlers) principal(c echo.Context, credential string) (auth.Principal, error) {
	ctx := c.Request().Context()
	if h.Provider == nil || strings.Count(credential, ".") != 2 {
		return h.Keys.Authenticate(ctx, auth.Secret(credential), origin(c))
	}
	identity, err := h.Provider.VerifyBearer(ctx, credential)
	if fault.Is(err, fault.Unauthenticated) {
		return auth.Principal{}, auth.ErrUnknownKey.Because(err)
	}
	if err != nil {
		return auth.Principal{}, err
	}
	who, _, err := h.Keys.PrincipalOfIdentity(ctx, identity, c.Request().Header.Get(clinicHeader), origin(c))
	return who, err
}

// origin is where a request comes from, as far as it can be believed.
func origin(c echo.Context) auth.Origin {
	client, err := uuid.Parse(c.Param("client_id"))
	if err != nil {
		client = uuid.Nil
	}
	return auth.Origin{
		Address: c.RealIP(), Request: auth.RequestOf(c.Response().Header().Get(echo.HeaderXRequestID)),
		Route: c.Request().Method + " " + c.Path(), Client: client,
	}
}

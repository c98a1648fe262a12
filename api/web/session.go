package web

import (
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"net/http"
	"strconv"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/api/mw"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
)

// What a session holds.
const (
	formTokenKey = "form_token" // what each form must send back
	clinicKey    = "clinic"
	accountKey   = "account"
	epochKey     = "epoch"
	stateKey     = "state" // of a sign-in at the provider that is under way
	nonceKey     = "nonce"
	verifierKey  = "verifier"
	enrolKey     = "enrol" // a second factor that is not confirmed
)

// session loads the browser's session and stores what became of it.
func (s *Site) session(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		var failed error
		handler := s.sessions.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c.SetRequest(r)
			was := c.Response()
			c.SetResponse(echo.NewResponse(w, c.Echo()))
			failed = next(c)
			if failed != nil { // before the session is stored, so that the answer is whole
				failed = s.show(c, failed) //nolint:contextcheck // the request that c was given above has it
			}
			now := c.Response()
			was.Status, was.Size, was.Committed = now.Status, now.Size, now.Committed
			c.SetResponse(was)
		}))
		handler.ServeHTTP(c.Response().Writer, c.Request())
		return failed
	}
}

// formToken demands of each form the token that its session was given.
func (s *Site) formToken(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		ctx := c.Request().Context()
		if m := c.Request().Method; m == http.MethodGet || m == http.MethodHead {
			return next(c)
		}
		c.Request().Body = http.MaxBytesReader(c.Response(), c.Request().Body, formLimit)
		want, got := s.sessions.GetString(ctx, formTokenKey), c.FormValue("form_token")
		if want == "" || subtle.ConstantTimeCompare([]byte(want), []byte(got)) != 1 {
			return fault.New(fault.Forbidden, "This form is too old. Open the page again and send it once more.")
		}
		return next(c)
	}
}

// formLimit is the most that a form may send.
const formLimit = 16 << 10

// token gives the session's form token and makes one where there is none.
func (v *visit) token() string {
	m, ctx := v.site.sessions, v.ctx()
	if t := m.GetString(ctx, formTokenKey); t != "" {
		return t
	}
	t := rand.Text()
	m.Put(ctx, formTokenKey, t)
	if m.GetString(ctx, accountKey) == "" {
		m.SetDeadline(ctx, v.site.Now().Add(strangerTime))
	}
	return t
}

// begin makes the session one of an account, under a new token, and so that
// what was known of it before is of no use.
func (v *visit) begin(me auth.Account) error {
	m, ctx := v.site.sessions, v.ctx()
	if err := m.Clear(ctx); err != nil {
		return err
	}
	if err := m.RenewToken(ctx); err != nil {
		return err
	}
	m.SetDeadline(ctx, v.site.Now().Add(absoluteTime))
	m.Put(ctx, clinicKey, me.Clinic.String())
	m.Put(ctx, accountKey, me.ID.String())
	m.Put(ctx, epochKey, me.Epoch)
	return nil
}

// signedIn hands a page who is signed in, as they are now: a change of role
// holds at once, and a session that it ended is forgotten.
func (s *Site) signedIn(page func(*visit) error) func(*visit) error {
	return func(v *visit) error {
		ctx := v.ctx()
		clinic, err1 := uuid.Parse(s.sessions.GetString(ctx, clinicKey))
		account, err2 := uuid.Parse(s.sessions.GetString(ctx, accountKey))
		if errors.Join(err1, err2) != nil {
			return v.Redirect(http.StatusSeeOther, "/login")
		}
		who, err := s.Keys.PrincipalOf(ctx, clinic, account, s.sessions.GetInt(ctx, epochKey), v.origin())
		if err == nil {
			v.me, v.clinic, err = s.Keys.Me(ctx, who)
		}
		if fault.Is(err, fault.Unauthenticated) {
			if err := s.sessions.Destroy(ctx); err != nil {
				return err
			}
			return v.Redirect(http.StatusSeeOther, "/login")
		}
		if err != nil {
			return err
		}
		v.who = who
		mw.NoteActor(v.Context, who)
		return page(v)
	}
}

// limit refuses a browser that asks too often to sign in to an account.
func (v *visit) limit(clinic, email string) error {
	return v.site.Limits.SigningIn(v.Context, strconv.Quote(clinic)+email)
}

package web

import (
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/alexedwards/scs/v2"
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
	begunKey     = "begun" // when somebody signed in, in seconds of Unix time
	stateKey     = "state" // of a sign-in at the provider that is under way
	nonceKey     = "nonce"
	verifierKey  = "verifier"
	wantedKey    = "wanted" // the page that was asked for before it
)

// load finds the browser's session. That of an account lasts from request to
// request, and never longer than its whole time.
func (v *visit) load() error {
	var token string
	if cookie, err := v.Cookie(cookieName); err == nil {
		token = cookie.Value
	}
	m := v.site.sessions
	ctx, err := m.Load(v.ctx(), token)
	if err != nil {
		return fmt.Errorf("load session: %w", err)
	}
	v.SetRequest(v.Request().WithContext(ctx))
	if begun := m.GetInt64(ctx, begunKey); begun != 0 {
		v.lasts(time.Unix(begun, 0))
	}
	return nil
}

// lasts sets when a session ends that began then.
func (v *visit) lasts(begun time.Time) {
	idle, whole := v.site.Now().Add(idleTime), begun.Add(absoluteTime)
	if whole.Before(idle) {
		idle = whole
	}
	v.site.sessions.SetDeadline(v.ctx(), idle)
}

// store keeps what became of the session, and tells the browser.
func (v *visit) store() error {
	m, ctx, w := v.site.sessions, v.ctx(), v.Response()
	w.Header().Del(echo.HeaderSetCookie) // of a file that came to nothing
	switch m.Status(ctx) {
	case scs.Modified:
		token, expiry, err := m.Commit(ctx)
		if err != nil {
			return fmt.Errorf("store session: %w", err)
		}
		m.WriteSessionCookie(ctx, w, token, expiry)
	case scs.Destroyed:
		m.WriteSessionCookie(ctx, w, "", time.Time{})
	case scs.Unmodified:
	}
	w.Header().Set(echo.HeaderCacheControl, "no-store") // scs adds a weaker one
	return nil
}

// checkForm demands of each form the token that its session was given.
func (v *visit) checkForm() error {
	if m := v.Request().Method; m == http.MethodGet || m == http.MethodHead {
		return nil
	}
	limit := int64(strangerLimit)
	if v.site.sessions.GetString(v.ctx(), accountKey) != "" {
		limit = formLimit
	}
	v.Request().Body = http.MaxBytesReader(v.Response(), v.Request().Body, limit)
	var tooLarge *http.MaxBytesError
	if err := v.Request().ParseForm(); errors.As(err, &tooLarge) {
		return fault.New(fault.TooLarge, "This form holds more than is taken here.")
	}
	want, got := v.site.sessions.GetString(v.ctx(), formTokenKey), v.typed("form_token")
	switch {
	case want == "":
		return fault.New(fault.Forbidden, "Your session is over, or your browser keeps no cookie of this page. Open the page again; if that does not help, open it over HTTPS.")
	case subtle.ConstantTimeCompare([]byte(want), []byte(got)) != 1:
		return fault.New(fault.Forbidden, "This form is too old. Open the page again and send it once more.")
	}
	return nil
}

// The most bytes that a form may send: of who is signed in, for whom the longest
// text of goals is sent twice, as it was and as it is, with three bytes for one
// in writing that is not Latin; and of anybody else.
const (
	formLimit     = 256 << 10
	strangerLimit = 16 << 10
)

// token gives the session's form token and makes one where there is none. Who
// comes without a session gets one, for a while.
func (v *visit) token() (string, error) {
	m, ctx := v.site.sessions, v.ctx()
	if t := m.GetString(ctx, formTokenKey); t != "" {
		return t, nil
	}
	if m.GetString(ctx, accountKey) == "" {
		if err := v.site.Limits.Visiting(v.Context); err != nil {
			return "", err
		}
		m.SetDeadline(ctx, v.site.Now().Add(strangerTime))
	}
	t := rand.Text()
	m.Put(ctx, formTokenKey, t)
	return t, nil
}

// begin makes the session one of an account, under a new token, and so that
// what was known of it before is of no use.
func (v *visit) begin(me auth.Account) error {
	m, ctx := v.site.sessions, v.ctx()
	chosen := m.GetString(ctx, languageKey)
	if err := m.Clear(ctx); err != nil {
		return err
	}
	if chosen != "" {
		m.Put(ctx, languageKey, chosen)
	}
	if err := m.RenewToken(ctx); err != nil {
		return err
	}
	now := v.site.Now()
	m.Put(ctx, begunKey, now.Unix())
	v.lasts(now)
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
			return v.toLogin()
		}
		if err := s.Limits.Opening(v.Context, account.String()); err != nil {
			return err
		}
		who, err := s.Keys.PrincipalOf(ctx, clinic, account, s.sessions.GetInt(ctx, epochKey), v.origin())
		if err == nil {
			v.me, v.clinic, err = s.Keys.Me(ctx, who)
		}
		if fault.Is(err, fault.Unauthenticated) {
			if err := s.sessions.Destroy(ctx); err != nil {
				return err
			}
			return v.toLogin()
		}
		if err != nil {
			return err
		}
		v.who = who
		mw.NoteActor(v.Context, who)
		return page(v)
	}
}

// toLogin sends the browser to sign in, and from there to the page that it asked
// for. A form is not sent again.
func (v *visit) toLogin() error {
	r := v.Request()
	wanted := localPath(r.URL.RequestURI())
	if wanted == "/" || r.Method != http.MethodGet {
		return v.redirect("/login")
	}
	return v.redirect("/login?" + url.Values{wantedField: {wanted}}.Encode())
}

// limit refuses a browser that asks too often to sign in to an account.
func (v *visit) limit(clinic, email string) error {
	return v.site.Limits.SigningIn(v.Context, strconv.Quote(clinic)+email)
}

// Package web is what people see in a browser: signing in, their account, and
// the pages that need both. Pages work without scripts.
//
// A browser is known by a session: a random token in a cookie that scripts
// cannot read, whose hash is stored. The routes of the API take no cookie, and
// these take no key, so that neither is led astray by the other's credentials.
package web

import (
	"context"
	"embed"
	"html/template"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/api/mw"
	"github.com/protrack/protrack/pkg/auth"
)

// How long a session lasts: without a click, and in all (NIST SP 800-63B-4,
// AAL2: 1 hour and 24 hours are the most; these are shorter, for a device in a
// clinic is shared).
const (
	idleTime     = 30 * time.Minute
	absoluteTime = 12 * time.Hour
	strangerTime = 30 * time.Minute // for who has opened the sign-in page
)

// cookieName begins with __Host-: browsers then take the cookie from this
// server over a safe connection only, and from none of its subdomains.
const cookieName = "__Host-protrack"

// Store keeps the sessions by the hashes of their tokens; see scs.CtxStore.
type Store interface {
	scs.CtxStore
}

// Site answers the pages.
type Site struct {
	Keys     *auth.Service
	Provider *auth.OIDC // nil: people sign in with a password only
	Limits   *mw.Limits
	Clinic   string // the clinic whose name stands in the forms
	Now      func() time.Time

	sessions *scs.SessionManager
	pages    map[string]*template.Template
}

//go:embed templates/*.html
var templates embed.FS

//go:embed assets
var assets embed.FS

// Open makes the site ready to be mounted.
func (s *Site) Open(store Store) *Site {
	m := scs.New()
	m.Store, m.HashTokenInStore = store, true
	m.Lifetime, m.IdleTimeout = absoluteTime, idleTime
	m.Cookie.Name, m.Cookie.Path = cookieName, "/"
	m.Cookie.Secure, m.Cookie.HttpOnly, m.Cookie.SameSite = true, true, http.SameSiteLaxMode
	m.Cookie.Persist = false // a closed browser forgets it
	m.ErrorFunc = func(_ http.ResponseWriter, _ *http.Request, err error) { panic(err) }
	s.sessions, s.pages = m, map[string]*template.Template{}
	for _, name := range []string{"login", "setup", "home", "account", "totp", "recovery", "fault"} {
		s.pages[name] = template.Must(template.ParseFS(templates, "templates/layout.html", "templates/"+name+".html"))
	}
	return s
}

// Routes is the map of the pages.
func (s *Site) Routes(e *echo.Echo, through ...echo.MiddlewareFunc) {
	through = append(through, s.session, mw.SameOrigin(), s.formToken)
	page := func(method, path string, h func(*visit) error) {
		e.Add(method, path, func(c echo.Context) error { return h(&visit{Context: c, site: s}) }, through...)
	}
	page(http.MethodGet, "/login", s.login)
	page(http.MethodPost, "/login", s.signIn)
	page(http.MethodPost, "/login/provider", s.toProvider)
	page(http.MethodGet, "/login/callback", s.fromProvider)
	page(http.MethodPost, "/logout", s.signOut)
	page(http.MethodGet, "/setup", s.setup)
	page(http.MethodPost, "/setup", s.setUp)

	page(http.MethodGet, "/", s.signedIn(s.home))
	page(http.MethodGet, "/account", s.signedIn(s.account))
	page(http.MethodPost, "/account/password", s.signedIn(s.changePassword))
	page(http.MethodPost, "/account/totp", s.signedIn(s.enrol))
	page(http.MethodPost, "/account/totp/confirm", s.signedIn(s.confirm))
	page(http.MethodPost, "/account/totp/remove", s.signedIn(s.removeTOTP))

	e.GET("/assets/protrack.css", func(c echo.Context) error {
		c.Response().Header().Set(echo.HeaderCacheControl, "public, max-age=300")
		sheet, err := assets.ReadFile("assets/protrack.css")
		if err != nil {
			return err
		}
		return c.Blob(http.StatusOK, "text/css; charset=utf-8", sheet)
	})
}

// A visit is one request of a browser.
type visit struct {
	echo.Context
	site   *Site
	who    auth.Principal // of who is signed in
	me     auth.Account
	clinic auth.Clinic
}

func (v *visit) ctx() context.Context { return v.Request().Context() }

func (v *visit) origin() auth.Origin {
	return auth.Origin{Address: v.RealIP(), Request: v.Response().Header().Get(echo.HeaderXRequestID)}
}

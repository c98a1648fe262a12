// Package web is what people see in a browser: signing in, their account, and
// the pages that need both. Pages work without scripts.
//
// A browser is known by a session: a random token in a cookie that scripts
// cannot read, whose hash is stored. The routes of the API take no cookie, and
// these take no key, so that neither is led astray by the other's credentials.
package web

import (
	"context"
	"html/template"
	"log/slog"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/api/file"
	"github.com/protrack/protrack/api/mw"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/research"
	"github.com/protrack/protrack/pkg/webhook"
)

// How long a session lasts: without a click, and in all (NIST SP 800-63B-4,
// AAL2: 1 hour and 24 hours are the most; these are shorter, for a device in a
// clinic is shared).
const (
	idleTime     = 30 * time.Minute
	absoluteTime = 12 * time.Hour
	strangerTime = 30 * time.Minute // in all, of who has opened the sign-in page
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
	Care     *care.Service
	Research *research.Service
	Keys     *auth.Service
	Webhooks *webhook.Service
	Provider *auth.OIDC // nil: people sign in with a password only
	Limits   *mw.Limits
	Files    *file.Desk
	Clinic   string // the clinic whose name stands in the forms
	Now      func() time.Time
	Log      *slog.Logger

	sessions *scs.SessionManager
	pages    map[string]*template.Template
	speech   *speech
}

// Open makes the site ready to be mounted. When a session ends is decided by
// the site's clock: each request sets its deadline, and the store judges it.
func (s *Site) Open(store Store) *Site {
	m := scs.New()
	m.Store, m.HashTokenInStore = store, true
	m.Cookie.Name, m.Cookie.Path = cookieName, "/"
	m.Cookie.Secure, m.Cookie.HttpOnly, m.Cookie.SameSite = true, true, http.SameSiteLaxMode
	m.Cookie.Persist = false // a closed browser forgets it
	s.sessions = m
	var err error
	if s.pages, err = readPages(); err != nil {
		panic(err) // they are part of the program
	}
	if s.speech, err = newSpeech(); err != nil {
		panic(err)
	}
	return s
}

// A visit is one request of a browser.
type visit struct {
	echo.Context
	site   *Site
	who    auth.Principal // of who is signed in
	me     auth.Account
	clinic auth.Clinic
	answer answer
}

func (v *visit) ctx() context.Context { return v.Request().Context() }

// typed is a field of the form that was sent. What stands in the URL is none:
// URLs are kept in histories and logs.
func (v *visit) typed(field string) string { return v.Request().PostFormValue(field) }

func (v *visit) origin() auth.Origin {
	return auth.Origin{Address: v.RealIP(), Request: auth.RequestOf(v.Response().Header().Get(echo.HeaderXRequestID))}
}

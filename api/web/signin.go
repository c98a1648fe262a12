package web

import (
	"cmp"
	"crypto/rand"
	"crypto/subtle"
	"net"
	"strings"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
)

type loginForm struct {
	Clinic, Email string
	Provider      bool
	Unsafe        bool   // the browser will not keep the cookie
	Wanted        string // the page to go on to: a path of this server
}

// wantedField names the page to go on to, in the address of the form and in it.
const wantedField = "wanted"

// theClinic is the one that a form or a link names, or else the site's own.
func (v *visit) theClinic() string {
	return cmp.Or(strings.TrimSpace(v.FormValue("clinic")), v.site.Clinic)
}

// unsafe says that the browser reached us neither by HTTPS nor on its own
// machine. It then keeps no cookie that is Secure, and so nobody can sign in.
func (v *visit) unsafe() bool {
	name := v.Request().Host
	if host, _, err := net.SplitHostPort(name); err == nil {
		name = host
	}
	name = strings.Trim(name, "[]")
	here := name == "localhost" || strings.HasSuffix(name, ".localhost") || net.ParseIP(name).IsLoopback()
	return v.Scheme() != "https" && !here
}

// loginView is the form to sign in, which leads on to the page that was wanted.
func (v *visit) loginView(wanted string) view {
	return view{Title: "Sign in", Narrow: true, Data: loginForm{
		Clinic: v.theClinic(), Unsafe: v.unsafe(), Email: strings.TrimSpace(v.typed("email")), Provider: v.site.Provider != nil,
		Wanted: localPath(wanted),
	}}
}

// login shows the form to sign in.
func (s *Site) login(v *visit) error {
	return v.render("login", v.loginView(v.QueryParam(wantedField)))
}

// signIn takes an address, a password and a code.
func (s *Site) signIn(v *visit) error {
	page := v.loginView(v.typed(wantedField))
	form, _ := page.Data.(loginForm)
	if err := v.limit(form.Clinic, form.Email); err != nil {
		return v.again("login", page, err)
	}
	_, me, err := s.Keys.SignIn(v.ctx(), form.Clinic, auth.Personal(form.Email),
		auth.Password(v.typed("password")), auth.Secret(strings.TrimSpace(v.typed("code"))), v.origin())
	if err != nil {
		return v.again("login", page, err)
	}
	if err := v.begin(me); err != nil {
		return err
	}
	return v.redirect(form.Wanted)
}

// signOut ends the session and has the browser forget what it kept.
func (s *Site) signOut(v *visit) error {
	if err := s.sessions.Destroy(v.ctx()); err != nil {
		return err
	}
	v.Response().Header().Set("Clear-Site-Data", `"cache", "storage"`)
	return v.redirect("/login")
}

var errNoProvider = fault.New(fault.NotFound, "No provider to sign in with is set up here.")

// onwardData is where the browser goes on to by itself. It is not redirected:
// browsers hold what follows a form to form-action, and where a provider sends
// people on to is not known here.
type onwardData struct{ To string }

// toProvider begins a sign-in at the provider: an authorization code, bound to
// this browser by state, nonce and the PKCE verifier.
func (s *Site) toProvider(v *visit) error {
	if s.Provider == nil {
		return errNoProvider
	}
	state, nonce, verifier := rand.Text(), rand.Text(), rand.Text()+rand.Text() // RFC 7636: 43 to 128 characters
	to, err := s.Provider.AuthURL(v.ctx(), state, nonce, verifier)
	if err != nil {
		return err
	}
	s.sessions.Put(v.ctx(), stateKey, state)
	s.sessions.Put(v.ctx(), nonceKey, nonce)
	s.sessions.Put(v.ctx(), verifierKey, verifier)
	s.sessions.Put(v.ctx(), wantedKey, localPath(v.typed(wantedField)))
	return v.render("onward", view{Title: "On to your organisation", Narrow: true, Data: onwardData{To: to}})
}

// fromProvider takes the provider's answer, once.
func (s *Site) fromProvider(v *visit) error {
	if s.Provider == nil {
		return errNoProvider
	}
	ctx := v.ctx()
	wanted := s.sessions.PopString(ctx, wantedKey)
	page := v.loginView(wanted)
	state, nonce, verifier := s.sessions.PopString(ctx, stateKey), s.sessions.PopString(ctx, nonceKey), s.sessions.PopString(ctx, verifierKey)
	if state == "" || subtle.ConstantTimeCompare([]byte(state), []byte(v.QueryParam("state"))) != 1 {
		return v.again("login", page, fault.New(fault.Forbidden, "That sign-in was not begun in this browser, or has been used. Begin again."))
	}
	if v.QueryParam("error") != "" {
		return v.again("login", page, fault.New(fault.Unauthenticated, "Your organisation did not sign you in."))
	}
	identity, err := s.Provider.Exchange(ctx, v.QueryParam("code"), verifier, nonce)
	if err != nil {
		return v.again("login", page, err)
	}
	_, me, err := s.Keys.PrincipalOfIdentity(ctx, identity, "", v.origin())
	if fault.Is(err, fault.Invalid) { // a role in several clinics
		_, me, err = s.Keys.PrincipalOfIdentity(ctx, identity, s.Clinic, v.origin())
	}
	if err != nil {
		return v.again("login", page, err)
	}
	if err := v.begin(me); err != nil {
		return err
	}
	return v.redirect(localPath(wanted))
}

type setupForm struct {
	Clinic, Name, Email string
	Unsafe              bool
}

func (v *visit) setupView() view {
	return view{Title: "Set up the first account", Narrow: true, Data: setupForm{
		Clinic: v.theClinic(), Unsafe: v.unsafe(), Name: strings.TrimSpace(v.typed("name")), Email: strings.TrimSpace(v.typed("email")),
	}}
}

// setup shows the form of the first account.
func (s *Site) setup(v *visit) error { return v.render("setup", v.setupView()) }

// setUp makes the first account and signs it in.
func (s *Site) setUp(v *visit) error {
	page := v.setupView()
	form, _ := page.Data.(setupForm)
	if err := v.limit(form.Clinic, "first account"); err != nil {
		return v.again("setup", page, err)
	}
	me, err := s.Keys.SetUp(v.ctx(), form.Clinic, auth.Secret(strings.TrimSpace(v.typed("key"))), auth.NewAccount{
		Email: auth.Personal(form.Email), Name: auth.Personal(form.Name), Password: auth.Password(v.typed("password")),
	}, v.origin())
	if err != nil {
		return v.again("setup", page, err)
	}
	if err := v.begin(me); err != nil {
		return err
	}
	return v.redirect("/")
}

package apitest_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
)

// A browser keeps cookies, and says where a request comes from. It does no
// more: a real one is driven elsewhere.
type browser struct {
	s       *apitest.Server
	address string
	cookie  string // of the session; empty: none
	token   string // of the form that was shown last
}

// browse opens a new browser at an address.
func browse(s *apitest.Server, address string) *browser { return &browser{s: s, address: address} }

// Where the people of the tests are.
const (
	atHome  = "198.51.100.7"
	strange = "192.0.2.66"
)

const cookieName = "__Host-protrack"

var formToken = regexp.MustCompile(`name="form_token" value="([^"]+)"`)

// send asks for a page as this machine's browser does; headers replace what a
// browser would say, and an empty value takes a header away.
func (b *browser) send(method, path string, form url.Values, headers ...string) *http.Response {
	r := httptest.NewRequestWithContext(context.Background(), method, "http://localhost"+path, strings.NewReader(form.Encode()))
	r.RemoteAddr = b.address + ":50000"
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if b.cookie != "" {
		r.AddCookie(&http.Cookie{Name: cookieName, Value: b.cookie})
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if r.Header.Del(headers[i]); headers[i+1] != "" {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	w := httptest.NewRecorder()
	b.s.Handler.ServeHTTP(w, r)
	return w.Result()
}

// get opens a page and keeps what a browser keeps of it.
func (b *browser) get(t testing.TB, path string) *apitest.Response {
	t.Helper()
	return b.keep(t, b.send(http.MethodGet, path, nil))
}

// post sends a form with the token of the page that was shown last.
func (b *browser) post(t testing.TB, path string, form url.Values) *apitest.Response {
	t.Helper()
	return b.keep(t, b.send(http.MethodPost, path, b.signed(form)))
}

// signed is a form with the token.
func (b *browser) signed(form url.Values) url.Values {
	out := url.Values{"form_token": {b.token}}
	for field, values := range form {
		out[field] = values
	}
	return out
}

func (b *browser) keep(t testing.TB, r *http.Response) *apitest.Response {
	t.Helper()
	for _, c := range r.Cookies() {
		if c.Name == cookieName {
			b.cookie = c.Value
		}
	}
	out := apitest.ReadAll(t, r)
	if m := formToken.FindSubmatch(out.Body); m != nil {
		b.token = string(m[1])
	}
	return out
}

// goesTo fails the test unless a page sends the browser on to another.
func goesTo(t testing.TB, r *apitest.Response, path string) {
	t.Helper()
	if r.Want(http.StatusSeeOther); r.Header.Get("Location") != path {
		t.Errorf("sent on to %q instead of %q", r.Header.Get("Location"), path)
	}
}

// ada is who signs in with a password.
var ada = auth.NewAccount{Email: "ada@clinic.example", Name: "Ada", Role: auth.Clinician, Password: "four plain words together"}

// hire is how the tests here call it.
var hire = apitest.Hire

// asTyped is what somebody types to sign in.
func asTyped(who auth.NewAccount) url.Values {
	return url.Values{"clinic": {"here"}, "email": {string(who.Email)}, "password": {string(who.Password)}}
}

// signIn opens the sign-in page and fills it in.
func (b *browser) signIn(t testing.TB, who auth.NewAccount) *apitest.Response {
	t.Helper()
	b.get(t, "/login").Want(http.StatusOK)
	return b.post(t, "/login", asTyped(who))
}

// signedIn is a browser in which somebody has signed in.
func signedIn(t testing.TB, s *apitest.Server, who auth.NewAccount) *browser {
	t.Helper()
	b := browse(s, atHome)
	goesTo(t, b.signIn(t, who), "/")
	b.get(t, "/account").Want(http.StatusOK)
	return b
}

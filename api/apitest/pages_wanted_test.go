package apitest_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/protrack/protrack/api/apitest"
)

// wantedNext is where the form to sign in leads on to.
var wantedNext = regexp.MustCompile(`name="wanted" value="([^"]*)"`)

// signInAt fills in the form to sign in that stands at a path.
func (b *browser) signInAt(t testing.TB, path string) *apitest.Response {
	t.Helper()
	m := wantedNext.FindSubmatch(b.get(t, path).Want(http.StatusOK).Body)
	if m == nil {
		t.Fatalf("%s does not say where it leads", path)
	}
	form := asTyped(ada)
	form.Set("wanted", html.UnescapeString(string(m[1])))
	wrong := withField(form, "password", "another password altogether")
	again := wantedNext.FindSubmatch(b.post(t, "/login", wrong).Want(http.StatusUnauthorized).Body)
	same(t, path+": where it leads after a wrong password", string(m[1]), string(again[1]))
	return b.post(t, "/login", form)
}

func TestWhoSignsInGoesOnToThePageThatWasAskedFor(t *testing.T) {
	t.Parallel()
	s := apitest.SQLite(t).Unlimited()
	hire(t, s, ada)
	n := settle(s, s.Clinic)
	for i, path := range []string{
		"/today", "/clients/" + n.client + "?all=1&instrument=phq-9", "/clients?search=a%26b%3Dc+%C3%BC&sort=-change", "/assessments/" + n.client, "/account",
	} {
		s.Clock.Set(today.Add(time.Duration(i) * time.Hour)) // wrong passwords are limited
		b := browse(s, atHome)
		to := b.get(t, path).Want(http.StatusSeeOther).Header.Get("Location")
		if !strings.HasPrefix(to, "/login?wanted=") {
			t.Fatalf("%s leads to %q", path, to)
		}
		goesTo(t, b.signInAt(t, to), path)
	}
	s.Clock.Set(today.Add(100 * time.Hour))
	b := browse(s, atHome)
	goesTo(t, b.get(t, "/"), "/login")
	goesTo(t, b.signInAt(t, "/login"), "/")
}

// TestSigningInLeadsToNoOtherServer: whatever a link to the form names, and
// whatever is sent with it, the browser stays here.
func TestSigningInLeadsToNoOtherServer(t *testing.T) {
	t.Parallel()
	s := apitest.SQLite(t).Unlimited()
	hire(t, s, ada)
	for i, wanted := range []string{
		"//evil.example", "///evil.example", "https://evil.example/", "http:evil.example", `/\evil.example`, `\\evil.example`, "/\t/evil.example", "\t//evil.example",
		" //evil.example", "/\r\nSet-Cookie: a=b", "javascript:alert(1)", "evil.example", "//x@evil.example", "/x\x00", "?x", "#x", "/" + strings.Repeat("x", 2000),
	} {
		s.Clock.Set(today.Add(time.Duration(i) * time.Hour))
		b := browse(s, atHome)
		goesTo(t, b.signInAt(t, "/login?"+url.Values{"wanted": {wanted}}.Encode()), "/")
		b = browse(s, atHome)
		b.get(t, "/login")
		goesTo(t, b.post(t, "/login", withField(asTyped(ada), "wanted", wanted)), "/")
	}
}

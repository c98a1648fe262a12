package apitest_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/auth/authtest"
)

var (
	jane = authtest.User{
		Username: "jane", Password: "jane's long password", Email: "jane@example.org", FirstName: "Jane", LastName: "Doe", Groups: []string{"doctors"},
	}
	joe = authtest.User{Username: "joe", Password: "joe's long password", Email: "joe@example.org", FirstName: "Joe", LastName: "Roe", Groups: []string{"everybody"}}
	kim = authtest.User{Username: "kim", Password: "kim's long password", Email: "kim@example.org", FirstName: "Kim", LastName: "Poe", Groups: []string{"doctors", "science"}}
)

// groupRoles is what the provider's groups are here.
var groupRoles = map[string]auth.Grant{
	"doctors": {Clinic: "here", Role: auth.Clinician}, "heads": {Clinic: "here", Role: auth.Admin}, "science": {Clinic: "elsewhere", Role: auth.Researcher},
}

const comeBack = "http://localhost/login/callback"

// vouching starts a provider, and our side of it with a clock that a test can
// set ahead.
func vouching(t *testing.T) (*authtest.Provider, apitest.Options, *atomic.Int64) {
	t.Helper()
	p := authtest.NewProvider(t, comeBack, jane, joe, kim)
	var ahead atomic.Int64
	o, err := auth.NewOIDC(p.Config(groupRoles), func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p, apitest.Options{Provider: o}, &ahead
}

// atProvider is vouching where nobody looks at the provider.
func atProvider(t *testing.T) apitest.Options {
	t.Helper()
	_, o, _ := vouching(t)
	return o
}

// codeOf is what an authenticator app shows.
func codeOf(t testing.TB, secret string, at time.Time) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, at)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

var shownSecret = regexp.MustCompile(`<code id="secret">([A-Z2-7]+)</code>`)

// secretOf is what a person types into an authenticator app.
func secretOf(t testing.TB, page string) string {
	t.Helper()
	m := shownSecret.FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("no secret is shown: %s", page)
	}
	return m[1]
}

func TestATokenOfTheProviderOpensWhatItsGroupsAreMappedTo(t *testing.T) {
	p, o, _ := vouching(t)
	apitest.EachWith(t, o, func(t *testing.T, s *apitest.Server) {
		access := func(who authtest.User) string { a, _ := p.Tokens(t, p.Client, who, "n"); return a }
		here, there := settle(s, s.Clinic), settle(s, s.Other)
		doctor := access(jane)
		s.As(doctor, "GET", "/v1/clients/"+here.client, nil).Want(http.StatusOK)
		s.As(doctor, "GET", "/v1/clients/"+there.client, nil).Want(http.StatusNotFound)
		s.As(doctor, "GET", "/v1/keys", nil).Want(http.StatusForbidden)
		s.As(doctor, "GET", "/v1/clients", nil, "Protrack-Clinic", "elsewhere").Want(http.StatusForbidden)
		s.As(access(joe), "GET", "/v1/instruments", nil).Want(http.StatusForbidden)

		both := access(kim)
		s.As(both, "GET", "/v1/clients/"+here.client, nil).Want(http.StatusUnprocessableEntity) // which clinic?
		s.As(both, "GET", "/v1/clients/"+here.client, nil, "Protrack-Clinic", "here").Want(http.StatusOK)
		s.As(both, "GET", "/v1/clients/"+there.client, nil, "Protrack-Clinic", "here").Want(http.StatusNotFound)
		s.As(both, "GET", "/v1/clients/"+there.client, nil, "Protrack-Clinic", "elsewhere").Want(http.StatusForbidden) // a researcher
		s.As(both, "GET", "/v1/instruments", nil, "Protrack-Clinic", "elsewhere").Want(http.StatusOK)

		for _, a := range listed(s.Do("GET", "/v1/accounts", nil).Want(http.StatusOK)) {
			if a["issuer"] != nil {
				s.Do("PATCH", "/v1/accounts/"+a["id"].(string), object{"disabled": true}).Want(http.StatusOK)
			}
		}
		s.As(doctor, "GET", "/v1/clients/"+here.client, nil).Want(http.StatusForbidden)
	})
}

func TestARoleThatTheProviderChangesHoldsWithTheNextTokenAndEndsSessions(t *testing.T) {
	p, o, _ := vouching(t)
	apitest.EachWith(t, o, func(t *testing.T, s *apitest.Server) {
		p.Regroup(t, jane, "doctors")
		b := atTheProvider(t, s, p, jane)
		if page := string(b.get(t, "/account").Want(http.StatusOK).Body); !strings.Contains(page, "clinician") {
			t.Errorf("%s", page)
		}
		old, _ := p.Tokens(t, p.Client, jane, "n")
		s.As(old, "GET", "/v1/keys", nil).Want(http.StatusForbidden)
		p.Regroup(t, jane, "heads")
		now, _ := p.Tokens(t, p.Client, jane, "n")
		s.As(now, "GET", "/v1/keys", nil).Want(http.StatusOK)
		goesTo(t, b.get(t, "/"), "/login")
	})
}

var onward = regexp.MustCompile(`<a class="button wide" href="([^"]+)"`)

// atTheProvider is a browser in which somebody has signed in at the provider.
func atTheProvider(t *testing.T, s *apitest.Server, p *authtest.Provider, who authtest.User) *browser {
	t.Helper()
	b := browse(s, atHome)
	b.get(t, "/login").Want(http.StatusOK)
	page := b.post(t, "/login/provider", url.Values{"wanted": {"/account"}}).Want(http.StatusOK)
	m := onward.FindSubmatch(page.Body)
	if m == nil {
		t.Fatalf("no way on: %s", page.Body)
	}
	back := p.SignIn(t, html.UnescapeString(string(m[1])), who)
	path := "/login/callback?" + back.Encode()
	// It is another site's page that sends the browser here.
	apitest.ReadAll(t, browse(s, strange).send("GET", path, nil, "Sec-Fetch-Site", "cross-site")).Want(http.StatusForbidden)
	goesTo(t, b.keep(t, b.send("GET", path, nil, "Sec-Fetch-Site", "cross-site")), "/account")
	b2 := *b
	b2.get(t, path).Want(http.StatusForbidden) // once
	return b
}

func TestSomebodyComesBackFromTheProviderToTheBrowserThatSentThem(t *testing.T) {
	p, o, _ := vouching(t)
	apitest.EachWith(t, o, func(t *testing.T, s *apitest.Server) {
		p.Regroup(t, jane, "doctors")
		b := atTheProvider(t, s, p, jane)
		page := string(b.get(t, "/account").Want(http.StatusOK).Body)
		if !strings.Contains(page, "Jane Doe") || strings.Contains(page, `action="/account/password"`) {
			t.Errorf("%s", page)
		}
		for path, form := range map[string]url.Values{"/account/totp": nil, "/account/password": forms["/account/password"]} {
			b.post(t, path, form).Want(http.StatusConflict) // the provider keeps both
		}
		// Whoever has no role here is told so, and is nobody.
		stranger := browse(s, atHome)
		stranger.get(t, "/login")
		m := onward.FindSubmatch(stranger.post(t, "/login/provider", nil).Want(http.StatusOK).Body)
		back := p.SignIn(t, html.UnescapeString(string(m[1])), joe)
		stranger.get(t, "/login/callback?"+back.Encode()).Want(http.StatusForbidden)
		goesTo(t, stranger.get(t, "/"), "/login")
	})
}

// segment encodes a part of a token.
func segment(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

func TestATokenThatIsNotRightIsAnsweredAsAWrongKeyIs(t *testing.T) {
	p, o, ahead := vouching(t)
	apitest.EachWith(t, o, func(t *testing.T, s *apitest.Server) {
		p.Regroup(t, jane, "doctors")
		good, id := p.Tokens(t, p.Client, jane, "n")
		others, _ := p.Tokens(t, p.Other, jane, "n")
		elsewhere := authtest.NewProvider(t, comeBack, jane)
		foreign, _ := elsewhere.Tokens(t, elsewhere.Client, jane, "n")
		parts := strings.Split(good, ".")
		none := segment(t, object{"alg": "none", "typ": "JWT"}) + "." + parts[1] + "."
		unsigned := segment(t, object{"alg": "HS256", "typ": "JWT"}) + "." + parts[1]
		mac := hmac.New(sha256.New, []byte(p.Client.Secret))
		mac.Write([]byte(unsigned))
		bad := map[string]string{
			"alg none": none, "HS256 with our secret": unsigned + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)),
			"another audience": others, "another issuer": foreign, "an ID token": id,
			"another's claims": parts[0] + "." + strings.Split(others, ".")[1] + "." + parts[2], "no signature": parts[0] + "." + parts[1] + ".",
			"nothing": "..", "no JSON": "a.b.c",
		}
		want := problemText(s.As(string(auth.NewSecret()), "GET", "/v1/clients", nil).Want(http.StatusUnauthorized))
		s.As(good, "GET", "/v1/clients", nil).Want(http.StatusOK)
		for what, token := range bad {
			r := s.As(token, "GET", "/v1/clients", nil).Want(http.StatusUnauthorized)
			same(t, what, want, problemText(r))
			same(t, what, []string{`Bearer realm="protrack"`}, r.Header.Values("WWW-Authenticate"))
		}
		ahead.Store(int64(48 * time.Hour))
		defer ahead.Store(0)
		same(t, "expired", want, problemText(s.As(good, "GET", "/v1/clients", nil).Want(http.StatusUnauthorized)))
	})
}

// problemText is a problem without the id of its request.
func problemText(r *apitest.Response) string { return requestID.ReplaceAllString(string(r.Body), "") }

package auth_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
)

const discovery = "/.well-known/openid-configuration"

func TestEveryFaultOfTheConfigurationIsNamedAtStart(t *testing.T) {
	_, err := auth.NewOIDC(auth.OIDCConfig{
		Issuer: "http://id.example", RedirectURL: "protrack.example/callback", Leeway: 6 * time.Minute,
		Algorithms: []string{"HS256", "none", "RS256", "rs256", ""},
		Roles:      map[string]auth.Grant{"phones": {Clinic: "kap", Role: "client"}, "": {Clinic: "Kap", Role: "system"}},
	}, time.Now, nil)
	if err == nil {
		t.Fatal("it is accepted")
	}
	for _, want := range []string{
		`issuer "http://id.example"`, `redirect URL "protrack.example/callback"`, "client id", `"HS256"`, `"none"`, `"rs256"`, `"" is not an algorithm`, "6m0s",
		`"client" is none of`, "group is empty", `"Kap" is not`, `"system" is none of`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not named", want)
		}
	}
	if got := strings.Count(err.Error(), "\n") + 1; got != 12 || strings.Contains(err.Error(), `"RS256"`) {
		t.Errorf("%d faults: %v", got, err)
	}
	for raw, want := range map[string]bool{
		"https://id.example/realms/kap": true, "http://localhost:8080/x": true, "http://127.0.0.1:1": true, "http://[::1]:1": true,
		"": false, "https://": false, "ftp://id.example": false, "http://localhost.evil.example": false, "https://user@id.example": false, "https://id.example#x": false, "http://10.0.0.1": false, ":": false,
	} {
		config := oidcConfig()
		config.Issuer = raw
		if _, err := auth.NewOIDC(config, time.Now, nil); (err == nil) != want {
			t.Errorf("issuer %q: %v", raw, err)
		}
	}
	config := oidcConfig()
	config.Roles = nil
	if _, err := auth.NewOIDC(config, time.Now, nil); err == nil || !strings.Contains(err.Error(), "nobody could sign in") {
		t.Errorf("no roles: %v", err)
	}
	config = oidcConfig()
	config.Leeway = -1
	if _, err := auth.NewOIDC(config, time.Now, nil); err == nil {
		t.Error("a leeway below nothing is accepted")
	}
}

func TestAlgorithmsAndLeewayAreAsConfigured(t *testing.T) {
	o, _, _ := signIn(t, func(c *auth.OIDCConfig) { c.Algorithms, c.Leeway = []string{"RS512"}, 5*time.Second })
	k := keyring()
	in := func(d time.Duration) string {
		return sign(t, jose.RS512, k.rsa, "rsa", jsonText(t, claimSet(m{"exp": noon.Add(d).Unix()})), nil)
	}
	if err := bearer(t, o, in(-5*time.Second)); err != nil {
		t.Error(err)
	}
	for _, text := range []string{in(-6 * time.Second), token(t, claimSet())} {
		checkRefused(t, text, bearer(t, o, text))
	}
}

func TestAProviderThatIsAwayAtStartIsFoundLater(t *testing.T) {
	o, p, c := signIn(t)
	p.set(func() { p.away = true })
	good := token(t, claimSet())
	for range 100 {
		if err := bearer(t, o, good); !fault.Is(err, fault.Unavailable) {
			t.Fatal(err)
		}
	}
	if _, err := o.AuthURL(t.Context(), "s", "n", "v"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("AuthURL: %v", err)
	}
	if _, err := o.Exchange(t.Context(), "c", "v", "n"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Exchange: %v", err)
	}
	if got := p.fetches(discovery); got != 1 {
		t.Errorf("it was looked for %d times at one moment", got)
	}
	p.set(func() { p.away = false })
	if err := bearer(t, o, good); !fault.Is(err, fault.Unavailable) {
		t.Errorf("within the pause: %v", err)
	}
	c.pass(5 * time.Second)
	if err := bearer(t, o, good); err != nil {
		t.Errorf("after the pause: %v", err)
	}
}

func TestAMalformedTokenIsRefusedWithoutAskingTheProvider(t *testing.T) {
	o, p, _ := signIn(t)
	for _, text := range []string{"", "..", strings.Repeat("x", 9000), base64url(`{"jku":"x"}`) + ".x.x", "a.b.c"} {
		checkRefused(t, text, bearer(t, o, text))
	}
	if got := p.fetches(discovery); got != 0 {
		t.Errorf("it was asked %d times", got)
	}
}

func TestManyWhoAskAtOnceLookForTheProviderOnce(t *testing.T) {
	o, p, _ := signIn(t)
	good := token(t, claimSet())
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if _, err := o.VerifyBearer(context.Background(), good); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if d, k := p.fetches(discovery), p.fetches("/keys"); d != 1 || k != 1 {
		t.Errorf("%d discoveries, %d fetches of keys", d, k)
	}
}

func TestWhoGivesUpIsToldThatItIsUnavailable(t *testing.T) {
	o, p, _ := signIn(t)
	ctx, cancel := context.WithCancel(t.Context())
	asked := make(chan struct{})
	p.set(func() {
		p.answers[discovery] = func(*http.Request) (*http.Response, error) {
			close(asked)
			<-t.Context().Done() // the request goes on; nobody waits for it
			return nil, context.Canceled
		}
	})
	go func() { <-asked; cancel() }()
	if _, err := o.VerifyBearer(ctx, token(t, claimSet())); !fault.Is(err, fault.Unavailable) {
		t.Error(err)
	}
}

func TestAProviderThatSaysOtherThanItShouldIsNotUsed(t *testing.T) {
	for what, metadata := range map[string]m{
		"another issuer":              {"issuer": "https://evil.example"},
		"the issuer with a slash":     {"issuer": issuer + "/"},
		"keys without TLS":            {"jwks_uri": "http://id.example/keys"},
		"no keys":                     {"jwks_uri": nil},
		"a token endpoint in clear":   {"token_endpoint": "http://id.example/token"},
		"no authorization endpoint":   {"authorization_endpoint": ""},
		"an endpoint that is no URL":  {"token_endpoint": "javascript:alert(1)"},
		"methods of another type":     {"token_endpoint_auth_methods_supported": "client_secret_basic"},
		"an issuer of another letter": {"issuer": strings.ToUpper(issuer)},
	} {
		o, p, _ := signIn(t)
		p.metadata = metadata
		if err := bearer(t, o, token(t, claimSet())); !fault.Is(err, fault.Unavailable) || p.fetches("/keys") > 0 {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestTheBrowserIsSentWithPKCE(t *testing.T) {
	o, _, _ := signIn(t, func(c *auth.OIDCConfig) { c.Scopes = []string{"groups"} })
	sent, err := o.AuthURL(t.Context(), "the state", "the nonce", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(sent)
	if err != nil {
		t.Fatal(err)
	}
	want := url.Values{
		"response_type": {"code"}, "client_id": {"dashboard"}, "redirect_uri": {"https://protrack.example/callback"}, "scope": {"openid groups"},
		"state": {"the state"}, "nonce": {"the nonce"},
		// The pair of RFC 7636, appendix B.
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
	}
	if diff := cmp.Diff(want, u.Query()); diff != "" || u.Scheme+"://"+u.Host+u.Path != issuer+"/auth" {
		t.Errorf("%s\n%s", sent, diff)
	}
	for _, x := range [][3]string{{"", "n", "v"}, {"s", "", "v"}, {"s", "n", ""}} {
		if sent, err := o.AuthURL(t.Context(), x[0], x[1], x[2]); err == nil || sent != "" {
			t.Errorf("%q: %s", x, sent)
		}
	}
	bearerOnly, _, _ := signIn(t, func(c *auth.OIDCConfig) { c.RedirectURL = "" })
	if _, err := bearerOnly.AuthURL(t.Context(), "s", "n", "v"); err == nil {
		t.Error("without a redirect URL there is a way for browsers")
	}
	if _, err := bearerOnly.Exchange(t.Context(), "c", "v", "n"); err == nil {
		t.Error("without a redirect URL a code is exchanged")
	}
}

func TestACodeIsExchangedOnceAndInTheWayTheProviderTakes(t *testing.T) {
	for _, x := range []struct {
		says     string
		secret   auth.Secret
		methods  any
		inHeader bool
	}{
		{"the default", "s3cret", nil, true},
		{"basic", "s3cret", []string{"client_secret_post", "client_secret_basic"}, true},
		{"post alone", "s3cret", []string{"client_secret_post"}, false},
		{"a public client", "", nil, false},
	} {
		o, p, _ := signIn(t, func(c *auth.OIDCConfig) { c.ClientSecret = x.secret })
		if x.methods != nil {
			p.metadata = m{"token_endpoint_auth_methods_supported": x.methods}
		}
		var form url.Values
		var user, password string
		p.answers["/token"] = func(req *http.Request) (*http.Response, error) {
			body, err := io.ReadAll(req.Body)
			if err != nil {
				return nil, err
			}
			form, _ = url.ParseQuery(string(body))
			user, password, _ = req.BasicAuth()
			return answer(http.StatusOK, m{"access_token": "x", "token_type": "Bearer", "id_token": token(t, idClaims())})
		}
		who, err := o.Exchange(t.Context(), "the-code", "the-verifier", "the-nonce")
		if err != nil || who.Subject != "jane" {
			t.Fatalf("%s: %+v, %v", x.says, who, err)
		}
		want := url.Values{"grant_type": {"authorization_code"}, "code": {"the-code"}, "code_verifier": {"the-verifier"}, "redirect_uri": {"https://protrack.example/callback"}}
		wantUser, wantPassword := "dashboard", string(x.secret)
		if !x.inHeader {
			want.Set("client_id", "dashboard")
			wantUser, wantPassword = "", ""
			if x.secret != "" {
				want.Set("client_secret", string(x.secret))
			}
		}
		if diff := cmp.Diff(want, form); diff != "" || user != wantUser || password != wantPassword {
			t.Errorf("%s: %s with %q, %q", x.says, diff, user, password)
		}
		if got := p.fetches("/token"); got != 1 {
			t.Errorf("%s: the code was shown %d times", x.says, got)
		}
	}
}

func TestAnExchangeThatFailsSaysWhoseFaultItIs(t *testing.T) {
	refusal := func(status int, code string) func(*http.Request) (*http.Response, error) {
		return func(*http.Request) (*http.Response, error) {
			return answer(status, m{"error": code, "error_description": "of the-code with the-client-secret"})
		}
	}
	tokens := func(id any) func(*http.Request) (*http.Response, error) {
		return status(http.StatusOK, m{"access_token": "x", "token_type": "Bearer", "id_token": id})
	}
	for what, x := range map[string]struct {
		answer func(*http.Request) (*http.Response, error)
		want   fault.Kind
	}{
		"a bad code":            {refusal(http.StatusBadRequest, "invalid_grant"), fault.Unauthenticated},
		"a bad request":         {refusal(http.StatusBadRequest, "invalid_request"), fault.Unauthenticated},
		"we are not known":      {refusal(http.StatusUnauthorized, "invalid_client"), fault.Unavailable},
		"an error of theirs":    {refusal(http.StatusInternalServerError, ""), fault.Unavailable},
		"too many":              {refusal(http.StatusTooManyRequests, "slow_down"), fault.Unavailable},
		"a redirect":            {func(*http.Request) (*http.Response, error) { return redirect() }, fault.Unavailable},
		"nothing listens":       {func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }, fault.Unavailable},
		"no ID token":           {tokens(nil), fault.Unauthenticated},
		"an ID token of a kind": {tokens(7), fault.Unauthenticated},
		"another's nonce":       {tokens(token(t, idClaims(m{"nonce": "another"}))), fault.Unauthenticated},
		"another client's":      {tokens(token(t, idClaims(m{"aud": "other"}))), fault.Unauthenticated},
		"no role":               {tokens(token(t, idClaims(m{"groups": nil}))), fault.Forbidden},
	} {
		o, p, _ := signIn(t)
		p.answers["/token"] = x.answer
		_, err := o.Exchange(t.Context(), "the-code", "the-verifier", "the-nonce")
		if !fault.Is(err, x.want) || p.fetches("/elsewhere") > 0 || p.fetches("/token") != 1 {
			t.Errorf("%s: %v", what, err)
		}
		for _, secret := range []string{"the-code", "the-verifier", "the-client-secret"} {
			if strings.Contains(fmt.Sprintf("%v %+v", err, err), secret) {
				t.Errorf("%s: the error repeats %s: %v", what, secret, err)
			}
		}
	}
}

func redirect() (*http.Response, error) {
	resp, err := answer(http.StatusTemporaryRedirect, nil)
	resp.Header.Set("Location", "https://evil.example/elsewhere")
	return resp, err
}

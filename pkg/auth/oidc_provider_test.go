package auth_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/oauth2"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/auth/authtest"
	"github.com/protrack/protrack/pkg/fault"
)

var (
	jane = authtest.User{
		Username: "jane", Password: "jane's long password", Email: "jane@example.org", FirstName: "Jane", LastName: "Doe",
		Groups: []string{"kap-doctors", "everybody", "north-science"},
	}
	joe = authtest.User{Username: "joe", Password: "joe's long password", Groups: []string{"everybody"}}
)

// realProvider is a running provider, and our side of it.
func realProvider(t *testing.T) (*authtest.Provider, *auth.OIDC) {
	t.Helper()
	p := authtest.NewProvider(t, "https://protrack.example/callback", jane, joe)
	o, err := auth.NewOIDC(p.Config(map[string]auth.Grant{
		"kap-doctors": {Clinic: "kap", Role: auth.Clinician}, "north-science": {Clinic: "north", Role: auth.Researcher},
	}), time.Now, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p, o
}

// visit is one browser's sign-in up to its return.
type visit struct {
	back            url.Values
	nonce, verifier string
}

func goAndSignIn(t *testing.T, p *authtest.Provider, o *auth.OIDC, who authtest.User) visit {
	t.Helper()
	v := visit{nonce: oauth2.GenerateVerifier(), verifier: oauth2.GenerateVerifier()}
	authURL, err := o.AuthURL(t.Context(), "the state", v.nonce, v.verifier)
	if err != nil {
		t.Fatal(err)
	}
	v.back = p.SignIn(t, authURL, who)
	return v
}

func TestSomebodySignsInAtARealProvider(t *testing.T) {
	p, o := realProvider(t)
	start := time.Now()
	v := goAndSignIn(t, p, o, jane)
	if v.back.Get("state") != "the state" {
		t.Errorf("the state came back as %q", v.back.Get("state"))
	}
	who, err := o.Exchange(t.Context(), v.back.Get("code"), v.verifier, v.nonce)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(auth.Identity{
		Issuer: p.Issuer, Subject: "user-1", Email: "jane@example.org", EmailVerified: true, Name: "Jane Doe",
		Grants: []auth.Grant{{Clinic: "kap", Role: "clinician"}, {Clinic: "north", Role: "researcher"}},
	}, who, cmpopts.IgnoreFields(auth.Identity{}, "AuthTime", "ExpiresAt")); diff != "" {
		t.Error(diff)
	}
	if d := who.AuthTime.Sub(start); d < -time.Minute || d > time.Minute || !who.ExpiresAt.After(start) {
		t.Errorf("signed in %v after the start, until %v", d, who.ExpiresAt)
	}
}

func TestSomebodyWithoutARoleIsForbidden(t *testing.T) {
	p, o := realProvider(t)
	v := goAndSignIn(t, p, o, joe)
	if _, err := o.Exchange(t.Context(), v.back.Get("code"), v.verifier, v.nonce); !fault.Is(err, fault.Forbidden) {
		t.Error(err)
	}
}

func TestWhatARealProviderDoesNotBearOutIsRefused(t *testing.T) {
	p, o := realProvider(t)
	exchange := func(code, verifier, nonce string) error {
		_, err := o.Exchange(t.Context(), code, verifier, nonce)
		return err
	}
	for what, attempt := range map[string]func(v visit) error{
		"another verifier": func(v visit) error { return exchange(v.back.Get("code"), oauth2.GenerateVerifier(), v.nonce) },
		"no verifier":      func(v visit) error { return exchange(v.back.Get("code"), "", v.nonce) },
		"another nonce":    func(v visit) error { return exchange(v.back.Get("code"), v.verifier, oauth2.GenerateVerifier()) },
		"no nonce":         func(v visit) error { return exchange(v.back.Get("code"), v.verifier, "") },
		"another code":     func(v visit) error { return exchange("guessed", v.verifier, v.nonce) },
		"no code":          func(v visit) error { return exchange("", v.verifier, v.nonce) },
		"another visit's code": func(v visit) error {
			return exchange(goAndSignIn(t, p, o, jane).back.Get("code"), v.verifier, v.nonce)
		},
		"a code a second time": func(v visit) error {
			if err := exchange(v.back.Get("code"), v.verifier, v.nonce); err != nil {
				t.Errorf("the first time: %v", err)
			}
			return exchange(v.back.Get("code"), v.verifier, v.nonce)
		},
		"a code of another client": func(v visit) error {
			config := p.Config(map[string]auth.Grant{"everybody": {Clinic: "kap", Role: auth.Clinician}})
			config.ClientID, config.ClientSecret = p.Other.ID, p.Other.Secret
			theirs, err := auth.NewOIDC(config, time.Now, nil)
			if err != nil {
				t.Fatal(err)
			}
			_, err = theirs.Exchange(t.Context(), v.back.Get("code"), v.verifier, v.nonce)
			return err
		},
	} {
		v := goAndSignIn(t, p, o, jane)
		err := attempt(v)
		if !fault.Is(err, fault.Unauthenticated) || !strings.Contains(err.Error(), "The token is not valid.") {
			t.Errorf("%s: %v", what, err)
		}
		if err != nil && strings.Contains(err.Error(), v.back.Get("code")) {
			t.Errorf("%s: the error repeats the code: %v", what, err)
		}
	}
}

func TestAWrongSecretOfOursIsNotTheVisitorsFault(t *testing.T) {
	p, o := realProvider(t)
	v := goAndSignIn(t, p, o, jane)
	config := p.Config(map[string]auth.Grant{"everybody": {Clinic: "kap", Role: auth.Clinician}})
	config.ClientSecret = "not the secret"
	misconfigured, err := auth.NewOIDC(config, time.Now, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := misconfigured.Exchange(t.Context(), v.back.Get("code"), v.verifier, v.nonce); !fault.Is(err, fault.Unavailable) {
		t.Error(err)
	}
}

func TestTheTokensOfARealProviderOpenWhatTheyAreMeantFor(t *testing.T) {
	p, o := realProvider(t)
	access, id := p.Tokens(t, p.Client, jane, "the nonce")
	theirAccess, theirID := p.Tokens(t, p.Other, jane, "the nonce")
	if strings.Count(access, ".") != 2 || strings.Count(theirID, ".") != 2 {
		t.Fatalf("no JWTs: %q, %q", access, theirID)
	}

	who, err := o.VerifyBearer(t.Context(), access)
	want := []auth.Grant{{Clinic: "kap", Role: "clinician"}, {Clinic: "north", Role: "researcher"}}
	if diff := cmp.Diff(want, who.Grants); err != nil || diff != "" || who.Subject != "user-1" {
		t.Errorf("the access token: %+v, %v\n%s", who, err, diff)
	}
	if who, err := o.VerifyIDToken(t.Context(), id, "the nonce"); err != nil || who.Name != "Jane Doe" {
		t.Errorf("the ID token: %+v, %v", who, err)
	}
	refused := map[string]error{}
	for what, text := range map[string]string{"our ID token": id, "another client's access token": theirAccess, "another client's ID token": theirID} {
		_, refused[what+" as a bearer token"] = o.VerifyBearer(t.Context(), text)
	}
	for what, text := range map[string]string{"our access token": access, "another client's ID token": theirID, "another client's access token": theirAccess} {
		_, refused[what+" as an ID token"] = o.VerifyIDToken(t.Context(), text, "the nonce")
	}
	for what, err := range refused {
		t.Run(what, func(t *testing.T) { checkRefused(t, "", err) })
	}

	// Another provider's tokens, of the same client and the same user.
	elsewhere := authtest.NewProvider(t, "https://protrack.example/callback", jane)
	access, _ = elsewhere.Tokens(t, elsewhere.Client, jane, "the nonce")
	_, err = o.VerifyBearer(t.Context(), access)
	checkRefused(t, access, err)
}

func TestTheProviderOfTheTestsLetsNobodyInWithoutAPassword(t *testing.T) {
	p, o := realProvider(t)
	authURL, err := o.AuthURL(t.Context(), "s", "n", "v")
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get(authURL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	form, err := http.PostForm(p.Issuer+"/login/username", url.Values{
		"id": {resp.Request.URL.Query().Get("authRequestID")}, "username": {jane.Username}, "password": {joe.Password},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer form.Body.Close()
	if form.Request.URL.Host != strings.TrimPrefix(p.Issuer, "http://") {
		t.Errorf("sent on to %s", form.Request.URL)
	}
}

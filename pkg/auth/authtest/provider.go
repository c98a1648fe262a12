// Package authtest runs an OpenID Connect provider for tests: a real one, in
// the test's process, with a login form that a browser can fill in. It also hashes
// passwords for tests, at no cost.
package authtest

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"sync"
	"testing"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
	"golang.org/x/oauth2"

	"github.com/protrack/protrack/pkg/auth"
)

// User is somebody whom the provider knows.
type User struct {
	Username, Password string // what is typed into the login form
	Email              string
	FirstName          string
	LastName           string
	Groups             []string // the claim "groups", in ID tokens and access tokens
}

// Client is a client of the provider, for the authorization code flow with
// PKCE. Its access tokens are JWTs that have its id as their audience.
type Client struct {
	ID          string
	Secret      auth.Secret
	RedirectURL string
}

// Provider is a running provider. It has two clients, so that a test can show
// one what is meant for the other.
type Provider struct {
	Issuer        string // the URL it listens at, by http, on this machine
	Client, Other Client

	server *httptest.Server
	people *people
}

// NewProvider starts a provider that knows the users and sends browsers back
// to redirectURL. It stops when the test ends.
func NewProvider(t testing.TB, redirectURL string, users ...User) *Provider {
	t.Helper()
	p := &Provider{
		Client: Client{ID: "protrack", Secret: "the secret of protrack", RedirectURL: redirectURL},
		Other:  Client{ID: "other", Secret: "the secret of the other", RedirectURL: redirectURL},
		server: httptest.NewUnstartedServer(nil),
	}
	p.Issuer = "http://" + p.server.Listener.Addr().String()
	clients := map[string]*storage.Client{}
	for _, c := range []Client{p.Client, p.Other} {
		clients[c.ID] = storage.WebClient(c.ID, string(c.Secret), c.RedirectURL)
	}
	p.people = newPeople(users)
	p.server.Config.Handler = exampleop.SetupServer(p.Issuer, &records{
		Storage: storage.NewStorageWithClients(p.people, clients), people: p.people,
	}, nil, false)
	p.server.Start()
	t.Cleanup(p.server.Close)
	return p
}

// Config is what our client is configured with.
func (p *Provider) Config(roles map[string]auth.Grant) auth.OIDCConfig {
	return auth.OIDCConfig{
		Issuer: p.Issuer, ClientID: p.Client.ID, ClientSecret: p.Client.Secret, RedirectURL: p.Client.RedirectURL, Roles: roles,
	}
}

// Regroup puts somebody into other groups. Tokens of before keep the old ones.
func (p *Provider) Regroup(t testing.TB, who User, groups ...string) {
	t.Helper()
	u := p.people.GetUserByUsername(who.Username)
	if u == nil {
		t.Fatalf("nobody is named %s", who.Username)
	}
	p.people.mu.Lock()
	defer p.people.mu.Unlock()
	p.people.groups[u.ID] = groups
}

// loginRequest is where the login form keeps which sign-in it belongs to.
var loginRequest = regexp.MustCompile(`name="id" value="([^"]+)"`)

// SignIn does what a browser does that is sent to authURL and a person who
// signs in there. It gives the parameters of the redirect back.
func (p *Provider) SignIn(t testing.TB, authURL string, who User) url.Values {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	var back url.Values
	home, err := url.Parse(p.Client.RedirectURL)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar, CheckRedirect: func(req *http.Request, _ []*http.Request) error {
		if req.URL.Host == home.Host && req.URL.Path == home.Path {
			back = req.URL.Query()
			return http.ErrUseLastResponse
		}
		return nil
	}}
	form := read(t)(browser.Get(authURL))
	id := loginRequest.FindStringSubmatch(form)
	if id == nil {
		t.Fatalf("no login form: %s", form)
	}
	page := read(t)(browser.PostForm(p.Issuer+"/login/username", url.Values{
		"id": {id[1]}, "username": {who.Username}, "password": {who.Password},
	}))
	if back == nil {
		t.Fatalf("nobody was sent back: %s", page)
	}
	return back
}

// read gives the body of an answer.
func read(t testing.TB) func(*http.Response, error) string {
	return func(resp *http.Response, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode >= http.StatusBadRequest {
			t.Fatalf("status %d, %v: %s", resp.StatusCode, err, body)
		}
		return string(body)
	}
}

// Tokens signs somebody in to a client and gives what a front end of its own
// would have then: an access token to send as a bearer token, and the ID token.
func (p *Provider) Tokens(t testing.TB, c Client, who User, nonce string) (access, id string) {
	t.Helper()
	config := oauth2.Config{
		ClientID: c.ID, ClientSecret: string(c.Secret), RedirectURL: c.RedirectURL,
		Scopes:   []string{oidc.ScopeOpenID, oidc.ScopeProfile, oidc.ScopeEmail},
		Endpoint: oauth2.Endpoint{AuthURL: p.Issuer + "/auth", TokenURL: p.Issuer + "/oauth/token", AuthStyle: oauth2.AuthStyleInHeader},
	}
	verifier := oauth2.GenerateVerifier()
	back := p.SignIn(t, config.AuthCodeURL("state", oauth2.SetAuthURLParam("nonce", nonce), oauth2.S256ChallengeOption(verifier)), who)
	tokens, err := config.Exchange(t.Context(), back.Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	id, _ = tokens.Extra("id_token").(string)
	return tokens.AccessToken, id
}

// people are the users as the example's storage asks for them.
type people struct {
	byID map[string]*storage.User

	mu     sync.Mutex
	groups map[string][]string // by id
}

func (p *people) groupsOf(id string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.groups[id]
}

func newPeople(users []User) *people {
	p := &people{byID: map[string]*storage.User{}, groups: map[string][]string{}}
	for i, u := range users {
		id := "user-" + strconv.Itoa(i+1)
		p.groups[id] = u.Groups
		p.byID[id] = &storage.User{
			ID: id, Username: u.Username, Password: u.Password, Email: u.Email, EmailVerified: true, FirstName: u.FirstName, LastName: u.LastName,
		}
	}
	return p
}

// GetUserByID finds a user, or nil.
func (p *people) GetUserByID(id string) *storage.User { return p.byID[id] }

// GetUserByUsername finds a user, or nil.
func (p *people) GetUserByUsername(username string) *storage.User {
	for _, u := range p.byID {
		if u.Username == username {
			return u
		}
	}
	return nil
}

// ExampleClientID is the id of a service that no test uses.
func (p *people) ExampleClientID() string { return "" }

// records is the example's storage with what it lacks: groups, access tokens
// that are JWTs, and ID tokens that say who somebody is.
type records struct {
	*storage.Storage
	people *people
}

// SetUserinfoFromRequest adds the groups to an ID token.
func (r *records) SetUserinfoFromRequest(ctx context.Context, info *oidc.UserInfo, request op.IDTokenRequest, scopes []string) error {
	if err := r.Storage.SetUserinfoFromRequest(ctx, info, request, scopes); err != nil {
		return err
	}
	info.AppendClaims("groups", r.people.groupsOf(request.GetSubject()))
	return nil
}

// GetPrivateClaimsFromScopes adds the groups to an access token.
func (r *records) GetPrivateClaimsFromScopes(_ context.Context, userID, _ string, _ []string) (map[string]any, error) {
	return map[string]any{"groups": r.people.groupsOf(userID)}, nil
}

// GetClientByClientID finds a client.
func (r *records) GetClientByClientID(ctx context.Context, id string) (op.Client, error) {
	c, err := r.Storage.GetClientByClientID(ctx, id)
	if err != nil {
		return nil, err
	}
	return jwtClient{c}, nil
}

type jwtClient struct{ op.Client }

// AccessTokenType makes access tokens JWTs.
func (jwtClient) AccessTokenType() op.AccessTokenType { return op.AccessTokenTypeJWT }

// IDTokenUserinfoClaimsAssertion puts name and email into the ID token.
func (jwtClient) IDTokenUserinfoClaimsAssertion() bool { return true }

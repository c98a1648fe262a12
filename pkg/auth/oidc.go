package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"
)

// OIDCConfig says which identity provider vouches for people, and what its
// groups are here. Zero fields have the defaults named.
type OIDCConfig struct {
	Issuer       string           // exactly as the provider writes it; https, or http on this machine
	ClientID     string           // ours, at the provider
	ClientSecret Secret           // empty: a public client
	Audience     string           // of bearer tokens; default ClientID
	RoleClaim    string           // the claim with groups or roles, a path with dots allowed; default "groups"
	Roles        map[string]Grant // by the value of the role claim
	Algorithms   []string         // of signatures, asymmetric ones; default RS256, ES256, PS256 and EdDSA
	RedirectURL  string           // where the browser comes back to; empty: bearer tokens alone
	Scopes       []string         // besides openid; default profile and email
	RequireMFA   []string         // values of amr or acr of which a token must have one; empty: not demanded
	Leeway       time.Duration    // by which clocks may differ; default 60 s, at most 5 min
}

const (
	defaultLeeway = time.Minute
	maxLeeway     = 5 * time.Minute

	// discoveryPause is the least time between two attempts to find a provider
	// that is away.
	discoveryPause = 5 * time.Second
	oidcTimeout    = 10 * time.Second // of one request to the provider
)

// asymmetric are the algorithms with a public key. With the others, whoever
// can verify a token can make one.
var asymmetric = []string{
	oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512,
	oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA,
}

// withDefaults fills in what is left open.
func (c OIDCConfig) withDefaults() OIDCConfig {
	c.Audience = cmp.Or(c.Audience, c.ClientID)
	c.RoleClaim = cmp.Or(c.RoleClaim, "groups")
	c.Leeway = cmp.Or(c.Leeway, defaultLeeway)
	if len(c.Algorithms) == 0 {
		c.Algorithms = []string{oidc.RS256, oidc.ES256, oidc.PS256, oidc.EdDSA}
	}
	if len(c.Scopes) == 0 {
		c.Scopes = []string{"profile", "email"}
	}
	if !slices.Contains(c.Scopes, oidc.ScopeOpenID) {
		c.Scopes = append([]string{oidc.ScopeOpenID}, c.Scopes...)
	}
	return c
}

// check lists every fault of a configuration.
func (c OIDCConfig) check() error {
	var faults []error
	if !trustworthy(c.Issuer) {
		faults = append(faults, fmt.Errorf("OpenID Connect: the issuer %q is not an https URL", c.Issuer))
	}
	if c.RedirectURL != "" && !trustworthy(c.RedirectURL) {
		faults = append(faults, fmt.Errorf("OpenID Connect: the redirect URL %q is not an https URL", c.RedirectURL))
	}
	if c.ClientID == "" {
		faults = append(faults, errors.New("OpenID Connect: the client id is empty"))
	}
	for _, a := range c.Algorithms {
		if !slices.Contains(asymmetric, a) {
			faults = append(faults, fmt.Errorf("OpenID Connect: %q is not an algorithm with a public key", a))
		}
	}
	if c.Leeway < 0 || c.Leeway > maxLeeway {
		faults = append(faults, fmt.Errorf("OpenID Connect: a leeway of %v is not between 0 and %v", c.Leeway, maxLeeway))
	}
	if len(c.Roles) == 0 {
		faults = append(faults, errors.New("OpenID Connect: no group is mapped to a role, so that nobody could sign in"))
	}
	for _, value := range slices.Sorted(maps.Keys(c.Roles)) {
		faults = append(faults, checkGrant(value, c.Roles[value])...)
	}
	return errors.Join(faults...)
}

// trustworthy reports whether what is sent to the URL cannot be read or
// changed on the way: by TLS, or because it does not leave this machine.
func trustworthy(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		return false
	}
	here := u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()
	return u.Scheme == "https" || u.Scheme == "http" && here
}

// OIDC signs people in by an OpenID Connect provider.
type OIDC struct {
	config OIDCConfig
	now    func() time.Time
	client *http.Client

	found    atomic.Pointer[connection]
	finding  singleflight.Group
	attempts *rate.Limiter
}

// connection is what discovery finds. It is kept until the program ends.
type connection struct {
	oauth oauth2.Config
	keys  *providerKeys
}

// NewOIDC checks the configuration and lists every fault of it. The provider
// is not asked yet: it may start after us. Its HTTP requests go through
// transport, nil being http.DefaultTransport.
func NewOIDC(config OIDCConfig, now func() time.Time, transport http.RoundTripper) (*OIDC, error) {
	config = config.withDefaults()
	if err := config.check(); err != nil {
		return nil, err
	}
	if transport == nil {
		transport = http.DefaultTransport
	}
	return &OIDC{
		config: config, now: now, attempts: rate.NewLimiter(rate.Every(discoveryPause), 1),
		client: &http.Client{
			Transport: transport, Timeout: oidcTimeout,
			// A redirect could carry the client's secret elsewhere.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// connect finds the provider's endpoints, once. Who asks while they are being
// looked for waits for the same answer; after a failure there is a pause, in
// which the answer is Unavailable at once.
func (o *OIDC) connect(ctx context.Context) (*connection, error) {
	if c := o.found.Load(); c != nil {
		return c, nil
	}
	// The first to ask may give up; the others still wait.
	look := func() (any, error) { return o.discover(context.WithoutCancel(ctx)) }
	select {
	case <-ctx.Done():
		return nil, errAway.Because(ctx.Err())
	case r := <-o.finding.DoChan("", look):
		if r.Err != nil {
			return nil, errAway.Because(r.Err)
		}
		return o.found.Load(), nil
	}
}

func (o *OIDC) discover(ctx context.Context) (*connection, error) {
	if c := o.found.Load(); c != nil {
		return c, nil
	}
	if !o.attempts.AllowN(o.now(), 1) {
		return nil, errors.New("the provider was looked for a moment ago")
	}
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, o.client), o.config.Issuer)
	if err != nil {
		return nil, fmt.Errorf("looking for the provider: %w", err)
	}
	var said struct {
		Keys    string   `json:"jwks_uri"`
		Methods []string `json:"token_endpoint_auth_methods_supported"`
	}
	if err := provider.Claims(&said); err != nil {
		return nil, fmt.Errorf("reading what the provider says of itself: %w", err)
	}
	endpoint := provider.Endpoint()
	for _, u := range []string{endpoint.AuthURL, endpoint.TokenURL, said.Keys} {
		if !trustworthy(u) {
			return nil, fmt.Errorf("the provider's endpoint %q is not an https URL", u)
		}
	}
	// Named, for the library would else try both and show the code twice.
	endpoint.AuthStyle = oauth2.AuthStyleInHeader
	if o.config.ClientSecret == "" || len(said.Methods) > 0 && !slices.Contains(said.Methods, "client_secret_basic") {
		endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	c := &connection{
		oauth: oauth2.Config{
			ClientID: o.config.ClientID, ClientSecret: string(o.config.ClientSecret),
			Endpoint: endpoint, RedirectURL: o.config.RedirectURL, Scopes: o.config.Scopes,
		},
		keys: newProviderKeys(said.Keys, o.now, o.client.Transport),
	}
	o.found.Store(c)
	return c, nil
}

var errNoBrowser = errors.New("OpenID Connect: without a redirect URL, browsers cannot sign in")

// AuthURL is where to send a browser to sign in, by the authorization code
// flow with PKCE. State, nonce and verifier are new for each sign-in, random
// (oauth2.GenerateVerifier makes such texts), and kept where only this
// browser's return finds them. Unavailable: the provider was not found yet.
func (o *OIDC) AuthURL(ctx context.Context, state, nonce, verifier string) (string, error) {
	if o.config.RedirectURL == "" {
		return "", errNoBrowser
	}
	if state == "" || nonce == "" || verifier == "" {
		return "", errors.New("OpenID Connect: state, nonce and verifier must not be empty")
	}
	found, err := o.connect(ctx)
	if err != nil {
		return "", err
	}
	return found.oauth.AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)), nil
}

// Exchange finds who came back with a code, whose state the caller has
// compared already. A code, verifier or nonce that the provider or the token
// does not bear out is the same Unauthenticated fault as a bad token;
// otherwise faults are those of VerifyIDToken.
func (o *OIDC) Exchange(ctx context.Context, code, verifier, nonce string) (Identity, error) {
	if o.config.RedirectURL == "" {
		return Identity{}, errNoBrowser
	}
	found, err := o.connect(ctx)
	if err != nil {
		return Identity{}, err
	}
	tokens, err := found.oauth.Exchange(oidc.ClientContext(ctx, o.client), code, oauth2.VerifierOption(verifier))
	if err != nil {
		return Identity{}, exchangeFault(err)
	}
	token, _ := tokens.Extra("id_token").(string)
	return o.VerifyIDToken(ctx, token, nonce)
}

// exchangeFault tells a bad code, which is the browser's, from the rest: the
// provider is away, or does not know us as we are configured.
func exchangeFault(err error) error {
	var answer *oauth2.RetrieveError
	if !errors.As(err, &answer) {
		return errAway.Because(err)
	}
	// The body of the answer stays out: it may repeat what was sent.
	cause := fmt.Errorf("the token endpoint answers %d, %.40q", answer.Response.StatusCode, answer.ErrorCode)
	if answer.ErrorCode == "invalid_grant" || answer.ErrorCode == "invalid_request" {
		return errToken.Because(cause)
	}
	return errAway.Because(cause)
}

package auth_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/protrack/protrack/pkg/auth"
)

const issuer = "https://id.example"

// noon is when the tests of tokens take place.
var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// keyring is one pair of keys of each kind, and another RSA pair, which is
// not the provider's.
var keyring = sync.OnceValue(func() (k struct {
	rsa, other, next *rsa.PrivateKey
	ec               *ecdsa.PrivateKey
	ed               ed25519.PrivateKey
}) {
	var err [5]error
	k.rsa, err[0] = rsa.GenerateKey(rand.Reader, 2048)
	k.other, err[1] = rsa.GenerateKey(rand.Reader, 2048)
	k.next, err[2] = rsa.GenerateKey(rand.Reader, 2048)
	k.ec, err[3] = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, k.ed, err[4] = ed25519.GenerateKey(rand.Reader)
	if err := errors.Join(err[:]...); err != nil {
		panic(err)
	}
	return k
})

// provider is an identity provider as a transport: it answers discovery, keys
// and the token endpoint, can be taken away, and counts what it is asked.
type provider struct {
	mu       sync.Mutex
	keys     map[string]crypto.PublicKey // by key id
	metadata map[string]any              // of discovery, where it is not the usual
	answers  map[string]func(*http.Request) (*http.Response, error)
	away     bool
	asked    map[string]int // by path
}

func newProvider() *provider {
	k := keyring()
	return &provider{
		keys:     map[string]crypto.PublicKey{"rsa": k.rsa.Public(), "ec": k.ec.Public(), "ed": k.ed.Public()},
		metadata: map[string]any{}, answers: map[string]func(*http.Request) (*http.Response, error){}, asked: map[string]int{},
	}
}

func (p *provider) RoundTrip(req *http.Request) (*http.Response, error) {
	p.mu.Lock()
	p.asked[req.URL.Path]++
	away, special := p.away, p.answers[req.URL.Path]
	p.mu.Unlock()
	switch {
	case special != nil:
		return special(req)
	case away:
		return nil, errors.New("connection refused")
	case req.URL.Path == "/.well-known/openid-configuration":
		return answer(http.StatusOK, p.discovery())
	case req.URL.Path == "/keys":
		return answer(http.StatusOK, p.keySet())
	}
	return answer(http.StatusNotFound, nil)
}

func (p *provider) discovery() map[string]any {
	said := map[string]any{
		"issuer": issuer, "authorization_endpoint": issuer + "/auth", "token_endpoint": issuer + "/token", "jwks_uri": issuer + "/keys",
	}
	maps.Copy(said, p.metadata)
	return said
}

func (p *provider) keySet() jose.JSONWebKeySet {
	p.mu.Lock()
	defer p.mu.Unlock()
	var set jose.JSONWebKeySet
	for id, key := range p.keys {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: key, KeyID: id, Use: "sig"})
	}
	return set
}

// set changes the provider under its lock.
func (p *provider) set(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

// fetches says how often a path was asked for.
func (p *provider) fetches(path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked[path]
}

func answer(status int, body any) (*http.Response, error) {
	text, err := json.Marshal(body)
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewReader(text)),
	}, err
}

// clock is a clock that tests set.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// oidcConfig is that of most tests. The API has an audience of its own.
func oidcConfig() auth.OIDCConfig {
	return auth.OIDCConfig{
		Issuer: issuer, ClientID: "dashboard", ClientSecret: "the-client-secret", Audience: "api", RedirectURL: "https://protrack.example/callback",
		Roles: map[string]auth.Grant{"staff": {Clinic: "kap", Role: auth.Clinician}},
	}
}

// signIn is a provider, its clock and what the configuration makes of them.
func signIn(t testing.TB, change ...func(*auth.OIDCConfig)) (*auth.OIDC, *provider, *clock) {
	t.Helper()
	config := oidcConfig()
	for _, f := range change {
		f(&config)
	}
	p, c := newProvider(), &clock{at: noon}
	o, err := auth.NewOIDC(config, c.now, p)
	if err != nil {
		t.Fatal(err)
	}
	return o, p, c
}

// claimSet is a good bearer token's, with changes; nil takes a claim out.
func claimSet(changes ...map[string]any) map[string]any {
	out := map[string]any{
		"iss": issuer, "aud": "api", "sub": "jane", "exp": noon.Add(time.Hour).Unix(), "iat": noon.Unix(), "groups": []string{"staff"},
	}
	for _, change := range changes {
		for name, v := range change {
			out[name] = v
			if v == nil {
				delete(out, name)
			}
		}
	}
	return out
}

// idClaims is a good ID token's.
func idClaims(changes ...map[string]any) map[string]any {
	return claimSet(append([]map[string]any{{"aud": "dashboard", "nonce": "the-nonce", "at_hash": "x"}}, changes...)...)
}

func jsonText(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// sign makes a compact token by go-jose. An empty key id is left out.
func sign(t testing.TB, alg jose.SignatureAlgorithm, key any, kid, payload string, headers map[jose.HeaderKey]any) string {
	t.Helper()
	options := &jose.SignerOptions{}
	for name, v := range headers {
		options = options.WithHeader(name, v)
	}
	if kid != "" {
		options = options.WithHeader("kid", kid)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, options)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign([]byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// token is one that the provider signs with its RSA key.
func token(t testing.TB, claims map[string]any) string {
	t.Helper()
	return sign(t, jose.RS256, keyring().rsa, "rsa", jsonText(t, claims), map[jose.HeaderKey]any{"typ": "JWT"})
}

func base64url(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// signText makes a token of a header and a payload that no library would
// write, rightly signed with the provider's RSA key.
func signText(t testing.TB, header, payload string) string {
	t.Helper()
	body := base64url(header) + "." + base64url(payload)
	sum := sha256.Sum256([]byte(body))
	signature, err := rsa.SignPKCS1v15(rand.Reader, keyring().rsa, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return body + "." + base64url(string(signature))
}

// bearer is VerifyBearer with the test's context.
func bearer(t testing.TB, o *auth.OIDC, token string) error {
	t.Helper()
	_, err := o.VerifyBearer(context.WithoutCancel(t.Context()), token)
	return err
}

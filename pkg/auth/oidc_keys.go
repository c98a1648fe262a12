package auth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/time/rate"
)

const (
	// keysFresh is how long keys are used without asking the provider again. A
	// key that it has withdrawn is accepted for this long and a fetch's pause
	// more; the tokens it signed usually end sooner.
	keysFresh = 15 * time.Minute

	// keysStale is how long keys are used while the provider is away.
	keysStale = 24 * time.Hour

	// keysPause is the least time between two fetches. A key that the provider
	// has just begun to use may be unknown here for this long.
	keysPause = time.Minute

	keysTimeout = 5 * time.Second
	maxKeySet   = 1 << 20 // bytes; what is cut off there is no JSON
)

// errProviderAway is in the chain of errors that say nothing of the token.
var errProviderAway = errors.New("the identity provider is away")

// providerKeys are the provider's public keys. The library fetches them when
// it meets a key id that it does not know, and otherwise never: what it holds
// is thrown away now and then, so that withdrawn keys go.
type providerKeys struct {
	url    string
	now    func() time.Time
	client *http.Client // through a keyCache

	mu   sync.Mutex
	set  *oidc.RemoteKeySet
	made time.Time
}

func newProviderKeys(url string, now func() time.Time, transport http.RoundTripper) *providerKeys {
	cache := &keyCache{next: transport, now: now, fetches: rate.NewLimiter(rate.Every(keysPause), 1)}
	return &providerKeys{url: url, now: now, client: &http.Client{Transport: cache}}
}

// VerifySignature checks a token's signature by the keys of now.
func (k *providerKeys) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	return k.current().VerifySignature(ctx, token) //nolint:contextcheck // the keys outlive the request that makes them be fetched
}

func (k *providerKeys) current() *oidc.RemoteKeySet {
	k.mu.Lock()
	defer k.mu.Unlock()
	if now := k.now(); k.set == nil || now.Sub(k.made) >= keysFresh {
		// The context is the library's way to be given a client.
		k.set, k.made = oidc.NewRemoteKeySet(oidc.ClientContext(context.Background(), k.client), k.url), now
	}
	return k.set
}

// keyCache stands between the library and the provider. Anybody can send
// tokens with key ids that nobody knows, and the library would fetch the keys
// for each of them: it is answered from here if the last fetch is not long
// ago, and also if the provider is away.
type keyCache struct {
	next    http.RoundTripper
	now     func() time.Time
	fetches *rate.Limiter

	mu   sync.Mutex // held while fetching: who comes meanwhile wants the result
	body []byte
	at   time.Time
}

// RoundTrip answers a request for the key set.
func (c *keyCache) RoundTrip(req *http.Request) (*http.Response, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now, failed := c.now(), errors.New("the keys were asked for a moment ago")
	if c.fetches.AllowN(now, 1) {
		var body []byte
		if body, failed = fetchKeys(c.next, req); failed == nil {
			c.body, c.at = body, now
		}
	}
	if c.body == nil || now.Sub(c.at) > keysStale {
		return nil, fmt.Errorf("%w: %w", errProviderAway, failed)
	}
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, ContentLength: int64(len(c.body)),
		Body: io.NopCloser(bytes.NewReader(c.body)), Request: req,
	}, nil
}

// fetchKeys asks the provider. What is not a set of keys, with one at least,
// is an error, so that it does not take the place of what was known.
func fetchKeys(next http.RoundTripper, req *http.Request) ([]byte, error) {
	ctx, cancel := context.WithTimeout(req.Context(), keysTimeout)
	defer cancel()
	resp, err := next.RoundTrip(req.Clone(ctx))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxKeySet))
	var set struct {
		Keys []jsontext.Value `json:"keys"`
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the keys: %w", err)
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("the keys are answered with status %d", resp.StatusCode)
	case json.Unmarshal(body, &set) != nil, len(set.Keys) == 0:
		return nil, errors.New("what the provider answers is no set of keys")
	}
	return body, nil
}

package auth

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"log/slog"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/protrack/protrack/pkg/fault"
)

const (
	maxToken   = 8 << 10 // bytes
	maxSubject = 255     // characters, by OpenID Connect Core
)

var (
	// errToken is every refusal of a token: who guesses learns nothing.
	errToken = fault.New(fault.Unauthenticated, "The token is not valid.")
	// errFactor is told to people whose token is good.
	errFactor = fault.New(fault.Unauthenticated, "Sign in with a second factor.")
	errNoRole = fault.New(fault.Forbidden, "Your account has no role here.")
	errAway   = fault.New(fault.Unavailable, "The identity provider cannot be reached; try again.")
)

func refuse(cause string) error { return errToken.Because(errors.New(cause)) }

// Identity is a person whom the identity provider vouches for. Issuer and
// subject together are who it is; name and email are for showing, and an email
// can pass from one person to another.
type Identity struct {
	Issuer, Subject string
	Email           string
	EmailVerified   bool
	Name            string
	Grants          []Grant   // one or more; at most one of each clinic, in the order of their slugs
	AuthTime        time.Time // when the person last showed a password or the like; zero: not said
	ExpiresAt       time.Time // when the token ends
}

// LogValue gives the log what it may know: not the name and the email.
func (i Identity) LogValue() slog.Value {
	return slog.GroupValue(slog.String("issuer", i.Issuer), slog.String("subject", i.Subject))
}

// claims are those that are checked or kept. A claim of another type than
// here makes the token invalid.
type claims struct {
	Issuer          string         `json:"iss"`
	Subject         string         `json:"sub"`
	Audience        texts          `json:"aud"`
	AuthorizedParty string         `json:"azp"`
	ExpiresAt       *float64       `json:"exp"`
	NotBefore       *float64       `json:"nbf"`
	IssuedAt        *float64       `json:"iat"`
	AuthTime        *float64       `json:"auth_time"`
	Nonce           string         `json:"nonce"`
	ACR             string         `json:"acr"`
	AMR             texts          `json:"amr"`
	Email           string         `json:"email"`
	EmailVerified   jsontext.Value `json:"email_verified"` // some providers send it as a text
	Name            string         `json:"name"`

	all map[string]any
}

// texts is one text or a list of them.
type texts []string

// UnmarshalJSON reads either.
func (t *texts) UnmarshalJSON(b []byte) error {
	if jsontext.Value(b).Kind() != '"' {
		return json.Unmarshal(b, (*[]string)(t))
	}
	*t = make(texts, 1)
	return json.Unmarshal(b, &(*t)[0])
}

// VerifyBearer finds who sent a token as the credential of a request. Every
// refusal is the same Unauthenticated fault; Forbidden says that the person
// has no role here, Unavailable that the provider's keys cannot be had.
//
// The token must be meant for this API by its audience. ID tokens are not
// accepted: they tell a front end who signed in, are kept and logged with
// less care, and are not limited to what the person agreed that the front end
// may do. Where Audience is the client itself both have the same audience, and
// a nonce gives the ID token away; better is an Audience of its own.
func (o *OIDC) VerifyBearer(ctx context.Context, token string) (Identity, error) {
	c, err := o.verify(ctx, token, o.config.Audience, "JWT", "at+jwt", "application/at+jwt")
	if err != nil {
		return Identity{}, err
	}
	ours := c.AuthorizedParty == o.config.ClientID || c.AuthorizedParty == o.config.Audience
	switch {
	case c.has("at_hash"), c.has("c_hash"), c.has("nonce") && o.config.Audience == o.config.ClientID:
		return Identity{}, refuse("an ID token is no bearer token")
	case c.has("events"):
		return Identity{}, refuse("a token that tells of a sign-out is no bearer token")
	case len(c.Audience) > 1 && !ours:
		return Identity{}, refuse("of several audiences, the authorized party is not ours")
	}
	return o.identify(c)
}

// VerifyIDToken finds who signed in. The nonce is the one that was given to
// AuthURL for the same browser. Faults are those of VerifyBearer.
func (o *OIDC) VerifyIDToken(ctx context.Context, token, nonce string) (Identity, error) {
	c, err := o.verify(ctx, token, o.config.ClientID, "JWT")
	if err != nil {
		return Identity{}, err
	}
	switch {
	case nonce == "" || subtle.ConstantTimeCompare([]byte(nonce), []byte(c.Nonce)) != 1:
		return Identity{}, refuse("the nonce is another")
	case c.IssuedAt == nil:
		return Identity{}, refuse("an ID token says when it was issued")
	case (len(c.Audience) > 1 || c.has("azp")) && c.AuthorizedParty != o.config.ClientID:
		return Identity{}, refuse("the authorized party is another")
	}
	return o.identify(c)
}

// verify checks what holds for every token: its form, its signature and its
// claims. Types are what the header may say of it, if it says anything.
func (o *OIDC) verify(ctx context.Context, token, audience string, types ...string) (claims, error) {
	if err := checkForm(token, types); err != nil {
		return claims{}, err
	}
	found, err := o.connect(ctx)
	if err != nil {
		return claims{}, err
	}
	keys := &witness{keys: found.keys}
	// The library allows no leeway for exp and five minutes for nbf. Both are
	// checked below, as iat is.
	_, err = oidc.NewVerifier(o.config.Issuer, keys, &oidc.Config{
		ClientID: audience, SupportedSigningAlgs: o.config.Algorithms, SkipExpiryCheck: true,
	}).Verify(ctx, token)
	switch {
	case err == nil:
	case errors.Is(keys.err, errProviderAway), ctx.Err() != nil:
		return claims{}, errAway.Because(keys.err)
	default:
		return claims{}, errToken.Because(err)
	}
	c, err := readClaims(keys.payload)
	if err != nil {
		return claims{}, err
	}
	return c, o.check(c, audience)
}

// witness keeps what the library makes one text of.
type witness struct {
	keys    oidc.KeySet
	payload []byte
	err     error
}

// VerifySignature asks the keys.
func (w *witness) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	w.payload, w.err = w.keys.VerifySignature(ctx, token)
	return w.payload, w.err
}

// forbiddenHeaders name a key, or ask for what is not understood here. Keys
// come from the provider alone.
var forbiddenHeaders = []string{"crit", "jku", "jwk", "x5u", "x5c"}

// checkForm checks what can be said without a key.
func checkForm(token string, types []string) error {
	if len(token) > maxToken {
		return refuse("the token is too long")
	}
	header, rest, _ := strings.Cut(token, ".")
	if strings.Count(rest, ".") != 1 || strings.ContainsFunc(token, notTokenRune) {
		return refuse("the token is not three parts in base64url")
	}
	text, err := base64.RawURLEncoding.Strict().DecodeString(header)
	var fields map[string]any
	if err != nil || json.Unmarshal(text, &fields) != nil { // which refuses a member that is there twice
		return refuse("the header is not a JSON object of distinct members")
	}
	for _, name := range forbiddenHeaders {
		if _, there := fields[name]; there {
			return refuse("the header says " + name)
		}
	}
	typ, there := fields["typ"]
	name, _ := typ.(string)
	if there && !slices.ContainsFunc(types, func(t string) bool { return strings.EqualFold(t, name) }) {
		return refuse("the token is of another type")
	}
	return nil
}

func notTokenRune(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' && r != '.'
}

func readClaims(payload []byte) (claims, error) {
	var c claims
	if json.Unmarshal(payload, &c.all) != nil || json.Unmarshal(payload, &c) != nil {
		return c, refuse("the claims are not a JSON object of distinct members of the right types")
	}
	return c, nil
}

func (c claims) has(name string) bool {
	_, there := c.all[name]
	return there
}

// check checks the claims that every token needs. The library has checked the
// issuer and the audience too, but takes two ways of writing Google's, and
// names in any case.
func (o *OIDC) check(c claims, audience string) error {
	earliest, latest := o.now().Add(-o.config.Leeway), o.now().Add(o.config.Leeway)
	switch {
	case c.Issuer != o.config.Issuer:
		return refuse("the issuer is another")
	case !slices.Contains(c.Audience, audience):
		return refuse("the audience is another")
	case !isSubject(c.Subject):
		return refuse("the subject is not 1 to 255 characters of ASCII")
	case c.ExpiresAt == nil || instant(*c.ExpiresAt).Before(earliest):
		return refuse("the token has expired, or does not say when it does")
	case c.NotBefore != nil && instant(*c.NotBefore).After(latest):
		return refuse("the token is not valid yet")
	case c.IssuedAt != nil && instant(*c.IssuedAt).After(latest):
		return refuse("the token was issued in the future")
	}
	return nil
}

func isSubject(s string) bool {
	return s != "" && len(s) <= maxSubject && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

// instant is the time of a NumericDate (RFC 7519). What no calendar holds
// becomes the nearest that one does.
func instant(seconds float64) time.Time {
	const year9999 = 253402300799
	whole, part := math.Modf(max(0, min(seconds, year9999)))
	return time.Unix(int64(whole), int64(part*1e9)).UTC()
}

// identify says who it is and what they may be here.
func (o *OIDC) identify(c claims) (Identity, error) {
	factors := append(slices.Clone(c.AMR), c.ACR)
	if len(o.config.RequireMFA) > 0 && !slices.ContainsFunc(o.config.RequireMFA, func(f string) bool { return slices.Contains(factors, f) }) {
		return Identity{}, errFactor
	}
	who := Identity{
		Issuer: c.Issuer, Subject: c.Subject, Email: c.Email, Name: c.Name,
		EmailVerified: slices.Contains([]string{"true", `"true"`}, string(c.EmailVerified)),
		Grants:        granted(textsOf(claimAt(c.all, o.config.RoleClaim)), o.config.Roles),
		ExpiresAt:     instant(*c.ExpiresAt),
	}
	if c.AuthTime != nil {
		who.AuthTime = instant(*c.AuthTime)
	}
	if len(who.Grants) == 0 {
		return Identity{}, errNoRole
	}
	return who, nil
}

package auth_test

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
)

type m = map[string]any

// goodTokens are bearer tokens that are accepted: the control of those that
// are not.
func goodTokens(t testing.TB) map[string]string {
	k, payload := keyring(), jsonText(t, claimSet())
	long := time.Hour
	return map[string]string{
		"RS256":                            token(t, claimSet()),
		"ES256":                            sign(t, jose.ES256, k.ec, "ec", payload, nil),
		"PS256":                            sign(t, jose.PS256, k.rsa, "rsa", payload, nil),
		"EdDSA":                            sign(t, jose.EdDSA, k.ed, "ed", payload, nil),
		"no key id":                        sign(t, jose.RS256, k.rsa, "", payload, nil),
		"the type of RFC 9068":             sign(t, jose.RS256, k.rsa, "rsa", payload, map[jose.HeaderKey]any{"typ": "at+jwt"}),
		"the type of RFC 9068, whole":      sign(t, jose.RS256, k.rsa, "rsa", payload, map[jose.HeaderKey]any{"typ": "application/at+JWT"}),
		"the type in lower case":           sign(t, jose.RS256, k.rsa, "rsa", payload, map[jose.HeaderKey]any{"typ": "jwt"}),
		"a header by hand":                 signText(t, `{"alg":"RS256","kid":"rsa","x5t":"abc"}`, payload),
		"a list of one audience":           token(t, claimSet(m{"aud": []string{"api"}})),
		"two audiences, azp the client":    token(t, claimSet(m{"aud": []string{"other", "api"}, "azp": "dashboard"})),
		"two audiences, azp the API":       token(t, claimSet(m{"aud": []string{"api", "other"}, "azp": "api"})),
		"asked for by another front end":   token(t, claimSet(m{"azp": "phone"})),
		"expired 60 s ago":                 token(t, claimSet(m{"exp": noon.Add(-60 * time.Second).Unix()})),
		"valid in 60 s":                    token(t, claimSet(m{"nbf": noon.Add(60 * time.Second).Unix()})),
		"issued in 60 s":                   token(t, claimSet(m{"iat": noon.Add(60 * time.Second).Unix()})),
		"no iat":                           token(t, claimSet(m{"iat": nil})),
		"a fraction of a second":           token(t, claimSet(m{"exp": float64(noon.Unix()) + 0.5})),
		"an end in the far future":         token(t, claimSet(m{"exp": 1e30})),
		"a subject of 255":                 token(t, claimSet(m{"sub": strings.Repeat("s", 255)})),
		"claims that are not known here":   token(t, claimSet(m{"custom": m{"aud": []any{1, nil, "x"}}})),
		"a nonce, the audience being ours": token(t, claimSet(m{"nonce": "n"})),
		"8 KB":                             sized(t, 8<<10),
		"old, but not expired":             token(t, claimSet(m{"iat": noon.Add(-24 * long).Unix(), "nbf": 0})),
	}
}

// sized is a good token of so many bytes.
func sized(t testing.TB, size int) string {
	t.Helper()
	for pad := size / 2; pad < size; pad++ {
		if s := token(t, claimSet(m{"pad": strings.Repeat("x", pad)})); len(s) >= size {
			return s
		} else if short := (size - len(s)) * 3 / 4; short > 8 {
			pad += short - 8
		}
	}
	t.Fatal("no token has that size")
	return ""
}

// badTokens are those that nobody may come in with.
func badTokens(t testing.TB) map[string]string {
	k, payload := keyring(), jsonText(t, claimSet())
	good := token(t, claimSet())
	parts := strings.Split(good, ".")
	public, err := x509.MarshalPKIXPublicKey(k.rsa.Public())
	if err != nil {
		t.Fatal(err)
	}
	publicPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})
	header := func(name string, v any) string {
		return sign(t, jose.RS256, k.rsa, "rsa", payload, map[jose.HeaderKey]any{jose.HeaderKey(name): v})
	}
	attacker := jose.JSONWebKey{Key: k.other.Public(), KeyID: "mine", Algorithm: "RS256"}
	with := func(name string, v any) string { return token(t, claimSet(m{name: v})) }
	in := func(d time.Duration) int64 { return noon.Add(d).Unix() }
	signed, err := jose.ParseSignedCompact(good, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		// Form.
		"nothing": "", "one dot": ".", "two dots": "..", "a megabyte of dots": strings.Repeat(".", 1<<20),
		"an API key": string(auth.NewSecret()), "8 KB and one byte more": sized(t, 8<<10+1), "a megabyte": sized(t, 1<<20),
		"four parts": good + ".x", "five parts, as if encrypted": good + "..", "two parts": parts[0] + "." + parts[1],
		"a blank before": " " + good, "a line end after": good + "\n", "a line end within": parts[0][:4] + "\n" + good[4:],
		"padding": parts[0] + "=." + parts[1] + "." + parts[2], "a header that is no base64": "!" + good,
		"JSON serialization":       signed.FullSerialize(),
		"a header that is no JSON": signText(t, "RS256", payload), "a header that is a list": signText(t, `["RS256"]`, payload),
		"a header with text behind": signText(t, `{"alg":"RS256","kid":"rsa"} {}`, payload), "a header that is null": signText(t, "null", payload),
		"a header not in UTF-8": signText(t, "{\"alg\":\"RS256\",\"x\":\"\xff\"}", payload),

		// Algorithms and signatures.
		"alg none":                         base64url(`{"alg":"none"}`) + "." + parts[1] + ".",
		"alg none, with a signature":       base64url(`{"alg":"none","kid":"rsa"}`) + "." + parts[1] + "." + parts[2],
		"alg NoNe":                         base64url(`{"alg":"NoNe"}`) + "." + parts[1] + ".",
		"alg missing":                      signText(t, `{"kid":"rsa"}`, payload),
		"HS256 with the public key in PEM": sign(t, jose.HS256, publicPEM, "rsa", payload, nil),
		"HS256 with the public key in DER": sign(t, jose.HS256, public, "rsa", payload, nil),
		"HS256 with the client's secret":   sign(t, jose.HS256, []byte("the-client-secret, long enough for HS256"), "", payload, nil),
		"RS512, which is not pinned":       sign(t, jose.RS512, k.rsa, "rsa", payload, nil),
		"RS256 by the name of ES256":       signText(t, `{"alg":"ES256","kid":"rsa"}`, payload),
		"no signature":                     parts[0] + "." + parts[1] + ".",
		"another token's signature":        parts[0] + "." + parts[1] + "." + strings.Split(with("jti", "x"), ".")[2],
		"other claims":                     parts[0] + "." + base64url(jsonText(t, claimSet(m{"sub": "root"}))) + "." + parts[2],
		"other header":                     base64url(`{"alg":"RS256","kid":"rsa","typ":"jwt"}`) + "." + parts[1] + "." + parts[2],
		"another issuer's key and its id":  sign(t, jose.RS256, k.other, "theirs", payload, nil),
		"another issuer's key, our id":     sign(t, jose.RS256, k.other, "rsa", payload, nil),
		"another issuer's key without id":  sign(t, jose.RS256, k.other, "", payload, nil),
		"the id of our other key":          sign(t, jose.RS256, k.rsa, "ec", payload, nil),
		"a key id that is a path":          sign(t, jose.RS256, k.other, "../../../../dev/null", payload, nil),
		"a key id that is SQL":             sign(t, jose.RS256, k.other, "x' UNION SELECT 'k' --", payload, nil),
		"a key id that is a number":        signText(t, `{"alg":"RS256","kid":1}`, payload),

		// Headers.
		"jku": header("jku", issuer+"/keys"), "x5u": header("x5u", issuer), "x5c": header("x5c", []string{certificate(t)}), "jwk, ours": header("jwk", jose.JSONWebKey{Key: k.rsa.Public(), KeyID: "rsa", Algorithm: "RS256"}),
		"jwk, the attacker's":             sign(t, jose.RS256, k.other, "mine", payload, map[jose.HeaderKey]any{"jwk": attacker}),
		"crit":                            signText(t, `{"alg":"RS256","kid":"rsa","crit":["exp"],"exp":1}`, payload),
		"crit, empty":                     signText(t, `{"alg":"RS256","kid":"rsa","crit":[]}`, payload),
		"crit with b64":                   signText(t, `{"alg":"RS256","kid":"rsa","crit":["b64"],"b64":true}`, payload),
		"crit null":                       signText(t, `{"alg":"RS256","kid":"rsa","crit":null}`, payload),
		"alg twice":                       signText(t, `{"alg":"RS256","alg":"RS256","kid":"rsa"}`, payload),
		"twice further in, in the header": signText(t, `{"alg":"RS256","kid":"rsa","x":{"a":1,"a":2}}`, payload),
		"kid twice":                       signText(t, `{"alg":"RS256","kid":"rsa","kid":"other"}`, payload),
		"the type of a logout":            header("typ", "logout+jwt"), "the type is a number": header("typ", 1), "the type is empty": header("typ", ""),
		"the type is null": signText(t, `{"alg":"RS256","kid":"rsa","typ":null}`, payload),

		// Claims.
		"claims that are no JSON": sign(t, jose.RS256, k.rsa, "rsa", "x", nil), "claims that are a list": sign(t, jose.RS256, k.rsa, "rsa", "["+payload+"]", nil),
		"a token within a token":  sign(t, jose.RS256, k.rsa, "rsa", good, map[jose.HeaderKey]any{"cty": "JWT"}),
		"no claims":               sign(t, jose.RS256, k.rsa, "rsa", "{}", nil),
		"sub twice":               sign(t, jose.RS256, k.rsa, "rsa", payload[:len(payload)-1]+`,"sub":"root"}`, nil),
		"sub twice, by an escape": sign(t, jose.RS256, k.rsa, "rsa", payload[:len(payload)-1]+`,"s\u0075b":"root"}`, nil),
		"twice further in":        sign(t, jose.RS256, k.rsa, "rsa", payload[:len(payload)-1]+`,"x":{"a":1,"a":2}}`, nil),
		"claims not in UTF-8":     sign(t, jose.RS256, k.rsa, "rsa", payload[:len(payload)-1]+",\"x\":\"\xff\"}", nil),
		"another issuer":          with("iss", "https://evil.example"), "the issuer with a slash": with("iss", issuer+"/"), "no issuer": with("iss", nil),
		"the issuer in capitals": with("iss", strings.ToUpper(issuer)), "the issuer in a list": with("iss", []string{issuer}),
		"the issuer by a name in capitals": token(t, claimSet(m{"iss": nil, "ISS": issuer})),
		"another audience":                 with("aud", "other"), "no audience": with("aud", nil), "an empty list of audiences": with("aud", []string{}),
		"an empty audience": with("aud", ""), "an audience that is a number": with("aud", 1), "an audience within another": with("aud", "api2"),
		"an audience in a list in a list":        with("aud", [][]string{{"api"}}),
		"our client, which is not the API":       with("aud", "dashboard"),
		"two audiences without azp":              with("aud", []string{"api", "other"}),
		"two audiences, azp another":             token(t, claimSet(m{"aud": []string{"api", "other"}, "azp": "other"})),
		"the audience by a name in capitals":     sign(t, jose.RS256, k.rsa, "rsa", jsonText(t, claimSet(m{"aud": "other"}))[:len(payload)+1]+`,"AUD":"api"}`, nil),
		"expired 120 s ago":                      with("exp", in(-120*time.Second)),
		"expired 61 s ago":                       with("exp", in(-61*time.Second)),
		"no end":                                 with("exp", nil),
		"an end that is a text":                  with("exp", "4102444800"),
		"an end before the epoch":                with("exp", -1),
		"valid in 120 s":                         with("nbf", in(120*time.Second)),
		"valid in 4 min, which the library lets": with("nbf", in(4*time.Minute)),
		"issued in 120 s":                        with("iat", in(120*time.Second)),
		"an iat that is a text":                  with("iat", "now"),
		"no subject":                             with("sub", nil), "an empty subject": with("sub", ""), "a subject of 256": with("sub", strings.Repeat("s", 256)),
		"a subject that is no ASCII": with("sub", "jané"), "a subject with a line end": with("sub", "jane\nroot"), "a subject that is a number": with("sub", 7),
		"an ID token by its at_hash": with("at_hash", "x"), "an ID token by its c_hash": with("c_hash", "x"),
		"a sign-out": with("events", m{"http://schemas.openid.net/event/backchannel-logout": m{}}),
	}
}

// certificate is one of the provider's RSA key, as x5c holds it.
func certificate(t testing.TB) string {
	t.Helper()
	of := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, of, of, keyring().rsa.Public(), keyring().rsa)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(der)
}

func TestEveryRefusalOfATokenReadsTheSame(t *testing.T) {
	bad, good := badTokens(t), goodTokens(t)
	if len(bad) < 40 {
		t.Fatalf("only %d tokens", len(bad))
	}
	for what, text := range bad {
		t.Run(what, func(t *testing.T) {
			o, _, _ := signIn(t)
			who, err := o.VerifyBearer(t.Context(), text)
			checkRefused(t, text, err)
			if diff := cmp.Diff(auth.Identity{}, who); diff != "" {
				t.Error(diff)
			}
		})
	}
	for what, text := range good {
		t.Run("the control: "+what, func(t *testing.T) {
			o, _, _ := signIn(t)
			who, err := o.VerifyBearer(t.Context(), text)
			if err != nil || who.Issuer != issuer || who.Subject == "" || len(who.Grants) != 1 {
				t.Errorf("%+v, %v", who, err)
			}
		})
	}
}

// checkRefused checks that an error says what all refusals of tokens say, and
// does not repeat the token in what it says to the log.
func checkRefused(t *testing.T, token string, err error) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) {
		t.Fatalf("not refused: %v", err)
	}
	if f.Kind != fault.Unauthenticated || f.Message != "The token is not valid." || f.Details != nil {
		t.Errorf("another text: %v", err)
	}
	if errors.Unwrap(f) == nil {
		t.Error("the log is not told why")
	}
	for _, part := range strings.Split(token, ".") {
		if len(part) > 12 && strings.Contains(err.Error(), part[:12]) {
			t.Errorf("the error repeats the token: %v", err)
		}
	}
	if len(err.Error()) > 400 {
		t.Errorf("the error has %d bytes", len(err.Error()))
	}
}

func TestWhereTheClientIsTheAudienceANonceGivesAnIDTokenAway(t *testing.T) {
	o, _, _ := signIn(t, func(c *auth.OIDCConfig) { c.Audience = "" })
	text := token(t, claimSet(m{"aud": "dashboard", "nonce": "n"}))
	checkRefused(t, text, bearer(t, o, text))
	if err := bearer(t, o, token(t, claimSet(m{"aud": "dashboard"}))); err != nil {
		t.Errorf("the control: %v", err)
	}
}

func TestAnIDTokenNeedsTheNonceOfItsSignIn(t *testing.T) {
	o, _, _ := signIn(t)
	k := keyring()
	atJWT := sign(t, jose.RS256, k.rsa, "rsa", jsonText(t, idClaims()), map[jose.HeaderKey]any{"typ": "at+jwt"})
	for what, x := range map[string]struct{ token, nonce string }{
		"another nonce":              {token(t, idClaims()), "another"},
		"a nonce in capitals":        {token(t, idClaims()), "THE-NONCE"},
		"no nonce asked for":         {token(t, idClaims()), ""},
		"no nonce at all":            {token(t, idClaims(m{"nonce": nil})), ""},
		"no nonce in the token":      {token(t, idClaims(m{"nonce": nil})), "the-nonce"},
		"an empty nonce":             {token(t, idClaims(m{"nonce": ""})), ""},
		"a nonce in a list":          {token(t, idClaims(m{"nonce": []string{"the-nonce"}})), "the-nonce"},
		"an access token":            {token(t, idClaims(m{"aud": "api"})), "the-nonce"},
		"an access token by type":    {atJWT, "the-nonce"},
		"no iat":                     {token(t, idClaims(m{"iat": nil})), "the-nonce"},
		"another client's":           {token(t, idClaims(m{"aud": "other"})), "the-nonce"},
		"another authorized party":   {token(t, idClaims(m{"azp": "other"})), "the-nonce"},
		"an empty authorized party":  {token(t, idClaims(m{"azp": ""})), "the-nonce"},
		"two audiences without azp":  {token(t, idClaims(m{"aud": []string{"dashboard", "other"}})), "the-nonce"},
		"two audiences, azp the API": {token(t, idClaims(m{"aud": []string{"dashboard", "api"}, "azp": "api"})), "the-nonce"},
		"expired":                    {token(t, idClaims(m{"exp": noon.Add(-2 * time.Minute).Unix()})), "the-nonce"},
		"alg none":                   {base64url(`{"alg":"none"}`) + "." + base64url(jsonText(t, idClaims())) + ".", "the-nonce"},
	} {
		t.Run(what, func(t *testing.T) {
			_, err := o.VerifyIDToken(t.Context(), x.token, x.nonce)
			checkRefused(t, x.token, err)
		})
	}
	for what, claims := range map[string]m{
		"plain": idClaims(), "azp ours": idClaims(m{"azp": "dashboard"}),
		"two audiences, azp ours": idClaims(m{"aud": []string{"dashboard", "other"}, "azp": "dashboard"}),
	} {
		if _, err := o.VerifyIDToken(t.Context(), token(t, claims), "the-nonce"); err != nil {
			t.Errorf("the control, %s: %v", what, err)
		}
	}
}

// No token but one that is signed is ever let in, and every refusal is the
// same; whatever is sent, nothing panics.
func FuzzVerifyBearer(f *testing.F) {
	valid := map[[32]byte]bool{}
	for _, text := range goodTokens(f) {
		valid[sha256.Sum256([]byte(text))] = true
		f.Add(text)
	}
	for _, text := range badTokens(f) {
		if len(text) < 20000 {
			f.Add(text)
		}
	}
	o, _, _ := signIn(f)
	f.Fuzz(func(t *testing.T, text string) {
		err := bearer(t, o, text)
		switch {
		case err != nil && (!fault.Is(err, fault.Unauthenticated) || !strings.HasPrefix(err.Error(), "unauthenticated: The token is not valid.")):
			t.Errorf("another refusal: %v", err)
		case err == nil && !valid[sha256.Sum256([]byte(text))] && !sameSignature(text):
			t.Errorf("%q is let in", text)
		}
	})
}

// sameSignature reports whether a token is one that only a holder of the key
// can have made; PSS and ECDSA have many signatures of one text.
func sameSignature(text string) bool {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return false
	}
	_, err := base64.RawURLEncoding.Strict().DecodeString(parts[2])
	signed, parseErr := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.RS256, jose.PS256, jose.ES256, jose.EdDSA})
	if err != nil || parseErr != nil {
		return false
	}
	k := keyring()
	for _, key := range []any{k.rsa.Public(), k.ec.Public(), k.ed.Public()} {
		if _, err := signed.Verify(key); err == nil {
			return true
		}
	}
	return false
}

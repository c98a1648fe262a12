package auth_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"math/big"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
)

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

func TestANewKeyIsRecognisedAndUnlikeAnyOther(t *testing.T) {
	form := regexp.MustCompile(`^ptk_[0-9A-Za-z]{49}$`)
	seen := map[auth.Secret]bool{}
	for range 1000 {
		s := auth.NewSecret()
		if !form.MatchString(string(s)) || !s.Plausible() {
			t.Fatalf("%q is no key", string(s))
		}
		if seen[s] {
			t.Fatal("the same key twice")
		}
		seen[s] = true
		if hint := s.Hint(); !strings.HasPrefix(string(s), hint) || len(hint) != 10 {
			t.Errorf("the hint of %q is %q", string(s), hint)
		}
		// The checksum is the CRC-32 of the body, by another way of writing it.
		body := string(s[4:47])
		sum := new(big.Int)
		for _, c := range s[47:] {
			sum.Mul(sum, big.NewInt(62)).Add(sum, big.NewInt(int64(strings.IndexRune(alphabet, c))))
		}
		if sum.Uint64() != uint64(crc32.ChecksumIEEE([]byte(body))) {
			t.Errorf("%q has checksum %v", string(s), sum)
		}
	}
}

// silent is a store that must not be asked.
type silent struct {
	auth.Store
	asked int
}

func (s *silent) KeyByHash(context.Context, []byte) (auth.Key, auth.Clinic, error) {
	s.asked++
	return auth.Key{}, auth.Clinic{}, fault.New(fault.NotFound, "There is no such key.")
}

func TestAMistypedKeyIsRefusedWithoutAskingTheStore(t *testing.T) {
	store := &silent{}
	svc := &auth.Service{Store: store, Now: time.Now, NewID: uuid.New, Log: slog.New(slog.DiscardHandler)}
	secret := string(auth.NewSecret())
	typos := 0
	refuse := func(typed string) {
		t.Helper()
		typos++
		if _, err := svc.Authenticate(t.Context(), auth.Secret(typed), auth.Origin{}); !fault.Is(err, fault.Unauthenticated) {
			t.Fatalf("%q: %v", typed, err)
		}
		if store.asked > 0 {
			t.Fatalf("%q was asked of the store", typed)
		}
	}
	// The prefix is not among them: without it, the text is an operator's own key.
	for i := len("ptk_"); i < len(secret); i++ {
		for _, c := range alphabet + " -_.é" {
			if byte(c) != secret[i] || c > 127 {
				refuse(secret[:i] + string(c) + secret[i+1:])
			}
		}
		refuse(secret[:i] + secret[i+1:]) // a character left out
		refuse(secret[:i] + string(secret[i]) + secret[i:])
		if i+1 < len(secret) && secret[i] != secret[i+1] {
			refuse(secret[:i] + string(secret[i+1]) + string(secret[i]) + secret[i+2:])
		}
	}
	if typos < 3000 {
		t.Errorf("only %d typing errors were tried", typos)
	}
	// The control: without the error it is asked.
	if _, err := svc.Authenticate(t.Context(), auth.Secret(secret), auth.Origin{}); !fault.Is(err, fault.Unauthenticated) || store.asked != 1 {
		t.Errorf("the key itself: asked %d times, %v", store.asked, err)
	}
}

func TestWhatCanBeAKey(t *testing.T) {
	good := string(auth.NewSecret())
	for text, want := range map[string]bool{
		"": false, " ": false, "ptk_": false, "secret": false,
		good: true, " " + good: false, strings.Repeat("x", 32) + "\n": false, good + " ": false, good + "0": false,
		strings.ToLower(good): strings.ToLower(good) == good, "PTK_" + good[4:]: true,
		strings.Repeat("x", 31): false, strings.Repeat("x", 32): true, strings.Repeat("x", 512): true, strings.Repeat("x", 513): false,
		"ptk_" + strings.Repeat("0", 49): false, "ptk_" + strings.Repeat("x", 100): false, strings.Repeat("é", 16): true,
	} {
		if got := auth.Secret(text).Plausible(); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}

func TestASecretNeverPrintsItself(t *testing.T) {
	secret := auth.NewSecret()
	type holder struct {
		Secret  auth.Secret
		Pointer *auth.Secret
		List    []auth.Secret
		Map     map[string]auth.Secret
	}
	h := holder{secret, &secret, []auth.Secret{secret}, map[string]auth.Secret{"k": secret}}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		fmt.Fprintf(&out, verb+"\n", secret)
		fmt.Fprintf(&out, verb+"\n", h)
		fmt.Fprintf(&out, verb+"\n", &h)
	}
	fmt.Fprintln(&out, secret, h, errors.Join(fmt.Errorf("with %v", secret)))
	encoded, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(encoded)
	for _, log := range []*slog.Logger{slog.New(slog.NewJSONHandler(&out, nil)), slog.New(slog.NewTextHandler(&out, nil))} {
		log.Info("secret", "s", secret, "p", &secret, "h", h, slog.Any("list", h.List))
	}
	if strings.Contains(out.String(), string(secret)) || strings.Contains(out.String(), string(secret[4:20])) {
		t.Errorf("it is there:\n%s", strings.ReplaceAll(out.String(), string(secret), "<HERE>"))
	}
	if !strings.Contains(out.String(), "***") {
		t.Error("nothing was printed")
	}
	if string(secret)[:4] != "ptk_" { // the deliberate way out
		t.Error("the conversion hides it too")
	}
}

func TestAKeyIsLiveUntilTheInstantOfItsEnd(t *testing.T) {
	end := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, x := range []struct {
		says string
		key  auth.Key
		now  time.Time
		want bool
	}{
		{"without an end", auth.Key{}, end.AddDate(100, 0, 0), true},
		{"a nanosecond before", auth.Key{ExpiresAt: &end}, end.Add(-1), true},
		{"at its end", auth.Key{ExpiresAt: &end}, end, false},
		{"at its end, in another zone", auth.Key{ExpiresAt: &end}, end.In(time.FixedZone("", 3600)), false},
		{"after it", auth.Key{ExpiresAt: &end}, end.Add(1), false},
		{"revoked in the future", auth.Key{RevokedAt: new(end.AddDate(1, 0, 0))}, end, false},
	} {
		if got := x.key.Live(x.now); got != x.want {
			t.Errorf("%s: live %t", x.says, got)
		}
	}
}

func TestATokenIsNoKeyAndIsCheckedAsOneIs(t *testing.T) {
	token := string(auth.NewTokenSecret())
	if !regexp.MustCompile(`^ptc_[0-9A-Za-z]{49}$`).MatchString(token) || !auth.Secret(token).Plausible() || !auth.Secret(token).IsToken() {
		t.Errorf("%.8s is no token", token)
	}
	if auth.NewSecret().IsToken() {
		t.Error("a key is a token")
	}
	for says, text := range map[string]string{
		"cut": token[:len(token)-1], "longer": token + "0", "the prefix alone": "ptc_", "mistyped": token[:5] + string(alphabet[(strings.IndexByte(alphabet, token[5])+1)%62]) + token[6:],
	} {
		if auth.Secret(text).Plausible() {
			t.Errorf("%s: it can be a token", says)
		}
	}
}

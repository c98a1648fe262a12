package webhook_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/protrack/protrack/pkg/webhook"
)

func TestASignatureVerifiesByTheLibraryAndByHand(t *testing.T) {
	now := time.Now()
	secret, old := webhook.NewSecret(), webhook.NewSecret()
	m := webhook.Message{ID: uuid.NewString(), At: now, Body: []byte(`{"type":"a.b"}`), Secrets: []webhook.Secret{secret, old}}
	headers := http.Header{}
	for name, value := range m.Headers() {
		headers.Set(name, value)
	}
	for what, s := range map[string]webhook.Secret{"the new": secret, "the old": old} {
		verifier, err := standardwebhooks.NewWebhook(string(s))
		if err == nil {
			err = verifier.Verify(m.Body, headers)
		}
		if err != nil {
			t.Errorf("%s secret: %v", what, err)
		}
		if verifier.Verify([]byte(`{"type":"a.c"}`), headers) == nil {
			t.Errorf("%s secret: another body verifies", what)
		}
	}
	if other, _ := standardwebhooks.NewWebhook(string(webhook.NewSecret())); other.Verify(m.Body, headers) == nil {
		t.Error("another secret verifies")
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(string(secret), "whsec_"))
	if err != nil || len(key) != 32 {
		t.Fatalf("a secret of %d bytes, %v", len(key), err)
	}
	mac := hmac.New(sha256.New, key)
	_, _ = fmt.Fprintf(mac, "%s.%d.%s", m.ID, now.Unix(), m.Body)
	if first, _, _ := strings.Cut(headers.Get("webhook-signature"), " "); first != "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)) {
		t.Errorf("the signature is %s", first)
	}
}

func TestASecretIsPrintedAsStars(t *testing.T) {
	s := webhook.NewSecret()
	encoded, _ := json.Marshal(s)
	for _, printed := range []string{fmt.Sprintf("%v %s %#v", s, s, s), string(encoded), slog.AnyValue(s).Resolve().String()} {
		if strings.Contains(printed, "whsec_") || !strings.Contains(printed, "***") {
			t.Errorf("printed as %s", printed)
		}
	}
	if s == webhook.NewSecret() {
		t.Error("two secrets are the same")
	}
}

func TestAnAttemptIsFollowedByTheNextForThreeDays(t *testing.T) {
	want := []string{"5s", "5m0s", "30m0s", "2h0m0s", "5h0m0s", "10h0m0s", "14h0m0s", "20h0m0s", "24h0m0s"}
	for i, text := range want {
		if wait, more := webhook.Next(i+1, 0, 0); !more || wait.String() != text {
			t.Errorf("after attempt %d: %v, %t", i+1, wait, more)
		}
		wait, _ := webhook.Next(i+1, 0, 1)
		if plain, _ := webhook.Next(i+1, 0, 0); wait != plain+plain/10 {
			t.Errorf("after attempt %d jitter makes %v of %v", i+1, wait, plain)
		}
	}
	if _, more := webhook.Next(len(want)+1, 0, 0); more {
		t.Error("there is an eleventh attempt")
	}
	for asked, text := range map[time.Duration]string{time.Second: "5s", time.Hour: "1h0m0s", 99 * time.Hour: "24h0m0s"} {
		if wait, _ := webhook.Next(1, asked, 0); wait.String() != text {
			t.Errorf("asked for %v it waits %v", asked, wait)
		}
	}
}

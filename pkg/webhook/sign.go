package webhook

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Secret signs what is sent: whsec_ and 32 random bytes in base64. It prints
// as ***; string(s) is the deliberate way out.
type Secret string

const (
	secretPrefix = "whsec_"
	secretBytes  = 32
)

// NewSecret makes a secret.
func NewSecret() Secret {
	key := make([]byte, secretBytes)
	_, _ = rand.Read(key) // never fails
	return Secret(secretPrefix + base64.StdEncoding.EncodeToString(key))
}

// String hides the secret.
func (Secret) String() string { return "***" }

// GoString hides the secret from %#v.
func (Secret) GoString() string { return "***" }

// MarshalText hides the secret from JSON.
func (Secret) MarshalText() ([]byte, error) { return []byte("***"), nil }

// LogValue hides the secret from slog.
func (Secret) LogValue() slog.Value { return slog.StringValue("***") }

// sign gives one signature of a message, by version 1 of Standard Webhooks.
func (s Secret) sign(id string, at time.Time, body []byte) string {
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(string(s), secretPrefix)) // we made it
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + strconv.FormatInt(at.Unix(), 10) + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Message is what a receiver is sent. The id is that of the event, the same
// for each attempt and each replay: who has seen it passes over it.
type Message struct {
	ID      string
	At      time.Time // of this attempt
	Body    []byte
	Secrets []Secret
}

// headers are those that tell and prove the message.
func (m Message) headers() map[string]string {
	signatures := make([]string, len(m.Secrets))
	for i, s := range m.Secrets {
		signatures[i] = s.sign(m.ID, m.At, m.Body)
	}
	return map[string]string{
		"Content-Type": "application/json", "User-Agent": "Protrack", "Webhook-Id": m.ID,
		"Webhook-Timestamp": strconv.FormatInt(m.At.Unix(), 10), "Webhook-Signature": strings.Join(signatures, " "),
	}
}

// payload is the body of an event.
type payload struct {
	Type string            `json:"type"`
	At   time.Time         `json:"timestamp"`
	Data map[string]string `json:"data"`
	Test bool              `json:"test,omitempty"`
}

// body writes an event, the same bytes each time.
func (e Event) body(test bool) []byte {
	data := make(map[string]string, len(e.Data)+1)
	for name, value := range e.Data {
		data[name] = value
	}
	if e.Client != uuid.Nil {
		data["client_id"] = e.Client.String()
	}
	out, _ := json.Marshal(payload{Type: e.Type, At: e.At, Data: data, Test: test}) // texts and times always encode
	return out
}

// sample is a made-up event with every member that one of its type has.
func (s *Service) sample(kind string) Event {
	id := func() string { return s.NewID().String() }
	e := Event{ID: s.NewID(), Type: kind, At: stamp(s.Now()), Client: s.NewID(), Data: map[string]string{}}
	noun, _, _ := strings.Cut(kind, ".")
	switch noun {
	case "assessment":
		e.Data = map[string]string{"assessment_id": id(), "instrument": "phq-9"}
	case "session":
		e.Data = map[string]string{"session_id": id(), "kind": "dosing"}
	case "alert":
		e.Data = map[string]string{"alert_id": id(), "assessment_id": id(), "rule": "item9", "level": "urgent", "status": "open"}
	case "invitation":
		e.Data = map[string]string{"invitation_id": id()}
	case "webhook":
		e.Client = uuid.Nil
		e.Data = map[string]string{"webhook_id": id(), "reason": string(Failing)}
	}
	return e
}

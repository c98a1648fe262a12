package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"hash/crc32"
	"log/slog"
	"math/big"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"
)

// A key reads ptk_<43 characters of 256 random bits><6 characters of CRC-32>,
// all base 62, and a client's token ptc_ and the same. The prefix lets secret
// scanners find a leaked one; the checksum refuses a mistyped one without
// asking the database.
const (
	keyPrefix   = "ptk_"
	tokenPrefix = "ptc_"
	secretChars = 43 // 62^43 > 2^256
	sumChars    = 6  // 62^6 > 2^32
	hintChars   = len(keyPrefix) + 6

	// foreignHintChars is less, for a chosen key is shorter and says more.
	foreignHintChars = 3

	// minForeignKey is the least length in bytes of a key that an operator
	// chose instead of having one generated.
	minForeignKey = 32
	maxKey        = 512
)

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// Secret is a key in the clear. It prints as *** everywhere, so that it can
// be shown only by a deliberate conversion to string.
type Secret string

// String hides the secret.
func (Secret) String() string { return "***" }

// GoString hides the secret from %#v.
func (Secret) GoString() string { return "***" }

// MarshalText hides the secret from JSON and every other text encoding.
func (Secret) MarshalText() ([]byte, error) { return []byte("***"), nil }

// LogValue hides the secret from slog.
func (Secret) LogValue() slog.Value { return slog.StringValue("***") }

// Hint is the start of the key: enough to recognise it in a list.
func (s Secret) Hint() string {
	if !strings.HasPrefix(string(s), keyPrefix) {
		return string(s[:min(len(s), foreignHintChars)])
	}
	return string(s[:min(len(s), hintChars)])
}

// Hash is what is stored. SHA-256 without a work factor is right for 256
// random bits; an operator's own key must be as unpredictable.
func (s Secret) Hash() []byte {
	h := sha256.Sum256([]byte(s))
	return h[:]
}

// NewSecret makes a key from 256 bits of the system's randomness.
func NewSecret() Secret { return newSecret(keyPrefix) }

// NewTokenSecret is NewSecret for the token of a client's own front end.
func NewTokenSecret() Secret { return newSecret(tokenPrefix) }

func newSecret(prefix string) Secret {
	var raw [32]byte
	_, _ = rand.Read(raw[:]) // never fails: crypto/rand aborts the program instead
	body := encode62(new(big.Int).SetBytes(raw[:]), secretChars)
	return Secret(prefix + body + checksum(body))
}

// IsToken reports whether the secret is one of a client's token, not a key.
func (s Secret) IsToken() bool { return strings.HasPrefix(string(s), tokenPrefix) }

// Plausible reports whether the secret can be a key or a token at all. One with
// our prefix must have a right checksum; any other must be long enough, and be such
// as a header carries whole.
func (s Secret) Plausible() bool {
	body, ours := strings.CutPrefix(string(s), keyPrefix)
	if !ours {
		body, ours = strings.CutPrefix(string(s), tokenPrefix)
	}
	if !ours {
		return len(s) >= minForeignKey && len(s) <= maxKey && !strings.ContainsFunc(string(s), unicode.IsControl) && strings.TrimSpace(string(s)) == string(s)
	}
	if len(body) != secretChars+sumChars {
		return false
	}
	return checksum(body[:secretChars]) == body[secretChars:]
}

func checksum(body string) string {
	return encode62(big.NewInt(int64(crc32.ChecksumIEEE([]byte(body)))), sumChars)
}

func encode62(n *big.Int, width int) string {
	out := make([]byte, width)
	base, digit := big.NewInt(62), new(big.Int)
	for i := width - 1; i >= 0; i-- {
		n.DivMod(n, base, digit)
		out[i] = base62[digit.Int64()]
	}
	return string(out)
}

// Key is a stored API key. The secret itself is not kept.
type Key struct {
	ID         uuid.UUID
	Clinic     uuid.UUID
	Name       string
	Role       Role
	Scopes     *Permissions // nil: everything that the role grants
	Hint       string       // the first characters of the secret
	CreatedAt  time.Time
	ExpiresAt  *time.Time // nil: does not expire
	RevokedAt  *time.Time // nil: not revoked
	LastUsedAt *time.Time // to within usedEvery; nil: never
	ReplacedBy *uuid.UUID // the key that it was rotated to
}

// Live reports whether the key may be used at the given time.
func (k Key) Live(now time.Time) bool {
	return k.RevokedAt == nil && (k.ExpiresAt == nil || now.Before(*k.ExpiresAt))
}

// Held is what the key allows: its role, narrowed by its scopes.
func (k Key) Held() Permissions {
	if k.Scopes == nil {
		return grants[k.Role]
	}
	return grants[k.Role] & *k.Scopes
}

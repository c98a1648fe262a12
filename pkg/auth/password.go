package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/sync/semaphore"
	"golang.org/x/text/unicode/norm"

	"github.com/protrack/protrack/pkg/fault"
)

// Password is what a person types to sign in. It prints as *** everywhere, so
// that it can be shown only by a deliberate conversion to string.
type Password string

// String hides the password.
func (Password) String() string { return "***" }

// GoString hides the password from %#v.
func (Password) GoString() string { return "***" }

// MarshalText hides the password from JSON and every other text encoding.
func (Password) MarshalText() ([]byte, error) { return []byte("***"), nil }

// LogValue hides the password from slog.
func (Password) LogValue() slog.Value { return slog.StringValue("***") }

// normal gives the same bytes for the same text, however a keyboard or an
// operating system composes its characters.
func (p Password) normal() string { return norm.NFKC.String(string(p)) }

// phc is one hash with what it was made with, as the PHC string format holds
// it: $argon2id$v=19$m=<KiB>,t=<passes>,p=<lanes>$<salt>$<hash>.
type phc struct {
	memory uint32 // KiB
	passes uint32
	lanes  uint8
	salt   []byte
	hash   []byte
}

// The least that OWASP's Password Storage Cheat Sheet recommends of argon2id:
// 19 MiB, two passes, one lane.
const (
	hashMemory = 19 * 1024 // KiB
	hashPasses = 2
	hashLanes  = 1
	saltBytes  = 16
	hashBytes  = 32
)

// The most that a stored hash may ask for. Whoever can write to the table of
// accounts shall not be able to burn the server's memory as well.
const (
	maxHashMemory = 64 * 1024 // KiB
	maxHashPasses = 8
	maxHashLanes  = 4
	maxHashBytes  = 64
)

var errHash = errors.New("the stored password hash is not one that is made here")

// parsePHC reads a hash as it is stored. It takes one way of writing only,
// and no parameters that are absurd.
func parsePHC(text string) (phc, error) {
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return phc{}, errHash
	}
	var h phc
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.memory, &h.passes, &h.lanes); err != nil {
		return phc{}, errHash
	}
	var errSalt, errSum error
	h.salt, errSalt = base64.RawStdEncoding.Strict().DecodeString(parts[4])
	h.hash, errSum = base64.RawStdEncoding.Strict().DecodeString(parts[5])
	sane := h.lanes >= 1 && h.lanes <= maxHashLanes &&
		h.passes >= 1 && h.passes <= maxHashPasses &&
		h.memory >= 8*uint32(h.lanes) && h.memory <= maxHashMemory &&
		len(h.salt) >= 8 && len(h.salt) <= maxHashBytes &&
		len(h.hash) >= 16 && len(h.hash) <= maxHashBytes
	if errSalt != nil || errSum != nil || !sane || h.String() != text {
		return phc{}, errHash
	}
	return h, nil
}

// String writes the hash as it is stored.
func (h phc) String() string {
	encode := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.memory, h.passes, h.lanes, encode(h.salt), encode(h.hash))
}

// weak reports whether a password should be hashed anew, now that it is known.
func (h phc) weak() bool {
	return h.memory < hashMemory || h.passes < hashPasses || h.lanes < hashLanes || len(h.salt) < saltBytes || len(h.hash) < hashBytes
}

// Hasher hashes passwords with argon2id. As each hash takes 19 MiB, it bounds
// how many are made at once; who comes later waits. Use one for the program.
type Hasher struct {
	room    *semaphore.Weighted // KiB
	nothing phc                 // the hash of no account
}

// NewHasher makes a hasher that uses the memory of so many hashes, but at
// least enough for the largest hash that can be stored.
func NewHasher(atOnce int) *Hasher {
	size := max(int64(atOnce)*hashMemory, maxHashMemory)
	h := &Hasher{room: semaphore.NewWeighted(size), nothing: freshHash()}
	h.nothing.hash = make([]byte, hashBytes)
	return h
}

// freshHash is a hash to be made, with the parameters of today and its own salt.
func freshHash() phc {
	h := phc{memory: hashMemory, passes: hashPasses, lanes: hashLanes, salt: make([]byte, saltBytes)}
	_, _ = rand.Read(h.salt) // never fails: crypto/rand aborts the program instead
	return h
}

// Hash gives the PHC string that is stored for a password. If ctx ends before
// its turn comes, the fault is Unavailable.
func (h *Hasher) Hash(ctx context.Context, p Password) (string, error) {
	made := freshHash()
	hash, err := h.derive(ctx, p, made, hashBytes)
	if err != nil {
		return "", err
	}
	made.hash = hash
	return made.String(), nil
}

// Verify reports whether the password is the one that was stored, and if so,
// whether it should be stored anew because the parameters have grown since.
// If ctx ends before its turn comes, the fault is Unavailable; a stored text
// that is no hash, or asks for absurd work, is an error without a kind.
func (h *Hasher) Verify(ctx context.Context, p Password, stored string) (ok, rehash bool, err error) {
	want, err := parsePHC(stored)
	if err != nil {
		return false, false, err
	}
	got, err := h.derive(ctx, p, want, len(want.hash))
	if err != nil {
		return false, false, err
	}
	ok = subtle.ConstantTimeCompare(got, want.hash) == 1
	return ok, ok && want.weak(), nil
}

// VerifyNothing does the work of Verify for an account that does not exist, so
// that its absence cannot be told by the time. It fails as Verify does when
// ctx ends, so that it cannot be told by that either.
func (h *Hasher) VerifyNothing(ctx context.Context, p Password) error {
	_, err := h.derive(ctx, p, h.nothing, len(h.nothing.hash))
	return err
}

func (h *Hasher) derive(ctx context.Context, p Password, with phc, size int) ([]byte, error) {
	if err := h.room.Acquire(ctx, int64(with.memory)); err != nil {
		return nil, fault.New(fault.Unavailable, "Too many people are signing in at once; try again.").Because(err)
	}
	defer h.room.Release(int64(with.memory))
	return argon2.IDKey([]byte(p.normal()), with.salt, with.passes, with.memory, with.lanes, uint32(size)), nil //nolint:gosec // at most 64
}

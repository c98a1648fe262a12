package authtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"sync/atomic"

	"github.com/protrack/protrack/pkg/auth"
)

// Passwords is an auth.Passwords that costs nothing, for tests of what stands
// around it: what is stored is a plain sum. Its zero value is ready, and may be
// used by several at once.
type Passwords struct {
	Count atomic.Int64 // hashes that were made
	Weak  atomic.Bool  // asks for every right password to be hashed anew
}

var _ auth.Passwords = (*Passwords)(nil)

// Hash never fails.
func (q *Passwords) Hash(_ context.Context, p auth.Password) (string, error) {
	q.Count.Add(1)
	sum := sha256.Sum256([]byte(string(p)))
	return hex.EncodeToString(sum[:]), nil
}

// Verify never fails.
func (q *Passwords) Verify(ctx context.Context, p auth.Password, stored string) (ok, rehash bool, err error) {
	hash, err := q.Hash(ctx, p)
	return hash == stored, hash == stored && q.Weak.Load(), err
}

// VerifyNothing counts as one hash.
func (q *Passwords) VerifyNothing(ctx context.Context, p auth.Password) error {
	_, err := q.Hash(ctx, p)
	return err
}

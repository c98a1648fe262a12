package auth

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/fault"
)

// NewKey is what a caller says of a key to be made.
type NewKey struct {
	Name      string
	Role      Role
	Scopes    []Permission // nil: everything that the role grants
	ExpiresAt *time.Time
}

// mayGrant checks that the principal holds all that a credential is to hold, or
// holds: nobody gives, renews or takes away what is more than they have.
func (p Principal) mayGrant(held Permissions) error {
	if p.Held.Covers(held) {
		return nil
	}
	lacking := held &^ p.Held
	return fault.New(fault.Forbidden, "Nobody gives or takes what they do not hold themselves: "+lacking.String()+".").Because(beyond{lacking})
}

// beyond says which permissions were to be granted by somebody without them.
type beyond struct{ lacking Permissions }

func (b beyond) Error() string { return "beyond what is held: " + b.lacking.String() }

// manage runs fn in one transaction. What mayGrant refuses in it is noted
// afterwards, for the transaction is undone.
func (s *Service) manage(ctx context.Context, who Principal, fn func(Tx) error) error {
	err := s.Store.Manage(ctx, who, fn)
	var b beyond
	if errors.As(err, &b) {
		s.note(ctx, who, who.Refused(b.lacking.List()...))
	}
	return err
}

// CreateKey makes a key in the principal's clinic, which may do no more than
// the principal. The secret is returned here and never again.
func (s *Service) CreateKey(ctx context.Context, who Principal, in NewKey) (Key, Secret, error) {
	if err := s.require(ctx, who, ManageKeys); err != nil {
		return Key{}, "", err
	}
	if err := fault.InvalidIf(s.CheckNewKey(in)); err != nil {
		return Key{}, "", err
	}
	secret := NewSecret()
	k := Key{
		ID: s.NewID(), Clinic: who.Clinic, Name: in.Name, Role: in.Role,
		Hint: secret.Hint(), CreatedAt: stamp(s.Now()),
	}
	if in.Scopes != nil {
		k.Scopes = new(PermissionsOf(in.Scopes...))
	}
	if in.ExpiresAt != nil {
		k.ExpiresAt = new(stamp(*in.ExpiresAt))
	}
	err := s.manage(ctx, who, func(tx Tx) error {
		if err := who.mayGrant(k.Held()); err != nil {
			return err
		}
		e := who.Did("key.create", "key", k.ID)
		e.Details.Note = map[string]string{"role": string(k.Role), "scopes": k.Held().String()}
		tx.Note(s.entry(e))
		return tx.CreateKey(ctx, who, k, secret.Hash())
	})
	if err != nil {
		return Key{}, "", err
	}
	return k, secret, nil
}

// latestExpiry is far off, and well before the last year that a time can be
// written in.
var latestExpiry = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)

// CheckNewKey lists what is wrong with a key that is to be made.
func (s *Service) CheckNewKey(in NewKey) []fault.Detail {
	var details []fault.Detail
	if !slices.Contains(Roles(), in.Role) {
		details = append(details, fault.Detail{Pointer: "/role", Code: "unknown_role", Message: "The role is none of owner, admin, clinician, researcher and app."})
	}
	if in.Scopes != nil && len(in.Scopes) == 0 {
		details = append(details, fault.Detail{Pointer: "/scopes", Code: "required", Message: "A key for nothing is no key: leave the scopes out for all of the role."})
	}
	for i, p := range in.Scopes {
		at := "/scopes/" + strconv.Itoa(i)
		switch {
		case !slices.Contains(known, p):
			details = append(details, fault.Detail{Pointer: at, Code: "unknown_scope", Message: "There is no such permission."})
		case !grants[in.Role].Has(p):
			details = append(details, fault.Detail{Pointer: at, Code: "not_of_the_role", Message: "The role does not grant it, and a scope only narrows."})
		}
	}
	switch {
	case in.ExpiresAt == nil:
	case !in.ExpiresAt.After(s.Now()):
		details = append(details, fault.Detail{Pointer: "/expires_at", Code: "in_the_past", Message: "The key would have expired already."})
	case in.ExpiresAt.After(latestExpiry):
		details = append(details, fault.Detail{Pointer: "/expires_at", Code: "out_of_range", Message: "A key that is to last has no end; no key ends after 2200."})
	}
	return details
}

// Keys lists the clinic's keys by id, starting behind after.
func (s *Service) Keys(ctx context.Context, who Principal, after uuid.UUID, limit int) (keys []Key, err error) {
	if err := s.require(ctx, who, ManageKeys); err != nil {
		return nil, err
	}
	err = s.Store.Manage(ctx, who, func(tx Tx) (err error) {
		keys, err = tx.Keys(ctx, who, after, limit)
		return err
	})
	return keys, err
}

// RevokeKey ends a key; the next request that shows it is refused. Revoking
// twice keeps the first time.
func (s *Service) RevokeKey(ctx context.Context, who Principal, id uuid.UUID) error {
	if err := s.require(ctx, who, ManageKeys); err != nil {
		return err
	}
	return s.manage(ctx, who, func(tx Tx) error {
		k, err := tx.Key(ctx, who, id)
		if err != nil {
			return err
		}
		if err := who.mayGrant(k.Held()); err != nil {
			return err
		}
		if k.RevokedAt != nil {
			return nil
		}
		k.RevokedAt = new(stamp(s.Now()))
		tx.Note(s.entry(who.Did("key.revoke", "key", id)))
		return tx.EndKey(ctx, who, k)
	})
}

// The overlap in which an old key and the one that replaces it both work.
const (
	defaultOverlap = 24 * time.Hour
	longestOverlap = 30 * 24 * time.Hour
)

// RotateKey makes a key with the name, role and scopes of another, which ends
// when the overlap is over (a day where it is nil): time to bring the new
// secret to where the old one is used.
func (s *Service) RotateKey(ctx context.Context, who Principal, id uuid.UUID, overlap *time.Duration) (Key, Secret, error) {
	if err := s.require(ctx, who, ManageKeys); err != nil {
		return Key{}, "", err
	}
	if overlap == nil {
		overlap = new(defaultOverlap)
	}
	if *overlap < 0 || *overlap > longestOverlap {
		return Key{}, "", fault.InvalidIf([]fault.Detail{{
			Pointer: "/overlap_seconds", Code: "out_of_range", Message: "The old key goes on for at most 30 days.",
		}})
	}
	secret := NewSecret()
	var next Key
	err := s.manage(ctx, who, func(tx Tx) error {
		old, err := tx.Key(ctx, who, id)
		if err != nil {
			return err
		}
		now := stamp(s.Now())
		if !old.Live(now) || old.ReplacedBy != nil {
			return fault.New(fault.Conflict, "The key has ended or was rotated already.")
		}
		if err := who.mayGrant(old.Held()); err != nil {
			return err
		}
		next = Key{
			ID: s.NewID(), Clinic: who.Clinic, Name: old.Name, Role: old.Role, Scopes: old.Scopes, Hint: secret.Hint(),
			CreatedAt: now, ExpiresAt: old.ExpiresAt,
		}
		if end := now.Add(*overlap); old.ExpiresAt == nil || end.Before(*old.ExpiresAt) {
			old.ExpiresAt = &end
		}
		old.ReplacedBy = &next.ID
		e := who.Did("key.rotate", "key", id)
		e.Details.Note = map[string]string{"replaced_by": next.ID.String()}
		tx.Note(s.entry(e))
		if err := tx.CreateKey(ctx, who, next, secret.Hash()); err != nil {
			return err
		}
		if err := tx.JoinTeamsOf(ctx, who, old.ID, next.ID, now); err != nil {
			return err
		}
		return tx.EndKey(ctx, who, old)
	})
	if err != nil {
		return Key{}, "", err
	}
	return next, secret, nil
}

// ParseScopes reads permissions with blanks between them, as they are stored.
func ParseScopes(text string) Permissions {
	var ps []Permission
	for _, name := range strings.Fields(text) {
		ps = append(ps, Permission(name))
	}
	return PermissionsOf(ps...)
}

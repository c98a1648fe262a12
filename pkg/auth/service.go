package auth

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/fault"
)

// Clinic is a tenant.
type Clinic struct {
	ID        uuid.UUID
	Slug      string // unique; lower-case letters, digits and hyphens
	CreatedAt time.Time
}

// Store keeps clinics and keys. Every method but the three that find out who
// is asking takes the clinic from a principal or a clinic already found.
type Store interface {
	// KeyByHash finds a key of any clinic by its hash; NotFound if there is none.
	KeyByHash(ctx context.Context, hash []byte) (Key, error)
	// ClinicBySlug finds a clinic by its slug; NotFound if there is none.
	ClinicBySlug(ctx context.Context, slug string) (Clinic, error)
	// FoundClinic stores a clinic and its first key, together, unless the slug
	// is taken; founded says whether this call did it.
	FoundClinic(ctx context.Context, c Clinic, k Key, hash []byte) (founded bool, err error)
	// Keys lists a page of a clinic's keys by id, starting behind after.
	Keys(ctx context.Context, who Principal, after uuid.UUID, limit int) ([]Key, error)
	// Key finds a key of the principal's clinic; NotFound if there is none.
	Key(ctx context.Context, who Principal, id uuid.UUID) (Key, error)
	// CreateKey stores a key.
	CreateKey(ctx context.Context, who Principal, k Key, hash []byte) error
	// RevokeKey marks a key revoked; NotFound if the clinic has none such.
	// Revoking twice keeps the first time.
	RevokeKey(ctx context.Context, who Principal, id uuid.UUID, at time.Time) error
}

// Service makes, checks and revokes keys.
type Service struct {
	Store Store
	Now   func() time.Time
	NewID func() uuid.UUID
}

// NewKey is what a caller says of a key to be made.
type NewKey struct {
	Name      string
	Role      Role
	ExpiresAt *time.Time
}

var errUnknownKey = fault.New(fault.Unauthenticated, "The key is not known, has expired or was revoked.")

// Authenticate finds the principal of a secret. Every refusal reads the same.
func (s *Service) Authenticate(ctx context.Context, secret Secret) (Principal, error) {
	if !secret.Plausible() {
		return Principal{}, errUnknownKey
	}
	k, err := s.Store.KeyByHash(ctx, secret.Hash())
	if fault.Is(err, fault.NotFound) {
		return Principal{}, errUnknownKey
	}
	if err != nil {
		return Principal{}, err
	}
	if !k.Live(s.Now()) {
		return Principal{}, errUnknownKey
	}
	return Principal{Clinic: k.Clinic, Actor: k.ID, Role: k.Role}, nil
}

// Found creates a clinic with an admin key. Where secret is empty one is
// made. It returns founded=false, and no secret, if the clinic exists.
func (s *Service) Found(ctx context.Context, slug string, secret Secret) (founded bool, _ Secret, err error) {
	return s.FoundWith(ctx, slug, NewKey{Name: "first admin", Role: Admin}, secret)
}

// FoundWith is Found with a name and an end of the key; its role is admin.
func (s *Service) FoundWith(ctx context.Context, slug string, in NewKey, secret Secret) (founded bool, _ Secret, err error) {
	if _, err := s.Store.ClinicBySlug(ctx, slug); !fault.Is(err, fault.NotFound) {
		return false, "", err
	}
	if secret == "" {
		secret = NewSecret()
	}
	if !secret.Plausible() {
		return false, "", fault.New(fault.Invalid, "The admin key must be a generated key, or at least 32 characters that nobody can guess, with no blank at either end.")
	}
	now := s.Now()
	c := Clinic{ID: s.NewID(), Slug: slug, CreatedAt: now}
	k := Key{ID: s.NewID(), Clinic: c.ID, Name: in.Name, Role: Admin, Hint: secret.Hint(), CreatedAt: now, ExpiresAt: in.ExpiresAt}
	founded, err = s.Store.FoundClinic(ctx, c, k, secret.Hash())
	if err != nil || !founded {
		return false, "", err
	}
	return true, secret, nil
}

// Operator is the principal of whoever runs the program on the clinic's own
// machine: they hold the database, so they act as an admin of any clinic.
// NotFound for an unknown clinic.
func (s *Service) Operator(ctx context.Context, slug string) (Principal, error) {
	c, err := s.Store.ClinicBySlug(ctx, slug)
	if err != nil {
		return Principal{}, err
	}
	return Principal{Clinic: c.ID, Actor: c.ID, Role: Admin}, nil
}

// CreateKey makes a key in the principal's clinic. The secret is returned
// here and never again.
func (s *Service) CreateKey(ctx context.Context, who Principal, in NewKey) (Key, Secret, error) {
	if err := who.Require(ManageKeys); err != nil {
		return Key{}, "", err
	}
	now := stamp(s.Now())
	if err := fault.InvalidIf(s.CheckNewKey(in)); err != nil {
		return Key{}, "", err
	}
	secret := NewSecret()
	k := Key{
		ID: s.NewID(), Clinic: who.Clinic, Name: in.Name, Role: in.Role,
		Hint: secret.Hint(), CreatedAt: now,
	}
	if in.ExpiresAt != nil {
		k.ExpiresAt = new(stamp(*in.ExpiresAt))
	}
	if err := s.Store.CreateKey(ctx, who, k, secret.Hash()); err != nil {
		return Key{}, "", err
	}
	return k, secret, nil
}

// stamp is the time as it is stored: UTC, whole microseconds.
func stamp(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// latestExpiry is far off, and well before the last year that a time can be
// written in.
var latestExpiry = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)

// CheckNewKey lists what is wrong with a key that is to be made.
func (s *Service) CheckNewKey(in NewKey) []fault.Detail {
	var details []fault.Detail
	if _, known := grants[in.Role]; !known {
		details = append(details, fault.Detail{Pointer: "/role", Code: "unknown_role", Message: "The role is none of admin, clinician, researcher and app."})
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
func (s *Service) Keys(ctx context.Context, who Principal, after uuid.UUID, limit int) ([]Key, error) {
	if err := who.Require(ManageKeys); err != nil {
		return nil, err
	}
	return s.Store.Keys(ctx, who, after, limit)
}

// RevokeKey ends a key; the next request that shows it is refused.
func (s *Service) RevokeKey(ctx context.Context, who Principal, id uuid.UUID) error {
	if err := who.Require(ManageKeys); err != nil {
		return err
	}
	return s.Store.RevokeKey(ctx, who, id, s.Now())
}

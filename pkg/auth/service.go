package auth

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/fault"
)

// Service makes, checks and ends credentials. All fields are required.
type Service struct {
	Store Store
	Now   func() time.Time
	NewID func() uuid.UUID
	Log   *slog.Logger // what could not be noted, with ids only
	// Passwords hashes those of accounts: a *Hasher, one for the program.
	Passwords Passwords
}

// usedEvery is how exact a credential's last use is known: it is written at
// most so often.
const usedEvery = time.Minute

// ended is ErrUnknownKey of a credential that was good once. It reads the same.
type ended struct{ error }

// Unwrap gives the refusal.
func (e ended) Unwrap() error { return e.error }

// HasEnded reports whether a credential was refused that was good once: whoever
// shows it is no guesser.
func HasEnded(err error) bool {
	var e ended
	return errors.As(err, &e)
}

// ErrUnknownKey is what every credential is refused with that is not good, so
// that the refusal tells nothing of it.
var ErrUnknownKey = fault.New(fault.Unauthenticated, "The key is not known, has expired or was revoked.")

// stamp is the time as it is stored: UTC, whole microseconds.
func stamp(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// entry completes an entry of the audit trail.
func (s *Service) entry(e audit.Entry) audit.Entry {
	e.ID, e.At = s.NewID(), stamp(s.Now())
	return e
}

// require decides permissions and leaves an entry of a refusal. Where that
// cannot be stored the answer is no all the same.
func (s *Service) require(ctx context.Context, who Principal, need ...Permission) error {
	err := who.Require(need...)
	if !fault.Is(err, fault.Forbidden) {
		return err
	}
	s.note(ctx, who, who.Refused(need...))
	return err
}

// note stores an entry of something that changed nothing.
func (s *Service) note(ctx context.Context, who Principal, e audit.Entry) {
	s.Log.WarnContext(ctx, "refused", "who", who, "action", e.Action, "reason", e.Details.Reason)
	err := s.Store.Manage(ctx, who, func(tx Tx) error {
		tx.Note(s.entry(e))
		return nil
	})
	if err != nil {
		s.Log.ErrorContext(ctx, "a refusal was not noted in the audit trail", "who", who, "error", err.Error())
	}
}

// Authenticate finds the principal of a key, or of a client's token. Every
// refusal reads the same.
func (s *Service) Authenticate(ctx context.Context, secret Secret, from Origin) (Principal, error) {
	if !secret.Plausible() {
		return Principal{}, ErrUnknownKey
	}
	if secret.IsToken() {
		return s.authenticateToken(ctx, secret, from)
	}
	k, clinic, err := s.Store.KeyByHash(ctx, secret.Hash())
	if fault.Is(err, fault.NotFound) {
		return Principal{}, ErrUnknownKey
	}
	if err != nil {
		return Principal{}, err
	}
	now := stamp(s.Now())
	who := As(k.Clinic, k.ID, ByKey, k.Role)
	who.Held, who.At, who.Origin = k.Held(), now, from
	who = clinic.narrowed(who)
	if !k.Live(now) {
		e := who.Did("key.use", "key", k.ID)
		e.Outcome, e.ActorKind = audit.Refused, string(ByNobody)
		s.note(ctx, who, e)
		return Principal{}, ended{ErrUnknownKey}
	}
	if k.LastUsedAt == nil || now.Sub(*k.LastUsedAt) >= usedEvery {
		if err := s.Store.KeyUsed(ctx, who, k.ID, now); err != nil {
			s.Log.WarnContext(ctx, "last use of a key not noted", "who", who, "error", err.Error())
		}
	}
	return who, nil
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
	now := stamp(s.Now())
	c := Clinic{ID: s.NewID(), Slug: slug, CreatedAt: now}
	k := Key{ID: s.NewID(), Clinic: c.ID, Name: in.Name, Role: Admin, Hint: secret.Hint(), CreatedAt: now, ExpiresAt: in.ExpiresAt}
	entry := s.entry(As(c.ID, c.ID, ByOperator, Owner).Did("clinic.create", "clinic", c.ID))
	founded, err = s.Store.FoundClinic(ctx, c, k, secret.Hash(), entry)
	if err != nil || !founded {
		return false, "", err
	}
	return true, secret, nil
}

// Operator is the principal of whoever runs the program on the clinic's own
// machine: they hold the database, so they act as an owner of any clinic.
// NotFound for an unknown clinic.
func (s *Service) Operator(ctx context.Context, slug string) (Principal, error) {
	c, err := s.Store.ClinicBySlug(ctx, slug)
	if err != nil {
		return Principal{}, err
	}
	who := As(c.ID, c.ID, ByOperator, Owner)
	who.At = stamp(s.Now())
	return who, nil
}

package auth

import (
	"context"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/fault"
)

// totpIssuer is what an authenticator app shows beside the address.
const totpIssuer = "Protrack"

var (
	errNotSignedIn = fault.New(fault.Forbidden, "Only who signed in to an account changes how it signs in.")
	errCurrent     = fault.New(fault.Invalid, "The current password is not right.",
		fault.Detail{Pointer: "/current", Code: "not_right", Message: "The current password is not right."})
	errCode = fault.New(fault.Invalid, "The code is not right.",
		fault.Detail{Pointer: "/code", Code: "not_right", Message: "The code is not right, or is over by now."})
	errEnrolled    = fault.New(fault.Conflict, "The account has a second factor already.")
	errNotEnrolled = fault.New(fault.Conflict, "The account has no second factor to confirm.")
)

// own changes the account of who is signed in, in one transaction that is
// noted as action. What change refuses leaves everything as it was.
func (s *Service) own(ctx context.Context, who Principal, action string, change func(tx Tx, a *Account, p *Proofs) error) (out Account, err error) {
	if who.Kind != ByAccount {
		return Account{}, errNotSignedIn
	}
	err = s.Store.Manage(ctx, who, func(tx Tx) error {
		a, p, err := tx.Account(ctx, who, who.Actor)
		if err != nil {
			return err
		}
		if a.DisabledAt != nil {
			return errSession
		}
		if err := change(tx, &a, &p); err != nil {
			return err
		}
		out = a
		tx.Note(s.ofAccount(who, action, a.ID))
		return tx.PutAccount(ctx, who, a, p)
	})
	if err != nil {
		return Account{}, err
	}
	return out, nil
}

// Me is the account of who is signed in, and its clinic.
func (s *Service) Me(ctx context.Context, who Principal) (Account, Clinic, error) {
	if who.Kind != ByAccount {
		return Account{}, Clinic{}, errNotSignedIn
	}
	return s.Store.AccountNow(ctx, who.Clinic, who.Actor)
}

// prove makes sure that who is signed in knows the current password. Its
// failures count as those of signing in do: a session that was left open is
// no way to guess. The proofs are those that were compared.
func (s *Service) prove(ctx context.Context, who Principal, current Password, action string) (proven Proofs, err error) {
	if who.Kind != ByAccount {
		return Proofs{}, errNotSignedIn
	}
	var at GuessedAt
	now := stamp(s.Now())
	err = s.Store.Manage(ctx, who, func(tx Tx) error {
		a, p, err := tx.Account(ctx, who, who.Actor)
		if err != nil {
			return err
		}
		if p.Password == "" {
			return errElsewhere
		}
		proven, at = p, guessedAt(who.Clinic, a.EmailKey(), who.Origin)
		return tx.Guess(ctx, who, at, func(pair, strangers *Guesses) error { return guess(pair, strangers, now) })
	})
	if err != nil {
		return Proofs{}, err
	}
	ok, _, err := s.Passwords.Verify(ctx, current, string(proven.Password))
	if err != nil {
		return Proofs{}, err
	}
	if !ok {
		e := who.Did(action, "account", who.Actor)
		e.Outcome, e.Details.Reason = audit.Refused, whyPassword
		s.note(ctx, who, e)
		return Proofs{}, errCurrent
	}
	err = s.Store.Manage(ctx, who, func(tx Tx) error {
		return tx.Guess(ctx, who, at, func(pair, strangers *Guesses) error {
			forgive(pair, strangers, now)
			return nil
		})
	})
	return proven, err
}

// SetPassword changes the password of who is signed in, who has to know the
// current one, and ends every browser session of before; the account that is
// returned has the epoch of those that go on. Invalid if the current one is
// wrong or the next one easily guessed; RateLimited after too many wrong ones.
func (s *Service) SetPassword(ctx context.Context, who Principal, current, next Password) (Account, error) {
	proven, err := s.prove(ctx, who, current, "account.set_password")
	if err != nil {
		return Account{}, err
	}
	a, _, err := s.Store.AccountNow(ctx, who.Clinic, who.Actor)
	if err != nil {
		return Account{}, err
	}
	if err := fault.InvalidIf(CheckPassword(next, string(a.Email), string(a.Name))); err != nil {
		return Account{}, err
	}
	hash, err := s.Passwords.Hash(ctx, next)
	if err != nil {
		return Account{}, err
	}
	return s.own(ctx, who, "account.set_password", func(_ Tx, a *Account, p *Proofs) error {
		if p.Password != proven.Password {
			return errCurrent // somebody was quicker
		}
		p.Password = Secret(hash)
		a.Epoch++
		return nil
	})
}

// EnrolTOTP begins a second factor: it stores a secret that does not count yet,
// and returns it with the URI of TOTPPicture. Beginning again makes a new one.
// Conflict if there is a second factor already.
func (s *Service) EnrolTOTP(ctx context.Context, who Principal) (secret TOTPSecret, uri Secret, err error) {
	_, err = s.own(ctx, who, "account.enrol_totp", func(_ Tx, a *Account, p *Proofs) (err error) {
		switch {
		case p.Password == "":
			return errElsewhere
		case a.TOTPSince != nil:
			return errEnrolled
		}
		secret, uri, err = NewTOTP(totpIssuer, a.EmailKey())
		p.TOTP, p.TOTPStep = secret, 0
		return err
	})
	if err != nil {
		return "", "", err
	}
	return secret, uri, nil
}

// ConfirmTOTP has a second factor count once a code shows that the app has it,
// and returns the recovery codes, which are shown this once. Invalid if the
// code is wrong.
func (s *Service) ConfirmTOTP(ctx context.Context, who Principal, code Secret) (shown []Secret, err error) {
	codes, hashes := NewRecoveryCodes()
	_, err = s.own(ctx, who, "account.confirm_totp", func(tx Tx, a *Account, p *Proofs) error {
		switch {
		case a.TOTPSince != nil:
			return errEnrolled
		case p.TOTP == "":
			return errNotEnrolled
		}
		step, ok := p.TOTP.Check(string(code), s.Now(), p.TOTPStep)
		if !ok {
			return errCode
		}
		a.TOTPSince, p.TOTPStep = new(stamp(s.Now())), step
		return tx.PutRecoveryCodes(ctx, who, a.ID, hashes)
	})
	if err != nil {
		return nil, err
	}
	return codes, nil
}

// NewRecoveryCodes replaces the recovery codes of who is signed in and knows
// the current password. Conflict if there is no second factor.
func (s *Service) NewRecoveryCodes(ctx context.Context, who Principal, current Password) (shown []Secret, err error) {
	if _, err := s.prove(ctx, who, current, "account.new_recovery_codes"); err != nil {
		return nil, err
	}
	codes, hashes := NewRecoveryCodes()
	_, err = s.own(ctx, who, "account.new_recovery_codes", func(tx Tx, a *Account, _ *Proofs) error {
		if a.TOTPSince == nil {
			return errNotEnrolled
		}
		return tx.PutRecoveryCodes(ctx, who, a.ID, hashes)
	})
	if err != nil {
		return nil, err
	}
	return codes, nil
}

// RemoveTOTP ends the second factor of who is signed in and knows the current
// password, and the recovery codes with it.
func (s *Service) RemoveTOTP(ctx context.Context, who Principal, current Password) error {
	if _, err := s.prove(ctx, who, current, "account.remove_totp"); err != nil {
		return err
	}
	_, err := s.own(ctx, who, "account.remove_totp", func(tx Tx, a *Account, p *Proofs) error {
		a.TOTPSince, p.TOTP, p.TOTPStep = nil, "", 0
		return tx.PutRecoveryCodes(ctx, who, a.ID, nil)
	})
	return err
}

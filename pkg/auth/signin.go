package auth

import (
	"context"
	"regexp"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/fault"
)

var (
	errSignIn  = fault.New(fault.Unauthenticated, "The address, the password or the code is not right.")
	errSession = fault.New(fault.Unauthenticated, "The session has ended. Sign in again.")
)

// Why signing in was refused, for the audit trail alone.
const (
	whyUnknown  = "unknown"
	whyPassword = "password"
	whyCode     = "code"
	whyLocked   = "locked"
	whyDisabled = "disabled"
)

// slugForm is how a clinic's name looks; nothing else is looked up.
var slugForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// SignIn finds out whether somebody is who they say. The code is that of the
// second factor, or a recovery code; empty where the account asks for none.
//
// Every refusal reads the same (Unauthenticated), takes the work of one
// password hash, and is noted in the clinic's audit trail. Who guesses too
// often is RateLimited, whether the account exists or not. If the counts or
// the trail cannot be kept, nobody signs in.
func (s *Service) SignIn(ctx context.Context, clinicSlug string, email Personal, password Password, code Secret, from Origin) (Principal, Account, error) {
	clinic, err := s.clinicToSignIn(ctx, clinicSlug)
	if fault.Is(err, fault.NotFound) {
		if err := s.Passwords.VerifyNothing(ctx, password); err != nil {
			return Principal{}, Account{}, err
		}
		return Principal{}, Account{}, errSignIn
	}
	if err != nil {
		return Principal{}, Account{}, err
	}
	key, _ := emailKey(email) // what is no address is one that nobody has
	t := &signingIn{
		Service: s, clinic: clinic, key: key, at: guessedAt(clinic.ID, key, from),
		nobody: Principal{Clinic: clinic.ID, Actor: clinic.ID, Kind: ByNobody, At: stamp(s.Now()), Origin: from},
	}
	if err := t.begin(ctx); err != nil {
		return Principal{}, Account{}, err
	}
	hash, why, err := t.judge(ctx, password)
	if err != nil {
		return Principal{}, Account{}, err
	}
	if why == "" {
		why, err = t.finish(ctx, hash, code)
	}
	if err != nil {
		return Principal{}, Account{}, err
	}
	if why != "" {
		t.refused(ctx, why)
		return Principal{}, Account{}, errSignIn
	}
	return t.clinic.principalOf(t.account, t.nobody.At, from), t.account, nil
}

func (s *Service) clinicToSignIn(ctx context.Context, slug string) (Clinic, error) {
	if !slugForm.MatchString(slug) {
		return Clinic{}, fault.New(fault.NotFound, "There is no such clinic.")
	}
	return s.Store.ClinicBySlug(ctx, slug)
}

// signingIn carries one attempt through its steps. Hashing takes its time
// between two transactions, not inside one.
type signingIn struct {
	*Service
	clinic  Clinic
	key     string
	at      GuessedAt
	nobody  Principal // with the account's id, once there is one
	known   bool      // there is an account of this address
	account Account
	proofs  Proofs
}

// begin counts the attempt and looks for the account.
func (t *signingIn) begin(ctx context.Context) error {
	err := t.Store.Manage(ctx, t.nobody, func(tx Tx) (err error) {
		t.account, t.proofs, err = tx.AccountByEmail(ctx, t.nobody, t.key)
		if t.known = err == nil; err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		return tx.Guess(ctx, t.nobody, t.at, func(pair, strangers *Guesses) error { return guess(pair, strangers, t.nobody.At) })
	})
	if t.known {
		t.nobody.Actor = t.account.ID
	}
	if fault.Is(err, fault.RateLimited) {
		t.refused(ctx, whyLocked)
	}
	return err
}

// judge compares the password, or does the same work for nothing. It gives the
// hash to be stored, a new one where the parameters have grown since.
func (t *signingIn) judge(ctx context.Context, password Password) (hash Secret, why string, err error) {
	if !t.known || t.proofs.Password == "" {
		why = whyPassword
		if !t.known {
			why = whyUnknown
		}
		return "", why, t.Passwords.VerifyNothing(ctx, password)
	}
	ok, rehash, err := t.Passwords.Verify(ctx, password, string(t.proofs.Password))
	if err != nil {
		return "", "", err
	}
	if !ok {
		return "", whyPassword, nil
	}
	if !rehash {
		return t.proofs.Password, "", nil
	}
	fresh, err := t.Passwords.Hash(ctx, password)
	return Secret(fresh), "", err
}

// finish judges what may have changed meanwhile, and the code, which is good
// once, and stores that somebody signed in.
func (t *signingIn) finish(ctx context.Context, hash Secret, code Secret) (why string, err error) {
	err = t.Store.Manage(ctx, t.nobody, func(tx Tx) error {
		a, p, err := tx.Account(ctx, t.nobody, t.account.ID)
		if err != nil {
			return err
		}
		switch {
		case p.Password != t.proofs.Password:
			why = whyPassword
			return nil
		case a.DisabledAt != nil:
			why = whyDisabled
			return nil
		}
		right, err := t.rightCode(ctx, tx, a, &p, code)
		if err != nil {
			return err
		}
		if why = ""; !right {
			why = whyCode
			return nil
		}
		a.LastSignInAt, p.Password = &t.nobody.At, hash
		t.account = a
		tx.Note(t.entry(t.clinic.principalOf(a, t.nobody.At, t.nobody.Origin).Did("sign_in.done", "account", a.ID)))
		if err := tx.PutAccount(ctx, t.nobody, a, p); err != nil {
			return err
		}
		return tx.Guess(ctx, t.nobody, t.at, func(pair, strangers *Guesses) error {
			forgive(pair, strangers, t.nobody.At)
			return nil
		})
	})
	return why, err
}

// rightCode judges the second factor, if the account has one.
func (s *Service) rightCode(ctx context.Context, tx Tx, a Account, p *Proofs, code Secret) (bool, error) {
	if a.TOTPSince == nil {
		return true, nil
	}
	if hash, ok := HashRecoveryCode(code); ok {
		return tx.TakeRecoveryCode(ctx, Principal{Clinic: a.Clinic}, a.ID, hash)
	}
	step, ok := p.TOTP.Check(string(code), s.Now(), p.TOTPStep)
	if ok {
		p.TOTPStep = step
	}
	return ok, nil
}

// refused notes that nobody signed in, and why.
func (t *signingIn) refused(ctx context.Context, why string) {
	target, id := "", uuid.Nil
	if t.known {
		target, id = "account", t.account.ID
	}
	e := t.nobody.Did("sign_in.refused", target, id)
	e.Outcome, e.Details.Reason = audit.Refused, why
	t.note(ctx, t.nobody, e)
}

// principalOf is who an account is, with what its role grants now.
func (c Clinic) principalOf(a Account, at time.Time, from Origin) Principal {
	who := As(c.ID, a.ID, ByAccount, a.Role)
	who.At, who.Origin = at, from
	return c.narrowed(who)
}

// narrowed holds a principal to the reach that the clinic allows its role.
func (c Clinic) narrowed(who Principal) Principal {
	if c.CareTeams && who.Role == Clinician {
		who.Reach = AssignedClients
	}
	return who
}

// PrincipalOf is who a browser session belongs to, with the role of now.
// Unauthenticated if the account was disabled, or its role or password changed
// since the session began.
func (s *Service) PrincipalOf(ctx context.Context, clinic, account uuid.UUID, epoch int, from Origin) (Principal, error) {
	a, c, err := s.Store.AccountNow(ctx, clinic, account)
	if fault.Is(err, fault.NotFound) {
		return Principal{}, errSession
	}
	if err != nil {
		return Principal{}, err
	}
	who := c.principalOf(a, stamp(s.Now()), from)
	if a.DisabledAt != nil || a.Epoch != epoch {
		e := who.Did("session.use", "account", a.ID)
		e.Outcome, e.ActorKind = audit.Refused, string(ByNobody)
		s.note(ctx, who, e)
		return Principal{}, errSession
	}
	return who, nil
}

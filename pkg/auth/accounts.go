package auth

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/fault"
)

// CreateAccount makes an account in the principal's clinic, which may do no
// more than the principal. Where no password is given one is generated; it is
// returned here and never again. Conflict if another account has the address.
func (s *Service) CreateAccount(ctx context.Context, who Principal, in NewAccount) (Account, Password, error) {
	if err := s.require(ctx, who, ManageAccounts); err != nil {
		return Account{}, "", err
	}
	a, p, shown, err := s.newAccount(ctx, who.Clinic, in)
	if err != nil {
		return Account{}, "", err
	}
	err = s.manage(ctx, who, func(tx Tx) error {
		if err := who.mayGrant(grants[in.Role]); err != nil {
			return err
		}
		tx.Note(s.ofAccount(who, "account.create", a.ID, audit.Diff(nil, a.fields())...))
		return tx.CreateAccount(ctx, who, a, p)
	})
	if err != nil {
		return Account{}, "", err
	}
	return a, shown, nil
}

// newAccount makes an account and its proofs of what a caller says, and the
// password where it was generated.
func (s *Service) newAccount(ctx context.Context, clinic uuid.UUID, in NewAccount) (a Account, p Proofs, shown Password, err error) {
	if err := fault.InvalidIf(s.CheckNewAccount(in)); err != nil {
		return a, p, "", err
	}
	if in.Password == "" {
		shown = newPassword()
		in.Password = shown
	}
	hash, err := s.Passwords.Hash(ctx, in.Password)
	if err != nil {
		return a, p, "", err
	}
	a = Account{ID: s.NewID(), Clinic: clinic, Email: in.Email, Name: in.Name, Role: in.Role, Epoch: 1, CreatedAt: stamp(s.Now())}
	return a, Proofs{Password: Secret(hash)}, shown, nil
}

// ofAccount is the entry of something done to an account.
func (s *Service) ofAccount(who Principal, action string, id uuid.UUID, changes ...audit.Change) audit.Entry {
	e := s.entry(who.Did(action, "account", id))
	e.Details.Changes = changes
	return e
}

// SetUp makes the first owner of a clinic that has no accounts. The proof is a
// key of that clinic that may do all that an admin may: whoever started the program has
// one. Unauthenticated for another key; Conflict once there is an account.
func (s *Service) SetUp(ctx context.Context, slug string, key Secret, in NewAccount, from Origin) (Account, error) {
	who, err := s.Authenticate(ctx, key, from)
	if err != nil {
		return Account{}, err
	}
	clinic, err := s.clinicToSignIn(ctx, slug)
	if fault.Is(err, fault.NotFound) || err == nil && clinic.ID != who.Clinic {
		err = ErrUnknownKey // whose key it is, it does not tell
	}
	if err != nil {
		return Account{}, err
	}
	// Who founds the owner must hold all that the clinic's first key does: a
	// key narrowed to accounts makes nobody who may more.
	if err := s.require(ctx, who, grants[Admin].List()...); err != nil {
		return Account{}, err
	}
	in.Role = Owner
	if in.Password == "" {
		return Account{}, fault.InvalidIf([]fault.Detail{{Pointer: "/password", Code: "required", Message: "Choose a password."}})
	}
	a, p, _, err := s.newAccount(ctx, clinic.ID, in)
	if err != nil {
		return Account{}, err
	}
	err = s.Store.Manage(ctx, who, func(tx Tx) error {
		if err := tx.HoldAccounts(ctx, who); err != nil {
			return err
		}
		there, err := tx.Accounts(ctx, who, uuid.Nil, 1)
		if err != nil {
			return err
		}
		if len(there) > 0 {
			return errSetUp
		}
		tx.Note(s.ofAccount(who, "account.set_up", a.ID, audit.Diff(nil, a.fields())...))
		return tx.CreateAccount(ctx, who, a, p)
	})
	if err != nil {
		return Account{}, err
	}
	return a, nil
}

var errSetUp = fault.New(fault.Conflict, "The clinic is set up already: it has an account.")

// Accounts lists the clinic's accounts by id, starting behind after.
func (s *Service) Accounts(ctx context.Context, who Principal, after uuid.UUID, limit int) (accounts []Account, err error) {
	if err := s.require(ctx, who, ManageAccounts); err != nil {
		return nil, err
	}
	err = s.Store.Manage(ctx, who, func(tx Tx) (err error) {
		accounts, err = tx.Accounts(ctx, who, after, limit)
		return err
	})
	return accounts, err
}

// Account returns an account of the clinic, to those who manage accounts and
// to the person whose it is; NotFound if there is none.
func (s *Service) Account(ctx context.Context, who Principal, id uuid.UUID) (Account, error) {
	if own := who.Kind == ByAccount && who.Actor == id; !own {
		if err := s.require(ctx, who, ManageAccounts); err != nil {
			return Account{}, err
		}
	}
	a, _, err := s.Store.AccountNow(ctx, who.Clinic, id)
	return a, err
}

// AccountChange is what is to change of an account; nil stays as it is.
type AccountChange struct {
	Name     *Personal
	Role     *Role
	Disabled *bool
}

// CheckAccountChange lists what is wrong with a change.
func (s *Service) CheckAccountChange(c AccountChange) []fault.Detail {
	var details []fault.Detail
	if c.Name != nil {
		details = append(details, checkName(*c.Name)...)
	}
	if c.Role != nil {
		details = append(details, checkAccountRole(*c.Role)...)
	}
	return details
}

// apply gives the account after the change. Another role, and being disabled,
// end every browser session at once.
func (c AccountChange) apply(a Account, now time.Time) Account {
	if c.Name != nil {
		a.Name = *c.Name
	}
	if c.Role != nil && *c.Role != a.Role {
		a.Role = *c.Role
		a.Epoch++
	}
	switch {
	case c.Disabled == nil || *c.Disabled == (a.DisabledAt != nil):
	case *c.Disabled:
		a.DisabledAt = &now
		a.Epoch++
	default:
		a.DisabledAt = nil
	}
	return a
}

var errLastOwner = fault.New(fault.Conflict, "This is the clinic's last owner.",
	fault.Detail{Pointer: "/role", Code: "last_owner", Message: "Make somebody else an owner first."})

// UpdateAccount changes an account's name, role, or whether it may sign in.
// The principal must hold all that the account may do, before and after.
// Conflict if the clinic would be left without an owner.
func (s *Service) UpdateAccount(ctx context.Context, who Principal, id uuid.UUID, change AccountChange) (out Account, err error) {
	if err := s.require(ctx, who, ManageAccounts); err != nil {
		return Account{}, err
	}
	if err := fault.InvalidIf(s.CheckAccountChange(change)); err != nil {
		return Account{}, err
	}
	err = s.manage(ctx, who, func(tx Tx) error {
		if err := tx.HoldAccounts(ctx, who); err != nil {
			return err
		}
		a, p, err := tx.Account(ctx, who, id)
		if err != nil {
			return err
		}
		out = change.apply(a, stamp(s.Now()))
		if err := who.mayGrant(grants[a.Role] | grants[out.Role]); err != nil {
			return err
		}
		if err := keepAnOwner(ctx, who, tx, a, out); err != nil {
			return err
		}
		changes := audit.Diff(a.fields(), out.fields())
		if len(changes) == 0 {
			return nil
		}
		tx.Note(s.ofAccount(who, "account.update", id, changes...))
		return tx.PutAccount(ctx, who, out, p)
	})
	if err != nil {
		return Account{}, err
	}
	return out, nil
}

// keepAnOwner refuses a change that takes the clinic's last owner away. The
// accounts are held, so that two owners cannot take each other away.
func keepAnOwner(ctx context.Context, who Principal, tx Tx, before, after Account) error {
	isOwner := func(a Account) bool { return a.Role == Owner && a.DisabledAt == nil }
	if !isOwner(before) || isOwner(after) {
		return nil
	}
	owners, err := tx.Owners(ctx, who)
	if err == nil && !slices.ContainsFunc(owners, func(id uuid.UUID) bool { return id != before.ID }) {
		err = errLastOwner
	}
	return err
}

// ResetPassword lets somebody in again who has lost the password or the phone:
// it gives the account a generated password, which is returned here and never
// again, takes its second factor away and ends its browser sessions. The
// principal must hold all that the account may do. Conflict if it signs in
// elsewhere.
func (s *Service) ResetPassword(ctx context.Context, who Principal, id uuid.UUID) (Password, error) {
	if err := s.require(ctx, who, ManageAccounts); err != nil {
		return "", err
	}
	shown := newPassword()
	hash, err := s.Passwords.Hash(ctx, shown)
	if err != nil {
		return "", err
	}
	err = s.manage(ctx, who, func(tx Tx) error {
		a, p, err := tx.Account(ctx, who, id)
		if err != nil {
			return err
		}
		if err := who.mayGrant(grants[a.Role]); err != nil {
			return err
		}
		if p.Password == "" {
			return errElsewhere
		}
		p.Password, p.TOTP, p.TOTPStep, a.TOTPSince = Secret(hash), "", 0, nil
		a.Epoch++
		tx.Note(s.ofAccount(who, "account.reset_password", id))
		if err := tx.PutRecoveryCodes(ctx, who, id, nil); err != nil {
			return err
		}
		return tx.PutAccount(ctx, who, a, p)
	})
	if err != nil {
		return "", err
	}
	return shown, nil
}

var errElsewhere = fault.New(fault.Conflict, "This account signs in by an identity provider and has no password here.")

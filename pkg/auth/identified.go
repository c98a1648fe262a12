package auth

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/fault"
)

// noted is how long a bearer token may be used before its person is noted as
// signed in again, where the provider does not say when they were.
const noted = time.Hour

var (
	errNoRoleHere = fault.New(fault.Forbidden, "Your account has no role here.")
	errWhichOne   = fault.New(fault.Invalid, "Your account has a role in several clinics: name one.",
		fault.Detail{Pointer: "/clinic", Code: "required", Message: "Name one of the clinics that you have a role in."})
	errDisabled = fault.New(fault.Forbidden, "Your account here is disabled.")
)

// PrincipalOfIdentity is who somebody is that an identity provider vouches for:
// an account of the clinic that they have a role in, made when they first come.
// Where they have several, clinicSlug names the one. The provider's role
// holds: if it is another than before, every browser session of before ends.
//
// Forbidden: no role here, or disabled here. Invalid: several clinics, and none
// named. Conflict: the clinic has another account of the same address; whoever
// wants to sign in there has to know its password, and no provider's word for
// an address takes it over.
func (s *Service) PrincipalOfIdentity(ctx context.Context, id Identity, clinicSlug string, from Origin) (Principal, Account, error) {
	grant, err := id.grantIn(clinicSlug)
	if err != nil {
		return Principal{}, Account{}, err
	}
	clinic, err := s.clinicToSignIn(ctx, grant.Clinic)
	if fault.Is(err, fault.NotFound) {
		return Principal{}, Account{}, errNoRoleHere.Because(err)
	}
	if err != nil {
		return Principal{}, Account{}, err
	}
	now := stamp(s.Now())
	a, _, err := s.Store.AccountOfSubject(ctx, clinic.ID, id.Issuer, id.Subject)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return Principal{}, Account{}, err
	}
	if known := err == nil; known && a.DisabledAt == nil && a.Role == grant.Role && a.signedInFor(id, now) {
		return clinic.principalOf(a, now, from), a, nil
	}
	return s.identified(ctx, clinic, id, grant.Role, Principal{Clinic: clinic.ID, Actor: clinic.ID, Kind: ByNobody, At: now, Origin: from})
}

// grantIn is the role that an identity has in the clinic that is named, or in
// its only one. An app is no person: it has a key.
func (i Identity) grantIn(clinic string) (Grant, error) {
	var grants []Grant
	for _, g := range i.Grants {
		if slices.Contains(AccountRoles(), g.Role) && (clinic == "" || g.Clinic == clinic) {
			grants = append(grants, g)
		}
	}
	switch len(grants) {
	case 0:
		return Grant{}, errNoRoleHere
	case 1:
		return grants[0], nil
	}
	return Grant{}, errWhichOne
}

// signedInFor reports whether it is noted already that somebody signed in as
// the identity says, so that a bearer token writes nothing with each request.
func (a Account) signedInFor(id Identity, now time.Time) bool {
	if a.LastSignInAt == nil {
		return false
	}
	if id.AuthTime.IsZero() || id.AuthTime.After(now) {
		return now.Sub(*a.LastSignInAt) < noted
	}
	return !a.LastSignInAt.Before(id.AuthTime)
}

// identified stores what is new of somebody who signed in elsewhere.
func (s *Service) identified(ctx context.Context, clinic Clinic, id Identity, role Role, nobody Principal) (who Principal, a Account, err error) {
	disabled := false
	err = s.Store.Manage(ctx, nobody, func(tx Tx) error {
		if err := tx.HoldAccounts(ctx, nobody); err != nil { // or two requests make two accounts
			return err
		}
		found, p, err := tx.AccountBySubject(ctx, nobody, id.Issuer, id.Subject)
		isNew := fault.Is(err, fault.NotFound)
		if err != nil && !isNew {
			return err
		}
		if disabled = found.DisabledAt != nil; disabled {
			e := nobody.Did("sign_in.refused", "account", found.ID)
			e.Actor, e.Outcome, e.Details.Reason = found.ID, audit.Refused, whyDisabled
			tx.Note(s.entry(e))
			return nil
		}
		before := found
		if isNew {
			before, found = Account{}, s.accountOf(id, clinic.ID, nobody.At)
		}
		if err := s.follow(ctx, nobody, tx, &found, role); err != nil {
			return err
		}
		if !isNew && found.Role == before.Role && found.signedInFor(id, nobody.At) {
			// The last owner, with another role at the provider: noted already.
			a, who = found, clinic.principalOf(found, nobody.At, nobody.Origin)
			return nil
		}
		found.LastSignInAt = &nobody.At
		a, who = found, clinic.principalOf(found, nobody.At, nobody.Origin)
		return s.storeIdentified(ctx, tx, who, before, found, p)
	})
	switch {
	case err != nil:
		return Principal{}, Account{}, err
	case disabled:
		return Principal{}, Account{}, errDisabled
	}
	return who, a, nil
}

// follow gives an account the role that the provider says, and ends the browser
// sessions of before. The clinic's last owner stays one: a slip in a directory
// must not leave the clinic without.
func (s *Service) follow(ctx context.Context, nobody Principal, tx Tx, a *Account, role Role) error {
	if a.Role == role {
		return nil
	}
	changed := *a
	changed.Role = role
	changed.Epoch++
	switch err := keepAnOwner(ctx, nobody, tx, *a, changed); {
	case errors.Is(err, errLastOwner):
		return nil
	case err != nil:
		return err
	}
	*a = changed
	return nil
}

// accountOf is the account that somebody gets who comes for the first time.
func (s *Service) accountOf(id Identity, clinic uuid.UUID, now time.Time) Account {
	a := Account{
		ID: s.NewID(), Clinic: clinic, Email: Personal(id.Email), Name: Personal(id.Name),
		Issuer: id.Issuer, Subject: id.Subject, CreatedAt: now,
	}
	// An address that nobody has checked would keep it from whose it is.
	if _, ok := emailKey(a.Email); !ok || !id.EmailVerified {
		a.Email = ""
	}
	if len(checkName(a.Name)) > 0 {
		a.Name = ""
	}
	return a
}

// storeIdentified stores an account, new or changed, and notes what happened.
func (s *Service) storeIdentified(ctx context.Context, tx Tx, who Principal, before, after Account, p Proofs) error {
	tx.Note(s.ofAccount(who, "sign_in.done", after.ID))
	changes := audit.Diff(before.fields(), after.fields())
	switch {
	case before.ID == uuid.Nil:
		tx.Note(s.ofAccount(who, "account.create", after.ID, changes...))
		return tx.CreateAccount(ctx, who, after, p)
	case len(changes) > 0:
		tx.Note(s.ofAccount(who, "account.update", after.ID, changes...))
	}
	return tx.PutAccount(ctx, who, after, p)
}

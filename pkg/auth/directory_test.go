//go:build unix

package auth_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/protrack/protrack/pkg/auth"
)

// A slip in a directory must not leave a clinic without anybody who may mend it.
func TestAProviderDoesNotDemoteTheClinicsLastOwner(t *testing.T) {
	eachPeople(t, func(t *testing.T, p people) {
		_, ida, err := p.identify(t, p.vouched("ida", auth.Owner))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Svc.UpdateAccount(t.Context(), p.As, p.Owner.ID, auth.AccountChange{Role: new(auth.Clinician)}); err != nil {
			t.Fatal(err)
		}
		who, kept, err := p.identify(t, p.vouched("ida", auth.Researcher))
		if err != nil || who.Role != auth.Owner || kept.Role != auth.Owner || kept.Epoch != ida.Epoch {
			t.Errorf("the last owner signs in as %s: epoch %d, %v", who.Role, kept.Epoch, err)
		}
		demoted := p.vouched("ida", auth.Researcher)
		before, noted := p.Dump(t, p.raw, p.Who.Clinic), len(p.trail(t, "sign_in.done"))
		for range 3 { // a bearer token, with each request
			if who, _, err := p.identify(t, demoted); err != nil || who.Role != auth.Owner || who.Actor != ida.ID {
				t.Errorf("again: %s, %v", who.Role, err)
			}
		}
		if diff := cmp.Diff(before, p.Dump(t, p.raw, p.Who.Clinic)); diff != "" || len(p.trail(t, "sign_in.done")) != noted {
			t.Errorf("each request writes:\n%s", diff)
		}
		as, err := p.Svc.PrincipalOf(t.Context(), ida.Clinic, ida.ID, kept.Epoch, from(house))
		if err != nil || as.Role != auth.Owner {
			t.Fatalf("in a browser: %s, %v", as.Role, err)
		}
		// The control: with another owner, the directory's word holds.
		if _, err := p.Svc.UpdateAccount(t.Context(), as, p.Owner.ID, auth.AccountChange{Role: new(auth.Owner)}); err != nil {
			t.Fatal(err)
		}
		who, changed, err := p.identify(t, p.vouched("ida", auth.Researcher))
		if err != nil || who.Role != auth.Researcher || changed.Epoch == ida.Epoch {
			t.Errorf("one of two owners signs in as %s: epoch %d, %v", who.Role, changed.Epoch, err)
		}
	})
}

// Or whoever writes another's address into a profile keeps it from them.
func TestAnAddressThatNoProviderHasCheckedIsNotStored(t *testing.T) {
	eachPeople(t, func(t *testing.T, p people) {
		for _, verified := range []bool{false, true} {
			id := p.vouched(map[bool]string{false: "canary", true: "control"}[verified], auth.Clinician)
			id.EmailVerified = verified
			_, a, err := p.identify(t, id)
			if err != nil || (a.Email != "") != verified {
				t.Errorf("verified %t: %d characters are kept, %v", verified, len(a.Email), err)
			}
			stored := false
			for _, row := range p.Dump(t, p.raw, p.Who.Clinic) {
				stored = stored || strings.Contains(strings.ToLower(row), strings.ToLower(id.Email))
			}
			if stored != verified {
				t.Errorf("verified %t: in the database %t", verified, stored)
			}
		}
		// Whose it is gets an account of that address.
		if _, _, err := p.Svc.CreateAccount(t.Context(), p.As, auth.NewAccount{Email: "canary@idp.example", Name: "C", Role: auth.Clinician}); err != nil {
			t.Errorf("the address is taken: %v", err)
		}
		// Somebody else's is no obstacle to signing in either.
		id := p.vouched("ola", auth.Clinician)
		id.Email, id.EmailVerified = string(ownerEmail), false
		if _, a, err := p.identify(t, id); err != nil || a.Email != "" || a.ID == p.Owner.ID {
			t.Errorf("the owner's address, unchecked: %v", err)
		}
	})
}

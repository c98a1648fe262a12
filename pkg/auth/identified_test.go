//go:build unix

package auth_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
)

// vouched is somebody whom a provider knows, with a role in the clinic.
func (p people) vouched(subject string, role auth.Role) auth.Identity {
	return auth.Identity{
		Issuer: "https://idp.example", Subject: subject, Email: subject + "@idp.example", EmailVerified: true, Name: "Ida " + subject,
		Grants: []auth.Grant{{Clinic: p.Slug, Role: role}}, AuthTime: p.Clock.Now().Add(-time.Minute),
	}
}

func (p people) identify(t *testing.T, id auth.Identity) (auth.Principal, auth.Account, error) {
	t.Helper()
	return p.Svc.PrincipalOfIdentity(t.Context(), id, "", from(house))
}

// An address that nobody has checked would keep it from whose it is.
func TestAnAddressThatAProviderHasNotCheckedIsNotKept(t *testing.T) {
	eachPeople(t, func(t *testing.T, p people) {
		id := p.vouched("ida", auth.Clinician)
		id.Email, id.EmailVerified = string(ownerEmail), false
		_, a, err := p.identify(t, id)
		if err != nil || a.Email != "" {
			t.Errorf("it is kept as %q, %v", string(a.Email), err)
		}
		id.Subject, id.EmailVerified = "ida's namesake", true
		if _, _, err := p.identify(t, id); !fault.Is(err, fault.Conflict) { // the control
			t.Errorf("the owner's address, checked: %v", err)
		}
	})
}

func TestSomebodyWhomAProviderKnowsGetsAnAccountOnce(t *testing.T) {
	eachPeople(t, func(t *testing.T, p people) {
		id := p.vouched("ida", auth.Clinician)
		who, first, err := p.identify(t, id)
		if err != nil || who.Actor != first.ID || who.Kind != auth.ByAccount || who.Role != auth.Clinician || who.Clinic != p.Who.Clinic {
			t.Fatalf("%+v, %v", who, err)
		}
		kept, err := p.Svc.Account(t.Context(), p.As, first.ID)
		if diff := cmp.Diff(first, kept); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
		if string(kept.Email) != id.Email || string(kept.Name) != id.Name || kept.Issuer != id.Issuer {
			t.Errorf("it is kept as %s", string(kept.Email))
		}
		before := p.Dump(t, p.raw, p.Who.Clinic)
		for range 3 { // a bearer token, with each request
			if again, a, err := p.identify(t, id); err != nil || a.ID != first.ID || again.Actor != who.Actor {
				t.Errorf("again: %v, %v", a.ID, err)
			}
		}
		if diff := cmp.Diff(before, p.Dump(t, p.raw, p.Who.Clinic)); diff != "" {
			t.Errorf("each request writes:\n%s", diff)
		}
		id.AuthTime = p.Clock.Now()
		p.later(time.Second)
		if _, _, err := p.identify(t, id); err != nil {
			t.Error(err)
		}
		if got := p.trail(t, "sign_in.done"); len(got) != 2 || !strings.HasPrefix(got[1], "done account "+first.ID.String()+" "+house) {
			t.Errorf("the trail tells %q", got)
		}
		// Where the provider does not say when, once an hour.
		id.AuthTime = time.Time{}
		p.later(time.Hour)
		for range 3 {
			_, _, _ = p.identify(t, id)
		}
		if got := p.trail(t, "sign_in.done"); len(got) != 3 {
			t.Errorf("the trail tells %q", got)
		}
		if _, _, err := p.signIn(t, auth.Personal(id.Email), "", "", house); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("by a password: %v", err)
		}
		if _, err := p.Svc.ResetPassword(t.Context(), p.As, first.ID); !fault.Is(err, fault.Conflict) {
			t.Errorf("a password for it: %v", err)
		}
	})
}

func TestAnotherRoleAtTheProviderEndsTheSessionsOfBefore(t *testing.T) {
	eachPeople(t, func(t *testing.T, p people) {
		_, a, err := p.identify(t, p.vouched("ida", auth.Clinician))
		if err != nil {
			t.Fatal(err)
		}
		who, b, err := p.identify(t, p.vouched("ida", auth.Researcher))
		if err != nil || who.Role != auth.Researcher || b.ID != a.ID || b.Epoch == a.Epoch {
			t.Fatalf("%+v, epoch %d, %v", who, b.Epoch, err)
		}
		if _, err := p.Svc.PrincipalOf(t.Context(), a.Clinic, a.ID, a.Epoch, from(house)); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("the session of before: %v", err)
		}
		if now, err := p.Svc.PrincipalOf(t.Context(), a.Clinic, a.ID, b.Epoch, from(house)); err != nil || now.Role != auth.Researcher {
			t.Errorf("a new session: %+v, %v", now, err)
		}
		if got := last(p.trail(t, "account.update")); !strings.Contains(got, `{"field":"role","before":"clinician","after":"researcher"}`) {
			t.Errorf("the trail tells %s", got)
		}
	})
}

func TestWhomNoClinicGrantsARoleOrWhoIsDisabledIsRefused(t *testing.T) {
	eachPeople(t, func(t *testing.T, p people) {
		other := p.Database.Clinic(t)
		otherSlug := p.one(t, "SELECT slug FROM clinics WHERE id = '"+other.Who.Clinic.String()+"'")
		with := func(grants ...auth.Grant) auth.Identity {
			id := p.vouched("x", auth.Clinician)
			id.Grants = grants
			return id
		}
		here, there := auth.Grant{Clinic: p.Slug, Role: auth.Clinician}, auth.Grant{Clinic: otherSlug, Role: auth.Researcher}
		for says, x := range map[string]struct {
			id   auth.Identity
			slug string
			want fault.Kind
		}{
			"no grant":             {with(), "", fault.Forbidden},
			"an app":               {with(auth.Grant{Clinic: p.Slug, Role: auth.App}), "", fault.Forbidden},
			"a client":             {with(auth.Grant{Clinic: p.Slug, Role: auth.Client}), "", fault.Forbidden},
			"a clinic that is not": {with(auth.Grant{Clinic: "nowhere", Role: auth.Clinician}), "", fault.Forbidden},
			"another is named":     {with(here), otherSlug, fault.Forbidden},
			"two and none named":   {with(here, there), "", fault.Invalid},
			"two and one named":    {with(here, there), otherSlug, ""},
		} {
			who, a, err := p.Svc.PrincipalOfIdentity(t.Context(), x.id, x.slug, from(house))
			if fault.KindOf(err) != x.want || err != nil && (who != auth.Principal{} || a.ID != uuid.Nil) {
				t.Errorf("%s: %+v, %v", says, who, err)
			}
			if x.want == "" && who.Clinic != other.Who.Clinic {
				t.Errorf("%s: in clinic %v", says, who.Clinic)
			}
		}
		_, a, err := p.identify(t, p.vouched("ida", auth.Clinician))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Svc.UpdateAccount(t.Context(), p.As, a.ID, auth.AccountChange{Disabled: new(true)}); err != nil {
			t.Fatal(err)
		}
		for _, role := range []auth.Role{auth.Clinician, auth.Owner} {
			if who, _, err := p.identify(t, p.vouched("ida", role)); !fault.Is(err, fault.Forbidden) || who != (auth.Principal{}) {
				t.Errorf("disabled, and %s at the provider: %+v, %v", role, who, err)
			}
		}
		if got := last(p.trail(t, "sign_in.refused")); got != "refused nobody "+a.ID.String()+" "+house+` {"reason":"disabled"}` {
			t.Errorf("the trail tells %q", got)
		}
	})
}

func TestAProvidersWordForAnAddressTakesNoAccountOver(t *testing.T) {
	eachPeople(t, func(t *testing.T, p people) {
		id := p.vouched("ida", auth.Owner)
		id.Email, id.EmailVerified = string(ownerEmail), true
		if who, _, err := p.identify(t, id); !fault.Is(err, fault.Conflict) || who != (auth.Principal{}) {
			t.Errorf("the owner's address: %+v, %v", who, err)
		}
		for i, email := range []string{"", "", "not an address", strings.Repeat("x", 5000) + "@x.example"} {
			id := p.vouched(fmt.Sprint("s", i), auth.Clinician)
			id.Email, id.Name = email, "two\nlines"
			if _, a, err := p.identify(t, id); err != nil || a.Email != "" || a.Name != "" {
				t.Errorf("address %.20q: %v", email, err)
			}
		}
	})
}

func TestManyFirstRequestsAtOnceMakeOneAccount(t *testing.T) {
	eachPeople(t, func(t *testing.T, p people) {
		id := p.vouched("ida", auth.Clinician)
		var all sync.WaitGroup
		found := make([]auth.Account, 8)
		for i := range found {
			all.Go(func() {
				var err error
				if _, found[i], err = p.Svc.PrincipalOfIdentity(t.Context(), id, p.Slug, from(house)); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for _, a := range found {
			if a.ID != found[0].ID {
				t.Errorf("%v and %v", a.ID, found[0].ID)
			}
		}
	})
}

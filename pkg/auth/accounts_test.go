//go:build unix

package auth_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
)

func TestNobodyGivesARoleThatIsMoreThanTheirs(t *testing.T) {
	eachPeople(t, func(t *testing.T, p people) {
		for _, giver := range auth.AccountRoles() {
			a, _ := p.account(t, giver)
			who := p.principal(t, a)
			for _, given := range auth.AccountRoles() {
				target, _ := p.account(t, given)
				fresh := auth.NewAccount{Email: auth.Personal(uuid.NewString() + "@x.example"), Name: "N", Role: given}
				made, _, create := p.Svc.CreateAccount(t.Context(), who, fresh)
				_, rename := p.Svc.UpdateAccount(t.Context(), who, target.ID, auth.AccountChange{Name: new(auth.Personal("M"))})
				_, raise := p.Svc.UpdateAccount(t.Context(), who, newcomer(t, p), auth.AccountChange{Role: &given})
				password, reset := p.Svc.ResetPassword(t.Context(), who, target.ID)
				_, disable := p.Svc.UpdateAccount(t.Context(), who, target.ID, auth.AccountChange{Disabled: new(true)})
				for deed, err := range map[string]error{"create": create, "rename": rename, "raise": raise, "reset": reset, "disable": disable} {
					if allowed := mayGive(giver, given); allowed && err != nil || !allowed && !fault.Is(err, fault.Forbidden) {
						t.Errorf("%s: %s a %s: %v", giver, deed, given, err)
					}
				}
				if !mayGive(giver, given) && (made.ID != uuid.Nil || password != "") {
					t.Errorf("%s: something is returned beside the refusal of %s", giver, given)
				}
			}
		}
		refused := p.trail(t, "permission.refused")
		if len(refused) != 5*(1+4+4) { // an admin and an owner, a clinician and a researcher and anybody
			t.Errorf("%d refusals are noted", len(refused))
		}
		if want := `{"reason":"owners:manage"}`; !strings.HasSuffix(refused[0], want) {
			t.Errorf("an admin and an owner: %s", refused[0])
		}
	})
}

// newcomer is the id of a new researcher, who holds nothing of anybody's record.
func newcomer(t *testing.T, p people) uuid.UUID {
	t.Helper()
	a, _ := p.account(t, auth.Researcher)
	return a.ID
}

func TestAKeyNarrowedToAccountsMakesNobodyWhoMayMore(t *testing.T) {
	eachPeople(t, func(t *testing.T, p people) {
		who, research := p.Who, auth.Grants(auth.Researcher)
		for held, may := range map[auth.Permissions]auth.Role{
			auth.PermissionsOf(auth.ManageAccounts, auth.ReadInstruments): "",
			auth.PermissionsOf(auth.ManageAccounts) | research:            auth.Researcher,
		} {
			who.Held = held
			for _, role := range auth.AccountRoles() {
				_, _, err := p.Svc.CreateAccount(t.Context(), who, auth.NewAccount{Email: auth.Personal(string(role) + "@x.example"), Name: "N", Role: role})
				if role == may && err != nil || role != may && !fault.Is(err, fault.Forbidden) {
					t.Errorf("%s by who holds %s: %v", role, held, err)
				}
			}
		}
	})
}

func TestAClinicKeepsAnOwner(t *testing.T) {
	eachPeople(t, func(t *testing.T, p people) {
		for says, change := range map[string]auth.AccountChange{
			"another role": {Role: new(auth.Admin)}, "disabled": {Disabled: new(true)}, "both": {Role: new(auth.Admin), Disabled: new(true)},
		} {
			if _, err := p.Svc.UpdateAccount(t.Context(), p.As, p.Owner.ID, change); !fault.Is(err, fault.Conflict) {
				t.Errorf("%s: %v", says, err)
			}
		}
		off, _ := p.account(t, auth.Owner)
		if _, err := p.Svc.UpdateAccount(t.Context(), p.As, off.ID, auth.AccountChange{Disabled: new(true)}); err != nil {
			t.Errorf("one of two: %v", err)
		}
		if _, err := p.Svc.UpdateAccount(t.Context(), p.As, p.Owner.ID, auth.AccountChange{Role: new(auth.Admin)}); !fault.Is(err, fault.Conflict) {
			t.Errorf("the other one is disabled: %v", err)
		}
	})
}

func TestOfTwoOwnersWhoRemoveEachOtherOneStays(t *testing.T) {
	eachPeople(t, func(t *testing.T, p people) {
		second, _ := p.account(t, auth.Owner)
		owners := []auth.Principal{p.As, p.principal(t, second)}
		var all sync.WaitGroup
		errs := make([]error, 2)
		for i := range 2 {
			all.Go(func() {
				_, errs[i] = p.Svc.UpdateAccount(t.Context(), owners[i], owners[1-i].Actor, auth.AccountChange{Disabled: new(true)})
			})
		}
		all.Wait()
		if got := p.one(t, "SELECT CAST(count(*) AS text) FROM accounts WHERE disabled_at IS NULL AND clinic_id = '"+p.Who.Clinic.String()+"'"); got != "1" {
			t.Errorf("%s owners are left: %v", got, errs)
		}
	})
}

func TestAnAccountIsStoredAsItWasReturnedAndToldOfWithoutItsName(t *testing.T) {
	eachPeople(t, func(t *testing.T, p people) {
		in := auth.NewAccount{Email: "Dr.Canary@Clinic.example", Name: "Canary Who", Role: auth.Clinician, Password: "seven quiet brown owls"}
		a, shown, err := p.Svc.CreateAccount(t.Context(), p.As, in)
		if err != nil || shown != "" {
			t.Fatalf("%q, %v", string(shown), err)
		}
		kept, err := p.Svc.Account(t.Context(), p.As, a.ID)
		if diff := cmp.Diff(a, kept); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
		if kept.Email != in.Email {
			t.Error("the address is not kept as it was typed")
		}
		if _, _, err := p.signIn(t, "dr.canary@clinic.example", in.Password, "", house); err != nil {
			t.Error(err)
		}
		for _, email := range []auth.Personal{in.Email, "dr.canary@clinic.EXAMPLE"} {
			if _, _, err := p.Svc.CreateAccount(t.Context(), p.As, auth.NewAccount{Email: email, Name: "Other", Role: auth.Clinician}); !fault.Is(err, fault.Conflict) {
				t.Errorf("the same address again: %v", err)
			}
		}
		if _, err := p.Svc.UpdateAccount(t.Context(), p.As, a.ID, auth.AccountChange{Name: new(auth.Personal("Canary Else")), Role: new(auth.Admin)}); err != nil {
			t.Fatal(err)
		}
		list, err := p.Svc.Accounts(t.Context(), p.As, p.Owner.ID, 10)
		if err != nil || len(list) != 1 || list[0].Name != "Canary Else" || list[0].Role != auth.Admin {
			t.Errorf("%d accounts behind the owner, %v", len(list), err)
		}
		for _, action := range []string{"account.create", "account.update", "sign_in.done"} {
			lines := p.trail(t, action)
			if len(lines) == 0 {
				t.Errorf("%s is not noted", action)
			}
			if told := strings.Join(lines, "\n"); strings.Contains(strings.ToLower(told), "canary") {
				t.Errorf("%s tells who it is: %s", action, told)
			}
		}
		if got := last(p.trail(t, "account.update")); !strings.Contains(got, `{"field":"name"}`) || !strings.Contains(got, `{"field":"role","before":"clinician","after":"admin"}`) {
			t.Errorf("the change is told as %s", got)
		}
	})
}

func TestAnUpdateThatChangesNothingStoresNothing(t *testing.T) {
	eachPeople(t, func(t *testing.T, p people) {
		before := p.Dump(t, p.raw, p.Who.Clinic)
		a, err := p.Svc.UpdateAccount(t.Context(), p.As, p.Owner.ID, auth.AccountChange{Role: new(auth.Owner), Disabled: new(false)})
		if err != nil || a.Epoch != p.Owner.Epoch {
			t.Errorf("epoch %d, %v", a.Epoch, err)
		}
		if diff := cmp.Diff(before, p.Dump(t, p.raw, p.Who.Clinic)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestWhatIsWrongWithAnAccountIsToldAtOnce(t *testing.T) {
	svc := &auth.Service{}
	for says, x := range map[string]struct {
		in   auth.NewAccount
		want []string
	}{
		"nothing":            {auth.NewAccount{Email: "a@b", Name: "N", Role: auth.Owner}, nil},
		"everything":         {auth.NewAccount{Password: "short"}, []string{"/email not_an_address", "/name not_a_name", "/role unknown_role", "/password too_short"}},
		"an app":             {auth.NewAccount{Email: "a@b", Name: "N", Role: auth.App}, []string{"/role unknown_role"}},
		"a client":           {auth.NewAccount{Email: "a@b", Name: "N", Role: auth.Client}, []string{"/role unknown_role"}},
		"two addresses":      {auth.NewAccount{Email: "a@b@c", Name: "N", Role: auth.Owner}, []string{"/email not_an_address"}},
		"a blank in it":      {auth.NewAccount{Email: "a b@c", Name: "N", Role: auth.Owner}, []string{"/email not_an_address"}},
		"a long address":     {auth.NewAccount{Email: auth.Personal(strings.Repeat("a", 250) + "@b.example"), Name: "N", Role: auth.Owner}, []string{"/email not_an_address"}},
		"two lines":          {auth.NewAccount{Email: "a@b", Name: "N\nM", Role: auth.Owner}, []string{"/name not_a_name"}},
		"its own password":   {auth.NewAccount{Email: "margarethe@b", Name: "N", Role: auth.Owner, Password: "margarethe in summer"}, []string{"/password contains_name"}},
		"its name in it too": {auth.NewAccount{Email: "a@b", Name: "Margarethe", Role: auth.Owner, Password: "margarethe in summer"}, []string{"/password contains_name"}},
	} {
		var got []string
		for _, d := range svc.CheckNewAccount(x.in) {
			got = append(got, d.Pointer+" "+d.Code)
		}
		if diff := cmp.Diff(x.want, got); diff != "" {
			t.Errorf("%s: %s", says, diff)
		}
	}
}

func TestTheFirstOwnerIsMadeOnceAndByAKeyOfThatClinicThatMay(t *testing.T) {
	eachPeople(t, func(t *testing.T, p people) {
		clinic, other := p.Database.Clinic(t), p.Database.Clinic(t)
		slugOf := func(id uuid.UUID) string {
			return p.one(t, "SELECT slug FROM clinics WHERE id = '"+id.String()+"'")
		}
		slug := slugOf(clinic.Who.Clinic)
		key := func(who auth.Principal, in auth.NewKey) auth.Secret {
			_, secret, err := p.Svc.CreateKey(t.Context(), who, in)
			if err != nil {
				t.Fatal(err)
			}
			return secret
		}
		good := key(clinic.Who, auth.NewKey{Name: "k", Role: auth.Admin})
		in := auth.NewAccount{Email: "first@x.example", Name: "First", Password: "seven quiet brown owls"}
		for says, x := range map[string]struct {
			slug string
			key  auth.Secret
			in   auth.NewAccount
			want fault.Kind
		}{
			"another clinic's key":   {slug, key(other.Who, auth.NewKey{Name: "k", Role: auth.Admin}), in, fault.Unauthenticated},
			"a key nobody has":       {slug, auth.NewSecret(), in, fault.Unauthenticated},
			"no key":                 {slug, "", in, fault.Unauthenticated},
			"a clinician's key":      {slug, key(clinic.Who, auth.NewKey{Name: "k", Role: auth.Clinician}), in, fault.Forbidden},
			"an admin's narrow key":  {slug, key(clinic.Who, auth.NewKey{Name: "k", Role: auth.Admin, Scopes: []auth.Permission{auth.ManageAccounts}}), in, fault.Forbidden},
			"an unknown clinic":      {"nowhere", good, in, fault.Unauthenticated},
			"a weak password":        {slug, good, auth.NewAccount{Email: in.Email, Name: in.Name, Password: "password1234"}, fault.Invalid},
			"no password":            {slug, good, auth.NewAccount{Email: in.Email, Name: in.Name}, fault.Invalid},
			"a clinic that is setup": {p.Slug, key(p.Who, auth.NewKey{Name: "k", Role: auth.Admin}), in, fault.Conflict},
		} {
			if _, err := p.Svc.SetUp(t.Context(), x.slug, x.key, x.in, from(house)); !fault.Is(err, x.want) {
				t.Errorf("%s: %v", says, err)
			}
		}
		var all sync.WaitGroup
		errs := make([]error, 4)
		for i := range errs {
			all.Go(func() {
				in := in
				in.Email = auth.Personal(fmt.Sprint("first", i, "@x.example"))
				_, errs[i] = p.Svc.SetUp(t.Context(), slug, good, in, from(house))
			})
		}
		all.Wait()
		made := 0
		for _, err := range errs {
			if err == nil {
				made++
			} else if !fault.Is(err, fault.Conflict) {
				t.Error(err)
			}
		}
		if got := p.one(t, "SELECT CAST(count(*) AS text) FROM accounts WHERE role = 'owner' AND clinic_id = '"+clinic.Who.Clinic.String()+"'"); made != 1 || got != "1" {
			t.Errorf("%d were told that they are the first; %s are stored", made, got)
		}
	})
}

func TestWhoIsSignedInChangesOnlyTheirOwnAndOnlyWithTheirPassword(t *testing.T) {
	eachPeople(t, func(t *testing.T, p people) {
		a, password := p.account(t, auth.Clinician)
		who := p.principal(t, a)
		deeds := map[string]func(auth.Principal, auth.Password) error{
			"set the password": func(who auth.Principal, current auth.Password) error {
				_, err := p.Svc.SetPassword(t.Context(), who, current, "green lamps under water")
				return err
			},
			"remove the second factor": func(who auth.Principal, current auth.Password) error {
				return p.Svc.RemoveTOTP(t.Context(), who, current)
			},
			"make recovery codes": func(who auth.Principal, current auth.Password) error {
				_, err := p.Svc.NewRecoveryCodes(t.Context(), who, current)
				return err
			},
		}
		enrol(t, p, a)
		before := p.Rows(t, p.raw, "accounts", "clinic_id = '"+p.Who.Clinic.String()+"'")
		for says, do := range deeds {
			if err := do(p.Who, password); !fault.Is(err, fault.Forbidden) {
				t.Errorf("a key: %s: %v", says, err)
			}
			if err := do(who, "not the password at all"); !fault.Is(err, fault.Invalid) {
				t.Errorf("a wrong password: %s: %v", says, err)
			}
		}
		if _, err := p.Svc.SetPassword(t.Context(), who, password, "password1234"); !fault.Is(err, fault.Invalid) {
			t.Errorf("a weak password: %v", err)
		}
		if _, _, err := p.Svc.EnrolTOTP(t.Context(), who); !fault.Is(err, fault.Conflict) {
			t.Errorf("enrolled twice: %v", err)
		}
		if diff := cmp.Diff(before, p.Rows(t, p.raw, "accounts", "clinic_id = '"+p.Who.Clinic.String()+"'")); diff != "" {
			t.Errorf("what was refused changed something:\n%s", diff)
		}
		for range 10 { // a session that was left open is no way to guess
			_ = deeds["set the password"](who, "not the password at all")
		}
		if err := deeds["set the password"](who, password); !fault.Is(err, fault.RateLimited) {
			t.Errorf("after ten guesses: %v", err)
		}
		p.later(hour)
		if err := deeds["remove the second factor"](who, password); err != nil {
			t.Errorf("later: %v", err)
		}
		if _, _, err := p.signIn(t, a.Email, password, "", house); err != nil {
			t.Errorf("without the second factor: %v", err)
		}
		if err := deeds["set the password"](who, password); err != nil {
			t.Error(err)
		}
		if _, _, err := p.signIn(t, a.Email, "green lamps under water", "", house); err != nil {
			t.Errorf("with the new password: %v", err)
		}
	})
}

func TestASecondFactorCountsOnlyOnceItIsConfirmed(t *testing.T) {
	eachPeople(t, func(t *testing.T, p people) {
		a, password := p.account(t, auth.Clinician)
		who := p.principal(t, a)
		if _, err := p.Svc.ConfirmTOTP(t.Context(), who, "123456"); !fault.Is(err, fault.Conflict) {
			t.Errorf("before it was begun: %v", err)
		}
		first, _, err := p.Svc.EnrolTOTP(t.Context(), who)
		if err != nil {
			t.Fatal(err)
		}
		second, _, err := p.Svc.EnrolTOTP(t.Context(), who)
		if err != nil || first == second {
			t.Fatalf("begun again: %v", err)
		}
		if _, err := p.Svc.ConfirmTOTP(t.Context(), who, codeAt(t, first, p.Clock.Now())); !fault.Is(err, fault.Invalid) {
			t.Errorf("a code of the secret before: %v", err)
		}
		if _, _, err := p.signIn(t, a.Email, password, "", house); err != nil {
			t.Errorf("not confirmed yet: %v", err)
		}
		if codes, err := p.Svc.ConfirmTOTP(t.Context(), who, codeAt(t, second, p.Clock.Now())); err != nil || len(codes) != 10 {
			t.Errorf("%d recovery codes, %v", len(codes), err)
		}
		if _, _, err := p.signIn(t, a.Email, password, "", house); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("confirmed: %v", err)
		}
	})
}

func TestWhoMayReadAccounts(t *testing.T) {
	eachPeople(t, func(t *testing.T, p people) {
		a, _ := p.account(t, auth.Clinician)
		own := p.principal(t, a)
		if _, err := p.Svc.Account(t.Context(), own, a.ID); err != nil {
			t.Errorf("their own: %v", err)
		}
		if _, err := p.Svc.Account(t.Context(), own, p.Owner.ID); !fault.Is(err, fault.Forbidden) {
			t.Errorf("another's: %v", err)
		}
		if _, err := p.Svc.Accounts(t.Context(), own, uuid.Nil, 10); !fault.Is(err, fault.Forbidden) {
			t.Errorf("all: %v", err)
		}
		other := p.Database.Clinic(t)
		if _, err := p.Svc.Account(t.Context(), other.Who, a.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("another clinic's: %v", err)
		}
		if _, err := p.Svc.Account(t.Context(), auth.Principal{Kind: auth.ByAccount}, uuid.Nil); err == nil {
			t.Error("nobody's")
		}
	})
}

func TestWhoSomebodyIsNeverPrintsItself(t *testing.T) {
	a := auth.Account{Email: "canary@x.example", Name: "canary"}
	p := auth.Proofs{Password: "canary", TOTP: "canary"}
	in := auth.NewAccount{Email: "canary@x.example", Name: "canary", Password: "canary"}
	var out bytes.Buffer
	for _, v := range []any{a, &a, p, in, a.Email} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		encoded, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(encoded)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("who", "v", v)
		slog.New(slog.NewTextHandler(&out, nil)).Info("who", "v", v)
	}
	if strings.Contains(out.String(), "canary") || !strings.Contains(out.String(), "***") {
		t.Errorf("it is there:\n%s", out.String())
	}
}

//go:build unix

package auth_test

import (
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/store/storetest"
)

// keys is the service of a clinic, under its clock.
func keys(c *storetest.Clinic) *auth.Service {
	return &auth.Service{Store: c.DB.DB, Now: c.Clock.Now, NewID: storetest.NewID, Log: slog.New(slog.DiscardHandler)}
}

// owner is an owner of a clinic, who may make keys of every role.
func owner(c *storetest.Clinic) auth.Principal {
	return auth.As(c.Who.Clinic, c.Who.Clinic, auth.ByOperator, auth.Owner)
}

func TestAKeyOpensItsOwnClinicInItsOwnRole(t *testing.T) {
	storetest.Each(t, func(t *testing.T, d *storetest.Database) {
		here, there := d.Clinic(t), d.Clinic(t)
		svc := keys(here)
		from := auth.Origin{Address: "192.0.2.7", Request: "r-1"}
		for _, c := range []*storetest.Clinic{here, there} {
			for _, role := range auth.Roles() {
				k, secret, err := svc.CreateKey(t.Context(), owner(c), auth.NewKey{Name: "k", Role: role})
				if err != nil {
					t.Fatal(err)
				}
				who, err := svc.Authenticate(t.Context(), secret, from)
				if !who.At.After(k.CreatedAt) || !who.At.Before(here.Clock.Now()) {
					t.Errorf("%s: checked at %v", role, who.At)
				}
				want := auth.As(c.Who.Clinic, k.ID, auth.ByKey, role)
				want.At, want.Origin = who.At, from
				if diff := cmp.Diff(want, who); err != nil || diff != "" {
					t.Errorf("%s: %v\n%s", role, err, diff)
				}
				k.LastUsedAt = &who.At
				kept, err := d.Key(t.Context(), c.Who, k.ID)
				if diff := cmp.Diff(k, kept); err != nil || diff != "" {
					t.Errorf("what was returned is not what is stored: %v\n%s", err, diff)
				}
				if k.Hint != secret.Hint() {
					t.Errorf("hint %q", k.Hint)
				}
			}
		}
		if err := svc.RevokeKey(t.Context(), owner(here), there.Who.Actor); !fault.Is(err, fault.NotFound) {
			t.Errorf("another clinic's key: %v", err)
		}
		own, err := svc.Keys(t.Context(), here.Who, uuid.Nil, 100)
		if err != nil || len(own) != 1+len(auth.Roles()) {
			t.Errorf("%d keys, %v", len(own), err)
		}
	})
}

func TestEveryRefusalOfAKeyReadsTheSame(t *testing.T) {
	storetest.Each(t, func(t *testing.T, d *storetest.Database) {
		c := d.Clinic(t)
		svc := keys(c)
		end := c.Clock.Now().Add(time.Hour).Truncate(time.Microsecond)
		_, expiring, err := svc.CreateKey(t.Context(), c.Who, auth.NewKey{Name: "e", Role: auth.App, ExpiresAt: &end})
		if err != nil {
			t.Fatal(err)
		}
		revoked, revokedSecret, err := svc.CreateKey(t.Context(), c.Who, auth.NewKey{Name: "r", Role: auth.App})
		if err != nil {
			t.Fatal(err)
		}
		at := func(now time.Time, secret auth.Secret) error {
			s := *svc
			s.Now = func() time.Time { return now }
			_, err := s.Authenticate(t.Context(), secret, auth.Origin{})
			return err
		}
		for what, err := range map[string]error{
			"a microsecond before its end": at(end.Add(-time.Microsecond), expiring),
			"before it is revoked":         at(end, revokedSecret),
		} {
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		if err := svc.RevokeKey(t.Context(), c.Who, revoked.ID); err != nil {
			t.Fatal(err)
		}
		texts := map[string]bool{}
		for what, err := range map[string]error{
			"none":                      at(end, ""),
			"nonsense":                  at(end, "ptk_x"),
			"unknown":                   at(end, auth.NewSecret()),
			"unknown, an operator's":    at(end, "an operator's own key that nobody has made"),
			"at the instant of its end": at(end, expiring),
			"after its end":             at(end.Add(time.Hour), expiring),
			"revoked":                   at(end, revokedSecret),
		} {
			if !fault.Is(err, fault.Unauthenticated) {
				t.Errorf("%s: %v", what, err)
				continue
			}
			texts[err.Error()] = true
		}
		if len(texts) != 1 {
			t.Errorf("the refusals can be told apart: %v", texts)
		}
	})
}

func TestWhoMayManageKeys(t *testing.T) {
	storetest.Each(t, func(t *testing.T, d *storetest.Database) {
		c := d.Clinic(t)
		svc, raw := keys(c), d.Raw(t)
		before := d.Dump(t, raw, c.Who.Clinic)
		for _, role := range append(auth.Roles(), auth.Client, "", "Admin") {
			if role == auth.Admin || role == auth.Owner {
				continue
			}
			who := auth.As(c.Who.Clinic, storetest.NewID(), auth.ByKey, role)
			named := who
			named.Role = auth.Admin // what a principal is called gives it nothing
			for what, who := range map[string]auth.Principal{"as it is": who, "called an admin": named} {
				entries := len(d.Trail(t, raw, c.Who.Clinic))
				_, secret, create := svc.CreateKey(t.Context(), who, auth.NewKey{Name: "k", Role: auth.App})
				_, list := svc.Keys(t.Context(), who, uuid.Nil, 10)
				_, rotated, rotate := svc.RotateKey(t.Context(), who, c.Who.Actor, nil)
				refusals := map[string]error{
					"create": create, "list": list, "revoke": svc.RevokeKey(t.Context(), who, c.Who.Actor), "rotate": rotate,
				}
				for deed, err := range refusals {
					if !fault.Is(err, fault.Forbidden) || secret != "" || rotated != "" {
						t.Errorf("%q %s, %s: %v", role, what, deed, err)
					}
				}
				trail := d.Trail(t, raw, c.Who.Clinic)[entries:]
				if len(trail) != len(refusals) {
					t.Errorf("%q %s: %d refusals leave %d entries", role, what, len(refusals), len(trail))
				}
				for _, e := range trail {
					if e.Action != "permission.refused" || e.Outcome != audit.Refused || e.Actor != who.Actor || e.Details.Reason != string(auth.ManageKeys) {
						t.Errorf("%q %s: the entry is %+v", role, what, e)
					}
				}
			}
		}
		past := c.Clock.Now().Add(-time.Second)
		for what, in := range map[string]auth.NewKey{
			"no role": {Name: "k"}, "an unknown role": {Name: "k", Role: "root"}, "a client's role": {Name: "k", Role: auth.Client},
			"an end that is past": {Name: "k", Role: auth.App, ExpiresAt: &past},
		} {
			if _, secret, err := svc.CreateKey(t.Context(), c.Who, in); !fault.Is(err, fault.Invalid) || secret != "" {
				t.Errorf("%s: %v", what, err)
			}
		}
		if diff := cmp.Diff(before, d.Dump(t, raw, c.Who.Clinic)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestNobodyGivesWhatTheyDoNotHold(t *testing.T) {
	storetest.Each(t, func(t *testing.T, d *storetest.Database) {
		c := d.Clinic(t)
		svc, raw := keys(c), d.Raw(t)
		ownerKey, _, err := svc.CreateKey(t.Context(), owner(c), auth.NewKey{Name: "o", Role: auth.Owner})
		if err != nil {
			t.Fatal(err)
		}
		// An admin whose key was narrowed to making keys that read instruments.
		narrow := c.Who
		narrow.Held = auth.PermissionsOf(auth.ManageKeys, auth.ReadInstruments)
		before := d.Dump(t, raw, c.Who.Clinic)
		for what, x := range map[string]struct {
			who   auth.Principal
			lacks []auth.Permission
			do    func(who auth.Principal) (auth.Secret, error)
		}{
			"an admin makes an owner's key": {c.Who, []auth.Permission{auth.ManageOwners}, func(who auth.Principal) (auth.Secret, error) {
				_, secret, err := svc.CreateKey(t.Context(), who, auth.NewKey{Name: "k", Role: auth.Owner})
				return secret, err
			}},
			"a narrowed admin makes a whole one's": {narrow, (auth.Grants(auth.Admin) &^ narrow.Held).List(), func(who auth.Principal) (auth.Secret, error) {
				_, secret, err := svc.CreateKey(t.Context(), who, auth.NewKey{Name: "k", Role: auth.Admin})
				return secret, err
			}},
			"a scope that is not held": {narrow, []auth.Permission{auth.ReadClients}, func(who auth.Principal) (auth.Secret, error) {
				_, secret, err := svc.CreateKey(t.Context(), who, auth.NewKey{Name: "k", Role: auth.App, Scopes: []auth.Permission{auth.ReadInstruments, auth.ReadClients}})
				return secret, err
			}},
			"an admin rotates an owner's key": {c.Who, []auth.Permission{auth.ManageOwners}, func(who auth.Principal) (auth.Secret, error) {
				_, secret, err := svc.RotateKey(t.Context(), who, ownerKey.ID, nil)
				return secret, err
			}},
			"an admin revokes an owner's key": {c.Who, []auth.Permission{auth.ManageOwners}, func(who auth.Principal) (auth.Secret, error) {
				return "", svc.RevokeKey(t.Context(), who, ownerKey.ID)
			}},
		} {
			entries := len(d.Trail(t, raw, c.Who.Clinic))
			if secret, err := x.do(x.who); !fault.Is(err, fault.Forbidden) || secret != "" {
				t.Errorf("%s: %v", what, err)
			}
			trail := d.Trail(t, raw, c.Who.Clinic)[entries:]
			if len(trail) != 1 || trail[0].Outcome != audit.Refused || trail[0].Details.Reason != auth.PermissionsOf(x.lacks...).String() {
				t.Errorf("%s: the entries are %+v", what, trail)
			}
		}
		if diff := cmp.Diff(before, d.Dump(t, raw, c.Who.Clinic)); diff != "" {
			t.Error(diff)
		}
		// The control: the same people give what they do hold.
		if _, _, err := svc.CreateKey(t.Context(), narrow, auth.NewKey{Name: "k", Role: auth.App, Scopes: []auth.Permission{auth.ReadInstruments}}); err != nil {
			t.Errorf("a scope that is held: %v", err)
		}
		if err := svc.RevokeKey(t.Context(), owner(c), ownerKey.ID); err != nil {
			t.Errorf("an owner revokes an owner's key: %v", err)
		}
	})
}

func TestAClinicIsFoundedOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, d *storetest.Database) {
		svc := keys(d.Clinic(t))
		if founded, secret, err := svc.Found(t.Context(), "weak", "too short"); !fault.Is(err, fault.Invalid) || founded || secret != "" {
			t.Errorf("a weak key: %t, %v", founded, err)
		}
		const own auth.Secret = "an operator's own key of 32 and more"
		founded, secret, err := svc.Found(t.Context(), "once", own)
		if err != nil || !founded || secret != own {
			t.Fatalf("founded %t, %v", founded, err)
		}
		who, err := svc.Authenticate(t.Context(), own, auth.Origin{})
		if err != nil || who.Role != auth.Admin {
			t.Errorf("the first key: %v, %v", who, err)
		}
		founded, secret, err = svc.Found(t.Context(), "once", "")
		if err != nil || founded || secret != "" {
			t.Errorf("founded again %t, %v", founded, err)
		}
		operator, err := svc.Operator(t.Context(), "once")
		if err != nil || operator.Clinic != who.Clinic || operator.Role != auth.Owner || operator.Held != auth.Grants(auth.Owner) {
			t.Errorf("the operator: %v, %v", operator, err)
		}
		if _, err := svc.Operator(t.Context(), "weak"); !fault.Is(err, fault.NotFound) {
			t.Errorf("the operator of no clinic: %v", err)
		}
	})
}

func TestOfManyWhoFoundAClinicAtOnceOneDoes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, d *storetest.Database) {
		svc := keys(d.Clinic(t))
		secrets, errs := make([]auth.Secret, 8), make([]error, 8)
		var all sync.WaitGroup
		for i := range secrets {
			all.Go(func() { _, secrets[i], errs[i] = svc.Found(t.Context(), "race", "") })
		}
		all.Wait()
		winners := 0
		for i, s := range secrets {
			if errs[i] != nil {
				t.Error(errs[i])
			}
			if s == "" {
				continue
			}
			winners++
			if who, err := svc.Authenticate(t.Context(), s, auth.Origin{}); err != nil || who.Role != auth.Admin {
				t.Errorf("the winner's key: %v, %v", who, err)
			}
		}
		if winners != 1 {
			t.Errorf("%d founded it", winners)
		}
		clinic, err := d.ClinicBySlug(t.Context(), "race")
		if err != nil {
			t.Fatal(err)
		}
		if rows := d.Dump(t, d.Raw(t), clinic.ID); len(rows) != 2 {
			t.Errorf("a clinic and a key were expected: %v", rows)
		}
	})
}

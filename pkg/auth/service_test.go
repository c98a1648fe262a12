//go:build unix

package auth_test

import (
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/store/storetest"
)

// keys is the service of a clinic, under its clock.
func keys(c *storetest.Clinic) *auth.Service {
	return &auth.Service{Store: c.DB.DB, Now: c.Clock.Now, NewID: storetest.NewID, Log: slog.New(slog.DiscardHandler)}
}

func TestAKeyOpensItsOwnClinicInItsOwnRole(t *testing.T) {
	storetest.Each(t, func(t *testing.T, d *storetest.Database) {
		here, there := d.Clinic(t), d.Clinic(t)
		svc := keys(here)
		for _, c := range []*storetest.Clinic{here, there} {
			for _, role := range auth.Roles() {
				k, secret, err := svc.CreateKey(t.Context(), c.Who, auth.NewKey{Name: "k", Role: role})
				if err != nil {
					t.Fatal(err)
				}
				who, err := svc.Authenticate(t.Context(), secret, auth.Origin{})
				if want := (auth.Principal{Clinic: c.Who.Clinic, Actor: k.ID, Role: role}); err != nil || who != want {
					t.Errorf("%s: %v, %v", role, who, err)
				}
				kept, err := d.Key(t.Context(), c.Who, k.ID)
				if diff := cmp.Diff(k, kept); err != nil || diff != "" {
					t.Errorf("what was returned is not what is stored: %v\n%s", err, diff)
				}
				if k.Hint != secret.Hint() {
					t.Errorf("hint %q", k.Hint)
				}
			}
		}
		if err := svc.RevokeKey(t.Context(), here.Who, there.Who.Actor); !fault.Is(err, fault.NotFound) {
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
		for _, role := range append(auth.Roles(), "", "Admin") {
			if role == auth.Admin {
				continue
			}
			who := c.Who
			who.Role = role
			_, secret, create := svc.CreateKey(t.Context(), who, auth.NewKey{Name: "k", Role: auth.App})
			_, list := svc.Keys(t.Context(), who, uuid.Nil, 10)
			for what, err := range map[string]error{"create": create, "list": list, "revoke": svc.RevokeKey(t.Context(), who, c.Who.Actor)} {
				if !fault.Is(err, fault.Forbidden) || secret != "" {
					t.Errorf("%q, %s: %v", role, what, err)
				}
			}
		}
		past := c.Clock.Now().Add(-time.Second)
		for what, in := range map[string]auth.NewKey{
			"no role": {Name: "k"}, "an unknown role": {Name: "k", Role: "root"}, "an end that is past": {Name: "k", Role: auth.App, ExpiresAt: &past},
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
		if err != nil || operator.Clinic != who.Clinic || operator.Role != auth.Admin {
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

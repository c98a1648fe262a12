//go:build unix

package auth_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
)

func TestNobodyMakesRotatesOrRevokesAKeyThatHoldsMore(t *testing.T) {
	eachPeople(t, func(t *testing.T, p people) {
		type held struct {
			role   auth.Role
			scopes []auth.Permission
		}
		makers := map[string]held{
			"an owner": {auth.Owner, nil}, "an admin": {auth.Admin, nil},
			"an admin for keys and instruments": {auth.Admin, []auth.Permission{auth.ManageKeys, auth.ReadInstruments}},
			"an admin for keys and research":    {auth.Admin, append(auth.Grants(auth.Researcher).List(), auth.ManageKeys)},
		}
		targets := map[string]held{
			"an owner": {auth.Owner, nil}, "an admin": {auth.Admin, nil}, "an app": {auth.App, nil}, "a researcher": {auth.Researcher, nil},
			"an owner for instruments": {auth.Owner, []auth.Permission{auth.ReadInstruments}},
		}
		may := map[string][]string{
			"an owner":                          {"an owner", "an admin", "an app", "a researcher", "an owner for instruments"},
			"an admin":                          {"an admin", "an app", "a researcher", "an owner for instruments"},
			"an admin for keys and instruments": {"an owner for instruments"},
			"an admin for keys and research":    {"a researcher", "an owner for instruments"},
		}
		key := func(who auth.Principal, h held) (auth.Key, auth.Secret, error) {
			return p.Svc.CreateKey(t.Context(), who, auth.NewKey{Name: "k", Role: h.role, Scopes: h.scopes})
		}
		refusals := 0
		for maker, h := range makers {
			_, secret, err := key(p.As, h)
			if err != nil {
				t.Fatal(err)
			}
			who, err := p.Svc.Authenticate(t.Context(), secret, from(house))
			if err != nil {
				t.Fatal(err)
			}
			for target, th := range targets {
				old, oldSecret, err := key(p.As, th)
				if err != nil {
					t.Fatal(err)
				}
				_, made, create := key(who, th)
				_, rotated, rotate := p.Svc.RotateKey(t.Context(), who, old.ID, nil)
				revoke := p.Svc.RevokeKey(t.Context(), who, old.ID)
				allowed := strings.Contains(strings.Join(may[maker], ", ")+",", target+",")
				for deed, err := range map[string]error{"create": create, "rotate": rotate, "revoke": revoke} {
					if allowed && err != nil || !allowed && !fault.Is(err, fault.Forbidden) {
						t.Errorf("%s, %s, %s: %v", maker, deed, target, err)
					}
				}
				_, live := p.Svc.Authenticate(t.Context(), oldSecret, from(house))
				if allowed == (live == nil) || allowed == (made == "") || allowed == (rotated == "") {
					t.Errorf("%s and %s: live %v, made %t, rotated %t", maker, target, live, made != "", rotated != "")
				}
				if !allowed {
					refusals += 3
				}
			}
		}
		if got := p.trail(t, "permission.refused"); len(got) != refusals {
			t.Errorf("%d refusals are noted, of %d", len(got), refusals)
		}
	})
}

func TestAScopeNarrowsARoleAndNeverWidensIt(t *testing.T) {
	eachPeople(t, func(t *testing.T, p people) {
		for says, x := range map[string]struct {
			scopes []auth.Permission
			code   string
		}{
			"none":               {[]auth.Permission{}, "/scopes required"},
			"an unknown one":     {[]auth.Permission{auth.ReadClients, "clients:eat"}, "/scopes/1 unknown_scope"},
			"one of other roles": {[]auth.Permission{auth.ManageKeys}, "/scopes/0 not_of_the_role"},
		} {
			_, secret, err := p.Svc.CreateKey(t.Context(), p.As, auth.NewKey{Name: "k", Role: auth.App, Scopes: x.scopes})
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), x.code) || secret != "" {
				t.Errorf("%s: %v", says, err)
			}
		}
		k, secret, err := p.Svc.CreateKey(t.Context(), p.As, auth.NewKey{Name: "k", Role: auth.App, Scopes: []auth.Permission{auth.ReadClients, auth.ReadInstruments}})
		if err != nil {
			t.Fatal(err)
		}
		who, err := p.Svc.Authenticate(t.Context(), secret, from(house))
		if want := auth.PermissionsOf(auth.ReadClients, auth.ReadInstruments); err != nil || who.Held != want || k.Held() != want {
			t.Errorf("it holds %s, %v", who.Held, err)
		}
		next, fresh, err := p.Svc.RotateKey(t.Context(), p.As, k.ID, new(time.Hour))
		if err != nil || next.Held() != k.Held() || next.Name != k.Name {
			t.Errorf("rotated: %+v, %v", next, err)
		}
		for _, s := range []auth.Secret{secret, fresh} {
			if _, err := p.Svc.Authenticate(t.Context(), s, from(house)); err != nil {
				t.Errorf("in the overlap: %v", err)
			}
		}
		p.later(time.Hour)
		if _, err := p.Svc.Authenticate(t.Context(), secret, from(house)); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("the old one, after the overlap: %v", err)
		}
		if _, err := p.Svc.Authenticate(t.Context(), fresh, from(house)); err != nil {
			t.Errorf("the new one: %v", err)
		}
	})
}

func TestATokenIsNotedWithItsClientAndNeverWithItsSecret(t *testing.T) {
	eachPeople(t, func(t *testing.T, p people) {
		client := p.NewClient("P-1")
		p.Insert(t, client)
		token, secret, err := p.Svc.MintToken(t.Context(), p.As, client.ID, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Svc.Tokens(t.Context(), p.As, client.ID, uuid.Nil, 10); err != nil {
			t.Fatal(err)
		}
		who, err := p.Svc.Authenticate(t.Context(), secret, from(house))
		want := auth.As(p.Who.Clinic, token.ID, auth.ByToken, auth.Client)
		want.Reach, want.Client, want.At, want.Origin = auth.OneClient, client.ID, who.At, from(house)
		if err != nil || who != want {
			t.Errorf("%+v, %v", who, err)
		}
		if err := p.Svc.RevokeToken(t.Context(), p.As, token.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Svc.Authenticate(t.Context(), secret, from(house)); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("revoked: %v", err)
		}
		for _, action := range []string{"token.mint", "token.list", "token.revoke", "token.use"} {
			if got := p.trail(t, action); len(got) != 1 || strings.Contains(got[0], string(secret[4:20])) {
				t.Errorf("%s: the trail tells %q", action, got)
			}
			noted := p.one(t, "SELECT CAST(client_id AS text) FROM audit_entries WHERE action = '"+action+"' AND clinic_id = '"+p.Who.Clinic.String()+"'")
			if noted != client.ID.String() {
				t.Errorf("%s is noted of %s", action, noted)
			}
		}
	})
}

func TestATokenIsLiveNoLongerThanWhatItHangsOn(t *testing.T) {
	end := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	whole := auth.Token{ExpiresAt: end}
	for says, x := range map[string]struct {
		token auth.TokenInUse
		now   time.Time
		want  bool
	}{
		"before its end":                 {auth.TokenInUse{Token: whole}, end.Add(-1), true},
		"at its end":                     {auth.TokenInUse{Token: whole}, end, false},
		"revoked":                        {auth.TokenInUse{Token: auth.Token{ExpiresAt: end, RevokedAt: &end}}, end.Add(-1), false},
		"of an erased client":            {auth.TokenInUse{Token: whole, Erased: true}, end.Add(-1), false},
		"of a key that goes on":          {auth.TokenInUse{Token: whole, MinterEnds: &end}, end.Add(-1), true},
		"of a key at the instant of end": {auth.TokenInUse{Token: whole, MinterEnds: new(end.Add(-9))}, end.Add(-9), false},
	} {
		if got := x.token.Live(x.now); got != x.want {
			t.Errorf("%s: live %t", says, got)
		}
	}
}

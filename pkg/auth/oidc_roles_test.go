package auth_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
)

func TestRoleMappingsAreRead(t *testing.T) {
	got, err := auth.ParseRoles([]string{
		"kap-admins=default:admin", "/kap/doctors=north-2:clinician", "CN=Owners,OU=Kap=default:owner", "science:team=default:researcher", "phones=default:app",
	})
	want := map[string]auth.Grant{
		"kap-admins": {Clinic: "default", Role: "admin"}, "/kap/doctors": {Clinic: "north-2", Role: "clinician"},
		"CN=Owners,OU=Kap": {Clinic: "default", Role: "owner"}, "science:team": {Clinic: "default", Role: "researcher"}, "phones": {Clinic: "default", Role: "app"},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	if got, err := auth.ParseRoles(nil); len(got) != 0 || err != nil {
		t.Errorf("none: %v, %v", got, err)
	}
}

func TestEveryFaultOfRoleMappingsIsNamed(t *testing.T) {
	bad := map[string]string{
		"": "is not of the form", "staff": "is not of the form", "staff=default": "is not of the form", "default:admin": "is not of the form",
		"=default:admin": "group is empty", "a=:admin": `"" is not a clinic's slug`, "b=Default:admin": "is not a clinic's slug", "c=a/b:admin": "is not a clinic's slug",
		"d=default:": `"" is none of`, "e=default:client": `"client" is none of`, "f=default:system": `"system" is none of`, "g=default:Admin": `"Admin" is none of`,
		"h=default:admin:x": "is none of", "good=north:admin": "is mapped twice",
	}
	all := []string{"good=default:admin"}
	for mapping, want := range bad {
		all = append(all, mapping)
		if mapping == "good=north:admin" {
			continue
		}
		if got, err := auth.ParseRoles([]string{mapping}); err == nil || !strings.Contains(err.Error(), want) || got != nil {
			t.Errorf("%q: %v, %v", mapping, got, err)
		}
	}
	_, err := auth.ParseRoles(all)
	if err == nil || strings.Count(err.Error(), "\n")+1 != len(bad) {
		t.Errorf("not each of the %d faults is named once: %v", len(bad), err)
	}
}

func TestWhatGroupsBring(t *testing.T) {
	grant := func(clinic string, role auth.Role) auth.Grant { return auth.Grant{Clinic: clinic, Role: role} }
	roles := map[string]auth.Grant{
		"owners": grant("a", "owner"), "admins": grant("a", "admin"), "doctors": grant("a", "clinician"),
		"science": grant("a", "researcher"), "apps": grant("a", "app"), "b-science": grant("b", "researcher"), "b-apps": grant("b", "app"), "0": grant("0", "app"),
	}
	for _, x := range []struct {
		says   string
		claim  string // of the configuration
		claims m
		want   []auth.Grant
	}{
		{"a list", "", m{"groups": []string{"doctors"}}, []auth.Grant{grant("a", "clinician")}},
		{"one text", "", m{"groups": "doctors"}, []auth.Grant{grant("a", "clinician")}},
		{"the strongest role wins, whatever the order", "", m{"groups": []string{"apps", "owners", "admins", "doctors", "science"}}, []auth.Grant{grant("a", "owner")}},
		{"admin over clinician", "", m{"groups": []string{"doctors", "admins"}}, []auth.Grant{grant("a", "admin")}},
		{"clinician over researcher", "", m{"groups": []string{"doctors", "science"}}, []auth.Grant{grant("a", "clinician")}},
		{"researcher over app", "", m{"groups": []string{"apps", "science"}}, []auth.Grant{grant("a", "researcher")}},
		{"one of each clinic", "", m{"groups": []string{"b-apps", "doctors", "b-science", "0"}}, []auth.Grant{grant("0", "app"), grant("a", "clinician"), grant("b", "researcher")}},
		{"unknown groups count for nothing", "", m{"groups": []any{"x", "doctors", 7, nil, m{"doctors": 1}, "DOCTORS"}}, []auth.Grant{grant("a", "clinician")}},
		{"a path", "realm_access.roles", m{"groups": "owners", "realm_access": m{"roles": []string{"science"}}}, []auth.Grant{grant("a", "researcher")}},
		{"a name that is a URL", "https://kap.example/roles", m{"groups": nil, "https://kap.example/roles": []string{"apps"}}, []auth.Grant{grant("a", "app")}},
		{"a path with dots in a name", "resource_access.api.kap.roles", m{"groups": nil, "resource_access": m{"api.kap": m{"roles": "apps"}}}, []auth.Grant{grant("a", "app")}},
		{"no claim", "", m{"groups": nil}, nil},
		{"an empty list", "", m{"groups": []string{}}, nil},
		{"groups that are nobody's", "", m{"groups": []string{"x", "owners "}}, nil},
		{"an object", "", m{"groups": m{"owners": true}}, nil},
		{"a number", "", m{"groups": 1}, nil},
		{"a path to nowhere", "realm_access.roles", m{"groups": "owners", "realm_access": m{"role": "owners"}}, nil},
		{"a path through a list", "a.b", m{"groups": "owners", "a": []any{m{"b": "owners"}}}, nil},
	} {
		t.Run(x.says, func(t *testing.T) {
			o, _, _ := signIn(t, func(c *auth.OIDCConfig) { c.Roles, c.RoleClaim = roles, x.claim })
			who, err := o.VerifyBearer(t.Context(), token(t, claimSet(x.claims)))
			if x.want == nil {
				if !fault.Is(err, fault.Forbidden) || !strings.Contains(err.Error(), "Your account has no role here.") {
					t.Errorf("%v", err)
				}
				return
			}
			if diff := cmp.Diff(x.want, who.Grants); diff != "" || err != nil {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}

func TestASecondFactorIsDemandedWhereTheClinicSaysSo(t *testing.T) {
	o, _, _ := signIn(t, func(c *auth.OIDCConfig) { c.RequireMFA = []string{"mfa", "urn:gold"} })
	for _, x := range []struct {
		claims m
		want   bool
	}{
		{m{"amr": []string{"pwd", "mfa"}}, true},
		{m{"amr": "mfa"}, true},
		{m{"acr": "urn:gold"}, true},
		{m{}, false},
		{m{"amr": []string{"pwd"}}, false},
		{m{"amr": []string{"MFA", "mfa2", "pwd mfa"}}, false},
		{m{"acr": "1", "amr": []string{}}, false},
	} {
		_, bearer := o.VerifyBearer(t.Context(), token(t, claimSet(x.claims)))
		_, id := o.VerifyIDToken(t.Context(), token(t, idClaims(x.claims)), "the-nonce")
		for what, err := range map[string]error{"bearer": bearer, "ID token": id} {
			if x.want != (err == nil) || err != nil && (!fault.Is(err, fault.Unauthenticated) || !strings.Contains(err.Error(), "second factor")) {
				t.Errorf("%s with %v: %v", what, x.claims, err)
			}
		}
	}
}

func TestAnIdentityIsWhatTheTokenSays(t *testing.T) {
	o, _, _ := signIn(t)
	for verified, want := range map[any]bool{true: true, "true": true, false: false, "false": false, 1: false, nil: false} {
		who, err := o.VerifyIDToken(t.Context(), token(t, idClaims(m{
			"email": "jane@example.org", "email_verified": verified, "name": "Jane Doe", "auth_time": noon.Add(-time.Minute).Unix(),
		})), "the-nonce")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(auth.Identity{
			Issuer: issuer, Subject: "jane", Email: "jane@example.org", EmailVerified: want, Name: "Jane Doe",
			Grants:   []auth.Grant{{Clinic: "kap", Role: auth.Clinician}},
			AuthTime: noon.Add(-time.Minute), ExpiresAt: noon.Add(time.Hour),
		}, who); diff != "" {
			t.Errorf("verified %v:\n%s", verified, diff)
		}
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "who", who)
		if strings.Contains(log.String(), "Doe") || strings.Contains(log.String(), "@") || !strings.Contains(log.String(), `"subject":"jane"`) {
			t.Errorf("the log reads %s", log.String())
		}
	}
	who, err := o.VerifyBearer(t.Context(), token(t, claimSet()))
	if err != nil || !who.AuthTime.IsZero() || who.Name != "" {
		t.Errorf("%+v, %v", who, err)
	}
	if text := fmt.Sprintf("%+v", oidcConfig()); strings.Contains(text, "the-client-secret") {
		t.Errorf("the configuration prints %s", text)
	}
}

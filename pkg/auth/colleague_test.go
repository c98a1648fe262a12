//go:build unix

package auth_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
)

func TestAColleagueIsKnownByNameInTheirClinicAlone(t *testing.T) {
	eachPeople(t, func(t *testing.T, p people) {
		a, _ := p.account(t, auth.Researcher)
		them, err := p.Svc.PrincipalOf(t.Context(), p.Who.Clinic, a.ID, a.Epoch, from(house))
		if err != nil {
			t.Fatal(err)
		}
		elsewhere := them
		elsewhere.Clinic = uuid.New()
		for what, c := range map[string]struct {
			who  auth.Principal
			id   uuid.UUID
			want auth.Personal
		}{
			"a colleague":              {them, p.Owner.ID, "Olga"},
			"oneself":                  {p.As, p.Owner.ID, "Olga"},
			"a key":                    {p.As, p.Who.Actor, ""},
			"nobody":                   {p.As, uuid.New(), ""},
			"seen from another clinic": {elsewhere, p.Owner.ID, ""},
		} {
			if got, err := p.Svc.NameOf(t.Context(), c.who, c.id); err != nil || got != c.want {
				t.Errorf("%s: %q, %v", what, string(got), err)
			}
			many, err := p.Svc.NamesOf(t.Context(), c.who, []uuid.UUID{uuid.New(), c.id})
			if _, known := many[c.id]; err != nil || many[c.id] != c.want || known != (c.want != "") || len(many) > 1 {
				t.Errorf("%s, among many: %q of %d, %v", what, string(many[c.id]), len(many), err)
			}
		}
		if _, err := p.Svc.NameOf(t.Context(), p.Who, p.Owner.ID); !fault.Is(err, fault.Forbidden) {
			t.Errorf("a key was told: %v", err)
		}
		if _, err := p.Svc.NamesOf(t.Context(), p.Who, []uuid.UUID{p.Owner.ID}); !fault.Is(err, fault.Forbidden) {
			t.Errorf("a key was told many: %v", err)
		}
	})
}

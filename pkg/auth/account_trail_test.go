//go:build unix

package auth_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
)

// A personal act is a call of a method that concerns people and their clients,
// and the entry that it leaves. It can be asked for again.
type personalAct struct {
	do      func(ctx context.Context) error
	by      auth.Principal // who the entry names
	action  string
	target  string
	id      uuid.UUID // uuid.Nil: of what is new
	client  uuid.UUID
	changes []audit.Change
}

// personalActs prepare each act in a clinic of its own.
var personalActs = map[string]func(t *testing.T, p people) personalAct{
	"CreateAccount": func(_ *testing.T, p people) personalAct {
		return personalAct{
			do: func(ctx context.Context) error {
				_, _, err := p.Svc.CreateAccount(ctx, p.As, auth.NewAccount{Email: "canary@clinic.example", Name: "Canary", Role: auth.Clinician})
				return err
			},
			by: p.As, action: "account.create", target: "account", changes: newAccount(auth.Clinician),
		}
	},
	"SetUp": func(t *testing.T, p people) personalAct {
		p.exec(t, "DELETE FROM accounts WHERE clinic_id = '"+p.Who.Clinic.String()+"'")
		k, key, err := p.Svc.CreateKey(t.Context(), p.Who, auth.NewKey{Name: "k", Role: auth.Admin})
		if err != nil {
			t.Fatal(err)
		}
		by := auth.As(p.Who.Clinic, k.ID, auth.ByKey, auth.Admin)
		if _, err := p.Svc.Authenticate(t.Context(), key, from(house)); err != nil { // when it was last used is known now
			t.Fatal(err)
		}
		return personalAct{
			do: func(ctx context.Context) error {
				_, err := p.Svc.SetUp(ctx, p.Slug, key, auth.NewAccount{Email: "canary@clinic.example", Name: "Canary", Password: ownerPassword}, from(house))
				return err
			},
			by: by, action: "account.set_up", target: "account", changes: newAccount(auth.Owner),
		}
	},
	"UpdateAccount": func(t *testing.T, p people) personalAct {
		a, _ := p.account(t, auth.Clinician)
		return personalAct{
			do: func(ctx context.Context) error {
				_, err := p.Svc.UpdateAccount(ctx, p.As, a.ID, auth.AccountChange{Name: new(auth.Personal("Canary")), Role: new(auth.Admin)})
				return err
			},
			by: p.As, action: "account.update", target: "account", id: a.ID,
			changes: []audit.Change{{Field: "name"}, {Field: "role", Before: new("clinician"), After: new("admin")}},
		}
	},
	"ResetPassword": func(t *testing.T, p people) personalAct {
		a, _ := p.account(t, auth.Clinician)
		return personalAct{
			do: func(ctx context.Context) error {
				_, err := p.Svc.ResetPassword(ctx, p.As, a.ID)
				return err
			},
			by: p.As, action: "account.reset_password", target: "account", id: a.ID,
		}
	},
	"SetPassword": func(_ *testing.T, p people) personalAct {
		return p.own("account.set_password", func(ctx context.Context) error {
			_, err := p.Svc.SetPassword(ctx, p.As, ownerPassword, "nine canary gates at dawn")
			return err
		})
	},
	"EnrolTOTP": func(_ *testing.T, p people) personalAct {
		return p.own("account.enrol_totp", func(ctx context.Context) error {
			_, _, err := p.Svc.EnrolTOTP(ctx, p.As)
			return err
		})
	},
	"ConfirmTOTP": func(t *testing.T, p people) personalAct {
		secret, _, err := p.Svc.EnrolTOTP(t.Context(), p.As)
		if err != nil {
			t.Fatal(err)
		}
		return p.own("account.confirm_totp", func(ctx context.Context) error {
			_, err := p.Svc.ConfirmTOTP(ctx, p.As, codeAt(t, secret, p.Clock.Now()))
			return err
		})
	},
	"NewRecoveryCodes": func(t *testing.T, p people) personalAct {
		enrol(t, p, p.Owner)
		return p.own("account.new_recovery_codes", func(ctx context.Context) error {
			_, err := p.Svc.NewRecoveryCodes(ctx, p.As, ownerPassword)
			return err
		})
	},
	"RemoveTOTP": func(t *testing.T, p people) personalAct {
		enrol(t, p, p.Owner)
		return p.own("account.remove_totp", func(ctx context.Context) error { return p.Svc.RemoveTOTP(ctx, p.As, ownerPassword) })
	},
	"SignIn": func(_ *testing.T, p people) personalAct {
		return p.own("sign_in.done", func(ctx context.Context) error {
			_, _, err := p.Svc.SignIn(ctx, p.Slug, ownerEmail, ownerPassword, "", from(house))
			return err
		})
	},
	"PrincipalOfIdentity": func(t *testing.T, p people) personalAct { // a new sign-in of somebody known
		id := p.vouched("canary", auth.Clinician)
		who, a, err := p.identify(t, id)
		if err != nil {
			t.Fatal(err)
		}
		p.later(2 * time.Hour)
		id.AuthTime = p.Clock.Now()
		p.later(time.Minute)
		return personalAct{
			do: func(ctx context.Context) error {
				_, _, err := p.Svc.PrincipalOfIdentity(ctx, id, "", from(house))
				return err
			},
			by: who, action: "sign_in.done", target: "account", id: a.ID,
		}
	},
	"MintToken": func(t *testing.T, p people) personalAct {
		client := p.client(t)
		return personalAct{
			do: func(ctx context.Context) error {
				_, _, err := p.Svc.MintToken(ctx, p.As, client, nil)
				return err
			},
			by: p.As, action: "token.mint", target: "token", client: client,
		}
	},
	"Tokens": func(t *testing.T, p people) personalAct {
		client := p.client(t)
		return personalAct{
			do: func(ctx context.Context) error {
				tokens, err := p.Svc.Tokens(ctx, p.As, client, uuid.Nil, 10)
				if err != nil && tokens != nil {
					t.Error("tokens are returned beside an error")
				}
				return err
			},
			by: p.As, action: "token.list", target: "client", id: client, client: client,
		}
	},
	"RevokeToken": func(t *testing.T, p people) personalAct {
		client := p.client(t)
		token, _, err := p.Svc.MintToken(t.Context(), p.As, client, nil)
		if err != nil {
			t.Fatal(err)
		}
		return personalAct{
			do: func(ctx context.Context) error { return p.Svc.RevokeToken(ctx, p.As, token.ID) },
			by: p.As, action: "token.revoke", target: "token", id: token.ID, client: client,
		}
	},
}

// own is an act of the owner on their own account.
func (p people) own(action string, do func(ctx context.Context) error) personalAct {
	return personalAct{do: do, by: p.As, action: action, target: "account", id: p.Owner.ID}
}

func newAccount(role auth.Role) []audit.Change {
	return []audit.Change{{Field: "email"}, {Field: "name"}, {Field: "role", After: new(string(role))}}
}

// client is a new client of the clinic.
func (p people) client(t *testing.T) uuid.UUID {
	t.Helper()
	c := p.NewClient("canary-reference")
	p.Insert(t, c)
	return c.ID
}

func TestEachActOnPeopleLeavesItsOwnEntryAndNoPrivateWord(t *testing.T) {
	for name, prepare := range personalActs {
		t.Run(name, func(t *testing.T) {
			eachPeople(t, func(t *testing.T, p people) {
				a := prepare(t, p)
				since := len(p.Trail(t, p.raw, p.Who.Clinic))
				if err := a.do(t.Context()); err != nil {
					t.Fatal(err)
				}
				left := p.Trail(t, p.raw, p.Who.Clinic)[since:]
				if len(left) != 1 {
					t.Fatalf("%d entries: %+v", len(left), left)
				}
				a.by.Origin = from(house)
				want := a.by.Did(a.action, a.target, a.id)
				want.ID, want.Client, want.Details.Changes = left[0].ID, a.client, a.changes
				if a.id == uuid.Nil {
					want.TargetID = left[0].TargetID
					if want.TargetID == uuid.Nil {
						t.Error("the new thing has no id")
					}
				}
				if diff := cmp.Diff(want, left[0]); diff != "" {
					t.Errorf("the entry (-want +got):\n%s", diff)
				}
				for _, row := range p.Rows(t, p.raw, "audit_entries", "id = '"+left[0].ID.String()+"'") {
					for _, private := range []string{"canary", "olga", "gates", "pt_", "ptc_", "otpauth"} {
						if strings.Contains(strings.ToLower(row), private) {
							t.Errorf("the entry holds %q: %s", private, row)
						}
					}
				}
			})
		})
	}
}

func TestWithoutTheAuditTrailNoActOnPeopleSucceeds(t *testing.T) {
	for name, prepare := range personalActs {
		t.Run(name, func(t *testing.T) {
			eachPeople(t, func(t *testing.T, p people) {
				a := prepare(t, p)
				before := p.credentials(t)
				mend := p.Refuse(t, p.raw, "INSERT", "audit_entries")
				err := a.do(t.Context())
				mend()
				if err == nil || fault.KindOf(err) != "" {
					t.Errorf("without the trail: %v", err)
				}
				if diff := cmp.Diff(before, p.credentials(t)); diff != "" {
					t.Errorf("it changed (-before +after):\n%s", diff)
				}
				if err := a.do(t.Context()); err != nil { // the control
					t.Errorf("mended: %v", err)
				}
			})
		})
	}
}

// credentials is every row of the clinic but the guesses that are counted
// while somebody proves who they are, come what may.
func (p people) credentials(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, row := range p.Dump(t, p.raw, p.Who.Clinic) {
		if !strings.HasPrefix(row, "sign_in_failures: ") {
			out = append(out, row)
		}
	}
	return out
}

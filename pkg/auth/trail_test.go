//go:build unix

package auth_test

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/store/storetest"
)

// An act is a call of one method that changes something, on a key that stands,
// and the entry that it leaves.
type act struct {
	do     func(ctx context.Context, svc *auth.Service, who auth.Principal, key uuid.UUID) error
	action string
	note   []string // names of the small facts in the entry
}

var acts = map[string]act{
	"CreateKey": {func(ctx context.Context, svc *auth.Service, who auth.Principal, _ uuid.UUID) error {
		_, _, err := svc.CreateKey(ctx, who, auth.NewKey{Name: "canary-name", Role: auth.App})
		return err
	}, "key.create", []string{"role", "scopes"}},
	"RevokeKey": {func(ctx context.Context, svc *auth.Service, who auth.Principal, key uuid.UUID) error {
		return svc.RevokeKey(ctx, who, key)
	}, "key.revoke", nil},
	"RotateKey": {func(ctx context.Context, svc *auth.Service, who auth.Principal, key uuid.UUID) error {
		_, _, err := svc.RotateKey(ctx, who, key, nil)
		return err
	}, "key.rotate", []string{"replaced_by"}},
	"Found": {func(ctx context.Context, svc *auth.Service, _ auth.Principal, _ uuid.UUID) error {
		_, _, err := svc.Found(ctx, "clinic-"+storetest.NewID().String(), "")
		return err
	}, "", nil}, // in the trail of the clinic that is founded
	"FoundWith": {func(ctx context.Context, svc *auth.Service, _ auth.Principal, _ uuid.UUID) error {
		_, _, err := svc.FoundWith(ctx, "clinic-"+storetest.NewID().String(), auth.NewKey{Name: "n"}, "")
		return err
	}, "", nil},
}

// withoutEntry are the methods that change nothing of a clinic's, and why they
// tell of nothing when they succeed.
var withoutEntry = map[string]string{
	"Authenticate": "each request has the entry of what it does; a refusal of a known key leaves one",
	"Operator":     "the same, of the command line",
	"Keys":         "keys are no clients, and their secrets are not kept",
	"CheckNewKey":  "asks no database",

	"CheckNewAccount":    "asks no database",
	"CheckAccountChange": "asks no database",
	"Accounts":           "those who sign in are no clients, and their proofs are not shown",
	"Account":            "the same, of one",
	"Me":                 "the same, of one's own",
	"NameOf":             "the name alone, which colleagues know",
	"NamesOf":            "the same, of many",
	"PrincipalOf":        "each request has the entry of what it does; the use of an ended session leaves one",
}

func TestEveryMethodOfTheServiceIsAnActOrTellsWhyNot(t *testing.T) {
	service := reflect.TypeFor[*auth.Service]()
	var want []string
	for i := range service.NumMethod() {
		want = append(want, service.Method(i).Name)
	}
	got := slices.Sorted(slices.Values(slices.Concat(
		slices.Collect(maps.Keys(acts)), slices.Collect(maps.Keys(personalActs)), slices.Collect(maps.Keys(withoutEntry)))))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("methods (-) and acts (+):\n%s", diff)
	}
}

// standingKey makes a key for an act to change.
func standingKey(t *testing.T, c *storetest.Clinic, svc *auth.Service) uuid.UUID {
	t.Helper()
	k, _, err := svc.CreateKey(t.Context(), c.Who, auth.NewKey{Name: "canary-name", Role: auth.App})
	if err != nil {
		t.Fatal(err)
	}
	return k.ID
}

func TestEachActLeavesItsOwnEntry(t *testing.T) {
	storetest.Each(t, func(t *testing.T, d *storetest.Database) {
		c := d.Clinic(t)
		svc, raw := keys(c), d.Raw(t)
		who := c.Who
		who.Origin = auth.Origin{Address: "192.0.2.7", Request: "r-1"}
		for name, a := range acts {
			key := standingKey(t, c, svc)
			since := len(d.Trail(t, raw, c.Who.Clinic))
			if err := a.do(t.Context(), svc, who, key); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			left := d.Trail(t, raw, c.Who.Clinic)[since:]
			if a.action == "" {
				if len(left) != 0 {
					t.Errorf("%s of another clinic leaves %+v", name, left)
				}
				continue
			}
			if len(left) != 1 {
				t.Errorf("%s leaves %+v", name, left)
				continue
			}
			if name == "CreateKey" {
				key = left[0].TargetID
				if _, err := d.Key(t.Context(), c.Who, key); err != nil {
					t.Errorf("%s is of no key: %v", name, err)
				}
			}
			want := who.Did(a.action, "key", key)
			want.ID, want.Details.Note = left[0].ID, left[0].Details.Note
			if diff := cmp.Diff(want, left[0]); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
			if notes := slices.Sorted(maps.Keys(left[0].Details.Note)); !slices.Equal(notes, a.note) {
				t.Errorf("%s notes %v", name, notes)
			}
		}
	})
}

func TestAFoundingIsTheFirstEntryOfTheClinic(t *testing.T) {
	storetest.Each(t, func(t *testing.T, d *storetest.Database) {
		c := d.Clinic(t)
		got := d.Trail(t, d.Raw(t), c.Who.Clinic)
		want := auth.As(c.Who.Clinic, c.Who.Clinic, auth.ByOperator, auth.Owner).Did("clinic.create", "clinic", c.Who.Clinic)
		if len(got) != 1 {
			t.Fatalf("%+v", got)
		}
		want.ID = got[0].ID
		if diff := cmp.Diff(want, got[0]); diff != "" {
			t.Error(diff)
		}
	})
}

func TestWithoutTheAuditTrailNoActSucceeds(t *testing.T) {
	storetest.Each(t, func(t *testing.T, d *storetest.Database) {
		c := d.Clinic(t)
		svc, raw := keys(c), d.Raw(t)
		for name, a := range acts {
			key := standingKey(t, c, svc)
			before, clinics := d.Dump(t, raw, c.Who.Clinic), d.Rows(t, raw, "clinics", "1 = 1")
			mend := d.Refuse(t, raw, "INSERT", "audit_entries")
			if err := a.do(t.Context(), svc, c.Who, key); err == nil || fault.KindOf(err) != "" {
				t.Errorf("%s: %v", name, err)
			}
			nobody := auth.As(c.Who.Clinic, storetest.NewID(), auth.ByKey, "none")
			if err := a.do(t.Context(), svc, nobody, key); a.action != "" && !fault.Is(err, fault.Forbidden) {
				t.Errorf("%s, a refusal that cannot be told: %v", name, err)
			}
			mend()
			if diff := cmp.Diff(before, d.Dump(t, raw, c.Who.Clinic)); diff != "" {
				t.Errorf("%s changed (-before +after):\n%s", name, diff)
			}
			if diff := cmp.Diff(clinics, d.Rows(t, raw, "clinics", "1 = 1")); diff != "" {
				t.Errorf("%s founded (-before +after):\n%s", name, diff)
			}
			if err := a.do(t.Context(), svc, c.Who, key); err != nil { // the control
				t.Errorf("%s, mended: %v", name, err)
			}
		}
	})
}

func TestTheUseOfAKeyThatHasEndedIsTold(t *testing.T) {
	storetest.Each(t, func(t *testing.T, d *storetest.Database) {
		c := d.Clinic(t)
		svc, raw := keys(c), d.Raw(t)
		k, secret, err := svc.CreateKey(t.Context(), c.Who, auth.NewKey{Name: "k", Role: auth.App, ExpiresAt: new(c.Clock.Now().Add(time.Hour))})
		if err != nil {
			t.Fatal(err)
		}
		from := auth.Origin{Address: "192.0.2.7", Request: "r-1"}
		since := len(d.Trail(t, raw, c.Who.Clinic))
		if _, err := svc.Authenticate(t.Context(), secret, from); err != nil { // the control
			t.Error(err)
		}
		c.Clock.Set(c.Clock.Now().Add(2 * time.Hour))
		if _, err := svc.Authenticate(t.Context(), secret, from); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("after its end: %v", err)
		}
		left := d.Trail(t, raw, c.Who.Clinic)[since:]
		if len(left) != 1 {
			t.Fatalf("%+v", left)
		}
		want := audit.Entry{
			ID: left[0].ID, Actor: k.ID, ActorKind: string(auth.ByNobody), Role: string(auth.App), Address: from.Address, Request: from.Request,
			Action: "key.use", Outcome: audit.Refused, Target: "key", TargetID: k.ID,
		}
		if diff := cmp.Diff(want, left[0]); diff != "" {
			t.Error(diff)
		}
	})
}

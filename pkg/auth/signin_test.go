//go:build unix

package auth_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/pquerna/otp/totp"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
)

func TestSomebodySignsInWithTheirAddressInAnyCase(t *testing.T) {
	eachPeople(t, func(t *testing.T, p people) {
		for _, email := range []auth.Personal{ownerEmail, "olga.owner@clinic.example", " OLGA.OWNER@CLINIC.EXAMPLE ", "ｏｌｇａ.owner@clinic.example"} {
			who, hashes, err := p.signIn(t, email, ownerPassword, "", house)
			if err != nil || hashes != 1 {
				t.Fatalf("%s: %d hashes, %v", string(email), hashes, err)
			}
			if who.Actor != p.Owner.ID || who.Kind != auth.ByAccount || who.Role != auth.Owner || who.Reach != auth.AllClients || who.Origin.Address != house {
				t.Errorf("%+v", who)
			}
		}
		if got := p.trail(t, "sign_in.done"); len(got) != 4 || !strings.HasPrefix(got[0], "done account "+p.Owner.ID.String()+" "+house) {
			t.Errorf("the trail tells %q", got)
		}
		a, err := p.Svc.Account(t.Context(), p.As, p.Owner.ID)
		if err != nil || a.LastSignInAt == nil {
			t.Errorf("the last sign-in: %v, %v", a.LastSignInAt, err)
		}
	})
}

func TestEveryRefusalToSignInReadsTheSameAndCostsTheSame(t *testing.T) {
	eachPeople(t, func(t *testing.T, p people) {
		disabled, itsPassword := p.account(t, auth.Clinician)
		if _, err := p.Svc.UpdateAccount(t.Context(), p.As, disabled.ID, auth.AccountChange{Disabled: new(true)}); err != nil {
			t.Fatal(err)
		}
		coded, codedPassword := p.account(t, auth.Clinician)
		enrol(t, p, coded)
		elsewhere, _ := p.account(t, auth.Clinician)
		p.exec(t, "UPDATE accounts SET password = NULL, issuer = 'https://idp.example', subject = 's' WHERE id = '"+elsewhere.ID.String()+"'")
		nobody := p.Who.Clinic.String()
		texts := map[string]bool{}
		for i, x := range []struct {
			says     string
			email    auth.Personal
			password auth.Password
			code     auth.Secret
			actor    string
			reason   string
		}{
			{"an unknown address", "nobody@clinic.example", ownerPassword, "", nobody, "unknown"},
			{"no address", "", ownerPassword, "", nobody, "unknown"},
			{"an address with a NUL", "olga\x00@clinic.example", ownerPassword, "", nobody, "unknown"},
			{"an address that is no UTF-8", "olga\xff@clinic.example", ownerPassword, "", nobody, "unknown"},
			{"a wrong password", ownerEmail, "not her password at all", "", p.Owner.ID.String(), "password"},
			{"no password", ownerEmail, "", "", p.Owner.ID.String(), "password"},
			{"an account without a password", elsewhere.Email, "not her password at all", "", elsewhere.ID.String(), "password"},
			{"a disabled account", disabled.Email, itsPassword, "", disabled.ID.String(), "disabled"},
			{"no code", coded.Email, codedPassword, "", coded.ID.String(), "code"},
			{"a wrong code", coded.Email, codedPassword, "000000x", coded.ID.String(), "code"},
			{"an unknown recovery code", coded.Email, codedPassword, "AAAA-BBBB-CCCC-DDDD", coded.ID.String(), "code"},
		} {
			_, hashes, err := p.signIn(t, x.email, x.password, x.code, fmt.Sprintf("198.51.100.%d", i))
			if !fault.Is(err, fault.Unauthenticated) || hashes != 1 {
				t.Errorf("%s: %d hashes, %v", x.says, hashes, err)
				continue
			}
			texts[err.Error()] = true
			want := fmt.Sprintf(`refused nobody %s 198.51.100.%d {"reason":"%s"}`, x.actor, i, x.reason)
			if got := last(p.trail(t, "sign_in.refused")); got != want {
				t.Errorf("%s: the trail tells %q instead of %q", x.says, got, want)
			}
		}
		for _, slug := range []string{"", "no-such-clinic", "a\x00b", "A", strings.Repeat("x", 5000)} {
			before := p.Hashes.Count.Load()
			_, _, err := p.Svc.SignIn(t.Context(), slug, ownerEmail, ownerPassword, "", from(house))
			if cost := p.Hashes.Count.Load() - before; !fault.Is(err, fault.Unauthenticated) || cost != 1 {
				t.Errorf("clinic %.10q: %d hashes, %v", slug, cost, err)
				continue
			}
			texts[err.Error()] = true
		}
		if len(texts) != 1 {
			t.Errorf("the refusals can be told apart: %v", texts)
		}
	})
}

// TestAThousandGuessesFromOneAddressLockThatAddressAndNoOther is the brute
// force that docs/security.md speaks of.
func TestAThousandGuessesFromOneAddressLockThatAddressAndNoOther(t *testing.T) {
	eachPeople(t, func(t *testing.T, p people) {
		const guesser = "203.0.113.66"
		for _, email := range []auth.Personal{ownerEmail, "nobody@clinic.example"} {
			judged, limited := 0, 0
			for i := range 1000 {
				_, hashes, err := p.signIn(t, email, auth.Password(fmt.Sprint("guess number ", i)), "", guesser)
				judged += int(hashes)
				var f *fault.Error
				switch {
				case fault.Is(err, fault.RateLimited) && errors.As(err, &f) && f.RetryAfter > 0 && f.RetryAfter <= 15*time.Minute && hashes == 0:
					limited++
				case !fault.Is(err, fault.Unauthenticated):
					t.Fatalf("guess %d: %v", i, err)
				}
				if i%250 == 100 && email == ownerEmail { // the owner, elsewhere, in between
					if _, _, err := p.signIn(t, ownerEmail, ownerPassword, "", house); err != nil {
						t.Fatalf("the owner is locked out: %v", err)
					}
				}
			}
			if judged != 5 || limited != 995 {
				t.Errorf("%s: %d guesses were judged, %d were limited", string(email), judged, limited)
			}
		}
		if _, hashes, err := p.signIn(t, ownerEmail, ownerPassword, "", guesser); !fault.Is(err, fault.RateLimited) || hashes != 0 {
			t.Errorf("the right password from the locked address: %d hashes, %v", hashes, err)
		}
		if got := last(p.trail(t, "sign_in.refused")); got != "refused nobody "+p.Owner.ID.String()+" "+guesser+` {"reason":"locked"}` {
			t.Errorf("the trail tells %q", got)
		}
		p.later(15 * time.Minute)
		if _, _, err := p.signIn(t, ownerEmail, ownerPassword, "", guesser); err != nil {
			t.Errorf("a quarter of an hour later: %v", err)
		}
	})
}

func TestManyGuessesAtOnceDoNotSlipThrough(t *testing.T) {
	eachPeople(t, func(t *testing.T, p people) {
		var all sync.WaitGroup
		var judged atomic.Int64
		before := p.Hashes.Count.Load()
		for i := range 40 {
			all.Go(func() {
				_, _, err := p.Svc.SignIn(t.Context(), p.Slug, ownerEmail, auth.Password(fmt.Sprint("guess number ", i)), "", from("203.0.113.66"))
				if !fault.Is(err, fault.RateLimited) && !fault.Is(err, fault.Unavailable) {
					judged.Add(1)
				}
			})
		}
		all.Wait()
		if n := p.Hashes.Count.Load() - before; n > 5 || judged.Load() != n {
			t.Errorf("%d hashes for %d answers", n, judged.Load())
		}
	})
}

func TestManyAddressesTogetherGuessNoFasterAndAKnownAddressDoesNotNotice(t *testing.T) {
	eachPeople(t, func(t *testing.T, p people) {
		if _, _, err := p.signIn(t, ownerEmail, ownerPassword, "", house); err != nil {
			t.Fatal(err)
		}
		judged := 0
		for i := range 150 {
			address := fmt.Sprintf("203.0.%d.1", i)
			if i%2 == 1 {
				address = fmt.Sprintf("2001:db8:%x::1", i)
			}
			_, hashes, err := p.signIn(t, ownerEmail, "not her password at all", "", address)
			judged += int(hashes)
			if want := fault.Unauthenticated; i < 100 && !fault.Is(err, want) || i >= 100 && !fault.Is(err, fault.RateLimited) {
				t.Fatalf("address %d: %v", i, err)
			}
		}
		if judged != 100 {
			t.Errorf("%d guesses were judged", judged)
		}
		if _, _, err := p.signIn(t, ownerEmail, ownerPassword, "", "198.51.100.9"); !fault.Is(err, fault.RateLimited) {
			t.Errorf("from a strange address: %v", err)
		}
		// A wrong password first: known is not the same as never wrong.
		if _, _, err := p.signIn(t, ownerEmail, "not her password at all", "", house); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("from the known address, wrong: %v", err)
		}
		if _, _, err := p.signIn(t, ownerEmail, ownerPassword, "", house); err != nil {
			t.Errorf("from the known address: %v", err)
		}
		p.later(time.Hour)
		if _, _, err := p.signIn(t, ownerEmail, ownerPassword, "", "198.51.100.9"); err != nil {
			t.Errorf("an hour later: %v", err)
		}
	})
}

func TestASuccessClearsTheCountAndANetworkOfIPv6IsOneAddress(t *testing.T) {
	eachPeople(t, func(t *testing.T, p people) {
		for round := range 3 {
			for i := range 4 {
				if _, _, err := p.signIn(t, ownerEmail, "not her password at all", "", fmt.Sprintf("2001:db8::%x", i+1)); !fault.Is(err, fault.Unauthenticated) {
					t.Fatalf("round %d: %v", round, err)
				}
			}
			if _, _, err := p.signIn(t, ownerEmail, ownerPassword, "", "2001:db8::99"); err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
		}
		for i := range 5 {
			_, _, _ = p.signIn(t, ownerEmail, "not her password at all", "", fmt.Sprintf("2001:db8::%x", i+1))
		}
		if _, _, err := p.signIn(t, ownerEmail, ownerPassword, "", "2001:db8::99"); !fault.Is(err, fault.RateLimited) {
			t.Errorf("the same network: %v", err)
		}
		if _, _, err := p.signIn(t, ownerEmail, ownerPassword, "", "2001:db8:0:1::99"); err != nil {
			t.Errorf("another network: %v", err)
		}
	})
}

// failing fails what it is told to.
type failing struct {
	auth.Store
	manage int // fails from this transaction on, counted from 1
	n      int
}

var errBroken = fault.New(fault.Unavailable, "The database is away.")

func (b *failing) Manage(ctx context.Context, who auth.Principal, fn func(auth.Tx) error) error {
	if b.n++; b.n >= b.manage {
		return errBroken
	}
	return b.Store.Manage(ctx, who, fn)
}

func TestIfTheCountsOrTheTrailCannotBeKeptNobodySignsIn(t *testing.T) {
	eachPeople(t, func(t *testing.T, p people) {
		store := p.Svc.Store
		for _, nth := range []int{1, 2} {
			p.Svc.Store = &failing{Store: store, manage: nth}
			who, _, err := p.signIn(t, ownerEmail, ownerPassword, "", house)
			if !fault.Is(err, fault.Unavailable) || who != (auth.Principal{}) {
				t.Errorf("transaction %d fails: %+v, %v", nth, who, err)
			}
		}
		p.Svc.Store = store
		p.exec(t, "DROP TABLE sign_in_failures")
		if who, hashes, err := p.signIn(t, ownerEmail, ownerPassword, "", house); err == nil || who != (auth.Principal{}) || hashes != 0 {
			t.Errorf("without the counts: %+v, %d hashes, %v", who, hashes, err)
		}
	})
}

func TestACountThatIsLongOverIsDeletedAndAKnownAddressIsKept(t *testing.T) {
	eachPeople(t, func(t *testing.T, p people) {
		_, _, _ = p.signIn(t, ownerEmail, ownerPassword, "", house)
		for i := range 10 {
			_, _, _ = p.signIn(t, auth.Personal(fmt.Sprint("n", i, "@x.example")), "whatever it may be", "", house)
		}
		p.later(25 * time.Hour)
		_, _, _ = p.signIn(t, "another@x.example", "whatever it may be", "", house)
		if got := p.one(t, "SELECT CAST(count(*) AS text) FROM sign_in_failures WHERE clinic_id = '"+p.Who.Clinic.String()+"'"); got != "3" {
			t.Errorf("%s counts are left: the owner's known address and the newest two were expected", got)
		}
	})
}

func TestACodeIsGoodOnceAndSoIsARecoveryCode(t *testing.T) {
	eachPeople(t, func(t *testing.T, p people) {
		a, password := p.account(t, auth.Admin)
		secret, recovery := enrol(t, p, a)
		try := func(code auth.Secret) error {
			p.Clock.Set(p.Clock.Now()) // the same half minute
			_, _, err := p.signIn(t, a.Email, password, code, house)
			return err
		}
		p.later(time.Minute)
		code := codeAt(t, secret, p.Clock.Now())
		if err := try(code); err != nil {
			t.Errorf("a code: %v", err)
		}
		if err := try(code); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("the same code: %v", err)
		}
		if err := try(recovery[3]); err != nil {
			t.Errorf("a recovery code: %v", err)
		}
		if err := try(recovery[3]); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("the same recovery code: %v", err)
		}
		if err := try(auth.Secret(strings.ToLower(string(recovery[4])))); err != nil {
			t.Errorf("another recovery code, in lower case: %v", err)
		}
		p.later(time.Hour)
		fresh, err := p.Svc.NewRecoveryCodes(t.Context(), p.principal(t, a), password)
		if err != nil {
			t.Fatal(err)
		}
		if err := try(recovery[5]); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("a recovery code that was replaced: %v", err)
		}
		if err := try(fresh[0]); err != nil {
			t.Errorf("a fresh recovery code: %v", err)
		}
	})
}

func TestOfManyWhoShowOneCodeAtOnceOneSignsIn(t *testing.T) {
	eachPeople(t, func(t *testing.T, p people) {
		a, password := p.account(t, auth.Admin)
		secret, recovery := enrol(t, p, a)
		p.later(time.Minute)
		for _, code := range []auth.Secret{codeAt(t, secret, p.Clock.Now()), recovery[0]} {
			var all sync.WaitGroup
			var in atomic.Int64
			for i := range 8 {
				all.Go(func() {
					if _, _, err := p.Svc.SignIn(t.Context(), p.Slug, a.Email, password, code, from(fmt.Sprintf("198.51.100.%d", i))); err == nil {
						in.Add(1)
					}
				})
			}
			all.Wait()
			if in.Load() != 1 {
				t.Errorf("%d signed in", in.Load())
			}
		}
	})
}

func TestAPasswordIsHashedAnewWhenTheParametersHaveGrown(t *testing.T) {
	eachPeople(t, func(t *testing.T, p people) {
		p.Hashes.Weak.Store(true)
		if _, hashes, err := p.signIn(t, ownerEmail, ownerPassword, "", house); err != nil || hashes != 2 {
			t.Errorf("%d hashes, %v", hashes, err)
		}
		p.Hashes.Weak.Store(false)
		if _, _, err := p.signIn(t, ownerEmail, ownerPassword, "", house); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	})
}

func TestTheRealHasherSignsSomebodyIn(t *testing.T) {
	eachPeople(t, func(t *testing.T, p people) {
		p.Svc.Passwords = auth.NewHasher(2)
		a, password := p.account(t, auth.Clinician)
		if _, _, err := p.signIn(t, a.Email, password, "", house); err != nil {
			t.Error(err)
		}
		if _, _, err := p.signIn(t, a.Email, password+"x", "", house); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("a wrong password: %v", err)
		}
	})
}

func TestABrowserSessionEndsAtOnceWithARoleAPasswordOrTheAccount(t *testing.T) {
	eachPeople(t, func(t *testing.T, p people) {
		for says, change := range map[string]func(a auth.Account, password auth.Password) error{
			"another role": func(a auth.Account, _ auth.Password) error {
				_, err := p.Svc.UpdateAccount(t.Context(), p.As, a.ID, auth.AccountChange{Role: new(auth.Researcher)})
				return err
			},
			"disabled": func(a auth.Account, _ auth.Password) error {
				_, err := p.Svc.UpdateAccount(t.Context(), p.As, a.ID, auth.AccountChange{Disabled: new(true)})
				return err
			},
			"its password reset": func(a auth.Account, _ auth.Password) error {
				_, err := p.Svc.ResetPassword(t.Context(), p.As, a.ID)
				return err
			},
			"its password changed": func(a auth.Account, password auth.Password) error {
				changed, err := p.Svc.SetPassword(t.Context(), p.principal(t, a), password, "green lamps under water")
				if err == nil {
					_, err = p.Svc.PrincipalOf(t.Context(), a.Clinic, a.ID, changed.Epoch, from(house))
				}
				return err
			},
		} {
			a, password := p.account(t, auth.Clinician)
			look := func(epoch int) error {
				_, err := p.Svc.PrincipalOf(t.Context(), a.Clinic, a.ID, epoch, from(house))
				return err
			}
			if err := look(a.Epoch); err != nil {
				t.Fatalf("%s, before: %v", says, err)
			}
			if _, err := p.Svc.UpdateAccount(t.Context(), p.As, a.ID, auth.AccountChange{Name: new(auth.Personal("Other"))}); err != nil {
				t.Fatal(err)
			}
			if err := look(a.Epoch); err != nil {
				t.Errorf("another name ended the session: %v", err)
			}
			if err := change(a, password); err != nil {
				t.Fatalf("%s: %v", says, err)
			}
			if err := look(a.Epoch); !fault.Is(err, fault.Unauthenticated) {
				t.Errorf("%s, afterwards: %v", says, err)
			}
			if got := last(p.trail(t, "session.use")); !strings.HasPrefix(got, "refused nobody "+a.ID.String()) {
				t.Errorf("%s: the trail tells %q", says, got)
			}
		}
		for _, id := range []uuid.UUID{uuid.Nil, uuid.New()} {
			if _, err := p.Svc.PrincipalOf(t.Context(), p.Who.Clinic, id, 1, from(house)); !fault.Is(err, fault.Unauthenticated) {
				t.Errorf("an unknown account: %v", err)
			}
		}
	})
}

func TestACliniciansReachIsTheirCareTeamsWhereTheClinicSaysSo(t *testing.T) {
	eachPeople(t, func(t *testing.T, p people) {
		a, password := p.account(t, auth.Clinician)
		for teams, want := range map[string]auth.Reach{"0": auth.AllClients, "1": auth.AssignedClients} {
			p.exec(t, "UPDATE clinics SET care_teams = CAST(CAST("+teams+" AS int) AS "+p.boolean()+") WHERE id = '"+p.Who.Clinic.String()+"'")
			if who, _, err := p.signIn(t, a.Email, password, "", house); err != nil || who.Reach != want {
				t.Errorf("signing in: reach %v, %v", who.Reach, err)
			}
			if who := p.principal(t, a); who.Reach != want {
				t.Errorf("a session: reach %v", who.Reach)
			}
			if who := p.principal(t, p.Owner); who.Reach != auth.AllClients {
				t.Errorf("the owner: reach %v", who.Reach)
			}
		}
	})
}

func (p people) boolean() string {
	if p.Dialect == "sqlite" {
		return "integer"
	}
	return "boolean"
}

// exec changes the database behind the store's back.
func (p people) exec(t testing.TB, statement string) {
	t.Helper()
	if _, err := p.raw.ExecContext(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// enrol gives an account a second factor.
func enrol(t testing.TB, p people, a auth.Account) (auth.TOTPSecret, []auth.Secret) {
	t.Helper()
	who := p.principal(t, a)
	secret, uri, err := p.Svc.EnrolTOTP(t.Context(), who)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := auth.TOTPPicture(uri); err != nil {
		t.Error(err)
	}
	codes, err := p.Svc.ConfirmTOTP(t.Context(), who, codeAt(t, secret, p.Clock.Now()))
	if err != nil {
		t.Fatal(err)
	}
	return secret, codes
}

// codeAt is what an authenticator app shows.
func codeAt(t testing.TB, secret auth.TOTPSecret, at time.Time) auth.Secret {
	t.Helper()
	code, err := totp.GenerateCode(string(secret), at)
	if err != nil {
		t.Fatal(err)
	}
	return auth.Secret(code)
}

package mw_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/api/mw"
	"github.com/protrack/protrack/pkg/fault"
)

// from is a request that comes from an address.
func from(t *testing.T, address string) echo.Context {
	t.Helper()
	r := ask(t, "/things/1")
	r.RemoteAddr = address
	e := echo.New()
	e.IPExtractor = mw.AddressOf(nil)
	return e.NewContext(r, httptest.NewRecorder())
}

// guesses shows unknown credentials from addresses in turn, and counts those
// that came as far as the database.
func guesses(t *testing.T, l *mw.Limits, n int, address func(i int) string) int {
	t.Helper()
	passed := 0
	for i := range n {
		c := from(t, address(i))
		err := l.BeforeCredential(c, "a guess")
		if err == nil {
			passed++
			l.BadCredential(c, "a guess")
		} else if !fault.Is(err, fault.RateLimited) {
			t.Fatalf("refused with %v", err)
		}
	}
	return passed
}

func always(address string) func(int) string { return func(int) string { return address } }

func TestAThousandGuessedCredentialsOfOneAddressAreThirtyAndThenThirtyAMinute(t *testing.T) {
	var c clock
	l := mw.DefaultLimits(c.now)
	if n := guesses(t, l, 1000, always("192.0.2.1:1000")); n != 30 {
		t.Errorf("%d of a thousand at once came through", n)
	}
	passed := 0
	for range 600 { // ten minutes, a guess a second
		c.pass(time.Second)
		passed += guesses(t, l, 1, always("192.0.2.1:2000"))
	}
	if passed != 300 {
		t.Errorf("%d came through in ten minutes", passed)
	}
	for _, other := range []string{"192.0.2.2:1000", "[2001:db8::1]:1000", "10.0.0.1:1"} {
		if err := l.BeforeCredential(from(t, other), "a guess"); err != nil {
			t.Errorf("%s is refused for another: %v", other, err)
		}
	}
	c.pass(time.Minute)
	if err := l.BeforeCredential(from(t, "192.0.2.1:1000"), "a guess"); err != nil {
		t.Errorf("still refused after a quiet minute: %v", err)
	}
}

func TestAnAddressThatShowsOnlyGoodCredentialsIsNeverAStranger(t *testing.T) {
	var c clock
	l := mw.DefaultLimits(c.now)
	for range 10_000 {
		if err := l.BeforeCredential(from(t, "192.0.2.1:1"), "a guess"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestGuessesFromAllOverAnIPv6NetworkAreOneMachines(t *testing.T) {
	var c clock
	l := mw.DefaultLimits(c.now)
	rotating := func(i int) string { return fmt.Sprintf("[2001:db8:0:7:%x::%x]:443", i, i) }
	if n := guesses(t, l, 1000, rotating); n != 30 {
		t.Errorf("%d of a thousand came through", n)
	}
	if err := l.BeforeCredential(from(t, "[2001:db8:0:8::1]:443"), "a guess"); err != nil {
		t.Errorf("the network next door is refused: %v", err)
	}
	if n := guesses(t, l, 100, func(i int) string { return fmt.Sprintf("[2001:db8:1:%x::1]:443", i) }); n != 100 {
		t.Errorf("%d of a hundred networks came through", n)
	}
}

func TestAddressesAreCountedAsTheyAreGivenOut(t *testing.T) {
	for ip, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1",
		"2001:db8::1": "2001:db8::/64", "2001:DB8:0:0:ffff:ffff:ffff:ffff": "2001:db8::/64", "2001:db8:0:1::": "2001:db8:0:1::/64",
		"fe80::1%eth0": "fe80::/64", "::1": "::/64",
		"": "unknown", "192.0.2.1:80": "unknown", "192.0.2": "unknown", "name.example": "unknown",
	} {
		if got := mw.AddressKey(ip); got != want {
			t.Errorf("%q is counted as %q instead of %q", ip, got, want)
		}
	}
}

func TestACredentialThatWasGoodGoesOnWhileItsAddressIsShut(t *testing.T) {
	var c clock
	l := mw.DefaultLimits(c.now)
	if err := l.Admit(from(t, "192.0.2.1:1"), "a good one"); err != nil {
		t.Fatal(err)
	}
	guesses(t, l, 1000, always("192.0.2.1:1"))
	if err := l.BeforeCredential(from(t, "192.0.2.1:1"), "a guess"); !fault.Is(err, fault.RateLimited) {
		t.Fatalf("the address is open: %v", err)
	}
	if err := l.BeforeCredential(from(t, "192.0.2.1:1"), "a good one"); err != nil {
		t.Errorf("the good one is shut out: %v", err)
	}
	c.pass(11 * time.Minute)
	guesses(t, l, 1000, always("192.0.2.1:1"))
	if err := l.BeforeCredential(from(t, "192.0.2.1:1"), "a good one"); !fault.Is(err, fault.RateLimited) {
		t.Errorf("it was good long ago, and still passes: %v", err)
	}
}

func TestACredentialMayAskTwoHundredTimesAtOnceAndTwentyTimesASecondWhereTwentyIsTheRate(t *testing.T) {
	var c clock
	l := mw.NewLimits(20, c.now)
	admitted := func(n int, credential string) (passed int) {
		for range n {
			if err := l.Admit(from(t, "192.0.2.1:1"), credential); err == nil {
				passed++
			}
		}
		return passed
	}
	if n := admitted(1000, "one"); n != 200 {
		t.Errorf("%d at once", n)
	}
	if n := admitted(100, "two"); n != 100 {
		t.Errorf("%d of another credential", n)
	}
	c.pass(time.Second)
	if n := admitted(1000, "one"); n != 20 {
		t.Errorf("%d a second later", n)
	}
}

func TestSigningInIsLimitedByAddressAndByAccountFromThere(t *testing.T) {
	attempts := func(l *mw.Limits, n int, address string, account func(int) string) (passed int) {
		for i := range n {
			if l.SigningIn(from(t, address), account(i)) == nil {
				passed++
			}
		}
		return passed
	}
	var c clock
	l := mw.DefaultLimits(c.now)
	ada := always("ada@clinic.example")
	if n := attempts(l, 1000, "192.0.2.1:1", ada); n != 10 {
		t.Errorf("%d of a thousand attempts on one account came through", n)
	}
	if n := attempts(l, 5, "198.51.100.7:1", ada); n != 5 {
		t.Errorf("the account's owner, elsewhere, came through %d times of 5", n)
	}
	l = mw.DefaultLimits(c.now)
	if n := attempts(l, 1000, "192.0.2.1:1", func(i int) string { return fmt.Sprint("account ", i) }); n != 30 {
		t.Errorf("%d of a thousand accounts were tried from one address", n)
	}
	if n := attempts(l, 1, "198.51.100.7:1", ada); n != 1 {
		t.Error("another address is refused")
	}
	l = mw.DefaultLimits(c.now)
	spelt := []string{"ada@clinic.example", "ADA@clinic.example", " Ada@Clinic.Example "}
	if n := attempts(l, 30, "192.0.2.1:1", func(i int) string { return spelt[i%3] }); n != 10 {
		t.Errorf("%d of 30 attempts on one account in other letters came through", n)
	}
	l = mw.DefaultLimits(c.now)
	unreadable := 0
	for i := range 100 {
		if l.SigningIn(from(t, fmt.Sprintf("@socket%d", i)), fmt.Sprint(i)) == nil {
			unreadable++
		}
	}
	if unreadable != 30 {
		t.Errorf("%d of a hundred from unreadable addresses came through", unreadable)
	}
}

func TestARefusalTellsTheLimitAndTheWait(t *testing.T) {
	var now clock
	l := mw.NewLimits(20, now.now)
	for name, limit := range map[string]struct {
		use  func(echo.Context) error
		want []string // RateLimit-Policy, RateLimit, Retry-After
	}{
		"a stranger": {
			func(c echo.Context) error { l.BadCredential(c, "a guess"); return l.BeforeCredential(c, "a guess") },
			[]string{`"stranger";q=30;w=60`, `"stranger";r=0;t=2`, "2"},
		},
		"a credential": {
			func(c echo.Context) error { return l.Admit(c, "canary") },
			[]string{`"credential";q=200;w=10`, `"credential";r=0;t=1`, "1"},
		},
		"an account": {
			func(c echo.Context) error { return l.SigningIn(c, "canary") },
			[]string{`"account";q=10;w=60`, `"account";r=0;t=6`, "6"},
		},
		"a page": {
			func(c echo.Context) error { return l.Opening(c, "canary") },
			[]string{`"page";q=600;w=60`, `"page";r=0;t=1`, "1"},
		},
	} {
		var w *httptest.ResponseRecorder
		for range 1000 {
			w = through(t, ask(t, "/things/1"), io.Discard, func(c echo.Context) error {
				if err := limit.use(c); err != nil {
					return err
				}
				return fine(c)
			})
			if w.Code != http.StatusNoContent {
				break
			}
			if w.Header().Get("Retry-After") != "" || w.Header().Get("RateLimit") != "" {
				t.Fatalf("%s: what passed is told to wait: %v", name, w.Header())
			}
		}
		h := w.Header()
		got := []string{h.Get("RateLimit-Policy"), h.Get("RateLimit"), h.Get("Retry-After")}
		if diff := cmp.Diff(limit.want, got); diff != "" || w.Code != http.StatusTooManyRequests || strings.Contains(w.Body.String(), "canary") {
			t.Errorf("%s: %d %s\n%s", name, w.Code, w.Body, diff)
		}
	}
}

package mw_test

import (
	"testing"
	"time"

	"github.com/protrack/protrack/api/mw"
	"github.com/protrack/protrack/pkg/fault"
)

// A machine that never stops, and many requests that were checked at once and
// are counted together.
func TestADebtIsNeverLongerThanTwoMinutes(t *testing.T) {
	var c clock
	l := mw.DefaultLimits(c.now)
	for range 100_000 {
		l.BadCredential(from(t, "192.0.2.1:1"), "a guess")
	}
	open := func() bool { return l.BeforeCredential(from(t, "192.0.2.1:1"), "another") == nil }
	waited := time.Duration(0)
	for ; !open() && waited < time.Hour; waited += time.Second {
		c.pass(time.Second)
	}
	// The control: a debt there is, of more than the minute that a burst takes.
	if waited <= time.Minute || waited > 2*time.Minute+2*time.Second {
		t.Errorf("the address is open after %v", waited)
	}
}

func TestAClientsFrontEndMayAsk120TimesAtOnceAnd120TimesAMinute(t *testing.T) {
	var c clock
	l := mw.DefaultLimits(c.now)
	admitted := func(n int, client string) (passed int) {
		for range n {
			err := l.AdmitClient(from(t, "192.0.2.1:1"), "a token of "+client, client)
			if err == nil {
				passed++
			} else if !fault.Is(err, fault.RateLimited) {
				t.Fatal(err)
			}
		}
		return passed
	}
	if n := admitted(1000, "one"); n != 120 {
		t.Errorf("%d at once", n)
	}
	passed := 0
	for range 300 {
		c.pass(time.Second)
		passed += admitted(10, "one")
	}
	if passed != 600 {
		t.Errorf("%d in five minutes", passed)
	}
	if n := admitted(100, "two"); n != 100 {
		t.Errorf("%d of another client", n)
	}
	if err := l.Admit(from(t, "192.0.2.1:1"), "one"); err != nil {
		t.Errorf("a key is counted as a client: %v", err)
	}
}

func TestWhatWasGoodIsForgottenOnceItIsBad(t *testing.T) {
	var c clock
	l := mw.DefaultLimits(c.now)
	for _, credential := range []string{"revoked", "good"} {
		if err := l.Admit(from(t, "192.0.2.1:1"), credential); err != nil {
			t.Fatal(err)
		}
	}
	passed := 0
	for range 100 {
		if l.BeforeCredential(from(t, "192.0.2.1:1"), "revoked") == nil {
			passed++
			l.BadCredential(from(t, "192.0.2.1:1"), "revoked")
		}
	}
	if passed != 30 {
		t.Errorf("a revoked credential was looked up %d times of a hundred", passed)
	}
	if err := l.BeforeCredential(from(t, "192.0.2.1:1"), "good"); err != nil { // the control
		t.Errorf("the good one is shut out: %v", err)
	}
}

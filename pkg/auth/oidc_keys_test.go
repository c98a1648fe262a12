package auth_test

import (
	"crypto"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
)

// lasting is a token that outlives the test, signed with a key of the ring.
func lasting(t *testing.T, key any, kid string) string {
	t.Helper()
	return sign(t, jose.RS256, key, kid, jsonText(t, claimSet(m{"exp": noon.AddDate(1, 0, 0).Unix()})), nil)
}

// later lets time pass, once a fetch that has been answered is also put away:
// the library hands its result to who waits for it a moment before.
func later(c *clock, d time.Duration) {
	synctest.Wait()
	c.pass(d)
}

func TestANewKeyIsPickedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, p, c := signIn(t)
		k := keyring()
		before, after := lasting(t, k.rsa, "rsa"), lasting(t, k.next, "next")
		if err := bearer(t, o, before); err != nil {
			t.Fatal(err)
		}
		checkRefused(t, after, bearer(t, o, after))
		p.set(func() { p.keys["next"] = k.next.Public() })
		later(c, time.Minute)
		for what, token := range map[string]string{"the new key": after, "the old key": before} {
			if err := bearer(t, o, token); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}

func TestAWithdrawnKeyIsRefusedWithinAQuarterOfAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, p, c := signIn(t)
		k := keyring()
		withdrawn := lasting(t, k.rsa, "rsa")
		if err := bearer(t, o, withdrawn); err != nil {
			t.Fatal(err)
		}
		p.set(func() { p.keys = map[string]crypto.PublicKey{"next": k.next.Public()} })
		later(c, 15*time.Minute-time.Second)
		if err := bearer(t, o, withdrawn); err != nil {
			t.Errorf("before the keys are fetched again: %v", err)
		}
		later(c, time.Second)
		checkRefused(t, withdrawn, bearer(t, o, withdrawn))
		if err := bearer(t, o, lasting(t, k.next, "next")); err != nil {
			t.Errorf("the key in its place: %v", err)
		}
	})
}

func TestAKeyUnderTheSameIdIsPickedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, p, c := signIn(t)
		k := keyring()
		if err := bearer(t, o, lasting(t, k.rsa, "rsa")); err != nil {
			t.Fatal(err)
		}
		p.set(func() { p.keys["rsa"] = k.next.Public() })
		later(c, time.Minute)
		if err := bearer(t, o, lasting(t, k.next, "rsa")); err != nil {
			t.Error(err)
		}
		later(c, 0)
		old := lasting(t, k.rsa, "rsa")
		checkRefused(t, old, bearer(t, o, old))
	})
}

func TestAFloodOfUnknownKeysIsOneFetchAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, p, c := signIn(t)
		k := keyring()
		if err := bearer(t, o, lasting(t, k.rsa, "rsa")); err != nil {
			t.Fatal(err)
		}
		body := jsonText(t, claimSet())
		for minute := range 5 {
			if got := p.fetches("/keys"); got != minute+1 {
				t.Fatalf("after %d minutes, %d fetches", minute, got)
			}
			later(c, time.Minute)
			for i := range 200 {
				forged := base64url(fmt.Sprintf(`{"alg":"RS256","kid":"k%d-%d"}`, minute, i)) + "." + base64url(body) + "." + base64url("forged")
				if err := bearer(t, o, forged); !fault.Is(err, fault.Unauthenticated) {
					t.Fatal(err)
				}
				later(c, 100*time.Millisecond)
			}
		}
		if got := p.fetches("/.well-known/openid-configuration"); got != 1 {
			t.Errorf("%d discoveries", got)
		}
		if err := bearer(t, o, lasting(t, k.rsa, "rsa")); err != nil {
			t.Errorf("meanwhile, a good token: %v", err)
		}
	})
}

func TestKnownKeysGoOnForADayWhileTheProviderIsAway(t *testing.T) {
	k := keyring()
	html := func(*http.Request) (*http.Response, error) { return answer(http.StatusOK, "<html>") }
	for what, leave := range map[string]func(*provider){
		"nothing listens":   func(p *provider) { p.away = true },
		"an error page":     func(p *provider) { p.answers["/keys"] = html },
		"status 500":        func(p *provider) { p.answers["/keys"] = status(http.StatusInternalServerError, p.keySet()) },
		"a redirect":        func(p *provider) { p.answers["/keys"] = status(http.StatusFound, nil) },
		"no keys":           func(p *provider) { p.answers["/keys"] = status(http.StatusOK, m{"keys": []any{}}) },
		"another document":  func(p *provider) { p.answers["/keys"] = status(http.StatusOK, m{"error": "x"}) },
		"two megabytes":     func(p *provider) { p.answers["/keys"] = status(http.StatusOK, m{"keys": []any{make([]byte, 2<<20)}}) },
		"a connection lost": func(p *provider) { p.answers["/keys"] = broken },
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o, p, c := signIn(t)
				good, forged := lasting(t, k.rsa, "rsa"), lasting(t, k.other, "other")
				if err := bearer(t, o, good); err != nil {
					t.Fatal(err)
				}
				leave(p)
				for range 24 {
					if err := bearer(t, o, good); err != nil {
						t.Fatalf("at %v: %v", c.now(), err)
					}
					checkRefused(t, forged, bearer(t, o, forged))
					later(c, time.Hour)
				}
				later(c, time.Minute)
				if err := bearer(t, o, good); !fault.Is(err, fault.Unavailable) {
					t.Errorf("after a day: %v", err)
				}
				p.set(func() { p.away, p.answers = false, nil })
				later(c, time.Minute)
				if err := bearer(t, o, good); err != nil {
					t.Errorf("once it is back: %v", err)
				}
			})
		})
	}
}

func status(code int, body any) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) { return answer(code, body) }
}

// broken answers with a body that ends before its end.
func broken(*http.Request) (*http.Response, error) {
	resp, err := answer(http.StatusOK, m{})
	resp.Body = http.MaxBytesReader(nil, resp.Body, 1)
	return resp, err
}

func TestKeysThatWereNeverThereMakeNobodyWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, p, c := signIn(t)
		good := lasting(t, keyring().rsa, "rsa")
		p.set(func() { p.answers["/keys"] = status(http.StatusBadGateway, nil) })
		for range 100 {
			if err := bearer(t, o, good); !fault.Is(err, fault.Unavailable) {
				t.Fatal(err)
			}
		}
		if got := p.fetches("/keys"); got != 1 {
			t.Errorf("%d fetches at one moment", got)
		}
		p.set(func() { p.answers = nil })
		later(c, time.Minute)
		if err := bearer(t, o, good); err != nil {
			t.Errorf("once they are there: %v", err)
		}
	})
}

// A provider that takes connections and says nothing holds a request up for
// five seconds, once in a quarter of an hour; then known keys go on.
func TestAProviderThatHangsHoldsUpForFiveSeconds(t *testing.T) {
	k := keyring()
	good := lasting(t, k.rsa, "rsa")
	synctest.Test(t, func(t *testing.T) {
		p := newProvider()
		hang := func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, errors.New("nothing came: " + req.Context().Err().Error())
		}
		o, err := auth.NewOIDC(oidcConfig(), func() time.Time { return noon.Add(time.Since(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))) }, p)
		if err != nil {
			t.Fatal(err)
		}
		if err := bearer(t, o, good); err != nil {
			t.Fatal(err)
		}
		p.set(func() { p.answers["/keys"] = hang })
		time.Sleep(15 * time.Minute)
		for _, want := range []time.Duration{5 * time.Second, 0} {
			start := time.Now()
			if err := bearer(t, o, good); err != nil {
				t.Error(err)
			}
			if took := time.Since(start); took != want {
				t.Errorf("it took %v, not %v", took, want)
			}
		}
	})
}

package apitest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
)

func TestASessionEndsWithWhatItStandsOn(t *testing.T) {
	for what, end := range map[string]func(t *testing.T, s *apitest.Server, b *browser, id string){
		"sign-out": func(t *testing.T, _ *apitest.Server, b *browser, _ string) {
			// The cookie is kept, as a thief would.
			r := apitest.ReadAll(t, b.send("POST", "/logout", b.signed(nil)))
			goesTo(t, r, "/login")
			if c := r.Header.Get("Set-Cookie"); !strings.Contains(c, "Max-Age=0") || !strings.Contains(r.Header.Get("Clear-Site-Data"), "storage") {
				t.Errorf("the browser keeps what it has: %v", r.Header)
			}
		},
		"another role": func(_ *testing.T, s *apitest.Server, _ *browser, id string) {
			s.Do("PATCH", "/v1/accounts/"+id, object{"role": "researcher"}).Want(http.StatusOK)
		},
		"disabling": func(_ *testing.T, s *apitest.Server, _ *browser, id string) {
			s.Do("PATCH", "/v1/accounts/"+id, object{"disabled": true}).Want(http.StatusOK)
		},
		"another password, given": func(_ *testing.T, s *apitest.Server, _ *browser, id string) {
			s.Do("POST", "/v1/accounts/"+id+"/password-reset", nil).Want(http.StatusOK)
		},
		"another password, elsewhere": func(t *testing.T, s *apitest.Server, _ *browser, _ string) {
			other := signedIn(t, s, ada)
			r := other.post(t, "/account/password", forms["/account/password"]).Want(http.StatusOK)
			if !strings.Contains(string(r.Body), "other sessions have ended") {
				t.Errorf("%s", r.Body)
			}
			other.get(t, "/account").Want(http.StatusOK) // where it was changed, one goes on
		},
		"30 minutes": func(_ *testing.T, s *apitest.Server, _ *browser, _ string) {
			s.Clock.Set(s.Clock.Now().Add(30*time.Minute + time.Second))
		},
	} {
		t.Run(what, func(t *testing.T) {
			apitest.Each(t, func(t *testing.T, s *apitest.Server) {
				s.Clock.Set(today)
				id := hire(t, s, ada).ID.String()
				b := signedIn(t, s, ada)
				kept := *b
				end(t, s, b, id)
				goesTo(t, kept.get(t, "/"), "/login")
				goesTo(t, (&browser{s: s, address: strange, cookie: b.cookie}).get(t, "/account"), "/login?wanted=%2Faccount")
			})
		})
	}
}

func TestASessionLastsWhileItIsUsedAndNeverLongerThanTwelveHours(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		hire(t, s, ada)
		b, idle := signedIn(t, s, ada), signedIn(t, s, ada)
		for at := 29 * time.Minute; at < 12*time.Hour; at += 29 * time.Minute {
			s.Clock.Set(today.Add(at))
			b.get(t, "/account").Want(http.StatusOK)
		}
		s.Clock.Set(today.Add(12*time.Hour - time.Second))
		b.get(t, "/account").Want(http.StatusOK)
		s.Clock.Set(today.Add(12 * time.Hour))
		goesTo(t, b.get(t, "/"), "/login")
		goesTo(t, idle.get(t, "/"), "/login")
		b.signIn(t, ada).Want(http.StatusSeeOther)
		b.get(t, "/account").Want(http.StatusOK)
	})
}

// The page to sign in makes a session too; what it is worth ends when somebody
// signs in, and whoever made it gets nothing.
func TestASessionFromBeforeSigningInIsWorthNothingAfter(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		hire(t, s, ada)
		attacker := browse(s, strange)
		attacker.get(t, "/login")
		fixed := attacker.cookie
		victim := &browser{s: s, address: atHome, cookie: fixed}
		goesTo(t, victim.signIn(t, ada), "/")
		if victim.cookie == fixed {
			t.Fatal("the session is the one that the attacker made")
		}
		goesTo(t, attacker.get(t, "/"), "/login")
		victim.get(t, "/account").Want(http.StatusOK)
		// A made-up one is not taken over.
		inventor := &browser{s: s, address: strange, cookie: strings.Repeat("A", 43)}
		if inventor.get(t, "/login"); inventor.cookie == strings.Repeat("A", 43) {
			t.Error("a session that nobody began is taken over")
		}
	})
}

// A request that began before the end of a session must not bring it back.
func TestASessionThatEndedStaysEnded(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		hire(t, s, ada)
		for range 10 {
			b := signedIn(t, s, ada)
			done := make(chan struct{})
			for range 4 {
				go func() {
					defer func() { done <- struct{}{} }()
					for range 5 {
						_ = b.send("GET", "/", nil).Body.Close()
					}
				}()
			}
			goesTo(t, apitest.ReadAll(t, b.send("POST", "/logout", b.signed(nil))), "/login")
			for range 4 {
				<-done
			}
			goesTo(t, (&browser{s: s, address: atHome, cookie: b.cookie}).get(t, "/"), "/login")
		}
	})
}

func TestACookieOpensNoRouteOfTheAPIAndAKeyOpensNoPage(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		own := withMore(s, s.Clinic, settle(s, s.Clinic))
		hire(t, s, inRole(ada, auth.Owner))
		b := signedIn(t, s, ada)
		asked := 0
		for _, route := range apiRoutes(t, s) {
			method, path := address(route, own)
			for _, header := range []string{"", "Bearer " + b.cookie, "Cookie " + b.cookie} {
				r := apitest.ReadAll(t, b.send(method, path, nil, "Authorization", header))
				if r.Status != http.StatusUnauthorized && r.Status != http.StatusTooManyRequests {
					t.Errorf("%s with a cookie and %.6q: %d", route, header, r.Status)
				}
				asked++
			}
		}
		if asked < 100 {
			t.Errorf("only %d requests", asked)
		}
		for path, to := range map[string]string{"/": "/login", "/account": "/login?wanted=%2Faccount"} {
			nobody := browse(s, atHome)
			goesTo(t, nobody.keep(t, nobody.send("GET", path, nil, "Authorization", "Bearer "+s.Clinic.Key[auth.Owner])), to)
		}
	})
}

// inRole is an account with another role.
func inRole(a auth.NewAccount, role auth.Role) auth.NewAccount {
	a.Role = role
	return a
}

func TestTheFirstAccountIsMadeOnceAndByWhoHasTheKey(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		form := withField(forms["/setup"], "clinic", "here")
		b := browse(s, atHome)
		for what, key := range map[string]string{
			"no key": "", "a guess": strings.Repeat("x", 40), "another clinic's": s.Other.Key[auth.Admin], "a clinician's": s.Clinic.Key[auth.Clinician],
		} {
			b.get(t, "/setup").Want(http.StatusOK)
			r := b.post(t, "/setup", withField(form, "key", key))
			if r.Status != http.StatusUnauthorized && r.Status != http.StatusForbidden {
				t.Errorf("%s: %d", what, r.Status)
			}
			if key != "" && strings.Contains(string(r.Body), key) {
				t.Errorf("%s: the page repeats the key", what)
			}
		}
		b.get(t, "/setup")
		for field, bad := range map[string]string{"email": "no address", "name": "", "password": "short"} {
			r := b.post(t, "/setup", withField(withField(form, "key", s.Clinic.Key[auth.Owner]), field, bad)).Want(http.StatusUnprocessableEntity)
			if !strings.Contains(string(r.Body), `role="alert"`) || strings.Contains(string(r.Body), form.Get("password")) {
				t.Errorf("%s %q: %s", field, bad, r.Body)
			}
		}
		good := withField(form, "key", s.Clinic.Key[auth.Owner])
		before := b.cookie
		goesTo(t, b.post(t, "/setup", good), "/")
		if b.cookie == before {
			t.Error("the session is that of before")
		}
		if page := string(b.get(t, "/account").Want(http.StatusOK).Body); !strings.Contains(page, "owner") {
			t.Errorf("%s", page)
		}
		again := browse(s, atHome)
		again.get(t, "/setup")
		again.post(t, "/setup", good).Want(http.StatusConflict)
	})
}

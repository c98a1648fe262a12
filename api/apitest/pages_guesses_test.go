package apitest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
)

// answers counts what a thousand attempts were answered, and fails the test where
// a refusal does not say when to come back.
type answers map[int]int

func (n answers) add(t *testing.T, r *http.Response) {
	t.Helper()
	_ = r.Body.Close()
	n[r.StatusCode]++
	if r.StatusCode != http.StatusTooManyRequests {
		return
	}
	if wait, err := strconv.Atoi(r.Header.Get("Retry-After")); err != nil || wait < 1 || wait > 3600 {
		t.Errorf("Retry-After is %q", r.Header.Get("Retry-After"))
	}
}

// wrong is what a guesser types, and each time another password.
func wrong(email string, i int) url.Values {
	return url.Values{"clinic": {"here"}, "email": {email}, "password": {fmt.Sprintf("guess number %d of many", i)}}
}

func TestOfAThousandGuessesOfAPasswordFiveAreJudged(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		hire(t, s, ada)
		guesser, got := browse(s, strange), answers{}
		guesser.get(t, "/login")
		for i := range 1000 {
			got.add(t, guesser.send("POST", "/login", guesser.signed(wrong(string(ada.Email), i))))
			if i == 500 {
				signedIn(t, s, ada) // from another address, in the midst of it
			}
		}
		same(t, "statuses", answers{http.StatusUnauthorized: 5, http.StatusTooManyRequests: 995}, got)
		signedIn(t, s, ada)
		guesser.signIn(t, ada).Want(http.StatusTooManyRequests) // the right one comes too late
	})
}

func TestOfAThousandGuessesAtManyAccountsThirtyOfAnAddressAreJudged(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		hire(t, s, ada)
		guesser, got := browse(s, strange), answers{}
		guesser.get(t, "/login")
		for i := range 1000 {
			got.add(t, guesser.send("POST", "/login", guesser.signed(wrong(fmt.Sprintf("nobody-%d@clinic.example", i), i))))
		}
		same(t, "statuses", answers{http.StatusUnauthorized: 30, http.StatusTooManyRequests: 970}, got)
		signedIn(t, s, ada)
	})
}

// A guesser with a thousand addresses gets a hundred guesses an hour. Who has
// signed in before from where they are does not notice.
func TestOfAThousandGuessesFromAThousandAddressesAHundredAreJudged(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		hire(t, s, ada)
		signedIn(t, s, ada)
		guesser, got := browse(s, strange), answers{}
		guesser.get(t, "/login")
		for i := range 1000 {
			guesser.address = fmt.Sprintf("203.%d.%d.9", i/250, i%250)
			got.add(t, guesser.send("POST", "/login", guesser.signed(wrong(string(ada.Email), i))))
		}
		same(t, "statuses", answers{http.StatusUnauthorized: 100, http.StatusTooManyRequests: 900}, got)
		signedIn(t, s, ada)
	})
}

func TestOfAThousandGuessedKeysThirtyAreLookedUp(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		ask := func(address, key string) *http.Response {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/clients", nil)
			r.RemoteAddr = address + ":50000"
			r.Header.Set("Authorization", "Bearer "+key)
			w := httptest.NewRecorder()
			s.Handler.ServeHTTP(w, r)
			return w.Result()
		}
		got := answers{}
		for i := range 1000 {
			got.add(t, ask(strange, string(auth.NewSecret())))
			if i == 500 {
				apitest.ReadAll(t, ask(atHome, s.Clinic.Key[auth.Clinician])).Want(http.StatusOK)
			}
		}
		same(t, "statuses", answers{http.StatusUnauthorized: 30, http.StatusTooManyRequests: 970}, got)
		apitest.ReadAll(t, ask(atHome, s.Clinic.Key[auth.Researcher])).Want(http.StatusForbidden) // known, and no more
		apitest.ReadAll(t, ask(atHome, s.Clinic.Key[auth.Admin])).Want(http.StatusOK)
	})
}

// Who guesses the code of a second factor has the password already.
func TestACodeIsGuessedNoMoreOftenThanAPassword(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		hire(t, s, ada)
		b := signedIn(t, s, ada)
		b.get(t, "/account")
		page := b.post(t, "/account/totp", nil).Want(http.StatusOK)
		secret := secretOf(t, string(page.Body))
		page = b.post(t, "/account/totp/confirm", url.Values{"code": {"000000"}}).Want(http.StatusUnprocessableEntity)
		if text := string(page.Body); strings.Contains(text, secret) || !strings.Contains(text, `action="/account/totp/confirm"`) {
			t.Errorf("after a wrong code: %s", text)
		}
		page = b.post(t, "/account/totp/confirm", url.Values{"code": {codeOf(t, secret, s.Clock.Now())}}).Want(http.StatusOK)
		_, codes, _ := strings.Cut(string(page.Body), `class="codes"`)
		if n := strings.Count(codes, "<li>"); n != 10 {
			t.Errorf("%d recovery codes: %s", n, page.Body)
		}
		guesser, got := browse(s, strange), answers{}
		guesser.get(t, "/login")
		for i := range 1000 {
			got.add(t, guesser.send("POST", "/login", guesser.signed(withField(asTyped(ada), "code", fmt.Sprintf("%06d", i)))))
		}
		same(t, "statuses", answers{http.StatusUnauthorized: 5, http.StatusTooManyRequests: 995}, got)
	})
}

// Each browser without a session is a row in the database.
func TestOfAThousandBrowsersOfAnAddressSixtyGetASession(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		got := answers{}
		for range 1000 {
			got.add(t, browse(s, strange).send("GET", "/login", nil))
		}
		same(t, "statuses", answers{http.StatusOK: 60, http.StatusTooManyRequests: 940}, got)
		if n := count(t, behind(t, s), "SELECT count(*) FROM web_sessions"); n != 60 {
			t.Errorf("%d sessions", n)
		}
		browse(s, atHome).get(t, "/login").Want(http.StatusOK)
	})
}

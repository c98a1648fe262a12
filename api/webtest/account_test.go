package webtest_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/auth/authtest"
)

const ownersPassword = "seven plain words together"

// TestSomebodySetsUpSignsInAndKeepsTheirAccountInABrowser goes through every
// page as a person does.
func TestSomebodySetsUpSignsInAndKeepsTheirAccountInABrowser(t *testing.T) {
	t.Parallel()
	s := apitest.SQLite(t)
	c := openChromium(t, s.URL)
	c.open("/")
	c.at("/login", "Sign in")
	c.examine("login")
	c.press(`a[href="/setup"]`)
	c.examine("setup")
	c.fill("key", strings.Repeat("x", 40), "name", "Eva Owner", "email", "eva@clinic.example", "password", ownersPassword)
	status(t, c.press("button.wide").Status, http.StatusUnauthorized)
	c.at("/setup", "not known")
	c.examine("setup-refused")
	c.fill("key", s.Clinic.Key[auth.Owner], "password", ownersPassword)
	c.press("button.wide")
	c.at("/clients", "No clients yet")
	c.examine("home")
	c.press(`nav a[href="/account"]`)
	c.at("/account", "owner")
	c.examine("account")

	c.press(`form[action="/account/totp"] button`)
	c.at("/account/totp", "authenticator app")
	c.examine("totp")
	secret := ask[string](c, `document.getElementById("secret").textContent`)
	c.fill("code", "000000")
	status(t, c.press(`form[action="/account/totp/confirm"] button`).Status, http.StatusUnprocessableEntity)
	c.at("/account/totp/confirm", "not right")
	c.examine("totp-refused")
	c.fill("code", codeOf(t, secret, time.Now()))
	c.press(`form[action="/account/totp/confirm"] button`)
	codes := ask[[]string](c, `[...document.querySelectorAll(".codes li")].map(e => e.textContent)`)
	if len(codes) != 10 {
		t.Fatalf("%d recovery codes", len(codes))
	}
	c.examine("recovery")
	c.press("a.button")
	c.at("/clients", "Caseload")

	c.press(`form[action="/logout"] button`)
	c.at("/login", "Sign in")
	c.open("/account")
	c.at("/login?wanted=%2Faccount", "Sign in")
	enter := func(password, code string) {
		c.fill("email", "eva@clinic.example", "password", password, "code", code)
	}
	enter("not the password", "")
	status(t, c.press("button.wide").Status, http.StatusUnauthorized)
	c.at("/login", "is not right")
	c.examine("login-refused")
	enter(ownersPassword, "000000")
	status(t, c.press("button.wide").Status, http.StatusUnauthorized)
	enter(ownersPassword, codeOf(t, secret, time.Now().Add(30*time.Second))) // the one of before is used up
	c.press("button.wide")
	c.at("/account", "Password")
	c.press(`form[action="/logout"] button`)
	enter(ownersPassword, strings.ToLower(codes[3]))
	c.press("button.wide")
	c.at("/clients", "Caseload")

	c.open("/account")
	c.examine("account-with-totp")
	c.fill("current", ownersPassword, "next", "short")
	c.press(`form[action="/account/password"] button`)
	c.at("/account/password", "12 characters")
	c.fill("current", ownersPassword, "next", "eight other words together")
	c.press(`form[action="/account/password"] button`)
	c.at("/account/password", "was changed")
	c.examine("password-changed")
	c.fill("remove", "eight other words together")
	c.press(`form[action="/account/totp/remove"] button`)
	c.at("/account/totp/remove", "is off")
	c.checkComplaints()
}

// checkComplaints fails the test where the browser complained of anything but
// a refusal that was meant.
func (c *chromium) checkComplaints() {
	c.t.Helper()
	others := slices.DeleteFunc(c.complaints(), func(m string) bool {
		return strings.Contains(m, "status of 401") || strings.Contains(m, "status of 422")
	})
	if len(others) > 0 {
		c.t.Errorf("the browser complained: %s", strings.Join(others, "\n"))
	}
}

func status(t *testing.T, got int64, want int) {
	t.Helper()
	if got != int64(want) {
		t.Errorf("status %d instead of %d", got, want)
	}
}

func TestSomebodySignsInWithTheirOrganisationInABrowser(t *testing.T) {
	t.Parallel()
	server := listening(t)
	url := "http://" + server.Listener.Addr().String()
	p := authtest.NewProvider(t, url+"/login/callback", jane)
	o, err := auth.NewOIDC(p.Config(groupRoles), time.Now, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := apitest.SQLiteWith(t, apitest.Options{Provider: o})
	server.Config.Handler = s.Handler
	server.Start()

	c := openChromium(t, url)
	atOrganisation := func(who authtest.User) {
		c.open("/login")
		c.press(`form[action="/login/provider"] button`)
		c.do(chromedp.WaitVisible(chromedp.CSS(`input[name="username"]`)))
		if got := ask[string](c, "location.origin"); got != p.Issuer {
			t.Fatalf("at %s", got)
		}
		c.do(chromedp.SendKeys(chromedp.CSS(`input[name="username"]`), who.Username),
			chromedp.SendKeys(chromedp.CSS(`input[name="password"]`), who.Password))
		c.press(`button[type="submit"]`)
	}
	c.open("/login")
	c.examine("login-with-provider")
	atOrganisation(jane)
	c.at("/clients", "Caseload")
	c.press(`nav a[href="/account"]`)
	c.at("/account", "Jane Doe")
	c.examine("account-of-provider")
	c.press(`form[action="/logout"] button`)
	c.at("/login", "Sign in")
	c.checkComplaints()
}

// The cookie is one for safe connections; a browser takes it from its own
// machine as well.
func TestABrowserKeepsTheCookieOfItsOwnMachine(t *testing.T) {
	t.Parallel()
	s := apitest.SQLite(t)
	apitest.Hire(t, s, ada)
	_, port, _ := strings.Cut(strings.TrimPrefix(s.URL, "http://"), ":")
	for _, host := range []string{"127.0.0.1", "localhost"} {
		c := openChromium(t, "http://"+host+":"+port)
		c.open("/login")
		c.fill("email", string(ada.Email), "password", string(ada.Password))
		c.press("button.wide")
		c.at("/clients", "Caseload")
		if cookies := ask[string](c, "document.cookie"); cookies != "" {
			t.Errorf("a script can read %q", cookies)
		}
		c.checkComplaints()
	}
}

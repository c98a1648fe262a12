package main_test

import (
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

var signIns = regexp.MustCompile(`(?m)^  (\w+) +(\S+@clinic\.example) +(\S+)$`)

// TestWhatTheDemoPrintsOpensThePages signs in as each of those whom the demo
// names, and opens the client whose picture it prints.
func TestWhatTheDemoPrintsOpensThePages(t *testing.T) {
	t.Parallel()
	p := launch(t, nil, "demo", "--addr", "127.0.0.1:0")
	deadline := time.Now().Add(2 * time.Minute)
	for !strings.Contains(p.out.String(), "\ncurl ") {
		if time.Now().After(deadline) {
			t.Fatalf("the demo does not come up:\n%s%s", p.out.tail(), p.err.tail())
		}
		time.Sleep(50 * time.Millisecond)
	}
	said := p.out.String()
	client := regexp.MustCompile(`http://\S+/clients/\S+`).FindString(said)
	at, err := url.Parse(client)
	if err != nil || at.Host == "" {
		t.Fatalf("no client is named: %v\n%s", err, said)
	}
	want := map[string]int{"clinician": http.StatusOK, "owner": http.StatusOK, "researcher": http.StatusForbidden}
	found := signIns.FindAllStringSubmatch(said, -1)
	if len(found) != len(want) {
		t.Fatalf("%d people may sign in, not %d:\n%s", len(found), len(want), said)
	}
	for _, person := range found {
		if got := visited(t, at, person[2], person[3]); got != want[person[1]] {
			t.Errorf("the %s is answered %d, not %d", person[1], got, want[person[1]])
		}
	}
	p.terminate() // it takes its folder away
	if code := p.code(20 * time.Second); code != 0 {
		t.Errorf("it ended with %d: %s", code, p.err.tail())
	}
}

// visited signs somebody in as a browser does and gives the status of a page.
func visited(t *testing.T, page *url.URL, email, password string) int {
	t.Helper()
	origin := page.Scheme + "://" + page.Host
	cookies := map[string]string{}
	send := func(method, to string, form url.Values) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, to, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Sec-Fetch-Site", "same-origin")
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for name, value := range cookies {
			req.AddCookie(&http.Cookie{Name: name, Value: value})
		}
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		for _, c := range res.Cookies() {
			cookies[c.Name] = c.Value
		}
		var body strings.Builder
		if _, err := io.Copy(&body, res.Body); err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, body.String()
	}
	_, form := send(http.MethodGet, origin+"/login", nil)
	token := regexp.MustCompile(`name="([^"]+)" value="([^"]+)"`).FindStringSubmatch(form)
	if token == nil {
		t.Fatalf("the form has no token: %s", form)
	}
	status, answer := send(http.MethodPost, origin+"/login", url.Values{token[1]: {token[2]}, "email": {email}, "password": {password}})
	if status != http.StatusSeeOther {
		t.Fatalf("%s is not let in: %d %s", email, status, answer)
	}
	status, _ = send(http.MethodGet, page.String(), nil)
	return status
}

package webtest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/protrack/protrack/pkg/auth"
)

// Texts that do harm in a page that lets them. Each is put into every text that
// a clinic stores, as long as it may be.
var harmful = map[string]string{
	"markup": `"'><script>alert(1)</script><img src=x onerror=alert(1)></title></textarea></style></svg>{{.}}<a href=javascript:alert(1)>x</a>%s`,
	"signs":  "\u202eevil \u2066\u05d0\u05d1 \u0627\u0644 😀👨‍👩‍👧 e\u0301",
	"no end": "",
}

// filled is a text over and over, as long as it may be.
func filled(text string) func(longest int) string {
	return func(longest int) string {
		runes := []rune(text)
		if len(runes) == 0 {
			return strings.Repeat("W", longest)
		}
		return strings.TrimSpace(string(runes[:min(len(runes), longest)]))
	}
}

// skeleton lists what a page is made of without its texts.
const skeleton = `[...document.querySelectorAll("*")].map(e => e.tagName + " " + [...e.attributes].map(a => a.name).sort().join(" "))`

// TestStoredTextsAreTextsOnEveryPage: whatever is stored, the page is made of
// the same elements, nothing runs, and nothing must be scrolled sideways.
func TestStoredTextsAreTextsOnEveryPage(t *testing.T) {
	t.Parallel()
	walk := func(t *testing.T, text func(int) string) (clinic, map[string][]string) {
		in, out := furnish(t, text), map[string][]string{}
		c := openChromium(t, in.s.URL)
		c.enterAt("here", somebody("owner", auth.Owner))
		c.size(390, 844)
		for _, p := range inventory {
			if p.as != "" || strings.HasPrefix(p.route, "/login") || p.route == "/setup" || p.figure != "" && p.figure != "change" {
				continue
			}
			c.open(p.at(in))
			c.shows(http.StatusOK)
			out[p.name()] = ask[[]string](c, skeleton)
			c.fits(p.name(), 390)
			if said := c.complaints(); len(said) > 0 {
				t.Errorf("%s: %s", p.name(), strings.Join(said, "\n"))
			}
		}
		return in, out
	}
	_, want := walk(t, plain)
	for name, text := range harmful {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in, got := walk(t, filled(text))
			for at := range want {
				same(t, at, want[at], got[at])
			}
			picture := in.s.Do("GET", "/v1/clients/"+in.client+"/trajectory.svg?instrument=phq-9", nil).Want(http.StatusOK)
			if strings.Contains(string(picture.Body), "<script") || strings.Contains(string(picture.Body), "<img") {
				t.Errorf("the picture holds more than texts: %s", picture.Body)
			}
		})
	}
}

// TestMarkupThatIsLetInIsSeen is the control of the test above.
func TestMarkupThatIsLetInIsSeen(t *testing.T) {
	t.Parallel()
	c := openChromium(t, furnish(t, plain).s.URL)
	c.open("/login")
	before := ask[[]string](c, skeleton)
	ask[bool](c, `(document.querySelector("h1").innerHTML = "<img src=x onerror=alert(1)>", true)`)
	if after := ask[[]string](c, skeleton); len(after) != len(before)+1 {
		t.Errorf("%d elements after %d", len(after), len(before))
	}
	c.do(chromedp.Sleep(200 * time.Millisecond)) // the picture is asked for, and fails
	if len(c.complaints()) == 0 {
		t.Error("the browser did not complain of a script in the page")
	}
}

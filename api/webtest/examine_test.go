package webtest_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/protrack/protrack/pkg/auth"
)

// statusOf is the status that the page was answered with.
const statusOf = `performance.getEntriesByType("navigation")[0].responseStatus`

// cutOff lists the texts of which a part cannot be seen.
const cutOff = `[...document.querySelectorAll("body *")].filter(e => {
	const s = getComputedStyle(e);
	return e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 1 && ["hidden", "clip"].includes(s.overflowX) && s.display != "inline" && !e.closest("svg");
}).map(e => e.outerHTML.slice(0, 200))`

// shows fails the test unless the page was answered with a status.
func (c *chromium) shows(status int) {
	c.t.Helper()
	if got := ask[int](c, statusOf); got != status {
		c.t.Fatalf("%s: status %d instead of %d: %s", ask[string](c, "location.pathname"), got, status, ask[string](c, "document.body.innerText"))
	}
}

// size gives the tab a size in CSS pixels.
func (c *chromium) size(width, height int64) {
	c.t.Helper()
	c.do(chromedp.EmulateViewport(width, height))
}

// scheme is how the reader wants it: "light" or "dark".
func (c *chromium) scheme(name string) {
	c.t.Helper()
	if _, err := chromedp.Call(c.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}},
	}); err != nil {
		c.t.Fatal(err)
	}
}

// fits fails the test where the page must be scrolled sideways, or cuts a text
// off.
func (c *chromium) fits(at string, width int64) {
	c.t.Helper()
	c.size(width, 844)
	if wide := ask[int64](c, "document.documentElement.scrollWidth"); wide > width {
		c.t.Errorf("%s is %d pixels wide on %d", at, wide, width)
	}
	if cut := ask[[]string](c, cutOff); len(cut) > 0 {
		c.t.Errorf("%s on %d pixels cuts off %q", at, width, cut)
	}
}

// examine holds a page against the rules: by day on a desk, by night on a
// phone, and enlarged twice, which halves the desk's 1280 pixels. The browser
// must have had nothing to complain of but a refusal.
func (c *chromium) examine(at string) {
	c.t.Helper()
	source, err := axe()
	if err != nil {
		c.t.Fatal(err)
	}
	c.do(chromedp.Evaluate[chromedp.Void](source + ";0"))
	c.scheme("light")
	c.fits(at+", enlarged", 640)
	c.size(1280, 800)
	c.rules(at + ", by day")
	c.scheme("dark")
	c.fits(at+", phone", 390)
	c.rules(at + ", by night on a phone")
	for _, m := range c.complaints() {
		if !strings.Contains(m, "the server responded with a status of 4") {
			c.t.Errorf("%s: %s", at, m)
		}
	}
}

func (c *chromium) rules(at string) {
	c.t.Helper()
	if found := violations(c); len(found) > 0 {
		c.t.Errorf("%s: %.1500s", at, strings.Join(found, "\n"))
	}
}

// sendEmpty sends the page's form with nothing typed and its last choices,
// past the browser's own checks, and gives the status of the answer.
func (c *chromium) sendEmpty() int {
	c.t.Helper()
	r, err := chromedp.RunResponse(c.ctx, chromedp.Evaluate[chromedp.Void](`{
		const form = document.querySelector("main form[method=post]:not([action='/login/provider'])");
		for (const e of form.elements) if (e.tagName == "SELECT") e.selectedIndex = e.options.length - 1;
		else if (e.type != "hidden" && e.type != "radio" && e.tagName != "BUTTON") e.value = "";
		form.noValidate = true;
		form.submit();
	}`))
	if err != nil {
		c.t.Fatal(err)
	}
	return int(r.Status)
}

// enterAt signs somebody in at a clinic.
func (c *chromium) enterAt(clinic string, who auth.NewAccount) {
	c.t.Helper()
	c.open("/login?clinic=" + clinic)
	c.fill("email", string(who.Email), "password", string(who.Password))
	c.press("button.wide")
	if at := ask[string](c, "location.pathname"); at == "/login" {
		c.t.Fatalf("%s is not let in: %s", who.Email, ask[string](c, "document.body.innerText"))
	}
}

// speak chooses the language of the pages.
func (c *chromium) speak(language string) {
	c.t.Helper()
	if ask[string](c, "document.documentElement.lang") != language {
		c.press(`button[name="language"][value="` + language + `"]`)
	}
}

// english are the sentences of the catalog that are not the same in Spanish, as
// expressions that a whole text must fit.
var english = sync.OnceValues(func() ([]*regexp.Regexp, error) {
	files, err := filepath.Glob("../web/words/es/*.json")
	if err != nil {
		return nil, err
	}
	var out []*regexp.Regexp
	letter := regexp.MustCompile(`\pL`)
	verb := regexp.MustCompile(`%[+#]?[0-9.]*[a-z]`)
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		words := map[string]string{}
		if err := json.Unmarshal(data, &words); err != nil {
			return nil, err
		}
		for said, spanish := range words {
			if said != spanish && len(letter.FindAllString(verb.ReplaceAllString(said, ""), -1)) > 7 {
				parts := verb.Split(said, -1)
				for i := range parts {
					parts[i] = regexp.QuoteMeta(parts[i])
				}
				out = append(out, regexp.MustCompile("^"+strings.Join(parts, ".+")+"$"))
			}
		}
	}
	return out, nil
})

// leftInEnglish are the texts of a page that the catalog has in English, but
// for those that say of themselves that they are.
func leftInEnglish(t *testing.T, c *chromium) (out []string) {
	t.Helper()
	patterns, err := english()
	if err != nil || len(patterns) < 100 {
		t.Fatal(len(patterns), err)
	}
	for _, text := range ask[[]string](c, `[...document.querySelectorAll("body *, title")].filter(e => !e.parentElement.closest("[lang]:not(html)") && !e.matches("[lang], bdi, script"))
		.flatMap(e => [...e.childNodes].filter(n => n.nodeType == 3).map(n => n.data.trim()).concat(["aria-label", "placeholder", "title", "data-label", "data-sure"].map(a => e.getAttribute(a))))
		.filter(s => s)`) {
		for _, p := range patterns {
			if p.MatchString(text) {
				out = append(out, text)
				break
			}
		}
	}
	return out
}

// checkWords fails the test where a page is not in Spanish throughout.
func (c *chromium) checkWords(at string) {
	c.t.Helper()
	same(c.t, at+": the language", "es", ask[string](c, "document.documentElement.lang"))
	if left := leftInEnglish(c.t, c); len(left) > 0 {
		c.t.Errorf("%s says in English: %q", at, left)
	}
}

func TestWhatIsLeftInEnglishIsSeen(t *testing.T) {
	t.Parallel()
	c := openChromium(t, furnish(t, plain).s.URL)
	c.open("/login")
	if left := leftInEnglish(t, c); len(left) < 5 {
		t.Errorf("of an English page only %q is seen", left)
	}
}

package webtest_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// chromium is a profile of the browser with one tab.
type chromium struct {
	t   *testing.T
	ctx context.Context //nolint:containedctx // the tab, as chromedp names it
	url string

	mu   sync.Mutex
	said []string // what the browser complained of
}

// openChromium opens a new profile for a server. Without a browser on this
// machine the test is skipped, or fails where CI=true.
func openChromium(t *testing.T, url string) *chromium {
	t.Helper()
	process, err := theBrowser()
	if err != nil {
		t.Fatal(err)
	}
	if process == nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("there is no chromium here")
		}
		t.Skip("there is no chromium here")
	}
	patience := 3 * time.Minute
	if long() {
		patience = time.Hour
	}
	limited, cancel := context.WithTimeout(process, patience)
	ctx, shut := chromedp.NewContext(limited, chromedp.WithNewBrowserContext())
	t.Cleanup(func() { shut(); cancel() })
	c := &chromium{t: t, ctx: ctx, url: url}
	messages := chromedp.Console(ctx)
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			if m.URL != "" && !strings.HasPrefix(m.URL, url) || strings.HasPrefix(m.Text, "Clear-Site-Data header") {
				continue // another server's page, or what was asked for
			}
			c.mu.Lock()
			c.said = append(c.said, fmt.Sprintf("%s %s at %s", m.Source, m.Text, m.URL))
			c.mu.Unlock()
		}
	}()
	return c
}

// complaints are what the browser complained of since the last call.
func (c *chromium) complaints() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.said
	c.said = nil
	return out
}

// do runs actions, or ends the test.
func (c *chromium) do(actions ...chromedp.Action[chromedp.Void]) {
	c.t.Helper()
	if err := chromedp.Do(c.ctx, actions...); err != nil {
		c.t.Fatal(err)
	}
}

// open goes to a page of the server.
func (c *chromium) open(path string) { c.t.Helper(); c.do(chromedp.Navigate(c.url + path)) }

// fill types into the fields of a page, over what stands there.
func (c *chromium) fill(pairs ...string) {
	c.t.Helper()
	for i := 0; i+1 < len(pairs); i += 2 {
		c.do(chromedp.Clear(chromedp.ID(pairs[i])), chromedp.SendKeys(chromedp.ID(pairs[i]), pairs[i+1]))
	}
}

// press clicks a button and waits for the page that it leads to.
func (c *chromium) press(button string) *network.Response {
	c.t.Helper()
	r, err := chromedp.RunResponse(c.ctx, chromedp.Click(chromedp.CSS(button), chromedp.NodeVisible))
	if err != nil {
		c.t.Fatalf("%s: %v", button, err)
	}
	return r
}

// ask evaluates an expression in the tab.
func ask[T any](c *chromium, expression string) T {
	c.t.Helper()
	v, err := chromedp.Run(c.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		c.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// at fails the test unless the tab shows a page with a text.
func (c *chromium) at(path, text string) {
	c.t.Helper()
	if got := ask[string](c, "location.href"); got != c.url+path {
		c.t.Fatalf("at %s instead of %s: %s", got, path, ask[string](c, "document.body.innerText"))
	}
	if got := ask[string](c, "document.body.innerText"); !strings.Contains(got, text) {
		c.t.Fatalf("%s does not say %q: %s", path, text, got)
	}
}

// axe gives the source of axe-core.
var axe = sync.OnceValues(func() (string, error) {
	f, err := os.Open("testdata/axe-core/axe.min.js.gz")
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err != nil {
		return "", err
	}
	source, err := io.ReadAll(z)
	return string(source), err
})

// violations are what axe-core finds in the page that is shown.
func violations(c *chromium) []string {
	c.t.Helper()
	said := ask[string](c, `axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}).then(r =>
		JSON.stringify({passes: r.passes.length, violations: r.violations.map(v => v.id + ': ' + v.help + ': ' + v.nodes.map(n => n.html).join(' '))}))`)
	var found struct {
		Passes     int
		Violations []string
	}
	if err := json.Unmarshal([]byte(said), &found); err != nil {
		c.t.Fatal(err)
	}
	if found.Passes < 10 {
		c.t.Errorf("only %d rules were met", found.Passes)
	}
	return found.Violations
}

// listening is a server whose address is known before it answers.
func listening(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	t.Cleanup(server.Close)
	return server
}

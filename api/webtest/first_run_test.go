package webtest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
)

// A hand works a page, with a mouse or with keys alone, and counts what it does.
type hand struct {
	*chromium

	keys  bool
	steps int
}

// hasRing says that whoever looks at the page sees where the focus is.
const hasRing = `(() => {
	const e = document.activeElement, s = getComputedStyle(e), r = e.getBoundingClientRect();
	const seen = r.width > 0 && r.height > 0 && r.bottom > 0 && r.top < innerHeight;
	return seen && (s.outlineStyle != "none" && parseFloat(s.outlineWidth) >= 2 || s.boxShadow != "none");
})()`

// reach goes to an element by Tab, and fails the test where the focus is lost
// from sight on the way.
func (h *hand) reach(css string) {
	h.t.Helper()
	for range 120 {
		h.do(chromedp.KeyEvent("\t"))
		if at := ask[string](h.chromium, `document.activeElement.outerHTML.slice(0, 120)`); !ask[bool](h.chromium, hasRing) && !ask[bool](h.chromium, `document.activeElement == document.body`) {
			h.t.Errorf("%s: the focus cannot be seen on %s", ask[string](h.chromium, "location.pathname"), at)
		}
		if ask[bool](h.chromium, `document.activeElement.matches(`+quoted(css)+`)`) {
			return
		}
	}
	h.t.Fatalf("%s: Tab does not lead to %s", ask[string](h.chromium, "location.pathname"), css)
}

func quoted(css string) string { return "`" + css + "`" }

// write types into a field.
func (h *hand) write(css, text string) {
	h.t.Helper()
	h.steps++
	if h.keys {
		h.reach(css)
		h.do(chromedp.KeyEvent(text))
		return
	}
	h.do(chromedp.SendKeys(chromedp.CSS(css), text))
}

// follow presses a button or a link, and waits for the page that it leads to.
func (h *hand) follow(css string) {
	h.t.Helper()
	h.steps++
	action := chromedp.Click(chromedp.CSS(css), chromedp.NodeVisible)
	if h.keys {
		h.reach(css)
		action = chromedp.KeyEvent("\r")
	}
	r, err := chromedp.RunResponse(h.ctx, action)
	if err != nil {
		h.t.Fatalf("%s: %v", css, err)
	}
	if r.Status != http.StatusOK {
		h.t.Fatalf("%s leads to %d: %s", css, r.Status, ask[string](h.chromium, "document.body.innerText"))
	}
}

// answer fills in a PHQ-9 with the lowest answers: in a row, or by keys one by
// one.
func (h *hand) answer() {
	h.t.Helper()
	if !h.keys {
		h.write("#in_order", "000000000")
		return
	}
	for _, item := range "123456789" {
		h.reach(`input[name="answers.phq9_` + string(item) + `"]`)
		h.do(chromedp.KeyEvent(" "))
		h.steps++
	}
}

// firstRun sets a clinic up and goes on to the first change.
func (h *hand) firstRun(s *apitest.Server) {
	h.t.Helper()
	h.open("/setup")
	h.write("#key", s.Clinic.Key[auth.Owner])
	h.write("#name", "Eva Owner")
	h.write("#email", "eva@clinic.example")
	h.write("#password", ownersPassword)
	h.follow("button.wide")
	h.follow(`section.empty a[href="/clients/new"]`)
	h.write("#reference", "P-1")
	h.follow("form.form button")
	h.follow(`main a[href$="/courses/new"]`)
	h.write("#indication", "depression")
	h.follow("form.form button")
	h.follow(`main a[href$="/sessions/new"]`)
	h.follow("form.form button")
	h.follow(`main a[href*="/assessments/new"][href*="timing=before"]`)
	h.follow(`main a[href*="instrument=phq-9&"]`)
	h.write("#in_order", "332 233 210")
	h.follow("button.wide")
	s.Clock.Set(s.Clock.Now().Add(20 * time.Minute)) // the session
	h.follow(`main a[href*="timing=after"]`)
	h.answer()
	h.follow("button.wide")
	for _, text := range []string{"−19", "(−100 %)", "by more than measurement error"} {
		if page := ask[string](h.chromium, "document.body.innerText"); !strings.Contains(page, text) {
			h.t.Errorf("the result does not say %q: %s", text, page)
		}
	}
	h.follow(`a.button[href^="/clients/"]`)
	if n := ask[int](h.chromium, `document.querySelectorAll("main figure svg").length`); n != 1 {
		h.t.Errorf("%d pictures of the change", n)
	}
	if page := ask[string](h.chromium, "document.body.innerText"); !strings.Contains(page, "−19") {
		h.t.Errorf("the client's page does not show the change: %s", page)
	}
	h.checkComplaints()
}

func TestAFirstRunTakesFewSteps(t *testing.T) {
	t.Parallel()
	s := apitest.SQLite(t)
	h := &hand{chromium: openChromium(t, s.URL)}
	began := time.Now()
	h.firstRun(s)
	took := time.Since(began)
	t.Logf("from the empty clinic to the first change: %d interactions, %s", h.steps, took.Round(time.Second/10))
	if h.steps >= 25 || took > 3*time.Minute {
		t.Errorf("%d interactions in %s", h.steps, took)
	}
}

func TestAFirstRunWithKeysAlone(t *testing.T) {
	t.Parallel()
	s := apitest.SQLite(t)
	h := &hand{chromium: openChromium(t, s.URL), keys: true}
	if _, err := chromedp.Call(h.ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}); err != nil {
		t.Fatal(err)
	}
	h.firstRun(s)
}

func TestAFirstRunWithoutScripts(t *testing.T) {
	t.Parallel()
	s := apitest.SQLite(t)
	h := &hand{chromium: openChromium(t, s.URL)}
	if _, err := chromedp.Call(h.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	h.firstRun(s)
	h.follow(`main a[href$="/edit"]`)
	if zones := ask[int](h.chromium, `document.querySelectorAll("#zones option").length`); zones > 200 {
		t.Error("a script ran") // it adds every zone that the browser knows
	}
}

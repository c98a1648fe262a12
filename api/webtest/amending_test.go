package webtest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/protrack/protrack/pkg/auth"
)

// TestTheSecondOfTwoWhoAmendIsTold: each in a browser of their own, both with
// the same form open. The second sees both, and loses nothing.
func TestTheSecondOfTwoWhoAmendIsTold(t *testing.T) {
	t.Parallel()
	in := furnish(t, plain)
	path := "/assessments/" + in.assessment + "/amend"
	first, second := openChromium(t, in.s.URL), openChromium(t, in.s.URL)
	for c, who := range map[*chromium]auth.NewAccount{first: somebody("owner", auth.Owner), second: somebody("admin", auth.Admin)} {
		c.enterAt("here", who)
		c.open(path)
	}
	amend := func(c *chromium, status int, reason string, answers ...string) {
		t.Helper()
		for i := 0; i < len(answers); i += 2 {
			c.choose(answers[i], answers[i+1])
		}
		c.do(chromedp.SendKeys(chromedp.ID("reason"), reason))
		if got := c.press(`form.questionnaire section.form button`).Status; got != int64(status) {
			t.Fatalf("%s: status %d instead of %d: %s", reason, got, status, ask[string](c, "document.body.innerText"))
		}
	}
	amend(first, http.StatusOK, "Read out again.", "phq9_1", "3", "phq9_2", "0")
	amend(second, http.StatusPreconditionFailed, "Item 5 was misread.", "phq9_2", "3", "phq9_5", "0")
	page := ask[string](second, "document.body.innerText")
	for _, text := range []string{"Read out again.", "both changed it"} {
		if !strings.Contains(page, text) {
			t.Errorf("the second is not told %q: %s", text, page)
		}
	}
	second.examine("an amendment that was outrun")
	same(t, "what both typed", []string{"3", "3", "0"}, []string{second.chosen("phq9_1"), second.chosen("phq9_2"), second.chosen("phq9_5")})
	same(t, "the reason", "Item 5 was misread.", ask[string](second, `document.getElementById("reason").value`))
	r, err := chromedp.RunResponse(second.ctx, chromedp.Click(chromedp.CSS(`form.questionnaire section.form button`)))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "stored", int64(http.StatusOK), r.Status)
	stored := in.s.Do("GET", "/v1/assessments/"+in.assessment, nil).Want(http.StatusOK).JSON()
	answers := stored["answers"].(object)
	same(t, "the record", []any{3.0, 3.0, 0.0, 4.0}, []any{answers["phq9_1"], answers["phq9_2"], answers["phq9_5"], stored["version"]})
}

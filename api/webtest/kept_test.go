package webtest_test

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
)

// choose clicks an answer of the questionnaire that is shown.
func (c *chromium) choose(item, value string) {
	c.t.Helper()
	c.do(chromedp.Click(chromedp.CSS(`input[name="answers.` + item + `"][value="` + value + `"]`)))
}

// chosen is the answer that stands in a page; "" is none.
func (c *chromium) chosen(item string) string {
	c.t.Helper()
	return ask[string](c, `document.querySelector('input[name="answers.`+item+`"]:checked')?.value ?? ""`)
}

// enter signs somebody in.
func (c *chromium) enter(who auth.NewAccount) {
	c.t.Helper()
	c.open("/login")
	c.fill("email", string(who.Email), "password", string(who.Password))
	c.press("button.wide")
}

// TestAnUnsentQuestionnaireIsKeptInItsTabForItsPersonUntilItIsStored: a session
// that ends while questions are read out loses no answer, and tells nobody else.
func TestAnUnsentQuestionnaireIsKeptInItsTabForItsPersonUntilItIsStored(t *testing.T) {
	t.Parallel()
	s := apitest.SQLite(t)
	apitest.Hire(t, s, ada)
	grace := somebody("grace", auth.Clinician)
	apitest.Hire(t, s, grace)
	client := s.Do("POST", "/v1/clients", object{"reference": "P-1"}).Want(201).JSON()["id"].(string)
	form := "/clients/" + client + "/assessments/new?instrument=phq-2"
	c := openChromium(t, s.URL)
	ends := func() { s.Clock.Set(s.Clock.Now().Add(31 * time.Minute)) } // the session

	c.enter(ada)
	c.open(form)
	c.choose("phq2_1", "2")
	ends()
	c.choose("phq2_2", "0")
	status(t, c.press("main button.wide").Status, 403)
	c.enter(ada)
	c.open(form)
	same(t, "the answers", []string{"2", "0"}, []string{c.chosen("phq2_1"), c.chosen("phq2_2")})
	c.examine("questionnaire-restored")
	c.press("main button.wide")
	c.open(form)
	same(t, "after it was stored", "", c.chosen("phq2_1"))

	c.choose("phq2_1", "3")
	ends()
	c.enter(grace)
	c.open(form)
	same(t, "for another person", "", c.chosen("phq2_1"))
	if kept := ask[int64](c, "sessionStorage.length"); kept != 0 {
		t.Errorf("%d things are kept of somebody else", kept)
	}
	c.choose("phq2_1", "1")
	c.press(`form[action="/logout"] button`)
	if kept := ask[int64](c, "sessionStorage.length"); kept != 0 {
		t.Errorf("%d things are kept after signing out", kept)
	}
}

package webtest_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/api/web"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/demo"
)

// A page is one that a browser can ask for.
type page struct {
	route   string // of the map of the site
	figure  string // which, of the pages of figures
	query   string
	bare    string    // the route that shows it with nothing in it; empty: there is always something
	refuses int       // the status when its form is sent empty; 0: it has none that can be
	as      auth.Role // whom it is for; empty: the owner
	not     auth.Role // who may not see it; empty: everybody may
}

// inventory lists every page.
var inventory = []page{
	{route: "/login", refuses: http.StatusUnauthorized},
	{route: "/setup", refuses: http.StatusUnauthorized},
	{route: "/account"},
	{route: "/clients", bare: "/clients", not: auth.Researcher},
	{route: "/today", bare: "/today", not: auth.Researcher},
	{route: "/clients/new", refuses: http.StatusUnprocessableEntity, not: auth.Researcher},
	{route: "/clients/:client_id", bare: "/clients/:newcomer", not: auth.Researcher},
	{route: "/clients/:client_id/history", bare: "/clients/:newcomer/history", not: auth.Researcher},
	{route: "/clients/:client_id/report", bare: "/clients/:newcomer/report", not: auth.Researcher},
	{route: "/clients/:client_id/edit", refuses: http.StatusUnprocessableEntity, not: auth.Researcher},
	{route: "/clients/:client_id/courses/new", refuses: http.StatusUnprocessableEntity, not: auth.Researcher},
	{route: "/courses/:course_id/edit", refuses: http.StatusUnprocessableEntity, not: auth.Researcher},
	{route: "/clients/:client_id/sessions/new", bare: "/clients/:newcomer/sessions/new", refuses: http.StatusUnprocessableEntity, not: auth.Researcher},
	{route: "/sessions/:session_id/edit", refuses: http.StatusUnprocessableEntity, not: auth.Researcher},
	{route: "/clients/:client_id/assessments/new", bare: "/clients/:newcomer/assessments/new", not: auth.Researcher},
	{route: "/clients/:client_id/assessments/new", query: "?instrument=phq-9", refuses: http.StatusUnprocessableEntity},
	{route: "/assessments/:assessment_id", not: auth.Researcher},
	{route: "/assessments/:assessment_id/result", not: auth.Researcher},
	{route: "/assessments/:assessment_id/amend", refuses: http.StatusUnprocessableEntity, not: auth.Researcher},
	{route: "/assessments/:assessment_id/retract", refuses: http.StatusUnprocessableEntity, not: auth.Researcher},
	{route: "/clients/:client_id/consents/new", refuses: http.StatusUnprocessableEntity, not: auth.Researcher},
	{route: "/clients/:client_id/break-glass", as: auth.Clinician, refuses: http.StatusUnprocessableEntity, not: auth.Researcher},
	{route: "/alerts", bare: "/alerts", not: auth.Researcher},
	{route: "/alerts", query: "?status="},
	{route: "/alerts/:alert_id", not: auth.Researcher},
	{route: "/cohort", bare: "/cohort"},
	{route: "/cohorts/new", refuses: http.StatusUnprocessableEntity},
	{route: "/cohort/:figure", figure: "significance"}, // nothing is asked yet
	{route: "/cohort/:figure", figure: "significance", query: "?instrument=phq-9&from=baseline&to=last&dysfunctional_mean=16&dysfunctional_sd=5&functional_mean=3&functional_sd=3&reliability=0.84"},
	{route: "/cohort/:figure", figure: "change", query: "?instrument=phq-9&from=baseline&to=last&by=route", bare: "/cohort/change?instrument=pcl-5&from=baseline&to=last"},
	{route: "/cohort/:figure", figure: "sessions", query: "?instrument=phq-9"},
	{route: "/cohort/:figure", figure: "survival", query: "?instrument=phq-9&event=response&any_baseline=true"},
	{route: "/cohort/:figure", figure: "recovery", query: "?from=baseline&to=last"},
	{route: "/cohort/:figure", figure: "shift", query: "?instrument=phq-9&from=baseline&to=last"},
	{route: "/cohort/:figure", figure: "item9", query: "?from=baseline&to=last"},
	{route: "/cohort/:figure", figure: "flow", query: "?instrument=phq-9"},
	{route: "/cohort/:figure", figure: "expected", query: "?instrument=phq-9&off_track=true"},
	{route: "/cohort/:figure", figure: "measures", query: "?within_days=60"},
	{route: "/exports", bare: "/exports", refuses: http.StatusUnprocessableEntity, not: auth.Clinician},
	{route: "/exports/snapshots/new", refuses: http.StatusUnprocessableEntity, not: auth.Clinician},
	{route: "/exports/snapshots/:snapshot_id", not: auth.Clinician},
	{route: "/settings/clinic", refuses: http.StatusUnprocessableEntity, not: auth.Researcher},
	{route: "/settings/instruments", not: auth.Researcher},
	{route: "/settings/instruments/:instrument", not: auth.Researcher},
	{route: "/settings/people", not: auth.Clinician},
	{route: "/settings/people/new", refuses: http.StatusUnprocessableEntity, not: auth.Clinician},
	{route: "/settings/people/:account_id", refuses: http.StatusUnprocessableEntity, not: auth.Clinician},
	{route: "/settings/keys", not: auth.Clinician},
	{route: "/settings/keys/new", refuses: http.StatusUnprocessableEntity, not: auth.Clinician},
	{route: "/settings/webhooks", bare: "/settings/webhooks", not: auth.Clinician},
	{route: "/settings/webhooks/new", refuses: http.StatusUnprocessableEntity, not: auth.Clinician},
	{route: "/settings/webhooks/:webhook_id", not: auth.Clinician},
	{route: "/settings/audit", not: auth.Clinician},
}

// at is where a page is in a clinic.
func (p page) at(in clinic) string {
	return strings.Replace(in.where(p.route), ":figure", p.figure, 1) + p.query
}

// name is what a test calls a page.
func (p page) name() string { return strings.Replace(p.route, ":figure", p.figure, 1) + p.query }

// noPages are the routes that a browser asks for and that show nothing.
var noPages = []string{"/", "/assets/:name", "/login/callback", "/settings"}

func TestEveryPageOfTheMapIsInTheInventory(t *testing.T) {
	t.Parallel()
	e, listed := echo.New(), []string{}
	new(web.Site).Routes(e, web.Through{})
	for _, p := range inventory {
		listed = append(listed, p.route)
	}
	mapped := 0
	for _, r := range e.Routes() {
		if r.Method != http.MethodGet || slices.Contains(noPages, r.Path) {
			continue
		}
		mapped++
		if !slices.Contains(listed, r.Path) {
			t.Errorf("nobody looks at %s", r.Path)
		}
	}
	slices.Sort(listed)
	if n := len(slices.Compact(listed)); n != mapped {
		t.Errorf("%d pages in the inventory, %d in the map", n, mapped)
	}
}

// TestEveryPageCanBeUsedByEverybody opens each page with something in it, with
// nothing in it, with a form that is refused, and as somebody who may not.
func TestEveryPageCanBeUsedByEverybody(t *testing.T) {
	t.Parallel()
	in := furnish(t, plain)
	if _, err := demo.Seed(t.Context(), in.s.Care, in.s.Clinic.Who, demo.Clinic(1, time.Now())); err != nil {
		t.Fatal(err)
	}
	visit := func(name string, who auth.NewAccount, at string, look func(c *chromium, p page)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := openChromium(t, in.s.URL)
			if who.Email != "" {
				c.enterAt(at, who)
			}
			for _, p := range inventory {
				if open := p.route == "/login" || p.route == "/setup"; open == (who.Email == "") {
					look(c, p)
				}
			}
		})
	}
	owner := somebody("owner", auth.Owner)
	for name, who := range map[string]auth.NewAccount{"in a clinic": owner, "without all rights": somebody("clinician", auth.Clinician), "before signing in": {}} {
		visit(name, who, "here", func(c *chromium, p page) {
			if (p.as == "") == (who.Role == auth.Clinician) {
				return
			}
			at := p.name()
			c.open(p.at(in))
			c.shows(http.StatusOK)
			c.examine(at)
			if p.refuses != 0 {
				c.sendEmpty()
				same(c.t, at+": refused with", int64(p.refuses), ask[int64](c, statusOf))
				c.examine(at + ", refused")
			}
			if p.bare != "" && p.bare != p.route {
				c.open(strings.Replace(p.bare, ":newcomer", in.newcomer, 1))
				c.shows(http.StatusOK)
				c.examine(at + ", with nothing")
			}
		})
	}
	visit("with every number", owner, "here", func(c *chromium, p page) {
		if p.figure != "" && p.query != "" {
			c.open(p.at(in) + "&cells=all")
			c.shows(http.StatusOK)
			c.examine(p.name() + ", every number")
		}
	})
	visit("in an empty clinic", somebody("elsewhere", auth.Owner), "elsewhere", func(c *chromium, p page) {
		if p.bare == p.route {
			c.open(p.route)
			c.shows(http.StatusOK)
			c.examine(p.name() + ", empty")
		}
	})
	for _, role := range []auth.Role{auth.Researcher, auth.Clinician} {
		visit("as "+string(role), somebody(string(role), role), "here", func(c *chromium, p page) {
			if p.not == role {
				c.open(p.at(in))
				c.shows(http.StatusForbidden)
				if p.route == "/clients" || p.route == "/clients/:client_id" { // the others are the same page
					c.examine(p.route + ", forbidden")
				}
			}
		})
	}
	visit("in Spanish", owner, "here", func(c *chromium, p page) {
		c.speak("es")
		c.open(p.at(in))
		c.size(390, 844)
		c.checkWords(p.name())
		if cut := ask[[]string](c, cutOff); len(cut) > 0 {
			c.t.Errorf("%s cuts off %q", p.name(), cut)
		}
	})
}

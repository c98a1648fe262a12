package apitest_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/demo"
)

// cellsOf are the texts of the cells of each row of a page's table, by column.
func cellsOf(t testing.TB, page []byte) (rows []map[string]string) {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data == "tr" {
			rows = append(rows, map[string]string{})
		}
		for _, a := range n.Attr {
			if a.Key == "data-label" {
				rows[len(rows)-1][a.Val] = textOf(n)
			}
		}
	}
	return slices.DeleteFunc(rows, func(r map[string]string) bool { return len(r) == 0 })
}

// textOf is the text of an element, with single blanks. Pictures have none.
func textOf(of *html.Node) string {
	var words []string
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.TextNode {
			words = append(words, strings.Fields(n.Data)...)
		}
		for c := n.FirstChild; c != nil && n.Data != "svg"; c = c.NextSibling {
			walk(c)
		}
	}
	walk(of)
	return strings.Join(words, " ")
}

var nextPage = regexp.MustCompile(`href="([^"]+)" rel="next"`)

// walked are the rows of a list, page by page.
func walked(t testing.TB, b *browser, path string) (rows []map[string]string, pages int) {
	t.Helper()
	for path != "" {
		page := b.get(t, path).Want(http.StatusOK)
		rows, pages = append(rows, cellsOf(t, page.Body)...), pages+1
		path = ""
		if m := nextPage.FindSubmatch(page.Body); m != nil {
			path = html.UnescapeString(string(m[1]))
		}
	}
	return rows, pages
}

// written is how a page writes a number of the API; nothing is a dash.
func written(v any, signed bool) string {
	f, ok := v.(float64)
	switch {
	case !ok:
		return "–"
	case signed && f > 0:
		return fmt.Sprintf("+%g", f)
	case f < 0:
		return fmt.Sprintf("−%g", -f)
	}
	return fmt.Sprintf("%g", f)
}

func TestTheCaseloadPageShowsTheFiguresOfTheAPI(t *testing.T) {
	t.Parallel()
	s := apitest.SQLite(t)
	if _, err := demo.Seed(t.Context(), s.Care, s.Clinic.Who, demo.Clinic(1, time.Now())); err != nil {
		t.Fatal(err)
	}
	hire(t, s, ada)
	b := signedIn(t, s, ada)
	for _, query := range []string{"instrument=phq-9", "instrument=gad-7&sort=-change", "instrument=phq-9&status=response&sort=-last_at", "search=p-001&sort=latest"} {
		items := listed(s.Do("GET", "/v1/caseload?limit=200&"+query, nil).Want(http.StatusOK))
		rows, pages := walked(t, b, "/clients?"+query)
		if len(rows) != len(items) || len(items) == 0 || len(items) > 50 != (pages > 1) {
			t.Fatalf("%s: %d rows on %d pages, and %d items", query, len(rows), pages, len(items))
		}
		for i, item := range items {
			row, total := rows[i], func(mark string) any {
				if m, ok := item[mark].(object); ok {
					return m["total"]
				}
				return nil
			}
			for column, want := range map[string]string{
				"Client": item["reference"].(string), "Baseline": written(total("baseline"), false), "Latest": written(total("latest"), false),
				"Change": written(item["change"], true), "Last dose": dosed(item["days_since_last_dose"]),
			} {
				if got := row[column]; got != want && !strings.HasPrefix(got, want+" ") {
					t.Errorf("%s: %s has %q for %s, and the API %q", query, item["reference"], got, column, want)
				}
			}
			for _, flag := range item["last_flags"].([]any) {
				if code := flag.(object)["code"]; code == "suicidal_ideation" && !strings.Contains(row["Status"], "Item 9 above 0") {
					t.Errorf("%s: the page says nothing of item 9", item["reference"])
				}
			}
		}
	}
}

// dosed is how a page writes how long ago a dose was.
func dosed(days any) string {
	switch n := days; n {
	case nil:
		return "–"
	case 0.0:
		return "today"
	case 1.0:
		return "yesterday"
	default:
		return fmt.Sprintf("%v days ago", n)
	}
}

func TestACaseloadWithoutClientsSaysWhatToDo(t *testing.T) {
	t.Parallel()
	s := apitest.SQLite(t)
	hire(t, s, ada)
	b := signedIn(t, s, ada)
	says := func(path string, want ...string) {
		t.Helper()
		page := string(b.get(t, path).Want(http.StatusOK).Body)
		for _, text := range want {
			if !strings.Contains(page, text) {
				t.Errorf("%s does not say %q", path, text)
			}
		}
	}
	says("/clients", "No clients yet", `href="/clients/new"`)
	id := s.Do("POST", "/v1/clients", object{"reference": "P-1"}).Want(http.StatusCreated).JSON()["id"].(string)
	says("/clients", "1 client is shown", `href="/clients/`+id+`"`)
	says("/clients?search=nobody", "No client fits", `value="nobody"`)
	says("/clients?status=remission", "No client fits")
	s.Do("PUT", "/v1/settings/clinic", object{"care_teams": true}).Want(http.StatusOK)
	says("/clients", "No client is assigned to you")
	says("/clients?search=P-1", "No client fits", "your care teams only")
	for _, path := range []string{"/clients?sort=x", "/clients?status=x", "/clients?instrument=x", "/clients?after=x", "/today?day=x", "/today?day=0001-01-01"} {
		b.get(t, path).Want(http.StatusUnprocessableEntity)
	}
	researcher := ada
	researcher.Email, researcher.Role = "rob@clinic.example", auth.Researcher
	hire(t, s, researcher)
	r := browse(s, atHome)
	r.signIn(t, researcher)
	for _, path := range []string{"/clients", "/today"} {
		if page := r.get(t, path).Want(http.StatusForbidden); strings.Contains(string(page.Body), `href="`+path+`"`) {
			t.Errorf("%s is offered to who may not go there", path)
		}
	}
}

func TestTodayShowsWhatIsDoneAndWhatIsMissing(t *testing.T) {
	t.Parallel()
	s := apitest.SQLite(t)
	hire(t, s, ada)
	s.Clock.Set(time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)) // three hours before the session
	n := settle(s, s.Clinic)
	b := signedIn(t, s, ada)
	row := func(path string) map[string]string {
		t.Helper()
		rows := cellsOf(t, b.get(t, path).Want(http.StatusOK).Body)
		if len(rows) != 1 {
			t.Fatalf("%s: %d sessions", path, len(rows))
		}
		return rows[0]
	}
	within := func(what string, want, got map[string]string) {
		t.Helper()
		for column, text := range want {
			if got[column] != text {
				t.Errorf("%s: %s says %q, not %q", what, column, got[column], text)
			}
		}
	}
	within("before", map[string]string{
		"Time": "09:00", "Client": "P-1 Ada", "Session": "Dosing 1", "Form before": "PHQ-9 to do Enter it", "Form after": "PHQ-9 later",
		"Latest scores": "PHQ-9 11 Moderate", "Dose before": "–", "Consent to care": "not recorded",
	}, row("/today"))
	form := with(baseline(), "timing", "before", "session_id", n.session, "completed_at", "2026-03-10T11:00:00Z")
	s.Do("POST", "/v1/clients/"+n.client+"/assessments", form).Want(http.StatusCreated)
	s.Do("POST", "/v1/clients/"+n.client+"/consents", object{"scope": "care", "status": "granted", "at": "2026-03-10T11:00:00Z"}).Want(http.StatusCreated)
	want := map[string]string{"Form before": "PHQ-9 done 11", "Consent to care": "given"}
	within("done", want, row("/today"))
	within("by its day", want, row("/today?day=2026-03-10"))
	if page := string(b.get(t, "/today?day=2026-03-11").Want(http.StatusOK).Body); !strings.Contains(page, "No sessions on this day") {
		t.Error("the day after has sessions")
	}
}

func TestNamesAreTextsInTheListsOfClients(t *testing.T) {
	t.Parallel()
	s := apitest.SQLite(t)
	hire(t, s, ada)
	s.Clock.Set(time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC))
	n := settle(s, s.Clinic)
	b := signedIn(t, s, ada)
	paths := []string{"/clients?search=", "/today"}
	var plain []string
	for _, path := range paths {
		plain = append(plain, skeleton(t, b.get(t, path).Want(http.StatusOK).Body))
	}
	for _, text := range append(payloads(), "\u202eevil", "😀😀", strings.Repeat("long ", 19), "100 %d %s") {
		etag := s.Do("GET", "/v1/clients/"+n.client, nil).Header.Get("ETag")
		s.Do("PATCH", "/v1/clients/"+n.client, object{"reference": text, "display_name": text}, "If-Match", etag).Want(http.StatusOK)
		for i, path := range paths {
			if i == 0 {
				path += url.QueryEscape(text)
			}
			page := b.get(t, path).Want(http.StatusOK)
			if got := skeleton(t, page.Body); got != plain[i] || !shows(t, page.Body, text) {
				t.Errorf("%s holds more than the text %q", paths[i], text)
			}
		}
	}
}

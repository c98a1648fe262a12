package apitest_test

import (
	"bytes"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/demo"
)

// partOf is the first element of a page of which something is true, as a page.
func partOf(t testing.TB, page []byte, is func(*html.Node) bool) []byte {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && is(n) {
			var b bytes.Buffer
			if err := html.Render(&b, n); err != nil {
				t.Fatal(err)
			}
			return b.Bytes()
		}
	}
	return nil
}

func withID(id string) func(*html.Node) bool {
	return func(n *html.Node) bool { return attr(n, "id") == id }
}

// rounded is how a page writes a number of the API, to one decimal.
func rounded(v any, signed bool) string {
	if f, ok := v.(float64); ok {
		return written(math.Round(f*10)/10, signed)
	}
	return written(v, signed)
}

// standsAt is what stands at a path of a JSON object; nil: nothing does.
func standsAt(in any, path ...string) any {
	for _, name := range path {
		of, _ := in.(object)
		in = of[name]
	}
	return in
}

// hasCell fails the test unless a cell of a page has a text, with or without a
// note after it.
func hasCell(t testing.TB, at string, row map[string]string, column, want string) {
	t.Helper()
	if got, there := row[column]; !there || got != want && !strings.HasPrefix(got, want+" ") {
		t.Errorf("%s: %q for %s, and the API has %q", at, got, column, want)
	}
}

// columnsOf are the texts of each row of a table, by the heads of its columns.
func columnsOf(t testing.TB, page []byte) (rows []map[string]string) {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var heads []string
	for n := range root.Descendants() {
		switch {
		case n.Data == "th" && attr(n, "scope") == "col":
			heads = append(heads, textOf(n))
		case n.Data == "tr" && isWithin(n, "tbody"):
			row, column := map[string]string{}, 0
			for c := range n.ChildNodes() {
				if c.Data == "td" || c.Data == "th" {
					row[heads[column]] = textOf(c)
					column++
				}
			}
			rows = append(rows, row)
		}
	}
	return rows
}

// summaries are how a page says what a course comes to.
var summaries = map[any]string{
	"relapsed": "Relapsed", "deteriorated": "Reliably worse", "unchanged": "No reliable change", "improved": "Reliably better",
	"response": "Response", "remission": "Remission", "not_judged": "Change not judged", "baseline_only": "Baseline only", "no_baseline": "No score yet",
}

// verdicts are the sentences of a verdict, by the member and the value that they
// say in words.
var verdicts = []struct {
	member string
	value  any
	says   string
}{
	{"reliable", "improved", "Better than the baseline by more than measurement error."},
	{"reliable", "deteriorated", "Worse than the baseline by more than measurement error."},
	{"response", "response", "A response: better than the baseline by"},
	{"response", "partial", "A partial response: better than the baseline by"},
	{"response", "none", "No response: better than the baseline by less than"},
	{"remission", true, "In remission: below"},
	{"remission", false, "Not in remission, which is below"},
}

// TestTheClientsPageShowsTheFiguresOfTheAPI compares all that a client's page
// says in numbers with the JSON of the same, for every client of the demo.
func TestTheClientsPageShowsTheFiguresOfTheAPI(t *testing.T) {
	t.Parallel()
	s := apitest.SQLite(t).Unlimited()
	if _, err := demo.Seed(t.Context(), s.Care, s.Clinic.Who, demo.Clinic(1, time.Now())); err != nil {
		t.Fatal(err)
	}
	hire(t, s, ada)
	b := signedIn(t, s, ada)
	clients, compared := listed(s.Do("GET", "/v1/clients?limit=200", nil).Want(http.StatusOK)), 0
	if len(clients) != demo.Cast() {
		t.Fatalf("%d clients instead of %d", len(clients), demo.Cast())
	}
	for _, client := range clients {
		path := "/clients/" + client["id"].(string)
		for _, tr := range listed(s.Do("GET", "/v1"+path+"/trajectories", nil).Want(http.StatusOK)) {
			instrument, at := tr["instrument"].(string), client["reference"].(string)+" on "+tr["instrument"].(string)
			page := b.get(t, path+"?all=1&instrument="+instrument).Want(http.StatusOK).Body
			compareStanding(t, at, tr, page)
			compareScores(t, at, tr, page)
			compared += compareSessions(t, at, tr, page)
		}
	}
	if compared < 500 {
		t.Errorf("only %d sessions were compared", compared)
	}
}

// compareStanding compares the row of an instrument, and its verdict.
func compareStanding(t testing.TB, at string, tr object, page []byte) {
	t.Helper()
	own := partOf(t, page, withID("on-"+tr["instrument"].(string)))
	status, title := standsAt(tr, "status"), tr["title"].(string)
	for _, row := range cellsOf(t, partOf(t, page, func(n *html.Node) bool { return n.Data == "table" && strings.Contains(attr(n, "class"), "standings") })) {
		if strings.TrimSuffix(row["Questionnaire"], " higher is better") != title {
			continue
		}
		hasCell(t, at, row, "Baseline", rounded(standsAt(tr, "baseline", "total"), false))
		hasCell(t, at, row, "Latest", rounded(standsAt(tr, "latest", "total"), false))
		change := rounded(standsAt(status, "change"), true)
		if p := standsAt(status, "percent_change"); p != nil {
			change += " " + rounded(p, true) + " %"
		}
		same(t, at+": the change", change, row["Change"])
		same(t, at+": the status", summaries[standsAt(status, "summary")], row["Status"])
		same(t, at+": how long the response held", heldOf(tr), row["Response held"])
		title = ""
	}
	if title != "" {
		t.Errorf("%s: there is no row of it", at)
	}
	if summary := standsAt(status, "summary"); summary == "baseline_only" || summary == "no_baseline" {
		return
	}
	verdict := text(t, own)
	for _, j := range verdicts {
		about := j.member == "reliable" || standsAt(status, "baseline_case") != false
		if said := strings.Contains(verdict, j.says); said != (about && standsAt(status, j.member) == j.value) {
			t.Errorf("%s: that %q is said is %v, and the API has %s %v", at, j.says, said, j.member, standsAt(status, j.member))
		}
	}
}

// heldOf says how long the response of a trajectory lasted, in whole days.
func heldOf(tr object) string {
	days, there := standsAt(tr, "status", "days_held").(float64)
	if !there || standsAt(tr, "rules", "relapse", "judged") != true {
		return "–"
	}
	said := fmt.Sprintf("%d days", int(days+1e-4))
	switch {
	case days+1e-4 < 1:
		said = "less than a day"
	case days+1e-4 < 2:
		said = "1 day"
	}
	if standsAt(tr, "status", "held_censored") == true {
		said += " so far"
	}
	return said
}

// compareScores compares the table of all scores, the latest first.
func compareScores(t testing.TB, at string, tr object, page []byte) {
	t.Helper()
	rows := columnsOf(t, partOf(t, page, withID("on-"+tr["instrument"].(string))))
	points, _ := tr["points"].([]any)
	if len(rows) != len(points) {
		t.Errorf("%s: %d rows of %d scores", at, len(rows), len(points))
		return
	}
	for i, p := range points {
		row := rows[len(rows)-1-i]
		hasCell(t, at, row, "Total", rounded(standsAt(p, "total"), false))
		want := rounded(standsAt(p, "change"), true)
		if percent := standsAt(p, "percent_change"); percent != nil {
			want += " (" + rounded(percent, true) + " %)"
		}
		same(t, at+": the change of a score", want, row["Change"])
	}
}

// compareSessions compares the table of sessions, the latest first, and counts
// those that a trajectory knows.
func compareSessions(t testing.TB, at string, tr object, page []byte) int {
	t.Helper()
	rows := map[string]map[string]string{} // by the path of the session
	root, err := html.Parse(bytes.NewReader(partOf(t, page, withID("sessions"))))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Data != "tr" {
			continue
		}
		var b bytes.Buffer
		if err := html.Render(&b, n); err != nil {
			t.Fatal(err)
		}
		for c := range n.Descendants() {
			if id, found := strings.CutPrefix(attr(c, "href"), "/sessions/"); found {
				rows[strings.TrimSuffix(id, "/edit")] = cellsOf(t, []byte("<table>"+b.String()+"</table>"))[0]
			}
		}
	}
	sessions, _ := tr["sessions"].([]any)
	for _, s := range sessions {
		row := rows[standsAt(s, "session_id").(string)]
		for column, name := range map[string]string{"Before": "before", "After": "after"} {
			if v := standsAt(s, name); v != nil {
				hasCell(t, at, row, column, rounded(v, false))
			}
		}
		hasCell(t, at, row, "Change", rounded(standsAt(s, "change"), true))
		hasCell(t, at, row, "Since the session before", rounded(standsAt(s, "since_previous_after"), true))
	}
	return len(sessions)
}

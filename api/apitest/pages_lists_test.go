package apitest_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/demo"
)

// flagged are how the lists mark what a form flagged.
var flagged = map[any]string{"suicidal_ideation": "Item 9 above 0", "item9_not_answered": "Item 9 not answered", "risk_taking": "Risk taking"}

// reliably marks a change that is more than measurement error.
var reliably = map[any]string{"improved": "better", "deteriorated": "worse"}

// flagsOf are the marks of a case's last form, each once.
func flagsOf(item object) (out []string) {
	flags, _ := item["last_flags"].([]any)
	for _, f := range flags {
		if mark := flagged[standsAt(f, "code")]; !slices.Contains(out, mark) {
			out = append(out, mark)
		}
	}
	return out
}

// labels are the words of the bands of each instrument, by their codes.
func labels(t testing.TB, s *apitest.Server) map[string]map[any]string {
	t.Helper()
	defs, err := s.Care.InstrumentDefinitions(t.Context(), s.Clinic.Who)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]map[any]string{}
	for _, d := range defs {
		out[d.ID] = map[any]string{nil: ""}
		for _, b := range d.Bands {
			out[d.ID][b.ID] = b.Label
		}
	}
	return out
}

// zonesOf are where clients live, by reference.
func zonesOf(t testing.TB, s *apitest.Server) map[string]*time.Location {
	t.Helper()
	out := map[string]*time.Location{}
	for _, client := range listed(s.Do("GET", "/v1/clients?limit=200", nil).Want(http.StatusOK)) {
		zone, err := time.LoadLocation(client["time_zone"].(string))
		if err != nil {
			t.Fatal(err)
		}
		out[client["reference"].(string)] = zone
	}
	return out
}

// TestTheListsShowTheFiguresOfTheAPI compares the caseload with that of the API,
// for every client of the demo on every instrument, and its status with that of
// the client's trajectory; and the scores beside each session of every day.
func TestTheListsShowTheFiguresOfTheAPI(t *testing.T) {
	t.Parallel()
	s := apitest.SQLite(t).Unlimited()
	if _, err := demo.Seed(t.Context(), s.Care, s.Clinic.Who, demo.Clinic(1, time.Now())); err != nil {
		t.Fatal(err)
	}
	hire(t, s, ada)
	b := signedIn(t, s, ada)
	bands := labels(t, s)
	standing := map[string][]string{} // by reference, as the page of a day is to say it
	told, zones := map[string]int{}, zonesOf(t, s)
	for _, instrument := range []string{"phq-9", "gad-7", "pcl-5"} {
		items := listed(s.Do("GET", "/v1/caseload?limit=200&instrument="+instrument, nil).Want(http.StatusOK))
		rows, _ := walked(t, b, "/clients?instrument="+instrument)
		if len(rows) != len(items) || len(items) != demo.Cast() {
			t.Fatalf("%d rows, %d items", len(rows), len(items))
		}
		for i, item := range items {
			reference := item["reference"].(string)
			compareCase(t, reference+" on "+instrument, item, zones[reference], bands[instrument], rows[i])
			told[rows[i]["Status"]]++
			if item["status"] == "not_measured" {
				continue
			}
			tr := s.Do("GET", "/v1/clients/"+item["client_id"].(string)+"/trajectory?instrument="+instrument, nil).Want(http.StatusOK).JSON()
			same(t, reference+": the status of the trajectory", standsAt(tr, "status", "summary"), item["status"])
			standing[reference] = append(standing[reference], scoreLine(tr["title"].(string), item, bands[instrument]))
		}
	}
	if len(told) < 8 {
		t.Errorf("too few statuses were compared: %v", told)
	}
	compareDays(t, s, b, standing)
}

// compareCase compares a row of the caseload with the case of the API.
func compareCase(t testing.TB, at string, item object, zone *time.Location, bands map[any]string, row map[string]string) {
	t.Helper()
	joined := func(parts ...string) string {
		return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), " ")
	}
	percent, assessed, dosed := "", "–", dosed(item["days_since_last_dose"])
	if p := item["percent_change"]; p != nil {
		percent = rounded(p, true) + " %"
	}
	if day := item["last_assessed_at"]; day != nil {
		assessed = dayOf(t, day, zone)
	}
	if day := item["last_dose_at"]; day != nil {
		dosed += " " + dayOf(t, day, zone)
	}
	name, _ := item["display_name"].(string)
	status := "Not assessed"
	if item["status"] != "not_measured" {
		status = summaries[item["status"]]
	}
	want := map[string]string{
		"Client": joined(item["reference"].(string), name), "Course of scores": row["Course of scores"],
		"Baseline": rounded(standsAt(item, "baseline", "total"), false),
		"Latest":   joined(rounded(standsAt(item, "latest", "total"), false), bands[item["latest_severity"]]),
		"Change":   joined(rounded(item["change"], true), percent),
		"Status":   joined(append([]string{status}, flagsOf(item)...)...), "Last dose": dosed, "Last assessed": assessed,
	}
	same(t, at, want, row)
}

// dayOf is a time as a page writes its day at a place.
func dayOf(t testing.TB, at any, zone *time.Location) string {
	t.Helper()
	when, err := time.Parse(time.RFC3339, at.(string))
	if err != nil {
		t.Fatal(err)
	}
	return when.In(zone).Format("2 Jan 2006")
}

// scoreLine is a standing as the page of a day says it.
func scoreLine(title string, item object, bands map[any]string) string {
	parts := []string{title, rounded(standsAt(item, "latest", "total"), false), bands[item["latest_severity"]]}
	if c := item["change"]; c != nil {
		parts = append(parts, "("+rounded(c, true)+")")
	}
	parts = append(append(parts, reliably[item["reliable"]]), flagsOf(item)...)
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), " ")
}

// compareDays compares the scores beside the sessions of every day.
func compareDays(t testing.TB, s *apitest.Server, b *browser, standing map[string][]string) {
	t.Helper()
	days, sessions, compared := map[string]bool{}, 0, 0
	for _, client := range listed(s.Do("GET", "/v1/clients?limit=200", nil).Want(http.StatusOK)) {
		for _, ses := range listed(s.Do("GET", "/v1/clients/"+client["id"].(string)+"/sessions?limit=200", nil).Want(http.StatusOK)) {
			sessions++
			days[ses["started_at"].(string)[:len(time.DateOnly)]] = true
		}
	}
	for _, day := range slices.Sorted(maps.Keys(days)) {
		rows, _ := walked(t, b, "/today?day="+day)
		for _, row := range rows {
			reference, _, _ := strings.Cut(row["Client"], " ")
			want := standing[reference]
			if len(want) == 0 {
				want = []string{"Not assessed"}
			}
			got := row["Latest scores"]
			for _, line := range want {
				if !strings.Contains(" "+got+" ", " "+line+" ") {
					t.Errorf("%s on %s: %q lacks %q", reference, day, got, line)
				}
			}
			same(t, reference+": the length of the scores", len(strings.Join(want, " ")), len(got))
			compared++
		}
	}
	if compared < sessions || sessions < 200 {
		t.Errorf("%d rows of %d sessions were compared", compared, sessions)
	}
}

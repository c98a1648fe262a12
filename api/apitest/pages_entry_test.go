package apitest_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
)

// formOn gives the fields of the form in the middle of a page, as a browser
// would send them if nothing were touched.
func formOn(t testing.TB, page []byte) url.Values {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(string(page)))
	if err != nil {
		t.Fatal(err)
	}
	out := url.Values{}
	for n := range doc.Descendants() {
		if n.Data == "form" && isWithin(n, "main") {
			for c := range n.Descendants() {
				fieldOn(out, c)
			}
		}
	}
	if len(out) == 0 {
		t.Fatalf("no form: %s", page)
	}
	return out
}

func fieldOn(out url.Values, n *html.Node) {
	name := attr(n, "name")
	switch {
	case n.Type != html.ElementNode || name == "":
	case n.Data == "input" && (attr(n, "type") != "radio" || has(n, "checked")):
		out.Set(name, attr(n, "value"))
	case n.Data == "textarea" && n.FirstChild != nil:
		out.Set(name, n.FirstChild.Data)
	case n.Data == "select":
		for c := range n.Descendants() {
			if c.Data == "option" && (has(c, "selected") || !out.Has(name)) {
				out.Set(name, attr(c, "value"))
			}
		}
	}
}

func isWithin(n *html.Node, tag string) bool {
	for p := range n.Ancestors() {
		if p.Data == tag {
			return true
		}
	}
	return false
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}

// fill opens a page and fills fields of its form in.
func (b *browser) fill(t testing.TB, path string, pairs ...string) url.Values {
	t.Helper()
	form := formOn(t, b.get(t, path).Want(http.StatusOK).Body)
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return form
}

// text is what a page shows, without its markup.
func text(t testing.TB, page []byte) string {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(string(page)))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for n := range doc.Descendants() {
		if n.Type == html.TextNode {
			b.WriteString(n.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// says fails the test unless a page has all of the texts.
func says(t testing.TB, r *apitest.Response, texts ...string) {
	t.Helper()
	page := text(t, r.Body)
	for _, want := range texts {
		if !strings.Contains(page, want) {
			t.Errorf("%d does not say %q: %s", r.Status, want, page)
		}
	}
}

// clerk is somebody signed in, with a client whose page of entry is path.
func clerk(t testing.TB, s *apitest.Server) (b *browser, client string) {
	t.Helper()
	s.Clock.Set(today)
	hire(t, s, ada)
	b = signedIn(t, s, ada)
	form := b.fill(t, "/clients/new", "reference", "P-1", "display_name", "Ana <b>", "time_zone", "America/New_York")
	client = "/clients/" + form.Get("id")
	goesTo(t, b.post(t, "/clients/new", form), client)
	return b, client
}

func TestFromAnEmptyClinicToTheFirstChange(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		b, client := clerk(t, s)
		goesTo(t, b.post(t, client+"/courses/new", b.fill(t, client+"/courses/new", "indication", "depression")), client)
		form := b.fill(t, client+"/sessions/new")
		same(t, "the proposed start", []string{"2026-06-01T08:00"}, form["started_at"]) // noon UTC, in New York
		session := form.Get("id")
		goesTo(t, b.post(t, client+"/sessions/new", form), client)

		says(t, b.get(t, client+"/assessments/new?timing=before&session_id="+session).Want(http.StatusOK), "PHQ-9", "GAD-7", "your own licensed form")
		before := b.fill(t, client+"/assessments/new?instrument=phq-9&timing=before&session_id="+session, "in_order", "221 122 101")
		same(t, "when", []string{"before:" + session}, before["when"])
		result := "/assessments/" + before.Get("id") + "/result"
		goesTo(t, b.post(t, client+"/assessments/new", before), result)
		says(t, b.get(t, result).Want(http.StatusOK), "12", "Moderate", "Item 9 was answered above 0", "baseline", "Enter the form from after Dosing 1")

		s.Clock.Set(today.Add(24 * time.Hour))
		b = signedIn(t, s, ada)
		after := b.fill(t, client+"/assessments/new?instrument=phq-9&timing=after&session_id="+session)
		for field, value := range map[string]string{"1": "1", "2": "0", "3": "1", "4": "0", "5": "0", "6": "1", "7": "0", "8": "0", "9": "0"} {
			after.Set("answers.phq9_"+field, value)
		}
		result = "/assessments/" + after.Get("id") + "/result"
		goesTo(t, b.post(t, client+"/assessments/new", after), result)
		r := b.get(t, result).Want(http.StatusOK)
		says(t, r, "−9", "(−75 %)", "Better than the baseline by more than measurement error")
		if page := text(t, r.Body); strings.Contains(page, "tem 9") {
			t.Errorf("an answer of 0 on item 9 is spoken of: %s", page)
		}

		// What the API has is what was typed.
		tr := s.Do("GET", "/v1"+client+"/trajectory?instrument=phq-9", nil).Want(http.StatusOK).JSON()
		sessions, _ := tr["sessions"].([]any)
		first, _ := sessions[0].(map[string]any)
		same(t, "the change across the session", any(-9.0), first["change"])
	})
}

func TestAFormThatIsSentTwiceIsStoredOnceAndOtherContentIsToldApart(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		b, client := clerk(t, s)
		for path, fields := range map[string][]string{
			"/clients/new":                               {"reference", "P-2"},
			client + "/courses/new":                      {"indication", "depression"},
			client + "/sessions/new":                     {"medicine.substance", "ketamine", "medicine.route", "oral", "medicine.dose_mg", "42.5"},
			client + "/consents/new":                     {},
			client + "/assessments/new?instrument=gad-7": {"in_order", "1111111"},
		} {
			form := b.fill(t, path, fields...)
			path, _, _ = strings.Cut(path, "?")
			first := b.post(t, path, form).Want(http.StatusSeeOther)
			rows := dump(t, behind(t, s))
			again := b.post(t, path, form).Want(http.StatusSeeOther)
			same(t, path+" leads to", first.Header.Get("Location"), again.Header.Get("Location"))
			same(t, path+": the record", rows, dump(t, behind(t, s)))
			other := withField(form, "in_order", "2222222")
			for _, field := range []string{"reference", "indication", "medicine.dose_mg", "text_version"} {
				if other.Has(field) {
					other.Set(field, "7")
				}
			}
			says(t, b.post(t, path, other).Want(http.StatusConflict), "stored before, with other content")
			same(t, path+": the record", rows, dump(t, behind(t, s)))
		}
	})
}

func TestAFormThatIsNotGoodComesBackAsItWasTypedWithEachFaultAtItsField(t *testing.T) {
	s := apitest.SQLite(t)
	b, client := clerk(t, s)
	for path, c := range map[string]struct {
		fields []string
		says   []string
	}{
		"/clients/new": {[]string{"reference", "", "birth_year", "85", "time_zone", "Mars/Olympus"},
			[]string{"A reference is needed.", "between 1900 and this year", "IANA name"}},
		client + "/edit":         {[]string{"reference", strings.Repeat("x", 101)}, []string{"too long"}},
		client + "/courses/new":  {[]string{"indication", "\x07", "ended_on", "1999-01-01"}, []string{"cannot be shown", "before it starts"}},
		client + "/sessions/new": {[]string{"medicine.substance", "ketamine", "number", "1.5"}, []string{"The dose is needed", "A whole number"}},
		client + "/consents/new": {[]string{"at", "2026-06-02T00:00"}, []string{"in the future"}},
	} {
		form := b.fill(t, path, c.fields...)
		rows := dump(t, behind(t, s))
		r := b.post(t, path, form).Want(http.StatusUnprocessableEntity)
		says(t, r, c.says...)
		if n := strings.Count(string(r.Body), `aria-invalid="true"`); n != len(c.says) {
			t.Errorf("%s: %d fields are marked, not %d", path, n, len(c.says))
		}
		back := formOn(t, r.Body)
		for i := 0; i+1 < len(c.fields); i += 2 {
			if got := back.Get(c.fields[i]); got != c.fields[i+1] && c.fields[i+1] != "\x07" {
				t.Errorf("%s: %s came back as %q", path, c.fields[i], got)
			}
		}
		same(t, path+": the record", rows, dump(t, behind(t, s)))
	}
}

func TestADoseWithACommaIsRefusedAndNeverTakenForAnother(t *testing.T) {
	s := apitest.SQLite(t)
	b, client := clerk(t, s)
	for typed, status := range map[string]int{
		"1,000": http.StatusUnprocessableEntity, "0,5": http.StatusUnprocessableEntity, "NaN": http.StatusUnprocessableEntity,
		"0": http.StatusUnprocessableEntity, "-1": http.StatusUnprocessableEntity, "0.5": http.StatusSeeOther,
	} {
		form := b.fill(t, client+"/sessions/new", "medicine.substance", "ketamine", "medicine.route", "oral", "medicine.dose_mg", typed)
		if r := b.post(t, client+"/sessions/new", form); r.Status != status {
			t.Errorf("%q: %d", typed, r.Status)
		}
	}
}

func TestTheNextSessionProposesTheMedicineAndNeverItsDose(t *testing.T) {
	s := apitest.SQLite(t)
	b, client := clerk(t, s)
	form := b.fill(t, client+"/sessions/new", "medicine.substance", "ketamine", "medicine.route", "oral", "medicine.dose_mg", "42.5")
	goesTo(t, b.post(t, client+"/sessions/new", form), client)
	next := b.fill(t, client+"/sessions/new")
	same(t, "proposed", []string{"ketamine", "oral", ""}, []string{next.Get("medicine.substance"), next.Get("medicine.route"), next.Get("medicine.dose_mg")})
	goesTo(t, b.post(t, client+"/sessions/new", next), client)
	stored := s.Do("GET", "/v1/sessions/"+next.Get("id"), nil).Want(http.StatusOK).JSON()
	same(t, "a proposal alone", any(nil), stored["medicine"])
}

func TestATimeThatTheClocksSkipIsRefusedAndOneThatTheyRepeatIsTold(t *testing.T) {
	s := apitest.SQLite(t)
	b, client := clerk(t, s)
	path := client + "/sessions/new"
	says(t, b.post(t, path, b.fill(t, path, "started_at", "2026-03-08T02:30")).Want(http.StatusUnprocessableEntity), "the clocks skip this time")
	for typed, utc := range map[string]string{"2025-11-02T01:30": "2025-11-02T05:30:00Z", "2025-11-02T02:30": "2025-11-02T07:30:00Z"} {
		form := b.fill(t, path, "started_at", typed)
		goesTo(t, b.post(t, path, form), client)
		same(t, typed, any(utc), s.Do("GET", "/v1/sessions/"+form.Get("id"), nil).Want(http.StatusOK).JSON()["started_at"])
		if got := strings.Contains(text(t, b.get(t, "/account").Body), "show that time twice"); got != (utc == "2025-11-02T05:30:00Z") {
			t.Errorf("%s: told %v", typed, got)
		}
	}
	// The second of the two is not moved by who changes something else.
	body := with(dosing(), "started_at", "2025-11-02T06:30:12Z")
	stored := s.Do("POST", "/v1"+client+"/sessions", body).Want(http.StatusCreated).JSON()
	edit := "/sessions/" + stored["id"].(string) + "/edit"
	form := b.fill(t, edit, "medicine.dose_mg", "71")
	same(t, "shown", []string{"2025-11-02T01:30"}, form["started_at"])
	goesTo(t, b.post(t, edit, form), client)
	same(t, "kept", stored["started_at"], s.Do("GET", "/v1/sessions/"+stored["id"].(string), nil).Want(http.StatusOK).JSON()["started_at"])
}

func TestWhoIsOutrunSeesBothAndLosesNothing(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		b, client := clerk(t, s)
		grace := inRole(ada, auth.Clinician)
		grace.Email, grace.Name = "grace@clinic.example", "Grace"
		hire(t, s, grace)
		other := signedIn(t, s, grace)
		course := b.fill(t, client+"/courses/new", "indication", "depression", "goals", "sleep")
		goesTo(t, b.post(t, client+"/courses/new", course), client)
		session := b.fill(t, client+"/sessions/new", "medicine.substance", "ketamine", "medicine.route", "oral", "medicine.dose_mg", "40")
		goesTo(t, b.post(t, client+"/sessions/new", session), client)

		for path, f := range map[string]struct{ mine, value, theirs, both, label string }{
			client + "/edit":                           {"birth_year", "1984", "display_name", "reference", "Reference"},
			"/courses/" + course.Get("id") + "/edit":   {"planned_sessions", "6", "goals", "indication", "What is treated"},
			"/sessions/" + session.Get("id") + "/edit": {"number", "9", "medicine.dose_mg_per_kg", "medicine.dose_mg", "Dose in all (mg)"},
		} {
			mine := b.fill(t, path, f.mine, f.value, f.both, "51")
			goesTo(t, other.post(t, path, other.fill(t, path, f.theirs, "7", f.both, "60")), client)
			rows := dump(t, behind(t, s))
			r := b.post(t, path, mine).Want(http.StatusPreconditionFailed)
			says(t, r, "Stored by Grace", "both changed it", f.label, "51", "60", f.value)
			same(t, path+": the record", rows, dump(t, behind(t, s)))
			merged := formOn(t, r.Body)
			same(t, path+": the form", []string{f.value, "7", "51"}, []string{merged.Get(f.mine), merged.Get(f.theirs), merged.Get(f.both)})
			goesTo(t, b.post(t, path, merged), client)
			after := b.fill(t, path)
			same(t, path+": stored", []string{f.value, "7", "51"}, []string{after.Get(f.mine), after.Get(f.theirs), after.Get(f.both)})
		}
	})
}

func TestAnotherClinicsThingsHaveNoForms(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		b, _ := clerk(t, s)
		theirs := s.As(s.Other.Key[auth.Admin], "POST", "/v1/clients", object{"reference": "X-1"}).Want(http.StatusCreated).JSON()["id"].(string)
		at := "/v1/clients/" + theirs
		course := s.As(s.Other.Key[auth.Admin], "POST", at+"/courses", object{"indication": "x", "started_on": "2026-01-01"}).Want(http.StatusCreated).JSON()["id"].(string)
		session := s.As(s.Other.Key[auth.Admin], "POST", at+"/sessions", dosing()).Want(http.StatusCreated).JSON()["id"].(string)
		form := s.As(s.Other.Key[auth.Admin], "POST", at+"/assessments", baseline()).Want(http.StatusCreated).JSON()["id"].(string)
		rows := dump(t, behind(t, s))
		for _, path := range []string{
			"/clients/" + theirs + "/edit", "/clients/" + theirs + "/courses/new", "/clients/" + theirs + "/sessions/new",
			"/clients/" + theirs + "/assessments/new", "/clients/" + theirs + "/assessments/new?instrument=phq-9", "/clients/" + theirs + "/consents/new",
			"/courses/" + course + "/edit", "/sessions/" + session + "/edit", "/assessments/" + form + "/amend", "/assessments/" + form + "/retract",
			"/assessments/" + form + "/result", "/clients/not-an-id/edit",
		} {
			if r := b.get(t, path).Want(http.StatusNotFound); strings.Contains(string(r.Body), "X-1") {
				t.Errorf("%s tells of another clinic", path)
			}
			if !strings.HasSuffix(path, "/result") {
				b.post(t, strings.TrimSuffix(path, "?instrument=phq-9"), url.Values{
					"instrument": {"phq-9"}, "reason": {"x"}, "revision": {"1"}, "reference": {"x"}, "id": {s.Care.NewID().String()},
				}).Want(http.StatusNotFound)
			}
		}
		same(t, "the record", rows, dump(t, behind(t, s)))
	})
}

func TestWhoMayNotWriteIsShownNoForm(t *testing.T) {
	s := apitest.SQLite(t)
	_, client := clerk(t, s)
	who := inRole(ada, auth.Researcher)
	who.Email = "rosa@clinic.example"
	hire(t, s, who)
	b := signedIn(t, s, who)
	for _, path := range []string{
		"/clients/new", client + "/edit", client + "/courses/new", client + "/sessions/new", client + "/assessments/new?instrument=phq-9", client + "/consents/new",
	} {
		if r := b.get(t, path).Want(http.StatusForbidden); strings.Contains(string(r.Body), "P-1") {
			t.Errorf("%s tells who it is", path)
		}
		b.post(t, path, url.Values{"reference": {"x"}}).Want(http.StatusForbidden)
	}
}

func TestAClientOfOthersIsSeenForAReasonThatIsKept(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		b, client := clerk(t, s)
		access := client + "/break-glass"
		goesTo(t, b.get(t, access), client) // who sees everybody needs none
		s.Do("PUT", "/v1/settings/clinic", object{"care_teams": true}).Want(http.StatusOK)
		r := b.get(t, client+"/edit").Want(http.StatusNotFound)
		unknown := b.get(t, "/clients/"+s.Care.NewID().String()+"/edit").Want(http.StatusNotFound)
		says(t, r, "Ask for access")
		says(t, unknown, "Ask for access") // whether there is such a client is not told
		form := b.fill(t, access, "reason", "other")
		says(t, b.post(t, access, form).Want(http.StatusUnprocessableEntity), "needs a note")
		goesTo(t, b.post(t, access, withField(form, "note", "the family called")), client)
		b.get(t, client+"/edit").Want(http.StatusOK)
		team := s.Do("GET", "/v1"+client+"/team", nil).Want(http.StatusOK).JSON()["items"].([]any)
		same(t, "the reason", any(string(care.ForOther)), team[0].(map[string]any)["reason"])
	})
}

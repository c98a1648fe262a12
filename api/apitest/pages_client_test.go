package apitest_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
)

// patient is a client of the tests here, as the API makes them.
type patient struct {
	s    *apitest.Server
	path string // /clients/...
	id   string
}

func newPatient(s *apitest.Server) patient {
	id := s.Do("POST", "/v1/clients", object{"reference": newID(), "display_name": "Zoë", "birth_year": 1985, "time_zone": "America/Denver"}).
		Want(http.StatusCreated).JSON()["id"].(string)
	return patient{s: s, id: id, path: "/clients/" + id}
}

// dosed adds a dosing session.
func (p patient) dosed(at time.Time) string {
	return p.s.Do("POST", "/v1"+p.path+"/sessions", with(dosing(), "started_at", at)).Want(http.StatusCreated).JSON()["id"].(string)
}

// answered adds a PHQ-9, and gives its path.
func (p patient) answered(at time.Time, pairs ...any) string {
	form := with(object{"instrument": "phq-9", "timing": "follow_up", "completed_at": at}, pairs...)
	return "/assessments/" + p.s.Do("POST", "/v1"+p.path+"/assessments", form).Want(http.StatusCreated).JSON()["id"].(string)
}

// treated gives three doses, two weeks apart, with answers before and after each:
// before at its very start, after a day later.
func (p patient) treated(answers ...object) {
	for i := range 3 {
		at := today.AddDate(0, 0, 14*i-60)
		ses := p.dosed(at)
		p.answered(at, "timing", "before", "session_id", ses, "answers", answers[2*i])
		p.answered(at.AddDate(0, 0, 1), "timing", "after", "session_id", ses, "answers", answers[2*i+1])
	}
}

// tells fails the test unless a page holds each of the texts, and none of those
// behind "not".
func tells(t *testing.T, what string, page *apitest.Response, texts ...string) {
	t.Helper()
	got := strings.Join(strings.Fields(string(page.Want(http.StatusOK).Body)), " ")
	wanted := true
	for _, text := range texts {
		if text == "not" {
			wanted = false
			continue
		}
		if strings.Contains(got, text) != wanted {
			t.Errorf("%s: %q is there: %v\n%s", what, text, !wanted, got)
		}
	}
}

var ill, well = phq9(3, 3, 3, 2, 2, 2, 2, 2, 0), phq9(1, 0, 0, 0, 0, 0, 0, 0, 0)

func TestTheClientsPageSaysWhetherTheyAreBetterSinceWhichDoseAndWhetherItHolds(t *testing.T) {
	t.Parallel()
	s := apitest.SQLite(t)
	s.Clock.Set(today)
	hire(t, s, ada)
	b := signedIn(t, s, ada)
	p := newPatient(s)
	tells(t, "nothing", b.get(t, p.path), "No scores yet", "No session has been held yet.", "not", "No reliable change")
	p.treated(ill, ill, ill, well, well, well) // it is the second dose that helps
	page := b.get(t, p.path)
	tr := s.Do("GET", "/v1"+p.path+"/trajectory?instrument=phq-9", nil).Want(http.StatusOK).JSON()
	status := tr["status"].(object)
	if status["reliable"] != "improved" || status["remission"] != true || status["held_censored"] != true {
		t.Fatalf("the case is another one: %v", status)
	}
	tells(t, "better", page, "Better than the baseline by more than measurement error.", "In remission: below 5.", ", after dose 2</span>",
		heldOf(tr), "not", ", after dose 1</span>", ", after dose 3</span>", "lost on")
	late := newPatient(s)
	late.treated(ill, ill, ill, ill, well, well) // seen in the form at the very start of the third
	tells(t, "late", b.get(t, late.path), ", after dose 2</span>", "not", ", after dose 3</span>")
	p.answered(today.AddDate(0, 0, -1), "answers", ill)
	tells(t, "relapsed", b.get(t, p.path), "Relapsed", "and is not back.", "not", "days so far", "In remission: below 5.")
	p.answered(today.Add(-time.Hour), "answers", with(ill, "phq9_1", drop))
	tells(t, "without a total", b.get(t, p.path), "has no total: this is about the score before it.")
}

func TestItemNineIsNamedAtTheTopWhateverItWasAndNeverAsAllClear(t *testing.T) {
	t.Parallel()
	s := apitest.SQLite(t)
	s.Clock.Set(today)
	hire(t, s, ada)
	b := signedIn(t, s, ada)
	const heading = "To look at: the latest forms"
	for what, c := range map[string]struct {
		pairs []any
		want  []string
	}{
		"above 0":  {[]any{"answers", with(well, "phq9_9", 2)}, []string{"Item 9 was answered above 0: 2, More than half the days", heading}},
		"declined": {[]any{"answers", with(well, "phq9_9", drop), "declined", []string{"phq9_9"}}, []string{"Item 9: the client declined to answer", heading}},
		"skipped":  {[]any{"answers", with(well, "phq9_9", drop)}, []string{"Item 9 has no answer", heading}},
		"unknown":  {[]any{"total", 12}, []string{"Item 9 is not known: only a total was recorded", heading}},
		"0":        {[]any{"answers", well}, []string{`<td class="n">0</td>`, "not", heading}},
	} {
		p := newPatient(s)
		form := p.answered(today.Add(-time.Hour), c.pairs...)
		page := b.get(t, p.path)
		tells(t, what, page, c.want...)
		tells(t, what, page, "not", "No risk", "no risk", "safe")
		if body := string(page.Body); what != "0" && strings.Index(body, heading) > strings.Index(body, `class="facts`) {
			t.Errorf("%s: it is not at the top", what)
		}
		// What came before stays named when the latest form is unremarkable.
		p.answered(today.Add(-time.Minute), "answers", well)
		if what != "0" {
			tells(t, what+", earlier", b.get(t, p.path), "Earlier forms with an answer to look at: 1", form, "not", heading)
		}
		tells(t, what+", printed", b.get(t, p.path+"/report"), "An answer of 0 on a question about self-harm is no all-clear.", "not", "no risk")
	}
}

func TestAnAssessmentsPageTellsWhyEachAnswerIsMissingAndWhatEachVersionChanged(t *testing.T) {
	t.Parallel()
	s := apitest.SQLite(t)
	s.Clock.Set(today)
	a := hire(t, s, ada)
	b := signedIn(t, s, ada)
	p := newPatient(s)
	form := p.answered(today.Add(-time.Hour), "answers", with(ill, "phq9_2", drop, "phq9_3", drop), "declined", []string{"phq9_3"})
	tells(t, "missing", b.get(t, form), "Declined: the client would not say", "Skipped: no answer was given", "7 given, 2 missing", "There is no total", "Nearly every day", "/amend", "/retract")
	gated := "/assessments/" + s.Do("POST", "/v1"+p.path+"/assessments", object{
		"instrument": "pc-ptsd-5", "timing": "follow_up", "completed_at": today.Add(-time.Hour), "answers": object{"pcptsd5_exposure": 0},
	}).Want(http.StatusCreated).JSON()["id"].(string)
	tells(t, "gated", b.get(t, gated), "Not asked: question 1 leaves it out", "not", "Skipped", "Declined")
	tells(t, "a total", b.get(t, p.answered(today.Add(-2*time.Hour), "total", 12)), "Only a total was recorded.", "Item 9 has no answer", "not", "Nearly every day")

	const atOnce, later = "today, before they leave", "This answer is of an earlier day."
	flagged := func(ago time.Duration) string { return p.answered(today.Add(-ago), "answers", with(well, "phq9_9", 1)) }
	tells(t, "of today", b.get(t, flagged(time.Hour)), atOnce, "not", later)
	tells(t, "of last week", b.get(t, flagged(7*24*time.Hour)), later, "not", atOnce)

	b.get(t, form+"/amend").Want(http.StatusOK)
	etag := s.Do("GET", "/v1"+form, nil).Header.Get("ETag")
	s.Do("PUT", "/v1"+form, object{"reason": "misread the paper", "answers": with(ill, "phq9_3", drop), "declined": []string{"phq9_3"}}, "If-Match", etag).Want(http.StatusOK)
	tells(t, "amended", b.get(t, form), "Version 2", "Version 1", "misread the paper", "No answer</bdi>", "3 Nearly every day</bdi>", "not", "retracted")
	sure := b.get(t, form+"/retract").Want(http.StatusOK)
	values := withField(nil, "reason", "another client's form")
	values.Set("revision", "2")
	if b.post(t, form+"/retract", values).Status != http.StatusSeeOther {
		t.Fatalf("not retracted: %s", sure.Body)
	}
	tells(t, "retracted", b.get(t, form), "This assessment was retracted.", "another client&#39;s form", "Version 3", string(a.Name), "not", "/amend", "today, before they leave")
	tells(t, "the history", b.get(t, p.path+"/history"), form, "another client&#39;s form", "retracted")
	tells(t, "the client", b.get(t, p.path), "not", form)
}

func TestWhoMayNotSeeAClientSeesNoneOfTheirPages(t *testing.T) {
	t.Parallel()
	s := apitest.SQLite(t)
	s.Clock.Set(today)
	n := settle(s, s.Clinic)
	others := settle(s, s.Other)
	pages := func(n ids) []string {
		return []string{"/clients/" + n.client, "/clients/" + n.client + "/history", "/clients/" + n.client + "/report", "/assessments/" + n.assessment}
	}
	for role, want := range map[auth.Role]int{auth.Clinician: http.StatusOK, auth.Admin: http.StatusOK, auth.Researcher: http.StatusForbidden} {
		who := inRole(ada, role)
		who.Email = auth.Personal(string(role) + "@clinic.example")
		hire(t, s, who)
		b := signedIn(t, s, who)
		for i, path := range pages(n) {
			b.get(t, path).Want(want)
			if other := b.get(t, pages(others)[i]); other.Status != http.StatusNotFound && want == http.StatusOK || other.Status == http.StatusOK {
				t.Errorf("%s as %s: %d", pages(others)[i], role, other.Status)
			}
		}
		if want == http.StatusOK { // only who reads the trail is told what was changed
			whole := role == auth.Admin
			page := string(b.get(t, "/clients/"+n.client+"/history").Body)
			if strings.Contains(page, "What was done with this record") != whole || strings.Contains(page, "Client: added") != whole {
				t.Errorf("the history as %s: %s", role, page)
			}
		}
	}
}

func TestAClientsPageLeavesTheEntriesOfWhatItShows(t *testing.T) {
	t.Parallel()
	s := apitest.SQLite(t)
	s.Clock.Set(today)
	n := settle(s, s.Clinic)
	a := hire(t, s, ada)
	b := signedIn(t, s, ada)
	for path, want := range map[string][]string{
		"/clients/" + n.client:              {"client.read", "consent.list", "course.list", "due_form.list", "session.list", "trajectory.read"},
		"/clients/" + n.client + "/report":  {"client.read", "consent.list", "course.list", "due_form.list", "session.list", "trajectory.read"},
		"/clients/" + n.client + "/history": {"assessment.list", "client.read", "disclosure.list"},
		"/assessments/" + n.assessment:      {"assessment.history", "assessment.read", "client.read", "session.list"},
	} {
		request := b.get(t, path).Want(http.StatusOK).Header.Get("X-Request-Id")
		var got []string
		for _, e := range s.As(s.Clinic.Key[auth.Admin], "GET", "/v1/audit?limit=200&actor="+a.ID.String(), nil).Want(http.StatusOK).JSON()["items"].([]any) {
			if e := e.(object); e["request_id"] == request && e["client_id"] == n.client {
				got = append(got, e["action"].(string))
			}
		}
		slices.Sort(got)
		same(t, path, want, got)
	}
}

func TestTheClientsPagesCostNoMoreWhereThereIsMore(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		n := settle(s, s.Clinic)
		who := inRole(ada, auth.Admin)
		hire(t, s, who)
		b := signedIn(t, s, who)
		pages := []string{"/clients/" + n.client, "/clients/" + n.client + "/history", "/clients/" + n.client + "/report", "/assessments/" + n.assessment}
		cost := func() (out []string) {
			for _, path := range pages {
				b.get(t, path).Want(http.StatusOK) // what is done once is done
				s.Count.Take()
				b.get(t, path).Want(http.StatusOK)
				_, sql := apart(s.Count.Take())
				out = append(out, fmt.Sprint(path, " ", len(sql)))
			}
			return out
		}
		few := cost()
		crowd(s, s.Clinic, n)
		same(t, "statements", few, cost())
		t.Log(few)
	})
}

func TestALongHistoryIsShownFromItsEndAndWholeWhenAsked(t *testing.T) {
	t.Parallel()
	s := apitest.SQLite(t)
	s.Clock.Set(today)
	hire(t, s, ada)
	b := signedIn(t, s, ada)
	p := newPatient(s)
	var items []object
	for i := range 50 {
		items = append(items, object{"client_id": p.id, "instrument": "phq-9", "timing": "follow_up", "completed_at": today.AddDate(0, 0, -50+i), "answers": with(ill, "phq9_1", i%4)})
	}
	s.Do("POST", "/v1/assessments/batch", object{"items": items}).Want(http.StatusOK)
	for i := range 15 {
		p.dosed(today.AddDate(0, 0, -50+3*i))
	}
	scores := func(page *apitest.Response) int {
		return strings.Count(string(page.Body), `<th scope="row"><a href="/assessments/`)
	}
	all := `<a href="` + p.path + `?all=yes"`
	page := b.get(t, p.path)
	tells(t, "the end", page, "Shown are the last scores; 10 older ones are not.", "The last 12 of 15 sessions.", all)
	whole := b.get(t, p.path+"?all=yes")
	tells(t, "the whole", whole, "Dosing 15", "Dosing 1<", "not", all, "The last 12 of 15")
	if scores(page) != 40 || scores(whole) != 50 {
		t.Errorf("%d scores at first and %d in all", scores(page), scores(whole))
	}
	// What is said of the client is said of all of it.
	for _, page := range []*apitest.Response{page, whole} {
		tells(t, "the baseline", page, `data-label="Baseline"><span>16 `)
	}
}

package apitest_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
)

// enter fills in a new questionnaire.
func (b *browser) enter(t testing.TB, client, query string, pairs ...string) url.Values {
	t.Helper()
	return b.fill(t, client+"/assessments/new?"+query, pairs...)
}

// scored stores a questionnaire and gives it as the API has it.
func (b *browser) scored(t testing.TB, client string, form url.Values) map[string]any {
	t.Helper()
	goesTo(t, b.post(t, client+"/assessments/new", form), "/assessments/"+form.Get("id")+"/result")
	b.get(t, "/assessments/"+form.Get("id")+"/result").Want(http.StatusOK)
	return b.s.Do("GET", "/v1/assessments/"+form.Get("id"), nil).Want(http.StatusOK).JSON()
}

func score(a map[string]any) map[string]any { return a["score"].(map[string]any) }

func TestMissingAnswersAreAskedAboutAndNeverCountAsZero(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		b, client := clerk(t, s)
		form := b.enter(t, client, "instrument=phq-9")
		for i := 1; i <= 7; i++ {
			form.Set(fmt.Sprint("answers.phq9_", i), "1")
		}
		rows := dump(t, behind(t, s))
		r := b.post(t, client+"/assessments/new", form).Want(http.StatusUnprocessableEntity)
		says(t, r, "2 answers are missing", "8. Moving or speaking", "9. Thoughts that you would be better off dead", "Store it so")
		same(t, "the record", rows, dump(t, behind(t, s)))
		back := formOn(t, r.Body)
		same(t, "an answer that was given", []string{"1"}, back["answers.phq9_3"])
		if back.Has("answers.phq9_8") {
			t.Error("an answer was made up")
		}

		// One is a silence that the page is told of, the other one is stored so.
		back.Set("answers.phq9_8", "skipped")
		says(t, b.post(t, client+"/assessments/new", back).Want(http.StatusUnprocessableEntity), "One answer is missing")
		stored := b.scored(t, client, withField(back, "sure", "yes"))
		same(t, "the total", any(nil), score(stored)["total"])
		same(t, "what is missing", any(2.0), score(stored)["items_missing"])
		says(t, b.get(t, "/assessments/"+form.Get("id")+"/result"), "There is no total", "2 answers are missing.", "Item 9 has no answer", "no all-clear")
	})
}

func TestAnswersAreStoredAsTheyWereGiven(t *testing.T) {
	s := apitest.SQLite(t)
	b, client := clerk(t, s)
	for name, c := range map[string]struct {
		query  string
		fields []string
		answer object // what is stored of it
		says   string // on the page of the form
	}{
		"an answer of 0 is one": {"instrument=phq-2", []string{"answers.phq2_1", "0", "answers.phq2_2", "0"},
			object{"total": 0.0, "items_missing": 0.0}, "Over the last 2 weeks"},
		"what was declined is none": {"instrument=phq-9", []string{"in_order", "11111111x"},
			object{"total": nil, "items_missing": 1.0}, "Declined"},
		"a row may leave out what is not scored": {"instrument=gad-7", []string{"in_order", "1, 2, 3, 0, 1, 2, 3"},
			object{"total": 12.0}, "All answers in a row"},
		"a row may hold it": {"instrument=gad-7", []string{"in_order", "12301232"}, object{"total": 12.0}, ""},
		"prorated where somebody says so": {"instrument=phq-9", []string{"in_order", "1111111-1", "missing_policy", "prorate"},
			object{"total": 9.0, "prorated": true}, "Scale the total up"},
		"what a gate leaves out is not asked about": {"instrument=audit-c", []string{"answers.auditc_1", "0"},
			object{"total": 0.0, "items_missing": 0.0}, "Does not apply after some answers to question 1"},
		"a total alone": {"instrument=pcl-5&only=total", []string{"total", "33"},
			object{"total": 33.0, "items_missing": nil}, "nothing is known of single ones"},
		"without wording": {"instrument=who-5", []string{"in_order", "55500"}, object{"total": 60.0}, "licensed form"},
	} {
		if c.says != "" {
			says(t, b.get(t, client+"/assessments/new?"+c.query).Want(http.StatusOK), c.says)
		}
		stored := score(b.scored(t, client, b.enter(t, client, c.query, c.fields...)))
		for member, want := range c.answer {
			same(t, name+": "+member, want, stored[member])
		}
	}
}

func TestAContradictionIsAskedAboutBeforeItIsStored(t *testing.T) {
	s := apitest.SQLite(t)
	b, client := clerk(t, s)
	form := b.enter(t, client, "instrument=audit-c", "in_order", "032")
	r := b.post(t, client+"/assessments/new", form).Want(http.StatusUnprocessableEntity)
	says(t, r, "Two answers contradict each other", "2. How many drinks")
	stored := b.scored(t, client, withField(formOn(t, r.Body), "sure", "yes"))
	same(t, "the total", any(nil), score(stored)["total"])
}

func TestAnItemIsAskedOfThoseWhomItConcerns(t *testing.T) {
	s := apitest.SQLite(t)
	b, _ := clerk(t, s)
	for sex, asked := range map[string]bool{"female": true, "male": false, "": true} {
		c := s.Do("POST", "/v1/clients", object{"reference": "S-" + sex, "sex": sex}).Want(http.StatusCreated).JSON()
		r := b.get(t, "/clients/"+c["id"].(string)+"/assessments/new?instrument=phq-15").Want(http.StatusOK)
		if got := strings.Contains(string(r.Body), "answers.phq15_4"); got != asked {
			t.Errorf("%q: asked %v", sex, got)
		}
	}
}

func TestAWrongRowOrAnswerIsNamedAndNothingIsLost(t *testing.T) {
	s := apitest.SQLite(t)
	b, client := clerk(t, s)
	rows := dump(t, behind(t, s))
	for _, c := range []struct{ field, value, says string }{
		{"in_order", "123", "not as many answers"},
		{"in_order", "1111111111111", "not as many answers"},
		{"in_order", "11111é1", "Question 6: The answer is not one of the item's options."},
		{"in_order", "1111911", "Question 5: The answer is not one of the item's options."},
		{"answers.gad7_2", "9", "Question 2: The answer is not one of the item's options."},
		{"answers.gad7_2", "<script>", "Question 2: The answer is not one of the item's options."},
		{"when", "before", "names the session"},
		{"when", "before:" + s.Care.NewID().String(), "no such session"},
		{"completed_at", "", "A date and a time of day is needed here."},
		{"completed_at", "2031-01-01T10:00", "in the future"},
	} {
		form := b.enter(t, client, "instrument=gad-7", "answers.gad7_1", "1")
		form.Set("sure", "yes")
		form.Set(c.field, c.value)
		r := b.post(t, client+"/assessments/new", form).Want(http.StatusUnprocessableEntity)
		says(t, r, c.says)
		same(t, "the answer that was right", []string{"1"}, formOn(t, r.Body)["answers.gad7_1"])
	}
	same(t, "the record", rows, dump(t, behind(t, s)))
}

func TestARowThatSaysOtherwiseThanAnAnswerIsRefused(t *testing.T) {
	s := apitest.SQLite(t)
	b, client := clerk(t, s)
	form := b.enter(t, client, "instrument=gad-7", "in_order", "1111111", "answers.gad7_3", "2")
	says(t, b.post(t, client+"/assessments/new", form).Want(http.StatusUnprocessableEntity), "says otherwise")
	form.Set("answers.gad7_3", "1")
	b.scored(t, client, form) // the control
}

// TestTwoCliniciansAmendTheSameAssessment: the second is told, sees both, goes
// on from there, and loses nothing.
func TestTwoCliniciansAmendTheSameAssessment(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		b, client := clerk(t, s)
		grace := inRole(ada, auth.Clinician)
		grace.Email, grace.Name = "grace@clinic.example", "Grace"
		hire(t, s, grace)
		other := signedIn(t, s, grace)
		form := b.enter(t, client, "instrument=phq-9", "in_order", "11111111-")
		b.scored(t, client, form)
		path := "/assessments/" + form.Get("id") + "/amend"

		mine := b.fill(t, path, "answers.phq9_2", "3", "answers.phq9_5", "0", "reason", "Item 5 was misread.")
		theirs := other.fill(t, path, "answers.phq9_1", "2", "answers.phq9_2", "0", "reason", "Read out again.")
		goesTo(t, other.post(t, path, theirs), "/assessments/"+form.Get("id")+"/result")
		rows := dump(t, behind(t, s))

		r := b.post(t, path, mine).Want(http.StatusPreconditionFailed)
		says(t, r, "Stored by Grace", "Read out again.", "both changed it", "1. Little interest", "2 More than half the days", "3 Nearly every day", "Item 5 was misread.")
		same(t, "the record", rows, dump(t, behind(t, s)))
		merged := formOn(t, r.Body)
		for field, want := range map[string]string{
			"answers.phq9_1": "2", // theirs alone
			"answers.phq9_2": "3", // both: what was typed stays
			"answers.phq9_5": "0", // mine alone
			"answers.phq9_9": "skipped",
			"reason":         "Item 5 was misread.",
		} {
			same(t, field, []string{want}, merged[field])
		}
		goesTo(t, b.post(t, path, merged), "/assessments/"+form.Get("id")+"/result")
		stored := s.Do("GET", "/v1/assessments/"+form.Get("id"), nil).Want(http.StatusOK).JSON()
		same(t, "the version", any(3.0), stored["version"])
		answers := stored["answers"].(map[string]any)
		same(t, "the answers", []any{2.0, 3.0, 0.0, nil}, []any{answers["phq9_1"], answers["phq9_2"], answers["phq9_5"], answers["phq9_9"]})

		// A form as old as the first version is outrun all the same.
		b.post(t, path, mine).Want(http.StatusPreconditionFailed)
	})
}

func TestAnAmendmentNeedsAReasonAndKeepsWhatItDoesNotTouch(t *testing.T) {
	s := apitest.SQLite(t)
	b, client := clerk(t, s)
	stored := s.Do("POST", "/v1"+client+"/assessments", with(baseline(),
		"completed_at", "2026-03-01T09:00:12.5Z", "mode", "import", "recall_window", "P7D", "declined", []string{"phq9_difficulty"})).
		Want(http.StatusCreated).JSON()
	path := "/assessments/" + stored["id"].(string) + "/amend"
	says(t, b.get(t, path).Want(http.StatusOK), "Over the last 7 days")
	says(t, b.post(t, path, b.fill(t, path)).Want(http.StatusUnprocessableEntity), "A reason is needed and is kept.")
	goesTo(t, b.post(t, path, b.fill(t, path, "answers.phq9_9", "1", "reason", "misread")), "/assessments/"+stored["id"].(string)+"/result")
	after := s.Do("GET", "/v1/assessments/"+stored["id"].(string), nil).Want(http.StatusOK).JSON()
	for _, kept := range []string{"completed_at", "mode", "recall_window", "declined", "timing", "session_id", "missing_policy"} {
		same(t, kept, stored[kept], after[kept])
	}
	same(t, "the total", any(12.0), score(after)["total"])
}

func TestARetractedAssessmentIsKeptAndChangedNoMore(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		b, client := clerk(t, s)
		form := b.enter(t, client, "instrument=phq-2", "in_order", "12")
		b.scored(t, client, form)
		at := "/assessments/" + form.Get("id")
		says(t, b.get(t, at+"/retract").Want(http.StatusOK), "PHQ-2", "3", "Retract it")
		says(t, b.post(t, at+"/retract", b.fill(t, at+"/retract")).Want(http.StatusUnprocessableEntity), "A reason is needed")
		stale := b.fill(t, at+"/retract", "reason", "another's form")
		goesTo(t, b.post(t, at+"/amend", b.fill(t, at+"/amend", "answers.phq2_1", "2", "reason", "misread")), at+"/result")
		r := b.post(t, at+"/retract", stale).Want(http.StatusPreconditionFailed)
		says(t, r, "another's form", "4")
		goesTo(t, b.post(t, at+"/retract", formOn(t, r.Body)), client)
		says(t, b.get(t, at+"/result").Want(http.StatusOK), "was retracted")
		b.get(t, at+"/amend").Want(http.StatusConflict)
		b.get(t, at+"/retract").Want(http.StatusConflict)
		b.post(t, at+"/amend", url.Values{"reason": {"x"}, "revision": {"3"}}).Want(http.StatusConflict)
	})
}

func TestTheLongestTextsFitAndAFormWithoutEndDoesNot(t *testing.T) {
	s := apitest.SQLite(t)
	b, client := clerk(t, s)
	form := b.fill(t, client+"/courses/new", "indication", "depression", "goals", strings.Repeat("😀", 5000))
	goesTo(t, b.post(t, client+"/courses/new", form), client)
	edit := "/courses/" + form.Get("id") + "/edit"
	goesTo(t, b.post(t, edit, b.fill(t, edit, "planned_sessions", "6")), client)
	says(t, b.post(t, edit, withField(b.fill(t, edit), "goals", strings.Repeat("x", 300<<10))).Want(http.StatusRequestEntityTooLarge), "more than is taken here")
	stranger := browse(s, strange)
	stranger.get(t, "/login")
	stranger.post(t, "/login", url.Values{"email": {strings.Repeat("x", 20<<10)}}).Want(http.StatusRequestEntityTooLarge)
}

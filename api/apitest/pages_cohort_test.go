package apitest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
)

// grace reads figures and exports, and treats nobody.
var grace = auth.NewAccount{Email: "grace@clinic.example", Name: "Grace", Role: auth.Researcher, Password: "lamp otter violin dusk"}

// figuresAsked are questions of every figure that 12 pairs can answer.
var figuresAsked = []string{
	"change?instrument=phq-9&from=before_session:1&to=after_session:1&by=route", "recovery?from=before_session:1&to=after_session:1",
	"shift?instrument=phq-9&from=before_session:1&to=after_session:1", "item9?from=before_session:1&to=after_session:1",
	"flow?instrument=phq-9", "sessions?instrument=phq-9", "survival?instrument=phq-9&event=response", "survival?instrument=phq-9&event=loss_of_response",
	"expected?instrument=phq-9", "measures?within_days=60",
	"significance?instrument=phq-9&from=before_session:1&to=after_session:1&dysfunctional_mean=16&dysfunctional_sd=5&functional_mean=3&functional_sd=3&reliability=0.84",
}

func TestThePagesOfFiguresSayWhatTheAPISays(t *testing.T) {
	s := apitest.SQLite(t)
	s.Clock.Set(today)
	treat(s, mixed()...)
	hire(t, s, ada)
	b := signedIn(t, s, ada)
	for _, asked := range figuresAsked {
		name, query, _ := strings.Cut(asked, "?")
		page := b.get(t, "/cohort/"+asked+"&cohort=&rules=") // as a form sends what is left empty
		says(t, page, "Whom these numbers are about", "Everybody whom you may see", "fewer than 5 people")
		byKey := s.As(s.Clinic.Key[auth.Clinician], "GET", "/v1/cohort/"+asked+"&format=csv", nil).Want(http.StatusOK)
		file := b.get(t, "/cohort/"+name+".csv?"+query).Want(http.StatusOK)
		if diff := cmp.Diff(string(byKey.Body), string(file.Body)); diff != "" {
			t.Errorf("%s: the page's file is not the API's:\n%s", asked, diff)
		}
		if got, want := file.Header.Get("Content-Disposition"), byKey.Header.Get("Content-Disposition"); got != want || want == "" {
			t.Errorf("%s: the file is called %q instead of %q", asked, got, want)
		}
	}
	change := s.As(s.Clinic.Key[auth.Clinician], "GET", "/v1/cohort/"+figuresAsked[0], nil).Want(http.StatusOK).JSON()
	difference, response := change["difference"].(object), change["outcomes"].(object)["response"].(object)
	share := fmt.Sprintf("%.0f %%", 100*response["rate"].(float64))
	says(t, b.get(t, "/cohort/"+figuresAsked[0]), "People with both 12", "Mean change "+strings.ReplaceAll(fmt.Sprintf("%g", difference["mean"]), "-", "−"), share)
	says(t, b.get(t, "/cohort/"+figuresAsked[0]+"&cells=all"), "Every number is shown.")
}

func TestAPageOfAFigureWithholdsWhatTheAPIWithholds(t *testing.T) {
	s := apitest.SQLite(t)
	s.Clock.Set(today)
	treat(s, mixed()...)
	hire(t, s, grace)
	b := signedIn(t, s, grace)
	page := b.get(t, "/cohort/change?instrument=phq-9&from=before_session:1&to=after_session:1")
	says(t, page, "Those who agree to research now.", "Withdrew their agreement to research withheld", "Have not agreed to research 5")
	if said := string(page.Body); strings.Contains(said, `name="population"`) || !strings.Contains(said, `name="cells"`) {
		t.Error("the form offers what a researcher may not ask, or does not offer what they may")
	}
	says(t, b.get(t, "/cohort/change?instrument=phq-9&population=clinic").Want(http.StatusForbidden), "Your role does not allow that.")
}

func TestWhatIsWrongWithAFigureStandsBesideItsField(t *testing.T) {
	s := apitest.SQLite(t)
	hire(t, s, ada)
	b := signedIn(t, s, ada)
	b.get(t, "/cohort/nothing").Want(http.StatusNotFound)
	for path, want := range map[string]string{
		"/cohort/change?instrument=phq-9&from=last&to=last":       `id="to-fault"`,
		"/cohort/change?instrument=phq-9&rules=whim":              `id="rules-fault"`,
		"/cohort/significance?instrument=phq-9&reliability=7":     `id="reliability-fault"`,
		"/cohort/flow?instrument=phq-9&at=someday":                `id="at-fault"`,
		"/cohort/measures?index_from=2026-03-01&index_to=2026-01": `id="index_to-fault"`,
	} {
		page := b.get(t, path).Want(http.StatusUnprocessableEntity)
		if !strings.Contains(string(page.Body), want) {
			t.Errorf("%s: no %s: %s", path, want, text(t, page.Body))
		}
	}
	// The control: days of a form are taken.
	b.get(t, "/cohort/measures?index_from=2026-03-01&index_to=2026-04-01").Want(http.StatusOK)
	says(t, b.get(t, "/cohort/significance"), "Name the norms")
}

func TestACohortIsSavedOnceAndItsFilterIsReadInWords(t *testing.T) {
	s := apitest.SQLite(t)
	s.Clock.Set(today)
	treat(s, mixed()...)
	hire(t, s, ada)
	b := signedIn(t, s, ada)
	says(t, b.get(t, "/cohort"), "No cohort is saved yet")
	form := b.fill(t, "/cohorts/new", "name", "Adults <b>", "filter.age_min", "18", "filter.route", "intramuscular",
		"filter.enrolled_from", "2026-01-01", "filter.baseline.instrument", "phq-9", "filter.baseline.min", "10")
	for range 2 {
		goesTo(t, b.post(t, "/cohorts/new", form), "/cohort")
	}
	says(t, b.get(t, "/cohort"), "The cohort was saved.", "1 cohort.", "Adults <b>", "18 or more", "Route: Intramuscular", "Enrolled: from 1 Jan 2026", "10 or more")
	saved := s.As(s.Clinic.Key[auth.Clinician], "GET", "/v1/cohorts", nil).Want(http.StatusOK).JSON()["items"].([]any)
	id := saved[0].(object)["id"].(string)
	says(t, b.get(t, "/cohort/change?instrument=phq-9&from=before_session:1&to=after_session:1&cohort="+id), "Of the cohort: Adults <b>")

	form.Set("id", newID())
	form.Set("filter.age_min", "x")
	if page := b.post(t, "/cohorts/new", form).Want(http.StatusUnprocessableEntity); !strings.Contains(string(page.Body), `id="filter.age_min-fault"`) ||
		!strings.Contains(string(page.Body), "Adults &lt;b&gt;") {
		t.Error("what was typed is lost, or is not told to be wrong")
	}
	form.Set("filter.age_min", "21")
	if page := b.post(t, "/cohorts/new", form).Want(http.StatusConflict); !strings.Contains(string(page.Body), `id="name-fault"`) {
		t.Error("a name that is taken is not told")
	}
	if list := s.As(s.Clinic.Key[auth.Clinician], "GET", "/v1/cohorts", nil).Want(http.StatusOK).JSON()["items"].([]any); len(list) != 1 {
		t.Errorf("%d cohorts were saved", len(list))
	}
}

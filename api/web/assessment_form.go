package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/instrument"
)

// modes are the choices of who filled a form in.
var modes = []option{
	{Value: string(care.BySelf), Label: "The client"},
	{Value: string(care.ByClinician), Label: "A clinician, asking the client"},
}

// policies are the choices of what to do about missing answers.
var policies = []option{
	{Value: string(instrument.Complete), Label: "Give no total"},
	{Value: string(instrument.Prorated), Label: "Scale the total up, as far as the questionnaire's rule allows"},
}

// A link is one way on.
type link struct{ Path, Label string }

// assessmentFormData is a questionnaire to be filled in: a new one, or one
// that is amended.
type assessmentFormData struct {
	Client     about
	Action     string // where the form is sent to
	Amends     string // the id of the assessment that is amended; empty: a new one
	Instrument string
	Language   string // of the questionnaire
	Credit     string
	Stem       string
	NoWording  bool   // the clinic shows its own licensed form
	Window     string // what it asks about, in words
	Windows    []link // what it can ask about instead
	When       []option
	Modes      []option
	Policies   []option // none: the instrument's rule leaves no choice
	TotalOnly  bool
	Least      string // of a total
	Most       string
	Otherwise  string // the path of the other way to enter it: a total instead of answers, or the reverse
	InOrder    bool   // the answers can be typed in a row
	Questions  []question
	Doubts     *doubts
	Keep       string // by what a browser keeps what is not sent yet
	Outrun     *outrun
}

// page is the page of the questionnaire with a form.
func (sh *sheet) page(v *visit, f form) (view, assessmentFormData) {
	t := v.tongue()
	data := assessmentFormData{
		Client: aboutClient(sh.client), Action: sh.path(), Instrument: sh.def.ID, Language: sh.def.Language, Credit: sh.def.Licence.Credit,
		Stem: sh.def.Stem, NoWording: sh.def.ScoringOnly, Window: t.window(sh.window), When: sh.whens(t), Modes: modes,
		TotalOnly: sh.total, Least: decimals(&sh.def.Scoring.Min), Most: decimals(&sh.def.Scoring.Max),
	}
	if other, found := sh.def.Stems[sh.window]; found {
		data.Stem = other
	}
	for _, w := range sh.def.RecallWindows {
		if w != sh.window {
			data.Windows = append(data.Windows, link{Path: sh.link(f, "recall_window", w), Label: t.window(w)})
		}
	}
	if sh.def.Scoring.Prorate != nil && !sh.total {
		data.Policies = policies
	}
	if sh.total {
		data.Otherwise = sh.link(f, "only", "items")
	} else {
		data.Otherwise = sh.link(f, "only", "total")
		data.Questions = t.questions(sh.def, sh.client.Sex, f)
		data.InOrder = sh.stored == nil && singleDigits(data.Questions)
	}
	keep := []string{v.me.ID.String(), sh.client.ID.String(), sh.def.ID, sh.window, strconv.FormatBool(sh.total), f.Value("when")}
	if sh.stored != nil {
		data.Amends = sh.stored.ID.String()
		keep = append(keep, data.Amends, f.Value("revision"))
	}
	data.Keep = strings.Join(keep, "/")
	f.values.Set("recall_window", sh.window)
	f.values.Set("only", map[bool]string{true: "total", false: "items"}[sh.total])
	title := sh.def.Title
	return view{Title: title, Form: f, Data: data}, data
}

// assessment reads the fields of the questionnaire, and what is to be asked
// about them.
func (r *reading) assessment(sh *sheet, questions []question) (care.Assessment, *doubts) {
	timing, session := splitWhen(r.v.typed("when"))
	a := care.Assessment{
		ClientID: sh.client.ID, Instrument: sh.def.ID, Timing: care.Timing(timing), RecallWindow: sh.window,
		Mode: care.Mode(r.v.typed("mode")), MissingPolicy: instrument.MissingPolicy(r.v.typed("missing_policy")),
	}
	if session != "" {
		id, ok := pathUUID(session)
		if !ok {
			r.wrong("when", wrongID)
		}
		a.SessionID = &id
	}
	var stored *time.Time
	if sh.stored != nil {
		stored = &sh.stored.CompletedAt
	}
	a.CompletedAt = r.at("completed_at", zone(sh.client.TimeZone), stored)
	if sh.total {
		if a.Total = r.decimal("total", sh.def.Scoring.Max); a.Total == nil {
			r.wrong("total", needed)
		} else {
			a.MissingPolicy = sh.policyOf(*a.Total)
		}
		return a, nil
	}
	r.spread(questions)
	a.Answers, a.Declined = r.answers(questions)
	return a, doubtful(sh.def, questions, a.Answers, r.v.typed)
}

// named says of faults which question or field of the page each belongs to.
func (t tongue) named(err error, questions []question) error {
	details := detailsOf(err)
	if len(details) == 0 {
		return err
	}
	if hasPointer(details, "/in_order") { // the answers are there, in a row that is wrong
		details = slices.DeleteFunc(slices.Clone(details), func(d fault.Detail) bool { return d.Code == "no_answers" })
	}
	out := make([]fault.Detail, len(details))
	for i, d := range details {
		out[i] = d
		switch d.Pointer {
		case "/timing", "/session_id":
			out[i].Pointer = "/when"
		}
		for _, q := range questions {
			if d.Pointer == "/answers/"+q.item.ID {
				out[i].Message = t.T("Question %d: %s", q.Number, t.T(d.Message))
			}
		}
	}
	return fault.New(fault.KindOf(err), "The form is not complete.", out...)
}

// newAssessment shows which questionnaires there are, or the one that the URL
// names.
func (s *Site) newAssessment(v *visit) error {
	client, err := v.theClient()
	if err == nil {
		err = v.who.Require(writeAssessments...)
	}
	if err != nil {
		return err
	}
	if v.QueryParam("instrument") == "" {
		return s.chooseInstrument(v, client)
	}
	sh, err := v.sheetFor(client, v.QueryParam("instrument"))
	if err != nil {
		return err
	}
	sh.asks(v.QueryParam("recall_window"), v.QueryParam("only"))
	when := sh.when(v.QueryParam("timing"), v.QueryParam("session_id"), s.Now())
	f := formOf("id", s.Care.NewID().String(), "when", when, "mode", string(care.BySelf),
		"missing_policy", string(instrument.Complete), "completed_at", sh.completed(when, s.Now()).Format(dateTimeLayout))
	page, _ := sh.page(v, f)
	return v.render("assessment_form", page)
}

// addAssessment stores a questionnaire, once, and shows what it says.
func (s *Site) addAssessment(v *visit) error {
	client, err := v.theClient()
	if err != nil {
		return err
	}
	sh, err := v.sheetFor(client, v.typed("instrument"))
	if err != nil {
		return err
	}
	sh.asks(v.typed("recall_window"), v.typed("only"))
	page, data := sh.page(v, v.sent())
	r := v.reading()
	in, doubts := r.assessment(&sh, data.Questions)
	in.ID = r.id()
	if err := r.err(s.Care.CheckAssessment(in)); err != nil {
		return v.again("assessment_form", page, v.tongue().named(err, data.Questions))
	}
	if doubts != nil && v.typed("sure") == "" {
		return v.asks(page, data, doubts)
	}
	recorded, err := s.Care.RecordAssessments(v.ctx(), v.who, []care.Assessment{in})
	if err == nil {
		err = recorded[0].Err
	}
	if err != nil {
		return v.again("assessment_form", page, v.tongue().named(spoken(err), data.Questions))
	}
	return r.done("/assessments/"+in.ID.String()+"/result", "The questionnaire was stored.")
}

// asks shows a questionnaire once more, with what is to be decided before it is
// stored.
func (v *visit) asks(page view, data assessmentFormData, doubts *doubts) error {
	data.Doubts = doubts
	for i, q := range data.Questions {
		data.Questions[i].Missing = slices.ContainsFunc(doubts.Missing, func(m question) bool { return m.Field == q.Field })
	}
	page.Data = data
	return v.renderAs(http.StatusUnprocessableEntity, "assessment_form", page)
}

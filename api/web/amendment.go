package web

import (
	"slices"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
)

// theAssessment reads the assessment that the path names, and whose it is.
func (v *visit) theAssessment() (care.Assessment, care.Client, error) {
	id, err := v.pathID("assessment_id")
	if err != nil {
		return care.Assessment{}, care.Client{}, err
	}
	a, err := v.site.Care.Assessment(v.ctx(), v.who, id)
	if err != nil {
		return care.Assessment{}, care.Client{}, err
	}
	client, err := v.site.Care.Client(v.ctx(), v.who, a.ClientID)
	return a, client, err
}

var errRetracted = fault.New(fault.Conflict, "This assessment was retracted. It cannot be changed; enter another one.")

// amended is the sheet of the assessment that the path names.
func (v *visit) amended() (sheet, error) {
	a, client, err := v.theAssessment()
	if err != nil {
		return sheet{}, err
	}
	if a.Retracted {
		return sheet{}, errRetracted
	}
	sh, err := v.sheetFor(client, a.Instrument)
	sh.stored, sh.window, sh.total = &a, a.RecallWindow, a.Total != nil
	return sh, err
}

// form is the stored assessment as the fields show it.
func (sh *sheet) form() form {
	a := sh.stored
	when := string(a.Timing)
	if a.SessionID != nil {
		when += ":" + a.SessionID.String()
	}
	f := formOf("when", when, "mode", string(a.Mode), "missing_policy", string(a.MissingPolicy), "recall_window", a.RecallWindow,
		"completed_at", a.CompletedAt.In(zone(sh.client.TimeZone)).Format(dateTimeLayout), "total", decimals(a.Total))
	if a.Total != nil {
		return f
	}
	for _, item := range sh.def.Items {
		switch value := a.Answers[item.ID]; {
		case value != nil:
			f.values.Set(answerField(item.ID), digits(value))
		case slices.Contains(a.Declined, item.ID):
			f.values.Set(answerField(item.ID), declined)
		case askedOf(item, sh.client.Sex) && !isGated(sh.def, item.ID, a.Answers):
			f.values.Set(answerField(item.ID), skipped)
		}
	}
	return f
}

// keepChoices adds to the page what it does not offer for new forms: what came
// from elsewhere may stay what it is.
func (sh *sheet) keepChoices(data *assessmentFormData) {
	if sh.stored.Mode == care.ByImport {
		data.Modes = append(slices.Clone(modes), option{Value: string(care.ByImport), Label: "Taken over from elsewhere"})
	}
}

// amendForm shows an assessment to be amended.
func (s *Site) amendForm(v *visit) error {
	sh, err := v.amended()
	if err == nil {
		err = v.who.Require(amendAssessments...)
	}
	if err != nil {
		return err
	}
	f := sh.form().showing(sh.stored.Version)
	sh.asks(v.QueryParam("recall_window"), v.QueryParam("only"))
	page, data := sh.page(v, f)
	sh.keepChoices(&data)
	page.Data = data
	return v.render("assessment_form", page)
}

// amend stores another version of an assessment. Who was outrun by somebody
// else sees both, answer by answer, and goes on from there.
func (s *Site) amend(v *visit) error {
	sh, err := v.amended()
	if err != nil {
		return err
	}
	sh.asks(v.typed("recall_window"), v.typed("only"))
	page, data := sh.page(v, v.sent())
	sh.keepChoices(&data)
	page.Data = data
	r := v.reading()
	in, doubts := r.assessment(&sh, data.Questions)
	in.ID, in.Reason = sh.stored.ID, care.Private(r.text("reason", 1000))
	revision := r.revision()
	meaning := s.Care.CheckAssessment(in)
	if in.Reason == "" {
		meaning = append(meaning, fault.Detail{Pointer: "/reason", Code: "required", Message: "A reason is needed and is kept."})
	}
	if err := r.err(meaning); err != nil {
		return v.again("assessment_form", page, v.tongue().named(err, data.Questions))
	}
	if doubts != nil && v.typed("sure") == "" && revision == sh.stored.Version {
		return v.asks(page, data, doubts)
	}
	_, err = s.Care.Amend(v.ctx(), v.who, in, revision)
	if fault.Is(err, fault.Stale) {
		return v.amendOutrun()
	}
	if err != nil {
		return v.again("assessment_form", page, v.tongue().named(err, data.Questions))
	}
	return r.done("/assessments/"+in.ID.String()+"/result", "The assessment was amended. The version before is kept.")
}

// amendOutrun shows what somebody else has stored beside what was typed.
func (v *visit) amendOutrun() error {
	sh, err := v.amended()
	if err != nil {
		return err
	}
	t, stored := v.tongue(), sh.form()
	fields := sh.compared(t, stored, v.sent())
	merged, told, err := v.outrun(stored, sh.stored.Revision, zone(sh.client.TimeZone), sh.stored.Reason, fields)
	if err != nil {
		return err
	}
	sh.asks(merged.Value("recall_window"), v.typed("only"))
	page, data := sh.page(v, merged)
	sh.keepChoices(&data)
	data.Outrun = told
	page.Data = data
	return v.again("assessment_form", page, errOutrun)
}

// compared are the fields of an assessment in which two people's work can
// differ: its answers, of which either form may have more, and all else.
func (sh *sheet) compared(t tongue, forms ...form) []compared {
	out := []compared{
		{Field: "when", Label: t.T("When"), Words: sh.whens(t)}, {Field: "completed_at", Label: t.T("Filled in at")},
		{Field: "mode", Label: t.T("Filled in by"), Words: t.worded(modes)}, {Field: "recall_window", Label: t.T("It asks about"), Words: t.worded(windows)},
		{Field: "missing_policy", Label: t.T("Where answers are missing"), Words: t.worded(policies)}, {Field: "total", Label: t.T("Total")},
	}
	all := formOf()
	for _, f := range forms {
		for _, item := range sh.def.Items {
			if value := f.Value(answerField(item.ID)); value != "" {
				all.values.Set(answerField(item.ID), value)
			}
		}
	}
	return append(out, t.comparedAnswers(t.questions(sh.def, sh.client.Sex, all))...)
}

package research

import (
	"context"
	"iter"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/export"
)

// entry is a form as a row shows it.
type entry struct {
	*Form
	visit *visit // nil: it belongs to no session
	sheet *sheet // with the form laid out; in the shape long with one item chosen
	item  int
}

// forms are the forms of a patient that a request asks for.
func (x *Export) forms(sheet *sheet) func(*patient) iter.Seq2[*entry, error] {
	e := &entry{sheet: sheet}
	return func(p *patient) iter.Seq2[*entry, error] {
		return func(yield func(*entry, error) bool) {
			for i := range p.Forms {
				e.Form, e.visit = &p.Forms[i], nil
				if id := e.SessionID; id != nil {
					e.visit = p.bySession[*id]
				}
				if !x.asked(p, e) {
					continue
				}
				if err := sheet.lay(p, e.Form); err != nil {
					yield(nil, err)
					return
				}
				if !yield(e, nil) {
					return
				}
			}
		}
	}
}

// asked reports whether a form is of the part that a request asks for.
func (x *Export) asked(p *patient, e *entry) bool {
	r := x.Request
	if r.ChangedSince != nil && e.RecordedAt.Before(*r.ChangedSince) && !x.moved[p.Person.ID] {
		return false
	}
	return (r.Timing == "" || r.Timing == e.Timing) && x.within(p, e.CompletedAt) && x.visited(e.visit)
}

// visited reports whether a session, or what belongs to it, is of the part that
// a request asks for.
func (x *Export) visited(v *visit) bool {
	r := x.Request
	if r.Session == nil && r.Course == nil {
		return true
	}
	return v != nil && (r.Session == nil || *r.Session == v.Place) &&
		(r.Course == nil || v.CourseID != nil && *r.Course == *v.CourseID)
}

// assessmentTable has one row an assessment.
func (x *Export) assessmentTable(ctx context.Context, r Reader, set []questionnaire) export.Table {
	sheet := newSheet(set)
	fields := append(x.about(set), x.scores(set)...)
	for i, q := range sheet.questions {
		fields = append(fields, field[*entry]{q.column(), func(_ *patient, e *entry) export.Cell { return e.sheet.cells[i] }})
	}
	fields = append(append(fields, x.how()...), x.increment()...)
	fields = append(fields, field[*entry]{missingColumn("Items of the instrument's version without an answer, each with the reason"),
		func(_ *patient, e *entry) export.Cell { return export.Cell{Text: e.sheet.missing()} }})
	q := HistoryQuery{Answers: true, Retracted: x.Request.ChangedSince != nil}
	return export.Table{
		Name: "assessments", Title: "Assessments, one a row", Columns: columnsOf(fields),
		Rows: rowsOf(x.patients(ctx, r, q), fields, x.forms(sheet)),
	}
}

func missingColumn(label string) export.Column {
	c := textual("missing_reasons", label, "Separated by blanks; empty where nothing is missing")
	c.Reasons = nil
	return c
}

// about are the columns that say which assessment a row is about.
func (x *Export) about(set []questionnaire) []field[*entry] {
	d := x.disguise
	visited := func(cell func(*visit) export.Cell) func(*patient, *entry) export.Cell {
		return func(_ *patient, e *entry) export.Cell {
			if e.visit == nil {
				return export.None
			}
			return cell(e.visit)
		}
	}
	out := []field[*entry]{
		{d.named("assessment_id", "Assessment"), func(_ *patient, e *entry) export.Cell {
			return export.TextCell(d.id(anAnswer, e.ID))
		}},
		clientField[*entry](d),
		{d.named("course", "Course of treatment of the session"), visited(func(v *visit) export.Cell { return v.course })},
		{d.named("session", "Session"), visited(func(v *visit) export.Cell { return v.name })},
		{placeColumn("session_number"), visited(func(v *visit) export.Cell { return export.IntCell(v.Place) })},
		{kindColumn("session_kind"), visited(func(v *visit) export.Cell { return export.TextCell(string(v.Kind)) })},
		{timingColumn(), func(_ *patient, e *entry) export.Cell { return export.TextCell(string(e.Timing)) }},
		{instrumentColumn(set), func(_ *patient, e *entry) export.Cell { return export.TextCell(e.Instrument) }},
		{textual("instrument_version", "Version of the instrument", "Of the wording and the rules together"), func(_ *patient, e *entry) export.Cell {
			return export.TextCell(e.InstrumentVersion)
		}},
	}
	return append(out, x.completed()...)
}

// completed are the columns that say when an assessment was taken.
func (x *Export) completed() []field[*entry] {
	return append(when(x.disguise.moments(), field[*entry]{x.disguise.time("completed_at", "When it was completed"), func(p *patient, e *entry) export.Cell {
		return p.moment(e.CompletedAt)
	}}), field[*entry]{reached(numeric("days_from_first_dose", "Days from the first dose", "days", daysSource)), func(p *patient, e *entry) export.Cell {
		return p.days(e.CompletedAt)
	}})
}

// scores are the columns of what an assessment says.
func (x *Export) scores(set []questionnaire) []field[*entry] {
	out := []field[*entry]{
		{totalColumn("total", "Total", set...), func(_ *patient, e *entry) export.Cell { return export.RealPtr(e.Total) }},
		{textual("severity", "Severity", "The band of the instrument that the total is in", severities(set)...), func(_ *patient, e *entry) export.Cell {
			if e.Severity == nil {
				return export.None
			}
			return export.TextCell(*e.Severity)
		}},
		{yesNo("prorated", "Whether the total was prorated", "Scaled up from fewer answers"), func(_ *patient, e *entry) export.Cell { return export.BoolCell(e.Prorated) }},
		{whole("items_answered", "Scored items with an answer", "items", "Not known where only a total is"), func(_ *patient, e *entry) export.Cell {
			return export.IntPtr(e.ItemsAnswered)
		}},
	}
	for _, q := range set {
		for _, c := range q.subscales() {
			out = append(out, field[*entry]{c, func(_ *patient, e *entry) export.Cell {
				if e.Instrument != q.ID {
					return export.Cell{Missing: export.NotIncluded}
				}
				return export.RealPtr(e.Subscales[c.Name])
			}})
		}
	}
	return out
}

// how are the columns that say how an assessment was taken.
func (x *Export) how() []field[*entry] {
	return []field[*entry]{
		{textual("recall_window", "The time that the questions asked about", "An ISO 8601 duration, or since_last_session"), func(_ *patient, e *entry) export.Cell {
			return export.TextCell(e.RecallWindow)
		}},
		{textual("mode", "Who filled it in", "As recorded",
			export.Code{Value: string(care.BySelf), Label: "The client"}, export.Code{Value: string(care.ByClinician), Label: "A clinician"},
			export.Code{Value: string(care.ByImport), Label: "Another system"}), func(_ *patient, e *entry) export.Cell { return export.TextCell(string(e.Mode)) }},
	}
}

// increment are the columns that an increment has in addition: it holds what
// was recorded since a time, and all of whoever had something else recorded.
func (x *Export) increment() []field[*entry] {
	since := x.Request.ChangedSince != nil
	const how = "In increments alone. An increment holds every assessment that was recorded since, retracted ones too, and all of a client " +
		"whose client data, courses, sessions, merges or consent to research were recorded since: its rows replace those of the same assessment_id"
	return append(when(since, field[*entry]{yesNo("retracted", "Whether it counts no longer", how), func(_ *patient, e *entry) export.Cell {
		return export.BoolCell(e.Retracted)
	}}), when(since && x.disguise.profile != Deidentified && x.disguise.moments(), field[*entry]{x.disguise.time("recorded_at", "When this version was recorded"),
		func(p *patient, e *entry) export.Cell { return p.moment(e.RecordedAt) }})...)
}

func placeColumn(name string) export.Column {
	c := whole(name, "Number of the session among those of its kind", "", "As the clinic counts, else its place in time within the course")
	c.Min = new(1.0)
	return c
}

func kindColumn(name string) export.Column {
	return textual(name, "Kind of session", "As recorded",
		export.Code{Value: string(care.Preparation), Label: "Preparation"}, export.Code{Value: string(care.Dosing), Label: "Dosing"},
		export.Code{Value: string(care.Integration), Label: "Integration"}, export.Code{Value: string(care.FollowUp), Label: "Follow-up"})
}

func timingColumn() export.Column {
	return textual("timing", "When it was taken, seen from the treatment", "As recorded",
		export.Code{Value: string(care.AtBaseline), Label: "At baseline"}, export.Code{Value: string(care.BeforeIt), Label: "Before the session"},
		export.Code{Value: string(care.AfterIt), Label: "After the session"}, export.Code{Value: string(care.AtFollowUp), Label: "At follow-up"})
}

func instrumentColumn(set []questionnaire) export.Column {
	return textual("instrument", "Instrument", "As recorded", titles(set)...)
}

package research

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/export"
	"github.com/protrack/protrack/pkg/instrument"
	"github.com/protrack/protrack/pkg/trajectory"
)

// patient is one person with what every row about them needs.
type patient struct {
	History
	firstDose *time.Time
	sessions  map[uuid.UUID]care.Session
}

// patientOf finds the first dose that was given by a time.
func patientOf(h History, by time.Time) patient {
	p := patient{History: h, sessions: make(map[uuid.UUID]care.Session, len(h.Sessions))}
	for _, ses := range h.Sessions {
		p.sessions[ses.ID] = ses
		if p.firstDose == nil && ses.Kind == care.Dosing && !ses.StartedAt.After(by) {
			p.firstDose = new(ses.StartedAt)
		}
	}
	return p
}

// days is how many days lie between the first dose and a time.
func (p patient) days(at time.Time) export.Cell {
	if p.firstDose == nil {
		return export.Cell{Missing: export.NotReached}
	}
	return export.RealCell(trajectory.Days(*p.firstDose, at))
}

// field is a column and what stands in it for one form of one patient.
type field struct {
	export.Column
	cell func(p *patient, f *Form) export.Cell
}

func columnsOf(fields []field) []export.Column {
	out := make([]export.Column, len(fields))
	for i, f := range fields {
		out[i] = f.Column
	}
	return out
}

// assessmentTable has one row an assessment.
func (s *Service) assessmentTable(ctx context.Context, x *Export, r Reader) (export.Table, error) {
	defs := make([]*instrument.Definition, len(x.Request.Instruments))
	for i, id := range x.Request.Instruments {
		def, err := s.Instruments.Get(id)
		if err != nil {
			return export.Table{}, err
		}
		defs[i] = def
	}
	fields := slices.Concat(x.about(), x.results(defs))
	rows := func(yield func([]export.Cell, error) bool) {
		row := make([]export.Cell, len(fields))
		for h, err := range x.histories(ctx, r, HistoryQuery{Answers: true}) {
			if err != nil {
				yield(nil, err)
				return
			}
			p := patientOf(h, x.until())
			for i := range p.Forms {
				for j := range fields {
					row[j] = fields[j].cell(&p, &p.Forms[i])
				}
				if !yield(row, nil) {
					return
				}
			}
		}
	}
	return export.Table{Name: "assessments", Title: "Assessments, one a row", Columns: columnsOf(fields), Rows: rows}, nil
}

// until is up to when the export knows the record.
func (x *Export) until() time.Time {
	if x.Request.AsOf != nil {
		return *x.Request.AsOf
	}
	return x.GeneratedAt
}

// about are the columns that say which assessment a row is about.
func (x *Export) about() []field {
	d := x.disguise
	out := []field{
		{export.Column{Name: "assessment_id", Label: "Assessment"}, func(_ *patient, f *Form) export.Cell { return d.id("assessment", f.ID) }},
		{export.Column{Name: "client", Label: "Client"}, func(p *patient, _ *Form) export.Cell { return d.id("client", p.Person.ID) }},
		{export.Column{Name: "course", Label: "Course of treatment"}, func(p *patient, f *Form) export.Cell { return d.idPtr("course", p.courseOf(f)) }},
		{export.Column{Name: "session", Label: "Session"}, func(_ *patient, f *Form) export.Cell { return d.idPtr("session", f.SessionID) }},
		{export.Column{Name: "session_number", Label: "Number of the session among those of its kind", Kind: export.Integer}, func(p *patient, f *Form) export.Cell {
			if ses, found := p.sessionOf(f); found {
				return export.IntCell(ses.Place)
			}
			return export.None
		}},
		{export.Column{Name: "session_kind", Label: "Kind of session"}, func(p *patient, f *Form) export.Cell {
			ses, _ := p.sessionOf(f)
			return export.TextCell(string(ses.Kind))
		}},
		{export.Column{Name: "timing", Label: "When it was taken"}, func(_ *patient, f *Form) export.Cell { return export.TextCell(string(f.Timing)) }},
		{export.Column{Name: "instrument", Label: "Instrument"}, func(_ *patient, f *Form) export.Cell { return export.TextCell(f.Instrument) }},
		{export.Column{Name: "instrument_version", Label: "Version of the instrument"}, func(_ *patient, f *Form) export.Cell { return export.TextCell(f.InstrumentVersion) }},
	}
	if d.moments() {
		out = append(out, field{export.Column{Name: "completed_at", Label: "When it was completed", Kind: export.Moment}, func(p *patient, f *Form) export.Cell {
			return d.moment(p.Person.ID, f.CompletedAt)
		}})
	}
	return append(out, field{export.Column{Name: "days_from_first_dose", Label: "Days from the first dose", Kind: export.Real, Unit: "days"}, func(p *patient, f *Form) export.Cell {
		return p.days(f.CompletedAt)
	}})
}

// results are the columns of the score and the answers.
func (x *Export) results(defs []*instrument.Definition) []field {
	out := []field{
		{export.Column{Name: "total", Label: "Total", Kind: export.Real, Unit: "points"}, func(_ *patient, f *Form) export.Cell { return export.RealPtr(f.Total) }},
		{export.Column{Name: "severity", Label: "Severity"}, func(_ *patient, f *Form) export.Cell {
			if f.Severity == nil {
				return export.None
			}
			return export.TextCell(*f.Severity)
		}},
		{export.Column{Name: "prorated", Label: "Whether the total was prorated", Kind: export.Boolean}, func(_ *patient, f *Form) export.Cell { return export.BoolCell(f.Prorated) }},
		{export.Column{Name: "items_answered", Label: "Scored items with an answer", Kind: export.Integer}, func(_ *patient, f *Form) export.Cell { return export.IntPtr(f.ItemsAnswered) }},
	}
	for _, def := range defs {
		for _, sub := range def.Subscales {
			out = append(out, field{export.Column{Name: sub.ID, Label: sub.Title, Kind: export.Real, Unit: "points"}, func(_ *patient, f *Form) export.Cell {
				if f.Instrument != def.ID {
					return export.Cell{Missing: export.NotIncluded}
				}
				return export.RealPtr(f.Subscales[sub.ID])
			}})
		}
	}
	for _, def := range defs {
		for _, item := range def.Items {
			out = append(out, field{itemColumn(def, item), func(_ *patient, f *Form) export.Cell { return answerCell(def, item, f) }})
		}
	}
	return out
}

func itemColumn(def *instrument.Definition, item instrument.Item) export.Column {
	c := export.Column{Name: item.ID, Label: item.Text, Kind: export.Integer, Instrument: def.ID, Version: def.Version, Licence: def.Licence.Terms}
	for _, o := range def.Options(item) {
		c.Codes = append(c.Codes, export.Code{Value: fmt.Sprint(o.Value), Label: o.Text})
	}
	return c
}

// answerCell is the answer to an item, or why there is none.
func answerCell(def *instrument.Definition, item instrument.Item, f *Form) export.Cell {
	if f.Instrument != def.ID {
		return export.Cell{Missing: export.NotIncluded}
	}
	if value, _ := f.Answer(item.ID); value != nil {
		return export.IntCell(*value)
	}
	return export.Cell{Missing: f.whyMissing(def, item)}
}

// whyMissing says why a form has no answer to an item of its instrument.
func (f *Form) whyMissing(def *instrument.Definition, item instrument.Item) export.Missing {
	switch {
	case f.TotalOnly:
		return export.Unknown
	case slices.Contains(f.Declined, item.ID):
		return export.Declined
	case f.gated(def, item):
		return export.NotAsked
	}
	return export.Skipped
}

// gated reports whether another answer made the item one that is not asked.
func (f *Form) gated(def *instrument.Definition, item instrument.Item) bool {
	if def.Gate == nil || !slices.Contains(def.Gate.Skips, item.ID) {
		return false
	}
	value, _ := f.Answer(def.Gate.Item)
	return value != nil && *value == def.Gate.Equals
}

func (p *patient) sessionOf(f *Form) (care.Session, bool) {
	if f.SessionID == nil {
		return care.Session{}, false
	}
	ses, found := p.sessions[*f.SessionID]
	return ses, found
}

// courseOf is the course that a form belongs to: that of its session.
func (p *patient) courseOf(f *Form) *uuid.UUID {
	ses, _ := p.sessionOf(f)
	return ses.CourseID
}

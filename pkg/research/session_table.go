package research

import (
	"context"
	"iter"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/export"
)

// sessionTable has one row a session, planned ones too.
func (x *Export) sessionTable(ctx context.Context, r Reader) export.Table {
	fields := append(x.aboutSession(), x.medicine()...)
	fields = append(fields, field[*visit]{
		yesNo("planned", "Whether it had not begun when the record was read", "By its start; it then counts as no dose"),
		func(_ *patient, v *visit) export.Cell { return export.BoolCell(v.planned) },
	})
	return export.Table{
		Name: "sessions", Title: "Sessions, one a row", Columns: columnsOf(fields),
		Rows: rowsOf(x.patients(ctx, r, HistoryQuery{SkipForms: true}), fields, x.visits),
	}
}

// visits are the sessions of a patient that a request asks for.
func (x *Export) visits(p *patient) iter.Seq2[*visit, error] {
	return func(yield func(*visit, error) bool) {
		for i := range p.visits {
			v := &p.visits[i]
			if x.within(p, v.StartedAt) && x.visited(v) && !yield(v, nil) {
				return
			}
		}
	}
}

// aboutSession are the columns that say which session a row is about, and when
// it was.
func (x *Export) aboutSession() []field[*visit] {
	d := x.disguise
	indication := typed(textual("indication", "What the course treats", d.rareSource(indications)))
	out := []field[*visit]{
		clientField[*visit](d),
		{d.named("session", "Session"), func(_ *patient, v *visit) export.Cell { return v.name }},
		{d.named("course", "Course of treatment"), func(_ *patient, v *visit) export.Cell { return v.course }},
		{indication, func(_ *patient, v *visit) export.Cell { return d.category(indications, v.indication) }},
		{placeColumn("number"), func(_ *patient, v *visit) export.Cell { return export.IntCell(v.Place) }},
		{kindColumn("kind"), func(_ *patient, v *visit) export.Cell { return export.TextCell(string(v.Kind)) }},
	}
	out = append(out, when(d.moments(), field[*visit]{d.time("started_at", "When it started, or is to start"), func(p *patient, v *visit) export.Cell {
		return p.moment(v.StartedAt)
	}})...)
	return append(out,
		field[*visit]{reached(numeric("days_from_first_dose", "Days from the first dose", "days", daysSource)), func(p *patient, v *visit) export.Cell {
			return p.days(v.StartedAt)
		}},
		field[*visit]{numeric("duration_minutes", "How long it took", "minutes", "From start to end, where an end was recorded"), func(_ *patient, v *visit) export.Cell {
			if v.EndedAt == nil {
				return export.None
			}
			return export.RealCell(v.EndedAt.Sub(v.StartedAt).Minutes())
		}})
}

// medicine are the columns of what was given.
func (x *Export) medicine() []field[*visit] {
	d := x.disguise
	given := func(cell func(*care.Medicine) export.Cell) func(*patient, *visit) export.Cell {
		return func(_ *patient, v *visit) export.Cell {
			if v.Medicine == nil {
				return export.None
			}
			return cell(v.Medicine)
		}
	}
	route := textual("route", "How it was given", d.rareSource(routes))
	for _, r := range care.Routes() {
		route.Codes = append(route.Codes, export.Code{Value: string(r), Label: string(r)})
	}
	if d.profile == Deidentified {
		route.Codes = append(route.Codes, export.Code{Value: other, Label: "Another one, or one that few people had"})
	}
	return []field[*visit]{
		{typed(textual("substance", "What was given", d.rareSource(substances))), given(func(m *care.Medicine) export.Cell { return d.category(substances, m.Substance) })},
		{route, given(func(m *care.Medicine) export.Cell { return d.category(routes, string(m.Route)) })},
		{numeric("dose_mg", "How much was given", "mg", "As recorded, in all"), given(func(m *care.Medicine) export.Cell { return export.RealCell(m.DoseMG) })},
		{numeric("dose_mg_per_kg", "How much was given for each kilogram of body weight", "mg/kg", "As recorded"), given(func(m *care.Medicine) export.Cell {
			return export.RealPtr(m.DoseMGPerKG)
		})},
	}
}

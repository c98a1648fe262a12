package research

import (
	"context"
	"slices"
	"time"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/export"
	"github.com/protrack/protrack/pkg/instrument"
	"github.com/protrack/protrack/pkg/trajectory"
)

// person is a field of a table with one row a client.
type person = field[*patient]

// clientTable has one row a client.
func (x *Export) clientTable(ctx context.Context, r Reader) export.Table {
	fields := append(x.whoItIs(), x.treatment()...)
	fields = append(fields, x.observation()...)
	fields = append(fields, when(x.disguise.profile == Identified, person{free(textual("goals", "The client's goals", "Of the first course, in the client's words")),
		func(p *patient, _ *patient) export.Cell {
			if len(p.Courses) == 0 {
				return export.None
			}
			return export.TextCell(string(p.Courses[0].Goals))
		}})...)
	// All instruments: when a client was first known is told by every assessment.
	q := HistoryQuery{Instruments: []string{}}
	return export.Table{
		Name: "clients", Title: "Clients, one a row", Columns: columnsOf(fields),
		Rows: rowsOf(x.patients(ctx, r, q), fields, itself),
	}
}

// whoItIs are the columns that say who a client is, as far as the profile does.
func (x *Export) whoItIs() []person {
	d := x.disguise
	identified := d.profile == Identified
	zone := textual("time_zone", "Time zone", "As recorded, an IANA name")
	out := []person{clientField[*patient](d)}
	out = append(out, when(identified,
		person{free(textual("reference", "The clinic's own reference", "As recorded")), func(p *patient, _ *patient) export.Cell {
			return export.TextCell(string(p.Client.Reference))
		}},
		person{free(textual("display_name", "Name", "As recorded")), func(p *patient, _ *patient) export.Cell {
			return export.TextCell(string(p.Client.DisplayName))
		}},
		person{zone, func(p *patient, _ *patient) export.Cell { return export.TextCell(p.Client.TimeZone) }})...)
	out = append(out, x.sex())
	out = append(out, when(d.profile != Deidentified, person{whole("birth_year", "Year of birth", "", "As recorded"), func(p *patient, _ *patient) export.Cell {
		return export.IntPtr(p.Client.BirthYear)
	}})...)
	return append(out, x.age())
}

// sex is the column of a client's sex.
func (x *Export) sex() person {
	d := x.disguise
	label := "Other"
	if d.profile == Deidentified {
		label = "Other, or one that few people have"
	}
	c := textual("sex", "Sex", d.rareSource(sexes),
		export.Code{Value: string(instrument.Female), Label: "Female"}, export.Code{Value: string(instrument.Male), Label: "Male"},
		export.Code{Value: string(instrument.Other), Label: label}, export.Code{Value: string(instrument.Unknown), Label: "Not known"})
	return person{c, func(p *patient, _ *patient) export.Cell { return d.category(sexes, string(p.Client.Sex)) }}
}

// age is the column of a client's age.
func (x *Export) age() person {
	c := reached(whole("age_at_first_dose", "Age at the first dose", "years", "By the year of birth alone"))
	if x.disguise.profile == Deidentified {
		c.Source += "; 90 is 90 or older"
		c.Max = new(float64(oldest))
	}
	return person{c, func(p *patient, _ *patient) export.Cell { return x.disguise.age(p.Client.BirthYear, p.firstDose) }}
}

// treatment are the columns of what a client was given.
func (x *Export) treatment() []person {
	d := x.disguise
	first := func(p *patient) care.Course {
		if len(p.Courses) == 0 {
			return care.Course{}
		}
		return p.Courses[0]
	}
	out := when(d.moments(), person{d.time("enrolled_at", "When the clinic first knew of the client"), func(p *patient, _ *patient) export.Cell {
		return p.moment(enrolled(p.History))
	}})
	out = append(out,
		person{reached(numeric("enrolled_days", "Days from the first dose to when the clinic first knew of the client", "days", daysSource)),
			func(p *patient, _ *patient) export.Cell { return p.days(enrolled(p.History)) }},
		person{typed(textual("indication", "What the first course treats", d.rareSource(indications))), func(p *patient, _ *patient) export.Cell {
			return d.category(indications, first(p).Indication)
		}},
		person{whole("courses", "Courses of treatment", "courses", "As recorded"), func(p *patient, _ *patient) export.Cell { return export.IntCell(len(p.Courses)) }},
		person{whole("planned_sessions", "Dosing sessions that were planned for the first course", "sessions", "As recorded"), func(p *patient, _ *patient) export.Cell {
			return export.IntPtr(first(p).PlannedSessions)
		}},
		person{whole("dosing_sessions", "Dosing sessions that have begun", "sessions", "In all courses"), func(p *patient, _ *patient) export.Cell { return export.IntCell(p.doses) }})
	return append(out, when(d.moments(),
		person{d.time("first_dose_at", "When the first dosing session started"), func(p *patient, _ *patient) export.Cell { return p.momentPtr(p.firstDose) }},
		person{d.time("last_dose_at", "When the last dosing session so far started"), func(p *patient, _ *patient) export.Cell { return p.momentPtr(p.lastDose) }})...)
}

// observation are the columns of how long a client was followed.
func (x *Export) observation() []person {
	observed := reached(numeric("days_observed", "Days from the first dose to the last assessment after it", "days", "0 where none was taken after it"))
	return []person{
		{reached(numeric("last_dose_days", "Days from the first to the last dose", "days", daysSource)), func(p *patient, _ *patient) export.Cell { return p.daysPtr(p.lastDose) }},
		{observed, func(p *patient, _ *patient) export.Cell {
			if p.firstDose == nil {
				return export.Cell{Missing: export.NotReached}
			}
			return export.RealCell(max(0, trajectory.Days(*p.firstDose, x.lastSeen(p))))
		}},
		{whole("n_assessments", "Assessments", "assessments", "Those that stand, of the instruments asked for"), func(p *patient, _ *patient) export.Cell {
			n := 0
			for i := range p.Forms {
				if slices.Contains(x.Request.Instruments, p.Forms[i].Instrument) {
					n++
				}
			}
			return export.IntCell(n)
		}},
	}
}

// lastSeen is when a patient's last assessment of those asked for was taken; the
// first dose where none was.
func (x *Export) lastSeen(p *patient) time.Time {
	last := *p.firstDose
	for i := range p.Forms {
		f := &p.Forms[i]
		if f.CompletedAt.After(last) && slices.Contains(x.Request.Instruments, f.Instrument) {
			last = f.CompletedAt
		}
	}
	return last
}

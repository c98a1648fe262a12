package research

import (
	"context"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/export"
	"github.com/protrack/protrack/pkg/trajectory"
)

// patient is one person with what every row about them needs, made once.
type patient struct {
	History
	name      export.Cell
	shift     time.Duration // how far the person's times are moved
	firstDose *time.Time    // that was given by the time that the export is of
	lastDose  *time.Time
	doses     int
	visits    []visit // the sessions, in order of time
	bySession map[uuid.UUID]*visit
}

// visit is a session as it is shown.
type visit struct {
	care.Session
	name, course export.Cell
	indication   string
	planned      bool // it has not begun yet
}

func (x *Export) patientOf(h History) *patient {
	p := &patient{
		History: h, name: export.TextCell(x.disguise.id(aClient, h.Person.ID)), shift: x.disguise.shift(h.Person.ID),
		visits: make([]visit, len(h.Sessions)), bySession: make(map[uuid.UUID]*visit, len(h.Sessions)),
	}
	courses := make(map[uuid.UUID]export.Cell, len(h.Courses))
	for _, c := range h.Courses {
		courses[c.ID] = export.TextCell(x.disguise.id(aCourse, c.ID))
	}
	for i, ses := range h.Sessions {
		v := visit{Session: ses, name: export.TextCell(x.disguise.id(aSession, ses.ID)), course: export.None, planned: ses.StartedAt.After(x.Until())}
		if ses.CourseID != nil {
			v.course = courses[*ses.CourseID]
			v.indication = indicationOf(h.Courses, *ses.CourseID)
		}
		if ses.Kind == care.Dosing && !v.planned {
			if p.doses++; p.firstDose == nil {
				p.firstDose = &h.Sessions[i].StartedAt
			}
			p.lastDose = &h.Sessions[i].StartedAt
		}
		p.visits[i] = v
		p.bySession[ses.ID] = &p.visits[i]
	}
	return p
}

func indicationOf(courses []care.Course, id uuid.UUID) string {
	for _, c := range courses {
		if c.ID == id {
			return c.Indication
		}
	}
	return ""
}

// patients are the people of an export, one after the other.
func (x *Export) patients(ctx context.Context, r Reader, q HistoryQuery) iter.Seq2[*patient, error] {
	return func(yield func(*patient, error) bool) {
		for h, err := range x.histories(ctx, r, q) {
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(x.patientOf(h), nil) {
				return
			}
		}
	}
}

// days is how many days lie between the first dose and a time.
func (p *patient) days(at time.Time) export.Cell {
	if p.firstDose == nil {
		return export.Cell{Missing: export.NotReached}
	}
	return export.RealCell(trajectory.Days(*p.firstDose, at))
}

// daysPtr is days for a time that may not have come.
func (p *patient) daysPtr(at *time.Time) export.Cell {
	if at == nil {
		return export.Cell{Missing: export.NotReached}
	}
	return p.days(*at)
}

// moment is a time as it is shown.
func (p *patient) moment(t time.Time) export.Cell { return export.MomentCell(t.Add(p.shift)) }

// momentPtr is moment for a time that may not have come.
func (p *patient) momentPtr(t *time.Time) export.Cell {
	if t == nil {
		return export.Cell{Missing: export.NotReached}
	}
	return p.moment(*t)
}

// within reports whether a time, as it is shown, is of the period asked for.
func (x *Export) within(p *patient, t time.Time) bool {
	return x.Request.From == nil && x.Request.To == nil || during(t.Add(p.shift), x.Request.From, x.Request.To)
}

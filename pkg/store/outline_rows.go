package store

import (
	"slices"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/instrument"
	"github.com/protrack/protrack/pkg/research"
)

// outlineFormat is raised whenever an outline is written otherwise: older ones
// are then not read, but the record itself.
const outlineFormat = 1

// packPerson outlines one record but for its forms.
func packPerson(h research.History) []byte {
	var p packer
	c := h.Client
	p.has(c.BirthYear != nil)
	p.time(h.Enrolled)
	if c.BirthYear != nil {
		p.int(*c.BirthYear)
	}
	p.text(string(c.Sex))
	p.text(c.TimeZone)
	p.revision(c.Revision)
	p.uint(uint64(len(h.Courses)))
	for _, course := range h.Courses {
		p.course(course)
	}
	p.uint(uint64(len(h.Sessions)))
	for i := range h.Sessions {
		p.session(&h.Sessions[i])
	}
	return p.finish(outlineFormat)
}

// person adds what packPerson wrote of a record to its person's history.
func (u *unpacker) person(record uuid.UUID, h *research.History) {
	birth := u.set().has(0)
	if enrolled := u.time(); h.Enrolled.IsZero() || enrolled.Before(h.Enrolled) {
		h.Enrolled = enrolled
	}
	c := care.Client{ID: record}
	if birth {
		c.BirthYear = u.ints.keep(u.int())
	}
	c.Sex, c.TimeZone = instrument.Sex(u.text()), u.text()
	c.Revision = u.revision()
	if record == h.Person.ID {
		h.Client = c
	}
	for n := u.uint(); n > 0 && u.more(); n-- {
		h.Courses = append(h.Courses, u.course(record))
	}
	n := u.uint()
	if n > uint64(len(u.b)) {
		u.fail()
		return
	}
	h.Sessions = slices.Grow(h.Sessions, int(n)) // #nosec G115 -- as checked
	for ; n > 0 && u.more(); n-- {
		h.Sessions = append(h.Sessions, u.session(record))
	}
}

func (p *packer) revision(r care.Revision) {
	p.int(r.Version)
	p.time(r.RecordedAt)
}

func (u *unpacker) revision() care.Revision {
	return care.Revision{Version: u.int(), RecordedAt: u.time()}
}

func (p *packer) course(c care.Course) {
	p.id(c.ID)
	p.has(c.EndedOn != nil, c.PlannedSessions != nil)
	p.text(c.Indication)
	p.text(string(c.StartedOn))
	if c.EndedOn != nil {
		p.text(string(*c.EndedOn))
	}
	if c.PlannedSessions != nil {
		p.int(*c.PlannedSessions)
	}
	p.revision(c.Revision)
}

func (u *unpacker) course(record uuid.UUID) care.Course {
	c := care.Course{ClientID: record, ID: u.id()}
	there := u.set()
	c.Indication, c.StartedOn = u.text(), care.Date(u.text())
	if there.has(0) {
		c.EndedOn = new(care.Date(u.text()))
	}
	if there.has(1) {
		c.PlannedSessions = u.ints.keep(u.int())
	}
	c.Revision = u.revision()
	return c
}

func (p *packer) session(s *care.Session) {
	p.id(s.ID)
	m := s.Medicine
	p.has(s.CourseID != nil, s.Number != nil, s.EndedAt != nil, m != nil, m != nil && m.DoseMGPerKG != nil)
	p.text(string(s.Kind))
	p.time(s.StartedAt)
	if s.CourseID != nil {
		p.id(*s.CourseID)
	}
	if s.Number != nil {
		p.int(*s.Number)
	}
	if s.EndedAt != nil {
		p.time(*s.EndedAt)
	}
	if m != nil {
		p.text(m.Substance)
		p.text(string(m.Route))
		p.real(m.DoseMG)
		if m.DoseMGPerKG != nil {
			p.real(*m.DoseMGPerKG)
		}
	}
	p.revision(s.Revision)
}

func (u *unpacker) session(record uuid.UUID) care.Session {
	s := care.Session{ClientID: record, ID: u.id()}
	there := u.set()
	s.Kind, s.StartedAt = care.SessionKind(u.text()), u.time()
	if there.has(0) {
		s.CourseID = u.ids.keep(u.id())
	}
	if there.has(1) {
		s.Number = u.ints.keep(u.int())
	}
	if there.has(2) {
		s.EndedAt = u.times.keep(u.time())
	}
	if there.has(3) {
		s.Medicine = &care.Medicine{Substance: u.text(), Route: care.Route(u.text()), DoseMG: u.real()}
		if there.has(4) {
			s.Medicine.DoseMGPerKG = u.reals.keep(u.real())
		}
	}
	s.Revision = u.revision()
	return s
}

// packForms outlines the forms of one instrument.
func packForms(forms []research.Form) []byte {
	var p packer
	p.uint(uint64(len(forms)))
	for i := range forms {
		p.form(&forms[i])
	}
	p.answers(forms)
	return p.finish(outlineFormat)
}

// forms adds what packForms wrote to the person's history.
func (u *unpacker) forms(instrument string, q research.HistoryQuery, h *research.History) {
	n := u.uint()
	if n > uint64(len(u.b)) {
		u.fail()
		return
	}
	from := len(h.Forms)
	h.Forms = slices.Grow(h.Forms, int(n)) // #nosec G115 -- as checked
	for ; n > 0 && u.more(); n-- {
		h.Forms = append(h.Forms, u.form(instrument))
		f := &h.Forms[len(h.Forms)-1]
		if !q.Item9 && !q.Answers {
			f.Item9, f.TotalOnly = nil, false
		}
	}
	if q.Answers {
		u.answers(h.Forms[from:])
	}
}

func (p *packer) form(f *research.Form) {
	p.id(f.ID)
	p.has(f.SessionID != nil, f.Total != nil, f.Severity != nil, f.Prorated, f.Item9 != nil, f.TotalOnly)
	p.int(f.Version)
	p.text(f.InstrumentVersion)
	p.text(string(f.Timing))
	p.text(f.RecallWindow)
	p.text(string(f.Mode))
	p.time(f.CompletedAt)
	p.time(f.RecordedAt)
	if f.SessionID != nil {
		p.id(*f.SessionID)
	}
	if f.Total != nil {
		p.real(*f.Total)
	}
	if f.Severity != nil {
		p.text(*f.Severity)
	}
	if f.Item9 != nil {
		p.int(*f.Item9)
	}
}

func (u *unpacker) form(instrument string) research.Form {
	f := research.Form{Instrument: instrument, ID: u.id()}
	there := u.set()
	f.Version, f.InstrumentVersion, f.Timing = u.int(), u.text(), care.Timing(u.text())
	f.RecallWindow, f.Mode = u.text(), care.Mode(u.text())
	f.CompletedAt, f.RecordedAt = u.time(), u.time()
	f.Prorated, f.TotalOnly = there.has(3), there.has(5)
	if there.has(0) {
		f.SessionID = u.ids.keep(u.id())
	}
	if there.has(1) {
		f.Total = u.reals.keep(u.real())
	}
	if there.has(2) {
		f.Severity = u.words.keep(u.text())
	}
	if there.has(4) {
		f.Item9 = u.ints.keep(u.int())
	}
	return f
}

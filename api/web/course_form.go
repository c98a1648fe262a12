package web

import (
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
)

// courseFormData is the form of a course of treatment, new or known.
type courseFormData struct {
	Client about
	Outrun *outrun
}

// courseForm is a course as the fields show it.
func courseForm(c care.Course) form {
	ended := ""
	if c.EndedOn != nil {
		ended = string(*c.EndedOn)
	}
	return formOf("indication", c.Indication, "started_on", string(c.StartedOn), "ended_on", ended,
		"planned_sessions", digits(c.PlannedSessions), "goals", string(c.Goals))
}

// course reads the fields of a course.
func (r *reading) course(of care.Client) care.Course {
	c := care.Course{
		ClientID: of.ID, Indication: r.line("indication", 200), StartedOn: care.Date(r.line("started_on", 10)),
		PlannedSessions: r.whole("planned_sessions", 1, 1000), Goals: care.Private(r.text("goals", 5000)),
	}
	if ended := r.line("ended_on", 10); ended != "" {
		c.EndedOn = new(care.Date(ended))
	}
	return c
}

// newCourse shows the form of a new course, which starts today.
func (s *Site) newCourse(v *visit) error {
	client, err := v.theClient()
	if err == nil {
		err = v.who.Require(writeCare...)
	}
	if err != nil {
		return err
	}
	today := s.Now().In(zone(client.TimeZone)).Format(dateLayout)
	return v.render("course_form", view{
		Title: "New course of treatment", Data: courseFormData{Client: aboutClient(client)},
		Form: formOf("id", s.Care.NewID().String(), "started_on", today),
	})
}

// addCourse stores a new course, once.
func (s *Site) addCourse(v *visit) error {
	client, err := v.theClient()
	if err != nil {
		return err
	}
	data := courseFormData{Client: aboutClient(client)}
	r := v.reading()
	in := r.course(client)
	in.ID = r.id()
	if err = r.err(s.Care.CheckCourse(in)); err == nil {
		_, _, err = s.Care.CreateCourse(v.ctx(), v.who, in)
	}
	if err != nil {
		return v.again("course_form", view{Title: "New course of treatment", Data: data}, spoken(err))
	}
	return v.done(data.Client.path(), "The course was added.")
}

// theCourse reads the course that the path names, and whose it is.
func (v *visit) theCourse() (care.Course, care.Client, error) {
	id, err := v.pathID("course_id")
	if err != nil {
		return care.Course{}, care.Client{}, err
	}
	course, err := v.site.Care.Course(v.ctx(), v.who, id)
	if err != nil {
		return care.Course{}, care.Client{}, err
	}
	client, err := v.site.Care.Client(v.ctx(), v.who, course.ClientID)
	return course, client, err
}

// editCourse shows the form of a course.
func (s *Site) editCourse(v *visit) error {
	course, client, err := v.theCourse()
	if err == nil {
		err = v.who.Require(writeCare...)
	}
	if err != nil {
		return err
	}
	return v.render("course_form", view{
		Title: "Change the course", Data: courseFormData{Client: aboutClient(client)}, Form: courseForm(course).showing(course.Version),
	})
}

// changeCourse stores a course's new content.
func (s *Site) changeCourse(v *visit) error {
	course, client, err := v.theCourse()
	if err != nil {
		return err
	}
	data := courseFormData{Client: aboutClient(client)}
	page := view{Title: "Change the course", Data: data}
	r := v.reading()
	in, revision := r.course(client), r.revision()
	in.ID = course.ID
	if err = r.err(s.Care.CheckCourse(in)); err == nil {
		_, err = s.Care.UpdateCourse(v.ctx(), v.who, in, revision)
	}
	if fault.Is(err, fault.Stale) {
		if course, client, err = v.theCourse(); err != nil {
			return err
		}
		t := v.tongue()
		if page.Form, data.Outrun, err = v.outrun(courseForm(course), course.Revision, zone(client.TimeZone), "", []compared{
			{Field: "indication", Label: t.T("What is treated")}, {Field: "started_on", Label: t.T("Started on")},
			{Field: "ended_on", Label: t.T("Ended on")}, {Field: "planned_sessions", Label: t.T("Planned sessions")},
			{Field: "goals", Label: t.T("Goals")},
		}); err != nil {
			return err
		}
		page.Data = data
		return v.again("course_form", page, errOutrun)
	}
	if err != nil {
		return v.again("course_form", page, spoken(err))
	}
	return v.done(data.Client.path(), "The course was changed.")
}

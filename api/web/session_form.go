package web

import (
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
)

// everySession asks for all of a client's sessions at once.
var everySession = care.Page{Limit: 1 << 20}

// kinds are the choices of what a session is.
var kinds = []option{
	{Value: string(care.Dosing), Label: "Dosing"},
	{Value: string(care.Preparation), Label: "Preparation"},
	{Value: string(care.Integration), Label: "Integration"},
	{Value: string(care.FollowUp), Label: "Follow-up"},
}

// routes are the choices of how a medicine is given.
var routes = []option{
	{Value: "", Label: "Not recorded"},
	{Value: string(care.Intravenous), Label: "Intravenous"},
	{Value: string(care.Intramuscular), Label: "Intramuscular"},
	{Value: string(care.Subcutaneous), Label: "Subcutaneous"},
	{Value: string(care.Intranasal), Label: "Intranasal"},
	{Value: string(care.Sublingual), Label: "Sublingual"},
	{Value: string(care.Oral), Label: "Oral"},
}

// sessionFormData is the form of a session, new or known.
type sessionFormData struct {
	Client        about
	Kinds, Routes []option
	Courses       []option // the client's; the first is none
	Outrun        *outrun
}

// sessionFormOf is what the form offers for a client.
func (v *visit) sessionFormOf(client care.Client) (sessionFormData, []care.Course, error) {
	courses, err := v.site.Care.Courses(v.ctx(), v.who, client.ID, everySession)
	data := sessionFormData{
		Client: aboutClient(client), Kinds: kinds, Routes: routes, Courses: []option{{Value: "", Label: "No course"}},
	}
	t := v.tongue()
	for _, c := range courses {
		data.Courses = append(data.Courses, option{Value: c.ID.String(), Label: c.Indication + " · " + t.Day(day(c.StartedOn))})
	}
	return data, courses, err
}

// day is a date as a time, for its words.
func day(d care.Date) time.Time {
	at, err := time.Parse(dateLayout, string(d))
	if err != nil {
		return time.Time{} // a dash
	}
	return at
}

// sessionForm is a session as the fields show it.
func sessionForm(ses care.Session, in *time.Location) form {
	f := formOf("kind", string(ses.Kind), "course_id", "", "number", digits(ses.Number),
		"started_at", ses.StartedAt.In(in).Format(dateTimeLayout), "ended_at", "",
		"medicine.substance", "", "medicine.route", "", "medicine.dose_mg", "", "medicine.dose_mg_per_kg", "")
	if ses.CourseID != nil {
		f.values.Set("course_id", ses.CourseID.String())
	}
	if ses.EndedAt != nil {
		f.values.Set("ended_at", ses.EndedAt.In(in).Format(dateTimeLayout))
	}
	if m := ses.Medicine; m != nil {
		f.values.Set("medicine.substance", m.Substance)
		f.values.Set("medicine.route", string(m.Route))
		f.values.Set("medicine.dose_mg", decimals(&m.DoseMG))
		f.values.Set("medicine.dose_mg_per_kg", decimals(m.DoseMGPerKG))
	}
	return f
}

// decimals is a number as a field shows it; nothing is nothing.
func decimals(n *float64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatFloat(*n, 'f', -1, 64)
}

// session reads the fields of a session. stored is the one that the page showed,
// where there is one.
func (r *reading) session(client care.Client, stored care.Session) care.Session {
	in := zone(client.TimeZone)
	var started *time.Time
	if !stored.StartedAt.IsZero() {
		started = &stored.StartedAt
	}
	return care.Session{
		ID: stored.ID, ClientID: client.ID, CourseID: r.idIfAny("course_id"), Kind: care.SessionKind(r.v.typed("kind")),
		Number: r.whole("number", 1, 10000), StartedAt: r.at("started_at", in, started), EndedAt: r.atIfAny("ended_at", in, stored.EndedAt),
		Medicine: r.medicine(stored.Version == 0),
	}
}

// medicine is what was given, or nothing. What a page of a new session proposes
// makes no dose where it was left as it is.
func (r *reading) medicine(proposed bool) *care.Medicine {
	m := care.Medicine{
		Substance: r.line("medicine.substance", 100), Route: care.Route(r.v.typed("medicine.route")),
		DoseMGPerKG: r.decimal("medicine.dose_mg_per_kg", 1000),
	}
	dose := r.decimal("medicine.dose_mg", 100000)
	if dose != nil {
		m.DoseMG = *dose
		return &m
	}
	untouched := proposed && m.Substance == r.v.typed(wasPrefix+"medicine.substance") && string(m.Route) == r.v.typed(wasPrefix+"medicine.route")
	if m.DoseMGPerKG != nil || !untouched && (m.Substance != "" || m.Route != "") {
		r.wrong("medicine.dose_mg", fault.Detail{Code: "required", Message: "The dose is needed, or leave all of the medicine empty."})
	}
	return nil
}

// newSession shows the form of a new session: a dosing session now, with what
// was given in the last one but its dose.
func (s *Site) newSession(v *visit) error {
	client, err := v.theClient()
	if err == nil {
		err = v.who.Require(writeCare...)
	}
	if err != nil {
		return err
	}
	data, courses, err := v.sessionFormOf(client)
	if err != nil {
		return err
	}
	sessions, err := s.Care.Sessions(v.ctx(), v.who, client.ID, everySession)
	if err != nil {
		return err
	}
	next := care.Session{Kind: care.Dosing, StartedAt: s.Now().Truncate(5 * time.Minute), CourseID: openCourse(courses)}
	for _, ses := range slices.Backward(sessions) {
		if ses.Kind == care.Dosing && ses.Medicine != nil {
			next.Medicine = ses.Medicine
			break
		}
	}
	f := sessionForm(next, zone(client.TimeZone))
	for _, proposed := range []string{"medicine.substance", "medicine.route"} {
		f.values.Set(wasPrefix+proposed, f.Value(proposed))
	}
	f.values.Del("medicine.dose_mg") // a dose is never proposed: it would be taken for given
	f.values.Del("medicine.dose_mg_per_kg")
	f.values.Set("id", s.Care.NewID().String())
	return v.render("session_form", view{Title: "New session", Data: data, Form: f})
}

// openCourse is the course that goes on and was started last.
func openCourse(courses []care.Course) *uuid.UUID {
	for _, c := range slices.Backward(courses) {
		if c.EndedOn == nil {
			return &c.ID
		}
	}
	return nil
}

// addSession stores a new session, once.
func (s *Site) addSession(v *visit) error {
	client, err := v.theClient()
	if err != nil {
		return err
	}
	data, _, err := v.sessionFormOf(client)
	if err != nil {
		return err
	}
	r := v.reading()
	in := r.session(client, care.Session{})
	in.ID = r.id()
	if err = r.err(s.Care.CheckSession(in)); err == nil {
		_, _, err = s.Care.CreateSession(v.ctx(), v.who, in)
	}
	if err != nil {
		return v.again("session_form", view{Title: "New session", Data: data}, spoken(err))
	}
	return r.done(data.Client.path(), "The session was added.")
}

// theSession reads the session that the path names, and whose it is.
func (v *visit) theSession() (care.Session, care.Client, error) {
	id, err := v.pathID("session_id")
	if err != nil {
		return care.Session{}, care.Client{}, err
	}
	ses, err := v.site.Care.Session(v.ctx(), v.who, id)
	if err != nil {
		return care.Session{}, care.Client{}, err
	}
	client, err := v.site.Care.Client(v.ctx(), v.who, ses.ClientID)
	return ses, client, err
}

// editSession shows the form of a session.
func (s *Site) editSession(v *visit) error {
	ses, client, err := v.theSession()
	if err == nil {
		err = v.who.Require(writeCare...)
	}
	if err != nil {
		return err
	}
	data, _, err := v.sessionFormOf(client)
	if err != nil {
		return err
	}
	return v.render("session_form", view{
		Title: "Change the session", Data: data, Form: sessionForm(ses, zone(client.TimeZone)).showing(ses.Version),
	})
}

// changeSession stores a session's new content.
func (s *Site) changeSession(v *visit) error {
	ses, client, err := v.theSession()
	if err != nil {
		return err
	}
	data, _, err := v.sessionFormOf(client)
	if err != nil {
		return err
	}
	page := view{Title: "Change the session", Data: data}
	r := v.reading()
	in, revision := r.session(client, ses), r.revision()
	if err = r.err(s.Care.CheckSession(in)); err == nil {
		_, err = s.Care.UpdateSession(v.ctx(), v.who, in, revision)
	}
	if fault.Is(err, fault.Stale) {
		if ses, client, err = v.theSession(); err != nil {
			return err
		}
		at := zone(client.TimeZone)
		if page.Form, data.Outrun, err = v.outrun(sessionForm(ses, at), ses.Revision, at, "", data.compared(v.tongue())); err != nil {
			return err
		}
		page.Data = data
		return v.again("session_form", page, errOutrun)
	}
	if err != nil {
		return v.again("session_form", page, spoken(err))
	}
	return r.done(data.Client.path(), "The session was changed.")
}

// compared are the fields of a session in which two people's work can differ.
func (d sessionFormData) compared(t tongue) []compared {
	return []compared{
		{Field: "kind", Label: t.T("Kind"), Words: t.worded(d.Kinds)}, {Field: "course_id", Label: t.T("Course"), Words: t.worded(d.Courses)},
		{Field: "number", Label: t.T("Number")}, {Field: "started_at", Label: t.T("Started at")}, {Field: "ended_at", Label: t.T("Ended at")},
		{Field: "medicine.substance", Label: t.T("Medicine")}, {Field: "medicine.route", Label: t.T("Route"), Words: t.worded(d.Routes)},
		{Field: "medicine.dose_mg", Label: t.T("Dose in all (mg)")}, {Field: "medicine.dose_mg_per_kg", Label: t.T("Dose by weight (mg/kg)")},
	}
}

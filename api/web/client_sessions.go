package web

import (
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/trajectory"
)

// sessionRow is one session with what was scored before and after it.
type sessionRow struct {
	Name          string // such as Dosing 2
	At            time.Time
	Given         string // medicine, dose and route; empty: nothing, or not recorded
	Before, After formCell
	Change        *float64
	Since         *float64 // this before minus the after of the session before
	Edit          string   // empty: not here
}

// A formCell is a form of a session.
type formCell struct {
	Total *float64
	Path  string // of the assessment; empty: there is none
	Enter string // where it is entered; empty: not here
}

// None reports that there is nothing of the form, and nothing to do about it.
func (f formCell) None() bool { return f.Path == "" && f.Enter == "" }

// sessionRows are the sessions that have begun, the latest first, with what a
// trajectory says of each.
func (v *visit) sessionRows(d *dossier, tr care.Trajectory) []sessionRow {
	t, path := v.tongue(), "/clients/"+d.client.ID.String()
	changes := map[uuid.UUID]trajectory.SessionChange{}
	for _, s := range tr.Sessions {
		changes[s.SessionID] = s
	}
	forms := formsOfSessions(tr)
	var out []sessionRow
	for _, ses := range slices.Backward(d.sessions) {
		if ses.StartedAt.After(v.site.Now()) {
			continue
		}
		c := changes[ses.ID]
		row := sessionRow{
			Name: t.sessionKind(string(ses.Kind)) + " " + strconv.Itoa(ses.Place), At: ses.StartedAt.In(d.client.Zone()), Given: t.given(ses.Medicine),
			Before: v.formCell(path, tr.Instrument, ses, care.BeforeIt, c.Before, c.BeforeID, forms), After: v.formCell(path, tr.Instrument, ses, care.AfterIt, c.After, c.AfterID, forms),
			Change: c.Change, Since: c.SincePreviousAfter,
		}
		if v.who.May(auth.WriteCare) {
			row.Edit = "/sessions/" + ses.ID.String() + "/edit"
		}
		out = append(out, row)
	}
	return out
}

// formCell is the form that a session is compared by; where it has none, one
// without a score; else where it can be entered, if it is one with a dose.
func (v *visit) formCell(path, instrument string, ses care.Session, timing care.Timing, total *float64, id *uuid.UUID, forms map[formPlace]uuid.UUID) formCell {
	if unscored, stands := forms[formPlace{ses.ID, timing}]; id == nil && stands {
		id = &unscored
	}
	switch {
	case id != nil:
		return formCell{Total: total, Path: "/assessments/" + id.String()}
	case ses.Kind == care.Dosing && v.who.May(auth.WriteAssessments):
		return formCell{Enter: formAddress(path, care.DueForm{Instrument: instrument, Timing: timing, SessionID: ses.ID})}
	}
	return formCell{}
}

// formPlace is where a form stands among the sessions.
type formPlace struct {
	session uuid.UUID
	timing  care.Timing
}

// formsOfSessions finds the last form of each session, scored or not.
func formsOfSessions(tr care.Trajectory) map[formPlace]uuid.UUID {
	out := map[formPlace]uuid.UUID{}
	for _, p := range tr.Points {
		if p.SessionID != nil {
			out[formPlace{*p.SessionID, care.Timing(p.Timing)}] = p.AssessmentID
		}
	}
	return out
}

// given is what was given in a session, in words.
func (t tongue) given(m *care.Medicine) string {
	if m == nil {
		return ""
	}
	out := m.Substance + " " + t.exact(m.DoseMG) + " mg"
	if m.DoseMGPerKG != nil {
		out += " (" + t.exact(*m.DoseMGPerKG) + " mg/kg)"
	}
	for _, o := range routes {
		if o.Value == string(m.Route) && o.Value != "" {
			out += " · " + t.T(o.Label)
		}
	}
	return out
}

// plannedRow is a session that is still to come.
type plannedRow struct {
	Name string
	At   time.Time
	Edit string // empty: not here
}

// plannedRows are the sessions to come, the next first.
func (v *visit) plannedRows(client care.Client, sessions []care.Session) []plannedRow {
	var out []plannedRow
	for _, ses := range sessions {
		if !ses.StartedAt.After(v.site.Now()) {
			continue
		}
		t := v.tongue()
		row := plannedRow{Name: t.sessionKind(string(ses.Kind)) + " " + strconv.Itoa(ses.Place), At: ses.StartedAt.In(client.Zone())}
		if v.who.May(auth.WriteCare) {
			row.Edit = "/sessions/" + ses.ID.String() + "/edit"
		}
		out = append(out, row)
	}
	return out
}

// missingForms are the forms of one session that are not there.
type missingForms struct {
	Session string
	Until   *time.Time // they are due until then; nil: their time has passed
	Forms   []link
}

// dueForms are the forms that are to be filled in now, by session and timing.
func (v *visit) dueForms(client care.Client, due []care.DueForm, sessions []care.Session, title func(string) string) []missingForms {
	t, path := v.tongue(), "/clients/"+client.ID.String()
	var out []missingForms
	var last care.DueForm
	for _, form := range due {
		if len(out) == 0 || form.SessionID != last.SessionID || form.Timing != last.Timing {
			name := t.T("Before: %s", t.sessionOf(form.SessionID, sessions, client))
			if form.Timing == care.AfterIt {
				name = t.T("After: %s", t.sessionOf(form.SessionID, sessions, client))
			}
			out = append(out, missingForms{Session: name, Until: new(form.Until.In(client.Zone()))})
		}
		last = form
		at := &out[len(out)-1]
		at.Forms = append(at.Forms, v.enterLink(path, form, title))
	}
	return out
}

// enterLink leads to a form, for who may enter it; for others it names it.
func (v *visit) enterLink(path string, form care.DueForm, title func(string) string) link {
	out := link{Label: title(form.Instrument)}
	if v.who.May(auth.WriteAssessments) {
		out.Path = formAddress(path, form)
	}
	return out
}

// sessionOf names a session by its id.
func (t tongue) sessionOf(id uuid.UUID, sessions []care.Session, client care.Client) string {
	for _, ses := range sessions {
		if ses.ID == id {
			return t.sessionName(ses, client.Zone())
		}
	}
	return ""
}

// withoutAfter are the doses after which a form of an instrument that the
// client had by then is missing, and is no longer due; the latest first.
func (v *visit) withoutAfter(client care.Client, sessions []care.Session, all []care.Trajectory, due []care.DueForm, title func(string) string) []missingForms {
	forms := make([]map[formPlace]uuid.UUID, len(all))
	for i, tr := range all {
		forms[i] = formsOfSessions(tr)
	}
	var out []missingForms
	for _, ses := range slices.Backward(sessions) {
		if ses.Kind != care.Dosing || ses.StartedAt.After(v.site.Now()) {
			continue
		}
		gap := missingForms{Session: v.tongue().sessionName(ses, client.Zone())}
		for i, tr := range all {
			_, stands := forms[i][formPlace{ses.ID, care.AfterIt}]
			form := care.DueForm{Instrument: tr.Instrument, Timing: care.AfterIt, SessionID: ses.ID}
			known := len(tr.Points) > 0 && !tr.Points[0].At.After(ses.StartedAt)
			if known && !stands && !isDue(due, form) {
				gap.Forms = append(gap.Forms, v.enterLink("/clients/"+client.ID.String(), form, title))
			}
		}
		if len(gap.Forms) > 0 {
			out = append(out, gap)
		}
	}
	return out
}

func isDue(due []care.DueForm, form care.DueForm) bool {
	return slices.ContainsFunc(due, func(d care.DueForm) bool {
		return d.Instrument == form.Instrument && d.Timing == form.Timing && d.SessionID == form.SessionID
	})
}

// tabs are the links that choose the instrument of the table of sessions.
func tabs(client care.Client, standings []standing, chosen string) []tab {
	var out []tab
	for _, st := range standings {
		path := "/clients/" + client.ID.String() + "?" + url.Values{"instrument": {st.ID}}.Encode() + "#sessions"
		out = append(out, tab{Path: path, Label: st.Title, Here: st.ID == chosen})
	}
	return out
}

// A tab is one of several views of the same thing.
type tab struct {
	Path, Label string
	Here        bool
}

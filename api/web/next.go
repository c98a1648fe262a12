package web

import (
	"net/url"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
)

// A nextStep is something to do next for a client. The part "next" shows them.
type nextStep struct {
	Path  string
	Label string // in the language of the page
	First bool   // it is what to do before all
}

// whatNext says what to do next for a client of whom so much is known: a course
// before its sessions, a session before its forms, and the forms of the last
// dosing session before and after it.
func (v *visit) whatNext(client care.Client, courses []care.Course, sessions []care.Session, trajectories []care.Trajectory) []nextStep {
	t, path, now := v.tongue(), "/clients/"+client.ID.String(), v.site.Now()
	var out []nextStep
	add := func(to, label string) {
		out = append(out, nextStep{Path: path + to, Label: label, First: len(out) == 0})
	}
	enters, plans := v.who.May(auth.WriteAssessments), v.who.May(auth.WriteCare)
	if plans && openCourse(courses) == nil && (len(courses) > 0 || len(sessions) == 0) {
		add("/courses/new", t.T("Add a course of treatment"))
	}
	if last := lastDosing(sessions, now); last != nil && enters {
		name := t.sessionName(*last, zone(client.TimeZone))
		if !taken(trajectories, last.ID, care.BeforeIt) {
			add(formPath(last.ID, care.BeforeIt, trajectories), t.T("Enter the form from before %s", name))
		}
		if !last.StartedAt.After(now) && !taken(trajectories, last.ID, care.AfterIt) {
			add(formPath(last.ID, care.AfterIt, trajectories), t.T("Enter the form from after %s", name))
		}
	}
	if plans {
		add("/sessions/new", t.T("Add a session"))
	}
	if enters {
		add("/assessments/new", t.T("Enter another questionnaire"))
	}
	return out
}

// lastDosing is the last dosing session whose forms can be taken by now.
func lastDosing(sessions []care.Session, now time.Time) *care.Session {
	for _, ses := range slices.Backward(sessions) {
		if ses.Kind == care.Dosing && ses.StartedAt.Sub(now) <= care.DueBefore {
			return &ses
		}
	}
	return nil
}

// taken reports whether there is a form of a session.
func taken(trajectories []care.Trajectory, session uuid.UUID, timing care.Timing) bool {
	for _, tr := range trajectories {
		for _, p := range tr.Points {
			if p.SessionID != nil && *p.SessionID == session && string(p.Timing) == string(timing) {
				return true
			}
		}
	}
	return false
}

// formPath leads to a form of a session, with the questionnaire that the client
// had last; where there is none yet, it is chosen first.
func formPath(session uuid.UUID, timing care.Timing, trajectories []care.Trajectory) string {
	q := url.Values{"session_id": {session.String()}, "timing": {string(timing)}}
	var last time.Time
	for _, tr := range trajectories {
		if n := len(tr.Points); n > 0 && tr.Points[n-1].At.After(last) {
			last = tr.Points[n-1].At
			q.Set("instrument", tr.Instrument)
		}
	}
	return "/assessments/new?" + q.Encode()
}

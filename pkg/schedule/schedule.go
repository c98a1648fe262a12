// Package schedule computes when forms are asked for: the windows that a
// protocol opens around the events of a treatment, and which form was filled
// in for which. It knows values only, neither the record nor the time of day.
package schedule

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Anchor is what a window is relative to.
type Anchor string

// The anchors.
const (
	Enrolment     Anchor = "enrolment"
	BeforeSession Anchor = "before_session"
	AfterSession  Anchor = "after_session"
	AfterDose     Anchor = "after_dose"
	AfterCourse   Anchor = "after_course"
)

// Rule is one line of a protocol.
type Rule struct {
	Instrument    string
	Anchor        Anchor
	Kinds         []string // of session; empty: dosing
	Opens, Closes Span     // from the anchor
}

// Event is something that happened, or is planned, to which an anchor applies.
// A cancelled session is no event.
type Event struct {
	Anchor    Anchor
	CourseID  uuid.UUID
	SessionID *uuid.UUID
	Kind      string // of the session
	At        time.Time
}

// Form is an assessment that stands.
type Form struct {
	ID          uuid.UUID
	Instrument  string
	SessionID   *uuid.UUID
	Timing      string // baseline, before, after or follow_up
	CompletedAt time.Time
}

// Window is the time in which one form is asked for: from Opens, before Closes.
type Window struct {
	CourseID      uuid.UUID
	SessionID     *uuid.UUID
	Instrument    string
	Anchor        Anchor
	Opens, Closes time.Time
	Form          *Form // that was filled in for it; nil: none
}

// State is what has become of a window.
type State string

// The states.
const (
	Later       State = "later"
	Due         State = "due"
	Done        State = "done"
	Missed      State = "missed"
	OutOfWindow State = "out_of_window" // answered for its session, outside it
)

// State says what has become of the window by a time.
func (w Window) State(now time.Time) State {
	switch {
	case w.Form != nil && w.holds(w.Form.CompletedAt):
		return Done
	case w.Form != nil:
		return OutOfWindow
	case now.Before(w.Opens):
		return Later
	case now.Before(w.Closes):
		return Due
	}
	return Missed
}

func (w Window) holds(t time.Time) bool { return !t.Before(w.Opens) && t.Before(w.Closes) }

// timing is the one that a form names which belongs to the window's session;
// empty where the window goes by time alone.
func (w Window) timing() string {
	switch w.Anchor {
	case BeforeSession:
		return "before"
	case AfterSession:
		return "after"
	case Enrolment, AfterDose, AfterCourse:
	}
	return ""
}

// Windows gives the windows of one client, by opening, in the client's zone,
// each with the form that serves it. One form serves one window.
func Windows(rules []Rule, events []Event, forms []Form, zone *time.Location) []Window {
	var out []Window
	for _, e := range events {
		for _, r := range rules {
			if r.applies(e) {
				out = append(out, Window{
					CourseID: e.CourseID, SessionID: e.SessionID, Instrument: r.Instrument, Anchor: r.Anchor,
					Opens: r.Opens.From(e.At, zone), Closes: r.Closes.From(e.At, zone),
				})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Window) int {
		return cmp.Or(a.Opens.Compare(b.Opens), a.Closes.Compare(b.Closes), cmp.Compare(a.Instrument, b.Instrument),
			cmp.Compare(a.Anchor, b.Anchor), bytes.Compare(a.CourseID[:], b.CourseID[:]))
	})
	match(out, forms)
	return out
}

func (r Rule) applies(e Event) bool {
	if r.Anchor != e.Anchor {
		return false
	}
	if e.SessionID == nil {
		return true
	}
	if len(r.Kinds) == 0 {
		return e.Kind == "dosing"
	}
	return slices.Contains(r.Kinds, e.Kind)
}

// match hands out the forms, the earliest first: to windows of their session
// within the time, then to those windows outside it, then by time alone.
func match(windows []Window, forms []Form) {
	forms = slices.Clone(forms)
	slices.SortFunc(forms, func(a, b Form) int {
		return cmp.Or(a.CompletedAt.Compare(b.CompletedAt), bytes.Compare(a.ID[:], b.ID[:]))
	})
	used := map[uuid.UUID]bool{}
	ofSession := func(w Window, f Form) bool {
		return w.timing() != "" && w.timing() == f.Timing && w.SessionID != nil && f.SessionID != nil && *w.SessionID == *f.SessionID
	}
	for _, serves := range []func(Window, Form) bool{
		func(w Window, f Form) bool { return ofSession(w, f) && w.holds(f.CompletedAt) },
		ofSession,
		func(w Window, f Form) bool { return w.timing() == "" && w.holds(f.CompletedAt) },
	} {
		for i := range windows {
			for _, f := range forms {
				if windows[i].Form == nil && !used[f.ID] && f.Instrument == windows[i].Instrument && serves(windows[i], f) {
					windows[i].Form, used[f.ID] = &f, true
				}
			}
		}
	}
}

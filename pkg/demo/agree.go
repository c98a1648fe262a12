package demo

import (
	"time"

	"github.com/protrack/protrack/pkg/care"
)

// One in twenty was never asked about research, and one in twenty withdraws
// later; everybody else agrees when they are enrolled, and that stands.
const (
	oneIn   = 20
	unasked = 13
	leaver  = 7
)

// agree adds what the client says of research. It comes last, so that the
// story is the same whatever they say.
func (a *author) agree() {
	if a.number%oneIn == unasked {
		return
	}
	a.say(care.Granted, a.story.Enrolled.Add(time.Hour))
	if a.number%oneIn == leaver {
		a.say(care.Withdrawn, a.story.Enrolled.Add(time.Duration(a.between(14, 60))*day))
	}
}

// say adds what was said at a time, or at the end of the week before if that
// is ahead.
func (a *author) say(status care.ConsentStatus, at time.Time) {
	if latest := a.week.Add(-time.Hour); at.After(latest) {
		at = latest
	}
	a.story.Consents = append(a.story.Consents, care.Consent{
		ID: a.id(), ClientID: a.story.Client.ID, Scope: care.ForResearch, Status: status, At: at, TextVersion: "2026-01",
	})
}

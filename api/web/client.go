package web

import (
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/chart"
)

// pictureHeight is that of a picture of a client's page: two fit on a screen.
const pictureHeight = 360

// How much of a long history the page shows unless all of it is asked for: it
// is read in four minutes, on slow lines too.
const (
	scoresAtOnce   = 40 // of an instrument
	sessionsAtOnce = 12
	alarmsAtOnce   = 12
)

// clientData is all that somebody looks at before they see a client: whether
// they are better, by how much, since which dose, whether it holds, what is
// dangerous and what is missing.
type clientData struct {
	Client       about
	Person       person
	Alarms       []alarm // of the latest forms
	Earlier      []alarm
	EarlierCount int // of the alarms, also those that are not listed
	Next         []nextStep
	Standings    []standing
	Tabs         []tab // of the instruments; none: there is one at most
	Chosen       string
	Sessions     []sessionRow
	Held         int    // sessions that have begun, also those that are not listed
	All          string // where all of the history is shown; empty: here
	Planned      []plannedRow
	Due, Without []missingForms
	Courses      []courseRow
	Consents     []consentRow
	Team         []teamRow

	MayEdit, MayPlan, MayEnter, MayConsent, MayLookBack, SeesCare, SeesScores, SeesConsents, SeesTeam bool
}

// client shows the page of a client.
func (s *Site) client(v *visit) error {
	d, err := v.dossier()
	if err != nil {
		return err
	}
	t, most := v.tongue(), scoresAtOnce
	if v.QueryParam("all") != "" {
		most = 0
	}
	data := clientData{
		Client: aboutClient(d.client), Person: d.person(t, s.Now()), Standings: t.standings(&d, drawing{theme: chart.Page, height: pictureHeight, most: most}),
		Next: v.whatNext(d.client, d.courses, d.sessions, d.trajectories), Planned: v.plannedRows(d.client, d.sessions),
		Due:     v.dueForms(d.client, d.due, d.sessions, d.title),
		Without: v.withoutAfter(d.client, d.sessions, d.trajectories, d.due, d.title),
		Courses: d.courseRows(v.who.May(auth.WriteCare)), Consents: d.consentRows(),

		MayEdit: v.who.May(auth.WriteClients), MayPlan: v.who.May(auth.WriteCare), MayEnter: v.who.May(auth.WriteAssessments),
		MayConsent: v.who.May(auth.WriteConsents), MayLookBack: v.looksBack(), SeesCare: v.who.May(auth.ReadCare),
		SeesScores: v.who.May(auth.ReadTrajectories), SeesConsents: v.who.May(auth.ReadConsents),
		SeesTeam: v.clinic.CareTeams && v.who.May(auth.ReadTeams),
	}
	data.Alarms, data.Earlier = t.alarms(d.client, d.trajectories, d.defs)
	chosen := d.chosen(v.QueryParam("instrument"), data.Standings)
	var shown care.Trajectory // of none, the sessions are shown all the same
	for _, tr := range d.trajectories {
		if tr.Instrument == chosen {
			data.Chosen, shown = d.title(chosen), tr
		}
	}
	data.Sessions = v.sessionRows(&d, shown)
	if len(data.Standings) > 1 {
		data.Tabs = tabs(d.client, data.Standings, chosen)
	}
	data.shorten(v)
	if data.Team, err = v.teamRows(&d); err != nil {
		return err
	}
	return v.render("client", view{Title: string(d.client.Reference), Data: data})
}

// shorten leaves the beginnings of a long history to the page that shows all.
func (d *clientData) shorten(v *visit) {
	d.Held, d.EarlierCount = len(d.Sessions), len(d.Earlier)
	if v.QueryParam("all") != "" {
		return
	}
	cut := false
	for _, st := range d.Standings {
		cut = cut || st.Older > 0
	}
	if len(d.Sessions) > sessionsAtOnce {
		d.Sessions, cut = d.Sessions[:sessionsAtOnce], true
	}
	if len(d.Earlier) > alarmsAtOnce {
		d.Earlier, cut = d.Earlier[:alarmsAtOnce], true
	}
	if cut {
		d.All = d.Client.path() + "?all=yes"
	}
}

// chosen is the instrument that the table of sessions is about: the one that
// was asked for, or the first of the page.
func (d *dossier) chosen(asked string, standings []standing) string {
	for _, st := range standings {
		if st.ID == asked {
			return asked
		}
	}
	if len(standings) == 0 {
		return ""
	}
	return standings[0].ID
}

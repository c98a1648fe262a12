package web

import (
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/chart"
)

// clientData is all that somebody looks at before they see a client: whether
// they are better, by how much, since which dose, whether it holds, what is
// dangerous and what is missing.
type clientData struct {
	Client       about
	Person       person
	Alarms       []alarm // of the latest forms
	Earlier      []alarm
	Next         []nextStep
	Standings    []standing
	Tabs         []tab // of the instruments; none: there is one at most
	Chosen       string
	Sessions     []sessionRow
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
	t := v.tongue()
	data := clientData{
		Client: aboutClient(d.client), Person: d.person(t, s.Now()), Standings: t.standings(d.client, d.trajectories, d.defs, chart.Page),
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
	if data.Team, err = v.teamRows(&d); err != nil {
		return err
	}
	return v.render("client", view{Title: string(d.client.Reference), Data: data})
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

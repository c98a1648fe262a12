package web

import (
	"cmp"
	"slices"
	"time"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/chart"
)

// sessionsOnAReport is how many sessions a report lists: with the pictures they
// fill one page.
const sessionsOnAReport = 12

// reportData is the page that is handed over about a client.
type reportData struct {
	Client      about
	Person      person
	MadeAt      time.Time // in the client's zone
	MadeBy      string
	Clinic      string
	Alarms      []alarm // of the latest forms
	Earlier     int     // how many forms before had one
	Standings   []standing
	Instruments []string // the columns of the table of sessions
	Sessions    []reportRow
	Held        int      // sessions with a dose or a score, in all
	Sources     []string // of the rules
	Courses     []courseRow
	Due         []missingForms
	Without     int // doses after which a form is missing
	Unscored    []unscoredForms
	Sharing     *consentRow // whether others may be given this; nil: not to be seen here
}

// reportRow is a session with what was scored before and after it.
type reportRow struct {
	Name, Given string
	At          time.Time
	Cells       []reportCell // by instrument
}

// reportCell is one instrument around one session.
type reportCell struct{ Before, After, Change *float64 }

// unscoredForms are the forms of an instrument that have no total.
type unscoredForms struct {
	Title string
	Count int
}

// report shows the page that is handed over.
func (s *Site) report(v *visit) error {
	d, err := v.dossier()
	if err != nil {
		return err
	}
	t := v.tongue()
	data := reportData{
		Client: aboutClient(d.client), Person: d.person(t, s.Now()), MadeAt: s.Now().In(d.client.Zone()),
		MadeBy: cmp.Or(string(v.me.Name), string(v.me.Email)), Clinic: v.clinic.Slug, Courses: d.courseRows(false),
		Standings: t.standings(&d, reportDrawing(len(d.trajectories))),
		Due:       v.dueForms(d.client, d.due, d.sessions, d.title),
		Without:   len(v.withoutAfter(d.client, d.sessions, d.trajectories, d.due, d.title)),
	}
	alarms, earlier := t.alarms(d.client, d.trajectories, d.defs)
	data.Alarms, data.Earlier = alarms, len(earlier)
	data.addSessions(v, &d)
	for _, st := range data.Standings {
		if st.Source != "" && !slices.Contains(data.Sources, st.Source) {
			data.Sources = append(data.Sources, st.Source)
		}
	}
	for _, tr := range d.trajectories {
		if n := tr.Status.NMissing; n > 0 {
			data.Unscored = append(data.Unscored, unscoredForms{Title: d.title(tr.Instrument), Count: n})
		}
	}
	for i, row := range d.consentRows() {
		if d.standing != nil && scopes[i].Value == string(care.ForDataSharing) {
			data.Sharing = &row
		}
	}
	return v.render("report", view{Title: "Report", Data: data})
}

// reportDrawing is how so many pictures are drawn, so that two of them and the
// table fill a page.
func reportDrawing(pictures int) drawing {
	how := drawing{theme: chart.Print, width: 960, height: 420}
	switch {
	case pictures == 2:
		how.height = 310
	case pictures > 2:
		how.height = 300
	}
	return how
}

// addSessions lists the last sessions with a dose or a score, with the scores of
// every instrument in the order of its pictures.
func (r *reportData) addSessions(v *visit, d *dossier) {
	byInstrument := map[string][]sessionRow{}
	for _, tr := range d.trajectories {
		byInstrument[tr.Instrument] = v.sessionRows(d, tr)
	}
	for i, row := range v.sessionRows(d, care.Trajectory{}) {
		out := reportRow{Name: row.Name, Given: row.Given, At: row.At}
		scored := false
		for _, st := range r.Standings {
			at := byInstrument[st.ID][i]
			out.Cells = append(out.Cells, reportCell{Before: at.Before.Total, After: at.After.Total, Change: at.Change})
			scored = scored || at.Before.Path != "" || at.After.Path != ""
		}
		if !scored && row.Given == "" {
			continue
		}
		if r.Held++; r.Held <= sessionsOnAReport {
			r.Sessions = append(r.Sessions, out)
		}
	}
	for _, st := range r.Standings {
		r.Instruments = append(r.Instruments, st.Title)
	}
}

package web

import (
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/api/cursor"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/instrument"
)

// todayData is the sessions of a day.
type todayData struct {
	Day           time.Time
	Earlier       string // the day before, as it is written in an address
	Later         string
	OtherDay      bool   // not the present one
	Sessions      int    // of the day, on whatever page
	Next, First   string // where the next page is, and the first; empty: this is it
	Zone          string // of all times; empty: they are of several, and each says its own
	OwnTeam       bool
	Visits        []visitData
	Dosing, Ready int // of the dosing sessions that are shown, those whose forms of before are done
}

// visitData is one session of the day.
type visitData struct {
	Path, Reference, Name string
	At                    time.Time // in the client's zone
	Zone                  string
	Kind                  string
	Place                 int
	Doses                 bool // it is a dosing session
	Before, After         []formLine
	FirstForm             string // where a first form from before is entered; empty: not here
	Scores                []scoreLine
	Dosed                 bool
	DaysSinceDose         int
	Consent               tag
}

// A formLine is a form that belongs to a session.
type formLine struct {
	Instrument string
	Total      *float64
	State      tag
	Enter      string // where it is entered; empty: it is there, or it is too early
}

// A scoreLine is where a client stands on an instrument.
type scoreLine struct {
	Instrument, Severity string
	Total, Change        *float64
	Reliable             tag
	Flags                []string
}

// formStates say what has become of a form.
var formStates = map[care.FormState]tag{
	care.FormDone:   {Label: "done", Class: "better"},
	care.FormLater:  {Label: "later"},
	care.FormDue:    {Label: "to do", Class: "worse"},
	care.FormMissed: {Label: "missing", Class: "worse"},
}

// consentTags say whether a client has agreed to their care.
var consentTags = map[care.ConsentStatus]tag{
	care.Granted:   {Label: "given", Class: "better"},
	care.Withdrawn: {Label: "withdrawn", Class: "worse"},
	"":             {Label: "not recorded"},
}

// sessionsOnAPage is how many sessions a page of a day holds.
const sessionsOnAPage = 40

// sessionList names the list of a day's sessions to its cursors.
const sessionList = "today"

// today shows the sessions of a day: of the present one, unless another is
// asked for.
func (s *Site) today(v *visit) error {
	asked, err := dayAsked(v.QueryParam("day"))
	if err != nil {
		return err
	}
	page := care.Page{Limit: sessionsOnAPage + 1}
	if after := v.QueryParam("after"); after != "" {
		if page.After, err = cursor.Parse(sessionList, after); err != nil {
			return err
		}
	}
	agenda, err := s.Care.Today(v.ctx(), v.who, asked, page)
	if err != nil {
		return err
	}
	defs, err := s.Care.InstrumentDefinitions(v.ctx(), v.who)
	if err != nil {
		return err
	}
	day, err := time.Parse(time.DateOnly, string(agenda.Day))
	if err != nil {
		return err
	}
	data := todayData{
		Day: day, Earlier: day.AddDate(0, 0, -1).Format(time.DateOnly), Later: day.AddDate(0, 0, 1).Format(time.DateOnly),
		OtherDay: asked != nil, OwnTeam: v.who.Reach == auth.AssignedClients, Sessions: agenda.Sessions,
	}
	data.turn(&agenda, asked, page)
	for _, visited := range agenda.Visits {
		data.add(v.visitOf(visited, defs))
	}
	shown := view{Title: "Today", Form: formOf("day", string(agenda.Day)), Data: data}
	if data.OtherDay {
		shown.Title = "Sessions of a day"
	}
	return v.render("today", shown)
}

// turn finds the pages beside this one, and takes from it what is on the next.
func (d *todayData) turn(agenda *care.Agenda, asked *care.Date, page care.Page) {
	q := url.Values{}
	if asked != nil {
		q.Set("day", string(*asked))
	}
	if page.After.ID != uuid.Nil {
		d.First = "/today?" + q.Encode()
	}
	if len(agenda.Visits) == page.Limit {
		agenda.Visits = agenda.Visits[:page.Limit-1]
		q.Set("after", cursor.Format(sessionList, agenda.Visits[page.Limit-2].Position()))
		d.Next = "/today?" + q.Encode()
	}
}

// dayAsked reads a day from an address; nil is the present one.
func dayAsked(typed string) (*care.Date, error) {
	if typed == "" {
		return nil, nil //nolint:nilnil // as care.Today takes it
	}
	day, err := care.ParseDate(typed)
	if err != nil {
		return nil, fault.New(fault.Invalid, "There is no such day.").Because(err)
	}
	return &day, nil
}

// add adds a session to the page.
func (d *todayData) add(v visitData) {
	if len(d.Visits) == 0 {
		d.Zone = v.Zone
	} else if d.Zone != v.Zone {
		d.Zone = ""
	}
	d.Visits = append(d.Visits, v)
	if !v.Doses {
		return
	}
	d.Dosing++
	ready := len(v.Before) > 0
	for _, f := range v.Before {
		ready = ready && f.State == formStates[care.FormDone]
	}
	if ready {
		d.Ready++
	}
}

// visitOf is a session as the page shows it.
func (v *visit) visitOf(x care.Visit, defs []*instrument.Definition) visitData {
	in := x.Client.Zone()
	out := visitData{
		Path: "/clients/" + x.Client.ID.String(), Reference: string(x.Client.Reference), Name: string(x.Client.DisplayName),
		At: x.Session.StartedAt.In(in), Zone: placeOf(in), Place: x.Session.Place, Doses: x.Session.Kind == care.Dosing,
		Dosed: x.LastDoseAt != nil, Consent: consentTags[x.Consent],
	}
	for _, k := range kinds {
		if k.Value == string(x.Session.Kind) {
			out.Kind = k.Label
		}
	}
	if x.DaysSinceLastDose != nil {
		out.DaysSinceDose = *x.DaysSinceLastDose
	}
	for _, f := range x.Forms {
		line := v.formLine(out.Path, f, defs)
		switch f.Timing {
		case care.BeforeIt:
			out.Before = append(out.Before, line)
		case care.AfterIt:
			out.After = append(out.After, line)
		case care.AtBaseline, care.AtFollowUp: // they tell of no session
		}
	}
	if out.Doses && len(out.Before) == 0 && v.who.May(auth.WriteAssessments) {
		out.FirstForm = formAddress(out.Path, care.DueForm{Timing: care.BeforeIt, SessionID: x.Session.ID})
	}
	for _, p := range x.Scores {
		out.Scores = append(out.Scores, scoreOf(p, defs))
	}
	return out
}

// placeOf is the place that a time zone is named for, such as Los Angeles.
func placeOf(zone *time.Location) string {
	name := zone.String()
	return strings.ReplaceAll(name[strings.LastIndex(name, "/")+1:], "_", " ")
}

// formLine is a form as the page shows it.
func (v *visit) formLine(client string, f care.SessionForm, defs []*instrument.Definition) formLine {
	state := f.State(v.site.Now())
	line := formLine{Instrument: titleOf(defs, f.Instrument), Total: f.Total, State: formStates[state]}
	if state == care.FormDue && f.Timing == care.AfterIt {
		line.State.Class = "" // there is time yet
	}
	if (state == care.FormDue || state == care.FormMissed) && v.who.May(auth.WriteAssessments) {
		line.Enter = formAddress(client, f.DueForm)
	}
	return line
}

// formAddress is where a form of a session is entered.
func formAddress(client string, f care.DueForm) string {
	q := url.Values{"session_id": {f.SessionID.String()}, "timing": {string(f.Timing)}}
	if f.Instrument != "" {
		q.Set("instrument", f.Instrument)
	}
	return client + "/assessments/new?" + q.Encode()
}

// scoreOf is a client's standing as the page shows it.
func scoreOf(p care.Progress, defs []*instrument.Definition) scoreLine {
	out := scoreLine{
		Instrument: titleOf(defs, p.Instrument), Severity: bandOf(definitionOf(defs, p.Instrument), p.LatestSeverity),
		Total: p.LatestTotal, Change: p.Change, Flags: flagsOf(p.LastFlags),
	}
	if p.Reliable != nil {
		out.Reliable = reliableTags[*p.Reliable]
	}
	return out
}

// definitionOf finds an instrument; nil if it is no longer there.
func definitionOf(defs []*instrument.Definition, id string) *instrument.Definition {
	for _, d := range defs {
		if d.ID == id {
			return d
		}
	}
	return nil
}

// titleOf is the name of an instrument that people know.
func titleOf(defs []*instrument.Definition, id string) string {
	if d := definitionOf(defs, id); d != nil {
		return d.Title
	}
	return id
}

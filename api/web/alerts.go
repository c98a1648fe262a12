package web

import (
	"net/url"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/api/cursor"
	"github.com/protrack/protrack/pkg/alert"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
)

const (
	alertsPath    = "/alerts"
	alertsOnAPage = 50
	mostNote      = 2000
)

// alertsData lists what somebody has to look at.
type alertsData struct {
	Status      string // empty: all
	Statuses    []option
	Alerts      []alertLine
	Next, First string // where the next page is, and the first; empty: this is it
}

// alertLine is one alert. Its times are UTC.
type alertLine struct {
	Path, Client, Reference string
	What                    string
	Level, State            tag
	RaisedAt                time.Time
	AnsweredAt, ReceivedAt  time.Time
	Missing                 bool // no form came: there is no answer
	Withdrawn, Repeat       bool
	NextAt                  *time.Time
}

// alertRules say what rules found. None says that there is no risk.
var alertRules = []option{
	{Value: "item9_endorsed", Label: "Item 9 of the PHQ-9 was answered above 0"},
	{Value: "item9_higher", Label: "Item 9 of the PHQ-9 is higher than before"},
	{Value: "item9_declined", Label: "Item 9 of the PHQ-9 was declined"},
	{Value: "item9_missing", Label: "Item 9 of the PHQ-9 was not answered"},
	{Value: "item9_unknown", Label: "Item 9 of the PHQ-9 is not known: only a total came in"},
	{Value: "pcl5_risk_taking", Label: "Item 16 of the PCL-5, on risks that could do harm, was answered with 2 or more"},
	{Value: "severe_depression", Label: "A severe score of the PHQ-9"},
	{Value: "severe_anxiety", Label: "A severe score of the GAD-7"},
	{Value: "deteriorated", Label: "Reliably worse than at the baseline"},
	{Value: "not_on_track", Label: "Less than a quarter better after four doses"},
}

var alertLevels = map[alert.Level]tag{
	alert.Low: {Label: "low"}, alert.Moderate: {Label: "moderate"},
	alert.High: {Label: "high", Class: "worse"}, alert.Critical: {Label: "critical", Class: "worse"},
}

var alertStates = map[care.AlertStatus]tag{
	care.AlertOpen: {Label: "open", Class: "worse"}, care.AlertAcknowledged: {Label: "somebody looks after it"},
	care.AlertActioned: {Label: "acted on", Class: "better"}, care.AlertClosed: {Label: "closed", Class: "better"},
}

// labelOf is the word for a code; a code that has none stands as it is.
func labelOf(all []option, code string) string {
	if k := slices.IndexFunc(all, func(o option) bool { return o.Value == code }); k >= 0 {
		return all[k].Label
	}
	return code
}

func lineOf(a care.Alert, reference string) alertLine {
	return alertLine{
		Path: alertsPath + "/" + a.ID.String(), Client: "/clients/" + a.ClientID.String(), Reference: reference,
		What: labelOf(alertRules, a.Rule), Level: alertLevels[a.Level], State: alertStates[a.Status],
		RaisedAt: a.RaisedAt, AnsweredAt: a.AnsweredAt, ReceivedAt: a.ReceivedAt, Missing: a.AssessmentID == nil,
		Withdrawn: a.Withdrawn, Repeat: a.RepeatOf != nil, NextAt: a.NextAt,
	}
}

// alerts lists alerts, the open ones unless others are asked for.
func (s *Site) alerts(v *visit) error {
	data := alertsData{Status: string(care.AlertOpen)}
	if v.QueryParams().Has("status") {
		data.Status = v.QueryParam("status")
	}
	if !slices.Contains(care.AlertStatuses(), care.AlertStatus(data.Status)) {
		data.Status = ""
	}
	for _, status := range care.AlertStatuses() {
		data.Statuses = append(data.Statuses, option{Value: string(status), Label: alertStates[status].Label, Chosen: string(status) == data.Status})
	}
	here := url.Values{"status": {data.Status}}
	page, list := care.Page{Limit: alertsOnAPage + 1}, "alerts "+data.Status
	if after := v.QueryParam("after"); after != "" {
		var err error
		if page.After, err = cursor.Parse(list, after); err != nil {
			return err
		}
		data.First = alertsPath + "?" + here.Encode()
	}
	found, err := s.Care.AlertList(v.ctx(), v.who, care.AlertFilter{Status: care.AlertStatus(data.Status)}, page)
	if err != nil {
		return err
	}
	if len(found) > alertsOnAPage {
		found = found[:alertsOnAPage]
		last := found[len(found)-1]
		here.Set("after", cursor.Format(list, care.Position{Time: last.RaisedAt, ID: last.ID}))
		data.Next = alertsPath + "?" + here.Encode()
	}
	for _, a := range found {
		data.Alerts = append(data.Alerts, lineOf(a.Alert, string(a.Client.Reference)))
	}
	return v.render("alerts", view{Title: "Alerts", Data: data})
}

// alertData is one alert with its history.
type alertData struct {
	Client       about
	Alert        alertLine
	Assessment   string // where the form is; empty: none came
	Steps        []alertStepLine
	Handles      bool // who is signed in may do something about it
	Open         bool
	Acknowledged bool
	Actioned     bool
	Dispositions []option
}

// alertStepLine is a line of an alert's history. Its time is UTC.
type alertStepLine struct {
	At        time.Time
	Who, What string
	Level     tag
	Done      string // the disposition
	Note      string
	Tier      int
}

var alertDeeds = []option{
	{Value: string(care.WasRaised), Label: "raised"},
	{Value: string(care.WasChanged), Label: "the answer was amended, and it presses more or less"},
	{Value: string(care.WasWithdrawn), Label: "the answer was amended or retracted, and says it no more"},
	{Value: string(care.WasPassedOver), Label: "passed over: nobody is on duty"},
	{Value: string(care.WasEscalated), Label: "told to the next in the chain"},
	{Value: string(care.WasAcknowledged), Label: "somebody looks after it"},
	{Value: string(care.WasActioned), Label: "acted on"},
	{Value: string(care.WasClosed), Label: "closed"},
}

var dispositions = []option{
	{Value: string(care.SpokeToClient), Label: "Spoke to the client"},
	{Value: string(care.SafetyPlan), Label: "Made or went through a safety plan"},
	{Value: string(care.Referred), Label: "Referred to somebody else"},
	{Value: string(care.EmergencyCalled), Label: "Called the emergency services"},
	{Value: string(care.NotReached), Label: "Tried, and did not reach the client"},
	{Value: string(care.NothingNeeded), Label: "Looked, and nothing is needed now"},
}

// alertView is the page of the alert that the path names.
func (v *visit) alertView() (view, uuid.UUID, error) {
	id, err := v.pathID("alert_id")
	if err != nil {
		return view{}, id, err
	}
	a, err := v.site.Care.Alert(v.ctx(), v.who, id)
	if err != nil {
		return view{}, id, err
	}
	client, err := v.site.Care.Client(v.ctx(), v.who, a.ClientID)
	if err != nil {
		return view{}, id, err
	}
	data := alertData{
		Client: aboutClient(client), Alert: lineOf(a.Alert, string(client.Reference)), Handles: v.who.May(auth.HandleAlerts),
		Open: a.Status == care.AlertOpen, Acknowledged: a.Status == care.AlertAcknowledged, Actioned: a.Status == care.AlertActioned,
	}
	if a.AssessmentID != nil {
		data.Assessment = "/assessments/" + a.AssessmentID.String()
	}
	for _, o := range dispositions {
		o.Chosen = v.typed("disposition") == o.Value
		data.Dispositions = append(data.Dispositions, o)
	}
	data.Steps, err = v.alertSteps(a.History)
	return view{Title: "Alert", Data: data}, id, err
}

// alertSteps are the lines of a history, with the names of who did what.
func (v *visit) alertSteps(history []care.AlertStep) ([]alertStepLine, error) {
	var actors []uuid.UUID
	for _, s := range history {
		if s.By != uuid.Nil && !slices.Contains(actors, s.By) {
			actors = append(actors, s.By)
		}
	}
	names, err := v.site.Keys.NamesOf(v.ctx(), v.who, actors)
	if err != nil {
		return nil, err
	}
	t, out := v.tongue(), make([]alertStepLine, len(history))
	for i, s := range history {
		line := alertStepLine{At: s.At, What: labelOf(alertDeeds, string(s.Deed)), Level: alertLevels[s.Level], Note: string(s.Note), Tier: s.Tier}
		if s.Disposition != "" {
			line.Done = labelOf(dispositions, string(s.Disposition))
		}
		switch name := string(names[s.By]); {
		case name != "":
			line.Who = name
		case s.By == uuid.Nil:
			line.Who = t.T("Protrack itself")
		default:
			line.Who = t.T("A program, by its key")
		}
		out[i] = line
	}
	return out, nil
}

// alert shows an alert.
func (s *Site) alert(v *visit) error {
	page, _, err := v.alertView()
	if err != nil {
		return err
	}
	return v.render("alert", page)
}

// alertAct does something about the alert that the path names, and shows its
// page again, with what went wrong or what was done.
func (s *Site) alertAct(act func(*visit, uuid.UUID) (done string, err error)) func(*visit) error {
	return func(v *visit) error {
		page, id, err := v.alertView()
		if err != nil {
			return err
		}
		done, err := act(v, id)
		if err != nil {
			page.Form = v.sent()
			return v.again("alert", page, err)
		}
		return v.done(alertsPath+"/"+id.String(), done)
	}
}

func (s *Site) acknowledgeAlert(v *visit, id uuid.UUID) (string, error) {
	_, err := s.Care.Acknowledge(v.ctx(), v.who, id)
	return word("You look after this alert. Nobody else is told."), err
}

func (s *Site) disposeAlert(v *visit, id uuid.UUID) (string, error) {
	r := v.reading()
	disposition, note := care.Disposition(v.typed("disposition")), care.Private(r.text("note", mostNote))
	err := r.err(nil)
	if err == nil {
		_, err = s.Care.Dispose(v.ctx(), v.who, id, disposition, note)
	}
	return word("What was done is kept with the alert."), err
}

func (s *Site) closeAlert(v *visit, id uuid.UUID) (string, error) {
	_, err := s.Care.CloseAlert(v.ctx(), v.who, id)
	return word("The alert is closed. It is kept with its history."), err
}

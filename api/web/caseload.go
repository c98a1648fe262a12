package web

import (
	"cmp"
	"html/template"
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/api/cursor"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/chart"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/instrument"
	"github.com/protrack/protrack/pkg/trajectory"
)

// caseloadData is a page of the clinic's clients.
type caseloadData struct {
	Instruments, Statuses, Sorts []option
	Instrument                   string // its title
	Cases                        []caseData
	Next                         string // where the next page is; empty on the last
	First                        string // where the first page is; empty on it
	Narrowed                     bool   // by a search, or a status
	OwnTeam                      bool   // shows the clients of one's care teams only
	MayAdd                       bool
}

// caseData is one client of the caseload.
type caseData struct {
	ID, Reference, Name string
	Recent              template.HTML // a line of the last totals; empty where there is none
	Baseline, Latest    *float64
	BaselineAt          *time.Time // in the client's zone, like the others
	LatestAt            *time.Time
	Severity            string // of the latest total, in the instrument's words; empty: it has none
	Change, Percent     *float64
	Reliable            tag // of the change; empty: nothing to mark
	Status              tag
	Dosed               bool
	DaysSinceDose       int
	DoseAt, AssessedAt  *time.Time
	Flags               []string // of the last assessment
}

// A tag is a word that is marked: better, worse or as neither.
type tag struct{ Label, Class string }

// clientsOnAPage is how many clients a page of the caseload holds.
const clientsOnAPage = 50

// A caseSort is a way in which a caseload can be put in order.
type caseSort struct {
	option
	by         care.CaseloadSort
	descending bool
}

var caseSorts = []caseSort{
	{option{Value: "reference", Label: "Reference"}, care.ByReference, false},
	{option{Value: "change", Label: "Largest fall first"}, care.ByChange, false},
	{option{Value: "-change", Label: "Largest rise first"}, care.ByChange, true},
	{option{Value: "-latest", Label: "Highest latest score first"}, care.ByLatestTotal, true},
	{option{Value: "latest", Label: "Lowest latest score first"}, care.ByLatestTotal, false},
	{option{Value: "-last_at", Label: "Latest assessment first"}, care.ByLastAt, true},
	{option{Value: "last_at", Label: "Longest without assessment first"}, care.ByLastAt, false},
}

// A caseStatus is a status in words.
type caseStatus struct {
	status string
	tag
}

// caseStatuses are all of them, first what a clinician acts on.
var caseStatuses = []caseStatus{
	{string(trajectory.SummaryRelapsed), tag{Label: "Relapsed", Class: "worse"}},
	{string(trajectory.SummaryDeteriorated), tag{Label: "Reliably worse", Class: "worse"}},
	{string(trajectory.SummaryUnchanged), tag{Label: "No reliable change"}},
	{string(trajectory.SummaryImproved), tag{Label: "Reliably better", Class: "better"}},
	{string(trajectory.SummaryResponse), tag{Label: "Response", Class: "better"}},
	{string(trajectory.SummaryRemission), tag{Label: "Remission", Class: "better"}},
	{string(trajectory.SummaryNotJudged), tag{Label: "Change not judged"}},
	{string(trajectory.SummaryBaselineOnly), tag{Label: "Baseline only"}},
	{string(trajectory.SummaryNoBaseline), tag{Label: "No score yet"}},
	{care.NotMeasured, tag{Label: "Not assessed"}},
}

// reliableTags mark a change that is more than measurement error.
var reliableTags = map[string]tag{
	string(trajectory.Improved):     {Label: "better", Class: "better"},
	string(trajectory.Deteriorated): {Label: "worse", Class: "worse"},
}

// flagLabels say in a word or two what an assessment flagged.
var flagLabels = []option{
	{Value: "suicidal_ideation", Label: "Item 9 above 0"},
	{Value: "item9_not_answered", Label: "Item 9 not answered"},
	{Value: "risk_taking", Label: "Risk taking"},
	{Value: instrument.ContradictsGate, Label: "Answers contradict"},
}

// flagsOf names the flags of an assessment. Those of a clinic's own instruments
// have no words but their codes.
func flagsOf(flags []instrument.Flag) []string {
	var out []string
	for _, f := range flags {
		label := f.Code
		for _, known := range flagLabels {
			if known.Value == f.Code {
				label = known.Label
			}
		}
		if !slices.Contains(out, label) {
			out = append(out, label)
		}
	}
	return out
}

// caseload lists the clinic's clients, and where each stands on an instrument.
func (s *Site) caseload(v *visit) error {
	asked, err := caseloadAsked(v.Request().URL.Query())
	if err != nil {
		return err
	}
	defs, err := s.Care.InstrumentDefinitions(v.ctx(), v.who)
	if err != nil {
		return err
	}
	cases, err := s.Care.Caseload(v.ctx(), v.who, asked.query, asked.page)
	if err != nil {
		return err
	}
	data := caseloadData{
		Narrowed: asked.query.Search != "" || asked.query.Status != "",
		OwnTeam:  v.who.Reach == auth.AssignedClients, MayAdd: v.who.May(auth.WriteClients),
		First: asked.path(nil),
	}
	if asked.page.After.ID == uuid.Nil {
		data.First = ""
	}
	if len(cases) == asked.page.Limit { // one more than is shown
		cases = cases[:len(cases)-1]
		data.Next = asked.path(&cases[len(cases)-1])
	}
	def := data.choices(defs, asked.query.Instrument)
	for _, c := range cases {
		data.Cases = append(data.Cases, v.caseOf(c, def))
	}
	return v.render("caseload", view{Title: "Caseload", Form: asked.form, Data: data})
}

// choices fills in what the form offers, and finds the instrument.
func (d *caseloadData) choices(defs []*instrument.Definition, chosen string) (def *instrument.Definition) {
	for _, x := range defs {
		d.Instruments = append(d.Instruments, option{Value: x.ID, Label: x.Title})
		if x.ID == chosen {
			def, d.Instrument = x, x.Title
		}
	}
	d.Statuses = []option{{Label: "Any status"}}
	for _, x := range caseStatuses {
		d.Statuses = append(d.Statuses, option{Value: x.status, Label: x.Label})
	}
	for _, x := range caseSorts {
		d.Sorts = append(d.Sorts, x.option)
	}
	return def
}

// asking is what a page of the caseload is to show.
type asking struct {
	form  form // as it was asked
	query care.CaseloadQuery
	page  care.Page
}

// caseloadAsked reads it from the address of the page.
func caseloadAsked(asked url.Values) (asking, error) {
	a := asking{
		form: formOf("search", asked.Get("search"), "instrument", cmp.Or(asked.Get("instrument"), "phq-9"),
			"status", asked.Get("status"), "sort", cmp.Or(asked.Get("sort"), caseSorts[0].Value)),
		page: care.Page{Limit: clientsOnAPage + 1},
	}
	a.query = care.CaseloadQuery{Instrument: a.form.Value("instrument"), Status: a.form.Value("status"), Search: a.form.Value("search")}
	sort := slices.IndexFunc(caseSorts, func(s caseSort) bool { return s.Value == a.form.Value("sort") })
	known := a.query.Status == "" || slices.ContainsFunc(caseStatuses, func(s caseStatus) bool { return s.status == a.query.Status })
	if sort < 0 || !known {
		return a, fault.New(fault.Invalid, "There is no such list of clients.")
	}
	a.query.Sort, a.query.Descending = caseSorts[sort].by, caseSorts[sort].descending
	if after := asked.Get("after"); after != "" {
		var err error
		if a.page.After, err = cursor.Parse(a.list(), after); err != nil {
			return a, err
		}
	}
	return a, nil
}

// list names the list that a cursor is of: each order has its own.
func (a asking) list() string { return "clients " + a.form.Value("sort") }

// path is the address of the same list behind a case, or from its beginning.
func (a asking) path(last *care.Case) string {
	values := maps.Clone(a.form.values)
	if last != nil {
		values.Set("after", cursor.Format(a.list(), a.query.Position(*last)))
	}
	return "/clients?" + values.Encode()
}

// caseOf is a client as the list shows them.
func (v *visit) caseOf(c care.Case, def *instrument.Definition) caseData {
	in := c.Client.Zone()
	there := func(at *time.Time) *time.Time {
		if at == nil {
			return nil
		}
		return new(at.In(in))
	}
	out := caseData{
		ID: c.Client.ID.String(), Reference: string(c.Client.Reference), Name: string(c.Client.DisplayName),
		Status: statusTag(care.NotMeasured), Dosed: c.LastDoseAt != nil, DoseAt: there(c.LastDoseAt),
	}
	if c.DaysSinceLastDose != nil {
		out.DaysSinceDose = *c.DaysSinceLastDose
	}
	p := c.Progress
	if p == nil {
		return out
	}
	out.Status, out.Flags = statusTag(p.Status), flagsOf(p.LastFlags)
	out.Recent = v.spark(p.Recent, def)
	out.Baseline, out.BaselineAt, out.Latest, out.LatestAt = p.BaselineTotal, there(p.BaselineAt), p.LatestTotal, there(p.LatestAt)
	out.Severity, out.AssessedAt = bandOf(def, p.LatestSeverity), there(&p.LastAt)
	out.Change, out.Percent = p.Change, p.PercentChange
	if p.Reliable != nil {
		out.Reliable = reliableTags[*p.Reliable]
	}
	return out
}

// spark draws the last totals as a line. What it shows is said in its title, and
// in the cells beside it.
func (v *visit) spark(recent []care.Scored, def *instrument.Definition) template.HTML {
	if len(recent) == 0 || def == nil {
		return ""
	}
	t := v.tongue()
	line := chart.Spark{
		Title: t.T("The last %d scores, from %s to %s.", len(recent), t.Number(recent[0].Total), t.Number(recent[len(recent)-1].Total)),
		Low:   def.Scoring.Min, High: def.Scoring.Max,
	}
	for _, s := range recent {
		line.Values, line.Times = append(line.Values, &s.Total), append(line.Times, s.At)
	}
	return template.HTML(line.SVG(chart.Page)) //nolint:gosec // a picture of our own, whose texts it escapes
}

// statusTag is a status in words.
func statusTag(status string) tag {
	for _, s := range caseStatuses {
		if s.status == status {
			return s.tag
		}
	}
	return tag{Label: status}
}

// bandOf is the label of a band of severity, in the words of its instrument.
func bandOf(def *instrument.Definition, id *string) string {
	if def == nil || id == nil {
		return ""
	}
	return severityOf(def, *id)
}

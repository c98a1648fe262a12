package web

import (
	"net/url"
	"slices"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/instrument"
	"github.com/protrack/protrack/pkg/research"
	"github.com/protrack/protrack/pkg/trajectory"
)

// figureChoices are what the forms of figures offer.
type figureChoices struct {
	Instruments, Rules, From, To, Groups, Cohorts, Populations, Cells []option
	Events, Relapses, Confidences, Baselines, Cases                   []option
	Tracks, Windows, Cutoffs                                          []option
}

// The choices of figures. The first is what is meant where nothing is chosen.
var (
	groupings = []option{
		{Value: "", Label: "No groups"},
		{Value: "sex", Label: "Sex"}, {Value: "indication", Label: "What is treated"},
		{Value: "substance", Label: "Medicine"}, {Value: "route", Label: "Route"}, {Value: "dose", Label: "First dose"},
		{Value: "planned", Label: "Planned sessions"}, {Value: "doses", Label: "Doses so far"},
		{Value: "baseline_severity", Label: "Severity at baseline"},
	}
	populations = []option{
		{Value: string(research.OfClinic), Label: "Everybody whom you may see"},
		{Value: string(research.OfResearch), Label: "Those who agree to research"},
	}
	cellChoices = []option{{Value: "", Label: "Withhold small numbers"}, {Value: "all", Label: "Show every number"}}
	caseChoices = []option{{Value: "", Label: "Everybody"}, {Value: "true", Label: "Only those who were cases before"}}
	events      = []option{
		{Value: string(cohort.EventResponse), Label: "Until a response"},
		{Value: string(cohort.EventLossOfResponse), Label: "Until a response is lost"},
	}
	relapses = []option{
		{Value: string(trajectory.RelapseLossOfResponse), Label: "The response is gone"},
		{Value: string(trajectory.RelapseCasenessAfterRemission), Label: "A case again after remission"},
		{Value: string(trajectory.RelapseReliableWorsening), Label: "Reliably worse than the best"},
	}
	confidences = []option{
		{Value: string(cohort.ConfidenceLogLog), Label: "Log-log"},
		{Value: string(cohort.ConfidenceLog), Label: "Log"},
		{Value: string(cohort.ConfidencePlain), Label: "Plain"},
	}
	baselineChoices = []option{{Value: "", Label: "Only those who were cases before"}, {Value: "true", Label: "Everybody"}}
	trackChoices    = []option{{Value: "", Label: "Do not list clients"}, {Value: "true", Label: "List who does worse than most"}}
	windowChoices   = []option{{Value: "60", Label: "60 days on either side"}, {Value: "30", Label: "30 days on either side"}}
	cutoffs         = []option{
		{Value: string(cohort.CutoffC), Label: "c: between the two, weighted by their spread"},
		{Value: string(cohort.CutoffA), Label: "a: two SDs from the mean of the ill"},
		{Value: string(cohort.CutoffB), Label: "b: within two SDs of the mean of the well"},
	}
)

// fill fills in what the form of a figure offers, and finds the instrument that
// was chosen; nil: none, or one that there is not.
func (c *figureChoices) fill(v *visit, asked url.Values) (def *instrument.Definition, err error) {
	defs, err := v.site.Care.InstrumentDefinitions(v.ctx(), v.who)
	if err != nil {
		return nil, err
	}
	for _, d := range defs {
		c.Instruments = append(c.Instruments, option{Value: d.ID, Label: d.Title})
		if d.ID == asked.Get("instrument") {
			def = d
		}
	}
	t := v.tongue()
	c.Rules = []option{{Value: "", Label: "The clinic's choice"}}
	if def != nil {
		for _, set := range def.ChangeRules {
			c.Rules = append(c.Rules, option{Value: set.ID, Label: set.Title})
		}
	}
	c.From, c.To = pointChoices(t, asked.Get("from")), pointChoices(t, asked.Get("to"))
	c.Groups, c.Cases, c.Events, c.Relapses, c.Confidences = groupings, caseChoices, events, relapses, confidences
	c.Baselines, c.Windows, c.Cutoffs = baselineChoices, windowChoices, cutoffs
	switch {
	case v.who.May(auth.ReadCaseload):
		c.Populations, c.Cells, c.Tracks = populations, cellChoices, trackChoices
	case v.who.May(auth.ExportDeidentified):
		c.Cells = cellChoices
	}
	c.Cohorts, err = cohortChoices(v)
	return def, err
}

// cohortsInAChoice is how many saved cohorts a form offers.
const cohortsInAChoice = 200

// cohortChoices are the saved cohorts, by name, after everybody.
func cohortChoices(v *visit) ([]option, error) {
	saved, err := v.site.Research.Cohorts(v.ctx(), v.who, care.Page{Limit: cohortsInAChoice})
	if err != nil {
		return nil, err
	}
	out := []option{{Value: "", Label: "Everybody"}}
	for _, c := range saved {
		out = append(out, option{Value: c.ID.String(), Label: c.Name})
	}
	return out, nil
}

// pointChoices are the times that figures compare, and the one that was asked
// for where it is none of them.
func pointChoices(t tongue, asked string) []option {
	points := []cohort.TimePoint{{Kind: cohort.AtBaseline}, {Kind: cohort.BeforeSession, Session: 1}}
	points = append(points, cohort.DefaultPoints()...)
	points = append(points, cohort.TimePoint{Kind: cohort.AtLast})
	var out []option
	for _, p := range points {
		out = append(out, option{Value: p.String(), Label: t.Point(p.String())})
	}
	if asked != "" && !slices.ContainsFunc(out, func(o option) bool { return o.Value == asked }) {
		out = append(out, option{Value: asked, Label: t.Point(asked)})
	}
	return out
}

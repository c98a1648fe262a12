package web

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/protrack/protrack/api/cursor"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/research"
)

// cohortData lists the figures, and the saved cohorts.
type cohortData struct {
	Figures     []figureLink
	Cohorts     []savedCohort
	MaySave     bool
	First, Next string // pages of the cohorts; empty: there is none
}

// figureLink leads to a figure.
type figureLink struct{ Link, Title, About string }

// savedCohort is a cohort with its filter in words.
type savedCohort struct {
	ID, Name string
	Rules    []string // all of them hold; none: everybody
	At       time.Time
}

// cohortsOnAPage is how many cohorts a page lists.
const cohortsOnAPage = 50

const (
	cohortPath = "/cohort"
	cohortList = "cohorts"
)

// cohorts lists the figures, and the saved cohorts by name.
func (s *Site) cohorts(v *visit) error {
	page := care.Page{Limit: cohortsOnAPage + 1}
	data := cohortData{MaySave: v.who.May(auth.WriteCohorts) && !research.Bound(v.who)}
	if after := v.QueryParam("after"); after != "" {
		var err error
		if page.After, err = cursor.Parse(cohortList, after); err != nil || page.After.Text == "" {
			return cursor.ErrNone
		}
		data.First = cohortPath
	}
	for _, f := range groupFigures {
		link := cohortPath + "/" + f.Path
		if f.begin != "" {
			link += "?" + f.begin
		}
		data.Figures = append(data.Figures, figureLink{Link: link, Title: f.Title, About: f.about})
	}
	saved, err := s.Research.Cohorts(v.ctx(), v.who, page)
	if err != nil {
		return err
	}
	if len(saved) == page.Limit {
		saved = saved[:len(saved)-1]
		last := saved[len(saved)-1]
		data.Next = cohortPath + "?" + url.Values{"after": {cursor.Format(cohortList, care.Position{Text: last.Name, ID: last.ID})}}.Encode()
	}
	t := v.tongue()
	for _, c := range saved {
		data.Cohorts = append(data.Cohorts, savedCohort{ID: c.ID.String(), Name: c.Name, Rules: t.filterWords(c.Filter), At: c.CreatedAt})
	}
	return v.render("cohort", view{Title: "Cohort", Data: data})
}

// filterWords say who belongs to a cohort, a condition each.
func (t tongue) filterWords(f research.Filter) (out []string) {
	oneOf := func(label string, list []option, values []string) {
		if len(values) > 0 {
			words := make([]string, len(values))
			for i, v := range values {
				words[i] = t.called(list, v)
			}
			out = append(out, label+": "+strings.Join(words, ", "))
		}
	}
	between := func(label string, from, to any) {
		low, high := t.bound(from), t.bound(to)
		switch {
		case low != "" && high != "":
			out = append(out, label+": "+t.T("%s to %s", low, high))
		case low != "":
			out = append(out, label+": "+t.T("%s or more", low))
		case high != "":
			out = append(out, label+": "+t.T("%s or less", high))
		}
	}
	oneOf(t.T("What is treated"), nil, f.Indication)
	oneOf(t.T("Sex"), sexes, f.Sex)
	between(t.T("Age at the first dose"), f.AgeMin, f.AgeMax)
	t.period(&out, t.T("Enrolled"), f.EnrolledFrom, f.EnrolledTo)
	t.period(&out, t.T("First dose"), f.FirstDoseFrom, f.FirstDoseTo)
	oneOf(t.T("Medicine"), nil, f.Substance)
	oneOf(t.T("Route"), routes, f.Route)
	between(t.T("First dose (mg)"), f.DoseMGMin, f.DoseMGMax)
	between(t.T("Planned sessions"), f.PlannedSessionsMin, (*int)(nil))
	between(t.T("Doses so far"), f.SessionsMin, f.SessionsMax)
	if b := f.Baseline; b != nil {
		between(t.T("Baseline")+" "+b.Instrument, b.Min, b.Max)
		oneOf(t.T("Baseline")+" "+b.Instrument, nil, b.Severity)
	}
	return out
}

// bound is an end of a range; nothing is nothing.
func (t tongue) bound(v any) string {
	if _, ok := number(v); !ok {
		return ""
	}
	return t.Number(v)
}

// period says between which days something lies; the second is no part of it.
func (t tongue) period(out *[]string, label string, from, to *time.Time) {
	switch {
	case from != nil && to != nil:
		*out = append(*out, label+": "+t.T("from %s, before %s", t.Day(from), t.Day(to)))
	case from != nil:
		*out = append(*out, label+": "+t.T("from %s", t.Day(from)))
	case to != nil:
		*out = append(*out, label+": "+t.T("earlier than %s", t.Day(to)))
	}
}

// cohortFormData is the form of a new cohort.
type cohortFormData struct{ Sexes, Routes, Instruments []option }

// cohortFormView is the page of that form.
func (v *visit) cohortFormView() (view, error) {
	data := cohortFormData{
		Sexes: slices.Concat([]option{{Value: "", Label: "Any"}}, sexes[1:]), Routes: slices.Concat([]option{{Value: "", Label: "Any"}}, routes[1:]),
		Instruments: []option{{Value: "", Label: "None"}},
	}
	defs, err := v.site.Care.InstrumentDefinitions(v.ctx(), v.who)
	if err != nil {
		return view{}, err
	}
	for _, d := range defs {
		data.Instruments = append(data.Instruments, option{Value: d.ID, Label: d.Title})
	}
	return view{Title: "Save a cohort", Data: data}, nil
}

// newCohort shows the form of a cohort.
func (s *Site) newCohort(v *visit) error {
	if err := v.who.Require(auth.WriteCohorts); err != nil {
		return err
	}
	page, err := v.cohortFormView()
	if err != nil {
		return err
	}
	page.Form = formOf("id", s.Care.NewID().String())
	return v.render("cohort_form", page)
}

// addCohort saves a cohort, once.
func (s *Site) addCohort(v *visit) error {
	page, err := v.cohortFormView()
	if err != nil {
		return err
	}
	r := v.reading()
	in := r.cohort()
	if err = r.err(s.Research.CheckCohort(in)); err == nil {
		_, _, err = s.Research.SaveCohort(v.ctx(), v.who, in)
	}
	if err != nil {
		return v.again("cohort_form", page, spoken(err))
	}
	return v.done(cohortPath, "The cohort was saved.")
}

// The most that the fields of a cohort hold.
const (
	mostYears    = 150
	mostSessions = 10_000
	mostMG       = 100_000
	mostTotal    = 1_000_000
)

// cohort reads the fields of a cohort.
func (r *reading) cohort() research.Cohort {
	f := research.Filter{
		Indication: r.list("filter.indication"), Sex: r.list("filter.sex"), Substance: r.list("filter.substance"), Route: r.list("filter.route"),
		AgeMin: r.whole("filter.age_min", 0, mostYears), AgeMax: r.whole("filter.age_max", 0, mostYears),
		EnrolledFrom: r.day("filter.enrolled_from"), EnrolledTo: r.day("filter.enrolled_to"),
		FirstDoseFrom: r.day("filter.first_dose_from"), FirstDoseTo: r.day("filter.first_dose_to"),
		DoseMGMin: r.decimal("filter.dose_mg_min", mostMG), DoseMGMax: r.decimal("filter.dose_mg_max", mostMG),
		PlannedSessionsMin: r.whole("filter.planned_sessions_min", 1, mostSessions),
		SessionsMin:        r.whole("filter.sessions_min", 0, mostSessions), SessionsMax: r.whole("filter.sessions_max", 0, mostSessions),
	}
	baseline := research.BaselineFilter{
		Instrument: r.line("filter.baseline.instrument", 64), //nolint:mnd // no instrument has a longer name
		Min:        r.decimal("filter.baseline.min", mostTotal), Max: r.decimal("filter.baseline.max", mostTotal),
	}
	if baseline.Instrument != "" || baseline.Min != nil || baseline.Max != nil {
		f.Baseline = &baseline
	}
	return research.Cohort{ID: r.id(), Name: r.line("name", mostName), Filter: f}
}

// mostName is how many characters a name in the settings and of a cohort has.
const mostName = 100

// list reads texts with commas between them.
func (r *reading) list(field string) (out []string) {
	for one := range strings.SplitSeq(r.line(field, 1000), ",") { //nolint:mnd // a line is enough for anybody
		if one = strings.TrimSpace(one); one != "" {
			out = append(out, one)
		}
	}
	return out
}

// day reads a date, as its first instant in UTC; nothing is nothing.
func (r *reading) day(field string) *time.Time {
	typed := strings.TrimSpace(r.v.typed(field))
	if typed == "" {
		return nil
	}
	at, err := time.Parse(dateLayout, typed)
	if err != nil {
		r.wrong(field, wrongDay)
		return nil
	}
	return &at
}

// wrongDay is what is wrong with a field that holds no date.
var wrongDay = fault.Detail{Code: "date", Message: "A date is needed here."}

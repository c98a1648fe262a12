package web

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/instrument"
)

// assessmentData is one assessment, answer by answer, in all of its versions.
type assessmentData struct {
	Client                           about
	ID                               string
	Measures, Language, Credit, Stem string
	When, Window, Mode               string
	At, RecordedAt                   time.Time // in the client's zone
	RecordedBy                       string
	Retracted                        bool
	Reason                           string // why it was retracted, or last amended
	TotalOnly                        bool
	Total                            *float64
	Least, Most                      float64
	Severity                         string
	Answered, Missing                *int // of the items that count; nil where only a total is known
	Prorated                         bool
	Policy, Rule, Source, Version    string
	Subscales                        []subscaleRow
	Screens                          []screenRow
	Flags                            []warning
	Items                            []itemRow
	Versions                         []versionRow // the latest first
	MayAmend                         bool
}

// subscaleRow is the score of a part of a questionnaire.
type subscaleRow struct {
	Title       string
	Total       *float64
	Least, Most float64
}

// screenRow is a result beside the total.
type screenRow struct {
	Title, Result, Source string
	Cutpoint              *float64
}

// itemRow is one item with its answer, or the reason why there is none.
type itemRow struct {
	Number   int
	ID, Text string
	Value    *int   // nil: no answer
	Answer   string // its words
	Missing  string // why there is none
	Flagged  bool
	Unscored bool
}

// assessment shows one assessment.
func (s *Site) assessment(v *visit) error {
	a, client, err := v.theAssessment()
	if err != nil {
		return err
	}
	sh, err := v.sheetOf(client, a)
	if err != nil {
		return err
	}
	t := v.tongue()
	data := assessmentData{
		Client: aboutClient(client), ID: a.ID.String(), Measures: sh.def.Measures, Language: sh.def.Language, Credit: sh.def.Licence.Credit,
		Stem: sh.stem(), When: sh.whenWords(t), Window: t.window(a.RecallWindow), Mode: t.mode(a.Mode),
		At: a.CompletedAt.In(client.Zone()), RecordedAt: a.RecordedAt.In(client.Zone()),
		Retracted: a.Retracted, Reason: string(a.Reason), TotalOnly: a.Total != nil, MayAmend: v.who.May(amendAssessments...) && !a.Retracted,
	}
	data.score(t, sh.def, a.Score, s.Now().Sub(a.CompletedAt))
	if !data.TotalOnly {
		data.Items = t.items(sh.def, client.Sex, a)
	}
	if data.Versions, err = v.versions(&sh); err != nil {
		return err
	}
	for _, version := range data.Versions {
		if version.Current {
			data.RecordedBy = version.By
		}
	}
	return v.render("assessment", view{Title: sh.def.Title, Data: data})
}

// score fills in what the answers mean, which were given some time ago.
func (d *assessmentData) score(t tongue, def *instrument.Definition, s instrument.Score, age time.Duration) {
	d.Total, d.Least, d.Most, d.Severity = s.Total, def.Scoring.Min, def.Scoring.Max, bandOf(def, s.Severity)
	d.Answered, d.Missing, d.Prorated = s.ItemsAnswered, s.ItemsMissing, s.Prorated
	d.Rule, d.Source, d.Version = s.Rule, def.Scoring.Source, s.InstrumentVersion
	for _, o := range policies {
		if o.Value == string(s.MissingPolicy) {
			d.Policy = o.Label
		}
	}
	for _, sub := range def.Subscales {
		d.Subscales = append(d.Subscales, subscaleRow{Title: sub.Title, Total: s.Subscales[sub.ID], Least: sub.Min, Most: sub.Max})
	}
	for _, screen := range def.Screens {
		result, known := s.Screens[screen.ID]
		if !known {
			continue
		}
		row := screenRow{Title: screen.Title, Result: t.screened(result), Source: screen.Source}
		if cut, used := s.Cutpoints[screen.ID]; used {
			row.Cutpoint = &cut
		}
		d.Screens = append(d.Screens, row)
	}
	for _, f := range s.Flags {
		d.Flags = append(d.Flags, warn(t, f, age))
	}
}

// screenResults word what a screen can say.
var screenResults = []option{
	{Value: "major", Label: "major depressive syndrome"}, {Value: "other", Label: "other depressive syndrome"},
	{Value: "none", Label: "no depressive syndrome"},
}

// screened is the result of a screen in words.
func (t tongue) screened(result any) string {
	switch r := result.(type) {
	case bool:
		if r {
			return t.T("yes")
		}
		return t.T("no")
	case string:
		for _, o := range screenResults {
			if o.Value == r {
				return t.T(o.Label)
			}
		}
		return r
	}
	return t.T("not certain from these answers")
}

// mode says who filled a form in.
func (t tongue) mode(m care.Mode) string {
	for _, o := range append(slices.Clone(modes), option{Value: string(care.ByImport), Label: "Taken over from elsewhere"}) {
		if o.Value == string(m) {
			return t.T(o.Label)
		}
	}
	return string(m)
}

// stem is the sentence above the items, for the window that was asked about.
func (sh *sheet) stem() string {
	if other, found := sh.def.Stems[sh.window]; found {
		return other
	}
	return sh.def.Stem
}

// sheetOf is the sheet of a stored assessment, by the version of the instrument
// that it was scored with. Where the instrument is gone, its ids stand for the
// wording.
func (v *visit) sheetOf(client care.Client, a care.Assessment) (sheet, error) {
	sh := sheet{client: client, stored: &a, window: a.RecallWindow, total: a.Total != nil}
	def, err := v.site.Care.InstrumentDefinition(v.ctx(), v.who, a.Instrument, cmp.Or(a.Score.InstrumentVersion, a.InstrumentVersion))
	if fault.Is(err, fault.NotFound) {
		def, err = v.site.Care.InstrumentDefinition(v.ctx(), v.who, a.Instrument, "")
	}
	if fault.Is(err, fault.NotFound) {
		def, err = lostDefinition(a), nil
	}
	if err != nil {
		return sh, err
	}
	sh.def = def
	if v.who.May(auth.ReadCare) {
		sh.sessions, err = v.site.Care.Sessions(v.ctx(), v.who, client.ID, everySession)
	}
	return sh, err
}

// lostDefinition stands for an instrument that the program no longer has: it
// holds the items of which something is stored.
func lostDefinition(a care.Assessment) *instrument.Definition {
	def := &instrument.Definition{ID: a.Instrument, Title: a.Instrument, ScoringOnly: true}
	ids := append(slices.Collect(maps.Keys(a.Answers)), a.Declined...)
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		def.Items = append(def.Items, instrument.Item{ID: id})
	}
	return def
}

// items are all of the questionnaire, also those that were not asked.
func (t tongue) items(def *instrument.Definition, sex instrument.Sex, a care.Assessment) []itemRow {
	var out []itemRow
	for i, item := range def.Items {
		row := itemRow{Number: i + 1, ID: item.ID, Text: item.Text, Value: a.Answers[item.ID], Unscored: item.Unscored}
		row.Flagged = slices.ContainsFunc(a.Score.Flags, func(f instrument.Flag) bool { return f.Item == item.ID })
		switch {
		case row.Value != nil:
			row.Answer = optionText(def, item.ID, *row.Value)
		case slices.Contains(a.Declined, item.ID):
			row.Missing = t.T("Declined: the client would not say")
		case isGated(def, item.ID, a.Answers):
			row.Missing = t.T("Not asked: question %s leaves it out", strconv.Itoa(gateNumber(def)))
		case !askedOf(item, sex):
			row.Missing = t.T("Not asked of a client of this sex")
		default:
			row.Missing = t.T("Skipped: no answer was given")
		}
		out = append(out, row)
	}
	return out
}

// gateNumber is the place of the item whose answer leaves others out.
func gateNumber(def *instrument.Definition) int {
	return 1 + slices.IndexFunc(def.Items, func(item instrument.Item) bool { return item.ID == def.Gate.Item })
}

package web

import (
	"cmp"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/instrument"
)

// instrumentSettingsData lists the instruments with what the clinic chose.
type instrumentSettingsData struct {
	Tabs        []place
	Instruments []instrumentRow
	MayChange   bool
}

// instrumentRow is an instrument in the list.
type instrumentRow struct {
	ID, Title, Measures, Version, Terms string
	Rules                               string // the rule set that is used; empty: there are none
	Chosen                              bool   // the clinic chose it; else it is the instrument's own
	ScoringOnly                         bool
	Cutpoints                           []cutpointRow
}

// cutpointRow is a cut-point that a clinic can choose.
type cutpointRow struct {
	Name, Title string // the field, and what the screen is called
	At          string // in use; empty: it depends on the client's sex
	Options     []option
}

// instrumentSettings lists the instruments.
func (s *Site) instrumentSettings(v *visit) error {
	chosen, err := s.Care.Settings(v.ctx(), v.who)
	if err != nil {
		return err
	}
	defs, err := s.Care.InstrumentDefinitions(v.ctx(), v.who)
	if err != nil {
		return err
	}
	data := instrumentSettingsData{Tabs: v.tabs(), MayChange: v.who.May(auth.WriteSettings)}
	for _, def := range defs {
		data.Instruments = append(data.Instruments, rowOf(def, chosen[def.ID]))
	}
	return v.render("settings_instruments", view{Title: "Settings", Data: data})
}

// rowOf is an instrument with what the clinic chose of it.
func rowOf(def *instrument.Definition, set care.Setting) instrumentRow {
	row := instrumentRow{
		ID: def.ID, Title: def.Title, Measures: def.Measures, Version: def.Version, Terms: def.Licence.Terms, ScoringOnly: def.ScoringOnly,
	}
	if rules, found := def.ChangeOrDefault(set.ChangeRules); found {
		row.Rules, row.Chosen = cmp.Or(rules.Title, rules.ID), set.ChangeRules == rules.ID
	}
	for _, screen := range def.Screens {
		if screen.Kind != instrument.Cutpoint || len(screen.Alternatives) == 0 {
			continue
		}
		own := cmp.Or(screen.AtLeast, screen.AtMost)
		c := cutpointRow{Name: "cutpoints." + screen.ID, Title: screen.Title, Options: []option{{Value: "", Label: "The questionnaire's own"}}}
		if own != nil {
			c.At = decimalText(*own)
			c.Options[0].Label = c.At
		}
		for _, x := range screen.Alternatives {
			c.Options = append(c.Options, option{Value: decimalText(x), Label: decimalText(x)})
		}
		if at, found := set.Cutpoints[screen.ID]; found {
			c.At = decimalText(at)
		}
		row.Cutpoints = append(row.Cutpoints, c)
	}
	return row
}

// decimalText is a number as a field holds it.
func decimalText(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// instrumentSettingData is what a clinic can choose of one instrument.
type instrumentSettingData struct {
	Tabs               []place
	Row                instrumentRow
	Credit, Source     string
	Sets               []instrument.ChangeRules
	Rules              []option
	MayChange, Choices bool // there is something to choose
}

// instrumentSettingView is the page of the instrument that the path names.
func (v *visit) instrumentSettingView() (page view, def *instrument.Definition, set care.Setting, err error) {
	all, err := v.site.Care.Settings(v.ctx(), v.who)
	if err != nil {
		return page, nil, set, err
	}
	if def, err = v.site.Care.InstrumentDefinition(v.ctx(), v.who, v.Param("instrument"), ""); err != nil {
		return page, nil, set, err
	}
	set = all[def.ID]
	data := instrumentSettingData{
		Tabs: v.tabs(), Row: rowOf(def, set), Credit: def.Licence.Credit, Source: def.Licence.Source, Sets: def.ChangeRules,
		MayChange: v.who.May(auth.WriteSettings),
	}
	for _, rules := range def.ChangeRules {
		o := option{Value: rules.ID, Label: cmp.Or(rules.Title, rules.ID)}
		if rules.ID == def.DefaultChangeRules {
			data.Rules = append([]option{{Value: "", Label: o.Label}}, data.Rules...)
			continue
		}
		data.Rules = append(data.Rules, o)
	}
	data.Choices = len(data.Rules) > 1 || len(data.Row.Cutpoints) > 0
	return view{Title: def.Title, Data: data}, def, set, nil
}

// settingForm is a setting as the fields show it.
func settingForm(def *instrument.Definition, set care.Setting) form {
	rules := set.ChangeRules
	if rules == def.DefaultChangeRules {
		rules = ""
	}
	f := formOf("change_rules", rules, "shown", set.UpdatedAt.Format(time.RFC3339Nano))
	for screen, at := range set.Cutpoints {
		f.values.Set("cutpoints."+screen, decimalText(at))
	}
	return f
}

// instrumentSetting shows what can be chosen of an instrument.
func (s *Site) instrumentSetting(v *visit) error {
	page, def, set, err := v.instrumentSettingView()
	if err != nil {
		return err
	}
	page.Form = settingForm(def, set)
	return v.render("settings_instrument", page)
}

// mostPoints bounds a cut-point.
const mostPoints = 1_000_000

// chooseInstrumentSetting stores what the clinic chooses of an instrument. The
// trajectories of all clients are judged by it from then on.
func (s *Site) chooseInstrumentSetting(v *visit) error {
	page, def, set, err := v.instrumentSettingView()
	if err != nil {
		return err
	}
	r := v.reading()
	in := care.Setting{Instrument: def.ID, ChangeRules: r.line("change_rules", mostName), Cutpoints: map[string]float64{}}
	for field := range v.sent().values {
		if screen, found := strings.CutPrefix(field, "cutpoints."); found {
			if at := r.decimal(field, mostPoints); at != nil {
				in.Cutpoints[screen] = *at
			}
		}
	}
	shown := set.UpdatedAt.Format(time.RFC3339Nano)
	err = r.err(nil)
	if err == nil && v.typed("shown") != shown {
		err, page.Form = errSettled, v.sent().holding("shown", shown)
	}
	if err == nil {
		_, err = s.Care.ChooseSetting(v.ctx(), v.who, in)
	}
	if err != nil {
		return v.again("settings_instrument", page, err)
	}
	return v.done(settingsPath+"/instruments", "The choice was stored. Every client's trajectory is judged by it from now on.")
}

// cloneValues copies the values of a form.
func cloneValues(values url.Values) url.Values {
	out := url.Values{}
	for name, all := range values {
		out[name] = append([]string(nil), all...)
	}
	return out
}

package research

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/protrack/protrack/pkg/export"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/instrument"
)

// questionnaire is an instrument with all its versions that an export knows:
// answers are shown under every item that any of them asked.
type questionnaire struct {
	*instrument.Definition                          // the version that the export is made by
	versions               []*instrument.Definition // it, and those before it
}

// questionnaires are those of an export. Conflict where a version is none of
// this server's.
func (s *Service) questionnaires(x *Export) ([]questionnaire, error) {
	var out []questionnaire
	for _, id := range x.Request.Instruments {
		versions := s.Instruments.Versions(id)
		made := slices.IndexFunc(versions, func(d *instrument.Definition) bool { return d.Version == x.Terms.Versions[id] })
		if made < 0 {
			return nil, fault.New(fault.Conflict, fmt.Sprintf("This server has no definition of %s %s, which the export was made by.", id, x.Terms.Versions[id]))
		}
		out = append(out, questionnaire{versions[made], versions[made:]})
	}
	return out, nil
}

// question is an item in the newest version that asks it.
type question struct {
	item instrument.Item
	of   *instrument.Definition
}

// questions are the items of all versions, those of the newest first.
func (q questionnaire) questions() []question {
	var out []question
	seen := map[string]bool{}
	for _, def := range q.versions {
		for _, item := range def.Items {
			if !seen[item.ID] {
				seen[item.ID] = true
				out = append(out, question{item, def})
			}
		}
	}
	return out
}

// subscales are those of all versions, likewise.
func (q questionnaire) subscales() []export.Column {
	var out []export.Column
	seen := map[string]bool{}
	for _, def := range q.versions {
		for _, sub := range def.Subscales {
			if seen[sub.ID] {
				continue
			}
			seen[sub.ID] = true
			out = append(out, export.Column{
				Name: sub.ID, Label: sub.Title, Kind: export.Real, Unit: "points", Min: &sub.Min, Max: &sub.Max,
				Source:     "Sum of " + strings.Join(sub.Items, ", ") + " by the rule " + def.Scoring.Rule,
				Instrument: def.ID, Version: def.Version, Licence: def.Licence.Terms,
				Reasons: []export.Missing{export.Unknown, export.NotIncluded},
			})
		}
	}
	return out
}

// wording is what an item asks; where its text may not be given, its name.
func (q question) wording() string {
	return cmp.Or(q.item.Text, q.of.Title+", "+q.item.ID)
}

// itemReasons are why an item may have no answer.
var itemReasons = []export.Missing{export.Unknown, export.NotAsked, export.Skipped, export.Declined, export.NotIncluded}

func (q question) column() export.Column {
	c := export.Column{
		Name: q.item.ID, Label: q.wording(), Kind: export.Integer, Source: "The answer as it was given",
		Instrument: q.of.ID, Version: q.of.Version, Licence: q.of.Licence.Terms, Reasons: itemReasons,
	}
	if q.item.Unscored {
		c.Source += "; it is in no total"
	}
	for _, o := range q.of.Options(q.item) {
		value := strconv.Itoa(o.Value)
		c.Codes = append(c.Codes, export.Code{Value: value, Label: cmp.Or(o.Text, value)})
		c.Min, c.Max = lower(c.Min, float64(o.Value)), higher(c.Max, float64(o.Value))
	}
	return c
}

func lower(bound *float64, x float64) *float64 {
	if bound != nil && *bound <= x {
		return bound
	}
	return &x
}

func higher(bound *float64, x float64) *float64 {
	if bound != nil && *bound >= x {
		return bound
	}
	return &x
}

// severities are the bands of questionnaires, each once.
func severities(set []questionnaire) []export.Code {
	var out []export.Code
	for _, q := range set {
		for _, def := range q.versions {
			for _, band := range def.Bands {
				if !slices.ContainsFunc(out, func(c export.Code) bool { return c.Value == band.ID }) {
					out = append(out, export.Code{Value: band.ID, Label: band.Label})
				}
			}
		}
	}
	return out
}

// titles are the questionnaires as the codes of a column.
func titles(set []questionnaire) []export.Code {
	out := make([]export.Code, len(set))
	for i, q := range set {
		out[i] = export.Code{Value: q.ID, Label: q.Title}
	}
	return out
}

// totalColumn is a column of totals of questionnaires.
func totalColumn(name, label string, set ...questionnaire) export.Column {
	c := export.Column{Name: name, Label: label, Kind: export.Real, Unit: "points", Reasons: []export.Missing{export.Unknown}}
	for _, q := range set {
		for _, def := range q.versions {
			c.Min, c.Max = lower(c.Min, def.Scoring.Min), higher(c.Max, def.Scoring.Max)
		}
	}
	c.Source = "By the scoring rule of the instrument's version; nothing where answers are missing, unless the rule prorates"
	if len(set) == 1 {
		q := set[0]
		c.Source = "By the rule " + q.Scoring.Rule + "; nothing where answers are missing, unless the rule prorates"
		c.Instrument, c.Version, c.Licence = q.ID, q.Version, q.Licence.Terms
	}
	return c
}

// Package alert says which answers somebody has to look at, and how soon.
//
// The rules are data, each with its source. Evaluate takes values and returns
// values: it knows no clock, no database and no clinic. A finding carries the
// code of a rule and a level, never an answer.
//
// That nothing is found says nothing of a person: 71.6 % of those who died by
// suicide in the largest study of item 9 had answered 0 (Louzon 2016).
package alert

import "slices"

// Level is how much a finding presses.
type Level string

// The levels, the least first.
const (
	Low      Level = "low"
	Moderate Level = "moderate"
	High     Level = "high"
	Critical Level = "critical"
)

// Levels lists every level, the least first.
func Levels() []Level { return []Level{Low, Moderate, High, Critical} }

// Above reports whether l presses more than other. A level that does not exist
// presses less than any.
func (l Level) Above(other Level) bool {
	return slices.Index(Levels(), l) > slices.Index(Levels(), other)
}

// Item is what a form has for one item. The zero Item was passed in silence.
type Item struct {
	Value    *int // nil: not answered; 0 is an answer
	Declined bool // asked, and declined
}

// Form is what a form says, as far as rules ask. Empty fields are not known.
type Form struct {
	Instrument   string
	ItemsKnown   bool            // false: only a total was taken over from elsewhere
	Items        map[string]Item // an absent one was passed in silence
	Severity     string          // id of the band; empty: no total, or no bands
	Deteriorated bool            // reliably, against the baseline
	Improvement  *float64        // percent of the baseline, more is better; nil: there is none
	Doses        int             // dosing sessions that had begun when the form was answered
}

// Finding is one thing that somebody has to look at.
type Finding struct {
	Rule  string // code of the rule
	Level Level
	Rise  bool // an answer is higher than the one before
}

// Evaluate lists what the rules find in a form, in their order. Before is the
// form of the same instrument that the client answered last before this one;
// nil if there is none.
func (r Rules) Evaluate(form Form, before *Form) []Finding {
	var out []Finding
	for _, rule := range r.rules {
		if rule.Instrument != "" && rule.Instrument != form.Instrument {
			continue
		}
		if level := rule.find(form, before); level != "" {
			out = append(out, Finding{rule.Code, level, rule.When == ItemHigher})
		}
	}
	return out
}

// find gives the level of what a rule finds; empty: nothing.
func (r Rule) find(form Form, before *Form) Level {
	item := form.Items[r.Item]
	found := false
	switch r.When {
	case ItemAtLeast:
		return r.graded(form, item)
	case ItemHigher:
		found = higher(form, before, r.Item)
	case ItemDeclined:
		found = form.ItemsKnown && item.Declined
	case ItemMissing:
		found = form.ItemsKnown && item.Value == nil && !item.Declined
	case ItemsUnknown:
		found = !form.ItemsKnown
	case Severity:
		found = form.Severity == r.Severity
	case Deteriorated:
		found = form.Deteriorated
	case NotOnTrack:
		found = form.Doses >= r.FromDose && form.Improvement != nil && *form.Improvement < r.ImprovementBelow
	}
	if !found {
		return ""
	}
	return r.Level
}

// graded is the level of the highest step that an answer reaches.
func (r Rule) graded(form Form, item Item) (level Level) {
	if !form.ItemsKnown || item.Value == nil {
		return ""
	}
	reached := -1
	for step, of := range r.Levels {
		if *item.Value >= step && step > reached {
			reached, level = step, of
		}
	}
	return level
}

// higher reports whether an answer is above the one before. Where the one
// before is not known there is no rise, and the answer speaks for itself.
func higher(form Form, before *Form, id string) bool {
	if before == nil || !form.ItemsKnown || !before.ItemsKnown {
		return false
	}
	now, then := form.Items[id].Value, before.Items[id].Value
	return now != nil && then != nil && *now > *then
}

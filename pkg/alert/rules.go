package alert

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/protrack/protrack/pkg/fault"
)

// When says what a rule looks for.
type When string

// What rules look for.
const (
	ItemAtLeast  When = "item_at_least" // an answer that reaches a step of Levels
	ItemHigher   When = "item_higher"   // an answer above the one before
	ItemDeclined When = "item_declined"
	ItemMissing  When = "item_missing"  // passed in silence
	ItemsUnknown When = "items_unknown" // only a total is known
	Severity     When = "severity"      // a total within a band
	Deteriorated When = "deteriorated"  // reliably worse than the baseline
	NotOnTrack   When = "not_on_track"  // too little better after so many doses
)

// Rule is one thing to look for in a form, with where it comes from.
type Rule struct {
	Code       string `json:"code"`
	Instrument string `json:"instrument,omitzero"` // empty: every one
	When       When   `json:"when"`
	Item       string `json:"item,omitzero"`
	Always     bool   `json:"always,omitzero"` // no clinic can do without it

	Level  Level         `json:"level,omitzero"`
	Levels map[int]Level `json:"levels,omitzero"` // by the answer that is reached, in points

	Severity         string  `json:"severity,omitzero"`          // id of the band
	FromDose         int     `json:"from_dose,omitzero"`         // dosing sessions that have begun
	ImprovementBelow float64 `json:"improvement_below,omitzero"` // percent of the baseline

	Source string `json:"source"`
}

// Rules are rules in the order in which they are told.
type Rules struct {
	Version string
	rules   []Rule
}

// List gives the rules.
func (r Rules) List() []Rule { return slices.Clone(r.rules) }

//go:embed rules.json
var defaults []byte

// Default is the set of rules that the program brings along.
func Default() Rules {
	r, err := Parse(defaults)
	if err != nil {
		panic("the rules of the program: " + err.Error()) // a test parses them
	}
	return r
}

// Parse reads a set of rules. An Invalid fault names everything that is wrong
// with it, each with a JSON pointer.
func Parse(data []byte) (Rules, error) {
	var file struct {
		Version string `json:"version"`
		Rules   []Rule `json:"rules"`
	}
	if err := json.Unmarshal(data, &file, json.RejectUnknownMembers(true)); err != nil {
		return Rules{}, fault.New(fault.Invalid, "The rules cannot be read.").Because(err)
	}
	var faults []fault.Detail
	if file.Version == "" {
		faults = append(faults, fault.Detail{Pointer: "/version", Code: "required", Message: "Rules have a version."})
	}
	seen := map[string]bool{}
	for i, rule := range file.Rules {
		at := fmt.Sprintf("/rules/%d", i)
		if seen[rule.Code] {
			faults = append(faults, fault.Detail{Pointer: at + "/code", Code: "duplicate", Message: "Two rules have this code."})
		}
		seen[rule.Code] = true
		faults = append(faults, rule.check(at)...)
	}
	if err := fault.InvalidIf(faults); err != nil {
		return Rules{}, err
	}
	return Rules{Version: file.Version, rules: file.Rules}, nil
}

// Without leaves rules out; an Invalid fault names those that are unknown or
// always apply.
func (r Rules) Without(codes ...string) (Rules, error) {
	var faults []fault.Detail
	for i, code := range codes {
		at := slices.IndexFunc(r.rules, func(rule Rule) bool { return rule.Code == code })
		pointer := fmt.Sprintf("/%d", i)
		switch {
		case at < 0:
			faults = append(faults, fault.Detail{Pointer: pointer, Code: "unknown_rule", Message: "There is no such rule."})
		case r.rules[at].Always:
			faults = append(faults, fault.Detail{Pointer: pointer, Code: "always", Message: "This rule cannot be turned off."})
		}
	}
	if err := fault.InvalidIf(faults); err != nil {
		return Rules{}, err
	}
	left := slices.DeleteFunc(r.List(), func(rule Rule) bool { return slices.Contains(codes, rule.Code) })
	return Rules{Version: r.Version, rules: left}, nil
}

// check lists what is wrong with a rule.
func (r Rule) check(at string) (out []fault.Detail) {
	add := func(field, code, message string) {
		out = append(out, fault.Detail{Pointer: at + "/" + field, Code: code, Message: message})
	}
	if r.Code == "" {
		add("code", "required", "A rule has a code.")
	}
	if strings.TrimSpace(r.Source) == "" {
		add("source", "required", "A rule says where it comes from.")
	}
	graded, ofItem := false, false
	switch r.When {
	case ItemAtLeast:
		graded, ofItem = true, true
	case ItemHigher, ItemDeclined, ItemMissing, ItemsUnknown:
		ofItem = true
	case Severity:
		if r.Severity == "" {
			add("severity", "required", "The band is needed.")
		}
	case NotOnTrack:
		if r.FromDose < 1 || !(r.ImprovementBelow > 0 && r.ImprovementBelow <= 100) {
			add("when", "incomplete", "It needs a dose from 1 on, and an improvement of up to 100 percent.")
		}
	case Deteriorated:
	default:
		add("when", "unknown", "Nothing of that name can be looked for.")
	}
	if ofItem && (r.Item == "" || r.Instrument == "") {
		add("item", "required", "The item and its instrument are needed.")
	}
	if graded != (len(r.Levels) > 0) || graded == (r.Level != "") {
		add("level", "one_of", "An answer that is reached has levels, anything else has one.")
	}
	for step, level := range r.Levels {
		if step < 1 || !slices.Contains(Levels(), level) {
			add("levels", "out_of_range", "A level is of 1 point or more, and low, moderate, high or critical.")
		}
	}
	if r.Level != "" && !slices.Contains(Levels(), r.Level) {
		add("level", "unknown", "A level is low, moderate, high or critical.")
	}
	return out
}

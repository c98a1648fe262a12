// Package instrument holds questionnaires as data and scores their answers.
//
// A Definition is one JSON file: wording, options, scoring rule, screens,
// safety flags, rules of change and licence. Parse reads it strictly and names
// every fault. Score turns answers into totals without ever filling a missing
// answer with zero. Nothing here knows time, storage or HTTP.
package instrument

import "slices"

// Direction says which way a total moves when the client gets better.
type Direction string

// The two directions.
const (
	LowerIsBetter  Direction = "lower_is_better"
	HigherIsBetter Direction = "higher_is_better"
)

// Sex is what an item or a cut-point may depend on. The empty Sex means the
// same as Unknown.
type Sex string

// The values of Sex.
const (
	Female  Sex = "female"
	Male    Sex = "male"
	Other   Sex = "other"
	Unknown Sex = "unknown"
)

// Definition is one version of one questionnaire. It is the file format
// itself, hence the tags. A Definition from Parse or a Library is shared and
// must not be changed.
type Definition struct {
	ID            string              `json:"id"`             // "phq-9"
	Version       string              `json:"version"`        // "1.0.0": of the wording and the rules together
	Title         string              `json:"title"`          // the name that people know
	Language      string              `json:"language"`       // BCP 47, "en"
	Measures      string              `json:"measures"`       // what the total is about, in a few words
	Direction     Direction           `json:"direction"`      // which way is better
	RecallWindows []string            `json:"recall_windows"` // the windows it may be given with, the default first
	Stem          string              `json:"stem,omitempty"` // the sentence above the items, for the default window
	Stems         map[string]string   `json:"stems,omitempty"`
	Codes         []Code              `json:"codes,omitempty"`
	OptionSets    map[string][]Option `json:"option_sets"`
	Items         []Item              `json:"items"`
	Scoring       Rule                `json:"scoring"`
	Gate          *Gate               `json:"gate,omitempty"`
	Subscales     []Subscale          `json:"subscales,omitempty"`
	Bands         []Band              `json:"bands,omitempty"`
	Screens       []Screen            `json:"screens,omitempty"`
	Flags         []FlagRule          `json:"flags,omitempty"`
	ChangeRules   []ChangeRules       `json:"change_rules,omitempty"`
	// DefaultChangeRules is the id of the set that trajectories use unless
	// another is asked for; "" only where ChangeRules is empty.
	DefaultChangeRules string  `json:"default_change_rules,omitempty"`
	Licence            Licence `json:"licence"`
	// ScoringOnly marks a definition without wording: its text may not be
	// redistributed, and the clinic shows its own licensed form.
	ScoringOnly bool `json:"scoring_only,omitempty"`

	plan *plan // lookups for Score; nil where the Definition was not parsed
}

// Code names the whole panel or its total in a code system.
type Code struct {
	System  string `json:"system"` // "http://loinc.org", "http://snomed.info/sct"
	Code    string `json:"code"`
	Use     string `json:"use"` // "panel" or "total": the two must never be swapped
	Display string `json:"display,omitempty"`
}

// Option is one answer that an item offers.
type Option struct {
	Value int    `json:"value"`           // what is stored
	Score *int   `json:"score,omitempty"` // what it counts, where that is not Value (reversed items)
	Text  string `json:"text,omitempty"`
	LOINC string `json:"loinc,omitempty"` // answer code, "LA6568-5"
}

// Points is what the option counts in a total.
func (o Option) Points() int {
	if o.Score != nil {
		return *o.Score
	}
	return o.Value
}

// Item is one question.
type Item struct {
	ID      string `json:"id"` // the same in answers, exports and codebooks: "phq9_1"
	Text    string `json:"text,omitempty"`
	Options string `json:"options"` // a name in OptionSets
	LOINC   string `json:"loinc,omitempty"`
	// Unscored items are in no total and are counted neither as answered nor
	// as missing.
	Unscored bool `json:"unscored,omitempty"`
	// Optional tells front ends to let the client pass without an answer. A
	// scored item that is passed is missing all the same.
	Optional bool `json:"optional,omitempty"`
	// AskedOf, where given, leaves the item out for a client whose sex is
	// known to be another one. A given answer counts nevertheless.
	AskedOf []Sex `json:"asked_of,omitempty"`
}

// Rule says how the total is made: the sum of the scored items' points, times
// Multiply.
type Rule struct {
	Rule     string   `json:"rule"` // name and version of this rule, "phq-9-sum-1"
	Min      float64  `json:"min"`
	Max      float64  `json:"max"`
	Multiply int      `json:"multiply,omitempty"` // 4 for WHO-5; 0 means 1
	Prorate  *Prorate `json:"prorate,omitempty"`
	Source   string   `json:"source"` // where range, bands and missing rule come from
}

// Prorate bounds how many answers may be missing for sum x items / answered
// to be given under the policy Prorated.
type Prorate struct {
	MaxMissing int `json:"max_missing"`
	// MaxPerSubscale bounds the missing items inside each subscale too; nil
	// means no such bound.
	MaxPerSubscale *int `json:"max_per_subscale,omitempty"`
}

// Gate is an item whose answer Equals makes the items in Skips not asked.
// These then count 0 and are neither answered nor missing. An answer to one of
// them that counts something contradicts the gate: the form is taken as it was
// given, has no result, and raises the flag ContradictsGate.
type Gate struct {
	Item   string   `json:"item"`
	Equals int      `json:"equals"`
	Skips  []string `json:"skips"`
}

// Subscale is a sum over some of the scored items.
type Subscale struct {
	ID      string   `json:"id"` // "pcl5_b"
	Title   string   `json:"title"`
	Items   []string `json:"items"`
	Min     float64  `json:"min"`
	Max     float64  `json:"max"`
	Prorate *Prorate `json:"prorate,omitempty"`
}

// Band is a range of totals with a name. It runs from From up to, but not
// including, the next band's From, so that an unrounded 9.5 is below 10.
type Band struct {
	ID    string  `json:"id"` // "moderately_severe"
	Label string  `json:"label"`
	From  float64 `json:"from"`
}

// FlagRule raises a flag on one item: either its value is AtLeast, or, with
// When "not_answered", it was asked and has no answer.
type FlagRule struct {
	Code    string `json:"code"`
	Item    string `json:"item"`
	AtLeast *int   `json:"at_least,omitempty"`
	When    string `json:"when,omitempty"`
	Source  string `json:"source"`
}

// Licence says on what terms the wording may be shown.
type Licence struct {
	// Redistributable is true where anybody may copy and show the wording.
	Redistributable bool `json:"redistributable"`
	// Permission names the clinic's own licence for wording that is not
	// redistributable; files with such wording are refused without it.
	Permission string `json:"permission,omitempty"`
	Terms      string `json:"terms"`            // the terms in one sentence
	Credit     string `json:"credit,omitempty"` // shown with the wording
	Source     string `json:"source"`           // where the terms were read
}

// RecallWindow is the window that the instrument asks about by default, an
// ISO 8601 duration or "since_last_session".
func (d *Definition) RecallWindow() string {
	if len(d.RecallWindows) == 0 {
		return ""
	}
	return d.RecallWindows[0]
}

// AllowsRecall reports whether the instrument may be given with window.
func (d *Definition) AllowsRecall(window string) bool {
	return slices.Contains(d.RecallWindows, window)
}

// Options gives the answers that the item offers, in order.
func (d *Definition) Options(item Item) []Option { return d.OptionSets[item.Options] }

// BandOf finds the band of an unrounded total; false where the instrument has
// no bands or the total is below the first.
func (d *Definition) BandOf(total float64) (Band, bool) {
	for i := len(d.Bands) - 1; i >= 0; i-- {
		if total >= d.Bands[i].From {
			return d.Bands[i], true
		}
	}
	return Band{}, false
}

// Change finds a set of change rules by its id, or the default set for "".
// False where there is none of that name.
func (d *Definition) Change(id string) (ChangeRules, bool) {
	if id == "" {
		id = d.DefaultChangeRules
	}
	for _, r := range d.ChangeRules {
		if r.ID == id {
			return r, true
		}
	}
	return ChangeRules{}, false
}

// ChangeOrDefault is Change for a set that was chosen before: where a newer
// definition has dropped it, the default set stands in. The set says which it is.
func (d *Definition) ChangeOrDefault(chosen string) (ChangeRules, bool) {
	if set, found := d.Change(chosen); found {
		return set, true
	}
	return d.Change("")
}

// recallWindows lists the known windows; P1M counts as 30 days.
var recallWindows = []string{"P1D", "P7D", "P14D", "P28D", "P1M", "P12M", "since_last_session"}

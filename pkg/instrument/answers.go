package instrument

import (
	"fmt"
	"io"
	"log/slog"
)

// Answers maps item ids to option values. A nil or absent value is a missing
// answer, which is not the same as 0. Answers print as *** everywhere,
// JSON included, so that they cannot reach a log by accident; a store converts
// to map[string]*int on purpose.
type Answers map[string]*int

const redacted = "***"

// String hides the answers.
func (Answers) String() string { return redacted }

// GoString hides the answers.
func (Answers) GoString() string { return redacted }

// Format hides the answers for every verb.
func (Answers) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, redacted) }

// MarshalJSON hides the answers: convert to map[string]*int to store them.
func (Answers) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// LogValue hides the answers.
func (Answers) LogValue() slog.Value { return slog.StringValue(redacted) }

// MissingPolicy says what to do when scored items have no answer.
type MissingPolicy string

// The policies. Neither ever counts a missing answer as 0.
const (
	// Complete gives no total unless every scored item that applies is answered.
	Complete MissingPolicy = "complete"
	// Prorated scales the sum up to the full number of items, within the
	// instrument's limit of missing answers; the result is not rounded.
	Prorated MissingPolicy = "prorate"
)

// Input is one filled form, or a total alone that was scored elsewhere.
type Input struct {
	Answers   Answers
	Declined  []string           // items that were asked and refused
	Total     *float64           // instead of answers
	Policy    MissingPolicy      // "" means Complete
	Sex       Sex                // "" means Unknown
	Cutpoints map[string]float64 // screen id -> one of its alternatives
}

// Format hides the form for every verb.
func (Input) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, redacted) }

// LogValue hides the form.
func (Input) LogValue() slog.Value { return slog.StringValue(redacted) }

// Score is what a form says. Numbers that the rules do not give are nil. A form
// whose answers contradict its gate has no total, severity, subscales or screens.
type Score struct {
	Instrument        string
	InstrumentVersion string
	Rule              string   // name and version of the scoring rule
	Total             *float64 // unrounded
	Severity          *string  // id of the Band; nil without a total or without bands
	Subscales         map[string]*float64
	// ItemsAnswered and ItemsMissing count scored items that were to be asked;
	// both are nil where only a total is known.
	ItemsAnswered *int
	ItemsMissing  *int
	// Prorated is true where the total or a subscale was scaled up from fewer
	// answers.
	Prorated      bool
	MissingPolicy MissingPolicy
	// Screens holds a string, a bool or nil (not certain) for each screen.
	Screens map[string]any
	// Cutpoints holds the threshold used for each Cutpoint screen; none where
	// it depends on a sex that is not known.
	Cutpoints map[string]float64
	Flags     []Flag
}

// Flag is a single answer, or its absence, that a clinician should see
// whatever the total.
type Flag struct {
	Code   string
	Item   string
	Level  *int   // the answer's value; nil where there is none
	Reason string // "declined", "skipped" or "unknown" of a missing answer, or Contradiction
}

// ContradictsGate is the code of the flag on a form whose answers contradict
// its gate, as drinks of somebody who never drinks do. It names the gate's item
// and stands after the flags of the definition.
const ContradictsGate = "contradicts_gate"

// Contradiction is the Reason of the flag ContradictsGate.
const Contradiction = "contradiction"

// Format hides what was flagged for every verb but names the item.
func (f Flag) Format(w fmt.State, _ rune) {
	_, _ = io.WriteString(w, "instrument.Flag("+f.Item+" "+redacted+")")
}

// LogValue hides what was flagged but names the item.
func (f Flag) LogValue() slog.Value { return slog.StringValue(f.Item + " " + redacted) }

// Format hides the score for every verb but names the instrument.
func (s Score) Format(w fmt.State, _ rune) {
	_, _ = io.WriteString(w, "instrument.Score("+s.Instrument+" "+redacted+")")
}

// LogValue hides the score but names the instrument.
func (s Score) LogValue() slog.Value { return slog.StringValue(s.Instrument + " " + redacted) }

package trajectory

import (
	"fmt"
	"math"
	"strconv"
)

// Rules is one named, versioned set of thresholds for one instrument. Sources
// disagree (PCL-5 reliable change is 10, 15 or 18), so the set that was used
// travels with every result. A nil threshold means that the set has no such
// rule: the verdict is then nil, never guessed.
//
// Thresholds are in points of the instrument unless named otherwise. Totals
// within a billionth of a threshold count as on it: prorated totals are ratios,
// and a difference of exactly 10 must not be lost to the ninth decimal.
type Rules struct {
	Set, Version string

	// ReliableChange is the least difference from the baseline that is more than
	// measurement error: improved or deteriorated from ">=" on. NHS Talking
	// Therapies: PHQ-9 6, GAD-7 4. Marx 2022: PCL-5 15 or 18.
	ReliableChange *float64
	// MinimalImportantDifference is the least improvement that patients notice:
	// GAD-7 4 (Toussaint 2020), PCL-5 9 to 12 (Blanchard 2023).
	MinimalImportantDifference *float64
	// Caseness is the total from which a client counts as a case: at or above it
	// where lower is better, at or below it where higher is better. PHQ-9 10 and
	// GAD-7 8 (NHS Talking Therapies), WHO-5 50.
	Caseness *float64
	// RecoveredAtMost is the highest total that counts as recovered where lower
	// is better (PCL-5 28, Marx 2022); nil: any total that is not a case.
	RecoveredAtMost *float64
	// RemissionBelow is the total under which a client is in remission where
	// lower is better: PHQ-9 and GAD-7 5 (HEDIS DRR-E, CMS159).
	RemissionBelow *float64
	// ResponsePercent is the improvement, in percent of the baseline, that is a
	// response: 50 for PHQ-9 and GAD-7; 30 in the ketamine PTSD study of Osmind.
	ResponsePercent *float64
	// PartialPercent is the same for a partial response: 25 (ICSI).
	PartialPercent *float64

	// SD, Reliability (0 to 1) and ReliabilityKind ("alpha", "retest") are what
	// ReliableChange was derived from, where it was; they are shown and never
	// computed with. Alpha and retest move the PCL-5's threshold by 3 to 4
	// points, so the kind belongs to the result.
	SD, Reliability *float64
	ReliabilityKind string

	Source string // where the numbers were read
}

// relapseWords gives the definition as a sentence with the rule set's numbers,
// or says why relapse is not judged.
func relapseWords(def RelapseDefinition, r Rules) string {
	switch def {
	case RelapseLossOfResponse, "":
		if r.ResponsePercent == nil {
			return "Relapse is not judged: loss of response was chosen, and the rules have no response threshold."
		}
		return fmt.Sprintf("Relapse is the first score after a response that is no longer at least %s %% better than the baseline.",
			number(*r.ResponsePercent, 2))
	case RelapseCasenessAfterRemission:
		if r.Caseness == nil || r.RemissionBelow == nil {
			return "Relapse is not judged: caseness after remission was chosen, and the rules lack one of the two thresholds."
		}
		return fmt.Sprintf("Relapse is the first score at or beyond the caseness threshold of %s after a remission (a score below %s).",
			number(*r.Caseness, 2), number(*r.RemissionBelow, 2))
	case RelapseReliableWorsening:
		if r.ReliableChange == nil {
			return "Relapse is not judged: reliable worsening was chosen, and the rules have no threshold of reliable change."
		}
		n := number(*r.ReliableChange, 2)
		return fmt.Sprintf("Relapse is the first score that is at least %s points worse than the best so far, "+
			"after an improvement of at least %s points from the baseline.", n, n)
	}
	return "Relapse is not judged: the definition chosen is not known."
}

// noCaseWords says why relapse is not judged of a client who was no case.
func noCaseWords(caseness float64) string {
	return fmt.Sprintf("Relapse is not judged: the client was no case at the baseline (the caseness threshold is %s).",
		number(caseness, 2))
}

// judge applies the rules to totals. All comparisons are made on a scale on
// which a greater number is worse, so that direction is handled once.
type judge struct {
	higherIsBetter bool
	rules          Rules
}

// ill turns a total into one that grows with illness.
func (j judge) ill(total float64) float64 {
	if j.higherIsBetter {
		return -total
	}
	return total
}

// gain is the improvement from one total to another, in points; negative when
// worse.
func (j judge) gain(from, to float64) float64 { return j.ill(from) - j.ill(to) }

// reliable compares a total with another; nil without a rule.
func (j judge) reliable(from, to float64) *Reliable {
	if j.rules.ReliableChange == nil {
		return nil
	}
	gain, least := j.gain(from, to), *j.rules.ReliableChange
	switch {
	case atLeast(gain, least):
		return new(Improved)
	case atLeast(-gain, least):
		return new(Deteriorated)
	}
	return new(Unchanged)
}

// response compares with the baseline in percent of it; nil without a rule, and
// for a baseline of which no percentage can be taken. It multiplies and never
// divides, so that a fall of exactly half is a response (2*follow <= baseline).
func (j judge) response(baseline, total float64) *Response {
	r := j.rules
	if r.ResponsePercent == nil || baseline <= 0 {
		return nil
	}
	gain := 100 * j.gain(baseline, total)
	switch {
	case atLeast(gain, *r.ResponsePercent*baseline):
		return new(ResponseFull)
	case r.PartialPercent != nil && atLeast(gain, *r.PartialPercent*baseline):
		return new(ResponsePartial)
	}
	return new(ResponseNone)
}

// remission looks at a total alone; nil without a rule, and where higher is
// better, for which no rule is defined.
func (j judge) remission(total float64) *bool {
	if j.rules.RemissionBelow == nil || j.higherIsBetter {
		return nil
	}
	return new(!atLeast(total, *j.rules.RemissionBelow))
}

// isCase looks at a total alone; nil without a rule.
func (j judge) isCase(total float64) *bool {
	if j.rules.Caseness == nil {
		return nil
	}
	return new(atLeast(j.ill(total), j.ill(*j.rules.Caseness)))
}

// recovered reports whether a client who was a case no longer is one; nil
// where the baseline was no case or the rules do not say.
func (j judge) recovered(baseline, total float64) *bool {
	was := j.isCase(baseline)
	if was == nil || !*was {
		return nil
	}
	if j.rules.RecoveredAtMost == nil || j.higherIsBetter {
		return new(!*j.isCase(total))
	}
	return new(atLeast(*j.rules.RecoveredAtMost, total))
}

// atLeast is a >= b, forgiving a billionth of rounding.
func atLeast(a, b float64) bool {
	return a >= b-1e-9*max(1, math.Abs(a), math.Abs(b))
}

// round keeps the given number of decimals and never answers -0.
func round(x float64, decimals int) float64 {
	p := math.Pow10(decimals)
	if math.Abs(x) > 1e15/p { // no such decimals are left, and x*p could overflow
		return x
	}
	return math.Round(x*p)/p + 0
}

// number writes a figure without needless zeros.
func number(x float64, decimals int) string {
	return strconv.FormatFloat(round(x, decimals), 'f', -1, 64)
}

// is reports whether a verdict was given and is the one named.
func is[T comparable](verdict *T, want T) bool { return verdict != nil && *verdict == want }

package instrument

import "math"

// ChangeRules is a named, versioned set of thresholds for judging the change
// between two totals. Absent thresholds are nil: the set then says nothing
// about that question. Points are in units of the total.
type ChangeRules struct {
	ID      string `json:"id"` // "nhs-tt"
	Version string `json:"version"`
	Title   string `json:"title"`
	// ReliableChange is met by a change of at least this many points.
	ReliableChange *float64 `json:"reliable_change,omitempty"`
	// MinimalImportantDifference is shown beside reliable change and never
	// taken for it.
	MinimalImportantDifference *float64 `json:"minimal_important_difference,omitempty"`
	// Caseness: a total of at least this is a case.
	Caseness *float64 `json:"caseness,omitempty"`
	// RecoveredAtMost is the highest total that counts as recovered; nil means
	// anything below Caseness.
	RecoveredAtMost *float64 `json:"recovered_at_most,omitempty"`
	// RemissionBelow: a total under this is remission.
	RemissionBelow *float64 `json:"remission_below,omitempty"`
	// ResponsePercent and PartialPercent are improvements relative to the
	// baseline, in per cent.
	ResponsePercent *float64       `json:"response_percent,omitempty"`
	PartialPercent  *float64       `json:"partial_percent,omitempty"`
	JacobsonTruax   *JacobsonTruax `json:"jacobson_truax,omitempty"`
	Source          string         `json:"source"`
}

// JacobsonTruax holds what a reliable change was computed from. The kind of
// reliability is part of the result: alpha and retest differ by points.
type JacobsonTruax struct {
	SD              float64 `json:"sd"`
	Reliability     float64 `json:"reliability"`
	ReliabilityKind string  `json:"reliability_kind"` // "alpha" or "retest"
	Source          string  `json:"source"`           // sample of SD and reliability
}

// ReliableChange is the change that measurement error alone exceeds in 5 % of
// clients, 1.96 x sqrt(2) x SD x sqrt(1 - r) (Jacobson and Truax 1991,
// J Consult Clin Psychol 59:12).
func (j JacobsonTruax) ReliableChange() float64 {
	measurement := j.SD * math.Sqrt(1-j.Reliability) // standard error of one total
	difference := math.Sqrt2 * measurement           // and of the difference of two
	return 1.96 * difference
}

package trajectory

import (
	"math"

	"github.com/protrack/protrack/pkg/fault"
)

// ReliableIndex is the reliable change of Jacobson & Truax (1991), in points of
// the instrument.
type ReliableIndex struct {
	SD          float64 // of the scores before treatment
	Reliability float64 // 0 to 1; say which kind beside it
	SEM         float64 // standard error of measurement, SD * sqrt(1 - r)
	SDiff       float64 // standard error of a difference, sqrt(2 * SEM^2)
	RC95        float64 // 1.96 * SDiff: a larger change is measurement error in 1 of 20
}

// NewReliableIndex derives the reliable change from a standard deviation and a
// reliability. PHQ-9 with SD 5.96 and alpha .90 gives 5.23, in whole points the
// 6 of NHS Talking Therapies. It is a fault.Invalid where the SD is not positive
// or the reliability not within 0 to 1.
func NewReliableIndex(sd, reliability float64) (ReliableIndex, error) {
	if !positive(sd) || !(reliability >= 0 && reliability <= 1) {
		return ReliableIndex{}, fault.New(fault.Invalid,
			"Reliable change needs a positive standard deviation and a reliability from 0 to 1.")
	}
	sem := sd * math.Sqrt(1-reliability)
	sdiff := math.Sqrt2 * sem
	return ReliableIndex{SD: sd, Reliability: reliability, SEM: sem, SDiff: sdiff, RC95: 1.96 * sdiff}, nil
}

// RCI gives the reliable change index of one client, (after - before) / SDiff.
// It is infinite or NaN for a reliability of 1, where nothing is error.
func (r ReliableIndex) RCI(before, after float64) float64 { return (after - before) / r.SDiff }

// Norm describes a population on an instrument.
type Norm struct {
	Mean, SD float64
}

// Cutoffs are the three cut-offs between illness and health of Jacobson & Truax
// (1991), in points.
type Cutoffs struct {
	A float64 // two clinical SDs from the clinical mean, towards health
	B float64 // two functional SDs from the functional mean, towards illness
	C float64 // where the two populations are equally likely: the mean weighted by the other's SD
}

// NewCutoffs derives the cut-offs for a clinical and a functional population.
// It is a fault.Invalid where an SD is not positive, or where the functional
// mean is not on the healthy side of the clinical one in the given direction:
// the sign would be wrong.
func NewCutoffs(d Direction, clinical, functional Norm) (Cutoffs, error) {
	toHealth := -1.0
	if d == HigherIsBetter {
		toHealth = 1
	}
	if !positive(clinical.SD) || !positive(functional.SD) || !positive(toHealth*(functional.Mean-clinical.Mean)) {
		return Cutoffs{}, fault.New(fault.Invalid,
			"Cut-offs need positive standard deviations and a functional mean that is healthier than the clinical one.")
	}
	return Cutoffs{
		A: clinical.Mean + toHealth*2*clinical.SD,
		B: functional.Mean - toHealth*2*functional.SD,
		C: (clinical.SD*functional.Mean + functional.SD*clinical.Mean) / (clinical.SD + functional.SD),
	}, nil
}

// positive is false for NaN and infinities too.
func positive(x float64) bool { return x > 0 && !math.IsInf(x, 1) }

package cohort_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/trajectory"
)

// clinic is a made-up clinic of so many people, a fifth of them lost.
func clinic(n int) []cohort.Case {
	draw := rand.New(rand.NewPCG(1, 2))
	out := make([]cohort.Case, 0, n)
	for i := range n {
		c := treated(fmt.Sprint(i))
		c.Doses[0].MG = float64(20 + draw.IntN(300))
		banded := func(s *cohort.Score) { s.Severity = band(*s.Total, 5, 10, 15, 20) }
		c = scoring(c, "phq-9", trajectory.TimingBefore, float64(draw.IntN(28)), banded)
		if draw.IntN(5) > 0 {
			c = scoring(c, "phq-9", trajectory.TimingAfter, float64(draw.IntN(28)), banded)
		}
		out = append(out, c)
	}
	return out
}

// BenchmarkChange is a figure with what is withheld, of clinics of three sizes:
// it grows with the people, and withholding does not.
func BenchmarkChange(b *testing.B) {
	dose, _ := cohort.KeyOf("dose")
	for _, n := range []int{100, 10_000, 100_000} {
		all := clinic(n)
		b.Run(fmt.Sprintf("%d people", n), func(b *testing.B) {
			for b.Loop() {
				compute(b, onPHQ9().Compute, all...).Withheld(5)
			}
		})
		b.Run(fmt.Sprintf("%d people by dose", n), func(b *testing.B) {
			for b.Loop() {
				grouped, err := onPHQ9().ComputeBy(people(all...), dose)
				if err != nil {
					b.Fatal(err)
				}
				grouped.Withheld(11)
			}
		})
		b.Run(fmt.Sprintf("%d people by band", n), func(b *testing.B) {
			for b.Loop() {
				compute(b, cohort.ShiftQuery{Comparison: onPHQ9().Comparison, Bands: phq9Bands}.Compute, all...).Withheld(11)
			}
		})
	}
}

package trajectory_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/protrack/protrack/pkg/trajectory"
)

// Figures over many clients judge pairs of totals, a caseload judges courses:
// the two must not part.
func TestJudgingTwoTotalsIsJudgingACourseOfTwo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules := rapid.SampledFrom([]trajectory.Rules{nhs(), who5(), {}, {Caseness: new(10.0)}}).Draw(t, "rules")
		s := weekly(float64(rapid.IntRange(0, 100).Draw(t, "from")), float64(rapid.IntRange(0, 100).Draw(t, "to")))
		s.Direction = rapid.SampledFrom([]trajectory.Direction{"", trajectory.LowerIsBetter, trajectory.HigherIsBetter}).Draw(t, "direction")
		status := trajectory.Compute(s, rules, trajectory.Options{}).Status
		from, to := *s.Assessments[0].Total, *s.Assessments[1].Total
		same(t, "verdicts", trajectory.Verdicts{
			Reliable: status.Reliable, Response: status.Response, Remission: status.Remission,
			BaselineCase: status.BaselineCase, Recovery: status.Recovery, ReliableRecovery: status.ReliableRecovery,
		}, rules.Judge(s.Direction, from, to))
		same(t, "a case", status.BaselineCase, rules.IsCase(s.Direction, from))
	})
}

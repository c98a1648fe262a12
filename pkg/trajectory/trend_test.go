package trajectory_test

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/stat"
	"pgregory.net/rapid"

	"github.com/protrack/protrack/pkg/trajectory"
)

func TestTrendByHand(t *testing.T) {
	// x = 0, 1, 2, 3 weeks and y = 20, 16, 15, 9: means 1.5 and 15;
	// Sxx = 5, Sxy = -17, so the slope is -3.4. Residuals -.1, -.7, 1.7, -.9
	// leave 4.2; se = sqrt(4.2 / 2 / 5) = .648074, and t(.975; 2) = 4.302653.
	tr := trajectory.Compute(weekly(20, 16, 15, 9), nhs(), trajectory.Options{}).Trend
	half := 4.302652730 * math.Sqrt(.42)
	if math.Abs(tr.SlopePerWeek+3.4) > 1e-9 || tr.N != 4 ||
		math.Abs(tr.CI95[0]-(-3.4-half)) > 1e-6 || math.Abs(tr.CI95[1]-(-3.4+half)) > 1e-6 {
		t.Errorf("trend %+v %v, want -3.4 +- %v", tr, tr.CI95, half)
	}
}

func TestTrendOfFewScores(t *testing.T) {
	two := trajectory.Compute(weekly(20, 13), nhs(), trajectory.Options{}).Trend
	diff(t, "two scores give a slope and no interval", &trajectory.Trend{SlopePerWeek: -7, N: 2}, two)
	flat := trajectory.Compute(weekly(7, 7, 7), nhs(), trajectory.Options{}).Trend
	diff(t, "a flat line is known exactly", &trajectory.Trend{CI95: &[2]float64{0, 0}, N: 3}, flat)
	same := phq9(scored("a", 0, 20), scored("b", 0, 10), scored("c", 0, 5))
	if tr := trajectory.Compute(same, nhs(), trajectory.Options{}).Trend; tr != nil {
		t.Errorf("all at one time: %+v", tr)
	}
	gap := phq9(scored("a", 0, 20), unscored("b", 7), scored("c", 14, 10))
	diff(t, "a gap is no score", &trajectory.Trend{SlopePerWeek: -5, N: 2}, trajectory.Compute(gap, nhs(), trajectory.Options{}).Trend)
}

func TestTrendAgreesWithGonum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		totals := rapid.SliceOfN(rapid.IntRange(0, 27), 2, 30).Draw(t, "totals")
		var s trajectory.Series
		var x, y []float64
		day := 0
		for i, total := range totals {
			day += rapid.IntRange(1, 30).Draw(t, "gap")
			s.Assessments = append(s.Assessments, scored(string(rune('A'+i)), float64(day), float64(total)))
			x, y = append(x, float64(day)/7), append(y, float64(total))
		}
		_, want := stat.LinearRegression(x, y, nil, false)
		got := trajectory.Compute(s, nhs(), trajectory.Options{}).Trend
		if math.Abs(got.SlopePerWeek-want) > 1e-6 || got.N != len(totals) || (got.CI95 == nil) != (len(totals) < 3) {
			t.Fatalf("%+v, want slope %v", got, want)
		}
		if got.CI95 != nil && (got.CI95[0] > got.SlopePerWeek || got.CI95[1] < got.SlopePerWeek) {
			t.Fatalf("the slope is outside its interval: %+v %v", got, got.CI95)
		}
	})
}

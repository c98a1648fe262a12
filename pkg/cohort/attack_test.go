package cohort_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/trajectory"
)

// attacks are the ways that were thought of to work out one person's data from
// figures of many. Each comes to the truth where nothing is held back.
var attacks = map[string]struct {
	truth  float64
	attack func(*reader) float64
}{
	"a cohort, and the cohort without one person": {27, func(r *reader) float64 {
		all := besides(40, victim())
		return totalOf(asks(r, onPHQ9().Compute, all...).From) - totalOf(asks(r, onPHQ9().Compute, all[1:]...).From)
	}},
	"a cohort of one": {26, func(r *reader) float64 {
		return told(asks(r, onPHQ9().Compute, victim()).To.Mean)
	}},
	"today, and after one more form": {26, func(r *reader) float64 {
		waiting := someone(theVictim).dosed(0).before(1, -1, 27)
		before := totalOf(asks(r, onPHQ9().Compute, besides(40, waiting)...).To)
		return totalOf(asks(r, onPHQ9().Compute, besides(40, victim())...).To) - before
	}},
	"before and after one form was amended": {-5, func(r *reader) float64 {
		amended := victim()
		amended.Scores["phq-9"][1].Version, amended.Scores["phq-9"][1].Total = 2, new(21.0)
		before := totalOf(asks(r, onPHQ9().Compute, besides(40, victim())...).To)
		return totalOf(asks(r, onPHQ9().Compute, besides(40, amended)...).To) - before
	}},
	"what pairs began with, to two later times": {27, func(r *reader) float64 {
		lost := someone(theVictim).dosed(0).before(1, -1, 27).after(1, 1, 26)
		all := besides(40, lost)
		return totalOf(asks(r, onPHQ9().Compute, all...).From) - totalOf(asks(r, change(firstBefore, days(31, 3)).Compute, all...).From)
	}},
	"a window of days, slid by a day": {25, func(r *reader) float64 {
		early := someone(theVictim).dosed(0).before(1, -1, 27).later(28, 25)
		all := besides(40, early)
		return totalOf(asks(r, change(firstBefore, days(31, 3)).Compute, all...).To) - totalOf(asks(r, change(firstBefore, days(32, 3)).Compute, all...).To)
	}},
	"how many were there, by a window slid by a day": {1, func(r *reader) float64 {
		all := besides(40, someone(theVictim).dosed(0).before(1, -1, 27).later(28, 25))
		all = append(all, someone("not there").dosed(0).before(1, -1, 20))
		flow := func(at cohort.TimePoint) float64 {
			q := cohort.FlowQuery{Instrument: "phq-9", Points: []cohort.TimePoint{at}}
			return told(asks(r, q.Compute, all...).Points[0].Observed)
		}
		return flow(days(31, 3)) - flow(days(32, 3))
	}},
	"another rule set": {1, func(r *reader) float64 {
		nearly := someone(theVictim).dosed(0).before(1, -1, 20).after(1, 1, 10.2)
		strict, lenient := onPHQ9(), onPHQ9()
		lenient.Rules.ResponsePercent = new(49.0)
		all := besides(40, nearly)
		return told(asks(r, lenient.Compute, all...).Outcomes[cohort.Response].N) - told(asks(r, strict.Compute, all...).Outcomes[cohort.Response].N)
	}},
	"the flow, and the change": {1, func(r *reader) float64 {
		all := besides(40, someone(theVictim).dosed(0).before(1, -1, 27))
		flow := asks(r, cohort.FlowQuery{Instrument: "phq-9"}.Compute, all...)
		baseline := cohort.TimePoint{Kind: cohort.AtBaseline}
		return told(flow.Baseline) - told(asks(r, change(baseline, firstAfter).Compute, all...).Flow.Paired)
	}},
	"a whole, and its parts asked for one by one": {27, func(r *reader) float64 {
		women, men := patients(40)[:20], patients(40)[20:]
		of := func(who []*person) float64 { return totalOf(asks(r, onPHQ9().Compute, who...).From) }
		return of(joined([]*person{victim()}, women, men)) - of(women) - of(men)
	}},
	"a whole, and its groups in one answer": {27, func(r *reader) float64 {
		all := besides(40, victim())
		for i, p := range all[1:] {
			p.Sex = []string{"female", "male"}[i%2]
		}
		sex, _ := cohort.KeyOf("sex")
		compute := func(cases cohort.Cases) (cohort.GroupedChange, error) { return onPHQ9().ComputeBy(cases, sex) }
		grouped := asks(r, compute, all...)
		rest := totalOf(grouped.Total.From)
		for _, g := range grouped.Groups {
			if g.Key != cohort.UnknownGroup {
				rest -= totalOf(g.From)
			}
		}
		return rest
	}},
	"a cohort, its complement, and everybody": {1, func(r *reader) float64 {
		of := func(who []*person) float64 {
			return told(asks(r, cohort.FlowQuery{Instrument: "phq-9"}.Compute, who...).Treated)
		}
		high, low := patients(40)[:15], patients(40)[15:]
		return of(besides(40, victim())) - of(high) - of(low)
	}},
	"three cohorts that overlap in one": {27, func(r *reader) float64 {
		a, b, v := patients(40)[:20], patients(40)[20:], []*person{victim()}
		of := func(who ...[]*person) float64 { return totalOf(asks(r, onPHQ9().Compute, joined(who...)...).From) }
		return (of(a, v) + of(b, v) - of(a, b)) / 2
	}},
	"the rows of a shift table, and the cases of a rate": {1, func(r *reader) float64 {
		all := besides(40, someone(theVictim).dosed(0).before(1, -1, 10).after(1, 1, 9))
		shift := cohort.ShiftQuery{Comparison: onPHQ9().Comparison, Bands: []string{"minimal", "mild", "moderate", "moderately_severe", "severe"}}
		q := onPHQ9()
		q.Rules.Caseness = new(11.0)
		table := asks(r, shift.Compute, all...)
		return told(table.N) - told(asks(r, q.Compute, all...).Outcomes[cohort.Recovery].Of)
	}},
	"the answers about suicidal thoughts, with and without one person": {1, func(r *reader) float64 {
		all := besides(40, victim())
		for i, p := range all {
			for n := range p.Scores["phq-9"] {
				p.Scores["phq-9"][n].Item9 = new(i % 2 * 2)
			}
		}
		all[0].Scores["phq-9"][0].Item9, all[0].Scores["phq-9"][1].Item9 = new(2), new(2)
		of := func(who []*person) float64 {
			return told(asks(r, cohort.Item9Query{From: firstBefore, To: firstAfter}.Compute, who...).Rows[2])
		}
		return of(all) - of(all[1:])
	}},
	"a step of a curve": {14, func(r *reader) float64 {
		responds := someone(theVictim).dosed(0).before(1, -1, 20).later(14, 5)
		for _, step := range asks(r, responseOf("").Compute, besides(40, responds)...).Curve {
			if step.From == step.Days && told(step.Events) == 1 {
				return float64(step.Days)
			}
		}
		panic(errWithheld)
	}},
	"a curve, with and without one person": {1, func(r *reader) float64 {
		all := []*person{someone(theVictim).dosed(0).before(1, -1, 20).after(1, 1, 5)}
		for i := range 40 {
			all = append(all, someone(fmt.Sprint(i)).dosed(0).before(1, -1, 20).after(1, 1, float64(5+i%2*14)))
		}
		return told(asks(r, responseOf("").Compute, all...).Events) - told(asks(r, responseOf("").Compute, all[1:]...).Events)
	}},
	"the bounds of a rate, and the rate": {1, func(r *reader) float64 {
		all := besides(40, someone(theVictim).dosed(0).before(1, -1, 20))
		improved := asks(r, onPHQ9().Compute, all...).Outcomes[cohort.ReliableImprovement]
		return told(improved.N)/told(improved.WorstCase) - told(improved.Of)
	}},
	"the median of two nearly equal cohorts": {13, func(r *reader) float64 {
		var others []*person
		for i := range 40 {
			others = append(others, someone(fmt.Sprint(i)).dosed(0).before(1, -1, float64(10+i%2*10)).after(1, 1, 4))
		}
		all := joined([]*person{someone(theVictim).dosed(0).before(1, -1, 13).after(1, 1, 12)}, others)
		with, without := told(asks(r, onPHQ9().Compute, all...).From.Median), told(asks(r, onPHQ9().Compute, others...).From.Median)
		if with == without {
			panic(errWithheld)
		}
		return with
	}},
	"the effect of a session, with and without one person": {-1, func(r *reader) float64 {
		all := besides(40, victim())
		of := func(who []*person) float64 {
			across := asks(r, cohort.SessionsQuery{Instrument: "phq-9"}.Compute, who...).Sessions[0].Across
			return told(across.N) * told(across.Mean)
		}
		return of(all) - of(all[1:])
	}},
	"what is expected, with and without one person": {1, func(r *reader) float64 {
		all := besides(200, victim())
		of := func(who []*person) float64 {
			n := 0.0
			for _, c := range asks(r, cohort.ExpectedQuery{Instrument: "phq-9"}.Compute, who...).Cells {
				n += told(c.N)
			}
			return n
		}
		return of(all) - of(all[1:])
	}},
	"a quality measure, its period begun a day later": {1, func(r *reader) float64 {
		all := besides(40, someone(theVictim).dosed(0).before(1, -2.5, 20).later(150, 2))
		for i, p := range all[1:] {
			p.later(150, float64(i%2*20))
		}
		of := func(from time.Time) float64 {
			return told(asks(r, cohort.MeasuresQuery{From: from}.Compute, all...).Measures[0].Remission.N)
		}
		return of(daysAfter(-3)) - of(daysAfter(-2))
	}},
	"recovery on two instruments, with and without one person": {1, func(r *reader) float64 {
		all := besides(40, someone(theVictim).dosed(0).before(1, -1, 20).after(1, 1, 3))
		q := cohort.RecoveryQuery{From: firstBefore, To: firstAfter, Measures: []cohort.RecoveryMeasure{{Instrument: "phq-9", Direction: trajectory.LowerIsBetter, Rules: depression()}}}
		return told(asks(r, q.Compute, all...).Recovery.N) - told(asks(r, q.Compute, all[1:]...).Recovery.N)
	}},
	"recovery beside change: who was asked with one instrument alone": {2, func(r *reader) float64 {
		all := patients(24)
		for i, p := range all[2:] {
			p.Scores["gad-7"] = anxious(fmt.Sprint(i), p.Scores["phq-9"])
		}
		q := cohort.RecoveryQuery{From: firstBefore, To: firstAfter, Measures: []cohort.RecoveryMeasure{
			{Instrument: "phq-9", Direction: trajectory.LowerIsBetter, Rules: depression()}, {Instrument: "gad-7", Direction: trajectory.LowerIsBetter, Rules: depression()},
		}}
		return told(asks(r, onPHQ9().Compute, all...).Flow.Paired) - told(asks(r, q.Compute, all...).Flow.Paired)
	}},
	"the cells of a shift table, and a remission": {3, func(r *reader) float64 {
		all := shifted()
		table := asks(r, cohort.ShiftQuery{Comparison: onPHQ9().Comparison, Bands: bands}.Compute, all...)
		remission := asks(r, onPHQ9().Compute, all...).Outcomes[cohort.Remission]
		return told(remission.N) - told(table.Counts[3][0])
	}},
	"any number of cohorts, and linear algebra": {27, func(r *reader) float64 {
		return solved(r, besides(13, victim()))
	}},
}

// solved asks for cohorts at random, goes on whenever one is refused, and looks
// for a combination of the answers that is the first person's score.
func solved(r *reader, all []*person) float64 {
	random := rand.New(rand.NewPCG(8, 8))
	var in, sums []float64
	answers := 0
	for range 60 {
		var who []*person
		weights := make([]float64, len(all))
		for i, p := range all {
			if random.IntN(3) > 0 {
				who, weights[i] = append(who, p), 1
			}
		}
		sum, err := r.works(func(r *reader) float64 { return totalOf(asks(r, onPHQ9().Compute, who...).From) })
		if err == nil {
			in, sums = append(in, weights...), append(sums, sum)
			answers++
		}
	}
	if answers == 0 {
		r.t.Fatal("no cohort was answered: the attack was never made")
	}
	asked := mat.NewDense(answers, len(all), in)
	wanted := mat.NewVecDense(len(all), nil)
	wanted.SetVec(0, 1)
	var svd mat.SVD
	svd.Factorize(asked.T(), mat.SVDThin)
	var factors, left mat.VecDense
	svd.SolveVecTo(&factors, wanted, svd.Rank(1e-9))
	left.MulVec(asked.T(), &factors)
	left.SubVec(&left, wanted)
	if mat.Norm(&left, 2) > 1e-6 {
		panic(errWithheld)
	}
	return math.Round(mat.Dot(&factors, mat.NewVecDense(answers, sums)))
}

func TestNoAttackOnFiguresComesToTheTruthThatItComesToWhereNothingIsHeldBack(t *testing.T) {
	t.Parallel()
	for name, x := range attacks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			open := &reader{t: t, all: true}
			if secret, err := open.works(x.attack); err != nil || secret != x.truth {
				t.Errorf("where nothing is held back the attack comes to %g, %v, want %g: it shows nothing", secret, err, x.truth)
			}
			held := &reader{t: t, ledgers: map[string]*cohort.Ledger{}}
			if secret, err := held.works(x.attack); err == nil {
				t.Errorf("the attack was not stopped: it comes to %g, and the truth is %g", secret, x.truth)
			} else {
				t.Log(err)
			}
		})
	}
}

// What is asked by whoever attacks nobody must be answered.
func TestFiguresOfOneClinicCanBeAskedForBesideEachOther(t *testing.T) {
	t.Parallel()
	r := &reader{t: t, ledgers: map[string]*cohort.Ledger{}}
	all := patients(60)
	for i, p := range all {
		p.Sex = []string{"female", "male"}[i/2%2]
	}
	sex, _ := cohort.KeyOf("sex")
	_, err := r.works(func(r *reader) float64 {
		for range 2 { // today, and again
			asks(r, cohort.FlowQuery{Instrument: "phq-9"}.Compute, all...)
			asks(r, onPHQ9().Compute, all...)
			asks(r, change(firstBefore, days(30, 7)).Compute, all...)
			asks(r, func(cases cohort.Cases) (cohort.GroupedChange, error) { return onPHQ9().ComputeBy(cases, sex) }, all...)
			asks(r, cohort.ShiftQuery{Comparison: onPHQ9().Comparison, Bands: []string{"minimal", "mild", "moderate", "moderately_severe", "severe"}}.Compute, all...)
			asks(r, responseOf("").Compute, all...)
			asks(r, cohort.SessionsQuery{Instrument: "phq-9"}.Compute, all...)
			asks(r, cohort.ExpectedQuery{Instrument: "phq-9"}.Compute, all...)
			asks(r, cohort.MeasuresQuery{}.Compute, all...)
		}
		later := append(slices.Clone(all), patients(120)[60:]...)
		return told(asks(r, onPHQ9().Compute, later...).From.Mean)
	})
	if err != nil {
		t.Error(err)
	}
}

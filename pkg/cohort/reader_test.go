package cohort_test

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/fault"
)

// smallestCell is how many people no answer may tell of.
const smallestCell = 5

// reader may see figures and no people. It remembers all it was told, and so
// does whoever answers it, unless nothing is held back from it.
type reader struct {
	t       *testing.T
	ledgers map[string]*cohort.Ledger
	all     bool // nothing is withheld and nothing refused: the negative control
}

type answer[F any] interface {
	Bases() []cohort.Basis
	Withheld(threshold int) F
}

var errWithheld = errors.New("a number was withheld")

// asks computes a figure of people and gives what the reader is told of it.
func asks[F answer[F]](r *reader, compute func(cohort.Cases) (F, error), who ...*person) F {
	r.t.Helper()
	f := must[F](r.t)(compute(casesOf(who...)))
	if r.all {
		return f
	}
	f = f.Withheld(smallestCell)
	next, err := cohort.Weigh(r.ledgers, ledgerSecret, f.Bases(), smallestCell)
	if err != nil {
		panic(err)
	}
	maps.Copy(r.ledgers, next)
	return f
}

// told is a number that an attack needs.
func told[N int | float64](n *N) float64 {
	if n == nil {
		panic(errWithheld)
	}
	return float64(*n)
}

// works out what an attack comes to; an error where something it needs is held
// back from it.
func (r *reader) works(attack func(*reader) float64) (secret float64, err error) {
	defer func() {
		if held, ok := recover().(error); ok {
			if err = held; !errors.Is(held, errWithheld) && !fault.Is(held, fault.Conflict) {
				panic(held)
			}
		}
	}()
	return math.Round(attack(r)*1e6) / 1e6, nil
}

// patients are so many people with all forms. The scores fall by about half.
func patients(n int) []*person {
	var out []*person
	for i := range n {
		first := float64(14 + i%9)
		out = append(out, someone(fmt.Sprint("patient ", i)).dosed(0).before(1, -1, first).after(1, 1, math.Floor(first*[]float64{0.3, 0.9}[i%2])).later(31, float64(4+i%5)))
	}
	return out
}

// besides are patients and somebody among them.
func besides(n int, victim *person) []*person { return append([]*person{victim}, patients(n)...) }

var theVictim = "the victim"

func victim() *person {
	return someone(theVictim).dosed(0).before(1, -1, 27).after(1, 1, 26).later(31, 25)
}

func days(n, within float64) cohort.TimePoint {
	return cohort.TimePoint{Kind: cohort.AtDays, Days: n, Within: within}
}

func change(from, to cohort.TimePoint) cohort.ChangeQuery {
	q := onPHQ9()
	q.From, q.To = from, to
	return q
}

func totalOf(s cohort.Summary) float64 { return told(s.N) * told(s.Mean) }

// joined are the people of several cohorts.
func joined(groups ...[]*person) []*person { return slices.Concat(groups...) }

var bands = []string{"minimal", "mild", "moderate", "moderately_severe", "severe"}

// anxious are scores on another instrument, at the times of these.
func anxious(name string, like []cohort.Score) []cohort.Score {
	out := slices.Clone(like)
	for i := range out {
		out[i].ID = uuid.NewSHA1(uuid.NameSpaceOID, fmt.Appendf(nil, "%s anxious %d", name, i))
	}
	return out
}

// shifted are pairs of which three, moderate at first, are in remission, and
// eight more who began higher.
func shifted() []*person {
	var out []*person
	for _, g := range []struct {
		n           int
		first, then float64
	}{{7, 7, 2}, {9, 7, 7}, {3, 12, 2}, {9, 12, 7}, {8, 17, 2}, {10, 17, 7}} {
		for range g.n {
			out = append(out, someone(fmt.Sprint("shifted ", len(out))).dosed(0).before(1, -1, g.first).after(1, 1, g.then))
		}
	}
	return out
}

//go:build unix

package cohort_test

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/protrack/protrack/pkg/cohort"
)

// processorTime is what this process has used, whatever else the machine does.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// atRandom is each of so many people with an even chance.
func atRandom(random *rand.Rand, people int) []cohort.Datum {
	var out []cohort.Datum
	for person := range people {
		if random.IntN(2) == 0 {
			out = append(out, datum(person, 1))
		}
	}
	return out
}

// What is weighed by the bound costs about as much in the worst case as in any:
// the answers are of people at random, so that nobody is like another.
func BenchmarkWeighingTheLastAnswers(b *testing.B) {
	for _, groups := range []bool{true, false} {
		b.Run(fmt.Sprint("groups=", groups), func(b *testing.B) {
			for range b.N {
				random, l := rand.New(rand.NewPCG(1, 2)), &cohort.Ledger{}
				slowest := time.Duration(0)
				refused := 0
				for range 40 {
					answer := [][]cohort.Print{cohort.Prints(ledgerSecret, atRandom(random, 1000))}
					began := processorTime(b)
					if _, err := l.Admit(answer, cohort.Limit{Threshold: 5, Groups: groups, Effort: cohort.NewEffort()}); err != nil {
						refused++
					}
					slowest = max(slowest, processorTime(b)-began)
				}
				b.ReportMetric(slowest.Seconds(), "cpu-s/slowest")
				b.ReportMetric(float64(refused), "refused")
			}
		})
	}
}

// A refusal at the end of a ledger's life costs the most: all answers before are
// added up, and then everything is tried that time is left for.
func BenchmarkRefusalOfAFullLedger(b *testing.B) {
	for _, size := range []struct{ people, answers int }{{1600, 248}, {10_600, 96}} {
		for _, groups := range []bool{true, false} {
			b.Run(fmt.Sprintf("%d answers about %d people groups=%t", size.answers, size.people, groups), func(b *testing.B) {
				l, _ := fullLedger(b, size.people, size.answers)
				answer := [][]cohort.Print{cohort.Prints(ledgerSecret, atRandom(rand.New(rand.NewPCG(3, 4)), size.people))}
				slowest := time.Duration(0)
				for b.Loop() {
					began := processorTime(b)
					_, err := l.Admit(answer, cohort.Limit{Threshold: 5, Groups: groups, Effort: cohort.NewEffort()})
					if slowest = max(slowest, processorTime(b)-began); err == nil {
						b.Fatal("the answer is not refused")
					}
				}
				b.ReportMetric(slowest.Seconds(), "cpu-s/slowest")
			})
		}
	}
}

package cohort_test

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/fault"
)

func TestALedgerThatIsAskedTooMuchRefusesRatherThanGuesses(t *testing.T) {
	t.Parallel()
	l := &cohort.Ledger{}
	full := 0
	for i := range 300 {
		// The i-th answer has five new people more than the one before.
		if _, err := admit(l, everybody(0, 5*(i+1)), 5); err != nil {
			full++
		}
	}
	if full != 300-256 {
		t.Errorf("%d answers were refused, want all after the 256th", full)
	}
	if _, err := admit(l, everybody(0, 100), 5); err != nil {
		t.Errorf("an answer that follows from those before: %v", err)
	}
}

// fullLedger holds answers of people at random, of whom no two were in the same,
// and gives the first of them. It is made of its bytes: to ask for them all takes
// hours. The number of answers is a multiple of eight.
func fullLedger(t testing.TB, people, answers int) (l *cohort.Ledger, first []cohort.Datum) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	stored := binary.BigEndian.AppendUint16([]byte{2}, uint16(answers))
	for person := range people {
		mark := cohort.Prints(ledgerSecret, []cohort.Datum{datum(person, 1)})[0]
		stored = append(stored, mark[:]...)
		in := make([]byte, answers/8)
		for i := range in {
			in[i] = byte(random.Uint32())
		}
		if stored = append(stored, in...); in[0]&1 == 1 {
			first = append(first, datum(person, 1))
		}
	}
	l, err := cohort.ReadLedger(stored)
	if err != nil {
		t.Fatal(err)
	}
	return l, first
}

// Whoever asks again waits until all answers before are added up: no more of them
// are given than that takes a moment, and what was given goes on being given.
func TestALedgerThatTakesLongToAddUpTakesNoNewAnswerAndGivesTheOldOnes(t *testing.T) {
	t.Parallel()
	const people = 10_700
	for answers, full := range map[int]bool{88: false, 96: true} {
		l, first := fullLedger(t, people, answers)
		if added, err := admit(l, everybody(people, people+50), 5); full != fault.Is(err, fault.Conflict) || full != (added == 0) {
			t.Errorf("another answer after %d of %d people: %d added, %v", answers, people, added, err)
		}
		if added, err := admit(l, first, 5); added != 0 || err != nil {
			t.Errorf("the first of %d answers again: %d added, %v", answers, added, err)
		}
	}
}

package cohort_test

import (
	"encoding/binary"
	"math/big"
	"math/bits"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/fault"
)

var ledgerSecret = []byte("the secret of this clinic's book")

// datum is the n-th version of what a person answered.
func datum(person, version int) cohort.Datum {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[8:], uint64(person)+1)
	return cohort.Datum{Person: id, ID: id, Version: version}
}

// everybody are the people from one number up to before another.
func everybody(from, to int) []cohort.Datum {
	var out []cohort.Datum
	for person := from; person < to; person++ {
		out = append(out, datum(person, 1))
	}
	return out
}

func without(data []cohort.Datum, people ...int) []cohort.Datum {
	return slices.DeleteFunc(slices.Clone(data), func(d cohort.Datum) bool {
		return slices.ContainsFunc(people, func(p int) bool { return d.Person == datum(p, 1).Person })
	})
}

// admit weighs one answer of sums.
func admit(l *cohort.Ledger, data []cohort.Datum, threshold int) (int, error) {
	return l.Admit([][]cohort.Print{cohort.Prints(ledgerSecret, data)}, cohort.Limit{Threshold: threshold, Effort: cohort.NewEffort()})
}

func TestALedgerRefusesTheAnswerThatTellsOfFew(t *testing.T) {
	t.Parallel()
	all := everybody(0, 60)
	women, men, rest := everybody(0, 30), everybody(30, 59), everybody(59, 60)
	for name, x := range map[string]struct {
		before  [][]cohort.Datum
		next    []cohort.Datum
		refused bool
	}{
		"the first of many people":                    {nil, all, false},
		"the first of few people":                     {nil, everybody(0, 4), true},
		"nobody":                                      {[][]cohort.Datum{all}, nil, false},
		"the same again":                              {[][]cohort.Datum{all}, all, false},
		"all but one":                                 {[][]cohort.Datum{all}, without(all, 7), true},
		"all but four":                                {[][]cohort.Datum{all}, without(all, 7, 8, 9, 10), true},
		"all but five":                                {[][]cohort.Datum{all}, without(all, 7, 8, 9, 10, 11), false},
		"one amended":                                 {[][]cohort.Datum{all}, append(without(all, 7), datum(7, 2)), true},
		"one exchanged for another":                   {[][]cohort.Datum{without(all, 1)}, without(all, 2), true},
		"one amended among six who came":              {[][]cohort.Datum{everybody(0, 54)}, append(without(all, 7), datum(7, 2)), false},
		"a whole after its parts, but one":            {[][]cohort.Datum{women, men}, all, true},
		"a whole after its parts":                     {[][]cohort.Datum{women, men, rest[:0]}, everybody(0, 59), false},
		"what two answers already say":                {[][]cohort.Datum{everybody(0, 59), women}, men, false},
		"a part that leaves one, by way of another":   {[][]cohort.Datum{all, women}, men, true},
		"three rings around one":                      {[][]cohort.Datum{append(everybody(0, 10), rest...), append(everybody(10, 20), rest...)}, everybody(0, 20), true},
		"people who have nothing to do with those":    {[][]cohort.Datum{all}, everybody(100, 105), false},
		"two answers crossed, whose meeting is small": {[][]cohort.Datum{everybody(0, 30)}, everybody(28, 60), false},
		"the meeting, by way of the union":            {[][]cohort.Datum{everybody(0, 30), everybody(28, 60)}, all, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var l cohort.Ledger
			for _, data := range x.before {
				if _, err := admit(&l, data, 5); err != nil {
					t.Fatalf("before: %v", err)
				}
			}
			held := l.Bytes()
			_, err := admit(&l, x.next, 5)
			if refused := fault.Is(err, fault.Conflict); refused != x.refused || err != nil && !refused {
				t.Errorf("refused = %t (%v), want %t", refused, err, x.refused)
			}
			if diff := cmp.Diff(held, l.Bytes()); x.refused && diff != "" {
				t.Errorf("a refused answer was entered (-before +after):\n%s", diff)
			}
		})
	}
}

// ring is an answer and what an attacker knows of it: which data are in it.
type ring = []cohort.Datum

// rank of a matrix, by elimination in fractions: nothing of the ledger's own.
func rank(rows [][]int) int {
	m := make([][]*big.Rat, len(rows))
	for i, r := range rows {
		for _, x := range r {
			m[i] = append(m[i], big.NewRat(int64(x), 1))
		}
	}
	n := 0
	for column := 0; len(m) > 0 && column < len(m[0]); column++ {
		pivot := slices.IndexFunc(m[n:], func(r []*big.Rat) bool { return r[column].Sign() != 0 })
		if pivot < 0 {
			continue
		}
		m[n], m[n+pivot] = m[n+pivot], m[n]
		for i := n + 1; i < len(m); i++ {
			times := new(big.Rat).Quo(m[i][column], m[n][column])
			for j := range m[i] {
				m[i][j] = new(big.Rat).Sub(m[i][j], new(big.Rat).Mul(times, m[n][j]))
			}
		}
		if n++; n == len(m) {
			break
		}
	}
	return n
}

// givesAway reports whether some combination of the answers is about people of the
// set alone. Combinations that are 0 in all other columns are as many as the
// rank falls by when the set's columns go.
func givesAway(rings []ring, people func(uuid.UUID) bool) bool {
	columns := map[cohort.Datum]int{}
	for _, r := range rings {
		for _, d := range r {
			columns[d] = 0
		}
	}
	whole, others := make([][]int, len(rings)), make([][]int, len(rings))
	for d := range columns {
		for i, r := range rings {
			x := 0
			if slices.Contains(r, d) {
				x = 1
			}
			if whole[i] = append(whole[i], x); !people(d.Person) {
				others[i] = append(others[i], x)
			}
		}
	}
	return rank(whole) > rank(others)
}

// tellsOfFew tries all sets of fewer people than the threshold.
func tellsOfFew(rings []ring, people, threshold int) bool {
	var try func(from int, chosen []uuid.UUID) bool
	try = func(from int, chosen []uuid.UUID) bool {
		if len(chosen) == threshold-1 || from == people {
			return givesAway(rings, func(p uuid.UUID) bool { return slices.Contains(chosen, p) })
		}
		return try(from+1, append(slices.Clone(chosen), datum(from, 1).Person)) || try(from+1, chosen)
	}
	return try(0, nil)
}

func TestWhatALedgerAdmitsTellsOfNoFewPeopleAndWhatItRefusesWould(t *testing.T) {
	t.Parallel()
	refused, admitted := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		people := rapid.IntRange(3, 9).Draw(t, "people")
		threshold := rapid.IntRange(2, 4).Draw(t, "threshold")
		l, given := &cohort.Ledger{}, []ring(nil)
		for range rapid.IntRange(1, 6).Draw(t, "questions") {
			var next ring
			for person := range people {
				// Mostly there, so that differences are small; sometimes amended.
				switch v := rapid.IntRange(0, 5).Draw(t, "version"); v {
				case 0, 1:
				case 5:
					next = append(next, datum(person, 2))
				default:
					next = append(next, datum(person, 1))
				}
			}
			_, err := admit(l, next, threshold)
			if err != nil && !fault.Is(err, fault.Conflict) {
				t.Fatal(err)
			}
			tells := tellsOfFew(append(slices.Clone(given), next), people, threshold)
			if tells != (err != nil) {
				t.Fatalf("refused: %v; tells of few: %t\n%v\n%v", err, tells, given, next)
			}
			if err == nil {
				given = append(given, next)
				admitted++
			} else {
				refused++
			}
			if l, err = cohort.ReadLedger(l.Bytes()); err != nil {
				t.Fatal(err)
			}
		}
	})
	if refused < 20 || admitted < 20 {
		t.Errorf("%d refused and %d admitted: too few of either to have shown anything", refused, admitted)
	}
}

func TestAPrintIsKeyed(t *testing.T) {
	t.Parallel()
	one := cohort.Prints(ledgerSecret, everybody(0, 3))
	if diff := cmp.Diff(one, cohort.Prints(ledgerSecret, append(everybody(1, 3), everybody(0, 3)...))); diff != "" {
		t.Errorf("the order and number of data changed their prints (-one +other):\n%s", diff)
	}
	for _, p := range cohort.Prints([]byte("another clinic's secret"), everybody(0, 3)) {
		if slices.Contains(one, p) {
			t.Error("another secret made the same print")
		}
	}
	amended := cohort.Prints(ledgerSecret, []cohort.Datum{datum(0, 1), datum(0, 2)})
	if len(amended) != 2 || [8]byte(amended[0][:8]) != [8]byte(amended[1][:8]) {
		t.Errorf("two versions of one person's datum have prints %x", amended)
	}
}

func TestALedgerThatWasTamperedWithIsNotRead(t *testing.T) {
	t.Parallel()
	var l cohort.Ledger
	if _, err := admit(&l, everybody(0, 9), 5); err != nil {
		t.Fatal(err)
	}
	b := l.Bytes()
	for name, bad := range map[string][]byte{
		"empty": nil, "another form": append([]byte{9}, b[1:]...), "cut": b[:len(b)-1], "more answers than there can be": append([]byte{2, 200, 0}, b[3:]...),
	} {
		if _, err := cohort.ReadLedger(bad); err == nil {
			t.Errorf("%s: it was read", name)
		}
	}
	if read, err := cohort.ReadLedger(b); err != nil || !slices.Equal(read.Bytes(), b) {
		t.Errorf("as it was written: %v", err)
	}
}

// tellsOfAGroup reports whether the answers together tell how many some group of
// few people are: whether its indicator follows from them.
func tellsOfAGroup(rings []ring, people, threshold int) bool {
	rows := make([][]int, len(rings))
	for i, r := range rings {
		rows[i] = make([]int, people)
		for person := range people {
			if slices.Contains(r, datum(person, 1)) {
				rows[i][person] = 1
			}
		}
	}
	known := rank(rows)
	for set := 1; set < 1<<people; set++ {
		if bits.OnesCount(uint(set)) >= threshold {
			continue
		}
		group := make([]int, people)
		for person := range people {
			group[person] = set >> person & 1
		}
		if rank(append(slices.Clone(rows), group)) == known {
			return true
		}
	}
	return false
}

func TestNumbersOfPeopleAreRefusedWhereTheyTellHowManyAFewAre(t *testing.T) {
	t.Parallel()
	refused, admitted := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		people := rapid.IntRange(3, 8).Draw(t, "people")
		threshold := rapid.IntRange(2, 4).Draw(t, "threshold")
		l, given := &cohort.Ledger{}, []ring(nil)
		for range rapid.IntRange(1, 6).Draw(t, "questions") {
			var next ring
			for person := range people {
				if rapid.Bool().Draw(t, "in") {
					next = append(next, datum(person, 1))
				}
			}
			_, err := l.Admit([][]cohort.Print{cohort.Prints(ledgerSecret, next)},
				cohort.Limit{Threshold: threshold, Groups: true, Effort: cohort.NewEffort()})
			if tells := tellsOfAGroup(append(slices.Clone(given), next), people, threshold); tells != (err != nil) {
				t.Fatalf("refused: %v; tells of few: %t\n%v\n%v", err, tells, given, next)
			}
			if err == nil {
				given = append(given, next)
				admitted++
			} else {
				refused++
			}
		}
	})
	if refused < 20 || admitted < 20 {
		t.Errorf("%d refused and %d admitted: too few of either to have shown anything", refused, admitted)
	}
}

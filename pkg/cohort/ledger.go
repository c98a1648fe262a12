package cohort

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/protrack/protrack/pkg/fault"
)

// Print stands for one datum without saying whose it is: the first half is the
// person's, the second that of the person's datum. Without the secret nobody
// can make it, so a stored print tells nothing.
type Print [16]byte

// Prints gives the prints of data, each once.
func Prints(secret []byte, data []Datum) []Print {
	mac := hmac.New(sha256.New, secret)
	sum := func(parts ...[]byte) []byte {
		mac.Reset()
		for _, p := range parts {
			mac.Write(p)
		}
		return mac.Sum(nil)
	}
	out := make([]Print, len(data))
	for i, d := range data {
		copy(out[i][:8], sum([]byte("person"), d.Person[:]))
		version := binary.BigEndian.AppendUint64(nil, uint64(d.Version)) // #nosec G115 -- only told apart
		copy(out[i][8:], sum([]byte("datum"), d.Person[:], d.ID[:], version))
	}
	slices.SortFunc(out, compare)
	return slices.Compact(out)
}

func compare(a, b Print) int { return bytes.Compare(a[:], b[:]) }

// mostAnswers is how many answers of one measure a ledger holds, not counting
// those that follow from others. To weigh one more takes about as long as the
// square of it times the kinds of data (see mostCells).
const mostAnswers = 256

// membership says which answers a datum is in, by their place.
type membership [mostAnswers / 64]uint64

func (a membership) has(i int) bool { return a[i/64]>>(i%64)&1 == 1 }
func (a *membership) add(i int)     { a[i/64] |= 1 << (i % 64) }

// Ledger is what was given away of one measure to those who may see no single
// person: of each datum, which answers it is in. The zero Ledger is empty.
//
// A sum over people is known for each answer. Whoever holds several can add and
// subtract them, as often as they like: what comes out is a sum over other data
// with other weights. No answer is admitted with which any such combination
// would be about fewer people than may be shown. This holds for sums, and so for
// the counts, means, standard deviations and rates that are made of them. It
// knows nothing of what the data are, so a refusal tells nothing but that few
// people make the difference.
type Ledger struct {
	given int
	data  map[Print]membership
}

// Effort is how much more may be computed to weigh answers. All of a request
// share one, so that a refusal costs no more than many answers.
type Effort struct{ steps int }

// NewEffort is that of one request (see mostSteps).
func NewEffort() *Effort { return &Effort{steps: mostSteps} }

// take spends some, and reports whether there was any left.
func (e *Effort) take(steps int) bool {
	e.steps -= steps
	return e.steps > 0
}

// Limit says what must not be told.
type Limit struct {
	Threshold int // people: of fewer nothing is told
	// Groups says that the answers are numbers of people. What can be told is then
	// how many a group are: a combination of weights 0 and 1. What the answers of
	// one request tell beside each other is not looked at: a figure knows more of
	// that, see Withheld.
	Groups bool
	Effort *Effort
}

// ErrTellsOfFew is the refusal of an answer, whatever few people it is about,
// and though it be nobody.
var ErrTellsOfFew = fault.New(fault.Conflict, "This answer, taken together with answers given before, would tell about too few people.")

var errLedgerFull = fault.New(fault.Conflict, "So many answers were given before that none can be added which surely tells about no single person.")

// Admit adds the answers of one request that were computed from these data, and
// gives how many there were to add: an answer that follows from those before is
// no new one. A fault.Conflict means that with them something could be worked
// out about fewer people than the threshold, or that this cannot be excluded
// with reasonable effort; the ledger is then as before.
func (l *Ledger) Admit(answers [][]Print, limit Limit) (added int, err error) {
	answers = distinct(answers)
	if len(answers) > mostAnswers {
		return 0, errLedgerFull
	}
	in := map[Print]membership{}
	for i, data := range answers {
		for _, p := range data {
			at := in[p]
			at.add(i)
			in[p] = at
		}
	}
	ks := l.kinds(in)
	s := ks.given(l.given)
	var taken []int
	for i := range answers {
		switch s.admit(ks.row(func(k *kind) bool { return k.next.has(i) }), limit) {
		case tellsNothingNew:
			continue
		case tellsOfFew:
			return 0, ErrTellsOfFew
		case tooManyToSay:
			return 0, errLedgerFull
		case tellsOfEnough:
		}
		if taken = append(taken, i); l.given+len(taken) > mostAnswers {
			return 0, errLedgerFull
		}
	}
	if n := l.given + len(taken); len(taken) > 0 && n*n*len(ks) > mostCells {
		return 0, errLedgerFull
	}
	l.enter(in, taken)
	return len(taken), nil
}

// distinct leaves out answers of nobody, and those that are there twice.
func distinct(answers [][]Print) [][]Print {
	var out [][]Print
	seen := map[string]bool{}
	for _, data := range answers {
		data = slices.Clone(data)
		slices.SortFunc(data, compare)
		text := make([]byte, 0, len(data)*len(Print{}))
		for _, p := range data {
			text = append(text, p[:]...)
		}
		if len(data) > 0 && !seen[string(text)] {
			seen[string(text)] = true
			out = append(out, data)
		}
	}
	return out
}

// enter adds the answers that were taken, of those that data are in.
func (l *Ledger) enter(in map[Print]membership, taken []int) {
	if l.data == nil {
		l.data = make(map[Print]membership, len(in))
	}
	for p, at := range in {
		a, is := l.data[p], false
		for n, i := range taken {
			if at.has(i) {
				a.add(l.given + n)
				is = true
			}
		}
		if is {
			l.data[p] = a
		}
	}
	l.given += len(taken)
}

// kinds sorts all data by the answers that they are in, the new ones too.
func (l *Ledger) kinds(in map[Print]membership) kinds {
	type place struct{ before, next membership }
	by := map[place]*kind{}
	add := func(at place, p Print) {
		if by[at] == nil {
			by[at] = &kind{before: at.before, next: at.next}
		}
		by[at].people = append(by[at].people, binary.BigEndian.Uint64(p[:8]))
	}
	for p, a := range l.data {
		add(place{a, in[p]}, p)
	}
	for p, next := range in {
		if _, known := l.data[p]; !known {
			add(place{next: next}, p)
		}
	}
	out := slices.Collect(maps.Values(by))
	for _, k := range out {
		slices.Sort(k.people)
		k.people = slices.Compact(k.people)
	}
	slices.SortFunc(out, func(a, b *kind) int { return a.compare(b) })
	return out
}

// The bytes of a ledger: form, number of answers in two bytes, and of each datum its print
// and the bytes of answers that have any.
const ledgerForm = 2

// Bytes gives the ledger as it is stored.
func (l *Ledger) Bytes() []byte {
	width := (l.given + 7) / 8
	out := make([]byte, 0, 3+len(l.data)*(len(Print{})+width))
	out = binary.BigEndian.AppendUint16(append(out, ledgerForm), uint16(l.given)) // #nosec G115 -- at most mostAnswers
	for _, p := range slices.SortedFunc(maps.Keys(l.data), compare) {
		out = append(out, p[:]...)
		a := l.data[p]
		for i := range width {
			out = append(out, byte(a[i/8]>>(i%8*8))) // #nosec G115 -- the byte that is meant
		}
	}
	return out
}

// ReadLedger reads what Bytes wrote. Bytes that no ledger has are an error.
func ReadLedger(b []byte) (*Ledger, error) {
	if len(b) < 3 || b[0] != ledgerForm || binary.BigEndian.Uint16(b[1:]) > mostAnswers {
		return nil, fmt.Errorf("a ledger of figures has %d bytes and an unknown form", len(b))
	}
	l := &Ledger{given: int(binary.BigEndian.Uint16(b[1:]))}
	width := (l.given + 7) / 8
	rest, entry := b[3:], len(Print{})+width
	if len(rest)%entry != 0 {
		return nil, fmt.Errorf("a ledger of figures ends within an entry, after %d bytes", len(b))
	}
	l.data = make(map[Print]membership, len(rest)/entry)
	for each := range slices.Chunk(rest, entry) {
		var a membership
		for i, x := range each[len(Print{}):] {
			a[i/8] |= uint64(x) << (i % 8 * 8)
		}
		l.data[Print(each)] = a
	}
	return l, nil
}

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
// those that follow from others.
const mostAnswers = 128

// membership says which answers of a ledger a datum is in, by their place.
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

var (
	errTellsOfFew = fault.New(fault.Conflict, "This answer, taken together with answers given before, would tell about too few people.")
	errLedgerFull = fault.New(fault.Conflict, "So many answers were given before that none can be added which surely tells about no single person.")
)

// Admit adds an answer that was computed from these data, and reports whether
// there was anything to add: an answer that follows from those before is no new
// one. A fault.Conflict means that with it something could be worked out about
// fewer people than the threshold, or that this cannot be excluded with
// reasonable effort; the ledger is then as before.
func (l *Ledger) Admit(data []Print, threshold int) (added bool, err error) {
	if len(data) == 0 {
		return false, nil
	}
	in := make(map[Print]bool, len(data))
	for _, p := range data {
		in[p] = true
	}
	switch found := l.kinds(in).audit(l.given, threshold); {
	case found == tellsNothingNew:
		return false, nil
	case found == tellsOfFew:
		return false, errTellsOfFew
	case found == tooManyToSay || l.given == mostAnswers:
		return false, errLedgerFull
	}
	if l.data == nil {
		l.data = make(map[Print]membership, len(in))
	}
	for p := range in {
		a := l.data[p]
		a.add(l.given)
		l.data[p] = a
	}
	l.given++
	return true, nil
}

// kinds sorts all data by the answers that they are in, the new one too.
func (l *Ledger) kinds(in map[Print]bool) kinds {
	type place struct {
		membership
		next bool
	}
	by := map[place]*kind{}
	add := func(at place, p Print) {
		if by[at] == nil {
			by[at] = &kind{membership: at.membership, next: at.next}
		}
		by[at].people = append(by[at].people, binary.BigEndian.Uint64(p[:8]))
	}
	for p, a := range l.data {
		add(place{a, in[p]}, p)
	}
	for p := range in {
		if _, known := l.data[p]; !known {
			add(place{next: true}, p)
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

// The bytes of a ledger: form, number of answers, and of each datum its print
// and the bytes of answers that have any.
const ledgerForm = 1

// Bytes gives the ledger as it is stored.
func (l *Ledger) Bytes() []byte {
	width := (l.given + 7) / 8
	out := make([]byte, 0, 2+len(l.data)*(len(Print{})+width))
	out = append(out, ledgerForm, byte(l.given)) // #nosec G115 -- at most mostAnswers
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
	if len(b) < 2 || b[0] != ledgerForm || b[1] > mostAnswers {
		return nil, fmt.Errorf("a ledger of figures has %d bytes and an unknown form", len(b))
	}
	l := &Ledger{given: int(b[1])}
	width := (l.given + 7) / 8
	rest, entry := b[2:], len(Print{})+width
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

package store

import (
	"encoding/binary"
	"errors"
	"math"
	"math/bits"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/research"
)

// packer writes values one after another, without names and in few bytes. Texts
// that repeat are written once; times as what has passed since the one before.
type packer struct {
	b     []byte
	texts []string
	last  int64
}

func (p *packer) uint(n uint64) { p.b = binary.AppendUvarint(p.b, n) }
func (p *packer) int(n int)     { p.b = binary.AppendVarint(p.b, int64(n)) }
func (p *packer) id(id uuid.UUID) {
	p.b = append(p.b, id[:]...)
}

// real writes whole numbers, whose last bits are 0, in two or three bytes.
func (p *packer) real(f float64) { p.uint(bits.Reverse64(math.Float64bits(f))) }

func (p *packer) time(t time.Time) {
	now := t.UnixMicro()
	p.b = binary.AppendVarint(p.b, now-p.last)
	p.last = now
}

func (p *packer) text(s string) {
	for i, known := range p.texts {
		if known == s {
			p.uint(uint64(i))
			return
		}
	}
	p.uint(uint64(len(p.texts)))
	p.texts = append(p.texts, s)
}

// has writes which of the values that may be missing are there.
func (p *packer) has(values ...bool) {
	var set uint64
	for i, there := range values {
		if there {
			set |= 1 << i
		}
	}
	p.uint(set)
}

// finish gives what was written: the format, the texts, and the values.
func (p *packer) finish(format byte) []byte {
	out := append(make([]byte, 0, len(p.b)+128), format)
	out = binary.AppendUvarint(out, uint64(len(p.texts)))
	for _, s := range p.texts {
		out = binary.AppendUvarint(out, uint64(len(s)))
		out = append(out, s...)
	}
	return append(out, p.b...)
}

var errNotPacked = errors.New("a packed row cannot be read")

// unpacker reads what a packer wrote, in the same order. Its err stays once it
// is set, and what is read after that is zero. What it has read may share memory
// with other rows: nobody changes it.
type unpacker struct {
	b      []byte
	texts  []string
	shared map[string]string // texts that all rows share are kept once
	last   int64
	err    error

	layouts [][]research.Answer // of the row
	ints    slab[int]
	reals   slab[float64]
	times   slab[time.Time]
	ids     slab[uuid.UUID]
	words   slab[string]
}

// slab keeps values for which pointers are needed: many are allocated at once.
type slab[T any] struct{ free []T }

func (s *slab[T]) keep(v T) *T {
	if len(s.free) == 0 {
		s.free = make([]T, slabSize)
	}
	p := &s.free[0]
	s.free = s.free[1:]
	*p = v
	return p
}

const slabSize = 128

// open begins a row, which must be of the format.
func (u *unpacker) open(b []byte, format byte) {
	u.b, u.texts, u.last, u.err = b, u.texts[:0], 0, nil
	if len(b) == 0 || b[0] != format {
		u.err = errNotPacked
		return
	}
	u.b = b[1:]
	for range u.uint() {
		u.texts = append(u.texts, u.share(u.bytes(u.uint())))
		if u.err != nil {
			return
		}
	}
}

// share gives a text that is kept once.
func (u *unpacker) share(b []byte) string {
	if known, found := u.shared[string(b)]; found {
		return known
	}
	s := string(b)
	u.shared[s] = s
	return s
}

// more reports whether there is anything left to read.
func (u *unpacker) more() bool { return u.err == nil && len(u.b) > 0 }

func (u *unpacker) fail() { u.err, u.b = errNotPacked, nil }

func (u *unpacker) advance(n int) {
	if n <= 0 {
		u.fail()
		return
	}
	u.b = u.b[n:]
}

func (u *unpacker) uint() uint64 {
	v, n := binary.Uvarint(u.b)
	u.advance(n)
	return v
}

func (u *unpacker) varint() int64 {
	v, n := binary.Varint(u.b)
	u.advance(n)
	return v
}

func (u *unpacker) int() int { return int(u.varint()) }

func (u *unpacker) bytes(n uint64) []byte {
	if n > uint64(len(u.b)) {
		u.fail()
		return nil
	}
	out := u.b[:n]
	u.b = u.b[n:]
	return out
}

func (u *unpacker) id() (id uuid.UUID) {
	copy(id[:], u.bytes(uint64(len(id))))
	return id
}

func (u *unpacker) real() float64 { return math.Float64frombits(bits.Reverse64(u.uint())) }

func (u *unpacker) time() time.Time {
	u.last += u.varint()
	return time.UnixMicro(u.last).UTC()
}

func (u *unpacker) text() string {
	i := u.uint()
	if i >= uint64(len(u.texts)) {
		u.fail()
		return ""
	}
	return u.texts[i]
}

// set is which of the values that may be missing are there.
type set uint64

func (u *unpacker) set() set { return set(u.uint()) }

func (s set) has(i int) bool { return s&(1<<i) != 0 }

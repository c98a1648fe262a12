package audit

import "github.com/google/uuid"

// A suspect is an entry whose hash fits neither its content nor its place. It
// may be altered; it may have been moved; or it is in order, and the one
// before it was moved.
type suspect struct {
	place
	id      uuid.UUID
	content [32]byte
	stored  [32]byte
	first   int64 // number that the id had before; 0: the id is new
}

// suspect keeps a suspect until all have come, as far as there is room.
func (v *Verifier) suspect(s suspect) {
	if len(v.suspects) < mostFaults {
		v.suspects = append(v.suspects, s)
		return
	}
	v.report.FaultCount++
}

// resolve says of each suspect what became of it. With n suspects it tries at
// most n places times n+1 hashes for each.
func (v *Verifier) resolve() {
	for i, s := range v.suspects {
		if v.misled(i) {
			continue
		}
		if s.first == s.seq {
			v.fault(s.seq, s.id, KindInserted, "Entry %s stands under the number %d, which is another's.", s.id, s.seq)
		} else if s.first > 0 {
			v.fault(s.seq, s.id, KindInserted, "Entry %d (%s) stands as entry %d already.", s.seq, s.id, s.first)
		} else if home := v.home(i); home > 0 {
			v.fault(s.seq, s.id, KindReordered, "Entry %d (%s) was written as entry %d.", s.seq, s.id, home)
		} else {
			v.fault(s.seq, s.id, KindAltered, "The hash of entry %d (%s) does not fit its content.", s.seq, s.id)
		}
	}
}

// misled reports whether the suspect is in order, and only followed one that
// stands elsewhere now.
func (v *Verifier) misled(i int) bool {
	s := v.suspects[i]
	for j, other := range v.suspects {
		if i != j && link(v.clinic, place{seq: s.seq, prev: other.stored}, s.content) == s.stored {
			return true
		}
	}
	return false
}

// home finds the number that the suspect's content was sealed with, if that is
// near, or the number of another suspect or of the first entry of a gap; else 0.
func (v *Verifier) home(i int) int64 {
	s := v.suspects[i]
	for shift := int64(1); shift <= mostFaults; shift++ { // together with the one before it
		for _, seq := range []int64{s.seq - shift, s.seq + shift} {
			if link(v.clinic, place{seq: seq, prev: s.prev}, s.content) == s.stored {
				return seq
			}
		}
	}
	for j, other := range v.suspects {
		if i == j {
			continue
		}
		// The content may have been moved with its hash or without it.
		if sum := link(v.clinic, other.place, s.content); sum == s.stored || sum == other.stored {
			return other.seq
		}
		for _, before := range v.suspects {
			sum := link(v.clinic, place{seq: other.seq, prev: before.stored}, s.content)
			if sum == s.stored {
				return other.seq
			}
		}
	}
	for _, g := range v.gaps {
		if link(v.clinic, g.place(), s.content) == s.stored {
			return g.from
		}
	}
	return 0
}

// A gap is a range of numbers that were passed over.
type gap struct {
	from, to int64
	prev     [32]byte // the stored hash before the range
	anchored bool     // prev is known
	after    *suspect // the entry behind the range, which could not be checked
}

func (g gap) place() place { return place{seq: g.from, prev: g.prev} }

// skip notes that the numbers before s did not come.
func (v *Verifier) skip(s Sealed, content *[32]byte) {
	if v.lost(s.Seq - 1) {
		return
	}
	g := gap{from: v.next, to: s.Seq - 1, prev: v.prev, anchored: v.anchored}
	if content != nil {
		g.after = &suspect{place: place{seq: s.Seq}, id: s.ID, content: *content, stored: s.Hash}
	}
	if len(v.gaps) < mostFaults {
		v.gaps = append(v.gaps, g)
	} else {
		v.removed(g)
	}
	v.anchored = false
}

// lost reports whether the numbers up to this one are those of lines that could
// not be read, and counts them as entries; they are faults already.
func (v *Verifier) lost(to int64) bool {
	n := to - v.next + 1
	if n < 1 || n > v.blank {
		return false
	}
	v.report.Entries += n
	v.next += n
	v.anchored = false
	return true
}

func (v *Verifier) removed(g gap) {
	v.fault(g.from, uuid.Nil, KindRemoved, "%s missing.", span(g.from, g.to))
}

// late takes an entry whose number has gone by: it fills a gap, or stands for
// the second time.
func (v *Verifier) late(s Sealed, content *[32]byte) {
	for i, g := range v.gaps {
		if g.from <= s.Seq && s.Seq <= g.to {
			v.fault(s.Seq, s.ID, KindReordered, "Entry %d (%s) comes after entry %d.", s.Seq, s.ID, v.next-1)
			v.fill(i, s, content)
			return
		}
	}
	// Of two with one number, the one that fits is the right one.
	if n := len(v.suspects); n > 0 && content != nil && v.suspects[n-1].seq == s.Seq {
		if first := &v.suspects[n-1]; link(v.clinic, first.place, *content) == s.Hash {
			first.first = s.Seq
			if s.Seq == v.next-1 {
				v.prev, v.computed = s.Hash, s.Hash
			}
			return
		}
	}
	v.fault(s.Seq, s.ID, KindInserted, "Entry %d (%s) stands for the second time, or its number is another's.", s.Seq, s.ID)
}

// fill takes the entry out of the gap, and checks it and the one behind it as
// far as their neighbours are known.
func (v *Verifier) fill(i int, s Sealed, content *[32]byte) {
	g := v.gaps[i]
	left := gap{from: g.from, to: s.Seq - 1, prev: g.prev, anchored: g.anchored}
	right := gap{from: s.Seq + 1, to: g.to, prev: s.Hash, anchored: true, after: g.after}
	var self *suspect
	if content != nil {
		self = &suspect{place: place{seq: s.Seq}, id: s.ID, content: *content, stored: s.Hash}
	}
	left.after = self
	rest := v.gaps[i+1:]
	v.gaps = append(v.gaps[:i:i], open(left, right)...)
	v.gaps = append(v.gaps, rest...)
	if left.empty() && g.anchored {
		v.check(self, g.prev)
	}
	if right.empty() {
		v.check(g.after, s.Hash)
	}
}

func (g gap) empty() bool { return g.from > g.to }

// open gives those of the gaps that are not empty.
func open(gaps ...gap) []gap {
	var left []gap
	for _, g := range gaps {
		if !g.empty() {
			left = append(left, g)
		}
	}
	return left
}

// check checks an entry against the hash before it, now that it is known.
func (v *Verifier) check(s *suspect, prev [32]byte) {
	if s == nil {
		return
	}
	s.prev = prev
	if link(v.clinic, s.place, s.content) != s.stored {
		v.suspect(*s)
	}
}

// recentIDs is how many ids a verifier remembers, about 4 MB. Entries that are
// sealed twice stand near each other; an id is in the hash, so that a copy
// from further away does not fit its place anyway.
const recentIDs = 1 << 16

// recent remembers the ids of the last entries and their numbers.
type recent struct {
	seqs map[uuid.UUID]int64
	ring []uuid.UUID
	at   int
}

// add remembers the id. If it is there already, it gives the first number.
func (r *recent) add(id uuid.UUID, seq int64) (first int64, again bool) {
	if first, again = r.seqs[id]; again {
		return first, true
	}
	if r.seqs == nil {
		r.seqs = map[uuid.UUID]int64{}
	}
	if len(r.ring) < recentIDs {
		r.ring = append(r.ring, id)
	} else {
		delete(r.seqs, r.ring[r.at])
		r.ring[r.at] = id
		r.at = (r.at + 1) % recentIDs
	}
	r.seqs[id] = seq
	return 0, false
}

package cohort

import (
	"cmp"
	"slices"
)

// kind is the data that are in the same answers.
type kind struct {
	before membership // the answers given
	next   membership // those of this request
	people []uint64   // whose data they are, each once
}

// compare puts those of many people first.
func (k *kind) compare(other *kind) int {
	return cmp.Or(cmp.Compare(len(other.people), len(k.people)),
		slices.Compare(k.before[:], other.before[:]), slices.Compare(k.next[:], other.next[:]))
}

// beside counts the people who are not known yet.
func (k *kind) beside(known []uint64) int {
	n := 0
	for _, person := range k.people {
		if !slices.Contains(known, person) {
			n++
		}
	}
	return n
}

// join adds the people to those known.
func (k *kind) join(known []uint64) []uint64 {
	out := slices.Clone(known)
	for _, person := range k.people {
		if !slices.Contains(known, person) {
			out = append(out, person)
		}
	}
	return out
}

type kinds []*kind

// row is an answer, or what is like it, as a row.
func (ks kinds) row(in func(*kind) bool) row {
	out := make(row, len(ks))
	for i, k := range ks {
		if in(k) {
			out[i] = 1
		}
	}
	return out
}

// people counts those whom a combination is about, up to so many.
func (ks kinds) people(r row, enough int) int {
	var known []uint64
	for i, x := range r {
		if x != 0 {
			if known = ks[i].join(known); len(known) >= enough {
				break
			}
		}
	}
	return len(known)
}

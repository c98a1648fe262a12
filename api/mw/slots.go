package mw

import "sync"

// Slots bounds how many things are under way at once: of one key, and in all.
// It is for what takes long and holds a connection of the database meanwhile.
type Slots struct {
	each, all int

	mu    sync.Mutex
	taken map[string]int
	total int
}

// NewSlots are so many slots for each key, and so many for all of them.
func NewSlots(each, all int) *Slots {
	return &Slots{each: each, all: all, taken: map[string]int{}}
}

// Take takes a slot of a key, where there is one. It is free again after done,
// which may be called more than once.
func (s *Slots) Take(key string) (done func(), ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken[key] >= s.each || s.total >= s.all {
		return nil, false
	}
	s.taken[key]++
	s.total++
	return sync.OnceFunc(func() { s.give(key) }), true
}

// give gives a slot back. A key without any is forgotten.
func (s *Slots) give(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total--
	if s.taken[key]--; s.taken[key] == 0 {
		delete(s.taken, key)
	}
}

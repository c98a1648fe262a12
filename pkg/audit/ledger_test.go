package audit_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
)

// memory is a ledger for tests. Its clinics fail or are slow as they are told.
type memory struct {
	mu      sync.Mutex
	order   []uuid.UUID
	books   map[uuid.UUID]*book
	listing error // of Clinics
}

type book struct {
	lock        chan struct{} // full while Seal holds it; a mutex would stop the clock of synctest
	unlocked    bool          // it is not: a ledger that breaks its promise
	unsealed    []audit.Entry
	chain       []audit.Sealed
	head        audit.Head
	checkpoints []string
	signed      []int64

	sealing error         // of Seal
	looking error         // of OldestUnsealed
	storing error         // of PutCheckpoint
	slow    time.Duration // of Seal
	sizes   []int         // of the batches
}

func ledger(clinics ...uuid.UUID) *memory {
	m := &memory{order: clinics, books: map[uuid.UUID]*book{}}
	for _, c := range clinics {
		m.books[c] = &book{head: audit.Head{Clinic: c}, lock: make(chan struct{}, 1)}
	}
	return m
}

// with changes a clinic's book, or looks at it.
func (m *memory) with(clinic uuid.UUID, do func(*book)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	do(m.books[clinic])
}

func (m *memory) write(clinic uuid.UUID, list ...audit.Entry) {
	m.with(clinic, func(b *book) { b.unsealed = append(b.unsealed, list...) })
}

func (m *memory) Clinics(context.Context) ([]uuid.UUID, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.order), m.listing
}

func (m *memory) Seal(ctx context.Context, clinic uuid.UUID, limit int, fn func(audit.Head, []audit.Entry) ([]audit.Sealed, audit.Head)) (int, error) {
	if b := m.books[clinic]; !b.unlocked {
		b.lock <- struct{}{}
		defer func() { <-b.lock }()
	}
	var head audit.Head
	var list []audit.Entry
	var slow time.Duration
	var err error
	m.with(clinic, func(b *book) {
		head, slow, err = b.head, b.slow, b.sealing
		list = slices.Clone(b.unsealed[:min(limit, len(b.unsealed))])
	})
	if slow > 0 {
		select {
		case <-time.After(slow):
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	if err = errors.Join(err, ctx.Err()); err != nil || len(list) == 0 {
		return 0, err
	}
	sealed, head := fn(head, list)
	m.with(clinic, func(b *book) {
		b.unsealed = slices.Delete(b.unsealed, 0, min(len(list), len(b.unsealed)))
		b.chain, b.head = append(b.chain, sealed...), head
		b.sizes = append(b.sizes, len(list))
	})
	return len(list), nil
}

func (m *memory) OldestUnsealed(ctx context.Context, clinic uuid.UUID) (oldest *time.Time, err error) {
	m.with(clinic, func(b *book) {
		for _, e := range b.unsealed {
			if oldest == nil || e.At.Before(*oldest) {
				oldest = &e.At
			}
		}
		err = errors.Join(b.looking, ctx.Err())
	})
	return oldest, err
}

func (m *memory) Head(ctx context.Context, clinic uuid.UUID) (head audit.Head, err error) {
	m.with(clinic, func(b *book) { head = b.head })
	return head, ctx.Err()
}

func (m *memory) PutCheckpoint(ctx context.Context, clinic uuid.UUID, seq int64, _ time.Time, text string) (err error) {
	m.with(clinic, func(b *book) {
		if err = errors.Join(b.storing, ctx.Err()); err == nil && !slices.Contains(b.signed, seq) {
			b.checkpoints, b.signed = append(b.checkpoints, text), append(b.signed, seq)
		}
	})
	return err
}

func (m *memory) LastCheckpoint(ctx context.Context, clinic uuid.UUID) (seq int64, at time.Time, err error) {
	m.with(clinic, func(b *book) {
		if len(b.signed) > 0 {
			seq = slices.Max(b.signed)
		}
	})
	return seq, at, ctx.Err()
}

// elsewhere is the other place where checkpoints are kept.
type elsewhere struct {
	mu    sync.Mutex
	texts []string
	away  error
	slow  time.Duration
}

func (e *elsewhere) set(away error, slow time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.away, e.slow = away, slow
}

func (e *elsewhere) kept() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.texts)
}

func (e *elsewhere) publish(ctx context.Context, text string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.slow > 0 {
		select {
		case <-time.After(e.slow):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if e.away == nil {
		e.texts = append(e.texts, text)
	}
	return e.away
}

package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/note"
)

const (
	// batch is how many entries are sealed in one transaction.
	batch = 500

	// fewer is a batch of a clinic whose last one failed: perhaps it took longer
	// than our patience, and would again.
	fewer = 20

	// patience is how long one clinic may keep the others waiting.
	patience = 5 * time.Second

	// farewell is how long the last pass may take after the end of Run.
	farewell = 5 * time.Second

	defaultEvery           = 500 * time.Millisecond
	defaultCheckpointEvery = time.Minute
)

// Ledger is where entries are kept; pkg/store implements it. Its methods may
// be called at once from several processes.
type Ledger interface {
	// Clinics lists every clinic's id.
	Clinics(ctx context.Context) ([]uuid.UUID, error)

	// Seal hands fn the clinic's head and at most limit entries that are not
	// in the chain, the oldest first, and stores the sealed entries and the
	// head that fn gives, all in one transaction with the head locked against
	// other sealers. n is how many were sealed; fn is not called if there are
	// none. The entries need no Clients. fn may be called again if the
	// transaction is tried again.
	Seal(ctx context.Context, clinic uuid.UUID, limit int, fn func(Head, []Entry) ([]Sealed, Head)) (n int, err error)

	// OldestUnsealed gives the time of the clinic's oldest entry that is not
	// in the chain; nil: there is none.
	OldestUnsealed(ctx context.Context, clinic uuid.UUID) (*time.Time, error)

	// Head gives the end of the clinic's chain; number 0 if it is empty.
	Head(ctx context.Context, clinic uuid.UUID) (Head, error)

	// PutCheckpoint stores a signed checkpoint. One that another process has
	// stored for this number already stays, and that is no error.
	PutCheckpoint(ctx context.Context, clinic uuid.UUID, seq int64, at time.Time, text string) error

	// LastCheckpoint gives the highest number that a checkpoint is stored for,
	// and when it was signed; 0: there is none.
	LastCheckpoint(ctx context.Context, clinic uuid.UUID) (seq int64, at time.Time, err error)
}

// Sealer links committed entries into the chains of all clinics and signs
// their ends. Several may work on one ledger. The zero values of the optional
// fields are replaced by what stands beside them.
type Sealer struct {
	Ledger  Ledger
	Signer  note.Signer                                  // nil: no checkpoints
	Publish func(ctx context.Context, text string) error // keeps a checkpoint elsewhere; nil: nobody does

	Now             func() time.Time // the system's clock
	Log             *slog.Logger     // silence
	Every           time.Duration    // from pass to pass: 500 ms
	CheckpointEvery time.Duration    // from checkpoint to checkpoint: a minute

	mu        sync.Mutex
	passed    bool                    // one pass has ended
	err       error                   // of the last pass
	listed    time.Time               // when the clinics were last known, or first asked for
	sealed    map[uuid.UUID]time.Time // nothing older than this was unsealed, when last seen
	failing   map[chore]bool
	published map[uuid.UUID]int64 // the last number published by this process
}

// A chore is what can fail by itself, and is logged when it begins and ceases
// to. The chores of no clinic in particular have uuid.Nil.
type chore struct {
	clinic uuid.UUID
	what   string
}

// Run seals and signs until ctx ends, and then once more, for what was done
// until then. What fails is logged and tried again at the next turn.
func (s *Sealer) Run(ctx context.Context) {
	var loops sync.WaitGroup
	// Two loops, so that a slow place for checkpoints does not hold up sealing.
	loops.Go(func() { repeat(ctx, orElse(s.Every, defaultEvery), s.Pass) })
	loops.Go(func() { repeat(ctx, orElse(s.CheckpointEvery, defaultCheckpointEvery), s.Checkpoint) })
	loops.Wait()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	_ = s.Pass(last)
	_ = s.Checkpoint(last)
}

// repeat does it at once and then at each turn. It has logged what failed.
func repeat(ctx context.Context, every time.Duration, do func(context.Context) error) {
	turn := time.NewTicker(every)
	defer turn.Stop()
	for ctx.Err() == nil {
		_ = do(ctx)
		select {
		case <-ctx.Done():
		case <-turn.C:
		}
	}
}

// Pass seals all there is in all clinics, a batch of each in turn, so that a
// busy clinic does not keep the others waiting. One that fails is left, and
// the others go on; the error joins all.
func (s *Sealer) Pass(ctx context.Context) error {
	err := s.pass(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.passed, s.err = true, err
	return err
}

func (s *Sealer) pass(ctx context.Context) error {
	clinics, err := s.clinics(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for len(clinics) > 0 {
		var more []uuid.UUID
		for _, clinic := range clinics {
			full, err := s.seal(ctx, clinic)
			if s.noted(ctx, chore{clinic, "seal"}, err) != nil {
				errs = append(errs, fmt.Errorf("seal the audit entries of clinic %s: %w", clinic, err))
			} else if full {
				more = append(more, clinic)
			}
		}
		clinics = more
	}
	return errors.Join(errs...)
}

// seal seals one batch of the clinic and says whether there may be more.
func (s *Sealer) seal(ctx context.Context, clinic uuid.UUID) (full bool, err error) {
	limit := s.limit(clinic)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	looked := s.now()
	oldest, err := s.Ledger.OldestUnsealed(ctx, clinic)
	if err != nil {
		return false, err
	}
	if oldest == nil {
		s.sealedUntil(clinic, looked)
		return false, nil
	}
	s.sealedUntil(clinic, *oldest)
	n, err := s.Ledger.Seal(ctx, clinic, limit, func(head Head, entries []Entry) ([]Sealed, Head) {
		return head.Link(entries, s.now())
	})
	if err == nil && n < limit {
		s.sealedUntil(clinic, looked)
	}
	return err == nil && n == limit, err
}

func (s *Sealer) limit(clinic uuid.UUID) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failing[chore{clinic, "seal"}] {
		return fewer
	}
	return batch
}

// clinics lists the clinics, and forgets those that are no more.
func (s *Sealer) clinics(ctx context.Context) ([]uuid.UUID, error) {
	looked := s.now()
	clinics, err := s.Ledger.Clinics(ctx)
	if s.noted(ctx, chore{uuid.Nil, "list clinics"}, err) != nil {
		err = fmt.Errorf("list the clinics: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		if s.listed.IsZero() {
			s.listed = looked
		}
		return nil, err
	}
	s.listed = looked
	known := make(map[uuid.UUID]time.Time, len(clinics))
	for _, clinic := range clinics {
		known[clinic] = looked
		if since, ok := s.sealed[clinic]; ok {
			known[clinic] = since
		}
	}
	s.sealed = known
	return clinics, nil
}

func (s *Sealer) sealedUntil(clinic uuid.UUID, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sealed[clinic] = at
}

// Health gives the age of the oldest entry that may not be in a chain yet, by
// what was last seen: it grows with the time since a clinic was last sealed.
// The error is that of the last pass.
func (s *Sealer) Health() (lag time.Duration, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listed.IsZero() {
		return 0, errors.New("the audit sealer has not begun")
	}
	oldest := s.listed
	for _, at := range s.sealed {
		if at.Before(oldest) {
			oldest = at
		}
	}
	if !s.passed {
		err = errors.New("the audit sealer has not ended its first pass")
	}
	return max(0, s.now().Sub(oldest)), errors.Join(err, s.err)
}

// noted logs when a chore begins to fail and when it no longer does, and gives
// the error back. A turn that was broken off says nothing about the chore.
func (s *Sealer) noted(ctx context.Context, c chore, err error) error {
	if ctx.Err() != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	failed := s.failing[c]
	if failed == (err != nil) {
		return err
	}
	log := s.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if err != nil {
		if s.failing == nil {
			s.failing = map[chore]bool{}
		}
		s.failing[c] = true
		log.ErrorContext(ctx, "audit sealer failed", "chore", c.what, "clinic", c.clinic, "error", err)
		return err
	}
	delete(s.failing, c)
	log.InfoContext(ctx, "audit sealer works again", "chore", c.what, "clinic", c.clinic)
	return nil
}

func (s *Sealer) now() time.Time {
	now := s.Now
	if now == nil {
		now = time.Now //nolint:forbidigo // the default of the injected clock
	}
	return now().UTC().Truncate(time.Microsecond)
}

func orElse(d, otherwise time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return otherwise
}

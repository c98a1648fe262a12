package care

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Escalator has the alerts of all clinics told on, as long as it runs. Several
// may run at once, in one process or in many.
type Escalator struct {
	Care    *Service
	Clinics func(context.Context) ([]uuid.UUID, error)
	Log     *slog.Logger
	Every   time.Duration // from look to look; 0: two seconds

	mu     sync.Mutex
	looked time.Time  // when all clinics were looked through, or Run began
	due    *time.Time // since when a tier was to be told then that was not; nil: none was
	failed bool
}

// Run escalates until ctx ends.
func (e *Escalator) Run(ctx context.Context) {
	every := e.Every
	if every == 0 {
		every = 2 * time.Second
	}
	e.saw(e.Care.Now(), nil)
	look := time.NewTicker(every)
	defer look.Stop()
	for {
		err := e.Pass(ctx)
		if failed := err != nil && ctx.Err() == nil; failed != e.failed {
			e.failed = failed
			if failed { // once, and not every two seconds
				e.Log.ErrorContext(ctx, "alerts are not told on", "error", err.Error())
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
	}
}

// Pass tells on what is due. A clinic that fails keeps no other waiting.
func (e *Escalator) Pass(ctx context.Context) error {
	clinics, err := e.Clinics(ctx)
	if err != nil {
		return err
	}
	var errs []error
	var due *time.Time
	for _, clinic := range clinics {
		for n := 1; err == nil && n > 0; { // after a silence several tiers are due at once
			n, err = e.Care.Escalate(ctx, clinic)
		}
		var first *time.Time
		if err == nil {
			first, err = e.Care.unescalated(ctx, clinic)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("alerts of clinic %s: %w", clinic, err))
			err = nil
		}
		if first != nil && (due == nil || first.Before(*due)) {
			due = first
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err // the last look grows older, which shows
	}
	e.saw(e.Care.Now(), due)
	return nil
}

func (e *Escalator) saw(at time.Time, due *time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.looked, e.due = at, due
}

// Overdue says for how long a tier was to be told, or nobody has looked whether
// one is; a few seconds are none.
func (e *Escalator) Overdue() time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	since := e.looked
	if since.IsZero() {
		return 0 // it does not run yet
	}
	if e.due != nil && e.due.Before(since) {
		since = *e.due
	}
	if lag := e.Care.Now().Sub(since); lag > 10*time.Second {
		return lag
	}
	return 0
}

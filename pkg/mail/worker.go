package mail

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/google/uuid"
)

const (
	leaseTime  = 3 * time.Minute // well above what takenAtOnce letters take, for clocks that differ
	atOnce     = 6               // letters under way, of one clinic
	everyTurn  = time.Second
	stuckAfter = 5 * time.Minute
)

// errNoServer is the code of a letter that no server is there for.
const errNoServer = "no_server"

// Post sends a letter.
type Post interface {
	Send(ctx context.Context, l Letter) Result
}

// Worker sends the messages of all clinics. Several may work on one outbox.
type Worker struct {
	Outbox Outbox
	Post   Post // nil: no mail server is configured
	Now    func() time.Time
	NewID  func() uuid.UUID
	Log    *slog.Logger

	mu     sync.Mutex
	begun  time.Time
	looked time.Time
	since  *time.Time // when the oldest was due that nobody has in hand
	queued int
}

// Run sends until ctx ends. A letter under way is stopped then, and sent again
// by whoever comes next: at least once.
func (w *Worker) Run(ctx context.Context) {
	w.mu.Lock()
	w.begun = w.Now()
	w.mu.Unlock()
	turn := time.NewTicker(everyTurn)
	defer turn.Stop()
	failing := false
	for ctx.Err() == nil {
		err := w.Pass(ctx)
		if err != nil && !failing && ctx.Err() == nil {
			w.Log.ErrorContext(ctx, "messages do not move", "error", err.Error())
		}
		failing = err != nil
		select {
		case <-ctx.Done():
		case <-turn.C:
		}
	}
}

// Pass sends everything that is due, and waits for it. A clinic that fails
// keeps no other waiting.
func (w *Worker) Pass(ctx context.Context) error {
	clinics, err := w.Outbox.Clinics(ctx)
	if err != nil {
		return err
	}
	var errs []error
	var oldest *time.Time
	waiting := 0
	for _, clinic := range clinics {
		for {
			n, err := w.batch(ctx, clinic)
			if err != nil {
				errs = append(errs, fmt.Errorf("messages of clinic %s: %w", clinic, err))
			}
			if err != nil || n == 0 || ctx.Err() != nil {
				break
			}
		}
		since, queued, err := w.Outbox.OverdueMessages(ctx, clinic, w.Now())
		errs = append(errs, err)
		if waiting += queued; since != nil && (oldest == nil || since.Before(*oldest)) {
			oldest = since
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err // the last look grows older, which shows
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.looked, w.since, w.queued = w.Now(), oldest, waiting
	return nil
}

// batch takes what is due in a clinic, and deals with it.
func (w *Worker) batch(ctx context.Context, clinic uuid.UUID) (int, error) {
	now := w.Now()
	lease := now.Add(leaseTime)
	taken, err := w.Outbox.TakeMessages(ctx, clinic, now, lease, atOnce)
	if err != nil {
		return 0, err
	}
	errs := make([]error, len(taken))
	var running sync.WaitGroup
	for i, t := range taken {
		running.Go(func() { errs[i] = w.deal(ctx, clinic, t, lease) })
	}
	running.Wait()
	return len(taken), errors.Join(errs...)
}

// deal decides on one message, sends it, and stores what became of it. If that
// cannot be stored, the lease ends and it is sent again, with the same id.
func (w *Worker) deal(ctx context.Context, clinic uuid.UUID, t Taken, lease time.Time) error {
	now := w.Now()
	if now.Add(sendTime).After(lease) {
		return nil // this process slept on it: somebody else may have it by now
	}
	storing := context.WithoutCancel(ctx)
	what, c := decide(t, now)
	switch what {
	case handOver:
		_, err := w.Outbox.HandOver(storing, clinic, t.Message, now, w.NewID())
		return err
	case sendIt:
		result := w.send(ctx, t)
		c = conclude(t.Message, result, w.Now(), rand.Float64()) //nolint:gosec // jitter needs no secrecy
	case concludeIt:
	}
	_, err := w.Outbox.ConcludeMessage(storing, clinic, t.Message, c)
	return err
}

func (w *Worker) send(ctx context.Context, t Taken) Result {
	if w.Post == nil {
		return Result{Error: errNoServer}
	}
	subject, text, err := Compose(t.Kind, t.Language, Words{Clinic: t.Clinic, Link: t.Link})
	if err != nil {
		return Result{Error: failedMalformed, Permanent: true}
	}
	return w.Post.Send(ctx, Letter{ID: t.ID, To: t.To, Subject: subject, Text: text})
}

// Waiting says how many messages are queued.
func (w *Worker) Waiting() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.queued
}

// Stuck says for how long a message could have been sent that nobody sends, or
// nobody has looked, once that is too long; 0: all is well.
func (w *Worker) Stuck() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	since := w.looked
	if since.IsZero() {
		since = w.begun
	}
	if since.IsZero() {
		return 0 // it has not begun
	}
	if w.since != nil && w.since.Before(since) {
		since = *w.since
	}
	if lag := w.Now().Sub(since); lag > stuckAfter {
		return lag
	}
	return 0
}

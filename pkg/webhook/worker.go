package webhook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
)

// Taken is a delivery that this process sends, until the lease ends.
type Taken struct {
	Delivery
	To Webhook
}

// Conclusion is what is stored of an attempt.
type Conclusion struct {
	At     time.Time
	State  State
	Result Result
	Due    time.Time // of the next attempt, where the delivery is pending
	Spent  bool      // it counts as an attempt
}

// Disabling is what is stored with a webhook that the program disables.
type Disabling struct {
	At     time.Time
	Reason Reason
	Entry  audit.Entry
	Event  Event
}

// Backlog is what waits in a clinic.
type Backlog struct {
	Pending int        // deliveries to webhooks that are not disabled
	Oldest  *time.Time // when the oldest of them was made; nil: there is none
	// Overdue is since when the oldest could have been sent, or made of its
	// event, that nobody has in hand; nil: there is none.
	Overdue *time.Time
}

// Outbox keeps deliveries; pkg/store implements it. Its methods may be called
// at once from several processes.
type Outbox interface {
	// Clinics lists every clinic's id.
	Clinics(ctx context.Context) ([]uuid.UUID, error)
	// Relay makes deliveries of the events behind each webhook's cursor, at most
	// limit of them for each, and says how many events it went through.
	Relay(ctx context.Context, clinic uuid.UUID, now time.Time, limit int, newID func() uuid.UUID) (int, error)
	// Take gives at most limit deliveries that are due, none of a client of whom
	// an earlier one to the same webhook is pending, and none to the webhooks in
	// except. They are due again when the lease ends.
	Take(ctx context.Context, clinic uuid.UUID, now, lease time.Time, limit int, except []uuid.UUID) ([]Taken, error)
	// Conclude stores what became of a delivery that was taken; false, and
	// nothing stored, where it was taken again since.
	Conclude(ctx context.Context, clinic uuid.UUID, d Delivery, c Conclusion) (bool, error)
	// Disable disables a webhook; one that is disabled already stays as it is.
	Disable(ctx context.Context, clinic, webhook uuid.UUID, by Disabling) error
	// Backlog says what waits.
	Backlog(ctx context.Context, clinic uuid.UUID, now time.Time) (Backlog, error)
}

const (
	relayed      = 500             // events that are gone through at once
	leaseTime    = time.Minute     // well above sendTime, for clocks that differ
	defaultSends = 16              // under way at once
	ofOneWebhook = 6               // of these, so that one that hangs leaves room
	farewell     = 3 * time.Second // that sends under way have when Run is to end
	watched      = 5 * time.Second // from look to look at the backlog
	stuckAfter   = 2 * time.Minute // that something is overdue: this is no receiver's fault
	defaultEvery = 500 * time.Millisecond
)

// Worker sends what happens to the webhooks of all clinics. Several may work on
// one outbox, in one process or in many. The zero values of the optional fields
// are replaced by what stands beside them.
type Worker struct {
	Outbox Outbox
	Sender *Sender
	Now    func() time.Time
	NewID  func() uuid.UUID
	Log    *slog.Logger
	Every  time.Duration // from turn to turn where nothing is to do: half a second
	Sends  int           // under way at once: 16

	mu       sync.Mutex
	underWay map[uuid.UUID]int // sends by webhook
	total    int
	first    int // whose turn it is among the clinics
	running  sync.WaitGroup
	freed    chan struct{}

	begun    time.Time // of Run
	looked   time.Time // when the backlog was looked at
	backlog  Backlog
	lastFail string
}

// Run sends until ctx ends. What is under way then has a short while.
func (w *Worker) Run(ctx context.Context) {
	sends, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	every := w.Every
	if every == 0 {
		every = defaultEvery
	}
	w.mu.Lock()
	w.begun = w.Now()
	w.mu.Unlock()
	turn := time.NewTicker(every)
	defer turn.Stop()
	for ctx.Err() == nil {
		n, err := w.turn(ctx, sends)
		w.noted(ctx, err)
		w.watch(ctx)
		if n > 0 {
			continue
		}
		select {
		case <-ctx.Done():
		case <-turn.C:
		case <-w.room():
		}
	}
	stop := time.AfterFunc(farewell, cancel)
	defer stop.Stop()
	w.running.Wait()
}

// Pass sends everything that is due, and waits for it.
func (w *Worker) Pass(ctx context.Context) error {
	for {
		n, err := w.turn(ctx, ctx)
		w.running.Wait()
		if err != nil || n == 0 {
			return err
		}
	}
}

// noted logs what goes wrong when it begins to.
func (w *Worker) noted(ctx context.Context, err error) {
	text := ""
	if err != nil && ctx.Err() == nil {
		text = err.Error()
	}
	if text != "" && w.lastFail == "" {
		w.Log.ErrorContext(ctx, "the outbox does not move", "error", text)
	}
	w.lastFail = text
}

// room is told when a send has ended.
func (w *Worker) room() chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.freed == nil {
		w.freed = make(chan struct{}, 1)
	}
	return w.freed
}

// turn makes deliveries, and begins to send as many as there is room for. It
// says how much there was to do. A clinic that fails keeps no other waiting.
func (w *Worker) turn(ctx, sends context.Context) (n int, err error) {
	clinics, err := w.Outbox.Clinics(ctx)
	if err != nil {
		return 0, err
	}
	if len(clinics) > 0 { // each comes first in turn
		w.first = (w.first + 1) % len(clinics)
		clinics = append(slices.Clone(clinics[w.first:]), clinics[:w.first]...)
	}
	var errs []error
	for _, clinic := range clinics {
		made, err := w.Outbox.Relay(ctx, clinic, w.Now(), relayed, w.NewID)
		if err == nil {
			n += made
			made, err = w.begin(ctx, sends, clinic)
			n += made
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("outbox of clinic %s: %w", clinic, err))
		}
	}
	return n, errors.Join(errs...)
}

// begin takes what is due in a clinic and begins to send it.
func (w *Worker) begin(ctx, sends context.Context, clinic uuid.UUID) (int, error) {
	room, full := w.free()
	if room == 0 {
		return 0, nil
	}
	now := w.Now()
	lease := now.Add(leaseTime)
	taken, err := w.Outbox.Take(ctx, clinic, now, lease, min(room, ofOneWebhook), full)
	if err != nil {
		return 0, err
	}
	for _, d := range taken {
		w.occupy(d.To.ID, 1)
		w.running.Go(func() {
			defer w.occupy(d.To.ID, -1)
			w.send(sends, clinic, d, lease)
		})
	}
	return len(taken), nil
}

// free says how many more sends there is room for, and to which webhooks there
// is none.
func (w *Worker) free() (room int, full []uuid.UUID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	most := w.Sends
	if most == 0 {
		most = defaultSends
	}
	for id, n := range w.underWay {
		if n >= ofOneWebhook {
			full = append(full, id)
		}
	}
	return max(0, most-w.total), full
}

func (w *Worker) occupy(webhook uuid.UUID, n int) {
	freed := w.room()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.underWay == nil {
		w.underWay = map[uuid.UUID]int{}
	}
	w.total += n
	if w.underWay[webhook] += n; w.underWay[webhook] == 0 {
		delete(w.underWay, webhook)
	}
	if n < 0 {
		select {
		case freed <- struct{}{}:
		default: // it is told already
		}
	}
}

// send makes one attempt and stores what became of it. If that cannot be
// stored, the lease ends and the attempt is made again: at least once.
func (w *Worker) send(ctx context.Context, clinic uuid.UUID, d Taken, lease time.Time) {
	now := w.Now()
	if now.Add(sendTime).After(lease) || ctx.Err() != nil {
		return // this process slept on it: somebody else may have it by now
	}
	m := Message{ID: d.Event.ID.String(), At: now, Body: d.Event.body(false), Secrets: d.To.secrets(now)}
	result := w.Sender.Send(ctx, d.To.URL, m, now, sendTime)
	now = w.Now()
	c := conclude(d, result, now, rand.Float64()) //nolint:gosec // jitter needs no secrecy
	storing := context.WithoutCancel(ctx)
	if _, err := w.Outbox.Conclude(storing, clinic, d.Delivery, c); err != nil {
		w.Log.WarnContext(ctx, "what became of a delivery was not stored", "delivery", d.ID.String(), "error", err.Error())
		return
	}
	failing := result.Error != "" && d.To.FailingSince != nil && now.Sub(*d.To.FailingSince) >= failingLimit
	switch {
	case result.Status == 410:
		w.disable(storing, clinic, d.To.ID, WasGone)
	case failing:
		w.disable(storing, clinic, d.To.ID, Failing)
	}
}

// conclude decides what follows from an attempt.
func conclude(d Taken, result Result, now time.Time, jitter float64) Conclusion {
	c := Conclusion{At: stamp(now), Result: result, State: Delivered, Spent: true}
	switch result.Error {
	case "":
		return c
	case failedStopped:
		c.State, c.Due, c.Spent = Pending, c.At, false
		return c
	}
	wait, more := next(d.Attempts+1, result.RetryAfter, jitter)
	if c.State = Dead; more {
		c.State, c.Due = Pending, stamp(now.Add(wait))
	}
	return c
}

// disable ends a webhook that does not answer, until somebody enables it.
func (w *Worker) disable(ctx context.Context, clinic, id uuid.UUID, why Reason) {
	now := stamp(w.Now())
	entry := auth.System(clinic).Did("webhook.disable", "webhook", id)
	entry.ID, entry.At, entry.Details.Reason = w.NewID(), now, string(why)
	err := w.Outbox.Disable(ctx, clinic, id, Disabling{At: now, Reason: why, Entry: entry, Event: Event{
		ID: w.NewID(), Type: disabledEvent, At: now, Data: map[string]string{"webhook_id": id.String(), "reason": string(why)},
	}})
	if err != nil {
		w.Log.WarnContext(ctx, "a webhook that does not answer was not disabled", "webhook", id.String(), "error", err.Error())
	}
}

// watch looks at the backlog now and then.
func (w *Worker) watch(ctx context.Context) {
	w.mu.Lock()
	now, last := w.Now(), w.looked
	w.mu.Unlock()
	if now.Sub(last) < watched && now.After(last) {
		return
	}
	clinics, err := w.Outbox.Clinics(ctx)
	var all Backlog
	for _, clinic := range clinics {
		b, e := w.Outbox.Backlog(ctx, clinic, now)
		err = errors.Join(err, e)
		all.Pending += b.Pending
		all.Oldest, all.Overdue = earlier(all.Oldest, b.Oldest), earlier(all.Overdue, b.Overdue)
	}
	if err != nil {
		return // the last look grows older, which shows
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.looked, w.backlog = now, all
}

func earlier(a, b *time.Time) *time.Time {
	if a == nil || b != nil && b.Before(*a) {
		return b
	}
	return a
}

// Waiting says how many deliveries wait, and how old the oldest is.
func (w *Worker) Waiting() (pending int, oldest time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.backlog.Oldest != nil {
		oldest = max(0, w.Now().Sub(*w.backlog.Oldest))
	}
	return w.backlog.Pending, oldest
}

// Stuck says for how long something could have been sent that nobody sends, or
// nobody has looked, once that is too long; 0: all is well. That a receiver does
// not answer is not meant.
func (w *Worker) Stuck() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	now, since := w.Now(), w.looked
	if since.IsZero() {
		since = w.begun
	}
	if since.IsZero() {
		return 0 // it has not begun
	}
	if w.backlog.Overdue != nil && w.backlog.Overdue.Before(since) {
		since = *w.backlog.Overdue
	}
	if lag := now.Sub(since); lag > stuckAfter {
		return lag
	}
	return 0
}

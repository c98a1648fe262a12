//go:build unix

package webhook_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/store/storetest"
	"github.com/protrack/protrack/pkg/webhook"
)

// clinic is a clinic with webhooks.
type clinic struct {
	*storetest.Clinic
	hooks *webhook.Service
	t     *testing.T
}

// each runs a test on a new clinic in each database.
func each(t *testing.T, test func(t *testing.T, c clinic)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, d *storetest.Database) {
		c := clinic{Clinic: d.Clinic(t), t: t}
		c.hooks = &webhook.Service{
			Store: d.DB.DB, Sender: webhook.NewSender(here), Types: []string{"client.recorded", "assessment.recorded", "webhook.disabled"},
			Now: c.Clock.Now, NewID: storetest.NewID, Log: slog.New(slog.DiscardHandler),
		}
		test(t, c)
	})
}

// worker sends for the clinic's database.
func (c clinic) worker() *webhook.Worker {
	return &webhook.Worker{Outbox: c.DB.DB, Sender: webhook.NewSender(here), Now: c.Clock.Now, NewID: storetest.NewID, Log: slog.New(slog.DiscardHandler)}
}

// hook makes a webhook.
func (c clinic) hook(url string, types ...string) (webhook.Webhook, webhook.Secret) {
	c.t.Helper()
	w, secret, _, err := c.hooks.Create(c.t.Context(), c.Who, webhook.Webhook{URL: webhook.URL(url), Types: types})
	if err != nil {
		c.t.Fatal(err)
	}
	return w, secret
}

// client records a client, which is an event.
func (c clinic) client() uuid.UUID {
	c.t.Helper()
	out, _, err := c.Care.CreateClient(c.t.Context(), c.Who, care.Client{Reference: care.Private(uuid.NewString())})
	if err != nil {
		c.t.Fatal(err)
	}
	return out.ID
}

func (c clinic) pass(w *webhook.Worker) {
	c.t.Helper()
	if err := w.Pass(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
}

// states are the deliveries of a webhook, the oldest first, as "state/attempts".
func (c clinic) states(id uuid.UUID) (out []string) {
	c.t.Helper()
	all, err := c.hooks.Deliveries(c.t.Context(), c.Who, id, "", 0, 10_000)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, d := range all {
		out = append(out, fmt.Sprintf("%s/%d", d.State, d.Attempts))
	}
	slices.Reverse(out)
	return out
}

// inbox is a receiver that keeps what it takes.
type inbox struct {
	mu     sync.Mutex
	status func(client string) int
	bodies []map[string]any
	ids    []string
	tries  int
	heads  []http.Header
	raw    [][]byte
}

func (in *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	var body map[string]any
	_ = json.Unmarshal(raw, &body)
	in.mu.Lock()
	defer in.mu.Unlock()
	in.tries++
	client, _ := body["data"].(map[string]any)["client_id"].(string)
	status := 204
	if in.status != nil {
		status = in.status(client)
	}
	if status < 300 {
		in.bodies, in.ids, in.heads, in.raw = append(in.bodies, body), append(in.ids, r.Header.Get("webhook-id")), append(in.heads, r.Header), append(in.raw, raw)
	}
	w.WriteHeader(status)
}

func (in *inbox) set(status func(client string) int) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.status = status
}

func always(status int) func(string) int { return func(string) int { return status } }

func TestWhatHappensIsSentSignedAndWithoutAPrivateWord(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		in := &inbox{}
		before := c.client()
		w, secret := c.hook(receiver(t, in.ServeHTTP), "client.recorded")
		client := c.client()
		c.Clock.Set(time.Now())
		c.pass(c.worker())
		if len(in.bodies) != 1 {
			t.Fatalf("%d messages came; that of %v is of before the webhook", len(in.bodies), before)
		}
		want := map[string]any{"type": "client.recorded", "timestamp": in.bodies[0]["timestamp"], "data": map[string]any{"client_id": client.String()}}
		if d := cmp.Diff(want, in.bodies[0]); d != "" {
			t.Errorf("what came (-want +got):\n%s", d)
		}
		verifier, err := standardwebhooks.NewWebhook(string(secret))
		if err == nil {
			err = verifier.Verify(in.raw[0], in.heads[0])
		}
		if err != nil {
			t.Error(err)
		}
		if d := cmp.Diff([]string{"delivered/1"}, c.states(w.ID)); d != "" {
			t.Error(d)
		}
		_, again, err := c.hooks.Rotate(t.Context(), c.Who, w.ID)
		if err != nil {
			t.Fatal(err)
		}
		c.client()
		c.pass(c.worker())
		for _, s := range []webhook.Secret{secret, again} {
			if verifier, _ := standardwebhooks.NewWebhook(string(s)); verifier.Verify(in.raw[1], in.heads[1]) != nil {
				t.Error("after the rotation one of the two secrets does not verify")
			}
		}
		c.Clock.Set(time.Now().Add(25 * time.Hour))
		c.client()
		c.pass(c.worker())
		old, _ := standardwebhooks.NewWebhook(string(secret))
		if old.VerifyIgnoringTimestamp(in.raw[2], in.heads[2]) == nil {
			t.Error("a day after the rotation the old secret still signs")
		}
	})
}

// TestAReceiverThatIsDownIsTriedForThreeDays walks the whole schedule.
func TestAReceiverThatIsDownIsTriedForThreeDays(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		in := &inbox{status: always(500)}
		w, _ := c.hook(receiver(t, in.ServeHTTP))
		worker, now := c.worker(), time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
		first := c.client()
		if _, err := c.Care.UpdateClient(t.Context(), c.Who, care.Client{ID: first, Reference: "again"}, 1); err != nil {
			t.Fatal(err)
		}
		c.pass(worker)
		for i, wait := range []time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour} {
			if in.tries != i+1 {
				t.Fatalf("%d attempts where there are to be %d", in.tries, i+1)
			}
			c.Clock.Set(now.Add(wait - time.Second))
			if c.pass(worker); in.tries != i+1 {
				t.Fatalf("it was tried before %v", wait)
			}
			if d := cmp.Diff([]string{fmt.Sprintf("pending/%d", i+1), "pending/0"}, c.states(w.ID)); d != "" {
				t.Fatalf("after attempt %d:\n%s", i+1, d)
			}
			now = now.Add(wait + wait/10 + time.Second)
			c.Clock.Set(now)
			c.pass(worker)
		}
		// The last attempt failed: it is dead, and the next of the client had its turn.
		if d := cmp.Diff([]string{"dead/10", "pending/1"}, c.states(w.ID)); d != "" {
			t.Errorf("after the last attempt:\n%s", d)
		}
		in.set(nil)
		c.Clock.Set(now.Add(time.Hour))
		c.pass(worker)
		dead, err := c.hooks.Deliveries(t.Context(), c.Who, w.ID, webhook.Dead, 0, 10)
		if err != nil || len(dead) != 1 || dead[0].LastStatus != 500 || dead[0].LastError != "status" {
			t.Fatalf("%v, %v", dead, err)
		}
		if err := c.hooks.Retry(t.Context(), c.Who, w.ID, dead[0].ID); err != nil {
			t.Fatal(err)
		}
		c.pass(worker)
		if d := cmp.Diff([]string{"delivered/1", "delivered/2"}, c.states(w.ID)); d != "" {
			t.Errorf("after the retry:\n%s", d)
		}
		if err := c.hooks.Retry(t.Context(), c.Who, w.ID, dead[0].ID); !fault.Is(err, fault.Conflict) {
			t.Errorf("what came through is sent again: %v", err)
		}
		if from, to, err := c.hooks.Replay(t.Context(), c.Who, w.ID, 1, nil); err != nil || from != 1 || to != 2 {
			t.Errorf("%d to %d, %v", from, to, err)
		}
		seen := len(in.ids)
		c.pass(worker)
		if d := cmp.Diff(in.ids[seen:], []string{in.ids[1], in.ids[0]}); d != "" {
			t.Errorf("the replay sent other messages, or in another order (%v):\n%s", in.ids, d)
		}
	})
}

func TestAClientThatCannotBeToldHoldsUpNobodyElse(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		in := &inbox{}
		w, _ := c.hook(receiver(t, in.ServeHTTP))
		one, other := c.client(), c.client()
		in.set(func(client string) int { return map[bool]int{true: 500, false: 200}[client == one.String()] })
		for i := range 3 {
			for _, id := range []uuid.UUID{one, other} {
				if _, err := c.Care.UpdateClient(t.Context(), c.Who, care.Client{ID: id, Reference: care.Private(fmt.Sprint(id, i))}, i+1); err != nil {
					t.Fatal(err)
				}
			}
		}
		c.pass(c.worker())
		if d := cmp.Diff([]string{"pending/1", "delivered/1", "pending/0", "delivered/1", "pending/0", "delivered/1", "pending/0", "delivered/1"}, c.states(w.ID)); d != "" {
			t.Errorf("%s", d)
		}
		in.set(nil)
		c.Clock.Set(time.Date(2026, 6, 1, 13, 0, 0, 0, time.UTC))
		c.pass(c.worker())
		var types []any
		for _, b := range in.bodies[4:] {
			types = append(types, b["type"])
		}
		if d := cmp.Diff([]any{"client.recorded", "client.changed", "client.changed", "client.changed"}, types); d != "" {
			t.Errorf("the order of the one who waited:\n%s", d)
		}
		if got, err := c.hooks.Webhook(t.Context(), c.Who, w.ID); err != nil || got.FailingSince != nil {
			t.Errorf("it is still failing since %v, %v", got.FailingSince, err)
		}
	})
}

func TestAReceiverThatIsGoneOrFailsForFiveDaysIsDisabled(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		watch, gone, down := &inbox{}, &inbox{status: always(410)}, &inbox{status: always(500)}
		c.hook(receiver(t, watch.ServeHTTP), "webhook.disabled")
		first, _ := c.hook(receiver(t, gone.ServeHTTP), "client.recorded")
		second, _ := c.hook(receiver(t, down.ServeHTTP), "client.recorded")
		worker, begun := c.worker(), time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
		c.client()
		c.pass(worker)
		reason := func(id uuid.UUID) webhook.Reason {
			w, err := c.hooks.Webhook(t.Context(), c.Who, id)
			if err != nil {
				t.Fatal(err)
			}
			return w.Disabled
		}
		if reason(first.ID) != webhook.WasGone || reason(second.ID) != "" {
			t.Errorf("disabled: %q and %q", reason(first.ID), reason(second.ID))
		}
		c.Clock.Set(begun.Add(4*24*time.Hour + 23*time.Hour))
		c.client()
		c.pass(worker)
		if reason(second.ID) != "" {
			t.Error("it is disabled before five days")
		}
		c.Clock.Set(begun.Add(5*24*time.Hour + time.Minute))
		c.client()
		c.pass(worker)
		if reason(second.ID) != webhook.Failing {
			t.Errorf("after five days it is disabled: %q", reason(second.ID))
		}
		c.pass(worker)
		var told []any
		for _, b := range watch.bodies {
			told = append(told, b["data"].(map[string]any)["reason"])
		}
		if d := cmp.Diff([]any{"gone", "failing"}, told); d != "" {
			t.Errorf("what was told:\n%s", d)
		}
		down.set(nil)
		tries := down.tries
		c.client() // while it is disabled
		if c.pass(worker); down.tries != tries {
			t.Error("a disabled one is sent to")
		}
		got, err := c.hooks.Webhook(t.Context(), c.Who, second.ID)
		if err == nil {
			_, err = c.hooks.Update(t.Context(), c.Who, got, false, got.Version)
		}
		if err != nil {
			t.Fatal(err)
		}
		c.Clock.Set(begun.Add(7 * 24 * time.Hour))
		if c.pass(worker); len(down.bodies) != 4 {
			t.Errorf("enabled again it is told %d of 4 clients", len(down.bodies))
		}
	})
}

// mortal is an outbox of a process that is killed at random: what it sent is
// then not stored.
type mortal struct{ webhook.Outbox }

var errKilled = errors.New("killed")

func (m mortal) Conclude(ctx context.Context, clinic uuid.UUID, d webhook.Delivery, c webhook.Conclusion) (bool, error) {
	if rand.IntN(10) == 0 {
		return false, errKilled
	}
	return m.Outbox.Conclude(ctx, clinic, d, c)
}

func (m mortal) Take(ctx context.Context, clinic uuid.UUID, now, lease time.Time, limit int, except []uuid.UUID) ([]webhook.Taken, error) {
	taken, err := m.Outbox.Take(ctx, clinic, now, lease, limit, except)
	if rand.IntN(20) == 0 {
		return nil, errKilled
	}
	return taken, err
}

// TestNothingIsLostNorOvertakesWithManyWorkersThatDie has three servers send to
// a receiver that fails half of the time, and die now and then between sending
// and storing that they did.
func TestNothingIsLostNorOvertakesWithManyWorkersThatDie(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		events, clients := storetest.Size(300, 2000), 20
		in := &inbox{status: func(string) int { return []int{200, 500}[rand.IntN(2)] }}
		var underWay sync.Map // two at a time would meet here
		url := receiver(t, func(w http.ResponseWriter, r *http.Request) {
			id := r.Header.Get("webhook-id")
			if _, there := underWay.LoadOrStore(id, true); there {
				t.Errorf("%s is sent by two at a time", id)
			}
			time.Sleep(time.Millisecond)
			in.ServeHTTP(w, r)
			underWay.Delete(id)
		})
		w, _ := c.hook(url)
		ids := make([]uuid.UUID, clients)
		for i := range ids {
			ids[i] = c.client()
		}
		for i := range events {
			if _, err := c.Care.UpdateClient(t.Context(), c.Who, care.Client{ID: ids[i%clients], Reference: care.Private(fmt.Sprint(ids[i%clients], i))}, i/clients+1); err != nil {
				t.Fatal(err)
			}
		}
		now := time.Date(2026, 6, 2, 12, 0, 0, 0, time.UTC)
		left, given := -1, map[string]bool{}
		for round := 0; left != 0 && round < 400; round++ {
			now = now.Add(26 * time.Hour) // whatever waits is due, and every lease has ended
			if round%5 > 0 {
				now = now.Add(-25 * time.Hour)
			}
			c.Clock.Set(now)
			var workers sync.WaitGroup
			for range 3 {
				workers.Go(func() {
					worker := c.worker()
					worker.Outbox = mortal{c.DB.DB}
					_ = worker.Pass(t.Context()) // it dies, or there is nothing left
				})
			}
			workers.Wait()
			pending, err := c.hooks.Deliveries(t.Context(), c.Who, w.ID, webhook.Pending, 0, 10_000)
			if err != nil {
				t.Fatal(err)
			}
			if left = len(pending); round%10 == 9 { // as somebody does who sees that it was disabled, or is dead
				c.revive(w.ID, given)
			}
			if left == 0 {
				left = c.revive(w.ID, given)
			}
		}
		if left != 0 {
			t.Fatalf("%d are still on their way", left)
		}
		c.inOrder(in, events+clients, given)
	})
}

// revive enables a webhook and has its dead deliveries sent again; it says how
// many there were, and adds their events to those given up.
func (c clinic) revive(id uuid.UUID, given map[string]bool) int {
	c.t.Helper()
	w, err := c.hooks.Webhook(c.t.Context(), c.Who, id)
	if err == nil && w.DisabledAt != nil {
		_, err = c.hooks.Update(c.t.Context(), c.Who, w, false, w.Version)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	dead, err := c.hooks.Deliveries(c.t.Context(), c.Who, id, webhook.Dead, 0, 10_000)
	for _, d := range dead {
		given[d.Event.ID.String()] = true
		err = errors.Join(err, c.hooks.Retry(c.t.Context(), c.Who, id, d.ID))
	}
	if err != nil {
		c.t.Fatal(err)
	}
	return len(dead)
}

// inOrder fails the test unless every event came, and each client's for the
// first time in their order. One that was given up and sent later is none.
func (c clinic) inOrder(in *inbox, want int, given map[string]bool) {
	c.t.Helper()
	seen, last := map[string]bool{}, map[string]string{}
	late := 0
	for i, id := range in.ids {
		if seen[id] {
			continue
		}
		if seen[id] = true; given[id] {
			continue
		}
		client, _ := in.bodies[i]["data"].(map[string]any)["client_id"].(string)
		if strings.Compare(id, last[client]) < 0 { // ids of version 7 grow with time
			late++
		}
		last[client] = id
	}
	if len(seen) < want {
		c.t.Errorf("%d of %d events came", len(seen), want)
	}
	if late > 0 {
		c.t.Errorf("%d events came behind a later one of their client", late)
	}
	c.t.Logf("%d events in %d messages, %d attempts", want, len(in.ids), in.tries)
}

func TestAWorkerThatIsStuckSaysSoAndAReceiverThatIsDownDoesNot(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		in := &inbox{status: always(500)}
		c.hook(receiver(t, in.ServeHTTP))
		now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
		worker := c.worker()
		worker.Every = time.Millisecond
		run := func(d time.Duration) {
			ctx, cancel := context.WithTimeout(t.Context(), d)
			defer cancel()
			worker.Run(ctx)
		}
		c.client()
		run(300 * time.Millisecond)
		if pending, _ := worker.Waiting(); pending != 1 || worker.Stuck() != 0 {
			t.Errorf("%d pending, stuck for %v", pending, worker.Stuck())
		}
		c.Clock.Set(now.Add(time.Hour))
		run(300 * time.Millisecond)
		if _, oldest := worker.Waiting(); oldest < time.Hour || worker.Stuck() != 0 {
			t.Errorf("the oldest is of %v ago, stuck for %v", oldest, worker.Stuck())
		}
		c.Clock.Set(now.Add(3 * time.Hour)) // and nobody runs
		if lag := worker.Stuck(); lag < 90*time.Minute {
			t.Errorf("stuck for %v", lag)
		}
		worker.Outbox = mortalAlways{c.DB.DB}
		run(300 * time.Millisecond)
		if lag := worker.Stuck(); lag < 90*time.Minute {
			t.Errorf("with an outbox that gives nothing, stuck for %v", lag)
		}
	})
}

// mortalAlways never gives anything to send.
type mortalAlways struct{ webhook.Outbox }

func (mortalAlways) Take(context.Context, uuid.UUID, time.Time, time.Time, int, []uuid.UUID) ([]webhook.Taken, error) {
	return nil, errKilled
}

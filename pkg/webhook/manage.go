package webhook

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
)

const (
	mostWebhooks = 20 // of a clinic: each is work for every event
	mostName     = 100
)

// Check lists what is wrong with a webhook as it is asked for.
func (s *Service) Check(w Webhook) []fault.Detail {
	out := s.Sender.rules.check(w.URL)
	for _, kind := range w.Types {
		if !slices.Contains(s.Types, kind) {
			out = append(out, fault.Detail{Pointer: "/types", Code: "unknown_type", Message: "There is no such type of event; there are " + strings.Join(s.Types, ", ") + "."})
			break
		}
	}
	if len(w.Name) > mostName {
		out = append(out, fault.Detail{Pointer: "/name", Code: "max", Message: "The name has at most 100 characters."})
	}
	return out
}

// same reports whether two webhooks were asked for with the same words.
func (w Webhook) same(other Webhook) bool {
	return w.Name == other.Name && w.URL == other.URL && slices.Equal(w.Types, other.Types)
}

var (
	errIDTaken = fault.New(fault.Conflict, "This id is in use with other content.",
		fault.Detail{Pointer: "/id", Code: "id_taken", Message: "Send what was sent first to retry, or a new id to create."})
	errTooMany = fault.New(fault.Conflict, "A clinic has at most 20 webhooks: remove one first.")
	errStale   = fault.New(fault.Stale, "This was changed since it was read.")
)

// Create makes a webhook, which is sent what happens from now on. The secret is
// given this once. A known id with the same content answers what is stored,
// created is then false and the secret empty.
func (s *Service) Create(ctx context.Context, who auth.Principal, w Webhook) (_ Webhook, secret Secret, created bool, err error) {
	if err := s.require(ctx, who); err != nil {
		return Webhook{}, "", false, err
	}
	if err := fault.InvalidIf(s.Check(w)); err != nil {
		return Webhook{}, "", false, err
	}
	if w.ID == uuid.Nil {
		w.ID = s.NewID()
	}
	secret = NewSecret()
	asked := w
	err = s.Store.Arrange(ctx, who, func(tx Tx) (err error) {
		w, created = asked, false
		known, err := tx.Webhooks(ctx, who, uuid.Nil, mostWebhooks)
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(known, func(k Webhook) bool { return k.ID == w.ID }); i >= 0 {
			if w = known[i]; !asked.same(w) {
				return errIDTaken
			}
			return nil
		}
		if len(known) >= mostWebhooks {
			return errTooMany
		}
		if w.Cursor, err = tx.EventHead(ctx, who); err != nil {
			return err
		}
		w.Secret, w.Version, w.CreatedAt, w.CreatedBy = secret, 1, stamp(s.Now()), who.Actor
		w.UpdatedAt = w.CreatedAt
		if created, err = tx.InsertWebhook(ctx, who, w); err != nil || !created {
			if err == nil {
				err = errIDTaken // a moment ago
			}
			return err
		}
		tx.Note(s.did(who, "webhook.create", w.ID, audit.Diff(nil, w.fields())...))
		return nil
	})
	if err != nil || !created {
		secret = ""
	}
	return w, secret, created, err
}

// look runs fn on one snapshot for who may manage webhooks.
func look[T any](ctx context.Context, s *Service, who auth.Principal, fn func(Reader) (T, error)) (out T, err error) {
	if err := s.require(ctx, who); err != nil {
		return out, err
	}
	err = s.Store.Look(ctx, who, func(r Reader) (err error) {
		out, err = fn(r)
		return err
	})
	return out, err
}

// Webhook returns a webhook of the clinic.
func (s *Service) Webhook(ctx context.Context, who auth.Principal, id uuid.UUID) (Webhook, error) {
	return look(ctx, s, who, func(r Reader) (Webhook, error) { return r.Webhook(ctx, who, id) })
}

// Webhooks lists the clinic's webhooks by id, behind after.
func (s *Service) Webhooks(ctx context.Context, who auth.Principal, after uuid.UUID, limit int) ([]Webhook, error) {
	return look(ctx, s, who, func(r Reader) ([]Webhook, error) { return r.Webhooks(ctx, who, after, limit) })
}

// Deliveries lists a webhook's deliveries in a state (empty: any), the newest
// first, below a place (0: from the newest).
func (s *Service) Deliveries(ctx context.Context, who auth.Principal, id uuid.UUID, state State, below int64, limit int) ([]Delivery, error) {
	return look(ctx, s, who, func(r Reader) ([]Delivery, error) {
		if _, err := r.Webhook(ctx, who, id); err != nil {
			return nil, err
		}
		return r.Deliveries(ctx, who, id, state, below, limit)
	})
}

// change stores what fn makes of a webhook, under its next version.
func (s *Service) change(ctx context.Context, who auth.Principal, id uuid.UUID, action string, fn func(Tx, *Webhook) error) (out Webhook, err error) {
	if err := s.require(ctx, who); err != nil {
		return Webhook{}, err
	}
	err = s.Store.Arrange(ctx, who, func(tx Tx) error {
		was, err := tx.HoldWebhook(ctx, who, id)
		if err != nil {
			return err
		}
		out = was
		if err := fn(tx, &out); err != nil {
			return err
		}
		out.Version, out.UpdatedAt = was.Version+1, stamp(s.Now())
		tx.Note(s.did(who, action, id, audit.Diff(was.fields(), out.fields())...))
		return tx.PutWebhook(ctx, who, out)
	})
	if err != nil {
		return Webhook{}, err
	}
	return out, nil
}

// Update replaces the name, address and types of a webhook whose version is
// expected, and whether it is disabled; Stale if it is another version. One that
// is enabled again is sent all that it missed.
func (s *Service) Update(ctx context.Context, who auth.Principal, w Webhook, disabled bool, expected int) (Webhook, error) {
	if err := fault.InvalidIf(s.Check(w)); err != nil && who.May(auth.ManageWebhooks) {
		return Webhook{}, err
	}
	return s.change(ctx, who, w.ID, "webhook.update", func(_ Tx, to *Webhook) error {
		if to.Version != expected {
			return errStale
		}
		to.Name, to.URL, to.Types = w.Name, w.URL, w.Types
		switch {
		case !disabled:
			to.DisabledAt, to.Disabled, to.FailingSince = nil, "", nil
		case to.DisabledAt == nil:
			to.DisabledAt, to.Disabled = new(stamp(s.Now())), ByHand
		}
		return nil
	})
}

// Rotate gives a webhook another secret, and tells it this once. The old one
// signs beside it for a day.
func (s *Service) Rotate(ctx context.Context, who auth.Principal, id uuid.UUID) (Webhook, Secret, error) {
	secret := NewSecret()
	w, err := s.change(ctx, who, id, "webhook.rotate", func(_ Tx, to *Webhook) error {
		to.OldSecret, to.OldUntil, to.Secret = to.Secret, new(stamp(s.Now()).Add(overlap)), secret
		return nil
	})
	if err != nil {
		return Webhook{}, "", err
	}
	return w, secret, nil
}

// Remove ends a webhook, with all of its deliveries.
func (s *Service) Remove(ctx context.Context, who auth.Principal, id uuid.UUID) error {
	if err := s.require(ctx, who); err != nil {
		return err
	}
	return s.Store.Arrange(ctx, who, func(tx Tx) error {
		tx.Note(s.did(who, "webhook.remove", id))
		return tx.RemoveWebhook(ctx, who, id)
	})
}

// Replay has a webhook sent again all events from a place on, or from a time on
// where at is given, behind what is on its way. It gives the span.
func (s *Service) Replay(ctx context.Context, who auth.Principal, id uuid.UUID, from int64, at *time.Time) (first, last int64, err error) {
	_, err = s.change(ctx, who, id, "webhook.replay", func(tx Tx, to *Webhook) (err error) {
		if last, err = tx.EventHead(ctx, who); err != nil {
			return err
		}
		first = from
		if at != nil {
			if first, err = tx.EventAt(ctx, who, *at); err != nil {
				return err
			}
		}
		// What has yet to be sent for the first time is sent as well.
		first = max(1, min(first, to.Cursor+1))
		to.Cursor = first - 1
		return nil
	})
	return first, last, err
}

var errDelivered = fault.New(fault.Conflict, "This delivery came through. To send it again, replay from its event.")

// Retry has a delivery that did not come through sent now, with all of its
// attempts before it.
func (s *Service) Retry(ctx context.Context, who auth.Principal, id, delivery uuid.UUID) error {
	if err := s.require(ctx, who); err != nil {
		return err
	}
	return s.Store.Arrange(ctx, who, func(tx Tx) error {
		e := s.did(who, "webhook.retry", id)
		e.Details.Note = map[string]string{"delivery": delivery.String()}
		tx.Note(e)
		again, err := tx.RequeueDelivery(ctx, who, id, delivery, stamp(s.Now()))
		if err == nil && !again {
			err = errDelivered
		}
		return err
	})
}

// Tested is what became of a test.
type Tested struct {
	Result
	ID   string // of the message
	Body string // that was sent
}

// Test sends a made-up event of a type (empty: the first that the webhook
// wants) as a real one is sent, and tells what became of it.
func (s *Service) Test(ctx context.Context, who auth.Principal, id uuid.UUID, kind string) (Tested, error) {
	w, err := s.Webhook(ctx, who, id)
	if err != nil {
		return Tested{}, err
	}
	if kind == "" {
		kind = append(slices.Clone(w.Types), s.Types...)[0]
	}
	if !slices.Contains(s.Types, kind) {
		return Tested{}, fault.InvalidIf([]fault.Detail{{Pointer: "/type", Code: "unknown_type", Message: "There is no such type of event."}})
	}
	e := s.sample(kind)
	m := Message{ID: e.ID.String(), At: s.Now(), Body: e.body(true), Secrets: w.secrets(s.Now())}
	out := Tested{Result: s.Sender.Send(ctx, w.URL, m, s.Now(), testTime), ID: m.ID, Body: string(m.Body)}
	err = s.Store.Arrange(ctx, who, func(tx Tx) error {
		tx.Note(s.did(who, "webhook.test", id))
		return nil
	})
	return out, err
}

package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/webhook"
)

type deliveryRow struct {
	ClinicID    uuid.UUID
	ID          uuid.UUID
	WebhookID   uuid.UUID
	Place       int64
	EventSeq    int64
	ClientID    *uuid.UUID
	State       string
	Attempts    int
	Fence       int64
	DueAt       instant
	LastAt      *instant
	LastStatus  int
	LastError   string
	DeliveredAt *instant
	CreatedAt   instant
}

func (deliveryRow) TableName() string { return "deliveries" }

func deliveryFromRow(r deliveryRow, e eventRow) webhook.Delivery {
	return webhook.Delivery{
		ID: r.ID, Webhook: r.WebhookID, Place: r.Place, State: webhook.State(r.State), Attempts: r.Attempts, Due: r.DueAt.Time,
		LastAt: timePtr(r.LastAt), LastStatus: r.LastStatus, LastError: r.LastError, DeliveredAt: timePtr(r.DeliveredAt),
		CreatedAt: r.CreatedAt.Time, Fence: r.Fence,
		Event: webhook.Event{Seq: r.EventSeq, ID: e.ID, Type: e.Type, At: e.At.Time, Client: idOf(r.ClientID), Data: e.Data.V},
	}
}

// rowFromEventFor is the delivery of an event that was not sent yet.
func rowFromEventFor(w webhookRow, e eventRow, id uuid.UUID, now time.Time) deliveryRow {
	return deliveryRow{
		ClinicID: w.ClinicID, ID: id, WebhookID: w.ID, Place: w.Placed, EventSeq: e.Seq, ClientID: e.ClientID,
		State: string(webhook.Pending), DueAt: at(now), CreatedAt: at(now),
	}
}

// withEvents reads the events that deliveries are of.
func (d *DB) withEvents(ctx context.Context, who auth.Principal, rows []deliveryRow) ([]webhook.Delivery, error) {
	events, err := all[eventRow](d.of(ctx, who, "events").Where("seq IN ?", convert(rows, func(r deliveryRow) int64 { return r.EventSeq })), "events")
	if err != nil {
		return nil, err
	}
	bySeq := make(map[int64]eventRow, len(events))
	for _, e := range events {
		bySeq[e.Seq] = e
	}
	return convert(rows, func(r deliveryRow) webhook.Delivery { return deliveryFromRow(r, bySeq[r.EventSeq]) }), nil
}

// Deliveries lists a page of a webhook's deliveries, the newest first.
func (d *DB) Deliveries(ctx context.Context, who auth.Principal, id uuid.UUID, state webhook.State, below int64, limit int) ([]webhook.Delivery, error) {
	query := d.of(ctx, who, "deliveries").Where("webhook_id = ?", id)
	if state != "" {
		query = query.Where("state = ?", string(state))
	}
	if below > 0 {
		query = query.Where("place < ?", below)
	}
	rows, err := all[deliveryRow](query.Order("place DESC").Limit(limit), "deliveries")
	if err != nil {
		return nil, err
	}
	return d.withEvents(ctx, who, rows)
}

// EventAt finds the place of the first event at a time or later.
func (d *DB) EventAt(ctx context.Context, who auth.Principal, when time.Time) (int64, error) {
	rows, err := all[eventRow](d.of(ctx, who, "events").Where("at >= ?", at(when)).Order("at, seq").Limit(1), "events")
	if err != nil || len(rows) > 0 {
		return append(convert(rows, func(r eventRow) int64 { return r.Seq }), 0)[0], err
	}
	head, err := d.EventHead(ctx, who)
	return head + 1, err
}

// RequeueDelivery has a delivery that did not come through sent anew.
func (d *DB) RequeueDelivery(ctx context.Context, who auth.Principal, id, delivery uuid.UUID, when time.Time) (bool, error) {
	row, err := one[deliveryRow](d.dialect.lock(d.of(ctx, who, "deliveries").Where("webhook_id = ? AND id = ?", id, delivery)), "delivery")
	if err != nil || row.State == string(webhook.Delivered) {
		return false, err
	}
	err = d.writing(ctx, who, "deliveries").Where("id = ?", delivery).
		Updates(map[string]any{"state": string(webhook.Pending), "attempts": 0, "due_at": at(when)}).Error
	if err != nil {
		return false, fmt.Errorf("requeue delivery: %w", err)
	}
	return true, nil
}

// Relay makes deliveries of new events. Whether there are any is asked without
// the writer, as nearly always there are none.
func (d *DB) Relay(ctx context.Context, clinic uuid.UUID, now time.Time, limit int, newID func() uuid.UUID) (n int, err error) {
	who := auth.System(clinic)
	var behind []webhookRow
	err = d.inClinic(ctx, clinic, func(tx *DB) (err error) {
		behind, err = all[webhookRow](tx.of(ctx, who, "webhooks").Where("disabled_at IS NULL").
			Where("cursor < (SELECT seq FROM event_heads WHERE clinic_id = ?)", clinic).Order("id"), "webhooks")
		return err
	})
	for _, w := range behind {
		through := 0
		if err := d.enter(ctx, clinic, nil, func(tx *DB) (err error) {
			through, err = tx.relay(ctx, who, w.ID, now, limit, newID)
			return err
		}); err != nil {
			return n, err
		}
		n += through
	}
	return n, err
}

// relay makes deliveries for one webhook, which it holds meanwhile: places are
// given in the order of the events.
func (d *DB) relay(ctx context.Context, who auth.Principal, id uuid.UUID, now time.Time, limit int, newID func() uuid.UUID) (int, error) {
	held, err := all[webhookRow](d.dialect.lock(d.of(ctx, who, "webhooks").Where("id = ? AND disabled_at IS NULL", id)), "webhook")
	if err != nil || len(held) == 0 {
		return 0, err // it was removed or disabled a moment ago
	}
	w := held[0]
	wants := make(map[string]bool, len(w.Types.V))
	for _, kind := range w.Types.V {
		wants[kind] = true
	}
	head, err := d.EventHead(ctx, who)
	if err != nil {
		return 0, err
	}
	events, err := all[eventRow](d.of(ctx, who, "events").Where("seq > ?", w.Cursor).Order("seq").Limit(limit), "events")
	if err != nil {
		return 0, err
	}
	var rows []deliveryRow
	for _, e := range events {
		w.Cursor = e.Seq
		if len(wants) == 0 || wants[e.Type] {
			w.Placed++
			rows = append(rows, rowFromEventFor(w, e, newID(), now))
		}
	}
	if len(events) < limit { // the last ones may have gone with their client
		w.Cursor = max(w.Cursor, head)
	}
	if len(rows) > 0 {
		if err := d.inserting(ctx, who, "deliveries").CreateInBatches(&rows, chunk).Error; err != nil {
			return 0, fmt.Errorf("insert deliveries: %w", err)
		}
	}
	err = d.writing(ctx, who, "webhooks").Where("id = ?", id).Updates(map[string]any{"cursor": w.Cursor, "placed": w.Placed}).Error
	if err != nil {
		return 0, fmt.Errorf("move a webhook's cursor: %w", err)
	}
	return len(events), nil
}

// foremost restricts deliveries d to those of webhooks that are not disabled,
// and of a client to the first that is pending.
const foremost = `d.state = 'pending'
AND EXISTS (SELECT 1 FROM webhooks AS w WHERE w.clinic_id = d.clinic_id AND w.id = d.webhook_id AND w.disabled_at IS NULL)
AND NOT EXISTS (SELECT 1 FROM deliveries AS e WHERE e.clinic_id = d.clinic_id AND e.webhook_id = d.webhook_id
AND e.client_id = d.client_id AND e.state = 'pending' AND e.place < d.place)`

// due finds deliveries that can be sent.
func (d *DB) due(ctx context.Context, who auth.Principal, now time.Time, limit int, except []uuid.UUID) ([]deliveryRow, error) {
	query := d.within(ctx, who, "deliveries", "d").Where("d.due_at <= ?", at(now)).Where(foremost)
	if len(except) > 0 {
		query = query.Where("d.webhook_id NOT IN ?", except)
	}
	return all[deliveryRow](d.dialect.take(query.Order("d.due_at, d.place").Limit(limit)), "deliveries")
}

// Take gives deliveries that are due. What another server takes at the same
// time is passed over.
func (d *DB) Take(ctx context.Context, clinic uuid.UUID, now, lease time.Time, limit int, except []uuid.UUID) (taken []webhook.Taken, err error) {
	who := auth.System(clinic)
	if since, err := d.overdue(ctx, who, now, except); err != nil || since == nil {
		return nil, err // without the writer, as nearly always
	}
	err = d.enter(ctx, clinic, nil, func(tx *DB) error {
		taken = nil
		rows, err := tx.due(ctx, who, now, limit, except)
		if err != nil || len(rows) == 0 {
			return err
		}
		ids := convert(rows, func(r deliveryRow) uuid.UUID { return r.ID })
		err = tx.writing(ctx, who, "deliveries").Where("id IN ?", ids).
			Updates(map[string]any{"due_at": at(lease), "fence": gorm.Expr("fence + 1")}).Error
		if err != nil {
			return fmt.Errorf("take deliveries: %w", err)
		}
		taken, err = tx.taken(ctx, who, rows)
		return err
	})
	return taken, err
}

// taken reads what is needed to send deliveries.
func (d *DB) taken(ctx context.Context, who auth.Principal, rows []deliveryRow) ([]webhook.Taken, error) {
	deliveries, err := d.withEvents(ctx, who, rows)
	if err != nil {
		return nil, err
	}
	found, err := all[webhookRow](d.of(ctx, who, "webhooks").Where("id IN ?", convert(rows, func(r deliveryRow) uuid.UUID { return r.WebhookID })), "webhooks")
	if err != nil {
		return nil, err
	}
	hooks := make(map[uuid.UUID]webhook.Webhook, len(found))
	for _, r := range found {
		if hooks[r.ID], err = d.webhook(r); err != nil {
			return nil, err
		}
	}
	return convert(deliveries, func(x webhook.Delivery) webhook.Taken {
		x.Fence++
		return webhook.Taken{Delivery: x, To: hooks[x.Webhook]}
	}), nil
}

// overdue says since when the oldest delivery could be sent; nil: none can.
func (d *DB) overdue(ctx context.Context, who auth.Principal, now time.Time, except []uuid.UUID) (since *time.Time, err error) {
	err = d.inClinic(ctx, who.Clinic, func(tx *DB) error {
		rows, err := tx.dueUnlocked(ctx, who, now, except)
		if len(rows) > 0 {
			since = &rows[0].DueAt.Time
		}
		return err
	})
	return since, err
}

func (d *DB) dueUnlocked(ctx context.Context, who auth.Principal, now time.Time, except []uuid.UUID) ([]deliveryRow, error) {
	free := *d
	free.dialect.take = sqliteDialect.take // which locks nothing: a snapshot may not
	return free.due(ctx, who, now, 1, except)
}

// errOvertaken ends a transaction that has nothing to store.
var errOvertaken = errors.New("a delivery was taken again")

// Conclude stores what became of a delivery. What stands behind it in its
// client's line is then due when it is, or now.
func (d *DB) Conclude(ctx context.Context, clinic uuid.UUID, x webhook.Delivery, c webhook.Conclusion) (bool, error) {
	who := auth.System(clinic)
	set := map[string]any{"state": string(c.State)}
	if c.Spent {
		set["attempts"], set["last_at"] = x.Attempts+1, at(c.At)
		set["last_status"], set["last_error"] = c.Result.Status, c.Result.Error
	}
	line := c.At // when those behind are due
	switch c.State {
	case webhook.Delivered:
		set["delivered_at"] = at(c.At)
	case webhook.Pending:
		set["due_at"], line = at(c.Due), c.Due
	case webhook.Dead:
	}
	err := d.enter(ctx, clinic, nil, func(tx *DB) error {
		if c.Result.Error != "" && c.Spent { // the webhook first, as others do
			failing := tx.writing(ctx, who, "webhooks").Where("id = ? AND failing_since IS NULL", x.Webhook).Updates(map[string]any{"failing_since": at(c.At)})
			if failing.Error != nil {
				return failing.Error
			}
		}
		done := tx.writing(ctx, who, "deliveries").Where("id = ? AND fence = ? AND state = 'pending'", x.ID, x.Fence).Updates(set)
		if done.Error != nil || done.RowsAffected == 0 {
			return errors.Join(done.Error, errOvertaken)
		}
		if c.State == webhook.Delivered {
			if err := tx.writing(ctx, who, "webhooks").Where("id = ? AND failing_since IS NOT NULL", x.Webhook).Updates(map[string]any{"failing_since": nil}).Error; err != nil {
				return err
			}
		}
		if x.Event.Client == uuid.Nil {
			return nil
		}
		behind := tx.writing(ctx, who, "deliveries").Where("webhook_id = ? AND client_id = ? AND state = 'pending' AND place > ?", x.Webhook, x.Event.Client, x.Place)
		if c.State != webhook.Pending { // only the next: the others wait for it
			first := tx.of(ctx, who, "deliveries").Select("min(place)").
				Where("webhook_id = ? AND client_id = ? AND state = 'pending' AND place > ?", x.Webhook, x.Event.Client, x.Place)
			behind = behind.Where("place = (?)", first)
		}
		return behind.Updates(map[string]any{"due_at": at(line)}).Error
	})
	if errors.Is(err, errOvertaken) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("conclude a delivery: %w", err)
	}
	return true, nil
}

// Disable disables a webhook, unless it is.
func (d *DB) Disable(ctx context.Context, clinic, id uuid.UUID, by webhook.Disabling) error {
	who := auth.System(clinic)
	return d.transaction(ctx, clinic, func(tx *DB) error {
		done := tx.of(ctx, who, "webhooks").Where("id = ? AND disabled_at IS NULL", id).
			Updates(map[string]any{"disabled_at": at(by.At), "disabled": string(by.Reason), "updated_at": at(by.At), "version": gorm.Expr("version + 1")})
		if done.Error != nil {
			return fmt.Errorf("disable webhook: %w", done.Error)
		}
		if done.RowsAffected == 1 {
			tx.Note(by.Entry)
			tx.Tell(by.Event)
		}
		return nil
	})
}

// Backlog counts what waits.
func (d *DB) Backlog(ctx context.Context, clinic uuid.UUID, now time.Time) (out webhook.Backlog, err error) {
	who := auth.System(clinic)
	const enabled = "EXISTS (SELECT 1 FROM webhooks AS w WHERE w.clinic_id = d.clinic_id AND w.id = d.webhook_id AND w.disabled_at IS NULL)"
	err = d.inClinic(ctx, clinic, func(tx *DB) error {
		var counted struct {
			N      int
			Oldest *instant
		}
		err := tx.within(ctx, who, "deliveries", "d").Select("count(*) AS n, min(d.created_at) AS oldest").
			Where("d.state = 'pending'").Where(enabled).Take(&counted).Error
		if err != nil {
			return fmt.Errorf("count deliveries: %w", err)
		}
		out.Pending, out.Oldest = counted.N, timePtr(counted.Oldest)
		rows, err := tx.dueUnlocked(ctx, who, now, nil)
		if err != nil {
			return err
		}
		if len(rows) > 0 {
			out.Overdue = &rows[0].DueAt.Time
		}
		waiting, err := all[eventRow](tx.of(ctx, who, "events").
			Where("seq > (SELECT min(cursor) FROM webhooks WHERE clinic_id = ? AND disabled_at IS NULL)", clinic).Order("seq").Limit(1), "events")
		for _, e := range waiting {
			if out.Overdue == nil || e.At.Before(*out.Overdue) {
				out.Overdue = &e.At.Time
			}
		}
		return err
	})
	return out, err
}

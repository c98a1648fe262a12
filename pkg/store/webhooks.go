package store

import (
	"bytes"
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/seal"
	"github.com/protrack/protrack/pkg/webhook"
)

var (
	_ webhook.Store  = (*DB)(nil)
	_ webhook.Tx     = (*DB)(nil)
	_ webhook.Outbox = (*DB)(nil)
)

type webhookRow struct {
	ClinicID     uuid.UUID
	ID           uuid.UUID
	Name         string
	URL          string
	Types        document[[]string]
	Secret       []byte // as it is, or sealed
	OldSecret    []byte
	OldUntil     *instant
	DisabledAt   *instant
	Disabled     string
	FailingSince *instant
	Cursor       int64
	Placed       int64
	Version      int
	CreatedAt    instant
	CreatedBy    uuid.UUID
	UpdatedAt    instant
}

func (webhookRow) TableName() string { return "webhooks" }

// webhookSecret is the place of a webhook's secret, and of the one before it.
func webhookSecret(clinic, id uuid.UUID) seal.Place {
	return seal.Place{Clinic: clinic, Column: "webhooks.secret", Row: id}
}

// webhook opens what a query found.
func (d *DB) webhook(r webhookRow) (webhook.Webhook, error) {
	place := webhookSecret(r.ClinicID, r.ID)
	secret, err := d.keys.Open(string(r.Secret), place)
	if err != nil {
		return webhook.Webhook{}, fmt.Errorf("read a webhook's secret: %w", err)
	}
	old, err := d.keys.Open(string(r.OldSecret), place)
	if err != nil {
		return webhook.Webhook{}, fmt.Errorf("read a webhook's old secret: %w", err)
	}
	return webhook.Webhook{
		ID: r.ID, Name: r.Name, URL: webhook.URL(r.URL), Types: r.Types.V, Secret: webhook.Secret(secret), OldSecret: webhook.Secret(old),
		OldUntil: timePtr(r.OldUntil), DisabledAt: timePtr(r.DisabledAt), Disabled: webhook.Reason(r.Disabled), FailingSince: timePtr(r.FailingSince),
		Cursor: r.Cursor, Version: r.Version, CreatedAt: r.CreatedAt.Time, CreatedBy: r.CreatedBy, UpdatedAt: r.UpdatedAt.Time,
	}, nil
}

func (d *DB) rowFromWebhook(clinic uuid.UUID, w webhook.Webhook) (webhookRow, error) {
	place := webhookSecret(clinic, w.ID)
	secret, err := d.keys.Seal(string(w.Secret), place)
	if err != nil {
		return webhookRow{}, fmt.Errorf("store a webhook's secret: %w", err)
	}
	old, err := d.keys.Seal(string(w.OldSecret), place)
	if err != nil {
		return webhookRow{}, fmt.Errorf("store a webhook's old secret: %w", err)
	}
	types := w.Types
	if types == nil {
		types = []string{}
	}
	return webhookRow{
		ClinicID: clinic, ID: w.ID, Name: w.Name, URL: string(w.URL), Types: document[[]string]{types}, Secret: []byte(secret), OldSecret: []byte(old),
		OldUntil: atPtr(w.OldUntil), DisabledAt: atPtr(w.DisabledAt), Disabled: string(w.Disabled), FailingSince: atPtr(w.FailingSince),
		Cursor: w.Cursor, Version: w.Version, CreatedAt: at(w.CreatedAt), CreatedBy: w.CreatedBy, UpdatedAt: at(w.UpdatedAt),
	}, nil
}

// Look runs fn on one snapshot of the clinic's webhooks.
func (d *DB) Look(ctx context.Context, who auth.Principal, fn func(webhook.Reader) error) error {
	if who.Clinic == uuid.Nil {
		return errNoClinic
	}
	return d.inClinic(ctx, who.Clinic, func(tx *DB) error { return fn(tx) })
}

// Arrange is Write for webhooks.
func (d *DB) Arrange(ctx context.Context, who auth.Principal, fn func(webhook.Tx) error) error {
	return d.transaction(ctx, who.Clinic, func(tx *DB) error { return fn(tx) })
}

// Tell adds an event.
func (d *DB) Tell(e webhook.Event) {
	d.Emit(care.Event{ID: e.ID, Type: care.EventType(e.Type), At: e.At, Client: e.Client, Data: e.Data})
}

// Webhook finds a webhook.
func (d *DB) Webhook(ctx context.Context, who auth.Principal, id uuid.UUID) (webhook.Webhook, error) {
	row, err := one[webhookRow](d.of(ctx, who, "webhooks").Where("id = ?", id), "webhook")
	if err != nil {
		return webhook.Webhook{}, err
	}
	return d.webhook(row)
}

// HoldWebhook finds a webhook and keeps others from it.
func (d *DB) HoldWebhook(ctx context.Context, who auth.Principal, id uuid.UUID) (webhook.Webhook, error) {
	row, err := one[webhookRow](d.dialect.lock(d.of(ctx, who, "webhooks").Where("id = ?", id)), "webhook")
	if err != nil {
		return webhook.Webhook{}, err
	}
	return d.webhook(row)
}

// Webhooks lists a page of the clinic's webhooks by id.
func (d *DB) Webhooks(ctx context.Context, who auth.Principal, after uuid.UUID, limit int) ([]webhook.Webhook, error) {
	rows, err := all[webhookRow](d.of(ctx, who, "webhooks").Where("id > ?", after).Order("id").Limit(limit), "webhooks")
	if err != nil {
		return nil, err
	}
	out := make([]webhook.Webhook, len(rows))
	for i, r := range rows {
		if out[i], err = d.webhook(r); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// InsertWebhook stores a webhook unless its id is in use.
func (d *DB) InsertWebhook(ctx context.Context, who auth.Principal, w webhook.Webhook) (bool, error) {
	row, err := d.rowFromWebhook(who.Clinic, w)
	if err != nil {
		return false, err
	}
	return d.insertOnce(ctx, who, "webhooks", &row)
}

// PutWebhook replaces the version before this one.
func (d *DB) PutWebhook(ctx context.Context, who auth.Principal, w webhook.Webhook) error {
	row, err := d.rowFromWebhook(who.Clinic, w)
	if err != nil {
		return err
	}
	put := d.writing(ctx, who, "webhooks").Where("id = ? AND version = ?", w.ID, w.Version-1).Updates(map[string]any{
		"name": row.Name, "url": row.URL, "types": row.Types, "secret": row.Secret, "old_secret": row.OldSecret, "old_until": row.OldUntil,
		"disabled_at": row.DisabledAt, "disabled": row.Disabled, "failing_since": row.FailingSince, "cursor": row.Cursor,
		"version": row.Version, "updated_at": row.UpdatedAt,
	})
	if put.Error != nil {
		return fmt.Errorf("store webhook: %w", put.Error)
	}
	if put.RowsAffected == 0 {
		return fault.New(fault.Stale, "The webhook was changed since it was read.")
	}
	return nil
}

// RemoveWebhook removes a webhook with its deliveries.
func (d *DB) RemoveWebhook(ctx context.Context, who auth.Principal, id uuid.UUID) error {
	if _, err := d.HoldWebhook(ctx, who, id); err != nil {
		return err
	}
	for _, of := range []struct{ table, column string }{{"deliveries", "webhook_id"}, {"webhooks", "id"}} {
		if err := d.writing(ctx, who, of.table).Where(of.column+" = ?", id).Delete(&identity{}).Error; err != nil {
			return fmt.Errorf("remove from %s: %w", of.table, err)
		}
	}
	return nil
}

// webhookUses counts webhooks by the key that sealed their secret.
func (d *DB) webhookUses(ctx context.Context, who auth.Principal, byKey map[uint32]FieldUse) error {
	rows, err := all[webhookRow](d.of(ctx, who, "webhooks"), "webhooks")
	for _, r := range rows {
		for _, stored := range [][]byte{r.Secret, r.OldSecret} {
			if len(stored) == 0 {
				continue
			}
			key, _ := seal.KeyOf(string(stored))
			use := byKey[key]
			use.Webhooks++
			use.samples = append(use.samples, sample{string(stored), webhookSecret(r.ClinicID, r.ID)})
			byKey[key] = use
		}
	}
	return err
}

// resealWebhooks goes through all webhooks, of which a clinic has a few.
func (d *DB) resealWebhooks(ctx context.Context, who auth.Principal, to *seal.Keys) (changed int, err error) {
	rows, err := all[webhookRow](d.of(ctx, who, "webhooks").Order("id"), "webhooks")
	if err != nil {
		return 0, err
	}
	other := DB{keys: to}
	for _, r := range rows {
		w, err := d.webhook(r)
		if err != nil {
			return 0, err
		}
		again, err := other.rowFromWebhook(r.ClinicID, w)
		if err != nil {
			return 0, err
		}
		if bytes.Equal(again.Secret, r.Secret) && bytes.Equal(again.OldSecret, r.OldSecret) {
			continue
		}
		changed++
		err = d.writing(ctx, who, "webhooks").Where("id = ?", r.ID).Updates(map[string]any{"secret": again.Secret, "old_secret": again.OldSecret}).Error
		if err != nil {
			return 0, fmt.Errorf("seal a webhook's secret anew: %w", err)
		}
	}
	return changed, nil
}

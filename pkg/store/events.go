package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
)

type eventRow struct {
	ClinicID uuid.UUID
	Seq      int64
	ID       uuid.UUID
	Type     string
	ClientID *uuid.UUID
	At       instant
	Data     document[map[string]string]
}

type eventHeadRow struct {
	ClinicID uuid.UUID
	Seq      int64
}

func rowFromEvent(clinic uuid.UUID, seq int64, e care.Event) eventRow {
	r := eventRow{ClinicID: clinic, Seq: seq, ID: e.ID, Type: string(e.Type), At: at(e.At), Data: document[map[string]string]{e.Data}}
	if e.Client != uuid.Nil {
		r.ClientID = &e.Client
	}
	return r
}

func eventFromRow(r eventRow) care.Event {
	return care.Event{Seq: r.Seq, ID: r.ID, Type: care.EventType(r.Type), At: r.At.Time, Client: idOf(r.ClientID), Data: r.Data.V}
}

// Events reads a page of the clinic's events behind a place.
func (d *DB) Events(ctx context.Context, who auth.Principal, after int64, types []care.EventType, limit int) ([]care.Event, error) {
	query := d.of(ctx, who, "events").Where("seq > ?", after)
	if who.Reach != auth.AllClients { // what is of no client is the clinic's
		query = query.Where("client_id IS NOT NULL")
	}
	if len(types) > 0 {
		query = query.Where("type IN ?", types)
	}
	rows, err := all[eventRow](query.Order("seq").Limit(limit), "events")
	return convert(rows, eventFromRow), err
}

// EventHead reads the place of the clinic's last event.
func (d *DB) EventHead(ctx context.Context, who auth.Principal) (int64, error) {
	rows, err := all[eventHeadRow](d.of(ctx, who, "event_heads"), "event head")
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	return rows[0].Seq, nil
}

// Emit adds events, which are stored with the transaction, behind all others of
// the clinic.
func (d *DB) Emit(events ...care.Event) { d.trail.events = append(d.trail.events, events...) }

// eventsAtOnce is how many rows one statement inserts: SQLite takes 32,766 values.
const eventsAtOnce = 4000

// storeEvents stores what was emitted. It is the last that a transaction does:
// the head of the clinic's events is held until the commit, so that whoever
// reads them in order never finds one that comes before what was read already.
func (d *DB) storeEvents(ctx context.Context, clinic uuid.UUID) error {
	events := d.trail.events
	if len(events) == 0 {
		return nil
	}
	who := auth.System(clinic)
	var last int64
	head := d.write.WithContext(ctx).Raw(`INSERT INTO event_heads (clinic_id, seq) VALUES (?, ?)
		ON CONFLICT (clinic_id) DO UPDATE SET seq = event_heads.seq + excluded.seq RETURNING seq`, clinic, len(events))
	if err := scanRows(head, "event head", func(r *sql.Rows) error { return r.Scan(&last) }); err != nil {
		return fmt.Errorf("number events: %w", err)
	}
	rows := make([]eventRow, len(events))
	for i, e := range events {
		rows[i] = rowFromEvent(clinic, last-int64(len(events))+int64(i)+1, e)
	}
	if err := d.inserting(ctx, who, "events").CreateInBatches(&rows, eventsAtOnce).Error; err != nil {
		return fmt.Errorf("insert events: %w", err)
	}
	return nil
}

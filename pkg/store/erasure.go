package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
)

type erasureRow struct {
	ClinicID uuid.UUID
	ClientID uuid.UUID
	ErasedAt instant
	ErasedBy uuid.UUID
	Reason   string
	Removed  document[map[string]int]
}

func rowFromErasure(clinic, client uuid.UUID, e care.Erasure) erasureRow {
	return erasureRow{
		ClinicID: clinic, ClientID: client, ErasedAt: at(e.ErasedAt), ErasedBy: e.ErasedBy,
		Reason: string(e.Reason), Removed: document[map[string]int]{e.Removed},
	}
}

func erasureFromRow(r erasureRow) care.Erasure {
	return care.Erasure{
		ClientID: r.ClientID, ErasedAt: r.ErasedAt.Time, ErasedBy: r.ErasedBy,
		Reason: care.ErasureReason(r.Reason), Removed: r.Removed.V,
	}
}

// Erasure tells of a client's erasure.
func (d *DB) Erasure(ctx context.Context, who auth.Principal, client uuid.UUID) (care.Erasure, error) {
	row, err := one[erasureRow](d.of(ctx, who, "erasures").Where("client_id = ?", client), "erasure")
	return erasureFromRow(row), err
}

// erased lists the tables of what a client's record holds, those that point to
// others first, each with the condition that finds its rows. What is not here
// holds nothing but ids: clients, erasures and the audit trail.
var erased = []struct{ table, condition string }{
	{"messages", "client_id IN @clients"},
	{"contacts", "client_id IN @clients"},
	{"deliveries", "client_id IN @clients"},
	{"events", "client_id IN @clients"},
	{"alert_steps", "client_id IN @clients"},
	{"alerts", "client_id IN @clients"},
	{"progress", "client_id IN @clients"},
	{"outlines", "client_id IN @clients"},
	{"assessment_versions", "client_id IN @clients"},
	{"assessments", "client_id IN @clients"},
	{"session_versions", "client_id IN @clients"},
	{"sessions", "client_id IN @clients"},
	{"course_versions", "client_id IN @clients"},
	{"courses", "client_id IN @clients"},
	{"client_versions", "id IN @clients"},
	{"consents", "client_id IN @clients"},
	{"corrections", "client_id IN @clients"},
	{"client_tokens", "client_id IN @clients"},
	{"care_team", "client_id IN @clients"},
	{"merges", "(survivor IN @clients OR duplicate IN @clients)"},
}

// Erase removes everything of the clients but their ids.
func (d *DB) Erase(ctx context.Context, who auth.Principal, clients []uuid.UUID, e care.Erasure) (map[string]int, error) {
	marked := d.writing(ctx, who, "clients").Where("id IN ? AND erased_at IS NULL", clients).
		Updates(map[string]any{"erased_at": at(e.ErasedAt)})
	if marked.Error != nil {
		return nil, fmt.Errorf("mark erased clients: %w", marked.Error)
	}
	if marked.RowsAffected != int64(len(clients)) {
		return nil, fault.New(fault.NotFound, "There is no such client.")
	}
	clear(d.people)
	for _, client := range clients {
		delete(d.touched, client)
	}
	e.Removed = make(map[string]int, len(erased))
	for _, of := range erased {
		gone := d.writing(ctx, who, of.table).Where(of.condition, sql.Named("clients", clients)).Delete(&identity{})
		if gone.Error != nil {
			return nil, fmt.Errorf("erase %s: %w", of.table, gone.Error)
		}
		e.Removed[of.table] = int(gone.RowsAffected)
	}
	rows := make([]erasureRow, len(clients))
	for i, client := range clients {
		rows[i] = rowFromErasure(who.Clinic, client, e)
	}
	if err := d.inserting(ctx, who, "erasures").Create(&rows).Error; err != nil {
		return nil, fmt.Errorf("insert erasures: %w", err)
	}
	return e.Removed, nil
}

// Scrub empties the log of what was removed.
func (d *DB) Scrub(ctx context.Context) (bool, error) {
	writer, err := d.write.DB()
	if err != nil {
		return false, err
	}
	return d.dialect.scrub(ctx, writer)
}

// The writer is busy while it waits for readers to let go of the log, so it
// waits a short while, a few times.
const (
	scrubAttempts = 5
	scrubPatience = 100 // milliseconds
)

// emptyLog writes SQLite's log back into its file and cuts it to nothing.
// Removed rows are overwritten where they stood: secure_delete is on.
func emptyLog(ctx context.Context, writer *sql.DB) (clean bool, err error) {
	c, err := writer.Conn(ctx)
	if err != nil {
		return false, err
	}
	defer func() { _ = c.Close() }()
	if _, err := c.ExecContext(ctx, fmt.Sprintf("PRAGMA busy_timeout = %d", scrubPatience)); err != nil {
		return false, err
	}
	defer func() {
		patience := pragmas(false)[0]
		_, e := c.ExecContext(context.WithoutCancel(ctx), "PRAGMA "+patience.name+" = "+patience.set)
		if err == nil {
			err = e
		}
	}()
	for attempt := 1; ; attempt++ {
		var busy, frames, done int
		if err := c.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &done); err != nil {
			return false, fmt.Errorf("empty the log: %w", err)
		}
		if busy == 0 || attempt == scrubAttempts {
			return busy == 0, nil
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-time.After(scrubPatience * time.Millisecond):
		}
	}
}

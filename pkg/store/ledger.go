package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
)

var _ audit.Ledger = (*DB)(nil)

type sealedRow struct {
	EntryColumns
	Seq  *int64
	Hash []byte
}

func entryFromRow(r EntryColumns) (audit.Entry, error) {
	details, err := audit.ParseDetails(r.Details)
	return audit.Entry{
		ID: r.ID, At: r.At.Time, Actor: r.Actor, ActorKind: r.ActorKind, Role: r.Role, Address: r.Address, Request: r.Request,
		Action: r.Action, Outcome: audit.Outcome(r.Outcome), Target: r.Target, TargetID: idOf(r.TargetID), Client: idOf(r.ClientID),
		Details: details,
	}, err
}

func idOf(id *uuid.UUID) uuid.UUID {
	if id == nil {
		return uuid.Nil
	}
	return *id
}

type chainHeadRow struct {
	ClinicID uuid.UUID
	Seq      int64
	Hash     []byte
	At       instant
}

func headFromRow(r chainHeadRow) audit.Head {
	h := audit.Head{Clinic: r.ClinicID, Seq: r.Seq, At: r.At.Time}
	copy(h.Hash[:], r.Hash)
	return h
}

type checkpointRow struct {
	ClinicID uuid.UUID
	Seq      int64
	At       instant
	Note     string
}

// Seal links the clinic's unsealed entries behind its head, which it holds
// meanwhile: two sealers take turns.
func (d *DB) Seal(ctx context.Context, clinic uuid.UUID, limit int, fn func(audit.Head, []audit.Entry) ([]audit.Sealed, audit.Head)) (n int, err error) {
	who := auth.System(clinic)
	if waiting, err := d.OldestUnsealed(ctx, clinic); err != nil || waiting == nil {
		return 0, err // without the writer, as nearly always
	}
	err = d.enter(ctx, clinic, nil, func(tx *DB) error {
		head, err := tx.holdHead(ctx, who)
		if err != nil {
			return err
		}
		rows, err := all[entryRow](tx.of(ctx, who, "audit_entries").Where("seq IS NULL").Order("at, id").Limit(limit), "audit entries")
		if n = len(rows); err != nil || n == 0 {
			return err
		}
		entries := make([]audit.Entry, n)
		for i, r := range rows {
			if entries[i], err = entryFromRow(r.EntryColumns); err != nil {
				return fmt.Errorf("entry %s: %w", r.ID, err)
			}
		}
		sealed, head := fn(head, entries)
		if err := tx.place(ctx, who, sealed); err != nil {
			return err
		}
		return tx.writing(ctx, who, "audit_heads").Where("1 = 1").
			Updates(map[string]any{"seq": head.Seq, "hash": head.Hash[:], "at": at(head.At)}).Error
	})
	if err != nil {
		return 0, fmt.Errorf("seal audit entries: %w", err)
	}
	return n, nil
}

// place gives entries their places, all in one statement: one by one they would
// hold up a clinic's writers for much longer. The entries are there; should one
// have been removed meanwhile, it is put back as it was.
func (d *DB) place(ctx context.Context, who auth.Principal, sealed []audit.Sealed) error {
	rows := convert(sealed, func(s audit.Sealed) sealedRow {
		return sealedRow{rowFromEntry(who.Clinic, s.Entry).EntryColumns, &s.Seq, s.Hash[:]}
	})
	return d.inserting(ctx, who, "audit_entries").Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "clinic_id"}, {Name: "id"}},
		DoUpdates: clause.AssignmentColumns([]string{"seq", "hash"}),
	}).CreateInBatches(&rows, chunk).Error
}

// holdHead reads the head and keeps others from it; the first time it makes one.
func (d *DB) holdHead(ctx context.Context, who auth.Principal) (audit.Head, error) {
	first := chainHeadRow{ClinicID: who.Clinic, Hash: make([]byte, 32)}
	if err := d.inserting(ctx, who, "audit_heads").Clauses(clause.OnConflict{DoNothing: true}).Create(&first).Error; err != nil {
		return audit.Head{}, err
	}
	row, err := one[chainHeadRow](d.dialect.lock(d.of(ctx, who, "audit_heads")), "audit head")
	return headFromRow(row), err
}

// OldestUnsealed gives the time of the oldest entry that has no place in the
// chain; nil: there is none.
func (d *DB) OldestUnsealed(ctx context.Context, clinic uuid.UUID) (oldest *time.Time, err error) {
	err = d.inClinic(ctx, clinic, func(tx *DB) (err error) {
		oldest, err = tx.oldestUnsealed(ctx, clinic)
		return err
	})
	return oldest, err
}

func (d *DB) oldestUnsealed(ctx context.Context, clinic uuid.UUID) (*time.Time, error) {
	rows, err := all[entryRow](d.of(ctx, auth.System(clinic), "audit_entries").Where("seq IS NULL").Order("at, id").Limit(1), "audit entries")
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0].At.Time, nil
}

// Head gives the end of the clinic's chain.
func (d *DB) Head(ctx context.Context, clinic uuid.UUID) (head audit.Head, err error) {
	err = d.inClinic(ctx, clinic, func(tx *DB) (err error) {
		head, err = tx.head(ctx, clinic)
		return err
	})
	return head, err
}

func (d *DB) head(ctx context.Context, clinic uuid.UUID) (audit.Head, error) {
	rows, err := all[chainHeadRow](d.of(ctx, auth.System(clinic), "audit_heads"), "audit head")
	if err != nil || len(rows) == 0 {
		return audit.Head{Clinic: clinic}, err
	}
	return headFromRow(rows[0]), nil
}

// PutCheckpoint stores a signed checkpoint; one that is there stays.
func (d *DB) PutCheckpoint(ctx context.Context, clinic uuid.UUID, seq int64, when time.Time, text string) error {
	row := checkpointRow{ClinicID: clinic, Seq: seq, At: at(when), Note: text}
	err := d.enter(ctx, clinic, nil, func(tx *DB) error {
		return tx.inserting(ctx, auth.System(clinic), "audit_checkpoints").Clauses(clause.OnConflict{DoNothing: true}).Create(&row).Error
	})
	if err != nil {
		return fmt.Errorf("store checkpoint: %w", err)
	}
	return nil
}

// LastCheckpoint gives the highest number that a checkpoint is stored for.
func (d *DB) LastCheckpoint(ctx context.Context, clinic uuid.UUID) (seq int64, when time.Time, err error) {
	err = d.inClinic(ctx, clinic, func(tx *DB) error {
		rows, err := all[checkpointRow](tx.of(ctx, auth.System(clinic), "audit_checkpoints").Order("seq DESC").Limit(1), "checkpoints")
		if len(rows) > 0 {
			seq, when = rows[0].Seq, rows[0].At.Time
		}
		return err
	})
	return seq, when, err
}

// Chain is a clinic's audit trail as it is stored, to be verified or exported.
type Chain struct {
	Head        audit.Head
	Checkpoints []string
	Unsealed    int
	Oldest      *time.Time // of the unsealed ones
	// Entries are the sealed ones by number, with their clients. One that
	// cannot be read any more comes with audit.ErrUnreadable.
	Entries iter.Seq2[audit.Sealed, error]
}

// Chain hands fn a clinic's audit trail, all of one moment. Entries are read
// page by page while fn runs.
func (d *DB) Chain(ctx context.Context, clinic uuid.UUID, fn func(Chain) error) error {
	who := auth.System(clinic)
	return d.inClinic(ctx, clinic, func(tx *DB) error {
		head, err := tx.head(ctx, clinic)
		if err != nil {
			return err
		}
		notes, err := all[checkpointRow](tx.of(ctx, who, "audit_checkpoints").Order("seq"), "checkpoints")
		if err != nil {
			return err
		}
		oldest, err := tx.oldestUnsealed(ctx, clinic)
		if err != nil {
			return err
		}
		var unsealed int64
		if err := tx.of(ctx, who, "audit_entries").Where("seq IS NULL").Count(&unsealed).Error; err != nil {
			return fmt.Errorf("count audit entries: %w", err)
		}
		c := Chain{Head: head, Unsealed: int(unsealed), Oldest: oldest, Checkpoints: convert(notes, func(r checkpointRow) string { return r.Note })}
		c.Entries = func(yield func(audit.Sealed, error) bool) { tx.eachSealed(ctx, who, yield) }
		return fn(c)
	})
}

// eachSealed reads the chain in pages, in the order of its numbers and, where a
// number stands twice because somebody dropped the index, of the ids. It begins
// below the first number: what was given one that no entry has is shown too.
func (d *DB) eachSealed(ctx context.Context, who auth.Principal, yield func(audit.Sealed, error) bool) {
	seq, id := int64(math.MinInt64), uuid.Nil
	for {
		rows, err := all[sealedRow](d.of(ctx, who, "audit_entries").Where("seq IS NOT NULL AND (seq, id) > (?, ?)", seq, id).
			Order("seq, id").Limit(chunk), "audit entries")
		if err == nil && len(rows) > 0 {
			err = d.withClients(ctx, who, rows, func(s audit.Sealed, err error) bool {
				seq, id = s.Seq, s.ID
				return yield(s, err)
			})
		}
		if err != nil {
			if err != errStopped { //nolint:errorlint // our own, never wrapped
				yield(audit.Sealed{}, err)
			}
			return
		}
		if len(rows) < chunk {
			return
		}
	}
}

var errStopped = errors.New("the reader wants no more")

// withClients reads the clients of every entry, also of those that should have
// none: what was put beside them is to be seen.
func (d *DB) withClients(ctx context.Context, who auth.Principal, rows []sealedRow, yield func(audit.Sealed, error) bool) error {
	ids := convert(rows, func(r sealedRow) uuid.UUID { return r.ID })
	subjects, err := all[subjectRow](d.of(ctx, who, "audit_subjects").Where("entry_id IN ?", ids).Order("entry_id, client_id"), "audit subjects")
	if err != nil {
		return err
	}
	clients := map[uuid.UUID][]uuid.UUID{}
	for _, s := range subjects {
		clients[s.EntryID] = append(clients[s.EntryID], s.ClientID)
	}
	wrong, err := d.dialect.misspelt(d.read.WithContext(ctx), who.Clinic, rows)
	if err != nil {
		return err
	}
	for _, r := range rows {
		entry, err := entryFromRow(r.EntryColumns)
		if err == nil && slices.Contains(wrong, r.ID) {
			err = fmt.Errorf("audit entry %s: %w: an id is written otherwise", r.ID, audit.ErrUnreadable)
		}
		entry.Clients = clients[r.ID]
		s := audit.Sealed{Entry: entry, Seq: *r.Seq}
		copy(s.Hash[:], r.Hash)
		if !yield(s, err) {
			return errStopped
		}
	}
	return nil
}

// misspeltInSQLite finds entries with an id that reads as the one that was
// written and is another text: in capitals, without hyphens, or of zeros where
// there was none. The rows of their clients count as well.
func misspeltInSQLite(tx *gorm.DB, clinic uuid.UUID, entries []sealedRow) ([]uuid.UUID, error) {
	const zeros = "00000000-0000-0000-0000-000000000000"
	other := func(column string) string {
		return fmt.Sprintf("%[1]s <> lower(%[1]s) OR length(%[1]s) <> 36 OR %[1]s = '%[2]s'", column, zeros)
	}
	rows, err := all[identity](tx.Table("audit_entries").Select("id").
		Where("clinic_id = ? AND seq IN ?", clinic, convert(entries, func(r sealedRow) int64 { return *r.Seq })).
		Where(other("id")+" OR "+other("actor")+" OR "+other("target_id")+" OR "+other("client_id")), "audit entries")
	if err != nil {
		return nil, err
	}
	subjects, err := all[subjectRow](tx.Table("audit_subjects").Select("entry_id").
		Where("clinic_id = ? AND entry_id IN ?", clinic, convert(entries, func(r sealedRow) uuid.UUID { return r.ID })).
		Where(other("client_id")+" OR "+other("entry_id")), "audit subjects")
	if err != nil {
		return nil, err
	}
	out := convert(rows, func(r identity) uuid.UUID { return r.ID })
	return append(out, convert(subjects, func(r subjectRow) uuid.UUID { return r.EntryID })...), nil
}

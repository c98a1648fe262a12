package store

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/research"
)

// trail is what a transaction is to be remembered by.
type trail struct {
	entries []audit.Entry
	changed bool // a row of the clinic's was changed
	events  []care.Event
}

// Note adds entries to the audit trail. They are stored with the transaction,
// or before what was read is handed on; if they cannot be, nothing is.
func (d *DB) Note(entries ...audit.Entry) { d.trail.entries = append(d.trail.entries, entries...) }

var (
	errNoClinic  = fault.New(fault.Unauthenticated, "A key is needed.")
	errUnaudited = errors.New("a transaction changed the clinic's data and left no entry in the audit trail")
)

// Read runs fn on one snapshot of the clinic's record. What fn notes is stored
// before Read returns; on SQLite by the writer, so that reading never waits.
func (d *DB) Read(ctx context.Context, who auth.Principal, fn func(care.Reader) error) error {
	if who.Clinic == uuid.Nil {
		return errNoClinic
	}
	var tx *DB
	err := d.read.WithContext(ctx).Transaction(func(g *gorm.DB) error {
		tx = d.on(g)
		if err := d.dialect.enter(g, who.Clinic, nil); err != nil {
			return err
		}
		if err := fn(tx); err != nil || d.read != d.write {
			return err
		}
		return tx.storeTrail(ctx, who.Clinic)
	}, d.dialect.snapshot)
	if err != nil || d.read == d.write || len(tx.trail.entries) == 0 {
		return err
	}
	return d.transaction(ctx, who.Clinic, func(w *DB) error {
		w.Note(tx.trail.entries...)
		return nil
	})
}

// Write runs fn in one transaction. Where the database asks for it, because
// two transactions met, it is rolled back and run again, a few times. A change
// that fn does not note is refused: the audit trail has no gaps.
func (d *DB) Write(ctx context.Context, who auth.Principal, fn func(care.Tx) error) error {
	return d.transaction(ctx, who.Clinic, func(tx *DB) error { return fn(tx) })
}

// Manage is Write for keys, accounts and tokens.
func (d *DB) Manage(ctx context.Context, who auth.Principal, fn func(auth.Tx) error) error {
	return d.transaction(ctx, who.Clinic, func(tx *DB) error { return fn(tx) })
}

// noClinic is the clinic of a transaction that looks for one: it has no rows.
var noClinic = uuid.Nil

const attempts = 4

func (d *DB) transaction(ctx context.Context, clinic uuid.UUID, fn func(*DB) error) error {
	if clinic == uuid.Nil {
		return errNoClinic
	}
	return d.enter(ctx, clinic, nil, func(tx *DB) error {
		if err := fn(tx); err != nil {
			return err
		}
		if tx.trail.changed && len(tx.trail.entries) == 0 {
			return errUnaudited
		}
		if err := tx.outline(ctx, clinic); err != nil {
			return err
		}
		if err := tx.storeTrail(ctx, clinic); err != nil {
			return err
		}
		return tx.storeEvents(ctx, clinic)
	})
}

// shown looks for a credential of any clinic by its hash: on PostgreSQL that
// transaction sees the credential's own row and no other.
func (d *DB) shown(ctx context.Context, hash []byte, fn func(*DB) error) error {
	return d.read.WithContext(ctx).Transaction(func(g *gorm.DB) error {
		if err := d.dialect.enter(g, noClinic, hash); err != nil {
			return err
		}
		return fn(d.on(g))
	})
}

// inClinic reads a snapshot of what is no client's, and leaves no entry.
func (d *DB) inClinic(ctx context.Context, clinic uuid.UUID, fn func(*DB) error) error {
	return d.read.WithContext(ctx).Transaction(func(g *gorm.DB) error {
		if err := d.dialect.enter(g, clinic, nil); err != nil {
			return err
		}
		return fn(d.on(g))
	}, d.dialect.snapshot)
}

// enter begins a transaction of a clinic, and again if the database asks for
// that. With no clinic only the rows of no clinic, and of the credential, are seen.
func (d *DB) enter(ctx context.Context, clinic uuid.UUID, credential []byte, fn func(*DB) error) error {
	for attempt := 1; ; attempt++ {
		err := d.write.WithContext(ctx).Transaction(func(g *gorm.DB) error {
			if err := d.dialect.enter(g, clinic, credential); err != nil {
				return err
			}
			return fn(d.on(g))
		})
		if err == nil || attempt == attempts || !d.dialect.retryable(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(time.Duration(attempt) * time.Duration(5+rand.IntN(10)) * time.Millisecond): //nolint:gosec // jitter needs no secrecy
		}
	}
}

// on is the database inside a transaction, or on one pool of it.
func (d *DB) on(g *gorm.DB) *DB {
	return &DB{read: g, write: g, dialect: d.dialect, keys: d.keys, trail: &trail{}, touched: touched{}, people: people{}}
}

// of starts every statement on a clinic's data.
func (d *DB) of(ctx context.Context, who auth.Principal, table string) *gorm.DB {
	return d.within(ctx, who, table, table)
}

// within is of for a join, in which the clinic's table has an alias.
func (d *DB) within(ctx context.Context, who auth.Principal, table, alias string) *gorm.DB {
	clinic, from := "clinic_id", table
	if alias != table {
		clinic, from = alias+"."+clinic, table+" AS "+alias
	}
	db := d.read.WithContext(ctx).Table(from).Where(clinic+" = ?", who.Clinic)
	if who.Clinic == uuid.Nil {
		_ = db.AddError(errNoClinic)
	}
	return within(db, d.read.WithContext(ctx), who, table, alias)
}

// writing is of for changes: outside a transaction they need the writer.
func (d *DB) writing(ctx context.Context, who auth.Principal, table string) *gorm.DB {
	d.change()
	return d.on(d.write).of(ctx, who, table)
}

// inserting starts an insert; the rows carry the clinic.
func (d *DB) inserting(ctx context.Context, who auth.Principal, table string) *gorm.DB {
	d.change()
	return d.trying(ctx, who, table)
}

// trying is inserting where the rows may be there already; whoever inserts one
// calls change.
func (d *DB) trying(ctx context.Context, who auth.Principal, table string) *gorm.DB {
	db := d.write.WithContext(ctx).Table(table)
	if who.Clinic == uuid.Nil {
		_ = db.AddError(errNoClinic)
	}
	return db
}

// change marks the transaction as one that must leave an entry.
func (d *DB) change() {
	if d.trail != nil {
		d.trail.changed = true
	}
}

// Study runs fn on one snapshot of the clinic's record, for as long as fn
// takes: an export is written from within. It leaves no entry.
func (d *DB) Study(ctx context.Context, who auth.Principal, fn func(research.Reader) error) error {
	if who.Clinic == uuid.Nil {
		return errNoClinic
	}
	return d.inClinic(ctx, who.Clinic, func(tx *DB) error { return fn(tx) })
}

// Conduct is Write for research.
func (d *DB) Conduct(ctx context.Context, who auth.Principal, fn func(research.Tx) error) error {
	return d.transaction(ctx, who.Clinic, func(tx *DB) error { return fn(tx) })
}

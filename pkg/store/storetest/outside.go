//go:build unix

package storetest

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/store"
)

// DB is a store as tests use it: each call of a reading method is a transaction
// of its own, and a change is noted in the audit trail by itself. The services
// under test get the store itself.
type DB struct{ *store.DB }

// Entry is an entry of the audit trail of something that a test did.
func Entry(who auth.Principal) audit.Entry {
	e := who.Did("test.act", "", uuid.Nil)
	e.ID, e.At = NewID(), When
	return e
}

// Write runs fn in a transaction that is noted.
func (d *DB) Write(ctx context.Context, who auth.Principal, fn func(care.Tx) error) error {
	return d.DB.Write(ctx, who, func(tx care.Tx) error {
		tx.Note(Entry(who))
		return fn(tx)
	})
}

// Manage runs fn in a transaction that is noted.
func (d *DB) Manage(ctx context.Context, who auth.Principal, fn func(auth.Tx) error) error {
	return d.DB.Manage(ctx, who, func(tx auth.Tx) error {
		tx.Note(Entry(who))
		return fn(tx)
	})
}

func look[T any](ctx context.Context, d *DB, who auth.Principal, fn func(care.Reader) (T, error)) (out T, err error) {
	err = d.Read(ctx, who, func(r care.Reader) (err error) {
		out, err = fn(r)
		return err
	})
	return out, err
}

func manage[T any](ctx context.Context, d *DB, who auth.Principal, fn func(auth.Tx) (T, error)) (out T, err error) {
	err = d.Manage(ctx, who, func(tx auth.Tx) (err error) {
		out, err = fn(tx)
		return err
	})
	return out, err
}

type versionPair[T any] struct{ current, original T }

func bothOf[T any](current, original T, err error) (versionPair[T], error) {
	return versionPair[T]{current, original}, err
}

// Client is that of the store, in a transaction of its own.
func (d *DB) Client(ctx context.Context, who auth.Principal, id uuid.UUID) (care.Client, error) {
	return look(ctx, d, who, func(r care.Reader) (care.Client, error) { return r.Client(ctx, who, id) })
}

// ClientHistory is that of the store, in a transaction of its own.
func (d *DB) ClientHistory(ctx context.Context, who auth.Principal, id uuid.UUID) (current, original care.Client, err error) {
	p, err := look(ctx, d, who, func(r care.Reader) (versionPair[care.Client], error) { return bothOf(r.ClientHistory(ctx, who, id)) })
	return p.current, p.original, err
}

// Clients is that of the store, in a transaction of its own.
func (d *DB) Clients(ctx context.Context, who auth.Principal, page care.Page) ([]care.Client, error) {
	return look(ctx, d, who, func(r care.Reader) ([]care.Client, error) { return r.Clients(ctx, who, page) })
}

// Course is that of the store, in a transaction of its own.
func (d *DB) Course(ctx context.Context, who auth.Principal, id uuid.UUID) (care.Course, error) {
	return look(ctx, d, who, func(r care.Reader) (care.Course, error) { return r.Course(ctx, who, id) })
}

// CourseHistory is that of the store, in a transaction of its own.
func (d *DB) CourseHistory(ctx context.Context, who auth.Principal, id uuid.UUID) (current, original care.Course, err error) {
	p, err := look(ctx, d, who, func(r care.Reader) (versionPair[care.Course], error) { return bothOf(r.CourseHistory(ctx, who, id)) })
	return p.current, p.original, err
}

// Courses is that of the store, in a transaction of its own.
func (d *DB) Courses(ctx context.Context, who auth.Principal, client uuid.UUID, page care.Page) ([]care.Course, error) {
	return look(ctx, d, who, func(r care.Reader) ([]care.Course, error) { return r.Courses(ctx, who, client, page) })
}

// CoursesAt is that of the store, in a transaction of its own.
func (d *DB) CoursesAt(ctx context.Context, who auth.Principal, client uuid.UUID, asOf *time.Time) ([]care.Course, error) {
	return look(ctx, d, who, func(r care.Reader) ([]care.Course, error) { return r.CoursesAt(ctx, who, client, asOf) })
}

// Session is that of the store, in a transaction of its own.
func (d *DB) Session(ctx context.Context, who auth.Principal, id uuid.UUID) (care.Session, error) {
	return look(ctx, d, who, func(r care.Reader) (care.Session, error) { return r.Session(ctx, who, id) })
}

// SessionHistory is that of the store, in a transaction of its own.
func (d *DB) SessionHistory(ctx context.Context, who auth.Principal, id uuid.UUID) (current, original care.Session, err error) {
	p, err := look(ctx, d, who, func(r care.Reader) (versionPair[care.Session], error) { return bothOf(r.SessionHistory(ctx, who, id)) })
	return p.current, p.original, err
}

// Sessions is that of the store, in a transaction of its own.
func (d *DB) Sessions(ctx context.Context, who auth.Principal, client uuid.UUID, asOf *time.Time) ([]care.Session, error) {
	return look(ctx, d, who, func(r care.Reader) ([]care.Session, error) { return r.Sessions(ctx, who, client, asOf) })
}

// SessionClients is that of the store, in a transaction of its own.
func (d *DB) SessionClients(ctx context.Context, who auth.Principal, ids []uuid.UUID) (map[uuid.UUID]uuid.UUID, error) {
	return look(ctx, d, who, func(r care.Reader) (map[uuid.UUID]uuid.UUID, error) { return r.SessionClients(ctx, who, ids) })
}

// Assessment is that of the store, in a transaction of its own.
func (d *DB) Assessment(ctx context.Context, who auth.Principal, id uuid.UUID) (care.Assessment, error) {
	return look(ctx, d, who, func(r care.Reader) (care.Assessment, error) { return r.Assessment(ctx, who, id) })
}

// AssessmentHistories is that of the store, in a transaction of its own.
func (d *DB) AssessmentHistories(ctx context.Context, who auth.Principal, ids []uuid.UUID) (map[uuid.UUID]care.History, error) {
	return look(ctx, d, who, func(r care.Reader) (map[uuid.UUID]care.History, error) { return r.AssessmentHistories(ctx, who, ids) })
}

// Assessments is that of the store, in a transaction of its own.
func (d *DB) Assessments(ctx context.Context, who auth.Principal, client uuid.UUID, filter care.AssessmentFilter, page care.Page) ([]care.Assessment, error) {
	return look(ctx, d, who, func(r care.Reader) ([]care.Assessment, error) { return r.Assessments(ctx, who, client, filter, page) })
}

// AssessmentVersions is that of the store, in a transaction of its own.
func (d *DB) AssessmentVersions(ctx context.Context, who auth.Principal, id uuid.UUID, page care.Page) ([]care.Assessment, error) {
	return look(ctx, d, who, func(r care.Reader) ([]care.Assessment, error) { return r.AssessmentVersions(ctx, who, id, page) })
}

// Points is that of the store, in a transaction of its own.
func (d *DB) Points(ctx context.Context, who auth.Principal, clients []uuid.UUID, instruments []string, asOf *time.Time) ([]care.Point, error) {
	return look(ctx, d, who, func(r care.Reader) ([]care.Point, error) { return r.Points(ctx, who, clients, instruments, asOf) })
}

// Person is that of the store, in a transaction of its own.
func (d *DB) Person(ctx context.Context, who auth.Principal, client uuid.UUID) ([]care.Standing, error) {
	return look(ctx, d, who, func(r care.Reader) ([]care.Standing, error) { return r.Person(ctx, who, client) })
}

// Entries is that of the store, in a transaction of its own.
func (d *DB) Entries(ctx context.Context, who auth.Principal, filter care.EntryFilter, page care.Page) ([]care.TrailEntry, error) {
	return look(ctx, d, who, func(r care.Reader) ([]care.TrailEntry, error) { return r.Entries(ctx, who, filter, page) })
}

// Merge is that of the store, in a transaction of its own.
func (d *DB) Merge(ctx context.Context, who auth.Principal, id uuid.UUID) (care.Merge, error) {
	return look(ctx, d, who, func(r care.Reader) (care.Merge, error) { return r.Merge(ctx, who, id) })
}

// Merges is that of the store, in a transaction of its own.
func (d *DB) Merges(ctx context.Context, who auth.Principal, client uuid.UUID, page care.Page) ([]care.Merge, error) {
	return look(ctx, d, who, func(r care.Reader) ([]care.Merge, error) { return r.Merges(ctx, who, client, page) })
}

// RecordOf is that of the store, in a transaction of its own.
func (d *DB) RecordOf(ctx context.Context, who auth.Principal, client uuid.UUID) (care.Record, error) {
	return look(ctx, d, who, func(r care.Reader) (care.Record, error) { return r.RecordOf(ctx, who, client) })
}

// Erasure is that of the store, in a transaction of its own.
func (d *DB) Erasure(ctx context.Context, who auth.Principal, client uuid.UUID) (care.Erasure, error) {
	return look(ctx, d, who, func(r care.Reader) (care.Erasure, error) { return r.Erasure(ctx, who, client) })
}

// Settings is that of the store, in a transaction of its own.
func (d *DB) Settings(ctx context.Context, who auth.Principal) (care.Settings, error) {
	return look(ctx, d, who, func(r care.Reader) (care.Settings, error) { return r.Settings(ctx, who) })
}

// Caseload is that of the store, in a transaction of its own.
func (d *DB) Caseload(ctx context.Context, who auth.Principal, query care.CaseloadQuery, page care.Page) ([]care.Case, error) {
	return look(ctx, d, who, func(r care.Reader) ([]care.Case, error) { return r.Caseload(ctx, who, query, page) })
}

// Keys is that of the store, in a transaction of its own.
func (d *DB) Keys(ctx context.Context, who auth.Principal, after uuid.UUID, limit int) ([]auth.Key, error) {
	return manage(ctx, d, who, func(tx auth.Tx) ([]auth.Key, error) { return tx.Keys(ctx, who, after, limit) })
}

// Key is that of the store, in a transaction of its own.
func (d *DB) Key(ctx context.Context, who auth.Principal, id uuid.UUID) (auth.Key, error) {
	return manage(ctx, d, who, func(tx auth.Tx) (auth.Key, error) { return tx.Key(ctx, who, id) })
}

// CreateKey is that of the store, in a transaction of its own.
func (d *DB) CreateKey(ctx context.Context, who auth.Principal, k auth.Key, hash []byte) error {
	return d.Manage(ctx, who, func(tx auth.Tx) error { return tx.CreateKey(ctx, who, k, hash) })
}

// EndKey is that of the store, in a transaction of its own.
func (d *DB) EndKey(ctx context.Context, who auth.Principal, k auth.Key) error {
	return d.Manage(ctx, who, func(tx auth.Tx) error { return tx.EndKey(ctx, who, k) })
}

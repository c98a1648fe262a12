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
	e.ID, e.At = NewID(), stored(When)
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

// Consent is that of the store, in a transaction of its own.
func (d *DB) Consent(ctx context.Context, who auth.Principal, id uuid.UUID) (care.Consent, error) {
	return look(ctx, d, who, func(r care.Reader) (care.Consent, error) { return r.Consent(ctx, who, id) })
}

// ConsentList is that of the store, in a transaction of its own.
func (d *DB) ConsentList(ctx context.Context, who auth.Principal, client uuid.UUID, page care.Page) ([]care.Consent, error) {
	return look(ctx, d, who, func(r care.Reader) ([]care.Consent, error) { return r.ConsentList(ctx, who, client, page) })
}

// Consents is that of the store, in a transaction of its own.
func (d *DB) Consents(ctx context.Context, who auth.Principal, clients []uuid.UUID, at time.Time) (map[uuid.UUID]care.Consents, error) {
	return look(ctx, d, who, func(r care.Reader) (map[uuid.UUID]care.Consents, error) { return r.Consents(ctx, who, clients, at) })
}

// Correction is that of the store, in a transaction of its own.
func (d *DB) Correction(ctx context.Context, who auth.Principal, id uuid.UUID) (care.Correction, error) {
	return look(ctx, d, who, func(r care.Reader) (care.Correction, error) { return r.Correction(ctx, who, id) })
}

// Corrections is that of the store, in a transaction of its own.
func (d *DB) Corrections(ctx context.Context, who auth.Principal, client uuid.UUID, page care.Page) ([]care.Correction, error) {
	return look(ctx, d, who, func(r care.Reader) ([]care.Correction, error) { return r.Corrections(ctx, who, client, page) })
}

// Team is that of the store, in a transaction of its own.
func (d *DB) Team(ctx context.Context, who auth.Principal, client uuid.UUID) ([]care.Membership, error) {
	return look(ctx, d, who, func(r care.Reader) ([]care.Membership, error) { return r.Team(ctx, who, client) })
}

// HasMember is that of the store, in a transaction of its own.
func (d *DB) HasMember(ctx context.Context, who auth.Principal, id uuid.UUID) (bool, error) {
	return look(ctx, d, who, func(r care.Reader) (bool, error) { return r.HasMember(ctx, who, id) })
}

// ClinicSettings is that of the store, in a transaction of its own.
func (d *DB) ClinicSettings(ctx context.Context, who auth.Principal) (care.ClinicSettings, error) {
	return look(ctx, d, who, func(r care.Reader) (care.ClinicSettings, error) { return r.ClinicSettings(ctx, who) })
}

// Subject is that of the store, in a transaction of its own.
func (d *DB) Subject(ctx context.Context, who auth.Principal, client uuid.UUID, now time.Time) (auth.Subject, error) {
	return manage(ctx, d, who, func(tx auth.Tx) (auth.Subject, error) { return tx.Subject(ctx, who, client, now) })
}

// CreateToken is that of the store, in a transaction of its own.
func (d *DB) CreateToken(ctx context.Context, who auth.Principal, t auth.Token, hash []byte) error {
	return d.Manage(ctx, who, func(tx auth.Tx) error { return tx.CreateToken(ctx, who, t, hash) })
}

// Tokens is that of the store, in a transaction of its own.
func (d *DB) Tokens(ctx context.Context, who auth.Principal, client, after uuid.UUID, limit int) ([]auth.Token, error) {
	return manage(ctx, d, who, func(tx auth.Tx) ([]auth.Token, error) { return tx.Tokens(ctx, who, client, after, limit) })
}

// Token is that of the store, in a transaction of its own.
func (d *DB) Token(ctx context.Context, who auth.Principal, id uuid.UUID) (auth.Token, error) {
	return manage(ctx, d, who, func(tx auth.Tx) (auth.Token, error) { return tx.Token(ctx, who, id) })
}

// RevokeToken is that of the store, in a transaction of its own.
func (d *DB) RevokeToken(ctx context.Context, who auth.Principal, t auth.Token) error {
	return d.Manage(ctx, who, func(tx auth.Tx) error { return tx.RevokeToken(ctx, who, t) })
}

// HoldAccounts is that of the store, in a transaction of its own.
func (d *DB) HoldAccounts(ctx context.Context, who auth.Principal) error {
	return d.Manage(ctx, who, func(tx auth.Tx) error { return tx.HoldAccounts(ctx, who) })
}

// Accounts is that of the store, in a transaction of its own.
func (d *DB) Accounts(ctx context.Context, who auth.Principal, after uuid.UUID, limit int) ([]auth.Account, error) {
	return manage(ctx, d, who, func(tx auth.Tx) ([]auth.Account, error) { return tx.Accounts(ctx, who, after, limit) })
}

// Owners is that of the store, in a transaction of its own.
func (d *DB) Owners(ctx context.Context, who auth.Principal) ([]uuid.UUID, error) {
	return manage(ctx, d, who, func(tx auth.Tx) ([]uuid.UUID, error) { return tx.Owners(ctx, who) })
}

type provenAccount struct {
	account auth.Account
	proofs  auth.Proofs
}

func bothProven(a auth.Account, p auth.Proofs, err error) (provenAccount, error) {
	return provenAccount{a, p}, err
}

// Account is that of the store, in a transaction of its own.
func (d *DB) Account(ctx context.Context, who auth.Principal, id uuid.UUID) (auth.Account, auth.Proofs, error) {
	p, err := manage(ctx, d, who, func(tx auth.Tx) (provenAccount, error) { return bothProven(tx.Account(ctx, who, id)) })
	return p.account, p.proofs, err
}

// AccountByEmail is that of the store, in a transaction of its own.
func (d *DB) AccountByEmail(ctx context.Context, who auth.Principal, emailKey string) (auth.Account, auth.Proofs, error) {
	p, err := manage(ctx, d, who, func(tx auth.Tx) (provenAccount, error) { return bothProven(tx.AccountByEmail(ctx, who, emailKey)) })
	return p.account, p.proofs, err
}

// AccountBySubject is that of the store, in a transaction of its own.
func (d *DB) AccountBySubject(ctx context.Context, who auth.Principal, issuer, subject string) (auth.Account, auth.Proofs, error) {
	p, err := manage(ctx, d, who, func(tx auth.Tx) (provenAccount, error) {
		return bothProven(tx.AccountBySubject(ctx, who, issuer, subject))
	})
	return p.account, p.proofs, err
}

// CreateAccount is that of the store, in a transaction of its own.
func (d *DB) CreateAccount(ctx context.Context, who auth.Principal, a auth.Account, p auth.Proofs) error {
	return d.Manage(ctx, who, func(tx auth.Tx) error { return tx.CreateAccount(ctx, who, a, p) })
}

// PutAccount is that of the store, in a transaction of its own.
func (d *DB) PutAccount(ctx context.Context, who auth.Principal, a auth.Account, p auth.Proofs) error {
	return d.Manage(ctx, who, func(tx auth.Tx) error { return tx.PutAccount(ctx, who, a, p) })
}

// PutRecoveryCodes is that of the store, in a transaction of its own.
func (d *DB) PutRecoveryCodes(ctx context.Context, who auth.Principal, account uuid.UUID, hashes [][]byte) error {
	return d.Manage(ctx, who, func(tx auth.Tx) error { return tx.PutRecoveryCodes(ctx, who, account, hashes) })
}

// TakeRecoveryCode is that of the store, in a transaction of its own.
func (d *DB) TakeRecoveryCode(ctx context.Context, who auth.Principal, account uuid.UUID, hash []byte) (bool, error) {
	return manage(ctx, d, who, func(tx auth.Tx) (bool, error) { return tx.TakeRecoveryCode(ctx, who, account, hash) })
}

// Guess is that of the store, in a transaction of its own.
func (d *DB) Guess(ctx context.Context, who auth.Principal, on auth.GuessedAt, fn func(pair, strangers *auth.Guesses) error) error {
	return d.Manage(ctx, who, func(tx auth.Tx) error { return tx.Guess(ctx, who, on, fn) })
}

//go:build unix

package storetest

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
)

// ClientsOf is that of the store, in a transaction of its own.
func (d *DB) ClientsOf(ctx context.Context, who auth.Principal, ids []uuid.UUID) (map[uuid.UUID]care.Client, error) {
	return look(ctx, d, who, func(r care.Reader) (map[uuid.UUID]care.Client, error) { return r.ClientsOf(ctx, who, ids) })
}

// SessionsOf is that of the store, in a transaction of its own.
func (d *DB) SessionsOf(ctx context.Context, who auth.Principal, clients []uuid.UUID) ([]care.Session, error) {
	return look(ctx, d, who, func(r care.Reader) ([]care.Session, error) { return r.SessionsOf(ctx, who, clients) })
}

// SessionsBetween is that of the store, in a transaction of its own.
func (d *DB) SessionsBetween(ctx context.Context, who auth.Principal, from, to time.Time) ([]care.Session, error) {
	return look(ctx, d, who, func(r care.Reader) ([]care.Session, error) { return r.SessionsBetween(ctx, who, from, to) })
}

// LastDoses is that of the store, in a transaction of its own.
func (d *DB) LastDoses(ctx context.Context, who auth.Principal, clients []uuid.UUID, at time.Time) (map[uuid.UUID]time.Time, error) {
	return look(ctx, d, who, func(r care.Reader) (map[uuid.UUID]time.Time, error) { return r.LastDoses(ctx, who, clients, at) })
}

// SessionPoints is that of the store, in a transaction of its own.
func (d *DB) SessionPoints(ctx context.Context, who auth.Principal, clients, sessions []uuid.UUID) ([]care.Point, error) {
	return look(ctx, d, who, func(r care.Reader) ([]care.Point, error) { return r.SessionPoints(ctx, who, clients, sessions) })
}

// ProgressOf is that of the store, in a transaction of its own.
func (d *DB) ProgressOf(ctx context.Context, who auth.Principal, clients []uuid.UUID) ([]care.Progress, error) {
	return look(ctx, d, who, func(r care.Reader) ([]care.Progress, error) { return r.ProgressOf(ctx, who, clients) })
}

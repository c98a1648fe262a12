package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm/clause"

	"github.com/protrack/protrack/pkg/auth"
)

type guessesRow struct {
	ClinicID    uuid.UUID
	AccountKey  string
	Address     string
	Failures    int
	LastAt      instant
	LockedUntil *instant
	KnownSince  *instant
}

func guessesFromRow(r guessesRow) auth.Guesses {
	return auth.Guesses{Failures: r.Failures, LastAt: r.LastAt.Time, LockedUntil: timePtr(r.LockedUntil), KnownSince: timePtr(r.KnownSince)}
}

func rowFromGuesses(clinic uuid.UUID, account, address string, g auth.Guesses) guessesRow {
	return guessesRow{
		ClinicID: clinic, AccountKey: account, Address: address, Failures: g.Failures,
		LastAt: at(g.LastAt), LockedUntil: atPtr(g.LockedUntil), KnownSince: atPtr(g.KnownSince),
	}
}

// guessesKept is longer than any count lasts.
const guessesKept = 24 * time.Hour

// beginning is a time before all guesses: a row that was only just made.
var beginning = time.Unix(0, 0)

var guessesKey = []clause.Column{{Name: "clinic_id"}, {Name: "account_key"}, {Name: "address"}}

// Guess lets fn change the two counts that a guess is on. The rows are made
// first, so that there is something to lock; what is long over is deleted, or
// whoever makes addresses up could fill the table.
func (d *DB) Guess(ctx context.Context, who auth.Principal, on auth.GuessedAt, fn func(pair, strangers *auth.Guesses) error) error {
	fresh := auth.Guesses{LastAt: beginning}
	rows := []guessesRow{
		rowFromGuesses(who.Clinic, on.Account, auth.Strangers, fresh), // by address, the order in which they are locked
		rowFromGuesses(who.Clinic, on.Account, on.Address, fresh),
	}
	made := d.trying(ctx, who, "sign_in_failures").Clauses(clause.OnConflict{DoNothing: true}).Create(&rows)
	if made.Error != nil {
		return fmt.Errorf("make counts of guesses: %w", made.Error)
	}
	found, err := all[guessesRow](d.dialect.lock(d.of(ctx, who, "sign_in_failures").
		Where("account_key = ? AND address IN ?", on.Account, []string{auth.Strangers, on.Address}).Order("address")), "guesses")
	if err != nil {
		return err
	}
	counts := map[string]*auth.Guesses{}
	for _, r := range found {
		counts[r.Address] = new(guessesFromRow(r))
	}
	pair, strangers := counts[on.Address], counts[auth.Strangers]
	if pair == nil || strangers == nil {
		return fmt.Errorf("of 2 counts of guesses, %d are there", len(found))
	}
	if err := fn(pair, strangers); err != nil {
		return err
	}
	rows = []guessesRow{
		rowFromGuesses(who.Clinic, on.Account, auth.Strangers, *strangers), rowFromGuesses(who.Clinic, on.Account, on.Address, *pair),
	}
	put := d.trying(ctx, who, "sign_in_failures").Clauses(clause.OnConflict{
		Columns: guessesKey, DoUpdates: clause.AssignmentColumns([]string{"failures", "last_at", "locked_until", "known_since"}),
	}).Create(&rows)
	if put.Error != nil {
		return fmt.Errorf("store counts of guesses: %w", put.Error)
	}
	if made.RowsAffected == 0 {
		return nil
	}
	stale := d.of(ctx, who, "sign_in_failures").Where("known_since IS NULL AND last_at < ?", at(pair.LastAt.Add(-guessesKept)))
	if err := stale.Delete(&guessesRow{}).Error; err != nil {
		return fmt.Errorf("delete old counts of guesses: %w", err)
	}
	return nil
}

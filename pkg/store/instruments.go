package store

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/protrack/protrack/pkg/auth"
)

// StoredInstruments lists the instruments that the database holds answers to,
// of any clinic. It reads a whole table: it is for the start of a server.
func (d *DB) StoredInstruments(ctx context.Context) ([]string, error) {
	clinics, err := d.Clinics(ctx)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, clinic := range clinics {
		who := auth.System(clinic)
		err := d.enter(ctx, clinic, nil, func(tx *DB) error {
			var ids []string
			err := tx.of(ctx, who, "progress").Distinct("instrument").Pluck("instrument", &ids).Error
			found = append(found, ids...)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("list stored instruments: %w", err)
		}
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}

// InstrumentsInUse lists the instruments that any of these clients has answered.
func (d *DB) InstrumentsInUse(ctx context.Context, who auth.Principal, clients map[uuid.UUID]bool) ([]string, error) {
	return answered(d.of(ctx, who, "progress"), clients)
}

// answered are the instruments of rows of these clients.
func answered(query *gorm.DB, clients map[uuid.UUID]bool) ([]string, error) {
	found := map[string]bool{}
	err := scanRows(query.Distinct("instrument", "client_id"), "instruments", func(rows *sql.Rows) error {
		var instrument sql.RawBytes
		var client uuid.UUID
		if err := rows.Scan(&instrument, &client); err != nil {
			return err
		}
		if clients[client] {
			found[string(instrument)] = true
		}
		return nil
	})
	return slices.Sorted(maps.Keys(found)), err
}

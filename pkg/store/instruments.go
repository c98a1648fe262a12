package store

import (
	"context"
	"fmt"
	"slices"

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

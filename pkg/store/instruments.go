package store

import (
	"context"
	"fmt"
)

// StoredInstruments lists the instruments that the database holds answers to,
// of any clinic. It reads a whole table: it is for the start of a server.
func (d *DB) StoredInstruments(ctx context.Context) ([]string, error) {
	var ids []string
	err := d.read.WithContext(ctx).Table("progress").Distinct("instrument").Order("instrument").Pluck("instrument", &ids).Error
	if err != nil {
		return nil, fmt.Errorf("list stored instruments: %w", err)
	}
	return ids, nil
}

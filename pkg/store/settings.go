package store

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
)

// Settings reads what the clinic has chosen for its instruments.
func (d *DB) Settings(ctx context.Context, who auth.Principal) (care.Settings, error) {
	rows, err := all[settingRow](d.of(ctx, who, "instrument_settings"), "settings")
	if err != nil {
		return nil, err
	}
	out := make(care.Settings, len(rows))
	for _, r := range rows {
		out[r.Instrument] = care.Setting{
			Instrument: r.Instrument, ChangeRules: r.ChangeRules, Cutpoints: r.Cutpoints.V, UpdatedAt: r.UpdatedAt.Time,
		}
	}
	return out, nil
}

type settingRow struct {
	ClinicID    uuid.UUID
	Instrument  string
	ChangeRules string
	Cutpoints   document[map[string]float64]
	UpdatedAt   instant
}

// PutSetting replaces the choice for one instrument. It holds the clinic until
// the transaction ends, so that choices come one at a time, and so that no
// client comes in behind a rebuild and is measured by the choice before.
func (d *DB) PutSetting(ctx context.Context, who auth.Principal, set care.Setting) error {
	if err := d.holdClinic(ctx, who); err != nil {
		return err
	}
	err := d.writing(ctx, who, "instrument_settings").Where("instrument = ?", set.Instrument).Delete(&settingRow{}).Error
	if err == nil {
		err = d.inserting(ctx, who, "instrument_settings").Create(&settingRow{
			ClinicID: who.Clinic, Instrument: set.Instrument, ChangeRules: set.ChangeRules,
			Cutpoints: document[map[string]float64]{set.Cutpoints}, UpdatedAt: at(set.UpdatedAt),
		}).Error
	}
	if err != nil {
		return fmt.Errorf("store setting: %w", err)
	}
	return nil
}

// holdClinic keeps others from adding to the clinic until the transaction ends.
func (d *DB) holdClinic(ctx context.Context, who auth.Principal) error {
	if who.Clinic == uuid.Nil {
		return errNoClinic
	}
	clinic := d.read.WithContext(ctx).Table("clinics").Select("id").Where("id = ?", who.Clinic)
	_, err := all[clinicRow](d.dialect.hold(clinic), "clinics")
	return err
}

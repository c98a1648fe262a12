package store

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/research"
)

type releaseRow struct {
	ClinicID uuid.UUID
	Measure  string
	Answers  int
	Ledger   []byte
	At       instant
}

// Releases reads what was given away of measures.
func (d *DB) Releases(ctx context.Context, who auth.Principal, measures []string) ([]research.Release, error) {
	rows, err := all[releaseRow](d.of(ctx, who, "releases").Where("measure IN ?", measures).Order("measure"), "releases")
	return convert(rows, func(r releaseRow) research.Release {
		return research.Release{Measure: r.Measure, Answers: r.Answers, Ledger: r.Ledger, At: r.At.Time}
	}), err
}

// PutRelease stores a release in the place of the one with so many answers.
func (d *DB) PutRelease(ctx context.Context, who auth.Principal, r research.Release, was int) (bool, error) {
	row := releaseRow{ClinicID: who.Clinic, Measure: r.Measure, Answers: r.Answers, Ledger: r.Ledger, At: at(r.At)}
	var put *gorm.DB
	if was == 0 {
		put = d.trying(ctx, who, "releases").Clauses(clause.OnConflict{DoNothing: true}).Create(&row)
	} else {
		put = d.on(d.write).of(ctx, who, "releases").Where("measure = ? AND answers = ?", r.Measure, was).
			Select("answers", "ledger", "at").Updates(&row)
	}
	if put.Error != nil {
		return false, fmt.Errorf("store release: %w", put.Error)
	}
	if put.RowsAffected == 0 {
		return false, nil
	}
	d.change()
	return true, nil
}

package store

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
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

type answerRow struct {
	ClinicID uuid.UUID
	Question []byte
	AsOf     instant
}

// LastAnswer says when a question was last answered.
func (d *DB) LastAnswer(ctx context.Context, who auth.Principal, question []byte) (research.Answered, error) {
	rows, err := all[answerRow](d.of(ctx, who, "answers").Where("question = ?", question), "answers")
	if err != nil {
		return research.Answered{}, err
	}
	if len(rows) == 0 {
		return research.Answered{}, fault.New(fault.NotFound, "That was never asked.")
	}
	return research.Answered{Question: rows[0].Question, AsOf: rows[0].AsOf.Time}, nil
}

// PutAnswer stores when a question was answered.
func (d *DB) PutAnswer(ctx context.Context, who auth.Principal, a research.Answered) error {
	row := answerRow{ClinicID: who.Clinic, Question: a.Question, AsOf: at(a.AsOf)}
	put := d.trying(ctx, who, "answers").Clauses(clause.OnConflict{
		Columns: []clause.Column{{Name: "clinic_id"}, {Name: "question"}}, DoUpdates: clause.AssignmentColumns([]string{"as_of"}),
	}).Create(&row)
	if put.Error != nil {
		return fmt.Errorf("store answer: %w", put.Error)
	}
	d.change()
	return nil
}

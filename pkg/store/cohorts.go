package store

import (
	"context"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/research"
)

type cohortRow struct {
	ClinicID  uuid.UUID
	ID        uuid.UUID
	Name      string
	Filter    strictDocument[research.Filter]
	CreatedAt instant
	CreatedBy uuid.UUID
}

func cohortFromRow(r cohortRow) research.Cohort {
	return research.Cohort{ID: r.ID, Name: r.Name, Filter: r.Filter.V, CreatedAt: r.CreatedAt.Time, CreatedBy: r.CreatedBy}
}

// Cohort finds a saved cohort.
func (d *DB) Cohort(ctx context.Context, who auth.Principal, id uuid.UUID) (research.Cohort, error) {
	row, err := one[cohortRow](d.of(ctx, who, "cohorts").Where("id = ?", id), "cohort")
	return cohortFromRow(row), err
}

// Cohorts gives a page of the saved cohorts by name.
func (d *DB) Cohorts(ctx context.Context, who auth.Principal, page care.Page) ([]research.Cohort, error) {
	query := d.of(ctx, who, "cohorts")
	if page.After.Text != "" {
		query = query.Where("name > ?", page.After.Text)
	}
	rows, err := all[cohortRow](query.Order("name").Limit(page.Limit), "cohorts")
	return convert(rows, cohortFromRow), err
}

// InsertCohort stores a cohort unless there is one of this id or name.
func (d *DB) InsertCohort(ctx context.Context, who auth.Principal, c research.Cohort) (bool, error) {
	return d.insertNamed(ctx, who, "cohorts", &cohortRow{
		ClinicID: who.Clinic, ID: c.ID, Name: c.Name, Filter: strictDocument[research.Filter]{document[research.Filter]{c.Filter}},
		CreatedAt: at(c.CreatedAt), CreatedBy: c.CreatedBy,
	})
}

package store

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/research"
	"github.com/protrack/protrack/pkg/seal"
)

type projectRow struct {
	ClinicID  uuid.UUID
	Name      string
	Secret    []byte // as it is, or sealed
	CreatedAt instant
	CreatedBy uuid.UUID
}

// secretOf is the place of one project's secret.
func secretOf(clinic uuid.UUID, project string) seal.Place {
	return seal.Place{Clinic: clinic, Column: "projects.secret", Name: project}
}

// project opens what a query found.
func (d *DB) project(r projectRow, err error) (research.Project, error) {
	if err != nil {
		return research.Project{}, err
	}
	secret, err := d.keys.Open(string(r.Secret), secretOf(r.ClinicID, r.Name))
	if err != nil {
		return research.Project{}, fmt.Errorf("read a project's secret: %w", err)
	}
	return research.Project{Name: r.Name, Secret: research.Secret(secret), CreatedAt: r.CreatedAt.Time, CreatedBy: r.CreatedBy}, nil
}

func (d *DB) rowFromProject(clinic uuid.UUID, p research.Project) (*projectRow, error) {
	secret, err := d.keys.Seal(string(p.Secret), secretOf(clinic, p.Name))
	if err != nil {
		return nil, fmt.Errorf("store a project's secret: %w", err)
	}
	return &projectRow{ClinicID: clinic, Name: p.Name, Secret: []byte(secret), CreatedAt: at(p.CreatedAt), CreatedBy: p.CreatedBy}, nil
}

// Project finds a project by its name.
func (d *DB) Project(ctx context.Context, who auth.Principal, name string) (research.Project, error) {
	return d.project(one[projectRow](d.of(ctx, who, "projects").Where("name = ?", name), "project"))
}

// InsertProject stores a project unless there is one of this name.
func (d *DB) InsertProject(ctx context.Context, who auth.Principal, p research.Project) (bool, error) {
	row, err := d.rowFromProject(who.Clinic, p)
	if err != nil {
		return false, err
	}
	return d.insertNamed(ctx, who, "projects", row)
}

package main

import (
	"context"
	"fmt"

	"github.com/protrack/protrack/pkg/store"
)

type migrateCmd struct {
	database
	logging
	Status bool `help:"Tell where the schema stands and change nothing."`
}

// Run migrates, or tells where the schema stands.
func (c migrateCmd) Run(ctx context.Context, t *terminal) (err error) {
	s, err := open(ctx, c.Database, "", c.logger(t.err))
	if err != nil {
		return err
	}
	defer func() { _ = s.db.Close() }()
	var schema store.Schema
	if c.Status {
		schema, err = s.db.Schema(ctx)
	} else {
		schema, err = s.db.Migrate(ctx)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(t.out, "schema %d, newest %d\n", schema.Database, schema.Program)
	return err
}

type progressCmd struct {
	database
	logging
	Instruments string `env:"PROTRACK_INSTRUMENTS" placeholder:"DIR" help:"Folder with the clinic's own instrument files."`
	Clinic      string `default:"default" help:"Clinic whose read model is recomputed."`
}

// Run recomputes the read model, as is needed when a definition or a rule
// set has changed.
func (c progressCmd) Run(ctx context.Context, t *terminal) error {
	s, err := migrated(ctx, c.Database, c.Instruments, c.logger(t.err))
	if err != nil {
		return err
	}
	defer func() { _ = s.db.Close() }()
	who, err := s.keys.Operator(ctx, c.Clinic)
	if err != nil {
		return explain("clinic "+c.Clinic, err)
	}
	return s.care.RebuildProgress(ctx, who)
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/protrack/protrack/pkg/store"
)

type migrateCmd struct {
	database
	logging
	Status bool `help:"Tell where the schema stands and change nothing."`
}

// Run migrates, or tells where the schema stands.
func (c migrateCmd) Run(ctx context.Context, t *terminal) (err error) {
	cfg := c.config(c.logger(t.err))
	cfg.MustExist = c.Status
	s, err := open(ctx, cfg, "")
	if errors.Is(err, fs.ErrNotExist) {
		newest, err := store.Newest()
		if err == nil {
			_, err = fmt.Fprintf(t.out, "schema 0, newest %d\n", newest)
		}
		return err
	}
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

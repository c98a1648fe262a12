package main

import "context"

type demoCmd struct{}

// Run is still to come.
func (demoCmd) Run(ctx context.Context) error { return ctx.Err() }

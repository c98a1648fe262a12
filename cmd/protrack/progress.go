package main

import "context"

type progressCmd struct {
	database
	logging
	Instruments string `env:"PROTRACK_INSTRUMENTS" placeholder:"DIR" help:"Folder with the clinic's own instrument files."`
	Clinic      string `default:"default" help:"Clinic whose read model is recomputed."`
}

// Run recomputes the read model, as is needed when a definition or a rule
// set has changed.
func (c progressCmd) Run(ctx context.Context, t *terminal) error {
	s, err := existing(ctx, c.config(c.logger(t.err)), c.Instruments)
	if err != nil {
		return err
	}
	defer func() { _ = s.db.Close() }()
	if err := s.knowsItsInstruments(ctx); err != nil {
		return err
	}
	who, err := s.keys.Operator(ctx, c.Clinic)
	if err != nil {
		return explain("clinic "+c.Clinic, err)
	}
	return s.care.RebuildProgress(ctx, who)
}

package care

import (
	"context"
	"maps"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/instrument"
)

// InstrumentDefinitions lists the newest version of every instrument, by id.
func (s *Service) InstrumentDefinitions(ctx context.Context, who auth.Principal) ([]*instrument.Definition, error) {
	if err := s.require(ctx, who, auth.ReadInstruments); err != nil {
		return nil, err
	}
	return s.Instruments.All(), nil
}

// InstrumentDefinition returns an instrument; an empty version is the newest.
func (s *Service) InstrumentDefinition(ctx context.Context, who auth.Principal, id, version string) (*instrument.Definition, error) {
	if err := s.require(ctx, who, auth.ReadInstruments); err != nil {
		return nil, err
	}
	if version != "" {
		return s.Instruments.GetVersion(id, version)
	}
	return s.Instruments.Get(id)
}

// Score scores answers with the clinic's cut-points and stores nothing.
func (s *Service) Score(ctx context.Context, who auth.Principal, id string, in instrument.Input) (instrument.Score, error) {
	def, err := s.InstrumentDefinition(ctx, who, id, "")
	if err != nil {
		return instrument.Score{}, err
	}
	set, err := read(ctx, s, who, func(r Reader) (Settings, error) { return r.Settings(ctx, who) })
	if err != nil {
		return instrument.Score{}, err
	}
	cutpoints := set.cutpoints(def)
	maps.Copy(cutpoints, in.Cutpoints)
	in.Cutpoints = cutpoints
	return def.Score(in)
}

package care

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/instrument"
)

// Setting is what a clinic has chosen for one instrument.
type Setting struct {
	Instrument  string
	ChangeRules string             // name of a change rule set; empty: the instrument's default
	Cutpoints   map[string]float64 // screen id -> cut-point among the instrument's alternatives
	UpdatedAt   time.Time
}

// fields are what the audit trail tells of a choice.
func (s Setting) fields() []audit.Field {
	var cutpoints []string
	for _, screen := range slices.Sorted(maps.Keys(s.Cutpoints)) {
		cutpoints = append(cutpoints, fmt.Sprint(screen, "=", s.Cutpoints[screen]))
	}
	return []audit.Field{
		{Name: "change_rules", Value: s.ChangeRules},
		{Name: "cutpoints", Value: strings.Join(cutpoints, " ")},
	}
}

// Settings are a clinic's choices by instrument. An absent instrument has
// its defaults.
type Settings map[string]Setting

// cutpoints are the choices that the instrument still allows: one that a newer
// definition has dropped must not refuse an answer.
func (s Settings) cutpoints(def *instrument.Definition) map[string]float64 {
	out := map[string]float64{}
	for screen, value := range s[def.ID].Cutpoints {
		if def.AllowsCutpoint(screen, value) {
			out[screen] = value
		}
	}
	return out
}

// Settings returns what the clinic has chosen.
func (s *Service) Settings(ctx context.Context, who auth.Principal) (Settings, error) {
	if err := s.require(ctx, who, auth.ReadSettings); err != nil {
		return nil, err
	}
	return read(ctx, s, who, func(r Reader) (Settings, error) { return r.Settings(ctx, who) })
}

// rebuildBatch is how many clients' progress is recomputed at a time.
const rebuildBatch = 200

// ChooseSetting stores a clinic's choice for an instrument and recomputes
// the progress of all its clients on it, in one transaction. Scores that are
// stored keep the cut-point they were made with.
func (s *Service) ChooseSetting(ctx context.Context, who auth.Principal, set Setting) (Setting, error) {
	if err := s.require(ctx, who, auth.WriteSettings); err != nil {
		return Setting{}, err
	}
	def, err := s.Instruments.Get(set.Instrument)
	if err != nil {
		return Setting{}, err
	}
	if err := checkSetting(def, set); err != nil {
		return Setting{}, err
	}
	set.UpdatedAt = stamp(s.Now())
	err = s.Store.Write(ctx, who, func(tx Tx) error {
		before, err := tx.Settings(ctx, who)
		if err != nil {
			return err
		}
		e := s.entry(who.Did("setting.choose", "instrument", uuid.Nil))
		e.Details.Note = map[string]string{"instrument": set.Instrument}
		e.Details.Changes = audit.Diff(before[set.Instrument].fields(), set.fields())
		tx.Note(e)
		if err := tx.PutSetting(ctx, who, set); err != nil {
			return err
		}
		if before[set.Instrument].ChangeRules == set.ChangeRules {
			return nil // cut-points are for the scores to come
		}
		return s.rebuild(ctx, who, tx, []string{set.Instrument})
	})
	if err != nil {
		return Setting{}, err
	}
	return set, nil
}

func checkSetting(def *instrument.Definition, set Setting) error {
	var f faults
	if _, found := def.Change(set.ChangeRules); !found && set.ChangeRules != "" {
		f.add("/change_rules", "unknown_rules", "The instrument has no such change rule set.")
	}
	for screen, value := range set.Cutpoints {
		if !def.AllowsCutpoint(screen, value) {
			f.add("/cutpoints/"+screen, "unknown_cutpoint", "The instrument's screen has no such cut-point.")
		}
	}
	slices.SortFunc(f, func(a, b fault.Detail) int { return slices.Compare([]byte(a.Pointer), []byte(b.Pointer)) })
	return f.err()
}

// RebuildProgress recomputes the read model of the whole clinic from what is
// stored. It changes nothing unless a definition or a rule set has changed.
func (s *Service) RebuildProgress(ctx context.Context, who auth.Principal) error {
	if err := s.require(ctx, who, auth.WriteSettings); err != nil {
		return err
	}
	return s.Store.Write(ctx, who, func(tx Tx) error {
		tx.Note(s.entry(who.Did("progress.rebuild", "", uuid.Nil)))
		return s.rebuild(ctx, who, tx, nil)
	})
}

func (s *Service) rebuild(ctx context.Context, who auth.Principal, tx Tx, instruments []string) error {
	after := uuid.Nil
	for {
		ids, err := tx.ClientIDs(ctx, who, after, rebuildBatch)
		if err != nil || len(ids) == 0 {
			return err
		}
		if err := tx.LockClients(ctx, who, ids); err != nil {
			return err
		}
		if err := s.moveProgress(ctx, who, tx, ids, instruments); err != nil {
			return err
		}
		after = ids[len(ids)-1]
	}
}

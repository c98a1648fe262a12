package web

import (
	"net/url"
	"slices"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
)

// chooseData lists the questionnaires that can be entered for a client.
type chooseData struct {
	Client      about
	Instruments []offered
}

// offered is a questionnaire to choose.
type offered struct {
	Path, Title, Measures string
	Used                  bool // the client has had it
	NoWording             bool
	judged                bool // there are rules that say what a change means
}

// chooseInstrument shows the questionnaires, those first that the client has
// had, then those whose change means something, and last those of which the
// wording is not free.
func (s *Site) chooseInstrument(v *visit, client care.Client) error {
	defs, err := s.Care.InstrumentDefinitions(v.ctx(), v.who)
	if err != nil {
		return err
	}
	used := map[string]bool{}
	if v.who.May(auth.ReadTrajectories) {
		trajectories, err := s.Care.Trajectories(v.ctx(), v.who, client.ID, care.TrajectoryQuery{})
		if err != nil {
			return err
		}
		for _, tr := range trajectories {
			used[tr.Instrument] = true
		}
	}
	data := chooseData{Client: aboutClient(client)}
	for _, def := range defs {
		q := url.Values{"instrument": {def.ID}}
		for _, kept := range []string{"session_id", "timing"} {
			if value := v.QueryParam(kept); value != "" {
				q.Set(kept, value)
			}
		}
		data.Instruments = append(data.Instruments, offered{
			Path: data.Client.path() + "/assessments/new?" + q.Encode(), Title: def.Title, Measures: def.Measures,
			Used: used[def.ID], NoWording: def.ScoringOnly, judged: len(def.ChangeRules) > 0,
		})
	}
	rank := func(o offered) int {
		switch {
		case o.Used:
			return 0
		case o.NoWording:
			return 3
		case o.judged:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(data.Instruments, func(a, b offered) int { return rank(a) - rank(b) })
	return v.render("instruments", view{Title: "Which questionnaire?", Data: data})
}

package store

import "github.com/protrack/protrack/pkg/instrument"

// scoreDocument is a score as it is stored, whole, with the rule that made
// it: a definition that changes later does not rewrite it.
type scoreDocument struct {
	Instrument        string              `json:"instrument"`
	InstrumentVersion string              `json:"instrument_version"`
	Rule              string              `json:"rule"`
	Total             *float64            `json:"total"`
	Severity          *string             `json:"severity"`
	Subscales         map[string]*float64 `json:"subscales,omitempty"`
	ItemsAnswered     *int                `json:"items_answered"`
	ItemsMissing      *int                `json:"items_missing"`
	Prorated          bool                `json:"prorated"`
	MissingPolicy     string              `json:"missing_policy"`
	Screens           map[string]any      `json:"screens,omitempty"`
	Cutpoints         map[string]float64  `json:"cutpoints,omitempty"`
	Flags             []flagDocument      `json:"flags,omitempty"`
}

type flagDocument struct {
	Code   string `json:"code"`
	Item   string `json:"item"`
	Level  *int   `json:"level,omitempty"`
	Reason string `json:"reason,omitempty"`
}

func documentFromScore(s instrument.Score) scoreDocument {
	return scoreDocument{
		Instrument: s.Instrument, InstrumentVersion: s.InstrumentVersion, Rule: s.Rule, Total: s.Total, Severity: s.Severity,
		Subscales: s.Subscales, ItemsAnswered: s.ItemsAnswered, ItemsMissing: s.ItemsMissing, Prorated: s.Prorated,
		MissingPolicy: string(s.MissingPolicy), Screens: s.Screens, Cutpoints: s.Cutpoints, Flags: documentFromFlags(s.Flags),
	}
}

func scoreFromDocument(d scoreDocument) instrument.Score {
	return instrument.Score{
		Instrument: d.Instrument, InstrumentVersion: d.InstrumentVersion, Rule: d.Rule, Total: d.Total, Severity: d.Severity,
		Subscales: d.Subscales, ItemsAnswered: d.ItemsAnswered, ItemsMissing: d.ItemsMissing, Prorated: d.Prorated,
		MissingPolicy: instrument.MissingPolicy(d.MissingPolicy), Screens: d.Screens, Cutpoints: d.Cutpoints,
		Flags: flagsFromDocument(d.Flags),
	}
}

func documentFromFlags(flags []instrument.Flag) []flagDocument {
	out := make([]flagDocument, len(flags))
	for i, f := range flags {
		out[i] = flagDocument(f)
	}
	return out
}

func flagsFromDocument(docs []flagDocument) []instrument.Flag {
	if len(docs) == 0 {
		return nil
	}
	out := make([]instrument.Flag, len(docs))
	for i, d := range docs {
		out[i] = instrument.Flag(d)
	}
	return out
}

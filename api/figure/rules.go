package figure

import (
	"github.com/protrack/protrack/pkg/trajectory"
)

// RuleSet is one named, versioned set of change rules.
type RuleSet struct {
	Set                        string   `json:"set" example:"nhs-tt"`
	Version                    string   `json:"version" example:"1.0.0"`
	ReliableChange             *float64 `json:"reliable_change" extensions:"x-nullable" example:"6"`
	MinimalImportantDifference *float64 `json:"minimal_important_difference" extensions:"x-nullable"`
	Caseness                   *float64 `json:"caseness" extensions:"x-nullable" example:"10"`
	RecoveredAtMost            *float64 `json:"recovered_at_most" extensions:"x-nullable"`
	RemissionBelow             *float64 `json:"remission_below" extensions:"x-nullable" example:"5"`
	ResponsePercent            *float64 `json:"response_percent" extensions:"x-nullable" example:"50"`
	PartialPercent             *float64 `json:"partial_percent" extensions:"x-nullable" example:"25"`
	SD                         *float64 `json:"sd,omitempty"` // with reliability: what a Jacobson-Truax threshold comes from
	Reliability                *float64 `json:"reliability,omitempty"`
	ReliabilityKind            string   `json:"reliability_kind,omitempty" enums:"alpha,retest"`
	Source                     string   `json:"source"`
} //	@name	RuleSet

// RulesOf is a rule set as it is told.
func RulesOf(r trajectory.Rules) RuleSet {
	return RuleSet{
		Set: r.Set, Version: r.Version, ReliableChange: r.ReliableChange, MinimalImportantDifference: r.MinimalImportantDifference,
		Caseness: r.Caseness, RecoveredAtMost: r.RecoveredAtMost, RemissionBelow: r.RemissionBelow,
		ResponsePercent: r.ResponsePercent, PartialPercent: r.PartialPercent,
		SD: r.SD, Reliability: r.Reliability, ReliabilityKind: r.ReliabilityKind, Source: r.Source,
	}
}

package research

import (
	"time"

	"github.com/protrack/protrack/pkg/export"
	"github.com/protrack/protrack/pkg/trajectory"
)

// verdicts are the columns of what the change rules say of the latest score.
func verdicts() []lineField {
	const rules = "Latest score against the baseline, by the change rules of rule_set; nothing where they do not say"
	reliable := textual("reliable", "Reliable change", rules,
		export.Code{Value: string(trajectory.Improved), Label: "Reliably improved"}, export.Code{Value: string(trajectory.Unchanged), Label: "No reliable change"},
		export.Code{Value: string(trajectory.Deteriorated), Label: "Reliably deteriorated"})
	response := textual("response", "Response", rules,
		export.Code{Value: string(trajectory.ResponseFull), Label: "Response"}, export.Code{Value: string(trajectory.ResponsePartial), Label: "Partial response"},
		export.Code{Value: string(trajectory.ResponseNone), Label: "No response"})
	relapse := "By loss of response: the first score after a response that is none any more; nothing where relapse is not judged"
	return []lineField{
		{numeric("change", "Change from the baseline", "points", "Latest score minus baseline, whatever the direction of the instrument"), func(_ *patient, t line) export.Cell {
			return export.RealPtr(t.Status.Change)
		}},
		{numeric("percent_change", "Change in percent of the baseline", "percent", "Nothing where the baseline is 0"), func(_ *patient, t line) export.Cell {
			return export.RealPtr(t.Status.PercentChange)
		}},
		{reliable, func(_ *patient, t line) export.Cell { return wordCell(t.Status.Reliable) }},
		{response, func(_ *patient, t line) export.Cell { return wordCell(t.Status.Response) }},
		{yesNo("remission", "In remission", rules), func(_ *patient, t line) export.Cell { return boolPtr(t.Status.Remission) }},
		{yesNo("recovery", "Recovered", rules+", or where the baseline was no case"), func(_ *patient, t line) export.Cell { return boolPtr(t.Status.Recovery) }},
		{yesNo("reliable_recovery", "Reliably improved and recovered", rules), func(_ *patient, t line) export.Cell { return boolPtr(t.Status.ReliableRecovery) }},
		{yesNo("relapsed", "Relapsed at any time", relapse), func(_ *patient, t line) export.Cell { return judgedCell(t, t.Status.Relapsed) }},
		{yesNo("regained", "Relapsed, and the latest score is a response again", relapse), func(_ *patient, t line) export.Cell { return judgedCell(t, t.Status.Regained) }},
	}
}

// durations are the columns of times, of the trend, and of what was used.
func durations() []lineField {
	slope := "Least squares over the scores from the baseline on"
	return []lineField{
		{numeric("days_held", "How long the response was held", "days", "From the first response to the relapse, or to the last score without one"), func(_ *patient, t line) export.Cell {
			return export.RealPtr(t.Status.DaysHeld)
		}},
		{yesNo("held_censored", "Whether it was held to the last score", "It then lasted at least days_held"), func(_ *patient, t line) export.Cell {
			if t.Status.DaysHeld == nil {
				return export.None
			}
			return export.BoolCell(t.Status.HeldCensored)
		}},
		{reached(numeric("first_response_days", "Days from the first dose to the first response", "days", daysSource)), func(p *patient, t line) export.Cell {
			return eventCell(p, t.Status.FirstResponseAt)
		}},
		{reached(numeric("first_remission_days", "Days from the first dose to the first remission", "days", daysSource)), func(p *patient, t line) export.Cell {
			return eventCell(p, t.Status.FirstRemissionAt)
		}},
		{numeric("slope_per_week", "Trend", "points a week", slope), func(_ *patient, t line) export.Cell {
			if t.Trend == nil {
				return export.None
			}
			return export.RealCell(t.Trend.SlopePerWeek)
		}},
		{numeric("slope_low", "Lower end of the trend's 95 % confidence interval", "points a week", slope), func(_ *patient, t line) export.Cell { return slopeEnd(t, 0) }},
		{numeric("slope_high", "Upper end of the trend's 95 % confidence interval", "points a week", slope), func(_ *patient, t line) export.Cell { return slopeEnd(t, 1) }},
		{whole("n_scored", "Assessments with a total", "assessments", "Those that stand"), func(_ *patient, t line) export.Cell { return export.IntCell(t.Status.NScored) }},
		{whole("n_missing", "Assessments without a total", "assessments", "Those that stand"), func(_ *patient, t line) export.Cell { return export.IntCell(t.Status.NMissing) }},
		{textual("rule_set", "Change rules", "Those that the clinic has chosen for the instrument"), func(_ *patient, t line) export.Cell { return export.TextCell(t.Rules.Set) }},
		{textual("rule_set_version", "Version of the change rules", "Of the instrument's definition"), func(_ *patient, t line) export.Cell {
			return export.TextCell(t.Rules.Version)
		}},
		{textual("baseline_rule", "How the baseline was chosen", "The first score"), func(_ *patient, t line) export.Cell {
			if t.Baseline == nil {
				return export.None
			}
			return export.TextCell(string(t.Baseline.Rule))
		}},
	}
}

func wordCell[T ~string](verdict *T) export.Cell {
	if verdict == nil {
		return export.None
	}
	return export.TextCell(string(*verdict))
}

func boolPtr(verdict *bool) export.Cell {
	if verdict == nil {
		return export.None
	}
	return export.BoolCell(*verdict)
}

// judgedCell is a fact of relapse; no is no answer where relapse is not judged.
func judgedCell(t line, fact bool) export.Cell {
	if !t.Relapse.Judged {
		return export.None
	}
	return export.BoolCell(fact)
}

// eventCell is when something happened that may not have.
func eventCell(p *patient, at *time.Time) export.Cell {
	if at == nil {
		return export.None
	}
	return p.days(*at)
}

func slopeEnd(t line, end int) export.Cell {
	if t.Trend == nil || t.Trend.CI95 == nil {
		return export.None
	}
	return export.RealCell(t.Trend.CI95[end])
}

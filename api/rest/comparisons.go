package rest

import (
	"context"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/research"
)

// FigurePoints are the two time-points that a figure compares.
type FigurePoints struct {
	From string `json:"from" example:"before_session:1"`
	To   string `json:"to" example:"after_session:4"`
} //	@name	FigurePoints

func pointsOf(q cohort.Comparison) FigurePoints {
	return FigurePoints{From: q.From.String(), To: q.To.String()}
}

// PairFlow is how many people a comparison rests on, and why others are not in
// it.
type PairFlow struct {
	Enrolled   *int           `json:"enrolled" extensions:"x-nullable"` // all who were asked about
	Treated    *int           `json:"treated" extensions:"x-nullable"`  // at least one dose
	WithFrom   *int           `json:"with_from" extensions:"x-nullable"`
	WithTo     *int           `json:"with_to" extensions:"x-nullable"`
	Paired     *int           `json:"paired" extensions:"x-nullable"`
	FromAbsent []FigureReason `json:"from_absent"` // why others have no score at from
	ToAbsent   []FigureReason `json:"to_absent"`
	Withheld   bool           `json:"withheld"`
} //	@name	PairFlow

func pairFlowOf(p cohort.Pairing) PairFlow {
	out := PairFlow{
		Enrolled: p.Enrolled, Treated: p.Treated, WithFrom: p.WithFrom, WithTo: p.WithTo, Paired: p.Paired,
		FromAbsent: absencesOf(p.FromAbsent), ToAbsent: absencesOf(p.ToAbsent),
	}
	out.Withheld = hidden(p.Enrolled, p.Treated, p.WithFrom, p.WithTo, p.Paired) || reasonsHidden(out.FromAbsent, out.ToAbsent)
	return out
}

// ScoreSummary describes the scores of the pairs at one time-point.
type ScoreSummary struct {
	N        *int     `json:"n" extensions:"x-nullable"`
	Mean     *float64 `json:"mean" extensions:"x-nullable"`
	SD       *float64 `json:"sd" extensions:"x-nullable"`
	Median   *float64 `json:"median" extensions:"x-nullable"`
	Q1       *float64 `json:"q1" extensions:"x-nullable"` // quartiles by R's type 7
	Q3       *float64 `json:"q3" extensions:"x-nullable"`
	Withheld bool     `json:"withheld"`
} //	@name	ScoreSummary

func summaryOf(s cohort.Summary) ScoreSummary {
	return ScoreSummary{N: s.N, Mean: s.Mean, SD: s.SD, Median: s.Median, Q1: s.Q1, Q3: s.Q3, Withheld: hidden(s.N)}
}

// PairedDifference is to minus from, with its paired t test and its size.
type PairedDifference struct {
	N        *int             `json:"n" extensions:"x-nullable"`
	Mean     *float64         `json:"mean" extensions:"x-nullable"`
	SD       *float64         `json:"sd" extensions:"x-nullable"`
	CI95     *cohort.Interval `json:"ci95" extensions:"x-nullable" swaggertype:"array,number"`
	T        *float64         `json:"t" extensions:"x-nullable"`
	DF       *float64         `json:"df" extensions:"x-nullable"`
	P        *float64         `json:"p" extensions:"x-nullable"`
	DPre     *float64         `json:"d_pre" extensions:"x-nullable"`    // mean / SD at from
	DAv      *float64         `json:"d_av" extensions:"x-nullable"`     // mean / root mean square of the two SDs
	DZ       *float64         `json:"d_z" extensions:"x-nullable"`      // mean / SD of the differences
	HedgesG  *float64         `json:"hedges_g" extensions:"x-nullable"` // without the bias of small samples
	HedgesOf string           `json:"hedges_of" example:"d_av"`         // what it corrects
	Withheld bool             `json:"withheld"`
} //	@name	PairedDifference

func differenceOf(d cohort.Difference) PairedDifference {
	return PairedDifference{
		N: d.N, Mean: d.Mean, SD: d.SD, CI95: d.CI95, T: d.T, DF: d.DF, P: d.P, DPre: d.DPre, DAv: d.DAv, DZ: d.DZ,
		HedgesG: d.HedgesG, HedgesOf: cohort.HedgesOf, Withheld: hidden(d.N),
	}
}

// OutcomeRate is how often an outcome was seen, and how often it would be if
// everybody who was lost were known.
type OutcomeRate struct {
	FigureRate
	LeftOut   *int     `json:"left_out" extensions:"x-nullable"`   // pairs of which the outcome cannot be said
	WorstCase *float64 `json:"worst_case" extensions:"x-nullable"` // of all with a score at from: whoever was lost did badly
	BestCase  *float64 `json:"best_case" extensions:"x-nullable"`
} //	@name	OutcomeRate

func outcomesOf(all map[cohort.Outcome]cohort.OutcomeRate) map[string]OutcomeRate {
	out := make(map[string]OutcomeRate, len(all))
	for name, r := range all {
		out[string(name)] = OutcomeRate{FigureRate: rateOf(r.Rate), LeftOut: r.LeftOut, WorstCase: r.WorstCase, BestCase: r.BestCase}
	}
	return out
}

// RecallWindows is how many pairs were asked about these spans of time: totals
// that ask about different spans are never pooled unseen.
type RecallWindows struct {
	From string `json:"from" example:"P14D"`
	To   string `json:"to" example:"P14D"`
	N    *int   `json:"n" extensions:"x-nullable"`
} //	@name	RecallWindows

func windowsOf(all []cohort.Windows) []RecallWindows {
	return convert(all, func(w cohort.Windows) RecallWindows { return RecallWindows(w) })
}

// windowsHidden is hidden for recall windows.
func windowsHidden(all []RecallWindows) bool {
	return slices.ContainsFunc(all, func(w RecallWindows) bool { return w.N == nil })
}

// ChangeNumbers is the change in all, or in a group.
type ChangeNumbers struct {
	Flow       PairFlow               `json:"flow"`
	From       ScoreSummary           `json:"from"`
	To         ScoreSummary           `json:"to"`
	Difference PairedDifference       `json:"difference"` // to minus from
	Outcomes   map[string]OutcomeRate `json:"outcomes"`   // those for which the rules have thresholds
	Windows    []RecallWindows        `json:"recall_windows"`
} //	@name	ChangeNumbers

func changeNumbers(c cohort.Change) ChangeNumbers {
	return ChangeNumbers{
		Flow: pairFlowOf(c.Flow), From: summaryOf(c.From), To: summaryOf(c.To), Difference: differenceOf(c.Difference),
		Outcomes: outcomesOf(c.Outcomes), Windows: windowsOf(c.Windows),
	}
}

// ChangeGroup is the change in one group.
type ChangeGroup struct {
	Group string `json:"group" example:"intramuscular"` // unknown: it was not recorded
	ChangeNumbers
} //	@name	ChangeGroup

// ChangeFigure is how scores changed between two time-points.
type ChangeFigure struct {
	FigureFrame
	Instrument string       `json:"instrument" example:"phq-9"`
	Points     FigurePoints `json:"time_points"`
	ChangeNumbers
	By     string        `json:"by" example:"route"` // what the groups are by; empty: there are none
	Groups []ChangeGroup `json:"groups"`
	Rules  RuleSet       `json:"rules"`
} //	@name	ChangeFigure

// cohortChange tells how scores changed between two time-points.
//
//	@Summary		Change between two time-points
//	@Description	Paired scores of one instrument: flow, summaries, the paired difference with its t test and effect sizes by name, and outcomes with stated denominators. A time-point is baseline, before_session:N, after_session:N, days:N:W (W days on either side of N days after the first dose) or last.
//	@Tags			research
//	@Produce		json,text/csv
//	@Param			instrument		query		string	true	"Instrument"	example(phq-9)
//	@Param			from			query		string	false	"Time-point"	default(baseline)
//	@Param			to				query		string	false	"Time-point"	default(last)
//	@Param			by				query		string	false	"Also in groups"	Enums(sex, indication, substance, route, dose, planned, doses, baseline_severity)
//	@Param			cases_only		query		boolean	false	"Count response and reliable change of those only who were cases at from"	default(false)
//	@Param			recall_window	query		string	false	"Only assessments with this recall window"	example(P14D)
//	@Param			rules			query		string	false	"Change rule set; absent: the clinic's choice"	example(nhs-tt)
//	@Param			cohort			query		string	false	"A saved cohort"			format(uuid)
//	@Param			as_of			query		string	false	"What was known at this time"	format(date-time)
//	@Param			population		query		string	false	"Whom it is about; absent: the clinic's clients for who may read the caseload"	Enums(clinic, research)
//	@Param			cells			query		string	false	"Whether numbers of few people are withheld"	Enums(withheld, all)	default(withheld)
//	@Param			format			query		string	false	"Form of the answer"	Enums(json, csv)	default(json)
//	@Success		200				{object}	ChangeFigure
//	@Failure		401,403,409,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/cohort/change [get]
func (h *Handlers) cohortChange(c echo.Context, who auth.Principal) error {
	q := query(c)
	asked := cohort.ChangeQuery{Comparison: q.comparison(q.instrument()), CasesOnly: q.flag("cases_only")}
	by, rules := q.text("by", ""), q.text("rules", "")
	return sendFigure(c, q, "change", func(ctx context.Context, f research.FigureQuery) (ChangeFigure, error) {
		f.Rules = rules
		found, frame, err := h.Research.Change(ctx, who, f, asked, by)
		return ChangeFigure{
			FigureFrame: frameOf(frame), Instrument: asked.Instrument, Points: pointsOf(asked.Comparison), ChangeNumbers: changeNumbers(found.Total),
			By: by, Rules: ruleSetFrom(found.Total.Rules), Groups: convert(found.Groups, func(g cohort.Group) ChangeGroup {
				return ChangeGroup{Group: g.Key, ChangeNumbers: changeNumbers(g.Change)}
			}),
		}, err
	})
}

// RecoveryFigure is recovery over PHQ-9 and GAD-7 together.
type RecoveryFigure struct {
	FigureFrame
	Points                FigurePoints       `json:"time_points"`
	Flow                  PairFlow           `json:"flow"`
	Paired                *int               `json:"paired" extensions:"x-nullable"`
	Cases                 *int               `json:"cases" extensions:"x-nullable"` // pairs that were cases at from
	Recovery              FigureRate         `json:"recovery"`
	ReliableImprovement   FigureRate         `json:"reliable_improvement"`
	ReliableDeterioration FigureRate         `json:"reliable_deterioration"`
	NoChange              FigureRate         `json:"no_change"`
	ReliableRecovery      FigureRate         `json:"reliable_recovery"`
	Rules                 map[string]RuleSet `json:"rules"` // by instrument
} //	@name	RecoveryFigure

// cohortRecovery tells who recovered over PHQ-9 and GAD-7 together.
//
//	@Summary		Recovery over PHQ-9 and GAD-7
//	@Description	As NHS Talking Therapies counts it: a case is whoever is one on either instrument, and has recovered who is below caseness on both.
//	@Tags			research
//	@Produce		json,text/csv
//	@Param			from			query		string	false	"Time-point"	default(baseline)
//	@Param			to				query		string	false	"Time-point"	default(last)
//	@Param			recall_window	query		string	false	"Only assessments with this recall window"	example(P14D)
//	@Param			rules			query		string	false	"Change rule set of both instruments"	default(nhs-tt)
//	@Param			cohort			query		string	false	"A saved cohort"			format(uuid)
//	@Param			as_of			query		string	false	"What was known at this time"	format(date-time)
//	@Param			population		query		string	false	"Whom it is about; absent: the clinic's clients for who may read the caseload"	Enums(clinic, research)
//	@Param			cells			query		string	false	"Whether numbers of few people are withheld"	Enums(withheld, all)	default(withheld)
//	@Param			format			query		string	false	"Form of the answer"	Enums(json, csv)	default(json)
//	@Success		200				{object}	RecoveryFigure
//	@Failure		401,403,409,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/cohort/recovery [get]
func (h *Handlers) cohortRecovery(c echo.Context, who auth.Principal) error {
	q := query(c)
	asked, rules := q.comparison(""), q.text("rules", "nhs-tt")
	return sendFigure(c, q, "recovery", func(ctx context.Context, f research.FigureQuery) (RecoveryFigure, error) {
		f.Rules = rules
		found, frame, err := h.Research.Recovery(ctx, who, f, cohort.RecoveryQuery{From: asked.From, To: asked.To, Window: asked.Window})
		out := RecoveryFigure{
			FigureFrame: frameOf(frame), Points: pointsOf(asked), Flow: pairFlowOf(found.Flow), Paired: found.Flow.Paired, Cases: found.Cases,
			Recovery: rateOf(found.Recovery), ReliableRecovery: rateOf(found.ReliableRecovery), NoChange: rateOf(found.NoChange),
			ReliableImprovement: rateOf(found.ReliableImprovement), ReliableDeterioration: rateOf(found.ReliableDeterioration),
			Rules: map[string]RuleSet{},
		}
		for id, rules := range frame.Rules {
			out.Rules[id] = ruleSetFrom(rules)
		}
		return out, err
	})
}

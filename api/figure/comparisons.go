package figure

import (
	"context"
	"slices"

	"github.com/protrack/protrack/api/question"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/research"
)

// Points are the two time-points that a figure compares.
type Points struct {
	From string `json:"from" example:"before_session:1"`
	To   string `json:"to" example:"after_session:4"`
} //	@name	FigurePoints

func pointsOf(q cohort.Comparison) Points {
	return Points{From: q.From.String(), To: q.To.String()}
}

// PairFlow is how many people a comparison rests on, and why others are not in
// it.
type PairFlow struct {
	Enrolled   *int     `json:"enrolled" extensions:"x-nullable"` // all who were asked about
	Treated    *int     `json:"treated" extensions:"x-nullable"`  // at least one dose
	WithFrom   *int     `json:"with_from" extensions:"x-nullable"`
	WithTo     *int     `json:"with_to" extensions:"x-nullable"`
	Paired     *int     `json:"paired" extensions:"x-nullable"`
	FromAbsent []Reason `json:"from_absent"` // why others have no score at from
	ToAbsent   []Reason `json:"to_absent"`
	Withheld   bool     `json:"withheld"`
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
	Rate
	LeftOut   *int     `json:"left_out" extensions:"x-nullable"`   // pairs of which the outcome cannot be said
	WorstCase *float64 `json:"worst_case" extensions:"x-nullable"` // of all with a score at from: whoever was lost did badly
	BestCase  *float64 `json:"best_case" extensions:"x-nullable"`
} //	@name	OutcomeRate

func outcomesOf(all map[cohort.Outcome]cohort.OutcomeRate) map[string]OutcomeRate {
	out := make(map[string]OutcomeRate, len(all))
	for name, r := range all {
		out[string(name)] = OutcomeRate{Rate: rateOf(r.Rate), LeftOut: r.LeftOut, WorstCase: r.WorstCase, BestCase: r.BestCase}
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

// Change is how scores changed between two time-points.
type Change struct {
	Frame
	Instrument string `json:"instrument" example:"phq-9"`
	Points     Points `json:"time_points"`
	ChangeNumbers
	By     string        `json:"by" example:"route"` // what the groups are by; empty: there are none
	Groups []ChangeGroup `json:"groups"`
	Rules  RuleSet       `json:"rules"`
} //	@name	ChangeFigure

// Recovery is recovery over PHQ-9 and GAD-7 together.
type Recovery struct {
	Frame
	Points                Points             `json:"time_points"`
	Flow                  PairFlow           `json:"flow"`
	Paired                *int               `json:"paired" extensions:"x-nullable"`
	Cases                 *int               `json:"cases" extensions:"x-nullable"` // pairs that were cases at from
	Recovery              Rate               `json:"recovery"`
	ReliableImprovement   Rate               `json:"reliable_improvement"`
	ReliableDeterioration Rate               `json:"reliable_deterioration"`
	NoChange              Rate               `json:"no_change"`
	ReliableRecovery      Rate               `json:"reliable_recovery"`
	Rules                 map[string]RuleSet `json:"rules"` // by instrument
} //	@name	RecoveryFigure

// PairTable counts pairs by what they were at from (rows) and at to (columns).
type PairTable struct {
	Counts   [][]*int `json:"counts" swaggertype:"array,array,integer"` // null: withheld
	Rows     []*int   `json:"rows" swaggertype:"array,integer"`         // sums
	Columns  []*int   `json:"columns" swaggertype:"array,integer"`
	N        *int     `json:"n" extensions:"x-nullable"`
	Withheld bool     `json:"withheld"`
} //	@name	PairTable

func tableOf(t cohort.Crosstab) PairTable {
	out := PairTable{Rows: t.Rows, Columns: t.Columns, N: t.N, Withheld: hidden(t.N) || hidden(t.Rows...) || hidden(t.Columns...)}
	for _, row := range t.Counts {
		out.Counts = append(out.Counts, row)
		out.Withheld = out.Withheld || hidden(row...)
	}
	return out
}

// Shift is from which band of severity to which people moved.
type Shift struct {
	Frame
	Instrument string   `json:"instrument" example:"phq-9"`
	Points     Points   `json:"time_points"`
	Flow       PairFlow `json:"flow"`
	Bands      []string `json:"bands"` // of rows and columns, the mildest first
	PairTable
} //	@name	ShiftFigure

// Item9 is how the answers 0 to 3 about suicidal thoughts moved. An answer
// of 0 says that nothing was reported, never that there is no risk.
type Item9 struct {
	Frame
	Points Points   `json:"time_points"`
	Flow   PairFlow `json:"flow"`
	PairTable
	Improved *int `json:"improved" extensions:"x-nullable"` // a lower answer at to
	Worsened *int `json:"worsened" extensions:"x-nullable"`
	NewOnset *int `json:"new_onset" extensions:"x-nullable"` // 0 at from, 1 or more at to
	Gone     *int `json:"gone" extensions:"x-nullable"`      // 1 or more at from, 0 at to
} //	@name	Item9Figure

// AskChange tells how scores changed between two time-points.
func AskChange(ctx context.Context, r *research.Service, who auth.Principal, q *question.Reader) (Change, error) {
	p := parameters{q}
	asked := cohort.ChangeQuery{Comparison: p.comparison(p.instrument()), CasesOnly: p.Flag("cases_only")}
	by, rules := p.Text("by", ""), p.Text("rules", "")
	f, err := p.figure()
	if err != nil {
		return Change{}, err
	}
	f.Rules = rules
	found, frame, err := r.Change(ctx, who, f, asked, by)
	return Change{
		Frame: frameOf(frame), Instrument: asked.Instrument, Points: pointsOf(asked.Comparison), ChangeNumbers: changeNumbers(found.Total),
		By: by, Rules: RulesOf(found.Total.Rules), Groups: convert(found.Groups, func(g cohort.Group) ChangeGroup {
			return ChangeGroup{Group: g.Key, ChangeNumbers: changeNumbers(g.Change)}
		}),
	}, err
}

// AskRecovery tells who recovered over PHQ-9 and GAD-7 together.
func AskRecovery(ctx context.Context, r *research.Service, who auth.Principal, q *question.Reader) (Recovery, error) {
	p := parameters{q}
	asked, rules := p.comparison(""), p.Text("rules", "nhs-tt")
	f, err := p.figure()
	if err != nil {
		return Recovery{}, err
	}
	f.Rules = rules
	found, frame, err := r.Recovery(ctx, who, f, cohort.RecoveryQuery{From: asked.From, To: asked.To, Window: asked.Window})
	out := Recovery{
		Frame: frameOf(frame), Points: pointsOf(asked), Flow: pairFlowOf(found.Flow), Paired: found.Flow.Paired, Cases: found.Cases,
		Recovery: rateOf(found.Recovery), ReliableRecovery: rateOf(found.ReliableRecovery), NoChange: rateOf(found.NoChange),
		ReliableImprovement: rateOf(found.ReliableImprovement), ReliableDeterioration: rateOf(found.ReliableDeterioration),
		Rules: map[string]RuleSet{},
	}
	for id, rules := range frame.Rules {
		out.Rules[id] = RulesOf(rules)
	}
	return out, err
}

// AskShift tells from which band of severity to which people moved.
func AskShift(ctx context.Context, r *research.Service, who auth.Principal, q *question.Reader) (Shift, error) {
	p := parameters{q}
	asked := p.comparison(p.instrument())
	f, err := p.figure()
	if err != nil {
		return Shift{}, err
	}
	found, frame, err := r.Shift(ctx, who, f, asked)
	return Shift{
		Frame: frameOf(frame), Instrument: asked.Instrument, Points: pointsOf(asked),
		Flow: pairFlowOf(found.Flow), Bands: found.Bands, PairTable: tableOf(found.Crosstab),
	}, err
}

// AskItem9 tells how the answers about suicidal thoughts moved.
func AskItem9(ctx context.Context, r *research.Service, who auth.Principal, q *question.Reader) (Item9, error) {
	p := parameters{q}
	asked := p.comparison("")
	f, err := p.figure()
	if err != nil {
		return Item9{}, err
	}
	found, frame, err := r.Item9(ctx, who, f, cohort.Item9Query{From: asked.From, To: asked.To, Window: asked.Window})
	return Item9{
		Frame: frameOf(frame), Points: pointsOf(asked), Flow: pairFlowOf(found.Flow), PairTable: tableOf(found.Crosstab),
		Improved: found.Improved, Worsened: found.Worsened, NewOnset: found.NewOnset, Gone: found.Gone,
	}, err
}

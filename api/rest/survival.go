package rest

import (
	"context"

	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/research"
	"github.com/protrack/protrack/pkg/trajectory"
)

// SurvivalFigure is the curve of those who have not had the event yet. The time
// is that of the score that shows the event: it happened between two scores.
type SurvivalFigure struct {
	FigureFrame
	Instrument string          `json:"instrument" example:"phq-9"`
	Event      string          `json:"event" enums:"response,loss_of_response"`
	Words      string          `json:"words"`                                // what the event is
	Confidence string          `json:"confidence" enums:"plain,log,log-log"` // scale of the interval, from Greenwood's variance
	CasesOnly  bool            `json:"cases_only"`                           // whoever was no case at baseline is left out
	Enrolled   *int            `json:"enrolled" extensions:"x-nullable"`
	N          *int            `json:"n" extensions:"x-nullable"` // people counted
	Events     *int            `json:"events" extensions:"x-nullable"`
	Excluded   []FigureReason  `json:"excluded"` // why the others of the enrolled are not counted
	Curve      []SurvivalStep  `json:"curve"`
	MedianDays *float64        `json:"median_days" extensions:"x-nullable"` // null: not reached
	MedianFrom *float64        `json:"median_from" extensions:"x-nullable"` // limits of its 95 % interval
	MedianTo   *float64        `json:"median_to" extensions:"x-nullable"`
	AtRisk     []SurvivalRisk  `json:"at_risk"`        // at standard days
	Windows    []RecallWindows `json:"recall_windows"` // of the baseline, and of the score at which each person left the curve
	Rules      RuleSet         `json:"rules"`
	Withheld   bool            `json:"withheld"`
} //	@name	SurvivalFigure

// SurvivalStep is the curve after a day, or after days that were merged so that
// nobody is seen alone.
type SurvivalStep struct {
	FromDays int              `json:"from_days"`
	Days     int              `json:"days"`
	AtRisk   *int             `json:"at_risk" extensions:"x-nullable"`
	Events   *int             `json:"events" extensions:"x-nullable"`
	Censored *int             `json:"censored" extensions:"x-nullable"`
	Survival float64          `json:"survival"`
	CI95     *cohort.Interval `json:"ci95" extensions:"x-nullable" swaggertype:"array,number"`
} //	@name	SurvivalStep

// SurvivalRisk is how many had neither had the event nor been censored before a
// day.
type SurvivalRisk struct {
	Days int  `json:"days"`
	N    *int `json:"n" extensions:"x-nullable"`
} //	@name	SurvivalRisk

func survivalFigure(s cohort.Survival) SurvivalFigure {
	out := SurvivalFigure{
		Event: string(s.Event), Words: s.Words, Confidence: string(s.Confidence), CasesOnly: s.CasesOnly, Enrolled: s.Enrolled,
		N: s.N, Events: s.Events, Excluded: reasonsOf(s.LeftOut), MedianDays: s.MedianDays, MedianFrom: s.MedianFrom, MedianTo: s.MedianTo,
		Curve: convert(s.Curve, func(x cohort.Step) SurvivalStep {
			return SurvivalStep{FromDays: x.From, Days: x.Days, AtRisk: x.AtRisk, Events: x.Events, Censored: x.Censored, Survival: x.Survival, CI95: x.CI95}
		}),
		AtRisk:  convert(s.AtRisk, func(r cohort.AtRisk) SurvivalRisk { return SurvivalRisk(r) }),
		Windows: windowsOf(s.Windows),
	}
	out.Withheld = hidden(s.Enrolled, s.N, s.Events) || reasonsHidden(out.Excluded) || windowsHidden(out.Windows)
	return out
}

// cohortSurvival tells how long it took until a response, or until one was lost.
//
//	@Summary		Time to response, or to its loss
//	@Description	Kaplan-Meier with Greenwood's variance. Response runs from the first dose; loss runs from the score that first had the gain. Whoever has not had the event is censored at the last score.
//	@Tags			research
//	@Produce		json,text/csv
//	@Param			instrument		query		string	true	"Instrument"	example(phq-9)
//	@Param			event			query		string	false	"What is waited for"	Enums(response, loss_of_response)	default(response)
//	@Param			relapse			query		string	false	"What counts as a loss"	Enums(loss_of_response, caseness_after_remission, reliable_worsening_from_best)	default(loss_of_response)
//	@Param			any_baseline	query		boolean	false	"Count those, too, who were no case at baseline"	default(false)
//	@Param			confidence		query		string	false	"Scale of the interval"	Enums(plain, log, log-log)	default(log-log)
//	@Param			recall_window	query		string	false	"Only assessments with this recall window"	example(P14D)
//	@Param			rules			query		string	false	"Change rule set; absent: the clinic's choice"	example(nhs-tt)
//	@Param			cohort			query		string	false	"A saved cohort"			format(uuid)
//	@Param			as_of			query		string	false	"What was known at this time"	format(date-time)
//	@Param			population		query		string	false	"Whom it is about; absent: the clinic's clients for who may read the caseload"	Enums(clinic, research)
//	@Param			cells			query		string	false	"Whether numbers of few people are withheld"	Enums(withheld, all)	default(withheld)
//	@Param			format			query		string	false	"Form of the answer"	Enums(json, csv)	default(json)
//	@Success		200				{object}	SurvivalFigure
//	@Failure		401,403,409,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/cohort/survival [get]
func (h *Handlers) cohortSurvival(c echo.Context, who auth.Principal) error {
	q := query(c)
	asked := cohort.SurvivalQuery{
		Instrument: q.instrument(), Window: q.window(), AnyBaseline: q.flag("any_baseline"),
		Event: choice(q, "event", cohort.EventResponse, cohort.EventResponse, cohort.EventLossOfResponse),
		Relapse: choice(q, "relapse", trajectory.RelapseLossOfResponse, trajectory.RelapseLossOfResponse,
			trajectory.RelapseCasenessAfterRemission, trajectory.RelapseReliableWorsening),
		Confidence: choice(q, "confidence", cohort.ConfidenceLogLog, cohort.ConfidencePlain, cohort.ConfidenceLog, cohort.ConfidenceLogLog),
	}
	rules := q.text("rules", "")
	return sendFigure(c, q, "survival", func(ctx context.Context, f research.FigureQuery) (SurvivalFigure, error) {
		f.Rules = rules
		found, frame, err := h.Research.Survival(ctx, who, f, asked)
		out := survivalFigure(found)
		out.FigureFrame, out.Instrument, out.Rules = frameOf(frame), asked.Instrument, ruleSetFrom(frame.Rules[asked.Instrument])
		return out, err
	})
}

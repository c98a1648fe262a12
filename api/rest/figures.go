package rest

import (
	"bytes"
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/api/figure"
	"github.com/protrack/protrack/api/question"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/export"
	"github.com/protrack/protrack/pkg/research"
)

// cohortFlow tells who was there, who was expected and who was lost.
//
//	@Summary		Flow of people through treatment
//	@Description	Enrolled, treated, with a baseline, and at each time-point expected, observed, evaluable and lost, with reasons.
//	@Tags			research
//	@Produce		json,text/csv
//	@Param			instrument		query		string	true	"Instrument"	example(phq-9)
//	@Param			at				query		string	false	"Time-points with commas between them; absent: after each session that anybody had, and 1, 3, 6 and 12 months"	example(after_session:1,days:30:7)
//	@Param			recall_window	query		string	false	"Only assessments with this recall window"	example(P14D)
//	@Param			cohort			query		string	false	"A saved cohort"			format(uuid)
//	@Param			as_of			query		string	false	"What was known at this time"	format(date-time)
//	@Param			population		query		string	false	"Whom it is about; absent: the clinic's clients for who may read the caseload"	Enums(clinic, research)
//	@Param			cells			query		string	false	"Whether numbers of few people are withheld"	Enums(withheld, all)	default(withheld)
//	@Param			format			query		string	false	"Form of the answer"	Enums(json, csv)	default(json)
//	@Success		200				{object}	figure.Flow
//	@Failure		401,403,409,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/cohort/flow [get]
func (h *Handlers) cohortFlow(c echo.Context, who auth.Principal) error {
	return sendFigure(c, h.Research, who, "flow", figure.AskFlow)
}

// cohortSessions tells what happened across each dosing session.
//
//	@Summary		Effect of each dosing session
//	@Description	By session number: the difference across the session, what was held until the next, and the difference from baseline, each with its own n.
//	@Tags			research
//	@Produce		json,text/csv
//	@Param			instrument		query		string	true	"Instrument"	example(phq-9)
//	@Param			recall_window	query		string	false	"Only assessments with this recall window"	example(P14D)
//	@Param			cohort			query		string	false	"A saved cohort"			format(uuid)
//	@Param			as_of			query		string	false	"What was known at this time"	format(date-time)
//	@Param			population		query		string	false	"Whom it is about; absent: the clinic's clients for who may read the caseload"	Enums(clinic, research)
//	@Param			cells			query		string	false	"Whether numbers of few people are withheld"	Enums(withheld, all)	default(withheld)
//	@Param			format			query		string	false	"Form of the answer"	Enums(json, csv)	default(json)
//	@Success		200				{object}	figure.Sessions
//	@Failure		401,403,409,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/cohort/sessions [get]
func (h *Handlers) cohortSessions(c echo.Context, who auth.Principal) error {
	return sendFigure(c, h.Research, who, "sessions", figure.AskSessions)
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
//	@Success		200				{object}	figure.Survival
//	@Failure		401,403,409,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/cohort/survival [get]
func (h *Handlers) cohortSurvival(c echo.Context, who auth.Principal) error {
	return sendFigure(c, h.Research, who, "survival", figure.AskSurvival)
}

// cohortExpected tells which change to expect, and who is off track.
//
//	@Summary		Expected response
//	@Description	Percentiles of change from baseline by baseline severity and session number, from the clinic's own clients; refused where they are few. With off_track=true, for who may read the caseload: the clients who do worse than most, which leaves an entry in the audit trail of each. With client_id: how this one does, whether well or not.
//	@Tags			research
//	@Produce		json,text/csv
//	@Param			instrument		query		string	true	"Instrument"	example(phq-9)
//	@Param			least			query		int		false	"Read percentiles of so many people at least"	minimum(20)	default(20)
//	@Param			off_track		query		boolean	false	"List who does worse than most"	default(false)
//	@Param			client_id		query		string	false	"How this client does beside the others, in off_track"	format(uuid)
//	@Param			recall_window	query		string	false	"Only assessments with this recall window"	example(P14D)
//	@Param			cohort			query		string	false	"A saved cohort"			format(uuid)
//	@Param			as_of			query		string	false	"What was known at this time"	format(date-time)
//	@Param			population		query		string	false	"Whom it is about; absent: the clinic's clients for who may read the caseload"	Enums(clinic, research)
//	@Param			cells			query		string	false	"Whether numbers of few people are withheld"	Enums(withheld, all)	default(withheld)
//	@Param			format			query		string	false	"Form of the answer"	Enums(json, csv)	default(json)
//	@Success		200				{object}	figure.Expected
//	@Failure		401,403,409,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/cohort/expected [get]
func (h *Handlers) cohortExpected(c echo.Context, who auth.Principal) error {
	return sendFigure(c, h.Research, who, "expected", figure.AskExpected)
}

// cohortMeasures tells the quality measures of depression care.
//
//	@Summary		Quality measures of depression care
//	@Description	HEDIS DRR-E and CMS159 (MNCM), of the PHQ-9. The period is that of the index event. The measures' exclusions are not recorded here and not applied.
//	@Tags			research
//	@Produce		json,text/csv
//	@Param			index_from		query		string	false	"Index events then or later"	format(date-time)
//	@Param			index_to		query		string	false	"Index events before then"		format(date-time)
//	@Param			within_days		query		string	false	"Days on either side of 6 and 12 months"	Enums(60, 30)	default(60)
//	@Param			cohort			query		string	false	"A saved cohort"			format(uuid)
//	@Param			as_of			query		string	false	"What was known at this time"	format(date-time)
//	@Param			population		query		string	false	"Whom it is about; absent: the clinic's clients for who may read the caseload"	Enums(clinic, research)
//	@Param			cells			query		string	false	"Whether numbers of few people are withheld"	Enums(withheld, all)	default(withheld)
//	@Param			format			query		string	false	"Form of the answer"	Enums(json, csv)	default(json)
//	@Success		200				{object}	figure.Measures
//	@Failure		401,403,409,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/cohort/measures [get]
func (h *Handlers) cohortMeasures(c echo.Context, who auth.Principal) error {
	return sendFigure(c, h.Research, who, "measures", figure.AskMeasures)
}

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
//	@Success		200				{object}	figure.Change
//	@Failure		401,403,409,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/cohort/change [get]
func (h *Handlers) cohortChange(c echo.Context, who auth.Principal) error {
	return sendFigure(c, h.Research, who, "change", figure.AskChange)
}

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
//	@Success		200				{object}	figure.Recovery
//	@Failure		401,403,409,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/cohort/recovery [get]
func (h *Handlers) cohortRecovery(c echo.Context, who auth.Principal) error {
	return sendFigure(c, h.Research, who, "recovery", figure.AskRecovery)
}

// cohortShift tells from which band of severity to which people moved.
//
//	@Summary		Shift between bands of severity
//	@Description	Rows are bands at from, columns at to. An instrument without bands has two, on either side of its cut-point.
//	@Tags			research
//	@Produce		json,text/csv
//	@Param			instrument		query		string	true	"Instrument"	example(phq-9)
//	@Param			from			query		string	false	"Time-point"	default(baseline)
//	@Param			to				query		string	false	"Time-point"	default(last)
//	@Param			recall_window	query		string	false	"Only assessments with this recall window"	example(P14D)
//	@Param			cohort			query		string	false	"A saved cohort"			format(uuid)
//	@Param			as_of			query		string	false	"What was known at this time"	format(date-time)
//	@Param			population		query		string	false	"Whom it is about; absent: the clinic's clients for who may read the caseload"	Enums(clinic, research)
//	@Param			cells			query		string	false	"Whether numbers of few people are withheld"	Enums(withheld, all)	default(withheld)
//	@Param			format			query		string	false	"Form of the answer"	Enums(json, csv)	default(json)
//	@Success		200				{object}	figure.Shift
//	@Failure		401,403,409,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/cohort/shift [get]
func (h *Handlers) cohortShift(c echo.Context, who auth.Principal) error {
	return sendFigure(c, h.Research, who, "shift", figure.AskShift)
}

// cohortItem9 tells how the answers about suicidal thoughts moved.
//
//	@Summary		Shift of the answers to PHQ-9 item 9
//	@Description	Rows are answers 0 to 3 at from, columns at to. An answer of 0 says that nothing was reported, never that there is no risk.
//	@Tags			research
//	@Produce		json,text/csv
//	@Param			from			query		string	false	"Time-point"	default(baseline)
//	@Param			to				query		string	false	"Time-point"	default(last)
//	@Param			recall_window	query		string	false	"Only assessments with this recall window"	example(P14D)
//	@Param			cohort			query		string	false	"A saved cohort"			format(uuid)
//	@Param			as_of			query		string	false	"What was known at this time"	format(date-time)
//	@Param			population		query		string	false	"Whom it is about; absent: the clinic's clients for who may read the caseload"	Enums(clinic, research)
//	@Param			cells			query		string	false	"Whether numbers of few people are withheld"	Enums(withheld, all)	default(withheld)
//	@Param			format			query		string	false	"Form of the answer"	Enums(json, csv)	default(json)
//	@Success		200				{object}	figure.Item9
//	@Failure		401,403,409,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/cohort/item9 [get]
func (h *Handlers) cohortItem9(c echo.Context, who auth.Principal) error {
	return sendFigure(c, h.Research, who, "item9", figure.AskItem9)
}

// cohortSignificance tells how many changes were clinically significant.
//
//	@Summary		Clinically significant change
//	@Description	By Jacobson and Truax (1991), with the norms of two published samples: recovered, improved, unchanged, deteriorated and harmed, each of all pairs. Cut-off a is two SD beyond the dysfunctional mean, b within two SD of the functional one, c where a person is as likely of either.
//	@Tags			research
//	@Produce		json,text/csv
//	@Param			instrument			query		string	true	"Instrument"	example(phq-9)
//	@Param			dysfunctional_mean	query		number	true	"Mean of those who are ill, in points"	example(16.5)
//	@Param			dysfunctional_sd	query		number	true	"Their standard deviation"	example(5.1)
//	@Param			functional_mean		query		number	true	"Mean of those who are well"	example(3.3)
//	@Param			functional_sd		query		number	true	"Their standard deviation"	example(3.8)
//	@Param			reliability			query		number	true	"Reliability of the instrument"	minimum(0)	maximum(1)	example(0.84)
//	@Param			cutoff				query		string	false	"Where the range of the functional begins"	Enums(a, b, c)	default(c)
//	@Param			from				query		string	false	"Time-point"	default(baseline)
//	@Param			to					query		string	false	"Time-point"	default(last)
//	@Param			recall_window		query		string	false	"Only assessments with this recall window"	example(P14D)
//	@Param			cohort				query		string	false	"A saved cohort"			format(uuid)
//	@Param			as_of				query		string	false	"What was known at this time"	format(date-time)
//	@Param			population			query		string	false	"Whom it is about; absent: the clinic's clients for who may read the caseload"	Enums(clinic, research)
//	@Param			cells				query		string	false	"Whether numbers of few people are withheld"	Enums(withheld, all)	default(withheld)
//	@Param			format				query		string	false	"Form of the answer"	Enums(json, csv)	default(json)
//	@Success		200					{object}	figure.Significance
//	@Failure		401,403,409,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/cohort/significance [get]
func (h *Handlers) cohortSignificance(c echo.Context, who auth.Principal) error {
	return sendFigure(c, h.Research, who, "significance", figure.AskSignificance)
}

// sendFigure asks for a figure and sends it.
func sendFigure[F any](c echo.Context, r *research.Service, who auth.Principal, name string,
	ask func(context.Context, *research.Service, auth.Principal, *question.Reader) (F, error),
) error {
	q := query(c)
	format := choice(q, "format", "json", "json", "csv")
	found, err := ask(c.Request().Context(), r, who, q.Reader)
	if err != nil {
		return err
	}
	if format == "json" {
		return ok(c, found)
	}
	var out bytes.Buffer
	if err := figure.CSV(c.Request().Context(), &out, name, found); err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderContentDisposition, `attachment; filename="`+figure.CSVName(name)+`"`)
	return c.Blob(http.StatusOK, export.CSV.ContentType(), out.Bytes())
}

package rest

import (
	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/trajectory"
)

// trajectoryQuery reads what both trajectory routes share.
func trajectoryQuery(q *params) care.TrajectoryQuery {
	return care.TrajectoryQuery{
		CourseID: q.ID("course_id"), AsOf: q.Time("as_of"), RecallWindow: q.Text("recall_window", ""),
		Options: trajectory.Options{
			Baseline: choice(q, "baseline", trajectory.BaselineFirst,
				trajectory.BaselineFirst, trajectory.BaselineLastBeforeFirstDose),
			Relapse: choice(q, "relapse", trajectory.RelapseLossOfResponse, trajectory.RelapseLossOfResponse,
				trajectory.RelapseCasenessAfterRemission, trajectory.RelapseReliableWorsening),
			MaxOverlap: q.Share("max_overlap"),
		},
	}
}

// getTrajectory returns a client's trajectory on one instrument.
//
//	@Summary		Get a trajectory
//	@Description	Every assessment that stands, compared with a stated baseline by a named rule set; what each session changed and what was held between sessions; the verdict at the latest score. Accept: image/svg+xml or image/png asks for the picture of it instead.
//	@Tags			trajectories
//	@Produce		json,image/svg+xml,image/png
//	@Param			client_id		path		string	true	"Client"		format(uuid)
//	@Param			instrument		query		string	true	"Instrument"	example(phq-9)
//	@Param			theme			query		string	false	"Colours of a picture; not of JSON"	Enums(light, dark, print)	default(light)
//	@Param			course_id		query		string	false	"Only this course"	format(uuid)
//	@Param			as_of			query		string	false	"What was known at this time"	format(date-time)
//	@Param			baseline		query		string	false	"Which score is the baseline"	Enums(first, last_before_first_dose)	default(first)
//	@Param			rules			query		string	false	"Change rule set; absent: the clinic's choice"	example(nhs-tt)
//	@Param			relapse			query		string	false	"What counts as a relapse"	Enums(loss_of_response, caseness_after_remission, reliable_worsening_from_best)	default(loss_of_response)
//	@Param			max_overlap		query		number	false	"Leave scores out of the verdicts whose recall window shares more than this with the baseline's"	minimum(0)	maximum(1)
//	@Param			recall_window	query		string	false	"Only assessments with this recall window"	example(P14D)
//	@Success		200				{object}	Trajectory
//	@Failure		401,403,404,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/clients/{client_id}/trajectory [get]
func (h *Handlers) getTrajectory(c echo.Context, who auth.Principal) error {
	c.Response().Header().Add(echo.HeaderVary, "Accept")
	return h.showTrajectory(c, who, preferredForm(c.Request().Header.Values("Accept")))
}

// listTrajectories returns every trajectory that a client has.
//
//	@Summary	Get all trajectories of a client
//	@Tags		trajectories
//	@Produce	json
//	@Param		client_id		path		string	true	"Client"	format(uuid)
//	@Param		course_id		query		string	false	"Only this course"	format(uuid)
//	@Param		as_of			query		string	false	"What was known at this time"	format(date-time)
//	@Param		baseline		query		string	false	"Which score is the baseline"	Enums(first, last_before_first_dose)	default(first)
//	@Param		relapse			query		string	false	"What counts as a relapse"	Enums(loss_of_response, caseness_after_remission, reliable_worsening_from_best)	default(loss_of_response)
//	@Param		max_overlap		query		number	false	"Leave scores out of the verdicts whose recall window shares more than this with the baseline's"	minimum(0)	maximum(1)
//	@Param		recall_window	query		string	false	"Only assessments with this recall window"
//	@Success	200				{object}	Page[Trajectory]
//	@Failure	401,403,404,422,503	{object}	problem.Document
//	@Security	Key
//	@Router		/v1/clients/{client_id}/trajectories [get]
func (h *Handlers) listTrajectories(c echo.Context, who auth.Principal) error {
	client, err := pathID(c, "client_id")
	if err != nil {
		return err
	}
	q := query(c)
	asked := trajectoryQuery(q)
	if err := q.Err(); err != nil {
		return err
	}
	found, err := h.Care.Trajectories(c.Request().Context(), who, client, asked)
	if err != nil {
		return err
	}
	out := Page[Trajectory]{Items: make([]Trajectory, len(found))}
	for i, t := range found {
		out.Items[i] = trajectoryFromCare(t)
	}
	return ok(c, out)
}

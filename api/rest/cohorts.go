package rest

import (
	"cmp"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/research"
)

// CohortRequest is a filter that is saved under a name.
type CohortRequest struct {
	ID     *uuid.UUID    `json:"id,omitempty" validate:"omitempty,id" swaggertype:"string" format:"uuid"`
	Name   string        `json:"name" validate:"required,max=100,line" example:"First treated in 2025"` // unique in the clinic, and free text that everybody sees who may read cohorts: put nobody's name in it
	Filter *CohortFilter `json:"filter" validate:"required"`                                            // {} is everybody
} //	@name	CohortRequest

// CohortFilter says who belongs to a cohort: all that is set holds, and of a
// list one value does. What nobody recorded does not hold. Doses are the first.
type CohortFilter struct {
	Indication []string `json:"indication,omitempty" validate:"dive,line" example:"depression"`
	Sex        []string `json:"sex,omitempty" enums:"female,male,other,unknown"`
	AgeMin     *int     `json:"age_min,omitempty" extensions:"x-nullable" minimum:"0" maximum:"150"` // years at the first dose
	AgeMax     *int     `json:"age_max,omitempty" extensions:"x-nullable" minimum:"0" maximum:"150"`

	EnrolledFrom  *time.Time `json:"enrolled_from,omitempty" format:"date-time" extensions:"x-nullable"` // then or later
	EnrolledTo    *time.Time `json:"enrolled_to,omitempty" format:"date-time" extensions:"x-nullable"`   // before then
	FirstDoseFrom *time.Time `json:"first_dose_from,omitempty" format:"date-time" extensions:"x-nullable"`
	FirstDoseTo   *time.Time `json:"first_dose_to,omitempty" format:"date-time" extensions:"x-nullable"`

	Substance []string `json:"substance,omitempty" validate:"dive,line" example:"ketamine"`
	Route     []string `json:"route,omitempty" enums:"intravenous,intramuscular,subcutaneous,intranasal,sublingual,oral"`
	DoseMGMin *float64 `json:"dose_mg_min,omitempty" extensions:"x-nullable"`
	DoseMGMax *float64 `json:"dose_mg_max,omitempty" extensions:"x-nullable"`

	PlannedSessionsMin *int `json:"planned_sessions_min,omitempty" extensions:"x-nullable" minimum:"1"`
	SessionsMin        *int `json:"sessions_min,omitempty" extensions:"x-nullable" minimum:"0"` // dosing sessions that have taken place
	SessionsMax        *int `json:"sessions_max,omitempty" extensions:"x-nullable" minimum:"0"`

	Baseline *CohortBaseline `json:"baseline,omitempty" extensions:"x-nullable"`
} //	@name	CohortFilter

// CohortBaseline asks for a score at the baseline.
type CohortBaseline struct {
	Instrument string   `json:"instrument" validate:"required" example:"phq-9"`
	Min        *float64 `json:"min,omitempty" extensions:"x-nullable"`
	Max        *float64 `json:"max,omitempty" extensions:"x-nullable"`
	Severity   []string `json:"severity,omitempty" example:"moderately_severe"`
} //	@name	CohortBaseline

// Cohort is a saved filter.
type Cohort struct {
	ID        uuid.UUID    `json:"id" swaggertype:"string" format:"uuid"`
	Name      string       `json:"name"`
	Filter    CohortFilter `json:"filter"`
	CreatedAt time.Time    `json:"created_at" format:"date-time"`
	CreatedBy uuid.UUID    `json:"created_by" swaggertype:"string" format:"uuid"` // key or account
} //	@name	Cohort

func (r CohortRequest) toResearch() research.Cohort {
	f := cmp.Or(r.Filter, &CohortFilter{})
	out := research.Cohort{Name: r.Name, Filter: research.Filter{
		Indication: f.Indication, Sex: f.Sex, AgeMin: f.AgeMin, AgeMax: f.AgeMax,
		EnrolledFrom: f.EnrolledFrom, EnrolledTo: f.EnrolledTo, FirstDoseFrom: f.FirstDoseFrom, FirstDoseTo: f.FirstDoseTo,
		Substance: f.Substance, Route: f.Route, DoseMGMin: f.DoseMGMin, DoseMGMax: f.DoseMGMax,
		PlannedSessionsMin: f.PlannedSessionsMin, SessionsMin: f.SessionsMin, SessionsMax: f.SessionsMax,
		Baseline: (*research.BaselineFilter)(f.Baseline),
	}}
	if r.ID != nil {
		out.ID = *r.ID
	}
	return out
}

func cohortFromResearch(c research.Cohort) Cohort {
	f := c.Filter
	return Cohort{ID: c.ID, Name: c.Name, CreatedAt: c.CreatedAt, CreatedBy: c.CreatedBy, Filter: CohortFilter{
		Indication: f.Indication, Sex: f.Sex, AgeMin: f.AgeMin, AgeMax: f.AgeMax,
		EnrolledFrom: f.EnrolledFrom, EnrolledTo: f.EnrolledTo, FirstDoseFrom: f.FirstDoseFrom, FirstDoseTo: f.FirstDoseTo,
		Substance: f.Substance, Route: f.Route, DoseMGMin: f.DoseMGMin, DoseMGMax: f.DoseMGMax,
		PlannedSessionsMin: f.PlannedSessionsMin, SessionsMin: f.SessionsMin, SessionsMax: f.SessionsMax,
		Baseline: (*CohortBaseline)(f.Baseline),
	}}
}

// createCohort saves a filter.
//
//	@Summary		Save a cohort
//	@Description	A filter under a name, for figures, exports and snapshots. It never changes; whom it holds grows with the record. A repeat with the same id and content answers 200 with what is stored.
//	@Tags			research
//	@Accept			json
//	@Produce		json
//	@Param			cohort	body		CohortRequest	true	"The cohort"
//	@Success		201		{object}	Cohort
//	@Success		200		{object}	Cohort	"It was stored before, with the same content"
//	@Failure		400,401,403,409,413,415,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/cohorts [post]
func (h *Handlers) createCohort(c echo.Context, who auth.Principal) error {
	in, err := bindWhole(c, func() CohortRequest { return CohortRequest{} },
		func(r CohortRequest) []fault.Detail { return h.Research.CheckCohort(r.toResearch()) })
	if err != nil {
		return err
	}
	cohort, outcome, err := h.Research.SaveCohort(c.Request().Context(), who, in.toResearch())
	if err != nil {
		return err
	}
	return stored(c, outcome, "/v1/cohorts/"+cohort.ID.String(), cohortFromResearch(cohort))
}

// listCohorts lists the saved cohorts by name.
//
//	@Summary	List cohorts
//	@Tags		research
//	@Produce	json
//	@Param		limit	query		int		false	"At most so many"	minimum(1)	maximum(200)	default(50)
//	@Param		cursor	query		string	false	"next_cursor of the page before"
//	@Success	200		{object}	Page[Cohort]
//	@Failure	401,403,422,503	{object}	problem.Document
//	@Security	Key
//	@Router		/v1/cohorts [get]
func (h *Handlers) listCohorts(c echo.Context, who auth.Principal) error {
	q := query(c)
	page := q.page(cohortList)
	if err := q.Err(); err != nil {
		return err
	}
	cohorts, err := h.Research.Cohorts(c.Request().Context(), who, page)
	if err != nil {
		return err
	}
	return ok(c, pageOf(q, cohorts, page, cohortFromResearch, func(c research.Cohort) care.Position {
		return care.Position{Text: c.Name, ID: c.ID}
	}))
}

// getCohort returns a saved cohort.
//
//	@Summary	Get a cohort
//	@Tags		research
//	@Produce	json
//	@Param		cohort_id	path		string	true	"Cohort"	format(uuid)
//	@Success	200			{object}	Cohort
//	@Failure	401,403,404,422,503	{object}	problem.Document
//	@Security	Key
//	@Router		/v1/cohorts/{cohort_id} [get]
func (h *Handlers) getCohort(c echo.Context, who auth.Principal) error {
	id, err := pathID(c, "cohort_id")
	if err != nil {
		return err
	}
	cohort, err := h.Research.Cohort(c.Request().Context(), who, id)
	if err != nil {
		return err
	}
	return ok(c, cohortFromResearch(cohort))
}

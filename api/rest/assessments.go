package rest

import (
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/api/question"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/instrument"
)

// AssessmentFields is what an assessment says, whichever way it is sent.
type AssessmentFields struct {
	Instrument    string          `json:"instrument" validate:"required,max=64" example:"phq-9"`
	Timing        string          `json:"timing" validate:"required,oneof=baseline before after follow_up" enums:"baseline,before,after,follow_up"`
	SessionID     *uuid.UUID      `json:"session_id,omitempty" validate:"omitempty,id" swaggertype:"string" format:"uuid"` // needed before and after
	CompletedAt   time.Time       `json:"completed_at" validate:"required" format:"date-time"`
	Answers       map[string]*int `json:"answers,omitempty" validate:"max=500"`  // item id to answer; null or absent is missing
	Declined      []string        `json:"declined,omitempty" validate:"max=500"` // items asked and declined
	Total         *float64        `json:"total,omitempty"`                       // a total from elsewhere, instead of answers
	MissingPolicy string          `json:"missing_policy,omitempty" validate:"omitempty,oneof=complete prorate" enums:"complete,prorate" default:"complete"`
	RecallWindow  string          `json:"recall_window,omitempty" validate:"max=32" example:"P14D"` // absent: the instrument's own
	Mode          string          `json:"mode,omitempty" validate:"omitempty,oneof=self clinician import" enums:"self,clinician,import" default:"self"`
}

// AssessmentRequest is an assessment as a front end writes it.
type AssessmentRequest struct {
	ID *uuid.UUID `json:"id,omitempty" validate:"omitempty,id" swaggertype:"string" format:"uuid"`
	AssessmentFields
} //	@name	AssessmentRequest

// AmendmentRequest replaces what an assessment says. Absent members keep
// their value; answers, declined and total are replaced together.
type AmendmentRequest struct {
	AssessmentRequest
	Reason string `json:"reason" validate:"required,max=1000,text" example:"Item 3 was read out wrongly."`
} //	@name	AmendmentRequest

// RetractionRequest says why an assessment is not to be counted.
type RetractionRequest struct {
	Reason string `json:"reason" validate:"required,max=1000,text" example:"Another client's form."`
} //	@name	RetractionRequest

// Assessment is one version of a stored assessment.
type Assessment struct {
	ID                uuid.UUID       `json:"id" swaggertype:"string" format:"uuid"`
	ClientID          uuid.UUID       `json:"client_id" swaggertype:"string" format:"uuid"`
	Instrument        string          `json:"instrument" example:"phq-9"`
	InstrumentVersion string          `json:"instrument_version" example:"1.0.0"`
	Timing            string          `json:"timing" enums:"baseline,before,after,follow_up"`
	SessionID         *uuid.UUID      `json:"session_id" swaggertype:"string" format:"uuid" extensions:"x-nullable"`
	CompletedAt       time.Time       `json:"completed_at" format:"date-time"`
	Answers           map[string]*int `json:"answers" extensions:"x-nullable"` // null where only a total is known
	Declined          []string        `json:"declined"`
	Total             *float64        `json:"total" extensions:"x-nullable"` // as given from elsewhere; the computed one is in score
	MissingPolicy     string          `json:"missing_policy" enums:"complete,prorate"`
	RecallWindow      string          `json:"recall_window" example:"P14D"`
	Mode              string          `json:"mode" enums:"self,clinician,import"`
	Score             Score           `json:"score"`
	Status            string          `json:"status" enums:"recorded,retracted"`
	Reason            string          `json:"reason,omitempty"` // why it was amended or retracted
	Version           int             `json:"version" example:"1"`
	RecordedAt        time.Time       `json:"recorded_at" format:"date-time"`
	RecordedBy        uuid.UUID       `json:"recorded_by" swaggertype:"string" format:"uuid"` // the key
	SupersededAt      *time.Time      `json:"superseded_at,omitempty" format:"date-time"`     // absent: the current version
} //	@name	Assessment

func (r AssessmentRequest) toCare(client uuid.UUID) care.Assessment {
	a := care.Assessment{
		ClientID: client, Instrument: r.Instrument, Timing: care.Timing(r.Timing), SessionID: r.SessionID,
		CompletedAt: r.CompletedAt, Answers: r.Answers, Declined: r.Declined, Total: r.Total,
		MissingPolicy: instrument.MissingPolicy(r.MissingPolicy), RecallWindow: r.RecallWindow, Mode: care.Mode(r.Mode),
	}
	if r.ID != nil {
		a.ID = *r.ID
	}
	return a
}

// amendmentOf is what an amendment starts from: everything but the answers,
// the reason, and what they give together.
func amendmentOf(a care.Assessment) AmendmentRequest {
	return AmendmentRequest{AssessmentRequest: AssessmentRequest{AssessmentFields: AssessmentFields{
		Instrument: a.Instrument, Timing: string(a.Timing), SessionID: clone(a.SessionID), CompletedAt: a.CompletedAt,
		MissingPolicy: string(a.MissingPolicy), RecallWindow: a.RecallWindow, Mode: string(a.Mode),
	}}}
}

// toCare makes the amended assessment; answers that were not sent stay.
func (r AmendmentRequest) toCare(current care.Assessment) care.Assessment {
	a := r.AssessmentRequest.toCare(current.ClientID)
	a.ID, a.Reason = current.ID, care.Private(r.Reason)
	if r.Answers == nil && r.Declined == nil && r.Total == nil {
		a.Answers, a.Declined, a.Total = current.Answers, current.Declined, current.Total
	}
	return a
}

// erasure refuses an amendment that would drop every answer without a word,
// because it names what was declined and not what was answered.
func (r AmendmentRequest) erasure(current care.Assessment) []fault.Detail {
	if r.Declined == nil || r.Answers != nil || r.Total != nil || len(current.Answers) == 0 {
		return nil
	}
	return []fault.Detail{{
		Pointer: "/answers", Code: "required", Message: "Answers, declined and total are replaced together: send the answers that stand.",
	}}
}

// malformedForm names all that is wrong with a form that has faults of shape.
// One that has none goes to the service as it is: if its id is known, what
// was taken once is not judged again.
func (h *Handlers) malformedForm(shape []fault.Detail, a care.Assessment) error {
	if len(shape) == 0 {
		return nil
	}
	return shapeError(join(shape, h.Care.CheckAssessment(a)))
}

func assessmentFromCare(a care.Assessment) Assessment {
	out := Assessment{
		ID: a.ID, ClientID: a.ClientID, Instrument: a.Instrument, InstrumentVersion: a.InstrumentVersion,
		Timing: string(a.Timing), SessionID: a.SessionID, CompletedAt: a.CompletedAt, Answers: a.Answers,
		Declined: a.Declined, Total: a.Total, MissingPolicy: string(a.MissingPolicy), RecallWindow: a.RecallWindow,
		Mode: string(a.Mode), Score: scoreFromInstrument(a.Score), Status: "recorded", Reason: string(a.Reason),
		Version: a.Version, RecordedAt: a.RecordedAt, RecordedBy: a.RecordedBy, SupersededAt: a.SupersededAt,
	}
	if a.Retracted {
		out.Status = "retracted"
	}
	return out
}

// createAssessment stores one assessment.
//
//	@Summary		Record an assessment
//	@Description	Scored by the instrument's rule and stored with the score. A repeat with the same id and content answers 200 with what is stored.
//	@Tags			assessments
//	@Accept			json
//	@Produce		json
//	@Param			client_id	path		string				true	"Client"	format(uuid)
//	@Param			assessment	body		AssessmentRequest	true	"The assessment"
//	@Success		201			{object}	Assessment
//	@Success		200			{object}	Assessment	"It was stored before, with the same content"
//	@Failure		400,401,403,404,409,413,415,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/clients/{client_id}/assessments [post]
func (h *Handlers) createAssessment(c echo.Context, who auth.Principal) error {
	client, err := pathID(c, "client_id")
	if err != nil {
		return err
	}
	in, details, err := bindFaults(c, func() AssessmentRequest { return AssessmentRequest{} })
	if err == nil {
		err = h.malformedForm(details, in.toCare(client))
	}
	if err != nil {
		return err
	}
	recorded, err := h.Care.RecordAssessments(c.Request().Context(), who, []care.Assessment{in.toCare(client)})
	if err != nil {
		return err
	}
	r := recorded[0]
	if fault.Is(r.Err, fault.NotFound) {
		return question.ErrNoID // the client is named in the path, not in the body
	}
	if r.Err != nil {
		return r.Err
	}
	return created(c, r.Outcome, "/v1/assessments/"+r.Assessment.ID.String(), r.Assessment.Version, assessmentFromCare(r.Assessment))
}

// listAssessments lists a client's assessments by completion.
//
//	@Summary	List a client's assessments
//	@Tags		assessments
//	@Produce	json
//	@Param		client_id	path		string	true	"Client"	format(uuid)
//	@Param		instrument	query		string	false	"Only this instrument"
//	@Param		session_id	query		string	false	"Only this session's"	format(uuid)
//	@Param		timing		query		string	false	"Only this timing"		Enums(baseline, before, after, follow_up)
//	@Param		retracted	query		bool	false	"List the retracted ones too"
//	@Param		limit		query		int		false	"At most so many"	minimum(1)	maximum(200)	default(50)
//	@Param		cursor		query		string	false	"next_cursor of the page before"
//	@Success	200			{object}	Page[Assessment]
//	@Failure	401,403,404,422,503	{object}	problem.Document
//	@Security	Key
//	@Router		/v1/clients/{client_id}/assessments [get]
func (h *Handlers) listAssessments(c echo.Context, who auth.Principal) error {
	client, err := pathID(c, "client_id")
	if err != nil {
		return err
	}
	q := query(c)
	page := q.page(assessmentList)
	filter := care.AssessmentFilter{
		Instrument: q.Text("instrument", ""), SessionID: q.ID("session_id"), Retracted: q.Flag("retracted"),
		Timing: choice(q, "timing", "", care.Timings()...),
	}
	if err := q.Err(); err != nil {
		return err
	}
	assessments, err := h.Care.Assessments(c.Request().Context(), who, client, filter, page)
	if err != nil {
		return err
	}
	return ok(c, pageOf(q, assessments, page, assessmentFromCare, func(a care.Assessment) care.Position {
		return care.Position{Time: a.CompletedAt, ID: a.ID}
	}))
}

// getAssessment returns the current version of an assessment.
//
//	@Summary	Get an assessment
//	@Tags		assessments
//	@Produce	json
//	@Param		assessment_id	path		string	true	"Assessment"	format(uuid)
//	@Success	200				{object}	Assessment
//	@Failure	401,403,404,422,503	{object}	problem.Document
//	@Security	Key
//	@Router		/v1/assessments/{assessment_id} [get]
func (h *Handlers) getAssessment(c echo.Context, who auth.Principal) error {
	id, err := pathID(c, "assessment_id")
	if err != nil {
		return err
	}
	a, err := h.Care.Assessment(c.Request().Context(), who, id)
	if err != nil {
		return err
	}
	return found(c, a.Version, assessmentFromCare(a))
}

// amendAssessment stores a new version of an assessment.
//
//	@Summary		Amend an assessment
//	@Description	Makes a new version with a reason and keeps the old one. Absent members keep their value; answers, declined and total are replaced together. Needs If-Match.
//	@Tags			assessments
//	@Accept			json
//	@Produce		json
//	@Param			assessment_id	path		string				true	"Assessment"	format(uuid)
//	@Param			If-Match		header		string				true	"ETag of the version that was read"
//	@Param			amendment		body		AmendmentRequest	true	"What it should say, and why"
//	@Success		200				{object}	Assessment
//	@Failure		400,401,403,404,409,412,413,415,422,428,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/assessments/{assessment_id} [put]
func (h *Handlers) amendAssessment(c echo.Context, who auth.Principal) error {
	if err := h.Care.MayAmend(c.Request().Context(), who); err != nil {
		return err
	}
	version, current, err := patching(c, who, "assessment_id", h.Care.Assessment)
	if err != nil {
		return err
	}
	in, err := bindWhole(c, func() AmendmentRequest { return amendmentOf(current) }, func(r AmendmentRequest) []fault.Detail {
		return slices.Concat(sameID(r.ID, current.ID), r.erasure(current), h.Care.CheckAssessment(r.toCare(current)))
	})
	if err != nil {
		return err
	}
	a, err := h.Care.Amend(c.Request().Context(), who, in.toCare(current), version)
	if err != nil {
		return err
	}
	return found(c, a.Version, assessmentFromCare(a))
}

// retractAssessment marks an assessment as not to be counted.
//
//	@Summary		Retract an assessment
//	@Description	A version with a reason; what it said is kept. Retracting again changes nothing. If-Match is held to where sent.
//	@Tags			assessments
//	@Accept			json
//	@Produce		json
//	@Param			assessment_id	path		string				true	"Assessment"	format(uuid)
//	@Param			If-Match		header		string				false	"ETag of the version that was read"
//	@Param			retraction		body		RetractionRequest	true	"Why"
//	@Success		200				{object}	Assessment
//	@Failure		400,401,403,404,412,413,415,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/assessments/{assessment_id}/retraction [post]
func (h *Handlers) retractAssessment(c echo.Context, who auth.Principal) error {
	id, err := pathID(c, "assessment_id")
	if err != nil {
		return err
	}
	version, err := ifMatch(c)
	if err != nil {
		return err
	}
	in, err := bind(c, func() RetractionRequest { return RetractionRequest{} })
	if err != nil {
		return err
	}
	a, err := h.Care.Retract(c.Request().Context(), who, id, care.Private(in.Reason), version)
	if err != nil {
		return err
	}
	return found(c, a.Version, assessmentFromCare(a))
}

// listAssessmentVersions lists every version of an assessment.
//
//	@Summary	List an assessment's versions
//	@Tags		assessments
//	@Produce	json
//	@Param		assessment_id	path		string	true	"Assessment"		format(uuid)
//	@Param		limit			query		int		false	"At most so many"	minimum(1)	maximum(200)	default(50)
//	@Param		cursor			query		string	false	"next_cursor of the page before"
//	@Success	200				{object}	Page[Assessment]
//	@Failure	401,403,404,422,503	{object}	problem.Document
//	@Security	Key
//	@Router		/v1/assessments/{assessment_id}/versions [get]
func (h *Handlers) listAssessmentVersions(c echo.Context, who auth.Principal) error {
	id, err := pathID(c, "assessment_id")
	if err != nil {
		return err
	}
	q := query(c)
	page := q.page(versionList)
	if err := q.Err(); err != nil {
		return err
	}
	versions, err := h.Care.AssessmentVersions(c.Request().Context(), who, id, page)
	if err != nil {
		return err
	}
	return ok(c, pageOf(q, versions, page, assessmentFromCare, func(a care.Assessment) care.Position {
		return care.Position{Number: new(float64(a.Version)), ID: a.ID}
	}))
}

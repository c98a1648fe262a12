package rest

import (
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
)

// CourseRequest is a client's treatment plan as a front end writes it.
type CourseRequest struct {
	ID              *uuid.UUID `json:"id,omitempty" validate:"omitempty,id" swaggertype:"string" format:"uuid"`
	Indication      string     `json:"indication" validate:"required,max=200,line" example:"depression"` // what is treated
	StartedOn       string     `json:"started_on" validate:"required,datetime=2006-01-02" format:"date" example:"2026-03-02"`
	EndedOn         *string    `json:"ended_on,omitempty" validate:"omitempty,datetime=2006-01-02" format:"date"`
	PlannedSessions *int       `json:"planned_sessions,omitempty" validate:"omitempty,min=1,max=1000" example:"6"`
	Goals           string     `json:"goals,omitempty" validate:"max=5000,text"` // the client's own words
} //	@name	CourseRequest

// Course is a stored course.
type Course struct {
	ID              uuid.UUID `json:"id" swaggertype:"string" format:"uuid"`
	ClientID        uuid.UUID `json:"client_id" swaggertype:"string" format:"uuid"`
	Indication      string    `json:"indication" example:"depression"`
	StartedOn       string    `json:"started_on" format:"date"`
	EndedOn         *string   `json:"ended_on" format:"date" extensions:"x-nullable"`
	PlannedSessions *int      `json:"planned_sessions" extensions:"x-nullable"`
	Goals           string    `json:"goals"`
	Version         int       `json:"version" example:"1"`
	RecordedAt      time.Time `json:"recorded_at" format:"date-time"`
} //	@name	Course

func (r CourseRequest) toCare(client uuid.UUID) care.Course {
	c := care.Course{
		ClientID: client, Indication: r.Indication, StartedOn: care.Date(r.StartedOn),
		EndedOn: convertPtr[care.Date](r.EndedOn), PlannedSessions: r.PlannedSessions, Goals: care.Private(r.Goals),
	}
	if r.ID != nil {
		c.ID = *r.ID
	}
	return c
}

func requestFromCourse(c care.Course) CourseRequest {
	return CourseRequest{
		Indication: c.Indication, StartedOn: string(c.StartedOn), EndedOn: convertPtr[string](c.EndedOn),
		PlannedSessions: clone(c.PlannedSessions), Goals: string(c.Goals),
	}
}

func courseFromCare(c care.Course) Course {
	return Course{
		ID: c.ID, ClientID: c.ClientID, Indication: c.Indication, StartedOn: string(c.StartedOn),
		EndedOn: convertPtr[string](c.EndedOn), PlannedSessions: c.PlannedSessions, Goals: string(c.Goals),
		Version: c.Version, RecordedAt: c.RecordedAt,
	}
}

// convertPtr converts what a pointer to text points to.
func convertPtr[T, S ~string](p *S) *T {
	if p == nil {
		return nil
	}
	return new(T(*p))
}

// createCourse stores a course of a client.
//
//	@Summary		Create a course
//	@Description	A repeat with the same id and content answers 200 with what is stored.
//	@Tags			courses
//	@Accept			json
//	@Produce		json
//	@Param			client_id	path		string			true	"Client"	format(uuid)
//	@Param			course		body		CourseRequest	true	"The course"
//	@Success		201			{object}	Course
//	@Success		200			{object}	Course	"It was stored before, with the same content"
//	@Failure		400,401,403,404,409,413,415,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/clients/{client_id}/courses [post]
func (h *Handlers) createCourse(c echo.Context, who auth.Principal) error {
	client, err := pathID(c, "client_id")
	if err != nil {
		return err
	}
	in, err := bindWhole(c, func() CourseRequest { return CourseRequest{} },
		func(r CourseRequest) []fault.Detail { return h.Care.CheckCourse(r.toCare(client)) })
	if err != nil {
		return err
	}
	course, outcome, err := h.Care.CreateCourse(c.Request().Context(), who, in.toCare(client))
	if err != nil {
		return err
	}
	return created(c, outcome, "/v1/courses/"+course.ID.String(), course.Version, courseFromCare(course))
}

// listCourses lists a client's courses by start.
//
//	@Summary	List a client's courses
//	@Tags		courses
//	@Produce	json
//	@Param		client_id	path		string	true	"Client"			format(uuid)
//	@Param		limit		query		int		false	"At most so many"	minimum(1)	maximum(200)	default(50)
//	@Param		cursor		query		string	false	"next_cursor of the page before"
//	@Success	200			{object}	Page[Course]
//	@Failure	401,403,404,422,503	{object}	problem.Document
//	@Security	Key
//	@Router		/v1/clients/{client_id}/courses [get]
func (h *Handlers) listCourses(c echo.Context, who auth.Principal) error {
	client, err := pathID(c, "client_id")
	if err != nil {
		return err
	}
	q := query(c)
	page := q.page(courseList)
	if err := q.Err(); err != nil {
		return err
	}
	courses, err := h.Care.Courses(c.Request().Context(), who, client, page)
	if err != nil {
		return err
	}
	return ok(c, pageOf(q, courses, page, courseFromCare, func(c care.Course) care.Position {
		return care.Position{Text: string(c.StartedOn), ID: c.ID}
	}))
}

// getCourse returns a course.
//
//	@Summary	Get a course
//	@Tags		courses
//	@Produce	json
//	@Param		course_id	path		string	true	"Course"	format(uuid)
//	@Success	200			{object}	Course
//	@Failure	401,403,404,422,503	{object}	problem.Document
//	@Security	Key
//	@Router		/v1/courses/{course_id} [get]
func (h *Handlers) getCourse(c echo.Context, who auth.Principal) error {
	id, err := pathID(c, "course_id")
	if err != nil {
		return err
	}
	course, err := h.Care.Course(c.Request().Context(), who, id)
	if err != nil {
		return err
	}
	return found(c, course.Version, courseFromCare(course))
}

// updateCourse changes the members of a course that are sent.
//
//	@Summary		Change a course
//	@Description	A JSON merge patch: absent members stay, null empties. Needs If-Match.
//	@Tags			courses
//	@Accept			json
//	@Produce		json
//	@Param			course_id	path		string			true	"Course"	format(uuid)
//	@Param			If-Match	header		string			true	"ETag of the version that was read"
//	@Param			course		body		CourseRequest	true	"What changes"
//	@Success		200			{object}	Course
//	@Failure		400,401,403,404,412,413,415,422,428,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/courses/{course_id} [patch]
func (h *Handlers) updateCourse(c echo.Context, who auth.Principal) error {
	version, current, err := patching(c, who, "course_id", h.Care.Course)
	if err != nil {
		return err
	}
	in, err := bindWhole(c, func() CourseRequest { return requestFromCourse(current) }, func(r CourseRequest) []fault.Detail {
		return append(sameID(r.ID, current.ID), h.Care.CheckCourse(r.toCare(current.ClientID))...)
	})
	if err != nil {
		return err
	}
	changed := in.toCare(current.ClientID)
	changed.ID = current.ID
	course, err := h.Care.UpdateCourse(c.Request().Context(), who, changed, version)
	if err != nil {
		return err
	}
	return found(c, course.Version, courseFromCare(course))
}

package rest

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/api/file"
	"github.com/protrack/protrack/api/picture"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/chart"
)

// The forms of a trajectory.
const (
	typeSVG = "image/svg+xml"
	typePNG = "image/png"
)

// getTrajectorySVG returns the picture of a trajectory as SVG.
//
//	@Summary		Get a trajectory as SVG
//	@Description	The same trajectory as a picture: bands of severity, sessions by kind and dose, before and after of a session joined, gaps where a score is missing, and the lines of remission and of reliable change. It has a title and a description for who cannot see it, and neither style sheet nor script.
//	@Tags			trajectories
//	@Produce		image/svg+xml
//	@Param			client_id		path		string	true	"Client"		format(uuid)
//	@Param			instrument		query		string	true	"Instrument"	example(phq-9)
//	@Param			theme			query		string	false	"Colours"		Enums(light, dark, print)	default(light)
//	@Param			course_id		query		string	false	"Only this course"	format(uuid)
//	@Param			as_of			query		string	false	"What was known at this time"	format(date-time)
//	@Param			baseline		query		string	false	"Which score is the baseline"	Enums(first, last_before_first_dose)	default(first)
//	@Param			rules			query		string	false	"Change rule set; absent: the clinic's choice"	example(nhs-tt)
//	@Param			relapse			query		string	false	"What counts as a relapse"	Enums(loss_of_response, caseness_after_remission, reliable_worsening_from_best)	default(loss_of_response)
//	@Param			max_overlap		query		number	false	"Leave scores out of the verdicts whose recall window shares more than this with the baseline's"	minimum(0)	maximum(1)
//	@Param			recall_window	query		string	false	"Only assessments with this recall window"	example(P14D)
//	@Success		200				{file}		binary
//	@Failure		401,403,404,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/clients/{client_id}/trajectory.svg [get]
func (h *Handlers) getTrajectorySVG(c echo.Context, who auth.Principal) error {
	return h.showTrajectory(c, who, typeSVG)
}

// getTrajectoryPNG returns the picture of a trajectory as PNG.
//
//	@Summary		Get a trajectory as PNG
//	@Description	The picture of trajectory.svg in pixels, for a text that takes no SVG. Say beside it what it shows: a PNG cannot be read aloud.
//	@Tags			trajectories
//	@Produce		image/png
//	@Param			client_id		path		string	true	"Client"		format(uuid)
//	@Param			instrument		query		string	true	"Instrument"	example(phq-9)
//	@Param			theme			query		string	false	"Colours"		Enums(light, dark, print)	default(light)
//	@Param			course_id		query		string	false	"Only this course"	format(uuid)
//	@Param			as_of			query		string	false	"What was known at this time"	format(date-time)
//	@Param			baseline		query		string	false	"Which score is the baseline"	Enums(first, last_before_first_dose)	default(first)
//	@Param			rules			query		string	false	"Change rule set; absent: the clinic's choice"	example(nhs-tt)
//	@Param			relapse			query		string	false	"What counts as a relapse"	Enums(loss_of_response, caseness_after_remission, reliable_worsening_from_best)	default(loss_of_response)
//	@Param			max_overlap		query		number	false	"Leave scores out of the verdicts whose recall window shares more than this with the baseline's"	minimum(0)	maximum(1)
//	@Param			recall_window	query		string	false	"Only assessments with this recall window"	example(P14D)
//	@Success		200				{file}		binary
//	@Failure		401,403,404,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/clients/{client_id}/trajectory.png [get]
func (h *Handlers) getTrajectoryPNG(c echo.Context, who auth.Principal) error {
	return h.showTrajectory(c, who, typePNG)
}

// showTrajectory answers with a trajectory in one of its forms.
func (h *Handlers) showTrajectory(c echo.Context, who auth.Principal, form string) error {
	client, err := pathID(c, "client_id")
	if err != nil {
		return err
	}
	q := query(c)
	asked := trajectoryQuery(q)
	asked.Instrument, asked.ChangeRules = q.Text("instrument", ""), q.Text("rules", "")
	if asked.Instrument == "" {
		q.Fault("instrument", "required", "Name the instrument.")
	}
	theme := chart.Light
	if form != echo.MIMEApplicationJSON {
		theme = choice(q, "theme", chart.Light, chart.Light, chart.Dark, chart.Print)
	}
	if err := q.Err(); err != nil {
		return err
	}
	found, err := h.Care.Trajectories(c.Request().Context(), who, client, asked)
	if err != nil {
		return err
	}
	if form == echo.MIMEApplicationJSON {
		return ok(c, trajectoryFromCare(found[0]))
	}
	return h.sendPicture(c, who, found[0], form, theme)
}

func (h *Handlers) sendPicture(c echo.Context, who auth.Principal, t care.Trajectory, form string, theme chart.Theme) error {
	def, err := h.Care.Instruments.Get(t.Instrument)
	if err != nil {
		def = nil // no longer known; the scores still are
	}
	drawn := picture.Trajectory(t, def, t.Meetings, picture.Options{Zone: picture.Zone(t.TimeZone)})
	if form == typeSVG {
		return c.Blob(http.StatusOK, form, drawn.SVG(theme))
	}
	done, err := h.Limits.Drawing(c.Request().Context(), who.Actor.String())
	if err != nil {
		return err
	}
	defer done()
	pixels, err := drawn.PNG(theme)
	if err != nil {
		return err
	}
	return c.Blob(http.StatusOK, form, pixels)
}

// preferredForm is the form that a caller wants most, by Accept as in RFC 9110:
// JSON, unless a picture is wanted more.
func preferredForm(accept []string) string {
	wants := map[string]float64{}
	for part := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		name, parameters, _ := strings.Cut(part, ";")
		wants[strings.ToLower(strings.TrimSpace(name))] = file.Quality(parameters)
	}
	form, most := echo.MIMEApplicationJSON, 0.0
	for _, offered := range []string{echo.MIMEApplicationJSON, typeSVG, typePNG} {
		kind, _, _ := strings.Cut(offered, "/")
		for _, name := range []string{offered, kind + "/*", "*/*"} {
			if want, named := wants[name]; named {
				if want > most {
					form, most = offered, want
				}
				break
			}
		}
	}
	return form
}

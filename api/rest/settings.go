package rest

import (
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
)

// SettingRequest is what a clinic chooses for one instrument.
type SettingRequest struct {
	ChangeRules string             `json:"change_rules" validate:"max=64" example:"marx-2022-s1"` // empty: the instrument's default
	Cutpoints   map[string]float64 `json:"cutpoints,omitempty" validate:"max=50"`                 // screen id to one of its alternatives
} //	@name	SettingRequest

// Setting is what a clinic has chosen for one instrument.
type Setting struct {
	Instrument  string             `json:"instrument" example:"pcl-5"`
	ChangeRules string             `json:"change_rules" example:"marx-2022-s1"`
	Cutpoints   map[string]float64 `json:"cutpoints"`
	UpdatedAt   time.Time          `json:"updated_at" format:"date-time"`
} //	@name	Setting

func settingFromCare(s care.Setting) Setting {
	out := Setting{Instrument: s.Instrument, ChangeRules: s.ChangeRules, Cutpoints: s.Cutpoints, UpdatedAt: s.UpdatedAt}
	if out.Cutpoints == nil {
		out.Cutpoints = map[string]float64{}
	}
	return out
}

// listSettings lists what the clinic has chosen.
//
//	@Summary	List the clinic's choices for instruments
//	@Tags		settings
//	@Produce	json
//	@Success	200	{object}	Page[Setting]
//	@Failure	401,403,422,503	{object}	problem.Document
//	@Security	Key
//	@Router		/v1/settings/instruments [get]
func (h *Handlers) listSettings(c echo.Context, who auth.Principal) error {
	settings, err := h.Care.Settings(c.Request().Context(), who)
	if err != nil {
		return err
	}
	out := Page[Setting]{Items: make([]Setting, 0, len(settings))}
	for _, s := range settings {
		out.Items = append(out.Items, settingFromCare(s))
	}
	slices.SortFunc(out.Items, func(a, b Setting) int { return slices.Compare([]byte(a.Instrument), []byte(b.Instrument)) })
	return ok(c, out)
}

// chooseSetting stores a clinic's choice for an instrument.
//
//	@Summary		Choose rules and cut-points for an instrument
//	@Description	Trajectories follow the rules from now on, and the caseload is recomputed. Stored scores keep the cut-point they were made with.
//	@Tags			settings
//	@Accept			json
//	@Produce		json
//	@Param			instrument	path		string			true	"Instrument"	example(pcl-5)
//	@Param			setting		body		SettingRequest	true	"The choice"
//	@Success		200			{object}	Setting
//	@Failure		400,401,403,404,413,415,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/settings/instruments/{instrument} [put]
func (h *Handlers) chooseSetting(c echo.Context, who auth.Principal) error {
	in, err := bind(c, func() SettingRequest { return SettingRequest{} })
	if err != nil {
		return err
	}
	setting, err := h.Care.ChooseSetting(c.Request().Context(), who, care.Setting{
		Instrument: c.Param("instrument"), ChangeRules: in.ChangeRules, Cutpoints: in.Cutpoints,
	})
	if err != nil {
		return err
	}
	return ok(c, settingFromCare(setting))
}

// ClinicSettingsRequest is what a clinic chooses for all of its work.
type ClinicSettingsRequest struct {
	CareTeams    *bool `json:"care_teams" validate:"required"`                    // true: a clinician sees the clients of their care teams only
	SmallestCell *int  `json:"smallest_cell" validate:"omitempty,min=1,max=1000"` // how many people a figure of a group needs to be shown; 5 if absent
} //	@name	ClinicSettingsRequest

func (r ClinicSettingsRequest) toCare() care.ClinicSettings {
	out := care.ClinicSettings{CareTeams: *r.CareTeams}
	if r.SmallestCell != nil {
		out.SmallestCell = *r.SmallestCell
	}
	return out
}

// ClinicSettings are what a clinic has chosen for all of its work.
type ClinicSettings struct {
	CareTeams    bool `json:"care_teams"`
	SmallestCell int  `json:"smallest_cell" example:"5"`
} //	@name	ClinicSettings

// getClinicSettings tells what the clinic has chosen.
//
//	@Summary	Get the clinic's settings
//	@Tags		settings
//	@Produce	json
//	@Success	200	{object}	ClinicSettings
//	@Failure	401,403,422,503	{object}	problem.Document
//	@Security	Key
//	@Router		/v1/settings/clinic [get]
func (h *Handlers) getClinicSettings(c echo.Context, who auth.Principal) error {
	set, err := h.Care.ClinicSettings(c.Request().Context(), who)
	if err != nil {
		return err
	}
	return ok(c, ClinicSettings(set))
}

// chooseClinicSettings stores what the clinic chooses.
//
//	@Summary		Change the clinic's settings
//	@Description	It holds from the next request on. With care teams, a clinician who is in none sees no client.
//	@Tags			settings
//	@Accept			json
//	@Produce		json
//	@Param			settings	body		ClinicSettingsRequest	true	"The settings"
//	@Success		200			{object}	ClinicSettings
//	@Failure		400,401,403,413,415,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/settings/clinic [put]
func (h *Handlers) chooseClinicSettings(c echo.Context, who auth.Principal) error {
	in, err := bind(c, func() ClinicSettingsRequest { return ClinicSettingsRequest{} })
	if err != nil {
		return err
	}
	set, err := h.Care.ChooseClinicSettings(c.Request().Context(), who, in.toCare())
	if err != nil {
		return err
	}
	return ok(c, ClinicSettings(set))
}

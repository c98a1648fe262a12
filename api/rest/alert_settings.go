package rest

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/pkg/alert"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
)

// AlertDuty is when a tier is on duty, by the clock on a wall.
type AlertDuty struct {
	Days     []string `json:"days,omitempty" validate:"omitempty,dive,oneof=sunday monday tuesday wednesday thursday friday saturday" enums:"sunday,monday,tuesday,wednesday,thursday,friday,saturday"` // on which it begins; none: every day
	From     string   `json:"from" validate:"required" example:"08:00"`
	To       string   `json:"to" validate:"required" example:"18:00"` // at or before from: on the day after
	TimeZone string   `json:"time_zone" validate:"required" example:"America/Denver"`
} //	@name	AlertDuty

// AlertTier is a step of the chain by which an alert is told to others.
type AlertTier struct {
	AfterMinutes int         `json:"after_minutes" validate:"min=1,max=10080" minimum:"1" maximum:"10080" example:"5"` // since the alert was opened
	Roles        []string    `json:"roles,omitempty" enums:"clinician,admin,owner"`
	Accounts     []uuid.UUID `json:"accounts,omitempty" swaggertype:"array,string" format:"uuid"`
	Duty         *AlertDuty  `json:"duty,omitempty"` // absent: always
} //	@name	AlertTier

// AlertSettings are what the clinic has chosen for its alerts.
type AlertSettings struct {
	Chain []AlertTier `json:"chain" validate:"required,max=10,dive"`
	Off   []string    `json:"off,omitempty" validate:"max=50" example:"not_on_track"` // codes of rules that the clinic does without
} //	@name	AlertSettings

// AlertRule is a rule by which alerts are raised.
type AlertRule struct {
	Code       string `json:"code" example:"item9_endorsed"`
	Instrument string `json:"instrument,omitempty"` // absent: every one
	Always     bool   `json:"always"`               // it cannot be turned off
	On         bool   `json:"on"`
	Source     string `json:"source"`
} //	@name	AlertRule

// ChosenAlertSettings are the choices, and the rules as they apply.
type ChosenAlertSettings struct {
	AlertSettings
	Rules []AlertRule `json:"rules"`
} //	@name	ChosenAlertSettings

func (in AlertSettings) toCare() care.AlertSettings {
	out := care.AlertSettings{Off: in.Off}
	for _, t := range in.Chain {
		tier := care.Tier{After: time.Duration(t.AfterMinutes) * time.Minute, Accounts: t.Accounts}
		for _, role := range t.Roles {
			tier.Roles = append(tier.Roles, auth.Role(role))
		}
		if d := t.Duty; d != nil {
			tier.Duty = &care.Duty{From: d.From, To: d.To, TimeZone: d.TimeZone}
			for _, day := range d.Days {
				tier.Duty.Days = append(tier.Duty.Days, weekday(day))
			}
		}
		out.Chain = append(out.Chain, tier)
	}
	return out
}

// weekday reads the name of a day; the validator has seen to it that it is one.
func weekday(name string) time.Weekday {
	for day := time.Sunday; day <= time.Saturday; day++ {
		if strings.ToLower(day.String()) == name {
			return day
		}
	}
	return -1
}

func alertSettingsFromCare(set care.AlertSettings) ChosenAlertSettings {
	out := ChosenAlertSettings{AlertSettings: AlertSettings{Chain: []AlertTier{}, Off: set.Off}}
	for _, t := range set.Chain {
		tier := AlertTier{AfterMinutes: int(t.After / time.Minute), Accounts: t.Accounts}
		for _, role := range t.Roles {
			tier.Roles = append(tier.Roles, string(role))
		}
		if d := t.Duty; d != nil {
			tier.Duty = &AlertDuty{From: d.From, To: d.To, TimeZone: d.TimeZone}
			for _, day := range d.Days {
				tier.Duty.Days = append(tier.Duty.Days, strings.ToLower(day.String()))
			}
		}
		out.Chain = append(out.Chain, tier)
	}
	for _, rule := range alert.Default().List() {
		out.Rules = append(out.Rules, AlertRule{
			Code: rule.Code, Instrument: rule.Instrument, Always: rule.Always, On: !slices.Contains(set.Off, rule.Code), Source: rule.Source,
		})
	}
	return out
}

// getAlertSettings shows the chain and the rules of alerts.
//
//	@Summary	The chain of escalation and the rules of alerts
//	@Tags		alerts
//	@Produce	json
//	@Success	200	{object}	ChosenAlertSettings
//	@Failure	401,403,422,503	{object}	problem.Document
//	@Security	Key
//	@Router		/v1/settings/alerts [get]
func (h *Handlers) getAlertSettings(c echo.Context, who auth.Principal) error {
	set, err := h.Care.AlertSettings(c.Request().Context(), who)
	if err != nil {
		return err
	}
	return ok(c, alertSettingsFromCare(set))
}

// chooseAlertSettings replaces the chain, and what the clinic does without.
//
//	@Summary		Choose the chain of escalation and the rules of alerts
//	@Description	An alert that nobody acknowledges is told to one tier after the other. A tier that is off duty is passed over at once; the last one is always on duty. The rules on item 9 cannot be turned off.
//	@Tags			alerts
//	@Accept			json
//	@Produce		json
//	@Param			settings	body		AlertSettings	true	"The choice"
//	@Success		200			{object}	ChosenAlertSettings
//	@Failure		400,401,403,413,415,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/settings/alerts [put]
func (h *Handlers) chooseAlertSettings(c echo.Context, who auth.Principal) error {
	in, err := bindWhole(c, func() AlertSettings { return AlertSettings{} },
		func(in AlertSettings) []fault.Detail { return h.Care.CheckAlertSettings(in.toCare()) })
	if err != nil {
		return err
	}
	set, err := h.Care.ChooseAlertSettings(c.Request().Context(), who, in.toCare())
	if err != nil {
		return err
	}
	return ok(c, alertSettingsFromCare(set))
}

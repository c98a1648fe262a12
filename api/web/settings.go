package web

import (
	"strconv"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
)

// settingsPath is where the settings are.
const settingsPath = "/settings"

// settingsTabs are the parts of the settings, in their order.
var settingsTabs = []place{
	{Path: settingsPath + "/clinic", Name: "Clinic", need: []auth.Permission{auth.ReadSettings}},
	{Path: settingsPath + "/instruments", Name: "Questionnaires", need: []auth.Permission{auth.ReadSettings}},
	{Path: settingsPath + "/people", Name: "People", need: []auth.Permission{auth.ManageAccounts}},
	{Path: settingsPath + "/keys", Name: "Keys", need: []auth.Permission{auth.ManageKeys}},
	{Path: webhooksPath, Name: "Webhooks", need: []auth.Permission{auth.ManageWebhooks}},
	{Path: settingsPath + "/audit", Name: "Audit trail", need: []auth.Permission{auth.ReadAudit}},
}

// tabs are the parts of the settings that somebody may go to.
func (v *visit) tabs() []place { return allowed(settingsTabs, v.who, v.Request().URL.Path) }

// settings leads to the first part of the settings.
func (s *Site) settings(v *visit) error {
	if to := v.tabs(); len(to) > 0 {
		return v.redirect(to[0].Path)
	}
	return v.who.Require(auth.ReadSettings)
}

// errSettled tells that somebody else stored other settings meanwhile.
var errSettled = fault.New(fault.Stale, "Somebody changed these settings while you were at it. Nothing of yours is stored: see what holds now, and store again what you want.")

// clinicSettingsData is what the clinic has chosen for all of its work.
type clinicSettingsData struct {
	Tabs         []place
	Clinic       string
	CareTeams    bool // as it holds now
	SmallestCell int
	YesNo        []option
	MayChange    bool
}

var teamChoices = []option{
	{Value: "false", Label: "Every clinician sees every client"},
	{Value: "true", Label: "Clinicians see the clients of their care teams only"},
}

// clinicSettingsView is the page of the clinic's settings, with what holds now.
func (v *visit) clinicSettingsView() (view, care.ClinicSettings, error) {
	now, err := v.site.Care.ClinicSettings(v.ctx(), v.who)
	if err != nil {
		return view{}, now, err
	}
	return view{Title: "Settings", Data: clinicSettingsData{
		Tabs: v.tabs(), Clinic: v.clinic.Slug, CareTeams: now.CareTeams, SmallestCell: now.SmallestCell,
		YesNo: teamChoices, MayChange: v.who.May(auth.WriteSettings),
	}}, now, nil
}

// clinicForm is the settings as the fields show them.
func clinicForm(set care.ClinicSettings) form {
	return formOf("care_teams", strconv.FormatBool(set.CareTeams), "smallest_cell", strconv.Itoa(set.SmallestCell), "shown", shownSettings(set))
}

// shownSettings tells settings apart from others: they have no versions.
func shownSettings(set care.ClinicSettings) string {
	return strconv.FormatBool(set.CareTeams) + " " + strconv.Itoa(set.SmallestCell)
}

// clinicSettings shows what the clinic has chosen.
func (s *Site) clinicSettings(v *visit) error {
	page, now, err := v.clinicSettingsView()
	if err != nil {
		return err
	}
	page.Form = clinicForm(now)
	return v.render("settings_clinic", page)
}

// mostCell is the most people that a cell can be asked to have.
const mostCell = 1000

// changeClinicSettings stores what the clinic chooses.
func (s *Site) changeClinicSettings(v *visit) error {
	page, now, err := v.clinicSettingsView()
	if err != nil {
		return err
	}
	r := v.reading()
	in := care.ClinicSettings{CareTeams: v.typed("care_teams") == "true"}
	cell := r.whole("smallest_cell", 1, mostCell)
	if cell == nil {
		r.wrong("smallest_cell", needed)
	}
	err = r.err(nil)
	if err == nil && v.typed("shown") != shownSettings(now) {
		err, page.Form = errSettled, v.sent().holding("shown", shownSettings(now))
	}
	if err == nil {
		in.SmallestCell = *cell
		_, err = s.Care.ChooseClinicSettings(v.ctx(), v.who, in)
	}
	if err != nil {
		return v.again("settings_clinic", page, err)
	}
	return v.done(settingsPath+"/clinic", "The settings were stored. They hold from now on.")
}

// holding is the form with another value in a field.
func (f form) holding(field, value string) form {
	out := form{values: cloneValues(f.values)}
	out.values.Set(field, value)
	return out
}

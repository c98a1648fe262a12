package web

import (
	"slices"
	"strings"

	"github.com/protrack/protrack/pkg/auth"
)

// A place is a part of the site that the bar at the top leads to.
type place struct {
	Path, Name string
	Here       bool
	need       []auth.Permission // any of them
}

// places are the parts of the site, in their order.
var places = []place{
	{Path: "/clients", Name: "Caseload", need: []auth.Permission{auth.ReadCaseload}},
	{Path: "/today", Name: "Today", need: []auth.Permission{auth.ReadCaseload}},
	{Path: alertsPath, Name: "Alerts", need: []auth.Permission{auth.ReadAlerts}},
	{Path: "/cohort", Name: "Cohort", need: []auth.Permission{auth.ReadCohorts}},
	{Path: exportsPath, Name: "Exports", need: []auth.Permission{auth.ExportDeidentified, auth.ExportLimited, auth.ExportIdentified}},
	{Path: settingsPath, Name: "Settings", need: []auth.Permission{auth.ReadSettings}},
}

// placesFor are the parts that somebody may go to.
func placesFor(who auth.Principal, path string) []place { return allowed(places, who, path) }

// allowed are those of some places that somebody may go to.
func allowed(all []place, who auth.Principal, path string) []place {
	var out []place
	for _, p := range all {
		if slices.ContainsFunc(p.need, func(need auth.Permission) bool { return who.May(need) }) {
			p.Here = path == p.Path || strings.HasPrefix(path, p.Path+"/")
			out = append(out, p)
		}
	}
	return out
}

// home leads to the first part that somebody may go to.
func (s *Site) home(v *visit) error {
	if to := placesFor(v.who, "/"); len(to) > 0 {
		return v.redirect(to[0].Path)
	}
	return v.redirect("/account")
}

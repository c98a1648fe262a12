package web

import "github.com/protrack/protrack/pkg/auth"

// zones are the time zones that a form suggests; any other of the IANA
// database can be typed, and a script adds those that the browser knows.
var zones = []string{
	"America/New_York", "America/Chicago", "America/Denver", "America/Phoenix", "America/Los_Angeles", "America/Anchorage",
	"Pacific/Honolulu", "America/Puerto_Rico", "America/Halifax", "America/St_Johns", "America/Toronto", "America/Winnipeg",
	"America/Edmonton", "America/Regina", "America/Vancouver", "America/Mexico_City", "America/Monterrey", "America/Tijuana",
	"America/Cancun", "America/Guatemala", "America/El_Salvador", "America/Tegucigalpa", "America/Managua", "America/Costa_Rica",
	"America/Panama", "America/Havana", "America/Santo_Domingo", "America/Bogota", "America/Caracas", "America/Guayaquil",
	"America/Lima", "America/La_Paz", "America/Asuncion", "America/Santiago", "America/Montevideo", "America/Sao_Paulo",
	"America/Argentina/Buenos_Aires", "Atlantic/Canary", "Europe/Madrid", "Europe/Lisbon", "Europe/London", "Europe/Dublin",
	"Europe/Paris", "Europe/Brussels", "Europe/Amsterdam", "Europe/Berlin", "Europe/Zurich", "Europe/Vienna", "Europe/Rome",
	"Europe/Copenhagen", "Europe/Oslo", "Europe/Stockholm", "Europe/Helsinki", "Europe/Warsaw", "Europe/Prague", "Europe/Athens",
	"Europe/Istanbul", "Asia/Jerusalem", "Asia/Dubai", "Asia/Kolkata", "Asia/Singapore", "Asia/Hong_Kong", "Asia/Tokyo",
	"Africa/Johannesburg", "Australia/Perth", "Australia/Brisbane", "Australia/Adelaide", "Australia/Sydney", "Pacific/Auckland", "UTC",
}

// What a page needs to show a form at all: who may not store is told at once,
// and not when the form is filled in.
var (
	writeClients     = []auth.Permission{auth.ReadClients, auth.WriteClients}
	writeCare        = []auth.Permission{auth.ReadClients, auth.ReadCare, auth.WriteCare}
	writeAssessments = []auth.Permission{auth.ReadClients, auth.ReadCare, auth.ReadInstruments, auth.WriteAssessments}
	amendAssessments = []auth.Permission{auth.ReadClients, auth.ReadInstruments, auth.ReadAssessments, auth.AmendAssessments}
	writeConsents    = []auth.Permission{auth.ReadClients, auth.WriteConsents}
)

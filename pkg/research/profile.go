package research

import (
	"github.com/protrack/protrack/pkg/auth"
)

// Profile says how much of who a client is leaves the clinic.
type Profile string

// The profiles, from the most to the least.
const (
	Identified   Profile = "identified"   // references, names and free text too
	Limited      Profile = "limited"      // pseudonyms and true dates
	Deidentified Profile = "deidentified" // pseudonyms and moved dates; what is rare is merged
)

// Profiles lists every profile.
func Profiles() []Profile { return []Profile{Identified, Limited, Deidentified} }

// permission is what a profile asks for.
func (p Profile) permission() auth.Permission {
	switch p {
	case Identified:
		return auth.ExportIdentified
	case Limited:
		return auth.ExportLimited
	case Deidentified:
	}
	return auth.ExportDeidentified
}

// meaning says in a few words what a profile holds.
func (p Profile) meaning() string {
	switch p {
	case Identified:
		return "references, names and free text too"
	case Limited:
		return "pseudonyms in place of ids, true dates, no free text"
	case Deidentified:
	}
	return "pseudonyms in place of ids, no true dates, no free text; rare values are merged"
}

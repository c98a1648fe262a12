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

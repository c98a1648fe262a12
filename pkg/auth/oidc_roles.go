package auth

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Grant is a role in a clinic, as a group at the identity provider brings it.
type Grant struct {
	Clinic string // slug
	Role   Role
}

// claimableRoles are the roles that a claim can bring, the strongest first. A
// client and the system itself never sign in through an identity provider.
var claimableRoles = []Role{"owner", "admin", "clinician", "researcher", "app"}

// ParseRoles reads mappings such as kap-admins=default:admin: a value of the
// role claim, a clinic's slug and a role. The value may contain equals signs,
// as names in a directory do. The error lists every fault.
func ParseRoles(mappings []string) (map[string]Grant, error) {
	roles := map[string]Grant{}
	var faults []error
	for _, m := range mappings {
		at := strings.LastIndex(m, "=")
		clinic, role, found := strings.Cut(m[at+1:], ":")
		if at < 0 || !found {
			faults = append(faults, fmt.Errorf("role mapping %q: it is not of the form group=clinic:role", m))
			continue
		}
		value, g := m[:at], Grant{Clinic: clinic, Role: Role(role)}
		if _, twice := roles[value]; twice {
			faults = append(faults, fmt.Errorf("role mapping %q: %q is mapped twice; two roles need two groups", m, value))
			continue
		}
		roles[value] = g
		faults = append(faults, checkGrant(value, g)...)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return roles, nil
}

func checkGrant(value string, g Grant) (faults []error) {
	if value == "" {
		faults = append(faults, errors.New("role mapping: the group is empty"))
	}
	if !slugForm.MatchString(g.Clinic) {
		faults = append(faults, fmt.Errorf("role mapping of %q: %q is not a clinic's slug", value, g.Clinic))
	}
	if !slices.Contains(claimableRoles, g.Role) {
		faults = append(faults, fmt.Errorf("role mapping of %q: %q is none of owner, admin, clinician, researcher and app", value, g.Role))
	}
	return faults
}

// granted gives what the values of a role claim bring: of each clinic the
// strongest role, the clinics in order.
func granted(values []string, roles map[string]Grant) []Grant {
	best := map[string]int{} // clinic to index in claimableRoles
	for _, v := range values {
		g, known := roles[v]
		if !known {
			continue
		}
		rank := slices.Index(claimableRoles, g.Role)
		if held, has := best[g.Clinic]; !has || rank < held {
			best[g.Clinic] = rank
		}
	}
	var out []Grant
	for _, clinic := range slices.Sorted(maps.Keys(best)) {
		out = append(out, Grant{Clinic: clinic, Role: claimableRoles[best[clinic]]})
	}
	return out
}

// claimAt finds a claim by a path of names with dots between them. A name may
// contain dots itself, as names that are URLs do, so each way to part the
// path is tried, the whole as one name first.
func claimAt(claims map[string]any, path string) any {
	if v, found := claims[path]; found {
		return v
	}
	for i, c := range path {
		if c != '.' {
			continue
		}
		if inner, ok := claims[path[:i]].(map[string]any); ok {
			if v := claimAt(inner, path[i+1:]); v != nil {
				return v
			}
		}
	}
	return nil
}

// textsOf gives the texts of a claim that is one or a list of them.
func textsOf(claim any) []string {
	switch v := claim.(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, x := range v {
			if s, ok := x.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}

package apitest_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
)

// hostile are values that no page sends and anybody can.
func hostile() []string {
	return []string{
		"", "\x00", "a\x00b", "\xff\xfe", "a\r\nSet-Cookie: x=y", "\u202eevil\u2066", "\u200b\u200d\ufeff", "\U0001F468\u200d\U0001F469\u200d\U0001F467",
		strings.Repeat("x", 10_000), strings.Repeat("\u0301", 3_000), `{{.FormToken}}`, `</svg><script>alert(1)</script>`, `=HYPERLINK("//evil.example")`,
		"-1", "1e309", "NaN", "9223372036854775808", "2026-13-45", "9999-12-31", "0000-01-01T00:00",
		"00000000-0000-0000-0000-000000000000", formID, "%s%n%d", "' OR 1=1 --", "after:x", "after:" + formID, "true",
	}
}

// fields are those that a form sends, those of the page included.
func fields(form url.Values, page []byte) []string {
	var out []string
	for field := range form {
		out = append(out, field)
	}
	if len(page) > 0 && strings.Contains(string(page), `<form`) {
		for _, part := range strings.Split(string(page), ` name="`)[1:] {
			field, _, _ := strings.Cut(part, `"`)
			out = append(out, field)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// thinned says of how many combinations one is tried.
func thinned() int {
	if long() {
		return 1
	}
	return 11
}

func TestNoFieldOfAFormBreaksThePage(t *testing.T) {
	t.Parallel()
	apitest.EachWith(t, atProvider(t), func(t *testing.T, s *apitest.Server) {
		s.Unlimited().Clock.Set(today)
		owner := inRole(ada, auth.Owner)
		owner.Email = "owner@clinic.example"
		hire(t, s, ada)
		hire(t, s, owner)
		clinician, manager := signedIn(t, s, ada), signedIn(t, s, owner)
		ids := things(s)
		for i, route := range formRoutes(t, s) {
			if slices.Contains([]string{"/logout", "/login/provider", "/account/password"}, route) {
				continue // they end the session, or ask no field
			}
			b := clinician
			if strings.HasPrefix(route, "/settings/") || strings.HasPrefix(route, "/exports/") {
				b = manager
			}
			path := ids.Replace(route)
			page := b.get(t, path)
			for j, field := range fields(forms[route], page.Body) {
				for k, value := range hostile() {
					if field == "form_token" || (i+j+k)%thinned() != 0 {
						continue
					}
					r := b.post(t, path, withField(forms[route], field, value))
					if r.Status >= http.StatusInternalServerError {
						t.Errorf("%s, %s=%.40q: %d", route, field, value, r.Status)
					}
					if strings.Contains(string(r.Body), "<script>alert") {
						t.Errorf("%s, %s=%.40q: comes out as markup", route, field, value)
					}
				}
			}
		}
	})
}

// addressed are the parameters that pages take from their addresses.
var addressed = []string{
	"search", "instrument", "status", "sort", "after", "day", "all", "timing", "session_id", "recall_window", "only", "from", "to", "clinic",
	"cohort", "population", "group_by", "smallest_cell", "rules", "event", "relapse", "format", "actor", "action", "client_id", "outcome",
	"period_from", "period_to", "within_days", "track", "norms", "at", "cases", "confidence", "state", "code", "back",
}

func TestNoAddressBreaksAPage(t *testing.T) {
	t.Parallel()
	apitest.EachWith(t, atProvider(t), func(t *testing.T, s *apitest.Server) {
		s.Unlimited().Clock.Set(today)
		owner := inRole(ada, auth.Owner)
		owner.Email = "owner@clinic.example"
		hire(t, s, owner)
		b := signedIn(t, s, owner)
		ids := things(s)
		for i, route := range pageRoutes(t, s) {
			for j, field := range addressed {
				for k, value := range hostile() {
					if (i+j+k)%thinned() != 0 {
						continue
					}
					r := b.get(t, ids.Replace(route)+"?"+url.Values{field: {value}}.Encode())
					if r.Status >= http.StatusInternalServerError {
						t.Errorf("%s?%s=%.40q: %d", route, field, value, r.Status)
					}
					if strings.Contains(string(r.Body), "<script>alert") {
						t.Errorf("%s?%s=%.40q: comes out as markup", route, field, value)
					}
				}
			}
		}
	})
}

// pageRoutes are the routes of pages that show something.
func pageRoutes(t *testing.T, s *apitest.Server) []string {
	t.Helper()
	e, ok := s.Handler.(*echo.Echo)
	if !ok {
		t.Fatalf("the handler is a %T", s.Handler)
	}
	var out []string
	for _, r := range e.Routes() {
		if r.Method == http.MethodGet && !strings.HasPrefix(r.Path, "/v1/") && !strings.Contains(r.Path, "*") && !strings.HasPrefix(r.Path, "/swagger") {
			out = append(out, strings.Replace(r.Path, ":figure", "change", 1))
		}
	}
	slices.Sort(out)
	return out
}

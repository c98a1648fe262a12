package rest

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
)

// etag is the version of a resource as it travels.
func etag(version int) string { return strconv.Quote(strconv.Itoa(version)) }

// found renders a single versioned resource.
func found(c echo.Context, version int, body any) error {
	c.Response().Header().Set("ETag", etag(version))
	return render(c, http.StatusOK, body)
}

// created renders the answer to a create: 201 and where it is, or 200 where
// it was there already.
func created(c echo.Context, outcome care.Outcome, location string, version int, body any) error {
	c.Response().Header().Set("ETag", etag(version))
	return stored(c, outcome, location, body)
}

// stored is created for what has no versions.
func stored(c echo.Context, outcome care.Outcome, location string, body any) error {
	if outcome != care.Created {
		return render(c, http.StatusOK, body)
	}
	c.Response().Header().Set(echo.HeaderLocation, location)
	return render(c, http.StatusCreated, body)
}

// ifMatch reads the version that the caller has read; nil where none is named.
func ifMatch(c echo.Context) (*int, error) {
	h := strings.TrimSpace(c.Request().Header.Get("If-Match"))
	if h == "" {
		return nil, nil //nolint:nilnil // absent is not an error: the caller decides
	}
	// A proxy that packs the answer makes the tag weak; the version is the same.
	version := 0
	if tag := versionTag.FindStringSubmatch(h); tag != nil {
		version, _ = strconv.Atoi(tag[1]) // nine digits at most
	}
	if version == 0 {
		return nil, fault.New(fault.Stale, "If-Match is the ETag of the version that was read, such as \"3\".",
			fault.Detail{Pointer: "/If-Match", In: "header", Code: "not_an_etag", Message: "One ETag is needed, as it was given."})
	}
	return &version, nil
}

var versionTag = regexp.MustCompile(`^(?:W/)?"([1-9][0-9]{0,8})"$`)

// mustMatch is ifMatch for a change that may not go without.
func mustMatch(c echo.Context) (int, error) {
	version, err := ifMatch(c)
	if err == nil && version == nil {
		err = fault.New(fault.PreconditionRequired, "Send If-Match with the ETag of the version that was read.")
	}
	if err != nil {
		return 0, err
	}
	return *version, nil
}

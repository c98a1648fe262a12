package rest

import (
	"context"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
)

// patching reads what a change needs first: the version that the caller has
// read, and the resource as it is.
func patching[T any](c echo.Context, who auth.Principal, param string,
	get func(context.Context, auth.Principal, uuid.UUID) (T, error),
) (version int, current T, err error) {
	id, err := pathID(c, param)
	if err != nil {
		return 0, current, err
	}
	if current, err = get(c.Request().Context(), who, id); err != nil {
		return 0, current, err
	}
	version, err = mustMatch(c)
	return version, current, err
}

// sameID refuses a body that names another resource than the path does.
func sameID(inBody *uuid.UUID, inPath uuid.UUID) []fault.Detail {
	if inBody == nil || *inBody == inPath {
		return nil
	}
	return []fault.Detail{{Pointer: "/id", Code: "immutable", Message: "The id is that of the path and does not change."}}
}

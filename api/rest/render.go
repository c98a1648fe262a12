package rest

import (
	"net/http"

	"github.com/go-json-experiment/json"
	"github.com/labstack/echo/v4"
)

// render sends JSON. Maps are in a fixed order, so that the same resource is
// the same bytes.
func render(c echo.Context, status int, body any) error {
	b, err := json.Marshal(body, json.Deterministic(true), json.FormatNilMapAsNull(true))
	if err != nil {
		return err
	}
	return c.JSONBlob(status, b)
}

func ok(c echo.Context, body any) error { return render(c, http.StatusOK, body) }

package web

import (
	"bytes"
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/api/problem"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
)

// A view is what a page is made of.
type view struct {
	Title     string
	Narrow    bool
	Me        *auth.Account // who is signed in
	FormToken string
	Fault     *fault.Error // what went wrong with the form before
	Done      string       // what has been done
	Data      any
}

// render shows a page.
func (v *visit) render(name string, page view) error { return v.renderAs(http.StatusOK, name, page) }

func (v *visit) renderAs(status int, name string, page view) error {
	if v.me.ID != (auth.Account{}).ID {
		page.Me = &v.me
	}
	page.FormToken = v.token()
	var out bytes.Buffer
	if err := v.site.pages[name].ExecuteTemplate(&out, "layout", page); err != nil {
		return err
	}
	return v.HTMLBlob(status, out.Bytes())
}

// again shows a form once more with what was wrong with it. What is not the
// sender's fault is none of the form's.
func (v *visit) again(name string, page view, err error) error {
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind == fault.Unavailable {
		return err
	}
	page.Fault = f
	return v.renderAs(problem.Of(err, "").Status, name, page)
}

// show answers an error with a page; what cannot be shown is handed on.
func (s *Site) show(c echo.Context, err error) error {
	if c.Response().Committed {
		return err
	}
	doc := problem.Of(err, c.Response().Header().Get(echo.HeaderXRequestID))
	if doc.Status >= http.StatusInternalServerError {
		return err // logged there, and answered
	}
	v := &visit{Context: c, site: s}
	page := view{Title: doc.Title, Narrow: true, Fault: fault.New(fault.Invalid, doc.Detail), Data: struct{ Request string }{doc.RequestID}}
	problem.Wait(c, doc)
	return v.renderAs(doc.Status, "fault", page)
}

package web

import (
	"cmp"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/api/problem"
	"github.com/protrack/protrack/pkg/fault"
)

// An answer is what a page says. It is sent once the session is stored, so that
// no browser is told of what did not come about.
type answer struct {
	status int
	page   []byte
	kind   string // the media type of the page; empty: HTML
	to     string // where the browser is sent instead
	sent   bool   // the handler has answered by itself, and the session is stored
}

// redirect has the browser ask for another page.
func (v *visit) redirect(to string) error {
	v.answer = answer{status: http.StatusSeeOther, to: to}
	return nil
}

// hand stores the session and has a file answer by itself. A file may take an
// hour: a session that is ended meanwhile must not be stored again after it.
func (v *visit) hand(file func() error) error {
	if err := v.store(); err != nil {
		return err
	}
	v.answer = answer{sent: true}
	return file()
}

// serve makes the handler of a page: it has the session, and a form the token
// of it.
func (s *Site) serve(page func(*visit) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		v := &visit{Context: c, site: s}
		if err := v.load(); err != nil {
			return err
		}
		if err := v.checkForm(); err != nil {
			return err
		}
		if err := page(v); err != nil {
			if c.Response().Committed {
				return err
			}
			if err := v.failed(err); err != nil {
				return err
			}
		}
		if v.answer.sent {
			return nil
		}
		if err := v.store(); err != nil {
			return err
		}
		if v.answer.to != "" {
			return c.Redirect(v.answer.status, v.answer.to)
		}
		return c.Blob(v.answer.status, cmp.Or(v.answer.kind, echo.MIMETextHTMLCharsetUTF8), v.answer.page)
	}
}

// shown answers an error with a page where nothing is known of who asks, for
// the store of sessions may be what has failed.
func (s *Site) shown(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		err := next(c)
		if err == nil || c.Response().Committed {
			return err
		}
		doc := problem.Of(err, c.Response().Header().Get(echo.HeaderXRequestID))
		problem.Report(s.Log, c, doc, err)
		body, failed := s.fill("fault", view{
			tongue: s.speech.of("", c.Request().Header.Get("Accept-Language")), Title: doc.Title, Narrow: true,
			Fault: fault.New(fault.Invalid, doc.Detail), Data: faultData{Request: doc.RequestID, Back: "/"},
		})
		if failed != nil {
			return failed
		}
		problem.Wait(c, doc)
		return c.HTMLBlob(doc.Status, body)
	}
}

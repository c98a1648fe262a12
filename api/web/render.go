package web

import (
	"bytes"
	"cmp"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"reflect"
	"strings"
	"sync"

	"github.com/google/uuid"

	"github.com/protrack/protrack/api/problem"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
)

// A view is what a page is made of.
type view struct {
	tongue
	Title     string // a sentence of the catalog, or a text such as a client's name
	Narrow    bool
	SignedIn  bool
	Name      string // of who is signed in; it may be empty
	Places    []place
	Path      string // of the page, with its query: where choosing a language comes back to
	FormToken string
	Fault     *fault.Error // what went wrong with the form before
	Done      string       // what has been done
	Form      form
	Data      any // of the type that pages names
}

// Loose are the faults that no field of the page shows beside itself.
func (w view) Loose() []string {
	var out []string
	for _, d := range w.Fault.Details {
		out = append(out, w.T(d.Message))
	}
	return out
}

// With hands a part of a page what it is about, together with the page.
func (w view) With(part any) struct {
	Page view
	Part any
} {
	return struct {
		Page view
		Part any
	}{w, part}
}

//go:embed templates/*.html templates/parts/*.html
var templates embed.FS

// readPages parses the template of every page upon what all pages share, once
// for all sites of a process.
var readPages = sync.OnceValues(func() (map[string]*template.Template, error) {
	shared, err := template.ParseFS(templates, "templates/layout.html", "templates/parts/*.html")
	if err != nil {
		return nil, err
	}
	out := map[string]*template.Template{}
	for name := range pages {
		page, err := shared.Clone()
		if err == nil {
			page, err = page.ParseFS(templates, "templates/"+name+".html")
		}
		if err != nil {
			return nil, err
		}
		out[name] = page
	}
	return out, nil
})

// fill makes a page.
func (s *Site) fill(name string, page view) ([]byte, error) {
	if want, got := reflect.TypeOf(pages[name]), reflect.TypeOf(page.Data); want != got {
		return nil, fmt.Errorf("page %s: shows %v, not %v", name, want, got)
	}
	var out bytes.Buffer
	if err := s.pages[name].ExecuteTemplate(&out, "layout", page); err != nil {
		return nil, fmt.Errorf("page %s: %w", name, err)
	}
	return out.Bytes(), nil
}

// render shows a page.
func (v *visit) render(name string, page view) error { return v.renderAs(http.StatusOK, name, page) }

func (v *visit) renderAs(status int, name string, page view) error {
	page.tongue, page.Path = v.tongue(), v.Request().URL.RequestURI()
	page.SignedIn, page.Name = v.me.ID != uuid.Nil, string(v.me.Name)
	if page.SignedIn {
		page.Places = placesFor(v.who, v.Request().URL.Path)
	}
	if said := v.site.sessions.PopString(v.ctx(), doneKey); page.Done == "" {
		page.Done = said
	}
	var err error
	if page.FormToken, err = v.token(); err != nil {
		return err
	}
	body, err := v.site.fill(name, page)
	v.answer = answer{status: status, page: body}
	return err
}

const doneKey = "done" // in the session: what the next page says has been done

// done sends the browser on to a page that says what has been done.
func (v *visit) done(to, what string) error {
	v.site.sessions.Put(v.ctx(), doneKey, what)
	return v.redirect(to)
}

// again shows a form once more with what was typed and what was wrong with it.
// What is not the sender's fault is none of the form's.
func (v *visit) again(name string, page view, err error) error {
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind == fault.Unavailable {
		return err
	}
	page.Fault = forPeople(f)
	if page.Form.values == nil {
		page.Form = v.sent()
	}
	page.Form = page.Form.with(f)
	doc := problem.Of(err, "")
	problem.Wait(v.Context, doc)
	return v.renderAs(doc.Status, name, page)
}

// forPeople names no permission, as an API does for programs.
func forPeople(f *fault.Error) *fault.Error {
	if !strings.HasPrefix(f.Message, auth.NotAllowed) {
		return f
	}
	return fault.New(f.Kind, word("Your role does not allow that. An owner or admin of your clinic can give you another one."), f.Details...)
}

// faultData is what a page says of an error.
type faultData struct {
	Request string // by which the log names it
	Back    string
	Glass   string // where access to a client of others is asked for; empty: not here
}

// failed shows an error as a page of the site, to who is signed in.
func (v *visit) failed(err error) error {
	doc := problem.Of(err, v.Response().Header().Get("X-Request-Id"))
	problem.Report(v.site.Log, v.Context, doc, err)
	problem.Wait(v.Context, doc)
	return v.renderAs(doc.Status, "fault", view{
		Title: cmp.Or(doc.Title, http.StatusText(doc.Status)), Narrow: true,
		Fault: forPeople(fault.New(fault.Invalid, doc.Detail)), Data: faultData{Request: doc.RequestID, Back: "/", Glass: v.glassPath(err)},
	})
}

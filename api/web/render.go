package web

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/protrack/protrack/api/problem"
	"github.com/protrack/protrack/pkg/fault"
)

// A view is what a page is made of.
type view struct {
	Title     string
	Narrow    bool
	SignedIn  bool
	Name      string // of who is signed in; it may be empty
	FormToken string
	Fault     *fault.Error // what went wrong with the form before
	Done      string       // what has been done
	Data      any
}

// fill makes a page.
func (s *Site) fill(name string, page view) ([]byte, error) {
	var out bytes.Buffer
	if err := s.pages[name].ExecuteTemplate(&out, "layout", page); err != nil {
		return nil, fmt.Errorf("page %s: %w", name, err)
	}
	return out.Bytes(), nil
}

// again shows a form once more with what was wrong with it. What is not the
// sender's fault is none of the form's.
func (v *visit) again(name string, page view, err error) error {
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind == fault.Unavailable {
		return err
	}
	page.Fault = f
	doc := problem.Of(err, "")
	problem.Wait(v.Context, doc)
	return v.renderAs(doc.Status, name, page)
}

package web

import (
	"net/url"
	"strings"
	"time"
	_ "time/tzdata" // forms are read in clients' own zones, on machines that may know none

	"github.com/protrack/protrack/pkg/fault"
)

// A form is what stands in the fields of a page: what was typed, or what is
// stored; and what is wrong with each.
type form struct {
	values url.Values
	faults map[string][]string
}

// formOf is a form that shows stored values: pairs of a field and its value.
func formOf(pairs ...string) form {
	f := form{values: url.Values{}}
	for i := 0; i+1 < len(pairs); i += 2 {
		f.values.Add(pairs[i], pairs[i+1])
	}
	return f
}

// sent is the form that came, as it was typed.
func (v *visit) sent() form { return form{values: v.Request().PostForm} }

// Value is what stands in a field.
func (f form) Value(field string) string { return f.values.Get(field) }

// Has says that a field of several values holds one.
func (f form) Has(field, value string) bool {
	for _, held := range f.values[field] {
		if held == value {
			return true
		}
	}
	return false
}

// with is the form with what a fault says of its fields. A detail belongs to
// the field that its pointer names: /medicine/dose_mg to medicine.dose_mg.
func (f form) with(err *fault.Error) form {
	f.faults = map[string][]string{}
	for _, d := range err.Details {
		name := strings.ReplaceAll(strings.TrimPrefix(d.Pointer, "/"), "/", ".")
		f.faults[name] = append(f.faults[name], d.Message)
	}
	return f
}

// A field is one control of a form, with its label and all that is said of it.
type field struct {
	Name, Label, Type, Value, Hint, Auto string
	Faults                               []string
	Options                              []option
	Required                             bool
	Min, Max, Step                       string
	Long                                 string // the most characters
	List                                 string // the id of a datalist with suggestions
}

// An option is one choice of a field.
type option struct {
	Value, Label string
	Chosen       bool
}

// Field is a control of the page's form. kind is the type of the input
// element, "area" or "choice"; more are settings such as required, hint:… ,
// auto:… , min:… , max:… , step:… , long:… , list:… . The label and the hint are
// sentences of the catalog.
func (w view) Field(name, label, kind string, more ...string) field {
	f := field{Name: name, Label: w.T(label), Type: kind, Value: w.Form.Value(name), Faults: w.faultsOf(name)}
	for _, m := range more {
		key, value, _ := strings.Cut(m, ":")
		switch key {
		case "required":
			f.Required = true
		case "hint":
			f.Hint = w.T(value)
		case "auto":
			f.Auto = value
		case "min":
			f.Min = value
		case "max":
			f.Max = value
		case "step":
			f.Step = value
		case "long":
			f.Long = value
		case "list":
			f.List = value
		}
	}
	return f
}

// Choice is a control that offers options, each a value and its words.
func (w view) Choice(name, label string, options []option, more ...string) field {
	f := w.Field(name, label, "choice", more...)
	f.Options = make([]option, len(options))
	for i, o := range options {
		f.Options[i] = option{Value: o.Value, Label: w.T(o.Label), Chosen: w.Form.Has(name, o.Value)}
	}
	return f
}

// faultsOf says what is wrong with a field, in the language of the page.
func (w view) faultsOf(name string) []string {
	var out []string
	for _, m := range w.Form.faults[name] {
		out = append(out, w.T(m))
	}
	return out
}

// The layouts in which browsers send dates and times.
const (
	dateLayout     = "2006-01-02"
	dateTimeLayout = "2006-01-02T15:04"
)

// zone is a client's time zone, or UTC where none is known.
func zone(name string) *time.Location {
	if at, err := time.LoadLocation(name); err == nil {
		return at
	}
	return time.UTC
}

// longestPath is how many bytes an address may have to be gone back to.
const longestPath = 2000

// localPath is a path of this server to go back to, or the first page. What a
// browser could read as another server's is none.
func localPath(path string) string {
	if u, err := url.Parse(path); err != nil || len(path) > longestPath || u.IsAbs() || u.Host != "" || !strings.HasPrefix(u.Path, "/") ||
		strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t") {
		return "/"
	}
	return path
}

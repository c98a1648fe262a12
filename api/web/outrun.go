package web

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
)

// A page that changes something carries what it showed: the version, and each
// field as was.<field>. If somebody else was quicker, it can then tell what
// they changed from what was typed here.
const wasPrefix = "was."

// showing is a form as it is shown of a version.
func (f form) showing(version int) form {
	for field, values := range f.values {
		if !strings.HasPrefix(field, wasPrefix) {
			f.values[wasPrefix+field] = values
		}
	}
	f.values.Set("revision", strconv.Itoa(version))
	return f
}

// Was are the fields that carry what the page showed.
func (f form) Was() []option {
	var out []option
	for field, values := range f.values {
		if strings.HasPrefix(field, wasPrefix) && len(values) > 0 {
			out = append(out, option{Value: field, Label: values[0]})
		}
	}
	slices.SortFunc(out, func(a, b option) int { return strings.Compare(a.Value, b.Value) })
	return out
}

// A compared field is one in which two people's work can differ.
type compared struct {
	Field string   // its name in the form
	Label string   // in the language of the page
	Words []option // what its values mean, in the language of the page; none: they are shown as they are
}

// word is what a value means.
func (c compared) word(value string) string {
	for _, o := range c.Words {
		if o.Value == value {
			return o.Label
		}
	}
	return value
}

// outrun is what a page tells who was outrun by somebody else.
type outrun struct {
	By     string // empty: not known by name
	Mine   bool   // it was the same person, in another window
	At     time.Time
	Reason string
	Rows   []difference
}

// difference is one field that somebody changed.
type difference struct {
	Label             string
	Shown, Now, Typed string // when the page was opened, stored now, in the form that was sent
	Both              bool   // both changed it, to different values
}

// errOutrun tells that somebody else was quicker.
var errOutrun = fault.New(fault.Stale, "Somebody changed this while you were at it. Nothing of yours is stored yet, and nothing is lost: see both below.")

// outrun puts what was typed together with what somebody else has stored: a
// field that was not touched here takes what is stored, any other keeps what
// was typed. The rows say of each what was shown, stored and typed.
func (v *visit) outrun(stored form, now care.Revision, in *time.Location, reason care.Private, fields []compared) (form, *outrun, error) {
	name, err := v.nameOf(now.RecordedBy)
	if err != nil {
		return form{}, nil, err
	}
	out := &outrun{By: name, Mine: now.RecordedBy == v.me.ID, At: now.RecordedAt.In(in), Reason: string(reason)}
	merged := form{values: maps.Clone(v.sent().values)}
	for _, f := range fields {
		shown, typed, held := v.typed(wasPrefix+f.Field), v.typed(f.Field), stored.Value(f.Field)
		if typed == shown {
			merged.values.Set(f.Field, held)
		}
		merged.values.Set(wasPrefix+f.Field, held)
		if shown == typed && shown == held {
			continue
		}
		out.Rows = append(out.Rows, difference{
			Label: f.Label, Shown: f.word(shown), Now: f.word(held), Typed: f.word(typed),
			Both: typed != shown && held != shown && typed != held,
		})
	}
	merged.values.Set("revision", strconv.Itoa(now.Version))
	return merged, out, nil
}

// hasCode reports whether one of an error's faults has a code.
func hasCode(err error, code string) bool {
	return slices.ContainsFunc(detailsOf(err), func(d fault.Detail) bool { return d.Code == code })
}

// Wrong says what is wrong with a field, for pages that draw it themselves.
func (w view) Wrong(field string) []string { return w.faultsOf(field) }

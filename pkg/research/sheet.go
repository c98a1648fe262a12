package research

import (
	"fmt"
	"slices"

	"github.com/protrack/protrack/pkg/export"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/instrument"
)

// sheet lays the answers of one form at a time out over the items of all
// questionnaires of an export. It is made once and used for every form.
type sheet struct {
	questions []question
	cells     []export.Cell // by question
	sections  map[version]*section
	newest    map[string]version // of each instrument
	current   *section           // that of the form laid out; nil: none yet
	reasons   []byte
}

// version is one version of an instrument.
type version struct{ instrument, version string }

// section is the part of a sheet that one version of an instrument fills in.
type section struct {
	*instrument.Definition
	places []int          // of each item, among the questions
	item   map[string]int // id to its number in the version
}

func newSheet(set []questionnaire) *sheet {
	s := &sheet{sections: map[version]*section{}, newest: map[string]version{}}
	for _, q := range set {
		first := len(s.questions)
		s.questions = append(s.questions, q.questions()...)
		s.newest[q.ID] = version{q.ID, q.Version}
		for _, def := range q.versions {
			c := &section{Definition: def, places: make([]int, len(def.Items)), item: make(map[string]int, len(def.Items))}
			for i, item := range def.Items {
				c.places[i] = first + slices.IndexFunc(s.questions[first:], func(q question) bool { return q.item.ID == item.ID })
				c.item[item.ID] = i
			}
			s.sections[version{q.ID, def.Version}] = c
		}
	}
	s.cells = make([]export.Cell, len(s.questions))
	for i := range s.cells {
		s.cells[i] = export.Cell{Missing: export.NotIncluded}
	}
	return s
}

// sectionOf is the section of a form. A version that this server has no
// definition of is read by the newest one.
func (s *sheet) sectionOf(f *Form) *section {
	if c := s.sections[version{f.Instrument, f.InstrumentVersion}]; c != nil {
		return c
	}
	return s.sections[s.newest[f.Instrument]]
}

// lay lays a form out. It fails where an answer has no place: none may get lost.
func (s *sheet) lay(p *patient, f *Form) error {
	if s.current != nil {
		for _, at := range s.current.places {
			s.cells[at] = export.Cell{Missing: export.NotIncluded}
		}
	}
	c := s.sectionOf(f)
	if s.current = c; c == nil {
		return errNoPlace(f, "its answers")
	}
	for _, at := range c.places {
		s.cells[at].Missing = export.Unknown
	}
	for i := range f.Answers {
		item, found := c.item[f.Answers[i].Item]
		if !found {
			return errNoPlace(f, f.Answers[i].Item)
		}
		if value := f.Answers[i].Value; value != nil {
			s.cells[c.places[item]] = export.IntCell(*value)
		}
	}
	if !f.TotalOnly {
		for i, at := range c.places {
			if s.cells[at].Missing != export.Present {
				s.cells[at].Missing = c.whyMissing(p, f, i)
			}
		}
	}
	return nil
}

func errNoPlace(f *Form, what string) error {
	return fault.New(fault.Conflict, fmt.Sprintf("The export would lose answers: this server has no definition of %s %s, nor a newer one with a place for %s.",
		f.Instrument, f.InstrumentVersion, what))
}

// whyMissing says why a form with answers has none to an item of its version.
func (c *section) whyMissing(p *patient, f *Form, item int) export.Missing {
	it := c.Items[item]
	switch {
	case slices.Contains(f.Declined, it.ID):
		return export.Declined
	case c.gated(f, it.ID), leftOutFor(it, p.Client.Sex):
		return export.NotAsked
	}
	return export.Skipped
}

// gated reports whether another answer made the item one that is not asked.
func (c *section) gated(f *Form, item string) bool {
	if c.Gate == nil || !slices.Contains(c.Gate.Skips, item) {
		return false
	}
	value, _ := f.Answer(c.Gate.Item)
	return value != nil && *value == c.Gate.Equals
}

// leftOutFor reports whether an item is not asked of a client of a known sex.
func leftOutFor(item instrument.Item, sex instrument.Sex) bool {
	known := sex != "" && sex != instrument.Unknown
	return known && len(item.AskedOf) > 0 && !slices.Contains(item.AskedOf, sex)
}

// missing lists the items of the form's version that have no answer, each with
// why: "phq9_9=declined phq9_4=skipped".
func (s *sheet) missing() string {
	s.reasons = s.reasons[:0]
	for i, at := range s.current.places {
		if why := s.cells[at].Missing; why != export.Present {
			s.reasons = appendReason(s.reasons, s.current.Items[i].ID, why)
		}
	}
	return string(s.reasons)
}

// appendReason adds why a column holds nothing.
func appendReason(to []byte, column string, why export.Missing) []byte {
	if len(to) > 0 {
		to = append(to, ' ')
	}
	to = append(to, column...)
	to = append(to, '=')
	return append(to, why.String()...)
}

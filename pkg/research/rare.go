package research

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/protrack/protrack/pkg/care"
)

// category is a column whose rare values say who somebody is.
type category struct {
	name  string
	typed bool // people type it: what few share may hold more than a category
	of    func(h *History, yield func(value string))
}

// The categories.
var (
	sexes       = category{"sex", false, func(h *History, yield func(string)) { yield(string(h.Client.Sex)) }}
	indications = category{"indication", true, func(h *History, yield func(string)) {
		for _, c := range h.Courses {
			yield(c.Indication)
		}
	}}
	substances = category{"substance", true, func(h *History, yield func(string)) {
		medicines(h, func(m *care.Medicine) { yield(m.Substance) })
	}}
	routes = category{"route", false, func(h *History, yield func(string)) {
		medicines(h, func(m *care.Medicine) { yield(string(m.Route)) })
	}}
)

func medicines(h *History, yield func(*care.Medicine)) {
	for _, ses := range h.Sessions {
		if ses.Medicine != nil {
			yield(ses.Medicine)
		}
	}
}

// spelt is a value without what does not make it another one: Depression and
// depression are one indication.
func (c category) spelt(value string) string {
	if !c.typed {
		return value
	}
	return strings.ToLower(strings.Join(strings.Fields(value), " "))
}

// hidden lists the categories whose rare values a profile merges. What people
// typed is free text where few share it, and so is merged wherever free text is
// left out.
func (p Profile) hidden() []category {
	switch p {
	case Identified:
		return nil
	case Limited:
		return []category{indications, substances}
	case Deidentified:
	}
	return []category{sexes, indications, substances, routes}
}

const (
	// other is what a rare value becomes.
	other = "other"
	// fewest is how many people share a value that is shown, at least.
	fewest = 5
)

// tally counts the people who have each value of a profile's categories. It is
// shown everybody in research, whatever rows are asked for: what is merged is the
// same in each export of one time.
type tally struct {
	hidden []category
	who    []holders // by category
	people int32
}

// tallyOf is the tally of a profile; nil where it merges nothing.
func tallyOf(p Profile) *tally {
	t := &tally{hidden: p.hidden()}
	if len(t.hidden) == 0 {
		return nil
	}
	for range t.hidden {
		t.who = append(t.who, holders{})
	}
	return t
}

func (t *tally) look(h *History) {
	for i, c := range t.hidden {
		c.of(h, func(value string) { t.who[i].add(c.spelt(value), t.people) })
	}
	t.people++
}

// shown are, by category, the values that enough of the people have.
func (s *Service) shown(ctx context.Context, x *Export, r Reader, t *tally) (map[string][]string, error) {
	set, err := r.ClinicSettings(ctx, x.who)
	if err != nil {
		return nil, err
	}
	out := make(map[string][]string, len(t.hidden))
	for i, c := range t.hidden {
		out[c.name] = t.who[i].shown(max(set.SmallestCell, fewest))
	}
	return out, nil
}

// holders are the people who have each value of a category, by number, in order.
type holders map[string][]int32

func (h holders) add(value string, person int32) {
	if value == "" {
		return
	}
	if all := h[value]; len(all) == 0 || all[len(all)-1] != person {
		h[value] = append(all, person)
	}
}

// shown are the values that are not rare, in order.
func (h holders) shown(threshold int) []string {
	rare := h.rare(threshold)
	return slices.Sorted(func(yield func(string) bool) {
		for value := range h {
			if !rare[value] && !yield(value) {
				return
			}
		}
	})
}

// rare are the values that fewer people have than a threshold. Together they
// are shown as one, which must not be rare either: where it is, the next rarest
// value goes with them.
func (h holders) rare(threshold int) map[string]bool {
	values := slices.SortedFunc(maps.Keys(h), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(h[a]), len(h[b])), cmp.Compare(a, b))
	})
	merged := map[string]bool{}
	people := map[int32]bool{}
	merge := func(value string) {
		merged[value] = true
		for _, p := range h[value] {
			people[p] = true
		}
	}
	for _, v := range values {
		if len(h[v]) >= threshold && (len(merged) == 0 || len(people) >= threshold) {
			break
		}
		if len(merged) == 0 && h[other] != nil {
			merge(other) // who has it as a value of its own
		}
		merge(v)
	}
	return merged
}

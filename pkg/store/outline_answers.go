package store

import (
	"maps"
	"slices"

	"github.com/protrack/protrack/pkg/research"
)

// answers writes what forms say besides their totals, behind all forms: who
// does not ask for it need not read it. Most forms answer the same items, so the
// items are written once for all forms that do.
func (p *packer) answers(forms []research.Form) {
	var layouts [][]research.Answer
	for i := range forms {
		f := &forms[i]
		p.has(f.Answers != nil, len(f.Declined) > 0, f.ItemsAnswered != nil, f.Subscales != nil)
		if f.Answers != nil {
			layouts = p.layout(layouts, f.Answers)
			for _, a := range f.Answers {
				p.answer(a.Value)
			}
		}
		if len(f.Declined) > 0 {
			p.uint(uint64(len(f.Declined)))
			for _, item := range f.Declined {
				p.text(item)
			}
		}
		if f.ItemsAnswered != nil {
			p.int(*f.ItemsAnswered)
		}
		if f.Subscales != nil {
			p.subscales(f.Subscales)
		}
	}
}

// layout writes which items a form answers, by the number of an earlier form's
// list where that is the same.
func (p *packer) layout(known [][]research.Answer, answers []research.Answer) [][]research.Answer {
	for i, other := range known {
		if slices.EqualFunc(other, answers, func(a, b research.Answer) bool { return a.Item == b.Item }) {
			p.uint(uint64(i))
			return known
		}
	}
	p.uint(uint64(len(known)))
	p.uint(uint64(len(answers)))
	for _, a := range answers {
		p.text(a.Item)
	}
	return append(known, answers)
}

// none stands for an answer that is missing. Answers are not negative; one that
// is nevertheless is written behind outside.
const (
	none    = 0
	outside = 1
	first   = 2
)

func (p *packer) answer(value *int) {
	switch {
	case value == nil:
		p.uint(none)
	case *value < 0:
		p.uint(outside)
		p.int(*value)
	default:
		p.uint(uint64(*value) + first)
	}
}

func (p *packer) subscales(all map[string]*float64) {
	p.uint(uint64(len(all)))
	for _, id := range slices.Sorted(maps.Keys(all)) {
		p.text(id)
		p.has(all[id] != nil)
		if all[id] != nil {
			p.real(*all[id])
		}
	}
}

// answers reads what was written of forms besides their totals.
func (u *unpacker) answers(forms []research.Form) {
	u.layouts = u.layouts[:0]
	for i := range forms {
		f := &forms[i]
		there := u.set()
		if there.has(0) {
			f.Answers = u.layout()
			for j := range f.Answers {
				f.Answers[j].Value = u.answer()
			}
		}
		if there.has(1) {
			for n := u.uint(); n > 0 && u.err == nil; n-- {
				f.Declined = append(f.Declined, u.text())
			}
		}
		if there.has(2) {
			f.ItemsAnswered = u.ints.keep(u.int())
		}
		if there.has(3) {
			f.Subscales = u.subscales()
		}
		if u.err != nil {
			return
		}
	}
}

// layout gives the items of a form, still without their answers.
func (u *unpacker) layout() []research.Answer {
	which := u.uint()
	if which == uint64(len(u.layouts)) {
		n := u.uint()
		if n > uint64(len(u.b)) {
			u.fail()
			return nil
		}
		items := make([]research.Answer, n)
		for i := range items {
			items[i].Item = u.text()
		}
		u.layouts = append(u.layouts, items)
		return slices.Clone(items)
	}
	if which > uint64(len(u.layouts)) {
		u.fail()
		return nil
	}
	return append(make([]research.Answer, 0, len(u.layouts[which])), u.layouts[which]...)
}

func (u *unpacker) answer() *int {
	switch n := u.uint(); n {
	case none:
		return nil
	case outside:
		return u.ints.keep(u.int())
	default:
		return u.ints.keep(int(n - first)) // #nosec G115 -- it was an int
	}
}

func (u *unpacker) subscales() map[string]*float64 {
	n := u.uint()
	if n > uint64(len(u.b)) {
		u.fail()
		return nil
	}
	out := make(map[string]*float64, n)
	for ; n > 0 && u.err == nil; n-- {
		id := u.text()
		out[id] = nil
		if u.set().has(0) {
			out[id] = u.reals.keep(u.real())
		}
	}
	return out
}

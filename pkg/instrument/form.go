package instrument

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/protrack/protrack/pkg/fault"
)

// plan is a checked Definition with every name resolved to a position.
type plan struct {
	index     map[string]int // item id -> position
	items     []itemPlan
	gate      int // position of the gate, or -1
	skips     []int
	subscales [][]int
	screens   []screenPlan
	flags     []int // position of each flag's item
	scale     int   // what the sum is multiplied by
}

type itemPlan struct {
	options   []Option
	low, high int // fewest and most points
	scored    bool
	askedOf   []Sex
}

func (d *Definition) compile() *plan {
	p := &plan{index: make(map[string]int, len(d.Items)), gate: -1, scale: max(d.Scoring.Multiply, 1)}
	for i, it := range d.Items {
		p.index[it.ID] = i
		low, high := pointRange(d.OptionSets[it.Options])
		p.items = append(p.items, itemPlan{d.OptionSets[it.Options], low, high, !it.Unscored, it.AskedOf})
	}
	if d.Gate != nil {
		p.gate, p.skips = p.index[d.Gate.Item], p.positions(d.Gate.Skips)
	}
	for _, s := range d.Subscales {
		p.subscales = append(p.subscales, p.positions(s.Items))
	}
	for _, f := range d.Flags {
		p.flags = append(p.flags, p.index[f.Item])
	}
	for _, s := range d.Screens {
		var sp screenPlan
		for _, y := range s.Symptoms {
			sp.symptoms = append(sp.symptoms, symptomPlan{p.index[y.Item], y.AtLeast, slices.Contains(s.Core, y.Item)})
		}
		for _, c := range s.Clusters {
			var cluster []symptomPlan
			for _, i := range p.positions(c.Items) {
				cluster = append(cluster, symptomPlan{item: i, atLeast: c.AtLeast})
			}
			sp.clusters = append(sp.clusters, cluster)
		}
		p.screens = append(p.screens, sp)
	}
	return p
}

func (p *plan) positions(ids []string) []int {
	out := make([]int, len(ids))
	for i, id := range ids {
		out[i] = p.index[id]
	}
	return out
}

// pointRange gives the fewest and most points that a set of options can count.
func pointRange(options []Option) (low, high int) {
	for i, o := range options {
		if i == 0 {
			low, high = o.Points(), o.Points()
		}
		low, high = min(low, o.Points()), max(high, o.Points())
	}
	return low, high
}

// state is what is known of one item on one form.
type state uint8

const (
	missing  state = iota // should have an answer and has none
	answered              // has one
	gated                 // not asked, because of the gate: counts 0
	notAsked              // not asked of clients of this sex
)

type cell struct {
	state    state
	declined bool
	value    int // the option's value, if answered
	points   int // what it counts, if answered
}

// form is an Input that has been found valid.
type form struct {
	plan          *plan
	cells         []cell
	totalOnly     bool
	contradictory bool    // an answer contradicts the gate: nothing can be said
	low, high     float64 // the least and the greatest total that missing items allow
	faults        []fault.Detail
}

// read validates the input whole and lists every fault.
func (d *Definition) read(p *plan, in *Input) (*form, error) {
	f := &form{plan: p, cells: make([]cell, len(p.items)), totalOnly: in.Total != nil}
	given := f.readAnswers(in)
	f.readDeclined(in)
	f.readChoices(d, in)
	if in.Total != nil {
		f.readTotal(d, in, given)
	} else if given == 0 && len(in.Declined) == 0 {
		f.fault("/answers", "no_answers", "No item is answered or declined, and no total is given.")
	}
	f.closeGate(d)
	if len(f.faults) > 0 {
		// Maps are read in no order; the caller gets the same list each time.
		slices.SortFunc(f.faults, func(a, b fault.Detail) int {
			return cmp.Or(strings.Compare(a.Pointer, b.Pointer), strings.Compare(a.Code, b.Code))
		})
		return nil, fault.InvalidIf(f.faults)
	}
	f.leaveOut(in.Sex)
	for i, it := range p.items {
		if it.scored {
			low, high := f.bounds(i)
			f.low, f.high = f.low+float64(low*p.scale), f.high+float64(high*p.scale)
		}
	}
	return f, nil
}

func (f *form) fault(pointer, code, message string) {
	f.faults = append(f.faults, fault.Detail{Pointer: pointer, Code: code, Message: message})
}

// readAnswers takes the answers over and counts those that are given.
func (f *form) readAnswers(in *Input) (given int) {
	for id, value := range in.Answers {
		if value != nil {
			given++
		}
		i, ok := f.plan.index[id]
		if !ok {
			f.fault("/answers/"+escape(id), "unknown_item", "The instrument has no such item.")
			continue
		}
		if value == nil {
			continue
		}
		k := slices.IndexFunc(f.plan.items[i].options, func(o Option) bool { return o.Value == *value })
		if k < 0 {
			f.fault("/answers/"+escape(id), "not_an_option", "The answer is not one of the item's options.")
			continue
		}
		f.cells[i] = cell{state: answered, value: *value, points: f.plan.items[i].options[k].Points()}
	}
	return given
}

func (f *form) readDeclined(in *Input) {
	for n, id := range in.Declined {
		at := "/declined/" + strconv.Itoa(n)
		i, ok := f.plan.index[id]
		switch {
		case !ok:
			f.fault(at, "unknown_item", "The instrument has no such item.")
		case f.cells[i].declined:
			f.fault(at, "duplicate", "The item is listed twice.")
		case in.Answers[id] != nil:
			f.fault(at, "declined_and_answered", "The item is both declined and answered.")
		default:
			f.cells[i].declined = true
		}
	}
}

// readChoices checks what is neither answer nor total.
func (f *form) readChoices(d *Definition, in *Input) {
	switch in.Policy {
	case "", Complete, Prorated:
	default:
		f.fault("/missing_policy", "unknown_policy", "The missing policy is complete or prorate.")
	}
	switch in.Sex {
	case "", Female, Male, Other, Unknown:
	default:
		f.fault("/sex", "unknown_sex", "The sex is female, male, other or unknown.")
	}
	for id, c := range in.Cutpoints {
		switch known := slices.ContainsFunc(d.Screens, func(s Screen) bool { return s.ID == id && s.Kind == Cutpoint }); {
		case !known:
			f.fault("/cutpoints/"+escape(id), "unknown_screen", "The instrument has no such cut-point.")
		case !d.AllowsCutpoint(id, c):
			f.fault("/cutpoints/"+escape(id), "not_an_alternative", "The instrument does not allow this cut-point.")
		}
	}
}

func equals(p *float64, v float64) bool { return p != nil && *p == v }

// readTotal checks a total that stands alone. A total between two steps of
// the scale can only have been prorated, so it needs that policy and an
// instrument that allows it.
func (f *form) readTotal(d *Definition, in *Input, given int) {
	t, scale := *in.Total, float64(f.plan.scale)
	if given > 0 {
		f.fault("/total", "both_total_and_answers", "Give the answers or a total, not both.")
	}
	switch {
	case !(t >= d.Scoring.Min && t <= d.Scoring.Max): // refuses NaN too
		f.fault("/total", "out_of_range", "The total is outside the instrument's range.")
	case !whole(t/scale) && (in.Policy != Prorated || d.Scoring.Prorate == nil):
		f.fault("/total", "not_a_possible_total", "No complete form of this instrument has this total.")
	}
}

func whole(v float64) bool { return v == math.Trunc(v) }

// closeGate marks the items that the gate's answer leaves unasked. Where an
// answer to one of them says otherwise, nobody but the client knows which is
// true: the answers that were given stay as they are.
func (f *form) closeGate(d *Definition) {
	if d.Gate == nil {
		return
	}
	if g := f.cells[f.plan.gate]; g.state != answered || g.value != d.Gate.Equals {
		return
	}
	f.contradictory = slices.ContainsFunc(f.plan.skips, func(i int) bool {
		return f.cells[i].state == answered && f.cells[i].points != 0
	})
	for _, i := range f.plan.skips {
		if !f.contradictory || f.cells[i].state != answered {
			f.cells[i] = cell{state: gated}
		}
	}
}

// leaveOut marks the unanswered items that are not asked of this sex. Where
// the sex is not known to be another, they stay missing.
func (f *form) leaveOut(sex Sex) {
	if sex != Female && sex != Male {
		return
	}
	for i, it := range f.plan.items {
		if f.cells[i].state == missing && len(it.askedOf) > 0 && !slices.Contains(it.askedOf, sex) {
			f.cells[i].state = notAsked
		}
	}
}

// bounds gives the fewest and most points that the item can stand for.
func (f *form) bounds(i int) (low, high int) {
	switch c := f.cells[i]; c.state {
	case answered:
		return c.points, c.points
	case missing:
		return f.plan.items[i].low, f.plan.items[i].high
	}
	return 0, 0
}

// escape writes a map key as one token of a JSON pointer (RFC 6901).
func escape(key string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
}

package instrument

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
)

// sortedKeys lets faults come in the same order each time.
func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

func (c *checker) gate() {
	g := c.d.Gate
	if g == nil {
		return
	}
	item, ok := c.items[g.Item]
	if !ok {
		c.bad("/gate/item", "unknown_item", "The file has no such item.")
	} else if !slices.ContainsFunc(c.d.Options(item), func(o Option) bool { return o.Value == g.Equals }) {
		c.bad("/gate/equals", "not_an_option", "The gate's item does not offer this answer.")
	}
	items, _ := c.scored("/gate/skips", g.Skips)
	for _, it := range items {
		if it.ID == g.Item {
			c.bad("/gate/skips", "skips_itself", "A gate cannot skip its own item.")
		}
		// A skipped item counts 0, so 0 must be something it can count.
		if low, high := pointRange(c.d.Options(it)); low > 0 || high < 0 {
			c.bad("/gate/skips", "no_zero", "A skipped item counts 0, which is outside the points of "+it.ID+".")
		}
	}
}

func (c *checker) subscales() {
	for i, s := range c.d.Subscales {
		at := "/subscales/" + strconv.Itoa(i)
		c.column(at+"/id", s.ID)
		c.need(at+"/title", s.Title)
		items, ok := c.scored(at+"/items", s.Items)
		if !ok {
			continue
		}
		c.extent(at, items, 1, s.Min, s.Max)
		c.prorate(at+"/prorate", s.Prorate, items)
		if s.Prorate != nil && s.Prorate.MaxPerSubscale != nil {
			c.bad(at+"/prorate/max_per_subscale", "not_here", "Only the total's rule bounds each subscale.")
		}
	}
}

func (c *checker) scoring() {
	r := c.d.Scoring
	if !idForm.MatchString(r.Rule) {
		c.bad("/scoring/rule", "bad_id", "A rule has a name such as phq-9-sum-1.")
	}
	c.need("/scoring/source", r.Source)
	if r.Multiply < 0 || r.Multiply > 1000 {
		c.bad("/scoring/multiply", "out_of_range", "A multiplier is 1 to 1000.")
	}
	var items []Item
	for _, it := range c.d.Items {
		if _, ok := c.d.OptionSets[it.Options]; !ok {
			return // named already; the range cannot be known
		}
		if !it.Unscored {
			items = append(items, it)
		}
	}
	if len(items) == 0 {
		c.bad("/items", "nothing_scored", "At least one item is scored.")
		return
	}
	c.extent("/scoring", items, max(r.Multiply, 1), r.Min, r.Max)
	c.prorate("/scoring/prorate", r.Prorate, items)
	if p := r.Prorate; p != nil && p.MaxPerSubscale != nil && (*p.MaxPerSubscale < 0 || len(c.d.Subscales) == 0) {
		c.bad("/scoring/prorate/max_per_subscale", "out_of_range", "The bound is at least 0 and needs subscales.")
	}
}

// extent checks a declared range against what the options give.
func (c *checker) extent(pointer string, items []Item, scale int, low, high float64) {
	lowest, highest := 0, 0
	for _, it := range items {
		l, h := pointRange(c.d.Options(it))
		lowest, highest = lowest+l*scale, highest+h*scale
	}
	if low != float64(lowest) {
		c.bad(pointer+"/min", "not_the_minimum", "The options give "+strconv.Itoa(lowest)+".")
	}
	if high != float64(highest) {
		c.bad(pointer+"/max", "not_the_maximum", "The options give "+strconv.Itoa(highest)+".")
	}
}

// prorate checks that scaling up makes sense: at least one answer is left, and
// every item has the same range, or the result could leave the scale.
func (c *checker) prorate(pointer string, p *Prorate, items []Item) {
	if p == nil {
		return
	}
	if p.MaxMissing < 1 || p.MaxMissing >= len(items) {
		c.bad(pointer+"/max_missing", "out_of_range", "At least one answer may be missing, and one must be left.")
	}
	for _, it := range items {
		low, high := pointRange(c.d.Options(it))
		if l, h := pointRange(c.d.Options(items[0])); low != l || high != h {
			c.bad(pointer, "unequal_items", "Items of different ranges cannot be prorated.")
			return
		}
	}
}

func (c *checker) bands() {
	for i, b := range c.d.Bands {
		at := "/bands/" + strconv.Itoa(i)
		if !nameForm.MatchString(b.ID) {
			c.bad(at+"/id", "bad_id", "An id is a lower-case letter, then at most 25 of a-z, 0-9 and _.")
		}
		c.need(at+"/label", b.Label)
		if slices.ContainsFunc(c.d.Bands[:i], func(o Band) bool { return o.ID == b.ID }) {
			c.bad(at+"/id", "duplicate", "Another band has this id.")
		}
		switch {
		case i == 0 && b.From != c.d.Scoring.Min:
			c.bad(at+"/from", "not_at_minimum", "The first band starts at the lowest total.")
		case i > 0 && b.From <= c.d.Bands[i-1].From:
			c.bad(at+"/from", "not_ascending", "Each band starts above the one before.")
		case b.From > c.d.Scoring.Max:
			c.bad(at+"/from", "out_of_range", "The band starts above the highest total.")
		}
	}
}

func (c *checker) flags() {
	for i, f := range c.d.Flags {
		at := "/flags/" + strconv.Itoa(i)
		if !nameForm.MatchString(f.Code) {
			c.bad(at+"/code", "bad_id", "A code is a lower-case letter, then at most 25 of a-z, 0-9 and _.")
		}
		c.need(at+"/source", f.Source)
		item, ok := c.items[f.Item]
		if !ok {
			c.bad(at+"/item", "unknown_item", "The file has no such item.")
		}
		switch {
		case f.When != "" && f.When != NotAnswered:
			c.bad(at+"/when", "unknown_condition", "The condition is not_answered.")
		case (f.AtLeast == nil) == (f.When == ""):
			c.bad(at, "one_condition", "A flag has either at_least or when.")
		case ok && f.AtLeast != nil:
			options := c.d.Options(item)
			if !slices.ContainsFunc(options, func(o Option) bool { return o.Value >= *f.AtLeast }) {
				c.bad(at+"/at_least", "out_of_range", "No option of the item reaches this value.")
			}
		}
	}
}

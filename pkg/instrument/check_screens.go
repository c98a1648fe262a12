package instrument

import (
	"slices"
	"strconv"
)

func (c *checker) screens() {
	for i := range c.d.Screens {
		s, at := &c.d.Screens[i], "/screens/"+strconv.Itoa(i)
		c.column(at+"/id", s.ID)
		c.need(at+"/title", s.Title)
		c.need(at+"/source", s.Source)
		isCut := s.AtLeast != nil || s.AtMost != nil || s.BySex != nil || s.Alternatives != nil
		isSyndrome := s.Symptoms != nil || s.Core != nil || s.Levels != nil || s.Otherwise != ""
		if isCut && s.Kind != Cutpoint || isSyndrome && s.Kind != Syndrome || s.Clusters != nil && s.Kind != Clusters {
			c.bad(at, "mixed_kinds", "The screen has members of another kind.")
		}
		switch s.Kind {
		case Cutpoint:
			c.cutpoint(at, s)
		case Syndrome:
			c.syndrome(at, s)
		case Clusters:
			c.clusters(at, s)
		default:
			c.bad(at+"/kind", "unknown_kind", "A screen is a cutpoint, a syndrome or clusters.")
		}
	}
}

func (c *checker) cutpoint(at string, s *Screen) {
	given := 0
	for _, has := range []bool{s.AtLeast != nil, s.AtMost != nil, s.BySex != nil} {
		if has {
			given++
		}
	}
	if given != 1 {
		c.bad(at, "one_threshold", "A cut-point has one of at_least, at_most and by_sex.")
	}
	// "At least" on a scale where more is better would call the well ill.
	if (s.AtMost != nil) != (c.d.Direction == HigherIsBetter) {
		c.bad(at, "wrong_direction", "A cut-point is at_least where lower is better and at_most where higher is.")
	}
	inside := func(pointer string, v float64) {
		if !(v >= c.d.Scoring.Min && v <= c.d.Scoring.Max) {
			c.bad(pointer, "out_of_range", "The cut-point is outside the range of totals.")
		}
	}
	if s.AtLeast != nil {
		inside(at+"/at_least", *s.AtLeast)
	}
	if s.AtMost != nil {
		inside(at+"/at_most", *s.AtMost)
	}
	if s.BySex != nil {
		c.bySex(at+"/by_sex", s.BySex, inside)
	}
	for i, v := range s.Alternatives {
		inside(at+"/alternatives/"+strconv.Itoa(i), v)
	}
}

// bySex wants both sexes, because an unknown sex is certain only when every
// threshold agrees.
func (c *checker) bySex(at string, bySex map[Sex]float64, inside func(string, float64)) {
	for _, sex := range sortedKeys(bySex) {
		if sex != Female && sex != Male {
			c.bad(at+"/"+escape(string(sex)), "unknown_sex", "Cut-points are by female and male.")
			continue
		}
		inside(at+"/"+string(sex), bySex[sex])
	}
	for _, sex := range []Sex{Female, Male} {
		if _, ok := bySex[sex]; !ok {
			c.bad(at, "required", "The cut-point for "+string(sex)+" is missing.")
		}
	}
}

func (c *checker) syndrome(at string, s *Screen) {
	var ids []string
	for i, y := range s.Symptoms {
		ids = append(ids, y.Item)
		if it, ok := c.items[y.Item]; ok {
			c.reachable(at+"/symptoms/"+strconv.Itoa(i)+"/at_least", []Item{it}, y.AtLeast)
		}
	}
	c.scored(at+"/symptoms", ids)
	if len(s.Core) == 0 {
		c.bad(at+"/core", "required", "At least one core symptom is needed.")
	}
	for i, id := range s.Core {
		if !slices.Contains(ids, id) {
			c.bad(at+"/core/"+strconv.Itoa(i), "unknown_item", "A core symptom is one of the symptoms.")
		}
	}
	if !nameForm.MatchString(s.Otherwise) {
		c.bad(at+"/otherwise", "bad_id", "The result without a syndrome needs a name.")
	}
	if len(s.Levels) == 0 {
		c.bad(at+"/levels", "required", "At least one level is needed.")
	}
	for i, l := range s.Levels {
		at := at + "/levels/" + strconv.Itoa(i)
		if !nameForm.MatchString(l.ID) || l.ID == s.Otherwise {
			c.bad(at+"/id", "bad_id", "A level needs a name of its own.")
		}
		if l.Count < 1 || l.Count > len(s.Symptoms) || i > 0 && l.Count >= s.Levels[i-1].Count {
			c.bad(at+"/count", "out_of_range", "Counts fall from level to level, within the number of symptoms.")
		}
	}
}

func (c *checker) clusters(at string, s *Screen) {
	if len(s.Clusters) == 0 {
		c.bad(at+"/clusters", "required", "At least one cluster is needed.")
	}
	for i, cluster := range s.Clusters {
		at := at + "/clusters/" + strconv.Itoa(i)
		items, _ := c.scored(at+"/items", cluster.Items)
		c.reachable(at+"/at_least", items, cluster.AtLeast)
		if cluster.Count < 1 || cluster.Count > len(cluster.Items) {
			c.bad(at+"/count", "out_of_range", "The count is within the number of the cluster's items.")
		}
	}
}

// reachable reports a threshold that an item always or never meets.
func (c *checker) reachable(pointer string, items []Item, atLeast int) {
	for _, it := range items {
		if low, high := pointRange(c.d.Options(it)); atLeast <= low || atLeast > high {
			c.bad(pointer, "out_of_range", "The threshold must divide the points of "+it.ID+".")
		}
	}
}

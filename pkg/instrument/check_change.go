package instrument

import (
	"math"
	"slices"
	"strconv"
)

func (c *checker) changeRules() {
	for i := range c.d.ChangeRules {
		r, at := &c.d.ChangeRules[i], "/change_rules/"+strconv.Itoa(i)
		if !idForm.MatchString(r.ID) {
			c.bad(at+"/id", "bad_id", "An id is lower-case words and digits joined by hyphens, letter first.")
		}
		if slices.ContainsFunc(c.d.ChangeRules[:i], func(o ChangeRules) bool { return o.ID == r.ID }) {
			c.bad(at+"/id", "duplicate", "Another set of rules has this id.")
		}
		if !versionForm.MatchString(r.Version) {
			c.bad(at+"/version", "bad_version", "A version is three numbers, such as 1.0.0.")
		}
		c.need(at+"/title", r.Title)
		c.need(at+"/source", r.Source)
		c.points(at, r)
		c.levels(at, r)
		c.percents(at, r)
		c.jacobsonTruax(at, r)
	}
	_, found := c.d.Change("")
	switch {
	case len(c.d.ChangeRules) == 0 && c.d.DefaultChangeRules != "", len(c.d.ChangeRules) > 0 && !found:
		c.bad("/default_change_rules", "unknown_rules", "The default is not among change_rules.")
	}
}

// points checks the thresholds that are differences of totals.
func (c *checker) points(at string, r *ChangeRules) {
	span := c.d.Scoring.Max - c.d.Scoring.Min
	for _, t := range []struct {
		name  string
		value *float64
	}{
		{"/reliable_change", r.ReliableChange},
		{"/minimal_important_difference", r.MinimalImportantDifference},
	} {
		if t.value != nil && !(*t.value > 0 && *t.value <= span) {
			c.bad(at+t.name, "out_of_range", "A change is above 0 and within the range of totals.")
		}
	}
	if r.ReliableChange == nil && r.MinimalImportantDifference == nil && r.Caseness == nil &&
		r.RecoveredAtMost == nil && r.RemissionBelow == nil && r.ResponsePercent == nil {
		c.bad(at, "says_nothing", "The set has no threshold.")
	}
}

// levels checks the thresholds that are totals.
func (c *checker) levels(at string, r *ChangeRules) {
	for _, t := range []struct {
		name  string
		value *float64
	}{
		{"/caseness", r.Caseness}, {"/recovered_at_most", r.RecoveredAtMost}, {"/remission_below", r.RemissionBelow},
	} {
		if t.value == nil {
			continue
		}
		if !(*t.value >= c.d.Scoring.Min && *t.value <= c.d.Scoring.Max) {
			c.bad(at+t.name, "out_of_range", "The threshold is outside the range of totals.")
		}
		if c.d.Direction == HigherIsBetter {
			c.bad(at+t.name, "wrong_direction", "This threshold is defined only where lower is better.")
		}
	}
	if r.Caseness == nil {
		return
	}
	if r.RecoveredAtMost != nil && *r.RecoveredAtMost >= *r.Caseness {
		c.bad(at+"/recovered_at_most", "not_below_caseness", "A recovered client is not a case.")
	}
	if r.RemissionBelow != nil && *r.RemissionBelow > *r.Caseness {
		c.bad(at+"/remission_below", "not_below_caseness", "A client in remission is not a case.")
	}
}

func (c *checker) percents(at string, r *ChangeRules) {
	inside := func(name string, v *float64) {
		if v != nil && !(*v > 0 && *v <= 100) {
			c.bad(at+name, "out_of_range", "An improvement is above 0 and at most 100 per cent.")
		}
	}
	inside("/response_percent", r.ResponsePercent)
	inside("/partial_percent", r.PartialPercent)
	if r.PartialPercent != nil && (r.ResponsePercent == nil || *r.PartialPercent >= *r.ResponsePercent) {
		c.bad(at+"/partial_percent", "not_below_response", "A partial response is less than a response.")
	}
}

// jacobsonTruax checks that a computed threshold is what its inputs give.
func (c *checker) jacobsonTruax(at string, r *ChangeRules) {
	j := r.JacobsonTruax
	if j == nil {
		return
	}
	at += "/jacobson_truax"
	c.need(at+"/source", j.Source)
	if j.ReliabilityKind != "alpha" && j.ReliabilityKind != "retest" {
		c.bad(at+"/reliability_kind", "unknown_kind", "The kind of reliability is alpha or retest.")
	}
	if !(j.SD > 0 && j.SD <= c.d.Scoring.Max-c.d.Scoring.Min) {
		c.bad(at+"/sd", "out_of_range", "A standard deviation is above 0 and within the range of totals.")
		return
	}
	if !(j.Reliability > 0 && j.Reliability < 1) {
		c.bad(at+"/reliability", "out_of_range", "A reliability is between 0 and 1.")
		return
	}
	if want := j.ReliableChange(); r.ReliableChange == nil || math.Abs(*r.ReliableChange-want) > 0.01 {
		c.bad(at, "not_the_computed_change",
			"These numbers give a reliable change of "+strconv.FormatFloat(want, 'f', 2, 64)+".")
	}
}

package instrument

// Score reads a form and says what it means. A form that breaks a rule gives
// a *fault.Error of kind Invalid with every fault, each with a JSON pointer
// such as /answers/phq9_10, /declined/0 or /total. Missing answers are never
// counted as 0, and flags are raised whether or not there is a total. Answers
// that contradict the gate are no fault: they were given, and are flagged.
func (d *Definition) Score(in Input) (Score, error) {
	p := d.plan
	if p == nil { // made by hand, not by Parse
		if err := d.Check(); err != nil {
			return Score{}, err
		}
		p = d.compile()
	}
	f, err := d.read(p, &in)
	if err != nil {
		return Score{}, err
	}
	s := Score{
		Instrument: d.ID, InstrumentVersion: d.Version, Rule: d.Scoring.Rule, MissingPolicy: in.Policy,
	}
	if s.MissingPolicy == "" {
		s.MissingPolicy = Complete
	}
	if f.totalOnly {
		total := *in.Total
		s.Total, s.Prorated = &total, !whole(total/float64(p.scale))
	} else {
		f.sums(d, &s)
	}
	if s.Total != nil {
		if b, ok := d.BandOf(*s.Total); ok {
			s.Severity = &b.ID
		}
	}
	f.subscales(d, &s)
	f.screens(d, &s, &in)
	s.Flags = f.flags(d)
	return s, nil
}

// sums sets the total and the counts of items.
func (f *form) sums(d *Definition, s *Score) {
	t := f.tally(func(yield func(int) bool) {
		for i, it := range f.plan.items {
			if it.scored && !yield(i) {
				return
			}
		}
	})
	s.ItemsAnswered, s.ItemsMissing = &t.answered, &t.missing
	limit := d.Scoring.Prorate
	if f.contradictory {
		return // the counts stand, the sum would be of answers that cannot all be true
	}
	if limit != nil && limit.MaxPerSubscale != nil && !f.spread(*limit.MaxPerSubscale) {
		limit = nil
	}
	var prorated bool
	s.Total, prorated = t.total(f.plan.scale, limit, s.MissingPolicy)
	s.Prorated = s.Prorated || prorated
}

// spread reports whether no subscale misses more than most of its items.
func (f *form) spread(most int) bool {
	for _, items := range f.plan.subscales {
		n := 0
		for _, i := range items {
			if f.cells[i].state == missing {
				n++
			}
		}
		if n > most {
			return false
		}
	}
	return true
}

func (f *form) subscales(d *Definition, s *Score) {
	if len(d.Subscales) == 0 {
		return
	}
	s.Subscales = make(map[string]*float64, len(d.Subscales))
	for n, sub := range d.Subscales {
		if f.totalOnly || f.contradictory {
			s.Subscales[sub.ID] = nil
			continue
		}
		t := f.tally(func(yield func(int) bool) {
			for _, i := range f.plan.subscales[n] {
				if !yield(i) {
					return
				}
			}
		})
		total, prorated := t.total(1, sub.Prorate, s.MissingPolicy)
		s.Subscales[sub.ID], s.Prorated = total, s.Prorated || prorated
	}
}

// tally is a sum over some items with how many of them it rests on.
type tally struct{ sum, answered, missing int }

func (f *form) tally(items func(yield func(int) bool)) tally {
	var t tally
	for i := range items {
		switch f.cells[i].state {
		case answered:
			t.sum += f.cells[i].points
			t.answered++
		case missing:
			t.missing++
		}
	}
	return t
}

// total gives the sum of a complete tally, the scaled-up sum of one that may
// be prorated, and nil otherwise.
func (t tally) total(scale int, limit *Prorate, policy MissingPolicy) (total *float64, prorated bool) {
	if t.missing == 0 {
		v := float64(t.sum * scale)
		return &v, false
	}
	if policy != Prorated || limit == nil || t.missing > limit.MaxMissing || t.answered == 0 {
		return nil, false
	}
	v := float64(t.sum*scale*(t.answered+t.missing)) / float64(t.answered)
	return &v, true
}

func (f *form) screens(d *Definition, s *Score, in *Input) {
	if len(d.Screens) == 0 {
		return
	}
	s.Screens = make(map[string]any, len(d.Screens))
	for n := range d.Screens {
		screen := &d.Screens[n]
		if f.contradictory {
			s.Screens[screen.ID] = nil
			continue
		}
		var cut []float64
		if screen.Kind == Cutpoint {
			cut = screen.cutpoints(in)
			if len(cut) == 1 {
				if s.Cutpoints == nil {
					s.Cutpoints = make(map[string]float64, 1)
				}
				s.Cutpoints[screen.ID] = cut[0]
			}
		}
		s.Screens[screen.ID] = screen.result(&f.plan.screens[n], f, s.Total, cut)
	}
}

// flags raises the flags of single items, in the order of the definition, and
// then that of the gate.
func (f *form) flags(d *Definition) []Flag {
	var raised []Flag
	for n, rule := range d.Flags {
		c := f.cells[f.plan.flags[n]]
		switch {
		case rule.When == NotAnswered && c.state == missing:
			flag := Flag{Code: rule.Code, Item: rule.Item, Reason: "skipped"}
			if c.declined {
				flag.Reason = "declined"
			} else if f.totalOnly {
				flag.Reason = "unknown"
			}
			raised = append(raised, flag)
		case rule.AtLeast != nil && c.state == answered && c.value >= *rule.AtLeast:
			level := c.value
			raised = append(raised, Flag{Code: rule.Code, Item: rule.Item, Level: &level})
		}
	}
	if f.contradictory {
		raised = append(raised, Flag{Code: ContradictsGate, Item: d.Gate.Item, Reason: Contradiction})
	}
	return raised
}

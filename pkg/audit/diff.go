package audit

// Field is one field of a thing as it is told to Diff.
type Field struct {
	Name    string // unique among the fields of a thing
	Value   string
	Private bool // the value is compared, but never told
}

// Diff lists the fields that differ, in the order of after; those that are
// gone come last. Nil fields are those of a thing that does not exist: of its
// making or its end, fields that are empty tell nothing. A field that either
// side calls private gives its name only.
func Diff(before, after []Field) []Change {
	was := make(map[string]Field, len(before))
	for _, f := range before {
		was[f.Name] = f
	}
	var changes []Change
	for _, f := range after {
		old, existed := was[f.Name]
		delete(was, f.Name)
		switch {
		case !existed && f.Value == "":
		case !existed:
			changes = append(changes, change(f.Name, nil, &f))
		case old.Value != f.Value:
			changes = append(changes, change(f.Name, &old, &f))
		}
	}
	for _, f := range before {
		if _, gone := was[f.Name]; gone && f.Value != "" {
			changes = append(changes, change(f.Name, &f, nil))
		}
	}
	return changes
}

func change(name string, before, after *Field) Change {
	c := Change{Field: name}
	if before != nil && before.Private || after != nil && after.Private {
		return c
	}
	if before != nil {
		c.Before = &before.Value
	}
	if after != nil {
		c.After = &after.Value
	}
	return c
}

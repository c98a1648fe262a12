package instrument

import "slices"

// AllowsCutpoint reports whether a screen of the instrument may be read at
// this cut-point: its own one, or one of its published alternatives.
func (d *Definition) AllowsCutpoint(screen string, value float64) bool {
	return slices.ContainsFunc(d.Screens, func(s Screen) bool {
		return s.ID == screen && s.Kind == Cutpoint &&
			(slices.Contains(s.Alternatives, value) || equals(s.AtLeast, value) || equals(s.AtMost, value))
	})
}

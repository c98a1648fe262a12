package alert_test

import (
	"errors"

	"github.com/protrack/protrack/pkg/fault"
)

// pointers are where the details of a fault point to.
func pointers(err error) []string {
	var f *fault.Error
	var out []string
	if errors.As(err, &f) {
		for _, d := range f.Details {
			out = append(out, d.Pointer)
		}
	}
	return out
}

package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/protrack/protrack/pkg/fault"
)

// explain lists every fault of an error for a person at a terminal.
func explain(what string, err error) error {
	var f *fault.Error
	if !errors.As(err, &f) {
		return fmt.Errorf("%s: %w", what, err)
	}
	var b strings.Builder
	b.WriteString(what + ": " + f.Message)
	for _, d := range f.Details {
		fmt.Fprintf(&b, "\n  %s: %s", d.Pointer, d.Message)
	}
	return errors.New(b.String())
}

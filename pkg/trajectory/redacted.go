package trajectory

import (
	"fmt"
	"io"
	"log/slog"
)

// What holds a client's scores prints as *** for every verb and in slog, so that
// it cannot reach a log by accident. Code that means to show a value reads the
// field.

const redacted = "***"

func hide(w fmt.State) { _, _ = io.WriteString(w, redacted) }

// Format hides the assessment for every verb.
func (Assessment) Format(w fmt.State, _ rune) { hide(w) }

// LogValue hides the assessment.
func (Assessment) LogValue() slog.Value { return slog.StringValue(redacted) }

// Format hides the series for every verb.
func (Series) Format(w fmt.State, _ rune) { hide(w) }

// LogValue hides the series.
func (Series) LogValue() slog.Value { return slog.StringValue(redacted) }

// Format hides the mark for every verb.
func (Mark) Format(w fmt.State, _ rune) { hide(w) }

// LogValue hides the mark.
func (Mark) LogValue() slog.Value { return slog.StringValue(redacted) }

// Format hides the point for every verb.
func (Point) Format(w fmt.State, _ rune) { hide(w) }

// LogValue hides the point.
func (Point) LogValue() slog.Value { return slog.StringValue(redacted) }

// Format hides the change for every verb.
func (SessionChange) Format(w fmt.State, _ rune) { hide(w) }

// LogValue hides the change.
func (SessionChange) LogValue() slog.Value { return slog.StringValue(redacted) }

// Format hides the status for every verb.
func (Status) Format(w fmt.State, _ rune) { hide(w) }

// LogValue hides the status.
func (Status) LogValue() slog.Value { return slog.StringValue(redacted) }

// Format hides the trend for every verb.
func (Trend) Format(w fmt.State, _ rune) { hide(w) }

// LogValue hides the trend.
func (Trend) LogValue() slog.Value { return slog.StringValue(redacted) }

// Format hides the trajectory for every verb.
func (Trajectory) Format(w fmt.State, _ rune) { hide(w) }

// LogValue hides the trajectory.
func (Trajectory) LogValue() slog.Value { return slog.StringValue(redacted) }

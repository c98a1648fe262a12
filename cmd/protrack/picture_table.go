package main

import (
	"fmt"
	"strings"

	"github.com/protrack/protrack/pkg/trajectory"
)

// alarmFrom says from which answer on the item is flagged.
func (v *pictureView) alarmFrom() string {
	for _, f := range v.Instrument.Flags {
		if f.AtLeast != nil {
			return fmt.Sprintf(" at %d or more", *f.AtLeast)
		}
	}
	return ""
}

// table lists every form, scored or not.
func (v *pictureView) table() []string {
	if len(v.tr.Points) == 0 {
		return nil
	}
	out := []string{v.line(pictureCells{
		"date", "day", "no", "timing", "total", "severity", "diff", "%", "reliab.", "resp.", "recall", v.flagHead(),
	})}
	for _, p := range v.tr.Points {
		out = append(out, v.line(v.cells(p)))
	}
	notes := []string{"no: dose (D) or other session.", "diff, %, reliab., resp.: against the baseline."}
	if v.anyRecall() {
		notes = append(notes, "recall: share of the time asked about that the baseline had covered already.")
	}
	if len(v.Trajectory.RecallWindows) > 1 {
		notes = append(notes, "The forms asked about different spans ("+strings.Join(v.Trajectory.RecallWindows, ", ")+
			"): part of a difference may come from the question.")
	}
	if v.anyExcluded() {
		notes = append(notes, "x: set aside, for too much of that.")
	}
	if v.anyProrated() {
		notes = append(notes, "~: prorated.")
	}
	return append(out, pictureWrap(strings.Fields(strings.Join(notes, " ")), " ", v.Width)...)
}

// flagHead is the flagged item's number, as i9 or 16.
func (v *pictureView) flagHead() string {
	number := strings.TrimPrefix(v.flagged(), "item ")
	if len(number) == 1 {
		return "i" + number
	}
	return number
}

func (v *pictureView) anyRecall() bool {
	for _, p := range v.tr.Points {
		if p.RecallOverlap != nil && *p.RecallOverlap > 0 {
			return true
		}
	}
	return false
}

func (v *pictureView) anyExcluded() bool { return v.tr.Status.NExcluded > 0 }

func (v *pictureView) anyProrated() bool {
	for _, d := range v.details {
		if d.Prorated {
			return true
		}
	}
	return false
}

// pictureCells are the twelve columns of the table.
type pictureCells [12]string

// line sets the cells: words to the left, numbers to the right. The widths add
// up to 80 columns.
func (v *pictureView) line(c pictureCells) string {
	return pictureLeft(c[0], 10) + pictureRight(c[1], 4) + " " + pictureLeft(c[2], 2) + " " + pictureLeft(c[3], 8) + " " +
		pictureRight(c[4], 5) + " " + pictureLeft(c[5], 10) + pictureRight(c[6], 6) + pictureRight(c[7], 5) + " " +
		pictureLeft(c[8], 7) + " " + pictureLeft(c[9], 7) + " " + pictureRight(c[10], 6) + " " + pictureLeft(c[11], 2)
}

// cells are one form. What cannot be said is left empty, and no total is "-".
func (v *pictureView) cells(p trajectory.Point) pictureCells {
	c := pictureCells{v.date(p.At), "", v.session(p), pictureTiming(p.Timing), "-", pictureBand(v.band(p.Severity))}
	if day, ok := v.day(p.At); ok {
		c[1] = fmt.Sprint(day)
	}
	if p.Total != nil {
		c[4] = pictureNumber(*p.Total)
		if v.details[p.AssessmentID].Prorated {
			c[4] = "~" + c[4]
		}
	}
	if p.Change != nil && !v.isBaseline(p) {
		c[6] = pictureSigned(*p.Change, "%.1f")
	}
	if p.PercentChange != nil && !v.isBaseline(p) {
		c[7] = pictureSigned(*p.PercentChange, "%.0f")
	}
	if p.Reliable != nil {
		c[8] = map[trajectory.Reliable]string{
			trajectory.Improved: "better", trajectory.Unchanged: "same", trajectory.Deteriorated: "worse",
		}[*p.Reliable]
	}
	if p.Response != nil {
		c[9] = map[trajectory.Response]string{
			trajectory.ResponseFull: "full", trajectory.ResponsePartial: "partial", trajectory.ResponseNone: "none",
		}[*p.Response]
	}
	if p.RecallOverlap != nil && *p.RecallOverlap > 0 {
		c[10] = fmt.Sprintf("%.0f%%", 100**p.RecallOverlap)
	}
	if p.Excluded {
		c[10] += "x"
	}
	c[11] = v.alarms(p)
	return c
}

func (v *pictureView) isBaseline(p trajectory.Point) bool {
	return v.tr.Baseline != nil && v.tr.Baseline.AssessmentID == p.AssessmentID
}

// alarms gives a flagged answer with its value.
func (v *pictureView) alarms(p trajectory.Point) string {
	for _, f := range v.details[p.AssessmentID].Flags {
		if f.Level != nil {
			return fmt.Sprintf("!%d", *f.Level)
		}
	}
	if v.alarm(p) != 0 {
		return "?"
	}
	return ""
}

// session names the session that a form belongs to, as D3.
func (v *pictureView) session(p trajectory.Point) string {
	if p.SessionNumber == nil || p.SessionKind == "" {
		return ""
	}
	return strings.ToUpper(p.SessionKind[:1]) + fmt.Sprint(*p.SessionNumber)
}

func pictureTiming(t trajectory.Timing) string {
	return strings.ReplaceAll(string(t), "_", "")
}

// pictureBand shortens the one band that is longer than its column.
func pictureBand(name string) string { return strings.Replace(name, "moderately ", "mod.", 1) }

// pictureSigned writes a difference with its sign; none is 0.
func pictureSigned(x float64, format string) string {
	s := strings.TrimSuffix(fmt.Sprintf(format, x), ".0")
	switch {
	case strings.Trim(s, "-0.") == "":
		return "0"
	case x > 0:
		return "+" + s
	}
	return s
}

func pictureLeft(s string, width int) string {
	return s + strings.Repeat(" ", max(width-pictureColumns(s), 0))
}

func pictureRight(s string, width int) string {
	return strings.Repeat(" ", max(width-pictureColumns(s), 0)) + s
}

// pictureWrap sets parts into lines of a width, with a separator between those
// of one line.
func pictureWrap(parts []string, sep string, width int) []string {
	var out []string
	line := ""
	for _, part := range parts {
		switch {
		case line == "":
			line = part
		case pictureColumns(line)+len(sep)+pictureColumns(part) <= width:
			line += sep + part
		default:
			out, line = append(out, line), part
		}
	}
	return append(out, line)
}

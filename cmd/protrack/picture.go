package main

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/instrument"
	"github.com/protrack/protrack/pkg/trajectory"
)

// picture is one client's trajectory on one instrument as a terminal shows it.
type picture struct {
	Width  int  // columns; 0 is 80, less than 80 is 80
	ASCII  bool // for terminals without Unicode
	Colour bool // only where somebody asked for it

	Client     care.Client
	Instrument *instrument.Definition
	Trajectory care.Trajectory
}

// pictureWidth is what every terminal has, and the table needs.
const pictureWidth = 80

// printTrajectory draws the chart, the table and the verdict. It shows the
// client's reference and name: it is for the clinic's own eyes, not for a log.
func printTrajectory(w io.Writer, p picture) error {
	v := newPictureView(p)
	var b strings.Builder
	for _, lines := range [][]string{v.title(), v.chart(), v.table(), v.verdict()} {
		if len(lines) == 0 {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		for _, line := range lines {
			b.WriteString(strings.TrimRight(line, " "))
			b.WriteByte('\n')
		}
	}
	text := b.String()
	if p.ASCII {
		text = pictureASCII(text)
	}
	if p.Colour {
		text = v.colour(text)
	}
	_, err := io.WriteString(w, text)
	return err
}

// pictureView is a picture with what is looked up often.
type pictureView struct {
	picture
	tr      trajectory.Trajectory
	details map[uuid.UUID]care.PointDetail
	zone    *time.Location
	doses   []trajectory.SessionChange // the dosing sessions, in order of time
}

func newPictureView(p picture) *pictureView {
	v := &pictureView{picture: p, tr: p.Trajectory.Trajectory, details: p.Trajectory.Details, zone: time.UTC}
	v.Width = max(p.Width, pictureWidth)
	if zone, err := time.LoadLocation(p.Client.TimeZone); err == nil {
		v.zone = zone
	}
	for _, s := range v.tr.Sessions {
		if s.Kind == trajectory.KindDosing {
			v.doses = append(v.doses, s)
		}
	}
	return v
}

// title names the client and the instrument and says how much there is.
func (v *pictureView) title() []string {
	who := string(v.Client.Reference)
	if v.Client.DisplayName != "" {
		who += " · " + string(v.Client.DisplayName)
	}
	what := v.Instrument.Title + " · " + v.Instrument.Measures
	gap := max(v.Width-pictureColumns(who)-pictureColumns(what), 2)
	lines := []string{who + strings.Repeat(" ", gap) + what}
	if pictureColumns(lines[0]) > v.Width {
		lines = []string{who, what}
	}
	about := picturePlural(len(v.doses), "dose") + ", " + picturePlural(v.tr.Status.NScored, "score")
	if n := len(v.tr.Points); n > 0 {
		about += ", " + v.date(v.tr.Points[0].At)
		if n > 1 {
			about += " to " + v.date(v.tr.Points[n-1].At)
		}
	}
	return append(lines, about)
}

// date is the day on the client's own calendar.
func (v *pictureView) date(at time.Time) string { return at.In(v.zone).Format(time.DateOnly) }

// day counts calendar days from the first dose; false without a dose.
func (v *pictureView) day(at time.Time) (int, bool) {
	if v.tr.FirstDoseAt == nil {
		return 0, false
	}
	midnight := func(t time.Time) time.Time {
		y, m, d := t.In(v.zone).Date()
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	}
	return int(midnight(at).Sub(midnight(*v.tr.FirstDoseAt)).Hours() / 24), true
}

// dosesUntil counts the dosing sessions that had started.
func (v *pictureView) dosesUntil(at time.Time) int {
	n := 0
	for _, d := range v.doses {
		if d.At.Before(at) {
			n++
		}
	}
	return n
}

// pictureMark is the sign of a point in the chart.
func pictureMark(t trajectory.Timing) rune {
	switch t {
	case trajectory.TimingBefore:
		return '○'
	case trajectory.TimingAfter:
		return '●'
	}
	return '◆'
}

// alarm is what a point's flags come to in one sign: an answer that needs a
// look, or one that was not given. 0 is neither.
func (v *pictureView) alarm(p trajectory.Point) rune {
	var out rune
	for _, f := range v.details[p.AssessmentID].Flags {
		if f.Reason == instrument.Contradiction {
			continue // of the form, not of an item
		}
		if f.Level != nil {
			return '!'
		}
		out = '?'
	}
	return out
}

// flagged names the item that the instrument flags, as "item 9"; "" for none.
func (v *pictureView) flagged() string {
	if len(v.Instrument.Flags) == 0 {
		return ""
	}
	id := v.Instrument.Flags[0].Item
	return "item " + id[strings.LastIndexByte(id, '_')+1:]
}

// band is the severity's short name.
func (v *pictureView) band(id *string) string {
	if id == nil {
		return ""
	}
	for _, b := range v.Instrument.Bands {
		if b.ID == *id {
			return strings.ToLower(b.Label)
		}
	}
	return *id
}

// pictureNumber writes a figure to one decimal at most.
func pictureNumber(x float64) string {
	return strings.TrimSuffix(fmt.Sprintf("%.1f", x), ".0")
}

func picturePlural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// pictureColumns is how wide a text stands: combining marks take no column.
func pictureColumns(s string) int {
	n := 0
	for _, r := range s {
		if !unicode.Is(unicode.Mn, r) {
			n++
		}
	}
	return n
}

// pictureSigns are the drawing characters and their plain substitutes.
var pictureSigns = strings.NewReplacer(
	"○", "o", "●", "*", "◆", "#", "·", ".", "─", "-", "╌", ".", "│", "|",
	"╭", "+", "╮", "+", "╰", "+", "╯", "+", "┤", "+", "└", "+", "┬", "+", "╱", "/",
)

// pictureASCII draws with plain characters. A letter that has none becomes a
// question mark; the reference still says who it is.
func pictureASCII(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r < utf8.RuneSelf:
			return r
		case unicode.Is(unicode.Mn, r):
			return -1
		}
		return '?'
	}, pictureSigns.Replace(s))
}

// colour paints the signs of the chart and leaves all words as they are.
func (v *pictureView) colour(text string) string {
	paint := map[rune]string{'○': "36", '●': "32", '◆': "33", '!': "1;31", '?': "1;31", '─': "2", '│': "2", '╌': "2"}
	var b strings.Builder
	for line := range strings.Lines(text) {
		for _, r := range line {
			code, painted := paint[r]
			if !painted {
				b.WriteRune(r)
				continue
			}
			b.WriteString("\x1b[" + code + "m" + string(r) + "\x1b[0m")
		}
	}
	return b.String()
}
